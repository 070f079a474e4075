//! The schema of a SQLite file.
//!
//! Purpose: [`source_schema`] asks the PRAGMAs what SQLite really does (affinity, order of keys,
//! resolved collations) and the CREATE texts for what they leave out (CHECKs, expressions, names of
//! constraints). Where both tell the same thing and differ, the PRAGMA wins and the difference becomes
//! a sentence in `remarks`.
//!
//! Tables whose rows are an index over something else, or were never stored, become `unreadable` with
//! the reason. A virtual table that this SQLite cannot read gives up its inner tables, so that their
//! rows are carried over as ordinary ones.
//!
//! Known gaps: a CREATE text that is not UTF-8 is not parsed, so its CHECKs and expressions are
//! unknown (a remark says so). Objects of the temporary schema are not looked at. The parts of a
//! view or trigger are not kept.

mod catalogue;
mod columns;
mod foreign_keys;
mod identity;
mod indexes;
mod keys;
mod tables;
mod virtual_tables;

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;

pub use self::identity::identity;

use self::catalogue::{Catalogue, Listed, Object, ObjectKind, Storage};
use self::virtual_tables::VirtualTable;
use super::ddl::{self, ViewText};
use crate::error::Result;
use crate::model::source::{SourceSchema, Trigger, UnreadableTable, View};

/// Reads the schema of the main database of a connection.
///
/// When no transaction is open, one is opened for the time of the call, so that all answers are of
/// one moment.
///
/// # Errors
/// [`crate::error::ErrorKind::Source`]: the file cannot be read or is damaged, or the name of a table
/// or column is not UTF-8.
pub fn source_schema(connection: &Connection) -> Result<SourceSchema> {
    let _one_moment = connection
        .is_autocommit()
        .then(|| connection.unchecked_transaction())
        .transpose()
        .map_err(|cause| catalogue::failure(connection, cause))?;
    let mut catalogue = Catalogue::open(connection)?;
    let mut schema = SourceSchema {
        encoding: catalogue.text("encoding")?,
        user_version: catalogue.number("user_version")?,
        application_id: catalogue.number("application_id")?,
        ..SourceSchema::default()
    };
    let contents = Contents::read(&mut catalogue, &mut schema.remarks)?;
    for object in &contents.objects {
        match object.kind {
            ObjectKind::Table => take_table(&mut schema, &mut catalogue, &contents, object)?,
            ObjectKind::View => take_view(&mut schema, &mut catalogue, object)?,
            ObjectKind::Trigger => take_trigger(&mut schema, object),
            ObjectKind::Index => {}
            ObjectKind::Unknown => schema.remarks.push(format!(
                "\"{}\" in sqlite_schema is of a type that SQLite does not know; it is left out.",
                object.name
            )),
        }
    }
    schema.unreadable.extend(contents.nameless());
    Ok(schema)
}

/// What has to be known of the whole file before a single table can be described.
struct Contents {
    objects: Vec<Object>,
    listed: HashMap<String, Listed>,
    /// Positions in `objects` of the indexes made by CREATE INDEX, by the lower-case table name.
    indexes: HashMap<String, Vec<usize>>,
    sequences: HashMap<String, i64>,
    virtual_tables: HashMap<String, VirtualTable>,
    /// Inner tables of virtual tables that cannot be read; they are carried over instead.
    given_up: HashSet<String>,
}

impl Contents {
    fn read(catalogue: &mut Catalogue<'_>, remarks: &mut Vec<String>) -> Result<Self> {
        let objects = catalogue.objects()?;
        let listed = catalogue.tables()?;
        let sequences = catalogue.sequences()?;
        let shadows: Vec<&str> = tables_of(&objects, &listed, Storage::Shadow)
            .map(|object| object.name.as_str())
            .collect();
        let mut virtual_tables = HashMap::new();
        for object in tables_of(&objects, &listed, Storage::Virtual) {
            let found = virtual_tables::describe(catalogue, object, &objects, &shadows, remarks)?;
            virtual_tables.insert(object.name.clone(), found);
        }
        let given_up = virtual_tables::given_up(&mut virtual_tables, &shadows);
        let mut indexes: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, object) in objects.iter().enumerate() {
            if object.kind == ObjectKind::Index {
                indexes.entry(object.table.to_ascii_lowercase()).or_default().push(at);
            }
        }
        Ok(Self { objects, listed, indexes, sequences, virtual_tables, given_up })
    }

    /// Tables that SQLite lists under a name that `sqlite_schema` does not have. Only somebody who
    /// edited `sqlite_schema` by hand can make them.
    fn nameless(&self) -> Vec<UnreadableTable> {
        let named: HashSet<&str> = self.objects.iter().map(|object| object.name.as_str()).collect();
        let mut nameless: Vec<_> = (self.listed.keys())
            .filter(|name| !named.contains(name.as_str()) && !catalogue::is_internal(name))
            .map(|name| UnreadableTable {
                name: name.clone(),
                reason: "sqlite_schema has another name for it".to_owned(),
                sql: String::new(),
                searches: None,
            })
            .collect();
        nameless.sort_by(|left, right| left.name.cmp(&right.name));
        nameless
    }

    /// The indexes made by CREATE INDEX on a table, in the order in which they were made.
    fn indexes_of(&self, table: &str) -> impl Iterator<Item = &Object> {
        let positions = self.indexes.get(&table.to_ascii_lowercase());
        positions.into_iter().flatten().map(|&at| &self.objects[at])
    }
}

