use super::*;

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn declared(columns: &str) -> Vec<String> {
    let table = table(&format!("CREATE TABLE t({columns})")).unwrap();
    table.columns.into_iter().map(|column| column.declared).collect()
}

#[test]
fn declared_types_keep_words_and_sizes_and_lose_quotes() {
    let types = declared(
        "a VARCHAR(80), b decimal( 10 , 2 ), c UNSIGNED  BIG /* big */ INT, d, e \"varchar\"(5), \
         f [my type] (10, 2), g `x` NOT NULL, h 'long' \"te\"\"xt\", i num(+5,-2), \
         j INT GENERATED ALWAYS AS (1), k GENERATED ALWAYS AS (2), l café",
    );
    assert_eq!(
        types,
        [
            "VARCHAR(80)",
            "decimal(10,2)",
            "UNSIGNED BIG INT",
            "",
            "varchar(5)",
            "my type(10,2)",
            "x",
            "long te\"xt",
            "num(+5,-2)",
            "INT",
            "",
            "café"
        ]
    );
}

#[test]
fn names_come_in_every_quote_and_beside_comments() {
    let table = table(
        "CREATE TABLE \"a b\"([b]]x] INT, `c``d` INT, 'e''f' INT, \"g\"\"h\" -- no, not, this\n INT,
         \"select\" /* , */ TEXT, 😀 TEXT, \"\" TEXT, replace TEXT, \"new\nline\" TEXT)"
            .replace("[b]]x]", "[b x]")
            .as_str(),
    )
    .unwrap();
    let names: Vec<_> = table.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["b x", "c`d", "e'f", "g\"h", "select", "😀", "", "replace", "new\nline"]);
}

