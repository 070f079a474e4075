//! Finds the PostgreSQL server binaries of this machine.
//!
//! Purpose: `initdb` and `postgres` are rarely both on PATH (Debian keeps them off it), so the
//! places where the usual packages put them are searched too.
//!
//! Known gaps: version managers whose shims live far from the binaries need `--pg-bin`.
//!
//! Knobs: `--pg-bin`, `LITELIFT_PG_BIN`, PATH.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Error, Result};

use super::install;

/// The programs that a scratch server needs.
const PROGRAMS: [&str; 2] = ["initdb", "postgres"];

/// A folder that holds `initdb` and `postgres`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    /// The folder.
    pub dir: PathBuf,
}

impl Binaries {
    /// Finds the binaries: `explicit` (the value of `--pg-bin`), else `LITELIFT_PG_BIN`, else PATH,
    /// `pg_config --bindir` and the places of the usual packages, the newest version first.
    ///
    /// # Errors
    /// A usage error when the folder that the user named lacks a program: it is never passed over
    /// for another. A target error with the install command when nothing is found.
    pub fn find(explicit: Option<&Path>) -> Result<Self> {
        let named = std::env::var_os("LITELIFT_PG_BIN");
        let path = std::env::var_os("PATH").unwrap_or_default();
        Search { explicit, named, path, root: Path::new("/") }.run()
    }

    /// Returns the path of one program.
    #[cfg(unix)]
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.dir.join(file_name(name))
    }

    fn in_folder(dir: &Path) -> Option<Self> {
        missing_in(dir).is_empty().then(|| Self { dir: dir.to_owned() })
    }
}

/// Everything that the search looks at, so that a test can stand in for the machine.
struct Search<'a> {
    explicit: Option<&'a Path>,
    named: Option<OsString>,
    path: OsString,
    root: &'a Path,
}

impl Search<'_> {
    fn run(&self) -> Result<Binaries> {
        if let Some(dir) = self.explicit {
            return demanded(dir, "--pg-bin");
        }
        if let Some(dir) = self.named.as_ref().filter(|dir| !dir.is_empty()) {
            return demanded(Path::new(dir), "LITELIFT_PG_BIN");
        }
        self.on_path().or_else(|| self.by_pg_config()).or_else(|| self.in_packages()).ok_or_else(
            || {
                Error::target("no PostgreSQL server binaries found")
                    .detail(
                        "Searched PATH, pg_config --bindir, and the folders of the usual packages \
                         for initdb and postgres.",
                    )
                    .hint(install::hint())
                    .hint(
                        "Or name a server that may hold a scratch database with --scratch-url, or \
                         the folder of initdb and postgres with --pg-bin.",
                    )
            },
        )
    }

    fn on_path(&self) -> Option<Binaries> {
        std::env::split_paths(&self.path).find_map(|dir| {
            let initdb = dir.join(file_name("initdb"));
            // A link may lead to the real folder, which also holds the server's share files.
            let real = initdb.canonicalize().ok()?;
            Binaries::in_folder(real.parent()?).or_else(|| Binaries::in_folder(&dir))
        })
    }

    fn by_pg_config(&self) -> Option<Binaries> {
        let program = std::env::split_paths(&self.path)
            .map(|dir| dir.join(file_name("pg_config")))
            .find(|program| is_program(program))?;
        let output = Command::new(program).arg("--bindir").stdin(Stdio::null()).output().ok()?;
        Binaries::in_folder(Path::new(String::from_utf8(output.stdout).ok()?.trim()))
    }

    fn in_packages(&self) -> Option<Binaries> {
        // Parent folder, start of the version folders' names, and the way on to the binaries.
        let versioned = [
            ("usr/lib/postgresql", ""),
            ("usr", "pgsql-"),
            ("opt/homebrew/opt", "postgresql@"),
            ("usr/local/opt", "postgresql@"),
        ];
        let newest_first = versioned.into_iter().flat_map(|(parent, prefix)| {
            versions(&self.root.join(parent), prefix).into_iter().map(|dir| dir.join("bin"))
        });
        let fixed = ["opt/homebrew/bin", "Applications/Postgres.app/Contents/Versions/latest/bin"]
            .map(|place| self.root.join(place));
        newest_first.chain(fixed).find_map(|dir| Binaries::in_folder(&dir))
    }
}

/// Returns the folders in `parent` named `prefix` and a version number, newest first.
fn versions(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    let mut found: Vec<(Vec<u32>, PathBuf)> = entries
        .filter_map(|entry| {
            let name = entry.file_name();
            // By number: as text 9.6 would be newer than 18.
            let version = name.to_str()?.strip_prefix(prefix)?.split('.').map(str::parse);
            Some((version.collect::<std::result::Result<_, _>>().ok()?, entry.path()))
        })
        .collect();
    found.sort_by(|one, other| other.cmp(one));
    found.into_iter().map(|(_, path)| path).collect()
}

