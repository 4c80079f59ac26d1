//! Devices come in and are told what to do: an enrolment is judged by its code and journaled before it is answered, and an
//! order without a text is journaled, under serials of its own, before its channel gives it to anybody. What a correction
//! ended is stopped where it may sound, or stands longer. This module must not choose who may order what.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use channel::{
    Action, Authority, Channel, Command, EndpointKind, Enrolment, NotEnrolled, Obeyed,
    PresenceState, Rekeying, Stop, Timestamp, Unavailable,
};
use parking_lot::RwLock;

use super::Desk;
use super::corrected::{BY, Story, due, story};
use super::nightly::NIGHT;
use crate::ledger::devices::{Done, DoneRow, Enrolled, Ordered, Rekeyed};
use crate::ledger::{Alert, Event, Proposal, Refused};
use crate::model::StreamId;
use crate::registry::Registry;
use crate::trust::devices::admits;

/// How often what waits for the journal is tried again.
const LOOK: Duration = Duration::from_secs(1);

impl Desk {
    /// One after another: a code works once.
    pub(super) async fn enrol(
        &self,
        channel: &str,
        enrolment: Enrolment,
    ) -> Result<(), NotEnrolled> {
        let Enrolment { device, code, key } = enrolment;
        let _turn = self.enrolling.lock().await;
        let tick = self.clock.tick();
        if let Some(wait) = self.guesses.lock().wait(&device, tick) {
            return Err(NotEnrolled::TooMany(wait));
        }
        let stands = self.ledger.devices.get(&device).and_then(|d| d.code);
        if !admits(stands, &device, &code, self.clock.now()) {
            self.guesses.lock().wrong(&device, tick);
            return Err(NotEnrolled::BadCode);
        }
        let present = Event::Presence {
            device: device.clone(),
            state: PresenceState::Enrolled,
        };
        let enrolled = Event::Enrolled(Enrolled {
            device,
            channel: channel.to_owned(),
            key,
        });
        let events = vec![(HOUSE, enrolled), (HOUSE, present)];
        let proposal = Proposal {
            events,
            ..Proposal::default()
        };
        let committed = self.writer.propose(proposal).await;
        committed.map(drop).map_err(|_| NotEnrolled::Unavailable)
    }

    /// One after another with enrolments: the key that signed must be the one that stands.
    pub(super) async fn rekey(&self, rekeying: Rekeying) -> Result<(), NotEnrolled> {
        let Rekeying { device, old, new } = rekeying;
        let _turn = self.enrolling.lock().await;
        if self.ledger.devices.key_of(&device) != Some(old) {
            return Err(NotEnrolled::BadCode);
        }
        let event = Event::Rekeyed(Rekeyed { device, key: new });
        let committed = self.writer.propose(Proposal::of(HOUSE, event)).await;
        committed.map(drop).map_err(|_| NotEnrolled::Unavailable)
    }

    /// What devices did with orders that were given to them; of others nothing is kept.
    pub(super) async fn obeyed(
        &self,
        channel: &str,
        batch: Vec<Obeyed>,
    ) -> Result<(), Unavailable> {
        let mut done: BTreeMap<u64, Vec<DoneRow>> = BTreeMap::new();
        let given = |one: &Obeyed| {
            let (devices, quakes) = (&self.ledger.devices, &self.ledger.quakes);
            devices.is_ordered(channel, one.serial, &one.device)
                || quakes.is_given(channel, one.serial, &one.device)
        };
        let batch: Vec<_> = batch.into_iter().filter(given).collect();
        let mut events = self.looked(channel, &batch);
        for one in batch {
            // Every night, of every device: only what has changed is written.
            if self.ledger.devices.is_by(channel, one.serial, NIGHT) {
                continue;
            }
            done.entry(one.serial).or_default().push(DoneRow {
                device: one.device,
                done: one.done,
                code: one.code,
                seconds: one.seconds,
                far: one.far,
            });
        }
        let event = |(serial, rows)| {
            let channel = channel.to_owned();
            let done = Done {
                channel,
                serial,
                rows,
            };
            (HOUSE, Event::Done(done))
        };
        events.extend(done.into_iter().map(event));
        if events.is_empty() {
            return Ok(());
        }
        let proposal = Proposal {
            events,
            ..Proposal::default()
        };
        let committed = self.writer.propose(proposal).await;
        committed.map(drop).map_err(|_| Unavailable)
    }
}

const HOUSE: StreamId = 0;

