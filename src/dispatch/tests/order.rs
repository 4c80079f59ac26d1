//! Who goes first, and who shares with whom.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use channel::Timestamp;

use super::kit::{CHANNEL, START, accepted, alert, apply, block_of, variants};
use crate::dispatch::queue::{Moment, Queue, Taken, priority};
use crate::ledger::event::{Accepted, HandedRange, Next, Outcome, SettledRow, Why};
use crate::ledger::{Event, Ledger};
use crate::model::StreamId;

const LATE: u64 = 3 << 56;
const RED: u64 = 0;

fn at(millis: u64) -> Moment {
    let since = Duration::from_millis(millis);
    Moment {
        now: START.plus(since),
        tick: since,
    }
}

fn queue(ledger: &Ledger) -> Queue {
    let mut queue = Queue::new(super::kit::CHANNEL, Arc::default());
    queue.follow(ledger, at(0));
    queue
}

/// Streams and numbers, in the order they go.
fn numbers(taken: &[Taken]) -> Vec<(StreamId, u32)> {
    let of = |run: &Taken| {
        let places = run.places.iter();
        let numbers = places.map(|p| (run.block.stream, run.block.number(p.index)));
        numbers.collect::<Vec<_>>()
    };
    taken.iter().flat_map(of).collect()
}

fn shares(ledger: &Ledger, queue: &mut Queue, slices: &[usize]) -> BTreeMap<StreamId, usize> {
    let mut shares = BTreeMap::new();
    for slice in slices {
        for (stream, _) in numbers(&queue.take(ledger, *slice, at(1))) {
            *shares.entry(stream).or_default() += 1;
        }
    }
    shares
}

#[test]
fn a_block_goes_in_its_order_and_all_of_it_once() {
    let ledger = Ledger::default();
    alert(&ledger, 1, "water", LATE, &[30, 25]);
    let mut queue = queue(&ledger);
    let mut all = Vec::new();
    while let taken @ [_, ..] = &queue.take(&ledger, 7, at(1))[..] {
        assert!(taken.iter().all(|run| run.expires > START));
        all.extend(numbers(taken));
    }
    assert_eq!(all, (0..55).map(|n| (1, n)).collect::<Vec<_>>());
    assert!(!queue.has_work());
}

#[test]
fn a_step_is_held_until_it_is_written_whole_and_no_longer_than_two_seconds() {
    let ledger = Ledger::default();
    alert(&ledger, 1, "water", LATE, &[2]);
    let mut queue = Queue::new(CHANNEL, Arc::default()).gathering(true);
    queue.follow(&ledger, at(0));
    assert!(queue.take(&ledger, 9, at(0)).is_empty() && queue.has_work());
    assert_eq!(queue.next_due(), Some(Duration::from_secs(2)));
    let planned = Event::Planned {
        step: 0,
        blocks: 2,
        deliveries: 5,
    };
    apply(&ledger, 1, &[block_of(CHANNEL, 2, 3, LATE), planned]);
    queue.follow(&ledger, at(400));
    let whole = numbers(&queue.take(&ledger, 9, at(400)));
    assert_eq!(whole, (0..5).map(|n| (1, n)).collect::<Vec<_>>());
    assert!(!queue.has_work());
    // A release that stands in the middle holds nobody up.
    alert(&ledger, 2, "water", LATE, &[4]);
    queue.follow(&ledger, at(500));
    queue.follow(&ledger, at(2_499));
    assert!(queue.take(&ledger, 9, at(2_499)).is_empty());
    queue.follow(&ledger, at(2_500));
    assert_eq!(numbers(&queue.take(&ledger, 9, at(2_500))).len(), 4);
}

#[test]
fn a_higher_rank_overtakes_at_the_next_slice() {
    let ledger = Ledger::default();
    alert(&ledger, 1, "water", LATE, &[1_000]);
    let mut queue = queue(&ledger);
    assert_eq!(
        shares(&ledger, &mut queue, &[50]),
        BTreeMap::from([(1, 50)])
    );
    alert(&ledger, 2, "quake", RED, &[20]);
    queue.follow(&ledger, at(1));
    assert_eq!(queue.top(), Some(priority(RED)));
    // A slice is of one priority: what is left of it is not filled up with less urgent work.
    assert_eq!(
        shares(&ledger, &mut queue, &[50]),
        BTreeMap::from([(2, 20)])
    );
    assert_eq!(
        shares(&ledger, &mut queue, &[50]),
        BTreeMap::from([(1, 50)])
    );
}

