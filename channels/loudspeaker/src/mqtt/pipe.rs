//! A device's end of the broker: what it hears, what it asks, and the answers that it waits for. It keeps its session at
//! the broker, so that orders which come while its network is away are there when it is back. This module must not decide
//! what is played, nor believe an answer that the gateway has not signed.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use channel::{Reply, Secret, Stop};
use parking_lot::Mutex;
use rumqttc::v5::mqttbytes::v5::Publish;
use tokio::sync::{mpsc, oneshot, watch};

use super::config::{Broker, BrokerError};
use super::envelope::{Answer, Envelope};
use super::link::{Link, ONLINE, Post, Settings, State};
use super::topics::{Topics, What, group_of};
use crate::call::Claim;
use crate::order::{Orders, Signed, Verifier, Window};

/// Orders that were heard and not taken yet; more are let go, and asked for again.
const HEARD: usize = 256;
/// How long an answer is waited for.
const ANSWER: Duration = Duration::from_secs(15);
/// No order is longer.
const LARGEST: u32 = 256 * 1024;
/// What is sent while a device's network is away, the broker keeps for so long.
const SESSION: Duration = Duration::from_hours(24);

/// What a device hears by.
struct Ears {
    topics: Topics,
    verifier: Verifier,
    orders: mpsc::Sender<Signed>,
    answers: Mutex<HashMap<String, oneshot::Sender<Answer>>>,
    /// Rises whenever something may have been missed: a new connection, a gateway that is back.
    missed: watch::Sender<u64>,
}

/// A device's connection; it ends when this is dropped.
pub struct Pipe {
    link: Arc<Link>,
    ears: Arc<Ears>,
    calls: String,
    orders: tokio::sync::Mutex<mpsc::Receiver<Signed>>,
    missed: watch::Receiver<u64>,
    asked: AtomicU64,
    told: Mutex<Option<Window>>,
    stop: Stop,
}

impl Pipe {
    /// Must be called in a tokio runtime. `channel` is the gateway's, as its address names it.
    pub fn open(broker: &Broker, channel: &str, verifier: Verifier) -> Result<Self, BrokerError> {
        let topics = broker.topics(channel)?;
        let device = verifier.device().to_owned();
        let group = group_of(&device, broker.group);
        let mut subscribe = vec![
            topics.of(What::Orders, &device),
            topics.of(What::Answers, &device),
            topics.gateway(),
        ];
        subscribe.extend(group.map(|group| topics.of(What::Groups, group)));
        let login = broker.user.clone().zip(broker.password.clone());
        let link = Arc::new(Link::new(Settings {
            address: broker.address()?,
            login: login.map(|(user, password)| (user, Secret::new(password.expose()))),
            client_id: broker.client_id.clone().unwrap_or_else(|| device.clone()),
            keep_alive: broker.keep_alive,
            session: SESSION,
            subscribe,
            state: topics.of(What::State, &device),
            largest: LARGEST,
        }));
        let (tell, orders) = mpsc::channel(HEARD);
        let calls = topics.of(What::Calls, &device);
        let (ears, missed) = (
            Arc::new(Ears {
                topics,
                verifier,
                orders: tell,
                answers: Mutex::default(),
                missed: watch::Sender::new(0),
            }),
            Stop::new(),
        );
        let pipe = Self {
            missed: ears.missed.subscribe(),
            link,
            ears,
            calls,
            orders: tokio::sync::Mutex::new(orders),
            asked: AtomicU64::new(0),
            told: Mutex::default(),
            stop: missed,
        };
        pipe.live();
        Ok(pipe)
    }

    fn live(&self) {
        let (link, ears, stop) = (self.link.clone(), self.ears.clone(), self.stop.clone());
        tokio::spawn(async move {
            let mut state = link.watch();
            let up = async {
                loop {
                    let up = state.wait_for(|state| matches!(state, State::Up { .. }));
                    if up.await.is_err() {
                        return;
                    }
                    ears.missed.send_modify(|times| *times += 1);
                    let down = state.wait_for(|state| !matches!(state, State::Up { .. }));
                    if down.await.is_err() {
                        return;
                    }
                }
            };
            tokio::select! {
                () = link.run(&stop, |publish| ears.hear(&publish)) => {}
                () = up => {}
            }
        });
    }

