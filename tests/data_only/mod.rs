//! `transfer --data-only`: rows into the schema that an application's own migrations made.

mod apps;
mod create_missing;
mod frameworks;
mod guides;
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
