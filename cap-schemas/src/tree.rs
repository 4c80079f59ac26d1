//! Text to a small tree of elements with their byte offsets. Stricter than its tokenizer: no DOCTYPE, no entity but
//! XML's own five, one root, legal characters, bounded depth and counts. This module must not know CAP's elements,
//! only its namespaces.

use quick_xml::NsReader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::ResolveResult;

use crate::codes::Version;
use crate::limits;
use crate::rules::{self, Rule};

const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Namespace {
    Cap(Version),
    Signature,
    None,
    Other,
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) namespace: Namespace,
    /// Without its prefix.
    pub(crate) name: String,
    /// Byte offset of its start tag.
    pub(crate) at: usize,
    /// It has attributes other than `xmlns`, `xml:` and `xsi:`.
    pub(crate) attributes: bool,
    pub(crate) content: Vec<Content>,
}

#[derive(Debug)]
pub(crate) enum Content {
    Text(String),
    Element(Node),
}

/// Why there is no tree.
pub(crate) struct Refusal {
    pub(crate) rule: &'static Rule,
    pub(crate) at: usize,
    pub(crate) why: String,
}

impl Node {
    pub(crate) fn elements(&self) -> impl Iterator<Item = &Self> {
        self.content.iter().filter_map(|content| match content {
            Content::Element(node) => Some(node),
            Content::Text(_) => None,
        })
    }

    /// All text below, in order, elements and comments passed over: a comment cannot cut a value short.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        self.gather(&mut text);
        text
    }

    fn gather(&self, text: &mut String) {
        for content in &self.content {
            match content {
                Content::Text(part) => text.push_str(part),
                Content::Element(node) => node.gather(text),
            }
        }
    }
}

/// The root of a document. `skipped` bytes before the text count in every offset.
pub(crate) fn parse(text: &str, skipped: usize) -> Result<Node, Refusal> {
    parse_at(text, skipped).map_err(|refusal| Refusal {
        at: refusal.at + skipped,
        ..refusal
    })
}

fn parse_at(text: &str, skipped: usize) -> Result<Node, Refusal> {
    if let Some((at, c)) = text.char_indices().find(|&(_, c)| !legal(c)) {
        return Err(refuse(
            &rules::WELL_FORMED,
            at,
            format!("character U+{:04X}", u32::from(c)),
        ));
    }
    let mut reader = NsReader::from_str(text);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    config.check_comments = true;
    let mut builder = Builder {
        skipped,
        ..Builder::default()
    };
    loop {
        let at = position(&reader);
        let event = reader.read_event().map_err(|error| {
            let at = usize::try_from(reader.error_position()).unwrap_or(at);
            refuse(&rules::WELL_FORMED, at, error.to_string())
        })?;
        match event {
            Event::Eof => return builder.finish(text.len()),
            Event::Start(start) => {
                let namespace = namespace(&reader, &start)
                    .map_err(|why| refuse(&rules::WELL_FORMED, at, why))?;
                builder.open(namespace, &start, at)?;
            }
            other => builder.take(&other, at)?,
        }
    }
}

fn position(reader: &NsReader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}

fn refuse(rule: &'static Rule, at: usize, why: impl Into<String>) -> Refusal {
    Refusal {
        rule,
        at,
        why: why.into(),
    }
}

