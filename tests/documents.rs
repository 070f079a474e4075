//! The documents say what the program does: blocks are written from it, names must exist.
//!
//! Knobs: `UPDATE_DOCS=1` writes the blocks instead of comparing them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use litelift::map::rules::{self, TypeMapText};
use litelift::model::convert::Convert;
use litelift::model::on_misfit::OnMisfit;
use litelift::model::pg_type::PgType;

use crate::support::rust_source::SourceFile;
use crate::support::{fixture, pg, transfer};

const README_LINES_MAX: usize = 150;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The documents, as paths from the package's folder.
fn documents() -> Vec<String> {
    let in_folder = |folder: &str| -> Vec<String> {
        let entries = std::fs::read_dir(root().join(folder)).unwrap().map(Result::unwrap);
        let names = entries.map(|entry| entry.file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".md")).map(|name| format!("{folder}{name}")).collect()
    };
    let mut documents =
        [in_folder("./"), in_folder("./docs/"), in_folder("./docs/guides/")].concat();
    documents.sort();
    documents
}

/// Compares blocks between `<!-- begin NAME -->` and `<!-- end NAME -->` with what they must be.
fn expect_blocks(path: &str, blocks: &[(&str, String)]) {
    let before = read(path);
    let mut after = before.clone();
    for (name, content) in blocks {
        after = with_block(&after, name, content);
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(root().join(path), after).unwrap();
    } else {
        assert!(
            after == before,
            "{path} is not up to date: run UPDATE_DOCS=1 cargo test documents"
        );
    }
}

fn with_block(text: &str, name: &str, content: &str) -> String {
    let (start, end) = block_bounds(text, name);
    format!("{}\n{}\n{}", &text[..start], content.trim_end(), &text[end..])
}

fn block_bounds(text: &str, name: &str) -> (usize, usize) {
    let (begin, end) = (format!("<!-- begin {name} -->"), format!("<!-- end {name} -->"));
    let start = text.find(&begin).unwrap_or_else(|| panic!("no {begin}")) + begin.len();
    (start, text.find(&end).unwrap_or_else(|| panic!("no {end}")))
}

/// Cells cannot hold the bar that parts them.
fn row(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

fn table(head: &[&str], rows: impl Iterator<Item = String>) -> String {
    row(head) + "|" + &"---|".repeat(head.len()) + "\n" + &rows.collect::<String>()
}

fn help(command: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_litelift"))
        .args(command)
        .arg("--help")
        .env("COLUMNS", "80")
        .env_remove("DATABASE_URL")
        // The width of a terminal that the tests are run from would count more than COLUMNS.
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success());
    format!("```text\n{}\n```", String::from_utf8(output.stdout).unwrap().trim_end())
}

#[test]
fn the_page_of_commands_is_what_help_prints() {
    let mut blocks = vec![("help", help(&[]))];
    for command in ["inspect", "transfer", "verify", "rehearse", "schema", "status", "clean"] {
        blocks.push((command, help(&[command])));
    }
    expect_blocks("docs/cli.md", &blocks);
}

/// The rules of a type map as a table.
fn type_map(text: &str) -> String {
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
    let head = reader.headers().unwrap().clone();
    let rows = reader.records().map(|record| {
        let record = record.unwrap();
        let cells: Vec<String> = record.iter().map(|cell| format!("`{cell}`")).collect();
        // The note, which is the last, is prose.
        let cells = cells.iter().take(record.len() - 1).map(String::as_str);
        row(&cells.chain(record.iter().next_back()).collect::<Vec<_>>())
    });
    table(&head.iter().collect::<Vec<_>>(), rows)
}

/// Every map but the default, with the comment that it begins with; the rest is in the file.
fn built_in_maps() -> impl Iterator<Item = String> {
    let mut names: Vec<String> = std::fs::read_dir(root().join("type_maps"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".csv") && name != "default.csv")
        .collect();
    names.sort();
    names.into_iter().map(|name| {
        let text = read(&format!("type_maps/{name}"));
        let comment: Vec<&str> = text
            .lines()
            .skip(1)
            .map_while(|line| line.strip_prefix('#'))
            .map(str::trim)
            .take_while(|line| !line.starts_with("Use: "))
            .collect();
        let link = format!("[`{}`](../type_maps/{name})", name.trim_end_matches(".csv"));
        row(&[&link, &comment.join(" ")])
    })
}

