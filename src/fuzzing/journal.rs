//! A record as a disk gives it back: the first byte says how many events the rest holds. It is read or refused, and what
//! is read is folded. This module must not write to a store.

use channel::Timestamp;

use crate::ledger::event::{Event, InboxReceipt};
use crate::ledger::record::{self, Frame, Head};
use crate::ledger::{Correlator, Ledger};
use crate::store::{InboxRow, Record};

const STREAM: u64 = 1;
const TIME: Timestamp = Timestamp(1_780_300_860_000);

pub fn journal(bytes: &[u8]) {
    let Some((count, body)) = bytes.split_first() else {
        return;
    };
    inbox(body);
    let read = record(u32::from(*count), body);
    let events = match record::unpack(&read) {
        Ok(events) => events,
        Err(why) => {
            // It names the record and the stream, so that somebody can restore it.
            assert!(why.to_string().starts_with("record 3 of stream 1: "));
            return;
        }
    };
    assert_eq!(events.len(), usize::from(*count));
    let all: Vec<&Event> = events.iter().collect();
    let again = record::pack(frame(), Head::default(), &all);
    let back = record::unpack(&again).expect("what was packed is read");
    assert!(back == events, "another event came back");
    for event in &events {
        serde_json::to_string(event).expect("`journal dump` shows every event");
    }
    folded(&events);
}

fn frame() -> Frame {
    Frame {
        seq: 3,
        epoch: 1,
        stream: STREAM,
        time: TIME,
    }
}

fn record(count: u32, body: &[u8]) -> Record {
    let mut record = record::pack(frame(), Head::default(), &[]);
    record.count = count;
    record.crc = crc32c::crc32c(body);
    record.body = body.to_vec();
    record
}

/// The same events make the same state, or mark their stream for the same reason.
fn folded(events: &[Event]) {
    let fold = || {
        let ledger = Ledger::default();
        let taken = ledger
            .take(STREAM, TIME, events)
            .map_err(|why| why.to_string());
        let alert = ledger.alert(STREAM).map(|alert| {
            let tally = |block: &crate::ledger::Block| {
                (0..block.len() as usize)
                    .map(|i| (block.state(i), block.evidence(i)))
                    .collect::<Vec<_>>()
            };
            let blocks: Vec<_> = alert.blocks().iter().map(|block| tally(block)).collect();
            (alert.phase(), alert.expires(), blocks)
        });
        let marked = ledger.damage_of(STREAM);
        assert_eq!(taken.as_ref().err(), marked.as_ref());
        format!("{taken:?} {alert:?}")
    };
    assert_eq!(fold(), fold());
}

/// A row of the inbox that cannot be read is no reason to stay away.
fn inbox(body: &[u8]) {
    let row = InboxRow {
        id: 4,
        seen: TIME,
        body: body.to_vec(),
    };
    let whole = postcard::from_bytes::<InboxReceipt>(body).is_ok();
    let mut correlator = Correlator::default();
    correlator.restore(std::slice::from_ref(&row));
    assert_eq!(correlator.waiting().count(), usize::from(whole));
}
