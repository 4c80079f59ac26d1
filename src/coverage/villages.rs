//! Which villages somebody has been heard from since an alert was released, by what, and which are silent (失联). A village is
//! heard from as soon as a person there has answered (one of its officers or a resident), or a loudspeaker there has proved
//! that it played; that a telephone has the text proves nobody. This module must not say what is done about a silent one.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use channel::{Evidence, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::doors::inside;
use super::lists::At;
use crate::ledger::event::Audience;
use crate::ledger::{Alert, Block};
use crate::model::{RecipientId, RegionCode, shape};
use crate::registry::Registry;

/// The first proof that somebody is there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heard {
    pub at: Timestamp,
    /// The kind of channel: `sms`, `voice`, `satellite`, `loudspeaker`.
    pub by: String,
    pub channel: String,
}

fn is_there(audience: Audience) -> bool {
    matches!(
        audience,
        Audience::Public | Audience::Officers | Audience::Speakers
    )
}

/// Each proof that somebody is there, of villages and of officers who may have a post in some.
struct Found<'a> {
    alert: &'a Alert,
    villages: BTreeMap<RegionCode, Heard>,
    officers: BTreeMap<RecipientId, Heard>,
}

impl Found<'_> {
    fn add(&mut self, block: &Block, i: usize, at: Timestamp) {
        if !is_there(block.audience) {
            return;
        }
        let kind = || self.alert.variant(block.variant(i)).map(|text| text.kind);
        let heard = || Heard {
            at,
            by: kind().unwrap_or_default(),
            channel: block.goes_by(i).to_string(),
        };
        let officer = self.alert.frozen.officer(block.endpoint(i));
        if let Some(officer) = officer.filter(|_| block.audience == Audience::Officers) {
            note(&mut self.officers, officer, at, heard);
        }
        note(&mut self.villages, block.region, at, heard);
    }
}

/// Who answers first is whom it was heard by.
fn note<K: Ord>(
    known: &mut BTreeMap<K, Heard>,
    key: K,
    at: Timestamp,
    heard: impl FnOnce() -> Heard,
) {
    match known.entry(key) {
        Entry::Vacant(place) => {
            place.insert(heard());
        }
        Entry::Occupied(mut first) if at < first.get().at => *first.get_mut() = heard(),
        Entry::Occupied(_) => {}
    }
}

/// Each village of the alert's ground that somebody has been heard from.
pub fn heard(alert: &Alert, registry: &Registry) -> BTreeMap<RegionCode, Heard> {
    let mut found = Found {
        alert,
        villages: BTreeMap::new(),
        officers: BTreeMap::new(),
    };
    for block in alert.blocks() {
        for i in 0..block.len() as usize {
            if block.evidence(i) == Evidence::Acknowledged {
                let after = std::time::Duration::from_millis(block.at(i).into());
                found.add(&block, i, alert.at.plus(after));
            }
        }
    }
    // Whatever somebody writes, they are there.
    for reply in alert.replies.all() {
        if let Some((block, i)) = alert.find(reply.row.delivery) {
            found.add(&block, i, reply.row.seen);
        }
    }
    let Found {
        mut villages,
        officers,
        ..
    } = found;
    let grounds = alert.grounds();
    // Who has several posts is told once, for the highest: the answer counts for each of them.
    if !officers.is_empty() {
        for (officer, village) in registry.posts_in_villages() {
            if let Some(heard) = officers.get(&officer) {
                note(&mut villages, village, heard.at, || heard.clone());
            }
        }
    }
    villages.retain(|village, _| grounds.contains_key(village));
    villages
}

