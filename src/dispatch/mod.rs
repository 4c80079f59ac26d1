//! Blocks become evidence: a lane and a settler for each channel, an inlet for its receipts, and the ticks that expire
//! and give up waiting. After a crash exactly what was handed and not settled is in doubt: sent again, and counted. This
//! room must not choose who is told or by what.

mod ahead;
mod bindings;
pub mod by_hand;
mod corrected;
mod detours;
mod devices;
mod flow;
mod gather;
mod handed;
mod inlet;
mod lane;
mod leave;
mod nightly;
mod numbers;
mod out;
mod proofs;
mod pulse;
pub mod quakes;
mod queue;
mod repairs;
mod replies;
mod reroute;
mod retry;
mod ring;
mod serials;
mod settle;
mod suspect;
mod switch;
mod test_calls;
mod tick;
mod wheel;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use channel::{Channel, Clock, Stop};
use parking_lot::RwLock;
use tokio::sync::{Notify, mpsc};
use tokio_util::task::TaskTracker;

pub use bindings::Bindings;
pub use by_hand::ByHand;
pub use devices::{Orders, Wanted};
pub use handed::Memory;
pub use inlet::{ChannelInlet, Desk};
pub use quakes::Relay;
pub use repairs::Entry;
pub use replies::{Letters, Replies};
pub use retry::Policy;
pub use test_calls::{TestCalls, TestLine};
pub use tick::tick;

use switch::{Line, Switch};

use crate::coord::{Account, Redis};
use crate::ledger::{Event, Ledger, Proposal, Refused};
use crate::model::{Rate, State, StreamId};
use crate::plan::Routes;
use crate::registry::Registry;
use crate::store::Store;

/// One channel as dispatch sees it.
pub struct Outlet {
    pub channel: Arc<dyn Channel>,
    /// Whose permits it takes; channels that name one account share its rate.
    pub account: String,
    pub rate: Rate,
    pub policy: Policy,
}

/// Whose permits each channel takes.
pub type Accounts = BTreeMap<String, Arc<Account>>;

type Ears = mpsc::UnboundedReceiver<settle::Word>;

pub struct Dispatch {
    pub desk: Arc<Desk>,
    pub store: Arc<dyn Store>,
    pub registry: Arc<RwLock<Arc<Registry>>>,
    pub outlets: BTreeMap<String, Outlet>,
    pub routes: Arc<Routes>,
    pub redis: Option<Redis>,
    /// How many nodes draw on the same accounts at once.
    pub nodes: NonZeroU32,
}

impl Dispatch {
    fn accounts(&self) -> BTreeMap<String, Arc<Account>> {
        let mut accounts = BTreeMap::new();
        for outlet in self.outlets.values() {
            accounts.entry(outlet.account.clone()).or_insert_with(|| {
                let (redis, clock) = (self.redis.as_ref(), self.desk.clock.clone());
                let account = Account::new(&outlet.account, outlet.rate, self.nodes, redis, clock);
                Arc::new(account)
            });
        }
        accounts
    }

    /// What lanes know of each other, and the end of each on which it is told.
    fn switch(&self) -> (Arc<Switch>, BTreeMap<String, Ears>) {
        let mut ears = BTreeMap::new();
        let line = |(name, outlet): (&String, &Outlet)| {
            let (words, hear) = mpsc::unbounded_channel();
            ears.insert(name.clone(), hear);
            let line = Line {
                channel: outlet.channel.clone(),
                words,
                out: AtomicBool::new(false),
            };
            (name.clone(), line)
        };
        let lines = self.outlets.iter().map(line).collect();
        let switch = Switch {
            routes: self.routes.clone(),
            ported: self.desk.ledger.ported.clone(),
            registry: self.registry.clone(),
            lines,
        };
        (Arc::new(switch), ears)
    }

    /// Puts in doubt what a crash left in hand, then starts every lane; gives the accounts for what is sent beside them.
    pub async fn start(self, tasks: &TaskTracker, stop: &Stop) -> Result<Accounts, Refused> {
        self.put_in_doubt().await?;
        let accounts = self.accounts();
        let mut shared = Accounts::new();
        let (switch, mut ears) = self.switch();
        let channels = self.outlets.iter();
        let channels = channels.map(|(name, outlet)| (name.clone(), outlet.channel.clone()));
        let channels: Arc<BTreeMap<_, _>> = Arc::new(channels.collect());
        for (name, outlet) in self.outlets {
            let (give, take) = mpsc::unbounded_channel();
            shared.insert(name.clone(), accounts[&outlet.account].clone());
            let words = switch.lines[&name].words.clone();
            let hear = ears.remove(&name).expect("every line has one");
            let (outstanding, room) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
            let settler = settle::Settler {
                channel: name.clone(),
                desk: self.desk.clone(),
                policy: outlet.policy,
                told_more: outlet.channel.is_told_more(),
                gathers: outlet.channel.gathers(),
                outstanding: outstanding.clone(),
                words: words.clone(),
                room: room.clone(),
                switch: switch.clone(),
            };
            let out = out::Out {
                name,
                channel: outlet.channel.clone(),
                registry: self.registry.clone(),
                channels: channels.clone(),
                outstanding,
                settle: give,
                words,
            };
            let lane = lane::Lane {
                out: Arc::new(out),
                desk: self.desk.clone(),
                store: self.store.clone(),
                rate: outlet.rate,
                account: accounts[&outlet.account].clone(),
                room,
                switch: switch.clone(),
            };
            tasks.spawn(settler.run(take));
            tasks.spawn(lane.run(hear, stop.clone()));
        }
        Ok(shared)
    }

    async fn put_in_doubt(&self) -> Result<(), Refused> {
        let events = in_doubt(&self.desk.ledger, &*self.desk.clock);
        let held = |e: &Event| {
            if let Event::InDoubt { deliveries, .. } = e {
                deliveries.len()
            } else {
                0
            }
        };
        let count: usize = events.iter().map(|(_, e)| held(e)).sum();
        if count > 0 {
            tracing::warn!(
                deliveries = count,
                "in doubt after a restart: sent again as possible duplicates"
            );
            let proposal = Proposal {
                events,
                ..Proposal::default()
            };
            self.desk.writer.propose(proposal).await?;
        }
        Ok(())
    }
}

/// What was handed and not settled when the last process ended.
fn in_doubt(ledger: &Ledger, clock: &dyn Clock) -> Vec<(StreamId, Event)> {
    let mut events = Vec::new();
    for alert in ledger.alerts() {
        let mut deliveries = Vec::new();
        for block in alert.blocks() {
            if block.tally(State::Handed) > 0 {
                let handed = (0..block.len() as usize).filter(|i| block.state(*i) == State::Handed);
                deliveries.extend(handed.map(|i| block.number(i)));
            }
        }
        if !deliveries.is_empty() {
            let event = Event::InDoubt {
                deliveries,
                epoch: ledger.epoch(),
                due: clock.now(),
            };
            events.push((alert.stream, event));
        }
    }
    events
}

#[cfg(test)]
mod tests;
