//! What runs now in a few numbers: alerts by where they stand, deliveries by channel and state. From the blocks' own
//! tallies, so that it may be asked every few seconds. This module must not look at a single delivery.

use std::collections::BTreeMap;

use channel::{Evidence, Timestamp};

use super::Standing;
use crate::ledger::{Known, Ledger};
use crate::model::State;

pub struct Gauges {
    /// Alerts that are not sealed, by the key of where they stand. Each standing is there.
    pub standings: BTreeMap<&'static str, u64>,
    /// Of alerts that are neither sealed nor damaged.
    pub channels: BTreeMap<String, Load>,
}

/// The deliveries of one channel.
#[derive(Clone, Copy, Default)]
pub struct Load {
    /// In the order of `State::ALL`.
    pub states: [u64; State::ALL.len()],
    /// With more than acceptance, in whatever state.
    pub reached: u64,
    /// That came from another account of the route.
    pub rerouted: u64,
}

impl Load {
    fn shift(&mut self, state: State, reached: bool, by: impl Fn(&mut u64)) {
        let place = State::ALL.iter().position(|known| *known == state);
        if let Some(at) = place {
            by(&mut self.states[at]);
        }
        if reached {
            by(&mut self.reached);
        }
    }
}

pub fn gauges(ledger: &Ledger, now: Timestamp) -> Gauges {
    let mut gauges = Gauges {
        standings: Standing::ALL.iter().map(|s| (s.key(), 0)).collect(),
        channels: BTreeMap::new(),
    };
    for known in ledger.every() {
        let Known::Open(alert) = &known else { continue };
        let standing = Standing::of(&known, ledger, now);
        *gauges.standings.entry(standing.key()).or_default() += 1;
        if standing == Standing::Damaged {
            continue;
        }
        for block in alert.blocks() {
            let load = gauges.channels.entry(block.channel.clone()).or_default();
            for (sum, state) in load.states.iter_mut().zip(State::ALL) {
                *sum += u64::from(block.tally(state));
            }
            load.reached += u64::from(block.reached());
            // What goes by another account of its route counts there.
            block.each_moved(|i, account| {
                let (state, reached) = (block.state(i), block.evidence(i) > Evidence::Accepted);
                let from = gauges.channels.entry(block.channel.clone()).or_default();
                from.shift(state, reached, |n| *n = n.saturating_sub(1));
                let to = gauges.channels.entry(account.to_owned()).or_default();
                to.shift(state, reached, |n| *n += 1);
                to.rerouted += 1;
            });
        }
    }
    gauges
}
