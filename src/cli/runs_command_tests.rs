use super::*;

fn working() -> TransferStatus {
    TransferStatus {
        run: 3,
        source: "/srv/dev.db".to_owned(),
        schema: "public".to_owned(),
        tool: "0.1.0".to_owned(),
        state: TransferState::Copying,
        started_at: "2026-11-21 18:00:00+00".to_owned(),
        finished_at: None,
        last_commit_at: Some("2026-11-21 18:00:31+00".to_owned()),
        last_commit_age_s: Some(2.4),
        tables: Part { done: 3, all: 12 },
        ranges: Part { done: 14, all: 60 },
        rows: Part { done: 1_200_000, all: 5_000_000 },
        copy_bytes: Part { done: 120_000_000, all: 480_000_000 },
        steps: Part { done: 0, all: 31 },
        steps_not_as_meant: 0,
        rejected_rows: 0,
        not_restored: 0,
        bytes_per_s: Some(12_000_000.0),
        copy_left_s: Some(30.0),
        lock: Some(Holder {
            pid: 4711,
            client: Some("10.0.0.7".to_owned()),
            since: Some("2026-11-21 17:59:58+00".to_owned()),
            is_lock: true,
        }),
        next: vec!["Wait for it.".to_owned()],
    }
}

fn report(transfers: Vec<TransferStatus>) -> StatusReport {
    StatusReport {
        version: 1,
        target: "app at localhost:5432 as app".to_owned(),
        bookkeeping: Readable::Yes,
        transfers,
        others_at_work: Vec::new(),
    }
}

#[test]
fn transfers_are_shown_with_what_to_do_next() {
    let mut stopped = working();
    stopped.run = 4;
    stopped.state = TransferState::Stopped;
    stopped.source = "/srv/a\nb.db".to_owned();
    (stopped.bytes_per_s, stopped.copy_left_s, stopped.lock) = (None, None, None);
    (stopped.rejected_rows, stopped.not_restored, stopped.steps_not_as_meant) = (7, 1, 2);
    stopped.ranges.done = 60;
    stopped.last_commit_at = None;
    insta::assert_snapshot!(status_text(&report(vec![working(), stopped]), Look::plain(100)), @r"
    run 3: /srv/dev.db into schema public: copying rows
      begun 2026-11-21 18:00:00+00 by litelift 0.1.0, last commit 2026-11-21 18:00:31+00 (2.4 s ago)
      3 of 12 tables, 14 of 60 ranges, 1 200 000 of 5 000 000 rows
      120 MB of about 480 MB copied (25 %), 12 MB/s, about 30 s left
      0 of 31 finishing steps
      lock: server process 4711, connected from 10.0.0.7 since 2026-11-21 17:59:58+00
      next: Wait for it.

    run 4: /srv/a\nb.db into schema public: stopped
      begun 2026-11-21 18:00:00+00 by litelift 0.1.0, nothing committed yet
      3 of 12 tables, 60 of 60 ranges, 1 200 000 of 5 000 000 rows
      120 MB copied
      0 of 31 finishing steps, 2 of them refused or with orphan rows
      ! 7 rows rejected
      ! 1 object is taken away and not back
      next: Wait for it.

    2 transfers are known in app at localhost:5432 as app: 1 under way, 1 stopped.
    ");
}

#[test]
fn nothing_is_said_to_be_nothing() {
    let mut none = report(Vec::new());
    none.bookkeeping = Readable::Absent;
    none.others_at_work = vec![OtherAtWork {
        schema: None,
        lock: Holder { pid: 7, client: None, since: None, is_lock: true },
    }];
    insta::assert_snapshot!(status_text(&none, Look::plain(100)), @r"
    A litelift is at work on a schema that does not exist yet and has committed nothing here yet
      (server process 7, of which this role may see no more).

    No transfer is known in app at localhost:5432 as app: it has no schema litelift.
    ");
    none.others_at_work.clear();
    none.bookkeeping = Readable::No {
        owner: "boss".to_owned(),
        grant: "GRANT USAGE ON SCHEMA litelift TO \"me\";".to_owned(),
    };
    insta::assert_snapshot!(status_text(&none, Look::plain(100)), @r#"Schema litelift of app at localhost:5432 as app belongs to boss, and this role may not read it. As that role or a superuser: GRANT USAGE ON SCHEMA litelift TO "me";"#);
}

#[test]
fn what_was_removed_is_told() {
    use crate::checkpoint::clean::CleanedRun;
    let mut report = CleanReport {
        version: 1,
        target: "app at localhost:5432 as app".to_owned(),
        dry_run: false,
        runs: vec![CleanedRun {
            run: 1,
            source: "/srv/dev.db".to_owned(),
            schema: "public".to_owned(),
            was_done: true,
        }],
        tables: vec!["range".to_owned(), "run".to_owned()],
        schema_removed: true,
        kept: Vec::new(),
        lost: Vec::new(),
    };
    insta::assert_snapshot!(clean_text(&report, Look::plain(100)), @r"
      run 1: /srv/dev.db into schema public, done

    Removed what was kept of 1 transfer in app at localhost:5432 as app, schema litelift with its 2 tables. The tables with the rows are as they were; `verify` will pair them by name, and nothing of those transfers can be continued, synchronised or sent again.
    ");
    report.dry_run = true;
    report.schema_removed = false;
    report.kept = vec!["view litelift.mine".to_owned()];
    insta::assert_snapshot!(clean_text(&report, Look::plain(100)), @r"
      run 1: /srv/dev.db into schema public, done
      kept: view litelift.mine

    Would remove what was kept of 1 transfer in app at localhost:5432 as app, 2 tables of schema litelift. The tables with the rows are as they were; `verify` will pair them by name, and nothing of those transfers can be continued, synchronised or sent again.
    ");
}
