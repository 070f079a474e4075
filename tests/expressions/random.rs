//! Random expressions over a table with every storage class, NULLs among them.
//!
//! The generator knows SQLite's grammar and nothing of the translator: it mixes classes where no
//! sane schema would. Most of what it makes is refused; what is not must be right.

use crate::support::generate::Random;

use super::both::{Bench, Verdict};

/// Columns of every class that a mapping gives, with values at the edges.
const TABLE: &str = "
    CREATE TABLE t (
      id INTEGER PRIMARY KEY, i INTEGER, k INT, n INTEGER NOT NULL, big INTEGER, r REAL, q DOUBLE,
      s TEXT, s2 VARCHAR(40), nc TEXT COLLATE NOCASE, rt TEXT COLLATE RTRIM, b BOOLEAN,
      is_on INTEGER NOT NULL, m DECIMAL(12,3), x BLOB, d TIMESTAMP, day DATE, ds TEXT, j JSON, e,
      word DATETIME);
    INSERT INTO t VALUES
     (1, 10, 3, 1, 9007199254740993, 2.5, 1e15, 'abc', 'b', 'ABC', 'a  ', 1, 1, 12.345, x'00ff', '2024-01-31 10:20:30', '2024-01-31', '2024-05-05 01:02:03', '{\"a\": 1, \"b\": \"x\", \"l\": [1, \"y\"]}', 'e', 'x1'),
     (2, -7, 0, -1, -9223372036854775807, -1.0, 0.1, 'ABC', '', 'abc', 'a', 0, 0, -3, x'', '2023-12-31 23:59:59', '2023-12-31', '1999-12-31', '{\"a\": 2.5, \"b\": true, \"l\": []}', 'E', 'x2'),
     (3, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
     (4, 0, -2, 5, 0, 0.0, -2.675, '', '10', '', '', 1, 0, 0.5, x'61', '2000-02-29 00:00:00', '2000-02-29', '2000-02-29', '{\"a\": \"text\", \"b\": null}', '', 'y'),
     (5, 1, 64, 100, 1, 1234567.5, 3.5, 'Éa_b%c\\', ' x ', 'é', ' b ', 0, 1, 100, x'6162', '2024-02-29 12:00:00', '2024-02-29', '2024-02-29 12:00:00.5', '{\"a\": false}', 'é', 'z'),
     (6, 2147483648, 1, 7, 123456789012345678, 123456789.125, -0.5, '10', '1.5', '10', '10', NULL, 0, 2.675, x'ff', '2024-12-30 00:00:01', '2024-12-30', '2024-12-30 00:00:01', '{}', '10', 'w'),
     (7, 7, 7, 7, 7, 7.0, 2.0, 'it''s', 'a', 'It''S', 'a ', 1, 1, 7.0, x'27', '2001-01-01 00:00:00', '2001-01-01', '2001-01-01 00:00', '{\"a\": -3}', 'a', 'v');";

const COLUMNS: [&str; 21] = [
    "id", "i", "k", "n", "big", "r", "q", "s", "s2", "nc", "rt", "b", "is_on", "m", "x", "d",
    "day", "ds", "j", "e", "word",
];
const CONSTANTS: [&str; 33] = [
    "0",
    "1",
    "2",
    "-1",
    "5",
    "10",
    "64",
    "0x1F",
    "2147483647",
    "9007199254740993",
    "0.5",
    "2.5",
    "-1.0",
    "1e3",
    "1e20",
    "''",
    "'a'",
    "'abc'",
    "'10'",
    "'1.5'",
    "'é'",
    "' '",
    "'it''s'",
    "x'61'",
    "NULL",
    "TRUE",
    "FALSE",
    "\"dq\"",
    "'2024-01-31'",
    "'2024-02'",
    "'2024-02-29 12:00:00'",
    "'%'",
    "9223372036854775807",
];
const BINARY: [&str; 23] = [
    "=", "==", "<>", "!=", "<", "<=", ">", ">=", "IS", "IS NOT", "+", "-", "*", "/", "%", "&", "|",
    "<<", ">>", "||", "AND", "OR", "=",
];
const PATTERNS: [&str; 12] = [
    "'a%'",
    "'%B%'",
    "'_b_'",
    "'%\\%'",
    "'É%'",
    "'%'",
    "''",
    "s2",
    "'a!_%' ESCAPE '!'",
    "'1%'",
    "'%c\\'",
    "'e%' ESCAPE 'e'",
];
const GLOBS: [&str; 9] = [
    "'a*'",
    "'?b?'",
    "'[a-c]*'",
    "'[^a-c]*'",
    "'*[%_]*'",
    "'[]a]*'",
    "'A[A-Z]C'",
    "'[z-a]'",
    "'*\\'",
];

struct Maker(Random);

impl Maker {
    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.0.below(u32::try_from(words.len()).unwrap()) as usize]
    }

    fn expression(&mut self, depth: u32) -> String {
        if depth == 0 {
            return if self.0.below(3) == 0 { self.pick(&CONSTANTS) } else { self.pick(&COLUMNS) }
                .to_owned();
        }
        match self.0.below(16) {
            0..=4 => {
                let op = self.pick(&BINARY);
                let (left, right) = (self.below(depth), self.below(depth));
                format!("({left}) {op} ({right})")
            }
            5 => {
                let (op, of) = (self.pick(&["-", "+", "~", "NOT "]), self.below(depth));
                format!("{op}({of})")
            }
            6 => {
                let (of, a, b) = (self.below(depth), self.below(depth), self.below(depth));
                let not = self.pick(&["", "NOT "]);
                format!("({of}) {not}BETWEEN ({a}) AND ({b})")
            }
            7 => {
                let of = self.below(depth);
                let not = self.pick(&["", "NOT "]);
                let list: Vec<String> = (0..self.0.below(4)).map(|_| self.below(depth)).collect();
                format!("({of}) {not}IN ({})", list.join(", "))
            }
            8 => {
                let of = self.below(depth);
                let not = self.pick(&["", "NOT "]);
                if self.0.below(2) == 0 {
                    format!("({of}) {not}LIKE {}", self.pick(&PATTERNS))
                } else {
                    format!("({of}) {not}GLOB {}", self.pick(&GLOBS))
                }
            }
            9 => {
                let test = self.pick(&["IS NULL", "NOT NULL", "IS TRUE", "IS NOT FALSE", "ISNULL"]);
                format!("({}) {test}", self.below(depth))
            }
            10 => {
                let base = if self.0.below(2) == 0 { self.below(depth) } else { String::new() };
                let (when, then) = (self.below(depth), self.below(depth));
                let base = if base.is_empty() { base } else { format!("({base})") };
                let other = if self.0.below(3) > 0 {
                    format!("ELSE {}", self.below(depth))
                } else {
                    String::new()
                };
                format!("CASE {base} WHEN {when} THEN {then} {other} END")
            }
            11 => {
                let to = self.pick(&["INTEGER", "REAL", "TEXT", "NUMERIC", "BLOB"]);
                format!("CAST({} AS {to})", self.below(depth))
            }
            12 => {
                let collation = self.pick(&["NOCASE", "BINARY", "RTRIM"]);
                format!("({}) COLLATE {collation}", self.below(depth))
            }
            _ => self.call(depth),
        }
    }

    fn below(&mut self, depth: u32) -> String {
        let depth = self.0.below(depth);
        self.expression(depth)
    }

    fn call(&mut self, depth: u32) -> String {
        let name = self.pick(&[
            "abs(#)",
            "round(#)",
            "round(#, 2)",
            "length(#)",
            "lower(#)",
            "upper(#)",
            "trim(#)",
            "ltrim(#, 'a')",
            "substr(#, 2)",
            "substr(#, -2)",
            "substr(#, -3, 2)",
            "substr(#, 1, instr(#, 'b'))",
            "substr(#, k)",
            "substr(#, 3, -2)",
            "instr(#, #)",
            "replace(#, 'b', 'Z')",
            "hex(#)",
            "quote(#)",
            "typeof(#)",
            "ifnull(#, #)",
            "coalesce(#, #, #)",
            "nullif(#, #)",
            "iif(#, #, #)",
            "min(#, #)",
            "max(#, #)",
            "sign(#)",
            "unicode(#)",
            "date(#)",
            "datetime(#)",
            "time(#)",
            "strftime('%Y-%m', #)",
            "strftime('%W %j %w %u', #)",
            "date(#, '+1 month')",
            "date(#, 'start of month', '-1 day')",
            "date(#, 'weekday 2')",
            "unixepoch(#)",
            "julianday(#)",
            "datetime(k, 'unixepoch')",
            "json_extract(j, '$.a')",
            "json_extract(j, '$.l[0]')",
            "j ->> '$.b'",
            "json_type(j, '$.a')",
            "json_array_length(j, '$.l')",
            "json_valid(j)",
            "printf('%d|%s', #, #)",
            "printf('%.2f', #)",
            "printf('%05d', #)",
            "concat(#, #)",
            "likely(#)",
            "octet_length(#)",
            "char(65, 233)",
            "zeroblob(2)",
            "json_extract(j, '$.a') # 1",
            "strftime('%s', #)",
            "strftime('%G-%V', #)",
            "(i, #) = (1, #)",
        ]);
        let mut out = String::new();
        for c in name.chars() {
            if c == '#' {
                if out.ends_with("') ") {
                    out.push_str(self.pick(&["=", "<", ">", "<>", "IS"]));
                } else {
                    out.push_str(&self.below(depth));
                }
            } else {
                out.push(c);
            }
        }
        out
    }
}

