//! What is still on its way of the alerts that a correction ends: nothing of the correction goes to an endpoint before that
//! has come to its end, or the older text would be the last that somebody reads. This module must not send or wait.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::ledger::{Alert, Block, Ledger};
use crate::model::{EndpointId, State, StreamId};
use crate::plan::Routes;

/// Of one lane, by correction and step. What is ended is handed no more, so each of these only shrinks.
#[derive(Default)]
pub struct Ahead {
    steps: BTreeMap<(StreamId, u16), InHand>,
    /// Accounts of one route are one way to an endpoint.
    routes: Arc<Routes>,
}

type InHand = HashMap<EndpointId, Vec<(Arc<Block>, usize)>>;

impl Ahead {
    pub fn new(routes: Arc<Routes>) -> Self {
        Self {
            steps: BTreeMap::new(),
            routes,
        }
    }

    /// Looks once, with the first block of a step: what it corrects was ended before that was written.
    pub fn look(&mut self, alert: &Alert, block: &Block, ledger: &Ledger) {
        if !alert.meta.corrects() || self.steps.contains_key(&(block.stream, block.step)) {
            return;
        }
        let chain = ledger.chain(&alert.meta.hits, Some(alert.stream));
        let open = chain.into_iter().filter_map(|stream| ledger.alert(stream));
        let blocks = open.flat_map(|old| old.blocks());
        let mut in_hand = InHand::new();
        let way = self.routes.way(&block.channel);
        let same = |b: &Arc<Block>| self.routes.way(&b.channel) == way;
        for old in blocks.filter(|b| same(b) && b.tally(State::Handed) > 0) {
            for i in (0..old.len() as usize).filter(|i| old.state(*i) == State::Handed) {
                let place = in_hand.entry(old.endpoint(i)).or_default();
                place.push((old.clone(), i));
            }
        }
        self.steps.insert((block.stream, block.step), in_hand);
    }

    /// Whether an older text is in hand to the endpoint of this delivery.
    pub fn holds(&mut self, block: &Block, index: usize) -> bool {
        let Some(in_hand) = self.steps.get_mut(&(block.stream, block.step)) else {
            return false;
        };
        let endpoint = block.endpoint(index);
        let Some(before) = in_hand.get_mut(&endpoint) else {
            return false;
        };
        before.retain(|(old, i)| old.state(*i) == State::Handed);
        let holds = !before.is_empty();
        if !holds {
            in_hand.remove(&endpoint);
        }
        holds
    }

    /// Of alerts that left.
    pub fn let_go(&mut self, ledger: &Ledger) {
        self.steps
            .retain(|(stream, _), _| ledger.alert(*stream).is_some());
    }
}
