//! `transfer --data-only`: rows into the schema that an application's own migrations made.

mod create_missing;
mod merging;
mod objects;
mod pairs;
mod presets;
mod refusals;
mod stops;
mod target;
mod verified;
