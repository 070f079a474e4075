//! Single faults, planted in the target one after the other: each must be found, and found where it is.

use litelift::options::DataOnly;
use litelift::report::{RowFault, VerifyLevel, VerifyReport};

use super::{verify, wanted};
use crate::data_only::target::{self, Target};
use crate::support::fixture::{self, Fixture};
use crate::support::{pg, transfer};

const SOURCE: &str = "
    CREATE TABLE vals (id INTEGER PRIMARY KEY, flag, s, i, big, r4, r8, n, n2, t TEXT, v TEXT, c TEXT, b BLOB,
        d TEXT, tm TEXT, ts TEXT, tz TEXT, iv TEXT, u TEXT, j TEXT, js TEXT, a TEXT, e TEXT, ip TEXT);
    WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 700)
    INSERT INTO vals SELECT x, x % 2, x % 100, -x, x * 4000000007, x * 0.5, x / 7.0, x || '.0', x * 0.25,
        'text ' || x, 'v' || x, 'c' || x, CAST('blob ' || x AS BLOB), date('2001-01-01', x || ' days'),
        '12:00:00.000001', '2001-02-03 04:05:06.789012', '2001-02-03T04:05:06.789012+00:00', 'P1M',
        printf('00000000-0000-4000-8000-%012d', x), '{\"b\": 2.50, \"a\": [1, ' || x || ']}',
        '{\"x\":  1}', '[\"one\", null, \"' || x || '\"]', CASE x % 2 WHEN 0 THEN 'sad' ELSE 'happy' END,
        '10.0.0.1' FROM n;
    UPDATE vals SET t = '', r8 = 0.0, b = x'', v = 'caf' || char(233) WHERE id = 7;
    UPDATE vals SET t = NULL, v = NULL WHERE id = 8;
    UPDATE vals SET t = 'a' || char(10) || 'b', r8 = 0.1, big = 9223372036854775807 WHERE id = 9;
    CREATE TABLE nokey (x INTEGER, y TEXT);
    INSERT INTO nokey VALUES (1, 'a'), (1, 'a'), (1, 'a'), (2, 'b'), (NULL, NULL), (3, '');
    CREATE TABLE textkey (k TEXT PRIMARY KEY, y TEXT);
    INSERT INTO textkey VALUES ('a', '1'), ('b', '2'), ('ä', '3');
    CREATE TABLE pair (a INTEGER, b TEXT, y REAL, PRIMARY KEY (a, b DESC)) WITHOUT ROWID;
    INSERT INTO pair VALUES (1, 'x', 0.5), (1, 'y', 1.5), (2, 'x', 2.5);";

const TARGET: &str = "
    CREATE TYPE mood AS ENUM ('happy', 'sad');
    CREATE TABLE vals (id int PRIMARY KEY, flag boolean, s smallint, i integer, big bigint, r4 real,
        r8 double precision, n numeric, n2 numeric(12,2), t text, v varchar(40), c char(8), b bytea, d date, tm time,
        ts timestamp, tz timestamptz, iv interval, u uuid, j jsonb, js json, a text[], e mood, ip inet);
    CREATE TABLE nokey (x bigint, y text);
    CREATE TABLE textkey (k text PRIMARY KEY, y text);
    CREATE TABLE pair (a int, b text, y double precision, PRIMARY KEY (a, b));";

const RULES: &str = "table,column,declared,evidence,pg_type,convert,note
vals,iv,*,*,interval,interval_iso,
";

/// What is planted, in which table, and the faults that it must be found as, with the column.
struct Fault {
    sql: &'static str,
    table: &'static str,
    found: &'static [(RowFault, &'static str)],
}

const fn one(sql: &'static str, column: &'static [(RowFault, &'static str)]) -> Fault {
    Fault { sql, table: "vals", found: column }
}

const fn of(
    table: &'static str,
    sql: &'static str,
    found: &'static [(RowFault, &'static str)],
) -> Fault {
    Fault { sql, table, found }
}

use RowFault::{Different as D, Extra as E, Missing as M};

