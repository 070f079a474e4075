//! What SQLite's own check says of the file, before anything is done with its rows.
//!
//! Purpose: damage is found before the first write, and all damaged tables are named at once; a scan stops
//! at the first. `quick_check` walks every page of every table and index (0.25 s for 223 MB of two tables with
//! an index each, from the page cache; moving them took 8.7 s in another run). `integrity_check` also
//! compares each index with its table (1.8 s), and finds altered values that an index knows better.
//!
//! What is found is of four kinds:
//! - damage of a table, or of the file as a whole: an error;
//! - damage of an index alone: litelift reads tables and never indexes. A remark; with `full` an error, for
//!   then it may just as well be the table's value that was altered;
//! - rows that break a rule of their table (NOT NULL, UNIQUE, STRICT): no damage, a remark;
//! - damage of a table that was not selected: a remark.
//!
//! The check of the whole file comes first, for only that sees pages that two tables share. It stops at 100
//! findings, so when there are any, each table is checked again by itself.
//!
//! SQLite tells what it finds in words and in no other way, so the words decide of which kind it is; what
//! is not known counts as damage of the file.
//!
//! Known gaps: a changed value is no damage that anybody could see (106 of 300 flipped bytes changed a
//! value and passed both checks). CHECK constraints are not looked at: SQLite does not read them from a file
//! that it may not write. PostgreSQL looks at them when it makes them.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::Connection;

use super::fault;
use super::range::RangeSource;
use super::snapshot::Snapshot;
use crate::error::{Error, Result};
use crate::event::{Cancel, Event, Listener, Stage};
use crate::model::evidence::Span;
use crate::model::ident::quoted;
use crate::model::source::Table;
use crate::options::FileCheck;

/// Files up to this size are checked when nobody said whether to. Reading a larger one twice from a
/// disk, because memory does not hold it, may cost more than a tenth of a transfer (reasoned, not measured).
pub const CHECKED_BYTES_MAX: u64 = 4 << 30;
/// Findings that are shown.
const SHOWN_MAX: usize = 5;
/// Tables that are named.
const NAMED_MAX: usize = 10;
/// Begins the last finding of a check that damage stopped.
const BROKEN_OFF: &str = "The check broke off: ";
/// Findings after which SQLite stops.
const FINDINGS_MAX: usize = 100;

