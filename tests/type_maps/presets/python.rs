//! Presets on databases that the Python frameworks themselves made.

use super::{moved, moved_with};

const DJANGO: &str = include_str!("../../../fixtures/frameworks/django.sql");
const SQLALCHEMY: &str = include_str!("../../../fixtures/frameworks/sqlalchemy.sql");

#[test]
fn django() {
    let moved = moved("django", DJANGO, &["django"], &[]);
    assert_eq!(moved.widened(), Vec::<String>::new());
    insta::assert_snapshot!(moved.types("library_book"), @r"
    id bigint
    shelf_id uuid
    lent boolean
    checked boolean
    added timestamp with time zone
    seen timestamp with time zone
    printed date
    opens time without time zone
    reading_time bigint
    price numeric
    weight double precision
    pages bigint
    stars bigint
    copies bigint
    views bigint
    serial uuid
    meta jsonb
    notes text
    cover bytea
    ip character varying(39)
    slug character varying(50)
    mail character varying(254)
    url character varying(200)
    file character varying(100)
    unused_at timestamp with time zone
    ");
    insta::assert_snapshot!(moved.types("django_admin_log"), @r"
    id bigint
    object_id text
    object_repr character varying(200)
    action_flag bigint
    change_message text
    content_type_id bigint
    user_id bigint
    action_time timestamp with time zone
    ");
    insta::assert_snapshot!(moved.types("django_session"), @r"
    session_key character varying(40)
    session_data text
    expire_date timestamp with time zone
    ");
    insta::assert_snapshot!(
        moved.rows("select concat_ws('|', shelf_id, added, serial, reading_time) from library_book order by id"),
        @r"
        00112233-4455-6677-8899-aabbccddeeff|2024-01-02 03:04:05.678901+00|ffeeddcc-bbaa-9988-7766-554433221100|90000000005
        00000000-0000-0000-0000-000000000006|1969-12-31 23:59:59+00|-1000000
        2024-01-02 00:00:00+00
        "
    );
}

#[test]
fn django_with_columns_named() {
    let own = "library_book,reading_time,bigint,*,interval,interval_us,\n\
               library_book,ip,char(39),*,inet,plain,\n";
    let moved =
        moved_with("django", DJANGO, own, &["library_book.reading_time", "library_book.ip"]);
    insta::assert_snapshot!(
        moved.rows("select concat_ws('|', reading_time, ip) from library_book order by id"),
        @r"
        25:00:00.000005|192.0.2.7
        -00:00:01|2001:db8::1
        "
    );
}

#[test]
fn sqlalchemy() {
    let moved = moved("sqlalchemy", SQLALCHEMY, &["sqlalchemy"], &["tag.", "item.tag_id"]);
    assert_eq!(moved.widened(), ["item.char32"]);
    insta::assert_snapshot!(moved.types("item"), @r"
    id bigint
    owner_id uuid
    tag_id uuid
    done boolean
    made timestamp without time zone
    made_tz timestamp without time zone
    day date
    at time without time zone
    took timestamp without time zone
    price numeric(12,4)
    amount numeric
    f double precision
    dbl double precision
    doc jsonb
    raw bytea
    color character varying(4)
    size character varying(1)
    code character varying(20)
    words text
    big bigint
    small bigint
    char32 text
    ");
    insta::assert_snapshot!(moved.rows("select id::text from tag order by 1"), @r"
    00000000-0000-0000-0000-000000000006
    aabbccdd-0000-0000-0000-000000000001
    ");
    insta::assert_snapshot!(
        moved.rows("select concat_ws('|', owner_id, tag_id, made, made_tz, took) from item order by id"),
        @r"
        00112233-4455-6677-8899-aabbccddeeff|00000000-0000-0000-0000-000000000006|2024-01-02 03:04:05.678901|2024-01-02 03:04:05|1970-01-02 00:00:02.5
        00112233-4455-6677-8899-aabbccddeeff|aabbccdd-0000-0000-0000-000000000001|1969-12-31 23:59:59|2024-07-01 00:00:00|1970-01-01 00:00:00
        "
    );
}

#[test]
fn sqlalchemy_with_columns_named() {
    let own = "item,took,DATETIME,*,interval,interval_1970,\n";
    let moved = moved_with("sqlalchemy", SQLALCHEMY, own, &["tag.", "item.tag_id", "item.took"]);
    insta::assert_snapshot!(moved.rows("select took::text from item order by id"), @r"
    24:00:02.5
    00:00:00
    ");
}

#[test]
fn without_rows_the_declared_types_decide_alike_on_both_ends_of_a_key() {
    let sql = format!("{DJANGO} DELETE FROM library_book; DELETE FROM library_shelf;");
    let without = moved("django", &sql, &["django"], &[]);
    let with = moved("django", DJANGO, &["django"], &[]);
    let with_rows = with.types("library_book");
    assert_eq!(without.types("library_book"), with_rows);
    let sql = format!("{SQLALCHEMY} DELETE FROM item;");
    let without = moved("sqlalchemy", &sql, &["sqlalchemy"], &["tag."]);
    let with = moved("sqlalchemy", SQLALCHEMY, &["sqlalchemy"], &["tag.", "item.tag_id"]);
    let with_rows = with.types("item").replace("char32 text", "char32 uuid");
    assert_eq!(without.types("item"), with_rows);
}
