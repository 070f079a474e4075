//! What is there? Reads the declarations of the source, and of a target that has tables already.
//!
//! Purpose: the first stage. It fills [`crate::model::source::SourceSchema`] from PRAGMAs and from the
//! CREATE texts, and decides nothing.

pub mod check;
pub mod ddl;
mod losses;
pub mod observe;
pub mod postgres;
pub mod profile;
pub mod sqlite;

pub use sqlite::source_schema;
