use super::*;

fn help(command: &str, with_extras: bool) -> String {
    // As wide as the narrowest terminal that is common.
    let mut description = description(with_extras).term_width(80);
    description.build();
    let command = match command {
        "" => &mut description,
        name => description.find_subcommand_mut(name).unwrap(),
    };
    command.render_help().to_string()
}

#[test]
fn the_description_is_consistent() {
    description(true).debug_assert();
}

#[test]
fn help_of_the_program() {
    insta::assert_snapshot!(help("", false), @r"
    Move a SQLite database into PostgreSQL, and prove that it arrived

    Usage: litelift <COMMAND>

    Commands:
      inspect              Show each column's type, and which values will not fit
      transfer             Move all rows, into new tables or (--data-only) the app's
      verify               Compare a SQLite file with a target that it was moved to
      rehearse             Move into a throwaway PostgreSQL, report, remove it again
      restore-constraints  Bring back what an unfinished --data-only took away
      schema               Print the statements that make tables, keys and indexes
      status               Show how far transfers have come, also while one is at
                           work
      clean                Remove what is kept in the target to continue a transfer
      help                 Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version

    `litelift COMMAND --help` shows a command's options, with examples.
    ");
}

#[test]
fn help_of_inspect() {
    insta::assert_snapshot!(help("inspect", false), @r"
    Show each column's type, and which values will not fit

    Usage: litelift inspect [OPTIONS] --from <FILE>

    Source and target:
          --from <FILE>    SQLite file to read; never written to
          --to <URL>       Show the column types of this target beside
          --into <SCHEMA>  Schema in the target [default: public]

    What to take, and as what:
          --only <GLOB>           Take only tables like 'app_*' (repeatable)
          --skip <GLOB>           Leave tables like 'log_*' out (repeatable)
          --app <NAME|FILE>       What an app such as django needs (repeatable)
          --type-map <FILE|NAME>  Rules tried before the built-in ones (repeatable)
          --source-tz <ZONE>      Zone of times that name none, for rules with iso
                                  [default: UTC]
          --names <STYLE>         Style of names: lower or snake [default: keep]

    Running:
          --jobs <N>      Jobs at once [default: one per core, 2 to 8]
          --check <WHAT>  Find damage: quick, full, none [quick up to 4 GiB]

    Output:
          --format <FORMAT>  table, json, csv, markdown or html [default: table]
          --output <FILE>    Write the report to a file
          --suggest <FILE>   Write a type map with what other types would fit
      -v, --verbose          List every column with its rule, every table and object
      -h, --help             Print help (--help adds examples and exit codes)
    ");
}

#[test]
fn help_of_transfer() {
    insta::assert_snapshot!(help("transfer", false), @r"
    Move all rows, into new tables or (--data-only) the app's

    Usage: litelift transfer [OPTIONS] --from <FILE> --to <URL>

    Source and target:
          --from <FILE>    SQLite file to read; never written to
          --to <URL>       postgres://user:password@host/db [env: DATABASE_URL]
          --into <SCHEMA>  Schema in the target [default: public]

    What to take, and as what:
          --only <GLOB>           Take only tables like 'app_*' (repeatable)
          --skip <GLOB>           Leave tables like 'log_*' out (repeatable)
          --app <NAME|FILE>       What an app such as django needs (repeatable)
          --type-map <FILE|NAME>  Rules tried before the built-in ones (repeatable)
          --source-tz <ZONE>      Zone of times that name none, for rules with iso
                                  [default: UTC]
          --names <STYLE>         Style of names: lower or snake [default: keep]
          --comments              Keep declared types as comments on columns

    Into tables that are there already:
          --data-only                Fill the tables of the app's own migrations
          --on-existing <WHAT>       Rows there: truncate, keep, upsert; TABLE=WHAT
          --rename <OLD=NEW>         Where a table or TABLE.COLUMN goes (repeatable)
          --protect <GLOB>           Never touch tables like 'cache_*' (repeatable)
          --tracking <TABLE=COLUMN>  A table of migrations: compared, never copied
          --keep-trigger <GLOB>      Let a trigger run for each row (repeatable)
          --allow-version-mismatch   Go on when the migrations of the sides differ
          --create-missing           Make the tables that the target lacks

    Running:
          --dry-run              Show types and statements; write nothing
          --jobs <N>             Jobs at once [default: one per core, 2 to 8]
          --restart              Throw away what a stopped run left, and begin again
          --takeover             End another litelift at work there, and go on
          --checkpoint <FILE>    Keep checkpoints in a file, not in the target
          --no-resume            Keep none: a stopped run begins again by hand
          --lock-wait <SECONDS>  Wait so long for another litelift [default: 30]
          --strict               Write nothing unless all fits and is carried over
          --on-bad-row <WHAT>    At rows that do not fit: stop, reject [default:
                                 stop]
          --rejects <DIR>        Folder for rejected rows, a CSV file per table
          --max-rejects <N>      Stop when more rows than this do not fit
          --only-rejects <DIR>   Send the rows of such a folder again
          --retry-for <SECS>     How long to wait for a lost server [default: 30]
          --no-verify            Do not compare at the end

    Output:
          --follow-ups <FILE>  Write what is not carried over to a file of SQL
          --format <FORMAT>    Report of --dry-run: table, json, csv, markdown, html
          --json               Print the report as JSON instead of the summary
      -q, --quiet              Errors and the final sentence only
      -v, --verbose            List every table and object, and tell each step
      -h, --help               Print help (--help adds examples and exit codes)
    ");
}

#[test]
fn help_of_verify() {
    insta::assert_snapshot!(help("verify", false), @r"
    Compare a SQLite file with a target that it was moved to

    Usage: litelift verify [OPTIONS] --from <FILE> --to <URL>

    Source and target:
          --from <FILE>    SQLite file to read; never written to
          --to <URL>       postgres://user:password@host/db [env: DATABASE_URL]
          --into <SCHEMA>  Schema in the target [default: public]

    What to take, and as what:
          --only <GLOB>           Take only tables like 'app_*' (repeatable)
          --skip <GLOB>           Leave tables like 'log_*' out (repeatable)
          --app <NAME|FILE>       What an app such as django needs (repeatable)
          --type-map <FILE|NAME>  Rules tried before the built-in ones (repeatable)
          --source-tz <ZONE>      Zone of times that name none, for rules with iso
                                  [default: UTC]
          --rename <OLD=NEW>      Where a table went, if no run tells (repeatable)

    Running:
          --level <LEVEL>  How deep to compare: counts, hashes or full [default:
                           hashes]
          --jobs <N>       Jobs at once [default: one per core, 2 to 8]

    Output:
          --show <N>  Rows that differ to show of each table and kind [default: 10]
          --json      Print the report as JSON instead of the summary
      -q, --quiet     Errors and the final sentence only
      -v, --verbose   List every table and object, and tell each step
      -h, --help      Print help (--help adds examples and exit codes)
    ");
}

#[test]
fn help_of_rehearse() {
    insta::assert_snapshot!(help("rehearse", false), @r"
    Move into a throwaway PostgreSQL, report, remove it again

    Usage: litelift rehearse [OPTIONS] --from <FILE>

    Source and target:
          --from <FILE>  SQLite file to read; never written to

    Throwaway PostgreSQL:
          --pg-bin <DIR>       Folder of initdb and postgres [default: looked for]
          --scratch-url <URL>  Use a database of its own on this server instead

    What to take, and as what:
          --only <GLOB>           Take only tables like 'app_*' (repeatable)
          --skip <GLOB>           Leave tables like 'log_*' out (repeatable)
          --app <NAME|FILE>       What an app such as django needs (repeatable)
          --type-map <FILE|NAME>  Rules tried before the built-in ones (repeatable)
          --source-tz <ZONE>      Zone of times that name none, for rules with iso
                                  [default: UTC]
          --names <STYLE>         Style of names: lower or snake [default: keep]

    Running:
          --jobs <N>           Jobs at once [default: one per core, 2 to 8]
          --check <WHAT>       Find damage: quick, full, none [quick up to 4 GiB]
          --strict             Stop unless everything fits and is carried over
          --on-bad-row <WHAT>  At rows that do not fit: stop, reject [default: stop]
          --rejects <DIR>      Folder for rejected rows, a CSV file per table
          --max-rejects <N>    Stop when more rows than this do not fit

    Output:
          --json     Print the report as JSON instead of the summary
      -q, --quiet    Errors and the final sentence only
      -v, --verbose  List every table and object, and tell each step
      -h, --help     Print help (--help adds examples and exit codes)
    ");
}

#[test]
fn help_of_schema() {
    insta::assert_snapshot!(help("schema", false), @r"
    Print the statements that make tables, keys and indexes

    Usage: litelift schema [OPTIONS] --from <FILE>

    Source and target:
          --from <FILE>    SQLite file to read; never written to
          --into <SCHEMA>  Schema in the target [default: public]

    What to take, and as what:
          --only <GLOB>           Take only tables like 'app_*' (repeatable)
          --skip <GLOB>           Leave tables like 'log_*' out (repeatable)
          --app <NAME|FILE>       What an app such as django needs (repeatable)
          --type-map <FILE|NAME>  Rules tried before the built-in ones (repeatable)
          --source-tz <ZONE>      Zone of times that name none, for rules with iso
                                  [default: UTC]
          --names <STYLE>         Style of names: lower or snake [default: keep]
          --comments              Keep declared types as comments on columns

    Running:
          --jobs <N>  Jobs at once [default: one per core, 2 to 8]

    Output:
          --format <FORMAT>  sql [default: sql]
          --output <FILE>    Write the statements to a file
      -h, --help             Print help (--help adds examples and exit codes)
    ");
}

#[test]
fn long_help_adds_to_the_short_one_and_fits_a_screen() {
    for (command, more) in [
        ("inspect", 0),
        // Two ways in one command.
        ("transfer", 20),
        ("verify", 0),
        ("rehearse", 0),
        ("restore-constraints", 0),
        ("schema", 0),
        ("status", 0),
        ("clean", 0),
    ] {
        let (short, long) = (help(command, false), help(command, true));
        assert!(long.starts_with(&short), "{command}");
        assert!(long.contains("\nExamples:\n") && long.contains("\nExit codes: 0 "), "{command}");
        assert!(short.lines().count() <= 40 + more, "{command}: {}", short.lines().count());
        assert!(long.lines().count() <= 50 + more, "{command}: {}", long.lines().count());
    }
    // Written to fit, because clap breaks a long line where nobody wants it.
    for extra in [
        INSPECT_EXTRA,
        TRANSFER_EXTRA,
        VERIFY_EXTRA,
        REHEARSE_EXTRA,
        RESTORE_EXTRA,
        SCHEMA_EXTRA,
        STATUS_EXTRA,
        CLEAN_EXTRA,
    ] {
        for line in extra.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}

#[test]
fn help_of_status_and_clean() {
    insta::assert_snapshot!(help("status", false), @r"
    Show how far transfers have come, also while one is at work

    Usage: litelift status [OPTIONS] --to <URL>

    Source and target:
          --to <URL>       postgres://user:password@host/db [env: DATABASE_URL]
          --into <SCHEMA>  Only transfers into this schema

    Output:
          --json  Print the report as JSON
      -h, --help  Print help (--help adds examples and exit codes)
    ");
    insta::assert_snapshot!(help("clean", false), @r"
    Remove what is kept in the target to continue a transfer

    Usage: litelift clean [OPTIONS] --to <URL>

    Source and target:
          --to <URL>  postgres://user:password@host/db [env: DATABASE_URL]

    Running:
          --run <ID>  Forget this transfer alone; `status` has its number
          --dry-run   Remove nothing; say what would be
          --force     Remove also what is still needed

    Output:
          --json  Print the report as JSON
      -h, --help  Print help (--help adds examples and exit codes)
    ");
}
