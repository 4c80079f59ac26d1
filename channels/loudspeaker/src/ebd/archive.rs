//! A packet as it travels: an archive with the document, its signature and what is to be played. Reading is lenient where
//! real archives are (names inside that differ, a signature that is no XML) and bounded. This module must not verify.

use super::packet::{BadPacket, Packet};
use super::tar::{self, BadTar, Member};

/// The largest archive that is read.
pub const LARGEST: usize = 4 * 1024 * 1024;

#[derive(Clone, PartialEq, Debug)]
pub struct Archive {
    pub packet: Packet,
    /// The document's bytes, which are what is signed.
    pub document: Vec<u8>,
    /// The signature file as it came.
    pub signature: Option<Vec<u8>>,
    pub resources: Vec<Member>,
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadArchive {
    #[error("the archive cannot be read: {0}")]
    Tar(#[from] BadTar),
    #[error("the archive has no EBDB document, or several")]
    NoDocument,
    #[error("{0}")]
    Packet(#[from] BadPacket),
}

impl BadArchive {
    /// Content that is missing, and not bytes that cannot be read.
    pub const fn is_missing(&self) -> bool {
        matches!(self, Self::NoDocument | Self::Packet(BadPacket::Missing(_)))
    }
}

impl Archive {
    pub fn read(bytes: &[u8]) -> Result<Self, BadArchive> {
        let (mut documents, mut signatures, mut resources) = (Vec::new(), Vec::new(), Vec::new());
        for member in tar::read(bytes, LARGEST)? {
            let name = member.name.to_ascii_lowercase();
            let is_xml = std::path::Path::new(&name).extension() == Some("xml".as_ref());
            let kind = match () {
                () if is_xml && name.starts_with("ebdb_") => &mut documents,
                () if is_xml && name.starts_with("ebds_") => &mut signatures,
                () => &mut resources,
            };
            kind.push(member);
        }
        let document = documents.pop().filter(|_| documents.is_empty());
        let document = document.ok_or(BadArchive::NoDocument)?.bytes;
        Ok(Self {
            packet: Packet::read(&document)?,
            document,
            // Two signatures are as good as none.
            signature: signatures
                .pop()
                .filter(|_| signatures.is_empty())
                .map(|m| m.bytes),
            resources,
        })
    }

    /// The same again: `document` is the packet as it was signed.
    pub fn write(&self) -> Vec<u8> {
        let name = self.packet.document_name();
        let mut members = vec![Member {
            name: name.clone(),
            bytes: self.document.clone(),
        }];
        members.extend(self.signature.clone().map(|bytes| Member {
            name: format!("EBDS_{name}"),
            bytes,
        }));
        members.extend_from_slice(&self.resources);
        let at = self.packet.time.map_or(0, channel::Timestamp::secs);
        tar::write(&members, u64::try_from(at).unwrap_or(0))
    }
}
