//! The info element of GB/T 35965.1 and what is below it: its colour, its event code, its division codes in one text and
//! its radii in metres. The colour is kept as a parameter, so nothing is lost in the severity that stands for it.

use super::element::Element;
use super::info::Reading;
use super::national::split;
use super::structure::{self, Child};
use crate::china::{Colour, is_event_code};
use crate::codes::{Certainty, ResponseType, Severity, Urgency, is_language};
use crate::events;
use crate::finding::Findings;
use crate::limits;
use crate::model::{Area, Info, Pair, Resource};
use crate::rules;

/// What the model calls the two code systems.
const EVENT_CODES: &str = "GB/T 35561";
const REGION_CODES: &str = "GB/T 2260";

const INFO: &[Child] = &[
    ("language", false),
    ("eventType", false),
    ("urgency", false),
    ("severity", false),
    ("certainty", false),
    ("effective", false),
    ("onset", false),
    ("expires", false),
    ("senderName", false),
    ("headline", false),
    ("description", false),
    ("instruction", false),
    ("web", false),
    ("resource", true),
    ("area", true),
];
const RESOURCE: &[Child] = &[("resourceDesc", false), ("size", false), ("digest", false)];
const AREA: &[Child] = &[
    ("areaDesc", false),
    ("polygon", true),
    ("circle", true),
    ("geocode", true),
];

pub(super) fn info(reading: &mut Reading<'_>, element: &Element<'_>) -> Info {
    structure::report(element, INFO, reading.findings);
    let time = |name, rule, findings: &mut Findings| {
        element
            .child(name)
            .and_then(|child| child.time(rule, findings))
    };
    let code = event_type(element, reading.findings);
    let (severity, colour) = severity(element, reading.findings);
    Info {
        language: language(element, reading.findings),
        categories: vec![events::category(code.as_deref().unwrap_or_default())],
        event: code
            .as_deref()
            .map(|code| events::name(code).unwrap_or(code).to_owned())
            .unwrap_or_default(),
        response_types: Vec::<ResponseType>::new(),
        urgency: optional_code(element, "urgency", &rules::URGENCY_ENUM, reading.findings)
            .unwrap_or(Urgency::Unknown),
        severity,
        certainty: optional_code(
            element,
            "certainty",
            &rules::CERTAINTY_ENUM,
            reading.findings,
        )
        .unwrap_or(Certainty::Unknown),
        audience: None,
        event_codes: code
            .map(|value| Pair {
                name: EVENT_CODES.into(),
                value,
            })
            .into_iter()
            .collect(),
        effective: time("effective", &rules::EFFECTIVE_FORMAT, reading.findings),
        onset: time("onset", &rules::ONSET_FORMAT, reading.findings),
        expires: time("expires", &rules::EXPIRES_FORMAT, reading.findings),
        sender_name: None,
        headline: element.required("headline", &rules::GBT_HEADLINE, reading.findings),
        description: element.optional("description"),
        instruction: element.optional("instruction"),
        web: element.optional("web"),
        contact: None,
        parameters: colour.into_iter().collect(),
        resources: element
            .children("resource")
            .map(|child| resource(&child, reading.findings))
            .collect(),
        areas: element
            .children("area")
            .map(|child| area(reading, &child))
            .collect(),
    }
}

fn language(element: &Element<'_>, findings: &mut Findings) -> String {
    let language = element
        .optional("language")
        .unwrap_or_else(|| "zh-CN".into());
    if !is_language(&language) {
        let place = element.place_of("language");
        findings.quote(&rules::LANGUAGE, &place, &language);
        return language.replace('_', "-");
    }
    language
}

/// A code of CAP's that may be left out, and means Unknown then.
fn optional_code<T: std::str::FromStr>(
    element: &Element<'_>,
    name: &'static str,
    rule: &rules::Rule,
    findings: &mut Findings,
) -> Option<T> {
    element.optional(name)?;
    element.required_code(name, rule, findings)
}

fn event_type(element: &Element<'_>, findings: &mut Findings) -> Option<String> {
    let code = element.required("eventType", &rules::EVENT_PRESENT, findings)?;
    let place = element.place_of("eventType");
    let is_group = code.len() == 5 && code.bytes().all(|byte| byte.is_ascii_digit());
    if !is_event_code(&code) && !is_group {
        findings.quote(&rules::GBT_EVENT_FORM, &place, &code);
    } else if events::name(&code).is_none() {
        findings.quote(&rules::GBT_EVENT_UNKNOWN, &place, &code);
    }
    Some(code)
}

