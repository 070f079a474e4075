use super::*;
use crate::cli::names::width;
use crate::model::decision::Widening;
use crate::model::evidence::Example;
use crate::model::pg_type::PgType;
use crate::model::plan::NotCarried;
use crate::report::{
    Orphans, REPORT_VERSION, Refused, SourceSummary, StepReport, VerifyLevel, WidenedColumn,
};

fn table(name: &str, rows: u64, copy_bytes: u64) -> TableReport {
    TableReport {
        rejected: 0,
        source: name.to_owned(),
        target: name.to_owned(),
        rows,
        rows_before: 0,
        merged: None,
        copy_bytes,
        copy_s: rows as f64 / 277_000.0,
        indexes: 2,
        foreign_keys: 0,
        identity_next: None,
        finish_s: rows as f64 / 756_000.0,
    }
}

fn step(name: &str, wall_s: f64, work_s: f64, jobs: usize) -> StepReport {
    StepReport { name: name.to_owned(), wall_s, work_s, jobs }
}

fn counts(tables: &[TableReport]) -> VerifyReport {
    VerifyReport {
        sequences_behind: Vec::new(),
        not_compared: Vec::new(),
        version: REPORT_VERSION,
        level: VerifyLevel::Counts,
        tables: tables
            .iter()
            .map(|table| VerifiedTable {
                rejected: 0,
                source: table.source.clone(),
                target: table.target.clone(),
                source_rows: table.rows,
                target_rows: Some(table.rows),
                merged: None,
                values: None,
            })
            .collect(),
        explained: Vec::new(),
        unsound: Vec::new(),
        differences: Vec::new(),
        repaired: Vec::new(),
        wall_s: 0.7,
    }
}

fn report() -> TransferReport {
    let tables = vec![
        TableReport { identity_next: Some(41_003), ..table("users", 41_002, 12_000_000) },
        TableReport { foreign_keys: 2, ..table("orders", 260_118, 96_000_000) },
        table("events", 3_100_442, 1_040_000_000),
        TableReport { indexes: 0, ..table("empty", 0, 0) },
    ];
    TransferReport {
        rejected: Vec::new(),
        resent: None,
        unfit: Vec::new(),
        version: REPORT_VERSION,
        outcome: Outcome::Transferred,
        source: SourceSummary {
            path: "dev.db".to_owned(),
            bytes: 1_240_000_000,
            tables: tables.len(),
            rows: 3_401_562,
            encoding: "UTF-8".to_owned(),
            read_as: None,
        },
        target: "app on db.example.com:5432 as app".to_owned(),
        target_version: "15.18".to_owned(),
        schema: "public".to_owned(),
        run: 3,
        finished_at: None,
        verify: Some(counts(&tables)),
        tables,
        steps: vec![
            step("inspect", 0.4, 0.8, 2),
            step("copy", 11.9, 41.0, 8),
            step("keys and indexes", 4.6, 9.3, 4),
            step("verify", 0.7, 0.7, 1),
        ],
        widened: Vec::new(),
        notes: Vec::new(),
        not_carried: Vec::new(),
        refused: Vec::new(),
        orphans: Vec::new(),
        not_as_before: Vec::new(),
        follow_ups: Vec::new(),
    }
}

