//! litelift moves a SQLite database into PostgreSQL and proves that it arrived.

pub mod model;

pub mod error;
pub mod event;
pub mod options;
pub mod report;
