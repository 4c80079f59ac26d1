//! The far end's XML: one element with flat children. This module must not follow anything: a document type, a deep tree
//! or a long one is refused.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, Event};

/// Children that are kept, and the deepest element.
const MOST: usize = 64;
const DEEPEST: usize = 8;

/// The children of the one element, by name; what lies deeper is passed over.
#[derive(Debug, Default)]
pub struct Flat(BTreeMap<String, String>);

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("this is not the far end's XML")]
pub struct NotXml;

impl Flat {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub fn read(text: &str) -> Result<Self, NotXml> {
        let mut reader = Reader::from_str(text);
        let mut flat = Self::default();
        let mut open: Vec<String> = Vec::new();
        let mut roots = 0;
        loop {
            let event = reader.read_event().map_err(|_| NotXml)?;
            let part = match event {
                Event::Eof => break,
                Event::DocType(_) => return Err(NotXml),
                Event::Start(start) => {
                    roots += usize::from(open.is_empty());
                    open.push(start.name().0.to_owned());
                    if open.len() > DEEPEST || roots > 1 {
                        return Err(NotXml);
                    }
                    continue;
                }
                Event::End(_) => {
                    open.pop();
                    continue;
                }
                Event::Text(text) => text.xml10_content().into_owned(),
                Event::CData(text) => text.xml10_content().into_owned(),
                Event::GeneralRef(reference) => meant(&reference)?,
                _ => continue,
            };
            if let [_, name] = open.as_slice() {
                if flat.0.len() >= MOST && !flat.0.contains_key(name) {
                    return Err(NotXml);
                }
                flat.0.entry(name.clone()).or_default().push_str(&part);
            }
        }
        if roots == 1 && open.is_empty() {
            Ok(flat)
        } else {
            Err(NotXml)
        }
    }
}

fn meant(reference: &BytesRef<'_>) -> Result<String, NotXml> {
    if let Ok(Some(c)) = reference.resolve_char_ref() {
        return Ok(c.to_string());
    }
    resolve_xml_entity(reference)
        .map(str::to_owned)
        .ok_or(NotXml)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn children_are_read_with_or_without_cdata() {
        let text = "<xml><A><![CDATA[a<b]]></A>\n<B>12</B><C>a &lt;&#20320;&amp;</C><D/><E><F>deep</F></E></xml>";
        let flat = Flat::read(text).unwrap();
        assert_eq!(flat.get("A"), Some("a<b"));
        assert_eq!(flat.get("B"), Some("12"));
        assert_eq!(flat.get("C"), Some("a <你&"));
        assert_eq!((flat.get("D"), flat.get("F")), (None, None));
    }

    #[test]
    fn what_could_do_harm_is_refused() {
        let many = (0..100).fold(String::new(), |many, n| many + &format!("<a{n}>1</a{n}>"));
        for bad in [
            "",
            "text",
            "<xml>",
            "<xml></xml><xml></xml>",
            "<!DOCTYPE xml [<!ENTITY x \"y\">]><xml><A>&x;</A></xml>",
            "<xml><A>&x;</A></xml>",
            "<a><a><a><a><a><a><a><a><a></a></a></a></a></a></a></a></a></a>",
            &format!("<xml>{many}</xml>"),
        ] {
            assert_eq!(Flat::read(bad).err(), Some(NotXml), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[<>/a-c&;!\\[\\]x\u{4f60}]{0,60}") {
            let _ = Flat::read(&text);
        }

        #[test]
        fn a_value_comes_out_as_it_went_in(value in "[^\\x00-\\x1f\\]\r]{1,40}") {
            let text = format!("<xml><A><![CDATA[{value}]]></A></xml>");
            let flat = Flat::read(&text).unwrap();
            prop_assert_eq!(flat.get("A"), Some(value.as_str()));
        }
    }
}
