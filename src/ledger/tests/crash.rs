//! A crash at every record's boundary, and damage in every record: what is whole is read, what is damaged marks its
//! stream alone, and the journal goes on behind it.

use std::collections::BTreeSet;
use std::sync::Arc;

use channel::ManualClock;
use serde_json::Value;

use super::super::event::Event;
use super::super::record::unpack;
use super::super::replay::Replayed;
use super::super::{Archive, Ledger, Proposal, Writer, replay};
use super::history::{History, fixed};
use super::kit::{Memory, START, identity, view, view_of};
use super::live::{known, run};
use crate::model::StreamId;
use crate::store::Record;

struct Recorded {
    history: History,
    records: Vec<Record>,
    live: Value,
    /// What was seen at the end of each commit.
    seen: Vec<(u64, Value)>,
}

async fn recorded(ops: usize) -> Recorded {
    let history = fixed(ops);
    let store = Arc::new(Memory::default());
    let (ledger, clock) = (
        Arc::new(Ledger::default()),
        Arc::new(ManualClock::new(START)),
    );
    let begin = replay(&*store).await.expect("empty").history;
    let archive = Archive::new(ledger.clone(), store.clone());
    let writer = Writer::start(store.clone(), ledger.clone(), clock.clone(), begin);
    let mut seen = Vec::new();
    for group in history.steps.chunks(3) {
        run(&writer, &clock, &archive, group, &[3]).await;
        seen.push((*writer.position().borrow(), view(&ledger)));
    }
    Recorded {
        live: view(&ledger),
        records: store.records(),
        history,
        seen,
    }
}

async fn read(records: &[Record]) -> Replayed {
    replay(&Memory::of(records.to_vec()))
        .await
        .expect("replays")
}

/// Goes on with what a crash cut off, each record as its own proposal at its own time.
async fn go_on(store: &Arc<Memory>, from: Replayed, rest: &[Record]) -> Arc<Ledger> {
    let ledger = from.ledger;
    let clock = Arc::new(ManualClock::new(START));
    let archive = Archive::new(ledger.clone(), store.clone());
    let writer = Writer::start(store.clone(), ledger.clone(), clock.clone(), from.history);
    for record in rest {
        clock.advance(record.time.since(channel::Clock::now(&*clock)));
        let stream = record.stream;
        let events = unpack(record).expect("whole");
        let unseals = events.iter().any(|e| matches!(e, Event::Unsealed { .. }));
        let back = if unseals {
            Some(archive.read(stream).await.expect("reads back"))
        } else {
            None
        };
        let proposal = Proposal {
            events: events.into_iter().map(|event| (stream, event)).collect(),
            back,
            ..Proposal::default()
        };
        writer.propose(proposal).await.expect("commits");
    }
    ledger
}

#[tokio::test]
async fn a_crash_at_every_record_boundary_loses_nothing_before_it() {
    let recorded = recorded(200).await;
    let records = &recorded.records;
    assert!(records.len() > 80, "{}", records.len());
    let whole = read(records).await;
    let references = &recorded.history.references;
    for cut in 0..=records.len() {
        let (before, rest) = records.split_at(cut);
        let again = read(before).await;
        assert!(again.damage.is_empty(), "cut at {cut}: {:?}", again.damage);
        let folded = Ledger::default();
        for record in before {
            for event in unpack(record).expect("whole") {
                folded
                    .apply(record.stream, record.time, &event)
                    .expect("fits");
            }
        }
        assert_eq!(view(&again.ledger), view(&folded), "cut at {cut}");
        let last = before.last().map_or(0, |r| r.seq);
        if let Some((_, seen)) = recorded.seen.iter().find(|(position, _)| *position == last) {
            assert_eq!(&view(&again.ledger), seen, "cut at {cut}");
        }
        let store = Arc::new(Memory::of(before.to_vec()));
        let ledger = go_on(&store, again, rest).await;
        assert_eq!(view(&ledger), recorded.live, "cut at {cut}");
        let after = read(&store.records()).await;
        assert!(after.damage.is_empty(), "cut at {cut}: {:?}", after.damage);
        assert_eq!(view(&after.ledger), recorded.live, "cut at {cut}");
        assert_eq!(after.serials, whole.serials, "cut at {cut}");
        assert_eq!(
            known(&after.correlator, references),
            known(&whole.correlator, references),
            "cut at {cut}"
        );
    }
}

type Damage = fn(&mut Record);

/// How a record can be damaged.
const DAMAGES: [(&str, Damage); 9] = [
    ("first byte", |r| r.body[0] ^= 1),
    ("last byte", |r| {
        if let Some(last) = r.body.last_mut() {
            *last ^= 0x80;
        }
    }),
    ("checksum", |r| r.crc ^= 0x100),
    ("chain", |r| r.before[31] ^= 1),
    ("count up", |r| r.count += 1),
    ("count down", |r| r.count -= 1),
    ("place low", |r| r.stream_seq = 0),
    ("place high", |r| r.stream_seq = u32::MAX),
    ("format", |r| r.format = 9),
];

