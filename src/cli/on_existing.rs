//! `--on-existing`: `WHAT` or `TABLE=WHAT`, where WHAT may name the columns of a key.
//!
//! A table's name may hold anything, equals signs too. So the sign that counts is the one behind which a
//! whole WHAT follows; and as a column in it stands in double quotes when its own name holds signs
//! ([`crate::model::merge::parse_key`]), there is never more than one such reading.

use crate::error::{Error, Result};
use crate::model::merge;
use crate::options::OnExisting;

/// Reads one `--on-existing`.
pub(super) fn parse(text: &str) -> Result<(Option<String>, OnExisting)> {
    if let Some(what) = what(text) {
        return Ok((None, what));
    }
    let mut signs = text.match_indices('=');
    let found = signs.find_map(|(at, _)| Some((text[..at].to_owned(), what(&text[at + 1..])?)));
    found.map(|(glob, what)| (Some(glob), what)).ok_or_else(|| {
        Error::usage(format!("--on-existing \"{}\" is not known", text.escape_debug()))
            .hint("Give refuse, truncate, keep or upsert, or TABLE=truncate for some tables.")
            .hint("Behind keep and upsert a unique key may be named: 'TABLE=upsert:email', 'TABLE=keep:a+b'. A column whose name holds one of + = : \" stands in double quotes.")
    })
}

fn what(text: &str) -> Option<OnExisting> {
    let (word, key) = match text.split_once(':') {
        None => (text, Vec::new()),
        Some((word, key)) => (word, merge::parse_key(key)?),
    };
    match word {
        "refuse" if key.is_empty() => Some(OnExisting::Refuse),
        "truncate" if key.is_empty() => Some(OnExisting::Truncate),
        "keep" => Some(OnExisting::Keep(key)),
        "upsert" => Some(OnExisting::Upsert(key)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Option<String>, OnExisting) {
        parse(text).unwrap_or_else(|_| panic!("{text}"))
    }

    fn of(glob: &str, what: OnExisting) -> (Option<String>, OnExisting) {
        (Some(glob.to_owned()), what)
    }

    fn key(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_to_do_with_rows_may_be_said_for_some_tables() {
        assert_eq!(parsed("truncate"), (None, OnExisting::Truncate));
        assert_eq!(parsed("upsert"), (None, OnExisting::Upsert(Vec::new())));
        assert_eq!(parsed("a=b=refuse"), of("a=b", OnExisting::Refuse));
        for text in ["django_*", "delete", "=", "t=truncate:a", "t=keep:", "t=keep:a,b=c"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_key_may_be_named() {
        assert_eq!(parsed("users=upsert:email"), of("users", OnExisting::Upsert(key(&["email"]))));
        assert_eq!(parsed("t=keep:a+b c"), of("t", OnExisting::Keep(key(&["a", "b c"]))));
        assert_eq!(parsed("keep:id"), (None, OnExisting::Keep(key(&["id"]))));
    }

    #[test]
    fn signs_in_names_have_one_reading() {
        // The name of a table, whatever it looks like.
        assert_eq!(parsed("a=keep:b=upsert"), of("a=keep:b", OnExisting::Upsert(Vec::new())));
        assert_eq!(parsed("upsert:a=keep"), of("upsert:a", OnExisting::Keep(Vec::new())));
        assert_eq!(parsed("a=b=upsert:c"), of("a=b", OnExisting::Upsert(key(&["c"]))));
        // The name of a column.
        let strange = OnExisting::Keep(key(&["b=upsert", "+\""]));
        assert_eq!(parsed("a=keep:\"b=upsert\"+\"+\"\"\""), of("a", strange));
        let inside = OnExisting::Upsert(key(&["x"]));
        assert_eq!(parsed("a=keep:\"b=upsert:\"x\""), of("a=keep:\"b", inside));
    }
}
