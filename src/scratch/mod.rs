//! A throwaway PostgreSQL, for `litelift rehearse` and for the project's own tests.
//!
//! Purpose: two ways to a database that nobody minds losing. [`Server`] runs a private server from
//! the binaries on this machine ([`Binaries`]); [`Borrowed`] makes a database on a server that the
//! user names (`--scratch-url`) and drops it afterwards.
//!
//! What keeps the machine clean, in the order in which it comes to bear:
//! 1. [`Server::stop`], or dropping the [`Server`], also in a panic.
//! 2. The janitor (`janitor.sh`), a sleeping `sh` beside each server. It wakes when its pipe to us
//!    closes, which the kernel does however we end, `kill -9` and `static` variables included.
//!    Way 1 only closes that pipe too, so there is one piece of code that stops and removes.
//! 3. The sweep at each start: a folder whose owner file is no longer locked was left by a process
//!    whose janitor was killed with it (a container stopped, the power gone). The janitor cleans it.
//!
//! Known gaps: Unix only, elsewhere `--scratch-url` remains. A borrowed database survives `kill -9`
//! of litelift, and is reached without TLS. A postmaster that had to be killed by SIGKILL leaves
//! a few bytes of System V shared memory until the next boot.
//!
//! Knobs: `--pg-bin` or `LITELIFT_PG_BIN` (folder of the binaries), `TMPDIR` (where the folder is
//! made, if its path is short), [`Settings`].

#[cfg(unix)]
mod account;
mod borrowed;
mod discover;
#[cfg(unix)]
mod folder;
mod install;
#[cfg(unix)]
mod server;
#[cfg(not(unix))]
#[path = "unsupported.rs"]
mod server;
mod settings;

pub use borrowed::Borrowed;
pub use discover::Binaries;
pub use server::Server;
pub use settings::Settings;

use std::hash::{BuildHasher, Hasher};

/// Returns eight random characters for the name of a folder or database.
///
/// They only keep names apart. Nothing trusts them to be secret, so the seed of std's hash maps
/// is good enough and saves a crate.
fn random_suffix() -> String {
    let hash = std::collections::hash_map::RandomState::new().build_hasher().finish();
    format!("{:08x}", hash >> 32)
}
