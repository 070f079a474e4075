//! The server crashes: what was committed is kept or was never claimed.

use litelift::scratch::{Binaries, Server, Settings};

use super::process::{Running, run, transfer};
use super::state;
use crate::support::pg;

#[test]
fn the_server_crashes() {
    let source = state::small();
    let from = &source.path;
    // What is written late is lost: ten seconds for what is not asked to be durable.
    let extra = vec![("wal_writer_delay".to_owned(), "10000".to_owned())];
    let settings = Settings { durable: true, extra };
    let mut server = Server::start(&Binaries::find(None).unwrap(), &settings).unwrap();
    let url = server.url("postgres");
    pg::query_text(&url, state::SLOW_COPIES);
    for ranges in [1, 6] {
        let running = Running::start(transfer(from, &url, &[]))
            .until("ranges are there", || state::ranges(&url) >= ranges);
        server.stop_immediate().unwrap();
        running.end().expect(4).says(&["error: could not ", "Run the same command again"]);
        run(transfer(from, &url, &[])).expect(4).says(&["Is the server running there"]);
        server.start_again().unwrap();
    }
    run(transfer(from, &url, &[])).expect(0);
    // Exit 0 means that it is there, whatever happens to the server a moment later.
    server.stop_immediate().unwrap();
    server.start_again().unwrap();
    state::expect_exact(from, &url);
}
