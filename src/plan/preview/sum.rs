//! Turns what was counted into figures. This module must not look at a block.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use channel::lines::{last_first_call, lines_needed};
use channel::{EndpointKind, Timestamp};

use super::figures::{
    AccountLine, CallLine, ChannelLine, Figures, HomeFigures, Landlines, RouteLine, StepLine, Thin,
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
            sounds: self.sounds(),
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
            losses: self.losses.lines(),
            partial: self.partial,
            dead_speakers: self.dead,
            unheard_speakers: self.unheard,
            suspect_numbers: small(self.suspects.len()),
            satellites: self.satellites.into_values().collect(),
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
        for (channel, step, deliveries, cost) in self.by_step() {
            let Some(rate) = self.scene.means.rates.get(channel) else {
                continue;
            };
            let pace = (self.scene.pace)(channel);
            let cost = if pace.gathers { cost.min(1) } else { cost };
            let (line, until) = busy.entry(channel).or_insert_with(|| {
                let kind = self.scene.draft.outlets.get(channel).map_or("", |o| o.kind);
                let line = ChannelLine {
                    channel: channel.to_owned(),
                    kind,
                    deliveries: 0,
                    cost: 0,
                    rate: rate.to_string(),
                    minutes: 0.0,
                    last: String::new(),
                    calls: None,
                };
                (line, self.scene.now)
            });
            let begin = self.steps[usize::from(step)].0.max(*until);
            let millis = cost * 1000 / u64::from(rate.per_second.get());
            let mut took = Duration::from_millis(millis);
            if let Some(lines) = pace.lines {
                let turns = last_first_call(deliveries, lines.count, lines.each);
                took = took.max(turns.unwrap_or_default());
                let needed = lines_needed(deliveries, lines.each, lines.within);
                let before = line.calls.as_ref().map_or(0, |calls| calls.lines_needed);
                line.calls = Some(CallLine {
                    lines: lines.count,
                    call_seconds: lines.each.as_secs(),
                    last_first_call: begin.plus(took).to_string(),
                    within_seconds: lines.within.as_secs(),
                    lines_needed: needed.max(before),
                });
                // The next step's calls wait for these to end.
                *until = begin.plus(took + lines.each);
            } else {
                *until = begin.plus(took);
            }
            line.deliveries += deliveries;
            line.cost += cost;
            line.minutes += took.as_secs_f64() / 60.0;
            line.last = begin.plus(took).to_string();
        }
        let rounded = |(mut line, _): (ChannelLine, Timestamp)| {
            line.minutes = (line.minutes * 100.0).round() / 100.0;
            line
        };
        busy.into_values().map(rounded).collect()
    }

    /// What each channel has to do in each step, the earlier step first.
    fn by_step(&self) -> Vec<(&str, u16, u32, u64)> {
        let mut all: BTreeMap<(&str, u16), (u32, u64)> = BTreeMap::new();
        for line in self.lines.values() {
            let (deliveries, cost) = all.entry((&line.channel, line.step)).or_default();
            *deliveries += line.deliveries;
            *cost += line.cost;
        }
        let mut all: Vec<_> = all
            .into_iter()
            .map(|((channel, step), (deliveries, cost))| (channel, step, deliveries, cost))
            .collect();
        all.sort_by_key(|(_, step, ..)| self.steps.get(usize::from(*step)).map(|step| step.0));
        all
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
}
