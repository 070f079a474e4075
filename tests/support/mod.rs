//! What the tests stand on.

pub(crate) mod catalogue;
pub(crate) mod compare;
pub(crate) mod corpus;
pub(crate) mod fixture;
pub(crate) mod generate;
pub(crate) mod pg;
pub(crate) mod round_trip;
pub(crate) mod rust_source;
pub(crate) mod transfer;
