//! A small county for what needs one: in the form that `import` reads. It must not hold a name or a number of anybody.

use super::import::parts;
use crate::registry::csv::Files;
use crate::registry::{Registry, prepare};

/// The seed of the same name is this text.
pub(super) const TABLES: &[u8] = include_bytes!("../../fuzz/seeds/import/county");

pub(super) fn registry(tables: &[u8]) -> Registry {
    let parts = parts(tables);
    let files = parts.iter().map(|(name, bytes)| (name.as_str(), *bytes));
    let files = Files::of_parts(files).expect("the tables are known");
    match prepare(None, files) {
        Ok(prepared) => prepared.registry,
        Err(problems) => panic!("{}", problems[0]),
    }
}
