//! What a person wrote back, and whether it acknowledges. This module must not say to which alert: whoever knows what
//! was sent to that number does.

use channel::{Address, Timestamp, Uplink};
use serde::Deserialize;

use crate::text::read::{Script, read};

/// The words by which a person acknowledges. One of them is the whole text, but for spaces, signs and letter case.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(transparent)]
pub struct Acknowledge(Vec<String>);

impl Default for Acknowledge {
    fn default() -> Self {
        Self(["1", "收到"].map(str::to_owned).to_vec())
    }
}

impl Acknowledge {
    pub fn new(words: impl IntoIterator<Item = String>) -> Self {
        Self(words.into_iter().collect())
    }

    /// No word would take every empty text.
    pub fn is_valid(&self) -> bool {
        self.0.iter().all(|word| !plain(word).is_empty())
    }

    /// Whether this is one of the words.
    pub fn accepts(&self, text: &str) -> bool {
        let text = plain(text);
        self.0.iter().any(|word| plain(word) == text)
    }

    pub(crate) fn uplink(&self, written: &Written<'_>, seen: Timestamp) -> Uplink {
        let text = read(written.text, written.script, written.header);
        let of = |address: &[u8]| String::from_utf8_lossy(address).into_owned();
        Uplink {
            acknowledges: self.accepts(&text),
            from: Address::new(of(written.from)),
            to: of(written.to),
            text,
            of: None,
            far: None,
            seen,
        }
    }
}

/// A reply as it lies on the wire.
pub(crate) struct Written<'a> {
    pub from: &'a [u8],
    pub to: &'a [u8],
    pub text: &'a [u8],
    pub script: Script,
    /// A concatenation header comes first.
    pub header: bool,
}

/// Letters and digits alone, in one width and one case.
fn plain(text: &str) -> String {
    let half = |c: char| match c {
        // Full-width forms lie this far from ASCII's.
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        c => c,
    };
    let kept = text.chars().map(half).filter(|c| c.is_alphanumeric());
    kept.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_the_whole_text_but_for_signs_and_width() {
        let words = Acknowledge::new(["1".to_owned(), "收到".to_owned(), "OK".to_owned()]);
        for yes in ["1", " １。", "收到！", "收 到", "ok", "Ｏk"] {
            assert!(words.accepts(yes), "{yes}");
        }
        for no in ["", "11", "没收到", "收到1", "2", "。"] {
            assert!(!words.accepts(no), "{no}");
        }
        assert!(
            !Acknowledge::new(["。".to_owned()]).is_valid(),
            "it would take every empty text"
        );
    }

    #[test]
    fn a_reply_shows_neither_its_sender_nor_its_text() {
        let written = Written {
            from: b"8600000000001",
            to: b"10690000",
            text: "收到".as_bytes(),
            script: Script::Gbk,
            header: false,
        };
        let uplink = Acknowledge::default().uplink(&written, Timestamp(5));
        let shown = format!("{uplink:?}");
        assert!(
            !shown.contains("00000000001") && !shown.contains(&uplink.text),
            "{shown}"
        );
    }
}
