//! What once went wrong, each named by what it was.

mod columns;
mod keys;

use litelift::options::FileCheck;
use litelift::report::TransferReport;

use crate::support::fixture;
use crate::support::pg::{self, TestDb};
use crate::support::transfer;

/// Transfers a database with no flags and expects every value on the other side.
fn transferred(sql: &str) -> (TestDb, TransferReport) {
    transferred_after(FileCheck::Automatic, sql)
}

/// The same after another check of the file.
fn transferred_after(check: FileCheck, sql: &str) -> (TestDb, TransferReport) {
    let source = fixture::from_sql("case.db", sql);
    let database = pg::database();
    let mut options = transfer::options(&source.path, &database.url);
    options.inspect.check = check;
    let report = transfer::run(&options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    transfer::compare_all(&source.path, &database.url, &report).expect_same();
    (database, report)
}

/// The types of a table's columns, in order.
fn types(database: &TestDb, table: &str) -> String {
    let sql = format!(
        "SELECT string_agg(format_type(atttypid, atttypmod), ', ' ORDER BY attnum) \
         FROM pg_attribute WHERE attrelid = 'public.\"{table}\"'::regclass AND attnum > 0"
    );
    database.query_one_text(&sql).unwrap()
}

/// Object, name and reason of what was not carried over.
fn left(report: &TransferReport) -> Vec<String> {
    let line = |left: &litelift::model::plan::NotCarried| {
        format!("{} {}: {}", left.object, left.name, left.reason)
    };
    report.not_carried.iter().map(line).collect()
}
