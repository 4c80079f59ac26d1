//! The broadcast message itself, EBM: play or cancel. Pure. This module must not know what an alert is: `mapped` makes one
//! of the other.

use channel::Timestamp;

use super::names::{is_digits, read_time, time};
use super::packet::BadPacket;
use super::xml::Node;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ebm {
    pub id: String,
    /// The message that this one cancels.
    pub related: Option<String>,
    /// 1 play, 2 cancel, 3 to 5 drills.
    pub kind: u8,
    pub sender_name: String,
    pub sender_code: String,
    pub sent: Option<Timestamp>,
    /// Five characters, or empty where it is no emergency.
    pub event: String,
    pub severity: Option<u8>,
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
    pub content: Option<Content>,
    /// Terminals that are named one by one.
    pub dispatch: Vec<Dispatch>,
}

pub const PLAY: u8 = 1;
pub const CANCEL: u8 = 2;

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Content {
    /// ISO 639-2: `zho`.
    pub language: String,
    pub title: String,
    pub text: String,
    pub areas: Vec<String>,
    pub auxiliaries: Vec<Auxiliary>,
}

/// Sound or picture, in the archive or behind an address.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Auxiliary {
    pub kind: u8,
    pub name: String,
    pub size: Option<u64>,
}

pub const MP3: u8 = 2;

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Dispatch {
    pub language: String,
    /// The adapter or terminal by its EBRID.
    pub adapter: Option<String>,
}

impl Ebm {
    pub fn is_cancel(&self) -> bool {
        self.kind == CANCEL
    }

    pub(super) fn read(node: &Node) -> Result<Self, BadPacket> {
        let digits = |path: &[&str]| node.get(path).filter(|text| is_digits(text));
        let text = |path: &[&str]| node.get(path).unwrap_or_default().to_owned();
        let at = |name| node.get(&["MsgBasicInfo", name]).and_then(read_time);
        let number = |name| {
            let text = node.get(&["MsgBasicInfo", name])?;
            text.parse::<u8>().ok()
        };
        Ok(Self {
            id: digits(&["EBMID"])
                .ok_or(BadPacket::Missing("EBMID"))?
                .to_owned(),
            related: digits(&["RelatedInfo", "EBMID"]).map(str::to_owned),
            kind: number("MsgType").ok_or(BadPacket::Missing("MsgType"))?,
            sender_name: text(&["MsgBasicInfo", "SenderName"]),
            sender_code: text(&["MsgBasicInfo", "SenderCode"]),
            sent: at("SendTime"),
            event: text(&["MsgBasicInfo", "EventType"]),
            severity: number("Severity"),
            start: at("StartTime"),
            end: at("EndTime"),
            content: node.child("MsgContent").map(Content::read),
            dispatch: node.all("Dispatch").map(Dispatch::read).collect(),
        })
    }

    pub(super) fn tree(&self) -> Node {
        let moment = |at: Option<Timestamp>| at.map(time).unwrap_or_default();
        let mut basic = vec![
            Node::leaf("MsgType", self.kind.to_string()),
            Node::leaf("SenderName", &self.sender_name),
            Node::leaf("SenderCode", &self.sender_code),
            Node::leaf("SendTime", moment(self.sent)),
        ];
        // A cancel says who and which, and no more.
        if !self.is_cancel() || !self.event.is_empty() {
            basic.push(Node::leaf("EventType", &self.event));
        }
        let severity = self.severity.map(|severity| severity.to_string());
        basic.extend(severity.map(|severity| Node::leaf("Severity", severity)));
        basic.extend(self.start.map(|at| Node::leaf("StartTime", time(at))));
        basic.extend(self.end.map(|at| Node::leaf("EndTime", time(at))));
        let mut children = vec![Node::leaf("EBMVersion", "1"), Node::leaf("EBMID", &self.id)];
        children.extend(
            self.related
                .as_ref()
                .map(|id| Node::branch("RelatedInfo", vec![Node::leaf("EBMID", id)])),
        );
        children.push(Node::branch("MsgBasicInfo", basic));
        children.extend(self.content.as_ref().map(Content::tree));
        children.extend(self.dispatch.iter().map(Dispatch::tree));
        Node::branch("EBM", children)
    }
}

impl Content {
    fn read(node: &Node) -> Self {
        let text = |name| node.get(&[name]).unwrap_or_default().to_owned();
        Self {
            language: text("LanguageCode"),
            title: text("MsgTitle"),
            text: text("MsgDesc"),
            areas: areas(&text("AreaCode")),
            auxiliaries: node.all("Auxiliary").map(Auxiliary::read).collect(),
        }
    }

    fn tree(&self) -> Node {
        let mut children = vec![
            Node::leaf("LanguageCode", &self.language),
            Node::leaf("MsgTitle", &self.title),
        ];
        if !self.text.is_empty() {
            children.push(Node::leaf("MsgDesc", &self.text));
        }
        children.push(Node::leaf("AreaCode", self.areas.join(",")));
        children.extend(self.auxiliaries.iter().map(Auxiliary::tree));
        Node::branch("MsgContent", children)
    }
}

impl Auxiliary {
    fn read(node: &Node) -> Self {
        let number = |name| node.get(&[name]);
        Self {
            kind: number("AuxiliaryType")
                .and_then(|n| n.parse().ok())
                .unwrap_or(0),
            name: node.get(&["AuxiliaryDesc"]).unwrap_or_default().to_owned(),
            size: number("Size").and_then(|n| n.parse().ok()),
        }
    }

    fn tree(&self) -> Node {
        let size = self.size.map(|size| Node::leaf("Size", size.to_string()));
        let mut children = vec![
            Node::leaf("AuxiliaryType", self.kind.to_string()),
            Node::leaf("AuxiliaryDesc", &self.name),
        ];
        children.extend(size);
        children.push(Node::leaf("Digest", ""));
        Node::branch("Auxiliary", children)
    }
}

impl Dispatch {
    fn read(node: &Node) -> Self {
        Self {
            language: node.get(&["LanguageCode"]).unwrap_or_default().to_owned(),
            adapter: node.get(&["EBRAS", "EBRID"]).map(str::to_owned),
        }
    }

    fn tree(&self) -> Node {
        let mut children = vec![Node::leaf("LanguageCode", &self.language)];
        children.extend(
            self.adapter
                .as_ref()
                .map(|id| Node::branch("EBRAS", vec![Node::leaf("EBRID", id)])),
        );
        Node::branch("Dispatch", children)
    }
}

/// Codes with commas between, in any of the ways that they are written.
pub(super) fn areas(text: &str) -> Vec<String> {
    let each = text.split([',', '，', ';', ' ']).map(str::trim);
    each.filter(|code| is_digits(code))
        .map(str::to_owned)
        .collect()
}
