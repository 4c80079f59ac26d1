//! The rules of the fold, one by one: two axes, attempts, parts, what ends an alert, and what does not fit.

use channel::{Evidence, FailureClass, Timestamp, Verdict};

use super::super::alert::{FAR_REFUSED, REFUSED};
use super::super::event::*;
use super::super::fold::{Misfit, offset};
use super::super::rerouted::Detour;
use super::super::{DISPUTED, IN_DOUBT, Ledger, Phase};
use super::kit::{HOUR, START, accepted, block, variant, view};
use crate::model::{Answer, Missed, State};

const DELIVERED: Verdict = Verdict::Reached(Evidence::Delivered);
const ACKNOWLEDGED: Verdict = Verdict::Reached(Evidence::Acknowledged);
const NEVER: Verdict = Verdict::Refused(FailureClass::BadAddress);
const LATER: Timestamp = Timestamp(START.0 + 5_000);

/// One alert of one block.
struct Story(Ledger);

impl Story {
    /// Four deliveries of a text of so many segments.
    fn new(segments: u32) -> Self {
        let story = Self(Ledger::default());
        story.apply(Event::Accepted(Box::new(accepted(1, Born::Live))));
        story.apply(Event::Variants {
            first: 0,
            variants: vec![variant("sms", segments), variant("sms", 1)],
        });
        story.apply(Event::Block(block("sms", 0, &[(4, 0)])));
        story
    }

    fn try_apply(&self, event: &Event) -> Result<(), Misfit> {
        self.0.apply(1, LATER, event)
    }

    fn apply(&self, event: impl std::borrow::Borrow<Event>) -> &Self {
        self.try_apply(event.borrow()).expect("fits");
        // Whatever happens, the sums that the ledger keeps are what a recount gives.
        view(&self.0);
        self
    }

    fn hand(&self, delivery: u32, attempt: u8) -> &Self {
        self.apply(Event::Handed {
            channel: "sms".into(),
            ranges: vec![HandedRange {
                lo: delivery,
                hi: delivery + 1,
                attempt,
                why: Why::First,
                serial: 1,
            }],
        })
    }

    fn settle(&self, delivery: u32, attempt: u8, outcome: Outcome, next: Next) -> &Self {
        let row = SettledRow {
            delivery,
            attempt,
            outcome,
            next,
        };
        self.apply(Event::Settled {
            channel: "sms".into(),
            rows: vec![row],
        })
    }

    /// The far end took it in so many parts.
    fn take(&self, delivery: u32, attempt: u8, parts: usize) -> &Self {
        let references = (0..parts).map(|p| format!("{delivery}-{p}")).collect();
        let until = Timestamp(LATER.0 + HOUR);
        self.settle(
            delivery,
            attempt,
            Outcome::Accepted { references },
            Next::Await { until },
        )
    }

    fn refuse(&self, delivery: u32, attempt: u8, class: FailureClass, next: Next) -> &Self {
        let code = "x".into();
        self.settle(delivery, attempt, Outcome::Refused { class, code }, next)
    }

    fn receipt(&self, delivery: u32, part: u8, verdict: Verdict) -> &Self {
        self.receipt_by(delivery, part, verdict, MatchedBy::Reference)
    }

    fn receipt_by(&self, delivery: u32, part: u8, verdict: Verdict, by: MatchedBy) -> &Self {
        self.apply(Event::Receipt {
            channel: "sms".into(),
            rows: vec![ReceiptRow {
                delivery,
                part,
                verdict,
                code: format!("{verdict:?}"),
                far: None,
                seen: Timestamp(LATER.0 + 1_000),
                by,
            }],
        })
    }

    fn is(&self, delivery: u32) -> (State, Evidence) {
        let (block, i) = self.alert().find(delivery).expect("held");
        (block.state(i), block.evidence(i))
    }

    fn has(&self, delivery: u32, flag: u8) -> bool {
        let (block, i) = self.alert().find(delivery).expect("held");
        block.flag(i, flag)
    }

