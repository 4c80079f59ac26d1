//! An alert as it runs, told to whoever watches: the figures of every village once, then twice a second what has changed.
//! All who watch the same regions of an alert share one task and one byte string; what nobody watches costs nothing and is let go after a minute. This
//! room must not decide who may watch and must not compute a figure: coverage does.

mod figures;
mod topic;

use std::collections::HashMap;
use std::sync::Arc;

use channel::Clock;
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use crate::ledger::{Ledger, Position};
use crate::model::{RegionCode, StreamId};
use crate::registry::Registry;

pub use figures::{Figures, VillageFigures, bundle};
pub use topic::Watcher;

use topic::Topic;

/// What is watched: these regions of one alert.
type Subject = (StreamId, Vec<RegionCode>);

/// Every subject that somebody watches.
pub struct Hub {
    pub ledger: Arc<Ledger>,
    pub registry: Arc<RwLock<Arc<Registry>>>,
    pub clock: Arc<dyn Clock>,
    pub position: watch::Receiver<Position>,
    topics: Mutex<HashMap<Subject, Arc<Topic>>>,
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
        })
    }

    /// Everything since `last`, the frame that this watcher saw last, or everything; then what comes.
    pub fn watch(
        self: &Arc<Self>,
        stream: StreamId,
        scope: Vec<RegionCode>,
        last: Option<u64>,
    ) -> Watcher {
        // Joined under the lock under which a topic that nobody watches is let go.
        let mut topics = self.topics.lock();
        let topic = topics
            .entry((stream, scope))
            .or_insert_with_key(|subject| Topic::start(self, subject));
        topic.join(last)
    }

    /// Lets a topic go unless somebody has joined it again.
    fn let_go(&self, subject: &Subject) -> bool {
        let mut topics = self.topics.lock();
        let alone = topics.get(subject).is_none_or(|topic| !topic.is_watched());
        if alone {
            topics.remove(subject);
        }
        alone
    }

    fn figures(&self, stream: StreamId, scope: &[RegionCode]) -> Option<Figures> {
        let alert = self.ledger.alert(stream)?;
        let registry = self.registry.read().clone();
        Some(Figures::of(
            &alert,
            &self.ledger,
            &registry,
            scope,
            self.clock.now(),
        ))
    }
}

#[cfg(test)]
mod tests;
