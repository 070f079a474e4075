//! What can be told before the values are looked at: which table goes where, and what stands in the way.

use std::collections::BTreeSet;

use wildmatch::WildMatch;

use crate::checkpoint::journal::{self, Taken};
use crate::checkpoint::local::Place;
use crate::checkpoint::made;
use crate::checkpoint::resume::{self, Leftover};
use crate::checkpoint::rights;
use crate::checkpoint::store;
use crate::connect::Session;
use crate::error::{Error, ErrorKind, Result};
use crate::inspect::Opened;
use crate::introspect::postgres::catalogue;
use crate::map::matching;
use crate::map::renames;
use crate::map::tracking::{self, Comparing, Tracking};
use crate::model::catalogue::Catalogue;
use crate::model::ident::quoted;
use crate::model::matching::{Matching, Refusal, hints as matching_hints};
use crate::model::merge::MergePlan;
use crate::model::source::Table;
use crate::options::{DataOnly, InspectOptions};
use crate::plan::obstacles::Obstacles;
use crate::presets::Presets;
use crate::read;

use super::wishes::{Wishes, matches};
use super::{create_missing, existing};

/// Refusals that an error lists; people mend them one after the other.
const LISTED_MAX: usize = 40;
/// Hints of an error.
const HINTS_MAX: usize = 8;

/// What is known before the scan.
pub(super) struct Prepared {
    /// The target.
    pub(super) catalogue: Catalogue,
    /// Which goes where.
    pub(super) matching: Matching,
    /// Tables that are emptied, by position in the catalogue.
    pub(super) emptied: Vec<usize>,
    /// How rows come to tables that keep theirs.
    pub(super) merges: Vec<MergePlan>,
    /// What the run that this one takes the place of did not bring back.
    pub(super) earlier: Vec<Taken>,
    /// Names of the target that are not free, nor will be.
    pub(super) taken_names: BTreeSet<String>,
    /// What a reader of the report should know, a sentence each.
    pub(super) notes: Vec<String>,
    /// What stands in the way.
    pub(super) refusals: Vec<Refusal>,
}

