//! The corpus of real SQLite databases, when it is there.
//!
//! Purpose: list it and hand out copies; it is third-party data and stays outside the repository.
//! `LITELIFT_CORPUS` names the folder; without it `../shared/corpus` beside the package is tried.
//!
//! Known gaps: the variants in a pair's folder other than `sqlite.db` are not listed.

#![allow(clippy::print_stderr, reason = "a skipped test must be seen")]

use std::path::{Path, PathBuf};

/// One database.
#[derive(Debug, Clone)]
pub(crate) struct CorpusFile {
    /// `skype_main`, or `pairs/chinook`.
    pub(crate) name: String,
    /// The original; read copies instead, see [`CorpusFile::copy_into`].
    pub(crate) path: PathBuf,
    /// The app's own PostgreSQL schema, for pairs.
    pub(crate) postgres_schema: Option<PathBuf>,
}

impl CorpusFile {
    /// Copies the database with its -wal, -shm and -journal into a folder, and returns its path.
    pub(crate) fn copy_into(&self, folder: &Path) -> std::io::Result<PathBuf> {
        let copy = folder.join(format!("{}.db", self.name.replace('/', "_")));
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let from = with_suffix(&self.path, suffix);
            if from.exists() {
                let to = with_suffix(&copy, suffix);
                // Not fs::copy alone: the corpus is read-only, and a copy of that cannot be opened
                // for writing by those who are not root.
                std::fs::write(to, std::fs::read(from)?)?;
            }
        }
        Ok(copy)
    }
}

/// Lists the corpus by name; `None`, with a line on stderr, when it is not there.
pub(crate) fn files() -> Option<Vec<CorpusFile>> {
    let folder = folder();
    if !folder.is_dir() {
        eprintln!(
            "SKIPPED: no corpus at {} (LITELIFT_CORPUS names another folder)",
            folder.display()
        );
        return None;
    }
    let mut files = Vec::new();
    for path in entries(&folder) {
        if path.extension().is_some_and(|extension| extension == "db") {
            let name = file_stem(&path);
            files.push(CorpusFile { name, path, postgres_schema: None });
        }
    }
    for pair in entries(&folder.join("pairs")) {
        let path = pair.join("sqlite.db");
        if path.is_file() {
            let schema = ["postgres_schema.sql", "postgres_after_migrate.sql"]
                .into_iter()
                .map(|name| pair.join(name))
                .find(|path| path.is_file());
            let name = format!("pairs/{}", file_stem(&pair));
            files.push(CorpusFile { name, path, postgres_schema: schema });
        }
    }
    Some(files)
}

fn folder() -> PathBuf {
    std::env::var_os("LITELIFT_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"),
        PathBuf::from,
    )
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    paths
}

fn file_stem(path: &Path) -> String {
    path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