/// What is ordered of devices, and by whom.
pub struct Wanted {
    pub action: Action,
    pub authority: Authority,
    pub devices: Vec<String>,
    pub expires: Timestamp,
    pub by: String,
}

/// Gives orders without a text to the channels whose devices they are for.
pub struct Orders {
    pub desk: Arc<Desk>,
    pub channels: Arc<BTreeMap<String, Arc<dyn Channel>>>,
    pub registry: Arc<RwLock<Arc<Registry>>>,
}

impl Orders {
    /// Journaled, then given; the serial that its results are found by.
    pub async fn give(&self, channel: &str, wanted: Wanted) -> Result<u64, Refused> {
        let serial = self
            .desk
            .serials
            .take_above_all(channel, wanted.devices.len());
        let ordered = Ordered {
            channel: channel.to_owned(),
            serial,
            action: wanted.action,
            authority: wanted.authority,
            devices: wanted.devices,
            not_before: self.desk.clock.now(),
            expires: wanted.expires,
            by: wanted.by,
        };
        let event = Event::Ordered(Box::new(ordered.clone()));
        self.desk.writer.propose(Proposal::of(HOUSE, event)).await?;
        if ordered.action == Action::SelfTest {
            // Before anybody can answer.
            let key = (ordered.channel.clone(), serial);
            self.desk.tests.lock().entry(key).or_default();
        }
        self.lay(&ordered);
        Ok(serial)
    }

    /// Whether this channel's far end knows such an order.
    pub fn obeys(&self, channel: &str, action: Action) -> bool {
        let channel = self.channels.get(channel);
        channel.is_some_and(|channel| channel.obeys(action))
    }

    fn lay(&self, ordered: &Ordered) {
        let Some(channel) = self.channels.get(&ordered.channel) else {
            return;
        };
        channel.command(&Command {
            serial: ordered.serial,
            action: ordered.action,
            authority: ordered.authority,
            devices: ordered.devices.clone(),
            not_before: ordered.not_before,
            expires: ordered.expires,
        });
    }

    /// Lays down again what stood when the last process ended, then follows what corrections end and prolong, until `stop`.
    pub async fn run(self: Arc<Self>, stop: Stop) {
        let now = self.desk.clock.now();
        let standing = self.desk.ledger.devices.orders();
        for standing in standing.iter().filter(|s| s.ordered.expires > now) {
            self.lay(&standing.ordered);
        }
        let mut position = self.desk.writer.position();
        let mut settled = HashMap::new();
        loop {
            position.borrow_and_update();
            let mut wait = Duration::MAX;
            if let Err(refused) = self.follow(&mut settled).await {
                tracing::warn!(%refused, "a stop waits for the journal");
                wait = LOOK;
            }
            tokio::select! {
                changed = position.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(wait) => {},
                () = stop.cancelled() => return,
            }
        }
    }

    /// What became of each corrected alert, where anything has since the last look.
    async fn follow(&self, settled: &mut HashMap<StreamId, Story>) -> Result<(), Refused> {
        let mut alerts = self.desk.ledger.alerts();
        alerts.retain(|alert| alert.withdrawn_by().is_some());
        settled.retain(|stream, _| alerts.iter().any(|alert| alert.stream == *stream));
        for alert in alerts {
            let story = story(&self.desk.ledger, &alert);
            if settled.get(&alert.stream) == Some(&story) {
                continue;
            }
            for channel in self.speakers() {
                self.order(&alert, channel).await?;
            }
            settled.insert(alert.stream, story);
        }
        Ok(())
    }

    async fn order(&self, alert: &Alert, channel: &str) -> Result<(), Refused> {
        let registry = self.registry.read().clone();
        let device = |id| registry.endpoint(id).map(|e| e.address.to_owned());
        let now = self.desk.clock.now();
        for due in due(&self.desk.ledger, (alert, channel), now, device) {
            let wanted = Wanted {
                action: due.action,
                authority: Authority::County,
                devices: due.devices.into_iter().collect(),
                expires: due.expires,
                by: BY.into(),
            };
            self.give(channel, wanted).await?;
        }
        Ok(())
    }

    /// Channels to loudspeakers.
    fn speakers(&self) -> impl Iterator<Item = &String> {
        let sounds = |(_, channel): &(&String, &Arc<dyn Channel>)| {
            channel.capability().speaks_to == EndpointKind::Speaker
        };
        self.channels.iter().filter(sounds).map(|(name, _)| name)
    }
}
