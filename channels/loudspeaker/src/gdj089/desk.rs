//! What the tasks of one link share, and how a command is asked: on the connection that an adapter has opened, or on one that
//! is opened to it. This module must not repeat a command.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use channel::{Context, Failure, FailureClass, Health, Presence, PresenceState, Stop, Timestamp};
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::bytes::Id;
use super::caller::Caller;
use super::config::{Config, ConfigError};
use super::frame::{Frame, Way};
use super::gather::Gathering;
use super::link::{Answer, Link, Session, Wants};
use super::plan::seconds;
use super::plays::Plays;
use super::routes::Routes;
use super::seal::Seals;
use super::standing::Standing;
use super::task::Down;
use crate::signing::Value;

/// Frames that may wait for a connection.
const WAITING: usize = 16;

pub struct Desk {
    pub config: Config,
    pub context: Context,
    pub seals: Seals,
    pub routes: Routes,
    pub links: Vec<Link>,
    /// Starts that wait for each.
    pub gatherings: Vec<Gathering>,
    pub standing: Mutex<Standing>,
    pub plays: Mutex<Plays>,
    /// By who speaks: one connection each.
    pub sessions: Mutex<HashMap<Id, (u64, Stop)>>,
    /// Where it listens, or why it does not.
    pub listening: Mutex<Result<Option<SocketAddr>, String>>,
    pub began: Timestamp,
    refused: Mutex<BTreeMap<&'static str, u64>>,
    connections: AtomicU64,
    /// Rises from packet to packet of the older dialect.
    packets: AtomicU32,
}

impl Desk {
    pub fn new(config: Config, context: Context) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self {
            seals: Seals::new(&config, &context)?,
            routes: Routes::new(&config.adapter),
            links: config.adapter.iter().map(|_| Link::default()).collect(),
            gatherings: config
                .adapter
                .iter()
                .map(|_| Gathering::default())
                .collect(),
            began: context.clock.now(),
            config,
            context,
            standing: Mutex::default(),
            plays: Mutex::default(),
            sessions: Mutex::default(),
            listening: Mutex::new(Err("not listening yet".to_owned())),
            refused: Mutex::default(),
            connections: AtomicU64::new(1),
            packets: AtomicU32::new(1),
        })
    }

    pub fn refuse(&self, why: &'static str) {
        *self.refused.lock().entry(why).or_default() += 1;
    }

    pub fn refused(&self) -> Vec<(&'static str, u64)> {
        let counts = self.refused.lock();
        counts.iter().map(|(why, count)| (*why, *count)).collect()
    }

    pub fn connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }

    pub fn old_session(&self) -> u32 {
        self.packets.fetch_add(1, Ordering::Relaxed)
    }

    pub fn now(&self) -> (Timestamp, Duration) {
        (self.context.clock.now(), self.context.clock.tick())
    }

    pub fn present(&self, front: &Id, state: PresenceState, code: String) {
        self.context.inlet.presence(Presence {
            device: front.to_string(),
            state,
            code,
            seen: self.context.clock.now(),
        });
    }

    /// Whether a command to this adapter has a way to go.
    pub fn is_reachable(&self, at: usize) -> bool {
        self.config.adapter[at].dial.is_some() || self.links[at].is_open()
    }

    pub fn health(&self) -> Health {
        if let Err(why) = &*self.listening.lock() {
            return Health::Down(why.clone());
        }
        if (0..self.links.len()).any(|at| self.is_reachable(at)) {
            Health::Up
        } else {
            Health::Down("no adapter is connected".to_owned())
        }
    }

    /// A frame as it goes out, signed where frames are.
    pub async fn written(&self, down: &Down) -> Result<Vec<u8>, Failure> {
        if let Down::Named { opcode, .. } = down {
            let words =
                format!("the layout of the command {opcode:#04x} is not known, so it is not sent");
            return Err(Failure::new(
                FailureClass::BadContent,
                "089:unknown-layout",
                words,
            ));
        }
        let (opcode, body) = down.write();
        let mut frame = Frame::new(Way::Down, opcode, body);
        let now = seconds(self.context.clock.now());
        let sealed = self.seals.seal(&frame.covered(), now).await;
        frame.seal = sealed.map_err(|_| no_signer())?.unwrap_or(Value::NONE);
        Ok(frame.write())
    }

    /// Asks one adapter, in its turn; bounded in time.
    pub async fn exchange(&self, at: usize, down: &Down, wants: Wants) -> Answer {
        let _turn = self.links[at].turn.lock().await;
        let bytes = self.written(down).await?;
        match &self.config.adapter[at].dial {
            Some(to) => self.dialled(at, to, bytes, wants).await,
            None => self.spoken(at, bytes, wants).await,
        }
    }

    pub async fn spoken(&self, at: usize, bytes: Vec<u8>, wants: Wants) -> Answer {
        let (link, patience) = (&self.links[at], self.config.answer_timeout);
        let Some(session) = link.session(patience).await else {
            let words = "the adapter is not connected";
            return Err(Failure::new(FailureClass::Transient, "089:away", words));
        };
        let answered = link.wait(session.by, wants.clone());
        if session.out.send(bytes).await.is_err() {
            let words = "the connection ended before the command was written";
            return Err(Failure::new(FailureClass::Transient, "089:closed", words));
        }
        let answer = tokio::time::timeout(patience, answered).await;
        if answer.is_err() {
            link.gave_up(&wants);
            if !wants.is_question() {
                // A late answer would be taken for the next command's.
                session.stop.cancel();
            }
        }
        told(answer)
    }

    async fn dialled(&self, at: usize, to: &str, bytes: Vec<u8>, wants: Wants) -> Answer {
        let (link, patience) = (&self.links[at], self.config.answer_timeout);
        let connected = tokio::time::timeout(patience, TcpStream::connect(to)).await;
        let unreachable = || {
            let words = "the adapter takes no connection; look at `dial` and the network";
            Failure::new(FailureClass::Transient, "089:unreachable", words)
        };
        let Ok(Ok(socket)) = connected else {
            return Err(unreachable());
        };
        let from = socket.peer_addr().map_err(|_| unreachable())?.ip();
        let by = self.connection();
        let (out, inbox) = mpsc::channel(WAITING);
        let session = Session {
            by,
            out,
            stop: Stop::new(),
        };
        let answered = link.wait(by, wants.clone());
        // The queue is empty and its reader is here.
        let _ = session.out.try_send(bytes);
        let caller = Caller::dialled(at, from, session);
        let answer = tokio::select! {
            biased;
            answer = tokio::time::timeout(patience, answered) => answer,
            () = self.converse(socket, caller, inbox) => Ok(Ok(lost())),
        };
        if answer.is_err() {
            link.gave_up(&wants);
        }
        link.close(by);
        told(answer)
    }
}

type Told =
    Result<Result<Answer, tokio::sync::oneshot::error::RecvError>, tokio::time::error::Elapsed>;

fn told(answer: Told) -> Answer {
    match answer {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => lost(),
        Err(_) => {
            let words = "the adapter did not answer in time; it may have taken the command";
            Err(Failure::new(FailureClass::InDoubt, "089:no-answer", words))
        }
    }
}

pub fn no_signer() -> Failure {
    let words = "the command could not be signed; look at the signer";
    Failure::new(FailureClass::LinkDown, "089:signer", words)
}

pub fn lost<T>() -> Result<T, Failure> {
    let words = "the connection ended before the command was answered; it may have been taken";
    Err(Failure::new(FailureClass::InDoubt, "089:lost", words))
}