#[test]
fn bureaus_of_one_priority_share_the_lane_however_many_alerts_each_has() {
    let ledger = Ledger::default();
    for stream in 1..=10 {
        // Deadlines some minutes apart are one priority.
        alert(&ledger, stream, "ten", LATE + stream * 30, &[40, 400]);
    }
    alert(&ledger, 11, "one", LATE, &[40; 20]);
    let mut queue = queue(&ledger);
    let shares = shares(&ledger, &mut queue, &[1, 1, 1, 47, 250, 100]);
    assert_eq!(shares[&11], 200, "{shares:?}");
    assert!((1..=10).all(|n| shares[&n] == 20), "{shares:?}");
}

#[test]
fn what_comes_back_goes_ahead_of_what_is_new_and_never_early() {
    let ledger = Ledger::default();
    alert(&ledger, 1, "water", LATE, &[10]);
    let mut queue = queue(&ledger);
    let taken = queue.take(&ledger, 4, at(0));
    let block = taken[0].block.clone();
    let due = Timestamp(START.0 + 505);
    apply(&ledger, 1, &[handed(0, 4), again(2, due)]);
    queue.put(block, 2, due, at(5));
    assert_eq!(queue.next_due(), Some(Duration::from_millis(510)));
    assert_eq!(numbers(&queue.take(&ledger, 2, at(504))), [(1, 4), (1, 5)]);
    let back = queue.take(&ledger, 2, at(510));
    assert_eq!(numbers(&back), [(1, 2), (1, 6)]);
    let [first, second] = &back[0].places[..] else {
        panic!("two places")
    };
    assert_eq!((first.attempt, first.why), (2, Why::Retry));
    assert_eq!((second.attempt, second.why), (1, Why::First));
}

#[test]
fn a_clock_that_is_set_back_neither_hurries_nor_delays_what_comes_back() {
    let ledger = Ledger::default();
    alert(&ledger, 1, "water", LATE, &[1]);
    let mut queue = queue(&ledger);
    let block = queue.take(&ledger, 1, at(0))[0].block.clone();
    let set_back = |millis| Moment {
        now: Timestamp(START.0 - 3_600_000),
        ..at(millis)
    };
    let due = Timestamp(START.0 - 3_600_000 + 1_000);
    apply(&ledger, 1, &[handed(0, 1), again(0, due)]);
    queue.put(block, 0, due, set_back(0));
    assert!(queue.take(&ledger, 1, set_back(990)).is_empty());
    assert_eq!(queue.take(&ledger, 1, set_back(1_000)).len(), 1);
}

#[test]
fn what_was_given_back_stands_where_it_stood() {
    let ledger = Ledger::default();
    alert(&ledger, 1, "water", LATE, &[5, 5]);
    let mut queue = queue(&ledger);
    let taken = queue.take(&ledger, 7, at(0));
    queue.give_back(taken);
    let taken = queue.take(&ledger, 10, at(0));
    assert_eq!(numbers(&taken), (0..10).map(|n| (1, n)).collect::<Vec<_>>());
}

#[test]
fn what_a_correction_withdrew_vanishes_at_once() {
    let ledger = Ledger::default();
    alert(&ledger, 1, "water", LATE, &[500_000]);
    alert(&ledger, 2, "water", LATE, &[3]);
    let mut queue = queue(&ledger);
    assert_eq!(queue.take(&ledger, 10, at(0)).len(), 1);
    apply(&ledger, 1, &[Event::Withdrawn { by: 2 }]);
    assert_eq!(shares(&ledger, &mut queue, &[10]), BTreeMap::from([(2, 3)]));
    assert!(!queue.has_work());
}

