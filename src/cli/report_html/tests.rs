use super::*;
use crate::cli::sample::{beside, hostile, report};

/// Returns the page without style and script.
fn body(page: &str) -> String {
    page.replace(STYLE, "").replace(SCRIPT, "")
}

#[test]
fn a_page_says_what_the_terminal_says() {
    let page = draw(&report());
    for part in [
        "<code><bdi>Users</bdi></code> <span class=\"soft\">becomes</span> <code><bdi>users</bdi></code>",
        "<td data-label=\"NOT NULL\">yes</td>",
        "37 values do not fit varchar(80) (text), such as <code><bdi>&#39;Lorem ipsum…&#39;</bdi></code> (rowid 812)",
        "<li>integer <span class=\"number\">× 41 002</span></li>",
        "declared type</p><p class=\"soft\"><code><bdi>default:12</bdi></code></p>",
        "<pre>CREATE TRIGGER users_touch\nAFTER UPDATE ON Users BEGIN SELECT 1; END</pre>",
        "Suggestion:</span> <code><bdi>uuid</bdi></code> instead of",
        "Table Users is named users in the target.",
        "Table docs has no declared types.",
        "<code><bdi>my.csv:3</bdi></code>: userz.id",
        "settings\\n\\u{1b}[31m",
    ] {
        assert!(page.contains(part), "{part}\nis not in\n{}", body(&page));
    }
    assert!(!page.contains("In the target") && !page.contains("Statements"));
    assert!(draw(&beside()).contains("≠</span> <code><bdi>integer</bdi></code> (differs)"));
    let dry = DdlReport { before: vec!["CREATE TABLE a ()".to_owned()], after: Vec::new() };
    let page = draw(&InspectReport { ddl: Some(dry), ..report() });
    assert!(page.contains("<h3>Before the rows</h3>\n<pre>CREATE TABLE a ();</pre>"));
}

#[test]
fn nothing_hostile_is_obeyed() {
    let page = draw(&hostile());
    let body = body(&page);
    assert_eq!(body.matches("<script").count(), 1);
    assert_eq!(body.matches("</script").count(), 1);
    assert!(!body.contains(['\u{202e}', '\0']));
    assert!(body.contains("&lt;script&gt;") && body.contains("\\u{202e}"));
    // Whatever stands between < and > is ours: no quote of a value ended an attribute.
    for tag in body.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
        assert!(!tag.contains("alert(1)") || tag.contains("&lt;script&gt;"), "{tag}");
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
    }
}

#[test]
fn a_page_loads_nothing_and_runs_only_what_is_named_by_its_hash() {
    let page = draw(&report());
    let policy = page.split("Content-Security-Policy\" content=\"").nth(1).unwrap();
    let policy = policy.split('"').next().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    for forbidden in ["unsafe", "http", "*", "data:"] {
        assert!(!policy.contains(forbidden), "{policy}");
    }
    for forbidden in [" src=", "<link", "<base", "<iframe", "@import", "url(", " style=", " on"] {
        let found = match forbidden {
            "@import" | "url(" => page.contains(forbidden),
            _ => body(&page).split('<').any(|tag| {
                tag.split('>').next().is_some_and(|tag| format!("<{tag}").contains(forbidden))
            }),
        };
        assert!(!found, "{forbidden}");
    }
    // The text between the tags is what was hashed.
    assert!(page.contains(&format!("<style>{STYLE}</style>")));
    assert!(page.contains(&format!("<script>{SCRIPT}</script>")));
    assert!(!SCRIPT.contains("</") && !STYLE.contains("</"));
}

#[test]
fn filters_that_would_show_nothing_cannot_be_chosen() {
    let mut report = beside();
    report.attention = 0;
    let page = draw(&report);
    assert!(page.contains("id=\"show-all\" checked> all (5)"));
    assert!(page.contains("id=\"show-needs\" disabled> need attention (0)"));
    assert!(page.contains("id=\"show-differing\"> differ from the target (1)"));
}

#[test]
fn every_link_of_the_page_leads_somewhere() {
    let page = draw(&beside());
    for link in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(page.contains(&format!("id=\"{link}\"")), "{link}");
    }
}
