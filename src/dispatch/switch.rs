//! What the lanes of one route know of each other: who takes something now, and where a delivery goes on. The route, the
//! number and what is known of it decide; this module must not write and must not send.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use channel::Channel;
use parking_lot::RwLock;
use tokio::sync::mpsc;

use super::settle::Word;
use crate::ledger::event::LearnedRow;
use crate::ledger::{Block, Ported};
use crate::model::Carrier;
use crate::plan::{Member, Route, Routes};
use crate::registry::Registry;

pub struct Switch {
    pub routes: Arc<Routes>,
    pub ported: Arc<Ported>,
    pub registry: Arc<RwLock<Arc<Registry>>>,
    pub lines: BTreeMap<String, Line>,
}

/// One lane as the others see it.
pub struct Line {
    pub channel: Arc<dyn Channel>,
    pub words: mpsc::UnboundedSender<Word>,
    /// It has taken nothing for too long.
    pub out: AtomicBool,
}

impl Switch {
    pub fn is_out(&self, channel: &str) -> bool {
        let line = self.lines.get(channel);
        line.is_some_and(|line| line.out.load(Ordering::Relaxed))
    }

    pub fn set_out(&self, channel: &str, out: bool) {
        if let Some(line) = self.lines.get(channel) {
            line.out.store(out, Ordering::Relaxed);
        }
    }

    /// Whether it takes something now, as far as is known.
    pub fn stands(&self, channel: &str) -> bool {
        let line = self.lines.get(channel);
        line.is_some_and(|line| !line.out.load(Ordering::Relaxed) && line.channel.health().takes())
    }

    /// Whether any other account of its route takes something now.
    pub fn has_other(&self, channel: &str) -> bool {
        let route = self.routes.of(channel);
        route.is_some_and(|route| {
            let mut others = route.members.iter().filter(|m| m.channel != channel);
            others.any(|member| self.stands(&member.channel))
        })
    }

    pub fn tell(&self, channel: &str, word: Word) {
        if let Some(line) = self.lines.get(channel) {
            // A lane that has ended finds it again at the next start.
            let _ = line.words.send(word);
        }
    }

    /// By which account a delivery goes on from this one: each is gone to once. One that takes something now is chosen;
    /// where the delivery would fail otherwise, one that does not yet.
    pub fn next(&self, from: &str, (block, i): (&Block, usize), step: Step) -> Option<&Member> {
        let route = self.routes.of(from)?;
        let registry = self.registry.read().clone();
        let endpoint = block.endpoint(i);
        let number = registry.endpoint(endpoint).map_or("", |e| e.address);
        let mut fact = self.ported.of(endpoint);
        if step == Step::NotServed {
            served(route, from).for_each(|carrier| fact.deny(carrier));
        }
        let belief = self.routes.belief(number, fact);
        let left = |member: &Member| {
            self.lines.contains_key(&member.channel) && !block.was_on(i, &member.channel)
        };
        let now = route.member(belief, |m| left(m) && self.stands(&m.channel));
        match step {
            Step::Away => now,
            Step::NotServed | Step::Spent => now.or_else(|| route.member(belief, left)),
        }
    }

    /// What is learned where an account does not serve a number: whose it is not, as far as that was not known.
    pub fn learn_denied(&self, channel: &str, block: &Block, i: usize) -> Vec<LearnedRow> {
        let endpoint = block.endpoint(i);
        let known = self.ported.of(endpoint);
        let Some(route) = self.routes.of(channel) else {
            return Vec::new();
        };
        let news = served(route, channel).filter(|c| !known.denies(*c));
        let row = |carrier| LearnedRow {
            endpoint,
            carrier,
            is: false,
        };
        news.map(row).collect()
    }

    /// What is learned where an account of one carrier takes a number that had to go on to it.
    pub fn learn_taken(&self, channel: &str, block: &Block, i: usize) -> Option<LearnedRow> {
        let member = self.routes.of(channel)?.holds(channel)?;
        let [carrier] = member.serves.as_deref()? else {
            return None;
        };
        let endpoint = block.endpoint(i);
        let registry = self.registry.read().clone();
        let number = registry.endpoint(endpoint).map_or("", |e| e.address);
        let known = self.ported.of(endpoint);
        let believed = self.routes.belief(number, known).carrier;
        (believed != Some(*carrier)).then_some(LearnedRow {
            endpoint,
            carrier: *carrier,
            is: true,
        })
    }
}

/// Whose numbers an account says that it serves.
fn served<'r>(route: &'r Route, channel: &str) -> impl Iterator<Item = Carrier> + 'r {
    let own = route.holds(channel).and_then(|m| m.serves.as_deref());
    own.unwrap_or_default().iter().copied()
}

pub use crate::ledger::rerouted::Detour as Step;
