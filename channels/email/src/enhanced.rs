//! Enhanced status codes (RFC 3463): finding one in a server's words, and what it blames. Pure. This module must not
//! decide for one step of a session or one kind of report: where a code blames nothing, its reader knows more.

use std::fmt;

use channel::FailureClass;

/// `x.y.z`: 2 done, 4 not now, 5 never; then what it is about, and the detail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Enhanced {
    pub class: u16,
    pub subject: u16,
    pub detail: u16,
}

impl Enhanced {
    /// The first such code that stands as a word of its own.
    pub(crate) fn find(text: &str) -> Option<Self> {
        text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.'))
            .find_map(Self::read)
    }

    fn read(word: &str) -> Option<Self> {
        let mut parts = word
            .split('.')
            .map(|part| part.parse::<u16>().ok().filter(|n| *n < 1000));
        let (class, subject, detail) = (parts.next()??, parts.next()??, parts.next()??);
        let found = Self {
            class,
            subject,
            detail,
        };
        (parts.next().is_none() && matches!(class, 2 | 4 | 5)).then_some(found)
    }

    pub(crate) fn is_lasting(self) -> bool {
        self.class == 5
    }

    /// It says no more than that something is wrong.
    pub(crate) fn is_vague(self) -> bool {
        (self.subject, self.detail) == (0, 0)
    }

    /// What a lasting refusal blames. A full mailbox may be emptied before the warning ends.
    pub(crate) fn blames(self) -> Option<FailureClass> {
        match (self.subject, self.detail) {
            (2, 2) => Some(FailureClass::Transient),
            // 1.7 and 1.8 speak of the sender's address.
            (1, 7 | 8) | (2, 3) | (3, 4) | (6, _) => Some(FailureClass::BadContent),
            // The account is closed, or belongs to another now.
            (7, 13 | 17 | 18) | (1, _) | (2, 1) | (4, 4) => Some(FailureClass::BadAddress),
            (7, _) => Some(FailureClass::BadContent),
            _ => None,
        }
    }
}

impl fmt::Display for Enhanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use FailureClass::{BadAddress, BadContent, Transient};

    use super::*;

    #[test]
    fn a_code_is_found_among_words_and_an_address_of_a_machine_is_none() {
        for (text, found) in [
            ("5.1.1 <a@example.org> unknown", Some("5.1.1")),
            ("host said: 5.1.10 null MX", Some("5.1.10")),
            ("550-5.2.1 The account is disabled", Some("5.2.1")),
            ("(#4.4.1)", Some("4.4.1")),
            ("2.0.0", Some("2.0.0")),
            ("blocked 5.6.7.8 today", None),
            ("10.0.0", None),
            ("5.1", None),
            ("5.1.1000", None),
            ("", None),
        ] {
            let got = Enhanced::find(text).map(|code| code.to_string());
            assert_eq!(got.as_deref(), found, "{text}");
        }
    }

    #[test]
    fn every_code_that_says_whom_to_blame_is_known() {
        for (code, blamed) in [
            ("5.0.0", None),
            ("5.1.0", Some(BadAddress)),
            ("5.1.1", Some(BadAddress)),
            ("5.1.2", Some(BadAddress)),
            ("5.1.6", Some(BadAddress)),
            ("5.1.7", Some(BadContent)),
            ("5.1.8", Some(BadContent)),
            ("5.1.10", Some(BadAddress)),
            ("5.2.1", Some(BadAddress)),
            ("5.2.2", Some(Transient)),
            ("5.2.3", Some(BadContent)),
            ("5.3.0", None),
            ("5.3.4", Some(BadContent)),
            ("5.4.4", Some(BadAddress)),
            ("5.4.7", None),
            ("5.5.2", None),
            ("5.6.1", Some(BadContent)),
            ("5.7.1", Some(BadContent)),
            ("5.7.13", Some(BadAddress)),
            ("5.7.26", Some(BadContent)),
        ] {
            let read = Enhanced::find(code).expect("a code");
            assert_eq!(read.blames(), blamed, "{code}");
        }
    }
}
