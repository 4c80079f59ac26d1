//! An earthquake at one loudspeaker: counted down, replaced without a break, called off, over ten seconds after the wave;
//! and, whatever comes in whatever order, never backwards and never twice.

use channel::{AFTER_ARRIVAL, Alarm};
use proptest::prelude::*;

use super::*;
use crate::order::{QUAKE, QUAKE_CANCEL, Tremor};
use crate::player::Say;
use crate::player::quake::countdown;

/// A report on the earthquake that began at 0, by which the wave is there at that second.
fn report(report: u32, counter: u64, arrival: u64, alarm: Alarm) -> Order {
    let level = crate::order::level_of(alarm);
    let arrival = at(arrival);
    Order {
        order: format!("0-{counter}-quake-cc"),
        kind: QUAKE.into(),
        level,
        target: "sc-1".into(),
        value: report,
        repeats: 1,
        text: format!("地震预警{report}"),
        expires: arrival.plus(AFTER_ARRIVAL),
        quake: Some(Tremor {
            origin: START,
            arrival,
            intensity: 6,
            magnitude: 63,
            alarm,
        }),
        ..order(0, counter)
    }
}

fn cancel(report: u32, counter: u64) -> Order {
    Order {
        order: format!("0-{counter}-quake-cancel-cc"),
        kind: QUAKE_CANCEL.into(),
        level: Level::Unknown,
        target: "sc-1".into(),
        value: report,
        repeats: 1,
        text: "地震预警取消".into(),
        expires: at(600),
        ..order(0, counter)
    }
}

fn millis(millis: u64) -> Timestamp {
    START.plus(Duration::from_millis(millis))
}

#[test]
fn the_text_comes_first_where_there_is_time_then_the_seconds_then_that_the_wave_is_there() {
    let mut stand = Stand::new();
    stand.take(&report(1, 1, 12, Alarm::Orange), millis(500));
    assert_eq!(stand.told(), ["0-1-quake-cc Done 0 sounds"]);
    assert_eq!(stand.turn(millis(500)), "sc-1 1 siren Words");
    stand.finished(millis(2_500));
    for (when, wanted) in [
        (2_500, "sc-1 1 siren Seconds(9)"),
        (3_000, "sc-1 1 siren Seconds(9)"),
        (3_001, "sc-1 1 siren Seconds(8)"),
        (11_000, "sc-1 1 siren Seconds(1)"),
        (11_001, "sc-1 1 siren Here"),
        (12_000, "sc-1 1 siren Here"),
        (21_999, "sc-1 1 siren Here"),
        (22_000, "silence"),
        (23_000, "silence"),
    ] {
        assert_eq!(stand.turn(millis(when)), wanted, "at {when}");
    }
    assert_eq!(stand.told(), ["0-1-quake-cc Played whole 22"]);
}

#[test]
fn a_wave_that_is_near_is_counted_at_once_and_one_that_is_there_has_no_number() {
    let mut stand = Stand::new();
    stand.take(&report(1, 1, 4, Alarm::Red), at(0));
    assert_eq!(stand.turn(at(0)), "sc-1 1 siren Seconds(4)");
    let mut stand = Stand::new();
    stand.take(&report(1, 1, 4, Alarm::Red), millis(3_001));
    assert_eq!(stand.turn(millis(3_001)), "sc-1 1 siren Here");
    let here = Say::Here;
    let order = report(1, 1, 4, Alarm::Red);
    assert_eq!(here.text(&order), "地震横波到达,立即避险");
    let drill = Order {
        drill: true,
        ..order
    };
    assert!(here.text(&drill).starts_with("演练"));
}

#[test]
fn whoever_counts_down_is_told_when_what_is_said_changes() {
    let tremor = report(1, 1, 12, Alarm::Red).quake.expect("a tremor");
    let mut now = at(0);
    let mut said = Vec::new();
    while let (say, Some(until)) = countdown(&tremor, true, true, now) {
        let before = until.minus(Duration::from_millis(1));
        assert_eq!(countdown(&tremor, true, true, before).0, say);
        assert_ne!(countdown(&tremor, true, true, until).0, say);
        said.push(say);
        now = until;
    }
    assert_eq!(said, (1..=12).rev().map(Say::Seconds).collect::<Vec<_>>());
    let (say, until) = countdown(&tremor, false, true, at(0));
    assert_eq!((say, until), (Say::Words, Some(millis(7_001))));
}

