//! `litelift verify`: what it finds, and that it finds nothing where nothing is.

mod planted;

use std::path::Path;
use std::sync::Arc;

use litelift::event::{Cancel, Listener, Silent};
use litelift::options::{DataOnly, VerifyOptions};
use litelift::report::{VerifyLevel, VerifyReport};

use crate::support::{pg, transfer};

/// The options of `litelift verify --from FILE --to URL --level LEVEL`.
pub(crate) fn wanted(from: &Path, url: &str, level: VerifyLevel) -> VerifyOptions {
    let mut inspect = transfer::options(from, url).inspect;
    inspect.data_only = Some(DataOnly::default());
    VerifyOptions {
        inspect,
        to: url.to_owned(),
        renames: Vec::new(),
        level,
        shown_max: 10,
        redact: false,
        differences: None,
        repair: false,
    }
}

/// Runs a comparison in a runtime of its own.
pub(crate) fn verify(options: &VerifyOptions) -> VerifyReport {
    let listener: Arc<dyn Listener> = Arc::new(Silent);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let report = runtime.block_on(litelift::verify::run(options, &listener, &Cancel::default()));
    report.unwrap_or_else(|error| panic!("{}", pg::explain(&error)))
}
