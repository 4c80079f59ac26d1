//! CAP's three kinds of list in one text: references, and names of which those with white space are quoted. Keeps what
//! can be understood and reports the rest.

use super::element::Element;
use crate::codes::Version;
use crate::finding::Findings;
use crate::limits;
use crate::model::Reference;
use crate::rules::{self, Rule};
use crate::time::Time;
use crate::tree::trim;

/// Names split at white space, but for what stands in double quotes.
pub(crate) fn names(
    element: &Element<'_>,
    unbalanced: &Rule,
    findings: &mut Findings,
) -> Vec<String> {
    let text = element.text();
    let mut names = Vec::new();
    let mut rest = text.as_str();
    while !rest.is_empty() && room(names.len(), element, findings) {
        let (name, after) = if let Some(quoted) = rest.strip_prefix('"') {
            quoted.split_once('"').unwrap_or_else(|| {
                findings.add(unbalanced, &element.place());
                (quoted, "")
            })
        } else {
            rest.split_once([' ', '\t', '\r', '\n'])
                .unwrap_or((rest, ""))
        };
        let name = trim(name);
        if !name.is_empty() {
            names.push(name.to_owned());
        }
        rest = trim(after);
    }
    names
}

/// The earlier messages that `references` names.
pub(crate) fn references(
    element: &Element<'_>,
    version: Version,
    findings: &mut Findings,
) -> Vec<Reference> {
    let text = element.text();
    if text.is_empty() {
        findings.add(&rules::REFERENCES_EMPTY, &element.place());
    }
    let mut list = Vec::new();
    for token in text
        .split([' ', '\t', '\r', '\n'])
        .filter(|token| !token.is_empty())
    {
        if !room(list.len(), element, findings) {
            break;
        }
        if version == Version::V1_0 && !token.contains(',') {
            old(token, element, &mut list, findings);
            continue;
        }
        let parts: Vec<&str> = token.split(',').collect();
        if parts.len() > 3 && parts.len().is_multiple_of(3) {
            findings.add(&rules::REFERENCES_JOINED, &element.place());
        }
        if parts.len() == 2 || parts.len().is_multiple_of(3) {
            for triple in parts.chunks(3) {
                one(triple, element, &mut list, findings);
            }
        } else {
            findings.add(&rules::REFERENCES_FORMAT, &element.place());
        }
    }
    list
}

/// `sender,identifier,sent`. Without a readable `sent` it may still be matched by its first two.
fn one(parts: &[&str], element: &Element<'_>, list: &mut Vec<Reference>, findings: &mut Findings) {
    let &[sender, identifier, ref rest @ ..] = parts else {
        return;
    };
    let sent = rest
        .first()
        .and_then(|text| Time::read(text).ok())
        .map(|(time, _)| time);
    if sent.is_none() || sender.is_empty() || identifier.is_empty() {
        findings.add(&rules::REFERENCES_FORMAT, &element.place());
    }
    if !sender.is_empty() && !identifier.is_empty() {
        list.push(Reference {
            sender: sender.to_owned(),
            identifier: identifier.to_owned(),
            sent,
        });
    }
}

/// CAP 1.0 writes `identifier/sender`.
fn old(token: &str, element: &Element<'_>, list: &mut Vec<Reference>, findings: &mut Findings) {
    match token.split_once('/') {
        Some((identifier, sender)) if !identifier.is_empty() && !sender.is_empty() => {
            list.push(Reference {
                sender: sender.to_owned(),
                identifier: identifier.to_owned(),
                sent: None,
            });
        }
        _ => findings.add(&rules::REFERENCES_FORMAT, &element.place()),
    }
}

fn room(taken: usize, element: &Element<'_>, findings: &mut Findings) -> bool {
    if taken < limits::TOKENS {
        return true;
    }
    findings.quote(
        &rules::LIMIT,
        &element.place(),
        &format!("more than {} entries", limits::TOKENS),
    );
    false
}
