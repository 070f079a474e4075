use super::*;
use crate::cli::inspect_csv;
use crate::cli::names::width;
use crate::cli::sample::{beside, hostile, report, users};

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

    suggestions: 1, see --suggest FILE
      docs.title: uuid instead of text; 2 000 of 2 000 values are UUIDs

    not carried over (1 object)
      trigger users_touch of Users: triggers are not translated
        CREATE TRIGGER users_touch AFTER UPDATE ON Users BEGIN SELECT 1; END

    names that change
      Table Users is named users in the target.

    remarks on the source
      Table docs has no declared types.

    rules that decided nothing
      my.csv:3: userz.id

    5 columns in 2 tables, 2 need attention. 1 object would not be carried over. 1
    suggestion.
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
    report.suggestions.clear();
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
fn the_target_stands_beside_and_what_differs_is_marked() {
    let head: Vec<String> = drawn(&beside(), 100).lines().take(9).map(str::to_owned).collect();
    insta::assert_snapshot!(head.join("\n"), @r"
    dev.db  2 tables  41 002 rows  12 MB  UTF-8
    target: db:5432/app as app, PostgreSQL 15.18; schema public has 1 of 2 tables, 1 column has
      another type there.

      column                declared     found               becomes  in the target  why
    Users -> users  41 002 rows
      id                    INTEGER      integer             bigint   ≠ integer      declared type
      is_admin              INTEGER      0/1 41 000, NULL 2  boolean  boolean        name is_*, values …
    ! bio                   VARCHAR(80)  text                text     -              37 values do not f…
    ");
}

#[test]
fn each_column_names_its_rule_when_asked_and_those_of_the_user_always() {
    let mut report = report();
    let columns = &mut report.tables[0].columns;
    for (column, note) in columns.iter_mut().zip(["an id", "", "short", "all of them"]) {
        column.rule = RuleRef { file: "maps/mine.csv".to_owned(), line: 2, note: note.to_owned() };
        column.rule_is_users = true;
    }
    let part = |text: String| text.lines().skip(2).take(7).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(part(drawn(&report, 100)), @r"
      column                declared     found               becomes  why
    Users -> users  41 002 rows
      id                    INTEGER      integer             bigint   your rule maps/mine.csv:2: an id
      is_admin              INTEGER      0/1 41 000, NULL 2  boolean  your rule maps/mine.csv:2
    ! bio                   VARCHAR(80)  text                text     37 values do not fit varchar(80);…
    ! settings\n\u{1b}[31m               text                text     All values are JSON; --type-map r…
    docs  virtual (fts5)  0 rows
    ");
    let all = draw(&report, Verbosity::Verbose, Look::plain(120));
    insta::assert_snapshot!(part(all), @r"
      column                declared     found               becomes  rule             why
    Users -> users  41 002 rows
      id                    INTEGER      integer             bigint   maps/mine.csv:2  your rule: an id
      is_admin              INTEGER      0/1 41 000, NULL 2  boolean  maps/mine.csv:2  your rule
    ! bio                   VARCHAR(80)  text                text     maps/mine.csv:2  37 values do not fit varchar(80); yo…
    ! settings\n\u{1b}[31m               text                text     maps/mine.csv:2  All values are JSON; --type-map rich…
    docs  virtual (fts5)  0 rows
    ");
}

#[test]
fn without_lines_for_columns_there_is_no_line_of_titles() {
    let mut report = report();
    for table in &mut report.tables {
        table.columns = vec![table.columns[0].clone(); 40];
    }
    assert!(!drawn(&report, 80).contains("  column  "));
}

#[test]
fn nothing_hostile_reaches_the_terminal() {
    for verbosity in [Verbosity::Normal, Verbosity::Verbose] {
        let text = draw(&hostile(), verbosity, Look::plain(100));
        assert!(!text.contains(['\u{202e}', '\0']));
    }
}

#[test]
fn quiet_is_one_sentence() {
    let text = draw(&report(), Verbosity::Quiet, Look::plain(80));
    insta::assert_snapshot!(text, @r"5 columns in 2 tables, 2 need attention. 1 object would not be carried over. 1 suggestion.");
}

#[test]
fn csv_has_a_line_per_column() {
    insta::assert_snapshot!(inspect_csv::draw(&report()).unwrap(), @r#"
    table,column,declared,found,becomes,target_type,convert,not_null,rule,rule_is_users,widened_from,misfits,examples,notes,suggestion
    Users,id,INTEGER,integer 41002,bigint,,plain,true,default:12,false,,,,,
    Users,is_admin,INTEGER,0/1 41000; NULL 2,boolean,,plain,false,default:12,false,,,,,
    Users,bio,VARCHAR(80),text 9,text,,plain,true,default:12,false,varchar(80),37,rowid 812: 'Lorem ipsum…'; 'x',,
    Users,"settings
    [31m",,text 9,text,,plain,true,default:12,false,,,,All values are JSON; --type-map rich makes it jsonb.,
    docs,title,,,text,,plain,true,default:12,false,,,,,"docs,title,*,uuids,uuid,plain,2 000 of 2 000 values are UUIDs"
    "#);
}
