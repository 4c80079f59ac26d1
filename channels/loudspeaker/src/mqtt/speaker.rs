//! The channel over a broker: the same desk, orders and reports as over HTTP, but orders are pushed, once for all devices
//! of a group. It must not retry: what the broker or a device does not take is told, and handed again by the engine. That
//! the broker has an order is no proof of anything.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use channel::{
    Accepted, Capability, Channel, Command, Context, DeviceState, Failure, Health, Message,
    Outcomes, PresenceState, Quake, Reply, Request, Stop, Timestamp,
};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use parking_lot::Mutex;
use rumqttc::v5::mqttbytes::v5::Publish;
use tokio::sync::mpsc;

use super::config::BrokerError;
use super::envelope::LONGEST_CALL;
use super::link::{Link, OFFLINE, ONLINE, Settings, State};
use super::push::Placed;
use super::topics::{Topics, What, is_level};
use crate::refused::{BAD_STATE, BAD_TOPIC, BUSY, NOT_ENROLLED, Refused};
use crate::sheet::Sheet;
use crate::sounds::Pieces;
use crate::speaker::One;
use crate::{Config, ConfigError, Loudspeaker};

/// Calls that wait to be looked at; more are let go, and come again.
const CALLS: usize = 4_096;
/// So many are looked at side by side: each waits for the journal.
const AT_ONCE: usize = 256;
/// What devices said while the gateway was away, the broker keeps for so long.
const SESSION: Duration = Duration::from_hours(1);

/// One call as it came: of which device by its topic, and its bytes.
pub(super) struct Came {
    pub device: String,
    pub payload: Bytes,
}

/// An order without a text, and whom it names.
type Stood = (Arc<Sheet>, Vec<Box<str>>);

pub struct Mqtt {
    pub(super) speaker: Loudspeaker,
    pub(super) link: Link,
    pub(super) topics: Topics,
    pub(super) group: usize,
    calls: mpsc::Sender<Came>,
    called: tokio::sync::Mutex<mpsc::Receiver<Came>>,
    stands: mpsc::UnboundedSender<Stood>,
    stood: tokio::sync::Mutex<mpsc::UnboundedReceiver<Stood>>,
    /// When each device made its newest heartbeat, when it last named its window, and when it last changed its key.
    pub(super) newest: Mutex<HashMap<Box<str>, [Timestamp; 3]>>,
}

impl Mqtt {
    pub fn new(config: Config, context: Context) -> Result<Self, ConfigError> {
        let broker = config.broker.clone().ok_or(BrokerError::Missing)?;
        let topics = broker.topics(&context.name)?;
        let usual = || format!("tocsin-{}-{}", config.gateway, context.name);
        let link = Link::new(Settings {
            address: broker.address()?,
            login: broker.user.clone().zip(broker.password.clone()),
            client_id: broker.client_id.clone().unwrap_or_else(usual),
            keep_alive: broker.keep_alive,
            session: SESSION,
            subscribe: vec![topics.all(What::Calls), topics.all(What::State)],
            state: topics.gateway(),
            // A call that is a little too long is still refused by its name.
            largest: u32::try_from(2 * LONGEST_CALL).unwrap_or(u32::MAX),
        });
        let (calls, called) = mpsc::channel(CALLS);
        let (stands, stood) = mpsc::unbounded_channel();
        Ok(Self {
            speaker: Loudspeaker::of_any_kind(config, context)?,
            link,
            topics,
            group: broker.group,
            calls,
            called: tokio::sync::Mutex::new(called),
            stands,
            stood: tokio::sync::Mutex::new(stood),
            newest: Mutex::default(),
        })
    }

    /// What devices check our orders with, in hex: the live key, then the one for drills.
    pub fn public_keys(&self) -> String {
        self.speaker.public_keys()
    }

    /// Never waits: what is too much is counted, and comes again.
    fn came(&self, publish: &Publish) {
        let topic = std::str::from_utf8(&publish.topic).unwrap_or_default();
        let queued = match self.sorted(topic, publish.payload.clone()) {
            Ok(Some(came)) => self.calls.try_send(came).map_err(|_| BUSY),
            Ok(None) => Ok(()),
            Err(refused) => Err(refused),
        };
        if let Err(refused) = queued {
            self.speaker.refusals.count(refused);
        }
    }

    /// Sorts what the broker brings; a state is looked at here already.
    pub(super) fn sorted(&self, topic: &str, payload: Bytes) -> Result<Option<Came>, Refused> {
        match self.topics.read(topic) {
            Some((What::Calls, device)) => Ok(Some(Came {
                device: device.to_owned(),
                payload,
            })),
            Some((What::State, device)) => {
                let refused = self.state(device, &payload);
                refused.map_or(Ok(None), Err)
            }
            _ => Err(BAD_TOPIC),
        }
    }

