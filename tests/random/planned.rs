//! Many schemas, planned without a server: no panic, the same every time, and statements that hold
//! together whatever the names are.
//!
//! Knobs: `LITELIFT_RANDOM_SCHEMAS`, how many (100); `LITELIFT_RANDOM_SEED`, one to replay.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use litelift::event::{Cancel, Listener, Silent};
use litelift::model::name_style::NameStyle;
use litelift::options::{InspectOptions, Selection, TypeMaps};
use litelift::report::SchemaReport;

use super::{Dice, build, number};

/// Tables of a schema.
const TABLES: u32 = 6;

#[test]
fn random_schemas_are_planned() {
    if let Some(seed) = number("LITELIFT_RANDOM_SEED") {
        attempt(seed).unwrap();
        return;
    }
    let count = number("LITELIFT_RANDOM_SCHEMAS").unwrap_or(100);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let first = now.as_secs() % 1_000_000 * 100_000;
    let begun = Instant::now();
    let (mut statements, mut follow_ups) = (0, 0);
    let mut failed = Vec::new();
    for seed in first..first + count {
        match std::panic::catch_unwind(|| attempt(seed)) {
            Ok(Ok(report)) => {
                statements += report.statements.len();
                follow_ups += report.follow_ups.len();
            }
            Ok(Err(why)) => failed.push(format!("LITELIFT_RANDOM_SEED={seed}: {why}")),
            Err(_) => failed.push(format!("LITELIFT_RANDOM_SEED={seed}: it panicked")),
        }
        if failed.len() > 20 {
            break;
        }
    }
    eprintln!(
        "random: {count} schemas from seed {first}, {statements} statements, {follow_ups} \
         follow-ups, in {:.0?}",
        begun.elapsed()
    );
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

/// Plans the schema of a seed twice, and looks at the statements.
fn attempt(seed: u64) -> Result<SchemaReport, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("random.db");
    build(&path, seed, TABLES).map_err(|error| format!("build: {error}"))?;
    let mut dice = Dice::new(seed ^ 0x5eed);
    let options = InspectOptions {
        from: path,
        selection: Selection::default(),
        type_maps: TypeMaps::default(),
        into: dice.pick(&["public", "a b", "x\"; DROP TABLE safe.canary; --"]).to_owned(),
        names: dice.pick(&[NameStyle::Keep, NameStyle::Lower, NameStyle::Snake]),
        comments: dice.one_in(2),
        jobs: 1,
        check: litelift::options::FileCheck::Automatic,
        data_only: None,
    };
    let listener: Arc<dyn Listener> = Arc::new(Silent);
    let plan = || {
        litelift::inspect::schema(&options, &listener, &Cancel::default())
            .map_err(|error| crate::support::pg::explain(&error))
    };
    let report = plan()?;
    let again = plan()?;
    if report.statements != again.statements || report.follow_ups != again.follow_ups {
        return Err("planned again, it is another plan".to_owned());
    }
    let mut relations = BTreeSet::new();
    for statement in &report.statements {
        let words = words(statement).map_err(|why| format!("{why} in {statement}"))?;
        let made = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["CREATE", "TABLE", _, ".", name, ..] => Some((*name).to_owned()),
            ["CREATE", "INDEX", name, ..] | ["CREATE", "UNIQUE", "INDEX", name, ..] => {
                Some((*name).to_owned())
            }
            ["ALTER", "TABLE", _, ".", _, "ADD", "CONSTRAINT", name, kind, ..]
                if ["PRIMARY", "UNIQUE"].contains(kind) =>
            {
                Some((*name).to_owned())
            }
            _ => None,
        };
        if let Some(name) = made.filter(|name| !relations.insert(name.clone())) {
            return Err(format!("two relations are called {name}"));
        }
    }
    Ok(report)
}

/// Cuts a statement into words as PostgreSQL's scanner does: whatever the source wrote must be inside
/// of quotes. Only comments on columns are several statements.
fn words(statement: &str) -> Result<Vec<String>, String> {
    let many = statement.starts_with("COMMENT ON ");
    let mut words = Vec::new();
    let mut rest = statement;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '"' | '\'' => quoted_length(rest, c).ok_or("an open quote")?,
            _ if c.is_ascii_alphanumeric() || c == '_' => {
                rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len())
            }
            ';' if !many => return Err("a second statement".to_owned()),
            '-' if rest.starts_with("--") => return Err("a comment".to_owned()),
            '/' if rest.starts_with("/*") => return Err("a comment".to_owned()),
            '$' | '\\' => return Err(format!("a {c}")),
            _ if !c.is_ascii() => return Err("a bare letter".to_owned()),
            _ => c.len_utf8(),
        };
        let word = &rest[..length];
        if c == '"' {
            let name = word[1..length - 1].replace("\"\"", "\"");
            if name.is_empty() || name.len() > 63 || name.contains('\0') {
                return Err(format!("{} bytes in a name", name.len()));
            }
        }
        if !word.trim().is_empty() {
            words.push(word.to_owned());
        }
        rest = &rest[length..];
    }
    Ok(words)
}

/// Bytes of the quoted word that a text begins with.
fn quoted_length(text: &str, quote: char) -> Option<usize> {
    let mut at = 1;
    loop {
        at += text[at..].find(quote)? + 1;
        if !text[at..].starts_with(quote) {
            return Some(at);
        }
        at += 1;
    }
}

#[test]
fn statements_that_do_not_hold_together_are_noticed() {
    assert!(words("CREATE TABLE \"a\" (\"b\"\"; --\" text DEFAULT 'it''s; --')").is_ok());
    for bad in [
        "DROP TABLE a; SELECT 1",
        "SELECT 1 -- x",
        "SELECT \"a",
        "SELECT 'a",
        "SELECT \"\"",
        "SELECT é",
        "SELECT $$x$$",
        "SELECT /* */ 1",
    ] {
        assert!(words(bad).is_err(), "{bad}");
    }
}
