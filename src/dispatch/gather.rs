//! What is held back for a far end whose one message covers all that it is given at once, and where each message is work for
//! people: the blocks of a step stay here until the step is written whole, so that a county is one message and not one for
//! each commit. This module must not hold anything for longer than `LONGEST`: a release may make way in the middle.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::ledger::{Block, Ledger};
use crate::model::StreamId;

/// A county's blocks are written in less, and a platform's people take longer.
const LONGEST: Duration = Duration::from_secs(2);

#[derive(Default)]
pub struct Gather {
    steps: BTreeMap<(StreamId, u16), Held>,
}

struct Held {
    until: Duration,
    blocks: Vec<Arc<Block>>,
}

impl Gather {
    pub fn hold(&mut self, block: Arc<Block>, tick: Duration) {
        let held = self.steps.entry((block.stream, block.step));
        let held = held.or_insert_with(|| Held {
            until: tick + LONGEST,
            blocks: Vec::new(),
        });
        held.blocks.push(block);
    }

    /// What need not wait any longer: all of its step is here, or its time is over.
    pub fn complete(&mut self, ledger: &Ledger, tick: Duration) -> Vec<Arc<Block>> {
        let mut complete = Vec::new();
        self.steps.retain(|(stream, step), held| {
            let written = ledger
                .alert(*stream)
                .is_none_or(|alert| alert.steps.is_planned(*step));
            let stays = !written && tick < held.until;
            if !stays {
                complete.append(&mut held.blocks);
            }
            stays
        });
        complete
    }

    /// When something has been held for long enough.
    pub fn next(&self) -> Option<Duration> {
        self.steps.values().map(|held| held.until).min()
    }
}
