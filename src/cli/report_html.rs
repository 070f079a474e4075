//! The report of `inspect` as one HTML page: no network, no fonts, no tracking, readable in any
//! browser for years.
//!
//! Everything works without JavaScript: the filters are radio buttons and fragments of the address,
//! read by the style sheet. The script only adds a field to type a table's name into. Names and
//! values are hostile: all text goes through [`text`] or [`block`], and a Content-Security-Policy
//! allows nothing but our own style and script, by their hashes.

mod columns;
mod markup;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::amount::{bytes, counted, grouped, rows, tables};
use super::sentence;
use crate::model::plan::NotCarried;
use crate::report::{DdlReport, InspectReport, REPORT_VERSION, WouldRefuse};

use columns::{attention_in, because, filtered_table, need_attention};
use markup::{block, code, list, text};

const STYLE: &str = include_str!("report_html/page.css");
const SCRIPT: &str = include_str!("report_html/page.js");

/// More rules than these are folded, so that the tables are not pages away.
const OPEN_MAX: usize = 12;

/// Returns the report as a page.
pub(super) fn draw(report: &InspectReport) -> String {
    let page = Page { report };
    let title = text(file_name(&report.source.path));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"generator\" content=\"litelift {}, report version {REPORT_VERSION}\">\n\
         <title>{title}: types in PostgreSQL</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
        policy(),
        env!("CARGO_PKG_VERSION"),
    );
    page.facts(&mut out);
    page.filters(&mut out);
    out.push_str("<div class=\"layout\">\n");
    page.contents(&mut out);
    out.push_str("<main>\n");
    page.intro(&mut out);
    page.attention(&mut out);
    page.suggestions(&mut out);
    page.tables(&mut out);
    page.lists(&mut out);
    if let Some(ddl) = &report.ddl {
        statements(&mut out, ddl);
    }
    out.push_str(&format!("</main>\n</div>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"));
    out
}

/// Nothing may be loaded, sent or run, except what is written here.
fn policy() -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; \
         form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or(path)
}

struct Page<'a> {
    report: &'a InspectReport,
}

