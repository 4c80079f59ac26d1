//! The catalogue of rules in the manual is the one in the code: `RULES.md` is written from it, and `TOCSIN_REWRITE=1`
//! writes it anew.

use std::fmt::Write as _;
use std::path::Path;

use cap::{FindingLevel, Stop, rules};

fn catalogue() -> String {
    let mut text = String::from(
        "# Rules\n\nEvery rule that a message is held to, written from the code. *must*: the standard demands it, so a message that breaks\nit does not conform. *stops*: what a breach does to the message by itself; a time without a single reading holds it too.\n\n| id | level | must | stops | 中文 | English |\n|---|---|---|---|---|---|\n",
    );
    for rule in rules() {
        let level = match rule.level {
            FindingLevel::Error => "error",
            FindingLevel::Warning => "warning",
            FindingLevel::Info => "info",
        };
        let stops = match rule.stop {
            Stop::No => "",
            Stop::Hold => "quarantine",
            Stop::Refuse => "reject",
        };
        let must = if rule.mandatory { "must" } else { "" };
        let english = rule.en.replace('<', "&lt;");
        let chinese = rule.zh.replace('<', "&lt;");
        let _ = writeln!(
            text,
            "| `{}` | {level} | {must} | {stops} | {chinese} | {english} |",
            rule.id
        );
    }
    text
}

#[test]
fn the_catalogue_in_the_manual_is_the_one_in_the_code() {
    let page = Path::new("RULES.md");
    let text = catalogue();
    if std::env::var_os("TOCSIN_REWRITE").is_some() {
        std::fs::write(page, &text).unwrap();
    }
    let there = std::fs::read_to_string(page).unwrap_or_default();
    assert!(
        there == text,
        "RULES.md is not up to date: run this test with TOCSIN_REWRITE=1"
    );
}

#[test]
fn every_rule_speaks_both_languages_and_has_a_stable_form_of_id() {
    for rule in rules() {
        assert!(!rule.zh.is_ascii() && rule.en.is_ascii() || rule.en.contains('±'));
        let form = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '.' | '_');
        assert!(rule.id.chars().all(form), "{}", rule.id);
    }
}
