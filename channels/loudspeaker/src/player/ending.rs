//! How long something has sounded and how it ends: cut off, expired, stopped, played; and the reports on it. This module
//! must not decide whose turn it is.

use channel::Timestamp;

use super::{OUTBOX, Player, Shelved, Sounding, Voice};
use crate::order::{Order, Refusal};
use crate::report::{PlayState, Report, Source};

impl Player {
    /// Counts what has sounded since the last word, to whom it belongs.
    pub(super) fn add(&mut self, now: Timestamp) {
        let Some(Sounding { voice, since }) = &mut self.sounding else {
            return;
        };
        let millis = u64::try_from(now.since(*since).as_millis()).unwrap_or(u64::MAX);
        *since = now;
        match voice.clone() {
            Voice::Local(_) => {
                if let Some((_, sum)) = &mut self.local {
                    *sum += millis;
                }
            }
            Voice::Order(id) => {
                if let Some(shelved) = self.known(&id) {
                    shelved.millis += millis;
                }
            }
        }
    }

    /// What sounds is cut off; an order that is still to be played goes on later.
    pub(super) fn hush(&mut self, now: Timestamp) {
        self.add(now);
        let Some(Sounding {
            voice: Voice::Order(id),
            ..
        }) = self.sounding.take()
        else {
            return;
        };
        if let Some(shelved) = self.known(&id)
            && !shelved.order.is_quake()
        {
            shelved.told = false;
            let seconds = seconds(shelved.millis);
            self.post(Report {
                seconds,
                ..report(&id, PlayState::PreEmpted, now)
            });
        }
    }

    pub(super) fn begins(&mut self, id: &str, now: Timestamp) {
        if let Some(shelved) = self.known(id)
            && !std::mem::replace(&mut shelved.told, true)
            && !shelved.order.is_quake()
        {
            self.post(report(id, PlayState::Playing, now));
        }
    }

    /// Every order ends with its time, in the middle of a word if need be.
    pub(super) fn expire(&mut self, now: Timestamp) {
        let over = |shelved: &&Shelved| shelved.order.expires <= now;
        let ids = self.shelf.iter().filter(over);
        let ids: Vec<_> = ids.map(|shelved| shelved.order.order.clone()).collect();
        for id in ids {
            self.end(&id, PlayState::Played, now);
        }
    }

    /// An order is over, however far it came.
    pub(super) fn end(&mut self, id: &str, state: PlayState, now: Timestamp) {
        if self.sounds() == Some(Voice::Order(id.to_owned())) {
            self.add(now);
            self.sounding = None;
        }
        let Some(at) = self.shelf.iter().position(|other| other.order.order == id) else {
            return;
        };
        let shelved = self.shelf.remove(at);
        if shelved.order.is_quake() {
            return self.quake_ends(&shelved, state, now);
        }
        let whole = shelved.readings > 0;
        if whole {
            self.over.keep(id);
        } else if state == PlayState::Stopped {
            self.stopped.keep(id);
        }
        let never = state == PlayState::Played && shelved.millis == 0 && !whole;
        if never {
            self.post(Report {
                code: Refusal::Expired.code().into(),
                ..report(id, PlayState::Failed, now)
            });
        } else {
            self.tell(&shelved.order, state, whole, shelved.millis, now);
        }
    }

    pub(super) fn tell(
        &mut self,
        order: &Order,
        state: PlayState,
        whole: bool,
        millis: u64,
        now: Timestamp,
    ) {
        self.post(Report {
            whole,
            seconds: seconds(millis),
            ..report(&order.order, state, now)
        });
    }

    pub(super) fn post(&mut self, report: Report) {
        if self.outbox.len() == OUTBOX {
            self.outbox.pop_front();
        }
        self.outbox.push_back(report);
    }
}

pub(crate) fn report(order: &str, state: PlayState, now: Timestamp) -> Report {
    Report {
        order: Some(order.to_owned()),
        state,
        whole: false,
        source: Source::Network,
        seconds: 0,
        code: String::new(),
        at: Some(now),
    }
}

pub(super) fn seconds(millis: u64) -> u32 {
    u32::try_from(millis.div_ceil(1000)).unwrap_or(u32::MAX)
}

/// Gives an order a later end; false where it is about another one, or ends no later. A drill prolongs drills alone.
pub(super) fn prolong(order: &mut Order, longer: &Order) -> bool {
    let may = longer.prolongs(&order.order)
        && longer.drill == order.drill
        && order.sounds()
        && longer.expires > order.expires;
    if may {
        order.expires = longer.expires;
    }
    may
}
