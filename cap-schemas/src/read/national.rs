//! GB/T 35965.1 into CAP's model. Its message names no namespace that could tell it, so its own elements do. The sender of
//! the model is senderCode, for references name their message by an identifier that begins with one; the unit's name is
//! senderName of every info. Texts for single channels become parameters, single numbers addresses. The person who
//! signed is not read: nobody needs the name to be warned.

use super::Feed;
use super::element::Element;
use super::info::Reading;
use super::national_info::info;
use super::structure::{self, Child};
use crate::codes::{MsgType, Scope, Status, Version};
use crate::finding::Findings;
use crate::model::{Alert, Info, Pair, Reference};
use crate::rules;
use crate::tree::Node;

/// The offset of a time that names none: the standard has one zone.
const BEIJING: i16 = 480;
/// Digits and letters of a senderCode.
const SENDER_CODE: usize = 14;
/// The ways of publishing that are in use.
const METHODS: [&str; 10] = [
    "SMS",
    "LED",
    "SPEAKER",
    "TV",
    "BROADCAST",
    "WEB",
    "PHONE",
    "FAX",
    "WECHAT",
    "MICROBLOG",
];

const ALERT: &[Child] = &[
    ("identifier", false),
    ("sender", false),
    ("senderCode", false),
    ("phone", false),
    ("sendTime", false),
    ("status", false),
    ("msgType", false),
    ("scope", false),
    ("code", false),
    ("secClassification", false),
    ("note", false),
    ("references", false),
    ("info", true),
];
const CODE: &[Child] = &[("method", true)];
const METHOD: &[Child] = &[
    ("methodName", false),
    ("message", false),
    ("audienceGrp", false),
    ("audenceprt", false),
    ("audiencePrt", false),
];

/// Whether an alert without CAP's namespace is one of these.
pub(super) fn is(root: &Node) -> bool {
    let own = ["senderCode", "sendTime", "secClassification"];
    root.elements().any(|node| own.contains(&&*node.name))
}

pub(super) fn alert(root: &Node, feed: &Feed, findings: &mut Findings) -> Option<Alert> {
    findings.be_national();
    let element = Element {
        node: root,
        path: "/alert".into(),
        zone: feed.zone.or(Some(BEIJING)),
    };
    findings.add(&rules::GBT_READ, &element.place());
    structure::report(&element, ALERT, findings);
    if findings.refused() {
        return None;
    }
    let identifier = identifier(&element, findings);
    let unit = element.required("sender", &rules::GBT_SENDER, findings);
    let sender = sender_code(&element, identifier.as_deref(), findings);
    let sent = element
        .required("sendTime", &rules::SENT_PRESENT, findings)
        .and_then(|_| element.child("sendTime"))
        .and_then(|sent| sent.time(&rules::SENT_FORMAT, findings));
    let status = status(&element, findings);
    let msg_type = element.required_code("msgType", &rules::MSG_TYPE_ENUM, findings);
    let (scope, restriction) = scope(&element, findings);
    let mut methods = Methods::default();
    for code in element.children("code").take(1) {
        methods.read(&code, findings);
    }
    let infos = infos(&element, feed, unit.as_ref(), &methods, findings);
    let note = element.optional("note");
    if msg_type == Some(MsgType::Cancel) && note.is_none() {
        findings.add(&rules::GBT_NOTE, &element.place_of("note"));
    }
    let references = references(&element, sender.as_deref(), findings);
    if findings.refused() {
        return None;
    }
    Some(Alert {
        version: Version::Gbt,
        identifier: identifier?,
        sender: sender?,
        sent: sent?,
        status: status?,
        msg_type: msg_type?,
        source: None,
        scope,
        restriction,
        addresses: methods.numbers,
        codes: Vec::new(),
        note,
        references,
        incidents: Vec::new(),
        infos,
        signed: false,
    })
}

/// Every info, with what the message says once for all of them.
fn infos(
    alert: &Element<'_>,
    feed: &Feed,
    unit: Option<&String>,
    methods: &Methods,
    findings: &mut Findings,
) -> Vec<Info> {
    let contact = alert.optional("phone");
    let mut reading = Reading::new(Version::Gbt, feed, findings);
    alert
        .children("info")
        .map(|child| {
            let mut info = info(&mut reading, &child);
            info.sender_name = unit.cloned();
            info.contact.clone_from(&contact);
            info.parameters.extend(methods.parameters.iter().cloned());
            info
        })
        .collect()
}

fn identifier(alert: &Element<'_>, findings: &mut Findings) -> Option<String> {
    let identifier = alert.required("identifier", &rules::IDENTIFIER_PRESENT, findings)?;
    if !is_identifier(&identifier) {
        let place = alert.place_of("identifier");
        findings.quote(&rules::GBT_IDENTIFIER_FORM, &place, &identifier);
    }
    Some(identifier)
}