#[test]
fn nothing_goes_that_has_expired() {
    let ledger = Ledger::default();
    alert(&ledger, 1, "water", LATE, &[3]);
    let mut queue = queue(&ledger);
    assert!(queue.take(&ledger, 3, at(6 * 3_600_000)).is_empty());
    assert!(!queue.has_work());
}

#[test]
fn after_a_restart_what_was_due_waits_for_its_time() {
    let ledger = Ledger::default();
    alert(&ledger, 1, "water", LATE, &[3]);
    let due = Timestamp(START.0 + 2_000);
    apply(&ledger, 1, &[handed(0, 2), again(0, due)]);
    let mut queue = queue(&ledger);
    assert_eq!(numbers(&queue.take(&ledger, 9, at(0))), [(1, 2)]);
    assert_eq!(numbers(&queue.take(&ledger, 9, at(2_000))), [(1, 0)]);
}

fn handed(lo: u32, hi: u32) -> Event {
    Event::Handed {
        channel: super::kit::CHANNEL.into(),
        ranges: vec![HandedRange {
            lo,
            hi,
            attempt: 1,
            why: Why::First,
            serial: 1,
        }],
    }
}

/// A temporary failure.
fn again(delivery: u32, at: Timestamp) -> Event {
    use crate::ledger::event::{Next, Outcome, SettledRow};
    let outcome = Outcome::Refused {
        class: channel::FailureClass::Transient,
        code: "smpp:0x08".into(),
    };
    Event::Settled {
        channel: super::kit::CHANNEL.into(),
        rows: vec![SettledRow {
            delivery,
            attempt: 1,
            outcome,
            next: Next::Due { at, charged: true },
        }],
    }
}

#[test]
fn what_a_plan_names_first_goes_first_whatever_was_written_first() {
    let ledger = Ledger::default();
    alert(&ledger, 1, "water", LATE, &[]);
    let written = [(0, 3, 1), (3, 2, 0), (5, 1, 1)];
    let blocks = written.map(|(first, count, send)| block_of(CHANNEL, first, count, LATE | send));
    apply(&ledger, 1, &blocks);
    let mut queue = queue(&ledger);
    let taken = queue.take(&ledger, 10, at(0));
    assert_eq!(
        numbers(&taken),
        [3, 4, 0, 1, 2, 5].map(|number| (1, number))
    );
}

/// One outcome of an attempt.
fn done(delivery: u32) -> Event {
    let row = SettledRow {
        delivery,
        attempt: 1,
        outcome: Outcome::Accepted {
            references: vec![format!("r{delivery}")],
        },
        next: Next::Done,
    };
    Event::Settled {
        channel: CHANNEL.into(),
        rows: vec![row],
    }
}

#[test]
fn a_correction_never_goes_ahead_of_an_older_text_in_hand_to_the_same_endpoint() {
    let ledger = Ledger::default();
    alert(&ledger, 1, "water", LATE, &[3]);
    let handed = HandedRange {
        lo: 0,
        hi: 2,
        attempt: 1,
        why: Why::First,
        serial: 1,
    };
    let handed = Event::Handed {
        channel: CHANNEL.into(),
        ranges: vec![handed],
    };
    apply(&ledger, 1, &[handed, Event::Withdrawn { by: 2 }]);
    let update = Accepted {
        msg_type: cap::MsgType::Update,
        hits: vec![1],
        ..accepted(2, "water")
    };
    let block = block_of(CHANNEL, 0, 3, RED);
    apply(
        &ledger,
        2,
        &[Event::Accepted(update.into()), variants(), block],
    );
    let mut queue = queue(&ledger);
    assert_eq!(
        numbers(&queue.take(&ledger, 10, at(1))),
        [(2, 2)],
        "who has nothing in hand"
    );
    assert_eq!(numbers(&queue.take(&ledger, 10, at(200))), []);
    apply(&ledger, 1, &[done(1)]);
    assert_eq!(numbers(&queue.take(&ledger, 10, at(400))), [(2, 1)]);
    apply(&ledger, 1, &[done(0)]);
    assert_eq!(
        numbers(&queue.take(&ledger, 10, at(600))),
        [(2, 0)],
        "each once"
    );
    assert_eq!(numbers(&queue.take(&ledger, 10, at(800))), []);
}
