//! Text to a small tree of elements with their byte offsets. Stricter than its tokenizer: no DOCTYPE, no entity but
//! XML's own five, one root, legal characters, bounded depth and counts. This module must not know CAP's elements,
//! only its namespaces.

mod build;

use quick_xml::NsReader;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;

pub(crate) use build::{Builder, resolve, tag};

use crate::codes::Version;
use crate::rules::{self, Rule};

const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
/// What the national platform's builders write where they write a namespace at all.
const PLATFORM: &str = "http://com.icss.amp";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Namespace {
    Cap(Version),
    Signature,
    /// The national warning platform's.
    Platform,
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
pub(crate) fn parse(text: &str, skipped: usize, message: usize) -> Result<Node, Refusal> {
    parse_at(text, skipped, message).map_err(|refusal| Refusal {
        at: refusal.at + skipped,
        ..refusal
    })
}

fn parse_at(text: &str, skipped: usize, message: usize) -> Result<Node, Refusal> {
    let mut reader = reader(text)?;
    let mut builder = Builder::new(skipped, message);
    loop {
        let (event, at) = next(&mut reader)?;
        match event {
            Event::Eof => return builder.finish(text.len()),
            Event::Start(start) => {
                let namespace = namespace(&reader, &start, at)?;
                builder.open(namespace, &start, at)?;
            }
            other => builder.take(&other, at)?,
        }
    }
}

/// A reader of a text that holds no character that XML does not allow.
pub(crate) fn reader(text: &str) -> Result<NsReader<&[u8]>, Refusal> {
    // What is not allowed begins with one of these bytes, which are rare: most texts need no look at their characters.
    let suspect =
        |byte: u8| byte == 0xEF || (byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r'));
    let all = text.bytes().any(suspect).then(|| text.char_indices());
    if let Some((at, c)) = all.into_iter().flatten().find(|&(_, c)| !legal(c)) {
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
    Ok(reader)
}

/// The next event and where it starts.
pub(crate) fn next<'t>(reader: &mut NsReader<&'t [u8]>) -> Result<(Event<'t>, usize), Refusal> {
    let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
    match reader.read_event() {
        Ok(event) => Ok((event, at)),
        Err(error) => {
            let at = usize::try_from(reader.error_position()).unwrap_or(at);
            Err(refuse(&rules::WELL_FORMED, at, error.to_string()))
        }
    }
}

pub(crate) fn refuse(rule: &'static Rule, at: usize, why: impl Into<String>) -> Refusal {
    Refusal {
        rule,
        at,
        why: why.into(),
    }
}

pub(crate) fn namespace(
    reader: &NsReader<&[u8]>,
    start: &BytesStart<'_>,
    at: usize,
) -> Result<Namespace, Refusal> {
    match reader.resolver().resolve_element(start.name()).0 {
        ResolveResult::Unbound => Ok(Namespace::None),
        ResolveResult::Bound(bound) if bound.0 == SIGNATURE => Ok(Namespace::Signature),
        ResolveResult::Bound(bound) if bound.0.trim() == PLATFORM => Ok(Namespace::Platform),
        ResolveResult::Bound(bound) => {
            Ok(Version::of_namespace(bound.0.trim()).map_or(Namespace::Other, Namespace::Cap))
        }
        ResolveResult::Unknown(prefix) => Err(refuse(
            &rules::WELL_FORMED,
            at,
            format!("the prefix {prefix} is not bound"),
        )),
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
