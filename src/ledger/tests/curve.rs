//! The curve against an oracle that looks at every delivery before and after every event.

use std::collections::BTreeMap;

use channel::{Evidence, Timestamp};

use super::super::curve::{Curve, LAST};
use super::super::{Alert, Event, Ledger, Risen};
use super::history::fixed;
use super::kit::START;
use crate::model::StreamId;

/// The deliveries of one alert by number: their evidence, whether a speaker has them, and when it rose.
type Seen = BTreeMap<u32, (Evidence, bool, u32)>;

fn look(alert: &Alert) -> Seen {
    let mut seen = Seen::new();
    for block in alert.blocks() {
        for i in 0..block.len() as usize {
            let stands = (block.evidence(i), block.speaker, block.at(i));
            seen.insert(block.number(i), stands);
        }
    }
    seen
}

/// What a curve should say, told by nobody but the deliveries themselves.
#[derive(Default)]
struct Oracle {
    seen: Seen,
    minutes: BTreeMap<u32, Risen>,
}

impl Oracle {
    fn look(&mut self, alert: &Alert) {
        let after = look(alert);
        let zero = alert.released_at().unwrap_or(alert.at).since(alert.at);
        for (number, (evidence, speaker, at)) in &after {
            let old = self.seen.get(number).map_or(Evidence::None, |old| old.0);
            if old == *evidence {
                continue;
            }
            let passed = u128::from(*at).saturating_sub(zero.as_millis()) / 60_000;
            let minute = u32::try_from(passed).expect("small").min(LAST);
            let risen = self.minutes.entry(minute).or_default();
            let newly = |to: Evidence| u32::from(old < to && to <= *evidence);
            let (proven, speaker) = (newly(Evidence::Delivered), u32::from(*speaker));
            *risen = risen.and(Risen {
                accepted: newly(Evidence::Accepted),
                delivered: proven * (1 - speaker),
                played: proven * speaker,
                confirmed: newly(Evidence::Acknowledged) * (1 - speaker),
            });
        }
        self.seen = after;
    }
}

#[test]
fn a_curve_counts_every_rise_of_evidence_once_in_its_minute() {
    let history = fixed(8_000);
    let (ledger, mut streams) = (Ledger::default(), 0);
    let mut oracles: BTreeMap<StreamId, Oracle> = BTreeMap::new();
    for (at, step) in (0..).zip(&history.steps) {
        // A minute and a half between two steps, so that a curve has many minutes.
        let time = Timestamp(START.0 + 90_000 * at);
        streams += u64::from(step.proposal.claim.is_some());
        let mut events = step.proposal.events.clone();
        if let Some(sealing) = &step.proposal.seal {
            let event = Event::Sealed(Box::new(sealing.card.sealed));
            events.push((sealing.card.stream, event));
        }
        for (to, event) in &events {
            let stream = (*to).min(streams);
            ledger.apply(stream, time, event).expect("fits");
            let Some(alert) = ledger.alert(stream) else {
                continue;
            };
            let oracle = oracles.entry(stream).or_default();
            oracle.look(&alert);
            assert_eq!(alert.curve.minutes(), oracle.minutes, "alert {stream}");
        }
    }
    let all = oracles.values().flat_map(|oracle| oracle.minutes.values());
    let sum = all.fold(Risen::default(), |sum, risen| sum.and(*risen));
    assert!(
        sum.accepted > 0 && sum.delivered > 0 && sum.played > 0 && sum.confirmed > 0,
        "{sum:?}"
    );
}

#[test]
fn what_comes_very_late_does_not_make_a_curve_longer() {
    let curve = Curve::default();
    curve.begin(0);
    for day in 0..40 {
        curve.rose(0, Evidence::Delivered, false, day * 24 * 3_600_000);
    }
    let minutes = curve.minutes();
    assert_eq!(minutes.keys().last(), Some(&LAST));
    let sum: u32 = minutes.values().map(|risen| risen.delivered).sum();
    assert_eq!(sum, 40, "and loses nobody");
}
