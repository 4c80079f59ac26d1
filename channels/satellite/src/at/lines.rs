//! Lines out of the bytes that a modem sends, and the prompt, which has no end of line. This module must not know what a
//! line means.

/// The longest line that is kept: a message of 176 octets in hexadecimal and a centre's address are 380.
const LONGEST: usize = 2_048;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Token {
    Line(String),
    /// `> `: the modem waits for a message.
    Prompt,
}

#[derive(Default)]
pub struct Lines {
    buffer: Vec<u8>,
    /// What stands in the buffer is the rest of a line that was too long.
    skipping: bool,
}

impl Lines {
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next line that is not empty. A prompt is one only where it is awaited, and where nothing stands behind it.
    pub fn next(&mut self, awaits_prompt: bool) -> Option<Token> {
        loop {
            let end = self.buffer.iter().position(|b| matches!(b, b'\r' | b'\n'));
            let Some(end) = end else {
                return self.rest(awaits_prompt);
            };
            let line: Vec<u8> = self.buffer.drain(..=end).take(end).collect();
            if std::mem::take(&mut self.skipping) {
                continue;
            }
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_matches(|c: char| c == ' ' || c == '\0' || c == '\u{1a}');
            if !text.is_empty() {
                return Some(Token::Line(text.to_owned()));
            }
        }
    }

    fn rest(&mut self, awaits_prompt: bool) -> Option<Token> {
        if awaits_prompt && self.buffer.trim_ascii() == b">" {
            self.buffer.clear();
            return Some(Token::Prompt);
        }
        if self.buffer.len() > LONGEST {
            self.buffer.clear();
            self.skipping = true;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(lines: &mut Lines, prompt: bool) -> Vec<Token> {
        std::iter::from_fn(|| lines.next(prompt)).collect()
    }

    #[test]
    fn lines_come_out_whole_however_they_arrive() {
        let mut lines = Lines::default();
        for piece in ["\r\n+CM", "GS: 7\r", "\n\r\nOK\r\n", "\r\n+CSQ"] {
            lines.push(piece.as_bytes());
        }
        let line = |text: &str| Token::Line(text.to_owned());
        assert_eq!(all(&mut lines, false), [line("+CMGS: 7"), line("OK")]);
    }

    #[test]
    fn a_prompt_is_seen_where_it_is_awaited_and_nowhere_else() {
        let mut lines = Lines::default();
        lines.push(b"\r\n> ");
        assert_eq!(lines.next(false), None);
        assert_eq!(lines.next(true), Some(Token::Prompt));
        lines.push(b"\r\n>");
        assert_eq!(all(&mut lines, true), [Token::Prompt]);
        lines.push(b"> 0011\r\n");
        assert_eq!(lines.next(true), Some(Token::Line("> 0011".to_owned())));
    }

    #[test]
    fn a_line_without_an_end_is_dropped_and_the_next_is_read() {
        let mut lines = Lines::default();
        for _ in 0..10 {
            lines.push(&[b'x'; 1_000]);
            assert_eq!(lines.next(true), None);
        }
        assert!(lines.buffer.len() <= LONGEST + 1_000);
        lines.push(b"x\r\nOK\r\n");
        assert_eq!(all(&mut lines, false), [Token::Line("OK".to_owned())]);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic_and_never_grow(
            pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..30), prompt in any::<bool>(),
        ) {
            let mut lines = Lines::default();
            for piece in pieces {
                lines.push(&piece);
                all(&mut lines, prompt);
                prop_assert!(lines.buffer.len() <= LONGEST);
            }
        }
    }
}
