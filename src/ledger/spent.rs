//! What bureaus have spent in text messages, by calendar month: a sum that outlives the alerts it comes from, for those
//! leave memory. This module must not know a budget.

use std::collections::BTreeMap;

use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::model::{Month, StreamId};

/// The event, on the house stream: what a release writes of one region in one step, in the commit of its blocks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Spent {
    pub bureau: String,
    pub month: Month,
    pub alert: StreamId,
    pub step: u16,
    pub segments: u64,
}

/// The event, beside an alert's `Accepted`: why it waits for a person, though its document is not the reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Held {
    /// The bureau's month was spent.
    Budget { spent: u64, limit: u64 },
}

#[derive(Default)]
pub struct Spending(RwLock<BTreeMap<(Month, String), u64>>);

impl Spending {
    pub(super) fn add(&self, spent: &Spent) {
        let mut sums = self.0.write();
        let sum = sums.entry((spent.month, spent.bureau.clone())).or_default();
        *sum = sum.saturating_add(spent.segments);
    }

    /// In segments.
    pub fn of(&self, bureau: &str, month: Month) -> u64 {
        let sums = self.0.read();
        sums.get(&(month, bureau.to_owned())).copied().unwrap_or(0)
    }

    pub fn all(&self) -> BTreeMap<(Month, String), u64> {
        self.0.read().clone()
    }
}
