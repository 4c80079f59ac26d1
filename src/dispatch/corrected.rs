//! What a correction means for the devices that hold an order of what it corrects. Where it goes on for longer (续发), who has
//! played the earlier one is told nothing: the order stands until the later end, without a sound. What else was handed out
//! is stopped. Pure over the ledger; this module must not give an order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use channel::{Action, Timestamp};

use crate::ledger::event::{Audience, Class, Fate};
use crate::ledger::{Alert, Ledger};
use crate::model::{EndpointId, RegionCode, StreamId};
use crate::plan::wall;

/// Who gives such an order, as the journal has it.
pub const BY: &str = "correction";

/// What is to be ordered of devices of one channel about one alert.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Due {
    pub action: Action,
    pub devices: BTreeSet<String>,
    pub expires: Timestamp,
}

/// What became of an alert, correction by correction: of each whether its first step was written.
pub type Story = Vec<(StreamId, bool)>;

pub fn story(ledger: &Ledger, alert: &Alert) -> Story {
    let corrections = corrections(ledger, alert);
    let written = |by: &Arc<Alert>| (by.stream, by.steps.is_planned(0));
    corrections.iter().map(written).collect()
}

/// The corrections that ended it and one another, as far as they are open.
fn corrections(ledger: &Ledger, alert: &Alert) -> Vec<Arc<Alert>> {
    let next = |alert: &Alert| ledger.alert(alert.withdrawn_by()?);
    let mut all: Vec<Arc<Alert>> = Vec::new();
    let mut found = next(alert);
    while let Some(by) = found {
        // A chain has no ring; a damaged one does not hang us.
        if all.iter().any(|known| known.stream == by.stream) {
            break;
        }
        found = next(&by);
        all.push(by);
    }
    all
}

/// Endpoints of a channel by what is to become of the order that they hold.
struct Ends {
    stop: BTreeSet<EndpointId>,
    hold: BTreeSet<EndpointId>,
    until: Timestamp,
}

impl Ends {
    fn of(ledger: &Ledger, alert: &Alert, channel: &str) -> Self {
        let places = handed(alert, channel);
        let mut ends = Self {
            stop: BTreeSet::new(),
            hold: places.keys().copied().collect(),
            until: alert.expires(),
        };
        let corrections = corrections(ledger, alert);
        if corrections.is_empty() {
            // What ended it is itself over for good.
            ends.stop.append(&mut ends.hold);
        }
        for by in corrections {
            let written = by.steps.is_planned(0);
            if !goes_on(&by) || (by.withdrawn_by().is_some() && !written) {
                ends.stop.append(&mut ends.hold);
                break;
            }
            if !written {
                // Whom it tells anew is not known yet.
                break;
            }
            let (told, spared) = (told(&by, channel), spared(&by, channel));
            let stays = |id: &EndpointId| !told.contains(id) && spared.contains(&places[id]);
            let (hold, stop): (BTreeSet<_>, BTreeSet<_>) =
                std::mem::take(&mut ends.hold).into_iter().partition(stays);
            ends.hold = hold;
            ends.stop.extend(stop);
            ends.until = by.expires();
        }
        ends
    }
}

/// Whether what it corrects goes on at least for some.
fn goes_on(by: &Alert) -> bool {
    let class = by.classes.whole();
    matches!(
        class,
        Some(Class::Prolonged | Class::Widened | Class::Narrowed)
    )
}

/// To whom an alert was ever handed by a channel, each with the region in which they stand.
fn handed(alert: &Alert, channel: &str) -> BTreeMap<EndpointId, RegionCode> {
    let mut handed = BTreeMap::new();
    for block in alert.blocks().iter().filter(|b| b.channel == channel) {
        let tried = (0..block.len() as usize).filter(|i| block.attempts(*i) > 0);
        handed.extend(tried.map(|i| (block.endpoint(i), block.region)));
    }
    handed
}

/// Who has an order of this one, or will.
fn told(alert: &Alert, channel: &str) -> BTreeSet<EndpointId> {
    let blocks = alert.blocks();
    let own = blocks.iter().filter(|b| b.channel == channel);
    own.flat_map(|b| (0..b.len() as usize).map(|i| b.endpoint(i)))
        .collect()
}