    fn attempts(&self, delivery: u32) -> u8 {
        let (block, i) = self.alert().find(delivery).expect("held");
        block.attempts(i)
    }

    fn answer(&self, delivery: u32) -> Answer {
        let (block, i) = self.alert().find(delivery).expect("held");
        block.answer(i)
    }

    fn alert(&self) -> std::sync::Arc<super::super::Alert> {
        self.0.alert(1).expect("accepted")
    }
}

fn due(charged: bool) -> Next {
    Next::Due {
        at: Timestamp(LATER.0 + 9_000),
        charged,
    }
}

#[test]
fn evidence_is_a_maximum_whatever_the_order_and_however_often() {
    let verdicts = [Verdict::Progress, DELIVERED, ACKNOWLEDGED];
    for order in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ] {
        let story = Story::new(1);
        story.hand(0, 1).take(0, 1, 1);
        for which in order.into_iter().chain(order) {
            story.receipt(0, 0, verdicts[which]);
        }
        assert_eq!(
            story.is(0),
            (State::Done, Evidence::Acknowledged),
            "{order:?}"
        );
        assert!(!story.has(0, DISPUTED));
    }
}

#[test]
fn a_settlement_and_its_receipt_may_change_places() {
    let first = Story::new(1);
    first.hand(0, 1).receipt(0, 0, DELIVERED).take(0, 1, 1);
    let after = Story::new(1);
    after.hand(0, 1).take(0, 1, 1).receipt(0, 0, DELIVERED);
    assert_eq!(first.is(0), (State::Done, Evidence::Delivered));
    assert_eq!(first.is(0), after.is(0));
}

#[test]
fn a_refusal_that_overtakes_the_acceptance_says_never_all_the_same() {
    let first = Story::new(1);
    first.hand(0, 1).receipt(0, 0, NEVER).take(0, 1, 1);
    let after = Story::new(1);
    after.hand(0, 1).take(0, 1, 1).receipt(0, 0, NEVER);
    for story in [&first, &after] {
        assert_eq!(story.is(0), (State::Failed, Evidence::Accepted));
        assert_eq!(story.answer(0), Answer::Missed(Missed::Refused));
    }
}

#[test]
fn an_event_of_an_older_attempt_changes_evidence_and_never_state() {
    let story = Story::new(1);
    story
        .hand(0, 1)
        .refuse(0, 1, FailureClass::InDoubt, due(true))
        .hand(0, 2);
    story.take(0, 1, 1);
    assert_eq!(story.is(0), (State::Handed, Evidence::Accepted));
    story.refuse(0, 1, FailureClass::BadAddress, Next::Failed);
    assert_eq!(story.is(0), (State::Handed, Evidence::Accepted));
    assert!(!story.has(0, REFUSED));
    story.take(0, 2, 1);
    assert_eq!(story.is(0), (State::Awaiting, Evidence::Accepted));
    story.refuse(0, 2, FailureClass::Transient, due(true));
    assert_eq!(story.is(0).0, State::Awaiting, "it is settled already");
}

#[test]
fn the_end_of_one_attempt_is_not_the_end_of_the_next() {
    let story = Story::new(1);
    story.hand(0, 1).apply(Event::InDoubt {
        deliveries: vec![0],
        epoch: 1,
        due: LATER,
    });
    story.receipt_by(0, 0, NEVER, MatchedBy::Key);
    assert!(story.has(0, FAR_REFUSED));
    story.hand(0, 2).take(0, 2, 1);
    assert_eq!(story.is(0), (State::Awaiting, Evidence::Accepted));
}

