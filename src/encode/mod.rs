//! Stage 5: bytes for COPY BINARY.
//!
//! Purpose: one small function per PostgreSQL type writes a field straight into the chunk, and one
//! small parser per text form says what the text means. The scan (`introspect`) classifies text
//! with the same parsers, so a value that the decision counted as fitting is one that is encoded.
//! Pure: no I/O, no allocation per value.
//!
//! Known gaps: text COPY, for column types without a binary encoder, is not here yet.

pub mod array;
mod column;
pub mod decimal;
pub mod epoch;
pub mod exact;
pub mod field;
pub mod interval;
pub mod iso;
pub mod json;
pub mod jsonb;
pub mod network;
pub(crate) mod number;
pub mod numeric;
mod plain;
pub mod range_hash;
pub mod record_hash;
pub mod row;
mod stored;
mod text;
pub mod words;
pub mod zone;

pub use plain::DOUBLE_EXACT_MAX;
pub use row::{Misfit, RowEncoder};
pub use zone::Zone;
