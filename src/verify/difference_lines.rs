//! Every row that differs, in a file: a JSON document a line, as in the report.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result};
use crate::report::RowDifference;

/// The file.
pub struct DifferenceLines {
    path: PathBuf,
    file: Mutex<BufWriter<File>>,
}

impl DifferenceLines {
    /// Makes the file; one that is there is replaced.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Usage`] when it cannot be written.
    pub fn create(path: &Path) -> Result<Self> {
        let file = File::create(path).map_err(|error| failed(path, error))?;
        Ok(Self { path: path.to_owned(), file: Mutex::new(BufWriter::new(file)) })
    }

    pub(super) fn write(&self, rows: &[RowDifference]) -> Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        for row in rows {
            let line = serde_json::to_string(row)
                .map_err(|error| Error::usage("could not write a row as JSON").caused_by(error))?;
            writeln!(file, "{line}").map_err(|error| failed(&self.path, error))?;
        }
        Ok(())
    }

    /// Writes what is still kept back.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Usage`] when it cannot be written.
    pub fn finish(&self) -> Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.flush().map_err(|error| failed(&self.path, error))
    }
}

fn failed(path: &Path, error: std::io::Error) -> Error {
    Error::usage(format!("could not write \"{}\"", path.display())).caused_by(error)
}
