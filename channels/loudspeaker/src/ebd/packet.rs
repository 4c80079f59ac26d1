//! The envelope that every packet has: who sends what to whom, in answer to which. Pure. This module must not judge a
//! packet: what must stand in it is for whoever acts on it.

use channel::Timestamp;

use super::body::Body;
use super::names::{is_digits, read_time, time};
use super::profile::{Profile, normal};
use super::xml::{BadXml, Node};

#[derive(Clone, PartialEq, Debug)]
pub struct Packet {
    /// The EBDID.
    pub id: String,
    pub source: String,
    /// Where the sender wants to be called, as it says.
    pub url: Option<String>,
    pub target: Option<String>,
    pub time: Option<Timestamp>,
    /// The EBDID of what it answers.
    pub related: Option<String>,
    pub body: Body,
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadPacket {
    #[error("the document cannot be parsed: {0}")]
    Xml(#[from] BadXml),
    #[error("the document is no EBD")]
    NoEbd,
    #[error("{0} is missing or cannot be read")]
    Missing(&'static str),
}

impl Packet {
    pub fn read(document: &[u8]) -> Result<Self, BadPacket> {
        let tree = normal(Node::read(document)?);
        if tree.name != "EBD" {
            return Err(BadPacket::NoEbd);
        }
        let digits = |path: &[&str]| tree.get(path).filter(|text| is_digits(text));
        let owned = |text: &str| text.to_owned();
        let kind = tree
            .get(&["EBDType"])
            .ok_or(BadPacket::Missing("EBDType"))?;
        Ok(Self {
            id: digits(&["EBDID"])
                .ok_or(BadPacket::Missing("EBDID"))?
                .to_owned(),
            source: digits(&["SRC", "EBRID"])
                .ok_or(BadPacket::Missing("SRC/EBRID"))?
                .to_owned(),
            url: tree.get(&["SRC", "URL"]).map(owned),
            target: digits(&["DEST", "EBRID"]).map(owned),
            time: tree.get(&["EBDTime"]).and_then(read_time),
            related: digits(&["RelatedEBD", "EBDID"]).map(owned),
            body: Body::read(kind, tree.child(kind))?,
        })
    }

    /// The document, in the order that strict peers want.
    pub fn write(&self, profile: Profile) -> Vec<u8> {
        let id = |id: &str| vec![Node::leaf("EBRID", id)];
        let mut source = id(&self.source);
        source.extend(self.url.as_ref().map(|url| Node::leaf("URL", url)));
        let mut children = vec![
            Node::leaf("EBDVersion", "1.0"),
            Node::leaf("EBDID", &self.id),
            Node::leaf("EBDType", self.body.kind()),
            Node::branch("SRC", source),
        ];
        let target = self.target.as_ref();
        children.extend(target.map(|target| Node::branch("DEST", id(target))));
        let at = self.time.map(time).unwrap_or_default();
        children.push(Node::leaf("EBDTime", at));
        let related = self.related.as_ref();
        children.extend(
            related.map(|related| Node::branch("RelatedEBD", vec![Node::leaf("EBDID", related)])),
        );
        children.push(self.body.tree());
        profile.write(Node::branch("EBD", children))
    }

    /// What its archive and its document are called.
    pub fn archive_name(&self) -> String {
        format!("EBDT_{}.tar", self.id)
    }

    pub fn document_name(&self) -> String {
        format!("EBDB_{}.xml", self.id)
    }
}
