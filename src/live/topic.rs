//! One subject and those who watch it or look at it. Its figures are made by one at a time, beside the connections, and
//! those who come meanwhile are given the same. Frames are numbered; the last minute of them is kept, so that whoever lost
//! the line goes on where they were. The task ends a minute after the last of them has left. This module must not know HTTP.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::broadcast;

use super::{Figures, Hub, Subject};

/// One message: its number, and the text that all watchers are sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    pub number: u64,
    pub text: Bytes,
}

/// How often a change is told at most.
const PACE: Duration = Duration::from_millis(500);
/// How long a topic waits for whoever lost the line.
const PATIENCE: Duration = Duration::from_mins(1);
/// How many frames are kept for whoever comes back: a minute of steady change.
pub(super) const KEPT: usize = 120;
/// Figures are told to others for so many times as long as they took to make.
const SHARED: u32 = 10;

pub(super) struct Topic {
    /// Whoever holds it makes the figures; the others wait for them.
    made: tokio::sync::Mutex<Option<Made>>,
    state: Mutex<State>,
    tell: broadcast::Sender<Frame>,
}

/// What the figures were made of, and when.
#[derive(Clone, Copy)]
struct Made {
    /// Events of the alert, and the registry's generation.
    of: (u64, u32),
    took: Duration,
    at: Duration,
}

struct State {
    now: Option<Arc<Figures>>,
    number: u64,
    kept: VecDeque<Frame>,
}

/// One who watches: first what they missed, then what comes.
pub struct Watcher {
    missed: VecDeque<Frame>,
    hear: broadcast::Receiver<Frame>,
    topic: Arc<Topic>,
}

impl Topic {
    pub fn start(hub: &Arc<Hub>, subject: &Subject) -> Arc<Self> {
        // Numbers go on over a pause in which nobody watched: they start from the journal's position.
        let topic = Arc::new(Self::new(*hub.position.borrow() << 16));
        tokio::spawn(follow(Arc::downgrade(hub), topic.clone(), subject.clone()));
        topic
    }

    pub fn new(number: u64) -> Self {
        Self {
            made: tokio::sync::Mutex::default(),
            state: Mutex::new(State {
                now: None,
                number,
                kept: VecDeque::new(),
            }),
            tell: broadcast::Sender::new(KEPT),
        }
    }

    /// Keeps the topic alive from now on.
    pub fn hear(&self) -> broadcast::Receiver<Frame> {
        self.tell.subscribe()
    }

    pub fn join(self: &Arc<Self>, hear: &broadcast::Receiver<Frame>, last: Option<u64>) -> Watcher {
        let state = self.state.lock();
        // What was told before this moment is in what was missed.
        let hear = hear.resubscribe();
        let missed = state.missed(last);
        drop(state);
        Watcher {
            missed,
            hear,
            topic: self.clone(),
        }
    }

    #[cfg(test)]
    pub fn kept(&self) -> usize {
        self.state.lock().kept.len()
    }

    pub fn is_watched(&self) -> bool {
        self.tell.receiver_count() > 0
    }

    /// The figures as they stand; what is new in them is told to all who watch. Nothing where the alert is not open.
    pub async fn fresh(&self, hub: &Arc<Hub>, subject: &Subject) -> Option<Arc<Figures>> {
        let mut made = self.made.lock().await;
        let alert = hub.ledger.alert(subject.0)?;
        // Read before the figures are made: what happens meanwhile is noticed the next time.
        let of = (alert.trail.count(), hub.registry.read().generation());
        let begun = hub.clock.tick();
        let before = self.state.lock().now.clone();
        if let (Some(made), Some(before)) = (*made, before) {
            if begun.saturating_sub(made.at) < made.took * SHARED {
                return Some(before);
            }
            // Time alone changes where it stands and nothing else.
            if made.of == of {
                return Some(self.update(Arc::new(hub.stand(&alert, &before))));
            }
        }
        let (hub, scope) = (hub.clone(), subject.1.clone());
        let clock = hub.clock.clone();
        let figures = tokio::task::spawn_blocking(move || hub.count(&alert, &scope)).await;
        let figures = figures.ok()?;
        let at = clock.tick();
        let took = at.saturating_sub(begun);
        *made = Some(Made { of, took, at });
        Some(self.update(Arc::new(figures)))
    }

    pub(super) fn update(&self, figures: Arc<Figures>) -> Arc<Figures> {
        let mut state = self.state.lock();
        let (whole, change) = match &state.now {
            Some(before) => (false, figures.since(before)),
            None => (true, Some((*figures).clone())),
        };
        state.now = Some(figures.clone());
        let Some(change) = change else { return figures };
        if whole {
            // Whoever has joined before the first figures were made.
            let _ = self.tell.send(Frame::of(state.number, true, &change));
            return figures;
        }
        state.number += 1;
        let frame = Frame::of(state.number, false, &change);
        if state.kept.len() == KEPT {
            state.kept.pop_front();
        }
        state.kept.push_back(frame.clone());
        // Nobody hears it when the last one has just left.
        let _ = self.tell.send(frame);
        figures
    }
}

impl Frame {
    /// As a server-sent event: `whole`, or what has changed since the frame before.
    pub fn of(number: u64, whole: bool, figures: &Figures) -> Self {
        let json = serde_json::to_string(figures).expect("plain figures serialise");
        let event = if whole { "whole" } else { "change" };
        let text = format!("id: {number}\nevent: {event}\ndata: {json}\n\n");
        Self {
            number,
            text: text.into(),
        }
    }
}

impl State {
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
        whole.map(|now| Frame::of(self.number, true, now)).collect()
    }
}

async fn follow(hub: Weak<Hub>, topic: Arc<Topic>, subject: Subject) {
    let mut alone = Duration::ZERO;
    loop {
        tokio::time::sleep(PACE).await;
        let Some(hub) = hub.upgrade() else { return };
        // The gateway has stopped.
        if hub.position.has_changed().is_err() {
            return;
        }
        if topic.is_watched() {
            alone = Duration::ZERO;
            // Expiry changes a state with time alone, so a quiet journal is looked at as well.
            topic.fresh(&hub, &subject).await;
            continue;
        }
        alone += PACE;
        if alone >= PATIENCE && hub.let_go(&subject) {
            return;
        }
    }
}

impl Watcher {
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
                    let state = self.topic.state.lock();
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
