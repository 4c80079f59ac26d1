//! Progress per channel, from the blocks' own tallies: cheap enough for a bar that moves twice a second. This module must
//! not count households: a delivery is not a door.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;

use serde::Serialize;
use utoipa::ToSchema;

use crate::ledger::{Alert, Block, IN_DOUBT};
use crate::model::State;

/// Deliveries of one channel by state. The states add up to `total`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
pub struct ChannelLine {
    pub channel: String,
    pub kind: String,
    pub planned: u32,
    pub handed: u32,
    pub awaiting: u32,
    pub due: u32,
    pub done: u32,
    pub failed: u32,
    pub expired: u32,
    pub withdrawn: u32,
    /// With more than acceptance, in whatever state.
    pub reached: u32,
    pub total: u32,
    /// That may have gone out twice: their outcome was lost once.
    pub doubts: u32,
}

pub fn channels(alert: &Alert) -> Vec<ChannelLine> {
    let mut lines: BTreeMap<String, ChannelLine> = BTreeMap::new();
    let any_doubt = alert.doubts.load(Relaxed) > 0;
    for block in alert.blocks() {
        let line = lines
            .entry(block.channel.clone())
            .or_insert_with(|| ChannelLine {
                channel: block.channel.clone(),
                kind: kind(alert, &block),
                ..ChannelLine::default()
            });
        line.planned += block.tally(State::Planned);
        line.handed += block.tally(State::Handed);
        line.awaiting += block.tally(State::Awaiting);
        line.due += block.tally(State::Due);
        line.done += block.tally(State::Done);
        line.failed += block.tally(State::Failed);
        line.expired += block.tally(State::Expired);
        line.withdrawn += block.tally(State::Withdrawn);
        line.reached += block.reached();
        line.total += block.len();
        if any_doubt {
            let doubted = (0..block.len() as usize).filter(|i| block.flag(*i, IN_DOUBT));
            line.doubts += u32::try_from(doubted.count()).unwrap_or(u32::MAX);
        }
    }
    lines.into_values().collect()
}

/// The kind of a block's channel: the text that it carries was rendered for it.
pub(super) fn kind(alert: &Alert, block: &Block) -> String {
    alert
        .variant(block.variant(0))
        .map(|v| v.kind)
        .unwrap_or_default()
}
