//! The collected expressions.

use serde_json::Value;

use super::both::{Bench, Verdict};

/// Six rows: NULL, negative, empty and non-ASCII values.
pub(super) const TABLE: &str = "
    CREATE TABLE t (
      id INTEGER PRIMARY KEY, i INTEGER, k INTEGER, u INTEGER, r REAL, h REAL, s TEXT, s2 TEXT,
      d TIMESTAMP, b BOOLEAN, j JSON, x BLOB);
    INSERT INTO t VALUES
      (1, 10, 0, 1700000000, 2.5, 0.5, 'abc', 'xxy', '2024-01-31 10:20:30.123', 1,
       '{\"a\": 1, \"n\": {\"m\": \"v\"}, \"l\": [1, 2], \"t\": true}', x'00ff'),
      (2, -7, 3, 0, -1.0, 1.5, 'ABC', '', '2023-12-31 23:59:59.999', 0,
       '{\"a\": 2.5, \"n\": {\"m\": \"w\"}, \"l\": [], \"t\": false}', x''),
      (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
      (4, 1, -2, 951782400, 1e15, 2.5, '', 'xé', '2000-02-29 00:00:00.000', 1,
       '{\"a\": \"text\", \"l\": [5, 6, 7]}', x'61'),
      (5, 2, 5, 1709164800, 0.1, -2.5, 'Éa_b', 'b', '2024-02-29 12:00:00.500', 0,
       '{\"a\": null}', x'6162'),
      (6, 0, 1, 4102444799, 123456.789, -0.5, '10', 'ab', '1999-12-31 00:00:01.007', NULL, '{}', NULL);";

fn case_list() -> Vec<(String, String, String)> {
    let cases: Vec<Value> = serde_json::from_str(include_str!("cases.json")).unwrap();
    let text = |case: &Value, field: &str| case[field].as_str().unwrap().to_owned();
    cases
        .iter()
        .map(|case| (text(case, "sqlite"), text(case, "kind"), text(case, "mode")))
        .collect()
}

#[test]
fn the_collected_expressions_are_right_or_refused() {
    let bench = Bench::new(TABLE);
    let (mut right, mut refused, mut wrong) = (0, Vec::new(), Vec::new());
    for (text, kind, mode) in case_list() {
        let verdict = match kind.as_str() {
            "expr" => bench.expression(&text, &mode),
            "agg" => bench.query(&format!("SELECT {text} FROM t"), &mode),
            _ => bench.query(&text, &mode),
        };
        match verdict {
            Verdict::Right => right += 1,
            Verdict::Refused(reason) => refused.push(format!("{text}: {reason}")),
            Verdict::NoValue(error) => refused.push(format!("{text}: SQLite: {error}")),
            Verdict::Wrong(what) => wrong.push(what),
            Verdict::OutOfRange => wrong.push(format!("{text}: out of range")),
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!((right, refused.len()), (174, 6), "{}", refused.join("\n"));
    insta::assert_snapshot!(refused.join("\n"), @r"
    s + 1: text is taken for a number
    s REGEXP '^a': REGEXP is a function of the application, with its own syntax
    power(i,2): SQLite: no such function: power in SELECT power(i,2) FROM t ORDER BY id at offset 7
    log(100): SQLite: no such function: log in SELECT log(100) FROM t ORDER BY id at offset 7
    SELECT k, s, max(i) FROM t WHERE k NOT NULL GROUP BY k ORDER BY k: a column stands beside an aggregate that GROUP BY does not name: SQLite takes it from any row
    SELECT je.value FROM t, json_each(t.j, '$.l') AS je WHERE t.id=1: the rows of function json_each
    ");
}