#[test]
fn a_device_whose_clock_is_known_to_be_wrong_speaks_no_number() {
    let mut stand = Stand::new();
    stand.player.trust_clock(false);
    stand.take(&report(1, 1, 12, Alarm::Orange), at(0));
    assert_eq!(stand.turn(at(0)), "sc-1 1 siren Words");
    stand.finished(at(2));
    assert_eq!(stand.turn(at(2)), "sc-1 1 siren Cover");
    stand.player.trust_clock(true);
    assert_eq!(stand.turn(at(3)), "sc-1 1 siren Seconds(9)");
}

#[test]
fn it_goes_before_all_else_and_what_it_cut_off_goes_on() {
    let mut stand = Stand::new();
    let red = Order {
        level: Level::Red,
        ..super::order(7, 1)
    };
    stand.take(&red, at(0));
    assert_eq!(stand.turn(at(0)), "7 1");
    stand.take(&report(1, 2, 4, Alarm::Orange), at(1));
    assert_eq!(stand.turn(at(1)), "sc-1 1 siren Seconds(3)");
    assert_eq!(stand.turn(at(14)), "7 1");
    let mut stand = Stand::new();
    stand.player.local(Some(Source::Microphone), at(0));
    assert_eq!(stand.turn(at(0)), "microphone");
    stand.take(&report(1, 2, 4, Alarm::Notice), at(1));
    assert_eq!(stand.turn(at(1)), "sc-1 1 Words");
    stand.finished(at(3));
    assert_eq!(stand.turn(at(3)), "microphone");
}

#[test]
fn a_newer_report_takes_the_place_of_an_older_without_a_break_and_never_the_other_way() {
    let mut stand = Stand::new();
    stand.take(&report(1, 1, 12, Alarm::Orange), at(0));
    stand.turn(at(0));
    stand.finished(at(2));
    stand.told();
    stand.take(&report(3, 3, 15, Alarm::Red), at(3));
    assert_eq!(
        stand.turn(at(3)),
        "sc-1 3 siren Seconds(12)",
        "no words again"
    );
    stand.take(&report(2, 2, 9, Alarm::Orange), at(4));
    assert_eq!(stand.turn(at(4)), "sc-1 3 siren Seconds(11)");
    assert_eq!(stand.turn(at(25)), "silence");
    stand.take(&report(4, 4, 20, Alarm::Red), at(25));
    assert_eq!(stand.turn(at(25)), "silence", "it is over");
    let told = [
        "0-3-quake-cc Done 0 sounds",
        "0-2-quake-cc Done 0 newer",
        // All that has sounded, since the first.
        "0-3-quake-cc Played whole 25",
        "0-4-quake-cc Done 0 over",
    ];
    assert_eq!(stand.told(), told);
}

#[test]
fn a_notice_is_spoken_once_gets_a_siren_by_a_graver_report_and_keeps_it() {
    let mut stand = Stand::new();
    stand.take(&report(1, 1, 20, Alarm::Notice), at(0));
    assert_eq!(stand.turn(at(0)), "sc-1 1 Words");
    stand.finished(at(3));
    assert_eq!(stand.turn(at(3)), "silence 30");
    stand.take(&report(2, 2, 20, Alarm::Notice), at(4));
    assert_eq!(stand.turn(at(4)), "silence 30", "it was spoken");
    stand.take(&report(3, 3, 20, Alarm::Orange), at(5));
    assert_eq!(stand.turn(at(5)), "sc-1 3 siren Seconds(15)");
    stand.take(&report(4, 4, 21, Alarm::Notice), at(6));
    assert_eq!(stand.turn(at(6)), "sc-1 4 siren Seconds(15)");
    stand.power_cut();
    assert_eq!(stand.turn(at(7)), "sc-1 4 siren Seconds(14)");
    assert_eq!(stand.turn(at(31)), "silence");
    let told = [
        "0-1-quake-cc Done 0 notice",
        "0-1-quake-cc Played whole 3",
        "0-2-quake-cc Done 0 notice",
        "0-3-quake-cc Done 0 sounds",
        "0-4-quake-cc Done 0 sounds",
    ];
    let (first, last) = (stand.told(), "0-4-quake-cc Played whole");
    assert_eq!(first[..5], told);
    assert!(first[5].starts_with(last), "{first:?}");
}