#[test]
fn a_closed_delivery_is_not_reopened_and_a_late_proof_still_counts() {
    type Close = fn(&Story);
    let closed: [(State, Close); 4] = [
        (State::Done, |s| {
            s.hand(0, 1).take(0, 1, 1).apply(Event::Overdue {
                deliveries: vec![0],
            });
        }),
        (State::Failed, |s| {
            s.hand(0, 1)
                .refuse(0, 1, FailureClass::Transient, Next::Failed);
        }),
        (State::Expired, |s| {
            s.hand(0, 1)
                .refuse(0, 1, FailureClass::Transient, due(true))
                .apply(Event::Expired { variants: vec![0] });
        }),
        (State::Withdrawn, |s| {
            s.hand(0, 1)
                .refuse(0, 1, FailureClass::Transient, due(true))
                .apply(Event::Withdrawn { by: 2 });
        }),
    ];
    for (state, close) in closed {
        let story = Story::new(1);
        close(&story);
        assert_eq!(story.is(0).0, state);
        story.receipt(0, 0, Verdict::Progress);
        assert_eq!(story.is(0), (state, Evidence::Accepted));
        story.receipt(0, 0, DELIVERED);
        assert_eq!(story.is(0), (state, Evidence::Delivered));
        assert!(matches!(story.answer(0), Answer::Reached(_)), "{state:?}");
        story.receipt(0, 0, Verdict::Refused(FailureClass::Transient));
        story.hand(0, 2);
        story.apply(Event::Overdue {
            deliveries: vec![0],
        });
        assert_eq!(story.is(0), (state, Evidence::Delivered));
        assert_eq!(story.attempts(0), 1, "what is closed takes no attempt");
    }
}

#[test]
fn a_denial_and_a_proof_of_one_delivery_are_disputed_in_either_order() {
    for class in [FailureClass::BadAddress, FailureClass::Transient] {
        let denied = Verdict::Refused(class);
        let after = Story::new(1);
        after.hand(0, 1).take(0, 1, 1).receipt(0, 0, DELIVERED);
        assert!(!after.has(0, DISPUTED));
        after.receipt(0, 0, denied);
        let before = Story::new(1);
        before.hand(0, 1).take(0, 1, 1).receipt(0, 0, denied);
        assert_eq!(before.is(0), (State::Failed, Evidence::Accepted));
        assert!(!before.has(0, DISPUTED));
        before.receipt(0, 0, DELIVERED);
        for story in [&after, &before] {
            assert!(story.has(0, DISPUTED), "{class:?}");
            assert_eq!(story.is(0).1, Evidence::Delivered);
            assert!(matches!(story.answer(0), Answer::Reached(_)));
        }
    }
}

#[test]
fn a_long_text_refused_in_one_part_is_not_disputed_by_the_others() {
    let story = Story::new(2);
    story.hand(0, 1).take(0, 1, 2).receipt(0, 0, NEVER);
    story.receipt(0, 1, DELIVERED);
    assert!(!story.has(0, DISPUTED));
    assert_eq!(story.is(0), (State::Failed, Evidence::Accepted));
}

/// Planned, handed, due, awaiting: one of each.
fn one_of_each() -> Story {
    let story = Story::new(1);
    story.hand(1, 1);
    story
        .hand(2, 1)
        .refuse(2, 1, FailureClass::Transient, due(true));
    story.hand(3, 1).take(3, 1, 1);
    story
}

#[test]
fn the_end_of_an_alert_speaks_of_what_is_open_and_what_is_in_hand_finishes() {
    let ends = [
        (Event::Withdrawn { by: 2 }, State::Withdrawn),
        (Event::Expired { variants: vec![0] }, State::Expired),
    ];
    for (event, end) in ends {
        for (next, last) in [
            (due(true), end),
            (due(false), end),
            (Next::Failed, State::Failed),
        ] {
            let story = one_of_each();
            story.apply(event.clone());
            let states: Vec<_> = (0..4).map(|n| story.is(n).0).collect();
            assert_eq!(states, [end, State::Handed, end, State::Awaiting]);
            story.refuse(1, 1, FailureClass::Transient, next);
            assert_eq!(story.is(1).0, last, "never retried");
        }
        let story = one_of_each();
        story.apply(event).take(1, 1, 1).receipt(1, 0, DELIVERED);
        story.receipt(3, 0, DELIVERED);
        for delivery in [1, 3] {
            assert_eq!(story.is(delivery), (State::Done, Evidence::Delivered));
        }
    }
}