const AGGREGATES: [&str; 18] = [
    "count(*)",
    "count(#)",
    "count(DISTINCT #)",
    "sum(#)",
    "total(#)",
    "avg(#)",
    "min(#)",
    "max(#)",
    "group_concat(#, '-')",
    "sum(#) FILTER (WHERE #)",
    "json_group_array(#)",
    "max(#) + 1",
    "# || 'x'",
    "count(*) > 2",
    "ifnull(sum(#), 0)",
    "round(avg(#), 2)",
    "min(length(#))",
    "group_concat(id)",
];

impl Maker {
    /// A query over the table, as a view could have it; every one names its order, for SQLite's is
    /// not promised.
    fn query(&mut self) -> String {
        let filter = if self.0.below(2) == 0 {
            format!(" WHERE {}", self.expression(2))
        } else {
            String::new()
        };
        match self.0.below(8) {
            0 | 1 => {
                let (a, b) = (self.expression(2), self.expression(2));
                let by = self.pick(&COLUMNS);
                let way = self.pick(&["", " DESC", " NULLS LAST", " COLLATE NOCASE"]);
                format!("SELECT id, {a} AS a, {b} FROM t{filter} ORDER BY {by}{way}, id LIMIT 5")
            }
            2 => {
                let (group, aggregate) = (self.expression(1), self.aggregate());
                format!("SELECT {group} AS g, {aggregate} FROM t{filter} GROUP BY g ORDER BY 1")
            }
            3 => format!("SELECT {}, {} FROM t{filter}", self.aggregate(), self.aggregate()),
            4 => {
                let (column, op) = (self.pick(&COLUMNS), self.pick(&["=", "<>", "IS"]));
                let other = self.pick(&COLUMNS);
                let join = self.pick(&["JOIN", "LEFT JOIN"]);
                format!(
                    "SELECT a.id, b.id FROM t a {join} t b ON a.{column} {op} b.{other} ORDER BY a.id, b.id"
                )
            }
            5 => {
                let (of, column) = (self.expression(1), self.pick(&COLUMNS));
                let not = self.pick(&["", "NOT "]);
                format!(
                    "SELECT id FROM t WHERE ({of}) {not}IN (SELECT {column} FROM t) ORDER BY id"
                )
            }
            6 => {
                let word = self.pick(&["UNION", "UNION ALL", "EXCEPT", "INTERSECT"]);
                let (a, b) = (self.expression(1), self.expression(1));
                format!("SELECT {a} AS x FROM t {word} SELECT {b} FROM t ORDER BY 1")
            }
            _ => {
                let (a, b) = (self.expression(1), self.expression(1));
                format!(
                    "SELECT id, x, {b}, (SELECT max(i) FROM t u WHERE u.id <= q.id) FROM (SELECT *, {a} AS x FROM t) q ORDER BY id"
                )
            }
        }
    }

