//! `transfer --data-only`: rows into the schema that an application's own migrations made.

mod apps;
mod frameworks;
mod guides;
mod objects;
mod pairs;
mod presets;
mod refusals;
mod stops;
pub(crate) mod target;
mod verified;
