//! Counts a draft. This module must not decide whom to tell: it takes every block as it is drafted.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use channel::{EndpointKind, Evidence, Timestamp};

use super::Scene;
use super::figures::{Dead, Line, Partial, Place, Satellite, TextLine};
use super::filing::ByCarrier;
use super::losses::{Losses, Runs};
use crate::ledger::event::{Audience, Bar, Class, ClassRow, Fate};
use crate::model::{EndpointId, HouseholdId, RegionCode, RegionLevel};
use crate::plan::audience::{PlannedBlock, PlannedDelivery, Unserved};
use crate::plan::draft::Drafted;
use crate::plan::text::{self, Telling};
use crate::plan::told::Told;
use crate::registry::Registry;

/// The best proof of a household, the worst first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Grade {
    None,
    Sent,
    Played,
    Delivered,
    Confirmed,
}

impl Grade {
    fn of(best: Evidence, speaker: bool) -> Self {
        match best {
            Evidence::None => Self::None,
            Evidence::Accepted => Self::Sent,
            _ if speaker => Self::Played,
            Evidence::Delivered => Self::Delivered,
            Evidence::Acknowledged => Self::Confirmed,
        }
    }

    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::None => ("none", "未触达"),
            Self::Sent => ("sent", "已发出"),
            Self::Played => ("played", "播出"),
            Self::Delivered => ("delivered", "手机送达"),
            Self::Confirmed => ("confirmed", "本人确认"),
        }
    }
}

pub const fn of_audience(audience: Audience) -> &'static str {
    match audience {
        Audience::Public => "公众",
        Audience::Officers => "责任人",
        Audience::Speakers => "大喇叭",
        Audience::Relatives => "亲属",
        Audience::Neighbours => "邻居",
        Audience::Keepers => "播发责任人",
        Audience::Seekers => "核查责任人",
    }
}

pub const fn of_level(level: RegionLevel) -> &'static str {
    match level {
        RegionLevel::Province => "省级",
        RegionLevel::City => "市级",
        RegionLevel::County => "县级",
        RegionLevel::Town => "乡镇级",
        RegionLevel::Village => "村级",
    }
}

pub struct Home {
    pub village: RegionCode,
    pub away: bool,
    pub grade: Grade,
}

/// A text's place, and why it may not be sent.
type Found = (usize, Option<Bar>);

/// Step, place in the plan, channel, level, class.
pub type Key = (u16, usize, String, RegionLevel, Class);

pub struct Tally<'a> {
    pub scene: &'a Scene<'a>,
    pub homes: HashMap<HouseholdId, Home>,
    pub people: u32,
    pub lines: BTreeMap<Key, Line>,
    /// Kinds of channel that reach anybody's home, by village.
    pub kinds: BTreeMap<RegionCode, BTreeSet<&'static str>>,
    pub partial: Vec<Partial>,
    pub texts: Vec<TextLine>,
    /// By what is told, and by the rendered document and its cost: two tellings may say the same.
    tellings: BTreeMap<Telling, Found>,
    documents: HashMap<(&'static str, Vec<u8>, u32), usize>,
    last: Option<(Telling, Found)>,
    pub dead: Vec<Dead>,
    pub unheard: u32,
    /// Tried all the same, and counted as no means.
    pub suspects: BTreeSet<EndpointId>,
    pub satellites: BTreeMap<EndpointId, Satellite>,
    pub spoken: BTreeSet<EndpointId>,
    pub numbers: BTreeMap<String, ByCarrier>,
    pub steps: Vec<(Timestamp, u32)>,
    /// Steps in which somebody waits for the end of the night.
    pub held: BTreeSet<u16>,
    /// Who is not told again, by why.
    pub spared: BTreeMap<Class, u32>,
    pub unserved: Unserved,
    pub landlines: u32,
    pub losses: Losses,
}

