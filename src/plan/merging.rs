//! Rows into a table that has rows: by which key those that are there are found, and the statements.
//!
//! Purpose: the rows of a range come by COPY into a temporary table that has the columns that are loaded,
//! and from there by one INSERT ... ON CONFLICT into the table, in the range's transaction.
//!
//! Two rows of the source with one key must not pass in silence: which of them stayed would depend on
//! which range came last. Within a range the server refuses (upsert), or fewer rows are inserted than were
//! missing (keep). Across ranges the row that is there tells by its `xmin`, the transaction that wrote it:
//! it is one of the run's own. Nothing has to be kept for that, and it holds for a run that continues.
//!
//! Known gaps: whatever else writes rows of the table while the run is unfinished is taken for such a row,
//! and stops it: the application, or a trigger that was told to stay on.

use std::collections::BTreeSet;

use crate::map::matching;
use crate::model::catalogue::{Catalogue, TargetTable, UniqueKey};
use crate::model::ident::{qualified, quoted, quoted_list};
use crate::model::matching::{ColumnFate, Grant, MatchedTable, Refusal};
use crate::model::merge::{self, MergeKind, MergePlan};
use crate::model::plan::TablePlan;

/// The temporary table of a range. Its name hides none of the application's from what triggers do.
const STAGE: &str = "pg_temp.\"litelift: rows of a range\"";
/// Transactions that may have begun after this one and yet be seen by it. `xmin` has 32 bits: what is
/// older than any transaction of the run may be as old as it likes.
const LATER_MAX: u32 = 1_000_000;

/// What is known of a table that has rows, and what was asked for it.
pub struct Merging<'a> {
    /// The target.
    pub catalogue: &'a Catalogue,
    /// The table.
    pub matched: &'a MatchedTable,
    /// Its position in the plan.
    pub table: usize,
    /// Rows that are there.
    pub rows_before: u64,
    /// What becomes of them.
    pub kind: MergeKind,
    /// Columns of the key that was asked for; none: the primary key.
    pub asked: &'a [String],
}

