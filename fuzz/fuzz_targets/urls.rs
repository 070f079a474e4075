//! `cargo +nightly fuzz run urls`: see CONTRIBUTING.md.

#![no_main]

#[path = "../../tests/oracle/parsers.rs"]
mod parsers;

libfuzzer_sys::fuzz_target!(|data: &[u8]| parsers::urls(data));
