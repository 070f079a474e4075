use super::*;
use crate::cli::inspect_csv;
use crate::cli::names::width;
use crate::model::decision::{RuleRef, Widening};
use crate::model::evidence::Example;
use crate::model::pg_type::PgType;
use crate::model::plan::NotCarried;
use crate::report::{Found, REPORT_VERSION};

fn found(kind: &str, count: u64) -> Found {
    Found { kind: kind.to_owned(), count, example: None }
}

fn rule(note: &str) -> RuleRef {
    RuleRef { file: "default".to_owned(), line: 12, note: note.to_owned() }
}

fn column(name: &str, declared: &str, becomes: PgType) -> InspectColumn {
    InspectColumn {
        source: name.to_owned(),
        target: name.to_owned(),
        declared: declared.to_owned(),
        found: vec![found("text", 9)],
        becomes,
        convert: "plain".to_owned(),
        not_null: true,
        rule: rule("declared type"),
        widened: None,
        notes: Vec::new(),
    }
}

fn users() -> InspectTable {
    InspectTable {
        source: "Users".to_owned(),
        target: "users".to_owned(),
        kind: "table".to_owned(),
        rows: 41_002,
        columns: vec![
            InspectColumn {
                found: vec![found("integer", 41_002)],
                ..column("id", "INTEGER", PgType::BigInt)
            },
            InspectColumn {
                found: vec![found("0/1", 41_000), found("NULL", 2)],
                rule: rule("name is_*, values 0/1"),
                not_null: false,
                ..column("is_admin", "INTEGER", PgType::Boolean)
            },
            InspectColumn {
                widened: Some(Widening {
                    from: PgType::Varchar(80),
                    misfits: 37,
                    found: "text".to_owned(),
                    examples: vec![
                        Example { rowid: Some(812), value: "'Lorem ipsum…'".to_owned() },
                        Example { rowid: None, value: "'x'".to_owned() },
                    ],
                }),
                ..column("bio", "VARCHAR(80)", PgType::Text)
            },
            InspectColumn {
                notes: vec!["All values are JSON; --type-map rich makes it jsonb.".to_owned()],
                rule: rule(""),
                ..column("settings\n\u{1b}[31m", "", PgType::Text)
            },
        ],
    }
}

fn report() -> InspectReport {
    InspectReport {
        version: REPORT_VERSION,
        source: SourceSummary {
            path: "dev.db".to_owned(),
            bytes: 12_400_000,
            tables: 2,
            rows: 41_002,
            encoding: "UTF-8".to_owned(),
            read_as: None,
        },
        tables: vec![
            users(),
            InspectTable {
                source: "docs".to_owned(),
                target: "docs".to_owned(),
                kind: "virtual (fts5)".to_owned(),
                rows: 0,
                columns: vec![InspectColumn {
                    found: Vec::new(),
                    ..column("title", "", PgType::Text)
                }],
            },
        ],
        not_carried: vec![NotCarried {
            object: "trigger".to_owned(),
            table: Some("Users".to_owned()),
            name: "users_touch".to_owned(),
            reason: "triggers are not translated".to_owned(),
            source_text: "CREATE TRIGGER users_touch\nAFTER UPDATE ON Users BEGIN SELECT 1; END"
                .to_owned(),
        }],
        renamed: vec!["Table Users is named users in the target.".to_owned()],
        unused_rules: vec![RuleRef {
            file: "my.csv".to_owned(),
            line: 3,
            note: "userz.id".to_owned(),
        }],
        remarks: vec!["Table docs has no declared types.".to_owned()],
        attention: 2,
        ddl: None,
    }
}

fn drawn(report: &InspectReport, width: usize) -> String {
    draw(report, Verbosity::Normal, Look { terminal: true, ..Look::plain(width) })
}