/// The villages of the alert's ground that nobody has been heard from.
pub fn unheard(alert: &Alert, registry: &Registry) -> Vec<RegionCode> {
    let heard = heard(alert, registry);
    let grounds = alert.grounds().into_keys();
    grounds
        .filter(|village| !heard.contains_key(village))
        .collect()
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct VillageLine {
    pub village: RegionCode,
    /// With its town.
    pub name: String,
    /// `heard`: somebody there has answered, or a loudspeaker there has played; `silent`: a look found nobody and nobody has
    /// been heard from since; `waiting`: nobody has been heard from yet.
    #[schema(schema_with = states)]
    pub state: &'static str,
    pub state_zh: &'static str,
    /// When somebody was first heard from.
    #[schema(schema_with = shape::maybe_moment)]
    pub heard: Option<At>,
    /// The kind of channel by which: `sms`, `voice`, `satellite`, `loudspeaker`.
    pub by: Option<String>,
    pub channel: Option<String>,
    /// When a look first found it silent; it may have been heard from since.
    #[schema(schema_with = shape::maybe_moment)]
    pub silent: Option<At>,
    /// Nobody there was told by anything that can answer: its officers are missing in the registry, or their numbers.
    pub nobody_asked: bool,
}

fn states() -> utoipa::openapi::schema::Schema {
    shape::one_of(&["heard", "silent", "waiting"])
}

/// How many villages are in which state, and by what they were heard from.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
pub struct HeardFigures {
    pub villages: usize,
    pub heard: usize,
    pub silent: usize,
    pub waiting: usize,
    /// Those that are heard from, by the kind of channel.
    pub by: BTreeMap<String, usize>,
}

/// The villages of some regions, the silent ones first.
pub fn village_lines(alert: &Alert, registry: &Registry, scope: &[RegionCode]) -> Vec<VillageLine> {
    let (heard, silent) = (heard(alert, registry), alert.silence.since());
    let asked = asked(alert, registry);
    let grounds = alert.grounds().into_keys();
    let line = |village: RegionCode| {
        let (heard, silent) = (heard.get(&village), silent.get(&village).copied());
        let (state, state_zh) = match (heard, silent) {
            (Some(_), _) => ("heard", "有应答"),
            (None, Some(_)) => ("silent", "失联"),
            (None, None) => ("waiting", "待应答"),
        };
        VillageLine {
            village,
            name: registry.full_name(village),
            state,
            state_zh,
            heard: heard.map(|heard| At(heard.at)),
            by: heard.map(|heard| heard.by.clone()),
            channel: heard.map(|heard| heard.channel.clone()),
            silent: silent.map(At),
            nobody_asked: !asked.contains(&village),
        }
    };
    let own = grounds.filter(|village| inside(scope, *village));
    let mut lines: Vec<_> = own.map(line).collect();
    let order = |line: &VillageLine| match line.state {
        "silent" => 0,
        "waiting" => 1,
        _ => 2,
    };
    lines.sort_by_key(|line| (order(line), line.village));
    lines
}

/// Villages in which anybody or anything was told that can answer.
fn asked(alert: &Alert, registry: &Registry) -> BTreeSet<RegionCode> {
    let (mut asked, mut officers) = (BTreeSet::new(), BTreeSet::new());
    for block in alert.blocks().iter().filter(|b| is_there(b.audience)) {
        asked.insert(block.region);
        if block.audience == Audience::Officers {
            let endpoints = (0..block.len() as usize).map(|i| block.endpoint(i));
            officers.extend(endpoints.filter_map(|endpoint| alert.frozen.officer(endpoint)));
        }
    }
    let posts = registry.posts_in_villages();
    let posts = posts.filter(|(officer, _)| officers.contains(officer));
    asked.extend(posts.map(|(_, village)| village));
    asked
}

pub fn heard_figures(lines: &[VillageLine]) -> HeardFigures {
    let mut figures = HeardFigures {
        villages: lines.len(),
        ..HeardFigures::default()
    };
    for line in lines {
        match line.state {
            "heard" => figures.heard += 1,
            "silent" => figures.silent += 1,
            _ => figures.waiting += 1,
        }
        if let Some(by) = &line.by {
            *figures.by.entry(by.clone()).or_default() += 1;
        }
    }
    figures
}
