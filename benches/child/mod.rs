//! A litelift child process that is watched: its report and its memory.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Starts `litelift transfer --json` with more arguments.
pub(crate) fn transfer(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_litelift"))
        .args(["transfer", "--json", "--quiet"])
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits for the child; returns its report and the most private memory that it had, in kB.
pub(crate) fn watched(mut child: Child) -> (serde_json::Value, u64) {
    let stdout = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        serde_json::from_reader(stdout).unwrap_or(serde_json::Value::Null)
    });
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(private_kb(child.id()));
        std::thread::sleep(Duration::from_millis(20));
    }
    (reader.join().unwrap(), peak)
}

/// Linux only: anonymous memory, which leaves mapped files out; 0 elsewhere.
fn private_kb(pid: u32) -> u64 {
    field(pid, "RssAnon:")
}

/// Linux only: the most resident memory ever, mapped files included; 0 elsewhere.
#[allow(dead_code, reason = "one of the benches uses it")]
pub(crate) fn resident_kb_max(pid: u32) -> u64 {
    field(pid, "VmHWM:")
}

fn field(pid: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