/// The presets, each with its comment and what it is recognised by.
fn presets() -> impl Iterator<Item = String> {
    let mut names: Vec<String> = std::fs::read_dir(root().join("type_maps/apps"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names.into_iter().map(|name| {
        let path = format!("type_maps/apps/{name}");
        let text = read(&path);
        let comment: Vec<&str> =
            text.lines().skip(1).map_while(|line| line.strip_prefix('#')).map(str::trim).collect();
        let rows = litelift::presets::parse::rows(&name, &text).unwrap();
        let detected: Vec<String> = rows
            .iter()
            .filter_map(|row| row.shown.strip_prefix("detect "))
            .map(|tables| format!("`{}`", tables.replace('+', "` and `")))
            .collect();
        let link = format!("[`{}`](../../{path})", name.trim_end_matches(".csv"));
        row(&[&link, &comment.join(" "), &detected.join("; ")])
    })
}

#[test]
fn the_page_of_guides_lists_the_presets() {
    let table = table(&["`--app`", "what it is for", "recognised by the tables"], presets());
    expect_blocks("docs/guides/README.md", &[("presets", table)]);
}

#[test]
fn the_page_of_type_maps_is_what_the_code_knows() {
    let evidence = rules::EVIDENCE.iter().map(|(word, says)| row(&[&format!("`{word}`"), says]));
    let misfits = OnMisfit::ALL.iter().map(|(_, word, says)| row(&[&format!("`or {word}`"), says]));
    let plain = row(&[
        "`plain`",
        "every type but interval, arrays and enums",
        "the value itself in the form that the type has for it, see below; what the type cannot hold exactly does not fit",
    ]);
    let named = Convert::NAMED.iter().map(|(_, name, types, says)| {
        let types = types.replace("double precision", "double").replace(' ', ", ");
        row(&[&format!("`{name}`"), &types.replace("double", "double precision"), says])
    });
    let labels = row(&[
        "`enum:keep`, `enum:upper`, `enum:lower`",
        "enum(NAME), enum(*)",
        "from text, which becomes a label of at most 63 bytes as it is, in upper or in lower case (Unicode); `;TEXT=LABEL` after it, as often as needed, names labels that go another way",
    ]);
    let conversions = [plain, labels].into_iter().chain(named);
    expect_blocks(
        "docs/type-maps.md",
        &[
            ("misfits", table(&["words", "a value that does not fit"], misfits)),
            ("evidence", table(&["word", "the values are"], evidence)),
            ("conversions", table(&["name", "makes", "from"], conversions)),
            ("built-in maps", table(&["name", "what it is for"], built_in_maps())),
            ("default", type_map(rules::DEFAULT)),
            ("rich", type_map(&read("type_maps/rich.csv"))),
        ],
    );
}

#[test]
fn types_and_rules_of_the_page_are_read_by_the_program() {
    let page = read("docs/type-maps.md");
    let (start, end) = block_bounds(&page, "types");
    for name in backticked(&page[start..end]).into_iter().filter(|name| !name.ends_with("(*)")) {
        assert!(name.parse::<PgType>().is_ok(), "{name} is no type");
    }
    for example in fenced(&page, "csv").into_iter().chain(fenced(&read("README.md"), "csv")) {
        let map = TypeMapText { name: "example".into(), text: example, is_own: true };
        if let Err(error) = rules::Rules::parse(&[map]) {
            panic!("{}", pg::explain(&error));
        }
    }
}

#[test]
fn statements_of_the_page_of_checkpoints_run() {
    let page = read("docs/checkpoints.md");
    let shop = fixture::shop();
    let database = pg::database();
    let options = transfer::options(&shop.path, &database.url);
    transfer::run(&options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    let columns = database.query_text(
        "select format('`%s`', attname) from pg_attribute a join pg_class c on c.oid = attrelid \
         where relnamespace = 'litelift'::regnamespace and relkind = 'r' and attnum > 0 \
         union select format('`litelift.%s`', relname) from pg_class \
         where relnamespace = 'litelift'::regnamespace and relkind = 'r'",
    );
    assert!(columns.len() > 20, "{columns:?}");
    for column in columns.into_iter().flatten() {
        assert!(page.contains(&column), "docs/checkpoints.md does not explain {column}");
    }
    let statements = fenced(&page, "sql");
    assert_eq!(statements.len(), 6);
    for (position, sql) in statements.iter().enumerate() {
        let rows = database.query_text(sql).len();
        // Nothing was taken away, nobody holds the lock now, and DROP returns nothing.
        assert_eq!(rows > 0, [0, 1, 3].contains(&position), "{rows} rows of {sql}");
    }
}

#[test]
fn links_and_paths_lead_somewhere() {
    const ROOMS: [&str; 8] =
        ["src/", "tests/", "docs/", "fixtures/", "type_maps/", "benches/", ".ci/", ".github/"];
    for document in documents() {
        let text = read(&document);
        let folder = Path::new(&document).parent().map(PathBuf::from).unwrap_or_default();
        for link in links(&text) {
            let place = link.split('#').next().unwrap_or_default();
            let there = place.contains("://") || root().join(&folder).join(place).exists();
            assert!(there, "{document}: {link} leads nowhere");
        }
        let is_path = |name: &&str| {
            ROOMS.iter().any(|room| name.starts_with(room)) && !name.contains(['*', ' ', ':'])
        };
        for path in backticked(&text).into_iter().filter(is_path) {
            assert!(root().join(path).exists(), "{document}: there is no {path}");
        }
    }
}

#[test]
fn the_code_map_names_every_room_and_no_other() {
    let text = read("ARCHITECTURE.md");
    let (start, end) = block_bounds(&text, "code map");
    let named = backticked(&text[start..end]);
    let mut rooms: Vec<String> = std::fs::read_dir(root().join("src"))
        .unwrap()
        .map(Result::unwrap)
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            if entry.path().is_dir() { format!("src/{name}/") } else { format!("src/{name}") }
        })
        .collect();
    rooms.extend(
        ["type_maps/", "tests/", "fixtures/", "fuzz/", "benches/", "docs/", ".ci/"]
            .map(str::to_owned),
    );
    for room in &rooms {
        assert!(named.contains(&room.as_str()), "the code map does not name {room}");
    }
}

#[test]
fn the_readme_is_short_and_names_tests_that_exist() {
    let text = read("README.md");
    let lines = text.lines().count();
    assert!(lines <= README_LINES_MAX, "{lines} lines, and no more than {README_LINES_MAX} may be");
    let sources = SourceFile::below(&["src", "tests", "benches"]);
    let (start, end) = block_bounds(&text, "proofs");
    let rows = text[start..end].lines().filter(|line| line.starts_with("| ")).skip(1);
    let mut count = 0;
    for line in rows {
        let proof = line.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let tests = backticked(proof);
        assert!(!tests.is_empty(), "nothing proves {line}");
        for test in tests {
            let function = format!("fn {test}(");
            assert!(sources.iter().any(|file| file.text.contains(&function)), "no test {test}");
            count += 1;
        }
    }
    assert!(count > 5, "{count} tests are named");
}

/// Contents of fenced blocks of one language.
fn fenced(text: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    let blocks = text.split(&opening).skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

/// Code spans outside of fenced blocks.
fn backticked(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|prose| prose.split('`').skip(1).step_by(2)).collect()
}

/// Targets of `[text](target)` outside of fenced blocks.
fn links(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    let after = prose.flat_map(|prose| prose.split("](").skip(1));
    after.filter_map(|rest| rest.split(')').next()).collect()
}

#[test]
fn spans_links_and_blocks_are_found() {
    let text = "a `b` [c](d.md#e)\n```sql\nselect '`f`' [g](h)\n```\n`i` <!-- begin x -->\nold\n<!-- end x -->\n";
    assert_eq!(backticked(text), ["b", "i"]);
    assert_eq!(links(text), ["d.md#e"]);
    assert_eq!(fenced(text, "sql"), ["select '`f`' [g](h)\n"]);
    let changed = with_block(text, "x", "new\n");
    assert!(changed.ends_with("<!-- begin x -->\nnew\n<!-- end x -->\n"), "{changed}");
    assert_eq!(with_block(&changed, "x", "new"), changed);
}
