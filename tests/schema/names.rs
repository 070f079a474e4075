//! Names: styles, limits, collisions.

use litelift::model::name_style::NameStyle;

use super::{transferred, transferred_with};
use crate::support::catalogue::{self, Names};
use crate::support::{fixture, pg, transfer};

const MIXED: &str = "
    CREATE TABLE UserAccounts (UserID INTEGER PRIMARY KEY, \"First Name\" TEXT UNIQUE, user_id INT,
      CONSTRAINT OneEach UNIQUE (user_id));
    CREATE TABLE user_accounts (id INTEGER PRIMARY KEY, OwnerID INT
      CONSTRAINT ToOwner REFERENCES useraccounts (USERID));
    CREATE INDEX ByName ON UserAccounts (\"First Name\");
    INSERT INTO UserAccounts VALUES (1, 'a', 2); INSERT INTO user_accounts VALUES (1, 1);";

fn written(style: NameStyle) -> (String, Vec<String>) {
    let (_, database, report) = transferred_with(MIXED, |options| options.inspect.names = style);
    assert!(report.refused.is_empty() && report.not_carried.is_empty(), "{report:?}");
    (catalogue::lines(&database.url, Names::All).join("\n"), report.notes)
}

#[test]
fn names_are_kept() {
    let (lines, notes) = written(NameStyle::Keep);
    insta::assert_snapshot!(lines, @r#"
    column UserAccounts.1 "UserID" bigint NOT NULL IDENTITY d
    column UserAccounts.2 "First Name" text
    column UserAccounts.3 user_id bigint
    column user_accounts.1 id bigint NOT NULL IDENTITY d
    column user_accounts.2 "OwnerID" bigint
    constraint UserAccounts OneEach UNIQUE (user_id)
    constraint UserAccounts UserAccounts_First Name_key UNIQUE ("First Name")
    constraint UserAccounts UserAccounts_pkey PRIMARY KEY ("UserID")
    constraint user_accounts ToOwner FOREIGN KEY ("OwnerID") REFERENCES "UserAccounts"("UserID")
    constraint user_accounts user_accounts_pkey PRIMARY KEY (id)
    index UserAccounts ByName  USING btree ("First Name")
    table UserAccounts r
    table user_accounts r
    "#);
    assert!(notes.is_empty(), "{notes:?}");
}

#[test]
fn names_in_lower_case() {
    let (lines, notes) = written(NameStyle::Lower);
    insta::assert_snapshot!(lines, @r#"
    column user_accounts.1 id bigint NOT NULL IDENTITY d
    column user_accounts.2 ownerid bigint
    column useraccounts.1 userid bigint NOT NULL IDENTITY d
    column useraccounts.2 "first name" text
    column useraccounts.3 user_id bigint
    constraint user_accounts toowner FOREIGN KEY (ownerid) REFERENCES useraccounts(userid)
    constraint user_accounts user_accounts_pkey PRIMARY KEY (id)
    constraint useraccounts oneeach UNIQUE (user_id)
    constraint useraccounts useraccounts_first name_key UNIQUE ("first name")
    constraint useraccounts useraccounts_pkey PRIMARY KEY (userid)
    index useraccounts byname  USING btree ("first name")
    table user_accounts r
    table useraccounts r
    "#);
    assert!(notes.is_empty(), "{notes:?}");
}

#[test]
fn names_in_snake_case_and_what_collides() {
    let (lines, notes) = written(NameStyle::Snake);
    insta::assert_snapshot!(lines, @r"
    column user_accounts.1 id bigint NOT NULL IDENTITY d
    column user_accounts.2 owner_id bigint
    column user_accounts_4545d0.1 user_id_a3f24d bigint NOT NULL IDENTITY d
    column user_accounts_4545d0.2 first_name text
    column user_accounts_4545d0.3 user_id bigint
    constraint user_accounts to_owner FOREIGN KEY (owner_id) REFERENCES user_accounts_4545d0(user_id_a3f24d)
    constraint user_accounts user_accounts_pkey PRIMARY KEY (id)
    constraint user_accounts_4545d0 one_each UNIQUE (user_id)
    constraint user_accounts_4545d0 user_accounts_4545d0_first_name_key UNIQUE (first_name)
    constraint user_accounts_4545d0 user_accounts_4545d0_pkey PRIMARY KEY (user_id_a3f24d)
    index user_accounts_4545d0 by_name  USING btree (first_name)
    table user_accounts r
    table user_accounts_4545d0 r
    ");
    insta::assert_snapshot!(notes.join("\n"), @r#"
    Table "UserAccounts" becomes "user_accounts_4545d0".
    Column "UserAccounts"."UserID" becomes "user_id_a3f24d".
    "#);
    assert_eq!(written(NameStyle::Snake), (lines, notes), "another run finds other names");
}

#[test]
fn names_that_postgresql_cannot_have_become_others_and_are_told() {
    let long = "é".repeat(40);
    let (_, database, report) = transferred(&format!(
        "CREATE TABLE \"\" (\"\" INT, unnamed INT, xmin INT, xmin_ INT, ctid INT, oid INT, tableoid INT,
           \"select\" INT, \"a\"\"b\" INT, \"new\nline\" INT, \"😀\" INT, \" \" INT, \"{long}a\" INT, \"{long}b\" INT);
         CREATE TABLE \"{long}\" (x INTEGER PRIMARY KEY, y REFERENCES \"{long}c\" (x));
         CREATE TABLE \"{long}c\" (x INTEGER PRIMARY KEY AUTOINCREMENT, CONSTRAINT \"{long}\" UNIQUE (x));
         CREATE INDEX \"{long}i\" ON \"\" (\"\", \"{long}a\");
         CREATE INDEX \"{long}j\" ON \"\" (\"{long}b\");
         CREATE TABLE a (x INT, CONSTRAINT uq UNIQUE (x)); CREATE TABLE b (x INT, CONSTRAINT uq UNIQUE (x));
         INSERT INTO \"\" (xmin, \"\") VALUES (1, 2); INSERT INTO \"{long}\" VALUES (1, NULL);",
    ));
    assert!(report.refused.is_empty() && report.not_carried.is_empty(), "{report:?}");
    insta::assert_snapshot!(catalogue::lines(&database.url, Names::All).join("\n"), @r#"
    column a.1 x bigint
    column b.1 x bigint
    column unnamed.1 unnamed_bffa1c bigint
    column unnamed.10 "new
    line" bigint
    column unnamed.11 "😀" bigint
    column unnamed.12 " " bigint
    column unnamed.13 "éééééééééééééééééééééééééééé_7c03ac" bigint
    column unnamed.14 "éééééééééééééééééééééééééééé_6a42d5" bigint
    column unnamed.2 unnamed bigint
    column unnamed.3 xmin__610aed bigint
    column unnamed.4 xmin_ bigint
    column unnamed.5 ctid_ bigint
    column unnamed.6 oid bigint
    column unnamed.7 tableoid_ bigint
    column unnamed.8 "select" bigint
    column unnamed.9 "a""b" bigint
    column éééééééééééééééééééééééééééé_0fe5d5.1 x bigint NOT NULL IDENTITY d
    column éééééééééééééééééééééééééééé_0fe5d5.2 y bigint
    column éééééééééééééééééééééééééééé_1ad872.1 x bigint NOT NULL IDENTITY d
    constraint a uq UNIQUE (x)
    constraint b uq_ca9a30 UNIQUE (x)
    constraint éééééééééééééééééééééééééééé_0fe5d5 éééééééééééééééééééééééééééé_13d1b1 PRIMARY KEY (x)
    constraint éééééééééééééééééééééééééééé_0fe5d5 éééééééééééééééééééééééééééé_880bb7 FOREIGN KEY (y) REFERENCES "éééééééééééééééééééééééééééé_1ad872"(x)
    constraint éééééééééééééééééééééééééééé_1ad872 éééééééééééééééééééééééééééé_bdc9f9 PRIMARY KEY (x)
    index unnamed éééééééééééééééééééééééééééé_e595ed  USING btree ("éééééééééééééééééééééééééééé_6a42d5")
    index unnamed éééééééééééééééééééééééééééé_f756c4  USING btree (unnamed_bffa1c, "éééééééééééééééééééééééééééé_7c03ac")
    table a r
    table b r
    table unnamed r
    table éééééééééééééééééééééééééééé_0fe5d5 r
    table éééééééééééééééééééééééééééé_1ad872 r
    "#);
    insta::assert_snapshot!(report.notes.join("\n"), @r#"
    Table "" becomes "unnamed".
    Column ""."" becomes "unnamed_bffa1c".
    Column ""."xmin" becomes "xmin__610aed".
    Column ""."ctid" becomes "ctid_".
    Column ""."tableoid" becomes "tableoid_".
    Column ""."ééééééééééééééééééééééééééééééééééééééééa" becomes "éééééééééééééééééééééééééééé_7c03ac".
    Column ""."ééééééééééééééééééééééééééééééééééééééééb" becomes "éééééééééééééééééééééééééééé_6a42d5".
    Table "éééééééééééééééééééééééééééééééééééééééé" becomes "éééééééééééééééééééééééééééé_0fe5d5".
    Table "ééééééééééééééééééééééééééééééééééééééééc" becomes "éééééééééééééééééééééééééééé_1ad872".
    The index "ééééééééééééééééééééééééééééééééééééééééi" of table "" becomes "éééééééééééééééééééééééééééé_f756c4".
    The index "ééééééééééééééééééééééééééééééééééééééééj" of table "" becomes "éééééééééééééééééééééééééééé_e595ed".
    The constraint "uq" of table "b" becomes "uq_ca9a30".
    éééééééééééééééééééééééééééééééééééééééé.y: bigint instead of text, so that its foreign key has one type on both sides.
    "#);
}

#[test]
fn an_enum_type_cannot_be_called_as_a_table_is() {
    let source =
        fixture::from_sql("case.db", "CREATE TABLE status (id INTEGER PRIMARY KEY, s TEXT);");
    let map = source.path.with_extension("csv");
    let rules = "table,column,declared,evidence,pg_type,convert,note\nstatus,s,*,*,enum(status),enum:keep,\n";
    std::fs::write(&map, rules).unwrap();
    let database = pg::database();
    let mut options = transfer::options(&source.path, &database.url);
    options.inspect.type_maps.user = vec![map.to_str().unwrap().to_owned()];
    let error = transfer::run(&options).unwrap_err();
    assert_eq!(error.kind().exit_code(), 2, "{}", pg::explain(&error));
    assert!(catalogue::lines(&database.url, Names::All).is_empty());
}

/// Names inside of expressions and queries are those that the objects get.
#[test]
fn what_is_translated_has_names_in_the_style_too() {
    const SQL: &str = "
        CREATE TABLE UserAccounts (UserID INTEGER PRIMARY KEY, LoginCount INT NOT NULL,
          Twice INT AS (LoginCount * 2) STORED,
          CONSTRAINT NotNegative CHECK (LoginCount >= 0));
        CREATE INDEX OftenSeen ON UserAccounts (LoginCount) WHERE LoginCount > 9;
        CREATE VIEW FrequentUsers AS SELECT UserID, LoginCount + 1 AS NextLogin FROM UserAccounts;
        CREATE VIEW TopUsers AS SELECT f.UserID FROM FrequentUsers f WHERE f.NextLogin > 100;
        INSERT INTO UserAccounts (LoginCount) VALUES (5);";
    let (_, database, report) =
        transferred_with(SQL, |options| options.inspect.names = NameStyle::Snake);
    assert!(report.refused.is_empty() && report.not_carried.is_empty(), "{report:?}");
    insta::assert_snapshot!(catalogue::lines(&database.url, Names::All).join("\n"), @r#"
    column user_accounts.1 user_id bigint NOT NULL IDENTITY d
    column user_accounts.2 login_count bigint NOT NULL
    column user_accounts.3 twice bigint GENERATED DEFAULT (login_count * 2)
    constraint user_accounts not_negative CHECK ((login_count >= 0))
    constraint user_accounts user_accounts_pkey PRIMARY KEY (user_id)
    index user_accounts often_seen  USING btree (login_count) WHERE (login_count > 9)
    table frequent_users v
    table top_users v
    table user_accounts r
    view frequent_users  SELECT "UserAccounts".user_id, ("UserAccounts".login_count + 1) AS next_login FROM user_accounts "UserAccounts";
    view top_users  SELECT f.user_id FROM frequent_users f WHERE (f.next_login > 100);
    "#);
}
