//! The file of `inspect --suggest`: a type map that is ready to edit.
//!
//! Every rule stands behind a `#`, so that the file as written changes nothing: what a value means
//! is for the user to say. Sentences stand behind `# `, with a blank, and are easily told apart.

use super::amount::counted;
use super::names::{dotted, plain};
use crate::report::InspectReport;

/// Returns the suggestions as a type map.
pub(super) fn draw(report: &InspectReport) -> String {
    let rules = counted(report.suggestions.len() as u64, "rule", "rules");
    let mut out = format!(
        "# Type map for {}, with {rules} that `litelift inspect` suggests.\n\
         #\n\
         # As it is, this file changes nothing. Take the # before a rule away to use it, and give the\n\
         # file with --type-map to inspect, transfer or rehearse. Every value of the column fits the\n\
         # type. A rule with a word such as dates in its fourth column works as long as that is so.\n\
         \n\
         table,column,declared,evidence,pg_type,convert,note\n",
        plain(&report.source.path)
    );
    for suggestion in &report.suggestions {
        let name = dotted(&suggestion.table, &suggestion.column);
        let (to, from) = (suggestion.pg_type, suggestion.instead_of);
        out.push_str(&format!("\n# {name}: {to} instead of {from}\n#{}\n", suggestion.rule));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::sample::{hostile, report};
    use crate::map::rules::{Rules, TypeMapText};

    #[test]
    fn the_file_is_a_type_map_that_changes_nothing() {
        insta::assert_snapshot!(draw(&report()), @r"
        # Type map for dev.db, with 1 rule that `litelift inspect` suggests.
        #
        # As it is, this file changes nothing. Take the # before a rule away to use it, and give the
        # file with --type-map to inspect, transfer or rehearse. Every value of the column fits the
        # type. A rule with a word such as dates in its fourth column works as long as that is so.

        table,column,declared,evidence,pg_type,convert,note

        # docs.title: uuid instead of text
        #docs,title,*,uuids,uuid,plain,2 000 of 2 000 values are UUIDs
        ");
        for report in [report(), hostile()] {
            let text = draw(&report);
            assert!(!text.contains(['\u{202e}', '\0']));
            let rules =
                Rules::parse(&[TypeMapText { name: "file.csv".to_owned(), text, is_own: true }])
                    .unwrap();
            assert_eq!(rules.canonical(), Rules::parse(&[]).unwrap().canonical());
        }
    }
}
