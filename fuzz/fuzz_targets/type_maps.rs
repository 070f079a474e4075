//! `cargo +nightly fuzz run type_maps`: see CONTRIBUTING.md.

#![no_main]

#[path = "../../tests/oracle/parsers.rs"]
mod parsers;

libfuzzer_sys::fuzz_target!(|data: &[u8]| parsers::type_maps(data));
