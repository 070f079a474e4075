//! A report for the tests of what is drawn from it.

use crate::model::decision::{RuleRef, Widening};
use crate::model::evidence::Example;
use crate::model::pg_type::PgType;
use crate::model::plan::NotCarried;
use crate::report::{
    DdlReport, Found, InspectColumn, InspectReport, InspectTable, InspectTarget, REPORT_VERSION,
    SourceSummary, Suggestion,
};

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
        target_type: None,
        rule: rule("declared type"),
        rule_is_users: false,
        widened: None,
        unfit: None,
        notes: Vec::new(),
    }
}

pub(super) fn users() -> InspectTable {
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

fn suggestion() -> Suggestion {
    Suggestion {
        table: "docs".to_owned(),
        column: "title".to_owned(),
        pg_type: PgType::Uuid,
        instead_of: PgType::Text,
        rule: "docs,title,*,uuids,uuid,plain,2 000 of 2 000 values are UUIDs".to_owned(),
        reason: "2 000 of 2 000 values are UUIDs".to_owned(),
    }
}

/// A report with everything at once.
pub(super) fn report() -> InspectReport {
    InspectReport {
        would_refuse: None,
        notes: Vec::new(),
        version: REPORT_VERSION,
        source: SourceSummary {
            path: "dev.db".to_owned(),
            bytes: 12_400_000,
            tables: 2,
            rows: 41_002,
            encoding: "UTF-8".to_owned(),
            read_as: None,
        },
        target: None,
        suggestions: vec![suggestion()],
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
        follow_ups: Vec::new(),
    }
}

/// The same, beside a target.
pub(super) fn beside() -> InspectReport {
    let mut report = report();
    let users = &mut report.tables[0].columns;
    users[0].target_type = Some("integer".to_owned());
    users[1].target_type = Some("boolean".to_owned());
    report.target = Some(InspectTarget {
        shown: "db:5432/app as app".to_owned(),
        version: "15.18".to_owned(),
        schema: "public".to_owned(),
        schema_exists: true,
        tables: 1,
        differing: 1,
    });
    report
}

/// Names, values, notes and texts that attack a page, a terminal or a reader.
pub(super) fn hostile() -> InspectReport {
    const EVIL: &str = "</script><script>alert(1)</script>\"'&|`\u{202e}\u{0}\n@all";
    let mut report = report();
    report.source.path = EVIL.to_owned();
    report.source.encoding = EVIL.to_owned();
    report.source.read_as = Some(EVIL.to_owned());
    report.tables.truncate(1);
    let table = &mut report.tables[0];
    (table.source, table.target, table.kind) = (EVIL.to_owned(), EVIL.to_owned(), EVIL.to_owned());
    let found = Found {
        kind: EVIL.to_owned(),
        count: 1,
        example: Some(Example { rowid: None, value: EVIL.to_owned() }),
    };
    table.columns = vec![InspectColumn {
        target_type: Some(EVIL.to_owned()),
        found: vec![found],
        rule: RuleRef { file: EVIL.to_owned(), line: 1, note: EVIL.to_owned() },
        convert: EVIL.to_owned(),
        notes: vec![EVIL.to_owned()],
        widened: Some(Widening {
            from: PgType::BigInt,
            misfits: 1,
            found: EVIL.to_owned(),
            examples: vec![Example { rowid: None, value: EVIL.to_owned() }],
        }),
        ..column(EVIL, EVIL, PgType::Text)
    }];
    report.suggestions = vec![Suggestion {
        table: EVIL.to_owned(),
        column: EVIL.to_owned(),
        // The map makes rules of one line, of what can be seen.
        rule: EVIL.replace(['\u{202e}', '\0', '\n'], "?"),
        reason: EVIL.to_owned(),
        ..suggestion()
    }];
    report.not_carried = vec![NotCarried {
        object: EVIL.to_owned(),
        table: Some(EVIL.to_owned()),
        name: EVIL.to_owned(),
        reason: EVIL.to_owned(),
        source_text: EVIL.to_owned(),
    }];
    report.renamed = vec![EVIL.to_owned()];
    report.remarks = vec![EVIL.to_owned()];
    report.unused_rules = vec![RuleRef { file: EVIL.to_owned(), line: 1, note: EVIL.to_owned() }];
    let target = beside().target.map(|target| InspectTarget {
        shown: EVIL.to_owned(),
        version: EVIL.to_owned(),
        schema: EVIL.to_owned(),
        ..target
    });
    report.target = target;
    report.ddl = Some(DdlReport { before: vec![EVIL.to_owned()], after: vec![EVIL.to_owned()] });
    report
}