impl<'a> Tally<'a> {
    pub fn of(scene: &'a Scene<'a>) -> Self {
        let mut tally = Self {
            scene,
            homes: HashMap::new(),
            people: 0,
            lines: BTreeMap::new(),
            kinds: BTreeMap::new(),
            partial: Vec::new(),
            texts: Vec::new(),
            tellings: BTreeMap::new(),
            documents: HashMap::new(),
            last: None,
            dead: Vec::new(),
            unheard: 0,
            suspects: BTreeSet::new(),
            satellites: BTreeMap::new(),
            spoken: BTreeSet::new(),
            numbers: BTreeMap::new(),
            steps: Vec::new(),
            held: BTreeSet::new(),
            spared: BTreeMap::new(),
            unserved: Unserved::new(),
            landlines: 0,
            losses: Losses::default(),
        };
        tally.count();
        tally
    }

    fn count(&mut self) {
        let draft = &self.scene.draft;
        for (village, hit) in &draft.targets.villages {
            self.kinds.insert(*village, BTreeSet::new());
            if let Some(ground) = draft.ground(*village) {
                self.ground(&ground, hit.is_partial());
            }
        }
        let addressed = draft.addressed();
        let mut told = Told::default();
        for (step, due) in (0..).zip(&draft.schedule.due) {
            self.steps.push((*due, 0));
            for region in draft.regions() {
                let drawn = draft.blocks(region, step, &addressed, &mut told);
                for row in &drawn.aside {
                    self.aside(row);
                }
                for door in drawn.kept(region).into_iter().flat_map(|kept| kept.doors) {
                    self.kept(&door);
                }
                for (who, count) in drawn.unserved {
                    *self.unserved.entry(who).or_default() += count;
                }
                for drafted in drawn.blocks {
                    self.block(step, region, &drafted);
                }
            }
        }
        // Nobody waits for it.
        while self.steps.len() > 1 && self.steps.last().is_some_and(|step| step.1 == 0) {
            self.steps.pop();
        }
    }

    fn aside(&mut self, row: &ClassRow) {
        match row.fate {
            Fate::Held { step } => {
                self.held.insert(step);
            }
            Fate::Spared => *self.spared.entry(row.class).or_default() += row.count,
            Fate::Told { .. } | Fate::Later { .. } => {}
        }
    }

    /// Doors that have it already.
    fn kept(&mut self, (grade, doors): &(Option<crate::model::Grade>, Vec<HouseholdId>)) {
        let grade = match grade {
            None => Grade::Sent,
            Some(crate::model::Grade::Played) => Grade::Played,
            Some(crate::model::Grade::Delivered) => Grade::Delivered,
            Some(crate::model::Grade::Confirmed) => Grade::Confirmed,
        };
        for door in doors {
            if let Some(home) = self.homes.get_mut(door) {
                home.grade = home.grade.max(grade);
            }
        }
    }

    fn ground(&mut self, ground: &crate::ledger::event::Ground, partial: bool) {
        self.people += ground.people;
        let all = self.scene.draft.registry.households_under(ground.region);
        if partial && ground.households.len() < all.len() {
            self.partial.push(Partial {
                village: self.place(ground.region),
                households: small(ground.households.len()),
                of: small(all.len()),
            });
        }
        for household in &ground.households {
            let home = Home {
                village: ground.region,
                away: household.away,
                grade: Grade::None,
            };
            self.homes.insert(household.id, home);
            self.landlines += landlines(self.scene.draft.registry, household.id);
        }
    }

    pub fn place(&self, code: RegionCode) -> Place {
        let name = self.scene.draft.registry.full_name(code);
        Place { code, name }
    }

    fn block(&mut self, step: u16, region: RegionCode, drafted: &Drafted<'_>) {
        let (block, closing) = (&drafted.0, drafted.1.is_some());
        let speaker = block.audience == Audience::Speakers;
        let grade = Grade::of(block.outlet.best, speaker);
        let (mut cost, mut refused, mut told) = (0, 0, Runs::default());
        for delivery in &block.deliveries {
            let (text, bar) = self.text(drafted, delivery);
            self.number(block, delivery.endpoint, bar);
            if bar.is_some() {
                refused += 1;
                continue;
            }
            self.texts[text].deliveries += 1;
            told.add(text);
            cost += u64::from(self.texts[text].cost);
            if !closing {
                self.reach(region, block, delivery, grade);
            }
        }
        self.losses.told(&block.channel, &told);
        let deliveries = small(block.deliveries.len()) - refused;
        self.steps[usize::from(step)].1 += deliveries;
        let key = (
            step,
            block.send,
            block.channel.clone(),
            region.level(),
            block.class,
        );
        let (grade, grade_zh) = grade.words();
        let line = self.lines.entry(key).or_insert_with(|| Line {
            step,
            channel: block.channel.clone(),
            kind: block.outlet.kind,
            audience: block.audience.name(),
            audience_zh: of_audience(block.audience),
            level: region.level(),
            level_zh: of_level(region.level()),
            grade,
            grade_zh,
            class: block.class.name(),
            deliveries: 0,
            refused: 0,
            cost: 0,
            closing,
        });
        line.refused += refused;
        line.deliveries += deliveries;
        line.cost += cost;
    }

