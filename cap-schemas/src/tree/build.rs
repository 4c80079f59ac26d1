//! Events to one tree, bounded in depth, names, attributes, texts and number. This module must not read on: it is handed
//! what comes.

use quick_xml::events::{BytesRef, BytesStart, Event};

use super::{Content, Namespace, Node, Refusal, blank, legal, name, refuse};
use crate::limits;
use crate::rules;

/// Builds one tree from events.
pub(crate) struct Builder {
    skipped: usize,
    /// Bytes that the message may have.
    message: usize,
    open: Vec<Node>,
    root: Option<Node>,
    elements: usize,
    /// Where the root starts.
    from: Option<usize>,
}

impl Builder {
    pub(crate) fn new(skipped: usize, message: usize) -> Self {
        Self {
            skipped,
            message,
            open: Vec::new(),
            root: None,
            elements: 0,
            from: None,
        }
    }

    /// The tree, once its root is closed.
    pub(crate) fn built(&mut self) -> Option<Node> {
        self.root.take()
    }

    pub(crate) fn open(
        &mut self,
        namespace: Namespace,
        start: &BytesStart<'_>,
        at: usize,
    ) -> Result<(), Refusal> {
        self.elements += 1;
        if at - *self.from.get_or_insert(at) > self.message {
            let most = format!("more than {} bytes", self.message);
            return Err(refuse(&rules::LIMIT, at, most));
        }
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
        let attributes = tag(start, at)?;
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

    pub(crate) fn take(&mut self, event: &Event<'_>, at: usize) -> Result<(), Refusal> {
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
        let most = limits::of_text(&node.name, self.message);
        if held > most {
            return Err(refuse(
                &rules::LIMIT,
                at,
                format!("more than {most} bytes of text in {}", node.name),
            ));
        }
        Ok(())
    }

    pub(crate) fn close(&mut self) {
        // The tokenizer has matched the names, so there is one to close.
        let Some(node) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some(parent) => parent.content.push(Content::Element(node)),
            None => self.root = Some(node),
        }
    }

    pub(super) fn finish(self, end: usize) -> Result<Node, Refusal> {
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

/// Checks a start tag and says whether any attribute is CAP's concern.
pub(crate) fn tag(start: &BytesStart<'_>, at: usize) -> Result<bool, Refusal> {
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
    attributes(start, at)
}

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

pub(crate) fn resolve(reference: &BytesRef<'_>) -> Option<char> {
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
