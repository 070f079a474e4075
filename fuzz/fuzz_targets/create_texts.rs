//! `cargo +nightly fuzz run create_texts`: see CONTRIBUTING.md.

#![no_main]

#[path = "../../tests/oracle/parsers.rs"]
mod parsers;

libfuzzer_sys::fuzz_target!(|data: &[u8]| parsers::create_texts(data));
