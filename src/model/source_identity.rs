//! By what a state of a SQLite file is known from inside.

use serde::{Deserialize, Serialize};

/// What SQLite says of a file without reading its rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceIdentity {
    /// `PRAGMA encoding`.
    pub encoding: String,
    /// `PRAGMA user_version`: applications count their migrations with it.
    pub user_version: i64,
    /// `PRAGMA application_id`.
    pub application_id: i64,
    /// `PRAGMA schema_version`: it moves with each change of the schema, and with each VACUUM.
    pub schema_version: i64,
    /// Bytes of a page.
    pub page_bytes: i64,
    /// Number of pages.
    pub pages: i64,
    /// The CREATE text of each object but SQLite's own, with its kind and name, in order of these.
    pub objects: Vec<SourceObject>,
}

/// An object of the schema, as its text stands in the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SourceObject {
    /// `table`, `index`, `view` or `trigger`.
    pub kind: String,
    /// Name.
    pub name: String,
    /// CREATE text.
    pub sql: String,
}
