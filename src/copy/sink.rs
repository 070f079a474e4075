//! A COPY that must be finished, or aborted with a reason.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::SinkExt as _;
use tokio_postgres::{CopyInSink, Transaction};

use crate::model::ident::{qualified, quoted_list};
use crate::model::plan::TablePlan;

/// Returns the COPY statement of a table.
#[must_use]
pub(super) fn copy_sql(schema: &str, table: &TablePlan) -> String {
    let columns = table.columns.iter().map(|column| column.target.as_str());
    format!(
        "COPY {} ({}) FROM STDIN (FORMAT binary)",
        qualified(schema, &table.target),
        quoted_list(columns)
    )
}

/// A running COPY. Dropping it without [`Self::finish`] makes the driver send CopyFail, and the
/// transaction around it rolls back: half a range is never committed. Errors are the server's, for the
/// caller to explain.
#[must_use = "a COPY that is not finished is rolled back"]
pub(super) struct CopySink {
    sink: Pin<Box<CopyInSink<Bytes>>>,
}

type Sent<T> = Result<T, tokio_postgres::Error>;

impl CopySink {
    /// Starts the COPY of a prepared statement.
    pub(super) async fn start(
        transaction: &Transaction<'_>,
        statement: &tokio_postgres::Statement,
    ) -> Sent<Self> {
        Ok(Self { sink: Box::pin(transaction.copy_in(statement).await?) })
    }

    /// Sends a chunk.
    pub(super) async fn send(&mut self, chunk: Bytes) -> Sent<()> {
        self.sink.feed(chunk).await
    }

    /// Ends the COPY; returns the rows that PostgreSQL counted.
    pub(super) async fn finish(mut self) -> Sent<u64> {
        self.sink.as_mut().finish().await
    }
}
