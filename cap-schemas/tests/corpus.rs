//! Real messages, where they are present beside the project. They are third parties' data and no part of it.

#[path = "kit/corpus.rs"]
mod kit;
#[path = "kit/stored.rs"]
mod stored;

use cap::Feed;
use kit::{files, root};
use stored::verdicts;

/// A moment after every message of the corpus.
const NOW: i64 = 1_780_000_000;

#[test]
fn every_file_of_the_corpus_is_read_without_panic() {
    let Some(root) = root() else { return };
    let files = files(&root);
    assert!(files.len() > 100);
    let mut alerts = 0;
    for (name, bytes) in files {
        let opened = cap::open(&bytes, NOW, &Feed::default(), &mut |held| {
            alerts += usize::from(held.report.alert.is_some());
            let rules: Vec<_> = held.report.findings.iter().map(|one| one.rule).collect();
            assert!(rules.iter().all(|id| cap::rule(id).is_some()), "{name}");
            println!(
                "{name}\t{}\t{:?}\t{}\t{rules:?}",
                held.path, held.report.disposition, held.report.conforming
            );
        });
        println!("{name}\t{:?}\t{:?}", opened.kind, opened.findings);
    }
    println!("{alerts} alerts");
    assert!(alerts > 200, "{alerts} alerts");
}

#[test]
fn the_stored_results_and_we_agree_on_every_alert_of_every_file_and_feed() {
    let Some(root) = root() else { return };
    let files = files(&root);
    let (mut passed, mut failed, mut apart) = (0, 0, Vec::new());
    for (name, verdicts) in verdicts(&root) {
        let Some(file) = files.get(&name) else {
            continue;
        };
        let mut reports = Vec::new();
        cap::open(file, NOW, &Feed::default(), &mut |held| {
            reports.push(held.report);
        });
        if reports.len() != verdicts.len() {
            apart.push(format!("{name}: {} of {}", reports.len(), verdicts.len()));
            continue;
        }
        for (report, verdict) in reports.iter().zip(&verdicts) {
            let old_and_signed = report
                .alert
                .as_ref()
                .is_some_and(|alert| alert.version == cap::Version::V1_1 && alert.signed);
            if verdict == "pass" {
                assert!(report.alert.is_some(), "{name}: {:#?}", report.findings);
                let schema = report
                    .findings
                    .iter()
                    .find(|one| SCHEMA.contains(&one.rule));
                assert_eq!(schema, None, "{name} passes the schema");
                passed += 1;
            } else if old_and_signed {
                // The schema of CAP 1.1 knows no signature; its errata allow one.
                failed += 1;
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
    println!("{passed} that the schema passes, {failed} that it refuses; apart: {apart:#?}");
    assert!(passed > 200 && failed > 15, "{passed} and {failed}");
    // One of these holds an empty alert for "none", the other bytes that no XML parser takes.
    assert!(apart.len() <= 2, "{apart:#?}");
}

/// Rules that a schema holds too: what it passes must not break them.
const SCHEMA: [&str; 12] = [
    "CAP-1.2/alert/sequence",
    "CAP-1.2/alert/unknown-element",
    "CAP-1.2/alert/duplicate",
    "CAP-1.2/alert/stray-text",
    "CAP-1.2/alert/attributes",
    "CAP-1.2/alert/status/enum",
    "CAP-1.2/alert/msgType/enum",
    "CAP-1.2/info/category/present",
    "CAP-1.2/info/category/enum",
    "CAP-1.2/info/urgency/enum",
    "CAP-1.2/info/severity/enum",
    "CAP-1.2/info/certainty/enum",
];