#[test]
fn an_expiry_ends_its_own_text_alone() {
    let story = Story::new(1);
    story.apply(Event::Block(block("sms", 4, &[(1, 1), (1, 0)])));
    story.apply(Event::Expired { variants: vec![1] });
    let states: Vec<_> = (0..6).map(|n| story.is(n).0).collect();
    assert_eq!(states[4], State::Expired);
    assert!(
        states
            .iter()
            .enumerate()
            .all(|(n, s)| n == 4 || *s == State::Planned)
    );
}

#[test]
fn a_block_written_after_the_end_is_never_open() {
    let story = Story::new(1);
    story.apply(Event::Expired { variants: vec![1] });
    story.apply(Event::Block(block("sms", 4, &[(1, 1), (1, 0)])));
    assert_eq!(story.is(4).0, State::Expired);
    assert_eq!(story.is(5).0, State::Planned);
    story.apply(Event::Withdrawn { by: 2 });
    story.apply(Event::Block(block("sms", 6, &[(1, 1), (1, 0)])));
    assert_eq!(story.is(6).0, State::Withdrawn);
    assert_eq!(story.is(7).0, State::Withdrawn);
}

#[test]
fn a_superseded_alert_is_born_withdrawn() {
    let ledger = Ledger::default();
    let meta = accepted(1, Born::SupersededBy(9));
    ledger
        .apply(1, START, &Event::Accepted(Box::new(meta)))
        .expect("fits");
    let alert = ledger.alert(1).expect("accepted");
    assert_eq!(
        (alert.phase(), alert.withdrawn_by()),
        (Phase::Withdrawn, Some(9))
    );
    for event in [
        Event::Released {
            generation: 2,
            by: "rule".into(),
        },
        Event::Planned {
            step: 0,
            blocks: 0,
            deliveries: 0,
        },
    ] {
        ledger.apply(1, START, &event).expect("fits");
        assert_eq!(alert.phase(), Phase::Withdrawn, "a phase never falls");
    }
}

#[test]
fn an_uncharged_retry_takes_no_attempt_and_a_charged_one_does() {
    let story = Story::new(1);
    for _ in 0..5 {
        story
            .hand(0, 1)
            .refuse(0, 1, FailureClass::Throttled, due(false));
        assert_eq!((story.is(0).0, story.attempts(0)), (State::Due, 0));
    }
    story
        .hand(0, 1)
        .refuse(0, 1, FailureClass::Transient, due(true));
    assert_eq!((story.is(0).0, story.attempts(0)), (State::Due, 1));
    story.hand(0, 2).apply(Event::Returned {
        deliveries: vec![0],
        at: LATER,
    });
    assert_eq!((story.is(0).0, story.attempts(0)), (State::Due, 1));
    story.apply(Event::Returned {
        deliveries: vec![0],
        at: LATER,
    });
    assert_eq!(
        story.attempts(0),
        1,
        "what is not in hand cannot be returned"
    );
}

#[test]
fn a_long_text_is_reached_only_when_all_its_parts_are() {
    let story = Story::new(3);
    story.hand(0, 1).take(0, 1, 3);
    for part in [2, 0, 0, 2, 7, 200] {
        story.receipt(0, part, DELIVERED);
        assert_eq!(story.is(0), (State::Awaiting, Evidence::Accepted));
    }
    story.receipt(0, 1, DELIVERED);
    assert_eq!(story.is(0), (State::Done, Evidence::Delivered));
}

