//! What must hold of what reads texts of users and of hostile files: the fuzz targets `create_texts`,
//! `type_maps` and `urls`, and a test.

#![allow(dead_code, reason = "each fuzz target uses one of them")]

use std::fmt::Debug;

use litelift::connect::url;
use litelift::error::{Error, ErrorKind};
use litelift::introspect::ddl;
use litelift::map::rules::{Rules, TypeMapText};

/// CREATE texts: read the same with a line after them, and an expression of an index, printed again,
/// is one expression.
pub(crate) fn create_texts(data: &[u8]) {
    let Ok(sql) = std::str::from_utf8(data) else { return };
    same(sql, ddl::table);
    same(sql, ddl::index);
    same(sql, ddl::view);
    same(sql, ddl::virtual_table);
    same(sql, ddl::trigger);
    same(sql, ddl::conflicts::conflicts);
    if let Ok(index) = ddl::index(sql) {
        assert_eq!(index.terms.len(), index.trees.len());
    }
    // An expression is one, also where it is read to hold no comment that hides what follows.
    let _ = ddl::expression(sql);
    assert!(ddl::unquoted(sql).len() <= sql.len());
}

fn same<T: Debug + PartialEq, E>(sql: &str, read: impl Fn(&str) -> Result<T, E>) {
    if let Ok(first) = read(sql) {
        let again = read(&format!("{sql}\n"));
        assert_eq!(again.ok(), Some(first), "with a line break after it");
    }
}

/// Type maps: an error names the file and a line of it; a comment changes nothing.
pub(crate) fn type_maps(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let parse = |text: &str| {
        let map = TypeMapText { name: "own.csv".to_owned(), text: text.to_owned(), is_own: true };
        Rules::parse(&[map])
    };
    match parse(text) {
        Ok(rules) => {
            let is_plain = !text.contains(['"', '\r']);
            if is_plain {
                let again = parse(&format!("{text}\n# a comment\n")).unwrap();
                assert_eq!(again.canonical(), rules.canonical());
            }
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert!(everything(&error).contains("own.csv"), "{}", everything(&error));
        }
    }
}

/// URLs of the target: no error shows any of one, and what is shown of a good one is without its password.
pub(crate) fn urls(data: &[u8]) {
    const SECRET: &str = "s3cr3t";
    let text = String::from_utf8_lossy(data).replace('*', SECRET);
    if let Err(error) = url::parse(&text) {
        assert_eq!(error.kind(), ErrorKind::Usage);
        let shown = everything(&error);
        assert!(!shown.contains(SECRET), "{shown}");
    }
    let escaped: String = data.iter().map(|byte| format!("%{byte:02x}")).collect();
    let url = format!("postgresql://ann:{escaped}{SECRET}@db.example:6000/shop");
    match url::parse(&url) {
        Ok(url) => assert_eq!(url.shown, "shop at db.example:6000 as ann"),
        Err(error) => assert!(!everything(&error).contains(SECRET)),
    }
}

/// All that a user could see of an error.
fn everything(error: &Error) -> String {
    let detail = error.full_detail().unwrap_or_default();
    format!("{error}\n{detail}\n{}\n{error:?}", error.hints().join("\n"))
}