/// Looks at both sides. `replaced` is the run that this one takes the place of.
pub(super) async fn prepare(
    session: &Session,
    opened: &mut Opened,
    options: &InspectOptions,
    data_only: &DataOnly,
    replaced: Option<&Leftover>,
    checkpoints: &Place,
) -> Result<Prepared> {
    let own: Vec<u32> = replaced.map(Leftover::dropped).unwrap_or_default();
    let there = catalogue::read(session, &options.into).await?;
    let is_in_target = *checkpoints == Place::Target;
    let bookkeeping = if is_in_target { rights::missing(session).await? } else { None };
    refuse_closed(&there, bookkeeping.as_ref())?;
    let mut taken_names = resume::taken_names(session, &options.into).await?;
    if let Some(Leftover { run, made }) = replaced {
        let free = made::names(session, *run, made).await?;
        taken_names.retain(|name| !free.contains(name));
    }
    let catalogue = there.without(&own);
    let replaced = replaced.map(|leftover| leftover.run);
    refuse_empty(&catalogue)?;
    check_globs(opened, &catalogue, data_only)?;
    // What this role may not see it cannot have taken away.
    let earlier = if is_in_target || store::is_readable(session).await? {
        earlier(session, &catalogue, replaced).await?
    } else {
        Vec::new()
    };
    let presets = opened.presets.clone();
    let wishes = Wishes { user: data_only, presets: &presets };
    let (mut notes, mut refusals) = (Vec::new(), Vec::from_iter(bookkeeping));
    set_aside(session, opened, &catalogue, &wishes, &mut notes, &mut refusals).await?;
    let mut renames = renames::resolve(&data_only.renames, &opened.schema, &catalogue)?;
    wishes.add_renames(&mut renames, &opened.schema, &catalogue);
    notes.extend(wishes.notes(&opened.schema, &catalogue, &renames));
    let skipped = column_globs(opened, &options.selection.skip);
    let is_skipped = |table: &Table, column: &str| {
        let full = format!("{}.{column}", table.name);
        skipped.iter().any(|glob| glob.matches(&full)) || wishes.skips_column(&full)
    };
    let tables: Vec<(usize, &Table)> =
        opened.selected.iter().map(|at| (*at, &opened.schema.tables[*at])).collect();
    let (matching, ambiguous) = matching::matching(&tables, &catalogue, &renames, is_skipped);
    refusals.extend(ambiguous);
    if data_only.create_missing {
        refusals.extend(create_missing::refusals(opened, &catalogue, &matching, &taken_names));
        notes.extend(create_missing::notes(opened, &matching));
    } else {
        refusals.extend(missing(opened, &catalogue, &matching, &mut notes)?);
    }
    notes.extend(matching::notes(&opened.schema.tables, &catalogue, &matching));
    notes.extend(catalogue.loose_sequences.iter().map(|name| {
        format!(
            "Sequence \"{}\" belongs to no column and stays as it is: if the application takes ids from it, set it beyond those that are there.",
            name.escape_debug()
        )
    }));
    let occupied = occupied(session, &catalogue, &matching).await?;
    let existing = existing::decide(&wishes, &opened.schema, &catalogue, &matching, &occupied);
    notes.extend(existing.notes);
    refusals.extend(existing.refusals);
    check_on_existing(opened, &catalogue, &matching, data_only)?;
    let taken: Vec<_> = earlier.iter().map(|one| one.entry.clone()).collect();
    let whole = catalogue::with_taken(session, &catalogue, &taken).await?;
    let obstacles = Obstacles {
        tables: &opened.schema.tables,
        catalogue: &whole,
        matching: &matching,
        is_kept: &|trigger| wishes.is_kept(trigger),
        is_protected: &|name| wishes.protection(name).is_some(),
        occupied: &occupied,
        emptied: &existing.emptied,
        settled: &existing.settled,
        merges: &existing.merges,
    };
    refusals.extend(obstacles.found());
    notes.extend(staying_note(&catalogue, &matching));
    opened.selected = matching.tables.iter().map(|matched| matched.source).collect();
    if data_only.create_missing {
        // Behind those that are there: so both plans have the same positions.
        opened.selected.extend(&matching.missing);
    }
    if opened.selected.is_empty() && refusals.is_empty() {
        refusals.push(Refusal::new("No table of the source is left to load."));
    }
    let (emptied, merges) = (existing.emptied, existing.merges);
    Ok(Prepared { catalogue, matching, emptied, merges, earlier, taken_names, notes, refusals })
}

/// Nothing in a schema can be looked at without USAGE on it.
fn refuse_closed(catalogue: &Catalogue, bookkeeping: Option<&Refusal>) -> Result<()> {
    if catalogue.can_use {
        return Ok(());
    }
    let schema = &catalogue.schema;
    let refusal =
        Refusal::new(format!("This role may not use schema \"{}\".", schema.escape_debug()));
    let hint = format!(
        "As its owner or a superuser: GRANT USAGE ON SCHEMA {} TO {};",
        quoted(schema),
        quoted(&catalogue.role)
    );
    let mut all = vec![refusal.hint(hint)];
    all.extend(bookkeeping.cloned());
    raise(&all)
}

/// Says which tables keep what hangs on them while rows come in.
fn staying_note(catalogue: &Catalogue, matching: &Matching) -> Option<String> {
    const SHOWN_MAX: usize = 8;
    let tables = matching.tables.iter().map(|matched| &catalogue.tables[matched.target]);
    let keep = tables.filter(|table| {
        let stays = !table.is_owned && !table.plain_indexes.is_empty();
        stays || table.foreign_keys.iter().any(|key| !key.can_go())
    });
    let mut names: Vec<String> =
        keep.map(|table| format!("\"{}\"", table.name.escape_debug())).collect();
    if names.is_empty() {
        return None;
    }
    if names.len() > SHOWN_MAX {
        let more = names.len() - SHOWN_MAX;
        names.truncate(SHOWN_MAX);
        names.push(format!("and {more} more"));
    }
    Some(format!(
        "Foreign keys and indexes that this role cannot take away stay while the rows come in, parents \
         first; that takes longer: {}.",
        names.join(", ")
    ))
}

