//! Bytes to an alert, and everything that is wrong with how it was written. Order, prefix and whitespace do not matter;
//! a fault in identity, status, msgType or scope stops the message, a fault in a shape costs that shape. Never panics,
//! never resolves anything, never reads below a signature. What an alert's content breaks is `check`'s business.

mod alert;
mod area;
mod element;
mod info;
mod list;
mod national;
mod national_info;
mod structure;

use crate::codes::Version;
use crate::decode::decode;
use crate::feed::Feed;
use crate::finding::{Finding, Findings, Place};
use crate::model::Alert;
use crate::rules;
use crate::tree::{self, Namespace, Node};

/// What reading brought: the alert where there is one, and the findings either way.
#[derive(Debug)]
pub struct ReadOutcome {
    /// None where the document is no CAP message, or where its identity, status or msgType cannot be known.
    pub alert: Option<Alert>,
    pub findings: Vec<Finding>,
}

/// Reads one message of CAP 1.2, 1.1 or 1.0, or of GB/T 35965.1.
pub fn read(bytes: &[u8]) -> ReadOutcome {
    let mut findings = Findings::default();
    let alert =
        read_document(bytes, &Feed::default(), &mut findings).and_then(|document| document.alert);
    ReadOutcome {
        alert,
        findings: findings.done(),
    }
}

/// A document with the tree it was read from, so that later findings can be placed in its text.
pub(crate) struct Document {
    pub(crate) alert: Option<Alert>,
    root: Node,
}

pub(crate) fn read_document(
    bytes: &[u8],
    feed: &Feed,
    findings: &mut Findings,
) -> Option<Document> {
    let most = feed.limits.message;
    if bytes.len() > most {
        let found = format!("{} bytes of at most {most}", bytes.len());
        findings.quote(&rules::LIMIT, &Place::new("/", 0), &found);
        return None;
    }
    let decoded = decode(bytes, findings)?;
    read_text(&decoded, feed, findings)
}

/// Reads a text that is a document.
pub(crate) fn read_text(decoded: &str, feed: &Feed, findings: &mut Findings) -> Option<Document> {
    let text = decoded.trim_start_matches([' ', '\t', '\r', '\n']);
    let skipped = decoded.len() - text.len();
    if skipped > 0 && text.starts_with("<?xml") {
        findings.add(&rules::LEADING_BLANK, &Place::new("/", 0));
    }
    match tree::parse(text, skipped, feed.limits.message) {
        Ok(root) => read_root(root, feed, findings),
        Err(refusal) => {
            findings.quote(refusal.rule, &Place::new("/", refusal.at), &refusal.why);
            None
        }
    }
}

/// Reads the element that a message is.
pub(crate) fn read_root(root: Node, feed: &Feed, findings: &mut Findings) -> Option<Document> {
    let place = Place::new("/", root.at);
    if root.name != "alert" {
        findings.quote(&rules::ROOT, &place, &root.name);
        return None;
    }
    let alert = match root.namespace {
        Namespace::Cap(_) if root.elements().next().is_none() => {
            findings.add(&rules::ALERT_EMPTY, &place);
            return None;
        }
        Namespace::Cap(version) => {
            if version != Version::V1_2 {
                findings.quote(&rules::UPGRADED, &place, version.as_str());
            }
            alert::alert(&root, version, feed, findings)
        }
        Namespace::Platform | Namespace::None if national::is(&root) => {
            national::alert(&root, feed, findings)
        }
        _ => {
            findings.add(&rules::ROOT, &place);
            return None;
        }
    };
    Some(Document { alert, root })
}

impl Document {
    /// The offset of the element that a path names, or of the nearest one above it.
    pub(crate) fn locate(&self, path: &str) -> usize {
        let mut node = &self.root;
        for step in path.split('/').skip(2) {
            let (name, nth) = match step.split_once('[') {
                Some((name, rest)) => (name, rest.trim_end_matches(']').parse().unwrap_or(1)),
                None => (step, 1_usize),
            };
            let mut same = node
                .elements()
                .filter(|child| child.name == name && child.namespace == self.root.namespace);
            match same.nth(nth.saturating_sub(1)) {
                Some(child) => node = child,
                None => break,
            }
        }
        node.at
    }
}
