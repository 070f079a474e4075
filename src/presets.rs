//! Presets of applications (`--app`): what a user of theirs would have to give as options.
//!
//! Purpose: a preset is a file of rows, each an option as on the command line with the reason for it
//! (`parse`). Presets are made for every version of an application, so a row that matches nothing says
//! nothing. Of several presets the later one wins, and what the user gave himself wins over all.

pub mod parse;

use std::path::Path;

use wildmatch::WildMatch;

use crate::error::{Error, Result};
use crate::map::rules::TypeMapText;
use crate::map::tracking::{self, Tracking};
use crate::model::decision::Mapping;
use crate::model::source::{SourceSchema, Table};
use crate::type_maps;
use parse::{Row, Wish};

/// Presets that come with litelift: their names, the first of which is told, and their text.
const BUILT_IN: [(&[&str], &str); 13] = [
    (&["django"], include_str!("../type_maps/apps/django.csv")),
    (&["drizzle"], include_str!("../type_maps/apps/drizzle.csv")),
    (&["efcore"], include_str!("../type_maps/apps/efcore.csv")),
    (&["gitea", "forgejo"], include_str!("../type_maps/apps/gitea.csv")),
    (&["grafana"], include_str!("../type_maps/apps/grafana.csv")),
    (&["homeassistant"], include_str!("../type_maps/apps/homeassistant.csv")),
    (&["laravel"], include_str!("../type_maps/apps/laravel.csv")),
    (&["prisma"], include_str!("../type_maps/apps/prisma.csv")),
    (&["rails"], include_str!("../type_maps/apps/rails.csv")),
    (
        &["servarr", "lidarr", "prowlarr", "radarr", "readarr", "sonarr", "whisparr"],
        include_str!("../type_maps/apps/servarr.csv"),
    ),
    (&["sqlalchemy"], include_str!("../type_maps/apps/sqlalchemy.csv")),
    (&["typeorm"], include_str!("../type_maps/apps/typeorm.csv")),
    (&["vaultwarden"], include_str!("../type_maps/apps/vaultwarden.csv")),
];

/// The preset of one application.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preset {
    /// Name or file as given.
    pub name: String,
    /// Its rows.
    pub rows: Vec<Row>,
}

/// The presets that were asked for, in the order given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Presets {
    /// Each of them.
    pub all: Vec<Preset>,
}

/// Reads presets by built-in name or file.
///
/// # Errors
/// [`crate::error::ErrorKind::Usage`] when there is none of that name, a file cannot be read, or a
/// row of it.
pub fn load(apps: &[String]) -> Result<Presets> {
    let all = apps.iter().map(|app| one(app)).collect::<Result<Vec<_>>>()?;
    let presets = Presets { all };
    // Rows that are type maps are read now, whether or not they will count.
    type_maps::check(&presets)?;
    Ok(presets)
}

fn one(app: &str) -> Result<Preset> {
    let built_in = BUILT_IN.iter().find(|(names, _)| names.contains(&app));
    let text = match built_in {
        Some((_, text)) => (*text).to_owned(),
        None => std::fs::read_to_string(Path::new(app)).map_err(|error| unknown(app, error))?,
    };
    Ok(Preset { name: app.to_owned(), rows: parse::rows(app, &text)? })
}

fn unknown(app: &str, error: std::io::Error) -> Error {
    let is_file = app.contains(['/', '\\', '.']);
    let names: Vec<&str> = BUILT_IN.iter().flat_map(|(names, _)| *names).copied().collect();
    let hint = format!("Known are {}; or give a CSV file of your own.", names.join(", "));
    let shown = app.escape_debug();
    if is_file {
        Error::usage(format!("could not read preset \"{shown}\"")).caused_by(error).hint(hint)
    } else {
        Error::usage(format!("--app \"{shown}\" is no application that is known")).hint(hint)
    }
}

impl Preset {
    /// What rules of this preset are called.
    fn rules_name(&self) -> String {
        format!("--app {}", self.name)
    }

    /// Returns its type maps in order; `rule` rows only when `with_rules`.
    fn type_maps(&self, with_rules: bool) -> Result<Vec<TypeMapText>> {
        let mut texts = Vec::new();
        let mut rules = RuleText::default();
        for row in &self.rows {
            match &row.wish {
                Wish::Rule(rule) if with_rules => rules.add(row.line, rule),
                Wish::TypeMap(name) => {
                    texts.extend(rules.take(self));
                    texts.push(TypeMapText { is_own: false, ..type_maps::text_of(name)? });
                }
                _ => {}
            }
        }
        texts.extend(rules.take(self));
        Ok(texts)
    }
}

/// Rows of a type map, on the lines that they have in the preset.
#[derive(Default)]
struct RuleText {
    text: String,
    lines: u64,
}

