//! The whole job in a throwaway PostgreSQL.
//!
//! Purpose: transfer, verify and report exactly as on the day, into a server (or a database on a
//! server that the user names) which is removed afterwards, also after a failure or Ctrl-C.

use std::sync::Arc;

use crate::checkpoint::local::Place;
use crate::checkpoint::lock;
use crate::error::Result;
use crate::event::{Cancel, Event, Listener, Stage};
use crate::options::{RehearseOptions, ScratchPlace, TransferOptions};
use crate::report::{TransferReport, VerifyLevel};
use crate::scratch::{Binaries, Borrowed, Server, Settings};
use crate::transfer;

/// Database that every new server has.
const DATABASE: &str = "postgres";

/// `litelift rehearse`.
///
/// # Errors
/// As [`transfer::run`]; [`crate::error::ErrorKind::Target`] when no PostgreSQL can be started.
pub async fn run(
    options: &RehearseOptions,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<TransferReport> {
    listener.on(Event::StageStarted { stage: Stage::Scratch, work: 0, rows: 0 });
    match &options.scratch {
        ScratchPlace::Own { pg_bin } => {
            let server = tokio::task::block_in_place(|| {
                let binaries = Binaries::find(pg_bin.as_deref())?;
                Server::start_heeding(&binaries, &Settings::default(), cancel)
            })?;
            listener.on(Event::Detail(format!(
                "Started PostgreSQL {} in {}.",
                server.version(),
                server.folder().display()
            )));
            listener.on(Event::StageEnded { stage: Stage::Scratch });
            cancel.check()?;
            let report = rehearse(options, server.url(DATABASE), listener, cancel).await;
            let stopped = tokio::task::block_in_place(|| server.stop());
            let report = report?;
            stopped.map(|()| report)
        }
        ScratchPlace::Borrowed { url } => {
            let borrowed = Borrowed::create(url).await?;
            listener.on(Event::Detail(format!("Made database \"{}\".", borrowed.name())));
            listener.on(Event::StageEnded { stage: Stage::Scratch });
            let report = rehearse(options, borrowed.url().to_owned(), listener, cancel).await;
            let removed = borrowed.remove().await;
            let report = report?;
            removed.map(|()| report)
        }
    }
}

async fn rehearse(
    options: &RehearseOptions,
    to: String,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<TransferReport> {
    let transfer = TransferOptions {
        inspect: options.inspect.clone(),
        to,
        restart: false,
        strict: options.strict,
        bad_rows: options.bad_rows.clone(),
        verify: Some(VerifyLevel::Hashes),
        lock_wait: lock::WAIT,
        checkpoints: Place::Target,
        takeover: false,
        retry_for: transfer::RETRY_FOR,
    };
    transfer::run(&transfer, listener, cancel).await
}
