//! One commit while it is put together: proposals in their order, each taken whole or refused before anything of it is
//! written. This module must not write and must not fold.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use channel::Timestamp;
use tokio::sync::oneshot;

use super::alert::Alert;
use super::event::Witness;
use super::record::Head;
use super::seal::Sealing;
use super::writer::{Answer, History, Proposal, Refused, Waiting};
use super::{Event, Identity, Ledger};
use crate::model::StreamId;
use crate::store::{Append, IdentityRow, Seal, SealedRow, StoreError};

/// One commit while it is put together.
pub(super) struct Draft {
    pub append: Append,
    pub events: Vec<(StreamId, Event)>,
    pub answers: Vec<Told>,
    /// What was read back for an `Unsealed`.
    pub back: Vec<Arc<Alert>>,
    /// How many texts each alert has with this commit.
    pub texts: HashMap<StreamId, usize>,
    pub next_stream: StreamId,
}

/// What one proposal is told once all of the commit is durable.
pub(super) struct Told {
    pub answer: Answer,
    /// The stream it opened, or why not.
    pub outcome: Result<Option<StreamId>, Refused>,
    /// Its events among those of the commit.
    events: Range<usize>,
    /// Where it goes back to when the store refuses it, and what it takes from the inbox.
    back: Option<(oneshot::Sender<Proposal>, Vec<u64>)>,
}

impl Told {
    fn no(answer: Answer, refused: Refused) -> Self {
        Self {
            answer,
            outcome: Err(refused),
            events: 0..0,
            back: None,
        }
    }

    /// The store took nothing of it.
    pub fn refuse(self, error: &StoreError, events: &[(StreamId, Event)]) {
        if let Some((back, inbox_take)) = self.back {
            let _ = back.send(Proposal {
                events: events[self.events].to_vec(),
                inbox_take,
                ..Proposal::default()
            });
        }
        let _ = self.answer.send(Err(error.clone().into()));
    }
}

impl Draft {
    /// False: it was refused, and nothing of it is in the commit.
    pub fn take(&mut self, waiting: Waiting, history: &History, ledger: &Ledger) -> bool {
        let Waiting {
            mut proposal,
            answer,
            back,
        } = waiting;
        // What it meets may be of this commit, so every refusal is told when that is durable.
        let texts = match self.fits(&proposal, ledger) {
            Ok(texts) => texts,
            Err(refused) => {
                self.answers.push(Told::no(answer, refused));
                return false;
            }
        };
        let claim = proposal.claim.take();
        let opened = match claim.map(|claim| self.open(claim, history)).transpose() {
            Ok(opened) => opened,
            Err(known) => {
                self.answers.push(Told::no(answer, known));
                return false;
            }
        };
        let start = self.events.len();
        for (stream, event) in proposal.events {
            let stream = match (stream, opened) {
                (Proposal::NEW, Some(opened)) => opened,
                (stream, _) => stream,
            };
            if matches!(event, Event::Unsealed { .. }) {
                self.append.unseals.push(stream);
            }
            if let Some(count) = texts.get(&stream) {
                self.texts.insert(stream, *count);
            }
            self.events.push((stream, event));
        }
        let events = start..self.events.len();
        let back = back.map(|back| (back, proposal.inbox_take.clone()));
        if let Some(sealing) = proposal.seal {
            self.seal(*sealing, history);
        }
        if proposal.witness {
            self.witness(history);
        }
        self.back.extend(proposal.back);
        self.append.documents.append(&mut proposal.documents);
        self.append.inbox_put.append(&mut proposal.inbox_put);
        self.append.inbox_take.append(&mut proposal.inbox_take);
        self.answers.push(Told {
            answer,
            outcome: Ok(opened),
            events,
            back,
        });
        true
    }

    /// The stream that a claim opens, unless its identity is held, durably or by this commit.
    fn open(
        &mut self,
        (identity, content): (Identity, [u8; 32]),
        history: &History,
    ) -> Result<StreamId, Refused> {
        let name = identity.to_string();
        let beside = self.append.identities.iter().find(|r| r.identity == name);
        let beside = beside.map(|r| (r.stream, r.content));
        let held = history.identities.get(&name).copied().or(beside);
        if let Some((stream, theirs)) = held {
            return Err(Refused::Known {
                stream,
                same_content: theirs == content,
            });
        }
        let stream = self.next_stream;
        self.append.identities.push(IdentityRow {
            identity: name,
            stream,
            content,
        });
        self.next_stream += 1;
        Ok(stream)
    }

