//! What hangs on the application's tables is afterwards what it was before.

use litelift::error::ErrorKind;
use litelift::options::OnExisting;

use super::refusals::Case;
use crate::support::{pg, transfer};

/// Everything that can be set on the objects of tables.
const TABLES: &str = r#"
    CREATE EXTENSION IF NOT EXISTS citext;
    CREATE TYPE mood AS ENUM ('fine', 'Bad');
    CREATE DOMAIN year AS int NOT NULL CHECK (VALUE > 1900);
    CREATE TABLE "Parent" (
      id int GENERATED ALWAYS AS IDENTITY (START 5 INCREMENT 10) PRIMARY KEY,
      name citext UNIQUE DEFERRABLE INITIALLY DEFERRED, made year, mood mood, tags text[],
      stamp timestamptz(3), doc jsonb, price numeric(10, 2), code char(3), EXCLUDE USING btree (code WITH =));
    CREATE SEQUENCE shared INCREMENT 2;
    CREATE TABLE child (
      id bigint DEFAULT nextval('shared') PRIMARY KEY,
      parent int CONSTRAINT "to Parent" REFERENCES "Parent" ON DELETE CASCADE ON UPDATE SET NULL
        DEFERRABLE INITIALLY DEFERRED,
      self bigint REFERENCES child DEFERRABLE, note text);
    CREATE TABLE other (id bigint DEFAULT nextval('shared') PRIMARY KEY, parent int);
    ALTER TABLE other ADD CONSTRAINT unchecked FOREIGN KEY (parent) REFERENCES "Parent" NOT VALID;
    COMMENT ON CONSTRAINT "to Parent" ON child IS 'it''s theirs';
    CREATE INDEX child_note ON child (note) WITH (fillfactor = 70) WHERE note IS NOT NULL;
    CREATE INDEX child_lower ON child (lower(note) DESC NULLS LAST) INCLUDE (id);
    CREATE INDEX "Parent tags" ON "Parent" USING gin (tags);
    CREATE INDEX commented ON other (parent); COMMENT ON INDEX commented IS 'keep me';
    CREATE FUNCTION shout(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT upper($1)';
    CREATE INDEX by_function ON child (shout(note));
    CREATE INDEX clustered ON child (self); ALTER TABLE child CLUSTER ON clustered;
    CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'fired'; END $$;
    CREATE TRIGGER on_origin BEFORE INSERT ON child FOR EACH ROW EXECUTE FUNCTION fail();
    CREATE TRIGGER off BEFORE INSERT ON child FOR EACH ROW EXECUTE FUNCTION fail();
    CREATE TRIGGER on_replica BEFORE INSERT ON child FOR EACH ROW EXECUTE FUNCTION fail();
    CREATE TRIGGER on_always BEFORE INSERT OR TRUNCATE ON child EXECUTE FUNCTION fail();
    CREATE CONSTRAINT TRIGGER late AFTER INSERT ON "Parent" DEFERRABLE FOR EACH ROW EXECUTE FUNCTION fail();
    ALTER TABLE child DISABLE TRIGGER off;
    ALTER TABLE child ENABLE REPLICA TRIGGER on_replica;
    ALTER TABLE child ENABLE ALWAYS TRIGGER on_always;
"#;

const ROWS: &str = r#"
    CREATE TABLE Parent (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, made INT, mood TEXT, tags TEXT,
      stamp TEXT, doc TEXT, price REAL, code TEXT);
    INSERT INTO Parent VALUES (3, 'Ann', 1999, 'FINE', '["a","b"]', '2024-01-02 03:04:05.123', '{"a": 1}', 1.5, 'ab'),
      (8, 'Bob', 2001, 'Bad', NULL, NULL, NULL, NULL, NULL), (400, 'gone', 1950, NULL, NULL, NULL, NULL, NULL, NULL);
    DELETE FROM Parent WHERE id = 400;
    CREATE TABLE child (id INTEGER PRIMARY KEY, parent INT, self INT, note TEXT);
    INSERT INTO child VALUES (1, 3, 2, 'x'), (2, NULL, 1, NULL), (11, 8, NULL, 'y');
    CREATE TABLE other (id INTEGER PRIMARY KEY, parent INT);
    INSERT INTO other VALUES (30, 77);
"#;

#[test]
fn keys_indexes_triggers_and_sequences_are_as_before() {
    let case = Case::new(ROWS, TABLES);
    // Other spellings of the same, which the comparer has no rule for.
    let report = case.arrives(&["Parent.mood", "Parent.tags"]);
    assert!(report.orphans.is_empty() && report.refused.is_empty(), "{report:?}");
    let target = &case.target;
    assert_eq!(
        target.one("SELECT mood::text || array_to_string(tags, '+') FROM \"Parent\" WHERE id = 3"),
        "finea+b"
    );
    // Beyond what SQLite ever gave out, in steps of ten.
    assert_eq!(report.tables[0].identity_next, Some(410));
    assert!(target.one("SELECT nextval('shared')").parse::<i64>().unwrap() > 30);
}

#[test]
fn a_superuser_brings_all_back_as_it_was_and_whose_it_was() {
    let mut case = Case::new(ROWS, TABLES);
    case.options.to.clone_from(&case.target.database.url);
    let owners = "SELECT string_agg(relname || ' ' || relowner::regrole, ',' ORDER BY relname) \
        FROM pg_class WHERE relnamespace = 'public'::regnamespace";
    let before = case.target.one(owners);
    case.arrives(&["Parent.mood", "Parent.tags"]);
    assert_eq!(case.target.one(owners), before);
}

#[test]
fn a_sequence_is_never_set_back() {
    let case = Case::new(ROWS, TABLES);
    case.target.execute("SELECT setval('shared', 5000), setval('\"Parent_id_seq\"', 9995)");
    let report = case.arrives(&["Parent.mood", "Parent.tags"]);
    assert_eq!(report.tables[0].identity_next, Some(10_005));
    assert!(case.target.one("SELECT nextval('shared')").parse::<i64>().unwrap() > 5_000);
}

#[test]
fn partitions_are_filled_through_their_table() {
    let source = "CREATE TABLE kind (id INTEGER PRIMARY KEY); INSERT INTO kind VALUES (1), (2);
        CREATE TABLE event (id INTEGER, at TEXT, kind INT);
        INSERT INTO event VALUES (1, '2024-01-05', 1), (2, '2024-02-05', 2), (3, '2023-01-01', 1);";
    let tables = "CREATE TABLE kind (id int PRIMARY KEY);
        CREATE TABLE event (id int, at date, kind int REFERENCES kind) PARTITION BY RANGE (at);
        CREATE TABLE event_01 PARTITION OF event FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
        CREATE TABLE event_rest PARTITION OF event DEFAULT;
        ALTER TABLE event_rest ADD CONSTRAINT own FOREIGN KEY (kind) REFERENCES kind;
        CREATE INDEX event_kind ON event (kind); CREATE INDEX rest_at ON event_rest (at);
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'fired'; END $$;
        CREATE TRIGGER t BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION fail();
        ALTER TABLE event_01 ENABLE ALWAYS TRIGGER t;
        CREATE TRIGGER own BEFORE INSERT ON event_rest FOR EACH ROW EXECUTE FUNCTION fail();";
    let case = Case::new(source, tables);
    case.arrives(&[]);
    assert_eq!(case.target.one("SELECT count(*) FROM event_01"), "1");
}

#[test]
fn rows_of_tables_that_inherit_are_their_own() {
    let source = "CREATE TABLE payment (id INTEGER PRIMARY KEY); INSERT INTO payment VALUES (1);";
    let tables = "CREATE TABLE payment (id int); CREATE TABLE old () INHERITS (payment); \
        INSERT INTO payment VALUES (5);";
    let case = Case::new(source, tables)
        .with(|asked| asked.on_existing = vec![(None, OnExisting::Truncate)]);
    case.arrives(&[]);
    assert_eq!(case.target.one("SELECT string_agg(id::text, ',') FROM payment"), "1");
}

#[test]
fn rows_without_a_parent_are_named_and_mended_by_the_same_command() {
    let source = "CREATE TABLE p (id INTEGER PRIMARY KEY); INSERT INTO p VALUES (1);
        CREATE TABLE c (id INTEGER PRIMARY KEY, p INT); INSERT INTO c VALUES (1, 1), (2, 9), (3, 9);";
    let tables = "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p)";
    let case = Case::new(source, tables);
    let before = case.target.objects();
    let report = transfer::run(&case.options).unwrap_or_else(|e| panic!("{}", pg::explain(&e)));
    assert_eq!(report.orphans.iter().map(|key| key.rows).collect::<Vec<_>>(), [2]);
    assert_eq!(report.not_as_before.len(), 1);
    assert!(report.not_as_before[0].now.as_ref().unwrap().ends_with("NOT VALID"));
    case.target.execute("DELETE FROM c WHERE p = 9");
    let mut options = case.options.clone();
    options.verify = None;
    let report = transfer::run(&options).unwrap_or_else(|e| panic!("{}", pg::explain(&e)));
    assert_eq!(report.not_as_before, []);
    assert_eq!(case.target.objects(), before);
}

#[test]
fn hostile_names_are_only_names() {
    let name = |n: u32| format!("x{n}'; DROP TABLE victim; --\"\"\\");
    let (table, column, key) = (name(1), name(2), name(3));
    let source = format!(
        "CREATE TABLE \"{table}\" (\"{column}\" INTEGER PRIMARY KEY, up INT, t TEXT);
         INSERT INTO \"{table}\" VALUES (1, NULL, 'a'), (2, 1, '\\.');"
    );
    let tables = format!(
        "CREATE TABLE victim (id int);
         CREATE TABLE \"{table}\" (\"{column}\" serial PRIMARY KEY, up int CONSTRAINT \"{key}\" \
           REFERENCES \"{table}\", t text);
         COMMENT ON CONSTRAINT \"{key}\" ON \"{table}\" IS 'x''; DROP TABLE victim; --';
         CREATE INDEX \"{}\" ON \"{table}\" (t);
         CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'fired'; END $$;
         CREATE TRIGGER \"{}\" BEFORE INSERT ON \"{table}\" FOR EACH ROW EXECUTE FUNCTION fail();",
        name(4),
        name(5)
    );
    let case = Case::new(&source, &tables);
    case.arrives(&[]);
    assert_eq!(case.target.one("SELECT count(*) FROM victim"), "0");
}

#[test]
fn arrays_types_of_other_schemas_and_sequences_by_text_in_another_schema() {
    let source = r#"CREATE TABLE T (Id INTEGER PRIMARY KEY, A TEXT, B TEXT, C TEXT, D TEXT, Mail TEXT, At TEXT);
        INSERT INTO T VALUES (41, '["x", null]', '[1, -2]', '[]', '["00112233-4455-6677-8899-aabbccddeeff"]',
          'A@b.c', '2024-01-02 03:04:05.123456');"#;
    let tables = r#"CREATE SCHEMA "My app"; CREATE SCHEMA kinds; CREATE EXTENSION citext SCHEMA kinds;
        CREATE DOMAIN kinds.mail AS kinds.citext CHECK (VALUE ~ '@');
        CREATE SEQUENCE "My app"."t_ids";
        CREATE TABLE "My app".t (id int DEFAULT nextval(('"My app".t_ids'::text)::regclass) PRIMARY KEY,
          a varchar(9)[], b smallint[], c int[], d uuid[], mail kinds.mail UNIQUE, at timestamp(3));
        CREATE INDEX a ON "My app".t USING gin (a);"#;
    let mut case = Case::new(source, tables);
    case.options.inspect.into = "My app".to_owned();
    let report = case.arrives(&["T.A", "T.B", "T.C", "T.D", "T.At"]);
    let found = "SELECT concat_ws(' ', a, b, c, d, at) FROM \"My app\".t";
    let wanted =
        "{x,NULL} {1,-2} {} {00112233-4455-6677-8899-aabbccddeeff} 2024-01-02 03:04:05.123";
    assert_eq!(case.target.one(found), wanted);
    assert_eq!(case.target.one("SELECT nextval('\"My app\".t_ids')"), "42");
    let told = report.notes.join("\n");
    assert!(told.contains("T.At: 1 value is rounded, for the target keeps 3 digits"), "{told}");
}

#[test]
fn lists_go_into_arrays_of_an_enum_by_its_labels() {
    let tables = r#"CREATE SCHEMA kinds; CREATE TYPE kinds.shade AS ENUM ('light', 'It''s', 'a,b');
        CREATE TABLE t (id int PRIMARY KEY, a kinds.shade[], b kinds.shade[]);"#;
    let source = |list: &str| {
        format!(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT); \
             INSERT INTO t VALUES (1, '{list}', 'light,It''s'), (2, '[]', ''), (3, NULL, NULL);"
        )
    };
    // By another case too, as a single label; the rule for lists of texts is one for labels.
    let rules = "t,b,*,*,text[],array_comma,\n";
    let case = Case::new(&source(r#"["LIGHT", "a,b", null, "\u0049t''s"]"#), tables).rules(rules);
    case.arrives(&["t.a", "t.b"]);
    assert_eq!(
        case.target.one("SELECT string_agg(concat_ws(' ', a, b), ' | ' ORDER BY id) FROM t"),
        r#"{light,"a,b",NULL,It's} {light,It's} | {} {} | "#
    );
    Case::new(&source(r#"["light", "dark"]"#), tables).rules(rules).refused(
        ErrorKind::Differences,
        &[
            "Column \"t\".\"a\" is enum[] in the target: 1 of its values do not fit",
            "not a list of labels of the enum type",
            "makes them NULL: t,a,*,*,text[],array_json or null,",
        ],
    );
    // The line does what it says.
    let rules = format!("{rules}t,a,*,*,text[],array_json or null,\n");
    let case = Case::new(&source(r#"["light", "dark"]"#), tables).rules(&rules);
    let report =
        transfer::run(&case.options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    assert_eq!(report.not_as_before, []);
    assert_eq!(case.target.one("SELECT count(a)::text FROM t"), "1");
}

#[test]
fn a_sequence_of_no_column_is_named_and_stays() {
    let tables = "CREATE SEQUENCE numbers; CREATE SEQUENCE held; CREATE SEQUENCE owned;
        CREATE TABLE t (id int DEFAULT nextval('held') PRIMARY KEY);
        CREATE TABLE u (id int PRIMARY KEY); ALTER SEQUENCE owned OWNED BY u.id;";
    let case =
        Case::new("CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (7);", tables);
    let report = case.arrives(&[]);
    let told: Vec<&String> =
        report.notes.iter().filter(|note| note.starts_with("Sequence ")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("Sequence \"numbers\" belongs to no column and stays as it is"));
    assert_eq!(case.target.one("SELECT nextval('numbers')"), "1");
    assert!(case.target.one("SELECT nextval('held')").parse::<i64>().unwrap() > 7);
}
