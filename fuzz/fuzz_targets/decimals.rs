//! `cargo +nightly fuzz run decimals`: see CONTRIBUTING.md.

#![no_main]

#[path = "../../tests/oracle/checks.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::decimals(data));
