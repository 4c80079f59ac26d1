//! Sentences of a terminal: `$`, a name and its fields, `*`, and the exclusive or of the bytes between, in hexadecimal. What
//! stands between may be Chinese in GBK, whose bytes are never `$`, `*` or an end of line. This module must not know a name.

/// The longest sentence that is kept: 14,000 bits in hexadecimal and its fields.
const LONGEST: usize = 4_096;

/// A sentence as it travels.
pub fn frame(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 6);
    out.push(b'$');
    out.extend_from_slice(body);
    out.extend_from_slice(format!("*{:02X}\r\n", sum(body)).as_bytes());
    out
}

fn sum(body: &[u8]) -> u8 {
    body.iter().fold(0, |sum, byte| sum ^ byte)
}

/// What is wrong with a line that begins like a sentence.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Broken {
    #[error("the checksum is missing")]
    Unsummed,
    #[error("the checksum is wrong")]
    Sum,
    #[error("the sentence does not end")]
    Long,
}

/// What stands between `$` and `*` of one line.
pub fn body(line: &[u8]) -> Result<&[u8], Broken> {
    let line = line.strip_prefix(b"$").unwrap_or(line);
    let star = line
        .iter()
        .rposition(|byte| *byte == b'*')
        .ok_or(Broken::Unsummed)?;
    let (body, rest) = line.split_at(star);
    let digits = std::str::from_utf8(&rest[1..]).map_err(|_| Broken::Unsummed)?;
    let given = u8::from_str_radix(digits.trim(), 16).map_err(|_| Broken::Unsummed)?;
    if given == sum(body) {
        Ok(body)
    } else {
        Err(Broken::Sum)
    }
}

/// Sentences out of bytes as they arrive; noise between them is let go.
#[derive(Default)]
pub struct Sentences {
    buffer: Vec<u8>,
}

impl Sentences {
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next one.
    pub fn take(&mut self) -> Option<Result<Vec<u8>, Broken>> {
        let start = self
            .buffer
            .iter()
            .position(|byte| *byte == b'$')
            .unwrap_or(self.buffer.len());
        self.buffer.drain(..start);
        let inside = self.buffer.get(1..).unwrap_or_default();
        // Another `$` begins a new sentence: the one before was cut off.
        let end = inside
            .iter()
            .position(|byte| matches!(byte, b'\r' | b'\n' | b'$'));
        let Some(end) = end else {
            if self.buffer.len() > LONGEST {
                self.buffer.clear();
                return Some(Err(Broken::Long));
            }
            return None;
        };
        let line: Vec<u8> = self.buffer.drain(..=end).collect();
        Some(body(&line).map(<[u8]>::to_vec))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Sentences that public material shows, with their checksums.
    const KNOWN: [&str; 5] = [
        "$CCICA,0,00*7B",
        "$CCRMO,BSI,2,0*26",
        "$BDICI,0242286,00242286,0000011,6,60,3,N,0*38",
        "$BDFKI,000000,TCQ,Y,5,0*74",
        "$CCTCQ,4238473,2,1,1,B1A9D3EABAECC9ABD4A4BEAFC7EBC1A2BCB4D7AAD2C6,0*0D",
    ];

    #[test]
    fn known_sentences_are_read_and_written_the_same() {
        for known in KNOWN {
            let body = body(known.as_bytes()).unwrap_or_else(|e| panic!("{known}: {e}"));
            assert_eq!(frame(body), format!("{known}\r\n").as_bytes());
        }
    }

    #[test]
    fn a_damaged_sentence_is_refused_and_the_next_is_read() {
        let mut sentences = Sentences::default();
        sentences.push(b"\xFFnoise$CCICA,0,01*7B\r\n$BDICI,02$CCICA,0,00*7B\r\n$CCICA,0,00\r\n$CC");
        let all: Vec<_> = std::iter::from_fn(|| sentences.take()).collect();
        let good = Ok(b"CCICA,0,00".to_vec());
        assert_eq!(
            all,
            [
                Err(Broken::Sum),
                Err(Broken::Unsummed),
                good,
                Err(Broken::Unsummed)
            ]
        );
        sentences.push(b"ICA,0,00*7B\r\n");
        assert_eq!(sentences.take(), Some(Ok(b"CCICA,0,00".to_vec())));
    }

    #[test]
    fn gbk_stands_in_a_sentence_as_it_is() {
        let text = encoding_rs::GBK.encode("暴雨红色预警").0;
        let inside = [&b"BDTXR,1,0242286,0,,"[..], &text].concat();
        let mut sentences = Sentences::default();
        sentences.push(&frame(&inside));
        assert_eq!(sentences.take(), Some(Ok(inside)));
    }

    proptest! {
        #[test]
        fn any_cut_yields_the_same_sentences(bodies in proptest::collection::vec("[A-Z0-9,]{1,40}", 1..6), cut in 1_usize..9) {
            let bytes: Vec<u8> = bodies.iter().flat_map(|body| frame(body.as_bytes())).collect();
            let mut sentences = Sentences::default();
            let mut read = Vec::new();
            for piece in bytes.chunks(cut) {
                sentences.push(piece);
                read.extend(std::iter::from_fn(|| sentences.take()));
            }
            let wanted: Vec<_> = bodies.into_iter().map(|body| Ok(body.into_bytes())).collect();
            prop_assert_eq!(read, wanted);
        }

        #[test]
        fn arbitrary_bytes_never_panic_and_never_grow(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..500), 0..30)) {
            let mut sentences = Sentences::default();
            for piece in pieces {
                sentences.push(&piece);
                while sentences.take().is_some() {}
                prop_assert!(sentences.buffer.len() <= LONGEST);
            }
        }
    }
}
