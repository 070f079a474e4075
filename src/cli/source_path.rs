//! The value of `--from`: a path, or one of the forms in which people keep SQLite files in their
//! settings.
//!
//! What exists as a file under the name as given is that file. Else a scheme is taken off:
//! `sqlite:`, `sqlite3:`, `jdbc:sqlite:` and `file:`, with slashes and a `?query` as the tools have
//! them. They disagree on `sqlite:///app.db` (SQLAlchemy: relative, others: absolute), so the one
//! that exists is taken; when both do, the user is asked.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::names::plain;
use crate::error::{Error, Result};

/// Returns the path of the file that `--from` means.
pub(super) fn resolve(given: &OsStr) -> Result<PathBuf> {
    resolve_with(given, Path::exists)
}

fn resolve_with(given: &OsStr, exists: impl Fn(&Path) -> bool) -> Result<PathBuf> {
    let as_given = PathBuf::from(given);
    // A name that is not UTF-8 is nobody's URL.
    let Some(text) = given.to_str() else { return Ok(as_given) };
    if text.is_empty() {
        return Err(Error::usage("--from is empty").hint("Give the path of a SQLite file."));
    }
    if exists(&as_given) {
        return Ok(as_given);
    }
    not_a_database_url(text)?;
    let Some((rest, is_uri)) = without_scheme(text) else { return Ok(as_given) };
    if rest.contains(":memory:") || rest.is_empty() {
        return Err(Error::usage("--from names a database in memory, not a file"));
    }
    let candidates = candidates(rest, is_uri);
    let mut existing = candidates.iter().filter(|path| exists(path));
    match (existing.next(), existing.next()) {
        (Some(one), Some(other)) => Err(Error::usage("--from could mean two files")
            .detail(format!("{} and {}", shown(one), shown(other)))
            .hint("Give the path alone, without \"sqlite://\".")),
        (Some(one), None) => Ok(one.clone()),
        (None, _) => Ok(candidates.into_iter().next().unwrap_or(as_given)),
    }
}

fn shown(path: &Path) -> String {
    plain(&path.to_string_lossy())
}

/// Refuses a server's URL without repeating it: it may hold a password.
fn not_a_database_url(text: &str) -> Result<()> {
    let lower = text.to_ascii_lowercase();
    if ["postgres:", "postgresql:"].iter().any(|scheme| lower.starts_with(scheme)) {
        return Err(Error::usage("--from is a PostgreSQL URL, but must be a SQLite file")
            .hint("The target is given with --to."));
    }
    if lower.contains("://") && without_scheme(text).is_none() {
        return Err(Error::usage("--from is a URL, but must be a SQLite file")
            .hint("Copy the file to this machine first, for example with `sqlite3 app.db \".backup copy.db\"`."));
    }
    Ok(())
}

/// Takes the scheme off; true: a `file:` URI, where `%20` is a space.
fn without_scheme(text: &str) -> Option<(&str, bool)> {
    let after = |scheme: &str| {
        let head = text.get(..scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then(|| &text[scheme.len()..])
    };
    let sqlite = ["jdbc:sqlite:", "sqlite3:", "sqlite:"].iter().find_map(|scheme| after(scheme));
    sqlite.map(|rest| (rest, false)).or_else(|| after("file:").map(|rest| (rest, true)))
}

/// Returns what the rest of a URL can mean, the likelier first.
fn candidates(rest: &str, is_uri: bool) -> Vec<PathBuf> {
    let no_query = rest.split(['?', '#']).next().unwrap_or(rest);
    let path = if is_uri { percent_decoded(no_query) } else { no_query.to_owned() };
    let Some(after_slashes) = path.strip_prefix("//") else { return vec![PathBuf::from(path)] };
    if is_uri {
        let host_removed = after_slashes.strip_prefix("localhost").unwrap_or(after_slashes);
        return vec![PathBuf::from(host_removed)];
    }
    match after_slashes.strip_prefix('/') {
        // `sqlite:////abs/app.db`
        Some(absolute) if absolute.starts_with('/') => vec![PathBuf::from(absolute)],
        // `sqlite:///app.db`
        Some(relative) => vec![PathBuf::from(relative), PathBuf::from(after_slashes)],
        // `sqlite://app.db`
        None => vec![PathBuf::from(after_slashes)],
    }
}

/// Decodes `%20`; what is no valid encoding, or not UTF-8 afterwards, stays as it is.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let code = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(given: &str, existing: &[&str]) -> String {
        match resolve_with(OsStr::new(given), |path| {
            existing.iter().any(|one| Path::new(one) == path)
        }) {
            Ok(path) => path.display().to_string(),
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn paths_are_taken_as_they_are() {
        assert_eq!(resolved("dev.db", &[]), "dev.db");
        assert_eq!(resolved(r"C:\data\dev.db", &[]), r"C:\data\dev.db");
        assert_eq!(resolved("sqlite:odd", &["sqlite:odd"]), "sqlite:odd");
    }

    #[test]
    fn forms_from_settings_are_understood() {
        for (given, path) in [
            ("sqlite:dev.db", "dev.db"),
            ("sqlite:./dev.db", "./dev.db"),
            ("sqlite:///dev.db", "dev.db"),
            ("sqlite:////srv/dev.db", "/srv/dev.db"),
            ("sqlite://dev.db?mode=rwc", "dev.db"),
            ("sqlite3:dev.db", "dev.db"),
            ("jdbc:sqlite:dev.db", "dev.db"),
            ("SQLite:dev.db", "dev.db"),
            ("file:./dev.db?connection_limit=1", "./dev.db"),
            ("file:/srv/my%20dev.db", "/srv/my dev.db"),
            ("file:///srv/dev.db", "/srv/dev.db"),
            ("file://localhost/srv/100%.db", "/srv/100%.db"),
        ] {
            assert_eq!(resolved(given, &[]), path, "{given}");
        }
    }

    #[test]
    fn three_slashes_mean_the_file_that_exists() {
        assert_eq!(resolved("sqlite:///srv/dev.db", &["/srv/dev.db"]), "/srv/dev.db");
        assert_eq!(resolved("sqlite:///srv/dev.db", &["srv/dev.db"]), "srv/dev.db");
        let both = resolved("sqlite:///srv/dev.db", &["/srv/dev.db", "srv/dev.db"]);
        assert_eq!(both, "error: --from could mean two files");
    }

    #[test]
    fn other_urls_are_refused_without_repeating_them() {
        for given in
            ["postgres://u:s3cret@h/db", "PostgreSQL://u:s3cret@h", "https://x:s3cret@h/a.db"]
        {
            let error = resolved(given, &[]);
            assert!(error.starts_with("error: --from is a"), "{error}");
            assert!(!error.contains("s3cret"));
        }
        assert!(resolved("sqlite::memory:", &[]).starts_with("error"));
        assert!(resolved("", &[]).starts_with("error"));
    }
}
