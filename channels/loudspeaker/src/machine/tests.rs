//! A machine that acts once, on live orders alone, in time; and says what it did. These tests must not sign by any other way
//! than the gateway's `Signer`.

use std::time::Duration;

use channel::{AFTER_ARRIVAL, Authority, Level};
use proptest::prelude::*;

use super::*;
use crate::order::{Class, PLAY, Signer, VERSION};

const SEED: &str = "0707070707070707070707070707070707070707070707070707070707070707";
const START: Timestamp = Timestamp(1_784_044_800_000);
const DEVICE: &str = "PW-SLUICE-1";

fn at(seconds: u64) -> Timestamp {
    START.plus(Duration::from_secs(seconds))
}

/// A report by which the wave is there at 20 s.
fn quake(report: u32, counter: u64) -> Order {
    Order {
        v: VERSION,
        gateway: "test".into(),
        counter,
        order: format!("0-{counter}-quake-cc"),
        kind: QUAKE.into(),
        drill: false,
        class: Class::Emergency,
        authority: Authority::County,
        level: Level::Unknown,
        event: "11C02".into(),
        language: "zh-CN".into(),
        title: "地震预警".into(),
        text: "地震预警。".into(),
        repeats: 1,
        pause: 0,
        parts: Vec::new(),
        regions_hash: String::new(),
        target: "sc-1".into(),
        value: report,
        not_before: START,
        expires: TREMOR.arrival.plus(AFTER_ARRIVAL),
        to: DEVICE.into(),
        quake: Some(TREMOR),
    }
}

fn cancel(report: u32, counter: u64) -> Order {
    Order {
        order: format!("0-{counter}-quake-cancel-cc"),
        kind: QUAKE_CANCEL.into(),
        quake: None,
        expires: at(600),
        ..quake(report, counter)
    }
}

fn drill(order: Order) -> Order {
    Order {
        drill: true,
        text: "演练。地震预警。".into(),
        ..order
    }
}

struct Stand {
    machine: Machine,
    signer: Signer,
}

impl Stand {
    fn new() -> Self {
        let signer = Signer::from_seed(SEED).expect("32 bytes");
        let machine = Machine::new(verifier(&signer), Kept::new(0));
        Self { machine, signer }
    }

    fn take(&mut self, order: &Order, now: Timestamp) -> Result<Deed, Refusal> {
        self.machine.take(&self.signer.sign(order), now)
    }

    fn told(&mut self) -> Vec<String> {
        let mut told = Vec::new();
        while let Some(Report { state, code, .. }) = self.machine.to_report() {
            told.push(format!("{state:?} {code}"));
            self.machine.reported();
        }
        told
    }

    fn power_cut(&mut self) {
        let kept = serde_json::to_string(self.machine.kept()).expect("texts and numbers");
        let kept = serde_json::from_str(&kept).expect("as it was written");
        self.machine = Machine::new(verifier(&self.signer), kept);
    }
}

fn verifier(signer: &Signer) -> Verifier {
    Verifier::new(DEVICE, &signer.public_keys()).expect("two keys")
}

const TREMOR: Tremor = Tremor {
    origin: START,
    arrival: Timestamp(START.0 + 20_000),
    intensity: 6,
    magnitude: 63,
    alarm: Alarm::Machine,
};
const ACTS: Result<Deed, Refusal> = Ok(Deed::Act(TREMOR));
const NOTHING: Result<Deed, Refusal> = Ok(Deed::Nothing);

#[test]
fn it_acts_once_for_an_earthquake_also_over_a_power_cut() {
    let mut stand = Stand::new();
    assert_eq!(stand.take(&quake(2, 5), at(1)), ACTS);
    assert_eq!(stand.take(&quake(1, 4), at(2)), NOTHING);
    stand.power_cut();
    assert_eq!(stand.take(&quake(3, 6), at(3)), NOTHING);
    assert_eq!(stand.told(), ["Done acts", "Done newer", "Done acted"]);
    let other = Order {
        target: "sc-2".into(),
        ..quake(0, 7)
    };
    assert_eq!(stand.take(&other, at(4)), ACTS, "whatever it counts from");
}

#[test]
fn an_exercise_moves_nothing_and_stops_nothing() {
    let mut stand = Stand::new();
    assert_eq!(stand.take(&drill(quake(1, 1)), at(1)), NOTHING);
    assert_eq!(stand.take(&quake(1, 2), at(1)), ACTS);
    assert_eq!(stand.take(&drill(cancel(9, 3)), at(2)), NOTHING);
    assert_eq!(stand.take(&cancel(1, 4), at(3)), Ok(Deed::Release));
    let told = ["Done held", "Done acts", "Done held", "Done stopped"];
    assert_eq!(stand.told(), told);
}

