//! One subject and those who watch it. Frames are numbered; the last minute of them is kept, so that whoever lost the
//! line goes on where they were. The task ends a minute after the last
//! of them has left. This module must not know HTTP.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::broadcast;

use super::{Figures, Hub, Subject};

/// One message: its number, whether it is the whole, and its JSON, which all watchers share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    pub number: u64,
    pub whole: bool,
    pub json: Bytes,
}

/// How often a change is told at most.
const PACE: Duration = Duration::from_millis(500);
/// How long a topic waits for whoever lost the line.
const PATIENCE: Duration = Duration::from_mins(1);
/// How many frames are kept for whoever comes back: a minute of steady change.
const KEPT: usize = 120;

pub(super) struct Topic {
    state: Mutex<State>,
    tell: broadcast::Sender<Frame>,
}

struct State {
    now: Option<Figures>,
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
        let (stream, scope) = subject;
        let topic = Arc::new(Self {
            // Numbers go on over a pause in which nobody watched: they start from the journal's position.
            state: Mutex::new(State {
                now: hub.figures(*stream, scope),
                number: *hub.position.borrow() << 16,
                kept: VecDeque::new(),
            }),
            tell: broadcast::Sender::new(KEPT),
        });
        tokio::spawn(follow(Arc::downgrade(hub), topic.clone(), subject.clone()));
        topic
    }

    pub fn join(self: &Arc<Self>, last: Option<u64>) -> Watcher {
        let state = self.state.lock();
        let hear = self.tell.subscribe();
        let missed = state.missed(last);
        drop(state);
        Watcher {
            missed,
            hear,
            topic: self.clone(),
        }
    }

    pub fn is_watched(&self) -> bool {
        self.tell.receiver_count() > 0
    }

    fn update(&self, figures: Figures) {
        let mut state = self.state.lock();
        let change = match &state.now {
            Some(before) => figures.since(before),
            None => Some(figures.clone()),
        };
        let Some(change) = change else { return };
        state.number += 1;
        let frame = frame(state.number, false, &change);
        state.now = Some(figures);
        if state.kept.len() == KEPT {
            state.kept.pop_front();
        }
        state.kept.push_back(frame.clone());
        // Nobody hears it when the last one has just left.
        let _ = self.tell.send(frame);
    }
}

fn frame(number: u64, whole: bool, figures: &Figures) -> Frame {
    let json = serde_json::to_vec(figures).expect("plain figures serialise");
    Frame {
        number,
        whole,
        json: json.into(),
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
        whole.map(|now| frame(self.number, true, now)).collect()
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
        if !topic.is_watched() {
            alone += PACE;
            if alone >= PATIENCE && hub.let_go(&subject) {
                return;
            }
            continue;
        }
        alone = Duration::ZERO;
        // Expiry changes a state with time alone, so a quiet journal is looked at as well.
        let (stream, scope) = subject.clone();
        let figures = tokio::task::spawn_blocking(move || hub.figures(stream, &scope)).await;
        if let Ok(Some(figures)) = figures {
            topic.update(figures);
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