    /// Whether what lies at the gateway is to be asked for.
    pub(crate) fn asks(&self) -> Option<u64> {
        let times = *self.missed.borrow();
        (times != self.asked.load(Relaxed)).then_some(times)
    }

    pub(crate) fn has_asked(&self, times: u64, window: &Window) {
        self.asked.store(times, Relaxed);
        *self.told.lock() = Some(window.clone());
    }

    /// Whether the gateway has not been told of this window yet.
    pub(crate) fn tells(&self, window: &Window) -> bool {
        self.told.lock().as_ref() != Some(window)
    }

    pub(crate) fn has_told(&self, window: &Window) {
        *self.told.lock() = Some(window.clone());
    }

    /// Orders that come within `wait`; ends early when there is something to ask for.
    pub(crate) async fn orders(&self, wait: Duration) -> Vec<Signed> {
        let mut orders = self.orders.lock().await;
        let mut missed = self.missed.clone();
        missed.mark_unchanged();
        if self.asks().is_some() {
            return Vec::new();
        }
        let first = tokio::select! {
            order = orders.recv() => order,
            _ = missed.changed() => None,
            () = tokio::time::sleep(wait) => None,
        };
        let mut all: Vec<_> = first.into_iter().collect();
        while let Ok(next) = orders.try_recv() {
            all.push(next);
        }
        all
    }

    /// Makes a call that nothing answers, and waits until the broker has it.
    pub(crate) async fn tell(&self, envelope: &Envelope) -> Result<(), String> {
        let payload = serde_json::to_vec(envelope).map_err(|_| "it is no JSON")?;
        let post = Post {
            topic: self.calls.clone(),
            payload: payload.into(),
            expiry: None,
            retain: false,
        };
        let word = self.link.publish(post).await;
        let word = word.map_err(|_| "there is no connection to the broker")?;
        let word = tokio::time::timeout(ANSWER, word).await;
        match word {
            Ok(Ok(_)) => Ok(()),
            _ => Err("the broker did not take it".to_owned()),
        }
    }

    /// Makes a call and waits for its answer.
    pub(crate) async fn call(&self, envelope: &Envelope) -> Result<Reply, String> {
        let claim = Claim::read(&envelope.authorization).ok_or("the device's id is none")?;
        let (tell, told) = oneshot::channel();
        let signature = claim.signature.to_owned();
        self.ears.answers.lock().insert(signature.clone(), tell);
        let answered = async {
            self.tell(envelope).await?;
            let answer = tokio::time::timeout(ANSWER, told).await;
            let answer = answer.map_err(|_| "the gateway does not answer")?;
            answer.map_err(|_| "the connection ended".to_owned())
        };
        let answered = answered.await;
        self.ears.answers.lock().remove(&signature);
        let answer = answered?;
        Ok(Reply::json(answer.status, &answer.reply))
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Ears {
    fn hear(&self, publish: &Publish) {
        let topic = std::str::from_utf8(&publish.topic).unwrap_or_default();
        if topic == self.topics.gateway() {
            // Said at every connection of ours too, since it is retained.
            if publish.payload == ONLINE.as_bytes() && !publish.retain {
                self.missed.send_modify(|times| *times += 1);
            }
            return;
        }
        match self.topics.read(topic) {
            Some((What::Orders | What::Groups, _)) => self.orders(&publish.payload),
            Some((What::Answers, _)) => self.answer(&publish.payload),
            _ => {}
        }
    }

    fn orders(&self, payload: &[u8]) {
        let orders: Orders = serde_json::from_slice(payload).unwrap_or_default();
        for order in orders.orders {
            if self.orders.try_send(order).is_err() {
                self.missed.send_modify(|times| *times += 1);
            }
        }
    }

    fn answer(&self, payload: &[u8]) {
        let signed: Option<Signed> = serde_json::from_slice(payload).ok();
        let answer = signed.and_then(|signed| Answer::open(&signed, &self.verifier));
        let Some(answer) = answer else { return };
        if let Some(tell) = self.answers.lock().remove(&answer.answers) {
            // Whoever asked may have given up.
            let _ = tell.send(answer);
        }
    }
}