#[tokio::test]
async fn a_damaged_record_marks_its_stream_and_no_other() {
    let recorded = recorded(60).await;
    let records = &recorded.records;
    let whole = read(records).await;
    let streams: BTreeSet<StreamId> = records.iter().map(|r| r.stream).collect();
    assert!(streams.len() > 2 && streams.contains(&0));
    for at in 0..records.len() {
        for (how, damage) in DAMAGES {
            let mut damaged = records.clone();
            damage(&mut damaged[at]);
            check(&whole, damaged, records[at].stream, &streams, how).await;
        }
        let later = records[at + 1..]
            .iter()
            .any(|r| r.stream == records[at].stream);
        if later {
            let mut damaged = records.clone();
            damaged.remove(at);
            check(&whole, damaged, records[at].stream, &streams, "taken away").await;
        }
    }
}

async fn check(
    whole: &Replayed,
    damaged: Vec<Record>,
    hurt: StreamId,
    streams: &BTreeSet<StreamId>,
    how: &str,
) {
    let store = Arc::new(Memory::of(damaged));
    let again = replay(&*store).await.expect("replays");
    let marked: Vec<_> = again.damage.keys().copied().collect();
    assert_eq!(marked, [hurt], "{how}");
    for stream in streams.iter().filter(|s| **s != hurt) {
        assert_eq!(
            view_of(&again.ledger, *stream),
            view_of(&whole.ledger, *stream),
            "{how}"
        );
    }
    assert_eq!(again.history.seq, whole.history.seq, "{how}");
    assert!(again.history.epoch > 0);
    // The journal goes on: for every stream, and for a new one under its own number.
    let clock = Arc::new(ManualClock::new(START));
    let ledger = again.ledger.clone();
    let writer = Writer::start(store.clone(), again.ledger, clock, again.history);
    for stream in streams.iter().filter(|s| !ledger.is_sealed(**s)) {
        let event = if *stream == 0 {
            Event::Took {
                epoch: 9,
                format: 1,
            }
        } else {
            Event::Overdue {
                deliveries: Vec::new(),
            }
        };
        let commit = writer.propose(Proposal::of(*stream, event)).await;
        commit.unwrap_or_else(|refused| panic!("{how}, stream {stream}: {refused}"));
    }
    let after = replay(&*store).await.expect("replays");
    assert_eq!(
        after.damage.keys().copied().collect::<Vec<_>>(),
        [hurt],
        "{how}"
    );
}

#[tokio::test]
async fn the_number_of_a_lost_stream_is_not_given_again() {
    let store = Arc::new(Memory::default());
    let open = |nth| {
        let born = super::super::event::Born::Live;
        let event = Event::Accepted(Box::new(super::kit::accepted(nth, born)));
        let mut proposal = Proposal::of(Proposal::NEW, event);
        proposal.claim = Some((identity(nth), [2; 32]));
        proposal
    };
    for nth in [1, 2] {
        let again = replay(&*store).await.expect("replays");
        let clock = Arc::new(ManualClock::new(START));
        let writer = Writer::start(store.clone(), again.ledger, clock, again.history);
        let commit = writer.propose(open(nth)).await.expect("commits");
        assert_eq!(commit.opened, Some(nth));
        // Its only record is lost; its identity stands.
        store.rows.lock().records.retain(|r| r.stream == 0);
    }
}

#[tokio::test]
async fn a_damaged_house_does_not_bring_an_old_epoch_back() {
    let mut records = Vec::new();
    for expected in 1..4 {
        let store = Arc::new(Memory::of(records));
        let again = replay(&*store).await.expect("replays");
        assert_eq!(again.history.epoch, expected);
        let clock = Arc::new(ManualClock::new(START));
        let epoch = again.history.epoch;
        let writer = Writer::start(store.clone(), again.ledger, clock, again.history);
        let format = 1;
        let took = Proposal::of(0, Event::Took { epoch, format });
        writer.propose(took).await.expect("commits");
        let born = super::super::event::Born::Live;
        let accepted = super::kit::accepted(u64::from(epoch), born);
        let event = Event::Accepted(Box::new(accepted));
        let stream = u64::from(epoch);
        let accept = Proposal::of(stream, event);
        writer.propose(accept).await.expect("commits");
        records = store.records();
        records[0].body[0] ^= 0xff;
        if expected > 1 {
            records[0].body[0] ^= 0xff;
        }
    }
}

#[tokio::test]
async fn the_last_serial_of_a_channel_is_the_last_that_was_handed() {
    let handed = |lo, hi, serial| super::super::event::HandedRange {
        lo,
        hi,
        attempt: 1,
        why: super::super::event::Why::First,
        serial,
    };
    let store = Arc::new(Memory::default());
    let begin = replay(&*store).await.expect("empty");
    let clock = Arc::new(ManualClock::new(START));
    let writer = Writer::start(store.clone(), begin.ledger, clock, begin.history);
    let born = super::super::event::Born::Live;
    let accepted = Event::Accepted(Box::new(super::kit::accepted(1, born)));
    let block = Event::Block(super::kit::block("sms", 0, &[(4, 0)]));
    let ranges = vec![
        handed(0, 1, 7),
        handed(1, 4, 8),
        // Empty, the wrong way round, and at the end of all numbers.
        handed(2, 2, 900),
        handed(4, 2, 901),
    ];
    let hand = Event::Handed {
        channel: "sms".into(),
        ranges,
    };
    let texts = super::kit::variants(0, 1);
    let events = [accepted, texts, block, hand]
        .map(|event| (1, event))
        .to_vec();
    let proposal = Proposal {
        events,
        ..Proposal::default()
    };
    writer.propose(proposal).await.expect("commits");
    let again = replay(&*store).await.expect("replays");
    assert_eq!(again.serials.get("sms"), Some(&10));
}
