//! Type maps by file or by built-in name.

use std::path::Path;

use crate::error::{Error, Result};
use crate::map::rules::{self, Rules};
use crate::options::TypeMaps;

/// Type maps that come with litelift.
const BUILT_IN: [(&str, &str); 1] = [("default", rules::DEFAULT)];

/// Reads the user's type maps and puts the default behind them.
///
/// # Errors
/// [`crate::error::ErrorKind::Usage`] when a file cannot be read or a row is no rule.
pub fn load(type_maps: &TypeMaps) -> Result<Rules> {
    let mut texts = Vec::with_capacity(type_maps.user.len());
    for name in &type_maps.user {
        texts.push((name.clone(), text_of(name)?));
    }
    Rules::parse(&texts)
}

fn text_of(name: &str) -> Result<String> {
    if let Some((_, text)) = BUILT_IN.iter().find(|(built_in, _)| *built_in == name) {
        return Ok((*text).to_owned());
    }
    std::fs::read_to_string(Path::new(name)).map_err(|error| {
        let known: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
        Error::usage(format!("could not read type map \"{}\"", name.escape_debug()))
            .caused_by(error)
            .hint(format!("Give a CSV file, or one of the built-in names: {}.", known.join(", ")))
    })
}
