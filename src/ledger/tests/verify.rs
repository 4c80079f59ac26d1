//! What `verify` proves: a journal is whole, or it names what was rewritten or removed, sealed streams too.

use std::sync::Arc;

use channel::ManualClock;

use super::super::event::Event;
use super::super::record::{FORMAT, Frame, Head, hash, pack, unpack};
use super::super::verify::{Fault, verify};
use super::super::{Archive, Writer, replay};
use super::history::{fixed, sealing};
use super::kit::{Memory, START};
use super::live::run;
use crate::store::Record;

/// A journal with its rows, in which stream 1 is sealed and every head is witnessed.
async fn journal() -> Memory {
    let store = Arc::new(Memory::default());
    let begin = replay(&*store).await.expect("empty");
    let clock = Arc::new(ManualClock::new(START));
    let ledger = begin.ledger.clone();
    let archive = Archive::new(ledger.clone(), store.clone());
    let writer = Writer::start(store.clone(), begin.ledger, clock.clone(), begin.history);
    run(&writer, &clock, &archive, &fixed(60).steps, &[2]).await;
    if let Some(alert) = ledger.alert(1) {
        let proposal = super::super::Proposal {
            seal: Some(Box::new(sealing(&ledger, &alert))),
            ..super::super::Proposal::default()
        };
        writer.propose(proposal).await.expect("seals");
    }
    writer.witness().await.expect("commits");
    let rows = store.rows.lock().clone();
    let copy = Memory::default();
    *copy.rows.lock() = rows;
    copy
}

async fn faults(store: &Memory) -> Vec<Fault> {
    verify(store).await.expect("reads").faults
}

#[tokio::test]
async fn what_was_written_is_whole() {
    let store = journal().await;
    let verdict = verify(&store).await.expect("reads");
    assert_eq!(verdict.faults, []);
    assert_eq!(verdict.records, store.records().len() as u64);
    assert!(verdict.streams > 2 && verdict.witnessed > 2 && verdict.sealed > 0);
}

#[tokio::test]
async fn every_damaged_record_is_named() {
    let store = journal().await;
    for at in 0..store.records().len() {
        let held = store.rows.lock().records[at].clone();
        store.rows.lock().records[at].body[0] ^= 1;
        let found = faults(&store).await;
        let named = |fault: &Fault| {
            matches!(fault, Fault::Record(_))
                && fault
                    .to_string()
                    .contains(&format!("record {} of stream {}:", held.seq, held.stream))
        };
        assert!(found.iter().any(named), "{found:?}");
        store.rows.lock().records[at] = held;
    }
}

/// Makes a stream's records follow each other again from one of them on, as a forger would.
fn forge(records: &mut [Record], stream: u64, from: u32) {
    let mut head = Head::default();
    for record in records.iter_mut().filter(|r| r.stream == stream) {
        if record.stream_seq >= from {
            let events = unpack(record).expect("whole");
            let frame = Frame {
                seq: record.seq,
                epoch: record.epoch,
                stream,
                time: record.time,
            };
            let list: Vec<&Event> = events.iter().collect();
            *record = pack(frame, head, &list);
        }
        head = Head {
            stream_seq: record.stream_seq,
            hash: hash(record),
        };
        assert_eq!(record.format, FORMAT);
    }
}

#[tokio::test]
async fn a_record_that_was_rewritten_with_its_chain_is_named_by_who_saw_it() {
    for stream in [1, 2] {
        let store = journal().await;
        {
            let mut rows = store.rows.lock();
            let first = rows.records.iter_mut().find(|r| r.stream == stream);
            let first = first.expect("a stream");
            first.time = channel::Timestamp(first.time.0 + 1);
            forge(&mut rows.records, stream, 1);
        }
        let found = faults(&store).await;
        let named = |f: &Fault| matches!(f, Fault::Rewritten { head, .. } if head.stream == stream);
        assert!(found.iter().any(named), "{found:?}");
        assert!(
            !found.iter().any(|f| matches!(f, Fault::Record(_))),
            "{found:?}"
        );
    }
}

#[tokio::test]
async fn a_record_that_was_removed_is_named() {
    let store = journal().await;
    let last = |stream| {
        let records = store.records();
        let last = records.iter().rev().find(|r| r.stream == stream);
        last.expect("a stream").clone()
    };
    for stream in [1, 2] {
        let held = last(stream);
        store.rows.lock().records.retain(|r| r.seq != held.seq);
        let found = faults(&store).await;
        let gone = |f: &Fault| matches!(f, Fault::Removed { head, .. } if (head.stream, head.stream_seq) == (stream, held.stream_seq));
        assert!(found.iter().any(gone), "{found:?}");
        let (from, to) = (held.seq, held.seq);
        assert!(found.contains(&Fault::Missing { from, to }), "{found:?}");
        let mut rows = store.rows.lock();
        rows.records.push(held);
        rows.records.sort_by_key(|r| r.seq);
    }
}

#[tokio::test]
async fn a_sealed_row_that_says_something_else_is_named() {
    let store = journal().await;
    store.rows.lock().seals[0].row.hash[0] ^= 1;
    let stream = store.rows.lock().seals[0].row.stream;
    assert_eq!(faults(&store).await, [Fault::Row { stream }]);
}
