//! The report of `inspect` as Markdown, for an issue, a pull request or a wiki.
//!
//! Names and values are hostile here too: a pipe would break a table, a tag would be HTML, and
//! `@name` or an address would become a link. Names and values stand in code spans, where nothing of
//! that happens; everything else goes through [`prose`].

use super::amount::{bytes, counted, grouped, rows, tables};
use super::names::{lines, plain};
use super::sections::do_not_fit;
use super::sentence;
use crate::model::evidence::Example;
use crate::report::{
    DdlReport, Found, InspectColumn, InspectReport, InspectTable, Suggestion, WouldRefuse,
};

/// Returns the report as Markdown.
pub(super) fn draw(report: &InspectReport) -> String {
    let source = &report.source;
    let mut out = format!("# Types of {} in PostgreSQL\n\n", code(&source.path));
    out.push_str(&format!(
        "{}, {}, {}, {}, {}\n\n",
        tables(source.tables),
        counted(report.columns() as u64, "column", "columns"),
        rows(source.rows),
        bytes(source.bytes),
        prose(&source.encoding)
    ));
    if let Some(how) = &source.read_as {
        out.push_str(&format!("Read in another way: {}\n\n", prose(how)));
    }
    if let Some(target) = &report.target {
        out.push_str(&format!(
            "Target: {}\n\n",
            prose(&sentence::of_target(target, source.tables))
        ));
    }
    out.push_str(&format!("{}\n", prose(&sentence::of_inspect(report))));
    let refused = report.would_refuse.as_ref().map(WouldRefuse::lines).unwrap_or_default();
    list(&mut out, "A transfer would write nothing", &refused, |line| prose(line));
    list(&mut out, "Needs attention", &report.needing_attention(), |(table, column)| {
        format!("{}: {}", dotted(&table.source, &column.source), because(column).join(" "))
    });
    suggestions(&mut out, &report.suggestions);
    draw_tables(&mut out, report);
    list(&mut out, "Not carried over", &report.not_carried, |object| {
        let of = object.table.as_ref().map_or_else(String::new, |of| format!(" of {}", code(of)));
        let (kind, name, reason) =
            (prose(&object.object), code(&object.name), prose(&object.reason));
        let source = match object.source_text.trim() {
            "" => String::new(),
            source => format!("\n{}", fenced("sql", source, "  ").trim_end()),
        };
        format!("{kind} {name}{of}: {reason}{source}")
    });
    list(&mut out, "Names that change", &report.renamed, |sentence| prose(sentence));
    list(&mut out, "Notes", &report.notes, |sentence| prose(sentence));
    list(&mut out, "Remarks on the source", &report.remarks, |sentence| prose(sentence));
    list(&mut out, "Rules that decided nothing", &report.unused_rules, |rule| {
        let note =
            if rule.note.is_empty() { String::new() } else { format!(": {}", prose(&rule.note)) };
        format!("{}{note}", code(&format!("{}:{}", rule.file, rule.line)))
    });
    if let Some(ddl) = &report.ddl {
        statements(&mut out, ddl);
    }
    out
}

fn list<T>(out: &mut String, title: &str, entries: &[T], draw: impl Fn(&T) -> String) {
    if entries.is_empty() {
        return;
    }
    out.push_str(&format!("\n## {title} ({})\n\n", grouped(entries.len() as u64)));
    for entry in entries {
        out.push_str(&format!("- {}\n", draw(entry)));
    }
}

/// One block, to be copied into a file whole; each stands beside its column too.
fn suggestions(out: &mut String, suggestions: &[Suggestion]) {
    if suggestions.is_empty() {
        return;
    }
    let rules: String = suggestions.iter().map(|known| format!("{}\n", known.rule)).collect();
    let rules = format!("table,column,declared,evidence,pg_type,convert,note\n{rules}");
    out.push_str(&format!(
        "\n## Suggestions ({})\n\nOther types hold every value of these columns. A rule works when \
         its line stands in a file that is given with `--type-map`; \
         `litelift inspect --suggest FILE` writes such a file.\n\n{}",
        grouped(suggestions.len() as u64),
        fenced("csv", &rules, "")
    ));
}

fn draw_tables(out: &mut String, report: &InspectReport) {
    if report.tables.is_empty() {
        return;
    }
    out.push_str(&format!("\n## Tables ({})\n", grouped(report.tables.len() as u64)));
    for table in &report.tables {
        draw_table(out, report, table);
    }
}