/// Checks the file as asked. What is no error goes into the snapshot's remarks. `path` is for messages;
/// `bytes` is the size of the file with its `-wal`; `tables` are those that will be read.
///
/// # Errors
/// [`crate::error::ErrorKind::Source`] naming the damaged tables; interrupted.
pub fn check(
    snapshot: &Snapshot,
    asked: FileCheck,
    path: &str,
    bytes: u64,
    tables: &[&Table],
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<()> {
    let depth = match asked {
        FileCheck::None => return Ok(()),
        FileCheck::Full => Depth::Full,
        FileCheck::Quick => Depth::Quick,
        FileCheck::Automatic if bytes <= CHECKED_BYTES_MAX => Depth::Quick,
        FileCheck::Automatic => {
            snapshot.remark(format!(
                "The file was not checked for damage before it was read: it has {} GiB, and without \
                 --check quick only files up to {} GiB are checked.",
                bytes >> 30,
                CHECKED_BYTES_MAX >> 30
            ));
            return Ok(());
        }
    };
    listener.on(Event::StageStarted { stage: Stage::Check, work: 0, rows: 0 });
    let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    let findings = snapshot.with(|conn| find(conn, depth, &names, cancel))?;
    if let Some(mut error) = findings.error(depth, path) {
        let damaged = tables.iter().filter(|table| findings.tables.contains_key(&table.name));
        for table in damaged.take(NAMED_MAX) {
            let readable = snapshot.with(|conn| Ok(readable(conn, table, cancel)))?;
            cancel.check()?;
            error = error.detail(readable);
        }
        return Err(error);
    }
    for remark in findings.remarks(depth) {
        snapshot.remark(remark);
    }
    listener.on(Event::StageEnded { stage: Stage::Check });
    Ok(())
}

/// Says how much of a table can be read, a sentence.
fn readable(conn: &Connection, table: &Table, cancel: &Cancel) -> String {
    let columns: Vec<Option<&str>> = (table.columns.iter())
        .map(|column| column.is_readable().then_some(column.name.as_str()))
        .collect();
    let (rowid_name, span) = match &table.rowid_name {
        Some(name) => (Some(name.as_str()), Span::Rowids { lo: i64::MIN, hi: i64::MAX }),
        None => (None, Span::Whole),
    };
    let source = RangeSource { table: &table.name, columns: &columns, rowid_name, span };
    let (mut rows, mut last) = (0_u64, None);
    let read = source.for_each_row(conn, |rowid, _| {
        cancel.check()?;
        (rows, last) = (rows + 1, rowid);
        Ok(())
    });
    let name = table.name.escape_debug();
    match (read, last) {
        (Ok(()), _) => format!("All {rows} rows that SQLite finds of \"{name}\" can be read."),
        (Err(_), Some(last)) => {
            format!("{rows} rows of \"{name}\" can be read; the last one has rowid {last}.")
        }
        (Err(_), None) => format!("{rows} rows of \"{name}\" can be read."),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    Quick,
    Full,
}

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum About {
    /// The b-tree with this root page.
    Tree(u32),
    /// Rows that break a rule.
    Rows,
    /// An index that does not agree with its table, or a virtual table with its inner ones.
    Index,
    /// The list of free pages: nobody reads them.
    FreePages,
    /// The file as a whole.
    File,
    /// That it stopped the check.
    BrokenOff,
}

/// What was found, sorted.
#[derive(Debug, Default)]
struct Findings {
    /// Damaged tables of those that are read.
    tables: BTreeMap<String, Vec<String>>,
    /// Damaged tables that are not read.
    others: BTreeMap<String, Vec<String>>,
    indexes: Vec<String>,
    rows: Vec<String>,
    free_pages: Vec<String>,
    file: Vec<String>,
    /// Why the check could not be made.
    not_checked: Option<String>,
}

/// A b-tree of the file.
struct Tree {
    is_index: bool,
    table: String,
}

fn find(conn: &Connection, depth: Depth, tables: &[&str], cancel: &Cancel) -> Result<Findings> {
    let mut findings = Findings::default();
    let whole = match lines(conn, depth, None, cancel)? {
        Ok(lines) if lines.is_empty() => return Ok(findings),
        Ok(lines) => lines,
        Err(error) => {
            findings.not_checked = Some(fault::message(&error));
            return Ok(findings);
        }
    };
    let trees = trees(conn);
    let mut known = std::collections::BTreeSet::new();
    let mut names: Vec<&String> = trees.values().map(|tree| &tree.table).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        // What cannot be checked by itself is known from the check of the whole.
        let found = lines(conn, depth, Some(name), cancel)?.unwrap_or_default();
        let is_index = |root: &u32| trees.get(root).is_none_or(|tree| tree.is_index);
        // The check goes through all b-trees first. When it finds damage in those of the indexes, that
        // is what it breaks off at when it opens them.
        let is_of_index = |line: &String| match about(line) {
            About::Tree(root) => is_index(&root),
            _ => false,
        };
        let is_indexes_alone = found.iter().any(is_of_index);
        for line in found {
            known.insert(line.clone());
            match about(&line) {
                // A root page that no tree is known of is that of an index without a name of its own.
                About::Tree(root) if is_index(&root) => findings.indexes.push(line),
                About::BrokenOff if is_indexes_alone => findings.indexes.push(line),
                About::Index => findings.indexes.push(line),
                About::Rows => findings.rows.push(line),
                About::FreePages => findings.free_pages.push(line),
                About::Tree(_) | About::File | About::BrokenOff => {
                    findings.damaged(tables, name, line);
                }
            }
        }
    }
    for line in whole {
        if known.contains(&line) {
            continue;
        }
        match about(&line) {
            About::Tree(root) => match trees.get(&root) {
                Some(tree) if tree.is_index => findings.indexes.push(line),
                Some(tree) => findings.damaged(tables, &tree.table, line),
                None => findings.file.push(line),
            },
            About::Index => findings.indexes.push(line),
            About::Rows => findings.rows.push(line),
            About::FreePages => findings.free_pages.push(line),
            About::BrokenOff if findings.is_explained() => {}
            About::File | About::BrokenOff => findings.file.push(line),
        }
    }
    Ok(findings)
}

/// Runs the check, of all or of one table. When damage stops the check itself, that is its last line.
/// The outer error ends everything, the inner one says why there can be no check.
fn lines(
    conn: &Connection,
    depth: Depth,
    table: Option<&str>,
    cancel: &Cancel,
) -> Result<rusqlite::Result<Vec<String>>> {
    cancel.check()?;
    let pragma = match depth {
        Depth::Quick => "quick_check",
        Depth::Full => "integrity_check",
    };
    let sql = match table {
        None => format!("PRAGMA main.{pragma}"),
        Some(table) => format!("PRAGMA main.{pragma}({})", quoted(table)),
    };
    let read = || -> rusqlite::Result<Vec<String>> {
        let mut statement = match conn.prepare(&sql) {
            Err(error) if is_damage(&error) => return Ok(vec![broken_off(&error)]),
            other => other?,
        };
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => break,
                Err(error) if is_damage(&error) => {
                    found.push(broken_off(&error));
                    break;
                }
                Err(error) => return Err(error),
            };
            // Names in it may be of any bytes.
            let text = String::from_utf8_lossy(row.get_ref(0)?.as_bytes_or_null()?.unwrap_or(b""))
                .into_owned();
            let told = text.lines().filter(|line| !line.starts_with("*** in database"));
            found.extend(told.filter(|line| *line != "ok").map(str::to_owned));
        }
        Ok(found)
    };
    match read() {
        Err(error)
            if error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted) =>
        {
            Err(Error::interrupted())
        }
        other => Ok(other),
    }
}