#[test]
fn a_cancel_releases_it_once_and_only_a_later_report_makes_it_act_again() {
    let mut stand = Stand::new();
    assert_eq!(stand.take(&cancel(1, 1), at(0)), NOTHING);
    assert_eq!(
        stand.take(&quake(1, 2), at(1)),
        NOTHING,
        "called off before it came"
    );
    assert_eq!(stand.take(&quake(3, 3), at(2)), ACTS);
    assert_eq!(
        stand.take(&cancel(2, 4), at(3)),
        NOTHING,
        "of an older report"
    );
    assert_eq!(stand.take(&cancel(3, 5), at(4)), Ok(Deed::Release));
    assert_eq!(stand.take(&cancel(3, 6), at(5)), NOTHING);
    assert_eq!(stand.take(&quake(4, 7), at(6)), ACTS);
    let told = [
        "Done not-begun",
        "Done newer",
        "Done acts",
        "Done newer",
        "Done stopped",
        "Done not-begun",
        "Done acts",
    ];
    assert_eq!(stand.told(), told);
}

#[test]
fn it_refuses_what_is_forged_replayed_late_absurd_or_a_drill_given_out_as_live_and_says_so_once() {
    let mut stand = Stand::new();
    let thief = Signer::from_seed(&SEED.replace("07", "08")).expect("32 bytes");
    let tremor = |change: fn(&mut Tremor)| {
        let mut order = quake(1, 9);
        change(order.quake.as_mut().expect("a tremor"));
        order
    };
    let far = {
        let mut order = quake(1, 12);
        let arrival = at(602);
        order.quake.as_mut().expect("a tremor").arrival = arrival;
        order.expires = arrival.plus(AFTER_ARRIVAL);
        order
    };
    let sign = |order: &Order| stand.signer.sign(order);
    let unsigned = Signed {
        signature: String::new(),
        ..sign(&quake(1, 8))
    };
    let longer = Order {
        expires: at(31),
        ..quake(1, 9)
    };
    let other = Order {
        to: "PW-SLUICE-2".into(),
        ..quake(1, 9)
    };
    let without = Order {
        quake: None,
        ..quake(1, 9)
    };
    let silent = Order {
        drill: true,
        ..quake(1, 13)
    };
    let cases = [
        (unsigned, at(1), Refusal::Forged),
        (thief.sign(&quake(1, 8)), at(1), Refusal::Forged),
        (sign(&other), at(1), Refusal::NotAddressed),
        (sign(&without), at(1), Refusal::Malformed),
        (sign(&longer), at(1), Refusal::Malformed),
        (
            sign(&tremor(|t| t.intensity = 0)),
            at(1),
            Refusal::Malformed,
        ),
        (
            sign(&tremor(|t| t.intensity = 13)),
            at(1),
            Refusal::Malformed,
        ),
        (
            sign(&tremor(|t| t.origin = at(21))),
            at(1),
            Refusal::Malformed,
        ),
        (sign(&far), at(1), Refusal::FarAhead),
        (sign(&quake(1, 10)), at(30), Refusal::Expired),
        (
            stand.signer.mixed(&quake(1, 11)),
            at(1),
            Refusal::DrillForLive,
        ),
        (
            stand.signer.mixed(&drill(quake(1, 14))),
            at(1),
            Refusal::DrillForLive,
        ),
        (sign(&silent), at(1), Refusal::UnmarkedDrill),
    ];
    for _ in 0..2 {
        for (signed, now, refusal) in &cases {
            assert_eq!(
                stand.machine.take(signed, *now),
                Err(*refusal),
                "{}",
                signed.body
            );
        }
    }
    assert_eq!(
        stand.take(&quake(1, 20), at(29)),
        ACTS,
        "in the last second"
    );
    assert_eq!(stand.take(&quake(1, 20), at(29)), Err(Refusal::Replayed));
    let told = [
        "Failed far-ahead",
        "Failed late",
        "Failed drill-for-live",
        "Failed drill-for-live",
        "Failed unmarked-drill",
        "Done acts",
    ];
    assert_eq!(stand.told(), told);
}

#[test]
fn what_is_not_for_machines_moves_nothing() {
    let mut stand = Stand::new();
    let mut siren = quake(1, 1);
    siren.quake.as_mut().expect("a tremor").alarm = Alarm::Red;
    let kind = |kind: &str, counter| Order {
        kind: kind.into(),
        quake: None,
        ..quake(1, counter)
    };
    for order in [siren, kind(PLAY, 2), kind(SELF_TEST, 3)] {
        assert_eq!(stand.take(&order, at(1)), NOTHING);
    }
    let told = ["Failed no-speaker", "Failed no-speaker", "Done "];
    assert_eq!(stand.told(), told);
}

proptest! {
    #[test]
    fn whatever_comes_in_whatever_order_it_acts_once_between_two_releases_and_never_in_a_drill(
        steps in prop::collection::vec((1_u32..6, any::<bool>(), 0_u8..4, any::<bool>()), 1..60),
    ) {
        let mut stand = Stand::new();
        let (mut acted, mut off) = (false, 0);
        for ((report, exercise, what, cut), counter) in steps.into_iter().zip(1..) {
            let order = match what {
                0 => cancel(report, counter),
                _ => quake(report, counter),
            };
            let order = if exercise { drill(order) } else { order };
            match stand.take(&order, at(1)).expect("it is taken") {
                Deed::Act(_) => {
                    prop_assert!(!acted && !exercise && report > off);
                    acted = true;
                }
                Deed::Release => {
                    prop_assert!(acted && !exercise);
                    acted = false;
                }
                Deed::Nothing => {}
            }
            if what == 0 && !exercise {
                off = off.max(report);
            }
            if cut {
                stand.power_cut();
            }
        }
    }
}
