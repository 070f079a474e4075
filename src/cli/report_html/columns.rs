//! Tables and their columns on the page.

use super::markup::{code, renamed, text};
use crate::cli::amount::{counted, grouped, rows};
use crate::cli::sections::do_not_fit;
use crate::model::evidence::Example;
use crate::report::{InspectColumn, InspectReport, InspectTable, Suggestion};

const HEADS: [(&str, &str); 8] = [
    ("c-column", "Column"),
    ("c-declared", "Declared"),
    ("c-found", "Found"),
    ("c-becomes", "Becomes"),
    ("c-target", "In the target"),
    ("c-null", "NOT NULL"),
    ("c-why", "Why"),
    ("c-attention", "Attention"),
];

pub(super) fn table(out: &mut String, report: &InspectReport, number: usize, table: &InspectTable) {
    let kind =
        if table.kind == "table" { String::new() } else { format!("{}, ", text(&table.kind)) };
    let mark = match attention_in(table) {
        0 => String::new(),
        count => format!(" <span class=\"mark\">! {}</span>", need_attention(count)),
    };
    let name = text(&table.source);
    out.push_str(&format!(
        "<div class=\"one\" id=\"only-t{number}\" data-name=\"{name}\">\
         <section class=\"table {}\" id=\"t{number}\" aria-labelledby=\"h{number}\">\n\
         <div class=\"table-head\"><h3 id=\"h{number}\">{}</h3> \
         <span class=\"soft\">{kind}{}, {}</span>{mark} \
         <a class=\"one-link\" href=\"#only-t{number}\">only this table</a>\
         <a class=\"all-link\" href=\"#tables\">all tables</a></div>\n",
        filtered_table(report, table),
        renamed(&table.source, &table.target),
        rows(table.rows),
        counted(table.columns.len() as u64, "column", "columns"),
    ));
    let target = report.has_target_types();
    let beside = if target { " class=\"beside\"" } else { "" };
    let heads = HEADS.iter().filter(|(class, _)| target || *class != "c-target");
    let widths: String =
        heads.clone().map(|(class, _)| format!("<col class=\"{class}\">")).collect();
    let titles: String =
        heads.map(|(_, title)| format!("<th scope=\"col\">{title}</th>")).collect();
    out.push_str(&format!(
        "<table{beside}>\n<caption class=\"unseen\">Columns of {name}</caption>\n\
         <colgroup>{widths}</colgroup>\n<thead><tr>{titles}</tr></thead>\n<tbody>\n"
    ));
    for column in &table.columns {
        let suggestion = report.suggestion(&table.source, &column.source);
        row(out, column, suggestion, target);
    }
    out.push_str("</tbody>\n</table>\n</section></div>\n");
}

/// Returns the classes of a table for the filters.
pub(super) fn filtered_table(report: &InspectReport, table: &InspectTable) -> String {
    filtered(
        attention_in(table) > 0,
        report.suggestions.iter().any(|known| known.table == table.source),
        table.columns.iter().any(InspectColumn::differs_from_target),
    )
}

/// Returns the classes by which the style sheet filters.
fn filtered(needs: bool, hinted: bool, differs: bool) -> String {
    format!(
        "{} {} {}",
        if needs { "needs" } else { "calm" },
        if hinted { "hinted" } else { "unhinted" },
        if differs { "differs" } else { "alike" }
    )
}

pub(super) fn attention_in(table: &InspectTable) -> usize {
    table.columns.iter().filter(|column| column.needs_attention()).count()
}

pub(super) fn need_attention(count: usize) -> String {
    counted(count as u64, "column needs attention", "columns need attention")
}

fn row(out: &mut String, column: &InspectColumn, suggestion: Option<&Suggestion>, target: bool) {
    let needs = column.needs_attention();
    let class = filtered(needs, suggestion.is_some(), column.differs_from_target());
    out.push_str(&format!(
        "<tr class=\"{class}\"><th scope=\"row\">{}</th>",
        renamed(&column.source, &column.target)
    ));
    let mut cell = |label: &str, html: &str| {
        out.push_str(&format!("<td data-label=\"{label}\">{html}</td>"));
    };
    let declared = column.declared.trim();
    let none = "<span class=\"soft\">no type</span>".to_owned();
    cell("Declared", &if declared.is_empty() { none } else { code(declared) });
    cell("Found", &found(column));
    cell("Becomes", &code(&column.becomes.to_string()));
    if target {
        cell("In the target", &in_target(column));
    }
    cell("NOT NULL", if column.not_null { "yes" } else { "no" });
    cell("Why", &why(column));
    let mut attention: Vec<String> = because(column)
        .into_iter()
        .map(|sentence| format!("<p><span class=\"mark\">!</span> {sentence}</p>"))
        .collect();
    attention.extend(suggestion.map(|suggestion| {
        format!("<p><span class=\"hint\">Suggestion:</span> {}</p>", would_be(suggestion))
    }));
    cell("Attention", &attention.concat());
    out.push_str("</tr>\n");
}

fn found(column: &InspectColumn) -> String {
    if column.found.is_empty() {
        return "<span class=\"soft\">no rows</span>".to_owned();
    }
    let kinds = column.found.iter().map(|found| {
        let shown = found.example.as_ref().map_or_else(String::new, |shown| {
            format!(" <span class=\"example\">{}</span>", example(shown))
        });
        let count = grouped(found.count);
        format!("<li>{} <span class=\"number\">× {count}</span>{shown}</li>", text(&found.kind))
    });
    format!("<ul>{}</ul>", kinds.collect::<String>())
}

fn example(example: &Example) -> String {
    let place = example.rowid.map_or_else(String::new, |rowid| format!(" (rowid {rowid})"));
    format!("{}{place}", code(&example.value))
}

fn in_target(column: &InspectColumn) -> String {
    match &column.target_type {
        None => "-".to_owned(),
        Some(there) if column.differs_from_target() => {
            format!("<span class=\"mark\">≠</span> {} (differs)", code(there))
        }
        Some(there) => code(there),
    }
}

fn why(column: &InspectColumn) -> String {
    let rule = &column.rule;
    let place = code(&format!("{}:{}", rule.file, rule.line));
    let whose = if column.rule_is_users { "<span class=\"user\">your rule</span> " } else { "" };
    let note = match rule.note.as_str() {
        "" => String::new(),
        note => format!("<p>{}</p>", text(note)),
    };
    let convert = match column.convert.as_str() {
        "plain" => String::new(),
        convert => format!(" <span class=\"soft\">conversion</span> {}", code(convert)),
    };
    format!("{note}<p class=\"soft\">{whose}{place}{convert}</p>")
}

/// Says what a reader must know of a column, in pieces of HTML.
pub(super) fn because(column: &InspectColumn) -> Vec<String> {
    let mut sentences = Vec::new();
    if let Some(widening) = &column.widened {
        let examples: Vec<String> = widening.examples.iter().map(example).collect();
        let examples = match examples.as_slice() {
            [] => String::new(),
            some => format!(", such as {}", some.join(", ")),
        };
        sentences.push(format!(
            "{} instead of {}: {} ({}){examples}.",
            code(&column.becomes.to_string()),
            code(&widening.from.to_string()),
            text(&do_not_fit(widening)),
            text(&widening.found),
        ));
    }
    sentences.extend(column.notes.iter().map(|note| text(note)));
    sentences
}

fn would_be(suggestion: &Suggestion) -> String {
    format!(
        "{} instead of {}; {}.",
        code(&suggestion.pg_type.to_string()),
        code(&suggestion.instead_of.to_string()),
        text(&suggestion.reason)
    )
}
