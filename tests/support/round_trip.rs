//! Is every part of a schema in the target, or named in the report?
//!
//! Purpose: an oracle that uses nothing of litelift but its report: SQLite's PRAGMAs on one side,
//! PostgreSQL's catalogue on the other, and the plan that the run wrote down for the names. Columns in
//! order, NOT NULL, primary key in its order, UNIQUE, foreign keys with their actions and deferral,
//! indexes with their columns, directions and collations. What is missing must stand in `not_carried`,
//! `refused` or `orphans` by name.
//!
//! Known gaps: types and values are the comparer's business; expressions are not compared.

mod target;

use std::collections::{HashMap, HashSet};

use litelift::report::TransferReport;
use rusqlite::Connection;
use serde_json::Value;

use super::pg;
use target::{PgIndex, Target};

/// How many parts were looked at.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Looked {
    pub(crate) columns: usize,
    pub(crate) keys: usize,
    pub(crate) foreign_keys: usize,
    pub(crate) indexes: usize,
    /// Partial indexes whose rows were counted on both sides.
    pub(crate) predicates: usize,
    /// Of all of these, how many the report names as left out or refused.
    pub(crate) named: usize,
}

impl std::ops::AddAssign for Looked {
    fn add_assign(&mut self, other: Self) {
        self.columns += other.columns;
        self.keys += other.keys;
        self.foreign_keys += other.foreign_keys;
        self.indexes += other.indexes;
        self.predicates += other.predicates;
        self.named += other.named;
    }
}

/// Compares the schemas; returns what is wrong, each with the table.
pub(crate) fn check(
    path: &std::path::Path,
    url: &str,
    report: &TransferReport,
) -> (Looked, Vec<String>) {
    let source = Connection::open(path).unwrap();
    let plan =
        pg::query_text(url, &format!("SELECT plan FROM litelift.run WHERE id = {}", report.run));
    let plan: Value = serde_json::from_str(plan[0].as_deref().unwrap()).unwrap();
    let target = Target::read(url, &report.schema);
    let mut check = Check {
        source,
        url,
        report,
        names: names(&plan),
        target,
        looked: Looked::default(),
        wrong: Vec::new(),
        names_are_kept: names_are_kept(url, report.run),
    };
    let tables: Vec<String> = report.tables.iter().map(|table| table.source.clone()).collect();
    check.all_tables();
    for table in &tables {
        check.table(table);
    }
    (check.looked, check.wrong)
}

fn names_are_kept(url: &str, run: i64) -> bool {
    let sql = format!(
        "SELECT fingerprint::json -> 'options' ->> 'names' = 'keep' FROM litelift.run WHERE id = {run}"
    );
    pg::query_text(url, &sql) == [Some("t".to_owned())]
}

/// Target names by lower-case source table: the table's, and the columns' by lower-case source name.
type Names = HashMap<String, (String, HashMap<String, String>)>;

fn names(plan: &Value) -> Names {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let tables = plan["tables"].as_array().unwrap().iter();
    tables
        .map(|table| {
            let columns = table["columns"].as_array().unwrap().iter();
            let columns = columns.map(|column| {
                (text(&column["source"]).to_ascii_lowercase(), text(&column["target"]))
            });
            let names = (text(&table["target"]), columns.collect());
            (text(&table["source"]).to_ascii_lowercase(), names)
        })
        .collect()
}

struct Check<'a> {
    source: Connection,
    url: &'a str,
    report: &'a TransferReport,
    names: Names,
    target: Target,
    looked: Looked,
    wrong: Vec<String>,
    /// `--names keep`: the name of an index is that of the source, or a note tells another.
    names_are_kept: bool,
}

