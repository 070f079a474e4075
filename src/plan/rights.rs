//! What a role may not do with a table that is there already, and what gives it the right.
//!
//! Purpose: every GRANT is printed as it can be run. What cannot be granted, such as switching the
//! triggers of another role's table off, has another way out.

use crate::model::catalogue::{Catalogue, TargetColumn, TargetTable, TargetTrigger};
use crate::model::ident::{qualified, quoted, quoted_list};
use crate::model::matching::{ColumnFate, Grant, MatchedTable, Refusal};

/// A table that is to be filled.
pub(super) struct Rights<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) matched: &'a MatchedTable,
    pub(super) target: &'a TargetTable,
    /// Whether it is named in the TRUNCATE.
    pub(super) is_truncated: bool,
    /// Whether rows that are there get other values.
    pub(super) is_updated: bool,
    /// Which triggers go on.
    pub(super) is_kept: &'a dyn Fn(&TargetTrigger) -> bool,
}

/// Says how to work as the owner of a table.
pub(super) fn become_owner(catalogue: &Catalogue, table: &TargetTable) -> String {
    let owner = table.owner.escape_debug();
    if table.could_own {
        return format!(
            "This role is a member of \"{owner}\" but does not inherit its rights. Connect as \"{owner}\", or as this role with the parameter options=-c%20role%3D{} in the URL.",
            encoded(&table.owner)
        );
    }
    format!(
        "Connect as \"{owner}\", or as a superuser: GRANT {} TO {};",
        quoted(&table.owner),
        quoted(&catalogue.role)
    )
}

/// A name for the `options` of a URL, where a blank or a backslash is kept by a backslash before it.
fn encoded(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'_' {
            out.push(char::from(byte));
            continue;
        }
        if byte.is_ascii_whitespace() || byte == b'\\' {
            out.push_str("%5C");
        }
        out.push_str(&format!("%{byte:02X}"));
    }
    out
}

