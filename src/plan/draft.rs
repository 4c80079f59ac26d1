//! A release as it would be written: every region of every step with its ground and its blocks, in order, and who is held
//! or left alone. The release writes from it and the preview counts it, so what is shown is what happens. This module must
//! not number deliveries.

use std::collections::{BTreeMap, BTreeSet};

use channel::{Level, Timestamp};

use super::audience::{self, PlannedBlock, PlannedDelivery, Unserved, Want};
use super::budget::is_text;
use super::carriers::Carriers;
use super::closings::put;
use super::compare::{Gist, compare};
use super::confirm::Confirm;
use super::earlier::{Earlier, Last};
use super::filing::{Filings, Way};
use super::hush::{Hush, Sound};
use super::routes::Outlets;
use super::rules::{Plan, Repeat};
use super::schedule::{Schedule, held_until};
use super::sounds::Languages;
use super::target::Targets;
use super::text::{self, Stock, Telling};
use super::told::Told;
use crate::ledger::event::{Audience, Class, ClassRow, Fate, Ground, Kept, NO_HOUSEHOLD};
use crate::model::{Answer, EndpointId, EndpointKind, Grade, HouseholdId, RegionCode, RegionLevel};
use crate::registry::Registry;

/// What a draft is made of.
#[derive(Clone, Copy)]
pub struct Draft<'a> {
    pub alert: &'a cap::Alert,
    pub plan: &'a Plan,
    pub targets: &'a Targets,
    pub earlier: &'a Earlier,
    pub registry: &'a Registry,
    pub outlets: &'a Outlets,
    /// The level by which it is handled.
    pub handled: Level,
    pub schedule: &'a Schedule,
    pub filed: Filed<'a>,
    /// When loudspeakers keep silent.
    pub hush: &'a Hush,
    pub languages: &'a Languages,
}

/// What is filed (报备) of the bureau whose alert it is.
#[derive(Clone, Copy)]
pub struct Filed<'a> {
    pub filings: &'a Filings,
    pub carriers: &'a Carriers,
    /// Without its brackets.
    pub signature: &'a str,
}

/// A block, and the stock words where the alert's own do not fit.
pub type Drafted<'a> = (PlannedBlock<'a>, Option<Stock>);

/// One region in one step.
#[derive(Default)]
pub struct Drawn<'a> {
    pub blocks: Vec<Drafted<'a>>,
    /// Who is not told now; with the first step alone.
    pub aside: Vec<ClassRow>,
    kept: BTreeMap<HouseholdId, Option<Grade>>,
    /// Who is meant by this step and whose number no account serves.
    pub unserved: Unserved,
}

/// What people of one language and one set of infos are told, as far as it is compared.
type Gists<'a> = Vec<((&'a str, u64), Gist)>;

