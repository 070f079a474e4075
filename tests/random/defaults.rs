//! Every default of the source means the same in the target, or is named in the report.

use std::collections::HashMap;

use litelift::report::TransferReport;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::Value;

use crate::support::compare::rules::{self, PgType};
use crate::support::pg;

const TARGET: &str = "
    SELECT json_build_array(c.relname, a.attname, a.attidentity, pg_get_expr(d.adbin, d.adrelid),
                            format_type(a.atttypid, a.atttypmod), t.typname)::text
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE n.nspname = 'public' AND c.relkind = 'r' AND a.attnum > 0";

/// A column with a default.
struct Default {
    table: String,
    column: String,
    declared: String,
    text: String,
    strict: bool,
}

pub(super) fn check(source: &Connection, url: &str, report: &TransferReport) -> Vec<String> {
    let mut wrong = Vec::new();
    let targets = targets(url);
    let plan = format!("select plan from litelift.run where id = {}", report.run);
    let plan: Value =
        serde_json::from_str(pg::query_text(url, &plan)[0].as_deref().unwrap()).unwrap();
    for default in defaults(source) {
        let named = report.not_carried.iter().any(|left| {
            left.object == "default"
                && left.table.as_deref() == Some(&default.table)
                && left.name == default.column
        });
        let found = &targets[&target_name(&plan, &default)];
        let (identity, expression) = (&found[2], found[3].as_str());
        let what = format!("{}.{} DEFAULT {}", default.table, default.column, default.text);
        match expression {
            None if named || identity == "d" => {}
            None if default.text.eq_ignore_ascii_case("null") => {}
            None => wrong.push(format!("{what}: neither there nor named")),
            Some(_) if named => wrong.push(format!("{what}: there, and named as left out")),
            Some(expression) => wrong.extend(
                differs(&default, expression, found, url).map(|why| format!("{what}: {why}")),
            ),
        }
    }
    wrong
}

fn targets(url: &str) -> HashMap<(String, String), Value> {
    let lines = pg::query_text(url, TARGET).into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    lines
        .map(|line| serde_json::from_str::<Value>(&line).unwrap())
        .map(|line| ((text(&line[0]), text(&line[1])), line))
        .collect()
}

fn target_name(plan: &Value, default: &Default) -> (String, String) {
    let named = |list: &Value, name: &str| {
        list.as_array().unwrap().iter().find(|item| item["source"] == name).unwrap().clone()
    };
    let table = named(&plan["tables"], &default.table);
    let column = named(&table["columns"], &default.column);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&table["target"]), text(&column["target"]))
}

fn defaults(source: &Connection) -> Vec<Default> {
    let mut statement = source
        .prepare(
            "SELECT l.name, x.name, x.type, x.dflt_value, l.strict
             FROM pragma_table_list l, pragma_table_xinfo(l.name) x
             WHERE l.type = 'table' AND l.schema = 'main' AND l.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
               AND x.dflt_value IS NOT NULL AND x.hidden = 0
               AND NOT (x.pk = 1 AND upper(x.type) = 'INTEGER')",
        )
        .unwrap();
    let rows = statement.query_map([], |row| {
        Ok(Default {
            table: row.get(0)?,
            column: row.get(1)?,
            declared: row.get(2)?,
            text: row.get(3)?,
            strict: row.get(4)?,
        })
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// What SQLite stores for the default, against what PostgreSQL stores.
fn differs(default: &Default, expression: &str, found: &Value, url: &str) -> Option<String> {
    if default.text.to_ascii_uppercase().starts_with("CURRENT_") {
        return None;
    }
    let scratch = Connection::open_in_memory().unwrap();
    let strict = if default.strict { "STRICT" } else { "" };
    let made = scratch.execute_batch(&format!(
        "CREATE TABLE d (k INTEGER PRIMARY KEY, c {} DEFAULT {}) {strict}; INSERT INTO d (k) VALUES (1)",
        default.declared, default.text
    ));
    if made.is_err() {
        // A STRICT table has it, and cannot use it.
        return None;
    }
    let sql = format!("SELECT ({expression})::{}", found[4].as_str().unwrap());
    let target = pg::query_text(url, &sql).remove(0);
    let pg_type = PgType::of(found[5].as_str().unwrap(), "b");
    let mut statement = scratch.prepare("SELECT c FROM d").unwrap();
    let mut rows = statement.query([]).unwrap();
    let stored: ValueRef<'_> = rows.next().unwrap().unwrap().get_ref(0).unwrap();
    let target_bytes = target.as_ref().map(String::as_bytes);
    let difference =
        rules::difference(stored, target_bytes, &pg_type, &mut rules::Scratch::default());
    difference.map(|reason| format!("{stored:?} is {target:?} as {expression}: {reason}"))
}
