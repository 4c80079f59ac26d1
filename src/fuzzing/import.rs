//! The registry's files as a county hands them in: each begins with a line `== name` and goes on to the next of these.
//! This module must not know a column.

use crate::model::Rows;
use crate::registry::csv::Files;
use crate::registry::{Prepared, Problem, prepare};

pub fn import(bytes: &[u8]) {
    let parts = parts(bytes);
    let first = match prepared(None, &parts) {
        Ok(first) => first,
        Err(problems) => return told(&problems),
    };
    // The same files again find nothing to change.
    let standing = Some((first.registry.generation(), first.rows.clone()));
    match prepared(standing, &parts) {
        Ok(again) => assert!(
            again.rows == first.rows,
            "the second time it is another registry"
        ),
        Err(problems) => panic!("good once and bad twice: {}", problems[0]),
    }
}

fn prepared(
    standing: Option<(u32, Rows)>,
    parts: &[(String, &[u8])],
) -> Result<Prepared, Vec<Problem>> {
    let files = parts.iter().map(|(name, bytes)| (name.as_str(), *bytes));
    prepare(standing, Files::of_parts(files)?)
}

/// A problem says which table, where and what to do, and is never so long that it could be the file.
fn told(problems: &[Problem]) {
    assert!(!problems.is_empty(), "refused without a word");
    for problem in problems {
        let said = problem.to_string();
        assert!(said.contains("; ") && said.len() < 500, "{said}");
    }
}

pub(super) fn parts(bytes: &[u8]) -> Vec<(String, &[u8])> {
    let mut parts = Vec::new();
    let mut rest = bytes;
    while let Some(after) = rest.strip_prefix(b"== ") {
        let end = after.iter().position(|byte| *byte == b'\n');
        let (name, body) = after.split_at(end.unwrap_or(after.len()));
        let body = body.get(1..).unwrap_or_default();
        let next = body.windows(4).position(|window| window == b"\n== ");
        let (body, left) = body.split_at(next.map_or(body.len(), |at| at + 1));
        parts.push((String::from_utf8_lossy(name).into_owned(), body));
        rest = left;
    }
    parts
}
