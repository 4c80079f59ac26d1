//! One connection to a broker, kept: dialled again with growing, jittered pauses, subscribed, and each message that is
//! given to it followed until the broker has it. A connection that breaks is forgotten whole, so that nothing goes out by
//! the next one that was meant for the last. This module must not know what it carries.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use channel::{Secret, Stop};
use parking_lot::Mutex;
use rumqttc::Outgoing;
use rumqttc::v5::StateError;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    ConnectReturnCode, Filter, LastWill, Packet, PubAckReason, Publish, PublishProperties,
    SubscribeReasonCode,
};
use rumqttc::v5::{AsyncClient, ClientError, ConnectionError, Event, MqttOptions};
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::Instant;

use super::config::Address;

/// So many messages may wait for the connection, and so many for the broker's word.
const WAITING: usize = 512;
const UNACKNOWLEDGED: u16 = 512;
/// A broker that says nothing about a message for so long is dialled anew.
const STUCK: Duration = Duration::from_mins(1);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

pub(crate) const ONLINE: &str = "online";
pub(crate) const OFFLINE: &str = "offline";

/// What a connection is made with.
#[derive(Clone)]
pub(crate) struct Settings {
    pub address: Address,
    pub login: Option<(String, Secret)>,
    pub client_id: String,
    pub keep_alive: Duration,
    /// How long the broker keeps what comes while we are away.
    pub session: Duration,
    pub subscribe: Vec<String>,
    /// Says `online`, retained, while we are there; and `offline`, as our last will, when we are not.
    pub state: String,
    /// No message that comes in is longer; the broker keeps such from us.
    pub largest: u32,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum State {
    /// Nothing is known yet.
    Connecting,
    Up {
        /// By the tokio clock.
        since: Instant,
    },
    /// Why, without addresses.
    Down(String),
}

/// There is no connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NoLink;

/// One message to be published.
pub(crate) struct Post {
    pub topic: String,
    pub payload: Bytes,
    /// After which the broker forgets it.
    pub expiry: Option<Duration>,
    pub retain: bool,
}

/// What the broker says of a message; an error when the connection broke before.
pub(crate) type Word = oneshot::Receiver<PubAckReason>;

#[derive(Default)]
struct Session {
    client: Option<AsyncClient>,
    /// Given to the connection, in its order, and not written yet.
    given: VecDeque<(Instant, oneshot::Sender<PubAckReason>)>,
    written: HashMap<u16, (Instant, oneshot::Sender<PubAckReason>)>,
    /// No message that goes out may be longer.
    largest: Option<u32>,
}

pub(crate) struct Link {
    settings: Settings,
    session: Mutex<Session>,
    /// There is room for another message.
    room: Notify,
    state: watch::Sender<State>,
}

impl Link {
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            session: Mutex::default(),
            room: Notify::new(),
            state: watch::Sender::new(State::Connecting),
        }
    }

    pub fn state(&self) -> State {
        self.state.borrow().clone()
    }

    pub fn watch(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// Waits as long as nothing is known.
    pub async fn known(&self, longest: Duration) -> State {
        let mut state = self.state.subscribe();
        let known = state.wait_for(|state| *state != State::Connecting);
        match tokio::time::timeout(longest, known).await {
            Ok(Ok(known)) => known.clone(),
            _ => State::Connecting,
        }
    }

    /// Whether a message of this length is more than the broker takes.
    pub fn is_too_long(&self, topic: &str, payload: &[u8]) -> bool {
        // What stands around a topic and a payload in a packet is less.
        let size = topic.len() + payload.len() + 64;
        let largest = self.session.lock().largest;
        largest.is_some_and(|largest| u32::try_from(size).map_or(true, |size| size > largest))
    }

    /// Gives one message to the connection, as soon as there is room.
    pub async fn publish(&self, post: Post) -> Result<Word, NoLink> {
        let properties = PublishProperties {
            message_expiry_interval: post.expiry.map(seconds),
            ..PublishProperties::default()
        };
        loop {
            let room = self.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            {
                let mut session = self.session.lock();
                let client = session.client.as_ref().ok_or(NoLink)?;
                let (tell, told) = oneshot::channel();
                let given = client.try_publish_with_properties(
                    &*post.topic,
                    QoS::AtLeastOnce,
                    post.retain,
                    post.payload.clone(),
                    properties.clone(),
                );
                match given {
                    Ok(()) => {
                        session.given.push_back((Instant::now(), tell));
                        return Ok(told);
                    }
                    // A topic that is none: it would be refused for ever.
                    Err(ClientError::Request(_)) => return Err(NoLink),
                    Err(ClientError::TryRequest(_)) => {}
                }
            }
            room.await;
        }
    }

    /// Until `stop`. The broker then says our last will for us.
    pub async fn run(&self, stop: &Stop, mut came: impl FnMut(Publish) + Send) {
        let mut pause = FIRST_PAUSE;
        loop {
            let (mut was_up, ended) = (false, self.connected(&mut came));
            let why = tokio::select! {
                () = stop.cancelled() => None,
                why = ended => Some(why),
            };
            self.state.send_modify(|state| {
                was_up = matches!(state, State::Up { .. });
                let ends = || "the gateway closes".to_owned();
                *state = State::Down(why.clone().unwrap_or_else(ends));
            });
            // Whoever waits for the broker's word is told that none will come.
            *self.session.lock() = Session::default();
            self.room.notify_waiters();
            if why.is_none() {
                return;
            }
            if was_up {
                pause = FIRST_PAUSE;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64())) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// One connection, until it breaks: why, without addresses.
    async fn connected(&self, came: &mut (impl FnMut(Publish) + Send)) -> String {
        let (client, mut events) = AsyncClient::new(self.options(), WAITING);
        let mut look = tokio::time::interval(STUCK / 4);
        loop {
            let event = {
                // Never dropped half-way: what it has read would be lost.
                let next = events.poll();
                tokio::pin!(next);
                loop {
                    tokio::select! {
                        event = &mut next => break event,
                        _ = look.tick() => if self.is_stuck() {
                            return "the broker does not acknowledge what it is given".to_owned();
                        }
                    }
                }
            };
            let went_on = match event {
                Err(why) => Err(words(&why)),
                Ok(Event::Outgoing(Outgoing::Publish(id))) => {
                    self.written(id);
                    Ok(())
                }
                Ok(Event::Incoming(Packet::PubAck(ack))) => {
                    self.acknowledged(ack.pkid, ack.reason);
                    Ok(())
                }
                Ok(Event::Incoming(Packet::ConnAck(ack))) => {
                    let largest = ack.properties.and_then(|said| said.max_packet_size);
                    self.session.lock().largest = largest;
                    self.subscribe(&client)
                }
                Ok(Event::Incoming(Packet::SubAck(ack))) => {
                    let granted = |code: &_| matches!(code, SubscribeReasonCode::Success(_));
                    if ack.return_codes.iter().all(granted) {
                        self.is_up(&client)
                    } else {
                        Err("the broker does not let us hear our topics; give our user the right to read them".to_owned())
                    }
                }
                Ok(Event::Incoming(Packet::Publish(publish))) => {
                    came(publish);
                    Ok(())
                }
                Ok(_) => Ok(()),
            };
            if let Err(why) = went_on {
                return why;
            }
        }
    }

    fn subscribe(&self, client: &AsyncClient) -> Result<(), String> {
        let filter = |topic: &String| Filter::new(topic.clone(), QoS::AtLeastOnce);
        let filters = self.settings.subscribe.iter().map(filter);
        let asked = client.try_subscribe_many(filters);
        asked.map_err(|_| "the topics cannot be subscribed to".to_owned())
    }

    fn is_up(&self, client: &AsyncClient) -> Result<(), String> {
        let state = &*self.settings.state;
        let said = client.try_publish(state, QoS::AtLeastOnce, true, ONLINE);
        said.map_err(|_| "the connection takes nothing".to_owned())?;
        let mut session = self.session.lock();
        // Nobody waits for what is said of that.
        session
            .given
            .push_back((Instant::now(), oneshot::channel().0));
        session.client = Some(client.clone());
        drop(session);
        self.state.send_replace(State::Up {
            since: Instant::now(),
        });
        Ok(())
    }

    fn written(&self, id: u16) {
        let mut session = self.session.lock();
        if let Some(given) = session.given.pop_front() {
            session.written.insert(id, given);
        }
        drop(session);
        self.room.notify_waiters();
    }

    fn acknowledged(&self, id: u16, reason: PubAckReason) {
        let written = self.session.lock().written.remove(&id);
        if let Some((_, tell)) = written {
            // A batch that was given up has dropped its end.
            let _ = tell.send(reason);
        }
    }

    fn is_stuck(&self) -> bool {
        let session = self.session.lock();
        let all = session.given.iter().chain(session.written.values());
        all.map(|(since, _)| *since)
            .min()
            .is_some_and(|oldest| oldest.elapsed() > STUCK)
    }

    fn options(&self) -> MqttOptions {
        let Settings {
            address, client_id, ..
        } = &self.settings;
        let mut options = MqttOptions::new(client_id, &*address.host, address.port);
        options
            .set_transport(address.transport.clone())
            .set_keep_alive(self.settings.keep_alive)
            .set_clean_start(false)
            .set_session_expiry_interval(Some(seconds(self.settings.session)))
            .set_max_packet_size(Some(self.settings.largest))
            .set_outgoing_inflight_upper_limit(UNACKNOWLEDGED)
            .set_connection_timeout(10);
        let state = &*self.settings.state;
        let will = LastWill::new(state, OFFLINE, QoS::AtLeastOnce, true, None);
        options.set_last_will(will);
        if let Some((user, password)) = &self.settings.login {
            options.set_credentials(user, password.expose());
        }
        options
    }
}

fn seconds(time: Duration) -> u32 {
    let whole = time.as_millis().div_ceil(1000).max(1);
    u32::try_from(whole).unwrap_or(u32::MAX)
}

/// Why there is no connection, without addresses.
fn words(why: &ConnectionError) -> String {
    match why {
        ConnectionError::ConnectionRefused(
            code @ (ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized),
        ) => format!(
            "the broker refuses our login ({code:?}); set `broker.user` and `broker.password`"
        ),
        ConnectionError::ConnectionRefused(code) => format!("the broker refuses us ({code:?})"),
        ConnectionError::Timeout(_) => "the broker does not answer".to_owned(),
        ConnectionError::Tls(_) => untrusted(),
        ConnectionError::Io(why) if why.kind() == std::io::ErrorKind::InvalidData => untrusted(),
        ConnectionError::Io(why) => format!("the broker cannot be reached ({})", why.kind()),
        ConnectionError::MqttState(StateError::ServerDisconnect { reason_code, .. }) => {
            format!("the broker ended the connection ({reason_code:?})")
        }
        // The library does not read a bare word of the broker's, such as that another has taken the session over.
        _ => "the connection to the broker broke; where it does so again and again, another may come with our `broker.client_id`".to_owned(),
    }
}

fn untrusted() -> String {
    "the broker's certificate is not believed, or it speaks no TLS; look at `broker.ca` and `broker.url`".to_owned()
}
