//! `transfer --data-only`: rows into the schema that an application's own migrations made.

mod create_missing;
mod merging;
mod objects;
mod order;
mod pairs;
mod presets;
mod refusals;
mod roles;
mod stops;
pub(crate) mod target;
mod verified;
