//! The schema arrives: cases that were executed on both engines, names, collations, what is refused,
//! and the commands that print it.

mod cases;
mod collations;
pub(crate) mod commands;
mod many_tables;
mod names;
mod refusals;

use litelift::report::TransferReport;

use crate::support::fixture::{self, Fixture};
use crate::support::pg::{self, TestDb};
use crate::support::transfer;

/// Makes a database in SQLite and transfers it, values compared.
fn transferred(sql: &str) -> (Fixture, TestDb, TransferReport) {
    transferred_with(sql, |_| {})
}

/// The same with other options.
fn transferred_with(
    sql: &str,
    change: impl FnOnce(&mut litelift::options::TransferOptions),
) -> (Fixture, TestDb, TransferReport) {
    let source = fixture::from_sql("case.db", sql);
    let database = pg::database();
    let mut options = transfer::options(&source.path, &database.url);
    change(&mut options);
    let report = transfer::run(&options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    transfer::compare_all(&source.path, &database.url, &report).expect_same();
    (source, database, report)
}

/// Returns the server's message when it refuses statements; they are rolled back either way.
fn refusal(database: &TestDb, sql: &str) -> Option<String> {
    pg::blocking(async {
        let client = database.client().await;
        client.batch_execute("BEGIN").await.unwrap();
        let refused = client.batch_execute(sql).await.err();
        client.batch_execute("ROLLBACK").await.unwrap();
        refused.map(|error| match error.as_db_error() {
            Some(server) => server.message().to_owned(),
            None => error.to_string(),
        })
    })
}
