//! An alert as it runs, told to whoever watches: the figures of every village once, then twice a second what has changed.
//! All who watch or look at the same regions of an alert share one computation, one task and one byte string; what nobody
//! watches costs nothing and is let go after a minute. Beside it all alerts of a bureau, a short line each. This room must not decide who may watch and must not compute a
//! figure: coverage does.

mod board;
mod figures;
mod line;
mod tape;
mod topic;

use std::collections::HashMap;
use std::sync::Arc;

use channel::Clock;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{broadcast, watch};

use crate::ledger::{Alert, Ledger, Position};
use crate::model::{RegionCode, StreamId};
use crate::registry::Registry;
use crate::trust::Caller;

pub use board::Lines;
pub use figures::{Figures, VillageFigures, bundle};
pub use line::HEADERS;

use board::Board;
use tape::{Frame, Watcher};
use topic::Topic;

/// What is watched: these regions of one alert.
type Subject = (StreamId, Vec<RegionCode>);

/// Every subject that somebody watches, or has looked at lately.
pub struct Hub {
    pub ledger: Arc<Ledger>,
    pub registry: Arc<RwLock<Arc<Registry>>>,
    pub clock: Arc<dyn Clock>,
    pub position: watch::Receiver<Position>,
    topics: Mutex<HashMap<Subject, Arc<Topic>>>,
    /// By bureau.
    boards: Mutex<HashMap<String, Arc<Board>>>,
}

/// Work that takes a moment, such as the figures of a county: done beside the connections, not among them.
pub async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|ended| std::panic::resume_unwind(ended.into_panic()))
}

impl Hub {
    pub fn new(
        ledger: Arc<Ledger>,
        registry: Arc<RwLock<Arc<Registry>>>,
        clock: Arc<dyn Clock>,
        position: watch::Receiver<Position>,
    ) -> Arc<Self> {
        Arc::new(Self {
            ledger,
            registry,
            clock,
            position,
            topics: Mutex::default(),
            boards: Mutex::default(),
        })
    }

    /// The figures of these regions of an open alert as they stand, shared with all who ask at about the same time.
    pub async fn figures(
        self: &Arc<Self>,
        stream: StreamId,
        scope: Vec<RegionCode>,
    ) -> Option<Arc<Figures>> {
        let subject = (stream, scope);
        let topic = self.topic(&subject).0;
        topic.fresh(self).await
    }

    /// Everything since `last`, the frame that this watcher saw last, or everything; then what comes.
    async fn watch(
        self: &Arc<Self>,
        stream: StreamId,
        scope: Vec<RegionCode>,
        last: Option<u64>,
    ) -> Watcher<Figures> {
        let subject = (stream, scope);
        let (topic, hear) = self.topic(&subject);
        topic.fresh(self).await;
        topic.tape.join(&hear, last)
    }

    /// The same of all alerts that a bureau may know of.
    async fn watch_all(self: &Arc<Self>, caller: &Caller, last: Option<u64>) -> Watcher<Lines> {
        let (board, hear) = {
            // Heard under the lock under which a board that nobody watches is let go.
            let mut boards = self.boards.lock();
            let board = boards
                .entry(caller.id.clone())
                .or_insert_with(|| Board::start(self, caller));
            (board.clone(), board.tape.hear())
        };
        // Whoever comes later is told what all are told, at its pace.
        if board.tape.now().is_none() {
            board.fresh(self).await;
        }
        board.tape.join(&hear, last)
    }

    fn topic(self: &Arc<Self>, subject: &Subject) -> (Arc<Topic>, broadcast::Receiver<Frame>) {
        // Heard under the lock under which a topic that nobody watches is let go.
        let mut topics = self.topics.lock();
        let topic = topics
            .entry(subject.clone())
            .or_insert_with_key(|subject| Topic::start(self, subject));
        (topic.clone(), topic.tape.hear())
    }

    /// Numbers go on over a pause in which nobody watched: they start from the journal's position.
    fn begin(&self) -> u64 {
        *self.position.borrow() << 16
    }

    fn count(&self, alert: &Arc<Alert>, scope: &[RegionCode]) -> Figures {
        let registry = self.registry.read().clone();
        Figures::of(alert, &self.ledger, &registry, scope, self.clock.now())
    }

    /// The same figures where the alert stands now.
    fn stand(&self, alert: &Arc<Alert>, figures: &Figures) -> Figures {
        figures.standing(alert, &self.ledger, self.clock.now())
    }
}

#[cfg(test)]
mod tests;
