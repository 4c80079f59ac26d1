//! Turns what was counted into figures. This module must not look at a block.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use channel::{EndpointKind, Timestamp};

use super::figures::{
    AccountLine, ChannelLine, Figures, HomeFigures, Landlines, Numbers, RouteLine, StepLine, Thin,
};
use super::tally::{Grade, Tally, small};
use crate::model::{Carrier, RegionCode};
use crate::plan::{Member, Route};

impl Tally<'_> {
    pub fn figures(self) -> Figures {
        let (homes, no_means) = self.households();
        let channels = self.channels();
        let texts_by = |line: &&ChannelLine| {
            let outlet = self.scene.draft.outlets.get(&line.channel);
            outlet.is_some_and(|o| o.speaks_to == EndpointKind::Mobile)
        };
        let last_first_text = channels
            .iter()
            .filter(texts_by)
            .map(|c| c.last.clone())
            .max();
        let thin = self.kinds.iter().filter(|(_, kinds)| kinds.len() < 2);
        let thin = thin.map(|(code, kinds)| Thin {
            village: self.place(*code),
            kinds: kinds.iter().copied().collect(),
            no_means: no_means.get(code).copied().unwrap_or(0),
        });
        let step = |(step, (due, deliveries)): (u16, &(Timestamp, u32))| StepLine {
            step,
            due: due.to_string(),
            held: self.held.contains(&step),
            deliveries: *deliveries,
        };
        Figures {
            steps: (0..).zip(&self.steps).map(step).collect(),
            thin: thin.collect(),
            numbers: self.filing(),
            routes: self.routes(),
            landlines: self.landlines(),
            notes: self.scene.draft.targets.notes.clone(),
            spared: self
                .spared
                .iter()
                .map(|(class, n)| (class.name(), *n))
                .collect(),
            reach: self.lines.into_values().collect(),
            channels,
            homes,
            texts: self.texts,
            partial: self.partial,
            dead_speakers: self.dead,
            unheard_speakers: self.unheard,
            suspect_numbers: small(self.suspects.len()),
            last_first_text,
        }
    }

    /// The figures of households, and those without means by village.
    fn households(&self) -> (HomeFigures, BTreeMap<RegionCode, u32>) {
        let mut figures = HomeFigures {
            households: small(self.homes.len()),
            people: self.people,
            villages: small(self.scene.draft.targets.villages.len()),
            ..HomeFigures::default()
        };
        let mut no_means = BTreeMap::new();
        for home in self.homes.values() {
            if home.away {
                figures.away += 1;
                continue;
            }
            figures.at_home += 1;
            let place = match home.grade {
                Grade::None => &mut figures.no_means,
                Grade::Sent => &mut figures.sent,
                Grade::Played => &mut figures.played,
                Grade::Delivered => &mut figures.delivered,
                Grade::Confirmed => &mut figures.confirmed,
            };
            *place += 1;
            if home.grade == Grade::None {
                *no_means.entry(home.village).or_default() += 1;
            }
        }
        (figures, no_means)
    }

    /// Each channel through all steps: it begins a step when that is due and it has done with the one before.
    fn channels(&self) -> Vec<ChannelLine> {
        let mut busy: BTreeMap<&str, (ChannelLine, Timestamp)> = BTreeMap::new();
        for line in self.lines.values() {
            let Some(rate) = self.scene.means.rates.get(&line.channel) else {
                continue;
            };
            let (channel, until) = busy.entry(&line.channel).or_insert_with(|| {
                let channel = ChannelLine {
                    channel: line.channel.clone(),
                    kind: line.kind,
                    deliveries: 0,
                    cost: 0,
                    rate: rate.to_string(),
                    minutes: 0.0,
                    last: String::new(),
                };
                (channel, self.scene.now)
            });
            let millis = line.cost * 1000 / u64::from(rate.per_second.get());
            let begin = self.steps[usize::from(line.step)].0.max(*until);
            *until = begin.plus(Duration::from_millis(millis));
            channel.deliveries += line.deliveries;
            channel.cost += line.cost;
            let cost = u32::try_from(channel.cost).map_or(f64::INFINITY, f64::from);
            let minutes = cost / f64::from(rate.per_second.get()) / 60.0;
            channel.minutes = (minutes * 100.0).round() / 100.0;
            channel.last = until.to_string();
        }
        busy.into_values().map(|(channel, _)| channel).collect()
    }

    /// Every way of the plan that chooses by carrier.
    fn routes(&self) -> Vec<RouteLine> {
        let draft = &self.scene.draft;
        let mut deliveries: BTreeMap<&str, u32> = BTreeMap::new();
        for line in self.lines.values() {
            *deliveries.entry(&line.channel).or_default() += line.deliveries;
        }
        let ways: BTreeSet<_> = draft.plan.send.iter().flat_map(|s| &s.channels).collect();
        let routes = ways
            .into_iter()
            .filter_map(|way| draft.outlets.routes.named(way));
        let account = |member: &Member| AccountLine {
            channel: member.channel.clone(),
            serves: member
                .serves
                .as_ref()
                .map(|own| own.iter().map(|c| c.name()).collect()),
            deliveries: deliveries
                .get(member.channel.as_str())
                .copied()
                .unwrap_or(0),
        };
        let line = |route: &Route| {
            let own = self
                .unserved
                .iter()
                .filter(|((way, _), _)| *way == route.name);
            let by = own.map(|((_, carrier), n)| (carrier.map_or("unknown", Carrier::name), *n));
            let unserved_by: BTreeMap<_, _> = by.collect();
            RouteLine {
                route: route.name.clone(),
                accounts: route.members.iter().map(account).collect(),
                unserved: unserved_by.values().sum(),
                unserved_by,
            }
        };
        routes.map(line).collect()
    }

    fn landlines(&self) -> Landlines {
        let draft = &self.scene.draft;
        let mut ways = draft.plan.send.iter().flat_map(|send| &send.channels);
        Landlines {
            numbers: self.landlines,
            called: ways.any(|way| {
                let outlet = draft.outlets.get(way);
                outlet.is_some_and(|o| o.speaks_to == EndpointKind::Landline)
            }),
        }
    }

    fn filing(&self) -> Vec<Numbers> {
        let one = |(channel, by): (&String, &BTreeMap<Option<Carrier>, u32>)| {
            let filed = self.scene.means.filed.get(channel);
            let outside = |filed: &Vec<Carrier>| {
                let other = by
                    .iter()
                    .filter(|(c, _)| c.is_none_or(|c| !filed.contains(&c)));
                other.map(|(_, n)| n).sum()
            };
            Numbers {
                channel: channel.clone(),
                by_carrier: by
                    .iter()
                    .map(|(c, n)| (c.map_or("unknown", Carrier::name), *n))
                    .collect(),
                filed: filed.map(|filed| filed.iter().map(|c| c.name()).collect()),
                unfiled: filed.map(outside),
            }
        };
        self.numbers.iter().map(one).collect()
    }
}
