//! What becomes of an order that comes: taken, refused, played later, or carried out at once. This module must not decide
//! whose turn it is.

use channel::Timestamp;

use super::ending::{prolong, report};
use super::kept::Ban;
use super::{BANS, Player, Shelved, Voice};
use crate::order::{
    Order, PROLONG, QUAKE, QUAKE_CANCEL, Refusal, SELF_TEST, STOP, STOP_ALL, Signed, VOLUME,
};
use crate::report::{PlayState, Report, Source};

impl Player {
    /// Takes an order, or says why not.
    pub fn take(&mut self, signed: &Signed, now: Timestamp) -> Result<(), Refusal> {
        match self.verifier.verify(signed, &self.window, now) {
            Ok(order) => {
                self.window.take(order.counter);
                if order.kind == PROLONG {
                    return self.prolong(&order, signed, now);
                }
                self.obey(order, signed, now);
                Ok(())
            }
            Err(refusal) => {
                self.refuse(signed, refusal, now);
                Err(refusal)
            }
        }
    }

    /// What is held stands longer, and nothing sounds by it: what was heard whole is not played again.
    fn prolong(&mut self, longer: &Order, signed: &Signed, now: Timestamp) -> Result<(), Refusal> {
        let mut held = self.over.any(|id| longer.prolongs(id));
        let same = |other: &&mut Shelved| {
            longer.prolongs(&other.order.order) && longer.drill == other.order.drill
        };
        for shelved in self.shelf.iter_mut().filter(same) {
            held = true;
            if prolong(&mut shelved.order, longer) {
                shelved.prolonged = Some(signed.clone());
            }
        }
        if held {
            self.tell(longer, PlayState::Done, false, 0, now);
            return Ok(());
        }
        self.refuse(signed, Refusal::NotHeld, now);
        Err(Refusal::NotHeld)
    }

    fn obey(&mut self, order: Order, signed: &Signed, now: Timestamp) {
        match order.kind.as_str() {
            VOLUME => {
                self.volume = u8::try_from(order.value).unwrap_or(100);
                self.tell(&order, PlayState::Done, false, 0, now);
            }
            STOP | STOP_ALL => self.stop(&order, now),
            SELF_TEST => self.test = Some(order),
            QUAKE => self.shake(order, signed, now),
            QUAKE_CANCEL => self.call_off(order, signed, now),
            _ => self.shelve(order, signed, now),
        }
    }

    fn shelve(&mut self, order: Order, signed: &Signed, now: Timestamp) {
        if self.over.has(&order.order) {
            // Given again because the first report was lost: it was heard, and is not played twice.
            self.tell(&order, PlayState::Played, true, 0, now);
        } else if self.stopped.has(&order.order)
            || self.bans.iter().any(|ban| ban.is_about(&order, now))
        {
            self.tell(&order, PlayState::Stopped, false, 0, now);
        } else if let Some(known) = self.known(&order.order) {
            // The same under a new counter: it goes on where it is, as long as it was to stand.
            let expires = order.expires.max(known.order.expires);
            (known.order, known.signed) = (Order { expires, ..order }, signed.clone());
        } else {
            let waits = self.patience_of(&order, now);
            self.shelf.push(Shelved {
                waits,
                ..Shelved::new(order, signed)
            });
        }
    }

    pub(super) fn known(&mut self, id: &str) -> Option<&mut Shelved> {
        self.shelf.iter_mut().find(|other| other.order.order == id)
    }

    fn stop(&mut self, stop: &Order, now: Timestamp) {
        // Of an earthquake only its own cancel or its end.
        let about = |other: &Shelved| stop.stops(&other.order.order) && !other.order.is_quake();
        let ids: Vec<_> = self.shelf.iter().filter(|other| about(other)).collect();
        let ids: Vec<_> = ids.iter().map(|other| other.order.order.clone()).collect();
        for id in ids {
            self.end(&id, PlayState::Stopped, now);
        }
        if stop.kind == STOP_ALL && self.sounds() == Some(Voice::Local(Source::Usb)) {
            // A person at the microphone is not cut off; a stick that plays by itself is.
            self.local(None, now);
        }
        self.bans.retain(|ban| ban.until > now);
        if self.bans.len() == BANS {
            self.bans.remove(0);
        }
        self.bans.push(Ban::of(stop));
        self.tell(stop, PlayState::Done, false, 0, now);
    }

    /// A refusal is reported once.
    fn refuse(&mut self, signed: &Signed, refusal: Refusal, now: Timestamp) {
        if let Some(order) = self.refused.first(signed, refusal) {
            self.post(Report {
                code: refusal.code().into(),
                ..report(&order, PlayState::Failed, now)
            });
        }
    }
}
