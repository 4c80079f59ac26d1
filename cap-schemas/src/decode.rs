//! Bytes to text: a byte order mark beats the declaration, the declaration beats the default, UTF-8. Says where the
//! bytes did not decode, and repairs only so far that the text can be read at all. This module must not parse XML
//! beyond the declaration's encoding.

use std::borrow::Cow;

use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE,
    WINDOWS_1252,
};

use crate::finding::{Findings, Place};
use crate::rules;

/// The declaration ends within this many bytes, or there is none.
const DECLARATION: usize = 512;

/// The text of a document, or nothing where its encoding is not supported.
pub(crate) fn decode<'a>(bytes: &'a [u8], findings: &mut Findings) -> Option<Cow<'a, str>> {
    let here = Place::new("/", 0);
    let label = declared(bytes);
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        if label
            .and_then(supported)
            .is_some_and(|declared| declared != encoding)
        {
            findings.warn(&rules::ENCODING_DECLARED, &here, label.unwrap_or_default());
        }
        return Some(with(encoding, &bytes[length..], findings));
    }
    match bytes {
        [b'<', 0, ..] => return Some(with(UTF_16LE, bytes, findings)),
        [0, b'<', ..] => return Some(with(UTF_16BE, bytes, findings)),
        _ => {}
    }
    let Some(label) = label else {
        return Some(with(UTF_8, bytes, findings));
    };
    match supported(label) {
        // Its declaration could be read byte by byte, so it is not UTF-16 whatever it says.
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => {
            findings.warn(&rules::ENCODING_DECLARED, &here, label);
            Some(with(UTF_8, bytes, findings))
        }
        Some(encoding) => Some(with(encoding, bytes, findings)),
        None => {
            findings.quote(&rules::ENCODING_UNKNOWN, &here, label);
            None
        }
    }
}

fn with<'a>(encoding: &'static Encoding, bytes: &'a [u8], findings: &mut Findings) -> Cow<'a, str> {
    if let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(bytes) {
        return text;
    }
    let here = Place::new("/", encoding_rs::Encoding::utf8_valid_up_to(bytes));
    let repair = if encoding == UTF_8 {
        guess(bytes)
    } else {
        encoding
    };
    findings.quote(&rules::ENCODING, &here, repair.name());
    repair.decode_without_bom_handling(bytes).0
}

/// What bytes that claim to be UTF-8 and are not probably are. In GBK text the high bytes come in pairs; in a Western
/// one they mostly stand alone.
fn guess(bytes: &[u8]) -> &'static Encoding {
    let mut runs = bytes
        .split(u8::is_ascii)
        .filter(|run| !run.is_empty())
        .peekable();
    let paired = runs.peek().is_some() && runs.all(|run| run.len() % 2 == 0);
    if paired
        && GB18030
            .decode_without_bom_handling_and_without_replacement(bytes)
            .is_some()
    {
        GB18030
    } else {
        WINDOWS_1252
    }
}

/// The encodings that real feeds use, and no others: what looks like ASCII must be ASCII.
fn supported(label: &str) -> Option<&'static Encoding> {
    let encoding = Encoding::for_label(label.as_bytes())?;
    let name = encoding.name();
    let known = [
        UTF_8, UTF_16LE, UTF_16BE, GBK, GB18030, BIG5, EUC_KR, EUC_JP, SHIFT_JIS,
    ];
    (known.contains(&encoding) || name.starts_with("ISO-8859-") || name.starts_with("windows-125"))
        .then_some(encoding)
}

/// The encoding that the XML declaration names, where it can be read as ASCII.
fn declared(bytes: &[u8]) -> Option<&str> {
    let bytes = bytes
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(bytes)
        .trim_ascii_start();
    let head = &bytes[..bytes.len().min(DECLARATION)];
    let head = head.strip_prefix(b"<?xml")?;
    let end = head.windows(2).position(|pair| pair == b"?>")?;
    let head = std::str::from_utf8(&head[..end]).ok()?;
    let value = head
        .split_once("encoding")?
        .1
        .trim_ascii_start()
        .strip_prefix('=')?
        .trim_ascii_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split_once(quote).map(|(label, _)| label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> (Option<String>, Vec<&'static str>) {
        let mut findings = Findings::default();
        let text = decode(bytes, &mut findings).map(Cow::into_owned);
        (
            text,
            findings.done().iter().map(|finding| finding.rule).collect(),
        )
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn every_declared_encoding_gives_the_same_text() {
        for (label, encoding) in [
            ("GBK", GBK),
            ("gb2312", GBK),
            ("GB18030", GB18030),
            ("Big5", BIG5),
            ("utf-8", UTF_8),
        ] {
            let text = format!("<?xml version='1.0' encoding='{label}'?><a>大雨</a>");
            assert_eq!(
                decoded(&encoding.encode(&text).0),
                (Some(text), vec![]),
                "{label}"
            );
        }
        let text = "<?xml version=\"1.0\" encoding = \"ISO-8859-1\"?><a>Québec</a>";
        assert_eq!(
            decoded(&WINDOWS_1252.encode(text).0),
            (Some(text.into()), vec![])
        );
    }

    #[test]
    fn utf_16_is_read_with_and_without_a_byte_order_mark() {
        let text = "<a>暴雨</a>";
        for bytes in [utf16(text, u16::to_le_bytes), utf16(text, u16::to_be_bytes)] {
            assert_eq!(decoded(&bytes), (Some(text.into()), vec![]));
        }
        assert_eq!(
            decoded(&utf16(&format!("\u{FEFF}{text}"), u16::to_le_bytes)),
            (Some(text.into()), vec![])
        );
    }

    #[test]
    fn a_byte_order_mark_beats_the_declaration() {
        let text = "<?xml version='1.0' encoding='GBK'?><a>雨</a>";
        let (read, rules) = decoded(format!("\u{FEFF}{text}").as_bytes());
        assert_eq!(
            (read.as_deref(), rules),
            (Some(text), vec!["CAP-1.2/xml/encoding-declared"])
        );
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_read_and_reported() {
        let (text, rules) = decoded(b"<a>Qu\xE9bec</a>");
        assert_eq!(
            (text.as_deref(), rules),
            (Some("<a>Québec</a>"), vec!["CAP-1.2/xml/encoding"])
        );
        let (text, rules) = decoded(&GBK.encode("<a>暴雨红色预警</a>").0);
        assert_eq!(
            (text.as_deref(), rules),
            (Some("<a>暴雨红色预警</a>"), vec!["CAP-1.2/xml/encoding"])
        );
    }

    #[test]
    fn an_encoding_in_which_ascii_is_not_ascii_is_refused() {
        for label in ["UTF-7", "IBM037", "ISO-2022-JP", "nonsense"] {
            let (text, rules) =
                decoded(format!("<?xml version='1.0' encoding='{label}'?><a/>").as_bytes());
            assert_eq!(
                (text, rules),
                (None, vec!["CAP-1.2/xml/encoding-unknown"]),
                "{label}"
            );
        }
    }
}
