//! Objects of the source that this version does not carry: listed by name with their source text.

use crate::model::decision::TableMapping;
use crate::model::pg_type::PgType;
use crate::model::plan::NotCarried;
use crate::model::source::{Affinity, Check, CheckSays, Column, SourceSchema, Table, TableKind};

const NOT_TRANSLATED: &str = "this version does not translate it";

/// Lists what belongs to one table: collations of columns.
#[must_use]
pub fn of_table(table: &Table) -> Vec<NotCarried> {
    let mut left = Vec::new();
    for column in table.columns.iter().filter(|column| compares_otherwise(column)) {
        left.push(NotCarried {
            object: "collation".into(),
            table: Some(table.name.clone()),
            name: column.name.clone(),
            reason: format!("the column compares byte by byte instead of by {}", column.collation),
            source_text: format!("COLLATE {}", column.collation),
        });
    }
    left.extend(table.conflicts.iter().map(|conflict| NotCarried {
        object: "conflict clause".into(),
        table: Some(table.name.clone()),
        name: conflict.name.clone(),
        reason: "in PostgreSQL an INSERT says itself what it does ON CONFLICT".into(),
        source_text: conflict.text.clone(),
    }));
    left.extend(index_of_virtual(table));
    left
}

/// The rows of a virtual table become a plain one; what made it worth its while does not.
fn index_of_virtual(table: &Table) -> Option<NotCarried> {
    let TableKind::Virtual { module } = &table.kind else { return None };
    let module = module.to_ascii_lowercase();
    let (object, verb) = match module.as_str() {
        _ if module.starts_with("fts") => ("full-text index", "MATCH"),
        _ if module.starts_with("rtree") || module == "geopoly" => ("spatial index", "a search"),
        _ => ("virtual table's module", "the module"),
    };
    Some(NotCarried {
        object: object.into(),
        table: Some(table.name.clone()),
        name: table.name.clone(),
        reason: format!("its rows become a plain table, of which {verb} knows nothing"),
        source_text: table.sql.clone(),
    })
}

/// Returns the reason why a CHECK is not needed: the type that the column becomes says it.
pub(super) fn said_by_type(check: &Check, mapping: &TableMapping) -> Option<String> {
    let (position, says) = check.says.as_ref()?;
    let pg_type = mapping.columns.get(*position)?.pg_type;
    let is_said = match says {
        CheckSays::OneOfIntegers(values) => {
            pg_type == PgType::Boolean && values.contains(&0) && values.contains(&1)
        }
        CheckSays::JsonValid => matches!(pg_type, PgType::Json | PgType::Jsonb),
        CheckSays::OneOfTexts(_) => matches!(pg_type, PgType::Enum(_)),
    };
    is_said.then(|| format!("the type {pg_type} says it already"))
}

/// True for a column of text with a collation of its own; that of a number says nothing.
fn compares_otherwise(column: &Column) -> bool {
    !column.collation.is_empty()
        && !column.collation.eq_ignore_ascii_case("BINARY")
        && matches!(column.affinity, Affinity::Text | Affinity::Blob)
}

/// Lists what belongs to the whole file: triggers, tables that cannot be read.
#[must_use]
pub fn of_schema(schema: &SourceSchema, is_selected: impl Fn(&str) -> bool) -> Vec<NotCarried> {
    let triggers = schema.triggers.iter().map(|trigger| NotCarried {
        object: "trigger".into(),
        table: Some(trigger.table.clone()),
        name: trigger.name.clone(),
        reason: NOT_TRANSLATED.into(),
        source_text: trigger.sql.clone(),
    });
    let unreadable =
        schema.unreadable.iter().filter(|table| is_selected(&table.name)).map(|table| NotCarried {
            object: "virtual table".into(),
            table: None,
            name: table.name.clone(),
            reason: table.reason.clone(),
            source_text: table.sql.clone(),
        });
    triggers.chain(unreadable).collect()
}
