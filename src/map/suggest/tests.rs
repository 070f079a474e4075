use super::*;
use crate::map::decide;
use crate::map::rules::TypeMapText;
use crate::model::evidence::{Evidence, Example, ValueKind as K};
use crate::model::source::{Affinity, Column, ForeignKey, Index, IndexTerm, Key, TableKind};

fn column(name: &str, declared: &str) -> Column {
    Column {
        name: name.to_owned(),
        declared: declared.to_owned(),
        affinity: Affinity::of_declared(declared),
        not_null: false,
        default: None,
        default_tree: None,
        default_is_word: false,
        generated: None,
        collation: "BINARY".to_owned(),
    }
}

fn table(name: &str, columns: Vec<Column>) -> Table {
    Table {
        name: name.to_owned(),
        kind: TableKind::Ordinary,
        strict: false,
        columns,
        primary_key: None,
        rowid_alias: None,
        autoincrement: false,
        sequence: None,
        rowid_name: Some("rowid".to_owned()),
        uniques: Vec::new(),
        indexes: Vec::new(),
        foreign_keys: Vec::new(),
        checks: Vec::new(),
        conflicts: Vec::new(),
        sql: String::new(),
    }
}

fn evidence(kinds: &[(K, u64)]) -> Evidence {
    let mut evidence = Evidence::default();
    for (kind, count) in kinds {
        evidence.counts[*kind as usize] = *count;
        if *kind == K::IntegerBool {
            (evidence.integer_min, evidence.integer_max) = (Some(0), Some(1));
        }
        let value = if *kind == K::TextBoolWord { "'n'" } else { "'x'" };
        evidence.examples[*kind as usize] = Some(Example { rowid: None, value: value.to_owned() });
    }
    evidence
}

/// Decides and suggests for one table, with what the user's type map says.
fn suggested(table: Table, evidence: Vec<Evidence>, user: &str) -> Vec<Suggestion> {
    let user = format!("table,column,declared,evidence,pg_type,convert,note\n{user}");
    let rules =
        Rules::parse(&[TypeMapText { name: "mine.csv".to_owned(), text: user, is_own: true }])
            .unwrap();
    let evidence = TableEvidence { rows: 9, copy_bytes: 0, columns: evidence, cuts: Vec::new() };
    let schema = SourceSchema { tables: vec![table], ..SourceSchema::default() };
    let pairs = [(&schema.tables[0], &evidence)];
    let mut mapping = decide::propose(&pairs, &rules, crate::model::name_style::NameStyle::Keep);
    decide::settle(&pairs, &mut mapping, &[], &|_, _| Ok(decide::Checked::default())).unwrap();
    suggestions(&schema, &pairs, &mapping, &rules)
}

/// Returns the rule for the only column of a table.
fn rule(column: Column, evidence: Evidence) -> Option<String> {
    let mut found = suggested(table("t", vec![column]), vec![evidence], "");
    found.pop().map(|suggestion| suggestion.rule)
}

#[test]
fn flags_are_known_by_their_values_and_their_names() {
    let zeros = |count| {
        let mut evidence = evidence(&[(K::IntegerBool, count)]);
        evidence.integer_max = Some(0);
        evidence
    };
    let both = |count| evidence(&[(K::IntegerBool, count), (K::Null, 7)]);
    let shown = rule(column("fresh", "INTEGER"), both(2_000)).unwrap();
    assert_eq!(shown, "t,fresh,*,bool01,boolean,plain,2 000 of 2 000 values are 0 or 1");
    // The default takes is_admin, hasKids and mail_enabled by itself.
    assert_eq!(rule(column("is_admin", "INTEGER"), zeros(1)), None);
    for name in ["IsAdmin", "mailEnabled"] {
        assert!(rule(column(name, "INTEGER"), zeros(1)).is_some(), "{name}");
    }
    for name in ["island", "admins", "use"] {
        assert_eq!(rule(column(name, "INTEGER"), zeros(9)), None, "{name}");
    }
    // Two rows of an order, and a counter, look the same.
    assert_eq!(rule(column("fresh", "INTEGER"), both(2)), None);
    assert_eq!(rule(column("sort_order", "INTEGER"), both(90)), None);
    assert_eq!(rule(column("fresh", "INTEGER"), evidence(&[(K::Integer16, 9)])), None);
}

#[test]
fn text_is_known_by_its_form() {
    for (name, kinds, expected) in [
        ("at", vec![(K::TextDate, 5)], "t,at,*,dates,date,plain,5 of 5 values are ISO dates"),
        ("at", vec![(K::TextTime, 1)], "t,at,*,times,time,plain,1 of 1 values are ISO times"),
        (
            "at",
            vec![(K::TextDate, 5), (K::TextTimestamp, 1)],
            "t,at,*,timestamps,timestamp,plain,6 of 6 values are ISO timestamps without zone",
        ),
        ("ref", vec![(K::TextUuid, 3)], "t,ref,*,uuids,uuid,plain,3 of 3 values are UUIDs"),
        (
            "price",
            vec![(K::TextInteger, 3), (K::TextDecimal, 3)],
            "t,price,*,number_texts,numeric,plain,6 of 6 values are numbers",
        ),
        (
            "is_open",
            vec![(K::TextBoolWord, 3)],
            "t,is_open,*,bool_words,boolean,bool_word,3 of 3 values are words for true or false",
        ),
    ] {
        assert_eq!(rule(column(name, "TEXT"), evidence(&kinds)).as_deref(), Some(expected));
    }
    let zoned = rule(column("at", "TEXT"), evidence(&[(K::TextTimestampTz, 2)])).unwrap();
    assert!(zoned.starts_with("t,at,*,timestamps_with_zone,timestamptz,plain,2 of 2 values"));
}

