//! Virtual tables, as SQLite really reports them.

use super::*;

fn reason<'s>(schema: &'s SourceSchema, name: &str) -> &'s str {
    let found = schema.unreadable.iter().find(|table| table.name == name);
    &found.unwrap_or_else(|| panic!("{name} is readable: {schema:#?}")).reason
}

/// Takes a module away from a virtual table, as when the file is opened elsewhere.
fn change_text(connection: &Connection, from: &str, to: &str) {
    edit_schema(
        connection,
        &format!("UPDATE sqlite_schema SET sql = replace(sql, '{from}', '{to}')"),
    );
}

#[test]
fn a_full_text_table_is_read_by_its_visible_columns() {
    for (module, visible) in [("fts5", ["title", "body"]), ("fts4", ["title", "body"])] {
        let schema = clean(&format!(
            "CREATE VIRTUAL TABLE doc USING {module}(title, body);
             INSERT INTO doc VALUES ('a', 'b'); CREATE TABLE other(a)"
        ));
        let table = schema.table("doc").unwrap();
        assert_eq!(names(&table.columns, |column| &column.name), visible);
        assert_eq!(table.kind, TableKind::Virtual { module: module.into() });
        assert_eq!((table.rowid_name.as_deref(), table.primary_key.as_ref()), (None, None));
        assert_eq!(names(&schema.tables, |table| &table.name), ["doc", "other"]);
        assert!(schema.shadow_tables.contains(&"doc_content".to_owned()), "{schema:?}");
    }
}

#[test]
fn an_rtree_is_read() {
    let schema = clean(
        "CREATE VIRTUAL TABLE r USING rtree(id, x0, x1, +note); INSERT INTO r VALUES (1, 2, 3, 'n')",
    );
    let table = schema.table("r").unwrap();
    assert_eq!(names(&table.columns, |column| &column.name), ["id", "x0", "x1", "note"]);
    assert_eq!(schema.shadow_tables.len(), 3);
}

#[test]
fn contentless_is_unreadable_because_the_text_was_never_stored() {
    for options in [
        "fts5(a, content='')",
        "fts5(a, content='', contentless_delete=1)",
        "fts4(content=\"\", a)",
    ] {
        let schema = clean(&format!(
            "CREATE VIRTUAL TABLE f USING {options}; INSERT INTO f(rowid, a) VALUES (1, 'x')"
        ));
        assert!(reason(&schema, "f").contains("the text was never stored"), "{options}");
        assert!(schema.tables.is_empty(), "{options}: {:?}", schema.tables);
        assert!(!schema.shadow_tables.is_empty());
    }
}

#[test]
fn of_a_contentless_table_the_unindexed_columns_are_kept_when_stored() {
    let connection = database(
        "CREATE VIRTUAL TABLE f USING fts5(a, \"b c\" UNINDEXED, content='', contentless_unindexed=1);
         INSERT INTO f VALUES ('x', 'kept')",
    );
    let schema = source_schema(&connection).unwrap();
    assert_eq!(names(&schema.tables[0].columns, |column| &column.name), ["b c"]);
    assert_eq!(schema.remarks.len(), 1);
    let kept = connection.query_row("SELECT a, \"b c\" FROM f", [], |row| {
        Ok((row.get::<_, Option<String>>(0)?, row.get::<_, String>(1)?))
    });
    assert_eq!(kept, Ok((None, "kept".to_owned())));
}

#[test]
fn an_index_over_another_table_is_not_copied_twice() {
    for options in ["fts5(a, content=src, content_rowid=id)", "fts4(content=\"src\", a)"] {
        let schema = clean(&format!(
            "CREATE TABLE src(id INTEGER PRIMARY KEY, a); CREATE VIRTUAL TABLE f USING {options}"
        ));
        assert!(reason(&schema, "f").contains("over table \"src\", whose rows are carried over"));
        assert_eq!(names(&schema.tables, |table| &table.name), ["src"]);
    }
}

#[test]
fn an_index_over_a_view_or_nothing_says_so() {
    let schema = clean(
        "CREATE VIEW v AS SELECT 1 AS a; CREATE VIRTUAL TABLE f USING fts5(a, content=v);
         CREATE VIRTUAL TABLE g USING fts5(a, content=gone)",
    );
    assert!(reason(&schema, "f").contains("over view \"v\""));
    assert!(reason(&schema, "g").contains("does not exist"));
    assert!(schema.tables.is_empty());
}

#[test]
fn what_is_computed_from_an_index_is_not_copied() {
    let schema = clean(
        "CREATE VIRTUAL TABLE f USING fts5(a); CREATE VIRTUAL TABLE terms USING fts5vocab(f, row);
         CREATE VIRTUAL TABLE f4 USING fts4(a); CREATE VIRTUAL TABLE t4 USING fts4aux(f4)",
    );
    assert!(reason(&schema, "terms").contains("terms of a full-text index"));
    assert!(reason(&schema, "t4").contains("terms of a full-text index"));
    assert_eq!(names(&schema.tables, |table| &table.name), ["f", "f4"]);
}

#[test]
fn of_an_unknown_module_the_inner_tables_are_carried_over() {
    let connection = database(
        "CREATE VIRTUAL TABLE doc USING fts5(body); INSERT INTO doc VALUES ('kept'); CREATE TABLE z(a)",
    );
    change_text(&connection, "fts5", "spellfix1");
    let schema = source_schema(&connection).unwrap();
    assert!(reason(&schema, "doc").starts_with("no such module: spellfix1"), "{schema:?}");
    let tables = names(&schema.tables, |table| &table.name);
    assert_eq!(tables, ["doc_data", "doc_idx", "doc_content", "doc_docsize", "doc_config", "z"]);
    assert!(schema.shadow_tables.is_empty());
}

#[test]
fn when_a_known_module_fails_its_inner_tables_are_carried_over() {
    let connection = database(
        "CREATE VIRTUAL TABLE doc USING fts4(body, tokenize=porter);
         CREATE VIRTUAL TABLE fine USING fts4(body)",
    );
    change_text(&connection, "porter", "mozporter");
    let schema = source_schema(&connection).unwrap();
    let reason = reason(&schema, "doc");
    assert!(reason.starts_with("unknown tokenizer: mozporter; its inner tables"), "{reason}");
    assert!(reason.contains("doc_content"), "{reason}");
    assert!(schema.table("doc_content").is_some() && schema.table("fine_content").is_none());
    assert!(schema.shadow_tables.iter().all(|name| name.starts_with("fine_")));
}

// FTS5 looks for its tokenizer only when it needs it.
#[test]
fn an_fts5_table_with_an_unknown_tokenizer_is_read() {
    let connection = database(
        "CREATE VIRTUAL TABLE doc USING fts5(body, tokenize=porter); INSERT INTO doc VALUES ('x')",
    );
    change_text(&connection, "porter", "icu");
    let schema = source_schema(&connection).unwrap();
    assert_eq!(names(&schema.tables, |table| &table.name), ["doc"], "{schema:?}");
}

#[test]
fn an_inner_table_that_is_missing_makes_the_table_unreadable() {
    let connection =
        database("CREATE VIRTUAL TABLE doc USING fts5(body); INSERT INTO doc VALUES ('x')");
    edit_schema(&connection, "DELETE FROM sqlite_schema WHERE name = 'doc_content'");
    let schema = source_schema(&connection).unwrap();
    assert!(reason(&schema, "doc").contains("its inner tables"), "{schema:?}");
}