/// A report with something in every list, and names that nobody should have given.
fn eventful() -> TransferReport {
    let mut report = report();
    report.widened.push(WidenedColumn {
        table: "notes".to_owned(),
        column: "body".to_owned(),
        declared: "VARCHAR(80)".to_owned(),
        becomes: PgType::Text,
        widening: Widening {
            from: PgType::Varchar(80),
            misfits: 37,
            found: "text".to_owned(),
            examples: vec![Example {
                rowid: Some(812), value: "'Lorem ipsum dolor…'".to_owned()
            }],
        },
    });
    report.widened.push(WidenedColumn {
        table: "bad\u{1b}[2J\nname".to_owned(),
        column: "when".to_owned(),
        declared: String::new(),
        becomes: PgType::Bytea,
        widening: Widening {
            from: PgType::Text,
            misfits: 1,
            found: "text, not UTF-8".to_owned(),
            examples: Vec::new(),
        },
    });
    report.not_carried.push(NotCarried {
        object: "view".to_owned(),
        table: None,
        name: "active_users".to_owned(),
        reason: "views are not translated".to_owned(),
        source_text: format!(
            "CREATE VIEW active_users AS\n  SELECT {} FROM users",
            "id, ".repeat(40)
        ),
    });
    report.not_carried.push(NotCarried {
        object: "default".to_owned(),
        table: Some("users".to_owned()),
        name: "token".to_owned(),
        reason: "randomblob() has no counterpart".to_owned(),
        source_text: "lower(hex(randomblob(16)))".to_owned(),
    });
    report.refused.push(Refused {
        object: "index".to_owned(),
        table: "users".to_owned(),
        name: "users_email".to_owned(),
        statement: "CREATE UNIQUE INDEX users_email ON public.users (email)".to_owned(),
        message:
            "could not create unique index \"users_email\"\nKey (email)=(a@b.c) is duplicated."
                .to_owned(),
        source_text: String::new(),
    });
    report.orphans.push(Orphans {
        table: "orders".to_owned(),
        constraint: "orders_user_id_fkey".to_owned(),
        rows: 12,
        keys: vec!["77".to_owned(), "81".to_owned()],
    });
    report.notes.push("Column users.Email is named email in the target.".to_owned());
    report
}

fn telling(verbosity: Verbosity, width: usize) -> Telling {
    Telling {
        verbosity,
        look: Look { terminal: true, ..Look::plain(width) },
        elapsed: Duration::from_millis(17_620),
        purpose: Purpose::Transfer,
        strict_failed: false,
    }
}

fn drawn(report: &TransferReport) -> String {
    transfer(report, telling(Verbosity::Normal, 80))
}

fn last_line(report: &TransferReport) -> String {
    transfer(report, telling(Verbosity::Quiet, 160))
}

