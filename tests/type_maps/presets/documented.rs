//! Presets on databases of the shape that documentation and source describe.

use super::{moved, moved_with};

const RAILS: &str = include_str!("../../../fixtures/frameworks/rails.sql");
const PRISMA: &str = include_str!("../../../fixtures/frameworks/prisma.sql");
const LARAVEL: &str = include_str!("../../../fixtures/frameworks/laravel.sql");
const EFCORE: &str = include_str!("../../../fixtures/frameworks/efcore.sql");
const ECTO: &str = include_str!("../../../fixtures/frameworks/ecto.sql");

#[test]
fn rails() {
    let moved = moved("rails", RAILS, &["rails"], &["posts.opens"]);
    assert_eq!(moved.widened(), ["odd.clock", "odd.on"]);
    insta::assert_snapshot!(moved.types("posts"), @r"
    id bigint
    title text
    body text
    shown boolean
    old_shown boolean
    made timestamp without time zone
    seen timestamp without time zone
    day date
    opens time without time zone
    never time without time zone
    price numeric(10,2)
    amount numeric
    ratio double precision
    meta jsonb
    bytes bytea
    uid text
    views bigint
    small bigint
    ");
    insta::assert_snapshot!(moved.rows("select opens::text from posts order by id"), @r"
    03:04:05
    23:59:59.123456
    ");
}

#[test]
fn prisma() {
    let no_rule = [
        "User.native",
        "User.mixed",
        "User.before1990",
        "_prisma_migrations.finished_at",
        "_prisma_migrations.started_at",
    ];
    let moved = moved("prisma", PRISMA, &["prisma"], &no_rule);
    assert_eq!(moved.widened(), Vec::<String>::new());
    insta::assert_snapshot!(moved.types("\"User\""), @r"
    id bigint
    active boolean
    big bigint
    ratio double precision
    price numeric
    native timestamp without time zone
    adapter timestamp without time zone
    both_texts timestamp without time zone
    mixed timestamp without time zone
    before1990 timestamp without time zone
    never timestamp without time zone
    doc jsonb
    bytes bytea
    kind text
    uid text
    ");
    insta::assert_snapshot!(moved.types("_prisma_migrations"), @r"
    id text
    checksum text
    finished_at timestamp with time zone
    migration_name text
    logs text
    rolled_back_at timestamp with time zone
    started_at timestamp with time zone
    applied_steps_count bigint
    ");
    insta::assert_snapshot!(
        moved.rows("select concat_ws('|', native, adapter, both_texts, mixed, before1990) from \"User\" order by id"),
        @r"
        2024-01-02 03:04:05.678|2024-01-02 03:04:05.678|2024-01-02 03:04:05.678|2024-01-02 03:04:05.678|1969-12-31 00:00:00
        2024-01-02 03:04:05|1969-12-31 23:59:59|2024-01-02 03:04:05|2024-01-02 03:04:05|1990-01-01 00:00:00.001
        "
    );
}

#[test]
fn efcore() {
    let moved = moved("efcore", EFCORE, &["efcore"], &["Orders.CreatedAt"]);
    assert_eq!(moved.widened(), Vec::<String>::new());
    insta::assert_snapshot!(moved.types("\"Orders\""), @r"
    Id bigint
    CustomerId uuid
    CreatedAt timestamp without time zone
    Shipped timestamp without time zone
    Sent timestamp with time zone
    Day date
    Opens text
    Took text
    TotalPrice numeric
    ZipCode text
    IsDeleted boolean
    Status bigint
    Ratio double precision
    Bytes bytea
    Note text
    ");
    insta::assert_snapshot!(moved.types("\"AspNetUsers\""), @r"
    Id text
    EmailConfirmed boolean
    ConcurrencyStamp text
    LockoutEnd text
    ");
    insta::assert_snapshot!(
        moved.rows("select concat_ws('|', \"CustomerId\", \"CreatedAt\", \"Sent\", \"TotalPrice\") from \"Orders\" order by 1"),
        @r"
        00112233-4455-6677-8899-aabbccddeeff|2024-01-02 03:04:05.123457|2024-01-02 01:04:05.5+00|12.50
        ffffffff-4455-6677-8899-aabbccddeeff|1969-12-31 23:59:59|-0.000000000000000000000000001
        "
    );
}

#[test]
fn efcore_with_columns_named() {
    let own = "Orders,Took,TEXT,*,interval,interval_dotnet,\nOrders,Opens,TEXT,*,time,iso,\n";
    let moved = moved_with("efcore", EFCORE, own, &["Orders.CreatedAt", "Orders.Took"]);
    insta::assert_snapshot!(
        moved.rows("select concat_ws('|', \"Took\", \"Opens\") from \"Orders\" order by \"Id\""),
        @r"
        26:03:04|09:30:00
        02:03:04|23:59:59
        "
    );
}

#[test]
fn laravel() {
    let moved = moved("laravel", LARAVEL, &["laravel"], &[]);
    assert_eq!(moved.widened(), ["odd.level"]);
    insta::assert_snapshot!(moved.types("posts"), @r"
    id bigint
    uuid text
    shown boolean
    price numeric
    ratio double precision
    title text
    kind text
    meta text
    ip text
    bytes bytea
    year bigint
    day date
    clock time without time zone
    created_at timestamp without time zone
    deleted_at timestamp without time zone
    ");
    insta::assert_snapshot!(moved.types("notifications"), @r"
    id uuid
    type text
    data text
    ");
}

#[test]
fn ecto() {
    let moved = moved("ecto", ECTO, &["ecto"], &[]);
    assert_eq!(moved.widened(), Vec::<String>::new());
    insta::assert_snapshot!(moved.types("users"), @r"
    id uuid
    name text
    is_admin boolean
    score numeric
    balance numeric(10,2)
    settings jsonb
    born date
    seen timestamp without time zone
    confirmed_at timestamp without time zone
    bytes bytea
    inserted_at timestamp without time zone
    updated_at timestamp without time zone
    ");
    insta::assert_snapshot!(moved.types("posts"), @r"
    id bigint
    user_id uuid
    token_id uuid
    ");
}