#[test]
fn a_part_that_overtakes_the_acceptance_is_one_part() {
    let story = Story::new(2);
    story.hand(0, 1).receipt(0, 1, DELIVERED);
    assert_eq!(story.is(0), (State::Handed, Evidence::Accepted));
    story.take(0, 1, 2);
    assert_eq!(story.is(0), (State::Awaiting, Evidence::Accepted));
    story.receipt(0, 0, DELIVERED);
    assert_eq!(story.is(0), (State::Done, Evidence::Delivered));

    let both = Story::new(2);
    both.hand(0, 1)
        .receipt(0, 1, DELIVERED)
        .receipt(0, 0, DELIVERED);
    both.take(0, 1, 2);
    assert_eq!(both.is(0), (State::Done, Evidence::Delivered));

    let whole = Story::new(2);
    whole.hand(0, 1).receipt(0, 0, DELIVERED).take(0, 1, 1);
    assert_eq!(
        whole.is(0),
        (State::Done, Evidence::Delivered),
        "the far end took it as one"
    );
}

#[test]
fn a_receipt_by_our_own_key_speaks_of_the_whole_text() {
    let story = Story::new(3);
    story.hand(0, 1).take(0, 1, 3);
    story.receipt_by(0, 0, ACKNOWLEDGED, MatchedBy::Key);
    assert_eq!(story.is(0), (State::Done, Evidence::Acknowledged));
}

#[test]
fn an_acceptance_that_is_told_twice_forgets_no_part() {
    let story = Story::new(2);
    story.hand(0, 1).take(0, 1, 2).receipt(0, 0, DELIVERED);
    story.take(0, 1, 2).receipt(0, 1, DELIVERED);
    assert_eq!(story.is(0), (State::Done, Evidence::Delivered));
}

#[test]
fn a_new_attempt_counts_its_parts_anew() {
    let story = Story::new(2);
    story.hand(0, 1).receipt(0, 0, DELIVERED);
    story
        .refuse(0, 1, FailureClass::InDoubt, due(true))
        .hand(0, 2)
        .take(0, 2, 2)
        .receipt(0, 1, DELIVERED);
    assert_eq!(story.is(0), (State::Awaiting, Evidence::Accepted));
}

#[test]
fn what_is_proven_is_not_sent_again() {
    let doubt = Event::InDoubt {
        deliveries: vec![0],
        epoch: 1,
        due: LATER,
    };
    let before = Story::new(1);
    before
        .hand(0, 1)
        .receipt(0, 0, DELIVERED)
        .apply(doubt.clone());
    let after = Story::new(1);
    after.hand(0, 1).apply(doubt).receipt(0, 0, DELIVERED);
    for story in [before, after] {
        assert_eq!(story.is(0), (State::Done, Evidence::Delivered));
    }
}

#[test]
fn a_doubt_is_counted_once_for_each_delivery() {
    let story = Story::new(1);
    story.hand(0, 1).hand(1, 1);
    for attempt in 1..4 {
        story.apply(Event::InDoubt {
            deliveries: vec![0, 1, 2],
            epoch: 1,
            due: LATER,
        });
        story.hand(0, attempt + 1);
    }
    let doubts = story
        .alert()
        .doubts
        .load(std::sync::atomic::Ordering::SeqCst);
    assert_eq!(doubts, 2);
    assert!(story.has(0, IN_DOUBT) && story.has(1, IN_DOUBT) && !story.has(2, IN_DOUBT));
}

#[test]
fn what_does_not_fit_is_a_misfit() {
    let story = Story::new(1);
    let misfit = |event: Event| {
        let misfit = story.try_apply(&event).expect_err("does not fit");
        assert_eq!(misfit.stream, 1);
    };
    misfit(Event::Accepted(Box::new(accepted(1, Born::Live))));
    misfit(Event::Overdue {
        deliveries: vec![4],
    });
    misfit(Event::Handed {
        channel: "sms".into(),
        ranges: vec![HandedRange {
            lo: 4,
            hi: u32::MAX,
            attempt: 1,
            why: Why::First,
            serial: u64::MAX,
        }],
    });
    for first in [0, 1, 3] {
        misfit(super::kit::variants(first, 1));
    }
    misfit(Event::Unsealed { by: 2 });
    let sealed = super::super::seal::Sealed {
        totals: super::super::seal::Totals::default(),
        deliveries: 3,
        records: 0,
        digest: [0; 32],
    };
    misfit(Event::Sealed(Box::new(sealed)));
    let unknown = story.0.apply(7, START, &Event::Withdrawn { by: 1 });
    assert_eq!(unknown.expect_err("never accepted").stream, 7);
}

