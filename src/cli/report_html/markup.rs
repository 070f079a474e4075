//! Text as HTML: escaped, and with everything visible that a reader should see.

use crate::cli::amount::grouped;
use crate::cli::names::{lines, plain};

/// Returns text for an element or a quoted attribute: on one line, what cannot be seen made visible,
/// what HTML would obey escaped.
pub(super) fn text(text: &str) -> String {
    escaped(&plain(text))
}

/// Returns text for `<pre>`: as [`text`], with its line breaks.
pub(super) fn block(text: &str) -> String {
    escaped(&lines(text))
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// A name or a value. `bdi`: letters that are written from right to left stay in their place.
pub(super) fn code(name: &str) -> String {
    format!("<code><bdi>{}</bdi></code>", text(name))
}

pub(super) fn renamed(source: &str, target: &str) -> String {
    if source == target {
        code(source)
    } else {
        format!("{} <span class=\"soft\">becomes</span> {}", code(source), code(target))
    }
}

/// A section with a list; nothing when there is nothing in it. Entries have a class and HTML.
pub(super) fn list<T>(
    out: &mut String,
    id: &str,
    title: &str,
    entries: &[T],
    draw: impl Fn(&T) -> (&'static str, String),
) {
    if entries.is_empty() {
        return;
    }
    let count = grouped(entries.len() as u64);
    out.push_str(&format!(
        "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{title} ({count})</h2>\n\
         <ul class=\"list\">\n"
    ));
    for entry in entries {
        let (class, html) = draw(entry);
        out.push_str(&format!("<li class=\"{class}\">{html}</li>\n"));
    }
    out.push_str("</ul>\n</section>\n");
}
