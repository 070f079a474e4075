//! The target's URL, read once; shown without its password ever after.

use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::error::{Error, Result};

/// A black-holed link must not hang for ever: the drivers' own defaults are none and two hours.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(30);
/// After 10 s without a word the operating system asks three times, 5 s apart.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_RETRIES: u32 = 3;

/// Where to connect, and how to say so.
#[derive(Debug, Clone)]
pub struct TargetUrl {
    /// The driver's settings, password included: never printed.
    pub(super) config: Config,
    /// `host:port/database as user`.
    pub shown: String,
}

/// Reads a PostgreSQL URL or a `key=value` string.
///
/// # Errors
/// [`crate::error::ErrorKind::Usage`], without any part of the text: it may hold a password.
pub fn parse(text: &str) -> Result<TargetUrl> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::usage("the target URL is empty").hint(
            "Give --to postgresql://user:password@host:5432/database, or set DATABASE_URL.",
        ));
    }
    refuse_unescaped_password(text)?;
    let mut config: Config =
        text.parse().map_err(|error: tokio_postgres::Error| not_a_url(&error))?;
    if config.get_hosts().is_empty() {
        return Err(Error::usage("the target URL names no host")
            .hint("Give it as postgresql://user:password@host:5432/database."));
    }
    if matches!(config.get_ssl_mode(), SslMode::Require) {
        return Err(Error::usage("sslmode=require is asked for, and this version has no TLS yet")
            .detail("litelift never goes on without the protection that was asked for.")
            .hint("Connect through an SSH tunnel or from the server's own host, with sslmode=disable."));
    }
    if config.get_user().is_none() {
        // As libpq: the name of the operating system's user.
        if let Some(user) = std::env::var_os("USER").or_else(|| std::env::var_os("LOGNAME")) {
            config.user(user.to_string_lossy().as_ref());
        }
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(TCP_USER_TIMEOUT);
    }
    if config.get_keepalives_idle() == Config::new().get_keepalives_idle() {
        config.keepalives_idle(KEEPALIVE_IDLE);
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(KEEPALIVE_INTERVAL);
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(KEEPALIVE_RETRIES);
    }
    if config.get_application_name().is_none() {
        config.application_name("litelift");
    }
    Ok(TargetUrl { shown: shown(&config), config })
}

/// `postgres://u:p@ss@h/db` would be read with host `ss@h`: a part of the password as a host name.
fn refuse_unescaped_password(text: &str) -> Result<()> {
    let Some((scheme, rest)) = text.split_once("://") else { return Ok(()) };
    if !matches!(scheme, "postgres" | "postgresql") {
        return Err(Error::usage("the target URL does not begin with postgresql://")
            .hint("Give it as postgresql://user:password@host:5432/database."));
    }
    let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    let userinfo = authority.rsplit_once('@').map_or("", |(userinfo, _)| userinfo);
    if userinfo.contains(['@', '#'])
        || !percent_signs_are_escapes(userinfo)
        || path.split('?').next().is_some_and(|p| p.contains('@'))
    {
        return Err(Error::usage("the user or password of the target URL holds a character that must be escaped")
            .detail("In a URL, the characters @ : / ? # [ ] % of a user name or password are written as % and two hexadecimal digits.")
            .hint("Write @ as %40, / as %2F, # as %23, ? as %3F, % as %25."));
    }
    Ok(())
}

/// The driver takes `%zz` as it stands; libpq refuses it, and so it may be meant either way.
fn percent_signs_are_escapes(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| {
        rest.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit))
    })
}

fn not_a_url(error: &tokio_postgres::Error) -> Error {
    use std::error::Error as _;
    // The driver's reason names the parameter or the field at fault, but for values it may repeat
    // what stands there: keep only reasons that are known to be fixed texts.
    let reason = error.source().map(ToString::to_string).unwrap_or_default();
    let key = reason
        .strip_prefix("unknown option `")
        .or_else(|| reason.strip_prefix("invalid value for option `"))
        .and_then(|rest| rest.strip_suffix('`'))
        .filter(|key| !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
    let error = Error::usage("the target URL cannot be read");
    match key {
        Some(key) => error.detail(format!("Its parameter \"{key}\" is not one that this version knows, or its value is wrong.")),
        None => error,
    }
    .hint("Give it as postgresql://user:password@host:5432/database; write special characters of the password as % and two hexadecimal digits.")
}

/// Host, port, database and user; never the password.
fn shown(config: &Config) -> String {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(host)) => host.clone(),
        #[cfg(unix)]
        Some(Host::Unix(folder)) => folder.display().to_string(),
        _ => "localhost".to_owned(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let user = config.get_user().unwrap_or("(no user)");
    let database = config.get_dbname().unwrap_or(user);
    let is_socket = host.starts_with('/');
    if is_socket {
        format!("{database} at {host} as {user}")
    } else {
        format!("{database} at {host}:{port} as {user}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_has_no_password() {
        let url = parse("postgresql://ann:s3cret@db.example:6000/shop").unwrap();
        assert_eq!(url.shown, "shop at db.example:6000 as ann");
        let url = parse("host=/tmp/x user=ann password=s3cret dbname=shop").unwrap();
        assert_eq!(url.shown, "shop at /tmp/x as ann");
    }

    #[test]
    fn timeouts_are_ours_unless_the_url_has_them() {
        let config = parse("postgresql://ann@db.example/shop").unwrap().config;
        assert_eq!(config.get_connect_timeout(), Some(&Duration::from_secs(10)));
        assert_eq!(config.get_tcp_user_timeout(), Some(&Duration::from_secs(30)));
        assert_eq!(config.get_keepalives_idle(), Duration::from_secs(10));
        assert_eq!(config.get_keepalives_interval(), Some(Duration::from_secs(5)));
        assert_eq!(config.get_keepalives_retries(), Some(3));
        let url = "postgresql://ann@db.example/shop?connect_timeout=3&keepalives=0\
                   &keepalives_idle=60&keepalives_interval=61&keepalives_retries=2";
        let config = parse(url).unwrap().config;
        assert_eq!(config.get_connect_timeout(), Some(&Duration::from_secs(3)));
        assert!(!config.get_keepalives());
        assert_eq!(config.get_keepalives_idle(), Duration::from_secs(60));
        assert_eq!(config.get_keepalives_interval(), Some(Duration::from_secs(61)));
        assert_eq!(config.get_keepalives_retries(), Some(2));
    }

    #[test]
    fn no_error_repeats_any_part_of_the_url() {
        for bad in [
            "postgres://ann:s3cr@t@host/db",
            "postgres://ann:s3cr#t@host/db",
            "postgres://ann:s3c/r@host/db",
            "postgres://ann:s3cret@host:notaport/db",
            "postgres://ann:s3cret@host/db?sslmode=s3cret",
            "postgres://ann:s3cret@host/db?s3cret=1",
            "postgres://ann:s3cret%zz@host/db",
            "mysql://ann:s3cret@host/db",
            "password=s3cret host",
            "s3cret",
            "",
            "postgresql://ann:s3cret@host/db?sslmode=require",
        ] {
            let error = parse(bad).unwrap_err();
            let all = format!("{error} {:?} {:?} {error:?}", error.full_detail(), error.hints());
            assert!(!all.contains("s3c"), "{bad}: {all}");
            assert_eq!(error.kind(), crate::error::ErrorKind::Usage);
            assert!(!error.hints().is_empty());
        }
    }
}
