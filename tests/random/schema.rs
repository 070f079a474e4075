//! CREATE statements by a grammar.

use super::Dice;
use super::names::{Names, quoted};
use super::samples::{COLLATIONS, DEFAULTS, INTEGERS, REALS, STRICT_TYPES, TYPES};
use super::values::{FLAVOURS, Flavour};

/// A column as it was declared.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) flavour: Flavour,
    /// One value of so many is of another flavour; 0: none.
    pub(super) purity: u32,
    pub(super) generated: bool,
}

/// A table as it was declared.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    pub(super) sql: String,
    /// Whether an explicit rowid can be given, and by which name.
    pub(super) rowid: Option<String>,
}

pub(super) fn table(names: &mut Names, earlier: &[Table], dice: &mut Dice) -> Table {
    let mut own = Names::default();
    let most = if dice.one_in(10) { 40 } else { 8 };
    let count = 1 + dice.below(most);
    let strict = dice.one_in(10);
    let mut columns: Vec<Column> = Vec::new();
    let mut lines = Vec::new();
    let key_alone = dice.below(6);
    for position in 0..count {
        let flavour = dice.pick(&FLAVOURS);
        let purity = dice.pick(&[0, 0, 0, 20, 5, 2]);
        let generated = position > 0 && dice.one_in(12);
        let column = Column { name: own.take(dice), flavour, purity, generated };
        let key = (position == 0 && !generated).then_some(key_alone);
        lines.push(column_line(&column, &columns, key, strict, earlier, dice));
        columns.push(column);
    }
    let has_key = key_alone < 3;
    let without_rowid = !strict && dice.one_in(8);
    if !has_key && (without_rowid || dice.one_in(3)) {
        let listed = some_columns(&columns, dice, true);
        lines.push(format!("{}PRIMARY KEY ({listed})", constraint(dice)));
    }
    for _ in 0..dice.below(3) {
        lines.extend(table_constraint(&columns, earlier, dice));
    }
    let name = names.take(dice);
    let mut sql = format!("CREATE TABLE {} ({})", quoted(&name, dice), lines.join(gap(dice)));
    match (strict, without_rowid && (!has_key || key_alone > 0)) {
        (true, true) => sql.push_str(" STRICT, WITHOUT ROWID"),
        (true, false) => sql.push_str(" STRICT"),
        (false, true) => sql.push_str(" WITHOUT ROWID"),
        (false, false) => {}
    }
    let rowid = ["rowid", "_rowid_", "oid"]
        .into_iter()
        .find(|name| !columns.iter().any(|column| column.name.eq_ignore_ascii_case(name)));
    let rowid = rowid.filter(|_| !sql.ends_with("ROWID") && key_alone > 2).map(str::to_owned);
    Table { name, columns, sql, rowid }
}

fn gap(dice: &mut Dice) -> &'static str {
    dice.pick(&[", ", ",", ",\n  ", " , -- a comment, with (\n", " /* c */ , "])
}

fn constraint(dice: &mut Dice) -> String {
    if dice.one_in(4) {
        let name = Names::default().take(dice);
        return format!("CONSTRAINT {} ", quoted(&name, dice));
    }
    String::new()
}

/// What an INSERT that breaks the constraint does; PostgreSQL has no such clause.
fn conflict(dice: &mut Dice) -> String {
    let clause = dice.pick(&["ROLLBACK", "ABORT", "FAIL", "IGNORE", "REPLACE"]);
    if dice.one_in(8) { format!(" ON CONFLICT {clause}") } else { String::new() }
}

fn column_line(
    column: &Column,
    before: &[Column],
    key: Option<u32>,
    strict: bool,
    earlier: &[Table],
    dice: &mut Dice,
) -> String {
    let name = quoted(&column.name, dice);
    let declared = if strict { dice.pick(&STRICT_TYPES) } else { declared(column, dice) };
    if column.generated {
        let of = quoted(&dice.pick_ref(before).name, dice);
        let stored = dice.pick(&["", " STORED", " VIRTUAL"]);
        return format!("{name} {declared} AS ({}){stored}", expression(&of, dice));
    }
    let mut line = match key {
        Some(0) => format!("{name} INTEGER PRIMARY KEY"),
        Some(1) => format!("{name} {declared} PRIMARY KEY"),
        Some(2) => {
            format!("{name} INTEGER PRIMARY KEY {}", dice.pick(&["AUTOINCREMENT", "DESC", "ASC"]))
        }
        _ => format!("{name} {declared}"),
    };
    if dice.one_in(8) {
        line.push_str(&format!(" NOT NULL{}", conflict(dice)));
    }
    if dice.one_in(10) {
        line.push_str(&format!(" {}UNIQUE{}", constraint(dice), conflict(dice)));
    }
    if dice.one_in(4) {
        line.push_str(&format!(" DEFAULT {}", default(dice)));
    }
    if dice.one_in(10) {
        line.push_str(&format!(" COLLATE {}", dice.pick(&COLLATIONS)));
    }
    if dice.one_in(14) {
        line.push_str(&format!(
            " {}CHECK ({name} IS NULL OR length({name}) < 100000)",
            constraint(dice)
        ));
    }
    if !earlier.is_empty() && dice.one_in(6) {
        line.push_str(&format!(" {}{}", constraint(dice), references(1, earlier, dice)));
    }
    line
}

