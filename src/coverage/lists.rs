//! The lists behind the figures: the doors of a village, the deliveries of a door, the speakers of a region. A list never
//! carries an address: endpoints are named by id. This module must not sum anything: figures are the roll-up's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use channel::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::schema::Schema;

use super::channels::kind;
use super::doors::{Doors, hearing, inside};
use super::words::{Told, of_evidence, of_wait};
use crate::ledger::event::{Audience, GroundHousehold};
use crate::ledger::{Alert, Block, DISPUTED, IN_DOUBT, Ledger};
use crate::model::{
    Answer, DeliveryNo, EndpointId, HouseholdId, RegionCode, RegionLevel, Tags, shape,
};
use crate::registry::Registry;

/// A moment, shown as RFC 3339.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct At(pub Timestamp);

impl Serialize for At {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&self.0)
    }
}

/// Which doors a list is to hold. All but `Everyone` and `Away` are of households at home.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    Everyone,
    Reached,
    Missed,
    Unknown,
    Pending,
    Away,
}

impl Wanted {
    /// The names, for the API's document.
    pub fn shape() -> Schema {
        shape::written(json!({
            "type": "string",
            "description": "Only doors with this answer; all but `all` and `away` are of households at home",
            "enum": ["all", "reached", "missed", "unknown", "pending", "away"],
        }))
    }

    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "all" => Self::Everyone,
            "reached" => Self::Reached,
            "missed" => Self::Missed,
            "unknown" => Self::Unknown,
            "pending" => Self::Pending,
            "away" => Self::Away,
            _ => return None,
        })
    }

    fn takes(self, household: &GroundHousehold, answer: Answer) -> bool {
        match self {
            Self::Everyone => true,
            Self::Away => household.away,
            _ if household.away => false,
            Self::Reached => matches!(answer, Answer::Reached(_)),
            Self::Missed => matches!(answer, Answer::Missed(_)),
            Self::Unknown => answer == Answer::Unknown,
            Self::Pending => answer == Answer::Pending,
        }
    }
}

/// Which part of a list.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Only this local group of its village.
    pub group: Option<u8>,
    pub wanted: Wanted,
    /// Begins behind this household.
    pub after: Option<HouseholdId>,
    pub limit: usize,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct HouseholdLine {
    #[schema(value_type = u32)]
    pub id: HouseholdId,
    pub village: RegionCode,
    pub village_name: String,
    pub group: u8,
    /// How the door is called on a list; empty where the registry no longer has it.
    pub name: String,
    pub tags: Vec<String>,
    pub away: bool,
    #[serde(flatten)]
    pub told: Told,
    /// Kinds of channels by which it was tried.
    pub tried: Vec<String>,
    /// How many of its numbers a far end has said that nobody has.
    pub suspect_numbers: u32,
}

/// The doors of some regions by village, group and id.
pub fn households(
    alert: &Alert,
    registry: &Registry,
    scope: &[RegionCode],
    page: Page,
) -> Vec<HouseholdLine> {
    let doors = Doors::of(alert, registry, scope);
    let start = page.after.and_then(|id| place(&doors, id));
    let mut lines: Vec<HouseholdLine> = Vec::new();
    for (at, village) in doors.villages.iter().enumerate() {
        let skip = match start {
            Some((first, _)) if at < first => continue,
            Some((first, door)) if at == first => door + 1,
            _ => 0,
        };
        let village_name = registry.full_name(village.code);
        for (household, answer) in doors.each(at).skip(skip) {
            if lines.len() >= page.limit {
                break;
            }
            let in_group = page.group.is_none_or(|group| household.group == group);
            if in_group && page.wanted.takes(household, answer) {
                let door = registry.household(household.id);
                lines.push(HouseholdLine {
                    id: household.id,
                    village: village.code,
                    village_name: village_name.clone(),
                    group: household.group,
                    name: door.map(|d| d.name.to_owned()).unwrap_or_default(),
                    tags: tag_names(registry, household.tags),
                    away: household.away,
                    told: answer.into(),
                    tried: Vec::new(),
                    suspect_numbers: 0,
                });
            }
        }
    }
    add_tried(alert, registry, &mut lines);
    lines
}

fn tag_names(registry: &Registry, tags: Tags) -> Vec<String> {
    let names = registry.tag_names().names(tags);
    names.map(str::to_owned).collect()
}

/// Where a household stood when the alert was released.
pub fn village_of(alert: &Alert, id: HouseholdId) -> Option<RegionCode> {
    let stands = |households: &[GroundHousehold]| households.iter().any(|h| h.id == id);
    let grounds = alert.grounds();
    grounds
        .iter()
        .find(|(_, ground)| stands(&ground.households))
        .map(|(code, _)| *code)
}

fn place(doors: &Doors, id: HouseholdId) -> Option<(usize, usize)> {
    (0..doors.villages.len()).find_map(|at| {
        let door = doors
            .each(at)
            .position(|(household, _)| household.id == id)?;
        Some((at, door))
    })
}

