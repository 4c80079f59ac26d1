//! An earthquake on its way, at one loudspeaker: it goes before everything, is counted down, gives place to newer reports
//! without a break, and ends ten seconds after the wave. A person who has heard the siren is in doubt when it falls silent:
//! only a cancel or the end takes it away. Pure: this module must not sound, nor read a clock.

use channel::{Alarm, Timestamp};

use super::ending::report;
use super::{BANS, Closed, Player, Report, Shelved, Sounding, Turn, Voice};
use crate::order::{COVER, HERE, Order, QUAKE, QUAKE_CANCEL, Signed, Tremor};
use crate::report::PlayState;
use std::time::Duration;

/// The text is spoken only where so many seconds are left for it: with fewer, they are counted at once.
const WORDS: u32 = 5;
/// That it was called off is said within this time, or not at all.
const SOON: Duration = Duration::from_secs(10);

/// What is said of an earthquake now, once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Say {
    /// The order's text. Without the siren, that is all.
    Words,
    /// So many seconds are left.
    Seconds(u32),
    /// The wave is there.
    Here,
    /// How many seconds are left is not known to a device whose clock is wrong.
    Cover,
}

impl Say {
    /// As it is spoken. Whatever a drill says, it says that it is one.
    pub fn text(self, order: &Order) -> String {
        let mark = if order.drill { "演练。" } else { "" };
        match self {
            Self::Words => order.text.clone(),
            Self::Seconds(left) => left.to_string(),
            Self::Here => format!("{mark}{HERE}"),
            Self::Cover => format!("{mark}{COVER}"),
        }
    }
}

/// What is said with the siren, and until when; `worded` where the text was spoken. Who counts down asks again then.
pub fn countdown(
    tremor: &Tremor,
    worded: bool,
    trusted: bool,
    now: Timestamp,
) -> (Say, Option<Timestamp>) {
    // The first moment at which fewer than so many seconds are left.
    let below = |left: u32| {
        let left = Duration::from_secs(left.into());
        Some(tremor.arrival.minus(left).plus(Duration::from_millis(1)))
    };
    match tremor.seconds_left(now) {
        _ if !trusted && !worded => (Say::Words, None),
        _ if !trusted => (Say::Cover, None),
        None => (Say::Here, None),
        Some(left) if left >= WORDS && !worded => (Say::Words, below(WORDS)),
        Some(left) => (Say::Seconds(left), below(left)),
    }
}

impl Shelved {
    pub(super) fn new(order: Order, signed: &Signed) -> Self {
        Self {
            order,
            signed: signed.clone(),
            prolonged: None,
            readings: 0,
            millis: 0,
            rests: Timestamp(0),
            waits: Timestamp(0),
            told: false,
            siren: false,
        }
    }

    /// What it is to do now that it is its turn.
    pub(super) fn turn(&self, now: Timestamp, trusted: bool) -> Turn<'_> {
        let order = &self.order;
        let Some(tremor) = &order.quake else {
            let reading = self.readings + 1;
            return Turn::Read { order, reading };
        };
        let (say, until) = if self.siren {
            countdown(tremor, self.readings > 0, trusted, now)
        } else {
            (Say::Words, None)
        };
        Turn::Quake {
            order,
            siren: self.siren,
            say,
            until: until.map_or(order.expires, |until| until.min(order.expires)),
        }
    }

    /// It begins when it comes, by whatever clock; a notice is over once it was spoken.
    pub(super) fn is_quake_due(&self) -> bool {
        self.siren || self.readings == 0
    }

    fn has_begun(&self) -> bool {
        self.told || self.millis > 0 || self.readings > 0
    }
}

impl Player {
    /// Whether the device's clock is good enough to count seconds by. Until it is told, it is.
    pub fn trust_clock(&mut self, trusted: bool) {
        self.trusted = trusted;
    }

    /// A report: the first begins, a newer one takes the place of an older without a break, an older one changes nothing.
    pub(super) fn shake(&mut self, order: Order, signed: &Signed, now: Timestamp) {
        let Some(tremor) = order.quake else { return };
        let id = order.order.clone();
        if tremor.alarm == Alarm::Machine {
            // There is none here that would act, and it never sounds.
            return self.acknowledge(&id, PlayState::Failed, "no-machine", now);
        }
        self.expire(now);
        if let Some(code) = self.is_closed(&order, tremor, now) {
            if code == "over" {
                self.close(&order, false);
            }
            return self.acknowledge(&id, PlayState::Done, code, now);
        }
        let same = |other: &Shelved| other.order.is_same_quake(&order);
        // Called off before, and said so: it comes after all.
        self.drop_cancel(&order);
        let siren = match self.shelf.iter_mut().find(|other| same(other)) {
            Some(known) if known.order.value >= order.value => {
                return self.acknowledge(&id, PlayState::Done, "newer", now);
            }
            Some(known) => {
                known.siren |= tremor.is_loud();
                known.signed = signed.clone();
                let before = std::mem::replace(&mut known.order, order).order;
                let siren = known.siren;
                self.renamed(&before, &id);
                siren
            }
            None => {
                self.shelf.push(Shelved {
                    siren: tremor.is_loud(),
                    ..Shelved::new(order, signed)
                });
                tremor.is_loud()
            }
        };
        let code = if siren { "sounds" } else { "notice" };
        self.acknowledge(&id, PlayState::Done, code, now);
    }

