//! An alert as it runs, told to whoever watches: the figures of every village once, then twice a second what has changed.
//! All who watch or look at the same regions of an alert share one computation, one task and one byte string; what nobody
//! watches costs nothing and is let go after a minute. This room must not decide who may watch and must not compute a
//! figure: coverage does.

mod figures;
mod line;
mod topic;

use std::collections::HashMap;
use std::sync::Arc;

use channel::Clock;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{broadcast, watch};

use crate::ledger::{Alert, Ledger, Position};
use crate::model::{RegionCode, StreamId};
use crate::registry::Registry;

pub use figures::{Figures, VillageFigures, bundle};
pub use line::HEADERS;

use topic::{Frame, Topic, Watcher};

/// What is watched: these regions of one alert.
type Subject = (StreamId, Vec<RegionCode>);

/// Every subject that somebody watches, or has looked at lately.
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

    /// The figures of these regions of an open alert as they stand, shared with all who ask at about the same time.
    pub async fn figures(
        self: &Arc<Self>,
        stream: StreamId,
        scope: Vec<RegionCode>,
    ) -> Option<Arc<Figures>> {
        let subject = (stream, scope);
        let topic = self.topic(&subject).0;
        topic.fresh(self, &subject).await
    }

    /// Everything since `last`, the frame that this watcher saw last, or everything; then what comes.
    async fn watch(
        self: &Arc<Self>,
        stream: StreamId,
        scope: Vec<RegionCode>,
        last: Option<u64>,
    ) -> Watcher {
        let subject = (stream, scope);
        let (topic, hear) = self.topic(&subject);
        topic.fresh(self, &subject).await;
        topic.join(&hear, last)
    }

    fn topic(self: &Arc<Self>, subject: &Subject) -> (Arc<Topic>, broadcast::Receiver<Frame>) {
        // Heard under the lock under which a topic that nobody watches is let go.
        let mut topics = self.topics.lock();
        let topic = topics
            .entry(subject.clone())
            .or_insert_with_key(|subject| Topic::start(self, subject));
        (topic.clone(), topic.hear())
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