    /// What one delivery may bring to a home. What is known to be dead or off is tried, and is no means.
    fn reach(
        &mut self,
        region: RegionCode,
        block: &PlannedBlock<'_>,
        delivery: &PlannedDelivery<'_>,
        grade: Grade,
    ) {
        let off = self.is_off(region, block, delivery.endpoint);
        if block.audience == Audience::Speakers {
            self.speaker(region, block.outlet.kind, delivery.endpoint, grade);
        } else if self.scene.ledger.suspects.has(delivery.endpoint) {
            self.suspects.insert(delivery.endpoint);
        } else if let Some(home) = self.homes.get_mut(&delivery.household).filter(|_| !off) {
            home.grade = home.grade.max(grade);
            self.kinds
                .entry(home.village)
                .or_default()
                .insert(block.outlet.kind);
        }
    }

    /// The place of the text that a delivery is, and why it may not be sent.
    fn text(&mut self, drafted: &Drafted<'_>, delivery: &PlannedDelivery<'_>) -> Found {
        let telling = self.scene.draft.telling(drafted, delivery);
        if let Some((last, found)) = &self.last
            && *last == telling
        {
            return *found;
        }
        let found = match self.tellings.get(&telling) {
            Some(found) => *found,
            None => self.render(&telling),
        };
        self.last = Some((telling, found));
        found
    }

    fn render(&mut self, telling: &Telling) -> Found {
        let rendered = text::render(&self.scene.source, telling, self.scene.lifetime);
        let variant = text::load(&rendered.document, &Bytes::new());
        let cost = variant
            .as_ref()
            .map_or(1, |v| (self.scene.cost)(&telling.channel, v));
        let next = self.texts.len();
        let key = (telling.kind, rendered.document, cost);
        let at = *self.documents.entry(key).or_insert_with(|| {
            self.texts.push(TextLine {
                kind: telling.kind,
                language: telling.language.clone(),
                cost,
                template: variant.as_ref().and_then(|v| v.template.clone()),
                text: variant.as_ref().map(|v| v.text.clone()).unwrap_or_default(),
                deliveries: 0,
            });
            next
        });
        if let Some(variant) = &variant {
            let lost = (self.scene.losses)(&telling.channel, variant);
            self.losses.put(&telling.channel, at, lost);
        }
        self.tellings.insert(telling.clone(), (at, rendered.bar));
        (at, rendered.bar)
    }

    fn number(&mut self, block: &PlannedBlock<'_>, endpoint: EndpointId, bar: Option<Bar>) {
        if block.outlet.speaks_to != EndpointKind::Mobile {
            return;
        }
        let (draft, carriers) = (&self.scene.draft, &self.scene.means.carriers);
        let number = draft.registry.endpoint(endpoint).map_or("", |e| e.address);
        let carrier = draft.outlets.carrier(endpoint, number, carriers);
        let by_carrier = self.numbers.entry(block.channel.clone()).or_default();
        *by_carrier.entry((carrier, bar)).or_default() += 1;
    }
}

fn landlines(registry: &Registry, household: HouseholdId) -> u32 {
    let people = registry.recipients_of(household).iter();
    let all = people.flat_map(|person| registry.endpoints_of(*person));
    let landline = |id: &EndpointId| {
        let endpoint = registry.endpoint(*id);
        endpoint.is_some_and(|e| e.kind == EndpointKind::Landline)
    };
    small(all.filter(landline).count())
}

pub fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
