//! What `inspect` and `transfer --dry-run` print: each column, what it holds, what it becomes, why.
//!
//! Up to [`EVERY_COLUMN_UP_TO`] columns each has its line. Beyond that a table is one line, with the
//! columns that need attention below it: nobody reads a thousand lines to find the three that matter.
//! `--verbose`, CSV and JSON always have every column.

use super::amount::{bytes, counted, grouped, rows, tables};
use super::board::Verbosity;
use super::names::{dotted, lines, plain, wrap_into};
use super::sections::{Sections, change, declared, do_not_fit};
use super::sentence;
use super::style::Look;
use super::table::{Fit, Table};
use crate::model::decision::RuleRef;
use crate::report::{DdlReport, InspectColumn, InspectReport, InspectTable, SourceSummary};

/// Columns of a file up to which each has its own line.
const EVERY_COLUMN_UP_TO: usize = 60;

/// Returns the report as text.
pub(super) fn draw(report: &InspectReport, verbosity: Verbosity, look: Look) -> String {
    let mut out = String::new();
    if verbosity > Verbosity::Quiet {
        draw_all(&mut out, report, verbosity, look);
        out.push('\n');
    }
    let width = if look.terminal { look.width } else { usize::MAX };
    wrap_into(&mut out, "", "", &sentence::of_inspect(report), width);
    if report.attention > 0 && verbosity > Verbosity::Quiet {
        let hint = "a file of rules given with --type-map decides otherwise; --format csv lists every column";
        wrap_into(&mut out, &look.bold("hint: "), "      ", hint, width);
    }
    out
}

fn draw_all(out: &mut String, report: &InspectReport, verbosity: Verbosity, look: Look) {
    wrap_into(out, "", "  ", &headline(&report.source), look.width);
    if let Some(target) = &report.target {
        let target = sentence::of_target(target, report.source.tables);
        wrap_into(out, "", "  ", &format!("target: {target}"), look.width);
    }
    if !report.tables.is_empty() {
        out.push('\n');
        draw_columns(out, report, verbosity, look);
    }
    let mut sections = Sections { out, look, verbosity, json_flag: "--format json" };
    attention(&mut sections, report);
    suggestions(&mut sections, report);
    sections.not_carried(&report.not_carried);
    sections.sentences("names that change", &report.renamed);
    sections.sentences("notes", &report.notes);
    sections.sentences("remarks on the source", &report.remarks);
    sections.list("rules that decided nothing", &report.unused_rules, |sections, rule| {
        let note = if rule.note.is_empty() { String::new() } else { format!(": {}", rule.note) };
        sections.sentence(&plain(&format!("{}{note}", place(rule))));
    });
    if let Some(ddl) = &report.ddl {
        draw_ddl(out, ddl, look);
    }
}

fn headline(source: &SourceSummary) -> String {
    let mut line = format!(
        "{}  {}  {}  {}  {}",
        plain(&source.path),
        tables(source.tables),
        rows(source.rows),
        bytes(source.bytes),
        plain(&source.encoding),
    );
    if let Some(how) = &source.read_as {
        line.push_str(&format!("\nread in another way: {}", plain(how)));
    }
    line
}

fn draw_columns(out: &mut String, report: &InspectReport, verbosity: Verbosity, look: Look) {
    let compact = report.columns() > EVERY_COLUMN_UP_TO && verbosity < Verbosity::Verbose;
    let shown = Shown { target: report.has_target_types(), rule: verbosity == Verbosity::Verbose };
    let mut drawn = Table::new(&shown.titles());
    for table in &report.tables {
        let mut head = heading(table);
        if compact {
            head.push_str(&format!("  {}", makeup(&table.columns)));
        }
        drawn.heading(head);
        for column in &table.columns {
            if !compact || column.needs_attention() {
                drawn.row(column.needs_attention(), shown.cells(column));
            }
        }
    }
    drawn.draw(out, look);
}

/// Which columns the table has beside those that it always has.
#[derive(Clone, Copy)]
struct Shown {
    /// The target's types.
    target: bool,
    /// Where the rule stands.
    rule: bool,
}

impl Shown {
    fn titles(self) -> Vec<(&'static str, Fit)> {
        let mut titles = vec![
            ("column", Fit::Middle(12)),
            ("declared", Fit::End(8)),
            ("found", Fit::End(12)),
            ("becomes", Fit::Left),
        ];
        titles.extend(self.target.then_some(("in the target", Fit::End(10))));
        titles.extend(self.rule.then_some(("rule", Fit::Middle(12))));
        titles.push(("why", Fit::End(10)));
        titles
    }

    fn cells(self, column: &InspectColumn) -> Vec<String> {
        let declared = if column.declared.trim().is_empty() {
            String::new()
        } else {
            declared(&column.declared)
        };
        let mut cells = vec![
            renamed(&column.source, &column.target),
            declared,
            found(column),
            column.becomes.to_string(),
        ];
        cells.extend(self.target.then(|| in_target(column)));
        cells.extend(self.rule.then(|| plain(&place(&column.rule))));
        cells.push(why(column, self.rule));
        cells
    }
}

