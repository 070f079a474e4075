//! The PostgreSQL side: columns from the catalogs, rows as text COPY.
//!
//! Purpose: PostgreSQL's own output functions tell what is stored, in one snapshot.
//!
//! Known gaps: plain TCP or socket without TLS.

use std::ops::Range;

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, CopyOutStream, NoTls};

use super::Fallible;
use super::rules::PgType;

/// A connection with a runtime of its own, so that callers need none.
pub(crate) struct Target {
    runtime: Runtime,
    client: Client,
}

impl Target {
    /// Connects, fixes every setting that changes output, and takes one snapshot for all reads.
    pub(crate) fn connect(url: &str) -> Fallible<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (client, connection) = runtime.block_on(tokio_postgres::connect(url, NoTls))?;
        // An error of the connection reaches the client as a failed query.
        runtime.spawn(async move { drop(connection.await) });
        runtime.block_on(client.batch_execute(
            "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'iso_8601';
             SET extra_float_digits = 1; SET bytea_output = 'hex'; SET client_encoding = 'UTF8';
             SET search_path = pg_catalog; SET xmloption = 'content';
             BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        ))?;
        Ok(Self { runtime, client })
    }

    /// Lists the tables of a schema: ordinary, partitioned and foreign ones.
    pub(crate) fn tables(&self, schema: &str) -> Fallible<Vec<String>> {
        let rows = self.runtime.block_on(self.client.query(
            "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = $1::text AND c.relkind IN ('r', 'p', 'f') ORDER BY 1",
            &[&schema],
        ))?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    /// Lists the columns of a table in their order; empty when there is no such table.
    pub(crate) fn columns(&self, schema: &str, table: &str) -> Fallible<Vec<(String, PgType)>> {
        let rows = self.runtime.block_on(self.client.query(
            "WITH RECURSIVE base (position, name, type) AS ( \
               SELECT a.attnum, a.attname::text, a.atttypid FROM pg_attribute a \
               JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
               WHERE n.nspname = $1::text AND c.relname = $2::text AND c.relkind IN ('r', 'p', 'f') \
                 AND a.attnum > 0 AND NOT a.attisdropped \
               UNION ALL SELECT b.position, b.name, t.typbasetype FROM base b \
               JOIN pg_type t ON t.oid = b.type WHERE t.typtype = 'd') \
             SELECT b.name, t.typname::text, t.typtype::text FROM base b \
             JOIN pg_type t ON t.oid = b.type WHERE t.typtype <> 'd' ORDER BY b.position",
            &[&schema, &table],
        ))?;
        let mut columns = Vec::with_capacity(rows.len());
        for row in rows {
            let name: String = row.try_get(0)?;
            let type_name: String = row.try_get(1)?;
            let kind: String = row.try_get(2)?;
            columns.push((name, PgType::of(&type_name, &kind)));
        }
        Ok(columns)
    }

    /// Starts reading these columns, in the order of one of them where it is asked for.
    pub(crate) fn rows(
        &self,
        schema: &str,
        table: &str,
        columns: &[&str],
        order_by: Option<&str>,
    ) -> Fallible<Rows<'_>> {
        let terms: Vec<String> =
            columns.iter().map(|column| format!("t.{}", quoted(column))).collect();
        let order = order_by.map_or_else(String::new, |column| {
            format!(" ORDER BY t.{} NULLS FIRST", quoted(column))
        });
        let sql = format!(
            "COPY (SELECT {} FROM {}.{} t{order}) TO STDOUT",
            terms.join(", "),
            quoted(schema),
            quoted(table),
        );
        let stream = self.runtime.block_on(self.client.copy_out(&sql))?;
        Ok(Rows {
            runtime: &self.runtime,
            stream: Box::pin(stream),
            chunk: Bytes::new(),
            line: Vec::new(),
            text: Vec::new(),
            fields: Vec::new(),
            count: columns.len(),
        })
    }
}

/// Rows on their way; one at a time is held.
pub(crate) struct Rows<'a> {
    runtime: &'a Runtime,
    stream: std::pin::Pin<Box<CopyOutStream>>,
    chunk: Bytes,
    line: Vec<u8>,
    text: Vec<u8>,
    fields: Vec<Option<Range<usize>>>,
    count: usize,
}

impl Rows<'_> {
    /// Goes to the next row; false after the last.
    pub(crate) fn advance(&mut self) -> Fallible<bool> {
        self.line.clear();
        loop {
            // One message is one row today, but the protocol does not promise it.
            if let Some(end) = self.chunk.iter().position(|byte| *byte == b'\n') {
                self.line.extend_from_slice(&self.chunk.split_to(end));
                drop(self.chunk.split_to(1));
                self.split()?;
                return Ok(true);
            }
            self.line.extend_from_slice(&self.chunk);
            match self.runtime.block_on(self.stream.next()) {
                Some(chunk) => self.chunk = chunk?,
                None if self.line.is_empty() => return Ok(false),
                None => return Err("COPY ended in the middle of a row".into()),
            }
        }
    }

    /// One value of the row; `None` is NULL.
    pub(crate) fn value(&self, index: usize) -> Option<&[u8]> {
        self.fields[index].clone().map(|range| &self.text[range])
    }

    /// Undoes COPY's escapes (COPY manual page, "Text Format").
    fn split(&mut self) -> Fallible<()> {
        self.text.clear();
        self.fields.clear();
        if self.count == 0 {
            return Ok(());
        }
        for raw in self.line.split(|byte| *byte == b'\t') {
            if raw == b"\\N" {
                self.fields.push(None);
                continue;
            }
            let start = self.text.len();
            let mut rest = raw;
            while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
                self.text.extend_from_slice(&rest[..at]);
                let escaped = rest.get(at + 1).ok_or("COPY: a backslash ends a value")?;
                self.text.push(match escaped {
                    b'b' => 8,
                    b'f' => 12,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'v' => 11,
                    other => *other,
                });
                rest = &rest[at + 2..];
            }
            self.text.extend_from_slice(rest);
            self.fields.push(Some(start..self.text.len()));
        }
        if self.fields.len() != self.count {
            return Err(format!("COPY: {} values for {}", self.fields.len(), self.count).into());
        }
        Ok(())
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