#[test]
fn what_was_called_off_stops_says_so_once_and_a_later_report_revives_it() {
    let mut stand = Stand::new();
    stand.take(&report(1, 1, 20, Alarm::Orange), at(0));
    stand.turn(at(0));
    stand.take(&cancel(2, 5), at(3));
    assert_eq!(stand.turn(at(3)), "sc-1 地震预警取消");
    stand.finished(at(6));
    assert_eq!(stand.turn(at(6)), "silence");
    stand.take(&report(2, 2, 20, Alarm::Red), at(7));
    assert_eq!(stand.turn(at(7)), "silence", "it was called off with it");
    stand.power_cut();
    stand.take(&report(2, 6, 20, Alarm::Red), at(8));
    assert_eq!(stand.turn(at(8)), "silence", "and that is kept");
    stand.take(&report(3, 7, 20, Alarm::Red), at(9));
    assert_eq!(stand.turn(at(9)), "sc-1 3 siren Words");
    let told = [
        "0-1-quake-cc Done 0 sounds",
        "0-1-quake-cc Stopped 3",
        "0-5-quake-cancel-cc Done 0 stopped",
        "0-2-quake-cc Done 0 newer",
        "0-6-quake-cc Done 0 newer",
        "0-7-quake-cc Done 0 sounds",
    ];
    assert_eq!(stand.told(), told);
}

#[test]
fn a_cancel_says_nothing_where_nothing_has_begun_and_nothing_of_a_newer_report() {
    let mut stand = Stand::new();
    stand.take(&cancel(1, 5), at(0));
    assert_eq!(stand.turn(at(0)), "silence");
    // It came, and was not begun yet.
    stand.take(&report(2, 2, 20, Alarm::Orange), at(1));
    stand.take(&cancel(2, 6), at(1));
    assert_eq!(stand.turn(at(1)), "silence");
    stand.take(&report(4, 8, 20, Alarm::Orange), at(2));
    stand.turn(at(2));
    stand.take(&cancel(3, 7), at(3));
    assert_eq!(stand.turn(at(3)), "sc-1 4 siren Words");
    let told = [
        "0-5-quake-cancel-cc Done 0 not-begun",
        "0-2-quake-cc Done 0 sounds",
        "0-6-quake-cancel-cc Done 0 not-begun",
        "0-8-quake-cc Done 0 sounds",
        "0-7-quake-cancel-cc Done 0 newer",
    ];
    assert_eq!(stand.told(), told);
}

#[test]
fn an_exercise_and_an_operators_stop_touch_no_real_one() {
    let mut stand = Stand::new();
    stand.take(&report(1, 1, 20, Alarm::Orange), at(0));
    stand.turn(at(0));
    let drill = |order: Order| Order {
        drill: true,
        text: "演练。地震预警".into(),
        ..order
    };
    stand.take(&drill(report(9, 2, 30, Alarm::Notice)), at(1));
    stand.take(&drill(cancel(9, 3)), at(2));
    stand.take(&kind(STOP_ALL, 4, "", 0), at(3));
    stand.take(&kind(STOP, 5, "0-1-quake-cc", 0), at(4));
    assert_eq!(stand.turn(at(5)), "sc-1 1 siren Words");
}

#[test]
fn one_for_a_machine_never_sounds() {
    let mut stand = Stand::new();
    stand.take(&report(1, 1, 20, Alarm::Machine), at(0));
    assert_eq!(stand.turn(at(0)), "silence");
    assert_eq!(stand.told(), ["0-1-quake-cc Failed 0 no-machine"]);
}

#[test]
fn it_goes_on_over_a_power_cut_and_ends_by_its_time_without_one() {
    let mut stand = Stand::new();
    stand.take(&report(1, 1, 20, Alarm::Orange), at(0));
    stand.turn(at(0));
    stand.finished(at(2));
    stand.power_cut();
    assert_eq!(stand.turn(at(5)), "sc-1 1 siren Seconds(15)");
    stand.power_cut();
    assert_eq!(stand.turn(at(30)), "silence");
    stand.take(&report(1, 2, 25, Alarm::Orange), at(31));
    assert_eq!(stand.turn(at(31)), "silence");
}