/// Half of the columns are declared as their values are.
fn declared(column: &Column, dice: &mut Dice) -> &'static str {
    if dice.one_in(12) {
        return "";
    }
    let fitting: &[&str] = match column.flavour {
        Flavour::SmallIntegers | Flavour::Integers => &["INTEGER", "BIGINT", "INT", "DECIMAL(10)"],
        Flavour::Bools | Flavour::BoolWords => &["BOOLEAN", "bool", "TINYINT(1)"],
        Flavour::Reals => &["REAL", "DOUBLE", "FLOAT"],
        Flavour::Decimals => &["DECIMAL(10,2)", "NUMERIC(12,4)", "MONEY", "NUMERIC"],
        Flavour::Dates => &["DATE", "DATETIME"],
        Flavour::Times => &["TIME"],
        Flavour::Timestamps => &["DATETIME", "TIMESTAMP", "DATE"],
        Flavour::Zoned => &["TIMESTAMP WITH TIME ZONE", "DATETIME"],
        Flavour::Json => &["JSON", "JSONB", "TEXT"],
        Flavour::Uuids => &["UUID", "GUID", "CHAR(36)", "uniqueidentifier"],
        Flavour::Blobs => &["BLOB", "VARBINARY(16)"],
        Flavour::Words => &["TEXT", "VARCHAR(80)", "VARCHAR(255)", "CLOB"],
        Flavour::Digits => &["TEXT", "VARCHAR(20)", "NUMERIC"],
        Flavour::Chaos | Flavour::Nulls => &TYPES,
    };
    if dice.one_in(2) { dice.pick(fitting) } else { dice.pick(&TYPES) }
}

fn default(dice: &mut Dice) -> String {
    match dice.below(6) {
        0 => dice.pick(&INTEGERS).to_string(),
        1 => format!("{:?}", dice.pick(&REALS)).replace("inf", "1e999"),
        _ => dice.pick(&DEFAULTS).to_owned(),
    }
}

fn expression(of: &str, dice: &mut Dice) -> String {
    match dice.below(9) {
        0 => format!("{of} || '!'"),
        1 => format!("length({of})"),
        2 => format!("{of} + 1"),
        3 => format!("json_extract({of}, '$.a')"),
        4 => format!("abs({of})"),
        5 => format!("coalesce({of}, 'none')"),
        6 => format!("hex({of})"),
        7 => format!("CASE WHEN {of} > 5 THEN 'big' END"),
        _ => format!("substr({of}, 1, 2)"),
    }
}

/// A generated column that came when the rows were there: nothing ever computed its values.
pub(super) fn late_column(table: &Table, dice: &mut Dice) -> Option<String> {
    let of = quoted(&dice.pick_ref(&table.columns).name, dice);
    let added = format!(
        "ALTER TABLE {} ADD COLUMN late AS ({})",
        quoted(&table.name, dice),
        expression(&of, dice)
    );
    dice.one_in(8).then_some(added)
}

fn some_columns(columns: &[Column], dice: &mut Dice, directed: bool) -> String {
    let plain: Vec<&Column> = columns.iter().filter(|column| !column.generated).collect();
    let count = 1 + dice.below(3);
    let mut listed: Vec<String> = Vec::new();
    for _ in 0..count {
        let mut term = quoted(&dice.pick_ref(&plain).name, dice);
        if directed && dice.one_in(8) {
            term.push_str(&format!(" COLLATE {}", dice.pick(&COLLATIONS)));
        }
        if directed && dice.one_in(5) {
            term.push_str(" DESC");
        }
        listed.push(term);
    }
    listed.join(", ")
}