/// Accepts the folder that the user named, or says what it lacks.
fn demanded(dir: &Path, named_by: &str) -> Result<Binaries> {
    let missing = missing_in(dir);
    if missing.is_empty() {
        // The server runs with another working folder, so the path must be absolute.
        let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        return Ok(Binaries { dir });
    }
    let error = Error::usage(format!(
        "folder \"{}\" of {named_by} holds no program {}",
        dir.display(),
        missing.join(" and no program ")
    ));
    let below = dir.join("bin");
    Err(if missing_in(&below).is_empty() {
        error.hint(format!("Its folder \"bin\" does: use {}", below.display()))
    } else {
        error.hint(format!("{named_by} must name the folder that holds initdb and postgres."))
    })
}

fn missing_in(dir: &Path) -> Vec<&'static str> {
    PROGRAMS.into_iter().filter(|name| !is_program(&dir.join(file_name(name)))).collect()
}

fn file_name(program: &str) -> String {
    format!("{program}{}", std::env::consts::EXE_SUFFIX)
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use std::os::unix::fs::PermissionsExt;

    /// A file system root of its own, with programs that only need to exist.
    struct Machine(tempfile::TempDir);

    impl Machine {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn dir(&self, place: &str) -> PathBuf {
            // The temporary folder may itself lie behind a link (macOS).
            self.0.path().canonicalize().unwrap().join(place)
        }

        fn program(&self, place: &str, text: &str) {
            let path = self.dir(place);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        }

        fn server(&self, place: &str) -> PathBuf {
            self.program(&format!("{place}/initdb"), "");
            self.program(&format!("{place}/postgres"), "");
            self.dir(place)
        }

        fn search(&self, path: &str) -> Result<Binaries> {
            let path = self.dir(path).into_os_string();
            let root = self.dir("");
            Search { explicit: None, named: None, path, root: &root }.run()
        }
    }

    #[test]
    fn the_newest_version_by_number_wins() {
        let machine = Machine::new();
        machine.server("usr/lib/postgresql/9.6/bin");
        machine.server("usr/lib/postgresql/10/bin");
        std::fs::create_dir_all(machine.dir("usr/lib/postgresql/old/bin")).unwrap();
        // Only client programs: the newest folder does not count.
        machine.program("usr/lib/postgresql/19/bin/psql", "");
        let newest = machine.server("usr/lib/postgresql/18/bin");
        assert_eq!(machine.search("nothing").unwrap().dir, newest);
    }

    #[test]
    fn path_comes_before_pg_config_before_packages() {
        let machine = Machine::new();
        let package = machine.server("usr/pgsql-16/bin");
        assert_eq!(machine.search("path").unwrap().dir, package);

        let configured = machine.server("configured");
        let script = format!("#!/bin/sh\necho '{}'\n", configured.display());
        machine.program("path/pg_config", &script);
        assert_eq!(machine.search("path").unwrap().dir, configured);

        let linked = machine.server("real/bin");
        std::os::unix::fs::symlink(linked.join("initdb"), machine.dir("path/initdb")).unwrap();
        assert_eq!(machine.search("path").unwrap().dir, linked);
    }

    #[test]
    fn a_link_whose_folder_has_no_postgres_falls_back_to_the_links_folder() {
        let machine = Machine::new();
        machine.program("real/initdb", "");
        machine.program("path/postgres", "");
        std::os::unix::fs::symlink(machine.dir("real/initdb"), machine.dir("path/initdb")).unwrap();
        assert_eq!(machine.search("path").unwrap().dir, machine.dir("path"));
    }

    #[test]
    fn a_named_folder_is_taken_or_refused_but_never_skipped() {
        let machine = Machine::new();
        let elsewhere = machine.server("usr/lib/postgresql/18/bin");
        machine.program("half/initdb", "");
        let half = machine.dir("half");
        let root = machine.dir("");
        let path = elsewhere.clone().into_os_string();

        let search = Search { explicit: Some(&half), named: None, path: path.clone(), root: &root };
        let error = search.run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.message().contains("--pg-bin"), "{error}");
        assert!(error.message().ends_with("holds no program postgres"), "{error}");

        let named = Some(machine.dir("usr/lib/postgresql/18").into_os_string());
        let search = Search { explicit: None, named, path: path.clone(), root: &root };
        let error = search.run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.message().contains("LITELIFT_PG_BIN"), "{error}");
        assert!(error.hints()[0].ends_with("18/bin"), "{:?}", error.hints());

        let named = Some(half.into_os_string());
        let search = Search { explicit: Some(&elsewhere), named, path, root: &root };
        assert_eq!(search.run().unwrap().dir, elsewhere);
    }

    #[test]
    fn nothing_found_tells_how_to_go_on() {
        let error = Machine::new().search("nothing").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Target);
        assert!(error.hints()[0].starts_with("Install "), "{:?}", error.hints());
        assert!(error.hints()[1].contains("--scratch-url"), "{:?}", error.hints());
    }
}