#[test]
fn what_is_refused_sounds_nothing_and_is_told_once_where_the_signature_holds() {
    let mut stand = Stand::new();
    let thief = Signer::from_seed(&SEED.replace("07", "08")).expect("32 bytes");
    let unsigned = crate::order::Signed {
        signature: String::new(),
        ..stand.signer.sign(&report(1, 1, 20, Alarm::Red))
    };
    let drill = Order {
        drill: true,
        ..report(1, 3, 20, Alarm::Red)
    };
    let mut absurd = report(1, 4, 20, Alarm::Red);
    absurd.quake.as_mut().expect("a tremor").intensity = 13;
    let other = Order {
        to: "PW-217001-03".into(),
        ..report(1, 4, 20, Alarm::Red)
    };
    let sign = |order: &Order| stand.signer.sign(order);
    let cases = [
        (unsigned, Refusal::Forged),
        (thief.sign(&report(1, 2, 20, Alarm::Red)), Refusal::Forged),
        (
            stand.signer.mixed(&report(1, 2, 20, Alarm::Red)),
            Refusal::DrillForLive,
        ),
        (sign(&drill), Refusal::UnmarkedDrill),
        (sign(&absurd), Refusal::Malformed),
        (
            sign(&Order {
                quake: None,
                ..absurd.clone()
            }),
            Refusal::Malformed,
        ),
        (sign(&other), Refusal::NotAddressed),
        (sign(&report(1, 5, 602, Alarm::Red)), Refusal::FarAhead),
    ];
    for _ in 0..2 {
        for (signed, refusal) in &cases {
            assert_eq!(stand.player.take(signed, at(1)), Err(*refusal));
        }
    }
    assert_eq!(stand.turn(at(1)), "silence");
    let late = stand.signer.sign(&report(1, 6, 20, Alarm::Red));
    assert_eq!(stand.player.take(&late, at(30)), Err(Refusal::Expired));
    let told = [
        "0-2-quake-cc Failed 0 drill-for-live",
        "0-3-quake-cc Failed 0 unmarked-drill",
        "0-5-quake-cc Failed 0 far-ahead",
        "0-6-quake-cc Failed 0 expired",
    ];
    assert_eq!(stand.told(), told);
    stand.take(&report(1, 7, 20, Alarm::Red), at(1));
    let again = stand.signer.sign(&report(1, 7, 20, Alarm::Red));
    assert_eq!(stand.player.take(&again, at(1)), Err(Refusal::Replayed));
}

#[derive(Clone, Debug)]
enum Step {
    Report {
        report: u32,
        arrival: u64,
        alarm: Alarm,
    },
    Cancel(u32),
    Tick(u64),
    Finished,
    PowerCut,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let alarm = prop_oneof![Just(Alarm::Red), Just(Alarm::Orange), Just(Alarm::Notice)];
    let step = prop_oneof![
        4 => (1_u32..6, 5_u64..40, alarm)
            .prop_map(|(report, arrival, alarm)| Step::Report { report, arrival, alarm }),
        1 => (1_u32..6).prop_map(Step::Cancel),
        6 => (1_u64..4_000).prop_map(Step::Tick),
        1 => Just(Step::Finished),
        1 => Just(Step::PowerCut),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_comes_in_whatever_order_the_newest_report_sounds_until_its_end_and_none_twice(
        steps in steps(),
    ) {
        let mut stand = Stand::new();
        let (mut now, mut counter) = (START, 0);
        // Of the reports that were taken: number and end; and up to which they are called off.
        let (mut newest, mut off): (Option<(u32, Timestamp)>, u32) = (None, 0);
        // What sounded last, and which report began a siren.
        let (mut last, mut begun): (u32, Vec<u32>) = (0, Vec::new());
        let mut sirens = false;
        for step in steps {
            match step {
                Step::Report { report: number, arrival, alarm } => {
                    counter += 1;
                    let order = report(number, counter, arrival, alarm);
                    let end = order.expires;
                    if stand.player.take(&stand.signer.sign(&order), now).is_ok()
                        && newest.is_none_or(|(known, _)| known < number)
                    {
                        newest = Some((number, end));
                    }
                }
                Step::Cancel(number) => {
                    counter += 1;
                    stand.take(&cancel(number, counter), now);
                    off = off.max(number);
                }
                Step::Tick(millis) => now = now.plus(Duration::from_millis(millis)),
                Step::Finished => stand.finished(now),
                Step::PowerCut => stand.power_cut(),
            }
            let Turn::Quake { order, siren, say, until } = stand.player.turn(now) else {
                sirens = false;
                continue;
            };
            let (number, end) = newest.expect("one was taken");
            prop_assert_eq!(order.value, number, "the newest, and no other");
            prop_assert!(number > off, "called off up to {}", off);
            prop_assert!(now < end && order.expires == end && until <= end);
            prop_assert!(last <= number, "never backwards");
            let arrival = order.quake.expect("a tremor").arrival;
            prop_assert!(siren || say == Say::Words);
            prop_assert!(siren || !sirens || number != last, "the siren is not taken away");
            if let Say::Seconds(left) = say {
                prop_assert!(arrival.since(now) >= Duration::from_secs(left.into()));
            }
            if siren && !sirens {
                prop_assert!(!begun.contains(&number), "never twice: {:?}", begun);
            }
            if siren {
                begun.push(number);
                begun.dedup();
            }
            (last, sirens) = (number, siren);
        }
    }
}
