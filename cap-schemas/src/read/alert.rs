//! The alert element. Without identifier, sender, sent, status and msgType there is no alert.

use super::element::Element;
use super::{info, list, structure};
use crate::codes::{Scope, Version};
use crate::finding::Findings;
use crate::model::Alert;
use crate::rules;
use crate::tree::{Namespace, Node};

pub(super) fn alert(
    root: &Node,
    version: Version,
    zone: Option<i16>,
    findings: &mut Findings,
) -> Option<Alert> {
    let element = Element {
        node: root,
        path: "/alert".into(),
        zone,
    };
    structure::report(&element, structure::ALERT, findings);
    if findings.refused() {
        return None;
    }
    let signed = signature(&element, findings);
    let identifier = element.required("identifier", &rules::IDENTIFIER_PRESENT, findings);
    let sender = element.required("sender", &rules::SENDER_PRESENT, findings);
    let sent = element
        .required("sent", &rules::SENT_PRESENT, findings)
        .and_then(|_| element.child("sent"))
        .and_then(|sent| sent.time(&rules::SENT_FORMAT, findings));
    let status = element.required_code("status", &rules::STATUS_ENUM, findings);
    let msg_type = element.required_code("msgType", &rules::MSG_TYPE_ENUM, findings);
    let scope = element
        .required_code("scope", &rules::SCOPE_ENUM, findings)
        .unwrap_or(Scope::Restricted);
    let mut reading = info::Reading {
        version,
        points: 0,
        findings,
    };
    let infos = element
        .children("info")
        .map(|element| reading.info(&element))
        .collect();
    let findings = reading.findings;
    let names = |name, rule, findings: &mut Findings| {
        element
            .child(name)
            .map(|child| list::names(&child, rule, findings))
            .unwrap_or_default()
    };
    let addresses = names("addresses", &rules::ADDRESSES_LIST, findings);
    let incidents = names("incidents", &rules::INCIDENTS_LIST, findings);
    let references = element
        .child("references")
        .map(|child| list::references(&child, version, findings))
        .unwrap_or_default();
    if findings.refused() {
        return None;
    }
    Some(Alert {
        version,
        identifier: identifier?,
        sender: sender?,
        sent: sent?,
        status: status?,
        msg_type: msg_type?,
        source: element.optional("source"),
        scope,
        restriction: element.optional("restriction"),
        addresses,
        codes: element
            .children("code")
            .map(|code| code.text())
            .filter(|code| !code.is_empty())
            .collect(),
        note: element.optional("note"),
        references,
        incidents,
        infos,
        signed,
    })
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
