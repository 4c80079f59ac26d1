//! Which alerts a correction ends, what they said and to whom, and how it stands to them. This module must not write more than that a
//! sealed one is open again.

use super::{Halt, Release};
use crate::ledger::event::Born;
use crate::ledger::{Alert, Event, Known, Papers, Proposal, Unlearned, Unread, relearn};
use crate::model::StreamId;
use crate::plan::Past;

impl Halt {
    fn unread(stream: StreamId, why: Unread) -> Self {
        match why {
            Unread::Store(away) => Self::Store(away),
            Unread::Damaged(why) => Self::Stream(stream, why),
        }
    }
}

impl Release {
    /// All that this alert corrects, directly or through what it corrects, whether it stands or not.
    fn chain(&self, alert: &Alert) -> Vec<StreamId> {
        if !alert.meta.corrects() {
            return Vec::new();
        }
        self.ledger.chain(&alert.meta.hits, Some(alert.stream))
    }

    /// What this one had ended when a person released it: it came while the correction waited.
    pub(super) fn ended_before(&self, alert: &Alert) -> Vec<StreamId> {
        let own = |stream: &StreamId| {
            let known = self.ledger.known(*stream);
            known.is_some_and(|old| {
                old.withdrawn_by() == Some(alert.stream)
                    && !matches!(old.meta().born, Born::SupersededBy(_))
            })
        };
        let mut chain = self.chain(alert);
        chain.retain(own);
        chain
    }

    /// The alerts that this one corrects and that still stand: open, so that their end can be written.
    pub(super) async fn standing(&self, alert: &Alert) -> Result<Vec<StreamId>, Halt> {
        let standing = self.ledger.standing(&self.chain(alert));
        for stream in &standing {
            self.unseal(*stream, alert.stream).await?;
        }
        let open = |stream: &StreamId| self.ledger.alert(*stream).is_some();
        Ok(standing.into_iter().filter(open).collect())
    }

    /// Brings a sealed alert back before anything of it is decided upon.
    pub(super) async fn unseal(&self, stream: StreamId, by: StreamId) -> Result<(), Halt> {
        if !self.ledger.is_sealed(stream) {
            return Ok(());
        }
        let back = self.archive.read(stream).await;
        let back = back.map_err(|why| Halt::unread(stream, why))?;
        let proposal = Proposal {
            back: Some(back),
            ..Proposal::of(stream, Event::Unsealed { by })
        };
        self.writer.propose(proposal).await?;
        self.archive.forget(stream).await;
        let learned = relearn(stream, &self.archive, &self.correlator, &self.writer).await;
        learned.map_err(|why| match why {
            Unlearned::Unread(why) => Halt::unread(stream, why),
            Unlearned::Refused(why) => Halt::Refused(why),
        })
    }

    /// Its chain as it is read back, in the order it came. What is sealed and ended before stays sealed.
    pub(super) async fn past(&self, alert: &Alert) -> Result<Vec<Past>, Halt> {
        let mut past = Vec::new();
        for stream in self.chain(alert) {
            let old = match self.ledger.known(stream) {
                Some(Known::Open(open)) => open,
                Some(Known::Sealed(_)) => {
                    let read = self.archive.open(stream).await;
                    read.map_err(|why| Halt::unread(stream, why))?
                }
                None => continue,
            };
            let papers = Papers::of(&old, &*self.store).await?;
            let read = Past::of(old, &papers).map_err(|what| Halt::Document(stream, what))?;
            past.push(read);
        }
        Ok(past)
    }
}