impl Page<'_> {
    fn facts(&self, out: &mut String) {
        let source = &self.report.source;
        let attention = match self.report.attention {
            0 => "<li>no column needs attention</li>".to_owned(),
            count => format!("<li class=\"mark\">! {}</li>", need_attention(count)),
        };
        let columns = counted(self.report.columns() as u64, "column", "columns");
        out.push_str(&format!(
            "<header class=\"facts\">\n<h1>{}</h1>\n<ul>{attention}<li>{}</li><li>{columns}</li>\
             <li>{}</li><li>{}</li><li>{}</li></ul>\n</header>\n",
            code(file_name(&source.path)),
            tables(source.tables),
            rows(source.rows),
            bytes(source.bytes),
            text(&source.encoding),
        ));
    }

    fn filters(&self, out: &mut String) {
        let report = self.report;
        out.push_str("<div class=\"filters\">\n<fieldset><legend>Show columns:</legend>\n");
        let mut choice = |id: &str, label: &str, count: usize| {
            let state = match (id, count) {
                ("show-all", _) => " checked",
                (_, 0) => " disabled",
                _ => "",
            };
            let count = grouped(count as u64);
            out.push_str(&format!(
                "<label><input type=\"radio\" name=\"show\" id=\"{id}\"{state}> {label} ({count})</label>\n"
            ));
        };
        choice("show-all", "all", report.columns());
        choice("show-needs", "need attention", report.attention);
        choice("show-hints", "have a suggestion", report.suggestions.len());
        if let Some(target) = &report.target {
            choice("show-differing", "differ from the target", target.differing);
        }
        out.push_str(
            "</fieldset>\n<div id=\"by-name\" hidden><label>Tables: <input type=\"search\" \
             placeholder=\"part of a name\" autocomplete=\"off\"></label> \
             <output class=\"soft\" aria-live=\"polite\"></output></div>\n</div>\n",
        );
    }

    fn contents(&self, out: &mut String) {
        let report = self.report;
        out.push_str("<nav class=\"contents\" aria-label=\"Contents\">\n<h2>Contents</h2>\n<ul>\n");
        for (id, title, count) in [
            ("refused", "A transfer would write nothing", refused(report).len()),
            ("attention", "Needs attention", report.attention),
            ("suggestions", "Suggestions", report.suggestions.len()),
            ("tables", "Tables", report.tables.len()),
            ("not-carried", "Not carried over", report.not_carried.len()),
            ("renamed", "Names that change", report.renamed.len()),
            ("notes", "Notes", report.notes.len()),
            ("remarks", "Remarks on the source", report.remarks.len()),
            ("unused", "Rules that decided nothing", report.unused_rules.len()),
            ("statements", "Statements", report.ddl.as_ref().map_or(0, DdlReport::count)),
        ] {
            if count > 0 {
                let count = grouped(count as u64);
                out.push_str(&format!(
                    "<li><a href=\"#{id}\">{title}</a> <span class=\"soft\">{count}</span></li>\n"
                ));
            }
        }
        out.push_str("</ul>\n<h2>Tables</h2>\n<ul class=\"names\">\n");
        for (number, table) in report.tables.iter().enumerate() {
            let mark = match attention_in(table) {
                0 => String::new(),
                count => format!(
                    " <span class=\"mark\" title=\"{}\">! {}</span>",
                    need_attention(count),
                    grouped(count as u64)
                ),
            };
            out.push_str(&format!(
                "<li class=\"{}\" data-name=\"{}\"><a href=\"#t{number}\">{}</a>{mark}</li>\n",
                filtered_table(self.report, table),
                text(&table.source),
                code(&table.source),
            ));
        }
        out.push_str("</ul>\n</nav>\n");
    }

    fn intro(&self, out: &mut String) {
        let report = self.report;
        let mut line = |html: String| out.push_str(&format!("<p class=\"intro\">{html}</p>\n"));
        line(text(&sentence::of_inspect(report)));
        let how = report.source.read_as.as_ref();
        let how =
            how.map_or_else(String::new, |how| format!(", read in another way: {}", text(how)));
        line(format!("<span class=\"soft\">Source:</span> {}{how}", code(&report.source.path)));
        if let Some(target) = &report.target {
            line(format!(
                "<span class=\"soft\">Target:</span> {}",
                text(&sentence::of_target(target, report.source.tables))
            ));
        }
    }

    fn attention(&self, out: &mut String) {
        let columns = self.report.needing_attention();
        list(out, "attention", "Needs attention", &columns, |(table, column)| {
            let number = self.number(&table.source);
            let name = format!("{}.{}", text(&table.source), text(&column.source));
            let link = format!("<a href=\"#t{number}\"><code><bdi>{name}</bdi></code></a>");
            let mut html = format!("<span class=\"mark\">!</span> {link}: ");
            html.push_str(&because(column).join(" "));
            ("needs", html)
        });
    }

    /// One block, to be copied into a file whole; each stands beside its column too.
    fn suggestions(&self, out: &mut String) {
        let suggestions = &self.report.suggestions;
        if suggestions.is_empty() {
            return;
        }
        let rules: String =
            suggestions.iter().map(|known| format!("{}\n", block(&known.rule))).collect();
        let open = if suggestions.len() <= OPEN_MAX { " open" } else { "" };
        let count = grouped(suggestions.len() as u64);
        out.push_str(&format!(
            "<section aria-labelledby=\"suggestions\">\n\
             <h2 id=\"suggestions\">Suggestions ({count})</h2>\n\
             <p>Other types hold every value of these columns. A rule works when its line stands in a \
             file that is given with <code>--type-map</code>; \
             <code>litelift inspect --suggest FILE</code> writes such a file.</p>\n\
             <details{open}><summary>the rules</summary>\
             <pre>table,column,declared,evidence,pg_type,convert,note\n{rules}</pre></details>\n\
             </section>\n"
        ));
    }

    fn number(&self, table: &str) -> usize {
        self.report.tables.iter().position(|known| known.source == table).unwrap_or(0)
    }

    fn tables(&self, out: &mut String) {
        out.push_str("<section aria-labelledby=\"tables\">\n<h2 id=\"tables\">Tables</h2>\n");
        out.push_str("<div class=\"tables\">\n");
        for (number, table) in self.report.tables.iter().enumerate() {
            columns::table(out, self.report, number, table);
        }
        out.push_str("</div>\n</section>\n");
    }

    fn lists(&self, out: &mut String) {
        let report = self.report;
        let line = |line: &String| ("", text(line));
        list(out, "refused", "A transfer would write nothing", &refused(report), line);
        list(out, "not-carried", "Not carried over", &report.not_carried, |object| {
            ("", not_carried(object))
        });
        let sentence = |sentence: &String| ("", text(sentence));
        list(out, "renamed", "Names that change", &report.renamed, sentence);
        list(out, "notes", "Notes", &report.notes, sentence);
        list(out, "remarks", "Remarks on the source", &report.remarks, sentence);
        list(out, "unused", "Rules that decided nothing", &report.unused_rules, |rule| {
            let note = if rule.note.is_empty() {
                String::new()
            } else {
                format!(": {}", text(&rule.note))
            };
            ("", format!("{}{note}", code(&format!("{}:{}", rule.file, rule.line))))
        });
    }
}

fn refused(report: &InspectReport) -> Vec<String> {
    report.would_refuse.as_ref().map(WouldRefuse::lines).unwrap_or_default()
}

fn not_carried(object: &NotCarried) -> String {
    let of = object.table.as_ref().map_or_else(String::new, |of| format!(" of {}", code(of)));
    let source = match object.source_text.trim() {
        "" => String::new(),
        source => format!("<pre>{}</pre>", block(source)),
    };
    let (kind, reason) = (text(&object.object), text(&object.reason));
    format!("{kind} {}{of}: {reason}{source}", code(&object.name))
}

fn statements(out: &mut String, ddl: &DdlReport) {
    out.push_str(
        "<section aria-labelledby=\"statements\">\n<h2 id=\"statements\">Statements</h2>\n",
    );
    for (title, statements) in [("Before the rows", &ddl.before), ("After the rows", &ddl.after)] {
        if statements.is_empty() {
            continue;
        }
        let text: Vec<String> = statements
            .iter()
            .map(|sql| format!("{};", block(sql.trim().trim_end_matches(';'))))
            .collect();
        out.push_str(&format!("<h3>{title}</h3>\n<pre>{}</pre>\n", text.join("\n")));
    }
    out.push_str("</section>\n");
}

#[cfg(test)]
#[path = "report_html/tests.rs"]
mod tests;
