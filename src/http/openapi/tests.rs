//! The document: it is the one that is checked in, it holds every route, and what it says of each is whole.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::*;

fn parsed() -> Value {
    serde_json::from_slice(&DOCUMENT).expect("JSON")
}

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("an item") {
            all.push((path.clone(), method.clone(), operation.clone()));
        }
    }
    all
}

#[test]
fn the_document_in_docs_is_the_one_that_is_served() {
    let path = Path::new("docs/openapi.json");
    let filed = std::fs::read(path).expect("docs/openapi.json");
    assert!(
        filed == *DOCUMENT,
        "docs/openapi.json is not what the routes say; renew it with `cargo run -- openapi > docs/openapi.json`, and look at the difference"
    );
}

/// The router's own list of its routes, as axum shows it.
#[test]
fn every_route_stands_in_the_document() {
    let (router, document) = super::super::described().split_for_parts();
    let shown = format!("{router:?}");
    let (_, paths) = shown.split_once("paths: {").expect("axum shows its paths");
    let served: BTreeSet<&str> = paths
        .split('"')
        .filter(|part| part.starts_with('/'))
        // What answers where nothing is served.
        .filter(|part| *part != "/" && !part.contains("__private"))
        .collect();
    let told: BTreeSet<&str> = document.paths.paths.keys().map(String::as_str).collect();
    assert!(served.len() > 15, "{served:?}");
    assert_eq!(served, told);
}

#[test]
fn no_route_is_made_without_its_description() {
    let mut dirs = vec![PathBuf::from("src/http")];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir)
            .expect("a room")
            .map(|e| e.expect("an entry").path())
        {
            if entry.is_dir() {
                dirs.push(entry);
                continue;
            }
            if entry.ends_with("openapi/tests.rs") {
                continue;
            }
            let text = std::fs::read_to_string(&entry).expect("text");
            for way in [".route(", ".nest_service(", ".route_service("] {
                assert!(
                    !text.contains(way),
                    "{}: {way}: use routes!",
                    entry.display()
                );
            }
        }
    }
}

#[test]
fn every_operation_has_a_summary_a_tag_a_name_of_its_own_and_its_problems() {
    let document = parsed();
    let mut names = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let shown = format!("{method} {path}");
        assert!(operation["summary"].is_string(), "{shown}");
        assert!(operation["tags"][0].is_string(), "{shown}");
        let name = operation["operationId"].as_str().expect("a name");
        assert!(names.insert(name.to_owned()), "{shown}: {name} twice");
        let answers = operation["responses"].as_object().expect("answers");
        let open = operation["security"] == serde_json::json!([{}]);
        assert_eq!(open, !answers.contains_key("401"), "{shown}");
        for (status, answer) in answers {
            assert!(
                answer["description"]
                    .as_str()
                    .is_some_and(|d| !d.is_empty()),
                "{shown} {status}"
            );
            let problem = &answer["content"]["application/problem+json"];
            assert_eq!(
                problem.is_object(),
                status.starts_with(['4', '5']),
                "{shown} {status}"
            );
        }
    }
}

#[test]
fn every_parameter_of_a_path_is_described_and_every_number_is_bounded_below() {
    for (path, method, operation) in operations(&parsed()) {
        let none = Vec::new();
        let params = operation["parameters"].as_array().unwrap_or(&none);
        let named: BTreeSet<_> = params
            .iter()
            .filter(|p| p["in"] == "path")
            .map(|p| format!("{{{}}}", p["name"].as_str().expect("a name")))
            .collect();
        let wanted: BTreeSet<_> = path
            .split('/')
            .filter(|p| p.starts_with('{'))
            .map(str::to_owned)
            .collect();
        assert_eq!(named, wanted, "{method} {path}");
        for param in params {
            assert!(
                param["description"].is_string() || param["schema"]["description"].is_string(),
                "{method} {path}: {param}"
            );
            let schema = &param["schema"];
            if schema["type"].to_string().contains("integer") {
                assert!(schema["minimum"].is_number(), "{method} {path}: {param}");
            }
        }
    }
}

#[test]
fn every_problem_type_can_be_met_by_a_documented_operation_or_stands_apart() {
    let document = parsed().to_string();
    for kind in super::super::problem::KINDS {
        let told = document
            .matches(&format!("/problems/{}\"", kind.slug))
            .count();
        // Once in the shape of all problems. These are no operation's own: there is none, or it is a channel's.
        let apart = ["unknown-path", "wrong-method", "stopping"].contains(&kind.slug);
        assert_eq!(told == 1, apart, "{}", kind.slug);
    }
}

#[test]
fn what_is_found_in_a_document_has_the_shape_that_is_written_down() {
    let report = cap::read(b"<alert/>");
    let found = report.findings.first().expect("it is no alert");
    let found = serde_json::to_value(found).expect("JSON");
    let keys: BTreeSet<_> = found
        .as_object()
        .expect("an object")
        .keys()
        .cloned()
        .collect();
    let shape = serde_json::to_value(finding()).expect("JSON");
    let told: BTreeSet<_> = shape["properties"]
        .as_object()
        .expect("an object")
        .keys()
        .cloned()
        .collect();
    assert_eq!(keys, told);
}
