//! What lies on the desk, what is had and what is given up, without a channel. These tests must not sleep: the desk has no
//! clock.

use channel::FailureClass;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;

const NOW: Timestamp = Timestamp(1_000_000);

fn key(delivery: u32) -> Key {
    Key {
        alert: 1,
        delivery,
        generation: 0,
    }
}

/// An order's id is its delivery's number here.
fn put(desk: &mut Desk, delivery: u32, counter: u64) -> UnboundedReceiver<(usize, Outcome)> {
    let expires = NOW.plus(Duration::from_mins(1));
    let (outcomes, told) = unbounded_channel();
    let laid = Laid {
        device: "a",
        key: key(delivery),
        sheet: Sheet::plain(&delivery.to_string(), counter, expires),
        waiter: Waiter { index: 0, outcomes },
    };
    desk.put(laid, NOW);
    told
}

fn polled(desk: &mut Desk, floor: u64, took: &[u64]) {
    desk.polled("a", Window::new(floor, took.to_vec()).expect("a window"));
}

fn code(told: &mut UnboundedReceiver<(usize, Outcome)>) -> String {
    match told.try_recv() {
        Ok((_, Ok(()))) => "had".into(),
        Ok((_, Err(failure))) => failure.code.into_owned(),
        Err(_) => "nothing yet".into(),
    }
}

fn counters(desk: &mut Desk) -> Vec<u64> {
    desk.due("a", NOW).iter().map(|due| due.counter).collect()
}

#[test]
fn an_order_is_had_only_when_a_later_poll_names_it() {
    let mut desk = Desk::new(8, 0);
    let mut told = put(&mut desk, 1, 5);
    assert_eq!(counters(&mut desk), [5]);
    assert_eq!(code(&mut told), "nothing yet");
    polled(&mut desk, 0, &[5]);
    assert_eq!(code(&mut told), "had");
}

#[test]
fn a_fetched_order_stays_for_a_second_fetch_until_it_is_named_done_or_expired() {
    let mut desk = Desk::new(8, 0);
    put(&mut desk, 1, 5);
    assert_eq!(counters(&mut desk), [5]);
    assert_eq!(counters(&mut desk), [5]);
    polled(&mut desk, 0, &[5]);
    assert!(counters(&mut desk).is_empty());
    // It forgot, as after a power cut in the middle of the play.
    polled(&mut desk, 0, &[]);
    assert_eq!(counters(&mut desk), [5]);
    assert!(desk.due("a", NOW.plus(Duration::from_mins(1))).is_empty());
    desk.done("a", "1");
    assert!(counters(&mut desk).is_empty());
}

#[test]
fn an_order_that_was_overtaken_is_still_given_out() {
    let mut desk = Desk::new(8, 0);
    let mut later = put(&mut desk, 2, 9);
    assert_eq!(counters(&mut desk), [9]);
    let mut earlier = put(&mut desk, 1, 5);
    polled(&mut desk, 0, &[9]);
    assert_eq!(
        (code(&mut later), code(&mut earlier)),
        ("had".into(), "nothing yet".into())
    );
    assert_eq!(counters(&mut desk), [5]);
    polled(&mut desk, 0, &[5, 9]);
    assert_eq!(code(&mut earlier), "had");
}

#[test]
fn an_order_of_the_same_delivery_replaces_the_older_one() {
    let mut desk = Desk::new(8, 0);
    let mut first = put(&mut desk, 1, 5);
    put(&mut desk, 2, 6);
    put(&mut desk, 1, 7);
    assert_eq!(code(&mut first), "speaker:replaced");
    assert_eq!(counters(&mut desk), [6, 7]);
}

#[test]
fn an_overdue_order_is_silent_when_never_written_and_in_doubt_when_written() {
    let mut desk = Desk::new(8, 0);
    let mut never = put(&mut desk, 1, 5);
    desk.give_up("a", key(1), false);
    assert_eq!(code(&mut never), "speaker:silent");
    let mut written = put(&mut desk, 1, 6);
    counters(&mut desk);
    desk.give_up("a", key(1), false);
    assert_eq!(code(&mut written), "speaker:unproved");
}

#[test]
fn a_counter_that_the_device_has_passed_is_never_counted_as_fetched() {
    let mut desk = Desk::new(8, 0);
    let mut waiting = put(&mut desk, 1, 5);
    polled(&mut desk, 9, &[12]);
    desk.heard("a", NOW, Duration::ZERO);
    assert_eq!(code(&mut waiting), "speaker:counter-passed");
    for counter in [9, 12] {
        assert_eq!(
            code(&mut put(&mut desk, 2, counter)),
            "speaker:counter-passed"
        );
    }
    assert_eq!(code(&mut put(&mut desk, 2, 10)), "nothing yet");
}

#[test]
fn a_report_names_all_deliveries_of_its_order_and_proves_the_fetch() {
    let mut desk = Desk::new(8, 0);
    let mut told = put(&mut desk, 1, 5);
    let mut other = put(&mut desk, 2, 6);
    assert_eq!(desk.reported("a", "1"), [key(1)]);
    assert_eq!(
        (code(&mut told), code(&mut other)),
        ("had".into(), "nothing yet".into())
    );
    assert!(desk.reported("a", "9").is_empty() && desk.reported("b", "1").is_empty());
}

#[test]
fn two_deliveries_on_one_sheet_are_one_order_to_the_device() {
    let mut desk = Desk::new(8, 0);
    let sheet = Sheet::plain("x", 5, NOW.plus(Duration::from_mins(1)));
    for delivery in [1, 2] {
        let (outcomes, _) = unbounded_channel();
        let laid = Laid {
            device: "a",
            key: key(delivery),
            sheet: sheet.clone(),
            waiter: Waiter { index: 0, outcomes },
        };
        desk.put(laid, NOW);
    }
    assert_eq!(counters(&mut desk), [5]);
    assert_eq!(desk.reported("a", "x"), [key(1), key(2)]);
}