/// What a check that damage stopped adds to its findings.
fn broken_off(error: &rusqlite::Error) -> String {
    format!("{BROKEN_OFF}{}", fault::message(error))
}

fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode;
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::SystemIoFailure)
    )
}

/// The b-trees of the file by their root page. Those that cannot be read are not in it.
fn trees(conn: &Connection) -> BTreeMap<u32, Tree> {
    let mut trees = BTreeMap::new();
    let sql = "SELECT rootpage, type = 'index', tbl_name FROM main.sqlite_schema \
               WHERE typeof(rootpage) = 'integer' AND rootpage > 0 AND type IN ('table', 'index')";
    let Ok(mut statement) = conn.prepare(sql) else { return trees };
    let Ok(rows) = statement.query_map([], |row| {
        Ok((row.get::<_, u32>(0)?, Tree { is_index: row.get(1)?, table: row.get(2)? }))
    }) else {
        return trees;
    };
    trees.extend(rows.flatten());
    // The schema itself.
    trees.insert(1, Tree { is_index: false, table: "sqlite_schema".to_owned() });
    trees
}

/// Reads what a line of the check is about.
fn about(line: &str) -> About {
    if line.starts_with(BROKEN_OFF) {
        return About::BrokenOff;
    }
    if let Some(rest) = line.strip_prefix("Tree ") {
        let root = rest.split(' ').next().and_then(|root| root.parse().ok());
        return root.map_or(About::File, About::Tree);
    }
    let starts = |starts: &[&str]| starts.iter().any(|start| line.starts_with(start));
    let holds = |texts: &[&str]| texts.iter().any(|text| line.contains(text));
    if starts(&["Freelist: "]) {
        About::FreePages
    } else if starts(&[
        "non-unique entry in index ",
        "NULL value in ",
        "CHECK constraint failed in ",
    ]) || starts(&["NUMERIC value in ", "TEXT value in "])
        || (starts(&["non-"]) && holds(&[" value in "]))
    {
        About::Rows
    } else if starts(&["wrong # of entries in index ", "malformed inverted index for "])
        || starts(&["index ", "unable to validate the inverted index for "])
        || starts(&["row not in PRIMARY KEY order for "])
        || (starts(&["row ", "rowid not at end-of-record for row "])
            && holds(&[" missing from index ", " values differ from index ", " of index "]))
    {
        About::Index
    } else {
        About::File
    }
}

impl Findings {
    /// Whether there is damage that stops a check.
    fn is_explained(&self) -> bool {
        !(self.tables.is_empty() && self.others.is_empty() && self.indexes.is_empty())
    }

    fn damaged(&mut self, read: &[&str], table: &str, line: String) {
        let is_read = read.iter().any(|name| name.eq_ignore_ascii_case(table));
        // Whatever is read, the schema is.
        let is_read = is_read || table == "sqlite_schema";
        let tables = if is_read { &mut self.tables } else { &mut self.others };
        tables.entry(table.to_owned()).or_default().push(line);
    }

