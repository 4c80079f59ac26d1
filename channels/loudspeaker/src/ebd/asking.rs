//! What is asked of the platform while the link is up: messages of which nothing comes, the log of what it has broadcast,
//! and its terminals. Each answer is a call of its own, so nothing here waits for it. After a restart all that stands is
//! asked for again, few at a time: heartbeats, stops and warnings go on beside it. This module must not believe an answer.

use futures::future::join_all;

use super::Ebd;
use super::body::Body;
use super::inventory::{LOG, Omd};
use super::session::{Due, looks};

/// Questions under way at once.
const AT_ONCE: usize = 8;

impl Ebd {
    pub(super) async fn asking(&self) {
        let mut inventory = Due::new(self.link.config.inventory);
        let mut look = looks();
        loop {
            look.tick().await;
            self.ask().await;
            if self.link.is_lost() {
                continue;
            }
            self.ask_for_the_log().await;
            if inventory.is_due(self.link.context.clock.tick()) {
                self.ask_for_terminals().await;
            }
        }
    }

    /// Messages of which nothing was heard for a while. One that is lost is asked for again.
    async fn ask(&self) {
        let (after, clock) = (self.link.config.ask_after, &self.link.context.clock);
        if after.is_zero() {
            return;
        }
        // Where nobody answers, one question is enough to find out.
        let most = if self.link.is_lost() { 1 } else { AT_ONCE };
        let at = (clock.now(), clock.tick());
        let due = self.book.lock().silent(most, after, at);
        let each = due.into_iter();
        join_all(each.map(|ebm| self.link.ask(Body::StateRequest { ebm }))).await;
    }

    /// One question for all messages that stand, over and over; and one for each after its end.
    async fn ask_for_the_log(&self) {
        let (every, clock) = (self.link.config.logs, &self.link.context.clock);
        if every.is_zero() {
            return;
        }
        let at = (clock.now(), clock.tick());
        let due = self.book.lock().unlogged(every, at);
        let Some((since, ended)) = due else {
            return;
        };
        let omd = Omd {
            wanted: LOG.into(),
            full: true,
            from: Some(since),
            to: Some(at.0),
        };
        if self.asked(omd).await {
            self.book.lock().logged(&ended);
        }
    }

    async fn ask_for_terminals(&self) {
        for wanted in ["EBRDTInfo", "EBRDTState"] {
            let omd = Omd {
                wanted: wanted.into(),
                full: true,
                from: None,
                to: None,
            };
            if !self.asked(omd).await {
                return;
            }
        }
    }

    async fn asked(&self, omd: Omd) -> bool {
        let wanted = omd.wanted.clone();
        let said = self.link.ask(Body::Omd(omd)).await;
        if let Err(error) = &said {
            tracing::debug!(channel = %self.link.context.name, %error, wanted, "the broadcast platform does not tell what it was asked for");
        }
        said.is_ok()
    }
}
