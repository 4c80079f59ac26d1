//! The loop that no gateway can beat: encode every text, parse its answer, keep its id in a map, parse its receipt, find
//! it in the map and encode the answer, without a socket, a store or a clock. This module must not be made slower than
//! it can be: it is the yardstick.

use std::collections::HashMap;
use std::hint::black_box;

use channel::{Clock, SystemClock, Timestamp};
use sms::codec::smpp::{self as pdu, Body, Party, Pdu, Sm, Tlvs, tag};
use sms::receipt::Stats;
use sms::receipt::smpp::{self as receipt, Reading};

/// Deliveries a second.
pub fn run(deliveries: u32) -> f64 {
    let answers: Vec<u8> = answers(deliveries);
    let receipts: Vec<u8> = receipts(deliveries);
    let clock = SystemClock::default();
    let start = clock.tick();
    let mut out = Vec::with_capacity(64 * 1024);
    let mut map: HashMap<String, u32> = HashMap::with_capacity(deliveries as usize);
    let text = [0x67_u8; 120];
    let (mut answer, mut receipt) = (answers.as_slice(), receipts.as_slice());
    let mut reached = 0_u32;
    let stats = Stats::default();
    let reading = Reading {
        id: sms::ReceiptId::AsIs,
        utc_offset_minutes: None,
        stats: &stats,
    };
    for number in 0..deliveries {
        submit(number, &text, &mut out);
        if let Some(Body::SubmitSmResp { message_id }) = next(&mut answer) {
            map.insert(receipt::reference(message_id, sms::ReceiptId::AsIs), number);
        }
        if out.len() > 60_000 {
            black_box(&out);
            out.clear();
        }
    }
    for sequence in 0..deliveries {
        if let Some(Body::DeliverSm(sm)) = next(&mut receipt)
            && let Some(found) = receipt::read(&sm, reading, Timestamp(0))
            && let channel::Of::Reference(reference) = &found.of
            && map.contains_key(reference)
        {
            reached += 1;
        }
        pdu::encode(
            &Pdu {
                status: 0,
                sequence,
                body: Body::DeliverSmResp,
            },
            &mut out,
        );
        if out.len() > 60_000 {
            black_box(&out);
            out.clear();
        }
    }
    assert_eq!(
        black_box(reached),
        deliveries,
        "every receipt finds its text"
    );
    f64::from(deliveries) / clock.tick().saturating_sub(start).as_secs_f64()
}

fn next<'a>(bytes: &mut &'a [u8]) -> Option<Body<'a>> {
    let length = pdu::check(bytes).ok()??;
    let (frame, rest) = bytes.split_at(length);
    *bytes = rest;
    pdu::parse(frame).ok().map(|pdu| pdu.body)
}

fn submit(number: u32, text: &[u8], out: &mut Vec<u8>) {
    let dest = format!("{:011}", u64::from(number));
    let sm = Sm {
        source: Party {
            ton: 0,
            npi: 0,
            address: b"10690000",
        },
        dest: Party {
            ton: 1,
            npi: 1,
            address: dest.as_bytes(),
        },
        registered_delivery: 1,
        data_coding: 8,
        validity: b"260714230000032+",
        text,
        ..Sm::default()
    };
    pdu::encode(
        &Pdu {
            status: 0,
            sequence: number,
            body: Body::SubmitSm(sm),
        },
        out,
    );
}

fn answers(deliveries: u32) -> Vec<u8> {
    let mut out = Vec::new();
    for sequence in 0..deliveries {
        let id = format!("{sequence:x}");
        let body = Body::SubmitSmResp {
            message_id: id.as_bytes(),
        };
        pdu::encode(
            &Pdu {
                status: 0,
                sequence,
                body,
            },
            &mut out,
        );
    }
    out
}

fn receipts(deliveries: u32) -> Vec<u8> {
    let mut out = Vec::new();
    for sequence in 0..deliveries {
        let id = format!("{sequence:x}");
        let text = format!(
            "id:{id} sub:001 dlvrd:001 submit date:2607142259 done date:2607142259 stat:DELIVRD err:000 text:"
        );
        let mut tlvs = Vec::new();
        pdu::put_tlv(
            tag::RECEIPTED_MESSAGE_ID,
            format!("{id}\0").as_bytes(),
            &mut tlvs,
        );
        pdu::put_tlv(tag::MESSAGE_STATE, &[2], &mut tlvs);
        let sm = Sm {
            esm_class: 4,
            text: text.as_bytes(),
            tlvs: Tlvs::parse(&tlvs).expect("just written"),
            ..Sm::default()
        };
        pdu::encode(
            &Pdu {
                status: 0,
                sequence,
                body: Body::DeliverSm(sm),
            },
            &mut out,
        );
    }
    out
}
