//! Which table and column of the source goes into which of the target.

use std::collections::BTreeMap;

/// Tables of the source with their counterparts, by positions in the source's schema and in the
/// target's catalogue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matching {
    /// Tables that have one, in source order.
    pub tables: Vec<MatchedTable>,
    /// Tables that have none, by position in the source's schema.
    pub missing: Vec<usize>,
}

/// A table with its counterpart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchedTable {
    /// Position in `SourceSchema::tables`.
    pub source: usize,
    /// Position in `Catalogue::tables`.
    pub target: usize,
    /// What becomes of each column, in source order.
    pub columns: Vec<ColumnFate>,
}

/// What becomes of a column of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnFate {
    /// It goes into the column at this position of the target's table.
    Into(usize),
    /// The user leaves it out.
    Skipped,
    /// The target computes the column itself.
    Generated,
    /// Several columns of the target could be it.
    Unclear,
    /// The target has no such column.
    Missing,
}

/// Names that the user gave with `--rename`, by the source's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renames {
    /// Tables: source to target.
    pub tables: BTreeMap<String, String>,
    /// Columns: table and column of the source to the column of the target.
    pub columns: BTreeMap<(String, String), String>,
}

/// Why the target cannot be filled as it is, and what the user can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// A sentence.
    pub text: String,
    /// What helps, a sentence.
    pub hint: Option<String>,
    /// The right that is missing, where that is all.
    pub grant: Option<Box<Grant>>,
}

/// A right that a role lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Who can give it.
    pub owner: String,
    /// Such as `SELECT, INSERT`.
    pub what: String,
    /// What stands before the object in GRANT: nothing for a table, `SEQUENCE ` or `SCHEMA `.
    pub kind: &'static str,
    /// On what, quoted.
    pub object: String,
    /// To whom, quoted.
    pub role: String,
}

/// Returns what helps against refusals, each thing once. Rights of one kind are one GRANT.
#[must_use]
pub fn hints(refusals: &[Refusal]) -> Vec<String> {
    let mut hints: Vec<(Option<&Grant>, Vec<&str>)> = Vec::new();
    for refusal in refusals {
        if let Some(hint) = &refusal.hint
            && !hints.iter().any(|known| *known == (None, vec![hint.as_str()]))
        {
            hints.push((None, vec![hint]));
        }
        let Some(grant) = &refusal.grant else { continue };
        let is_like = |known: &Grant| {
            (&known.owner, &known.what, known.kind) == (&grant.owner, &grant.what, grant.kind)
        };
        let mut known = hints.iter_mut().filter(|(known, _)| known.is_some_and(is_like));
        match known.next() {
            Some((_, objects)) if objects.contains(&grant.object.as_str()) => {}
            Some((_, objects)) => objects.push(&grant.object),
            None => hints.push((Some(grant), vec![&grant.object])),
        }
    }
    let text = |(grant, parts): (Option<&Grant>, Vec<&str>)| match grant {
        None => parts.concat(),
        Some(Grant { owner, what, kind, role, .. }) => format!(
            "As \"{}\" or a superuser: GRANT {what} ON {kind}{} TO {role};",
            owner.escape_debug(),
            parts.join(", ")
        ),
    };
    hints.into_iter().map(text).collect()
}

impl Refusal {
    /// Makes one.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), hint: None, grant: None }
    }

    /// Adds what helps.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the right that is missing.
    #[must_use]
    pub fn grant(mut self, grant: Grant) -> Self {
        self.grant = Some(Box::new(grant));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_of_one_kind_are_one_grant_and_hints_are_told_once() {
        let grant = |what: &str, kind: &'static str, object: &str| Grant {
            owner: "app".into(),
            what: what.into(),
            kind,
            object: object.into(),
            role: "\"me\"".into(),
        };
        let told = hints(&[
            Refusal::new("").grant(grant("INSERT", "", "a")),
            Refusal::new("").hint("Do this."),
            Refusal::new("").grant(grant("USAGE", "SEQUENCE ", "s")),
            Refusal::new("").hint("Do this."),
            Refusal::new("").grant(grant("INSERT", "", "b")).hint("Or that."),
            Refusal::new("").grant(grant("INSERT", "", "a")),
        ]);
        assert_eq!(
            told,
            [
                "As \"app\" or a superuser: GRANT INSERT ON a, b TO \"me\";",
                "Do this.",
                "As \"app\" or a superuser: GRANT USAGE ON SEQUENCE s TO \"me\";",
                "Or that.",
            ]
        );
    }
}
