//! The platform's XML as a small tree, by local names alone: real roots carry declarations that mean nothing. This module
//! must not follow anything: a document type, a deep tree or a broad one is refused.

use quick_xml::Reader;
use quick_xml::escape::{partial_escape, resolve_xml_entity};
use quick_xml::events::{BytesRef, Event};

/// An inventory of a county's terminals is some ten thousand elements.
const MOST: usize = 200_000;
const DEEPEST: usize = 16;

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Node {
    pub name: String,
    /// Its own text, without the white space around it.
    pub text: String,
    pub children: Vec<Node>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadXml {
    #[error("it is not UTF-8")]
    NotUtf8,
    #[error("it is not well-formed XML with one root")]
    Malformed,
    #[error("it has a document type, which no packet has")]
    DocumentType,
    #[error("it is deeper than {DEEPEST} elements, or has more than {MOST}")]
    TooLarge,
}

impl Node {
    pub fn leaf(name: &str, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
            children: Vec::new(),
        }
    }

    pub fn branch(name: &str, children: Vec<Self>) -> Self {
        Self {
            name: name.into(),
            text: String::new(),
            children,
        }
    }

    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of a child, or of a child's child; nothing where it is empty.
    pub fn get(&self, path: &[&str]) -> Option<&str> {
        let end = path
            .iter()
            .try_fold(self, |node, name| node.child(name))
            .map(|node| node.text.as_str());
        end.filter(|text| !text.is_empty())
    }

    pub fn read(bytes: &[u8]) -> Result<Self, BadXml> {
        let text = std::str::from_utf8(bytes).map_err(|_| BadXml::NotUtf8)?;
        let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
        reader.config_mut().expand_empty_elements = true;
        let mut open = vec![Self::default()];
        let mut count = 0;
        loop {
            let event = reader.read_event().map_err(|_| BadXml::Malformed)?;
            let part = match event {
                Event::Eof => break,
                Event::DocType(_) => return Err(BadXml::DocumentType),
                Event::Start(start) => {
                    count += 1;
                    if open.len() > DEEPEST || count > MOST {
                        return Err(BadXml::TooLarge);
                    }
                    open.push(Self::leaf(start.local_name().into_inner(), ""));
                    continue;
                }
                Event::End(_) => {
                    let mut closed = open.pop().ok_or(BadXml::Malformed)?;
                    // Some parsers let characters pass that no XML may carry; they end here.
                    closed.text = trimmed(plain(&closed.text));
                    let parent = open.last_mut().ok_or(BadXml::Malformed)?;
                    parent.children.push(closed);
                    continue;
                }
                Event::Text(text) => text.xml10_content().into_owned(),
                Event::CData(text) => text.xml10_content().into_owned(),
                Event::GeneralRef(reference) => meant(&reference)?,
                _ => continue,
            };
            if let Some(node) = open.last_mut() {
                node.text.push_str(&part);
            }
        }
        let mut top = open.pop().filter(|_| open.is_empty());
        let top = top.as_mut().ok_or(BadXml::Malformed)?;
        match (top.children.len(), top.text.trim().is_empty()) {
            (1, true) => top.children.pop().ok_or(BadXml::Malformed),
            _ => Err(BadXml::Malformed),
        }
    }

    /// As a document; `namespaces` puts the declarations on the root that some peers expect and none reads.
    pub fn write(&self, namespaces: bool) -> Vec<u8> {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let declared = if namespaces {
            " xmlns:xs=\"http://www.w3.org/2001/XMLSchema\""
        } else {
            ""
        };
        self.put(&mut out, declared);
        out.push('\n');
        out.into_bytes()
    }

    fn put(&self, out: &mut String, declared: &str) {
        out.push('<');
        out.push_str(&self.name);
        out.push_str(declared);
        if self.text.is_empty() && self.children.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        out.push_str(&partial_escape(plain(&self.text)));
        for child in &self.children {
            child.put(out, "");
        }
        out.push_str("</");
        out.push_str(&self.name);
        out.push('>');
    }

    /// Renames in the whole tree.
    pub fn rename(&mut self, name: &impl Fn(&str) -> Option<String>) {
        if let Some(new) = name(&self.name) {
            self.name = new;
        }
        for child in &mut self.children {
            child.rename(name);
        }
    }
}

fn trimmed(text: String) -> String {
    let plain = text.trim();
    if plain.len() == text.len() {
        text
    } else {
        plain.to_owned()
    }
}

/// Characters that no XML can carry, not even by reference, are left out.
pub(super) fn plain(text: &str) -> String {
    let carried = |c: &char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().filter(carried).collect()
}

fn meant(reference: &BytesRef<'_>) -> Result<String, BadXml> {
    if let Ok(Some(c)) = reference.resolve_char_ref() {
        let text = c.to_string();
        return if plain(&text).is_empty() {
            Err(BadXml::Malformed)
        } else {
            Ok(text)
        };
    }
    let known = resolve_xml_entity(reference).map(str::to_owned);
    known.ok_or(BadXml::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_full_of_declarations_is_read_by_local_names() {
        let text = "\u{feff}<?xml version='1.0'?><e:EBD xmlns:e='urn:x' xmlns:xs='y'><e:EBDID> 10 </e:EBDID>\
            <SRC><EBRID>4&#49;&amp;</EBRID></SRC><RelatedEBD/></e:EBD>";
        let root = Node::read(text.as_bytes()).expect("it reads");
        assert_eq!(root.name, "EBD");
        assert_eq!(root.get(&["EBDID"]), Some("10"));
        assert_eq!(root.get(&["SRC", "EBRID"]), Some("41&"));
        assert_eq!(root.get(&["RelatedEBD"]), None);
        assert!(root.child("RelatedEBD").is_some());
    }

    #[test]
    fn what_is_hostile_or_torn_is_refused() {
        let deep = "<a>".repeat(40) + &"</a>".repeat(40);
        for (text, why) in [
            ("<a><b></a>", BadXml::Malformed),
            ("<a>", BadXml::Malformed),
            ("<a/><b/>", BadXml::Malformed),
            ("<a/>tail", BadXml::Malformed),
            ("", BadXml::Malformed),
            ("<a>&x;</a>", BadXml::Malformed),
            ("<a>&#x0;</a>", BadXml::Malformed),
            (
                "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
                BadXml::DocumentType,
            ),
            (deep.as_str(), BadXml::TooLarge),
        ] {
            assert_eq!(Node::read(text.as_bytes()), Err(why), "{text}");
        }
        assert_eq!(Node::read(b"<a>\xff</a>"), Err(BadXml::NotUtf8));
        let broad = "<a>".to_owned() + &"<b/>".repeat(MOST) + "</a>";
        assert_eq!(Node::read(broad.as_bytes()), Err(BadXml::TooLarge));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let node = Node::branch(
            "EBD",
            vec![
                Node::leaf("MsgDesc", "雨 < 50 & \"风\""),
                Node::leaf("Digest", ""),
            ],
        );
        assert_eq!(Node::read(&node.write(true)), Ok(node.clone()));
        let odd = Node::leaf("a", "x\u{0}y\u{1b}");
        assert_eq!(Node::read(&odd.write(false)), Ok(Node::leaf("a", "xy")));
    }
}