impl Merging<'_> {
    /// Decides how the rows are merged.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn plan(&self) -> Result<MergePlan, Vec<Refusal>> {
        let target = &self.catalogue.tables[self.matched.target];
        let mut refusals = self.rights(target);
        let key = match self.key(target) {
            Ok(key) => key,
            Err(why) => {
                refusals.push(self.no_key(target, &why));
                return Err(refusals);
            }
        };
        let loaded = target.columns.iter().enumerate().filter(|(at, _)| self.is_loaded(*at));
        let is_key = |name: &str| key.columns.iter().any(|column| column.name == name);
        let others: Vec<_> = loaded
            .clone()
            .map(|(_, column)| column)
            .filter(|column| !is_key(&column.name))
            .collect();
        let fixed = others.iter().find(|column| column.is_identity_always);
        if let Some(column) = fixed.filter(|_| self.kind == MergeKind::Upsert) {
            refusals.push(
                Refusal::new(format!(
                    "Column {} of table {} is GENERATED ALWAYS AS IDENTITY: PostgreSQL does not let it be updated.",
                    shown(&column.name),
                    shown(&target.name)
                ))
                .hint(format!(
                    "Find rows by that column, or leave it out with --skip \"TABLE.{}\": new rows then get a new number.",
                    column.name.escape_debug()
                )),
            );
        }
        if !refusals.is_empty() {
            return Err(refusals);
        }
        Ok(MergePlan {
            table: self.table,
            kind: self.kind,
            key: key.columns.clone(),
            nulls_equal: key.nulls_equal,
            updated: match self.kind {
                MergeKind::Keep => Vec::new(),
                MergeKind::Upsert => others.iter().map(|column| column.name.clone()).collect(),
            },
            overrides_identity: loaded.clone().any(|(_, column)| column.is_identity_always),
            is_partitioned: target.is_partitioned,
            rows_before: self.rows_before,
            since_xid: 0,
        })
    }

    fn is_loaded(&self, at: usize) -> bool {
        self.matched.columns.contains(&ColumnFate::Into(at))
    }

    fn rights(&self, target: &TargetTable) -> Vec<Refusal> {
        let mut found = Vec::new();
        let role = quoted(&self.catalogue.role);
        let mut refuse = |what: &str| {
            let text = format!("This role may not {what} {}.", shown(&target.name));
            found.push(Refusal::new(text).grant(Grant {
                owner: target.owner.clone(),
                what: what.to_owned(),
                kind: "",
                object: qualified(&self.catalogue.schema, &target.name),
                role: role.clone(),
            }));
        };
        // Their types are those of the temporary table.
        let mut loaded = target.columns.iter().enumerate().filter(|(at, _)| self.is_loaded(*at));
        if loaded.any(|(_, column)| !column.may_select) {
            refuse("SELECT");
        }
        if self.kind == MergeKind::Upsert && !target.may_update {
            refuse("UPDATE");
        }
        if target.has_rules {
            found.push(
                Refusal::new(format!(
                    "Table {} has rules (CREATE RULE) for INSERT or UPDATE, with which PostgreSQL cannot look for rows that are there.",
                    shown(&target.name)
                ))
                .hint("Drop the rules for the time of the transfer, or use --on-existing truncate."),
            );
        }
        if !self.catalogue.may_make_temporary {
            let database = &self.catalogue.database;
            found.push(
                Refusal::new(format!(
                    "This role may not make temporary tables in database \"{}\", which --on-existing keep and upsert need.",
                    database.escape_debug()
                ))
                .hint(format!(
                    "As the database's owner or a superuser: GRANT TEMPORARY ON DATABASE {} TO {role};",
                    quoted(database)
                )),
            );
        }
        found
    }

    /// The key by which rows are found, or why there is none.
    fn key<'t>(&self, target: &'t TargetTable) -> Result<&'t UniqueKey, String> {
        if self.asked.is_empty() {
            let Some(key) = target.unique_keys.iter().find(|key| key.is_primary) else {
                return Err("it has no primary key".to_owned());
            };
            return match self.why_not(target, key) {
                None => Ok(key),
                Some(why) => Err(why),
            };
        }
        let mut names: Vec<&str> = Vec::new();
        for asked in self.asked {
            match matching::column_of(asked, target) {
                Some(name) => names.push(name),
                None => return Err(format!("it has no column \"{}\"", asked.escape_debug())),
            }
        }
        let wanted: BTreeSet<&str> = names.into_iter().collect();
        let mut keys = target.unique_keys.iter().filter(|key| columns(key) == wanted);
        match keys.next() {
            None => Err(format!(
                "it has no unique constraint or index on ({}) and nothing else",
                shown_list(wanted)
            )),
            Some(key) => match self.why_not(target, key) {
                None => Ok(key),
                Some(why) => Err(why),
            },
        }
    }

    /// Why rows cannot be found by a key.
    fn why_not(&self, target: &TargetTable, key: &UniqueKey) -> Option<String> {
        // PostgreSQL takes every key on these columns, and refuses when one of them is deferrable.
        let mut same = target.unique_keys.iter().filter(|other| columns(other) == columns(key));
        if let Some(other) = same.find(|other| !other.is_immediate) {
            return Some(format!(
                "\"{}\" is DEFERRABLE, and PostgreSQL finds no rows by such a key",
                other.name.escape_debug()
            ));
        }
        let is_missing = |name: &&str| !target.column(name).is_some_and(|at| self.is_loaded(at));
        let missing = columns(key).into_iter().find(is_missing)?;
        Some(format!("column {} of \"{}\" is not loaded", shown(missing), key.name.escape_debug()))
    }

    fn no_key(&self, target: &TargetTable, why: &str) -> Refusal {
        let what = match self.kind {
            MergeKind::Keep => "keep",
            MergeKind::Upsert => "upsert",
        };
        let name = target.name.escape_debug();
        let rows = if self.rows_before == 1 {
            "1 row".to_owned()
        } else {
            format!("{} rows", self.rows_before)
        };
        let refusal = Refusal::new(format!(
            "Table \"{name}\" has {rows} already, and --on-existing {what} has no key to find them by: {why}."
        ));
        let mut usable: Vec<String> = Vec::new();
        for key in target.unique_keys.iter().filter(|key| self.why_not(target, key).is_none()) {
            let columns = merge::key_text(key.columns.iter().map(|column| column.name.as_str()));
            let choice = if key.is_primary {
                format!("--on-existing '{name}={what}'")
            } else {
                format!("--on-existing '{name}={what}:{}'", columns.escape_debug())
            };
            if !usable.contains(&choice) {
                usable.push(choice);
            }
        }
        if usable.is_empty() {
            return refusal.hint(format!(
                "Table \"{name}\" has no unique key that could be named: every column of it must be loaded, without a condition, an expression or DEFERRABLE. --on-existing '{name}=truncate' removes its rows first, --protect leaves it alone."
            ));
        }
        refusal.hint(format!("Keys that can be used: {}.", usable.join(", ")))
    }
}

fn columns(key: &UniqueKey) -> BTreeSet<&str> {
    key.columns.iter().map(|column| column.name.as_str()).collect()
}

fn shown(name: &str) -> String {
    format!("\"{}\"", name.escape_debug())
}

fn shown_list<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    names.into_iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// The statements that merge the rows of a range.
#[derive(Debug, Clone, Copy)]
pub struct Statements<'a> {
    /// Schema of the table.
    pub schema: &'a str,
    /// The table with the columns that are sent.
    pub table: &'a TablePlan,
    /// How it is merged.
    pub merge: &'a MergePlan,
}

