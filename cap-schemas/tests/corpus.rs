//! Real messages, where they are present beside the project. They are third parties' data and no part of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A moment after every message of the corpus.
const NOW: i64 = 1_780_000_000;

fn corpus() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/cap");
    if path.is_dir() {
        return Some(path);
    }
    println!("the corpus is absent: nothing to read");
    None
}

/// Every message file, by its path within the corpus.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for folder in fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
    {
        for file in fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
        {
            let name = file.strip_prefix(root).unwrap().display().to_string();
            found.insert(name, fs::read(file).unwrap());
        }
    }
    found
}

/// The files of one alert that the schema passes, by the corpus's own table.
fn passing(root: &Path) -> Vec<String> {
    let table = fs::read_to_string(root.join("XSD-RESULTS.tsv")).unwrap();
    let mut verdicts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in table.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        verdicts.entry(columns[0]).or_default().push(columns[6]);
    }
    verdicts
        .into_iter()
        .filter(|(_, verdicts)| verdicts == &["pass"])
        .map(|(file, _)| file.to_owned())
        .collect()
}

fn is_container(report: &cap::Report) -> bool {
    report
        .findings
        .iter()
        .any(|finding| finding.rule == "CAP-1.2/alert/root")
}

#[test]
fn every_file_of_the_corpus_is_read_without_panic() {
    let Some(root) = corpus() else { return };
    let files = files(&root);
    assert!(files.len() > 100);
    for (name, bytes) in files {
        let report = cap::assess(&bytes, NOW);
        let rules: Vec<_> = report.findings.iter().map(|finding| finding.rule).collect();
        assert!(
            report
                .findings
                .iter()
                .all(|finding| cap::rule(finding.rule).is_some()),
            "{name}"
        );
        let has = if report.alert.is_some() { "alert" } else { "-" };
        println!(
            "{name}\t{has}\t{:?}\t{}\t{rules:?}",
            report.disposition, report.conforming
        );
    }
}

#[test]
fn every_alert_that_the_schema_passes_is_read() {
    let Some(root) = corpus() else { return };
    let mut read = 0;
    for name in passing(&root) {
        let Ok(bytes) = fs::read(root.join(&name)) else {
            continue;
        };
        let report = cap::assess(&bytes, NOW);
        if is_container(&report) {
            continue;
        }
        assert!(report.alert.is_some(), "{name}: {:#?}", report.findings);
        read += 1;
    }
    assert!(read > 80, "only {read} messages were read");
}
