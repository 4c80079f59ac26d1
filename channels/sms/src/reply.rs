//! What a person wrote back, and whether it acknowledges. This module must not say to which alert: whoever knows what
//! was sent to that number does.

pub use channel::Acknowledge;
use channel::{Address, Timestamp, Uplink};

use crate::text::read::{Script, read};

/// A reply as it lies on the wire.
pub(crate) struct Written<'a> {
    pub from: &'a [u8],
    pub to: &'a [u8],
    pub text: &'a [u8],
    pub script: Script,
    /// A concatenation header comes first.
    pub header: bool,
}

impl Written<'_> {
    pub fn uplink(&self, words: &Acknowledge, seen: Timestamp) -> Uplink {
        let text = read(self.text, self.script, self.header);
        let of = |address: &[u8]| String::from_utf8_lossy(address).into_owned();
        Uplink {
            acknowledges: words.accepts(&text),
            from: Address::new(of(self.from)),
            to: of(self.to),
            text,
            of: None,
            far: None,
            seen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_shows_neither_its_sender_nor_its_text() {
        let written = Written {
            from: b"8600000000001",
            to: b"10690000",
            text: "收到".as_bytes(),
            script: Script::Gbk,
            header: false,
        };
        let uplink = written.uplink(&Acknowledge::default(), Timestamp(5));
        let shown = format!("{uplink:?}");
        assert!(
            !shown.contains("00000000001") && !shown.contains(&uplink.text),
            "{shown}"
        );
    }
}
