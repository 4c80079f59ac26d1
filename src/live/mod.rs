//! An alert as it runs, told to whoever watches: the figures of every village once, then twice a second what has changed.
//! All who watch the same regions of an alert share one task and one byte string; nobody watching costs nothing. This
//! room must not decide who may watch and must not compute a figure: coverage does.

mod figures;
mod topic;

use std::collections::HashMap;
use std::sync::{Arc, Weak};

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
    topics: Mutex<HashMap<Subject, Weak<Topic>>>,
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
        let subject = (stream, scope);
        let mut topics = self.topics.lock();
        topics.retain(|_, topic| topic.strong_count() > 0);
        let known = topics.get(&subject).and_then(Weak::upgrade);
        let topic = known.unwrap_or_else(|| {
            let topic = Topic::start(self, &subject);
            topics.insert(subject, Arc::downgrade(&topic));
            topic
        });
        drop(topics);
        topic.join(last)
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