    /// What sounds goes on under the newer order's id.
    fn renamed(&mut self, before: &str, id: &str) {
        if let Some(Sounding {
            voice: Voice::Order(sounds),
            ..
        }) = &mut self.sounding
            && sounds == before
        {
            id.clone_into(sounds);
        }
    }

    /// Why a report does not sound any more. After its end only one whose wave is still to come begins anew.
    fn is_closed(&self, order: &Order, tremor: Tremor, now: Timestamp) -> Option<&'static str> {
        let closed = self.closed.iter().find(|closed| closed.is_about(order))?;
        let lies = |other: &Shelved| other.order.kind == QUAKE && other.order.is_same_quake(order);
        if order.value <= closed.report {
            Some("newer")
        } else if !closed.called_off && tremor.arrival <= now && !self.shelf.iter().any(lies) {
            Some("over")
        } else {
            None
        }
    }

    /// It does not come: what sounds stops and says so, and what has not begun never does.
    pub(super) fn call_off(&mut self, order: Order, signed: &Signed, now: Timestamp) {
        self.expire(now);
        let of_it =
            |other: &&Shelved| other.order.kind == QUAKE && other.order.is_same_quake(&order);
        let held = self.shelf.iter().find(of_it);
        let held = held.map(|it| (it.order.order.clone(), it.order.value, it.has_begun()));
        let over = |closed: &Closed| closed.is_about(&order) && !closed.called_off;
        let code = match held {
            Some((_, report, _)) if report > order.value => "newer",
            Some((id, _, begun)) => {
                self.end(&id, PlayState::Stopped, now);
                if begun { "stopped" } else { "not-begun" }
            }
            None if self.closed.iter().any(over) => "over",
            None => "not-begun",
        };
        self.close(&order, true);
        self.acknowledge(&order.order, PlayState::Done, code, now);
        if code == "stopped" {
            let expires = order.expires.min(now.plus(SOON));
            self.shelf
                .push(Shelved::new(Order { expires, ..order }, signed));
        }
    }

    fn drop_cancel(&mut self, order: &Order) {
        let cancel = |other: &&Shelved| {
            other.order.kind == QUAKE_CANCEL
                && other.order.is_same_quake(order)
                && other.order.value < order.value
        };
        if let Some(id) = self.shelf.iter().find(cancel) {
            let id = id.order.order.clone();
            self.sounding
                .take_if(|sounding| sounding.voice == Voice::Order(id.clone()));
            self.shelf.retain(|other| other.order.order != id);
        }
    }

    fn close(&mut self, order: &Order, called_off: bool) {
        let known = self.closed.iter_mut().find(|closed| closed.is_about(order));
        if let Some(known) = known {
            if order.value >= known.report {
                (known.report, known.called_off) = (order.value, called_off);
            }
            return;
        }
        if self.closed.len() == BANS {
            self.closed.remove(0);
        }
        self.closed.push(Closed {
            event: order.target.clone(),
            drill: order.drill,
            report: order.value,
            called_off,
        });
    }

    /// What was to be said of an earthquake was said. The siren goes on.
    pub(super) fn said(&mut self, id: &str, now: Timestamp) {
        let Some(shelved) = self.known(id) else {
            return;
        };
        shelved.readings += 1;
        if shelved.siren || shelved.readings > 1 {
            return;
        }
        self.add(now);
        self.sounding = None;
        let Some(shelved) = self.known(id) else {
            return;
        };
        let (order, millis) = (shelved.order.clone(), shelved.millis);
        self.tell(&order, PlayState::Played, true, millis, now);
    }

    /// It is over: by its time, or called off.
    pub(super) fn quake_ends(&mut self, shelved: &Shelved, state: PlayState, now: Timestamp) {
        let order = &shelved.order;
        if order.kind == QUAKE_CANCEL {
            // It was answered when it came.
            return;
        }
        self.close(order, false);
        let whole = shelved.readings > 0;
        match state {
            PlayState::Played if !shelved.has_begun() => {
                self.acknowledge(&order.order, PlayState::Failed, "expired", now);
            }
            // A notice, which was told when it had been spoken.
            PlayState::Played if whole && !shelved.siren => {}
            // The answer to the cancel says that nothing had begun.
            PlayState::Stopped if !shelved.has_begun() => {}
            _ => self.tell(order, state, whole, shelved.millis, now),
        }
    }

    fn acknowledge(&mut self, id: &str, state: PlayState, code: &str, now: Timestamp) {
        self.post(Report {
            code: code.to_owned(),
            ..report(id, state, now)
        });
    }
}
