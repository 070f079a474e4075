//! The operating system account that the scratch server runs as.
//!
//! Purpose: PostgreSQL refuses to run as root, which is who we are in most containers and in CI.
//! Root can hand a child to any account without `sudo`, which many containers lack.
//!
//! Known gaps: accounts are looked up in /etc/passwd only, not in a directory service.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::error::{Error, Result};

/// Accounts that root hands the server to, best first.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

/// An account, and whether a child must be switched to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Whether we are root, so that files and children must be handed over.
    pub(super) switched: bool,
}

impl Account {
    /// Chooses the account: ourselves, unless we are root.
    pub(super) fn choose() -> Result<Self> {
        let uid = rustix::process::geteuid();
        if !uid.is_root() {
            let gid = rustix::process::getegid().as_raw();
            return Ok(Self { uid: uid.as_raw(), gid, switched: false });
        }
        from_passwd(&read_passwd()).ok_or_else(|| {
            Error::target("no account to run a scratch PostgreSQL as")
                .detail(
                    "PostgreSQL refuses to run as root, and /etc/passwd names neither postgres \
                     nor nobody.",
                )
                .hint("Run litelift as an ordinary user, or use --scratch-url.")
        })
    }

    /// Makes a command run as this account. std also drops root's further groups.
    pub(super) fn apply(&self, command: &mut Command) {
        if self.switched {
            command.uid(self.uid).gid(self.gid);
        }
    }

    /// Hands a file or folder to this account.
    pub(super) fn own(&self, path: &Path) -> std::io::Result<()> {
        if self.switched {
            std::os::unix::fs::chown(path, Some(self.uid), Some(self.gid))?;
        }
        Ok(())
    }

    /// Adds to the error of a PostgreSQL program that ended in failure what this account explains.
    pub(super) fn explain_refused(&self, error: Error) -> Error {
        let named = read_passwd().lines().filter_map(ids).any(|(uid, _)| uid == self.uid);
        // macOS keeps its users in a directory service.
        if named || cfg!(target_os = "macos") {
            return error;
        }
        error.detail(format!("User id {} has no line in /etc/passwd.", self.uid)).hint(
            "PostgreSQL refuses a user id without a name: run as a user of this system \
             (docker run -u root works), or use --scratch-url.",
        )
    }

    /// Adds to the error of a program that could not be started what this account explains.
    pub(super) fn explain_denied(&self, error: Error) -> Error {
        if !self.switched {
            return error;
        }
        error.hint(format!(
            "PostgreSQL refuses root, so its programs run as user id {}: that user must be able \
             to reach and execute them.",
            self.uid
        ))
    }
}

fn read_passwd() -> String {
    // Names may be in any encoding; only the ASCII parts matter here.
    std::fs::read("/etc/passwd")
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

fn ids(line: &str) -> Option<(u32, u32)> {
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

fn from_passwd(passwd: &str) -> Option<Account> {
    CANDIDATES.iter().find_map(|name| {
        let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
        // A line may give root another name.
        let (uid, gid) = ids(line).filter(|(uid, _)| *uid != 0)?;
        Some(Account { uid, gid, switched: true })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_comes_before_nobody_and_root_never() {
        let passwd = "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65533::/:/bin/false\n";
        let nobody = Account { uid: 65534, gid: 65533, switched: true };
        assert_eq!(from_passwd(passwd), Some(nobody.clone()));
        let with_postgres = format!("{passwd}postgres:x:105:111::/:/bin/sh\n");
        assert_eq!(from_passwd(&with_postgres).map(|account| account.uid), Some(105));
        assert_eq!(from_passwd(&format!("{passwd}postgres:x:0:0::/:\n")), Some(nobody));
        assert_eq!(from_passwd("root:x:0:0::/root:/bin/sh\nbroken\n"), None);
    }
}
