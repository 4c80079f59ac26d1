//! Starts on their way to one adapter. It takes one at a time; those of one text that come while it is busy with another go
//! out together, so that an alert whose villages come one after another is a few starts and not one for each village. This
//! module must not wait for more to come.

use std::collections::VecDeque;
use std::sync::Arc;

use channel::{Failure, Key};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::bytes::Id;
use super::desk::{Desk, lost};
use super::plan::{Start, most};

/// What waits for one adapter.
#[derive(Default)]
pub struct Gathering {
    turn: tokio::sync::Mutex<()>,
    parts: Mutex<VecDeque<Part>>,
}

type Tell = oneshot::Sender<Result<Id, Failure>>;

struct Part {
    start: Start,
    keys: Vec<Key>,
    tell: Tell,
}

impl Part {
    /// Whether both can be one start: one alert, one text, one end.
    fn fits(&self, other: &Self) -> bool {
        let alert = |part: &Self| part.keys.first().map(|key| key.alert);
        Arc::ptr_eq(&self.start.variant, &other.start.variant)
            && self.start.expires == other.start.expires
            && alert(self) == alert(other)
    }
}

impl Gathering {
    /// The first that waits, with all that fits it and there is room for.
    fn next(&self, most: usize) -> Option<(Part, Vec<Tell>)> {
        let mut parts = self.parts.lock();
        let mut first = parts.pop_front()?;
        let mut tells = Vec::new();
        let waiting = std::mem::take(&mut *parts);
        for mut part in waiting {
            let room = first.start.to.len() + part.start.to.len() <= most;
            if room && first.fits(&part) {
                first.start.to.append(&mut part.start.to);
                first.keys.append(&mut part.keys);
                tells.push(part.tell);
            } else {
                parts.push_back(part);
            }
        }
        Some((first, tells))
    }
}

impl Desk {
    /// Gives a start to its adapter, alone or with what goes with it; the id that it has.
    pub async fn joined(&self, start: Start, keys: Vec<Key>) -> Result<Id, Failure> {
        let at = start.adapter;
        let gathering = &self.gatherings[at];
        let most = most(self.config.adapter[at].dialect);
        let (tell, mut told) = oneshot::channel();
        gathering.parts.lock().push_back(Part { start, keys, tell });
        loop {
            let _turn = tokio::select! {
                biased;
                // Where whoever had the turn is gone in the middle of it, nobody knows.
                outcome = &mut told => return outcome.unwrap_or_else(|_| lost()),
                turn = gathering.turn.lock() => turn,
            };
            let Some((part, others)) = gathering.next(most) else {
                continue;
            };
            let outcome = self.started(&part.start, &part.keys).await;
            for tell in others.into_iter().chain([part.tell]) {
                // Whoever asked may have gone.
                let _ = tell.send(outcome.clone());
            }
        }
    }
}
