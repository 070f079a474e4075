//! Presets on databases whose rows the Node frameworks themselves wrote.

use super::moved;

const DRIZZLE: &str = include_str!("../../../fixtures/frameworks/drizzle.sql");
const TYPEORM: &str = include_str!("../../../fixtures/frameworks/typeorm.sql");

#[test]
fn drizzle() {
    let moved = moved("drizzle", DRIZZLE, &["drizzle"], &["note.created_at", "note.updatedAt"]);
    assert_eq!(moved.widened(), Vec::<String>::new());
    insta::assert_snapshot!(moved.types("note"), @r"
    id bigint
    done bigint
    is_public boolean
    created_at timestamp without time zone
    updatedAt timestamp without time zone
    big_number bigint
    stats bigint
    doc text
    kind text
    words text
    json_blob bytea
    digits bytea
    bytes bytea
    amount numeric
    ratio double precision
    uid text
    ");
    insta::assert_snapshot!(
        moved.rows("select concat_ws('|', created_at, \"updatedAt\") from note order by id"),
        @r"
        2024-01-02 03:04:05|2024-01-02 03:04:05.678
        2030-12-31 23:59:59|1999-12-31 23:59:59.999
        "
    );
}

#[test]
fn typeorm() {
    let moved = moved("typeorm", TYPEORM, &["typeorm"], &[]);
    assert_eq!(moved.widened(), Vec::<String>::new());
    insta::assert_snapshot!(moved.types("post"), @r"
    id bigint
    flag boolean
    at timestamp without time zone
    made timestamp without time zone
    day date
    clock time without time zone
    doc text
    list text
    kind text
    uid text
    price numeric(10,2)
    bytes bytea
    real_json jsonb
    small bigint
    words text
    title character varying(40)
    ");
}
