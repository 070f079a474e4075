//! The command line: arguments, progress, summaries, errors. The only code that prints.
//!
//! Data go to standard output (the report of `inspect`, summaries, `--json` documents); progress,
//! notes and errors to standard error. Texts are made by functions that know no stream and no clock,
//! and are snapshots in the tests.
//!
//! ```text
//! args -> commands -> (library) -> summary | type_report | inspect_csv -> output
//!                        | events                   | errors
//!                        v                          v
//!               progress (board, pace)           failure
//! ```

mod amount;
mod board;
mod inspect_csv;
mod names;
mod pace;
mod progress;
mod sections;
mod sentence;
mod stop;
mod style;
mod summary;
mod table;
mod type_report;
