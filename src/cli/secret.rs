//! Keeps passwords out of what is printed.
//!
//! The library masks the URLs that it is given. What is left to do here are arguments that never
//! reach it: a URL in the wrong place, which the parser of the command line would quote in its
//! complaint, and the command that is printed to continue a transfer.
//!
//! Known gaps: only what looks like a URL or a connection string is hidden; a bare password as an
//! argument of its own is not recognised.

/// Returns true when an argument may hold a password: any URL, `user:password@host`, or
/// `password=...`.
pub(super) fn may_hold_password(argument: &str) -> bool {
    let lower = argument.to_ascii_lowercase();
    let user_info = lower.find(':').is_some_and(|colon| lower[colon..].contains('@'));
    lower.contains("://") || user_info || has_password_setting(&lower)
}

/// Returns true when an argument holds a password for sure enough not to be repeated; a URL without
/// one may be.
pub(super) fn holds_password(argument: &str) -> bool {
    let lower = argument.to_ascii_lowercase();
    let after_scheme = lower.split_once("://").map_or(lower.as_str(), |(_, rest)| rest);
    // The password ends at the last `@`: people forget to percent-encode theirs.
    let user_info = after_scheme.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'));
    user_info || has_password_setting(&lower)
}

/// `password=`, also as a part of `sslpassword=`; a file may be called `passwords.db`.
fn has_password_setting(lower: &str) -> bool {
    let lower: String = lower.split_whitespace().collect();
    ["password=", "passwd=", "pwd="].iter().any(|setting| lower.contains(setting))
}

/// Returns an argument as a complaint may quote it.
pub(super) fn quotable(argument: &str) -> String {
    if !may_hold_password(argument) {
        return argument.to_owned();
    }
    let (flag, value) = flag_and_value(argument).unwrap_or(("", argument));
    let scheme = value.split_once("://").map_or("", |(scheme, _)| scheme);
    let known = ["postgres", "postgresql", "sqlite", "file", "mysql", "http", "https"];
    let scheme = if known.contains(&scheme) { format!("{scheme}://") } else { String::new() };
    let equals = if flag.is_empty() { "" } else { "=" };
    format!("{flag}{equals}{scheme}…")
}

/// Splits `--flag=value`.
pub(super) fn flag_and_value(argument: &str) -> Option<(&str, &str)> {
    let is_flag = |flag: &str| {
        flag.starts_with("--") && flag.chars().all(|c| c.is_ascii_alphabetic() || c == '-')
    };
    argument.split_once('=').filter(|(flag, _)| is_flag(flag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_secret_is_not_quoted() {
        for argument in [
            "postgres://u:hunter2@h/db",
            "--to=postgresql://u:hunter2@h/db",
            "postgres://u:hun/ter2#hunter2@h/db",
            "u:hunter2@h/db",
            "host=h user=u password=hunter2",
            "--password=hunter2",
            "PASSWORD=hunter2",
            "hunter2://u:x@h",
            "-upostgres://u:hunter2@h/db?x=1",
            "host=h password = hunter2",
        ] {
            assert!(!quotable(argument).contains("hunter2"), "{argument}");
        }
        assert_eq!(quotable("postgres://u:hunter2@h/db"), "postgres://…");
        assert_eq!(quotable("--to=postgres://u:hunter2@h/db"), "--to=postgres://…");
        assert_eq!(quotable("dev.db"), "dev.db");
        assert_eq!(quotable("--tp"), "--tp");
    }

    #[test]
    fn a_url_without_a_password_may_be_repeated() {
        assert!(!holds_password("passwords.db"));
        assert!(!holds_password("postgres://u@h:5432/db"));
        assert!(!holds_password("host=/run/postgresql user=u"));
        assert!(holds_password("postgres://u:x@h/db"));
        assert!(holds_password("postgres://u@h/db?password=x"));
        assert!(holds_password("postgres://u:a@b@h/db"));
    }
}
