//! `cargo +nightly fuzz run intervals`: see CONTRIBUTING.md.

#![no_main]

#[path = "../../tests/oracle/checks.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::intervals(data));
