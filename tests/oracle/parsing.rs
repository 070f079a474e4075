//! The fuzz targets of what parses, for a moment and without a fuzzer: real texts, mutated.

use super::parsers;
use crate::support::generate::Random;

const CREATE_TEXTS: [&str; 9] = [
    "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT NOT NULL DEFAULT 'x''y' CHECK (length(a) > 3), b REAL UNIQUE ON CONFLICT REPLACE, c AS (a || b) STORED)",
    "CREATE TABLE \"a b\"([x y] INT, `z` NUMERIC(10, 2), FOREIGN KEY ([x y]) REFERENCES p(id) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED) WITHOUT ROWID, STRICT",
    "CREATE TABLE e (k TEXT CHECK (k IN ('a', 'b', NULL)), n INT DEFAULT (1 + 2 * -3), PRIMARY KEY (k COLLATE NOCASE DESC, n)) /* end */",
    "CREATE UNIQUE INDEX i ON t (lower(a), b DESC, c COLLATE RTRIM) WHERE b IS NOT NULL AND c BETWEEN 1 AND 2",
    "CREATE VIEW v (x, y) AS WITH q AS (SELECT a, count(*) FROM t GROUP BY 1 HAVING count(*) > 1) SELECT q.*, CASE a WHEN 1 THEN 'one' ELSE CAST(a AS TEXT) END FROM q LEFT JOIN t USING (a) ORDER BY 1 LIMIT 5 OFFSET 2",
    "CREATE VIRTUAL TABLE f USING fts5(title, body, content='t', tokenize = \"porter unicode61\")",
    "CREATE TRIGGER g AFTER UPDATE OF a ON t WHEN old.a <> new.a BEGIN UPDATE t SET b = 1 WHERE id = new.id; END",
    "coalesce(nullif(trim(a), ''), x'00ff', 1.5e-3, date('now', '-1 day'), json_extract(a, '$.b[0]'))",
    "((((((((((((((((1))))))))))))))))",
];
const TYPE_MAPS: [&str; 3] = [
    "table,column,declared,evidence,pg_type,convert,note\nusers,is_*,*,bool01,boolean,plain,\n*,*,JSON,json_object,jsonb,json or null,why\n# comment\n",
    "table,column,declared,evidence,pg_type,convert,note\n*,at,*,*,timestamptz,epoch_ms or reject,\"a, b\"\norders,status,*,*,enum(order_status),enum:keep,\n*,price,*,*,\"numeric(12,2)\",plain,\n",
    "note,table,column,declared,evidence,pg_type,convert\r\n,t,tags,*,*,text[],array_json,\r\n",
];
const URLS: [&str; 6] = [
    "postgresql://ann:*@db.example:5432/shop?sslmode=disable&application_name=*",
    "postgres://ann:%2A@[::1]:5432,other/shop?connect_timeout=3&options=-c%20a%3D*",
    "host=/tmp user=ann password=* dbname='sh op' keepalives_idle=3",
    "postgresql:///shop?host=/var/run&user=*&target_session_attrs=read-write",
    "host=a,b port=5432,5433 password='a\\'*' channel_binding=require",
    "jdbc:postgresql://u:*@h/d",
];
/// What mutations put in: what parsers stumble over.
const PIECES: [&str; 30] = [
    "'",
    "\"",
    "(",
    ")",
    ",",
    ";",
    "--",
    "/*",
    "*/",
    "\0",
    "\n",
    "\r\n",
    "é",
    "\u{feff}",
    "%",
    "%zz",
    "@",
    "#",
    "?",
    "=",
    "\\",
    "[",
    "]",
    "`",
    "NULL",
    "SELECT",
    "9999999999999999999",
    "x'",
    "*",
    "://",
];

/// A text with some of its bytes doubled, dropped, moved or changed.
fn mutated(random: &mut Random, texts: &[&str]) -> Vec<u8> {
    let mut text =
        texts[random.below(u32::try_from(texts.len()).unwrap()) as usize].as_bytes().to_vec();
    for _ in 0..random.below(6) {
        let place = |random: &mut Random, text: &[u8]| {
            random.below(u32::try_from(text.len()).unwrap() + 1) as usize
        };
        let (a, b) = (place(random, &text), place(random, &text));
        let (from, to) = (a.min(b), a.max(b));
        match random.below(5) {
            0 => drop(text.drain(from..to.min(from + 20))),
            1 => {
                let piece = PIECES[random.below(30) as usize].as_bytes();
                text.splice(from..from, piece.iter().copied());
            }
            2 => {
                let piece = text[from..to.min(from + 40)].to_vec();
                text.splice(from..from, piece);
            }
            3 if from < text.len() => text[from] = u8::try_from(random.below(256)).unwrap(),
            _ => text.truncate(to.max(1)),
        }
    }
    text
}

#[test]
fn what_the_fuzzer_checks_of_parsers_holds() {
    let mut random = Random::new(11);
    for _ in 0..4_000 {
        parsers::create_texts(&mutated(&mut random, &CREATE_TEXTS));
        parsers::type_maps(&mutated(&mut random, &TYPE_MAPS));
        parsers::urls(&mutated(&mut random, &URLS));
    }
    // What is given here is read: a change that refuses it all would make the rest prove nothing.
    for text in TYPE_MAPS {
        parsers::type_maps(text.as_bytes());
    }
}