/// Regions in which speakers are not told again, since it goes on for them.
fn spared(alert: &Alert, channel: &str) -> BTreeSet<RegionCode> {
    let rows = alert.classes.rows().into_iter();
    let own = rows.filter(|(_, row)| {
        (row.class, row.fate, row.audience) == (Class::Prolonged, Fate::Spared, Audience::Speakers)
            && row.channel == channel
    });
    own.map(|(region, _)| region).collect()
}

/// What is to be ordered now about an alert that was corrected; `device` is the id of an endpoint.
pub fn due(
    ledger: &Ledger,
    (alert, channel): (&Alert, &str),
    now: Timestamp,
    device: impl Fn(EndpointId) -> Option<String>,
) -> Vec<Due> {
    let ends = Ends::of(ledger, alert, channel);
    let devices = |ids: &BTreeSet<EndpointId>| -> BTreeSet<String> {
        ids.iter().filter_map(|id| device(*id)).collect()
    };
    let stop = Due {
        action: Action::Stop {
            alert: alert.stream,
        },
        devices: devices(&ends.stop),
        // As long as it could be played.
        expires: ends.until.max(alert.expires()),
    };
    let longer = Due {
        action: Action::Prolong {
            alert: alert.stream,
            drill: wall::is_drill(alert.meta.status),
        },
        devices: devices(&ends.hold),
        expires: ends.until,
    };
    let longer = (ends.until > alert.expires()).then_some(longer);
    let mut due: Vec<_> = std::iter::once(stop).chain(longer).collect();
    due.retain(|due| due.expires > now);
    for standing in ledger.devices.orders() {
        let given = standing.ordered;
        if given.by != BY || given.channel != channel {
            continue;
        }
        for due in &mut due {
            // A stop stands; a later end needs another order.
            let holds = matches!(due.action, Action::Stop { .. }) || given.expires >= due.expires;
            if given.action == due.action && holds {
                due.devices.retain(|id| !given.devices.contains(id));
            }
        }
    }
    due.retain(|due| !due.devices.is_empty());
    due
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::coverage::fixture::{
        PER_VILLAGE, SPEAKER, START, VILLAGES, accepted, code, released, variant,
    };
    use crate::ledger::Event;
    use crate::ledger::devices::Ordered;
    use crate::ledger::event::{
        Accepted, ClassRow, Classed, HandedRange, InfoMeta, VariantMeta, Why,
    };

    fn at(hours: u64) -> Timestamp {
        START.plus(Duration::from_hours(hours))
    }

    fn apply(ledger: &Ledger, stream: StreamId, events: impl IntoIterator<Item = Event>) {
        for event in events {
            ledger.apply(stream, START, &event).expect("it fits");
        }
    }

    /// Alert 1, handed to all three speakers.
    fn ledger() -> Ledger {
        let ledger = Ledger::default();
        let first = accepted("a-1", &["510727"]);
        apply(&ledger, 1, [Event::Accepted(Box::new(first))]);
        apply(&ledger, 1, released());
        let range = |nth: u32| {
            let lo = (nth + 1) * PER_VILLAGE - 1;
            HandedRange {
                lo,
                hi: lo + 1,
                attempt: 1,
                why: Why::First,
                serial: u64::from(nth) + 1,
            }
        };
        let ranges = (0..3).map(range).collect();
        let channel = "horns".into();
        apply(&ledger, 1, [Event::Handed { channel, ranges }]);
        ledger
    }

    /// A correction of the one before it, until then, that spares the speakers of these villages.
    fn correct(ledger: &Ledger, by: StreamId, class: Class, until: u64, spared: &[&str]) {
        let old = accepted(&format!("a-{}", by - 1), &[]).identity;
        let infos = accepted("", &[]).infos.into_iter();
        let infos = infos.map(|info| InfoMeta {
            expires: at(until),
            ..info
        });
        let meta = Accepted {
            msg_type: cap::MsgType::Update,
            references: vec![old],
            hits: vec![by - 1],
            infos: infos.collect(),
            ..accepted(&format!("a-{by}"), &["510727"])
        };
        apply(ledger, by, [Event::Accepted(Box::new(meta))]);
        apply(ledger, by - 1, [Event::Withdrawn { by }]);
        let released = Event::Released {
            generation: 1,
            by: "rule".into(),
        };
        let compared = Event::Compared {
            class,
            with: vec![by - 1],
        };
        apply(ledger, by, [released, compared]);
        let variants = vec![VariantMeta {
            expires: at(until),
            ..variant("loudspeaker")
        }];
        apply(ledger, by, [Event::Variants { first: 0, variants }]);
        for village in spared {
            let row = ClassRow {
                channel: "horns".into(),
                audience: Audience::Speakers,
                class: Class::Prolonged,
                count: 1,
                fate: Fate::Spared,
            };
            let (region, rows) = (code(village), vec![row]);
            apply(ledger, by, [Event::Classed(Classed { region, rows })]);
        }
    }

    fn written(ledger: &Ledger, by: StreamId) {
        let planned = Event::Planned {
            step: 0,
            blocks: 0,
            deliveries: 0,
        };
        apply(ledger, by, [planned]);
    }

    /// What is due about alert 1, in words.
    fn told(ledger: &Ledger) -> Vec<String> {
        let alert = ledger.alert(1).expect("it is open");
        let device = |id: EndpointId| Some((id - SPEAKER).to_string());
        let due = due(ledger, (&alert, "horns"), START, device);
        due.into_iter()
            .map(|due| {
                let hours = due.expires.since(START).as_secs() / 3600;
                let devices: Vec<_> = due.devices.into_iter().collect();
                format!("{} {hours} {}", due.action.name(), devices.join(","))
            })
            .collect()
    }

    fn give(ledger: &Ledger, action: Action, devices: &[&str], until: u64) {
        let ordered = Ordered {
            channel: "horns".into(),
            serial: u64::try_from(ledger.devices.orders().len()).expect("few") + 90,
            action,
            authority: channel::Authority::County,
            devices: devices.iter().map(|id| (*id).to_owned()).collect(),
            not_before: START,
            expires: at(until),
            by: BY.into(),
        };
        apply(ledger, 0, [Event::Ordered(Box::new(ordered))]);
    }

    const LONGER: Action = Action::Prolong {
        alert: 1,
        drill: false,
    };
    const STOP: Action = Action::Stop { alert: 1 };

    #[test]
    fn who_is_spared_holds_it_longer_and_all_others_stop() {
        let ledger = ledger();
        correct(&ledger, 2, Class::Widened, 5, &VILLAGES[..2]);
        assert_eq!(told(&ledger), [""; 0], "whom it tells anew is not known");
        written(&ledger, 2);
        assert_eq!(told(&ledger), ["stop 5 2", "prolong 5 0,1"]);
        give(&ledger, LONGER, &["0", "1"], 5);
        give(&ledger, STOP, &["2"], 5);
        assert_eq!(told(&ledger), [""; 0], "once");
    }

    #[test]
    fn a_further_correction_prolongs_it_again_or_stops_it() {
        let ledger = ledger();
        correct(&ledger, 2, Class::Prolonged, 5, &VILLAGES);
        written(&ledger, 2);
        assert_eq!(told(&ledger), ["prolong 5 0,1,2"]);
        give(&ledger, LONGER, &["0", "1", "2"], 5);
        correct(&ledger, 3, Class::Narrowed, 8, &VILLAGES[..1]);
        written(&ledger, 3);
        assert_eq!(told(&ledger), ["stop 8 1,2", "prolong 8 0"]);
        give(&ledger, STOP, &["1", "2"], 8);
        give(&ledger, LONGER, &["0"], 8);
        assert_eq!(told(&ledger), [""; 0]);
        correct(&ledger, 4, Class::Upgraded, 9, &[]);
        assert_eq!(told(&ledger), ["stop 8 0"], "what is wrong must not go on");
    }

    #[test]
    fn whatever_does_not_go_on_is_stopped_at_once() {
        for class in Class::ALL {
            if matches!(class, Class::Prolonged | Class::Widened | Class::Narrowed) {
                continue;
            }
            let ledger = ledger();
            correct(&ledger, 2, class, 5, &VILLAGES);
            assert_eq!(told(&ledger), ["stop 3 0,1,2"], "{class:?}");
        }
        // An end that is no later needs no order.
        let ledger = ledger();
        correct(&ledger, 2, Class::Prolonged, 3, &VILLAGES);
        written(&ledger, 2);
        assert_eq!(told(&ledger), [""; 0]);
    }
}
