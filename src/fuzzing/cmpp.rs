//! CMPP as bytes, in each of its versions: what comes from a far end is cut into frames, read, written again and, where
//! it is a report, read as one. This module must not open a socket: that is `session`.

use channel::{Evidence, Of, Timestamp, Verdict};
use sms::codec::MAX_FRAME;
use sms::codec::cmpp::{self as pdu, Body, Frame, Version};
use sms::receipt::{Stats, cmpp as receipt};

const SEEN: Timestamp = Timestamp(1_780_300_860_000);

pub fn cmpp(mut bytes: &[u8]) {
    loop {
        match pdu::check(bytes) {
            Ok(Some(length)) => {
                assert!((12..=MAX_FRAME).contains(&length) && length <= bytes.len());
                let (one, rest) = bytes.split_at(length);
                for version in [Version::V20, Version::V21, Version::V30] {
                    frame(one, version);
                }
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

fn frame(frame: &[u8], version: Version) {
    let (_, sequence) = pdu::head(frame).expect("a frame has its header");
    let Ok(read) = pdu::parse(frame, version) else {
        return;
    };
    assert_eq!(read.sequence, sequence);
    // Writing cuts what is longer than the version allows; what was cut once stays as it is.
    let once = written(&read, version);
    assert_eq!(pdu::check(&once), Ok(Some(once.len())));
    let again = pdu::parse(&once, version).expect("what we write can be read");
    assert_eq!(written(&again, version), once);
    match read.body {
        Body::Submit(submit) => {
            let numbers = submit.dests.iter().map(<[u8]>::len);
            assert!(numbers.max().unwrap_or(0) <= 32);
        }
        Body::Deliver(deliver) if deliver.registered_delivery == 1 => report(deliver.content),
        Body::Deliver(deliver) => assert!(deliver.source.len() <= 32 && deliver.dest.len() <= 21),
        _ => {}
    }
}

fn report(content: &[u8]) {
    let Ok(read) = pdu::parse_report(content) else {
        assert!(![60, 71].contains(&content.len()));
        return;
    };
    let version = if content.len() == 60 {
        Version::V20
    } else {
        Version::V30
    };
    let mut out = Vec::new();
    pdu::put_report(&read, version, &mut out);
    assert_eq!(pdu::parse_report(&out), Ok(read));
    let receipt = receipt::read(content, &Stats::default(), SEEN).expect("a report was read");
    assert_eq!(receipt.of, Of::Reference(receipt::reference(read.id)));
    assert!(receipt.code.len() <= 7 && receipt.seen == SEEN);
    assert!(!matches!(receipt.verdict, Verdict::Reached(e) if e != Evidence::Delivered));
}

fn written(frame: &Frame<'_>, version: Version) -> Vec<u8> {
    let mut out = Vec::new();
    pdu::encode(frame, version, &mut out);
    out
}
