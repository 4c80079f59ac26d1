//! Progress per channel, from the blocks' own tallies: cheap enough for a bar that moves twice a second. This module must
//! not count households: a delivery is not a door.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;

use channel::Evidence;
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
    /// Of the failed: not sent, since it is not filed so (报备); the delivery's code says what.
    pub not_filed: u32,
}

pub fn channels(alert: &Alert) -> Vec<ChannelLine> {
    let mut lines: BTreeMap<String, ChannelLine> = BTreeMap::new();
    let any_doubt = alert.doubts.load(Relaxed) > 0;
    for block in alert.blocks() {
        let line = line(&mut lines, &block.channel, || kind(alert, &block));
        for state in State::ALL {
            *line.place(state) += block.tally(state);
        }
        line.reached += block.reached();
        line.total += block.len();
        line.not_filed += block.barred();
        if any_doubt {
            let doubted = (0..block.len() as usize).filter(|i| block.flag(*i, IN_DOUBT));
            line.doubts += u32::try_from(doubted.count()).unwrap_or(u32::MAX);
        }
        // What goes by another account of its route counts there.
        block.each_moved(|i, account| {
            let (state, reached) = (block.state(i), block.evidence(i) > Evidence::Accepted);
            let doubted = block.flag(i, IN_DOUBT);
            let from = lines.get_mut(&block.channel).expect("it was put there");
            from.shift(state, (reached, doubted), |n| *n = n.saturating_sub(1));
            let to = self::line(&mut lines, account, || kind(alert, &block));
            to.shift(state, (reached, doubted), |n| *n += 1);
        });
    }
    lines.into_values().collect()
}

fn line<'l>(
    lines: &'l mut BTreeMap<String, ChannelLine>,
    channel: &str,
    kind: impl FnOnce() -> String,
) -> &'l mut ChannelLine {
    if !lines.contains_key(channel) {
        let line = ChannelLine {
            channel: channel.to_owned(),
            kind: kind(),
            ..ChannelLine::default()
        };
        lines.insert(channel.to_owned(), line);
    }
    lines.get_mut(channel).expect("it was put there")
}

impl ChannelLine {
    fn place(&mut self, state: State) -> &mut u32 {
        match state {
            State::Planned => &mut self.planned,
            State::Handed => &mut self.handed,
            State::Awaiting => &mut self.awaiting,
            State::Due => &mut self.due,
            State::Done => &mut self.done,
            State::Failed => &mut self.failed,
            State::Expired => &mut self.expired,
            State::Withdrawn => &mut self.withdrawn,
        }
    }

    /// One delivery in each of its places.
    fn shift(&mut self, state: State, (reached, doubted): (bool, bool), by: impl Fn(&mut u32)) {
        by(self.place(state));
        by(&mut self.total);
        if reached {
            by(&mut self.reached);
        }
        if doubted {
            by(&mut self.doubts);
        }
    }
}

/// The kind of a block's channel: the text that it carries was rendered for it.
pub(super) fn kind(alert: &Alert, block: &Block) -> String {
    alert
        .variant(block.variant(0))
        .map(|v| v.kind)
        .unwrap_or_default()
}
