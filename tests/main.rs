//! The integration tests of litelift: one binary, so that one PostgreSQL serves them all.

// clippy knows tests by their attribute, and so does not see the code that supports them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod architecture;
mod catalogue;
mod cli;
mod comparer;
mod corpus;
mod damaged;
mod data_only;
mod documents;
mod expressions;
mod faults;
mod fixtures;
mod frameworks;
mod inspect;
mod oracle;
mod random;
mod regressions;
mod resume;
mod schema;
mod scratch;
mod source;
mod support;
mod sync;
mod type_maps;
mod verify;
