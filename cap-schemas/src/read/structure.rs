//! Which elements CAP has where, in which order and how often, and the findings about a parent that departs from it.
//! It reports and changes nothing: the reader takes children by name.

use super::element::Element;
use crate::codes::Version;
use crate::finding::Findings;
use crate::limits;
use crate::rules;
use crate::tree::{Content, Namespace, Node, blank};

/// A child's name, and whether it may repeat.
pub(crate) type Child = (&'static str, bool);

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
        let known = children
            .iter()
            .position(|child| child.0 == node.name && node.namespace == parent.namespace());
        if let Some(index) = known {
            counts[index] += 1;
            let order = Order {
                count: counts[index],
                late: index < furthest,
            };
            child(parent, node, children[index], &order, findings);
            furthest = furthest.max(index);
        } else if node.namespace == Namespace::Signature && node.name == "Signature" {
            furthest = children.len();
        } else {
            let place = parent
                .below(node, format!("{}/{}", parent.path, node.name))
                .place();
            findings.quote(&rules::UNKNOWN_ELEMENT, &place, &node.name);
        }
    }
}

/// Where a child stands among its siblings.
struct Order {
    /// How many of its name there are so far, itself included.
    count: usize,
    /// It follows an element that it should precede.
    late: bool,
}

fn child(
    parent: &Element<'_>,
    node: &Node,
    (name, many): Child,
    order: &Order,
    findings: &mut Findings,
) {
    let count = order.count;
    // Most children keep every rule, and need no place.
    let place = || {
        let path = if many {
            format!("{}/{name}[{count}]", parent.path)
        } else {
            format!("{}/{name}", parent.path)
        };
        parent.below(node, path).place()
    };
    if count == 2 && !many {
        if IDENTITY.contains(&name) {
            findings.hold(&rules::DUPLICATE, &place(), name);
        } else {
            findings.quote(&rules::DUPLICATE, &place(), name);
        }
    }
    let version = match parent.namespace() {
        Namespace::Cap(version) => version,
        _ => Version::Gbt,
    };
    match name {
        "password" if version != Version::V1_0 => findings.add(&rules::PASSWORD, &place()),
        "responseType" | "derefUri" if version == Version::V1_0 => {
            findings.quote(&rules::UNKNOWN_ELEMENT, &place(), name);
        }
        _ => {}
    }
    if order.late {
        findings.quote(&rules::SEQUENCE, &place(), name);
    }
    let most = if name == "info" {
        limits::INFOS
    } else {
        limits::SIBLINGS
    };
    if count == most + 1 {
        findings.quote(
            &rules::LIMIT,
            &place(),
            &format!("more than {most} of {name}"),
        );
    }
    // An element with children reports its own.
    if node.attributes && node.elements().next().is_none() {
        findings.add(&rules::ATTRIBUTES, &place());
    }
}