fn draw_table(out: &mut String, report: &InspectReport, table: &InspectTable) {
    let kind =
        if table.kind == "table" { String::new() } else { format!(", {}", prose(&table.kind)) };
    out.push_str(&format!(
        "\n### {}{kind}, {}\n\n",
        renamed(&table.source, &table.target),
        rows(table.rows)
    ));
    let target = report.has_target_types();
    let titles: Vec<&str> =
        TITLES.into_iter().filter(|title| target || *title != IN_TARGET).collect();
    let rule: String = titles.iter().map(|_| "---|").collect();
    out.push_str(&format!("| {} |\n|{rule}\n", titles.join(" | ")));
    for column in &table.columns {
        let suggestion = report.suggestion(&table.source, &column.source);
        let cells = cells(column, suggestion, target);
        out.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
}

const IN_TARGET: &str = "In the target";
const TITLES: [&str; 8] =
    ["Column", "Declared", "Found", "Becomes", IN_TARGET, "NOT NULL", "Why", "Attention"];

fn cells(column: &InspectColumn, suggestion: Option<&Suggestion>, target: bool) -> Vec<String> {
    let mut cells = vec![renamed(&column.source, &column.target)];
    let declared = column.declared.trim();
    cells.push(if declared.is_empty() { String::new() } else { code(declared) });
    cells.push(found(&column.found));
    cells.push(code(&column.becomes.to_string()));
    if target {
        cells.push(match &column.target_type {
            None => "-".to_owned(),
            Some(there) if column.differs_from_target() => format!("≠ {}", code(there)),
            Some(there) => code(there),
        });
    }
    cells.push(if column.not_null { "yes" } else { "no" }.to_owned());
    let rule = &column.rule;
    let whose = if column.rule_is_users { "your rule " } else { "" };
    let note =
        if rule.note.is_empty() { String::new() } else { format!("{}: ", prose(&rule.note)) };
    cells.push(format!("{note}{whose}{}", code(&format!("{}:{}", rule.file, rule.line))));
    let mut attention = because(column);
    if !attention.is_empty() {
        attention.insert(0, "**!**".to_owned());
    }
    attention.extend(suggestion.map(|known| format!("Suggestion: {}", would_be(known))));
    cells.push(attention.join(" "));
    cells
}

fn found(found: &[Found]) -> String {
    if found.is_empty() {
        return "no rows".to_owned();
    }
    let kinds: Vec<String> = found
        .iter()
        .enumerate()
        .map(|(position, found)| {
            // One example: a cell of Markdown has one line.
            let shown = found.example.as_ref().filter(|_| position == 0);
            let shown = shown.map_or_else(String::new, |shown| format!(" ({})", example(shown)));
            format!("{} × {}{shown}", prose(&found.kind), grouped(found.count))
        })
        .collect();
    kinds.join(", ")
}

fn example(example: &Example) -> String {
    let place = example.rowid.map_or_else(String::new, |rowid| format!(", rowid {rowid}"));
    format!("{}{place}", code(&example.value))
}

fn because(column: &InspectColumn) -> Vec<String> {
    let mut sentences = Vec::new();
    if let Some(widening) = &column.widened {
        let examples: Vec<String> = widening.examples.iter().map(example).collect();
        let examples = match examples.as_slice() {
            [] => String::new(),
            some => format!(", such as {}", some.join("; ")),
        };
        let (to, from) = (code(&column.becomes.to_string()), code(&widening.from.to_string()));
        let (why, found) = (prose(&do_not_fit(widening)), prose(&widening.found));
        sentences.push(format!("{to} instead of {from}: {why} ({found}){examples}."));
    }
    sentences.extend(column.notes.iter().map(|note| prose(note)));
    sentences
}

fn would_be(suggestion: &Suggestion) -> String {
    let (to, from) = (suggestion.pg_type.to_string(), suggestion.instead_of.to_string());
    format!("{} instead of {}; {}.", code(&to), code(&from), prose(&suggestion.reason))
}

fn statements(out: &mut String, ddl: &DdlReport) {
    for (title, statements) in [("Before the rows", &ddl.before), ("After the rows", &ddl.after)] {
        if statements.is_empty() {
            continue;
        }
        let ended = statements.iter().map(|sql| format!("{};", sql.trim().trim_end_matches(';')));
        let text = ended.collect::<Vec<_>>().join("\n");
        out.push_str(&format!("\n## {title}\n\n{}", fenced("sql", &text, "")));
    }
}

fn dotted(table: &str, column: &str) -> String {
    code(&format!("{table}.{column}"))
}

fn renamed(source: &str, target: &str) -> String {
    if source == target {
        code(source)
    } else {
        format!("{} becomes {}", code(source), code(target))
    }
}

/// Returns a name or a value as code. Where a code span could end too early or a table could break,
/// it is written as HTML in which every sign is spelled out.
fn code(text: &str) -> String {
    let text = plain(text);
    let fits = !text.contains(['`', '|']) && text.trim() == text && !text.is_empty();
    if fits {
        return format!("`{text}`");
    }
    let spelled: String = text.chars().map(spelled_out).collect();
    format!("<code>{spelled}</code>")
}

fn spelled_out(c: char) -> String {
    if c.is_ascii_punctuation() { format!("&#{};", u32::from(c)) } else { c.to_string() }
}

/// Returns a sentence, with whatever Markdown would obey taken its force.
fn prose(text: &str) -> String {
    plain(text)
        .chars()
        .map(|c| match c {
            '*' | '_' | '[' | ']' | '~' | '#' => format!("\\{c}"),
            '\\' | '`' | '<' | '>' | '&' | '|' | '@' => spelled_out(c),
            _ => c.to_string(),
        })
        .collect::<String>()
        // Addresses become links even without any sign around them.
        .replace("://", "&#58;//")
        .replace("www.", "www&#46;")
}

/// Returns a block of code; its fence is longer than any in the text.
fn fenced(language: &str, text: &str, indent: &str) -> String {
    let text = lines(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    let body: String = text.lines().map(|line| format!("{indent}{line}\n")).collect();
    format!("{indent}{fence}{language}\n{body}{indent}{fence}\n")
}

#[cfg(test)]
#[path = "report_markdown_tests.rs"]
mod tests;
