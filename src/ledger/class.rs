//! How an alert stands to what people last got, and whom that meant to tell, to hold for the morning or to leave alone: as
//! the release decided it. Only the fold writes here; this module must not compare anything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::openapi::schema::Schema;

use super::event::Audience;
use crate::model::{DeliveryNo, Grade, HouseholdId, RegionCode, StreamId, shape};

/// How an alert stands to what somebody last got of its chain, or, as a whole, to the alerts that it ends. The order of
/// these is part of the journal's format.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Nothing comes before it.
    Original,
    /// 升级
    Upgraded,
    /// 降级
    Downgraded,
    /// 续发: the same level, area and instruction, for longer.
    Prolonged,
    /// 扩大: whoever it comes to has nothing of its chain and gets it as an original.
    Widened,
    /// 缩小: whoever drops out is told that it is over for them.
    Narrowed,
    /// 更正: in error, in what is to be done, or in both ways of its area.
    Corrected,
    /// 解除
    Lifted,
    /// 误发撤销: it should never have been issued.
    Revoked,
    /// A last word to whoever was told already that it is over for them, or never had it in hand.
    Closed,
}

impl Class {
    pub const ALL: [Self; 10] = [
        Self::Original,
        Self::Upgraded,
        Self::Downgraded,
        Self::Prolonged,
        Self::Widened,
        Self::Narrowed,
        Self::Corrected,
        Self::Lifted,
        Self::Revoked,
        Self::Closed,
    ];

    /// Its words, for the API's document.
    pub fn shape() -> Schema {
        shape::one_of(&Self::ALL.map(Self::name))
    }

    /// The same where there may be none.
    pub fn maybe() -> Schema {
        let mut words: Vec<_> = Self::ALL.iter().map(|c| Some(c.name())).collect();
        words.push(None);
        shape::written(json!({ "type": ["string", "null"], "enum": words }))
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Upgraded => "upgraded",
            Self::Downgraded => "downgraded",
            Self::Prolonged => "prolonged",
            Self::Widened => "widened",
            Self::Narrowed => "narrowed",
            Self::Corrected => "corrected",
            Self::Lifted => "lifted",
            Self::Revoked => "revoked",
            Self::Closed => "closed",
        }
    }

    /// It may wait behind every warning, and for the morning.
    pub const fn is_calm(self) -> bool {
        matches!(
            self,
            Self::Downgraded | Self::Prolonged | Self::Narrowed | Self::Lifted | Self::Closed
        )
    }

    /// Whoever holds the earlier text holds something wrong until this has come to them.
    pub const fn replaces(self) -> bool {
        matches!(
            self,
            Self::Upgraded
                | Self::Downgraded
                | Self::Narrowed
                | Self::Corrected
                | Self::Lifted
                | Self::Revoked
        )
    }
}

/// What becomes of some people of one class.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// Told by the block that begins with this delivery.
    Told { first: DeliveryNo },
    /// Held by the night rule until this step.
    Held { step: u16 },
    /// Told in a later step, as the plan says.
    Later { step: u16 },
    /// Not told again: what they have still holds.
    Spared,
}

/// How many people of one class there are in a region, on one channel, and what becomes of them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ClassRow {
    pub channel: String,
    pub audience: Audience,
    pub class: Class,
    pub count: u32,
    pub fate: Fate,
}

/// Beside the blocks of a region.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Classed {
    pub region: RegionCode,
    pub rows: Vec<ClassRow>,
}

/// The doors of a village that are not told again, each by what it has: the grade of its proof, or none where nobody knows
/// whether it came. As it stood at release.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Kept {
    pub region: RegionCode,
    pub doors: Vec<(Option<Grade>, Vec<HouseholdId>)>,
}

#[derive(Default)]
pub struct Classes {
    /// One more than its place; 0 where it was not compared.
    whole: AtomicU8,
    with: RwLock<Vec<StreamId>>,
    rows: RwLock<Vec<(RegionCode, ClassRow)>>,
    kept: RwLock<BTreeMap<RegionCode, Arc<Kept>>>,
}

impl Classes {
    /// Of the alert as a whole; nothing where it was not compared.
    pub fn whole(&self) -> Option<Class> {
        let place = self.whole.load(Relaxed).checked_sub(1)?;
        Class::ALL.get(usize::from(place)).copied()
    }

    /// The alerts that it was compared with.
    pub fn with(&self) -> Vec<StreamId> {
        self.with.read().clone()
    }

    pub fn rows(&self) -> Vec<(RegionCode, ClassRow)> {
        self.rows.read().clone()
    }

    /// Regions of which anything was written.
    pub fn regions(&self) -> BTreeSet<RegionCode> {
        self.rows.read().iter().map(|(region, _)| *region).collect()
    }

    /// How many wait for a step.
    pub fn waiting(&self, step: u16) -> u32 {
        let rows = self.rows.read();
        let of_step = rows.iter().filter(|(_, row)| match row.fate {
            Fate::Held { step: at } | Fate::Later { step: at } => at == step,
            Fate::Told { .. } | Fate::Spared => false,
        });
        of_step.map(|(_, row)| row.count).sum()
    }

    /// Whether anybody of a step waits for the end of the night.
    pub fn is_held(&self, step: u16) -> bool {
        let held = Fate::Held { step };
        self.rows.read().iter().any(|(_, row)| row.fate == held)
    }

    pub fn kept(&self, village: RegionCode) -> Option<Arc<Kept>> {
        self.kept.read().get(&village).cloned()
    }

    pub(super) fn compare(&self, class: Class, with: &[StreamId]) {
        self.whole.store(class as u8 + 1, Relaxed);
        with.clone_into(&mut self.with.write());
    }

    pub(super) fn add(&self, classed: &Classed) {
        let rows = classed.rows.iter().cloned();
        let mut held = self.rows.write();
        held.extend(rows.map(|row| (classed.region, row)));
    }

    pub(super) fn keep(&self, kept: &Kept) {
        let mut held = self.kept.write();
        held.insert(kept.region, Arc::new(kept.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_calm_or_urgent_or_for_those_who_have_nothing() {
        for (place, class) in Class::ALL.into_iter().enumerate() {
            assert_eq!(class as usize, place, "the journal counts by it");
            let json = serde_json::to_value(class).expect("a word");
            assert_eq!(json, class.name());
        }
        let calm: Vec<_> = Class::ALL.into_iter().filter(|c| c.is_calm()).collect();
        let named = ["downgraded", "prolonged", "narrowed", "lifted", "closed"];
        assert_eq!(calm.iter().map(|c| c.name()).collect::<Vec<_>>(), named);
        assert!(!Class::Prolonged.replaces(), "nobody is stale by it");
        assert!(!Class::Widened.replaces() && !Class::Closed.replaces());
    }
}