const FAULTS: &[Fault] = &[
    one("UPDATE vals SET flag = NOT flag WHERE id = 5", &[(D, "flag")]),
    one("UPDATE vals SET flag = NULL WHERE id = 5", &[(D, "flag")]),
    one("UPDATE vals SET s = s + 1 WHERE id = 700", &[(D, "s")]),
    one("UPDATE vals SET i = -i WHERE id = 1", &[(D, "i")]),
    one("UPDATE vals SET big = big - 1 WHERE id = 9", &[(D, "big")]),
    one("UPDATE vals SET r4 = 2.5000002 WHERE id = 5", &[(D, "r4")]),
    one("UPDATE vals SET r8 = 0.10000000000000002 WHERE id = 9", &[(D, "r8")]),
    one("UPDATE vals SET r8 = '-0' WHERE id = 7", &[(D, "r8")]),
    one("UPDATE vals SET r8 = 'Infinity' WHERE id = 3", &[(D, "r8")]),
    one("UPDATE vals SET n = 5.00 WHERE id = 5", &[(D, "n")]),
    one("UPDATE vals SET n2 = n2 + 0.01 WHERE id = 5", &[(D, "n2")]),
    one("UPDATE vals SET t = t || ' ' WHERE id = 5", &[(D, "t")]),
    one("UPDATE vals SET t = NULL WHERE id = 7", &[(D, "t")]),
    one("UPDATE vals SET t = '' WHERE id = 8", &[(D, "t")]),
    one("UPDATE vals SET t = 'Text 5' WHERE id = 5", &[(D, "t")]),
    one("UPDATE vals SET t = E'a\\r\\nb' WHERE id = 9", &[(D, "t")]),
    one("UPDATE vals SET t = 'NULL' WHERE id = 8", &[(D, "t")]),
    one("UPDATE vals SET v = 'cafe' || U&'\\0301' WHERE id = 7", &[(D, "v")]),
    one("UPDATE vals SET v = v || ' ' WHERE id = 5", &[(D, "v")]),
    one("UPDATE vals SET v = left(v, 1) WHERE id = 55", &[(D, "v")]),
    one("UPDATE vals SET c = 'c6' WHERE id = 5", &[(D, "c")]),
    one("UPDATE vals SET b = set_bit(b, 3, 1 - get_bit(b, 3)) WHERE id = 5", &[(D, "b")]),
    one("UPDATE vals SET b = NULL WHERE id = 7", &[(D, "b")]),
    one("UPDATE vals SET d = d + 1 WHERE id = 5", &[(D, "d")]),
    one("UPDATE vals SET tm = tm + interval '1 us' WHERE id = 5", &[(D, "tm")]),
    one("UPDATE vals SET ts = ts + interval '1 us' WHERE id = 5", &[(D, "ts")]),
    one("UPDATE vals SET ts = date_trunc('milliseconds', ts) WHERE id = 5", &[(D, "ts")]),
    one("UPDATE vals SET tz = tz - interval '1 us' WHERE id = 5", &[(D, "tz")]),
    one("UPDATE vals SET tz = tz + interval '1 hour' WHERE id = 5", &[(D, "tz")]),
    one("UPDATE vals SET tz = 'infinity' WHERE id = 5", &[(D, "tz")]),
    one("UPDATE vals SET iv = '30 days' WHERE id = 5", &[(D, "iv")]),
    one("UPDATE vals SET u = '00000000-0000-4000-8000-000000000004' WHERE id = 5", &[(D, "u")]),
    one("UPDATE vals SET j = jsonb_set(j, '{a,1}', '6') WHERE id = 5", &[(D, "j")]),
    one("UPDATE vals SET j = jsonb_set(j, '{b}', '2.5') WHERE id = 5", &[(D, "j")]),
    one("UPDATE vals SET j = j || '{\"c\": null}' WHERE id = 5", &[(D, "j")]),
    one("UPDATE vals SET js = '{\"x\": 1}' WHERE id = 5", &[(D, "js")]),
    one("UPDATE vals SET a = ARRAY['one', '5', NULL] WHERE id = 5", &[(D, "a")]),
    one("UPDATE vals SET a = ARRAY['one', 'NULL', '5'] WHERE id = 5", &[(D, "a")]),
    one("UPDATE vals SET e = 'sad' WHERE id = 5", &[(D, "e")]),
    one("UPDATE vals SET ip = '10.0.0.1/31' WHERE id = 5", &[(D, "ip")]),
    one("UPDATE vals SET t = v, v = t WHERE id = 5", &[(D, "t,v")]),
    one(
        "UPDATE vals SET t = CASE id WHEN 5 THEN 'text 6' ELSE 'text 5' END WHERE id IN (5, 6)",
        &[(D, "t"), (D, "t")],
    ),
    one("DELETE FROM vals WHERE id = 333", &[(M, "")]),
    one("INSERT INTO vals (id, t) VALUES (70000, 'more')", &[(E, "")]),
    one(
        "INSERT INTO vals SELECT * FROM vals WHERE id = 3; UPDATE vals SET id = -4 WHERE ctid = (SELECT max(ctid) FROM vals WHERE id = 3)",
        &[(E, "")],
    ),
    one("UPDATE vals SET id = 5000 WHERE id = 5", &[(M, ""), (E, "")]),
    one("DELETE FROM vals", &[]),
    of("nokey", "INSERT INTO nokey VALUES (2, 'b')", &[(E, "")]),
    of("nokey", "DELETE FROM nokey WHERE ctid = (SELECT min(ctid) FROM nokey)", &[(M, "")]),
    of("nokey", "UPDATE nokey SET y = '' WHERE y IS NULL", &[(M, ""), (E, "")]),
    of("nokey", "UPDATE nokey SET x = NULL WHERE x = 3", &[(M, ""), (E, "")]),
    of(
        "nokey",
        "UPDATE nokey SET y = 'b' WHERE ctid = (SELECT min(ctid) FROM nokey)",
        &[(M, ""), (E, "")],
    ),
    of("textkey", "UPDATE textkey SET y = '2 ' WHERE k = 'b'", &[(D, "y")]),
    of("textkey", "UPDATE textkey SET k = 'B' WHERE k = 'b'", &[(M, ""), (E, "")]),
    of("textkey", "UPDATE textkey SET k = 'a' || U&'\\0308' WHERE k = 'ä'", &[(M, ""), (E, "")]),
    of("textkey", "DELETE FROM textkey WHERE k = 'a'", &[(M, "")]),
    of("pair", "UPDATE pair SET y = 0.25 WHERE a = 2", &[(D, "y")]),
    of("pair", "UPDATE pair SET y = 2.0 - y WHERE a = 1", &[(D, "y"), (D, "y")]),
    of("pair", "UPDATE pair SET a = 3 WHERE a = 2", &[(M, ""), (E, "")]),
];

