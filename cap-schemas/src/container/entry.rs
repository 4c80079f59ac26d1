//! What one entry of a feed or envelope has besides a whole alert: a link, single CAP fields, a text that may hold an
//! alert of its own, an encrypted part. This module must not report more than one thing about an entry.

use std::borrow::Cow;

use quick_xml::events::{BytesStart, Event};

use crate::base64;
use crate::rules::{self, Rule};
use crate::tree::{Namespace, Refusal, refuse, resolve, trim};

/// Elements whose text may be a document.
const TEXTS: [&str; 5] = [
    "content",
    "summary",
    "description",
    "encoded",
    "contentData",
];

#[derive(Default)]
pub(super) struct Entry {
    /// Byte offset of its start tag.
    pub(super) at: usize,
    /// It held an alert.
    pub(super) held: bool,
    /// What it has instead, the most telling.
    has: Has,
    text: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Has {
    #[default]
    Nothing,
    Link,
    Fields,
    Encrypted,
}

impl Entry {
    pub(super) fn at(at: usize) -> Self {
        Self {
            at,
            ..Self::default()
        }
    }

    pub(super) fn start(&mut self, name: &str, namespace: Namespace, start: &BytesStart<'_>) {
        let source = || {
            let mut attributes = start.attributes().flatten();
            attributes.any(|one| matches!(one.key.0, "src" | "href"))
        };
        let has = match name {
            "EncryptedData" => Has::Encrypted,
            _ if matches!(namespace, Namespace::Cap(_)) => Has::Fields,
            "link" | "uri" | "resourceURI" => Has::Link,
            "content" if source() => Has::Link,
            _ => Has::Nothing,
        };
        self.has = self.has.max(has);
        if TEXTS.contains(&name) {
            self.text = Some(String::new());
        }
    }

    pub(super) fn take(
        &mut self,
        event: &Event<'_>,
        at: usize,
        most: usize,
    ) -> Result<(), Refusal> {
        let part: Cow<'_, str> = match event {
            Event::Text(text) => text.xml10_content(),
            Event::CData(text) => text.xml10_content(),
            Event::GeneralRef(reference) => {
                let why = "a reference to an entity or character that XML does not know";
                let c = resolve(reference);
                c.ok_or_else(|| refuse(&rules::WELL_FORMED, at, why))?
                    .to_string()
                    .into()
            }
            _ => return Ok(()),
        };
        // A longer text is no message that could be taken.
        if let Some(text) = self.text.as_mut().filter(|text| text.len() <= most) {
            text.push_str(&part);
        }
        Ok(())
    }

    /// The document that an element's text was, if it was one.
    pub(super) fn close(&mut self, name: &str) -> Option<String> {
        if !TEXTS.contains(&name) {
            return None;
        }
        let text = self.text.take()?;
        let decoded = || String::from_utf8(base64::decode(&text)?).ok();
        let text = if name == "contentData" {
            decoded().unwrap_or(text)
        } else {
            text
        };
        is_message(&text).then_some(text)
    }

    /// What is to be said about it, if it held no alert.
    pub(super) fn verdict(&self) -> Option<&'static Rule> {
        match self.has {
            _ if self.held => None,
            Has::Encrypted => Some(&rules::ENTRY_ENCRYPTED),
            Has::Fields => Some(&rules::ENTRY_INDEX),
            Has::Link => Some(&rules::ENTRY_LINK),
            Has::Nothing => Some(&rules::ENTRY_NONE),
        }
    }
}

/// A text that starts as a document whose root is an alert.
fn is_message(text: &str) -> bool {
    let text = trim(text);
    let body = match text.strip_prefix("<?xml") {
        Some(rest) => trim(rest.split_once("?>").map_or("", |(_, body)| body)),
        None => text,
    };
    body.strip_prefix('<').is_some_and(|rest| {
        let end = rest.find([' ', '\t', '\r', '\n', '>', '/']);
        let tag = &rest[..end.unwrap_or(rest.len())];
        tag.rsplit(':').next() == Some("alert")
    })
}
