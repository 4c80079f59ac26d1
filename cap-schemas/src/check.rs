//! The rules that an alert's content is held to, and the verdict. Everything is reported at once. This module must not
//! change the alert, and knows no other message.

mod alert;
mod area;
mod info;
mod language;
mod resource;

use std::collections::HashSet;

use serde::Serialize;

use crate::feed::Feed;
use crate::finding::{Finding, Findings};
use crate::model::Alert;
use crate::profile::{self, Profile};
use crate::read::{Document, read_document};
use crate::rules::{self, Stop};

/// What to do with a message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disposition {
    Accept,
    AcceptWithWarnings,
    /// A person has to look first. There may be no alert: its identity may be what is wrong.
    Quarantine,
    /// It is no CAP message that could be looked at.
    Reject,
}

#[derive(Debug)]
pub struct Report {
    pub alert: Option<Alert>,
    pub findings: Vec<Finding>,
    /// The message keeps every mandatory rule of its CAP version: a word about the message, not about what to do.
    pub conforming: bool,
    pub disposition: Disposition,
}

/// Reads a message, checks it and says what to do with it.
pub fn assess(bytes: &[u8], now_unix: i64) -> Report {
    assess_from(bytes, now_unix, &Feed::default())
}

/// As [`assess`], with what is known of where the message comes from.
pub fn assess_from(bytes: &[u8], now_unix: i64, feed: &Feed) -> Report {
    let mut findings = Findings::default();
    let document = read_document(bytes, feed, &mut findings);
    judged(document, findings, now_unix, feed.profile)
}

/// Checks what was read, adds that to what reading has found, and gives the verdict.
pub(crate) fn judged(
    document: Option<Document>,
    findings: Findings,
    now_unix: i64,
    profile: Option<Profile>,
) -> Report {
    let mut findings = findings.done();
    if let Some(Document {
        alert: Some(alert), ..
    }) = &document
    {
        // What reading has reported at a place, checking need not say again.
        let known: HashSet<(&str, String)> = findings
            .iter()
            .map(|one| (one.rule, one.path.clone()))
            .collect();
        findings.extend(
            check(alert, now_unix)
                .into_iter()
                .filter(|one| !known.contains(&(one.rule, one.path.clone()))),
        );
        if let Some(profile) = profile {
            let mut asked = Findings::default();
            profile::check(alert, profile, &mut asked);
            findings.extend(asked.done());
        }
    }
    if let Some(document) = &document {
        for finding in findings
            .iter_mut()
            .filter(|finding| finding.position.is_none())
        {
            finding.position = Some(document.locate(&finding.path));
        }
    }
    let mut report = Report {
        alert: document.and_then(|document| document.alert),
        conforming: true,
        disposition: Disposition::Accept,
        findings,
    };
    report.weigh();
    report
}

impl Report {
    /// Draws both verdicts from the findings.
    pub(crate) fn weigh(&mut self) {
        let rule = |finding: &Finding| rules::rule(finding.rule);
        self.conforming = !self
            .findings
            .iter()
            .filter_map(rule)
            .any(|rule| rule.mandatory || rule.stop == Stop::Refuse);
        self.disposition = disposition(&self.findings);
    }
}

fn disposition(findings: &[Finding]) -> Disposition {
    let refused =
        |finding: &Finding| rules::rule(finding.rule).is_some_and(|rule| rule.stop == Stop::Refuse);
    if findings.iter().any(refused) {
        Disposition::Reject
    } else if findings.iter().any(|finding| finding.stops) {
        Disposition::Quarantine
    } else if findings
        .iter()
        .any(|finding| finding.level != crate::FindingLevel::Info)
    {
        Disposition::AcceptWithWarnings
    } else {
        Disposition::Accept
    }
}

/// Checks an alert, however it came to be, against every rule that needs no other message.
pub fn check(alert: &Alert, now_unix: i64) -> Vec<Finding> {
    let mut findings = Findings::of(alert.version);
    alert::check(alert, now_unix, &mut findings);
    info::check(alert, now_unix, &mut findings);
    findings.done()
}
