//! The messages that went before, by identity: what one message alone cannot show. It remembers hashes, so that many
//! messages cost little. This module must not decide which of two contents is right.

use std::collections::{HashMap, HashSet};

use ring::digest::{SHA256, digest};

use crate::check::Report;
use crate::finding::{Findings, Place};
use crate::model::Alert;
use crate::rules::{self, Rule};
use crate::write::write;

type Hash = [u8; 32];

#[derive(Default)]
pub struct Seen {
    /// Sender, identifier and sent to what the message said.
    messages: HashMap<Hash, Hash>,
    /// Sender and identifier alone.
    names: HashSet<Hash>,
}

impl Seen {
    /// Adds to a report what the messages before it tell, and remembers this one.
    pub fn note(&mut self, report: &mut Report) {
        let Some(alert) = &report.alert else { return };
        let mut findings = Findings::default();
        let sent = alert.sent.unix.to_string();
        let identity = hash(&[&alert.sender, &alert.identifier, &sent]);
        let content = hash(&[&write(alert)]);
        let place = |name: &str| Place::new(format!("/alert/{name}"), None);
        let rule: Option<&Rule> = match self.messages.get(&identity) {
            Some(before) if *before == content => Some(&rules::IDENTIFIER_REPEATED),
            Some(_) => Some(&rules::IDENTIFIER_UNIQUE),
            None => None,
        };
        if let Some(rule) = rule {
            findings.add(rule, &place("identifier"));
        }
        if !self.resolves(alert) {
            findings.add(&rules::REFERENCES_RESOLVABLE, &place("references"));
        }
        self.messages.entry(identity).or_insert(content);
        self.names.insert(hash(&[&alert.sender, &alert.identifier]));
        let found = findings.done();
        if !found.is_empty() {
            report.findings.extend(found);
            report.weigh();
        }
    }

    fn resolves(&self, alert: &Alert) -> bool {
        let known = |one: &crate::Reference| {
            one.identifier == alert.identifier
                || self.names.contains(&hash(&[&one.sender, &one.identifier]))
        };
        alert.references.iter().all(known)
    }
}

fn hash(parts: &[&str]) -> Hash {
    let joined = parts.join("\0");
    let mut hash = Hash::default();
    hash.copy_from_slice(digest(&SHA256, joined.as_bytes()).as_ref());
    hash
}