    /// Whether all of it may stand behind what is written and what is being written.
    fn fits(
        &self,
        proposal: &Proposal,
        ledger: &Ledger,
    ) -> Result<HashMap<StreamId, usize>, Refused> {
        let new = |(stream, _): &(StreamId, Event)| *stream == Proposal::NEW;
        if proposal.claim.is_none() && proposal.events.iter().any(new) {
            return Err(Refused::Unclaimed);
        }
        for (stream, event) in &proposal.events {
            let stream = *stream;
            let sealed = self.append.seals.iter().any(|s| s.row.stream == stream)
                || (ledger.is_sealed(stream) && !self.append.unseals.contains(&stream));
            if matches!(event, Event::Unsealed { .. }) {
                let back = proposal.back.as_ref().map(|alert| alert.stream);
                if !sealed || back != Some(stream) {
                    return Err(Refused::WentOn { stream });
                }
            } else if sealed {
                return Err(Refused::Sealed { stream });
            }
        }
        if let Some(sealing) = &proposal.seal {
            let stream = sealing.card.stream;
            let count = ledger.alert(stream).map(|alert| alert.trail.count());
            let beside = self.events.iter().any(|(other, _)| *other == stream);
            if beside || count != Some(sealing.count) {
                return Err(Refused::WentOn { stream });
            }
        }
        self.texts(proposal, ledger)
    }

    /// How many texts each alert that it speaks of has with it: they count on, and a block names none that is not there.
    fn texts(
        &self,
        proposal: &Proposal,
        ledger: &Ledger,
    ) -> Result<HashMap<StreamId, usize>, Refused> {
        let mut counts = HashMap::new();
        for (stream, event) in &proposal.events {
            let stream = *stream;
            let before = || {
                let held = || ledger.alert(stream).map_or(0, |a| a.variants().len());
                self.texts.get(&stream).copied().unwrap_or_else(held)
            };
            let misfit = |what: String| Err(Refused::Misfit { stream, what });
            match event {
                Event::Variants { first, variants } => {
                    let count = counts.entry(stream).or_insert_with(before);
                    if usize::from(*first) != *count {
                        return misfit(format!("its texts from {first} follow {count} others"));
                    }
                    *count += variants.len();
                }
                Event::Block(block) => {
                    let count = *counts.entry(stream).or_insert_with(before);
                    let unknown = |(_, text): &&(u32, u16)| usize::from(*text) >= count;
                    if let Some((_, text)) = block.variants.iter().find(unknown) {
                        return misfit(format!(
                            "its block of {} names text {text} of {count}",
                            block.region
                        ));
                    }
                }
                _ => {}
            }
        }
        Ok(counts)
    }

    fn seal(&mut self, sealing: Sealing, history: &History) {
        let Sealing {
            mut card,
            households,
            ..
        } = sealing;
        let stream = card.stream;
        let head = history.heads.get(&stream).copied().unwrap_or_default();
        card.sealed.records = head.stream_seq;
        self.events
            .push((stream, Event::Sealed(Box::new(card.sealed))));
        let row = SealedRow {
            stream,
            stream_seq: 0,
            hash: [0; 32],
            epoch: 0,
            at: Timestamp(0),
            card: card.to_bytes(),
        };
        self.append.seals.push(Seal { row, households });
    }

    fn witness(&mut self, history: &History) {
        let grown = |(stream, head): &(&StreamId, &Head)| {
            **stream != 0 && history.witnessed.get(*stream) != Some(*head)
        };
        let heads = history.heads.iter().filter(grown);
        let mut heads: Vec<_> = heads
            .map(|(stream, head)| Witness {
                stream: *stream,
                stream_seq: head.stream_seq,
                hash: head.hash,
            })
            .collect();
        heads.sort_unstable_by_key(|witness| witness.stream);
        if !heads.is_empty() {
            self.events.push((0, Event::Witnessed { heads }));
        }
    }
}

/// The heads that an event notes.
pub(super) fn witnesses(event: &Event) -> &[Witness] {
    match event {
        Event::Witnessed { heads } => heads,
        _ => &[],
    }
}
