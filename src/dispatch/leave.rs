//! What waits for an account that takes nothing goes on by another of its route: everything that is open, and what hangs
//! in its hands, which may have been sent and is counted as such. Decided here, journaled, and only then told to the
//! other lane. This module must not send.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::lane::{Lane, Run};
use super::pulse::Pulse;
use super::queue::Waiting;
use super::settle::Word;
use super::switch::Step;
use crate::ledger::rerouted::{Rerouted, runs};
use crate::ledger::{Alert, Block, Event, Proposal};
use crate::model::{State, StreamId};

/// So many go on in one commit.
const MOST: usize = 4_000;

/// Where something goes on, by stream and account.
#[derive(Default)]
struct Leaving {
    count: usize,
    hung: BTreeMap<StreamId, Vec<u32>>,
    to: BTreeMap<(StreamId, String), Vec<Waiting>>,
}

impl Lane {
    /// Keeps the account's pulse, and lets go what it holds up; true when something went on.
    pub(super) async fn leave(&self, run: &mut Run) -> bool {
        let Some(route) = self.switch.routes.of(&self.out.name) else {
            return false;
        };
        let tick = self.desk.clock.tick();
        let outstanding = self.out.outstanding.load(Ordering::SeqCst);
        let starved = run.refused.is_some_and(|(_, until)| tick < until);
        if outstanding == 0 && (starved || !run.queue.is_ready()) {
            run.pulse.idle(tick);
        }
        if run
            .pulse
            .goes_out(tick, route.patience_red.min(route.patience))
        {
            self.switch.set_out(&self.out.name, true);
            // From now on one message at growing intervals asks whether it is back.
            run.flow.down(tick);
        }
        if !run.pulse.is_out() || !self.switch.has_other(&self.out.name) {
            return false;
        }
        let leaving = self.leaving(&run.pulse, tick);
        leaving.count > 0 && self.go_on(leaving).await
    }

    /// Every open delivery on this account whose alert has waited for long enough and that another account serves.
    fn leaving(&self, pulse: &Pulse, tick: Duration) -> Leaving {
        let mut leaving = Leaving::default();
        let Some(route) = self.switch.routes.of(&self.out.name) else {
            return leaving;
        };
        for alert in self.desk.ledger.alerts() {
            let patience = route.patience(alert.handled());
            if pulse.silent(tick) < patience {
                continue;
            }
            let hangs = pulse.hangs(tick) >= patience;
            for block in alert.blocks() {
                if leaving.count >= MOST {
                    return leaving;
                }
                self.of_block(&alert, &block, hangs, &mut leaving);
            }
        }
        leaving
    }

    fn of_block(&self, alert: &Alert, block: &Arc<Block>, hangs: bool, leaving: &mut Leaving) {
        let goes = |state: State| match state {
            State::Planned | State::Due => true,
            State::Handed => hangs,
            _ => false,
        };
        let name = &self.out.name;
        if !State::ALL.iter().any(|s| goes(*s) && block.tally(*s) > 0) {
            return;
        }
        for i in 0..block.len() as usize {
            let state = block.state(i);
            if !goes(state) || !block.is_on(i, name) {
                continue;
            }
            let Some(member) = self.switch.next(name, (block, i), Step::Away) else {
                continue;
            };
            leaving.count += 1;
            if state == State::Handed {
                let hung = leaving.hung.entry(alert.stream).or_default();
                hung.push(block.number(i));
            }
            let to = (alert.stream, member.channel.clone());
            leaving.to.entry(to).or_default().push((block.clone(), i));
        }
    }

    async fn go_on(&self, leaving: Leaving) -> bool {
        let at = self.desk.clock.now();
        let epoch = self.desk.ledger.epoch();
        let mut events = Vec::new();
        for (stream, deliveries) in leaving.hung {
            let due = at;
            let event = Event::InDoubt {
                deliveries,
                epoch,
                due,
            };
            events.push((stream, event));
        }
        for ((stream, to), places) in &leaving.to {
            let numbers = places.iter().map(|(block, i)| block.number(*i));
            let rerouted = Rerouted {
                to: to.clone(),
                why: Step::Away,
                at,
                runs: runs(numbers),
            };
            events.push((*stream, Event::Rerouted(rerouted)));
        }
        let proposal = Proposal {
            events,
            ..Proposal::default()
        };
        if let Err(refused) = self.desk.writer.propose(proposal).await {
            tracing::warn!(channel = self.out.name, %refused, "what waits for an account that takes nothing stays there");
            return false;
        }
        tracing::warn!(
            channel = self.out.name,
            deliveries = leaving.count,
            "the account takes nothing; what waits for it goes on by another"
        );
        for ((_, to), places) in leaving.to {
            self.switch.tell(&to, Word::Moved(places));
        }
        true
    }
}
