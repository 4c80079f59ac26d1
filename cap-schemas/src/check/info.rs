//! Rules of the info element.

use std::collections::HashMap;

use super::{area, language, resource};
use crate::codes::{MsgType, ResponseType, Scope, Version, is_language};
use crate::finding::{Findings, Place};
use crate::geometry;
use crate::model::{Alert, Info, Pair};
use crate::rules;

/// Characters of a headline that every display can show.
const HEADLINE: usize = 160;
/// Acronyms that the standard wants in capitals, without periods.
const ACRONYMS: [&str; 4] = ["SAME", "FIPS", "ZIP", "UGC"];

pub(super) fn check(alert: &Alert, now_unix: i64, findings: &mut Findings) {
    let root = Place::new("/alert", None);
    let mut budget = geometry::BUDGET;
    for (n, info) in alert.infos.iter().enumerate() {
        let here = root.nth("info", n);
        required(info, alert, &here, findings);
        if alert.version != Version::Gbt {
            tongue(info, &here, findings);
        }
        times(info, alert, now_unix, &here, findings);
        texts(info, alert.version, &here, findings);
        for (kind, pairs) in [
            ("eventCode", &info.event_codes),
            ("parameter", &info.parameters),
        ] {
            acronyms(kind, pairs, &here, findings);
        }
        for (n, one) in info.resources.iter().enumerate() {
            resource::check(one, alert.version, &here.nth("resource", n), findings);
        }
        for (n, one) in info.areas.iter().enumerate() {
            let here = here.nth("area", n);
            area::check(one, alert.version, &here, &mut budget, findings);
        }
    }
    contradictions(alert, &root, findings);
}

fn tongue(info: &Info, here: &Place, findings: &mut Findings) {
    let place = here.child("language");
    if is_language(&info.language) && language::is_odd(&info.language) {
        findings.quote(&rules::LANGUAGE_ODD, &place, &info.language);
    }
    if language::is_foreign(info) {
        findings.quote(&rules::LANGUAGE_SCRIPT, &place, &info.language);
    }
    if language::is_zawgyi(info) {
        findings.add(&rules::ZAWGYI, here);
    }
    for (n, pair) in info.event_codes.iter().enumerate() {
        if pair.name == "SAME" && pair.value == "NWS" {
            findings.add(&rules::EVENT_CODE_PLACEHOLDER, &here.nth("eventCode", n));
        }
    }
}

fn required(info: &Info, alert: &Alert, here: &Place, findings: &mut Findings) {
    if !is_language(&info.language) {
        findings.quote(&rules::LANGUAGE, &here.child("language"), &info.language);
    }
    if info.categories.is_empty() {
        findings.add(&rules::CATEGORY_PRESENT, here);
    }
    if info.event.is_empty() {
        findings.add(&rules::EVENT_PRESENT, &here.child("event"));
    }
    if alert.scope == Scope::Public && info.response_types.contains(&ResponseType::Assess) {
        findings.add(&rules::RESPONSE_ASSESS, here);
    }
    if info.areas.is_empty() && matches!(alert.msg_type, MsgType::Alert | MsgType::Update) {
        findings.add(&rules::NO_AREA, here);
    }
}

fn times(info: &Info, alert: &Alert, now_unix: i64, here: &Place, findings: &mut Findings) {
    let place = here.child("expires");
    let Some(expires) = info.expires else {
        if !matches!(alert.msg_type, MsgType::Ack | MsgType::Error) {
            findings.add(&rules::EXPIRES_ABSENT, &place);
        }
        return;
    };
    if info.ends().is_none() {
        findings.quote(&rules::EXPIRES_ONSET, &place, &expires.to_string());
    }
    let later = |time: Option<crate::Time>| time.is_some_and(|time| time.unix > expires.unix);
    if expires.unix <= alert.sent.unix || later(info.effective) || later(info.onset) {
        findings.quote(&rules::EXPIRES_ORDER, &place, &expires.to_string());
    }
    if expires.unix <= now_unix {
        findings.quote(&rules::EXPIRES_PASSED, &place, &expires.to_string());
    }
}

fn texts(info: &Info, version: Version, here: &Place, findings: &mut Findings) {
    if info
        .headline
        .as_ref()
        .is_some_and(|text| text.chars().count() > HEADLINE)
        && version != Version::Gbt
    {
        findings.add(&rules::HEADLINE_LENGTH, &here.child("headline"));
    }
    if info
        .web
        .as_ref()
        .is_some_and(|web| !resource::is_absolute(web))
    {
        findings.add(&rules::WEB_ABSOLUTE, &here.child("web"));
    }
    let fields = [
        ("event", Some(&info.event)),
        ("headline", info.headline.as_ref()),
        ("description", info.description.as_ref()),
        ("instruction", info.instruction.as_ref()),
    ];
    for (name, text) in fields {
        if text.is_some_and(|text| has_markup(text)) {
            findings.add(&rules::HTML, &here.child(name));
        }
        if text.is_some_and(|text| is_placeholder(text)) {
            findings.add(&rules::PLACEHOLDER, &here.child(name));
        }
    }
}

/// Punctuation alone says nothing.
pub(super) fn is_placeholder(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_alphanumeric)
}

/// An HTML tag, or an entity that survived XML: escaped twice.
fn has_markup(text: &str) -> bool {
    let tag = text.split('<').skip(1).any(|rest| {
        let name = rest.strip_prefix('/').unwrap_or(rest);
        name.starts_with(|c: char| c.is_ascii_alphabetic()) && rest.contains('>')
    });
    let entity = text.split('&').skip(1).any(|rest| {
        let name: String = rest.chars().take(8).take_while(|&c| c != ';').collect();
        rest[name.len()..].starts_with(';')
            && !name.is_empty()
            && name
                .trim_start_matches('#')
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric())
    });
    tag || entity
}

pub(super) fn acronyms(kind: &str, pairs: &[Pair], here: &Place, findings: &mut Findings) {
    for (n, pair) in pairs.iter().enumerate() {
        // The longest, with a period behind each letter.
        if pair.name.len() > 8 {
            continue;
        }
        let plain = pair.name.replace('.', "").to_ascii_uppercase();
        if plain != pair.name && ACRONYMS.contains(&plain.as_str()) {
            findings.quote(&rules::ACRONYM, &here.nth(kind, n), &pair.name);
        }
    }
}

/// Infos of one language and event that name the same place and weigh it differently.
fn contradictions(alert: &Alert, root: &Place, findings: &mut Findings) {
    let mut seen: HashMap<(&str, &str, &str, &str), &Info> = HashMap::new();
    for (n, info) in alert.infos.iter().enumerate() {
        let codes = info
            .areas
            .iter()
            .flat_map(|area| area.geocodes.iter().map(|code| (&*code.name, &*code.value)));
        let names = info
            .areas
            .iter()
            .filter(|area| !area.desc.is_empty())
            .map(|area| ("", &*area.desc));
        let weight = |info: &Info| (info.urgency, info.severity, info.certainty);
        let mut contradicts = false;
        for (name, value) in codes.chain(names) {
            let first = seen
                .entry((&info.language, &info.event, name, value))
                .or_insert(info);
            contradicts |= weight(first) != weight(info);
        }
        if contradicts {
            findings.add(&rules::SAME_LANGUAGE, &root.nth("info", n));
        }
    }
}
