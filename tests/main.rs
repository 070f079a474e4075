//! The one test binary.

mod comparer;
mod support;