fn refuse_empty(catalogue: &Catalogue) -> Result<()> {
    if !catalogue.tables.is_empty() {
        return Ok(());
    }
    let schema = catalogue.schema.escape_debug();
    Err(Error::new(ErrorKind::TargetState, format!("schema \"{schema}\" of the target has no tables"))
        .detail("--data-only fills the tables that the application's own migrations made.")
        .hint("Let the application make its schema first: start it once with the PostgreSQL URL, or run its migrations. --into names another schema.")
        .hint("Without --data-only litelift makes the tables itself."))
}

pub(super) fn in_brackets(because: Option<String>) -> String {
    because.filter(|text| !text.is_empty()).map_or_else(String::new, |text| format!(" ({text})"))
}

/// A glob that matches nothing is a typo, and what it should have protected would be written to.
fn check_globs(opened: &Opened, catalogue: &Catalogue, data_only: &DataOnly) -> Result<()> {
    for glob in &data_only.protect {
        let sources = opened.schema.tables.iter().map(|table| &table.name);
        let targets = catalogue.tables.iter().map(|table| &table.name);
        if !sources.chain(targets).any(|name| matches(glob, name)) {
            return Err(Error::usage(format!(
                "--protect \"{}\" is the name of no table",
                glob.escape_debug()
            )));
        }
    }
    for text in &data_only.tracking {
        let (name, ..) = tracking::parts(text)?;
        if !opened.schema.tables.iter().any(|table| table.name.eq_ignore_ascii_case(name)) {
            let shown = text.escape_debug();
            return Err(Error::usage(format!(
                "--tracking \"{shown}\": the source has no such table"
            )));
        }
    }
    for glob in &data_only.keep_triggers {
        let one = DataOnly { keep_triggers: vec![glob.clone()], ..DataOnly::default() };
        let mut triggers = catalogue.tables.iter().flat_map(|table| &table.triggers);
        let of_user = Wishes { user: &one, presets: &Presets::default() };
        if !triggers.any(|trigger| of_user.is_kept(trigger)) {
            return Err(Error::usage(format!(
                "--keep-trigger \"{}\" is the name of no trigger in the target",
                glob.escape_debug()
            ))
            .hint("Give it as TRIGGER or TABLE.TRIGGER."));
        }
    }
    Ok(())
}

fn check_on_existing(
    opened: &Opened,
    catalogue: &Catalogue,
    matching: &Matching,
    data_only: &DataOnly,
) -> Result<()> {
    for glob in data_only.on_existing.iter().filter_map(|(glob, _)| glob.as_ref()) {
        let glob_of = WildMatch::new_case_insensitive(glob);
        let mut pairs = matching.tables.iter();
        let is_used = pairs.any(|matched| {
            glob_of.matches(&opened.schema.tables[matched.source].name)
                || glob_of.matches(&catalogue.tables[matched.target].name)
        });
        if !is_used {
            return Err(Error::usage(format!(
                "--on-existing \"{}\" is the name of no table that is loaded",
                glob.escape_debug()
            )));
        }
    }
    Ok(())
}