    /// A device's last will takes away; it never gives. That a device is there it says itself, signed.
    fn state(&self, device: &str, payload: &[u8]) -> Option<Refused> {
        if payload == ONLINE.as_bytes() || payload.is_empty() {
            return None;
        }
        if payload != OFFLINE.as_bytes() {
            return Some(BAD_STATE);
        }
        if self.speaker.context.inlet.key_of(device).is_none() {
            return Some(NOT_ENROLLED);
        }
        let gone = self.speaker.desk.lock().gone(device);
        if let Some(word) = gone {
            self.speaker.present(device, PresenceState::Silent, word);
        }
        None
    }

    async fn sweeping(&self) {
        let mut sweep = self.speaker.sweeps();
        loop {
            sweep.tick().await;
            let after = self.speaker.config.silent_after;
            // While the broker was away nobody could be heard.
            let could = match self.link.state() {
                State::Up { since } => since.elapsed() >= after,
                _ => false,
            };
            self.speaker
                .sweep(if could { after } else { Duration::MAX });
        }
    }

    async fn calling(&self) {
        let mut calls = self.called.lock().await;
        let mut under_way = FuturesUnordered::new();
        loop {
            tokio::select! {
                Some(came) = calls.recv(), if under_way.len() < AT_ONCE => {
                    under_way.push(self.call(came));
                }
                Some(()) = under_way.next(), if !under_way.is_empty() => {}
            }
        }
    }

    /// Whom an order still waits for: a newer one may have taken its place while there was no connection.
    fn still<'a>(&self, sheet: &Sheet, devices: &'a [Box<str>]) -> Vec<Placed<'a>> {
        let now = self.speaker.context.clock.now();
        let desk = self.speaker.desk.lock();
        let devices = devices.iter().map(|device| &**device);
        let lying = devices.filter(|device| desk.lies(device, sheet.counter, now));
        lying.map(|device| (0, device)).collect()
    }

    /// Publishes orders without a text as soon as there is a connection; whoever misses one asks for it.
    async fn standing(&self) {
        let mut stood = self.stood.lock().await;
        let mut state = self.link.watch();
        while let Some((sheet, devices)) = stood.recv().await {
            let up = state.wait_for(|state| matches!(state, State::Up { .. }));
            if up.await.is_err() {
                return;
            }
            let devices = self.still(&sheet, &devices);
            for (topic, _) in self.targets(&devices) {
                // A connection that breaks here loses it: devices ask when they hear of the gateway again.
                let _ = self.link.publish(self.post(topic, &sheet)).await;
            }
        }
    }
}

#[async_trait]
impl Channel for Mqtt {
    fn capability(&self) -> Capability {
        self.speaker.capability()
    }

    async fn send(&self, message: &Message) -> Result<Accepted, Failure> {
        let told = Mutex::new(None);
        self.send_all(std::slice::from_ref(message), &One(&told))
            .await;
        told.into_inner().expect("send_all settles each index")
    }

    async fn send_all(&self, batch: &[Message], outcomes: &dyn Outcomes) {
        let push = |sheets| self.push(batch, sheets);
        self.speaker.order(batch, outcomes, is_level, push).await;
    }

    async fn run(&self, stop: Stop) {
        tokio::select! {
            () = self.link.run(&stop, |publish| self.came(&publish)) => {}
            () = self.sweeping() => {}
            () = self.calling() => {}
            () = self.standing() => {}
        }
        self.speaker.closing.cancel();
    }

    fn command(&self, command: &Command) -> bool {
        let mut orders = self.speaker.maker(&Pieces::default()).standing(command);
        orders.retain(|order| {
            let lies = self.speaker.desk.lock().stands(order.sheet.counter);
            !lies
        });
        let stood = orders
            .iter()
            .map(|order| (order.sheet.clone(), order.devices.iter().cloned().collect()));
        let stood: Vec<_> = stood.collect();
        self.speaker.stand(orders);
        for stood in stood {
            // Its other end is this channel's own.
            let _ = self.stands.send(stood);
        }
        true
    }

    fn shake(&self, quake: &Quake) -> bool {
        self.speaker.shaken(quake, is_level, |sheet, devices| {
            // Its other end is this channel's own.
            let _ = self.stands.send((sheet.clone(), devices));
        })
    }

    fn device(&self, device: &str) -> Option<DeviceState> {
        self.speaker.device(device)
    }

    fn refused(&self) -> Vec<(&'static str, u64)> {
        self.speaker.refused()
    }

    /// The same calls over HTTP: enrolment goes by them alone, since a broker would see the code.
    async fn serve(&self, request: Request) -> Reply {
        self.speaker.called(&request).await
    }

    fn health(&self) -> Health {
        match self.link.state() {
            State::Connecting => Health::Down("the broker is being dialled".to_owned()),
            State::Up { .. } => Health::Up,
            State::Down(why) => Health::Down(why),
        }
    }
}
