//! Replay is live: whatever a history was, and however its proposals fell into commits, a restart sees what was seen
//! before it. On the real writer and a real file.

use std::sync::Arc;

use channel::{ManualClock, Timestamp};
use proptest::prelude::*;

use super::super::verify::verify;
use super::super::{Archive, Correlator, Event, Found, Known, Ledger, Writer, replay};
use super::codec::EVENTS;
use super::history::{History, Op, Step, history, sealing};
use super::kit::{START, curves, view};
use crate::model::StreamId;
use crate::store::{Sqlite, Store};

/// Everything that a correlator answers about a history, and what waits in it.
pub fn known(
    correlator: &Correlator,
    references: &[(String, String)],
) -> (Vec<Option<Found>>, Vec<String>) {
    let found = references
        .iter()
        .map(|(channel, reference)| correlator.lookup(channel, reference))
        .collect();
    let mut waiting: Vec<_> = correlator.waiting().map(|w| format!("{w:?}")).collect();
    waiting.sort();
    (found, waiting)
}

/// Whether this step looks at what is durable: it stands in a commit of its own.
fn alone(step: &Step) -> bool {
    step.proposal.seal.is_some() || unsealed(step).is_some()
}

fn unsealed(step: &Step) -> Option<StreamId> {
    let of = |(stream, event): &(StreamId, Event)| {
        matches!(event, Event::Unsealed { .. }).then_some(*stream)
    };
    step.proposal.events.iter().find_map(of)
}

/// Each group becomes one commit: the writer runs only when this waits for it.
pub async fn run(
    writer: &Writer,
    clock: &ManualClock,
    archive: &Archive,
    steps: &[Step],
    groups: &[usize],
) {
    let mut groups = groups.iter().copied().cycle();
    let mut rest = steps;
    while !rest.is_empty() {
        let size = groups.next().unwrap_or(1).clamp(1, rest.len());
        let until = rest[..size]
            .iter()
            .position(alone)
            .map_or(size, |at| at.max(1));
        let (group, after) = rest.split_at(until);
        let mut commits = Vec::new();
        for step in group {
            clock.advance(step.wait);
            let mut proposal = step.proposal.clone();
            if let Some(stream) = unsealed(step) {
                proposal.back = Some(archive.read(stream).await.expect("reads back"));
            }
            if let Some(seal) = &mut proposal.seal {
                // As it stands at the times that the commits were given.
                let alert = archive.ledger.alert(seal.card.stream).expect("open");
                **seal = sealing(&archive.ledger, &alert);
            }
            commits.push(writer.propose(proposal));
        }
        for commit in commits {
            commit.await.expect("commits");
        }
        rest = after;
    }
}

async fn replay_is_live(history: &History, groups: &[usize]) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("journal.sqlite");
    let live = Arc::new(Ledger::default());
    let position = {
        let store: Arc<dyn Store> = Arc::new(Sqlite::open(&path).expect("opens"));
        let clock = Arc::new(ManualClock::new(START));
        let begin = replay(&*store).await.expect("an empty journal").history;
        let archive = Archive::new(live.clone(), store.clone());
        let writer = Writer::start(store, live.clone(), clock.clone(), begin);
        run(&writer, &clock, &archive, &history.steps, groups).await;
        *writer.position().borrow()
    };
    let store = Sqlite::open(&path).expect("opens again");
    let again = replay(&store).await.expect("replays");
    assert_eq!(again.damage, super::super::Damage::new());
    assert_eq!(again.history.seq, position);
    let sealed = live.every().into_iter().filter_map(|known| match known {
        Known::Sealed(card) => Some(u64::from(card.sealed.records) + 1),
        Known::Open(_) => None,
    });
    let read = position - sealed.sum::<u64>();
    assert_eq!(
        again.records, read,
        "records of sealed streams are not read"
    );
    let verdict = verify(&store).await.expect("reads");
    assert_eq!(verdict.faults, [], "what was written is whole");
    assert_eq!(view(&again.ledger), view(&live));
    assert_eq!(curves(&again.ledger), curves(&live));
    assert_eq!(
        known(&again.correlator, &history.references),
        known(&history.correlator, &history.references)
    );
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 96,
        failure_persistence: None,
        max_shrink_iters: 300,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_restart_sees_what_was_seen_before_it(
        ops in prop::collection::vec(any::<Op>(), 1..160),
        groups in prop::collection::vec(1_usize..12, 1..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        runtime.block_on(replay_is_live(&history(&ops), &groups));
    }
}

#[test]
fn the_histories_reach_every_event_state_and_flag() {
    let history = super::history::fixed(8_000);
    let ledger = Ledger::default();
    let (mut places, mut stream) = ([false; EVENTS], 0);
    for (at, step) in (0..).zip(&history.steps) {
        stream += u64::from(step.proposal.claim.is_some());
        for (to, event) in &step.proposal.events {
            places[super::codec::place(event)] = true;
            let to = (*to).min(stream);
            let time = Timestamp(START.0 + 250 * at);
            ledger.apply(to, time, event).expect("fits");
        }
        if let Some(sealing) = &step.proposal.seal {
            let event = Event::Sealed(Box::new(sealing.card.sealed));
            places[super::codec::place(&event)] = true;
            let to = sealing.card.stream;
            let time = Timestamp(START.0 + 250 * at);
            ledger.apply(to, time, &event).expect("fits");
        }
    }
    places[20] |= history.steps.iter().any(|step| step.proposal.witness);
    assert_eq!(places, [true; EVENTS]);
    let seen = view(&ledger).to_string();
    for state in crate::model::State::ALL {
        let word = serde_json::to_string(&state).expect("a word");
        assert!(seen.contains(&word), "{word}");
    }
    assert!(seen.contains("[1,2"), "in doubt and disputed");
    assert!(seen.contains("acknowledged"));
    assert!(seen.contains("\"moved\""), "by another account");
    assert!(known(&history.correlator, &history.references).1.len() > 1);
}
