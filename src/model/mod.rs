//! The types that travel between the stages. No I/O, no driver types.

pub mod source;
pub mod value;