fn references(count: u32, earlier: &[Table], dice: &mut Dice) -> String {
    let parent = dice.pick_ref(earlier);
    let name = if dice.one_in(15) { "nowhere".to_owned() } else { parent.name.clone() };
    let mut text = format!("REFERENCES {}", quoted(&name, dice));
    if !dice.one_in(3) {
        let columns: Vec<String> = (0..count)
            .map(|position| {
                // The first column is the one that is likely to be unique.
                let first = position == 0 && !dice.one_in(4);
                let column =
                    if first { &parent.columns[0] } else { dice.pick_ref(&parent.columns) };
                quoted(&column.name, dice)
            })
            .collect();
        text.push_str(&format!(" ({})", columns.join(", ")));
    }
    for when in ["UPDATE", "DELETE"] {
        if dice.one_in(3) {
            let action =
                dice.pick(&["CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT", "NO ACTION"]);
            text.push_str(&format!(" ON {when} {action}"));
        }
    }
    if dice.one_in(10) {
        text.push_str(dice.pick(&[" MATCH FULL", " MATCH SIMPLE", " MATCH PARTIAL"]));
    }
    if dice.one_in(4) {
        text.push_str(dice.pick(&[
            " DEFERRABLE",
            " DEFERRABLE INITIALLY DEFERRED",
            " NOT DEFERRABLE",
        ]));
    }
    text
}

fn table_constraint(columns: &[Column], earlier: &[Table], dice: &mut Dice) -> Option<String> {
    let head = constraint(dice);
    match dice.below(5) {
        0 | 1 => {
            let listed = some_columns(columns, dice, true);
            Some(format!("{head}UNIQUE ({listed}){}", conflict(dice)))
        }
        2 => Some(format!("{head}CHECK (1 = 1)")),
        3 if !earlier.is_empty() => {
            let listed = some_columns(columns, dice, false);
            let count = u32::try_from(listed.matches(", ").count() + 1).unwrap_or(1);
            Some(format!("{head}FOREIGN KEY ({listed}) {}", references(count, earlier, dice)))
        }
        _ => None,
    }
}

/// Virtual tables with rows of their own, and an index over those of another table.
pub(super) fn virtual_tables(names: &mut Names, tables: &[Table], dice: &mut Dice) -> Vec<String> {
    let mut all = Vec::new();
    let mut make = |module: &str, rows: &str, dice: &mut Dice| {
        let name = quoted(&names.take(dice), dice);
        all.push(format!("CREATE VIRTUAL TABLE {name} USING {module}"));
        all.push(format!("INSERT INTO {name} VALUES {rows}"));
    };
    if dice.one_in(3) {
        make("fts5(a, b UNINDEXED)", "('it''s', 1), ('b', NULL), (NULL, x'00')", dice);
    }
    if dice.one_in(4) {
        make("fts4(a, b)", "('x', 'y')", dice);
    }
    if dice.one_in(3) {
        make("rtree(id, x0, x1, y0, y1)", "(1, 0, 1.5, -3, 4), (-7, 2, 2, 2, 2)", dice);
    }
    if let Some(table) = tables.first().filter(|_| dice.one_in(3)) {
        let (of, column) = (table.name.replace('\'', "''"), &table.columns[0].name);
        let column = quoted(column, dice);
        make(&format!("fts5({column}, content='{of}')"), "('rebuilt')", dice);
    }
    all
}

/// Indexes, views and triggers over the tables.
pub(super) fn extras(names: &mut Names, tables: &[Table], dice: &mut Dice) -> Vec<String> {
    let mut all = Vec::new();
    for table in tables {
        let on = quoted(&table.name, dice);
        for _ in 0..dice.below(3) {
            let name = names.take(dice);
            let unique = if dice.one_in(4) { "UNIQUE " } else { "" };
            let terms = match dice.below(6) {
                0 => expression(&quoted(&dice.pick_ref(&table.columns).name, dice), dice),
                _ => some_columns(&table.columns, dice, true),
            };
            let tail = if dice.one_in(6) { " WHERE 1 = 1" } else { "" };
            all.push(format!(
                "CREATE {unique}INDEX {} ON {on} ({terms}){tail}",
                quoted(&name, dice)
            ));
        }
        if dice.one_in(6) {
            let name = quoted(&names.take(dice), dice);
            all.push(format!("CREATE VIEW {name} AS SELECT * FROM {on}"));
        }
        if dice.one_in(8) {
            let name = quoted(&names.take(dice), dice);
            all.push(format!("CREATE TRIGGER {name} AFTER DELETE ON {on} BEGIN SELECT 1; END"));
        }
    }
    all
}
