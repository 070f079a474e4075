//! Type maps by file or by built-in name.

use std::path::Path;

use crate::error::{Error, Result};
use crate::map::rules::{self, Rules, TypeMapText};
use crate::options::TypeMaps;
use crate::presets::Presets;

/// Type maps that come with litelift.
const BUILT_IN: [(&str, &str); 11] = [
    ("default", rules::DEFAULT),
    ("rich", include_str!("../type_maps/rich.csv")),
    ("django", include_str!("../type_maps/django.csv")),
    ("sqlalchemy", include_str!("../type_maps/sqlalchemy.csv")),
    ("rails", include_str!("../type_maps/rails.csv")),
    ("prisma", include_str!("../type_maps/prisma.csv")),
    ("drizzle", include_str!("../type_maps/drizzle.csv")),
    ("typeorm", include_str!("../type_maps/typeorm.csv")),
    ("laravel", include_str!("../type_maps/laravel.csv")),
    ("efcore", include_str!("../type_maps/efcore.csv")),
    ("ecto", include_str!("../type_maps/ecto.csv")),
];

/// Reads the user's type maps and puts those of presets and the default behind them. `with_rules`: the
/// rows of presets that are rules count too.
///
/// # Errors
/// [`crate::error::ErrorKind::Usage`] when a file cannot be read or a row is no rule.
pub fn load(type_maps: &TypeMaps, presets: &Presets, with_rules: bool) -> Result<Rules> {
    let mut texts = Vec::with_capacity(type_maps.user.len());
    for name in &type_maps.user {
        texts.push(text_of(name)?);
    }
    texts.extend(presets.type_maps(with_rules)?);
    Rules::parse(&texts)
}

/// Reads the type maps and rules of presets, to see that they can be.
///
/// # Errors
/// As [`load`].
pub fn check(presets: &Presets) -> Result<()> {
    Rules::parse(&presets.type_maps(true)?).map(|_| ())
}

/// Reads one type map.
///
/// # Errors
/// [`crate::error::ErrorKind::Usage`] when there is none of that name, built in or as a file.
pub fn text_of(name: &str) -> Result<TypeMapText> {
    let map = |text: String, is_own| TypeMapText { name: name.to_owned(), text, is_own };
    if let Some((_, text)) = BUILT_IN.iter().find(|(built_in, _)| *built_in == name) {
        return Ok(map((*text).to_owned(), false));
    }
    std::fs::read_to_string(Path::new(name)).map(|text| map(text, true)).map_err(|error| {
        let known: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
        Error::usage(format!("could not read type map \"{}\"", name.escape_debug()))
            .caused_by(error)
            .hint(format!("Give a CSV file, or one of the built-in names: {}.", known.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_type_map_reads() {
        for (name, _) in BUILT_IN {
            let text = text_of(name).unwrap();
            assert!(!text.is_own);
            Rules::parse(&[text]).unwrap();
        }
    }

    #[test]
    fn every_line_to_copy_from_a_built_in_type_map_reads() {
        let mut lines = 0;
        for (name, text) in BUILT_IN {
            let comments = text.lines().filter(|line| line.starts_with("#   "));
            for line in comments.filter_map(|line| line.split(' ').next_back()) {
                if line.matches(',').count() == 6 {
                    let text =
                        format!("table,column,declared,evidence,pg_type,convert,note\n{line}\n");
                    Rules::parse(&[TypeMapText { name: name.to_owned(), text, is_own: true }])
                        .unwrap_or_else(|error| panic!("{name}: {line}: {error}"));
                    lines += 1;
                }
            }
        }
        assert!(lines > 30, "{lines}");
    }
}
