//! One element as the reader sees it: its node, its path for findings, and its values trimmed. Children are found by
//! name within the message's own namespace, in any order.

use std::str::FromStr;

use crate::codes::Version;
use crate::finding::{Findings, Place};
use crate::rules::{self, Rule};
use crate::time::{Time, Unreadable};
use crate::tree::{Namespace, Node, blank, trim};

pub(crate) struct Element<'a> {
    pub(crate) node: &'a Node,
    pub(crate) path: String,
    /// The offset that a time without one is in, if its feed is known to leave it out.
    pub(crate) zone: Option<i16>,
}

impl<'a> Element<'a> {
    pub(crate) fn place(&self) -> Place {
        Place::new(self.path.as_str(), self.node.at)
    }

    /// A node below this one.
    pub(crate) fn below<'b>(&self, node: &'b Node, path: String) -> Element<'b> {
        Element {
            node,
            path,
            zone: self.zone,
        }
    }

    pub(crate) fn namespace(&self) -> Namespace {
        self.node.namespace
    }

    fn named(&self, name: &'static str) -> impl Iterator<Item = &'a Node> {
        let namespace = self.namespace();
        self.node
            .elements()
            .filter(move |node| node.name == name && node.namespace == namespace)
    }

    /// The first child of that name: a single one.
    pub(crate) fn child(&self, name: &'static str) -> Option<Element<'a>> {
        self.named(name)
            .next()
            .map(|node| self.below(node, format!("{}/{name}", self.path)))
    }

    /// Every child of that name: a repeatable one.
    pub(crate) fn children(&self, name: &'static str) -> impl Iterator<Item = Element<'a>> {
        self.named(name)
            .enumerate()
            .map(move |(n, node)| self.below(node, format!("{}/{name}[{}]", self.path, n + 1)))
    }

    pub(crate) fn raw(&self) -> String {
        self.node.text()
    }

    /// Its text without white space around it.
    pub(crate) fn text(&self) -> String {
        let mut text = self.raw();
        text.truncate(text.trim_end_matches([' ', '\t', '\r', '\n']).len());
        let lead = text.len() - trim(&text).len();
        text.drain(..lead);
        text
    }

    pub(crate) fn is_blank(&self) -> bool {
        blank(&self.raw())
    }

    /// The text of a single child, if there is any.
    pub(crate) fn optional(&self, name: &'static str) -> Option<String> {
        self.child(name)
            .map(|child| child.text())
            .filter(|text| !text.is_empty())
    }

    /// The place of a child that may be missing: then its parent's.
    pub(crate) fn place_of(&self, name: &'static str) -> Place {
        self.child(name)
            .map_or_else(|| self.place().child(name), |child| child.place())
    }

    /// The text of a single child that must be there.
    pub(crate) fn required(
        &self,
        name: &'static str,
        rule: &Rule,
        findings: &mut Findings,
    ) -> Option<String> {
        let text = self.optional(name);
        if text.is_none() {
            findings.add(rule, &self.place_of(name));
        }
        text
    }

    /// The code of a single child that must be there.
    pub(crate) fn required_code<T: FromStr>(
        &self,
        name: &'static str,
        rule: &Rule,
        findings: &mut Findings,
    ) -> Option<T> {
        let Some(child) = self.child(name) else {
            findings.add(rule, &self.place_of(name));
            return None;
        };
        child.code(rule, findings)
    }

    /// Its text as a code. White space around it is wrong and harmless.
    pub(crate) fn code<T: FromStr>(&self, rule: &Rule, findings: &mut Findings) -> Option<T> {
        let raw = self.raw();
        let word = trim(&raw);
        let Ok(code) = word.parse() else {
            findings.quote(rule, &self.place(), word);
            return None;
        };
        let later = matches!(self.namespace(), Namespace::Cap(version) if version.lacks(word));
        if word.len() < raw.len() || later {
            findings.warn(rule, &self.place(), &raw);
        }
        Some(code)
    }

    /// Its text as a time. What has no single reading stops the message.
    pub(crate) fn time(&self, rule: &Rule, findings: &mut Findings) -> Option<Time> {
        let mut text = self.text();
        if text.is_empty() {
            findings.add(rule, &self.place());
            return None;
        }
        if !matches!(self.namespace(), Namespace::Cap(_)) {
            // The national standard parts day and time by a space.
            if text.contains('T') {
                findings.warn(rule, &self.place(), &text);
            }
            text = text.replacen(' ', "T", 1);
        }
        let read = match (Time::read(&text), self.zone) {
            (Err(Unreadable::NoOffset), Some(zone)) => Time::read_in(&text, zone),
            (read, _) => read,
        };
        let Ok((time, departures)) = read else {
            findings.hold(rule, &self.place(), &text);
            return None;
        };
        if departures.form {
            findings.quote(rule, &self.place(), &text);
        }
        // CAP 1.1 and 1.0 allow it.
        if departures.plus_zero && self.namespace() == Namespace::Cap(Version::V1_2) {
            findings.add(&rules::UTC_MINUS_ZERO, &self.place());
        }
        if departures.buddhist {
            findings.warn(&rules::SENT_PLAUSIBLE, &self.place(), &text);
        }
        Some(time)
    }
}
