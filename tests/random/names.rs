//! Names as people and programs choose them, and some that nobody would.

use std::collections::BTreeSet;

use super::Dice;

/// Plain, reserved, quoted, taken by PostgreSQL, and those that PostgreSQL's own names look like.
const WORDS: [&str; 79] = [
    "x\"; DROP TABLE safe.canary; --",
    "'; DROP TABLE safe.canary; --",
    "$$; DROP TABLE safe.canary; --",
    "*/ DROP TABLE safe.canary; /*",
    "\n; DROP TABLE safe.canary;\n",
    "id",
    "name",
    "value",
    "user",
    "order",
    "group",
    "select",
    "table",
    "from",
    "where",
    "Order",
    "camelCase",
    "PascalCase",
    "UPPER",
    "created_at",
    "is_active",
    "uuid",
    "data",
    "key",
    "index",
    "default",
    "check",
    "primary",
    "references",
    "constraint",
    "limit",
    "end",
    "desc",
    "analyze",
    "window",
    "current_user",
    "session_user",
    "authorization",
    "oid",
    "ctid",
    "xmin",
    "xmax",
    "cmin",
    "cmax",
    "tableoid",
    "XMIN",
    "rowid",
    "_rowid_",
    "Rowid",
    "t_pkey",
    "a_key",
    "t_id_seq",
    "t_fkey",
    "pg_class",
    "pg_temp",
    "litelift",
    "public",
    "a b",
    " lead",
    "trail ",
    "tab\there",
    "new\nline",
    "a.b",
    "a\"b",
    "a'b",
    "a`b",
    "a;b--c",
    "/*c*/",
    "%s",
    "$1",
    ":x",
    "?",
    "\\",
    "größe",
    "ИМЯ",
    "名前",
    "😀",
    "e\u{301}",
    "\u{200b}",
];

/// Hands out names that differ from each other for SQLite, which ignores the case of ASCII.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    pub(super) fn take(&mut self, dice: &mut Dice) -> String {
        loop {
            let name = any(dice);
            if self.0.insert(name.to_ascii_lowercase()) {
                return name;
            }
        }
    }
}

fn any(dice: &mut Dice) -> String {
    match dice.below(12) {
        0..=4 => format!("c{}", dice.below(60)),
        5..=8 => dice.pick(&WORDS).to_owned(),
        9 => format!("{}_{}", dice.pick(&WORDS), dice.pick(&WORDS)),
        // Around PostgreSQL's 63 bytes, and alike at the beginning.
        10 => {
            let length = dice.pick(&[55, 56, 57, 61, 62, 63, 64, 65, 100, 200]);
            let head = dice.pick(&["x", "é", "名", "😀", "ab"]);
            let mut name = head.repeat(200);
            while name.len() > length {
                name.pop();
            }
            if dice.one_in(2) {
                name.push(char::from(b'a' + dice.byte() % 26));
            }
            name
        }
        _ => {
            if dice.one_in(20) {
                String::new()
            } else {
                (0..=dice.below(9)).map(|_| dice.char()).filter(|c| *c != '\0').collect()
            }
        }
    }
}

/// A name in one of SQLite's ways to quote.
pub(super) fn quoted(name: &str, dice: &mut Dice) -> String {
    let plain = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        && name.len() > 9;
    match dice.below(5) {
        0 if !name.contains(']') && !name.is_empty() => format!("[{name}]"),
        1 => format!("`{}`", name.replace('`', "``")),
        2 if plain => name.to_owned(),
        _ => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}