/// What earlier runs left undone: that of the run which is replaced is taken over, that of any other
/// stands in the way.
async fn earlier(
    session: &Session,
    catalogue: &Catalogue,
    replaced: Option<i64>,
) -> Result<Vec<Taken>> {
    let is_here = |one: &Taken| {
        one.entry.schema == catalogue.schema
            || catalogue.tables.iter().any(|table| table.relid == one.entry.relid)
    };
    let taken = journal::taken(session, None).await?;
    let (own, others): (Vec<Taken>, Vec<Taken>) =
        taken.into_iter().filter(is_here).partition(|one| Some(one.run) == replaced);
    if others.is_empty() { Ok(own) } else { Err(journal::not_restored(&others)) }
}

/// Takes tables that are never touched out of the selection: protected ones, and those in which
/// migrations keep what they did, which are compared.
async fn set_aside(
    session: &Session,
    opened: &mut Opened,
    catalogue: &Catalogue,
    wishes: &Wishes<'_>,
    notes: &mut Vec<String>,
    refusals: &mut Vec<Refusal>,
) -> Result<()> {
    let mut left = Vec::new();
    for position in opened.selected.clone() {
        let table = &opened.schema.tables[position];
        let name = table.name.escape_debug();
        let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        let protection = wishes.protection(&table.name).or_else(|| {
            let there = matching::target_of(&table.name, catalogue)?;
            wishes.protection(&there.name)
        });
        if let Some(tracking) = wishes.tracking(table, &columns)? {
            let compared = compare_heads(session, opened, table, &tracking, catalogue).await?;
            let tool = &tracking.tool;
            match compared {
                Heads::Differ(how) if !wishes.user.allow_version_mismatch => refusals.push(
                    Refusal::new(format!(
                        "The two sides are of different versions by \"{name}\" ({tool}): {how}."
                    ))
                    .hint("Bring both to one version with the application's own migrations. --allow-version-mismatch goes on all the same, --skip leaves the table out of it."),
                ),
                Heads::Differ(how) => notes.push(format!(
                    "Table \"{name}\" ({tool}) is left as it is; the versions differ: {how}."
                )),
                Heads::Same(how) => {
                    notes.push(format!("Table \"{name}\" ({tool}) is left as it is: {how}."));
                }
                Heads::Unknown(why) => {
                    notes.push(format!("Table \"{name}\" ({tool}) is not copied{why}."));
                }
            }
        } else if let Some(because) = protection {
            let because = in_brackets(Some(because));
            notes.push(format!("Table \"{name}\" is protected: nothing of it is copied{because}."));
        } else {
            left.push(position);
        }
    }
    opened.selected = left;
    Ok(())
}

