//! One account and its connections: opens each, comes back to each, and spreads a batch over those that stand. This
//! module must not give a message up while a connection stands that it was not written to.

use std::sync::Arc;
use std::time::Duration;

use channel::{Context, Failure, FailureClass, Health, Message, Outcomes, Stop};
use futures::future::join_all;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::hand_on::{Handed, hand_on};
use super::link::{Counts, Live, unwritten};
use super::open::open;
use super::submit::{Queue, Submission};
use super::{Session, State, stopped};
use crate::config::Line;
use crate::dialect::{Dialect, Words};

pub(crate) struct Account {
    pub line: Line,
    pub dialect: Arc<dyn Dialect>,
    pub context: Context,
    pub counts: Arc<Counts>,
    /// One for each connection.
    states: watch::Sender<Vec<State>>,
}

/// Says that the connection is down, also when the task is aborted.
struct Farewell<'a> {
    states: &'a watch::Sender<Vec<State>>,
    words: &'static Words,
}

impl Drop for Farewell<'_> {
    fn drop(&mut self) {
        let down = stopped(self.words);
        self.states.send_modify(|all| all.fill(down));
    }
}

impl Account {
    pub fn new(line: Line, dialect: Arc<dyn Dialect>, context: Context) -> Self {
        let states = watch::Sender::new(vec![State::Starting; line.connections]);
        Self {
            line,
            dialect,
            context,
            counts: Arc::default(),
            states,
        }
    }

    /// The sessions that stand. Before the first logins are decided they are waited for, as long as an answer may
    /// take; after that there is one, or the link is down at once.
    async fn lives(&self) -> Result<Vec<Arc<Live>>, Failure> {
        let mut changes = self.states.subscribe();
        let known = |states: &Vec<State>| {
            states.iter().any(|state| matches!(state, State::Bound(_)))
                || states.iter().all(|state| matches!(state, State::Down(_)))
        };
        let waited = tokio::time::timeout(self.line.answer_timeout(), changes.wait_for(known));
        let states = match waited.await {
            Ok(Ok(states)) => states.clone(),
            Ok(Err(_)) | Err(_) => Vec::new(),
        };
        let (mut lives, mut why) = (Vec::new(), None);
        for state in states {
            match state {
                State::Bound(live) => lives.push(live),
                State::Down(failure) => why = Some(failure),
                State::Starting => {}
            }
        }
        if lives.is_empty() {
            return Err(why.unwrap_or_else(|| {
                let detail = "no session stands yet; look whether the channel runs";
                Failure::new(FailureClass::LinkDown, self.dialect.words().unbound, detail)
            }));
        }
        Ok(lives)
    }

    /// Returns when every message is settled. What a lost connection did not write goes by another that stands.
    pub async fn send_all(&self, batch: &[Message], outcomes: &dyn Outcomes) {
        let queue = Queue::new(batch.len());
        let mut why = unwritten(self.dialect.words(), "tcp:closed");
        for _ in 0..self.line.connections {
            match self.lives().await {
                Ok(lives) => {
                    let each = lives.iter().map(|live| {
                        let submission = Submission::new(self, live, outcomes, &queue);
                        submission.run(batch)
                    });
                    join_all(each).await;
                }
                Err(failure) => {
                    why = failure;
                    break;
                }
            }
            if queue.is_empty() {
                return;
            }
        }
        outcomes.settle_all(&mut queue.rest(&why));
    }

    pub async fn run(&self, stop: Stop) {
        let _farewell = Farewell {
            states: &self.states,
            words: self.dialect.words(),
        };
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut beside = JoinSet::new();
        beside.spawn(hand_on(self.context.inlet.clone(), receiver));
        let connections = 0..self.line.connections;
        join_all(connections.map(|place| self.keep(place, &sender, &stop))).await;
    }

    /// Keeps one connection until the stop.
    async fn keep(&self, place: usize, handed: &mpsc::UnboundedSender<Handed>, stop: &Stop) {
        let line = &self.line;
        let mut wait = line.reconnect_min_millis;
        let set = |state| self.states.send_modify(|all| all[place] = state);
        while !stop.is_cancelled() {
            let opened = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                opened = open(line, &*self.dialect, &*self.context.clock) => opened,
            };
            let why = match opened {
                Ok((socket, buffer)) => {
                    wait = line.reconnect_min_millis;
                    tracing::info!(channel = %self.context.name, connection = place, "bound");
                    let bound = Arc::new(Live::new(line.window, self.dialect.clone()));
                    let mut session = Session {
                        line,
                        dialect: &*self.dialect,
                        context: &self.context,
                        counts: &self.counts,
                        live: bound.clone(),
                        handed,
                        written: 0,
                        code: "tcp:closed",
                        told: false,
                        buffer,
                    };
                    set(State::Bound(bound));
                    session.run(socket, stop).await
                }
                Err(why) => {
                    // Ask seldom, so that the account is not locked.
                    if self.dialect.needs_a_person(&why) {
                        wait = line.reconnect_max_millis;
                    }
                    why
                }
            };
            if stop.is_cancelled() {
                return;
            }
            tracing::warn!(
                channel = %self.context.name, connection = place, code = %why.code, "no session: {}", why.detail
            );
            set(State::Down(why));
            // Half to the whole of the wait, so that many gateways do not come back at once.
            let jittered = Duration::from_millis(fastrand::u64(wait / 2..=wait));
            wait = wait.saturating_mul(2).min(line.reconnect_max_millis);
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(jittered) => {}
            }
        }
    }

    /// Up as long as one connection stands.
    pub fn health(&self) -> Health {
        let states = self.states.borrow();
        if states.iter().any(|state| matches!(state, State::Bound(_))) {
            return Health::Up;
        }
        let why = states.iter().find_map(|state| match state {
            State::Down(why) => Some(format!("{}: {}", why.code, why.detail)),
            _ => None,
        });
        Health::Down(why.unwrap_or_else(|| "not bound yet".to_owned()))
    }
}
