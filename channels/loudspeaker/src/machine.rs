//! A machine that acts of itself when an earthquake comes: a sluice, a gas valve, the bells of a school. It acts once for an
//! earthquake, on a live order alone, and says what it did; a person decides about everything else. Pure: this module must
//! not do I/O nor read a clock. Whoever drives it keeps `Kept` on the disk before the next poll names what was taken.

use std::collections::VecDeque;

use channel::{Alarm, Timestamp};
use serde::{Deserialize, Serialize};

use crate::order::{
    Order, QUAKE, QUAKE_CANCEL, Refusal, SELF_TEST, Signed, Tremor, Verifier, Window,
};
use crate::player::{Refused, report};
use crate::report::{PlayState, Report};

/// Earthquakes that are remembered.
const EVENTS: usize = 32;
/// Reports that wait for the network; the oldest go first.
const OUTBOX: usize = 256;

/// What the machine is to do now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deed {
    Nothing,
    Act(Tremor),
    /// What it acted on does not come.
    Release,
}

/// What must outlive a power cut.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Kept {
    window: Window,
    events: VecDeque<Event>,
    outbox: VecDeque<Report>,
}

impl Kept {
    /// Of a machine that has just enrolled: `floor` is what the gateway said.
    pub fn new(floor: u64) -> Self {
        Self {
            window: Window::new(floor, Vec::new()).unwrap_or_default(),
            events: VecDeque::new(),
            outbox: VecDeque::new(),
        }
    }
}

/// One earthquake.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Event {
    id: String,
    /// The newest.
    report: Option<u32>,
    /// Reports up to this one were called off.
    off: Option<u32>,
    acted: bool,
}

pub struct Machine {
    verifier: Verifier,
    kept: Kept,
    refused: Refused,
}

impl Machine {
    pub fn new(verifier: Verifier, kept: Kept) -> Self {
        Self {
            verifier,
            kept,
            refused: Refused::default(),
        }
    }

    pub fn kept(&self) -> &Kept {
        &self.kept
    }

    pub fn window(&self) -> &Window {
        &self.kept.window
    }

    /// The oldest report that was not taken yet.
    pub fn to_report(&self) -> Option<&Report> {
        self.kept.outbox.front()
    }

    /// The gateway has taken the oldest report.
    pub fn reported(&mut self) {
        self.kept.outbox.pop_front();
    }

    /// What is to be done, or why the order is refused.
    pub fn take(&mut self, signed: &Signed, now: Timestamp) -> Result<Deed, Refusal> {
        let order = match self.verifier.verify(signed, &self.kept.window, now) {
            Ok(order) => order,
            Err(refusal) => {
                self.refuse(signed, refusal, now);
                return Err(refusal);
            }
        };
        self.kept.window.take(order.counter);
        let (deed, code) = match order.kind.as_str() {
            QUAKE => self.shake(&order),
            QUAKE_CANCEL => self.call_off(&order),
            // It is there, and can read and write what it keeps.
            SELF_TEST => (Deed::Nothing, Ok("")),
            _ => (Deed::Nothing, Err("no-speaker")),
        };
        self.say(&order.order, code, now);
        Ok(deed)
    }

    fn shake(&mut self, order: &Order) -> (Deed, Result<&'static str, &'static str>) {
        let of_machines = |tremor: &Tremor| tremor.alarm == Alarm::Machine;
        let Some(tremor) = order.quake.filter(of_machines) else {
            return (Deed::Nothing, Err("no-speaker"));
        };
        if order.drill {
            return (Deed::Nothing, Ok("held"));
        }
        let event = self.event(&order.target);
        if Some(order.value) <= event.off.max(event.report) {
            return (Deed::Nothing, Ok("newer"));
        }
        event.report = Some(order.value);
        if std::mem::replace(&mut event.acted, true) {
            return (Deed::Nothing, Ok("acted"));
        }
        (Deed::Act(tremor), Ok("acts"))
    }

    fn call_off(&mut self, order: &Order) -> (Deed, Result<&'static str, &'static str>) {
        if order.drill {
            return (Deed::Nothing, Ok("held"));
        }
        let event = self.event(&order.target);
        event.off = event.off.max(Some(order.value));
        if event.report > Some(order.value) {
            (Deed::Nothing, Ok("newer"))
        } else if std::mem::take(&mut event.acted) {
            (Deed::Release, Ok("stopped"))
        } else {
            (Deed::Nothing, Ok("not-begun"))
        }
    }

    fn event(&mut self, id: &str) -> &mut Event {
        let events = &mut self.kept.events;
        let place = events.iter().position(|event| event.id == id);
        let place = place.unwrap_or_else(|| {
            if events.len() == EVENTS {
                events.pop_front();
            }
            events.push_back(Event {
                id: id.to_owned(),
                report: None,
                off: None,
                acted: false,
            });
            events.len() - 1
        });
        &mut events[place]
    }

    /// An order that came after its time is told as `late`: the machine has not acted.
    fn refuse(&mut self, signed: &Signed, refusal: Refusal, now: Timestamp) {
        if let Some(order) = self.refused.first(signed, refusal) {
            let code = if refusal == Refusal::Expired {
                "late"
            } else {
                refusal.code()
            };
            self.say(&order, Err(code), now);
        }
    }

    fn say(&mut self, order: &str, code: Result<&str, &str>, now: Timestamp) {
        let state = code.map_or(PlayState::Failed, |_| PlayState::Done);
        if self.kept.outbox.len() == OUTBOX {
            self.kept.outbox.pop_front();
        }
        self.kept.outbox.push_back(Report {
            code: code.unwrap_or_else(|code| code).to_owned(),
            ..report(order, state, now)
        });
    }
}

#[cfg(test)]
mod tests;
