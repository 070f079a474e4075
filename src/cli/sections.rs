//! The lists under a table: what changed, what was not carried over, what was refused.
//!
//! Each list appears only when it holds something, is cut at [`LISTED_MAX`] entries unless
//! `--verbose`, and says how many it left out and where they are.

use super::amount::{counted, grouped};
use super::board::Verbosity;
use super::names::{cut, dotted, lines, one_line, plain, wrap_into};
use super::style::Look;
use crate::model::decision::Widening;
use crate::model::pg_type::PgType;
use crate::model::plan::NotCarried;
use crate::report::{
    MergedRows, NotAsBefore, NotCompared, Orphans, Refused, RejectedRows, SequenceBehind,
    TableReport, WidenedColumn,
};

/// Entries of a list that are shown without `--verbose`.
const LISTED_MAX: usize = 15;
/// Longest declared type that is shown: people put whole sentences there.
const DECLARED_MAX: usize = 40;
/// Longest key without a parent that is shown.
const KEY_MAX: usize = 40;
/// Longest source text that is shown without `--verbose`.
const SOURCE_TEXT_MAX: usize = 80;

/// Where lists are written to, and how.
pub(super) struct Sections<'a> {
    /// The text so far.
    pub(super) out: &'a mut String,
    /// For whom.
    pub(super) look: Look,
    /// All entries, or the first few.
    pub(super) verbosity: Verbosity,
    /// The flag that gives everything as JSON: `--json` or `--format json`.
    pub(super) json_flag: &'static str,
}

impl Sections<'_> {
    /// Columns that did not keep their declared type.
    pub(super) fn widened(&mut self, columns: &[WidenedColumn]) {
        let title = counted(columns.len() as u64, "column", "columns");
        self.list(&format!("changed types ({title})"), columns, |this, column| {
            let name = dotted(&column.table, &column.column);
            let declared = declared(&column.declared);
            let change = change(&declared, column.becomes, &column.widening);
            this.sentence(&format!("{name}: {change}"));
        });
    }

    /// Tables that had rows, with what became of those that came.
    pub(super) fn merged(&mut self, tables: &[TableReport]) {
        let merged: Vec<(&TableReport, MergedRows)> =
            tables.iter().filter_map(|table| Some((table, table.merged?))).collect();
        let title = counted(merged.len() as u64, "table", "tables");
        self.list(
            &format!("merged with rows that were there ({title})"),
            &merged,
            |this, (table, rows)| {
                let MergedRows { target_before, merged } = rows;
                this.sentence(&format!(
                    "{}: {} inserted, {} updated, {} kept; {} before",
                    plain(&table.source),
                    grouped(merged.inserted),
                    grouped(merged.updated),
                    grouped(merged.kept),
                    grouped(*target_before)
                ));
            },
        );
    }

    /// Tables with rows that were left out.
    pub(super) fn rejected(&mut self, tables: &[RejectedRows]) {
        let rows = counted(tables.iter().map(|table| table.rows).sum(), "row", "rows");
        self.list(&format!("rejected ({rows})"), tables, |this, table| {
            let rows = counted(table.rows, "row does", "rows do");
            let file = match &table.file {
                Some(file) => format!("; see {}", plain(file)),
                None => String::new(),
            };
            this.sentence(&format!("{}: {rows} not fit{file}", plain(&table.table)));
        });
    }

    /// Objects that the target does not have.
    pub(super) fn not_carried(&mut self, objects: &[NotCarried]) {
        let title = counted(objects.len() as u64, "object", "objects");
        self.list(&format!("not carried over ({title})"), objects, |this, object| {
            let of = object
                .table
                .as_ref()
                .map_or_else(String::new, |table| format!(" of {}", plain(table)));
            let (kind, name) = (plain(&object.object), plain(&object.name));
            this.sentence(&format!("{kind} {name}{of}: {}", plain(&object.reason)));
            this.source_text(&object.source_text);
        });
    }

    /// Objects that PostgreSQL refused.
    pub(super) fn refused(&mut self, objects: &[Refused]) {
        let title = counted(objects.len() as u64, "object", "objects");
        self.list(&format!("refused by PostgreSQL ({title})"), objects, |this, object| {
            let (kind, name) = (plain(&object.object), plain(&object.name));
            let message = lines(object.message.trim_end());
            let of = match object.table.as_str() {
                "" => String::new(),
                table => format!(" of {}", plain(table)),
            };
            this.sentence(&format!("{kind} {name}{of}: {message}"));
            this.source_text(&object.statement);
        });
    }

    /// Foreign keys whose data break them.
    pub(super) fn orphans(&mut self, keys: &[Orphans]) {
        let title = counted(keys.len() as u64, "key", "keys");
        self.list(&format!("foreign keys with orphan rows ({title})"), keys, |this, key| {
            let name = dotted(&key.table, &key.constraint);
            let rows = counted(key.rows, "row has", "rows have");
            let keys: Vec<String> = key.keys.iter().map(|key| one_line(key, KEY_MAX)).collect();
            let such = if keys.is_empty() {
                String::new()
            } else {
                format!(", such as {}", keys.join(", "))
            };
            this.sentence(&format!("{name}: {rows} no parent{such}; the key is kept as NOT VALID"));
        });
    }

    /// Objects of the target that are not as they were.
    pub(super) fn not_as_before(&mut self, objects: &[NotAsBefore]) {
        let title = counted(objects.len() as u64, "object", "objects");
        self.list(&format!("not as before ({title})"), objects, |this, object| {
            let (kind, name) = (plain(&object.object), plain(&object.name));
            let why =
                object.reason.as_ref().map_or_else(String::new, |why| format!(": {}", plain(why)));
            let now = match &object.now {
                None => "is missing".to_owned(),
                Some(now) => format!("is now {}", plain(now)),
            };
            this.sentence(&format!("{kind} {name} of {} {now}{why}", plain(&object.table)));
            this.source_text(&object.before);
        });
    }

    /// Sequences that would give out a value that is there.
    pub(super) fn sequences_behind(&mut self, sequences: &[SequenceBehind]) {
        let title = counted(sequences.len() as u64, "sequence", "sequences");
        self.list(&format!("behind ({title})"), sequences, |this, behind| {
            let (name, table) = (plain(&behind.sequence), plain(&behind.table));
            this.sentence(&format!(
                "{name} would give {} to {table}.{}, and rows have that value or one beyond it",
                plain(&behind.next),
                plain(&behind.column)
            ));
        });
    }

    /// What was left out of a comparison.
    pub(super) fn not_compared(&mut self, left: &[NotCompared]) {
        self.list(&format!("not compared ({})", left.len()), left, |this, one| {
            let (object, name) = (plain(&one.object), plain(&one.name));
            this.sentence(&format!("{object} {name}: {}", plain(&one.reason)));
        });
    }

    /// Sentences.
    pub(super) fn sentences(&mut self, title: &str, sentences: &[String]) {
        self.list(title, sentences, |this, sentence| this.sentence(&plain(sentence)));
    }

    /// Any list.
    pub(super) fn list<T>(&mut self, title: &str, entries: &[T], draw: impl Fn(&mut Self, &T)) {
        if entries.is_empty() {
            return;
        }
        self.out.push('\n');
        self.out.push_str(&self.look.bold(title));
        self.out.push('\n');
        let shown = if self.verbosity == Verbosity::Verbose { entries.len() } else { LISTED_MAX };
        for entry in entries.iter().take(shown) {
            draw(self, entry);
        }
        if let Some(more) = entries.len().checked_sub(shown).filter(|more| *more > 0) {
            let more = grouped(more as u64);
            let flag = self.json_flag;
            self.out
                .push_str(&format!("  (and {more} more; --verbose lists all, {flag} has them)\n"));
        }
    }

    /// One entry.
    pub(super) fn sentence(&mut self, text: &str) {
        wrap_into(self.out, "  ", "    ", text, self.look.width);
    }

    fn source_text(&mut self, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        if self.verbosity == Verbosity::Verbose {
            let whole = plain(&text.split_whitespace().collect::<Vec<_>>().join(" "));
            wrap_into(self.out, "    ", "      ", &whole, self.look.width);
        } else {
            let room = self.look.width.saturating_sub(4);
            let line = one_line(text, SOURCE_TEXT_MAX.min(room));
            self.out.push_str(&format!("    {line}\n"));
        }
    }
}

