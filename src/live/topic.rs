//! One subject and those who watch it or look at it. Its figures are made by one at a time, beside the connections, and
//! those who come meanwhile are given the same. The task ends a minute after the last of them has left. This module must
//! not know HTTP.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::tape::{Tape, Told, follow};
use super::{Figures, Hub, Subject};

/// How many frames are kept for whoever comes back: a minute of steady change.
pub(super) const KEPT: usize = 120;
/// Figures are told to others for so many times as long as they took to make.
const SHARED: u32 = 10;

pub(super) struct Topic {
    subject: Subject,
    /// Whoever holds it makes the figures; the others wait for them.
    made: tokio::sync::Mutex<Option<Made>>,
    pub tape: Arc<Tape<Figures>>,
}

/// What the figures were made of, and when.
#[derive(Clone, Copy)]
struct Made {
    /// Events of the alert, and the registry's generation.
    of: (u64, u32),
    took: Duration,
    at: Duration,
}

impl Topic {
    pub fn start(hub: &Arc<Hub>, subject: &Subject) -> Arc<Self> {
        let topic = Arc::new(Self {
            subject: subject.clone(),
            made: tokio::sync::Mutex::default(),
            tape: Arc::new(Tape::new(hub.begin(), KEPT)),
        });
        tokio::spawn(follow(Arc::downgrade(hub), topic.clone()));
        topic
    }

    /// The figures as they stand; what is new in them is told to all who watch. Nothing where the alert is not open.
    pub async fn fresh(&self, hub: &Arc<Hub>) -> Option<Arc<Figures>> {
        let mut made = self.made.lock().await;
        let alert = hub.ledger.alert(self.subject.0)?;
        // Read before the figures are made: what happens meanwhile is noticed the next time.
        let of = (alert.trail.count(), hub.registry.read().generation());
        let begun = hub.clock.tick();
        if let (Some(made), Some(before)) = (*made, self.tape.now()) {
            if begun.saturating_sub(made.at) < made.took * SHARED {
                return Some(before);
            }
            // Time alone changes where it stands and nothing else.
            if made.of == of {
                return Some(self.update(Arc::new(hub.stand(&alert, &before))));
            }
        }
        let (hub, scope) = (hub.clone(), self.subject.1.clone());
        let clock = hub.clock.clone();
        let figures = tokio::task::spawn_blocking(move || hub.count(&alert, &scope)).await;
        let figures = figures.ok()?;
        let at = clock.tick();
        let took = at.saturating_sub(begun);
        *made = Some(Made { of, took, at });
        Some(self.update(Arc::new(figures)))
    }

    fn update(&self, figures: Arc<Figures>) -> Arc<Figures> {
        let change = |before: &Figures| figures.since(before).into_iter().collect();
        self.tape.tell(&figures, change);
        figures
    }
}

#[async_trait]
impl Told for Topic {
    fn is_watched(&self) -> bool {
        self.tape.is_watched()
    }

    async fn look(&self, hub: &Arc<Hub>) {
        self.fresh(hub).await;
    }

    fn let_go(&self, hub: &Hub) -> bool {
        let mut topics = hub.topics.lock();
        let alone = !self.is_watched();
        if alone {
            topics.remove(&self.subject);
        }
        alone
    }
}
