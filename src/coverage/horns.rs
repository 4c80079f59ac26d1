//! The loudspeakers of a region with how each stands, why it does not work, what it last proved, its card and its open
//! repair: from the journal and the registry alone. This module must not show a keeper or a number, and must not ask a
//! device anything.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use channel::{ON_BATTERY, Power, PresenceState, Timestamp};
use serde_json::json;
use utoipa::openapi::schema::Schema;

use super::cause::{Cause, Facts, Guess, Near, cause};
use crate::ledger::boxes::{NO_ANSWER, Test};
use crate::ledger::{Ledger, Play};
use crate::model::{Carrier, Day, EndpointId, RegionCode, RegionLevel, shape};
use crate::registry::Registry;

/// What falls silent within so long of each other fell silent at once.
const AT_ONCE: Duration = Duration::from_mins(10);
/// A card whose last day is nearer than this is to be renewed.
pub const SOON: Duration = Duration::from_hours(30 * 24);

/// How a loudspeaker stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stand {
    There,
    Fault,
    Silent,
    /// It has a key and has not called with it.
    Enrolled,
    Never,
}

impl Stand {
    pub const ALL: [Self; 5] = [
        Self::There,
        Self::Fault,
        Self::Silent,
        Self::Enrolled,
        Self::Never,
    ];

    const fn of(state: Option<PresenceState>) -> Self {
        match state {
            Some(PresenceState::Idle | PresenceState::Playing) => Self::There,
            Some(PresenceState::Fault) => Self::Fault,
            Some(PresenceState::Silent) => Self::Silent,
            Some(PresenceState::Enrolled) => Self::Enrolled,
            None => Self::Never,
        }
    }

    pub const fn name(self) -> &'static str {
        ["there", "fault", "silent", "enrolled", "never"][self as usize]
    }

    pub const fn zh(self) -> &'static str {
        ["在线", "故障", "失联", "已入网", "从未上线"][self as usize]
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stand| stand.name() == name)
    }

    /// The names, for the API's document.
    pub fn shape() -> Schema {
        let names = Self::ALL.map(Self::name);
        shape::written(
            json!({ "type": "string", "description": "Only those that stand so", "enum": names }),
        )
    }
}

/// How its card stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Card {
    Good,
    /// Its last day is near.
    Soon,
    Over,
    /// Nobody has said until when it is good.
    Unknown,
}

impl Card {
    pub const ALL: [Self; 4] = [Self::Good, Self::Soon, Self::Over, Self::Unknown];

    pub fn of(last: Option<Day>, now: Timestamp) -> Self {
        match last.map(Day::end) {
            None => Self::Unknown,
            Some(end) if end <= now => Self::Over,
            Some(end) if end <= now.plus(SOON) => Self::Soon,
            Some(_) => Self::Good,
        }
    }

    pub const fn name(self) -> &'static str {
        ["good", "soon", "over", "unknown"][self as usize]
    }

    pub const fn zh(self) -> &'static str {
        ["有效", "即将到期", "已到期", "未登记"][self as usize]
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|card| card.name() == name)
    }

    /// The names, for the API's document.
    pub fn shape() -> Schema {
        let names = Self::ALL.map(Self::name);
        shape::written(json!({
            "type": "string",
            "description": "Only those whose card stands so; `soon` is thirty days or less",
            "enum": names,
        }))
    }
}

/// One loudspeaker.
pub struct Horn {
    pub device: String,
    pub endpoint: EndpointId,
    pub name: String,
    pub village: RegionCode,
    pub stand: Stand,
    pub since: Option<Timestamp>,
    /// The short word that it said of itself last.
    pub code: String,
    pub guess: Option<Guess>,
    /// When it last played a text whole, by proof.
    pub proved: Option<Play>,
    pub card: Card,
    pub card_until: Option<Day>,
    /// The repair that is open for it.
    pub repair: Option<u32>,
    /// Its keeper says that it works again, though that repair is open.
    pub vouched: bool,
    pub test: Option<Test>,
}

impl Horn {
    pub fn town(&self) -> RegionCode {
        self.village.at(RegionLevel::Town)
    }

    pub fn cause(&self) -> Option<Cause> {
        self.guess.map(|(cause, ..)| cause)
    }

    /// Whether it would play now, as far as is known.
    pub fn works(&self) -> bool {
        self.stand == Stand::There && self.repair.is_none() && self.cause() != Some(Cause::Muted)
    }
}

pub const fn of_power(power: Power) -> &'static str {
    match power {
        Power::Mains => "市电",
        Power::Battery => "电池",
        Power::Solar => "太阳能",
    }
}

/// What it found when it looked at itself, in a word; nothing before the first.
pub fn of_test(test: &Test) -> Option<(&'static str, &'static str)> {
    let (code, _) = test.says.as_ref()?;
    Some(match code.as_str() {
        "" => ("well", "正常"),
        NO_ANSWER => ("no-answer", "未应答"),
        _ => ("wrong", "异常"),
    })
}

/// Which of them are asked for; what is left out is not asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Asked {
    pub stand: Option<Stand>,
    pub cause: Option<Cause>,
    pub card: Option<Card>,
    /// With an open repair, or without.
    pub repair: Option<bool>,
}

