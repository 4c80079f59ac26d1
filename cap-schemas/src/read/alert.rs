//! The alert element. Without identifier, sender, sent, status and msgType there is no alert.

use super::element::Element;
use super::{Feed, info, list, structure};
use crate::codes::{MsgType, Scope, Status, Version};
use crate::finding::Findings;
use crate::model::Alert;
use crate::rules::{self, Rule};
use crate::time::Time;
use crate::tree::{Namespace, Node};

pub(super) fn alert(
    root: &Node,
    version: Version,
    feed: &Feed,
    findings: &mut Findings,
) -> Option<Alert> {
    let element = Element {
        node: root,
        path: "/alert".into(),
        zone: feed.zone,
    };
    structure::report(&element, structure::ALERT, findings);
    if findings.refused() {
        return None;
    }
    let signed = signature(&element, findings);
    let identity = identity(&element, findings);
    let scope = element
        .required_code("scope", &rules::SCOPE_ENUM, findings)
        .unwrap_or(Scope::Restricted);
    if feed.public && scope == Scope::Private {
        findings.add(&rules::SCOPE_PRIVATE, &element.place_of("scope"));
    }
    let infos = info::Reading::new(version, feed, findings).infos(&element);
    let addresses = names(&element, "addresses", &rules::ADDRESSES_LIST, findings);
    let incidents = names(&element, "incidents", &rules::INCIDENTS_LIST, findings);
    let references = element
        .child("references")
        .map(|child| list::references(&child, version, findings))
        .unwrap_or_default();
    if findings.refused() {
        return None;
    }
    let identity = identity?;
    Some(Alert {
        version,
        identifier: identity.identifier,
        sender: identity.sender,
        sent: identity.sent,
        status: identity.status,
        msg_type: identity.msg_type,
        source: element.optional("source"),
        scope,
        restriction: element.optional("restriction"),
        addresses,
        codes: codes(&element),
        note: element.optional("note"),
        references,
        incidents,
        infos,
        signed,
    })
}

/// What nothing can be done without.
struct Identity {
    identifier: String,
    sender: String,
    sent: Time,
    status: Status,
    msg_type: MsgType,
}

/// Reads all of it before giving up, so that every fault is reported.
fn identity(alert: &Element<'_>, findings: &mut Findings) -> Option<Identity> {
    let identifier = alert.required("identifier", &rules::IDENTIFIER_PRESENT, findings);
    let sender = alert.required("sender", &rules::SENDER_PRESENT, findings);
    let sent = alert
        .required("sent", &rules::SENT_PRESENT, findings)
        .and_then(|_| alert.child("sent"))
        .and_then(|sent| sent.time(&rules::SENT_FORMAT, findings));
    let status = alert.required_code("status", &rules::STATUS_ENUM, findings);
    let msg_type = alert.required_code("msgType", &rules::MSG_TYPE_ENUM, findings);
    Some(Identity {
        identifier: identifier?,
        sender: sender?,
        sent: sent?,
        status: status?,
        msg_type: msg_type?,
    })
}

fn codes(alert: &Element<'_>) -> Vec<String> {
    alert
        .children("code")
        .map(|code| code.text())
        .filter(|code| !code.is_empty())
        .collect()
}

fn names(
    alert: &Element<'_>,
    name: &'static str,
    unbalanced: &Rule,
    findings: &mut Findings,
) -> Vec<String> {
    alert
        .child(name)
        .map(|child| list::names(&child, unbalanced, findings))
        .unwrap_or_default()
}

/// Whether a signature is where a signature may be. Nothing below it is read.
fn signature(alert: &Element<'_>, findings: &mut Findings) -> bool {
    let is_signature =
        |node: &Node| node.namespace == Namespace::Signature && node.name == "Signature";
    let mut signed = false;
    for node in alert.node.elements().filter(|node| is_signature(node)) {
        if node
            .elements()
            .any(|child| child.namespace == Namespace::Signature && child.name == "SignedInfo")
        {
            signed = true;
        } else {
            let here = alert.below(node, "/alert/Signature".into());
            findings.warn(
                &rules::SIGNATURE_ENVELOPED,
                &here.place(),
                "Signature without SignedInfo",
            );
        }
    }
    for info in alert.children("info") {
        let parents = info.node.elements().chain(std::iter::once(info.node));
        for node in parents
            .flat_map(Node::elements)
            .filter(|node| is_signature(node))
        {
            let here = info.below(node, format!("{}/Signature", info.path));
            findings.add(&rules::SIGNATURE_ENVELOPED, &here.place());
        }
    }
    signed
}
