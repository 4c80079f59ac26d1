//! A `deliver_sm` with a receipt in it becomes a `channel::Receipt`. The optional parameters are believed first, the text
//! form after them. This module must not keep the text of a receipt: it repeats the start of the message.

use channel::{Of, Receipt, Timestamp, Verdict};

use super::{Stats, moment};
use crate::codec::smpp::{Sm, tag};
use crate::config::ReceiptId;

/// How receipts of this account are to be read.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    pub id: ReceiptId,
    pub utc_offset_minutes: Option<i16>,
    pub stats: &'a Stats,
}

/// The reference that an answer's `message_id` is kept under.
pub fn reference(message_id: &[u8], form: ReceiptId) -> String {
    let text = bounded(message_id);
    match form {
        ReceiptId::AsIs => text,
        ReceiptId::Hex => canonical(text, 10),
        ReceiptId::Decimal => canonical(text, 16),
    }
}

/// Reads a receipt, or `None` where it names no message.
pub fn read(sm: &Sm<'_>, reading: Reading<'_>, seen: Timestamp) -> Option<Receipt> {
    let text = if sm.text.is_empty() {
        sm.tlvs.get(tag::MESSAGE_PAYLOAD).unwrap_or_default()
    } else {
        sm.text
    };
    let mut id = None;
    let mut state = None;
    let mut error = None;
    for (tag, value) in sm.tlvs.iter() {
        match tag {
            tag::RECEIPTED_MESSAGE_ID => id = Some(reference(until_zero(value), reading.id)),
            tag::MESSAGE_STATE => state = value.first().copied().and_then(name),
            tag::NETWORK_ERROR_CODE if value.len() == 3 => {
                error = Some(format!("{:03}", u16::from_be_bytes([value[1], value[2]])));
            }
            _ => {}
        }
    }
    let id = match id.filter(|id| !id.is_empty()) {
        Some(id) => id,
        None => from_text(field(text, b"id:")?, reading.id),
    };
    let state = state
        .or_else(|| field(text, b"stat:").map(known))
        .unwrap_or("UNKNOWN");
    let mut code = state.to_owned();
    let mut verdict = reading.stats.verdict(&code);
    if matches!(verdict, Verdict::Refused(_))
        && let Some(error) = error.or_else(|| field(text, b"err:").and_then(short))
    {
        code.push(' ');
        code.push_str(&error);
        verdict = reading.stats.verdict(&code);
    }
    let far = reading
        .utc_offset_minutes
        .and_then(|offset| moment(field(text, b"done date:")?, offset));
    Some(Receipt {
        of: Of::Reference(id),
        verdict,
        code,
        far,
        seen,
    })
}

const STATES: [(u8, &str); 8] = [
    (1, "ENROUTE"),
    (2, "DELIVRD"),
    (3, "EXPIRED"),
    (4, "DELETED"),
    (5, "UNDELIV"),
    (6, "ACCEPTD"),
    (7, "UNKNOWN"),
    (8, "REJECTD"),
];

fn name(state: u8) -> Option<&'static str> {
    STATES
        .iter()
        .find(|(number, _)| *number == state)
        .map(|(_, name)| *name)
}

/// The number of a state, for whoever writes receipts.
pub fn number(state: &str) -> u8 {
    STATES
        .iter()
        .find(|(_, name)| *name == state)
        .map_or(7, |(number, _)| *number)
}

/// The state that is meant by a word; `UNKNOWN` for any other word.
pub fn stat(word: &str) -> &'static str {
    known(word.as_bytes())
}

fn known(stat: &[u8]) -> &'static str {
    STATES
        .iter()
        .find(|(_, name)| name.as_bytes().eq_ignore_ascii_case(stat))
        .map_or("UNKNOWN", |(_, name)| *name)
}

/// The far end's error, if it is as short as the protocol wants it: anything longer might be text.
fn short(error: &[u8]) -> Option<String> {
    let plain = error.len() <= 4 && error.iter().all(u8::is_ascii_alphanumeric);
    (plain && error.iter().any(|byte| *byte != b'0'))
        .then(|| String::from_utf8_lossy(error).into_owned())
}