#[test]
fn a_block_whose_lists_disagree_is_a_misfit_and_changes_nothing() {
    let story = Story::new(1);
    let before = view(&story.0);
    let good = block("sms", 4, &[(2, 0)]);
    let bad = [
        Block {
            first: 3,
            ..good.clone()
        },
        Block {
            first: u32::MAX,
            ..good.clone()
        },
        Block {
            households: vec![1],
            ..good.clone()
        },
        Block {
            endpoints: Vec::new(),
            ..good.clone()
        },
        Block {
            variants: vec![(u32::MAX, 0), (u32::MAX, 0)],
            ..good.clone()
        },
        Block {
            variants: Vec::new(),
            ..good.clone()
        },
    ];
    for block in bad {
        assert!(story.try_apply(&Event::Block(block)).is_err());
        assert_eq!(view(&story.0), before);
    }
    story.apply(Event::Block(good));
}

#[test]
fn a_block_that_was_looked_at_is_quiet_until_its_first_wait_ends_or_another_begins() {
    let story = Story::new(1);
    story.hand(0, 1).take(0, 1, 1);
    let alert = story.alert();
    let block = alert.blocks().remove(0);
    let (begun, end) = (LATER, Timestamp(LATER.0 + HOUR));
    let since = |time: Timestamp| offset(&alert, time);
    assert!(!block.is_quiet(since(begun)), "nobody has looked");
    assert!(alert.overdue(begun).is_empty());
    assert!(block.is_quiet(since(end) - 1) && !block.is_quiet(since(end)));
    story.hand(1, 1).take(1, 1, 1);
    assert!(!block.is_quiet(since(begun)), "another wait has begun");
    assert_eq!(alert.overdue(end), [0, 1]);
    assert_eq!(alert.overdue(end), [0, 1], "until it is journaled");
    story.apply(Event::Overdue {
        deliveries: vec![0, 1],
    });
    assert!(alert.overdue(end).is_empty());
}

#[test]
fn a_refusal_that_comes_after_overdue_is_missed_and_not_unknown() {
    let story = Story::new(1);
    let answer = |delivery| {
        let (block, i) = story.alert().find(delivery).expect("held");
        block.answer(i)
    };
    let later = Verdict::Refused(FailureClass::Transient);
    for (delivery, verdict, missed) in [(0, NEVER, Missed::Refused), (1, later, Missed::Failed)] {
        story.hand(delivery, 1).take(delivery, 1, 1);
        story.apply(Event::Overdue {
            deliveries: vec![delivery],
        });
        assert_eq!(answer(delivery), Answer::Unknown);
        story.receipt(delivery, 0, verdict);
        assert_eq!(story.is(delivery).0, State::Done, "it is not reopened");
        assert_eq!(answer(delivery), Answer::Missed(missed));
        story.receipt(delivery, 0, DELIVERED);
        assert!(matches!(answer(delivery), Answer::Reached(_)));
        assert!(story.has(delivery, DISPUTED));
    }
}