/// Returns a declared type as a report shows it.
pub(super) fn declared(declared: &str) -> String {
    if declared.trim().is_empty() {
        "no type".to_owned()
    } else {
        cut(&plain(declared), DECLARED_MAX)
    }
}

/// Returns what a declared type became, and why.
pub(super) fn change(declared: &str, becomes: PgType, widening: &Widening) -> String {
    if becomes == widening.from {
        // Only bytea holds what is not of its nature.
        let of = if widening.misfits == 1 { "its" } else { "their" };
        let values = counted(widening.misfits, "value is", "values are");
        let why = because(widening);
        return format!("{declared} is {becomes}; {values} kept as the bytes of {of} text: {why}");
    }
    format!("{declared} becomes {becomes}, because {}", misfits(widening))
}

/// Returns why a column was widened, with one example.
fn misfits(widening: &Widening) -> String {
    format!("{}: {}", do_not_fit(widening), because(widening))
}

/// Returns what did not fit, with one example.
fn because(widening: &Widening) -> String {
    let example = widening.examples.first().map_or_else(String::new, |example| {
        let place = example.rowid.map_or_else(String::new, |rowid| format!(" (rowid {rowid})"));
        format!(", such as {}{place}", plain(&example.value))
    });
    format!("{}{example}", plain(&widening.found))
}

/// Returns how many values do not fit which type.
pub(super) fn do_not_fit(widening: &Widening) -> String {
    let values = counted(widening.misfits, "value does", "values do");
    format!("{values} not fit {}", widening.from)
}
