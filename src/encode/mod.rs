//! Stage 5: bytes for COPY BINARY.
//!
//! Purpose: one small function per PostgreSQL type writes a field straight into the chunk, and one
//! small parser per text form says what the text means. The scan (`introspect`) classifies text
//! with the same parsers, so a value that the decision counted as fitting is one that is encoded.
//! Pure: no I/O, no allocation per value.
//!
//! Known gaps: text COPY, for column types without a binary encoder, is not here yet.

pub mod decimal;
pub mod field;
pub mod iso;
pub mod json;
pub mod numeric;
pub mod row;
pub mod words;

pub use row::{Misfit, RowEncoder};