impl Rights<'_> {
    /// Returns what is missing.
    pub(super) fn missing(&self) -> Vec<Refusal> {
        let mut found = self.columns();
        found.extend(self.row_security());
        if self.is_truncated && !self.target.may_truncate {
            found.push(
                Refusal::new(format!("This role may not TRUNCATE {}.", shown(&self.target.name)))
                    .grant(self.grant("TRUNCATE")),
            );
        }
        found.extend(self.triggers());
        found.extend(self.sequences());
        found
    }

    fn grant(&self, what: &str) -> Grant {
        let table = qualified(&self.catalogue.schema, &self.target.name);
        self.grant_on(what, "", table, &self.target.owner)
    }

    fn grant_on(&self, what: &str, kind: &'static str, object: String, owner: &str) -> Grant {
        let role = quoted(&self.catalogue.role);
        Grant { owner: owner.to_owned(), what: what.to_owned(), kind, object, role }
    }

    fn filled(&self) -> impl Iterator<Item = &TargetColumn> {
        let fates = self.matched.columns.iter();
        fates.filter_map(|fate| match fate {
            ColumnFate::Into(at) => Some(&self.target.columns[*at]),
            _ => None,
        })
    }

    /// INSERT into every column that is copied, SELECT on one to count the rows, and on those that a
    /// sequence must be beyond.
    fn columns(&self) -> Vec<Refusal> {
        let name = shown(&self.target.name);
        if !self.target.may_fill {
            return vec![
                Refusal::new(format!("This role may not INSERT into and SELECT from {name}."))
                    .grant(self.grant("SELECT, INSERT")),
            ];
        }
        let mut found = Vec::new();
        let mut refuse = |what: &str, columns: Vec<&str>| {
            if columns.is_empty() {
                return;
            }
            let list = quoted_list(columns.iter().copied());
            let listed: Vec<String> = columns.iter().map(|column| shown(column)).collect();
            let (preposition, number) = match what {
                "INSERT" => ("into", listed.len()),
                _ => ("from", listed.len()),
            };
            let columns = if number == 1 { "column" } else { "columns" };
            found.push(
                Refusal::new(format!(
                    "This role may not {what} {preposition} {columns} {} of {name}.",
                    listed.join(", ")
                ))
                .grant(self.grant(&format!("{what} ({list})"))),
            );
        };
        let names = |select: fn(&TargetColumn) -> bool| {
            let columns = self.filled().filter(|column| select(column));
            columns.map(|column| column.name.as_str()).collect()
        };
        refuse("INSERT", names(|column| !column.may_insert));
        refuse("SELECT", names(|column| !column.may_select && !column.sequences.is_empty()));
        found
    }

    fn row_security(&self) -> Option<Refusal> {
        let name = shown(&self.target.name);
        let table = qualified(&self.catalogue.schema, &self.target.name);
        self.target.is_row_secured.then(|| {
            let refusal =
                Refusal::new(format!("Row level security of {name} keeps this role from COPY."));
            if self.target.is_owned {
                return refusal.hint(format!("Take FORCE away, and put it back afterwards: ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY;"));
            }
            refusal.hint(format!(
                "Connect as its owner \"{}\"; or as a superuser: ALTER ROLE {} BYPASSRLS;",
                self.target.owner.escape_debug(),
                quoted(&self.catalogue.role)
            ))
        })
    }

    /// Triggers that would run and cannot be switched off.
    fn triggers(&self) -> Option<Refusal> {
        let runs = |trigger: &&TargetTrigger| {
            let fires = trigger.on_insert
                || trigger.on_truncate && self.is_truncated
                || trigger.on_update && self.is_updated;
            // R: only in a replica.
            let is_on = matches!(trigger.enabled.as_str(), "O" | "A");
            fires && is_on && !trigger.is_owned && !(self.is_kept)(trigger)
        };
        let named: Vec<&TargetTrigger> = self.target.triggers.iter().filter(runs).collect();
        let first = named.first()?;
        let names: Vec<String> = named.iter().map(|trigger| shown(&trigger.name)).collect();
        Some(
            Refusal::new(format!(
                "Table {} belongs to \"{}\", and only its owner can switch its triggers off: {}.",
                shown(&self.target.name),
                self.target.owner.escape_debug(),
                names.join(", ")
            ))
            .hint(format!(
                "--keep-trigger \"{}.{}\" lets that one run for every row. {}",
                first.table.escape_debug(),
                first.name.escape_debug(),
                become_owner(self.catalogue, self.target)
            )),
        )
    }

    /// Sequences that cannot be set, or that give values to columns without any in the source.
    fn sequences(&self) -> Vec<Refusal> {
        let is_filled = |at: usize| self.matched.columns.contains(&ColumnFate::Into(at));
        let mut found = Vec::new();
        for (at, column) in self.target.columns.iter().enumerate() {
            for sequence in &column.sequences {
                // The server takes the values of an identity itself.
                let may = match is_filled(at) {
                    true => sequence.may_set,
                    false => sequence.may_take || column.is_identity,
                };
                let name = qualified(&sequence.schema, &sequence.name);
                let (verb, what) = if is_filled(at) {
                    ("set", "SELECT, UPDATE")
                } else {
                    ("take ids from", "USAGE")
                };
                if !may {
                    found.push(
                        Refusal::new(format!(
                            "This role may not {verb} sequence {name}, which makes ids of {}.",
                            shown(&self.target.name)
                        ))
                        .grant(self.grant_on(
                            what,
                            "SEQUENCE ",
                            name.clone(),
                            &sequence.owner,
                        )),
                    );
                }
                if !sequence.may_reach && (is_filled(at) || !column.is_identity) {
                    found.push(
                        Refusal::new(format!(
                            "This role may not use the schema of sequence {name}, which makes ids of {}.",
                            shown(&self.target.name)
                        ))
                        .grant(self.grant_on(
                            "USAGE",
                            "SCHEMA ",
                            quoted(&sequence.schema),
                            &sequence.owner,
                        )),
                    );
                }
            }
        }
        found
    }
}

fn shown(name: &str) -> String {
    format!("\"{}\"", name.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_in_the_options_of_a_url_keeps_its_blanks() {
        assert_eq!(encoded("app_owner"), "app_owner");
        assert_eq!(encoded("App owner\\é"), "App%5C%20owner%5C%5C%C3%A9");
    }
}
