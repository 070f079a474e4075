//! SQL files that people read and edit: `--follow-ups`, and what `schema` prints.
//!
//! Text of the source stands behind `--` on every line, whatever it holds: nothing in it can end such
//! a comment but the end of the line, and every kind of line end begins a new one.

use std::path::Path;

use super::amount::counted;
use super::names::plain;
use super::output;
use crate::error::Result;
use crate::model::follow_up::FollowUp;

/// Writes the file and says so.
pub(super) fn write(path: &Path, source: &str, follow_ups: &[FollowUp]) -> Result<()> {
    output::save("--follow-ups", path, &draw(source, follow_ups))?;
    let objects = counted(follow_ups.len() as u64, "object", "objects");
    let shown = plain(&path.to_string_lossy());
    output::tell(&format!("wrote {shown}: {objects} to look at\n"));
    Ok(())
}

/// Returns the whole file.
fn draw(source: &str, follow_ups: &[FollowUp]) -> String {
    let objects = counted(follow_ups.len() as u64, "object", "objects");
    let mut out = String::new();
    comment(&mut out, "-- ", &format!("Follow-ups of {source}: {objects}."));
    out.push_str(
        "--\n\
         -- What litelift did not carry over, with the reason, the text of the source behind |, and a\n\
         -- proposal where there is one. A proposal that is not in a comment runs as it is; the others\n\
         -- are to be edited first.\n",
    );
    out.push_str(&entries(follow_ups));
    out
}

/// Returns the entries alone.
pub(super) fn entries(follow_ups: &[FollowUp]) -> String {
    let mut out = String::new();
    for (number, one) in follow_ups.iter().enumerate() {
        let of =
            one.table.as_ref().map_or_else(String::new, |table| format!(" of {}", plain(table)));
        let (object, name) = (plain(&one.object), plain(&one.name));
        out.push('\n');
        let title = format!("{}. {object} {name}{of}: {}.", number + 1, plain(&one.reason));
        comment(&mut out, "-- ", &title);
        if !one.source_text.trim().is_empty() {
            comment(&mut out, "-- | ", &one.source_text);
        }
        match &one.proposal {
            Some(proposal) if proposal.is_ready => {
                out.push_str(&proposal.sql);
                out.push_str(";\n");
            }
            Some(proposal) => {
                comment(&mut out, "-- ", "Proposal, to be edited:");
                comment(&mut out, "-- ", &format!("{};", proposal.sql));
            }
            None => {}
        }
    }
    out
}

/// Writes a text behind a prefix on every line. Whatever a reader could take for the end of a line
/// is one, and other control characters are blanks: a terminal shows them, an editor hides them.
fn comment(out: &mut String, prefix: &str, text: &str) {
    let ends = ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
    for line in text.replace("\r\n", "\n").trim_end().split(ends) {
        let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        out.push_str(format!("{prefix}{line}").trim_end());
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::follow_up::Proposal;

    #[test]
    fn text_of_the_source_stays_in_comments() {
        let hostile =
            "CREATE TRIGGER \"x\nDROP TABLE canary; --\" */ AFTER\r\nUPDATE\rON t\u{2028}\\! ls";
        let entry = |proposal| FollowUp {
            object: "trigger".to_owned(),
            table: Some("t\nDROP TABLE canary;".to_owned()),
            name: "x\n; DROP TABLE canary;".to_owned(),
            reason: "this version does not translate it".to_owned(),
            source_text: hostile.to_owned(),
            proposal,
        };
        let all = [
            entry(None),
            entry(Proposal::to_edit("SELECT 1;\nSELECT 2")),
            entry(Proposal::ready("SELECT 3")),
        ];
        let text = draw("dev\n.db", &all);
        let code: Vec<&str> =
            text.lines().filter(|line| !line.is_empty() && !line.starts_with("--")).collect();
        assert_eq!(code, ["SELECT 3;"]);
        insta::assert_snapshot!(entries(&all[1..2]), @r#"

        -- 1. trigger x\n; DROP TABLE canary; of t\nDROP TABLE canary;: this version does not translate it.
        -- | CREATE TRIGGER "x
        -- | DROP TABLE canary; --" */ AFTER
        -- | UPDATE
        -- | ON t
        -- | \! ls
        -- Proposal, to be edited:
        -- SELECT 1;
        -- SELECT 2;
        "#);
    }
}