fn namespace(reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Result<Namespace, String> {
    match reader.resolver().resolve_element(start.name()).0 {
        ResolveResult::Unbound => Ok(Namespace::None),
        ResolveResult::Bound(bound) if bound.0 == SIGNATURE => Ok(Namespace::Signature),
        ResolveResult::Bound(bound) => {
            Ok(Version::of_namespace(bound.0.trim()).map_or(Namespace::Other, Namespace::Cap))
        }
        ResolveResult::Unknown(prefix) => Err(format!("the prefix {prefix} is not bound")),
    }
}

#[derive(Default)]
struct Builder {
    skipped: usize,
    open: Vec<Node>,
    root: Option<Node>,
    elements: usize,
}

impl Builder {
    fn open(
        &mut self,
        namespace: Namespace,
        start: &BytesStart<'_>,
        at: usize,
    ) -> Result<(), Refusal> {
        self.elements += 1;
        if self.open.len() >= limits::DEPTH {
            return Err(refuse(
                &rules::LIMIT,
                at,
                format!("more than {} levels of elements", limits::DEPTH),
            ));
        }
        if self.elements > limits::ELEMENTS {
            return Err(refuse(
                &rules::LIMIT,
                at,
                format!("more than {} elements", limits::ELEMENTS),
            ));
        }
        if self.root.is_some() {
            return Err(refuse(&rules::WELL_FORMED, at, "a second root element"));
        }
        if start.name().0.len() > limits::TAG {
            return Err(refuse(&rules::LIMIT, at, "a name that is too long"));
        }
        if !start.name().0.split(':').all(name) {
            return Err(refuse(
                &rules::WELL_FORMED,
                at,
                "a name that XML does not allow",
            ));
        }
        let attributes = attributes(start, at)?;
        let name = start.local_name().into_inner().to_owned();
        self.open.push(Node {
            namespace,
            name,
            at: at + self.skipped,
            attributes,
            content: Vec::new(),
        });
        Ok(())
    }

    fn take(&mut self, event: &Event<'_>, at: usize) -> Result<(), Refusal> {
        match event {
            Event::End(_) => self.close(),
            Event::Text(text) if text.contains("]]>") => {
                return Err(refuse(&rules::WELL_FORMED, at, "]]> in text"));
            }
            Event::Text(text) => self.text(&text.xml10_content(), at)?,
            Event::CData(text) if !self.open.is_empty() => self.text(&text.xml10_content(), at)?,
            Event::GeneralRef(reference) if !self.open.is_empty() => {
                let c = resolve(reference).ok_or_else(|| {
                    refuse(
                        &rules::WELL_FORMED,
                        at,
                        "a reference to an entity or character that XML does not know",
                    )
                })?;
                self.text(c.encode_utf8(&mut [0; 4]), at)?;
            }
            Event::CData(_) | Event::GeneralRef(_) => {
                return Err(refuse(
                    &rules::WELL_FORMED,
                    at,
                    "text outside the root element",
                ));
            }
            Event::DocType(_) => return Err(refuse(&rules::NO_DTD, at, "DOCTYPE")),
            Event::Decl(_) if at > 0 => {
                return Err(refuse(&rules::WELL_FORMED, at, "a second XML declaration"));
            }
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, part: &str, at: usize) -> Result<(), Refusal> {
        let Some(node) = self.open.last_mut() else {
            return if blank(part) {
                Ok(())
            } else {
                Err(refuse(
                    &rules::WELL_FORMED,
                    at,
                    "text outside the root element",
                ))
            };
        };
        let held = if let Some(Content::Text(text)) = node.content.last_mut() {
            text.push_str(part);
            text.len()
        } else {
            node.content.push(Content::Text(part.to_owned()));
            part.len()
        };
        let most = limits::of_text(&node.name);
        if held > most {
            return Err(refuse(
                &rules::LIMIT,
                at,
                format!("more than {most} bytes of text in {}", node.name),
            ));
        }
        Ok(())
    }

    fn close(&mut self) {
        // The tokenizer has matched the names, so there is one to close.
        let Some(node) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some(parent) => parent.content.push(Content::Element(node)),
            None => self.root = Some(node),
        }
    }

    fn finish(self, end: usize) -> Result<Node, Refusal> {
        if let Some(node) = self.open.last() {
            return Err(refuse(
                &rules::WELL_FORMED,
                end,
                format!("{} is never closed", node.name),
            ));
        }
        self.root
            .ok_or_else(|| refuse(&rules::WELL_FORMED, end, "there is no root element"))
    }
}

/// Checks the attributes and says whether any is CAP's concern.
fn attributes(start: &BytesStart<'_>, at: usize) -> Result<bool, Refusal> {
    let mut any = false;
    let mut count = 0;
    for attribute in start.attributes() {
        let attribute =
            attribute.map_err(|error| refuse(&rules::WELL_FORMED, at, error.to_string()))?;
        count += 1;
        if count > limits::ATTRIBUTES {
            return Err(refuse(
                &rules::LIMIT,
                at,
                format!("more than {} attributes", limits::ATTRIBUTES),
            ));
        }
        let bad =
            attribute.value.contains('<') || quick_xml::escape::unescape(&attribute.value).is_err();
        if bad || !attribute.key.0.split(':').all(name) {
            return Err(refuse(
                &rules::WELL_FORMED,
                at,
                "an attribute that XML does not allow",
            ));
        }
        let key = attribute.key.0;
        any |= key != "xmlns"
            && !["xmlns:", "xml:", "xsi:"]
                .iter()
                .any(|prefix| key.starts_with(prefix));
    }
    Ok(any)
}

fn resolve(reference: &BytesRef<'_>) -> Option<char> {
    if reference.is_char_ref() {
        return reference
            .resolve_char_ref()
            .ok()
            .flatten()
            .filter(|&c| legal(c));
    }
    match &**reference {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

/// A character that XML 1.0 allows.
pub(crate) const fn legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{1_0000}'..)
        && !matches!(c, '\u{FFFE}' | '\u{FFFF}')
}

fn name(part: &str) -> bool {
    let start = |c: char| c.is_alphabetic() || c == '_';
    part.chars().next().is_some_and(start)
        && part.chars().all(|c| {
            start(c)
                || c.is_alphanumeric()
                || matches!(c, '-' | '.' | '\u{B7}' | '\u{300}'..='\u{36F}')
        })
}

/// Nothing but XML's white space.
pub(crate) fn blank(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

/// Without XML's white space around it.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}