impl RuleText {
    fn add(&mut self, line: u64, rule: &str) {
        if self.lines == 0 {
            self.text = "table,column,declared,evidence,pg_type,convert,note\n".to_owned();
            self.lines = 1;
        }
        while self.lines + 1 < line {
            self.text.push('\n');
            self.lines += 1;
        }
        self.text.push_str(rule);
        self.text.push('\n');
        self.lines += 1 + rule.matches('\n').count() as u64;
    }

    fn take(&mut self, preset: &Preset) -> Option<TypeMapText> {
        let made = std::mem::take(self);
        let name = preset.rules_name();
        (made.lines > 0).then_some(TypeMapText { name, text: made.text, is_own: false })
    }
}

impl Presets {
    /// Returns the rows with the names of their presets, in the order in which later ones win.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = (&Preset, &Row)> {
        self.all.iter().flat_map(|preset| preset.rows.iter().map(move |row| (preset, row)))
    }

    /// Returns type maps and rules in the order in which the first that matches wins.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Usage`] when a file that a preset names cannot be read.
    pub fn type_maps(&self, with_rules: bool) -> Result<Vec<TypeMapText>> {
        let mut texts = Vec::new();
        for preset in self.all.iter().rev() {
            texts.extend(preset.type_maps(with_rules)?);
        }
        Ok(texts)
    }

    /// Returns the globs of `skip`.
    pub fn skips(&self) -> impl Iterator<Item = (&Preset, &Row, WildMatch)> {
        self.rows().filter_map(|(preset, row)| match &row.wish {
            Wish::Skip(glob) => Some((preset, row, WildMatch::new_case_insensitive(glob))),
            _ => None,
        })
    }

    /// Returns what decides which rows go where, for the fingerprint of a run: name and rows of each.
    #[must_use]
    pub fn choices(&self) -> Vec<(String, String)> {
        let decides = |row: &&Row| {
            matches!(
                row.wish,
                Wish::Skip(_)
                    | Wish::Protect(_)
                    | Wish::Rename(_)
                    | Wish::Tracking(_)
                    | Wish::KeepTrigger(_)
            )
        };
        let rows_of = |preset: &Preset| {
            preset.rows.iter().filter(decides).map(|row| row.shown.clone() + "\n").collect()
        };
        self.all.iter().map(|preset| (preset.name.clone(), rows_of(preset))).collect()
    }

    /// Returns how a table is compared that says of what version the schema is. `None` when no preset
    /// says so, or the table has other columns: then it is one of another version.
    #[must_use]
    pub fn tracking(&self, table: &str, columns: &[&str]) -> Option<Tracking> {
        self.rows().rev().find_map(|(preset, row)| {
            let Wish::Tracking(text) = &row.wish else { return None };
            let found = tracking::named(std::slice::from_ref(text), table, columns);
            Some(Tracking { tool: because(preset, row), ..found.ok()?? })
        })
    }

    /// Says which tables are left out and why, a sentence each. `only` is what the user selected.
    #[must_use]
    pub fn left_out(&self, schema: &SourceSchema, only: &[String]) -> Vec<String> {
        let mut notes = Vec::new();
        let mut told: Vec<&str> = Vec::new();
        for (preset, row, glob) in self.skips() {
            let is_new =
                |name: &&str| glob.matches(name) && !told.contains(name) && is_selected(name, only);
            let is_wanted = |name: &&str| is_new(name) && !is_named(name, only);
            let tables = schema.tables.iter().map(|table| table.name.as_str());
            let unreadable = schema.unreadable.iter().map(|table| table.name.as_str());
            let names: Vec<&str> = tables.chain(unreadable).filter(is_wanted).collect();
            if let Some(names_shown) = named("Table", &names) {
                let verb = if names.len() == 1 { "is" } else { "are" };
                let because = because(preset, row);
                notes.push(format!("{names_shown} {verb} left out ({because})."));
            }
            told.extend(names);
        }
        notes
    }

    /// Says which rules and type maps of presets decided something, a sentence each.
    #[must_use]
    pub fn rules_used(&self, mapping: &Mapping) -> Vec<String> {
        let mut notes = Vec::new();
        for (preset, row) in self.rows() {
            let name = preset.rules_name();
            let is_of = |file: &str, line: u64| match &row.wish {
                Wish::Rule(_) => file == name && line == row.line,
                Wish::TypeMap(map) => file == map,
                _ => false,
            };
            let mut columns = Vec::new();
            for table in &mapping.tables {
                for column in &table.columns {
                    if is_of(&column.rule.file, column.rule.line) {
                        columns.push(format!("{}.{}", table.source, column.source));
                    }
                }
            }
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            if let Some(shown) = named("Column", &columns) {
                let verb = if columns.len() == 1 { "goes" } else { "go" };
                notes.push(format!(
                    "{shown} {verb} by {} ({}).",
                    row.shown.trim_end_matches(',').escape_debug(),
                    because(preset, row)
                ));
            }
        }
        notes
    }
}

