//! The command that continues a stopped transfer: the same one, as a line for a shell.

use std::ffi::OsString;

use super::secret::{flag_and_value, holds_password};

/// Flags that must not be given again: `--restart` would throw away what was done.
const ONCE_ONLY: [&str; 1] = ["--restart"];
/// Stands for a URL that holds a password.
const SAME_URL: &str = "<same URL>";

/// Returns the command line that was given, quoted for a POSIX shell, without passwords and without
/// what must not be repeated.
pub(super) fn command(arguments: &[OsString]) -> String {
    let mut words = vec!["litelift".to_owned()];
    for argument in arguments.iter().skip(1) {
        let argument = argument.to_string_lossy();
        if ONCE_ONLY.contains(&argument.as_ref()) {
            continue;
        }
        if !holds_password(&argument) {
            words.push(quoted(&argument));
            continue;
        }
        match flag_and_value(&argument) {
            Some((flag, _)) => words.push(format!("{flag}={}", quoted(SAME_URL))),
            None => words.push(quoted(SAME_URL)),
        }
    }
    words.join(" ")
}

fn quoted(word: &str) -> String {
    let harmless = |c: char| c.is_alphanumeric() || "-_./:@,+%=".contains(c);
    if !word.is_empty() && word.chars().all(harmless) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(line: &[&str]) -> String {
        command(&line.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn passwords_and_restart_are_left_out() {
        let url = "postgres://u:s3cret@h/db";
        insta::assert_snapshot!(
            again(&["/usr/bin/litelift", "transfer", "--from", "my dev.db", "--to", url, "--restart"]),
            @"litelift transfer --from 'my dev.db' --to '<same URL>'"
        );
        insta::assert_snapshot!(
            again(&["litelift", "transfer", &format!("--to={url}"), "--only", "it's*"]),
            @r"litelift transfer --to='<same URL>' --only 'it'\''s*'"
        );
        insta::assert_snapshot!(
            again(&["litelift", "transfer", "--to", "postgres://u@h:5432/db"]),
            @"litelift transfer --to postgres://u@h:5432/db"
        );
    }
}
