//! What a lane keeps to: its cap, its account's rate, its pauses and probes, and a prompt end.

use std::num::NonZeroU32;
use std::time::Duration;

use channel::FailureClass;

use super::house::{GATHERS, House, LINES, Mood, a_while, within};
use super::kit::CHANNEL;
use crate::dispatch::lane::Limits;
use crate::ledger::event::LinkState;
use crate::model::{Rate, State};

const MINOR: u64 = 3 << 56;

fn attempts(house: &House, stream: u64) -> Vec<u8> {
    let alert = house.desk.ledger.alert(stream).expect("it stands");
    let blocks = alert.blocks();
    let of = |b: &std::sync::Arc<crate::ledger::Block>| {
        (0..b.len() as usize)
            .map(|i| b.attempts(i))
            .collect::<Vec<_>>()
    };
    blocks.iter().flat_map(of).collect()
}

fn tally(house: &House, stream: u64, state: State) -> u32 {
    let alert = house.desk.ledger.alert(stream).expect("it stands");
    alert.blocks().iter().map(|b| b.tally(state)).sum()
}

#[tokio::test]
async fn no_more_than_the_cap_is_ever_handed_and_not_settled() {
    let fast = NonZeroU32::new(10_000).expect("some");
    let rate = Rate {
        per_second: fast,
        burst: fast,
    };
    let cap = Limits::of(rate, 100, 1, None).cap;
    let house = House::start(&[CHANNEL], &rate.to_string(), Mood::Holds).await;
    let alert = house.alert(CHANNEL, MINOR, 5_000).await;
    within("the cap is used", || house.far().sent() >= cap).await;
    for _ in 0..3 {
        house.advance(1_000);
        a_while().await;
        assert_eq!(house.far().sent(), cap);
        assert_eq!(tally(&house, alert, State::Handed) as usize, cap);
    }
    house.far().is(Mood::Takes);
    within("all is sent", || {
        house.advance(100);
        tally(&house, alert, State::Awaiting) == 5_000
    })
    .await;
}

#[tokio::test]
async fn no_more_calls_are_in_hand_than_there_are_lines() {
    let house = House::start(&[LINES], "100/s burst 100", Mood::Holds).await;
    let calls = house.alert(LINES, MINOR, 50).await;
    within("the lines are taken", || house.far().sent() == 3).await;
    for _ in 0..3 {
        house.advance(1_000);
        a_while().await;
        assert_eq!(house.far().sent(), 3);
        assert_eq!(tally(&house, calls, State::Handed), 3);
    }
    house.far().is(Mood::Takes);
    within("every call was placed", || {
        house.advance(100);
        tally(&house, calls, State::Awaiting) == 50
    })
    .await;
}

#[tokio::test]
async fn what_a_platform_is_given_is_one_message_and_so_it_is_after_a_failure_and_a_pause() {
    // Ten a second: of any other channel a slice would be one.
    let refuses = Mood::Refuses(FailureClass::Transient);
    let house = House::start(&[GATHERS], "10/s burst 10", refuses).await;
    let alert = house.alert(GATHERS, MINOR, 178).await;
    house.advance(2_000);
    within("it was tried", || tally(&house, alert, State::Due) == 178).await;
    assert_eq!(house.far().batches(), [178]);
    house.far().is(Mood::Down);
    within("it was tried again", || {
        house.advance(100);
        house.far().batches().len() == 2
    })
    .await;
    house.far().is(Mood::Takes);
    within("all of it is there", || {
        house.advance(100);
        tally(&house, alert, State::Awaiting) == 178
    })
    .await;
    let batches = house.far().batches();
    assert!(batches.iter().all(|one| *one == 178), "{batches:?}");
}

#[tokio::test]
async fn a_lane_that_waits_for_permits_stops_at_once() {
    let house = House::start(&[CHANNEL], "1/s burst 10", Mood::Takes).await;
    house.alert(CHANNEL, MINOR, 100).await;
    within("the burst is out", || house.far().sent() == 10).await;
    a_while().await;
    assert_eq!(
        house.far().sent(),
        10,
        "time stands still, and so do the permits"
    );
    house.stop.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(30), house.tasks.wait());
    ended.await.expect("lane and settler end");
}

#[tokio::test]
async fn a_link_that_is_down_is_probed_with_one_message_at_growing_intervals_and_nothing_is_charged()
 {
    let house = House::start(&[CHANNEL], "1000/s burst 40", Mood::Down).await;
    let alert = house.alert(CHANNEL, MINOR, 200).await;
    within("the lane pauses", || {
        house
            .desk
            .ledger
            .links()
            .get(CHANNEL)
            .is_some_and(|l| l.0 == LinkState::Paused)
    })
    .await;
    a_while().await;
    let mut sent = house.far().sent();
    for wait in [500, 1_000, 2_000, 4_000] {
        house.advance(wait - 10);
        a_while().await;
        assert_eq!(house.far().sent(), sent, "it waits {wait} ms");
        house.advance(20);
        within("a probe", || house.far().sent() > sent).await;
        a_while().await;
        sent += 1;
        assert_eq!(house.far().sent(), sent, "a probe is one message");
    }
    house.far().is(Mood::Takes);
    within("all is sent", || {
        house.advance(200);
        tally(&house, alert, State::Awaiting) == 200
    })
    .await;
    assert!(attempts(&house, alert).iter().all(|n| *n == 1));
    within("the link is up", || {
        house
            .desk
            .ledger
            .links()
            .get(CHANNEL)
            .is_some_and(|l| l.0 == LinkState::Up)
    })
    .await;
}

#[tokio::test]
async fn throttles_slow_the_lane_and_are_not_charged() {
    let house = House::start(&[CHANNEL], "1000/s burst 100", Mood::Throttles(5)).await;
    // More complaints about each than it has attempts.
    let alert = house.alert(CHANNEL, MINOR, 30).await;
    within("all is sent", || {
        house.advance(50);
        tally(&house, alert, State::Awaiting) == 30
    })
    .await;
    assert!(attempts(&house, alert).iter().all(|n| *n == 1));
    assert_eq!(house.far().sent(), 30 * 6);
}

#[tokio::test]
async fn a_clock_that_jumps_past_the_end_of_a_warning_stops_nothing_of_it() {
    for seconds in [86_400, -86_400] {
        let house = House::start(&[CHANNEL], "100/s burst 40", Mood::Takes).await;
        let alert = house.alert(CHANNEL, MINOR, 200).await;
        within("some are out", || house.far().sent() >= 40).await;
        house.clock.jump(seconds * 1000);
        within("all is sent", || {
            house.advance(50);
            tally(&house, alert, State::Awaiting) == 200
        })
        .await;
        assert!(attempts(&house, alert).iter().all(|n| *n == 1), "{seconds}");
    }
}