#[test]
fn a_full_queue_spares_what_is_settled_and_refuses_the_rest() {
    let mut desk = Desk::new(2, 0);
    put(&mut desk, 1, 1);
    desk.reported("a", "1");
    let _second = put(&mut desk, 2, 2);
    let _third = put(&mut desk, 3, 3);
    assert_eq!(counters(&mut desk), [2, 3]);
    assert_eq!(code(&mut put(&mut desk, 4, 4)), "speaker:queue-full");
}

#[test]
fn a_device_falls_silent_once_and_comes_back_once() {
    let (mut desk, quiet) = (Desk::new(2, 0), Duration::from_secs(90));
    assert!(desk.heard("a", NOW, Duration::ZERO));
    assert!(!desk.heard("a", NOW, Duration::from_secs(1)));
    assert!(desk.sweep(NOW, Duration::from_secs(90), quiet).is_empty());
    desk.worded("a", "on-battery");
    assert_eq!(
        desk.sweep(NOW, Duration::from_secs(91), quiet),
        [("a".to_owned(), "on-battery".to_owned())]
    );
    assert!(desk.sweep(NOW, Duration::from_secs(99), quiet).is_empty());
    assert!(desk.heard("a", NOW, Duration::from_secs(100)));
}

fn standing(counter: u64, devices: &[&str]) -> Vec<Standing> {
    vec![Standing {
        sheet: Sheet::plain("0-x", counter, NOW.plus(Duration::from_mins(1))),
        devices: devices.iter().map(|id| Box::from(*id)).collect(),
    }]
}

#[test]
fn an_order_for_many_lies_there_once_for_whom_it_names_until_each_has_taken_it() {
    let mut desk = Desk::new(8, 0);
    put(&mut desk, 1, 5);
    assert_eq!(
        desk.stand(standing(3, &["a", "b"])).len(),
        1,
        "only a waits"
    );
    assert_eq!(
        desk.stand(standing(3, &["a", "b"])).len(),
        0,
        "it lies there"
    );
    assert_eq!(counters(&mut desk), [3, 5]);
    polled(&mut desk, 0, &[3]);
    assert_eq!(counters(&mut desk), [5]);
    assert_eq!(desk.due("b", NOW).len(), 1);
    assert!(desk.due("c", NOW).is_empty());
    let later = NOW.plus(Duration::from_mins(1));
    assert!(desk.due("b", later).is_empty());
    desk.sweep(later, Duration::ZERO, Duration::from_secs(90));
    assert!(desk.standing.is_empty());
}

#[test]
fn a_new_box_begins_below_what_waits_for_it_and_above_all_else() {
    let mut desk = Desk::new(8, 70);
    assert_eq!(desk.floor("a"), 70, "all from before this desk is past");
    put(&mut desk, 1, 75);
    assert_eq!((desk.floor("a"), desk.floor("b")), (74, 75));
    desk.stand(standing(72, &["b"]));
    assert_eq!((desk.floor("a"), desk.floor("b")), (74, 71));
    assert_eq!(counters(&mut desk), [75]);
    polled(&mut desk, 74, &[75]);
    assert!(counters(&mut desk).is_empty());
    desk.forget("a");
    assert_eq!(counters(&mut desk), [75]);
}

#[test]
fn an_order_that_is_pushed_is_in_doubt_until_it_is_named_and_silent_where_nobody_hears_it() {
    let mut desk = Desk::new(8, 0);
    let mut told: Vec<_> = (1..=4).map(|n| put(&mut desk, n, u64::from(n))).collect();
    for (delivery, pushed) in [
        (1, true),
        (2, true),
        (3, true),
        (3, false),
        (4, true),
        (4, false),
    ] {
        desk.pushed("a", key(delivery), pushed);
    }
    polled(&mut desk, 0, &[1]);
    // It asked meanwhile: whatever the broker says, the fourth is on its way.
    let due = desk.due("a", NOW);
    assert_eq!(due.len(), 3);
    desk.pushed("a", key(4), false);
    polled(&mut desk, 0, &[1, 4]);
    desk.give_up("a", key(2), false);
    let codes: Vec<_> = told.iter_mut().map(code).collect();
    assert_eq!(codes, ["had", "speaker:unproved", "nothing yet", "had"]);

    let mut desk = Desk::new(8, 0);
    let (mut heard, mut unheard) = (put(&mut desk, 1, 1), put(&mut desk, 2, 2));
    desk.pushed("a", key(1), true);
    desk.give_up("a", key(2), false);
    assert_eq!(code(&mut unheard), "speaker:silent");
    // Its last will is out: the broker may hold the order for it, but nobody is there.
    let gone = [desk.gone("a"), desk.gone("a")];
    assert!(gone[0].is_some() && gone[1].is_none());
    desk.give_up("a", key(1), false);
    assert_eq!(code(&mut heard), "speaker:silent");
    assert!(desk.heard("a", NOW, Duration::ZERO), "it is back");
}

#[test]
fn an_order_that_is_given_back_lies_on_no_more_and_any_other_does() {
    let mut desk = Desk::new(8, 0);
    for (class, left) in [(FailureClass::LinkDown, 0), (FailureClass::BadAddress, 1)] {
        let mut told = put(&mut desk, 1, 5);
        desk.not_pushed("a", key(1), Failure::new(class, "mqtt:x", "x"));
        assert_eq!(code(&mut told), "mqtt:x");
        assert_eq!(counters(&mut desk).len(), left);
    }
}
