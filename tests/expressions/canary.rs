//! Text of the source is never run: it is read, and written anew.

use crate::support::fixture;
use crate::support::pg;
use crate::support::transfer;

/// Texts that would do harm wherever a quote or comment is not taken for what it is.
const HOSTILE: [&str; 9] = [
    "'); DROP TABLE canary; --",
    "\"); DROP TABLE canary; --",
    "$$; DROP TABLE canary; $$",
    "\\'; DROP TABLE canary; --",
    "*/ DROP TABLE canary; /*",
    "\n; DROP TABLE canary;\n",
    "%s%I$1 :name ?",
    "\\",
    "E'\\x27",
];

#[test]
fn hostile_names_and_texts_arrive_and_never_run() {
    let mut sql = String::from("CREATE TABLE canary (id INTEGER PRIMARY KEY);");
    for (at, hostile) in HOSTILE.iter().enumerate() {
        let text = hostile.replace('\'', "''");
        let name = format!("\"{at} {}\"", hostile.replace('"', "\"\""));
        let comment = hostile.replace("*/", "").replace("/*", "");
        sql.push_str(&format!(
            "CREATE TABLE {name} (id INTEGER PRIMARY KEY, {name} TEXT DEFAULT ('{text}' || 'x'),
               plain TEXT DEFAULT '{text}', n INT,
               made TEXT AS ({name} || '{text}') STORED,
               CONSTRAINT {name} CHECK ({name} <> '{text}' /* {comment} */ -- it's \"
                 OR n IN (1, '{text}')),
               CHECK ({name} NOT LIKE '{text}!' AND {name} NOT GLOB '{text}[!]' AND n IN (1, '{text}')));
             CREATE INDEX \"i{at} {}\" ON {name} (lower({name} || '{text}')) WHERE {name} <> '{text}';
             CREATE VIEW \"v{at} {}\" AS SELECT {name}, '{text}' AS \"{}\", printf('%s{}', n) FROM {name}
               WHERE {name} || '{text}' > '{text}';
             INSERT INTO {name} (id, n) VALUES (1, 1);",
            hostile.replace('"', "\"\""),
            hostile.replace('"', "\"\""),
            hostile.replace('"', "\"\""),
            text.replace('%', "%%"),
        ));
    }
    let source = fixture::from_sql("hostile.db", &sql);
    let database = pg::database();
    let report = transfer::run(&transfer::options(&source.path, &database.url))
        .unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    transfer::compare_all(&source.path, &database.url, &report).expect_same();
    assert_eq!(database.query_one_text("select count(*)::text from canary").as_deref(), Some("0"));
    assert!(report.refused.is_empty(), "{:#?}", report.refused);
    assert!(report.not_carried.is_empty(), "{:#?}", report.not_carried);
    // What a default and a generated column make is the text itself.
    for table in report.tables.iter().filter(|table| table.source != "canary") {
        let at: usize = table.source.split(' ').next().unwrap().parse().unwrap();
        let name = table.target.replace('"', "\"\"");
        let sql = format!("insert into \"{name}\" (n) values (1) returning made");
        let made = database.query_one_text(&sql);
        assert_eq!(made, Some(format!("{0}x{0}", HOSTILE[at])));
    }
}
