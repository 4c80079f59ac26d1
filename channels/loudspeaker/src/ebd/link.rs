//! The way to the platform: packets are made, signed and posted here, one name for each. This module must not decide what
//! is sent again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use channel::{Context, Failure, FailureClass, Health, Request, Timestamp};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::archive::Archive;
use super::body::Body;
use super::book::Posted;
use super::config::{Config, ConfigError};
use super::multipart;
use super::names::{Sort, ebdid};
use super::outcome::outcome;
use super::packet::Packet;
use super::signature::{Signature, Variant};
use super::tar::Member;
use crate::signing::{Serial, Signer};

/// Questions and answers under way at once.
const TALKS: usize = 2;
/// Names of packets that no message's serial is under begin here: serials are microseconds, which reach this in 2160.
const OWN: u64 = 6_000_000_000_000_000;

pub struct Link {
    pub config: Config,
    pub context: Context,
    pub signer: Arc<dyn Signer>,
    form: (Variant, Serial),
    slots: Semaphore,
    /// What is asked and answered has its own, so that warnings never wait for it.
    talk: Semaphore,
    last: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// When the platform was heard last, either way, by `tick`.
    heard: Option<Duration>,
    /// When the first packet went out that nobody has answered since.
    unanswered: Option<Duration>,
    failing: Option<Failure>,
}

