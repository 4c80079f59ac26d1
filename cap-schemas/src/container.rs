//! A file to the messages in it: one message, or those that a feed, an envelope or a list holds whole. They are handed
//! out one by one, so that a long feed costs no more memory than its own text and one message. Nothing is fetched: an
//! entry that only links to its alert is reported. This module must not judge a message.

mod entry;
mod walk;

use serde::Serialize;

use crate::check::{self, Report};
use crate::decode::decode;
use crate::feed::Feed;
use crate::finding::{Finding, Findings, Place};
use crate::read;
use crate::rules;

/// What a file is, by its root.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Alert,
    Atom,
    Rss,
    EdxlDe,
    List,
    /// No kind that is known here.
    Other,
}

/// One message of a file.
#[derive(Debug)]
pub struct Held {
    /// Where in the file it stands, such as `/feed/entry[2]/content/alert`; `/alert` where it is the file.
    pub path: String,
    pub report: Report,
}

/// What is to be said about the file besides its messages.
#[derive(Debug)]
pub struct Opened {
    pub kind: Kind,
    pub findings: Vec<Finding>,
    /// How many messages were handed out.
    pub messages: usize,
}

impl Kind {
    pub(super) fn of_root(name: &str) -> Self {
        match name {
            "alert" => Self::Alert,
            "feed" => Self::Atom,
            "rss" | "RDF" => Self::Rss,
            "EDXLDistribution" => Self::EdxlDe,
            "alerts" => Self::List,
            _ => Self::Other,
        }
    }

    /// The element that holds one message, where there is one for each.
    pub(super) const fn entry(self) -> Option<&'static str> {
        match self {
            Self::Atom => Some("entry"),
            Self::Rss => Some("item"),
            Self::EdxlDe => Some("contentObject"),
            Self::Alert | Self::List | Self::Other => None,
        }
    }
}

/// Reads and checks every message of a file, and hands each out as it comes.
pub fn open(bytes: &[u8], now_unix: i64, feed: &Feed, each: &mut dyn FnMut(Held)) -> Opened {
    let mut findings = Findings::default();
    if bytes.len() > feed.limits.file {
        let found = format!("{} bytes of at most {}", bytes.len(), feed.limits.file);
        findings.quote(&rules::FEED_LIMIT, &Place::new("/", 0), &found);
        return closed(Kind::Other, findings);
    }
    let Some(decoded) = decode(bytes, &mut findings) else {
        return closed(Kind::Other, findings);
    };
    let text = decoded.trim_start_matches([' ', '\t', '\r', '\n']);
    if is_html(text) {
        findings.add(&rules::FEED_HTML, &Place::new("/", 0));
        return closed(Kind::Other, findings);
    }
    if walk::root(text) != Some(Kind::Alert) {
        let skipped = decoded.len() - text.len();
        return walk::walk(text, skipped, (now_unix, feed), findings, each);
    }
    let report = check::assess_from(bytes, now_unix, feed);
    if report
        .findings
        .iter()
        .any(|one| one.rule == rules::ALERT_EMPTY.id)
    {
        let mut findings = Findings::default();
        findings.add(&rules::FEED_EMPTY, &Place::new("/alert", 0));
        return closed(Kind::Alert, findings);
    }
    each(Held {
        path: "/alert".into(),
        report,
    });
    Opened {
        kind: Kind::Alert,
        findings: Vec::new(),
        messages: 1,
    }
}

fn closed(kind: Kind, findings: Findings) -> Opened {
    Opened {
        kind,
        findings: findings.done(),
        messages: 0,
    }
}

/// What a server answers instead of a feed, with 200. Such pages are seldom well-formed.
fn is_html(text: &str) -> bool {
    let head: String = text
        .chars()
        .take(200)
        .collect::<String>()
        .to_ascii_lowercase();
    let head = head.trim_start_matches(|c: char| c.is_whitespace());
    head.starts_with("<!doctype html") || head.starts_with("<html")
}

/// A message that stands in a text as a document of its own.
fn embedded(text: &str, (now_unix, feed): (i64, &Feed)) -> Report {
    let mut findings = Findings::default();
    let document = read::read_text(text, feed, &mut findings);
    check::judged(document, findings, now_unix, feed.profile)
}
