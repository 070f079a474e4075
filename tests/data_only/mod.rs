//! `transfer --data-only`: rows into the schema that an application's own migrations made.

mod objects;
mod order;
mod pairs;
mod refusals;
mod roles;
mod stops;
mod target;
