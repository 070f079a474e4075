//! The commands of `docs/guides/` do what the pages say: each `sh` block is run, in order, and must end
//! with exit code 0.
//!
//! A comment `<!-- checked with fixtures/apps/NAME -->` before the blocks names what they are run with: its
//! source is `app.db` in the folder of the run, its target the database of `$DATABASE_URL`. A second one
//! further down begins anew with another. Blocks of other languages are not run.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::target;
use crate::support::fixture;
use crate::support::pg;

const LINES_MAX: usize = 90;

/// The blocks that are run with one fixture.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    /// Path from the package's folder.
    fixture: String,
    /// Shell text.
    blocks: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join("docs/guides")).unwrap();
    let mut pages: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    pages.retain(|path| !path.ends_with("README.md"));
    pages.sort();
    pages
}

/// Takes a page apart; an error says what it lacks.
fn parts(page: &str) -> Result<Vec<Part>, String> {
    let mut parts: Vec<Part> = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let checked = line.strip_prefix("<!-- checked with ");
        if let Some(fixture) = checked.and_then(|rest| rest.strip_suffix(" -->")) {
            parts.push(Part { fixture: fixture.to_owned(), blocks: Vec::new() });
        }
        let Some(language) = line.strip_prefix("```") else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if language != "sh" {
            continue;
        }
        let is_command = |line: &str| line.starts_with("litelift ") || line.starts_with("  ");
        if let Some(other) = block.iter().find(|line| !is_command(line)) {
            return Err(format!(
                "{other:?} is no command of litelift: a ```text block may have it"
            ));
        }
        let part = parts.last_mut().ok_or("no <!-- checked with fixtures/apps/NAME --> before")?;
        part.blocks.push(block.join("\n"));
    }
    if parts.is_empty() || parts.iter().any(|part| part.blocks.is_empty()) {
        return Err("nothing of it is run".to_owned());
    }
    Ok(parts)
}

fn shell(block: &str, folder: &Path, url: &str) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_litelift")).parent().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    Command::new("sh")
        .args(["-e", "-c", block])
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", program.display()))
        .env("DATABASE_URL", url)
        .env_remove("RUST_BACKTRACE")
        .output()
        .unwrap()
}

/// Runs a part, and says what failed.
fn run(part: &Part) -> Result<(), String> {
    let read = |file: &str| {
        let path = root().join(&part.fixture).join(file);
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let source = fixture::from_sql("app.db", &read("source.sql")?);
    let target = target::empty();
    target.load_dump(&read("target.sql")?);
    for block in &part.blocks {
        let output = shell(block, source.path.parent().unwrap(), &target.url);
        if !output.status.success() {
            let text = [output.stdout, output.stderr].concat();
            let text = String::from_utf8_lossy(&text).into_owned();
            return Err(format!("{}\n{block}\n{text}", output.status));
        }
    }
    let done = "SELECT count(*)::text FROM litelift.run";
    let runs = pg::query_text(&target.url, done);
    if runs != [Some("1".to_owned())] {
        return Err(format!("{runs:?} transfers were made"));
    }
    Ok(())
}

#[test]
fn every_command_of_the_guides_ends_well() {
    let mut wrong = Vec::new();
    let pages = pages();
    assert!(pages.len() >= 7, "{pages:?}");
    for path in pages {
        let page = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let lines = page.lines().count();
        if lines > LINES_MAX {
            wrong.push(format!("{name} has {lines} lines, and may have {LINES_MAX}"));
        }
        match parts(&page) {
            Err(why) => wrong.push(format!("{name}: {why}")),
            Ok(parts) => wrong.extend(
                parts.iter().filter_map(|part| run(part).err()).map(|why| format!("{name}: {why}")),
            ),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_guide_is_in_the_index() {
    let index = std::fs::read_to_string(root().join("docs/guides/README.md")).unwrap();
    for path in pages() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(
            index.contains(&format!("]({name})")),
            "docs/guides/README.md does not link {name}"
        );
    }
}

#[test]
fn a_page_is_taken_apart_and_a_wrong_command_fails() {
    let page = "# A\n<!-- checked with fixtures/apps/laravel -->\n```text\nphp artisan\n```\n\
        ```sh\nlitelift transfer --data-only \\\n  --from app.db --to \"$DATABASE_URL\"\n```\n";
    let parts_of = parts(page).unwrap();
    assert_eq!(parts_of.len(), 1);
    assert_eq!(parts_of[0].blocks.len(), 1);
    // Without the preset the first start's rows are in the way.
    assert!(run(&parts_of[0]).unwrap_err().contains("--app laravel"));
    assert!(parts("```sh\nlitelift inspect --from app.db\n```\n").is_err());
    assert!(parts(&page.replace("litelift transfer", "psql")).is_err());
    assert!(parts("<!-- checked with fixtures/apps/laravel -->\n").is_err());
}
