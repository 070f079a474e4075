//! litelift moves a SQLite database into PostgreSQL and proves that it arrived.
//!
//! ```text
//! introspect -> map -> plan -> read -> encode -> copy (+ checkpoint) -> finish -> verify
//! ```
//!
//! The modules stand here in the order in which data passes them; [`transfer`] is the recipe that
//! calls them. A value takes two forms: borrowed from SQLite's row, and bytes in a chunk.

pub mod introspect;

pub mod map;

pub mod plan;
pub mod presets;

pub mod read;

pub mod encode;

pub mod copy;

pub mod checkpoint;

pub mod finish;

pub mod verify;

pub mod sync;

pub mod inspect;
pub mod rehearse;
pub mod transfer;

pub mod cli;

pub mod model;

pub mod connect;
pub mod scratch;

pub mod error;
pub mod event;
pub mod options;
pub mod report;
pub mod type_maps;
