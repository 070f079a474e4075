//! `cargo +nightly fuzz run dates`: see CONTRIBUTING.md.

#![no_main]

#[path = "../../tests/oracle/checks.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::dates(data));