impl<'a> Draft<'a> {
    fn want(&self) -> Want<'a> {
        Want {
            plan: self.plan,
            outlets: self.outlets,
            status: self.alert.status,
            scope: self.alert.scope,
        }
    }

    /// From above, then the villages: the alert's own and those that have what it corrects.
    pub fn regions(&self) -> Vec<RegionCode> {
        let mut all: BTreeSet<_> = audience::regions(self.targets).into_iter().collect();
        for region in self.earlier.regions() {
            all.extend(std::iter::successors(Some(region), |r| r.parent()));
        }
        let mut all: Vec<_> = all.into_iter().collect();
        all.sort_by_key(|region| (region.level() == RegionLevel::Village, *region));
        all
    }

    /// The village as it stands now, where it is hit.
    pub fn ground(&self, region: RegionCode) -> Option<Ground> {
        let hit = self.targets.villages.get(&region)?;
        Some(audience::ground(self.registry, region, hit))
    }

    /// Everyone whom a correction itself speaks to, in whatever region and step and whether told again or not: an officer
    /// may live where it no longer reaches.
    pub fn addressed(&self) -> Told {
        let mut addressed = Told::default();
        if !self.earlier.is_empty() {
            let want = self.want();
            for region in audience::regions(self.targets) {
                audience::blocks(self.registry, region, self.targets, &want, &mut addressed);
            }
        }
        addressed
    }

    /// One region of a step: what its sends say here, then who is told that it is over.
    pub fn blocks(
        &self,
        region: RegionCode,
        step: u16,
        addressed: &Told,
        told: &mut Told,
    ) -> Drawn<'a> {
        let mut drawn = Drawn::default();
        let (mut gists, mut waiting) = (Gists::new(), Told::default());
        let mut keep = |at: usize, way: &str, delivery: &mut PlannedDelivery<'a>| {
            let endpoint = delivery.endpoint;
            let way = self.outlets.routes.way(way);
            if told.has(way, endpoint) {
                return false;
            }
            let (class, answer) = self.class(way, delivery, &mut gists);
            delivery.class = class;
            let Some(fate) = self.fate(at, class, step, region) else {
                return told.add(way, endpoint);
            };
            // Who is spared is so from the first step on.
            let counts = step == 0 || fate != Fate::Spared;
            if counts && waiting.add(way, endpoint) {
                let audience = self.plan.send[at].audience;
                put(&mut drawn.aside, way, (audience, class), fate);
                if fate == Fate::Spared {
                    drawn.keep(self.registry, delivery, answer);
                }
            }
            false
        };
        let want = self.want();
        let (own, unserved) =
            audience::chosen(self.registry, region, self.targets, &want, &mut keep);
        drawn.unserved = unserved;
        let over = self.closings(region, step, addressed, told, &mut drawn.aside);
        let own = own.into_iter().map(|block| {
            let seeks = block.audience == Audience::Seekers;
            (block, seeks.then_some(Stock::Silent))
        });
        let over = over.into_iter().map(|block| {
            let stock = self.stock(block.class);
            (block, Some(stock))
        });
        drawn.blocks = own.chain(over).collect();
        drawn
    }

    fn stock(&self, class: Class) -> Stock {
        match (self.alert.msg_type, class) {
            (cap::MsgType::Cancel, Class::Revoked) => Stock::Revoked,
            (cap::MsgType::Cancel, _) => Stock::Lifted,
            _ => Stock::Outside,
        }
    }

    /// How it stands to what they last got, and with which answer that ended.
    fn class(
        &self,
        way: &str,
        delivery: &PlannedDelivery<'a>,
        gists: &mut Gists<'a>,
    ) -> (Class, Option<Answer>) {
        if self.earlier.is_empty() {
            return (Class::Original, None);
        }
        let Last::Warned(had, answer) = self.earlier.last(way, delivery.endpoint) else {
            return (Class::Widened, None);
        };
        let said = (delivery.language, delivery.infos);
        let at = gists.iter().position(|(key, _)| *key == said);
        let at = at.unwrap_or_else(|| {
            gists.push((said, self.gist(said)));
            gists.len() - 1
        });
        let class = if had.ends <= self.schedule.base() {
            // What they have has ended: they do not hold it any longer.
            Class::Widened
        } else {
            compare(had, &gists[at].1)
        };
        (class, Some(answer))
    }

    fn gist(&self, (language, infos): (&str, u64)) -> Gist {
        let language = self.language(language);
        let lifetime = self.schedule.base().plus(self.plan.lifetime.0);
        text::gist(self.alert, &self.plan.language, (infos, language), lifetime)
    }

    /// What becomes of somebody of a class whom a send names; nothing where they are told now.
    fn fate(&self, at: usize, class: Class, step: u16, region: RegionCode) -> Option<Fate> {
        let send = &self.plan.send[at];
        if !send.tells(class) {
            return Some(Fate::Spared);
        }
        let begins = send.begins(self.schedule.base());
        let held = held_until(send.quiet, self.handled, class, begins);
        let held = self
            .hushed(class, send.audience, region, held.unwrap_or(begins))
            .or(held);
        let due = held.unwrap_or(begins);
        if self.schedule.tells(due, step) {
            return None;
        }
        let step = self.schedule.step_of(due);
        Some(if held.is_some() {
            Fate::Held { step }
        } else {
            Fate::Later { step }
        })
    }

    /// Until when no loudspeaker of a region sounds for this alert. What should never have been issued is taken back at any
    /// hour.
    pub(super) fn hushed(
        &self,
        class: Class,
        audience: Audience,
        region: RegionCode,
        due: Timestamp,
    ) -> Option<Timestamp> {
        let sound = Sound::of(self.alert.status, self.handled);
        let meant = class == Class::Revoked && sound != Sound::Other;
        let until = || self.hush.until(sound, region, due);
        (audience == Audience::Speakers && !meant)
            .then(until)
            .flatten()
    }

    /// How often a speaker plays what this block says.
    pub fn repeat(&self, (block, stock): &Drafted<'_>) -> Option<Repeat> {
        let send = self.plan.send.get(block.send);
        send.and_then(|send| send.repeat)
            .filter(|_| stock.is_none())
    }

    fn language<'l>(&'l self, language: &'l str) -> &'l str {
        if language.is_empty() {
            &self.plan.language
        } else {
            language
        }
    }

    /// How a block's text may go to one of its endpoints, and whether it says how to confirm.
    pub fn manner(&self, (block, stock): &Drafted<'_>, endpoint: EndpointId) -> (Way, bool) {
        if !is_text(&block.outlet) {
            return (Way::Unsaid, false);
        }
        let number = || self.registry.endpoint(endpoint).map_or("", |e| e.address);
        let carriers = self.filed.carriers;
        let carrier = || self.outlets.carrier(endpoint, number(), carriers);
        let Filed {
            filings, signature, ..
        } = self.filed;
        let way = if filings.says(&block.channel) {
            filings.way(&block.channel, signature, carrier(), self.schedule.base())
        } else {
            Way::Unsaid
        };
        let over = stock.is_some_and(|stock| stock != Stock::Silent);
        let send = self.plan.send.get(block.send).filter(|_| !over);
        filings.confirms(way, send.map_or(Confirm::No, |send| send.confirm))
    }

    /// Of a loudspeaker: what its village hears before Mandarin.
    pub fn heard(
        &self,
        (block, _): &Drafted<'_>,
        delivery: &PlannedDelivery<'_>,
    ) -> Option<Vec<String>> {
        if block.outlet.speaks_to != EndpointKind::Speaker {
            return None;
        }
        let village = self.registry.endpoint(delivery.endpoint)?.village;
        Some(village.map_or_else(Vec::new, |village| self.languages.of(village)))
    }

    /// Which text one delivery of a block is.
    pub fn telling(&self, drafted: &Drafted<'_>, delivery: &PlannedDelivery<'_>) -> Telling {
        let (way, confirm) = self.manner(drafted, delivery.endpoint);
        let seeks = drafted.0.audience == Audience::Seekers;
        Telling {
            kind: drafted.0.outlet.kind,
            channel: drafted.0.channel.clone(),
            style: drafted.0.outlet.style,
            language: self.language(delivery.language).to_owned(),
            infos: delivery.infos,
            stock: drafted.1,
            repeat: self.repeat(drafted),
            way,
            confirm,
            heard: self.heard(drafted, delivery),
            silent: if seeks {
                self.names_under(drafted.0.region)
            } else {
                Vec::new()
            },
        }
    }

    /// The villages of a region that this draft is about, as they are shown.
    fn names_under(&self, region: RegionCode) -> Vec<String> {
        let villages = self.targets.villages.keys();
        let under = villages.filter(|village| region.covers(**village));
        under
            .map(|village| self.registry.full_name(*village))
            .collect()
    }
}