#[test]
fn constraints_keep_name_column_and_text() {
    let table = table(
        "CREATE TABLE t(
            a INTEGER CONSTRAINT pk PRIMARY KEY AUTOINCREMENT,
            b TEXT CONSTRAINT \"b set\" CHECK (b IN ('x','y')) CONSTRAINT bu UNIQUE CHECK(length(b)>0),
            c INT, d INT,
            CONSTRAINT cd UNIQUE (c COLLATE NOCASE DESC, 'd'),
            UNIQUE (\"d\"),
            CHECK (c < d), CONSTRAINT last CHECK (\"c\" <> 0x1F))",
    )
    .unwrap();
    assert!(table.autoincrement);
    assert_eq!(
        table.primary_key,
        Some(KeyText { name: Some("pk".into()), columns: strings(&["a"]) })
    );
    let uniques: Vec<_> = table.uniques.iter().map(|u| (u.name.as_deref(), &u.columns)).collect();
    assert_eq!(
        uniques,
        [
            (Some("bu"), &strings(&["b"])),
            (Some("cd"), &strings(&["c", "d"])),
            (None, &strings(&["d"]))
        ]
    );
    let checks: Vec<_> = table
        .checks
        .iter()
        .map(|check| (check.name.as_deref(), check.column, check.expression.as_str()))
        .collect();
    assert_eq!(
        checks,
        [
            (Some("b set"), Some(1), "b IN ('x', 'y')"),
            (None, Some(1), "length (b) > 0"),
            (None, None, "c < d"),
            (Some("last"), None, "\"c\" <> 0x1F")
        ]
    );
}

#[test]
fn foreign_keys_keep_name_and_deferral() {
    let table = table(
        "CREATE TABLE t(
            a INT REFERENCES p, b INT REFERENCES p(x) NOT NULL DEFERRABLE INITIALLY DEFERRED,
            c INT CONSTRAINT cfk REFERENCES \"P q\"(y) ON DELETE CASCADE DEFERRABLE,
            d INT REFERENCES p NOT DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT tfk FOREIGN KEY (a, 'b') REFERENCES q(m, n) MATCH FULL
                DEFERRABLE INITIALLY IMMEDIATE)",
    )
    .unwrap();
    let keys: Vec<_> = table
        .foreign_keys
        .iter()
        .map(|key| {
            let deferral = (key.deferrable, key.initially_deferred);
            (key.name.as_deref(), key.columns.join(","), key.parent.as_str(), deferral)
        })
        .collect();
    assert_eq!(
        keys,
        [
            (None, "a".into(), "p", (false, false)),
            (None, "b".into(), "p", (true, true)),
            (Some("cfk"), "c".into(), "P q", (true, false)),
            (None, "d".into(), "p", (false, false)),
            (Some("tfk"), "a,b".into(), "q", (true, false)),
        ]
    );
}

#[test]
fn only_an_identifier_is_a_word() {
    let table = table(
        "CREATE TABLE t(a DEFAULT word, b DEFAULT \"w\", c DEFAULT [w], d DEFAULT 'w', e DEFAULT TRUE,
         f DEFAULT false, g DEFAULT NULL, h DEFAULT CURRENT_TIMESTAMP, i DEFAULT (1+2), j DEFAULT -1,
         k DEFAULT x'00', l DEFAULT 1 DEFAULT w, m DEFAULT \"true\", n, o DEFAULT Null)",
    )
    .unwrap();
    let words: String = table
        .columns
        .iter()
        .filter(|column| column.default_is_word)
        .map(|column| column.name.as_str())
        .collect();
    assert_eq!(words, "abclm");
}

#[test]
fn generated_expressions_are_printed() {
    let table = table(
        "CREATE TABLE t(a, b AS (a+1), c TEXT GENERATED ALWAYS AS (json_extract(a,'$.x')) STORED)",
    )
    .unwrap();
    let generated: Vec<_> =
        table.columns.iter().map(|c| c.generated.as_ref().map(|(text, _)| text.as_str())).collect();
    assert_eq!(generated, [None, Some("a + 1"), Some("json_extract (a, '$.x')")]);
}

#[test]
fn an_index_gives_terms_and_predicate() {
    let index = index(
        "CREATE UNIQUE INDEX i ON t(a, lower(b) COLLATE NOCASE DESC, \"c\" ASC, rowid) \
         WHERE a IS NOT NULL AND c<>''",
    )
    .unwrap();
    assert_eq!(index.terms, ["a", "lower (b)", "\"c\"", "rowid"]);
    assert_eq!(
        index.predicate.as_ref().map(|(text, _)| text.as_str()),
        Some("a IS NOT NULL AND c <> ''")
    );
}

#[test]
fn a_virtual_table_gives_module_and_arguments() {
    let text =
        "CREATE VIRTUAL TABLE f USING fts5(a, b UNINDEXED, content='', tokenize = 'porter (x, y)')";
    let parsed = virtual_table(text).unwrap();
    assert_eq!(parsed.module, "fts5");
    assert_eq!(parsed.arguments, ["a", "b UNINDEXED", "content=''", "tokenize = 'porter (x, y)'"]);
    assert_eq!(virtual_table("CREATE VIRTUAL TABLE f USING m").unwrap().arguments.len(), 0);
}

// Two signs side by side would begin a comment.
#[test]
fn printed_expressions_mean_the_same_when_parsed_again() {
    for expression in
        ["- -1", "a - -1", "a- - -b", "a || -1", "~ -a", "a -> '$' ->> 'x'", "NOT NOT a"]
    {
        let printed = |text: &str| {
            let sql = format!("CREATE TABLE t(a, b, CHECK ({text}))");
            table(&sql).unwrap().checks[0].expression.clone()
        };
        let once = printed(expression);
        assert!(!once.contains("--"), "{expression}: {once}");
        assert_eq!(printed(&once), once, "{expression}");
    }
}

#[test]
fn views_and_triggers_parse() {
    let parsed = view("CREATE VIEW v(a) AS SELECT 1 UNION ALL SELECT 2").unwrap();
    assert_eq!((parsed.columns, parsed.query.is_ok()), (vec!["a".to_owned()], true));
    assert_eq!(
        trigger("CREATE TRIGGER r AFTER UPDATE OF a ON t WHEN new.a>1 BEGIN DELETE FROM t; END"),
        Ok(())
    );
}

#[test]
fn what_cannot_be_parsed_is_an_error_and_not_a_panic() {
    for sql in [
        "",
        ";",
        "CREATE TABLE",
        "CREATE TABLE t(",
        "\u{0}",
        "SELECT 1",
        "CREATE TABLE t AS SELECT 1",
    ] {
        assert!(table(sql).is_err(), "{sql:?}");
    }
    assert!(index("CREATE TABLE t(a)").is_err());
    assert!(virtual_table("CREATE TABLE t(a)").is_err());
}

// SQLite allows a depth of 1,000; the parser's tree is printed by recursion.
#[test]
fn expressions_as_deep_as_sqlite_allows_are_printed() {
    for (open, close) in
        [("(", ")"), ("abs(", ")"), ("- ", ""), ("a+(", ")"), ("CASE WHEN ", " THEN 1 END")]
    {
        let deep = format!("{}1{}", open.repeat(990), close.repeat(990));
        let text = table(&format!("CREATE TABLE t(a, CHECK ({deep}))")).unwrap();
        assert!(text.checks[0].expression.len() >= 1000, "{open}");
    }
    let long = format!("a{}", " AND a".repeat(990));
    assert!(table(&format!("CREATE TABLE t(a CHECK ({long}))")).is_ok());
}

#[test]
fn a_text_cut_anywhere_is_an_answer() {
    let text = "CREATE TABLE \"t é\"(a INTEGER PRIMARY KEY, b 'x y'(1,2) DEFAULT \"w\" CHECK (b IN ('it''s', \
                x'00', 0x1F)), [c] AS (a || `b`) STORED, /* c */ FOREIGN KEY (b) REFERENCES p(q) \
                ON DELETE CASCADE DEFERRABLE -- end\n) STRICT";
    for (cut, _) in text.char_indices() {
        let _ =
            (table(&text[..cut]), index(&text[cut..]), view(&text[cut..]), trigger(&text[cut..]));
    }
    assert!(table(text).is_ok());
}

#[test]
fn names_lose_their_quotes() {
    for (quoted, name) in [
        ("a", "a"),
        ("\"a\"\"b\"", "a\"b"),
        ("[a\"b]", "a\"b"),
        ("`a``b`", "a`b"),
        ("'it''s'", "it's"),
        ("\"\"", ""),
        ("\"", "\""),
        ("", ""),
        ("''''", "'"),
    ] {
        assert_eq!(unquoted(quoted), name, "{quoted}");
    }
}
