//! The info and resource elements. A word that is in no list becomes Unknown or Other, and is reported.

use std::str::FromStr;

use super::element::Element;
use super::structure;
use crate::codes::{Category, Certainty, ResponseType, Severity, Urgency, Version, is_language};
use crate::feed::{Bounds, Feed};
use crate::finding::Findings;
use crate::model::{DEFAULT_LANGUAGE, Info, Pair, Resource};
use crate::rules::{self, Rule};

/// What is carried along while the infos of one message are read.
pub(super) struct Reading<'f> {
    pub(super) version: Version,
    /// Points of all polygons so far.
    pub(super) points: usize,
    pub(super) country: Option<Bounds>,
    pub(super) findings: &'f mut Findings,
}

impl<'f> Reading<'f> {
    pub(super) fn new(version: Version, feed: &Feed, findings: &'f mut Findings) -> Self {
        Self {
            version,
            points: 0,
            country: feed.country,
            findings,
        }
    }
}

impl Reading<'_> {
    /// Every info of an alert. One that gives only texts takes the rest from its sibling, for it is the same warning in
    /// another language.
    pub(super) fn infos(&mut self, alert: &Element<'_>) -> Vec<Info> {
        let elements: Vec<_> = alert.children("info").collect();
        let stubs: Vec<bool> = elements.iter().map(is_stub).collect();
        let alone = stubs.iter().all(|stub| *stub);
        let mut infos: Vec<Info> = elements
            .iter()
            .zip(&stubs)
            .map(|(element, stub)| self.info(element, *stub && !alone))
            .collect();
        if alone {
            return infos;
        }
        for (n, element) in elements.iter().enumerate().filter(|(n, _)| stubs[*n]) {
            let full = || infos.iter().zip(&stubs).filter(|(_, stub)| !**stub);
            let same = full().find(|(info, _)| info.event.eq_ignore_ascii_case(&infos[n].event));
            let Some(from) = same.or_else(|| full().next()).map(|(info, _)| info.clone()) else {
                continue;
            };
            self.findings.add(&rules::INFO_STUB, &element.place());
            inherit(&mut infos[n], from);
        }
        infos
    }

    fn info(&mut self, element: &Element<'_>, stub: bool) -> Info {
        structure::report(element, structure::INFO, self.findings);
        let time = |name, rule, findings: &mut Findings| {
            element
                .child(name)
                .and_then(|child| child.time(rule, findings))
        };
        Info {
            language: self.language(element),
            categories: self.categories(element, stub),
            event: element
                .required("event", &rules::EVENT_PRESENT, self.findings)
                .unwrap_or_default(),
            response_types: self.response_types(element),
            urgency: self
                .weight(element, "urgency", &rules::URGENCY_ENUM, stub)
                .unwrap_or(Urgency::Unknown),
            severity: self
                .weight(element, "severity", &rules::SEVERITY_ENUM, stub)
                .unwrap_or(Severity::Unknown),
            certainty: self.certainty(element, stub),
            audience: element.optional("audience"),
            event_codes: self.pairs(element, "eventCode", &rules::EVENT_CODE_PAIR),
            effective: time("effective", &rules::EFFECTIVE_FORMAT, self.findings),
            onset: time("onset", &rules::ONSET_FORMAT, self.findings),
            expires: time("expires", &rules::EXPIRES_FORMAT, self.findings),
            sender_name: element.optional("senderName"),
            headline: element.optional("headline"),
            description: element.optional("description"),
            instruction: element.optional("instruction"),
            web: element.optional("web"),
            contact: element.optional("contact"),
            parameters: self.pairs(element, "parameter", &rules::PARAMETER_PAIR),
            resources: element
                .children("resource")
                .map(|resource| self.resource(&resource))
                .collect(),
            areas: element
                .children("area")
                .map(|area| self.area(&area))
                .collect(),
        }
    }

    fn language(&mut self, element: &Element<'_>) -> String {
        let Some(language) = element.optional("language") else {
            if foreign(element) {
                self.findings
                    .add(&rules::LANGUAGE_DEFAULT, &element.place_of("language"));
            }
            return DEFAULT_LANGUAGE.into();
        };
        if is_language(&language) {
            return language;
        }
        let place = element.place_of("language");
        self.findings.quote(&rules::LANGUAGE, &place, &language);
        language.replace('_', "-")
    }

    fn categories(&mut self, element: &Element<'_>, stub: bool) -> Vec<Category> {
        let mut categories: Vec<Category> = element
            .children("category")
            .map(|child| {
                child
                    .code(&rules::CATEGORY_ENUM, self.findings)
                    .unwrap_or(Category::Other)
            })
            .collect();
        if categories.is_empty() {
            // CAP 1.0 did not ask for one.
            if self.version != Version::V1_0 && !stub {
                self.findings
                    .add(&rules::CATEGORY_PRESENT, &element.place());
            }
            categories.push(Category::Other);
        }
        categories
    }

    fn response_types(&mut self, element: &Element<'_>) -> Vec<ResponseType> {
        element
            .children("responseType")
            .filter_map(|child| child.code(&rules::RESPONSE_ENUM, self.findings))
            .collect()
    }

    fn certainty(&mut self, element: &Element<'_>, stub: bool) -> Certainty {
        if element.optional("certainty").as_deref() == Some("Very Likely") {
            if self.version != Version::V1_0 {
                self.findings
                    .add(&rules::VERY_LIKELY, &element.place_of("certainty"));
            }
            return Certainty::Likely;
        }
        self.weight(element, "certainty", &rules::CERTAINTY_ENUM, stub)
            .unwrap_or(Certainty::Unknown)
    }

    fn weight<T: FromStr>(
        &mut self,
        element: &Element<'_>,
        name: &'static str,
        rule: &Rule,
        stub: bool,
    ) -> Option<T> {
        if stub {
            return None;
        }
        element.required_code(name, rule, self.findings)
    }

    /// Named values. One with neither name nor value says nothing.
    pub(super) fn pairs(
        &mut self,
        parent: &Element<'_>,
        name: &'static str,
        rule: &Rule,
    ) -> Vec<Pair> {
        parent
            .children(name)
            .map(|element| self.pair(&element, rule))
            .filter(|pair| !(pair.name.is_empty() && pair.value.is_empty()))
            .collect()
    }

    pub(super) fn pair(&mut self, element: &Element<'_>, rule: &Rule) -> Pair {
        if self.version == Version::V1_0 && element.node.elements().next().is_none() {
            let text = element.text();
            let (name, value) = text.split_once('=').unwrap_or(("", &text));
            return Pair {
                name: name.trim().to_owned(),
                value: value.trim().to_owned(),
            };
        }
        structure::report(element, structure::PAIR, self.findings);
        if self.version == Version::V1_0 {
            self.findings.warn(rule, &element.place(), "of CAP 1.1");
        }
        if element.child("valueName").is_none() || element.child("value").is_none() {
            self.findings.add(rule, &element.place());
        }
        Pair {
            name: element.optional("valueName").unwrap_or_default(),
            value: element.optional("value").unwrap_or_default(),
        }
    }

    fn resource(&mut self, element: &Element<'_>) -> Resource {
        structure::report(element, structure::RESOURCE, self.findings);
        let desc = element
            .required("resourceDesc", &rules::RESOURCE_DESC, self.findings)
            .unwrap_or_default();
        // CAP 1.1 and 1.0 did not ask for one.
        let mime_type = if self.version == Version::V1_2 {
            element.required("mimeType", &rules::MIME_TYPE, self.findings)
        } else {
            element.optional("mimeType")
        };
        let size = element.child("size").and_then(|child| {
            let size = child.text().parse().ok();
            if size.is_none() {
                self.findings
                    .quote(&rules::SIZE_NUMBER, &child.place(), &child.text());
            }
            size
        });
        Resource {
            desc,
            mime_type,
            size,
            uri: element.optional("uri"),
            deref_uri: element.optional("derefUri"),
            digest: element.optional("digest"),
        }
    }
}

