//! Which alerts a correction speaks of: what it names, what that corrected in its turn, and what came too late because one
//! of them was here before. This module must not decide what becomes of them.

use std::collections::{BTreeMap, BTreeSet};

use super::event::{Accepted, Born};
use super::{Known, Ledger};
use crate::model::StreamId;

impl Accepted {
    /// Whether it speaks of earlier alerts.
    pub fn corrects(&self) -> bool {
        matches!(self.msg_type, cap::MsgType::Update | cap::MsgType::Cancel)
    }
}

impl Ledger {
    /// The chain behind what is named, in the order it came. `itself` is the correction where it is accepted already: what
    /// it was here before belongs to it, and it is not part of its own chain.
    pub fn chain(&self, named: &[StreamId], itself: Option<StreamId>) -> Vec<StreamId> {
        let every = self.every();
        let known: BTreeMap<StreamId, &Accepted> =
            every.iter().map(|a| (a.stream(), a.meta())).collect();
        let mut late: BTreeMap<StreamId, Vec<StreamId>> = BTreeMap::new();
        for alert in &every {
            // Born so, or ended by it before it could name it.
            if let Some(by) = alert.withdrawn_by() {
                late.entry(by).or_default().push(alert.stream());
            }
        }
        let mut chain = BTreeSet::new();
        let mut open = named.to_vec();
        let own = itself.and_then(|stream| late.get(&stream));
        open.extend(own.into_iter().flatten());
        while let Some(stream) = open.pop() {
            if Some(stream) == itself || !chain.insert(stream) {
                continue;
            }
            open.extend(late.get(&stream).into_iter().flatten());
            let meta = known.get(&stream).filter(|meta| meta.corrects());
            open.extend(meta.into_iter().flat_map(|meta| &meta.hits));
        }
        chain.into_iter().collect()
    }

    /// Those of a chain that still stand.
    pub fn standing(&self, chain: &[StreamId]) -> Vec<StreamId> {
        let stands =
            |known: Known| known.withdrawn_by().is_none() && known.meta().born != Born::Filed;
        let all = chain.iter().copied();
        all.filter(|stream| self.known(*stream).is_some_and(stands))
            .collect()
    }
}
