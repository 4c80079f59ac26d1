//! What outcomes of one batch send another way, and what they tell of numbers: gathered, then events. This module must not
//! write: they ride in the commit of their settlements.

use std::collections::BTreeMap;

use channel::Timestamp;

use super::queue::Waiting;
use super::settle::Place;
use super::switch::{Step, Switch};
use crate::ledger::Event;
use crate::ledger::event::{Learned, LearnedRow};
use crate::ledger::rerouted::{Rerouted, runs};
use crate::model::StreamId;

/// What belongs to no alert.
const HOUSE: StreamId = 0;

/// By lane.
pub type Told = BTreeMap<String, Vec<Waiting>>;

#[derive(Default)]
pub struct Detours {
    /// By stream, account and why.
    gone: BTreeMap<(StreamId, String, Step), Vec<Waiting>>,
    learned: Vec<LearnedRow>,
}

impl Detours {
    /// Sends a delivery another way; false where none is left.
    pub fn go(&mut self, switch: &Switch, from: &str, place: &Place, why: Step) -> bool {
        let (block, i) = (&place.block, place.index);
        if why == Step::NotServed {
            self.learned.extend(switch.learn_denied(from, block, i));
        }
        let Some(member) = switch.next(from, (block, i), why) else {
            return false;
        };
        let to = (block.stream, member.channel.clone(), why);
        let gone = self.gone.entry(to).or_default();
        gone.push((block.clone(), i));
        true
    }

    /// A text was taken: where it had to go on to this account, its number is probably of that carrier.
    pub fn taken(&mut self, switch: &Switch, by: &str, place: &Place) {
        let (block, i) = (&place.block, place.index);
        if block.channel != by {
            self.learned.extend(switch.learn_taken(by, block, i));
        }
    }

    /// The events, and what is to be told to which lane once they are durable.
    pub fn into_events(self, at: Timestamp) -> (Vec<(StreamId, Event)>, Told) {
        let mut events = Vec::new();
        let mut told = Told::new();
        for ((stream, to, why), places) in self.gone {
            let mut numbers: Vec<_> = places.iter().map(|(b, i)| b.number(*i)).collect();
            numbers.sort_unstable();
            let rerouted = Rerouted {
                to: to.clone(),
                why,
                at,
                runs: runs(numbers),
            };
            events.push((stream, Event::Rerouted(rerouted)));
            told.entry(to).or_default().extend(places);
        }
        if !self.learned.is_empty() {
            let rows = self.learned;
            events.push((HOUSE, Event::Learned(Learned { rows })));
        }
        (events, told)
    }
}
