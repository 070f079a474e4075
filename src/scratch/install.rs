//! How PostgreSQL is installed on the system at hand.
//!
//! Purpose: a user who lacks PostgreSQL gets the one command that helps, not a link.
//!
//! Known gaps: the systems named here; any other gets a sentence without a command.

use std::path::Path;

/// Returns the hint that names the install command for this system.
pub(super) fn hint() -> String {
    if cfg!(target_os = "macos") {
        return "Install PostgreSQL: brew install postgresql@17".to_owned();
    }
    // The second path is the vendor's copy, for systems without the link in /etc.
    let release = ["/etc/os-release", "/usr/lib/os-release"]
        .iter()
        .find_map(|path| std::fs::read_to_string(Path::new(path)).ok())
        .unwrap_or_default();
    hint_for(&release, is_root())
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

/// Returns the hint for the system that an os-release file describes.
fn hint_for(release: &str, root: bool) -> String {
    // ID first, then what the system says it resembles, nearest first.
    let ids = ["ID", "ID_LIKE"].into_iter().flat_map(|key| {
        release
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
            .unwrap_or_default()
            .trim_matches(['"', '\''])
            .split_whitespace()
    });
    let command = ids.map(str::to_ascii_lowercase).find_map(|id| command_for(&id));
    match command {
        Some(command) if root => format!("Install PostgreSQL: {command}"),
        Some(command) => format!("Install PostgreSQL: sudo {command}"),
        None => "Install the PostgreSQL server with the package manager of this system.".to_owned(),
    }
}

fn command_for(id: &str) -> Option<&'static str> {
    Some(match id {
        "debian" | "ubuntu" => "apt-get install -y postgresql",
        "fedora" | "rhel" | "centos" | "amzn" => "dnf install -y postgresql-server",
        "alpine" => "apk add postgresql",
        "arch" => "pacman -S --noconfirm postgresql",
        "suse" | "opensuse" => "zypper install -y postgresql-server",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_follows_the_system() {
        let cases = [
            ("ID=debian\n", "sudo apt-get install -y postgresql"),
            ("NAME=\"Linux Mint\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", "sudo apt-get "),
            ("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", "sudo dnf install"),
            ("ID=alpine\n", "sudo apk add postgresql"),
            ("ID=manjaro\nID_LIKE=arch\n", "sudo pacman -S"),
            ("ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n", "sudo zypper install"),
            ("", "package manager"),
        ];
        for (release, expected) in cases {
            let hint = hint_for(release, false);
            assert!(hint.contains(expected), "{release:?} gave {hint:?}");
        }
        assert_eq!(
            hint_for("ID=debian", true),
            "Install PostgreSQL: apt-get install -y postgresql"
        );
    }
}
