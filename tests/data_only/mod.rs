//! `transfer --data-only`: rows into the schema that an application's own migrations made.

mod pairs;
mod refusals;
mod target;