/// It gives texts and nothing that tells how grave the matter is or where.
fn is_stub(info: &Element<'_>) -> bool {
    ["category", "urgency", "severity", "certainty", "area"]
        .into_iter()
        .all(|name| info.child(name).is_none())
}

fn inherit(stub: &mut Info, from: Info) {
    stub.categories = from.categories;
    (stub.urgency, stub.severity, stub.certainty) = (from.urgency, from.severity, from.certainty);
    stub.effective = stub.effective.or(from.effective);
    stub.onset = stub.onset.or(from.onset);
    stub.expires = stub.expires.or(from.expires);
    stub.areas = from.areas;
    if stub.event_codes.is_empty() {
        stub.event_codes = from.event_codes;
    }
    if stub.response_types.is_empty() {
        stub.response_types = from.response_types;
    }
    if stub.parameters.is_empty() {
        stub.parameters = from.parameters;
    }
}

/// Most letters of its texts are of another script than English.
fn foreign(info: &Element<'_>) -> bool {
    let texts = ["event", "headline", "description"]
        .into_iter()
        .filter_map(|name| info.optional(name));
    let (mut letters, mut others) = (0_usize, 0_usize);
    for c in texts
        .collect::<String>()
        .chars()
        .filter(|c| c.is_alphabetic())
    {
        letters += 1;
        others += usize::from(c > '\u{24F}');
    }
    others * 2 > letters
}