#[test]
fn all_went_well() {
    insta::assert_snapshot!(drawn(&report()), @r"
    dev.db (1.2 GB, UTF-8) to app on db.example.com:5432 as app, schema public,
      PostgreSQL 15.18, run 3

      table        rows    size    copy  finish                            verified
      events  3 100 442  1.0 GB  11.2 s  2 indexes, 4.1 s                  ok
      orders    260 118   96 MB   0.9 s  2 indexes, 2 foreign keys, 0.3 s  ok
      users      41 002   12 MB   0.1 s  2 indexes, next id 41 003, 54 ms  ok
      empty           0     0 B     0 s                                    ok

      step                wall    work  jobs
      inspect            0.4 s   0.8 s     2
      copy              11.9 s  41.0 s     8
      keys and indexes   4.6 s   9.3 s     4
      verify             0.7 s   0.7 s     1
      total             17.6 s

    Moved 3 401 562 rows in 4 tables in 17.6 s. Row counts match in all of them.
    ");
}

#[test]
fn everything_that_is_not_as_it_was_is_listed() {
    insta::assert_snapshot!(drawn(&eventful()), @r#"
    dev.db (1.2 GB, UTF-8) to app on db.example.com:5432 as app, schema public,
      PostgreSQL 15.18, run 3

      table        rows    size    copy  finish                            verified
      events  3 100 442  1.0 GB  11.2 s  2 indexes, 4.1 s                  ok
      orders    260 118   96 MB   0.9 s  2 indexes, 2 foreign keys, 0.3 s  ok
      users      41 002   12 MB   0.1 s  2 indexes, next id 41 003, 54 ms  ok
      empty           0     0 B     0 s                                    ok

      step                wall    work  jobs
      inspect            0.4 s   0.8 s     2
      copy              11.9 s  41.0 s     8
      keys and indexes   4.6 s   9.3 s     4
      verify             0.7 s   0.7 s     1
      total             17.6 s

    changed types (2 columns)
      notes.body: VARCHAR(80) becomes text, because 37 values do not fit
        varchar(80): text, such as 'Lorem ipsum dolor…' (rowid 812)
      bad\u{1b}[2J\nname.when: no type becomes bytea, because 1 value does not fit
        text: text, not UTF-8

    not carried over (2 objects)
      view active_users: views are not translated
        CREATE VIEW active_users AS SELECT id, id, id, id, id, id, id, id, id, id, …
      default token of users: randomblob() has no counterpart
        lower(hex(randomblob(16)))

    refused by PostgreSQL (1 object)
      index users_email of users: could not create unique index "users_email"
        Key (email)=(a@b.c) is duplicated.
        CREATE UNIQUE INDEX users_email ON public.users (email)

    foreign keys with orphan rows (1 key)
      orders.orders_user_id_fkey: 12 rows have no parent, such as 77, 81; the key
        is kept as NOT VALID

    notes
      Column users.Email is named email in the target.

    Moved 3 401 562 rows in 4 tables in 17.6 s. Row counts match in all of them. 2
    columns were widened; 2 objects were not carried over; 1 object was refused; 1
    foreign key has orphan rows.
    "#);
}

#[test]
fn the_summary_fits_the_terminal() {
    let mut report = eventful();
    let name = "long_table_name_".repeat(9);
    report.tables.push(TableReport { copy_s: 86_000.0, ..table(&name, 12_345_678_901, u64::MAX) });
    for width_of in [60, 80, 100] {
        let text = transfer(&report, telling(Verbosity::Normal, width_of));
        let too_wide: Vec<&str> = text.lines().filter(|line| width(line) > width_of).collect();
        assert!(width_of < 80 || too_wide.is_empty(), "{width_of}: {too_wide:#?}");
        assert!(!text.contains('\u{1b}'));
    }
}

#[test]
fn verbose_shows_all_of_a_text() {
    let text = transfer(&eventful(), telling(Verbosity::Verbose, 80));
    assert!(text.trim_end().contains("FROM users\n"), "{text}");
}

#[test]
fn a_difference_comes_first_and_is_marked() {
    let mut report = report();
    if let Some(verify) = &mut report.verify {
        verify.tables[0].target_rows = Some(41_001);
        verify.tables[1].target_rows = Some(260_200);
        verify.tables[3].target_rows = None;
    }
    insta::assert_snapshot!(drawn(&report), @r"
    dev.db (1.2 GB, UTF-8) to app on db.example.com:5432 as app, schema public,
      PostgreSQL 15.18, run 3

      table        rows    size    copy  finish                     verified
    ! orders    260 118   96 MB   0.9 s  2 indexes, 2 foreign key…  82 rows too many
    ! users      41 002   12 MB   0.1 s  2 indexes, next id 41 00…  1 row missing
    ! empty           0     0 B     0 s                             no such table
      events  3 100 442  1.0 GB  11.2 s  2 indexes, 4.1 s           ok

      step                wall    work  jobs
      inspect            0.4 s   0.8 s     2
      copy              11.9 s  41.0 s     8
      keys and indexes   4.6 s   9.3 s     4
      verify             0.7 s   0.7 s     1
      total             17.6 s

    Moved 3 401 562 rows in 4 tables in 17.6 s. Row counts differ in 3 of 4 tables.
    ");
}

#[test]
fn many_tables_and_many_losses_are_cut() {
    let mut report = report();
    report.steps.clear();
    report.tables = (1..=40).map(|n| table(&format!("t{n:02}"), n, n * 100)).collect();
    report.verify = None;
    report.not_carried = (1..=55)
        .map(|n| NotCarried {
            object: "trigger".to_owned(),
            table: Some("t01".to_owned()),
            name: format!("trigger_{n}"),
            reason: "triggers are not translated".to_owned(),
            source_text: String::new(),
        })
        .collect();
    let text = drawn(&report);
    assert!(text.contains("  (20 more tables; --verbose lists them)\n"), "{text}");
    assert!(text.contains("  (and 40 more; --verbose lists all, --json has them)\n"), "{text}");
    assert!(text.contains("t40") && !text.contains("t20 "), "{text}");
    assert_eq!(transfer(&report, telling(Verbosity::Verbose, 80)).matches("trigger_").count(), 55);
}

#[test]
fn the_last_line_stands_alone() {
    let mut one = report();
    one.tables.truncate(1);
    one.verify = Some(counts(&one.tables));
    insta::assert_snapshot!(last_line(&report()), @"Moved 3 401 562 rows in 4 tables in 17.6 s. Row counts match in all of them.");
    insta::assert_snapshot!(last_line(&one), @"Moved 41 002 rows in 1 table in 17.6 s. Row counts match.");
    insta::assert_snapshot!(last_line(&eventful()), @r"
    Moved 3 401 562 rows in 4 tables in 17.6 s. Row counts match in all of them. 2 columns were widened; 2 objects were not carried over; 1 object was refused; 1
    foreign key has orphan rows.
    ");

    let mut unverified = report();
    unverified.verify = None;
    insta::assert_snapshot!(last_line(&unverified), @"Moved 3 401 562 rows in 4 tables in 17.6 s. Row counts were not compared.");

    let mut continued = report();
    continued.outcome = Outcome::Continued;
    continued.tables[2].rows_before = 3_000_000;
    insta::assert_snapshot!(last_line(&continued), @"Continued run 3: moved the remaining 401 562 of 3 401 562 rows in 4 tables in 17.6 s. Row counts match in all of them.");

    let mut done = report();
    done.outcome = Outcome::AlreadyDone;
    insta::assert_snapshot!(drawn(&done), @r"
    dev.db was transferred already by run 3 to app on db.example.com:5432 as app;
    nothing was touched. Row counts match in all 4 tables.
    ");

    let rehearsal = Telling { purpose: Purpose::Rehearsal, ..telling(Verbosity::Quiet, 160) };
    insta::assert_snapshot!(transfer(&report(), rehearsal), @"Rehearsed the move of 3 401 562 rows in 4 tables in 17.6 s, on a throwaway PostgreSQL 15.18. Row counts match in all of them.");
    let strict = Telling { strict_failed: true, ..telling(Verbosity::Quiet, 160) };
    insta::assert_snapshot!(transfer(&eventful(), strict), @r"
    Moved 3 401 562 rows in 4 tables in 17.6 s. Row counts match in all of them. 2 columns were widened; 2 objects were not carried over; 1 object was refused; 1
    foreign key has orphan rows. With --strict that is a failure.
    ");
}

#[test]
fn a_comparison_lists_differences_first() {
    let mut report = counts(&report().tables);
    insta::assert_snapshot!(verify(&report, "dev.db", Verbosity::Normal, Look::plain(80)), @r"
      table      source     target
      events  3 100 442  3 100 442  ok
      orders    260 118    260 118  ok
      users      41 002     41 002  ok
      empty           0          0  ok

    Row counts of dev.db and the target match in all 4 tables: 3 401 562 rows, compared in 0.7 s.
    ");
    report.tables[1].target_rows = Some(260_117);
    report.tables[3].target_rows = None;
    insta::assert_snapshot!(verify(&report, "dev.db", Verbosity::Normal, Look::plain(80)), @r"
      table      source     target
    ! orders    260 118    260 117  1 row missing
    ! empty           0          -  no such table
      events  3 100 442  3 100 442  ok
      users      41 002     41 002  ok

    Row counts of dev.db and the target differ in 2 of 4 tables; compared 3 401 562 rows in 0.7 s.
    ");
    report.tables.truncate(1);
    insta::assert_snapshot!(verify(&report, "dev.db", Verbosity::Quiet, Look::plain(80)), @"Row counts of dev.db and the target match: 41 002 rows in 1 table, compared in 0.7 s.");
    report.tables.clear();
    insta::assert_snapshot!(verify(&report, "dev.db", Verbosity::Normal, Look::plain(80)), @"There was nothing to compare: no table of dev.db is selected.");
}

#[test]
fn differences_beyond_the_cut_are_counted() {
    let tables: Vec<TableReport> = (0..50).map(|n| table(&format!("t{n}"), 7, 7)).collect();
    let mut report = counts(&tables);
    for table in &mut report.tables[..30] {
        table.target_rows = Some(6);
    }
    let text = verify(&report, "dev.db", Verbosity::Normal, Look::plain(80));
    assert!(text.contains("! 10 tables of them differ too\n"), "{text}");
}