impl Link {
    pub fn new(config: Config, context: Context) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self {
            signer: config.signer(&context.http)?,
            form: config.form()?,
            slots: Semaphore::new(config.connections),
            talk: Semaphore::new(TALKS),
            last: AtomicU64::new(OWN),
            state: Mutex::default(),
            config,
            context,
        })
    }

    /// A name for a packet that is none of a message's; rises with the time, and over a restart where the clock is right.
    fn own_id(&self) -> String {
        let now = channel::serial_floor(self.context.clock.now()).saturating_add(OWN);
        let next = |last: u64| last.max(now) + 1;
        // It always gives a next one.
        let last = self
            .last
            .fetch_update(Relaxed, Relaxed, |last| Some(next(last)));
        let last = last.unwrap_or_default();
        ebdid(Sort::Other, &self.config.ebrid, next(last))
    }

    /// A packet to the platform; `serial` names a message's.
    pub fn packet(&self, body: Body, serial: Option<u64>) -> Packet {
        let id = match (&body, serial) {
            (Body::Check { .. }, _) => ebdid(Sort::Heartbeat, &self.config.ebrid, 0),
            (_, Some(serial)) => ebdid(Sort::Other, &self.config.ebrid, serial),
            (_, None) => self.own_id(),
        };
        Packet {
            id,
            source: self.config.ebrid.clone(),
            url: self.config.callback_url.clone(),
            target: Some(self.config.platform.clone()),
            time: Some(self.context.clock.now()),
            related: None,
            body,
        }
    }

    /// Written, signed and packed. Heartbeats go unsigned, as everywhere.
    pub async fn pack(&self, packet: Packet, resources: Vec<Member>) -> Result<Posted, Failure> {
        let document = packet.write(self.config.profile());
        let now = u32::try_from(packet.time.unwrap_or_default().secs()).unwrap_or(0);
        let signed = if packet.id.starts_with("01") {
            Ok(None)
        } else {
            self.signer.sign(&document, now).await
        };
        let value = signed.map_err(|error| {
            tracing::warn!(channel = %self.context.name, %error, "a packet to the broadcast platform cannot be signed");
            Failure::new(
                FailureClass::LinkDown,
                "ebd:signer",
                "the packet could not be signed; check `signer` and the device behind it",
            )
        })?;
        let (variant, issuer) = &self.form;
        let signature = value.map(|value| {
            let of = packet.id.clone();
            Signature { of, value }.write(*variant, issuer, self.config.profile())
        });
        Ok(wrapped(packet, document, signature, resources))
    }

    /// Written and packed: nobody signs for a stranger.
    pub fn unsigned(&self, packet: Packet) -> Posted {
        let document = packet.write(self.config.profile());
        wrapped(packet, document, None, Vec::new())
    }

    /// A message, or the end of one.
    pub async fn post(&self, posted: &Posted) -> Result<(), Failure> {
        // The semaphore is never closed.
        let _slot = self.slots.acquire().await;
        self.call(posted).await
    }

    /// One call, and what it means.
    async fn call(&self, posted: &Posted) -> Result<(), Failure> {
        let (kind, form) = multipart::write(&posted.name, &posted.bytes);
        let request = Request {
            method: "POST".into(),
            headers: vec![("content-type".into(), kind)],
            body: form.into(),
            ..Request::default()
        };
        self.state
            .lock()
            .unanswered
            .get_or_insert(self.context.clock.tick());
        let call = self.context.http.call(&self.config.url, request);
        let answer = tokio::time::timeout(self.config.answer_timeout, call).await;
        let outcome = outcome(answer.ok());
        let mut state = self.state.lock();
        match &outcome {
            Err(failure) if is_of_the_link(failure) => state.failing = Some(failure.clone()),
            _ => {
                state.failing = None;
                state.unanswered = None;
                state.heard = Some(self.context.clock.tick());
            }
        }
        outcome
    }

    /// A heartbeat waits for nothing.
    pub async fn beat(&self) -> Result<(), Failure> {
        let at = Some(self.context.clock.now());
        let packet = self.packet(Body::Check { at }, None);
        self.call(&self.pack(packet, Vec::new()).await?).await
    }

    /// Packs and posts what is no message.
    pub async fn say(&self, packet: Packet) -> Result<(), Failure> {
        // The semaphore is never closed.
        let _slot = self.talk.acquire().await;
        self.call(&self.pack(packet, Vec::new()).await?).await
    }

    pub async fn ask(&self, body: Body) -> Result<(), Failure> {
        self.say(self.packet(body, None)).await
    }

    /// The platform has called.
    pub fn heard(&self) {
        let mut state = self.state.lock();
        state.heard = Some(self.context.clock.tick());
        state.unanswered = None;
    }

    /// When the platform was heard last, and when it was first not.
    pub fn is_lost(&self) -> bool {
        let (state, tick) = (self.state.lock(), self.context.clock.tick());
        let silent = |since: Duration| tick.saturating_sub(since) > self.config.lost_after;
        // Only who is spoken to and does not answer is silent.
        state.unanswered.is_some_and(silent) && state.heard.is_none_or(silent)
    }

    pub fn health(&self) -> Health {
        let beats = !self.config.heartbeat.is_zero();
        if beats && self.is_lost() {
            return Health::Down(
                "ebd:silent: the platform has answered no packet for a while".into(),
            );
        }
        match &self.state.lock().failing {
            Some(why) => Health::Failing(format!("{}: {}", why.code, why.detail)),
            None => Health::Up,
        }
    }
}

fn wrapped(
    packet: Packet,
    document: Vec<u8>,
    signature: Option<Vec<u8>>,
    resources: Vec<Member>,
) -> Posted {
    let name = packet.archive_name();
    let archive = Archive {
        packet,
        document,
        signature,
        resources,
    };
    Posted {
        name,
        bytes: archive.write().into(),
    }
}

fn is_of_the_link(failure: &Failure) -> bool {
    use FailureClass::{InDoubt, LinkDown};
    matches!(failure.class, LinkDown | InDoubt)
}

/// Where terminals stand by the operator's word.
pub fn told<'a>(areas: &'a BTreeMap<String, String>, address: &str) -> Option<&'a str> {
    areas.get(address).map(String::as_str)
}

/// The first eight bytes of a hash, for a name that must be the same after a restart.
pub fn mark(parts: &[&[u8]]) -> u64 {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let digest = context.finish();
    let first = digest.as_ref().first_chunk().copied().unwrap_or_default();
    u64::from_be_bytes(first)
}

/// A day that is not over anywhere: by Beijing.
pub fn today(now: Timestamp) -> u32 {
    super::names::day(now)
}
