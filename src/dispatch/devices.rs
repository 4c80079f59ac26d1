//! Devices come in and are told what to do: an enrolment is judged by its code and journaled before it is answered, and an
//! order without a text is journaled, under serials of its own, before its channel gives it to anybody. What a correction
//! ended is stopped where it may sound. This module must not choose who may order what.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use channel::{
    Action, Authority, Channel, Command, EndpointKind, Enrolment, NotEnrolled, Obeyed,
    PresenceState, Stop, Timestamp, Unavailable,
};
use parking_lot::RwLock;

use super::Desk;
use crate::ledger::devices::{Done, DoneRow, Enrolled, Ordered, Standing};
use crate::ledger::{Alert, Event, Ledger, Proposal, Refused};
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

    /// What devices did with orders that were given to them; of others nothing is kept.
    pub(super) async fn obeyed(
        &self,
        channel: &str,
        batch: Vec<Obeyed>,
    ) -> Result<(), Unavailable> {
        let mut done: BTreeMap<u64, Vec<DoneRow>> = BTreeMap::new();
        for one in batch {
            if !self
                .ledger
                .devices
                .is_ordered(channel, one.serial, &one.device)
            {
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
        let events: Vec<_> = done.into_iter().map(event).collect();
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
        let serial = self.desk.serials.take(channel, wanted.devices.len());
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
        self.lay(&ordered);
        Ok(serial)
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

    /// Lays down again what stood when the last process ended, then stops what corrections end, until `stop`.
    pub async fn run(self: Arc<Self>, stop: Stop) {
        let now = self.desk.clock.now();
        let standing = self.desk.ledger.devices.orders();
        for standing in standing.iter().filter(|s| s.ordered.expires > now) {
            self.lay(&standing.ordered);
        }
        let mut position = self.desk.writer.position();
        loop {
            position.borrow_and_update();
            let mut wait = Duration::MAX;
            for (channel, alert) in self.to_stop() {
                if let Err(refused) = self.stop_one(&channel, &alert).await {
                    tracing::warn!(alert = alert.stream, channel, %refused, "a stop waits for the journal");
                    wait = LOOK;
                }
            }
            tokio::select! {
                changed = position.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(wait) => {},
                () = stop.cancelled() => return,
            }
        }
    }

    async fn stop_one(&self, channel: &str, alert: &Alert) -> Result<(), Refused> {
        let registry = self.registry.read().clone();
        let wanted = Wanted {
            action: Action::Stop {
                alert: alert.stream,
            },
            authority: Authority::County,
            devices: handed(alert, channel, &registry).into_iter().collect(),
            expires: alert.expires(),
            by: "correction".into(),
        };
        self.give(channel, wanted).await.map(drop)
    }

    /// Alerts that a correction has ended and that may still sound, each with the channel.
    fn to_stop(&self) -> Vec<(String, Arc<Alert>)> {
        let now = self.desk.clock.now();
        let sounds = |channel: &&String| {
            let kind = self.channels.get(*channel).map(|c| c.capability());
            kind.is_some_and(|kind| kind.speaks_to == EndpointKind::Speaker)
        };
        let names: Vec<_> = self.channels.keys().filter(sounds).collect();
        ended(&self.desk.ledger, now, &names)
    }
}

/// Pure: what is withdrawn, not over, handed to devices of these channels, and not stopped yet.
fn ended(ledger: &Ledger, now: Timestamp, channels: &[&String]) -> Vec<(String, Arc<Alert>)> {
    let withdrawn = |alert: &Arc<Alert>| alert.withdrawn_by().is_some() && alert.expires() > now;
    let alerts: Vec<_> = ledger.alerts().into_iter().filter(withdrawn).collect();
    if alerts.is_empty() {
        return Vec::new();
    }
    let orders = ledger.devices.orders();
    let mut found = Vec::new();
    for alert in alerts {
        for channel in channels {
            let stopped = |standing: &Standing| {
                let Ordered {
                    action,
                    channel: on,
                    by,
                    ..
                } = &standing.ordered;
                let about = Action::Stop {
                    alert: alert.stream,
                };
                *action == about && on == *channel && by == "correction"
            };
            let begun = |block: &Arc<crate::ledger::Block>| {
                block.channel == **channel
                    && (0..block.len() as usize).any(|i| block.attempts(i) > 0)
            };
            if !orders.iter().any(stopped) && alert.blocks().iter().any(begun) {
                found.push(((*channel).clone(), alert.clone()));
            }
        }
    }
    found
}

/// Every device of a channel that an alert was ever handed to.
fn handed(alert: &Alert, channel: &str, registry: &Registry) -> BTreeSet<String> {
    let mut devices = BTreeSet::new();
    for block in alert.blocks().iter().filter(|b| b.channel == channel) {
        for i in (0..block.len() as usize).filter(|i| block.attempts(*i) > 0) {
            let endpoint = registry.endpoint(block.endpoint(i));
            devices.extend(endpoint.map(|endpoint| endpoint.address.to_owned()));
        }
    }
    devices
}