fn loaded() -> (Fixture, Target) {
    let (source, target) = (fixture::from_sql("planted.db", SOURCE), target::target(TARGET));
    let mut options = transfer::options(&source.path, &target.url);
    options.inspect.data_only = Some(DataOnly::default());
    let rules = source.folder.path().join("rules.csv");
    std::fs::write(&rules, RULES).unwrap();
    options.inspect.type_maps.user.push(rules.to_str().unwrap().to_owned());
    let report = transfer::run(&options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    let verified = report.verify.unwrap();
    assert!(verified.is_equal(), "{verified:#?}");
    target.execute(
        "CREATE SCHEMA kept; CREATE TABLE kept.vals AS TABLE vals; CREATE TABLE kept.nokey AS TABLE nokey; \
         CREATE TABLE kept.textkey AS TABLE textkey; CREATE TABLE kept.pair AS TABLE pair",
    );
    (source, target)
}

fn plant_all(level: VerifyLevel) {
    assert!(FAULTS.len() >= 40);
    let (source, target) = loaded();
    let options = wanted(&source.path, &target.url, level);
    let clean = verify(&options);
    assert!(clean.is_equal(), "{clean:#?}");
    for Fault { sql, table, found } in FAULTS {
        target.execute("ALTER TABLE vals DROP CONSTRAINT IF EXISTS vals_pkey");
        target.execute(sql);
        let report = verify(&options);
        assert!(!report.is_equal(), "not found: {sql}");
        assert_eq!(report.differing(), 1, "{sql}: {report:#?}");
        check(&report, sql, table, found);
        target.execute(&format!("TRUNCATE {table}; INSERT INTO {table} TABLE kept.{table}"));
    }
    let clean = verify(&options);
    assert!(clean.is_equal(), "{clean:#?}");
}

fn check(report: &VerifyReport, sql: &str, table: &str, wanted: &[(RowFault, &str)]) {
    let differing = report.tables.iter().find(|verified| !verified.equal()).unwrap();
    assert_eq!(differing.source, table, "{sql}");
    if wanted.is_empty() {
        let values = differing.values.unwrap();
        assert_eq!((values.missing, values.extra, values.different), (700, 0, 0), "{sql}");
        assert_eq!(report.differences.len(), 10, "{sql}");
        return;
    }
    assert_eq!(report.differences.len(), wanted.len(), "{sql}: {:#?}", report.differences);
    for (row, (fault, column)) in report.differences.iter().zip(wanted) {
        assert_eq!(row.fault, *fault, "{sql}: {row:#?}");
        assert_eq!(row.table, table, "{sql}");
        if *fault == RowFault::Different {
            let columns: Vec<&str> = row.columns.iter().map(|one| one.column.as_str()).collect();
            assert_eq!(columns.join(","), *column, "{sql}: {row:#?}");
            assert!(!row.key.is_empty(), "{sql}: {row:#?}");
            assert_ne!(row.columns[0].source, row.columns[0].target, "{sql}: {row:#?}");
        }
    }
}

#[test]
fn every_planted_fault_is_found_by_hashes() {
    plant_all(VerifyLevel::Hashes);
}

#[test]
fn every_planted_fault_is_found_by_the_values() {
    plant_all(VerifyLevel::Full);
}
