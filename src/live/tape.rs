//! Numbered frames, told to all who watch as one byte string. The last minute of them is kept, so that whoever lost the
//! line goes on where they were; whoever is too slow gets the whole again, and nothing is kept for one alone. This
//! module must not know HTTP, nor what it tells.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::broadcast;

use super::Hub;

/// How often a change is told at most.
const PACE: Duration = Duration::from_millis(500);
/// How long a tape waits for whoever lost the line.
const PATIENCE: Duration = Duration::from_mins(1);

/// One message: its number, and the text that all watchers are sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    pub number: u64,
    pub text: Bytes,
}

impl Frame {
    /// As a server-sent event: `whole`, or what has changed since the frame before.
    pub fn of(number: u64, whole: bool, told: &impl Serialize) -> Self {
        let json = serde_json::to_string(told).expect("plain figures serialise");
        let event = if whole { "whole" } else { "change" };
        let text = format!("id: {number}\nevent: {event}\ndata: {json}\n\n");
        Self {
            number,
            text: text.into(),
        }
    }
}

pub(super) struct Tape<T> {
    state: Mutex<State<T>>,
    tell: broadcast::Sender<Frame>,
    /// How many frames are kept for whoever comes back.
    keeps: usize,
}

struct State<T> {
    now: Option<Arc<T>>,
    number: u64,
    kept: VecDeque<Frame>,
}

/// One who watches: first what they missed, then what comes.
pub struct Watcher<T> {
    missed: VecDeque<Frame>,
    hear: broadcast::Receiver<Frame>,
    tape: Arc<Tape<T>>,
}

impl<T: Serialize> Tape<T> {
    pub fn new(number: u64, keeps: usize) -> Self {
        Self {
            state: Mutex::new(State {
                now: None,
                number,
                kept: VecDeque::new(),
            }),
            tell: broadcast::Sender::new(keeps),
            keeps,
        }
    }

    /// Keeps it alive from now on.
    pub fn hear(&self) -> broadcast::Receiver<Frame> {
        self.tell.subscribe()
    }

    pub fn join(
        self: &Arc<Self>,
        hear: &broadcast::Receiver<Frame>,
        last: Option<u64>,
    ) -> Watcher<T> {
        let state = self.state.lock();
        // What was told before this moment is in what was missed.
        let hear = hear.resubscribe();
        let missed = state.missed(last);
        drop(state);
        Watcher {
            missed,
            hear,
            tape: self.clone(),
        }
    }

    pub fn is_watched(&self) -> bool {
        self.tell.receiver_count() > 0
    }

    pub fn now(&self) -> Option<Arc<T>> {
        self.state.lock().now.clone()
    }

    #[cfg(test)]
    pub fn kept(&self) -> usize {
        self.state.lock().kept.len()
    }

    /// How it stands now, and what of it is new, a frame each. The first time all of it is.
    pub fn tell<C: Serialize>(&self, now: &Arc<T>, changes: impl FnOnce(&T) -> Vec<C>) {
        let mut state = self.state.lock();
        let Some(before) = state.now.replace(now.clone()) else {
            // Whoever has joined before.
            let _ = self.tell.send(Frame::of(state.number, true, &**now));
            return;
        };
        for change in changes(&before) {
            state.number += 1;
            let frame = Frame::of(state.number, false, &change);
            if state.kept.len() == self.keeps {
                state.kept.pop_front();
            }
            state.kept.push_back(frame.clone());
            // Nobody hears it when the last one has just left.
            let _ = self.tell.send(frame);
        }
    }
}

impl<T: Serialize> State<T> {
    /// What somebody has missed who saw `last`: the frames behind it where they are kept, else the whole.
    fn missed(&self, last: Option<u64>) -> VecDeque<Frame> {
        let first = self.kept.front().map_or(self.number + 1, |f| f.number);
        if let Some(last) = last.filter(|n| (first - 1..=self.number).contains(n)) {
            return self
                .kept
                .iter()
                .filter(|f| f.number > last)
                .cloned()
                .collect();
        }
        let whole = self.now.iter();
        whole
            .map(|now| Frame::of(self.number, true, &**now))
            .collect()
    }
}

impl<T: Serialize> Watcher<T> {
    /// The next frame; none when the gateway stops.
    pub async fn next(&mut self) -> Option<Frame> {
        if let Some(frame) = self.missed.pop_front() {
            return Some(frame);
        }
        loop {
            match self.hear.recv().await {
                Ok(frame) => return Some(frame),
                // Too slow for the pace: the whole is shorter than what was missed.
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    let state = self.tape.state.lock();
                    self.hear = self.hear.resubscribe();
                    self.missed = state.missed(None);
                    drop(state);
                    if let Some(frame) = self.missed.pop_front() {
                        return Some(frame);
                    }
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

/// What is told from a tape, as long as somebody watches and a minute longer.
#[async_trait]
pub(super) trait Told: Send + Sync + 'static {
    fn is_watched(&self) -> bool;
    /// Looks again, and tells what is new.
    async fn look(&self, hub: &Arc<Hub>);
    /// Lets it go unless somebody has joined it again.
    fn let_go(&self, hub: &Hub) -> bool;
}

pub(super) async fn follow(hub: Weak<Hub>, told: Arc<impl Told>) {
    let mut alone = Duration::ZERO;
    loop {
        tokio::time::sleep(PACE).await;
        let Some(hub) = hub.upgrade() else { return };
        // The gateway has stopped.
        if hub.position.has_changed().is_err() {
            return;
        }
        if told.is_watched() {
            alone = Duration::ZERO;
            // Expiry changes a state with time alone, so a quiet journal is looked at as well.
            told.look(&hub).await;
            continue;
        }
        alone += PACE;
        if alone >= PATIENCE && told.let_go(&hub) {
            return;
        }
    }
}
