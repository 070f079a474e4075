//! Six applications with both of their schemas: the rows of the SQLite file into the PostgreSQL schema
//! that the application made, by its ordinary owner.

#![allow(clippy::print_stderr, reason = "the figure is the point of the test")]

use litelift::options::{DataOnly, OnExisting};

use super::target;
use crate::support::corpus::{self, CorpusFile};
use crate::support::{pg, transfer};

/// What a user gives beside `--data-only --from --to`.
struct Asked {
    name: &'static str,
    skip: &'static [&'static str],
    data_only: DataOnly,
    /// A type map of the user's own.
    rules: &'static str,
    /// A built-in type map.
    type_map: Option<&'static str>,
    /// Tables and columns that are left behind on purpose, or that the comparer has no rule for.
    left: &'static [&'static str],
    /// A query of the source, and one of the target that must answer the same.
    same: &'static [(&'static str, &'static str)],
}

impl Asked {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            skip: &[],
            data_only: DataOnly::default(),
            rules: "",
            type_map: None,
            left: &[],
            same: &[],
        }
    }
}

fn truncate() -> Vec<(Option<String>, OnExisting)> {
    vec![(None, OnExisting::Truncate)]
}

fn asked() -> Vec<Asked> {
    let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    vec![
        Asked::new("pairs/chinook"),
        Asked {
            data_only: DataOnly { renames: texts(&["Regions=region"]), ..DataOnly::default() },
            ..Asked::new("pairs/northwind")
        },
        Asked {
            skip: &["payment.last_update"],
            data_only: DataOnly {
                keep_triggers: texts(&["film.film_fulltext_trigger"]),
                ..DataOnly::default()
            },
            rules: "film,special_features,*,*,text[],array_comma,\n",
            left: &["film.special_features", "film_text", "payment.last_update"],
            same: &[(
                "SELECT group_concat(s, ';') FROM (SELECT film_id || ':' || special_features AS s \
                 FROM film ORDER BY film_id)",
                "SELECT string_agg(film_id || ':' || array_to_string(special_features, ','), ';' \
                 ORDER BY film_id) FROM film",
            )],
            ..Asked::new("pairs/sakila")
        },
        Asked {
            // A search index, which the application builds again.
            skip: &["wagtailsearch_indexentry*"],
            data_only: DataOnly { on_existing: truncate(), ..DataOnly::default() },
            type_map: Some("django"),
            left: &[
                "django_migrations",
                "wagtailsearch_indexentry",
                "wagtailsearch_indexentry_fts",
            ],
            ..Asked::new("pairs/wagtail")
        },
        Asked {
            data_only: DataOnly {
                on_existing: vec![(Some("version_info".to_owned()), OnExisting::Truncate)],
                ..DataOnly::default()
            },
            left: &["alembic_version"],
            ..Asked::new("pairs/optuna")
        },
        Asked { left: &["alembic_version"], ..Asked::new("pairs/jupyterhub") },
    ]
}

#[test]
fn six_applications_arrive_whole_in_their_own_schemas() {
    let Some(files) = corpus::files() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (mut rows, mut values, mut whole) = (0, 0, 0);
    for asked in asked() {
        let Some(file) = files.iter().find(|file| file.name == asked.name) else {
            eprintln!("SKIPPED: no {} in the corpus", asked.name);
            continue;
        };
        let (of_rows, of_values) = one(file, &asked, folder.path());
        rows += of_rows;
        values += of_values;
        whole += 1;
    }
    eprintln!("data only: {whole} of 6 pairs value-exact, {rows} rows, {values} values");
}

fn one(file: &CorpusFile, asked: &Asked, folder: &std::path::Path) -> (u64, u64) {
    let copy = file.copy_into(folder).unwrap();
    let target = target::empty();
    let dump = std::fs::read_to_string(file.postgres_schema.as_ref().unwrap()).unwrap();
    target.load_dump(&dump);
    let before = target.objects();
    let mut options = transfer::options(&copy, &target.url);
    options.inspect.selection.skip = asked.skip.iter().map(|glob| (*glob).to_owned()).collect();
    options.inspect.data_only = Some(asked.data_only.clone());
    options.inspect.type_maps.user.extend(asked.type_map.map(str::to_owned));
    if !asked.rules.is_empty() {
        let map = folder.join("rules.csv");
        let head = "table,column,declared,evidence,pg_type,convert,note\n";
        std::fs::write(&map, head.to_owned() + asked.rules).unwrap();
        options.inspect.type_maps.user.push(map.display().to_string());
    }
    let report = transfer::run(&options)
        .unwrap_or_else(|error| panic!("{}: {}", asked.name, pg::explain(&error)));
    assert!(report.verify.as_ref().is_some_and(|verify| verify.differing() == 0), "{}", asked.name);
    assert_eq!(report.not_as_before, [], "{}", asked.name);
    let url = &target.database.url;
    let compared = transfer::compare_leaving(&copy, url, &report, asked.left);
    assert!(compared.same(), "{}: {}", asked.name, compared.listed());
    for (of_source, of_target) in asked.same {
        let source = rusqlite::Connection::open(&copy).unwrap();
        let there: String = source.query_row(of_source, [], |row| row.get(0)).unwrap();
        assert_eq!(target.one(of_target), there, "{}", asked.name);
    }
    assert_eq!(target.objects(), before, "{}", asked.name);
    assert_eq!(target.sequences_behind(), [""; 0], "{}", asked.name);
    (compared.rows, compared.values)
}