#[test]
fn every_column_has_its_line() {
    insta::assert_snapshot!(drawn(&report(), 80), @r"
    dev.db  2 tables  41 002 rows  12 MB  UTF-8

      column              declared     found              becomes  why
    Users -> users  41 002 rows
      id                  INTEGER      integer            bigint   declared type
      is_admin            INTEGER      0/1 41 000, NULL…  boolean  name is_*, value…
    ! bio                 VARCHAR(80)  text               text     37 values do not…
    ! settings\…{1b}[31m               text               text     All values are J…
    docs  virtual (fts5)  0 rows
      title                            no rows            text     declared type

    columns that need attention
      Users.bio: VARCHAR(80) becomes text, because 37 values do not fit
        varchar(80): text, such as 'Lorem ipsum…' (rowid 812)
      Users.settings\n\u{1b}[31m: All values are JSON; --type-map rich makes it
        jsonb.

    not carried over (1 object)
      trigger users_touch of Users: triggers are not translated
        CREATE TRIGGER users_touch AFTER UPDATE ON Users BEGIN SELECT 1; END

    names that change
      Table Users is named users in the target.

    remarks on the source
      Table docs has no declared types.

    rules that decided nothing
      my.csv line 3: userz.id

    5 columns in 2 tables, 2 need attention. 1 object would not be carried over.
    hint: a file of rules given with --type-map decides otherwise; --format csv
          lists every column
    ");
}

#[test]
fn a_large_file_shows_what_needs_attention() {
    let mut report = report();
    for number in 0..30 {
        let mut table = users();
        table.source = format!("table_{number}");
        table.target.clone_from(&table.source);
        for column in &mut table.columns {
            column.widened = None;
            column.notes.clear();
        }
        report.tables.push(table);
    }
    let text = drawn(&report, 80);
    let head: Vec<&str> = text.lines().take(10).collect();
    insta::assert_snapshot!(head.join("\n"), @r"
    dev.db  2 tables  41 002 rows  12 MB  UTF-8

      column                declared     found  becomes  why
    Users -> users  41 002 rows  4 columns: 2 text, 1 bigint, 1 boolean
    ! bio                   VARCHAR(80)  text   text     37 values do not fit varch…
    ! settings\n\u{1b}[31m               text   text     All values are JSON; --typ…
    docs  virtual (fts5)  0 rows  1 column: 1 text
    table_0  41 002 rows  4 columns: 2 text, 1 bigint, 1 boolean
    table_1  41 002 rows  4 columns: 2 text, 1 bigint, 1 boolean
    table_2  41 002 rows  4 columns: 2 text, 1 bigint, 1 boolean
    ");
    let all = draw(&report, Verbosity::Verbose, Look::plain(80));
    assert_eq!(all.matches("is_admin").count(), 31);
}

#[test]
fn the_report_fits_the_terminal() {
    for width_of in [80, 100] {
        for line in drawn(&report(), width_of).lines() {
            assert!(width(line) <= width_of, "{line}");
            assert!(!line.contains('\u{1b}'));
        }
    }
}

#[test]
fn a_dry_run_ends_with_the_statements() {
    let mut report = report();
    report.tables.clear();
    report.not_carried.clear();
    report.renamed.clear();
    report.unused_rules.clear();
    report.remarks.clear();
    report.attention = 0;
    report.ddl = Some(DdlReport {
        before: vec!["CREATE TABLE public.users (\n    id bigint\u{1b}\n)".to_owned()],
        after: vec!["ALTER TABLE public.users ADD PRIMARY KEY (id);\n".to_owned()],
    });
    insta::assert_snapshot!(drawn(&report, 80), @r"
    dev.db  2 tables  41 002 rows  12 MB  UTF-8

    -- before the rows
    CREATE TABLE public.users (
        id bigint\u{1b}
    );

    -- after the rows
    ALTER TABLE public.users ADD PRIMARY KEY (id);

    Dry run, nothing was written: 0 columns in 0 tables, none needs attention.
    ");
}

#[test]
fn quiet_is_one_sentence() {
    let text = draw(&report(), Verbosity::Quiet, Look::plain(80));
    insta::assert_snapshot!(text, @"5 columns in 2 tables, 2 need attention. 1 object would not be carried over.");
}

#[test]
fn csv_has_a_line_per_column() {
    insta::assert_snapshot!(inspect_csv::draw(&report()).unwrap(), @r#"
    table,column,declared,found,becomes,convert,not_null,rule,widened_from,misfits,examples,notes
    Users,id,INTEGER,integer 41002,bigint,plain,true,default:12,,,,
    Users,is_admin,INTEGER,0/1 41000; NULL 2,boolean,plain,false,default:12,,,,
    Users,bio,VARCHAR(80),text 9,text,plain,true,default:12,varchar(80),37,rowid 812: 'Lorem ipsum…'; 'x',
    Users,"settings
    [31m",,text 9,text,plain,true,default:12,,,,All values are JSON; --type-map rich makes it jsonb.
    docs,title,,,text,plain,true,default:12,,,,
    "#);
}