#[test]
fn what_a_form_does_not_prove_is_not_suggested() {
    for (name, kinds) in [
        ("at", vec![(K::TextDate, 5), (K::TextEmpty, 1)]),
        ("at", vec![(K::TextTimestamp, 5), (K::TextTimestampTz, 1)]),
        ("zip_code", vec![(K::TextInteger, 9)]),
        ("price", vec![(K::TextInteger, 2)]),
        ("price", vec![(K::TextBoolDigit, 9)]),
        ("value", vec![(K::TextInteger, 9)]),
        ("country", vec![(K::TextBoolWord, 9)]),
        ("body", vec![(K::Text, 9)]),
        ("body", vec![(K::Null, 9)]),
    ] {
        assert_eq!(rule(column(name, "TEXT"), evidence(&kinds)), None, "{name} {kinds:?}");
    }
    let open = Column { default: Some("''".to_owned()), ..column("at", "TEXT") };
    assert_eq!(rule(open, evidence(&[(K::TextDate, 5)])), None);
}

#[test]
fn a_length_that_is_nearly_reached_is_a_limit_to_come() {
    let longest = |chars| {
        let mut evidence = evidence(&[(K::Text, 9)]);
        evidence.text_chars_max = chars;
        evidence
    };
    let shown = rule(column("name", "VARCHAR(80)"), longest(79)).unwrap();
    let reason = "the longest text has 79 of 80 characters; SQLite never enforced the limit";
    assert_eq!(shown, format!("t,name,*,texts,text,plain,{reason}"));
    assert_eq!(rule(column("name", "VARCHAR(80)"), longest(71)), None);
    assert_eq!(rule(column("hash", "CHAR(64)"), longest(64)), None);
}

#[test]
fn keys_keep_their_types() {
    let columns = || ["a", "b", "c", "d", "e", "f", "g"].map(|name| column(name, "TEXT")).to_vec();
    let key = |columns: Vec<usize>| Key {
        name: None,
        columns,
        collations: Vec::new(),
        descending: Vec::new(),
    };
    let term = |column| IndexTerm {
        tree: None,
        of: IndexTermOf::Column(column),
        descending: false,
        collation: "BINARY".to_owned(),
    };
    let index = |unique, column| Index {
        predicate_tree: None,
        name: String::new(),
        unique,
        terms: vec![term(column)],
        predicate: None,
        sql: String::new(),
    };
    let table = Table {
        primary_key: Some(key(vec![0])),
        uniques: vec![key(vec![1])],
        indexes: vec![index(true, 2), index(false, 5)],
        foreign_keys: vec![ForeignKey {
            name: None,
            columns: vec![3],
            parent: "T".to_owned(),
            parent_columns: vec!["E".to_owned()],
            on_update: Default::default(),
            on_delete: Default::default(),
            deferrable: false,
            initially_deferred: false,
        }],
        ..table("t", columns())
    };
    let found = suggested(table, vec![evidence(&[(K::TextUuid, 9)]); 7], "");
    let names: Vec<&str> = found.iter().map(|found| found.column.as_str()).collect();
    assert_eq!(names, ["f", "g"]);
}

#[test]
fn what_the_user_decided_is_decided() {
    let one = || table("t", vec![column("at", "TEXT")]);
    let dates = || vec![evidence(&[(K::TextDate, 9)])];
    assert_eq!(suggested(one(), dates(), "t,at,*,*,text,plain,so be it\n"), []);
    assert_eq!(suggested(one(), dates(), "t,other,*,*,text,plain,\n").len(), 1);
}

#[test]
fn a_rule_reads_back_as_the_rule_for_its_column_whatever_the_name() {
    for name in [
        "plain",
        "with, comma",
        "with \"quotes\"",
        "#hash",
        " blanks ",
        "line\nbreak",
        "st*r",
        "wh?t",
        "\u{202e}turned",
        "日本 ünï",
        "",
    ] {
        let columns = vec![column(name, "TEXT"), column("other_one_that_is_long", "TEXT")];
        let values = || vec![evidence(&[(K::TextDate, 9)]), evidence(&[(K::Text, 9)])];
        let found = suggested(table(name, columns.clone()), values(), "");
        let [one] = found.as_slice() else { panic!("{name:?}: {found:?}") };
        assert!(!one.rule.contains(['\n', '\u{202e}']) && !one.rule.starts_with('#'), "{one:?}");
        // Used, there is nothing left to suggest.
        assert_eq!(suggested(table(name, columns), values(), &format!("{}\n", one.rule)), []);
    }
}

#[test]
fn a_rule_that_would_catch_two_columns_is_not_suggested() {
    let columns = vec![column("a*", "TEXT"), column("ab", "TEXT"), column("ü", "TEXT")];
    let found = suggested(table("t", columns), vec![evidence(&[(K::TextDate, 9)]); 3], "");
    let names: Vec<&str> = found.iter().map(|found| found.column.as_str()).collect();
    assert_eq!(names, ["ab", "ü"]);
}