/// The code of the issuing unit; identifiers begin with it, so one that is missing can be read there.
fn sender_code(
    alert: &Element<'_>,
    identifier: Option<&str>,
    findings: &mut Findings,
) -> Option<String> {
    let place = alert.place_of("senderCode");
    let within = identifier.filter(|one| is_identifier(one)).map(code_of);
    let Some(code) = alert.optional("senderCode") else {
        match within {
            Some(code) => findings.warn(&rules::GBT_SENDER_CODE, &place, code),
            None => findings.add(&rules::GBT_SENDER_CODE, &place),
        }
        return within.map(str::to_owned);
    };
    if code.len() != SENDER_CODE || !code.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        findings.quote(&rules::GBT_SENDER_CODE_FORM, &place, &code);
    } else if within.is_some_and(|within| within != code) {
        findings.quote(&rules::GBT_SENDER_CODE_OTHER, &place, &code);
    }
    Some(code)
}

fn status(alert: &Element<'_>, findings: &mut Findings) -> Option<Status> {
    let status = alert.required_code("status", &rules::STATUS_ENUM, findings);
    if status == Some(Status::System) {
        findings.quote(&rules::STATUS_ENUM, &alert.place_of("status"), "System");
        return None;
    }
    status
}

/// What is not plainly for the public is Restricted, with the reason.
fn scope(alert: &Element<'_>, findings: &mut Findings) -> (Scope, Option<String>) {
    let scope = alert
        .required_code("scope", &rules::GBT_SCOPE, findings)
        .unwrap_or(Scope::Restricted);
    if alert.optional("scope").is_some() && scope != Scope::Public {
        findings.quote(&rules::GBT_SCOPE, &alert.place_of("scope"), scope.as_str());
    }
    let place = alert.place_of("secClassification");
    match alert.optional("secClassification").as_deref() {
        None | Some("None") if scope == Scope::Public => return (scope, None),
        None | Some("None") => {}
        Some("Inner") => findings.add(&rules::GBT_SEC_INNER, &place),
        Some(other) => findings.quote(&rules::GBT_SEC_ENUM, &place, other),
    }
    (Scope::Restricted, Some("Inner".into()))
}

/// What the message says about single channels.
#[derive(Default)]
struct Methods {
    parameters: Vec<Pair>,
    numbers: Vec<String>,
}

impl Methods {
    fn read(&mut self, code: &Element<'_>, findings: &mut Findings) {
        structure::report(code, CODE, findings);
        for method in code.children("method") {
            structure::report(&method, METHOD, findings);
            let Some(name) = method.optional("methodName") else {
                findings.add(&rules::GBT_METHOD, &method.place());
                continue;
            };
            if !METHODS.contains(&&*name) {
                let place = method.place_of("methodName");
                findings.quote(&rules::GBT_METHOD_NAME, &place, &name);
            }
            for (kind, child) in [("message", "message"), ("audienceGrp", "audienceGrp")] {
                if let Some(value) = method.optional(child) {
                    let name = format!("{kind} {name}");
                    self.parameters.push(Pair { name, value });
                }
            }
            let value = name;
            let name = "methodName".to_owned();
            self.parameters.push(Pair { name, value });
            let numbers = ["audenceprt", "audiencePrt"]
                .into_iter()
                .filter_map(|child| method.optional(child));
            for number in numbers.flat_map(|list| split(&list)) {
                if !self.numbers.contains(&number) {
                    self.numbers.push(number);
                }
            }
        }
    }
}

/// The first message of the chain. CAP's triple is understood; what is neither is kept whole.
fn references(
    alert: &Element<'_>,
    sender: Option<&str>,
    findings: &mut Findings,
) -> Vec<Reference> {
    let Some(text) = alert.optional("references") else {
        return Vec::new();
    };
    let place = alert.place_of("references");
    let tokens = split(&text);
    if tokens.len() != 1 || !is_identifier(&text) {
        findings.add(&rules::GBT_REFERENCES_FORM, &place);
    }
    let formed = tokens.iter().filter(|token| is_identifier(token));
    let mut list: Vec<Reference> = formed
        .map(|token| Reference {
            sender: code_of(token).to_owned(),
            identifier: token.clone(),
            sent: None,
        })
        .collect();
    if list.is_empty() {
        list.push(Reference {
            sender: sender.unwrap_or_default().to_owned(),
            identifier: text,
            sent: None,
        });
    }
    list
}

/// The parts of a list, which commas of either kind, semicolons or white space part.
pub(super) fn split(list: &str) -> Vec<String> {
    list.split([',', '，', ';', '；', ' ', '\t', '\r', '\n'])
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A senderCode, an underline and a time, and what newer platforms add behind another.
fn is_identifier(text: &str) -> bool {
    let Some((code, rest)) = text.split_once('_') else {
        return false;
    };
    let (time, number) = rest.split_once('_').unwrap_or((rest, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    code.len() == SENDER_CODE
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && time.len() == 14
        && digits(time)
        && digits(number)
}

fn code_of(identifier: &str) -> &str {
    identifier.get(..SENDER_CODE).unwrap_or(identifier)
}