fn tables_of<'o>(
    objects: &'o [Object],
    listed: &HashMap<String, Listed>,
    storage: Storage,
) -> impl Iterator<Item = &'o Object> {
    objects.iter().filter(move |object| {
        object.kind == ObjectKind::Table
            && listed.get(&object.name).is_some_and(|table| table.storage == storage)
    })
}

fn take_table(
    schema: &mut SourceSchema,
    catalogue: &mut Catalogue<'_>,
    contents: &Contents,
    object: &Object,
) -> Result<()> {
    let Some(listed) = contents.listed.get(&object.name) else {
        schema.unreadable.push(UnreadableTable {
            name: object.name.clone(),
            reason: "SQLite does not list it".to_owned(),
            sql: shown(object),
            searches: None,
        });
        return Ok(());
    };
    match listed.storage {
        Storage::Shadow if !contents.given_up.contains(&object.name) => {
            schema.shadow_tables.push(object.name.clone());
        }
        Storage::Virtual => match &contents.virtual_tables[&object.name] {
            VirtualTable::Readable(table) => schema.tables.push((**table).clone()),
            VirtualTable::Unreadable { reason, searches, .. } => {
                schema.unreadable.push(UnreadableTable {
                    name: object.name.clone(),
                    reason: reason.clone(),
                    sql: shown(object),
                    searches: searches.clone(),
                });
            }
        },
        Storage::Ordinary | Storage::Shadow => {
            let table =
                tables::describe(catalogue, contents, object, *listed, &mut schema.remarks)?;
            schema.tables.push(table);
        }
    }
    Ok(())
}

fn take_view(
    schema: &mut SourceSchema,
    catalogue: &mut Catalogue<'_>,
    object: &Object,
) -> Result<()> {
    let text = with_text(object, ddl::view).unwrap_or_else(|reason| {
        schema.remarks.push(not_parsed("view", &object.name, &reason));
        ViewText { columns: Vec::new(), query: Err("it could not be parsed".to_owned()) }
    });
    // A view over another one is not compiled here, for that could take for ever; nor is one over
    // what is not there.
    let columns = catalogue.columns(&object.name)?.unwrap_or_default();
    let known: Vec<String> = columns.into_iter().map(|column| column.name).collect();
    schema.views.push(View {
        name: object.name.clone(),
        columns: if known.is_empty() { text.columns } else { known },
        query: text.query,
        sql: shown(object),
    });
    Ok(())
}

fn take_trigger(schema: &mut SourceSchema, object: &Object) {
    if let Err(reason) = with_text(object, ddl::trigger) {
        schema.remarks.push(not_parsed("trigger", &object.name, &reason));
    }
    schema.triggers.push(Trigger {
        name: object.name.clone(),
        table: object.table.clone(),
        sql: shown(object),
    });
}

/// Parses the text of an object, which must be UTF-8 for that.
fn with_text<T>(
    object: &Object,
    parse: impl FnOnce(&str) -> std::result::Result<T, String>,
) -> std::result::Result<T, String> {
    match &object.sql {
        Ok(sql) => parse(sql),
        Err(_) => Err("it is not UTF-8".to_owned()),
    }
}

/// The text of an object for the report.
fn shown(object: &Object) -> String {
    object.sql.clone().unwrap_or_else(|shown| shown)
}

fn not_parsed(kind: &str, name: &str, reason: &str) -> String {
    format!("The CREATE text of {kind} \"{name}\" could not be parsed: {reason}.")
}

#[cfg(test)]
mod tests;
