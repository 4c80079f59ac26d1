//! What goes on by itself while the link is up: heartbeats, taking back what was stopped, and telling a person when the
//! platform holds a message. This module must not send a warning.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Ebd;
use super::book::Open;
use super::link::mark;
use super::send::cancel_key;
use channel::{Action, Command, Obeyed, Stop};

/// How often it is looked what is due.
const LOOK: Duration = Duration::from_millis(250);
/// After which a cancel that was not taken is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// An order to stop, until it is carried out or over.
pub struct Standing {
    pub command: Command,
    /// When it is to be looked at again, by `tick`.
    due: Duration,
    /// Who has been told of.
    told: BTreeSet<String>,
}

impl Standing {
    pub const fn new(command: Command) -> Self {
        Self {
            command,
            due: Duration::ZERO,
            told: BTreeSet::new(),
        }
    }

    fn speaks_of(&self, open: &Open) -> bool {
        match self.command.action {
            Action::Stop { alert } => open.alert == alert,
            Action::StopAll => open.sent <= self.command.not_before,
            _ => false,
        }
    }
}

impl Ebd {
    pub(super) async fn session(&self, stop: Stop) {
        self.recall();
        // A stop must not wait for a heartbeat that nobody answers, nor either for a question.
        let all = async {
            tokio::join!(
                self.stopping(),
                self.beating(),
                self.asking(),
                self.answering()
            )
        };
        tokio::select! {
            () = stop.cancelled() => {}
            _ = all => {}
        }
    }

    async fn stopping(&self) {
        let mut look = looks();
        loop {
            tokio::select! {
                _ = look.tick() => {}
                () = self.bell.notified() => {}
            }
            self.stops().await;
            self.alarm();
            self.book.lock().forget(self.link.context.clock.now());
        }
    }

    async fn beating(&self) {
        let config = &self.link.config;
        let mut beat = Due::new(config.heartbeat);
        let (mut look, mut lost) = (looks(), false);
        loop {
            look.tick().await;
            let tick = self.link.context.clock.tick();
            if beat.is_due(tick) {
                // Whether it was answered is the link's to know.
                let _ = self.link.beat().await;
            }
            let now = self.link.is_lost();
            if now && !lost {
                tracing::warn!(channel = %self.link.context.name, after = ?config.lost_after, "the broadcast platform is silent; call its duty desk");
            }
            lost = now;
        }
    }

    /// What the house knows of messages from before a restart.
    pub(super) fn recall(&self) {
        let context = &self.link.context;
        let name = |one: &channel::Issued| super::names::ebmid(&one.series, one.day, one.serial);
        let mut issued = context.inlet.numbered();
        issued.retain(|one| one.series == self.link.config.ebrid);
        let times = (name, context.clock.now(), context.clock.tick());
        let is_cancel_of = |one: &channel::Issued, id: &str| one.key == cancel_key(id);
        self.book.lock().recall(issued, times, is_cancel_of);
    }

    /// Takes back what was stopped, each order again until it is over.
    async fn stops(&self) {
        let (now, tick) = (
            self.link.context.clock.now(),
            self.link.context.clock.tick(),
        );
        let mut standing = std::mem::take(&mut *self.standing.lock());
        standing.retain(|one| one.command.expires > now);
        for one in standing.iter_mut().filter(|one| one.due <= tick) {
            one.due = tick + AGAIN;
            self.carry_out(one).await;
        }
        let mut kept = self.standing.lock();
        // What was laid down meanwhile may be the same again.
        kept.retain(|new| {
            standing
                .iter()
                .all(|one| one.command.serial != new.command.serial)
        });
        standing.append(&mut kept);
        *kept = standing;
    }

    /// A message that goes on for others is left alone: a repeated warning is a nuisance, a lost one is a death.
    async fn carry_out(&self, one: &mut Standing) {
        let devices: BTreeSet<&str> = one.command.devices.iter().map(String::as_str).collect();
        let (ids, shared) = self
            .book
            .lock()
            .to_cancel(|open| one.speaks_of(open), &devices);
        let mut failed = BTreeSet::new();
        for id in ids {
            if let Err(error) = self.cancel(&id).await {
                tracing::warn!(channel = %self.link.context.name, message = %id, %error, "a stop waits for the broadcast platform");
                let book = self.book.lock();
                let to = book.get(&id).into_iter().flat_map(|open| open.to.iter());
                failed.extend(to.map(|(_, address)| address.expose().to_owned()));
            }
        }
        let stops = matches!(one.command.action, Action::Stop { .. } | Action::StopAll);
        let done = |device: &String| {
            let code = match (stops, shared.contains(device)) {
                (true, true) => "part-of-a-message",
                (true, false) => "cancelled",
                (false, _) => "not-in-this-protocol",
            };
            Obeyed {
                serial: one.command.serial,
                device: device.clone(),
                done: code == "cancelled",
                code: code.into(),
                seconds: 0,
                far: None,
            }
        };
        let news = one.command.devices.iter();
        let news: Vec<_> = news
            .filter(|id| !failed.contains(*id) && !one.told.contains(*id))
            .collect();
        let who: Vec<_> = news.iter().map(|id| (*id).clone()).collect();
        let done: Vec<_> = news.into_iter().map(done).collect();
        if !done.is_empty() && self.link.context.inlet.obeyed(done).await.is_ok() {
            one.told.extend(who);
        }
    }

    /// Once for each message that the platform holds too long.
    fn alarm(&self) {
        let now = self.link.context.clock.now();
        let mut book = self.book.lock();
        let late = book.all_mut().filter(|open| {
            let since = open.held.filter(|_| !open.alarmed && open.expires > now);
            since.is_some_and(|since| now.since(since) >= self.link.config.held_alarm)
        });
        for open in late {
            open.alarmed = true;
            tracing::warn!(channel = %self.link.context.name, message = %open.id, alert = open.alert, "the broadcast platform holds a warning (待播控审核); call its duty desk, whose number the channel shows");
        }
    }
}

pub(super) fn looks() -> tokio::time::Interval {
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    look
}

/// When something is due that is done over and over; never where it is zero.
pub(super) struct Due {
    every: Duration,
    next: Duration,
}

impl Due {
    pub(super) const fn new(every: Duration) -> Self {
        Self {
            every,
            next: Duration::ZERO,
        }
    }

    pub(super) fn is_due(&mut self, tick: Duration) -> bool {
        let due = !self.every.is_zero() && self.next <= tick;
        if due {
            self.next = tick + self.every;
        }
        due
    }
}

/// What the platform has told of its terminals.
pub type Terminals = BTreeMap<String, super::Terminal>;

/// A packet's content, to know a repeat from another packet under its name.
pub fn print(bytes: &[u8]) -> u64 {
    mark(&[bytes])
}