    fn aggregate(&mut self) -> String {
        let mut out = String::new();
        for c in self.pick(&AGGREGATES).chars() {
            if c == '#' { out.push_str(&self.expression(1)) } else { out.push(c) }
        }
        out
    }
}

#[test]
fn random_queries_are_right_or_refused() {
    let (count, seed) = (knob("LITELIFT_EXPRESSIONS", 1_500), knob("LITELIFT_EXPRESSIONS_SEED", 1));
    let bench = Bench::new(TABLE);
    let mut maker = Maker(Random::new(u64::from(seed) + 1000));
    let (mut right, mut refused) = (0, 0);
    let mut wrong = Vec::new();
    for _ in 0..count {
        let text = maker.query();
        match bench.query(&text, "eq") {
            Verdict::Right => right += 1,
            Verdict::Refused(_) => refused += 1,
            Verdict::OutOfRange | Verdict::NoValue(_) => {}
            Verdict::Wrong(what) => wrong.push(what),
        }
    }
    let figures = format!("{right} right, {refused} refused of {count}");
    assert!(wrong.is_empty(), "{} wrong, {figures}\n{}", wrong.len(), wrong.join("\n"));
    assert!(right > count / 10, "{figures}");
}

fn knob(name: &str, otherwise: u32) -> u32 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn random_expressions_are_right_or_refused() {
    let (count, seed) = (knob("LITELIFT_EXPRESSIONS", 3_000), knob("LITELIFT_EXPRESSIONS_SEED", 1));
    let bench = Bench::new(TABLE);
    let mut maker = Maker(Random::new(u64::from(seed)));
    let (mut right, mut refused, mut range, mut none) = (0, 0, 0, 0);
    let mut wrong = Vec::new();
    let mut reasons = std::collections::BTreeMap::new();
    for _ in 0..count {
        let depth = 1 + maker.0.below(3);
        let text = maker.expression(depth);
        match bench.expression(&text, "eq") {
            Verdict::Right => right += 1,
            Verdict::Refused(reason) => {
                *reasons.entry(reason).or_insert(0) += 1;
                refused += 1;
            }
            Verdict::OutOfRange => range += 1,
            Verdict::NoValue(_) => none += 1,
            Verdict::Wrong(what) => wrong.push(what),
        }
    }
    let figures =
        format!("{right} right, {refused} refused, {range} out of range, {none} without a value");
    if std::env::var("LITELIFT_EXPRESSIONS_REASONS").is_ok() {
        let mut reasons: Vec<_> = reasons.into_iter().collect();
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        panic!("{figures}\n{reasons:#?}");
    }
    assert!(wrong.is_empty(), "{} wrong, {figures}\n{}", wrong.len(), wrong.join("\n"));
    assert!(right > count / 10, "{figures}");
}
