//! When each loudspeaker last played a text whole, by proof. It is folded from receipts and outlives the sealing of its
//! alert: a card carries what its alert proved. This module must not take anything for a proof that the fold did not.

use std::collections::{BTreeMap, HashMap};

use channel::{Evidence, Timestamp};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use super::alert::{Alert, Block};
use super::event::Audience;
use crate::model::{EndpointId, StreamId};

/// A proved play.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Play {
    pub at: Timestamp,
    pub alert: StreamId,
}

#[derive(Default)]
pub struct Proved(RwLock<HashMap<EndpointId, Play>>);

impl Proved {
    pub fn last(&self, speaker: EndpointId) -> Option<Play> {
        self.0.read().get(&speaker).copied()
    }

    pub(super) fn add(&self, plays: impl IntoIterator<Item = (EndpointId, Play)>) {
        let mut last = self.0.write();
        for (speaker, play) in plays {
            let known = last.entry(speaker).or_insert(play);
            *known = play.max(*known);
        }
    }

    /// What one delivery proves, if anything.
    pub(super) fn note(&self, alert: &Alert, block: &Block, i: usize) {
        self.add(proof(alert, block, i));
    }

    /// By loudspeaker.
    pub(super) fn all(&self) -> BTreeMap<EndpointId, Play> {
        let last = self.0.read();
        last.iter().map(|(id, play)| (*id, *play)).collect()
    }
}

fn proof(alert: &Alert, block: &Block, i: usize) -> Option<(EndpointId, Play)> {
    let proved =
        block.audience == Audience::Speakers && block.evidence(i) == Evidence::Acknowledged;
    proved.then(|| {
        let after = std::time::Duration::from_millis(block.at(i).into());
        let play = Play {
            at: alert.at.plus(after),
            alert: alert.stream,
        };
        (block.endpoint(i), play)
    })
}

/// All that an alert proved.
pub(super) fn of(alert: &Alert) -> Vec<(EndpointId, Play)> {
    let blocks = alert.blocks();
    let each = |block: &std::sync::Arc<Block>| {
        let all = (0..block.len() as usize).filter_map(|i| proof(alert, block, i));
        all.collect::<Vec<_>>()
    };
    blocks.iter().flat_map(each).collect()
}