    /// What does not stand in the way, a sentence each.
    fn remarks(&self, depth: Depth) -> Vec<String> {
        let mut told = Vec::new();
        let listed = |lines: &[String]| shown(lines).join("; ");
        if let Some(reason) = &self.not_checked {
            let reason = reason.escape_debug();
            told.push(format!("The file could not be checked for damage before: {reason}."));
        }
        if !self.others.is_empty() {
            told.push(format!(
                "Tables that were not selected are damaged: {}.",
                named(self.others.keys())
            ));
        }
        if depth == Depth::Quick && !self.indexes.is_empty() {
            told.push(format!(
                "Indexes of the source do not agree with their tables, which are read without them \
                 ({}): {}. REINDEX mends them; --check full stops at this.",
                count(&self.indexes, "finding"),
                listed(&self.indexes)
            ));
        }
        if !self.rows.is_empty() {
            told.push(format!(
                "Rows of the source break rules of their tables ({}): {}.",
                count(&self.rows, "finding"),
                listed(&self.rows)
            ));
        }
        if !self.free_pages.is_empty() {
            told.push(format!(
                "The source's list of free pages is damaged, which holds no rows: {}. VACUUM mends it.",
                listed(&self.free_pages)
            ));
        }
        if !self.file.is_empty() && self.error(depth, "").is_none() {
            told.push(format!(
                "The file is damaged beside the tables that are read: {}.",
                listed(&self.file)
            ));
        }
        told
    }

    /// What stands in the way.
    fn error(&self, depth: Depth, path: &str) -> Option<Error> {
        let path = path.escape_debug();
        if !self.tables.is_empty() {
            let what = if self.tables.len() == 1 { "table is" } else { "tables are" };
            let lines: Vec<String> = self.tables.values().flatten().cloned().collect();
            let error = Error::source_file(format!(
                "{} {what} damaged: {}",
                self.tables.len(),
                named(self.tables.keys())
            ));
            return Some(fault::damaged(detailed(error, &lines), &path.to_string()).hint(
                "To move the other tables, leave these out with --skip. --check none goes on until SQLite fails to read.",
            ));
        }
        // Pages that belong to nobody are what is left of a table that lost its way to them; of one that
        // is not read, when one of those is damaged.
        if !self.file.is_empty() && self.others.is_empty() {
            let error = detailed(Error::source_file(format!("\"{path}\" is damaged")), &self.file)
                .detail("Rows may be missing from its tables without a trace.");
            return Some(fault::damaged(error, &path.to_string()).hint(
                "Where only pages were never used, `VACUUM` on a copy mends the file if nothing is lost. --check none goes on with what SQLite finds.",
            ));
        }
        if depth == Depth::Full && !self.indexes.is_empty() {
            let error = Error::source_file("indexes of the source do not agree with their tables");
            return Some(
                detailed(error, &self.indexes)
                    .detail("Either the index is damaged, or a value of the table was altered, or the index is in the order of a collation of the application's own.")
                    .hint("Compare with a backup. If the tables are right, REINDEX mends the indexes.")
                    .hint("litelift reads tables without their indexes: --check quick goes on."),
            );
        }
        None
    }
}

fn detailed(error: Error, lines: &[String]) -> Error {
    let error = shown(lines).into_iter().fold(error, Error::detail);
    match lines.len().checked_sub(SHOWN_MAX).filter(|more| *more > 0) {
        Some(_) => error.detail(format!("These are the first of {}.", count(lines, "finding"))),
        None => error,
    }
}

fn shown(lines: &[String]) -> Vec<String> {
    lines.iter().take(SHOWN_MAX).map(|line| line.escape_debug().to_string()).collect()
}

fn count(lines: &[String], what: &str) -> String {
    match lines.len() {
        1 => format!("1 {what}"),
        some if some >= FINDINGS_MAX => format!("at least {some} {what}s"),
        some => format!("{some} {what}s"),
    }
}

fn named<'a>(names: impl ExactSizeIterator<Item = &'a String>) -> String {
    let more = names.len().saturating_sub(NAMED_MAX);
    let mut named: Vec<String> =
        names.take(NAMED_MAX).map(|name| format!("\"{}\"", name.escape_debug())).collect();
    if more > 0 {
        named.push(format!("and {more} more"));
    }
    named.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_of_a_kind() {
        for (line, expected) in [
            ("Tree 12 page 7 cell 3: Rowid 9 out of order", About::Tree(12)),
            ("Tree 12 page 12: btreeInitPage() returns error code 11", About::Tree(12)),
            ("Freelist: size is 3 but should be 4", About::FreePages),
            ("Page 7: never used", About::File),
            ("wrong # of entries in index i", About::Index),
            ("row 3 missing from index i", About::Index),
            ("row 3 values differ from index i", About::Index),
            ("rowid not at end-of-record for row 3 of index i", About::Index),
            ("index i stores an imprecise floating-point value for row 3", About::Index),
            ("non-unique entry in index i", About::Rows),
            ("NULL value in t.a", About::Rows),
            ("non-INT value in t.a", About::Rows),
            ("CHECK constraint failed in t", About::Rows),
            ("something that a later SQLite says", About::File),
            ("Tree of knowledge", About::File),
        ] {
            assert_eq!(about(line), expected, "{line}");
        }
    }
}
