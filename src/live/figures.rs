//! What is told of a running alert: its state, its channels and seven counts a village; and the difference between two
//! such moments. Pure. This module must not keep anything.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use channel::Timestamp;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::coverage::{self, ChannelLine, Row, Standing};
use crate::ledger::{Alert, Known, Ledger};
use crate::model::{RegionCode, StreamId, shape};
use crate::registry::Registry;

/// Households at home, then how many of them are confirmed, delivered, played, missed, unknown and pending.
pub type VillageFigures = [u32; 7];

#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(as = LiveFigures)]
pub struct Figures {
    #[schema(value_type = u64)]
    pub alert: StreamId,
    #[schema(schema_with = shape::moment)]
    #[serde(serialize_with = "moment")]
    pub as_of: Timestamp,
    #[schema(schema_with = Standing::shape)]
    pub state: &'static str,
    pub state_zh: &'static str,
    /// By code. In a difference only those that changed.
    #[schema(value_type = BTreeMap<String, [u32; 7]>)]
    pub villages: Arc<BTreeMap<RegionCode, VillageFigures>>,
    pub channels: Vec<ChannelLine>,
}

pub(super) fn moment<S: Serializer>(at: &impl Display, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(at)
}

/// The counts of one row, in the order in which they are told.
pub fn bundle(row: &Row) -> VillageFigures {
    [
        row.at_home,
        row.reached.confirmed,
        row.reached.delivered,
        row.reached.played,
        row.missed.all(),
        row.unknown,
        row.pending,
    ]
}

impl Figures {
    pub fn of(
        alert: &Arc<Alert>,
        ledger: &Ledger,
        registry: &Registry,
        scope: &[RegionCode],
        now: Timestamp,
    ) -> Self {
        let rows = coverage::villages(alert, registry, scope);
        let standing = Standing::of(&Known::Open(alert.clone()), ledger, now);
        Self {
            alert: alert.stream,
            as_of: now,
            state: standing.key(),
            state_zh: standing.zh(),
            villages: Arc::new(rows.iter().map(|row| (row.region, bundle(row))).collect()),
            channels: coverage::channels(alert),
        }
    }

    /// The counts of all villages together.
    pub fn total(&self) -> VillageFigures {
        let mut total = VillageFigures::default();
        for figures in self.villages.values() {
            for (sum, count) in total.iter_mut().zip(figures) {
                *sum += count;
            }
        }
        total
    }

    /// The same counts, where the alert stands now.
    pub fn standing(&self, alert: &Arc<Alert>, ledger: &Ledger, now: Timestamp) -> Self {
        let standing = Standing::of(&Known::Open(alert.clone()), ledger, now);
        Self {
            as_of: now,
            state: standing.key(),
            state_zh: standing.zh(),
            ..self.clone()
        }
    }

    /// What has changed since `before`; nothing where only time went by.
    pub fn since(&self, before: &Self) -> Option<Self> {
        let changed = |(code, figures): &(&RegionCode, &VillageFigures)| {
            before.villages.get(code) != Some(*figures)
        };
        let villages: BTreeMap<_, _> = self
            .villages
            .iter()
            .filter(changed)
            .map(|(code, figures)| (*code, *figures))
            .collect();
        let still =
            villages.is_empty() && self.channels == before.channels && self.state == before.state;
        (!still).then(|| Self {
            villages: Arc::new(villages),
            ..self.clone()
        })
    }
}