fn from_text(id: &[u8], form: ReceiptId) -> String {
    let text = bounded(id);
    match form {
        ReceiptId::AsIs => text,
        ReceiptId::Hex => canonical(text, 16),
        ReceiptId::Decimal => canonical(text, 10),
    }
}

/// An id as it is kept: the protocol allows 64 octets, and a far end that sends sixty thousand must not fill the journal.
/// Answers and receipts are cut alike, so they still meet.
fn bounded(id: &[u8]) -> String {
    const LONGEST: usize = 255;
    let mut text = String::from_utf8_lossy(&id[..id.len().min(LONGEST)]).into_owned();
    text.truncate(text.floor_char_boundary(LONGEST));
    text
}

/// Both forms become the decimal number without leading zeros; what is no number stays as it is.
fn canonical(text: String, radix: u32) -> String {
    match u128::from_str_radix(&text, radix) {
        Ok(number) => number.to_string(),
        Err(_) => text,
    }
}

fn until_zero(value: &[u8]) -> &[u8] {
    &value[..value
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(value.len())]
}

/// The value behind `key`, at the start or after a space, up to the next space.
fn field<'a>(text: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let at = text.windows(key.len()).enumerate().find(|(at, window)| {
        window.eq_ignore_ascii_case(key) && (*at == 0 || text[*at - 1] == b' ')
    })?;
    let rest = &text[at.0 + key.len()..];
    let end = rest
        .iter()
        .position(|byte| *byte == b' ' || *byte == 0)
        .unwrap_or(rest.len());
    (end > 0).then(|| &rest[..end])
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use channel::{Evidence, FailureClass};
    use proptest::prelude::*;

    use super::*;
    use crate::codec::smpp::{Tlvs, put_tlv};

    const SEEN: Timestamp = Timestamp(5);
    static NONE: LazyLock<Stats> = LazyLock::new(Stats::default);

    fn plain() -> Reading<'static> {
        Reading {
            id: ReceiptId::AsIs,
            utc_offset_minutes: None,
            stats: &NONE,
        }
    }

    fn one(text: &[u8], tlvs: &[(u16, &[u8])], reading: Reading<'_>) -> Option<Receipt> {
        let mut options = Vec::new();
        for (tag, value) in tlvs {
            put_tlv(*tag, value, &mut options);
        }
        let sm = Sm {
            esm_class: 4,
            text,
            tlvs: Tlvs::parse(&options).unwrap(),
            ..Sm::default()
        };
        read(&sm, reading, SEEN)
    }

    #[test]
    fn the_text_form_is_read() {
        let text = b"id:7f3a sub:001 dlvrd:001 submit date:2607140900 done date:2607140901 stat:DELIVRD err:000 text:id:9";
        let reading = Reading {
            utc_offset_minutes: Some(480),
            ..plain()
        };
        let receipt = one(text, &[], reading).unwrap();
        assert_eq!(receipt.of, Of::Reference("7f3a".into()));
        assert_eq!(receipt.verdict, Verdict::Reached(Evidence::Delivered));
        assert_eq!((receipt.code.as_str(), receipt.seen), ("DELIVRD", SEEN));
        assert_eq!(receipt.far.unwrap().to_string(), "2026-07-14T01:01:00.000Z");
    }

    #[test]
    fn the_optional_parameters_are_believed_first() {
        let tlvs: [(u16, &[u8]); 3] = [
            (tag::RECEIPTED_MESSAGE_ID, b"42\0"),
            (tag::MESSAGE_STATE, &[5]),
            (tag::NETWORK_ERROR_CODE, &[3, 0, 12]),
        ];
        let receipt = one(b"id:41 stat:DELIVRD err:001", &tlvs, plain()).unwrap();
        assert_eq!(receipt.of, Of::Reference("42".into()));
        assert_eq!(receipt.verdict, Verdict::Refused(FailureClass::Transient));
        assert_eq!(receipt.code, "UNDELIV 012");
        assert_eq!(receipt.far, None);
    }

    #[test]
    fn every_state_has_its_verdict() {
        use FailureClass::{BadContent, Transient};
        let table = [
            ("ENROUTE", Verdict::Progress),
            ("DELIVRD", Verdict::Reached(Evidence::Delivered)),
            ("EXPIRED", Verdict::Refused(Transient)),
            ("DELETED", Verdict::Refused(Transient)),
            ("UNDELIV", Verdict::Refused(Transient)),
            ("ACCEPTD", Verdict::Progress),
            ("UNKNOWN", Verdict::Progress),
            ("REJECTD", Verdict::Refused(BadContent)),
            ("NONSENS", Verdict::Progress),
        ];
        for (state, wanted) in table {
            let text = format!("id:1 stat:{state} err:000");
            assert_eq!(
                one(text.as_bytes(), &[], plain()).unwrap().verdict,
                wanted,
                "{state}"
            );
        }
        for (index, (state, wanted)) in table[..8].iter().enumerate() {
            let value = [u8::try_from(index + 1).unwrap()];
            let receipt = one(b"id:1", &[(tag::MESSAGE_STATE, &value)], plain()).unwrap();
            assert_eq!(receipt.verdict, *wanted, "{state}");
            assert_eq!(number(state), value[0]);
        }
    }

    #[test]
    fn ids_of_both_forms_meet() {
        let hex = Reading {
            id: ReceiptId::Hex,
            ..plain()
        };
        assert_eq!(
            one(b"id:00FF stat:DELIVRD", &[], hex).unwrap().of,
            Of::Reference(reference(b"255", ReceiptId::Hex))
        );
        let decimal = Reading {
            id: ReceiptId::Decimal,
            ..plain()
        };
        let read = one(b"id:0000000255 stat:DELIVRD", &[], decimal).unwrap();
        assert_eq!(read.of, Of::Reference(reference(b"ff", ReceiptId::Decimal)));
        // The optional parameter is written as the answer was.
        let read = one(b"", &[(tag::RECEIPTED_MESSAGE_ID, b"FF\0")], decimal).unwrap();
        assert_eq!(read.of, Of::Reference("255".into()));
        assert_eq!(reference(b"msg-1", ReceiptId::Hex), "msg-1");
    }

    #[test]
    fn a_receipt_that_names_no_message_is_none() {
        assert!(one(b"stat:DELIVRD", &[], plain()).is_none());
        assert!(one(b"id: stat:DELIVRD", &[], plain()).is_none());
    }

    #[test]
    fn an_id_of_any_length_is_kept_short_and_still_matches_its_answer() {
        let long = vec![b'7'; 60_000];
        let answered = reference(&long, ReceiptId::AsIs);
        assert_eq!(answered.len(), 255);
        let receipt = one(b"", &[(tag::RECEIPTED_MESSAGE_ID, &long)], plain());
        assert_eq!(receipt.unwrap().of, Of::Reference(answered));
        let text = [b"id:", &long[..240], b" stat:DELIVRD"].concat();
        let receipt = one(&text, &[], plain()).unwrap();
        assert_eq!(
            receipt.of,
            Of::Reference(reference(&long[..240], ReceiptId::AsIs))
        );
        // What is no text grows when it is made one.
        assert!(reference(&[0xFF; 300], ReceiptId::AsIs).len() <= 255);
    }

    #[test]
    fn an_error_that_may_be_text_is_not_kept() {
        let receipt = one(b"id:1 stat:UNDELIV err:8600000000001", &[], plain()).unwrap();
        assert_eq!(receipt.code, "UNDELIV");
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in proptest::collection::vec(any::<u8>(), 0..200), date in "[0-9]{10,12}") {
            let reading = Reading { id: ReceiptId::Hex, utc_offset_minutes: Some(480), ..plain() };
            let _ = one(&text, &[], reading);
            let _ = one(format!("id:1 done date:{date}").as_bytes(), &[], reading);
        }
    }
}