/// Returns whether a preset leaves a table out. A table that the user names himself is meant.
#[must_use]
pub fn is_left_out(presets: &Presets, table: &Table, only: &[String]) -> bool {
    !is_named(&table.name, only) && presets.skips().any(|(_, _, glob)| glob.matches(&table.name))
}

fn is_named(name: &str, only: &[String]) -> bool {
    only.iter().any(|pattern| pattern.eq_ignore_ascii_case(name))
}

fn is_selected(name: &str, only: &[String]) -> bool {
    let is_match = |pattern: &String| WildMatch::new_case_insensitive(pattern).matches(name);
    only.is_empty() || only.iter().any(is_match)
}

/// Returns who wanted something, and why.
#[must_use]
pub fn because(preset: &Preset, row: &Row) -> String {
    let printable = |text: &str| text.replace(char::is_control, " ");
    let why = printable(row.why.trim_end_matches('.'));
    let name = printable(&preset.rules_name());
    if why.is_empty() { name } else { format!("{name}: {why}") }
}

/// Names a few things and counts the rest; `None` for nothing.
fn named(what: &str, names: &[&str]) -> Option<String> {
    const SHOWN_MAX: usize = 3;
    let quoted: Vec<String> =
        names.iter().take(SHOWN_MAX).map(|name| format!("\"{}\"", name.escape_debug())).collect();
    match names.len() {
        0 => None,
        1 => Some(format!("{what} {}", quoted[0])),
        count if count > SHOWN_MAX => {
            Some(format!("{what}s {} and {} more", quoted.join(", "), count - SHOWN_MAX))
        }
        _ => Some(format!("{what}s {}", quoted.join(", "))),
    }
}

/// Says which applications a source looks like by the built-in presets, as a sentence; `None` when like
/// none.
#[must_use]
pub fn recognised(schema: &SourceSchema) -> Option<String> {
    let is_there = |glob: &String| {
        let glob = WildMatch::new_case_insensitive(glob);
        schema.tables.iter().any(|table| glob.matches(&table.name))
    };
    let mut like = Vec::new();
    let mut options = Vec::new();
    for (names, text) in BUILT_IN {
        // A test reads them all.
        let Ok(rows) = parse::rows(names[0], text) else { continue };
        let found = rows
            .into_iter()
            .find(|row| matches!(&row.wish, Wish::Detect(globs) if globs.iter().all(is_there)));
        if let Some(row) = found {
            like.push(row.why);
            options.push(format!("--app {}", names[0]));
        }
    }
    if like.is_empty() {
        return None;
    }
    Some(format!(
        "This looks like {}: {} sees to what such a database needs.",
        like.join(", or "),
        options.join(" or ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preset(name: &str, text: &str) -> Preset {
        let rows = parse::rows(name, &format!("option,value,why\n{text}")).unwrap();
        Preset { name: name.to_owned(), rows }
    }

    #[test]
    fn every_built_in_preset_reads_and_gives_a_reason_for_each_row() {
        for (names, _) in BUILT_IN {
            for name in names {
                let presets =
                    load(&[(*name).to_owned()]).unwrap_or_else(|e| panic!("{name}: {e:?}"));
                let rows = &presets.all[0].rows;
                assert!(rows.iter().any(|row| matches!(row.wish, Wish::Detect(_))), "{name}");
                for row in rows {
                    assert!(!row.why.is_empty(), "{name} line {}", row.line);
                }
            }
        }
    }

    #[test]
    fn rules_stand_on_the_lines_that_they_have_in_the_preset() {
        let text = "skip,a,\nrule,\"*,*,bigint,integers,interval,interval_us,\",\n\
            type-map,laravel,\nrule,\"*,x,*,*,boolean,bool_word,\",\n";
        let maps = preset("mine", text).type_maps(true).unwrap();
        let shown: Vec<_> =
            maps.iter().map(|map| (map.name.as_str(), map.text.lines().count())).collect();
        assert_eq!(shown[0], ("--app mine", 3));
        assert_eq!(shown[1].0, "laravel");
        assert_eq!(shown[2], ("--app mine", 5));
        assert_eq!(preset("mine", text).type_maps(false).unwrap().len(), 1);
    }

    #[test]
    fn a_name_that_is_not_known_lists_those_that_are() {
        let error = load(&["djangoo".to_owned()]).unwrap_err();
        assert!(error.message().contains("djangoo"));
        assert!(error.hints()[0].contains("django, drizzle"), "{:?}", error.hints());
        let error = load(&["./nothing.csv".to_owned()]).unwrap_err();
        assert_eq!(error.message(), "could not read preset \"./nothing.csv\"");
    }
}
