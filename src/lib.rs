//! litelift moves a SQLite database into PostgreSQL and proves that it arrived.

pub mod error;
pub mod introspect;
pub mod model;
pub mod read;
