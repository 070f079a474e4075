use super::*;
use crate::cli::sample::{beside, hostile, report};

#[test]
fn the_report_reads_well_as_text_too() {
    insta::assert_snapshot!(draw(&report()), @r"
    # Types of `dev.db` in PostgreSQL

    2 tables, 5 columns, 41 002 rows, 12 MB, UTF-8

    5 columns in 2 tables, 2 need attention. 1 object would not be carried over. 1 suggestion.

    ## Needs attention (2)

    - `Users.bio`: `text` instead of `varchar(80)`: 37 values do not fit varchar(80) (text), such as `'Lorem ipsum…'`, rowid 812; `'x'`.
    - `Users.settings\n\u{1b}[31m`: All values are JSON; --type-map rich makes it jsonb.

    ## Suggestions (1)

    Other types hold every value of these columns. A rule works when its line stands in a file that is given with `--type-map`; `litelift inspect --suggest FILE` writes such a file.

    ```csv
    table,column,declared,evidence,pg_type,convert,note
    docs,title,*,uuids,uuid,plain,2 000 of 2 000 values are UUIDs
    ```

    ## Tables (2)

    ### `Users` becomes `users`, 41 002 rows

    | Column | Declared | Found | Becomes | NOT NULL | Why | Attention |
    |---|---|---|---|---|---|---|
    | `id` | `INTEGER` | integer × 41 002 | `bigint` | yes | declared type: `default:12` |  |
    | `is_admin` | `INTEGER` | 0/1 × 41 000, NULL × 2 | `boolean` | no | name is\_\*, values 0/1: `default:12` |  |
    | `bio` | `VARCHAR(80)` | text × 9 | `text` | yes | declared type: `default:12` | **!** `text` instead of `varchar(80)`: 37 values do not fit varchar(80) (text), such as `'Lorem ipsum…'`, rowid 812; `'x'`. |
    | `settings\n\u{1b}[31m` |  | text × 9 | `text` | yes | `default:12` | **!** All values are JSON; --type-map rich makes it jsonb. |

    ### `docs`, virtual (fts5), 0 rows

    | Column | Declared | Found | Becomes | NOT NULL | Why | Attention |
    |---|---|---|---|---|---|---|
    | `title` |  | no rows | `text` | yes | declared type: `default:12` | Suggestion: `uuid` instead of `text`; 2 000 of 2 000 values are UUIDs. |

    ## Not carried over (1)

    - trigger `users_touch` of `Users`: triggers are not translated
      ```sql
      CREATE TRIGGER users_touch
      AFTER UPDATE ON Users BEGIN SELECT 1; END
      ```

    ## Names that change (1)

    - Table Users is named users in the target.

    ## Remarks on the source (1)

    - Table docs has no declared types.

    ## Rules that decided nothing (1)

    - `my.csv:3`: userz.id
    ");
}

#[test]
fn the_target_has_its_column() {
    let text = draw(&beside());
    assert!(text.contains("| Becomes | In the target | NOT NULL |"));
    assert!(text.contains("| `bigint` | ≠ `integer` | yes |"), "{text}");
}

#[test]
fn nothing_hostile_is_obeyed() {
    let text = draw(&hostile());
    assert!(!text.contains(['\u{202e}', '\0']));
    for line in text.lines() {
        let is_block = line.trim_start().starts_with("</script>");
        assert!(is_block || !line.contains("<script"), "{line}");
    }
    // A table keeps its columns.
    let heads = text.lines().find(|line| line.starts_with("| Column")).unwrap();
    let row = text.lines().find(|line| line.starts_with("| <code>")).unwrap();
    assert_eq!(row.matches('|').count(), heads.matches('|').count(), "{row}");
}

#[test]
fn code_ends_where_it_should() {
    assert_eq!(code("plain"), "`plain`");
    assert_eq!(code("a|b"), "<code>a&#124;b</code>");
    assert_eq!(code("`x`"), "<code>&#96;x&#96;</code>");
    assert_eq!(code(""), "<code></code>");
    assert_eq!(prose("see https://a.b <b> @all"), "see https&#58;//a.b &#60;b&#62; &#64;all");
    assert_eq!(fenced("sql", "a ``` b", ""), "````sql\na ``` b\n````\n");
}