fn in_target(column: &InspectColumn) -> String {
    match &column.target_type {
        None => "-".to_owned(),
        Some(there) if column.differs_from_target() => format!("≠ {}", plain(there)),
        Some(there) => plain(there),
    }
}

/// Returns file and line of a rule, as editors and terminals take them.
fn place(rule: &RuleRef) -> String {
    format!("{}:{}", rule.file, rule.line)
}

fn heading(table: &InspectTable) -> String {
    let name = renamed(&table.source, &table.target);
    let kind = if table.kind == "table" { String::new() } else { format!("  {}", table.kind) };
    format!("{name}{}  {}", plain(&kind), rows(table.rows))
}

fn renamed(source: &str, target: &str) -> String {
    if source == target { plain(source) } else { format!("{} -> {}", plain(source), plain(target)) }
}

/// Returns the types of a table's columns, most frequent first: `9 columns: 4 bigint, 5 text`.
fn makeup(columns: &[InspectColumn]) -> String {
    let mut types: Vec<(String, usize)> = Vec::new();
    for column in columns {
        let name = column.becomes.to_string();
        match types.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => types.push((name, 1)),
        }
    }
    types.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let types: Vec<String> =
        types.into_iter().map(|(name, count)| format!("{count} {name}")).collect();
    format!("{}: {}", counted(columns.len() as u64, "column", "columns"), types.join(", "))
}

fn found(column: &InspectColumn) -> String {
    match column.found.as_slice() {
        [] => "no rows".to_owned(),
        [only] => plain(&only.kind),
        several => {
            let parts: Vec<String> = several
                .iter()
                .map(|found| format!("{} {}", plain(&found.kind), grouped(found.count)))
                .collect();
            parts.join(", ")
        }
    }
}

/// A rule of the user is named with its place, unless that has a column of its own.
fn why(column: &InspectColumn, place_is_shown: bool) -> String {
    let rule = &column.rule;
    let whose = match (column.rule_is_users, place_is_shown) {
        (true, true) => "your rule".to_owned(),
        (true, false) => format!("your rule {}", plain(&place(rule))),
        (false, _) => String::new(),
    };
    let what = if let Some(widening) = &column.widened {
        do_not_fit(widening)
    } else if let Some(note) = column.notes.first() {
        plain(note)
    } else if rule.note.is_empty() && !column.rule_is_users {
        plain(&place(rule))
    } else {
        plain(&rule.note)
    };
    match (whose.as_str(), what.as_str()) {
        ("", _) => what,
        (_, "") => whose,
        // What does not fit comes first, for the end may be cut.
        _ if column.needs_attention() => format!("{what}; {whose}"),
        _ => format!("{whose}: {what}"),
    }
}

/// The columns marked `!`, in sentences.
fn attention(sections: &mut Sections<'_>, report: &InspectReport) {
    let columns = report.needing_attention();
    sections.list("columns that need attention", &columns, |sections, (table, column)| {
        let name = dotted(&table.source, &column.source);
        if let Some(widening) = &column.widened {
            let declared = declared(&column.declared);
            let change = change(&declared, column.becomes, widening);
            sections.sentence(&format!("{name}: {change}"));
        }
        for note in &column.notes {
            sections.sentence(&format!("{name}: {}", plain(note)));
        }
    });
}

/// What other types would fit.
fn suggestions(sections: &mut Sections<'_>, report: &InspectReport) {
    let count = grouped(report.suggestions.len() as u64);
    let flag = if report.ddl.is_none() { "--suggest" } else { "litelift inspect --suggest" };
    let title = format!("suggestions: {count}, see {flag} FILE");
    sections.list(&title, &report.suggestions, |sections, suggestion| {
        let name = dotted(&suggestion.table, &suggestion.column);
        let (to, from) = (suggestion.pg_type, suggestion.instead_of);
        let reason = plain(&suggestion.reason);
        sections.sentence(&format!("{name}: {to} instead of {from}; {reason}"));
    });
}

fn draw_ddl(out: &mut String, ddl: &DdlReport, look: Look) {
    for (title, statements) in
        [("-- before the rows", &ddl.before), ("-- after the rows", &ddl.after)]
    {
        if statements.is_empty() {
            continue;
        }
        out.push_str(&format!("\n{}\n", look.bold(title)));
        for statement in statements {
            let statement = statement.trim_end();
            // Not wrapped: it is there to be copied.
            out.push_str(&lines(statement));
            out.push_str(if statement.ends_with(';') { "\n" } else { ";\n" });
        }
    }
}

#[cfg(test)]
#[path = "type_report_tests.rs"]
mod tests;