impl Drawn<'_> {
    /// What the doors of somebody who is not told again have: their own proof, or what their speaker has played.
    fn keep(
        &mut self,
        registry: &Registry,
        delivery: &PlannedDelivery<'_>,
        answer: Option<Answer>,
    ) {
        let grade = match answer {
            Some(Answer::Reached(grade)) => Some(grade),
            _ => None,
        };
        if grade == Some(Grade::Played) {
            for door in registry.hearing(delivery.endpoint) {
                self.raise(*door, grade);
            }
        } else if delivery.household != NO_HOUSEHOLD {
            self.raise(delivery.household, grade);
        }
    }

    fn raise(&mut self, door: HouseholdId, grade: Option<Grade>) {
        let held = self.kept.entry(door).or_insert(grade);
        *held = (*held).max(grade);
    }

    /// Doors that are not told again, each by what it has.
    pub fn kept(&self, region: RegionCode) -> Option<Kept> {
        let mut doors: BTreeMap<Option<Grade>, Vec<HouseholdId>> = BTreeMap::new();
        for (door, grade) in &self.kept {
            doors.entry(*grade).or_default().push(*door);
        }
        let doors: Vec<_> = doors.into_iter().collect();
        (!doors.is_empty()).then_some(Kept { region, doors })
    }
}
