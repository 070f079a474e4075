//! `transfer --data-only`: rows into the schema that an application's own migrations made.

mod apps;
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
