//! What a stream can show: its width, and whether it takes bold and colour.
//!
//! Nothing is said by colour alone: `error:`, `!` and `ok` stand there in letters.
//!
//! Knobs: `NO_COLOR`, `CI` and `TERM=dumb` switch bold and colour off, the last two also the moving
//! progress lines. A terminal's width is asked for; `COLUMNS` gives it where there is none (pipes,
//! logs), else 100.

use std::ffi::OsString;
use std::io::IsTerminal;

/// Width of what is not a terminal and has no COLUMNS.
const WIDTH_UNKNOWN: usize = 100;
/// Narrower than this, tables would hold nothing but `…`.
const WIDTH_MIN: usize = 40;
/// Wider than this, an eye loses the line.
const WIDTH_MAX: usize = 160;

/// What a stream can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    /// Columns.
    pub(super) width: usize,
    /// Takes escape codes for bold and colour.
    pub(super) ansi: bool,
    /// A terminal, so that long sentences are better broken by us; in a log they stay whole, to be
    /// found by searching.
    pub(super) terminal: bool,
}

impl Look {
    /// A stream without a terminal, such as a file.
    pub(super) const fn plain(width: usize) -> Self {
        Self { width, ansi: false, terminal: false }
    }

    /// A file of a report: nobody knows how wide its reader is.
    pub(super) const fn file() -> Self {
        Self::plain(WIDTH_UNKNOWN)
    }

    /// Looks at standard output.
    pub(super) fn stdout() -> Self {
        let stream = std::io::stdout();
        let width = terminal_size::terminal_size_of(&stream).map(|(width, _)| width.0);
        Self::decide(stream.is_terminal(), width, |name| std::env::var_os(name))
    }

    /// Looks at standard error.
    pub(super) fn stderr() -> Self {
        let stream = std::io::stderr();
        let width = terminal_size::terminal_size_of(&stream).map(|(width, _)| width.0);
        Self::decide(stream.is_terminal(), width, |name| std::env::var_os(name))
    }

    fn decide(
        terminal: bool,
        width: Option<u16>,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Self {
        let set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        let columns = variable("COLUMNS").and_then(|value| value.to_str()?.parse::<usize>().ok());
        let width = width.filter(|width| terminal && *width > 0).map(usize::from).or(columns);
        Self {
            width: width.unwrap_or(WIDTH_UNKNOWN).clamp(WIDTH_MIN, WIDTH_MAX),
            ansi: terminal && moves(&variable) && !set("NO_COLOR"),
            terminal,
        }
    }

    /// Returns the text in bold, if the stream can.
    pub(super) fn bold(self, text: &str) -> String {
        self.code("1", text)
    }

    /// Returns the text as the head of an error, if the stream can.
    pub(super) fn alarm(self, text: &str) -> String {
        self.code("1;31", text)
    }

    fn code(self, code: &str, text: &str) -> String {
        if self.ansi { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Returns true when standard error is a terminal on which lines can be redrawn.
pub(super) fn stderr_moves() -> bool {
    std::io::stderr().is_terminal() && moves(&|name: &str| std::env::var_os(name))
}

fn moves(variable: &impl Fn(&str) -> Option<OsString>) -> bool {
    let dumb = variable("TERM").is_some_and(|term| term == "dumb");
    // `CI=false` is how some tools say that this is no CI.
    let ci = variable("CI").is_some_and(|ci| !ci.is_empty() && ci != "false" && ci != "0");
    !dumb && !ci
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(terminal: bool, width: Option<u16>, variables: &[(&str, &str)]) -> Look {
        Look::decide(terminal, width, |name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
        })
    }

    #[test]
    fn only_a_willing_terminal_gets_escape_codes() {
        assert!(look(true, Some(80), &[]).ansi);
        assert!(look(true, Some(80), &[("NO_COLOR", ""), ("CI", "false")]).ansi);
        for variable in [("NO_COLOR", "1"), ("CI", "true"), ("TERM", "dumb")] {
            assert!(!look(true, Some(80), &[variable]).ansi, "{variable:?}");
        }
        assert!(!look(false, None, &[]).ansi);
        assert_eq!(look(false, None, &[]).bold("x"), "x");
        assert_eq!(look(true, None, &[]).bold("x"), "\x1b[1mx\x1b[0m");
    }

    #[test]
    fn the_width_is_the_terminals_within_reason() {
        assert_eq!(look(true, Some(80), &[("COLUMNS", "120")]).width, 80);
        assert_eq!(look(false, None, &[("COLUMNS", "120")]).width, 120);
        assert_eq!(look(false, None, &[("COLUMNS", "wide")]).width, WIDTH_UNKNOWN);
        assert_eq!(look(true, Some(0), &[]).width, WIDTH_UNKNOWN);
        assert_eq!(look(true, Some(7), &[]).width, WIDTH_MIN);
        assert_eq!(look(true, Some(500), &[]).width, WIDTH_MAX);
    }
}
