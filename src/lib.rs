//! litelift moves a SQLite database into PostgreSQL and proves that it arrived.

pub mod map;

pub mod plan;

pub mod encode;

pub mod model;

pub mod copy;

pub mod checkpoint;

pub mod connect;

pub mod error;
pub mod event;
pub mod options;
pub mod report;
pub mod scratch;