impl Asked {
    pub fn takes(self, horn: &Horn) -> bool {
        self.stand.is_none_or(|stand| horn.stand == stand)
            && self.cause.is_none_or(|cause| horn.cause() == Some(cause))
            && self.card.is_none_or(|card| horn.card == card)
            && self.repair.is_none_or(|open| horn.repair.is_some() == open)
    }
}

/// The loudspeakers of some regions, by village and id, each once. Their neighbours are counted wherever they lie.
pub fn horns(
    ledger: &Ledger,
    registry: &Registry,
    under: &[RegionCode],
    now: Timestamp,
) -> Vec<Horn> {
    let mut ids: Vec<EndpointId> = Vec::new();
    for region in under {
        ids.extend_from_slice(registry.speakers_under(*region));
    }
    // A bureau may name a region and one inside it.
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(*id));
    these(ledger, registry, &ids, now)
}

fn these(ledger: &Ledger, registry: &Registry, ids: &[EndpointId], now: Timestamp) -> Vec<Horn> {
    let crowd = Crowd::of(ledger, registry);
    let repairs = open_repairs(ledger);
    let horn = |id: &EndpointId| {
        let id = *id;
        let endpoint = registry.endpoint(id)?;
        let (device, village) = (endpoint.address, endpoint.village?);
        let stood = ledger.presence_at(device);
        let code = ledger.boxes.word(device);
        let until = registry.care(id).and_then(|care| care.sim_expires);
        let repair = repairs.get(device);
        let guess = stood.and_then(|stood| crowd.guess(id, stood, &code, until));
        Some(Horn {
            device: device.to_owned(),
            endpoint: id,
            name: endpoint.name.unwrap_or_default().to_owned(),
            village,
            stand: Stand::of(stood.map(|(state, _)| state)),
            since: stood.map(|(_, since)| since),
            code,
            guess,
            proved: ledger.proved.last(id),
            card: Card::of(until, now),
            card_until: until,
            repair: repair.map(|(number, _)| *number),
            vouched: repair.is_some_and(|(_, vouched)| *vouched),
            test: ledger.boxes.test(device),
        })
    };
    ids.iter().filter_map(horn).collect()
}

/// The first open repair of each device, and whether its keeper says otherwise.
fn open_repairs(ledger: &Ledger) -> HashMap<String, (u32, bool)> {
    let mut repairs = HashMap::new();
    for order in ledger.boxes.repairs() {
        if order.mended.is_none() {
            let open = (order.repair.number, order.vouched.is_some());
            repairs.entry(order.repair.device).or_insert(open);
        }
    }
    repairs
}

/// What one shows its neighbours.
#[derive(Clone, Copy)]
struct Seen {
    village: RegionCode,
    carrier: Option<Carrier>,
    /// Since when it is silent.
    silent: Option<Timestamp>,
    dark: bool,
}

/// Those that were ever heard, by what they have in common.
struct Groups<K>(HashMap<K, Group>);

#[derive(Default)]
struct Group {
    count: u32,
    dark: u32,
    /// Sorted.
    silent: Vec<Timestamp>,
}

impl<K: std::hash::Hash + Eq> Groups<K> {
    fn of<'a>(seen: impl Iterator<Item = &'a Seen>, key: impl Fn(&Seen) -> Option<K>) -> Self {
        let mut groups: HashMap<K, Group> = HashMap::new();
        for seen in seen {
            let Some(key) = key(seen) else { continue };
            let group = groups.entry(key).or_default();
            group.count += 1;
            group.dark += u32::from(seen.dark);
            group.silent.extend(seen.silent);
        }
        for group in groups.values_mut() {
            group.silent.sort_unstable();
        }
        Self(groups)
    }

    /// The others beside this one.
    fn near(&self, key: &K, own: &Seen) -> Near {
        let Some(group) = self.0.get(key) else {
            return Near::default();
        };
        let with_it = own.silent.map_or(0, |at| {
            let (from, to) = (at.minus(AT_ONCE), at.plus(AT_ONCE));
            let before = group.silent.partition_point(|other| *other < from);
            let until = group.silent.partition_point(|other| *other <= to);
            u32::try_from(until - before).unwrap_or(u32::MAX)
        });
        Near {
            others: group.count.saturating_sub(1),
            with_it: with_it.saturating_sub(1),
            dark: group.dark.saturating_sub(u32::from(own.dark)),
        }
    }
}

struct Crowd {
    seen: HashMap<EndpointId, Seen>,
    villages: Groups<RegionCode>,
    towns: Groups<RegionCode>,
    carriers: Groups<Carrier>,
}

