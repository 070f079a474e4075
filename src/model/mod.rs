//! The types that travel between the stages. No I/O, no driver types.
//!
//! `SourceSchema` (+ `Evidence`) -> `Mapping` -> `TransferPlan` -> chunks of bytes -> `Mark`
//! -> reports.

pub mod built_in;
pub mod catalogue;
pub mod convert;
pub mod decision;
pub mod demands;
pub mod evidence;
pub mod expression;
pub mod follow_up;
pub mod ident;
pub mod literal;
pub mod mark;
pub mod matching;
pub mod merge;
pub mod name_style;
pub mod number;
pub mod on_misfit;
pub mod orphans;
pub mod pg_type;
pub mod plan;
pub mod query;
pub mod range_sums;
pub mod source;
pub mod source_identity;
pub mod suggestion;
pub mod target;
pub mod unique;
pub mod value;