/// Only the lines that are shown are asked for what was tried.
fn add_tried(alert: &Alert, registry: &Registry, lines: &mut [HouseholdLine]) {
    let at: BTreeMap<HouseholdId, usize> =
        lines.iter().enumerate().map(|(i, l)| (l.id, i)).collect();
    let villages: BTreeSet<RegionCode> = lines.iter().map(|l| l.village).collect();
    let mut tried: Vec<BTreeSet<String>> = vec![BTreeSet::new(); lines.len()];
    for block in alert.blocks() {
        let one_village = block.region.level() == RegionLevel::Village;
        if block.audience == Audience::Public && one_village && !villages.contains(&block.region) {
            continue;
        }
        let kind = kind(alert, &block);
        let went_out =
            |i: &usize| block.attempts(*i) > 0 || block.evidence(*i) > channel::Evidence::None;
        for i in (0..block.len() as usize).filter(went_out) {
            let own = block.household(i).filter(|_| !block.speaker);
            let heard = if block.speaker {
                hearing(alert, registry, block.endpoint(i))
            } else {
                Arc::default()
            };
            for line in own.iter().chain(heard.iter()).filter_map(|id| at.get(id)) {
                tried[*line].insert(kind.clone());
            }
        }
    }
    for (line, tried) in lines.iter_mut().zip(tried) {
        line.tried = tried.into_iter().collect();
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "an answer of the API: each is a field of its own there"
)]
pub struct DeliveryLine {
    #[schema(value_type = u32)]
    pub number: DeliveryNo,
    pub channel: String,
    pub kind: String,
    /// Its address stays in the registry.
    #[schema(value_type = u32)]
    pub endpoint: EndpointId,
    /// A village speaker that this household can hear, not an endpoint of its own.
    pub speaker: bool,
    #[schema(schema_with = super::words::states)]
    pub state: &'static str,
    pub state_zh: &'static str,
    #[schema(schema_with = shape::evidence)]
    pub evidence: &'static str,
    pub evidence_zh: &'static str,
    #[serde(flatten)]
    pub told: Told,
    pub attempts: u8,
    /// The far end's own last short code.
    pub code: Option<String>,
    /// It may have gone out twice.
    pub in_doubt: bool,
    /// The far end said both reached and refused.
    pub disputed: bool,
    /// A far end has said that nobody has this number.
    pub suspect: bool,
    /// When its evidence last rose.
    #[schema(schema_with = shape::maybe_moment)]
    pub at: Option<At>,
}

/// Everything that was sent to a household: to its people, then by the speakers it can hear.
pub fn deliveries(
    alert: &Alert,
    ledger: &Ledger,
    registry: &Registry,
    household: HouseholdId,
) -> Vec<DeliveryLine> {
    let mut lines = Vec::new();
    for block in alert.blocks() {
        let kind = kind(alert, &block);
        for i in 0..block.len() as usize {
            let its = if block.speaker {
                registry
                    .hearing(block.endpoint(i))
                    .binary_search(&household)
                    .is_ok()
            } else {
                block.household(i) == Some(household)
            };
            if its {
                lines.push(delivery(alert, ledger, &block, i, &kind));
            }
        }
    }
    lines.sort_by_key(|line| (line.speaker, line.number));
    lines
}

fn delivery(alert: &Alert, ledger: &Ledger, block: &Block, i: usize, kind: &str) -> DeliveryLine {
    let code = ledger.code(block.code(i));
    let (state, state_zh) = of_wait(block.state(i), code.as_deref());
    let (evidence, evidence_zh) = of_evidence(block.evidence(i), block.speaker);
    DeliveryLine {
        number: block.number(i),
        channel: block.goes_by(i).into_owned(),
        kind: kind.to_owned(),
        endpoint: block.endpoint(i),
        speaker: block.speaker,
        state,
        state_zh,
        evidence,
        evidence_zh,
        told: block.answer(i).into(),
        attempts: block.attempts(i),
        code,
        in_doubt: block.flag(i, IN_DOUBT),
        disputed: block.flag(i, DISPUTED),
        suspect: ledger.suspects.has(block.endpoint(i)),
        at: raised(alert, block, i),
    }
}

fn raised(alert: &Alert, block: &Block, i: usize) -> Option<At> {
    let at = std::time::Duration::from_millis(block.at(i).into());
    (block.evidence(i) > channel::Evidence::None).then(|| At(alert.at.plus(at)))
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct SpeakerLine {
    #[schema(value_type = u32)]
    pub endpoint: EndpointId,
    #[schema(value_type = u32)]
    pub number: DeliveryNo,
    pub village: RegionCode,
    pub village_name: String,
    pub name: String,
    pub channel: String,
    #[schema(schema_with = super::words::states)]
    pub state: &'static str,
    pub state_zh: &'static str,
    #[serde(flatten)]
    pub told: Told,
    /// Households on its hearing list; none where there is no list.
    pub hearing: usize,
    #[schema(schema_with = shape::maybe_moment)]
    pub at: Option<At>,
}

/// Every delivery to a speaker of some regions, by village.
pub fn speakers(
    alert: &Alert,
    (ledger, registry): (&Ledger, &Registry),
    scope: &[RegionCode],
) -> Vec<SpeakerLine> {
    let mut lines = Vec::new();
    for block in alert
        .blocks()
        .iter()
        .filter(|b| b.speaker && inside(scope, b.region))
    {
        let village_name = registry.full_name(block.region);
        for i in 0..block.len() as usize {
            let endpoint = block.endpoint(i);
            let name = registry.endpoint(endpoint).and_then(|e| e.name);
            let code = ledger.code(block.code(i));
            let (state, state_zh) = of_wait(block.state(i), code.as_deref());
            lines.push(SpeakerLine {
                endpoint,
                number: block.number(i),
                village: block.region,
                village_name: village_name.clone(),
                name: name.unwrap_or_default().to_owned(),
                channel: block.channel.clone(),
                state,
                state_zh,
                told: block.answer(i).into(),
                hearing: hearing(alert, registry, endpoint).len(),
                at: raised(alert, block, i),
            });
        }
    }
    lines.sort_by_key(|line| (line.village, line.endpoint, line.number));
    lines
}
