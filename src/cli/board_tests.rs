use super::*;

const MB: u64 = 1_000_000;

fn started(stage: Stage, work: u64, rows: u64) -> Event {
    Event::StageStarted { stage, work, rows }
}

fn progress(stage: Stage, work: u64, rows: u64) -> Event {
    Event::Progress { stage, work, rows }
}

fn copied(table: &str, rows: u64, seconds: f64) -> Event {
    Event::TableCopied { table: table.to_owned(), rows, seconds }
}

/// A copy of 1 GB and 3.4 M rows that has run for 6 s at 96 MB/s.
fn copying(verbosity: Verbosity, reader: Reader) -> (Board, Instant) {
    let start = Instant::now();
    let mut board = Board::new(verbosity, reader, start);
    board.take(started(Stage::Copy, 1_000 * MB, 3_412_906), start);
    for (table, rows) in [("events", 3_100_442), ("orders\u{1b}[2J", 260_118)] {
        board.take(Event::TableStarted { table: table.to_owned(), rows }, start);
    }
    let mut now = start;
    for _ in 0..60 {
        now += Duration::from_millis(100);
        board.take(progress(Stage::Copy, 96 * MB / 10, 34_000), now);
        board.drawn(now, 80);
    }
    (board, now)
}

#[test]
fn a_terminal_sees_a_bar_and_the_running_tables() {
    let (mut board, now) = copying(Verbosity::Normal, Reader::Terminal);
    insta::assert_snapshot!(board.drawn(now, 80).join("\n"), @r"
    copying    [=======>     ]  57%  5 s left  2.0 M of 3.4 M rows  96 MB/s
      events                         3.1 M rows          6 s
      orders\u{1b}[2J                260 k rows          6 s
    ");
    insta::assert_snapshot!(board.drawn(now, 50).join("\n"), @r"
    copying     57%  5 s left  2.0 M of 3.4 M rows
      events                  3.1 M rows          6 s
      orders\u{1b}[2J         260 k rows          6 s
    ");
    insta::assert_snapshot!(board.drawn(now, 20).join("\n"), @r"
    copying     57%
      events     3.1 M…
      orde…[2J   260 k…
    ");
    for max in 10..120 {
        assert!(board.drawn(now, max).iter().all(|line| width(line) <= max), "{max}");
    }
}

#[test]
fn more_running_tables_than_fit_are_counted() {
    let (mut board, now) = copying(Verbosity::Normal, Reader::Terminal);
    for number in 0..20 {
        board.take(Event::TableStarted { table: format!("t{number}"), rows: 1 }, now);
    }
    let lines = board.drawn(now, 80);
    assert_eq!(lines.len(), 1 + RUNNING_SHOWN_MAX + 1);
    insta::assert_snapshot!(lines[9], @"   (and 14 more)");
    board.take(Event::StageEnded { stage: Stage::Copy }, now);
    assert!(board.drawn(now, 80).is_empty());
}

#[test]
fn finishing_steps_are_counted_and_nothing_is_forecast() {
    let start = Instant::now();
    let mut board = Board::new(Verbosity::Normal, Reader::Terminal, start);
    board.take(started(Stage::Finish, 14, 0), start);
    let event =
        Event::StepStarted { object: "index".to_owned(), name: "events_created_at".to_owned() };
    board.take(event, start);
    board.take(progress(Stage::Finish, 3, 0), start);
    let now = start + Duration::from_secs(125);
    insta::assert_snapshot!(board.drawn(now, 80).join("\n"), @r"
    finishing  [==>          ]  21%  3 of 14 steps  2 min 05 s
      index events_created_at        2 min 05 s
    ");
}

#[test]
fn work_of_an_unknown_size_has_no_bar() {
    let start = Instant::now();
    let mut board = Board::new(Verbosity::Normal, Reader::Terminal, start);
    board.take(started(Stage::Scratch, 0, 0), start);
    insta::assert_snapshot!(board.drawn(start + Duration::from_secs(2), 80).join("\n"), @" starting PostgreSQL 2 s");
}

#[test]
fn a_log_hears_of_stages_and_of_tables_that_took_long() {
    let (mut board, now) = copying(Verbosity::Normal, Reader::Log);
    let mut log = Vec::new();
    log.extend(board.take(copied("small", 12, 0.2), now));
    log.extend(board.take(copied("events", 3_100_442, 11.24), now));
    log.extend(board.heartbeat(now + Duration::from_secs(29)));
    log.extend(board.heartbeat(now + Duration::from_secs(31)));
    log.extend(board.heartbeat(now + Duration::from_secs(32)));
    log.extend(board.take(Event::Note("two\nlines".to_owned()), now));
    log.extend(board.take(Event::Detail("not now".to_owned()), now));
    log.extend(board.take(Event::StageEnded { stage: Stage::Copy }, now));
    insta::assert_snapshot!(log.join("\n"), @r"
    copied table events: 3 100 442 rows in 11.2 s
    copying: 57%, 2.0 M of 3.4 M rows, 37 s
    note: two\nlines
    copied 2 040 000 rows, 576 MB, in 6.0 s
    ");
}

#[test]
fn verbose_tells_all_and_quiet_nothing() {
    let events = || {
        [
            copied("small", 1, 0.2),
            Event::StepEnded {
                object: "index".to_owned(),
                name: "i".to_owned(),
                seconds: 0.02,
                refused: None,
            },
            Event::StepEnded {
                object: "check".to_owned(),
                name: "c".to_owned(),
                seconds: 0.02,
                refused: Some("violated".to_owned()),
            },
            Event::Note("note this".to_owned()),
            Event::Detail("a detail".to_owned()),
            Event::StageEnded { stage: Stage::Copy },
        ]
    };
    let heard = |verbosity, reader| {
        let (mut board, now) = copying(verbosity, reader);
        events().into_iter().filter_map(|event| board.take(event, now)).collect::<Vec<_>>()
    };
    insta::assert_snapshot!(heard(Verbosity::Verbose, Reader::Terminal).join("\n"), @r"
    copied table small: 1 row in 0.2 s
    made index i in 20 ms
    refused check c: violated
    note: note this
    a detail
    copied 2 040 000 rows, 576 MB, in 6.0 s
    ");
    insta::assert_snapshot!(heard(Verbosity::Normal, Reader::Terminal).join("\n"), @r"
    refused check c: violated
    note: note this
    ");
    assert!(heard(Verbosity::Quiet, Reader::Log).is_empty());
}

#[test]
fn a_thousand_small_tables_are_no_lines_in_a_log() {
    let start = Instant::now();
    let mut board = Board::new(Verbosity::Normal, Reader::Log, start);
    board.take(started(Stage::Copy, 1000, 1000), start);
    for number in 0..1000 {
        let table = format!("t{number}");
        board.take(Event::TableStarted { table: table.clone(), rows: 1 }, start);
        board.take(progress(Stage::Copy, 1, 1), start);
        assert_eq!(board.take(copied(&table, 1, 0.002), start), None);
    }
    assert_eq!(
        board.take(Event::StageEnded { stage: Stage::Copy }, start).as_deref(),
        Some("copied 1 000 rows, 1.0 kB, in 0 s")
    );
}