impl Statements<'_> {
    /// Makes the temporary table: the columns that are loaded with their types, and no constraint.
    #[must_use]
    pub fn stage(&self) -> String {
        format!(
            "CREATE TEMPORARY TABLE {STAGE} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA",
            self.columns(""),
            self.from()
        )
    }

    /// Empties it, for other rows of the same transaction.
    #[must_use]
    pub fn clear(&self) -> String {
        format!("TRUNCATE {STAGE}")
    }

    /// Drops it before the transaction ends.
    #[must_use]
    pub fn unstage(&self) -> String {
        format!("DROP TABLE {STAGE}")
    }

    /// Fills it.
    #[must_use]
    pub fn copy(&self) -> String {
        format!("COPY {STAGE} ({}) FROM STDIN (FORMAT binary)", self.columns(""))
    }

    /// Returns how many of the rows have a key that is there, and of how many of these the run itself
    /// wrote the row that is there.
    #[must_use]
    pub fn there(&self) -> String {
        format!("SELECT count(*), count(*) FILTER (WHERE {}) {}", self.is_ours(), self.found())
    }

    /// Returns the key of one of these, as an array of text.
    #[must_use]
    pub fn ours(&self) -> String {
        format!("SELECT {} {} WHERE {} LIMIT 1", self.key_array(), self.found(), self.is_ours())
    }

    /// Returns a key that two of the rows have, as an array of text.
    #[must_use]
    pub fn twice(&self) -> String {
        let keys = self.keys("s.");
        let not_null: Vec<String> = self
            .merge
            .key
            .iter()
            .map(|key| format!("s.{} IS NOT NULL", quoted(&key.name)))
            .collect();
        let only = if self.merge.nulls_equal {
            String::new()
        } else {
            format!(" WHERE {}", not_null.join(" AND "))
        };
        format!(
            "SELECT {} FROM {STAGE} s{only} GROUP BY {keys} HAVING count(*) > 1 LIMIT 1",
            self.key_array()
        )
    }

    /// Brings the rows into the table; the server counts those that it inserted or updated.
    #[must_use]
    pub fn merge(&self) -> String {
        let overriding =
            if self.merge.overrides_identity { " OVERRIDING SYSTEM VALUE" } else { "" };
        let action = if self.merge.updated.is_empty() {
            "DO NOTHING".to_owned()
        } else {
            let set = self.merge.updated.iter().map(|name| {
                let name = quoted(name);
                format!("{name} = EXCLUDED.{name}")
            });
            // A row that the run wrote is left alone, and so the count tells.
            format!(
                "DO UPDATE SET {} WHERE NOT ({})",
                set.collect::<Vec<_>>().join(", "),
                self.is_ours()
            )
        };
        format!(
            "INSERT INTO {} AS t ({}){overriding} SELECT {} FROM {STAGE} s ON CONFLICT ({}) {action}",
            qualified(self.schema, &self.table.target),
            self.columns(""),
            self.columns("s."),
            self.keys("")
        )
    }

    fn columns(&self, prefix: &str) -> String {
        let columns = self.table.columns.iter();
        let columns = columns.map(|column| format!("{prefix}{}", quoted(&column.target)));
        columns.collect::<Vec<_>>().join(", ")
    }

    fn keys(&self, prefix: &str) -> String {
        if prefix.is_empty() {
            return quoted_list(self.merge.key.iter().map(|key| key.name.as_str()));
        }
        let keys = self.merge.key.iter().map(|key| format!("{prefix}{}", quoted(&key.name)));
        keys.collect::<Vec<_>>().join(", ")
    }

    fn key_array(&self) -> String {
        let keys = self.merge.key.iter().map(|key| format!("s.{}::text", quoted(&key.name)));
        format!("ARRAY[{}]", keys.collect::<Vec<_>>().join(", "))
    }

    fn from(&self) -> String {
        let only = if self.merge.is_partitioned { "" } else { "ONLY " };
        format!("{only}{}", qualified(self.schema, &self.table.target))
    }

    /// The rows with those that have their key.
    fn found(&self) -> String {
        let equal = self.merge.key.iter().map(|key| {
            let (name, equals) = (quoted(&key.name), &key.equals);
            if self.merge.nulls_equal {
                format!("(t.{name} {equals} s.{name} OR t.{name} IS NULL AND s.{name} IS NULL)")
            } else {
                format!("t.{name} {equals} s.{name}")
            }
        });
        format!(
            "FROM {STAGE} s JOIN {} t ON {}",
            self.from(),
            equal.collect::<Vec<_>>().join(" AND ")
        )
    }

    /// Whether a transaction of the run wrote the row that is there.
    fn is_ours(&self) -> String {
        let since = self.merge.since_xid;
        format!("age(t.xmin) BETWEEN -{LATER_MAX} AND age('{since}'::xid)")
    }
}