impl Crowd {
    fn of(ledger: &Ledger, registry: &Registry) -> Self {
        let presence = ledger.presence();
        let one = |id: &EndpointId| {
            let endpoint = registry.endpoint(*id)?;
            let (state, since) = presence.get(endpoint.address)?;
            let heard = *state != PresenceState::Enrolled;
            let sim = registry.care(*id).map(|care| care.sim.as_str());
            let seen = Seen {
                village: endpoint.village?,
                carrier: sim.and_then(Carrier::of_card),
                silent: (*state == PresenceState::Silent).then_some(*since),
                dark: ledger.boxes.word(endpoint.address) == ON_BATTERY,
            };
            heard.then_some((*id, seen))
        };
        let seen: HashMap<_, _> = registry.speakers().iter().filter_map(one).collect();
        let all = || seen.values();
        Self {
            villages: Groups::of(all(), |seen| Some(seen.village)),
            towns: Groups::of(all(), |seen| Some(seen.village.at(RegionLevel::Town))),
            carriers: Groups::of(all(), |seen| seen.carrier),
            seen,
        }
    }

    fn guess(
        &self,
        id: EndpointId,
        (state, since): (PresenceState, Timestamp),
        code: &str,
        until: Option<Day>,
    ) -> Option<Guess> {
        let seen = self.seen.get(&id)?;
        let town = seen.village.at(RegionLevel::Town);
        let carrier = seen.carrier.map(|of| self.carriers.near(&of, seen));
        cause(&Facts {
            state,
            code,
            sim_over: until.is_some_and(|day| day.end() <= since),
            village: self.villages.near(&seen.village, seen),
            town: self.towns.near(&town, seen),
            carrier: carrier.unwrap_or_default(),
        })
    }
}

/// All of the registry's.
pub fn everywhere(ledger: &Ledger, registry: &Registry, now: Timestamp) -> Vec<Horn> {
    these(ledger, registry, registry.speakers(), now)
}

#[cfg(test)]
mod tests {
    use channel::PresenceState::{Idle, Silent};

    use super::super::shares::shares;
    use super::*;
    use crate::coverage::fixture::{START, registry};
    use crate::ledger::Event;
    use crate::ledger::event::Turned;

    fn turned(ledger: &Ledger, device: &str, at: Timestamp, (state, code): (PresenceState, &str)) {
        let event = Event::Turned(Turned {
            device: device.to_owned(),
            state,
            code: code.to_owned(),
        });
        ledger.apply(0, at, &event).expect("fits");
    }

    #[test]
    fn a_card_is_listed_thirty_days_before_its_last_day_is_over() {
        let last: Day = "2027-03-31".parse().expect("a day");
        let before = |days: u64| last.end().minus(Duration::from_hours(24 * days));
        assert_eq!(Card::of(Some(last), before(31)), Card::Good);
        assert_eq!(Card::of(Some(last), before(30)), Card::Soon);
        assert_eq!(Card::of(Some(last), before(0)), Card::Over);
        assert_eq!(Card::of(None, before(0)), Card::Unknown);
    }

    fn listed(ledger: &Ledger, registry: &Registry) -> Vec<Horn> {
        horns(ledger, registry, &["51".parse().expect("a code")], START)
    }

    #[test]
    fn a_silence_is_explained_by_the_town_that_it_lies_in_and_by_no_other() {
        let (ledger, registry) = (Ledger::default(), registry());
        for n in 0..3 {
            let at = START.plus(Duration::from_mins(n));
            turned(&ledger, &format!("speaker-{n}"), at, (Silent, ""));
        }
        let all = listed(&ledger, &registry);
        assert_eq!(all.len(), 3);
        assert!(all.iter().all(|horn| horn.cause() == Some(Cause::Unknown)));
        // One of the town of two comes back on its battery.
        turned(&ledger, "speaker-0", START, (Idle, ON_BATTERY));
        let all = listed(&ledger, &registry);
        let of = |device: &str| all.iter().find(|horn| horn.device == device);
        let cause = |device| of(device).and_then(Horn::cause);
        assert_eq!(cause("speaker-0"), Some(Cause::Power));
        assert_eq!(cause("speaker-1"), Some(Cause::Power));
        assert_eq!(cause("speaker-2"), Some(Cause::Unknown));
        assert!(of("speaker-0").is_some_and(Horn::works));
        let asked = Asked {
            stand: Some(Stand::Silent),
            cause: Some(Cause::Power),
            ..Asked::default()
        };
        assert_eq!(all.iter().filter(|horn| asked.takes(horn)).count(), 1);
        let shares: Vec<_> = shares(&all)
            .iter()
            .map(|share| (share.speakers, share.there, share.silent))
            .collect();
        assert_eq!(shares, [(1, 0, 1), (2, 1, 1)], "the worst first");
    }

    #[test]
    fn those_that_fell_silent_within_ten_minutes_of_each_other_did_so_at_once() {
        let at = |minutes| START.plus(Duration::from_mins(minutes));
        let seen = |minutes| Seen {
            village: "510727217201".parse().expect("a code"),
            carrier: None,
            silent: Some(at(minutes)),
            dark: false,
        };
        let all = [0, 1, 10, 11, 60].map(seen);
        let groups = Groups::of(all.iter(), |_| Some(()));
        let near = groups.near(&(), &all[0]);
        assert_eq!((near.others, near.with_it, near.dark), (4, 2, 0));
        assert_eq!(groups.near(&(), &all[4]).with_it, 0);
    }
}
