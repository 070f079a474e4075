//! `cargo +nightly fuzz run uuids`: see CONTRIBUTING.md.

#![no_main]

#[path = "../../tests/oracle/checks.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::uuids(data));
