//! `transfer --data-only`: rows into the schema that an application's own migrations made.

mod frameworks;
mod objects;
mod pairs;
mod presets;
mod refusals;
mod stops;
mod target;
