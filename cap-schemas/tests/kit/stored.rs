//! The verdicts on the real messages that are stored beside them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The schema's verdict on the alerts of each file, in their order, by the corpus's own table.
pub fn verdicts(root: &Path) -> BTreeMap<String, Vec<String>> {
    let table = fs::read_to_string(root.join("XSD-RESULTS.tsv")).unwrap();
    let mut verdicts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in table.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        verdicts
            .entry(columns[0].to_owned())
            .or_default()
            .push(columns[6].to_owned());
    }
    verdicts
}
