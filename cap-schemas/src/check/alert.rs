//! Rules of the alert element that need no other message.

use crate::codes::{MsgType, Scope, Status, Version};
use crate::finding::{Findings, Place};
use crate::model::{Alert, Reference};
use crate::rules::{self, Rule};
use crate::time::Time;

/// How far a sender's clock may be ahead of ours.
const SKEW: i64 = 300;
const EARLIEST_YEAR: i64 = 2000;
/// A year this far ahead is of another calendar, or a fault; nothing may be computed from it.
const ABSURD_YEARS: i64 = 100;

pub(super) fn check(alert: &Alert, now_unix: i64, findings: &mut Findings) {
    let here = Place::new("/alert", None);
    let names = [
        (
            "identifier",
            &alert.identifier,
            &rules::IDENTIFIER_PRESENT,
            &rules::IDENTIFIER_CHARSET,
        ),
        (
            "sender",
            &alert.sender,
            &rules::SENDER_PRESENT,
            &rules::SENDER_CHARSET,
        ),
    ];
    // The national standard has words of its own for these, said in reading.
    let national = alert.version == Version::Gbt;
    for (name, value, present, charset) in names {
        if !national {
            identity(value, &here.child(name), present, charset, findings);
        }
    }
    let name = if national { "sendTime" } else { "sent" };
    sent(alert.sent, now_unix, &here.child(name), findings);
    if !national && alert.status == Status::Exercise && alert.note.is_none() {
        findings.add(&rules::EXERCISE_NOTE, &here.child("note"));
    }
    if (alert.scope == Scope::Restricted) != alert.restriction.is_some() {
        findings.add(&rules::RESTRICTION_WHEN, &here.child("restriction"));
    }
    if alert.scope == Scope::Private && alert.addresses.is_empty() {
        findings.add(&rules::ADDRESSES_WHEN, &here.child("addresses"));
    }
    references(alert, &here.child("references"), findings);
    if !national && alert.msg_type == MsgType::Error && alert.note.is_none() {
        findings.add(&rules::ERROR_NOTE, &here.child("note"));
    }
    if matches!(alert.msg_type, MsgType::Alert | MsgType::Update) && alert.infos.is_empty() {
        findings.add(&rules::INFO_PUBLIC, &here);
    }
}

fn identity(value: &str, place: &Place, present: &Rule, charset: &Rule, findings: &mut Findings) {
    if value.is_empty() {
        findings.add(present, place);
    } else if value.contains(|c: char| c.is_whitespace() || matches!(c, ',' | '<' | '&')) {
        findings.add(charset, place);
    }
}

fn sent(sent: Time, now_unix: i64, place: &Place, findings: &mut Findings) {
    let this_year = Time::new(now_unix, 0).year();
    if sent.year() > this_year + ABSURD_YEARS {
        findings.hold(&rules::SENT_PLAUSIBLE, place, &sent.to_string());
    } else if sent.year() < EARLIEST_YEAR || sent.unix > now_unix.saturating_add(SKEW) {
        findings.quote(&rules::SENT_PLAUSIBLE, place, &sent.to_string());
    }
}

fn references(alert: &Alert, place: &Place, findings: &mut Findings) {
    if alert.references.is_empty() && alert.msg_type != MsgType::Alert {
        findings.quote(&rules::REFERENCES_REQUIRED, place, alert.msg_type.as_str());
    }
    let is_self = |one: &Reference| {
        one.identifier == alert.identifier
            && one.sender == alert.sender
            && one.sent.is_none_or(|sent| sent.unix == alert.sent.unix)
    };
    if alert.references.iter().any(is_self) {
        findings.add(&rules::REFERENCES_SELF, place);
    }
    if alert
        .references
        .iter()
        .any(|one| one.sent.is_some_and(|sent| sent.unix > alert.sent.unix))
    {
        findings.add(&rules::REFERENCES_POSTDATED, place);
    }
    // Whose sent is this message's own, and whose identifier is not, was given it by mistake.
    let mistaken = |one: &Reference| {
        one.identifier != alert.identifier
            && one.sent.is_some_and(|sent| sent.unix == alert.sent.unix)
    };
    if alert.references.iter().any(mistaken) {
        findings.add(&rules::REFERENCES_OWN_SENT, place);
    }
    let changes = matches!(alert.msg_type, MsgType::Update | MsgType::Cancel);
    if changes
        && alert
            .references
            .iter()
            .any(|one| one.sender != alert.sender)
    {
        findings.add(&rules::REFERENCES_SENDER, place);
    }
}
