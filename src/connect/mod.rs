//! PostgreSQL: URL, pool, session settings, errors.
//!
//! Purpose: every connection of litelift is made here, with the same settings, and every message of
//! the server passes [`failure`], so that no password and no driver jargon reaches the user.
//!
//! Known gaps: no TLS yet: a URL that demands it is refused, never downgraded. No service files, no
//! `.pgpass`, no foreign URL forms.

pub mod failure;
pub mod target;
pub mod url;
pub mod watch;

pub use deadpool_postgres::Transaction;
pub use target::{Guard, Session, Target};
pub use watch::Turn;