impl Check<'_> {
    fn rows<T>(
        &self,
        sql: &str,
        of: &str,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Vec<T> {
        let mut statement = self.source.prepare(sql).unwrap();
        let rows = statement.query_map([of], read).unwrap();
        rows.collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{error}: {sql} of {of}"))
    }

    fn complain(&mut self, table: &str, what: String) {
        self.wrong.push(format!("{table}: {what}"));
    }

    /// Returns whether the report names an object of a kind, of a source table, by some name.
    fn is_left(&self, kinds: &[&str], table: &str, name: Option<&str>) -> bool {
        let is_table = |of: &str| of.eq_ignore_ascii_case(table);
        let target = self.names.get(&table.to_ascii_lowercase()).map(|names| names.0.as_str());
        let is_name = |found: &str| name.is_none_or(|name| name == found);
        let left = self.report.not_carried.iter().any(|left| {
            kinds.contains(&left.object.as_str())
                && left.table.as_deref().is_some_and(is_table)
                && is_name(&left.name)
        });
        left || self.report.refused.iter().any(|refused| {
            kinds.contains(&refused.object.as_str())
                && Some(refused.table.as_str()) == target
                && is_name(&refused.name)
        })
    }

    /// Tables of the source are tables of the report, or in it by name.
    fn all_tables(&mut self) {
        let listed: Vec<String> = self.rows(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual') \
             AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND ?1 = ?1",
            "",
            |row| row.get(0),
        );
        for name in listed {
            let there = self.report.tables.iter().any(|table| table.source == name);
            let named = self
                .report
                .not_carried
                .iter()
                .any(|left| left.object == "virtual table" && left.name == name);
            if !there && !named {
                self.complain(&name, "is not in the report".to_owned());
            }
        }
    }

    fn table(&mut self, table: &str) {
        let (target, columns) = self.names[&table.to_ascii_lowercase()].clone();
        let Some(found) = self.target.columns.get(&target).cloned() else {
            self.complain(table, format!("there is no {target}"));
            return;
        };
        // Name, NOT NULL, position in the key.
        let declared: Vec<(String, bool, i64)> = self.rows(
            "SELECT name, \"notnull\", pk FROM pragma_table_xinfo(?1, 'main') WHERE hidden <> 1 ORDER BY cid",
            table,
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        );
        let is_virtual = self.rows(
            "SELECT type = 'virtual' FROM pragma_table_list WHERE schema = 'main' AND name = ?1",
            table,
            |row| row.get::<_, bool>(0),
        )[0];
        let expected: Vec<String> = declared
            .iter()
            .filter_map(|(name, ..)| columns.get(&name.to_ascii_lowercase()).cloned())
            .collect();
        let found = self.in_place(table, &expected, found);
        let there: Vec<String> = found.iter().map(|(name, _)| name.clone()).collect();
        if expected != there || expected.len() != declared.len() && !is_virtual {
            self.complain(table, format!("columns {declared:?} became {there:?}"));
            return;
        }
        self.looked.columns += declared.len();
        let mut key: Vec<&(String, bool, i64)> =
            declared.iter().filter(|column| column.2 > 0).collect();
        key.sort_by_key(|column| column.2);
        let key: Vec<String> =
            key.iter().map(|column| columns[&column.0.to_ascii_lowercase()].clone()).collect();
        let primary = self.primary_key(table, &target, &key);
        let nulls = |name: &str| {
            self.report
                .notes
                .iter()
                .any(|note| note.starts_with(&format!("{table}.{name}: Declared NOT NULL")))
        };
        let mut complaints = Vec::new();
        for ((name, not_null, position), (_, found)) in declared.iter().zip(&found) {
            // The rowid's alias is an identity, and so NOT NULL, whatever became of the key.
            let in_key = *position > 0 && (primary || self.is_identity(&target, name, &columns));
            let wanted = *not_null || in_key;
            if wanted != *found && !(wanted && nulls(&name.escape_debug().to_string())) {
                // A key that may hold NULL in SQLite may be NOT NULL here for no other reason.
                complaints
                    .push(format!("column {name} NOT NULL is {found}, but {wanted} in SQLite"));
            }
        }
        for complaint in complaints {
            self.complain(table, complaint);
        }
        self.uniques_and_indexes(table, &target, &columns, &key);
        self.foreign_keys(table, &target, &columns);
    }

    /// Some index over an expression is there, or some index of the table is named as left or refused.
    fn has_or_names(&self, table: &str, there: &[PgIndex], unique: bool) -> bool {
        let over_expression = |index: &PgIndex| {
            index.unique == unique && index.terms.iter().any(|term| term.0.contains('('))
        };
        let kinds = ["index", "unique index", "expression index", "partial index"];
        there.iter().any(over_expression) || self.is_left(&kinds, table, None)
    }

    /// A partial index must hold as many rows as in the source.
    fn predicate(&mut self, table: &str, target: &str, index: &str) {
        let text: Vec<String> = self.rows(
            "SELECT sql FROM sqlite_schema WHERE type = 'index' AND name = ?1",
            index,
            |row| row.get(0),
        );
        let text = &text[0];
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        // The first WHERE behind which stands a condition: names may hold the word too.
        let wheres = text.to_ascii_lowercase();
        let expected = wheres.match_indices("where").find_map(|(at, word)| {
            let condition = &text[at + word.len()..];
            let sql = format!("SELECT count(*) FROM {} WHERE {condition}", quoted(table));
            self.source.query_row(&sql, [], |row| row.get::<_, i64>(0)).ok()
        });
        let named = self.renamed("index", index, table).replace('\'', "''");
        let schema = self.report.schema.replace('\'', "''");
        let sql = format!(
            "SELECT format('SELECT count(*) FROM %s WHERE %s', x.indrelid::regclass, pg_get_expr(x.indpred, x.indrelid))
             FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_namespace n ON n.oid = i.relnamespace
             WHERE i.relname = '{named}' AND n.nspname = '{schema}'"
        );
        let Some(Some(count)) = pg::query_text(self.url, &sql).into_iter().next() else { return };
        let found = pg::query_text(self.url, &count)[0].clone();
        if found != expected.map(|rows| rows.to_string()) {
            self.complain(
                table,
                format!(
                    "partial index {index} on {target} holds {found:?} rows, {expected:?} in SQLite"
                ),
            );
        }
        self.looked.predicates += 1;
    }

    /// Puts columns that became generated back to where they were, when the report says that they moved.
    fn in_place(
        &self,
        table: &str,
        expected: &[String],
        mut found: Vec<(String, bool)>,
    ) -> Vec<(String, bool)> {
        let generated: Vec<String> = self.rows(
            "SELECT name FROM pragma_table_xinfo(?1, 'main') WHERE hidden IN (2, 3)",
            table,
            |row| row.get(0),
        );
        let columns = &self.names[&table.to_ascii_lowercase()].1;
        let is_generated = |target: &str| {
            generated.iter().any(|name| columns[&name.to_ascii_lowercase()] == target)
        };
        let told = format!("{}: Its generated columns stand behind", table.escape_debug());
        let is_told = self.report.notes.iter().any(|note| note.starts_with(&told));
        let is_refused = self
            .report
            .refused
            .iter()
            .any(|refused| refused.object == "generated column" && is_generated(&refused.name));
        if !(is_told || is_refused) {
            return found;
        }
        let place = |name: &str| expected.iter().position(|known| known == name);
        let others = |names: &[(String, bool)]| -> Vec<String> {
            let names = names.iter().map(|(name, _)| name.clone());
            names.filter(|name| !is_generated(name)).collect()
        };
        let before = others(&found);
        found.sort_by_key(|(name, _)| place(name));
        // The others must have kept their order.
        assert_eq!(others(&found), before, "{table}");
        found
    }

    fn is_identity(&self, target: &str, name: &str, columns: &HashMap<String, String>) -> bool {
        let column = &columns[&name.to_ascii_lowercase()];
        self.target.identities.contains(&(target.to_owned(), column.clone()))
    }

    /// Returns whether there is a primary key.
    fn primary_key(&mut self, table: &str, target: &str, key: &[String]) -> bool {
        let indexes = self.target.indexes.get(target).map(Vec::as_slice).unwrap_or_default();
        let primary = indexes.iter().find(|index| index.primary);
        let found: Option<Vec<String>> =
            primary.map(|index| index.terms.iter().map(|term| term.0.clone()).collect());
        self.looked.keys += usize::from(!key.is_empty());
        match found {
            Some(found) if found == key => return true,
            None if key.is_empty() => {}
            None if self.is_left(&["primary key"], table, None) => self.looked.named += 1,
            found => self.complain(table, format!("primary key {key:?} became {found:?}")),
        }
        false
    }

    /// Every index that SQLite lists: those of UNIQUE and of CREATE INDEX.
    fn uniques_and_indexes(
        &mut self,
        table: &str,
        target: &str,
        columns: &HashMap<String, String>,
        key: &[String],
    ) {
        let listed: Vec<(String, bool, String, bool)> = self.rows(
            "SELECT name, \"unique\", origin, partial FROM pragma_index_list(?1, 'main')",
            table,
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        );
        let there = self.target.indexes.get(target).cloned().unwrap_or_default();
        for (name, unique, origin, partial) in listed {
            // Column, DESC, collation of the key terms.
            let terms: Vec<(i64, Option<String>, bool, Option<String>)> = self.rows(
                "SELECT cid, name, desc, coll FROM pragma_index_xinfo(?1) WHERE key ORDER BY seqno",
                &name,
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            );
            let kinds: &[&str] = match origin.as_str() {
                "pk" => continue,
                "u" => &["unique constraint", "unique index"],
                // What is not translated has another word than what the server refuses.
                _ if partial || terms.iter().any(|term| term.0 < 0) => {
                    &["expression index", "partial index", "index", "unique index"]
                }
                _ => &["index", "unique index"],
            };
            self.looked.indexes += 1;
            let wanted: Vec<(String, bool)> = terms
                .iter()
                .map(|(_, column, desc, _)| {
                    let column = column.as_deref().unwrap_or_default().to_ascii_lowercase();
                    (columns.get(&column).cloned().unwrap_or_default(), *desc)
                })
                .collect();
            // SQLite allows a column twice in UNIQUE, where PostgreSQL does not.
            let mut wanted = wanted;
            let mut terms = terms;
            if origin == "u" {
                let mut seen = HashSet::new();
                terms.retain(|term| seen.insert(term.0));
                let mut seen = HashSet::new();
                wanted.retain(|term| seen.insert(term.0.clone()));
            }
            let folds: Vec<&str> =
                terms.iter().map(|term| term.3.as_deref().unwrap_or_default()).collect();
            let is_it = |index: &&PgIndex| {
                index.unique == unique
                    && index.partial == partial
                    && same_terms(&wanted, &folds, index, origin == "u")
            };
            let expression = terms.iter().any(|term| term.0 < 0);
            let found = if origin == "u" {
                there.iter().find(is_it).is_some()
                    || wanted.iter().map(|term| &term.0).eq(key)
                        && (there.iter().any(|index| index.primary || index.unique)
                            // The same columns as a key that the server refused: that was named.
                            || self.is_left(&["primary key"], table, None))
            } else {
                // An index of the source has a name, which the target keeps or the notes tell.
                let named = self.renamed("index", &name, table);
                let index = there.iter().find(|index| index.name == named);
                index.is_some_and(|index| (expression && index.unique == unique) || is_it(&index))
                    || !self.names_are_kept && there.iter().any(|index| is_it(&index))
                    // A style changes the name, and an expression has no columns to know it by: that
                    // there are as many indexes as there should be is counted elsewhere.
                    || !self.names_are_kept && expression && self.has_or_names(table, &there, unique)
            };
            if found {
                if partial {
                    self.predicate(table, target, &name);
                }
                continue;
            }
            let by_name = (origin != "u").then(|| self.renamed("index", &name, table));
            if self.is_left(kinds, table, by_name.as_deref())
                || by_name.is_some() && self.is_left(kinds, table, Some(&name))
            {
                self.looked.named += 1;
            } else {
                let what = format!(
                    "{name} {wanted:?} unique {unique} partial {partial} is not among {there:?}"
                );
                self.complain(table, what);
            }
        }
    }

    /// The name that a note tells instead.
    fn renamed(&self, object: &str, name: &str, table: &str) -> String {
        let start = format!(
            "The {object} \"{}\" of table \"{}\" becomes \"",
            name.escape_debug(),
            table.escape_debug()
        );
        let note = self.report.notes.iter().find_map(|note| note.strip_prefix(&start));
        note.and_then(|note| note.strip_suffix("\".")).map_or_else(|| name.to_owned(), unescaped)
    }

    fn foreign_keys(&mut self, table: &str, target: &str, columns: &HashMap<String, String>) {
        let rows: Vec<(i64, String, String, Option<String>, String, String)> = self.rows(
            "SELECT id, \"table\", \"from\", \"to\", on_update, on_delete \
             FROM pragma_foreign_key_list(?1, 'main') ORDER BY id, seq",
            table,
            |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
            },
        );
        let mut there = self.target.foreign_keys.get(target).cloned().unwrap_or_default();
        let mut missing = 0;
        for key in rows.chunk_by(|one, other| one.0 == other.0) {
            self.looked.foreign_keys += 1;
            let (_, parent, _, _, update, delete) = &key[0];
            let child: Vec<String> =
                key.iter().map(|row| columns[&row.2.to_ascii_lowercase()].clone()).collect();
            let wanted = self.names.get(&parent.to_ascii_lowercase()).map(|(name, names)| {
                let parents: Option<Vec<String>> = if key[0].3.is_none() {
                    Some(self.key_of(parent))
                } else {
                    let to = key.iter().filter_map(|row| row.3.as_ref());
                    to.map(|to| names.get(&to.to_ascii_lowercase()).cloned()).collect()
                };
                (
                    child.clone(),
                    name.clone(),
                    parents.unwrap_or_default(),
                    action(update),
                    action(delete),
                )
            });
            let position =
                wanted.as_ref().and_then(|wanted| there.iter().position(|key| key.says == *wanted));
            match position {
                Some(position) => drop(there.remove(position)),
                None => missing += 1,
            }
        }
        let left = self.count_left("foreign key", table, target);
        self.looked.named += missing;
        if missing != left || !there.is_empty() {
            self.complain(
                table,
                format!("{missing} foreign keys are missing, {left} named; too many: {there:?}"),
            );
        }
        self.deferral(table, target, missing);
    }

    fn key_of(&self, table: &str) -> Vec<String> {
        let names = &self.names[&table.to_ascii_lowercase()].1;
        let key: Vec<String> = self.rows(
            "SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk",
            table,
            |row| row.get(0),
        );
        key.iter().map(|name| names[&name.to_ascii_lowercase()].clone()).collect()
    }

    /// Foreign keys that the report names for a table. Adding and validating one are two refusals.
    fn count_left(&self, object: &str, table: &str, target: &str) -> usize {
        let left = self.report.not_carried.iter().filter(|left| {
            left.object == object
                && left.table.as_deref().is_some_and(|of| of.eq_ignore_ascii_case(table))
        });
        let refused = self.report.refused.iter().filter(|left| {
            left.object == object
                && left.table == target
                && left.statement.contains(" FOREIGN KEY (")
        });
        left.count() + refused.count()
    }

    /// Only the text knows; so only tables with nothing but foreign keys that say so are counted.
    fn deferral(&mut self, table: &str, target: &str, missing: usize) {
        let sql: Option<String> = self
            .rows(
                "SELECT sql FROM sqlite_schema WHERE name = ?1 AND type = 'table'",
                table,
                |row| row.get(0),
            )
            .pop()
            .flatten();
        let words: Vec<String> = sql
            .unwrap_or_default()
            .split(|c: char| !c.is_ascii_alphabetic())
            .filter(|word| !word.is_empty())
            .map(str::to_ascii_uppercase)
            .collect();
        let deferrable =
            words.windows(2).filter(|pair| pair[1] == "DEFERRABLE" && pair[0] != "NOT").count();
        let keys = self.target.foreign_keys.get(target).map(Vec::as_slice).unwrap_or_default();
        let found = keys.iter().filter(|key| key.deferrable).count();
        let deferred = words
            .windows(4)
            .filter(|words| {
                words[0] != "NOT" && words[1..] == ["DEFERRABLE", "INITIALLY", "DEFERRED"]
            })
            .count();
        let found_deferred = keys.iter().filter(|key| key.deferred).count();
        // More than are there in the text is wrong; fewer may be those that are missing, or a word in a
        // string or comment.
        if found > deferrable
            || missing == 0 && found < deferrable && !words.iter().any(|w| w == "CHECK")
        {
            let names: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
            self.complain(
                table,
                format!("{deferrable} DEFERRABLE in the text, {found} among {names:?}"),
            );
        } else if found_deferred > deferred {
            self.complain(
                table,
                format!("{deferred} INITIALLY DEFERRED in the text, {found_deferred} here"),
            );
        }
    }
}