enum Heads {
    Same(String),
    Differ(String),
    Unknown(&'static str),
}

async fn compare_heads(
    session: &Session,
    opened: &Opened,
    table: &Table,
    tracking: &Tracking,
    catalogue: &Catalogue,
) -> Result<Heads> {
    if tracking.head.is_empty() {
        return Ok(Heads::Unknown(", nor compared: it says nothing of the version"));
    }
    let Some(there) = matching::target_of(&table.name, catalogue) else {
        return Ok(Heads::Unknown(", nor compared: the target has no such table"));
    };
    let columns: Option<Vec<String>> = tracking
        .head
        .iter()
        .map(|name| matching::column_of(name, there).map(str::to_owned))
        .collect();
    let may_read = |name: &String| there.columns.iter().any(|c| c.name == *name && c.may_select);
    let Some(columns) = columns.filter(|columns| columns.iter().all(may_read)) else {
        return Ok(Heads::Unknown(
            ", nor compared: the target's has other columns, or may not be read",
        ));
    };
    let source = tokio::task::block_in_place(|| {
        opened.snapshot.with(|conn| read::texts(conn, &table.name, &tracking.head))
    })?;
    let target = catalogue::texts(session, &catalogue.schema, &there.name, &columns).await?;
    let same = match tracking.how {
        Comparing::Same => format!("both sides have the same entries, {}", source.len()),
        Comparing::Latest => {
            let (here, there) = (tracking::last(&source), tracking::last(&target));
            return Ok(if here == there {
                Heads::Same(format!("both sides are at {here}"))
            } else {
                Heads::Differ(format!("the source is at {here}, the target at {there}"))
            });
        }
        Comparing::Covers => format!("the source has every entry of the target, {}", target.len()),
    };
    let is_covered = tracking.how == Comparing::Covers && tracking::covers(&source, &target);
    Ok(match tracking::difference(&source, &target) {
        Some(how) if !is_covered => Heads::Differ(how),
        _ => Heads::Same(same),
    })
}

/// Patterns of `--skip` that mean columns: they have a point and are the name of no table.
fn column_globs(opened: &Opened, skip: &[String]) -> Vec<WildMatch> {
    let globs = skip.iter().filter(|pattern| pattern.contains('.'));
    globs
        .map(|pattern| WildMatch::new_case_insensitive(pattern))
        .filter(|glob| !opened.schema.tables.iter().any(|table| glob.matches(&table.name)))
        .collect()
}

/// Tables of the source that the target does not have.
fn missing(
    opened: &Opened,
    catalogue: &Catalogue,
    matching: &Matching,
    notes: &mut Vec<String>,
) -> Result<Vec<Refusal>> {
    let mut refusals = Vec::new();
    for position in &matching.missing {
        let table = &opened.schema.tables[*position];
        let name = table.name.escape_debug();
        let rows = tokio::task::block_in_place(|| {
            opened.snapshot.with(|conn| read::count_rows(conn, &table.name))
        })?;
        if rows == 0 {
            notes.push(format!("Table \"{name}\" has no rows, and the target has no such table."));
            continue;
        }
        let rows = if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
        let other =
            catalogue.others.iter().find(|(other, _)| other.eq_ignore_ascii_case(&table.name));
        let refusal = Refusal::new(match other {
            Some((_, kind)) => format!(
                "Table \"{name}\" has {rows}, and what the target has of that name is a {kind}."
            ),
            None => format!("Table \"{name}\" has {rows}, and the target has no such table."),
        });
        refusals.push(
            refusal.hint(
                "Leave it out with --skip TABLE, name its place with --rename TABLE=NAME, or let it be made with --create-missing.",
            ),
        );
    }
    Ok(refusals)
}

/// The tables that get rows and have some, by position in the catalogue, with how many.
async fn occupied(
    session: &Session,
    catalogue: &Catalogue,
    matching: &Matching,
) -> Result<Vec<(usize, u64)>> {
    let tables: Vec<usize> = matching
        .tables
        .iter()
        .map(|matched| matched.target)
        .filter(|at| catalogue.tables[*at].may_fill)
        .collect();
    let filled = catalogue::filled(
        session,
        &catalogue.schema,
        tables.iter().map(|at| &catalogue.tables[*at]),
    )
    .await?;
    let position = |name: &str| catalogue.tables.iter().position(|table| table.name == name);
    Ok(filled.into_iter().filter_map(|(name, rows)| Some((position(&name)?, rows))).collect())
}

/// Raises what stands in the way as one error.
pub(super) fn raise(refusals: &[Refusal]) -> Result<()> {
    let count = refusals.len();
    if count == 0 {
        return Ok(());
    }
    let mut lines: Vec<&str> =
        refusals.iter().take(LISTED_MAX).map(|refusal| refusal.text.as_str()).collect();
    let more = format!("And {} more.", count.saturating_sub(LISTED_MAX));
    if count > LISTED_MAX {
        lines.push(&more);
    }
    let things = if count == 1 { "one thing stands" } else { "things stand" };
    let number = if count == 1 { String::new() } else { format!("{count} ") };
    let mut error = Error::new(
        ErrorKind::TargetState,
        format!("the target cannot be filled: {number}{things} in the way; nothing was written"),
    )
    .detail(lines.join("\n"));
    for hint in matching_hints(refusals).into_iter().take(HINTS_MAX) {
        error = error.hint(hint);
    }
    Err(error)
}
