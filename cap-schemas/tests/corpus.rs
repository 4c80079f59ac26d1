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

/// The schema's verdict on the alerts of each file, in their order, by the corpus's own table.
fn verdicts(root: &Path) -> BTreeMap<String, Vec<String>> {
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

/// The alerts of a file: itself, or those that a feed or list carries whole, each a document of its own.
fn alerts(file: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(file);
    let starts: Vec<&str> = ["<alert ", "<cap:alert "]
        .into_iter()
        .filter(|tag| text.contains(*tag))
        .collect();
    let &[tag] = starts.as_slice() else {
        return Vec::new();
    };
    let end = format!("</{}>", tag[1..].trim());
    let pieces: Vec<&str> = text
        .split(tag)
        .skip(1)
        .filter_map(|piece| piece.split_once(&end))
        .map(|(alert, _)| alert)
        .collect();
    let prolog = text.split_once(tag).map_or("", |(before, _)| before);
    if prolog
        .split('<')
        .skip(1)
        .all(|markup| markup.starts_with(['?', '!']))
    {
        return vec![file.to_owned()];
    }
    pieces
        .into_iter()
        .map(|alert| format!("{tag}{alert}{end}").into_bytes())
        .collect()
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
fn the_schema_and_we_agree_on_every_alert_that_can_be_compared() {
    let Some(root) = corpus() else { return };
    let (mut passed, mut failed) = (0, 0);
    for (name, verdicts) in verdicts(&root) {
        let Ok(file) = fs::read(root.join(&name)) else {
            continue;
        };
        let alerts = alerts(&file);
        // A list that inherits its namespaces, or carries what only looks like alerts, cannot be taken apart here.
        if alerts.len() != verdicts.len() {
            continue;
        }
        for (alert, verdict) in alerts.iter().zip(&verdicts) {
            let report = cap::assess(alert, NOW);
            if verdict == "pass" {
                assert!(report.alert.is_some(), "{name}: {:#?}", report.findings);
                passed += 1;
            } else if report
                .alert
                .as_ref()
                .is_some_and(|alert| alert.version == cap::Version::V1_1 && alert.signed)
            {
                // The schema of CAP 1.1 knows no signature; its errata allow one.
                assert!(report.conforming, "{name}: {:#?}", report.findings);
            } else {
                assert!(
                    !report.conforming,
                    "{name} passes here: {:#?}",
                    report.findings
                );
                failed += 1;
            }
        }
    }
    println!("{passed} that the schema passes, {failed} that it refuses");
    assert!(
        passed > 80 && failed > 10,
        "{passed} and {failed} alerts were compared"
    );
}