/// The terms of an index are the wanted ones: the column itself, or for a column that folds an
/// expression that names it. A constraint has no directions.
fn same_terms(
    wanted: &[(String, bool)],
    folds: &[&str],
    index: &PgIndex,
    directions_are_free: bool,
) -> bool {
    wanted.len() == index.terms.len()
        && wanted.iter().zip(folds).zip(&index.terms).all(
            |(((column, desc), fold), (found, found_desc))| {
                let quoted = format!("\"{}\"", column.replace('"', "\"\""));
                let inside = |found: &str| found.contains(&quoted) || found.contains(column);
                let same = match fold.to_ascii_uppercase().as_str() {
                    "NOCASE" => found == column || found.starts_with("lower(") && inside(found),
                    "RTRIM" => found == column || found.starts_with("rtrim(") && inside(found),
                    _ => found == column,
                };
                same && (desc == found_desc || directions_are_free)
            },
        )
}

fn action(text: &str) -> String {
    match text {
        "CASCADE" => "c",
        "RESTRICT" => "r",
        "SET NULL" => "n",
        "SET DEFAULT" => "d",
        _ => "a",
    }
    .to_owned()
}

/// Undoes `escape_debug` for the names that tests use: a report is for people.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('0') => out.push('\0'),
            Some('u') => {
                let code: String = chars.by_ref().skip(1).take_while(|c| *c != '}').collect();
                out.extend(u32::from_str_radix(&code, 16).ok().and_then(char::from_u32));
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}
