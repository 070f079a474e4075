//! The command `litelift`: see `litelift --help` and the documentation of the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    litelift::cli::run()
}
