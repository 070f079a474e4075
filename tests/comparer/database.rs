//! A PostgreSQL database for the comparer's own tests.

/// Returns the URL of a database, or says that the test is skipped.
///
/// To be replaced by `support::pg::database()` and its `.url`, which starts a server by itself.
pub(super) fn url() -> Option<String> {
    let url = std::env::var("LITELIFT_TEST_PG").ok();
    if url.is_none() {
        eprintln!("SKIPPED: LITELIFT_TEST_PG is not set");
    }
    url
}