#[test]
fn what_an_older_attempt_brings_changes_evidence_and_never_state() {
    let of = MatchedBy::ReferenceOf;
    let story = Story::new(1);
    let again = Next::Due {
        at: LATER,
        charged: true,
    };
    for delivery in 0..3 {
        story.hand(delivery, 1).take(delivery, 1, 1);
        story.apply(Event::InDoubt {
            deliveries: vec![delivery],
            epoch: 1,
            due: LATER,
        });
    }
    // The second attempt of each was taken; the first is refused, proven, refused by its own word and by the newer's.
    story.refuse(0, 1, FailureClass::InDoubt, again);
    for delivery in 0..3 {
        story.hand(delivery, 2).take(delivery, 2, 1);
    }
    story.receipt_by(0, 0, NEVER, of(1));
    assert_eq!(story.is(0), (State::Awaiting, Evidence::Accepted));
    assert!(!story.has(0, REFUSED) && !story.has(0, FAR_REFUSED) && !story.has(0, DISPUTED));
    story.receipt_by(1, 0, DELIVERED, MatchedBy::InboxOf(1));
    assert_eq!(story.is(1), (State::Awaiting, Evidence::Delivered));
    story.receipt_by(1, 0, NEVER, of(2));
    assert!(story.has(1, DISPUTED));
    story.receipt_by(2, 0, NEVER, of(2));
    assert_eq!(story.is(2), (State::Failed, Evidence::Accepted));
}

#[test]
fn a_part_of_an_older_attempt_does_not_make_a_long_text_whole() {
    let story = Story::new(2);
    story.hand(0, 1).take(0, 1, 2).hand(0, 2).take(0, 2, 2);
    for part in [0, 1] {
        story.receipt_by(0, part, DELIVERED, MatchedBy::ReferenceOf(1));
        assert_eq!(story.is(0), (State::Awaiting, Evidence::Accepted));
    }
    for part in [0, 1] {
        story.receipt_by(0, part, DELIVERED, MatchedBy::ReferenceOf(2));
    }
    assert_eq!(story.is(0), (State::Done, Evidence::Delivered));
}

#[test]
fn a_delivery_that_goes_another_way_keeps_its_number_its_attempts_and_its_doubts() {
    let story = Story::new(1);
    let rerouted = |delivery| {
        Event::Rerouted(Rerouted {
            to: "other".into(),
            why: Detour::Away,
            at: LATER,
            runs: vec![(delivery, 1)],
        })
    };
    let doubted = Event::InDoubt {
        deliveries: vec![0],
        epoch: 1,
        due: LATER,
    };
    story.hand(0, 1).apply(doubted).apply(rerouted(0));
    let (block, i) = story.alert().find(0).expect("held");
    assert_eq!(block.goes_by(i), "other");
    assert!(block.was_on(i, "sms") && !block.is_on(i, "sms"));
    assert_eq!((block.attempts(i), block.tries(i)), (1, 0));
    assert!(story.has(0, IN_DOUBT));
    // The other has it in hand when the first says what became of its own.
    story.hand(0, 2);
    assert_eq!((block.attempts(i), block.tries(i)), (2, 1));
    story.refuse(0, 1, FailureClass::Transient, due(true));
    assert_eq!(story.is(0), (State::Handed, Evidence::None));
    let reached = Verdict::Reached(Evidence::Delivered);
    story.receipt_by(0, 0, reached, MatchedBy::ReferenceOf(1));
    assert_eq!(story.is(0), (State::Handed, Evidence::Delivered));
    assert_eq!(
        story
            .alert()
            .doubts
            .load(std::sync::atomic::Ordering::SeqCst),
        1,
        "counted once"
    );
}

#[test]
fn what_is_in_hand_or_closed_goes_no_other_way() {
    let story = Story::new(1);
    let all = || {
        Event::Rerouted(Rerouted {
            to: "other".into(),
            why: Detour::Spent,
            at: LATER,
            runs: vec![(0, 4)],
        })
    };
    story.hand(0, 1);
    story.hand(1, 1).take(1, 1, 1);
    story.hand(2, 1);
    story.refuse(2, 1, FailureClass::BadAddress, Next::Failed);
    story.apply(all());
    let by = |number| {
        let (block, i) = story.alert().find(number).expect("held");
        block.goes_by(i).into_owned()
    };
    assert_eq!([0, 1, 2, 3].map(by), ["sms", "sms", "sms", "other"]);
    assert_eq!(story.is(3).0, State::Planned, "it waits as it did");
}
