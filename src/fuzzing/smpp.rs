//! SMPP as bytes: what comes from a far end is cut into frames, read, written again and, where it is a receipt, read as
//! one. This module must not open a socket: that is `session`.

use channel::{Of, Timestamp, Verdict};
use sms::ReceiptId;
use sms::codec::MAX_FRAME;
use sms::codec::smpp::{self as pdu, Body, Pdu};
use sms::receipt::Stats;
use sms::receipt::smpp::{self as receipt, Reading};

const SEEN: Timestamp = Timestamp(1_780_300_860_000);
/// A far end's id lies in memory and in the journal as long as its alert is open.
const REFERENCE: usize = 255;

pub fn smpp(mut bytes: &[u8]) {
    loop {
        match pdu::check(bytes) {
            Ok(Some(length)) => {
                assert!((16..=MAX_FRAME).contains(&length) && length <= bytes.len());
                let (one, rest) = bytes.split_at(length);
                frame(one);
                bytes = rest;
            }
            Ok(None) => {
                assert!(bytes.len() < MAX_FRAME, "it would wait for ever");
                return;
            }
            Err(why) => {
                assert!(!why.to_string().is_empty());
                return;
            }
        }
    }
}

fn frame(frame: &[u8]) {
    let (_, sequence) = pdu::head(frame).expect("a frame has its header");
    let Ok(pdu) = pdu::parse(frame) else { return };
    assert_eq!(pdu.sequence, sequence);
    // Writing cuts what is longer than the protocol allows; what was cut once stays as it is.
    let once = written(&pdu);
    assert_eq!(pdu::check(&once), Ok(Some(once.len())));
    let read = pdu::parse(&once).expect("what we write can be read");
    assert_eq!(written(&read), once);
    if let Body::SubmitSmResp { message_id } = pdu.body {
        for form in FORMS {
            bounded(&receipt::reference(message_id, form));
        }
    }
    let Body::DeliverSm(sm) = pdu.body else {
        return;
    };
    let stats = Stats::default();
    for id in FORMS {
        let reading = Reading {
            id,
            utc_offset_minutes: Some(480),
            stats: &stats,
        };
        let Some(receipt) = receipt::read(&sm, reading, SEEN) else {
            continue;
        };
        let Of::Reference(reference) = &receipt.of else {
            panic!("a far end does not know our keys");
        };
        bounded(reference);
        assert!(!reference.is_empty() && receipt.seen == SEEN);
        // A state, and at most the four characters of an error: never the start of the text that a receipt repeats.
        assert!(receipt.code.len() <= 13, "{}", receipt.code);
        assert!(
            !matches!(receipt.verdict, Verdict::Reached(e) if e != channel::Evidence::Delivered)
        );
    }
}

const FORMS: [ReceiptId; 3] = [ReceiptId::AsIs, ReceiptId::Hex, ReceiptId::Decimal];

fn bounded(reference: &str) {
    assert!(reference.len() <= REFERENCE, "an id of {}", reference.len());
}

fn written(pdu: &Pdu<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    pdu::encode(pdu, &mut out);
    out
}
