//! The server settings of a throwaway PostgreSQL.
//!
//! Purpose: one place that says how a scratch server differs from a default one, and why.
//!
//! Knobs: [`Settings::durable`], [`Settings::extra`].

/// How a [`Server`](super::Server) is configured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Whether data would survive a crash of the machine. `false`, the default, drops every
    /// protection that a throwaway does not need; `true` keeps PostgreSQL's defaults, which is
    /// what a measurement must use if it is to say something about a real server.
    pub durable: bool,
    /// Further settings, as `name` and `value`; they win over all others.
    pub extra: Vec<(String, String)>,
}

/// Settings of every scratch server.
const ALWAYS: [(&str, &str); 4] = [
    // Nothing outside the private folder can reach the server, and no port can collide.
    ("listen_addresses", ""),
    // Files in the data folder instead of /dev/shm: they go with the folder even after SIGKILL,
    // and /dev/shm is 64 MB in a container.
    ("dynamic_shared_memory_type", "mmap"),
    // The same reports and the same test results on every machine.
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
];

/// Settings that give up durability for speed.
const FLEETING: [(&str, &str); 6] = [
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("synchronous_commit", "off"),
    ("wal_level", "minimal"),
    ("max_wal_senders", "0"),
    // It would only fight with the load for the disk and read what is about to be dropped.
    ("autovacuum", "off"),
];

impl Settings {
    /// Returns the arguments of `postgres`, later ones winning.
    #[cfg_attr(not(unix), allow(dead_code))]
    pub(super) fn arguments(&self) -> Vec<String> {
        let fleeting: &[(&str, &str)] = if self.durable { &[] } else { &FLEETING };
        let own = ALWAYS.iter().chain(fleeting).map(|(name, value)| format!("{name}={value}"));
        let extra = self.extra.iter().map(|(name, value)| format!("{name}={value}"));
        own.chain(extra).flat_map(|setting| ["-c".to_owned(), setting]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extra_settings_come_last_and_durable_keeps_the_defaults() {
        let extra = vec![("fsync".to_owned(), "on".to_owned())];
        let fleeting = Settings { durable: false, extra: extra.clone() }.arguments();
        assert!(fleeting.contains(&"fsync=off".to_owned()));
        assert_eq!(fleeting.last().map(String::as_str), Some("fsync=on"));

        let durable = Settings { durable: true, extra: Vec::new() }.arguments();
        assert!(durable.contains(&"listen_addresses=".to_owned()));
        assert!(!durable.contains(&"fsync=off".to_owned()));
    }
}
