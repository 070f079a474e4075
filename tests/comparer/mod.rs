//! Tests of the comparer, the fixtures and the corpus list.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "these are tests and their tools")]

mod faults;
mod fixtures;
mod loader;
mod oracle;
mod rules;
