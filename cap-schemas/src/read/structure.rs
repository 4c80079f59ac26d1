//! Which elements CAP has where, in which order and how often, and the findings about a parent that departs from it.
//! It reports and changes nothing: the reader takes children by name.

use super::element::Element;
use crate::finding::Findings;
use crate::limits;
use crate::rules;
use crate::tree::{Content, Namespace, blank};

/// A child's name, and whether it may repeat.
type Child = (&'static str, bool);

pub(crate) const ALERT: &[Child] = &[
    ("identifier", false),
    ("sender", false),
    ("sent", false),
    ("status", false),
    ("msgType", false),
    // CAP 1.0 alone, and of no use to anyone: accepted and dropped.
    ("password", false),
    ("source", false),
    ("scope", false),
    ("restriction", false),
    ("addresses", false),
    ("code", true),
    ("note", false),
    ("references", false),
    ("incidents", false),
    ("info", true),
];

pub(crate) const INFO: &[Child] = &[
    ("language", false),
    ("category", true),
    ("event", false),
    ("responseType", true),
    ("urgency", false),
    ("severity", false),
    ("certainty", false),
    ("audience", false),
    ("eventCode", true),
    ("effective", false),
    ("onset", false),
    ("expires", false),
    ("senderName", false),
    ("headline", false),
    ("description", false),
    ("instruction", false),
    ("web", false),
    ("contact", false),
    ("parameter", true),
    ("resource", true),
    ("area", true),
];

pub(crate) const RESOURCE: &[Child] = &[
    ("resourceDesc", false),
    ("mimeType", false),
    ("size", false),
    ("uri", false),
    ("derefUri", false),
    ("digest", false),
];

pub(crate) const AREA: &[Child] = &[
    ("areaDesc", false),
    ("polygon", true),
    ("circle", true),
    ("geocode", true),
    ("altitude", false),
    ("ceiling", false),
];

pub(crate) const PAIR: &[Child] = &[("valueName", false), ("value", false)];

/// A second one of these makes the message ambiguous where it must not be.
const IDENTITY: [&str; 6] = ["identifier", "sender", "sent", "status", "msgType", "scope"];

/// Reports what is out of order, unknown, repeated or loose below one element.
pub(crate) fn report(parent: &Element<'_>, children: &'static [Child], findings: &mut Findings) {
    if parent.node.attributes {
        findings.add(&rules::ATTRIBUTES, &parent.place());
    }
    let mut counts = vec![0_usize; children.len()];
    let mut furthest = 0;
    for content in &parent.node.content {
        let node = match content {
            Content::Text(text) => {
                if !blank(text) {
                    findings.add(&rules::STRAY_TEXT, &parent.place());
                }
                continue;
            }
            Content::Element(node) => node,
        };
        let place = parent.place();
        let here = Element {
            node,
            path: format!("{}/{}", place.path, node.name),
        };
        let known = children
            .iter()
            .position(|child| child.0 == node.name && node.namespace == parent.namespace());
        let Some(index) = known else {
            if node.namespace == Namespace::Signature && node.name == "Signature" {
                furthest = usize::MAX;
            } else {
                findings.quote(&rules::UNKNOWN_ELEMENT, &here.place(), &node.name);
            }
            continue;
        };
        counts[index] += 1;
        let (name, many) = children[index];
        if counts[index] == 2 && !many {
            if IDENTITY.contains(&name) {
                findings.hold(&rules::DUPLICATE, &here.place(), name);
            } else {
                findings.quote(&rules::DUPLICATE, &here.place(), name);
            }
        }
        if index < furthest {
            findings.quote(&rules::SEQUENCE, &here.place(), name);
        } else {
            furthest = index;
        }
        let most = if name == "info" {
            limits::INFOS
        } else {
            limits::SIBLINGS
        };
        if counts[index] == most + 1 {
            findings.quote(
                &rules::LIMIT,
                &here.place(),
                &format!("more than {most} of {name}"),
            );
        }
        if node.attributes && node.elements().next().is_none() {
            findings.add(&rules::ATTRIBUTES, &here.place());
        }
    }
}