/// The severity that a colour stands for, and the colour. A word of CAP's own list is understood too.
fn severity(element: &Element<'_>, findings: &mut Findings) -> (Severity, Option<Pair>) {
    let place = element.place_of("severity");
    let Some(word) = element.optional("severity") else {
        findings.add(&rules::GBT_SEVERITY, &place);
        return (Severity::Unknown, None);
    };
    let written = Colour::ALL.iter().any(|colour| colour.as_str() == word) || word == "Unknown";
    if !written {
        findings.quote(&rules::GBT_SEVERITY, &place, &word);
    }
    let colour = |value: &str| {
        Some(Pair {
            name: "colour".into(),
            value: value.into(),
        })
    };
    match (word.parse::<Colour>(), word.parse::<Severity>()) {
        (Ok(known), _) => (known.severity(), colour(known.as_str())),
        (_, Ok(severity)) => {
            let known = Colour::of(severity);
            (severity, known.and_then(|known| colour(known.as_str())))
        }
        // Local levels, such as white, are shown as they came.
        _ => (Severity::Unknown, colour(&word)),
    }
}

fn resource(element: &Element<'_>, findings: &mut Findings) -> Resource {
    structure::report(element, RESOURCE, findings);
    let desc = element.required("resourceDesc", &rules::RESOURCE_DESC, findings);
    let size = element.child("size").filter(|child| !child.is_blank());
    let size = size.and_then(|child| {
        let size = child.text().parse().ok();
        if size.is_none() {
            findings.quote(&rules::SIZE_NUMBER, &child.place(), &child.text());
        }
        size
    });
    Resource {
        desc: desc.unwrap_or_default(),
        mime_type: None,
        size,
        uri: None,
        deref_uri: None,
        digest: element.optional("digest"),
    }
}

fn area(reading: &mut Reading<'_>, element: &Element<'_>) -> Area {
    structure::report(element, AREA, reading.findings);
    let mut area = Area {
        desc: element
            .required("areaDesc", &rules::AREA_DESC, reading.findings)
            .unwrap_or_default(),
        polygons: Vec::new(),
        circles: Vec::new(),
        geocodes: Vec::new(),
        altitude: None,
        ceiling: None,
        dropped: 0,
    };
    for child in element
        .children("polygon")
        .filter(|child| !child.is_blank())
    {
        match reading.polygon(&child) {
            Some(polygon) => area.polygons.push(polygon),
            None => area.dropped += 1,
        }
    }
    for child in element.children("circle").filter(|child| !child.is_blank()) {
        match reading.circle(&child) {
            Some(mut circle) => {
                circle.radius /= 1_000.0;
                area.circles.push(circle);
            }
            None => area.dropped += 1,
        }
    }
    for child in element.children("geocode") {
        geocodes(&child, &mut area, reading.findings);
    }
    area
}

/// The division codes of one text, without repeats; of fourteen digits the two zeros at the end say nothing.
fn geocodes(element: &Element<'_>, area: &mut Area, findings: &mut Findings) {
    let place = element.place();
    let codes = split(&element.text());
    if codes.is_empty() {
        findings.add(&rules::GEOCODE_EMPTY, &place);
    }
    if codes.len() > limits::TOKENS {
        let most = format!("more than {} entries", limits::TOKENS);
        findings.quote(&rules::LIMIT, &place, &most);
        return;
    }
    let mut seen = std::collections::HashSet::new();
    let mut repeated = None;
    for code in codes {
        let digits = code.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || !matches!(code.len(), 6 | 9 | 12 | 14) {
            // An area that names something unknown is smaller here than its author meant it.
            findings.quote(&rules::GBT_GEOCODE, &place, &code);
            area.dropped += 1;
            continue;
        }
        let value = match code.strip_suffix("00") {
            Some(short) if code.len() == 14 => short.to_owned(),
            _ => code,
        };
        if seen.insert(value.clone()) {
            area.geocodes.push(Pair {
                name: REGION_CODES.into(),
                value,
            });
        } else {
            repeated = repeated.or(Some(value));
        }
    }
    if let Some(code) = repeated {
        findings.quote(&rules::GBT_GEOCODE_REPEATED, &place, &code);
    }
}
