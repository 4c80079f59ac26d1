//! Outcomes become `Settled`: each is decided, journaled with the receipts that came before it, and only then leaves
//! room for more. What waits for a store that is away waits here, and nothing of it is lost. This module must not send.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use channel::{Accepted, Failure, FailureClass, Outcomes, Timestamp};
use tokio::sync::{Notify, mpsc};

use super::inlet::Desk;
use super::queue::Taken;
use super::retry::{self, Policy, Standing};
use super::suspect::marks;
use crate::ledger::event::{LinkState, Next, Outcome, SettledRow};
use crate::ledger::{Block, Event, Proposal, ReceiptRows, Refused};
use crate::model::{Delivery, StreamId};

/// Outcomes of one range on their way to the journal.
pub struct Settlement {
    pub places: Arc<Vec<Place>>,
    /// Each with its place in the range.
    pub outcomes: Vec<(usize, Result<Accepted, Failure>)>,
}

/// Whose outcome it is.
pub struct Place {
    pub block: Arc<Block>,
    pub index: usize,
    pub attempt: u8,
    pub expires: Timestamp,
}

/// What the settler tells its lane.
pub enum Word {
    /// Comes back at this time.
    Again(Arc<Block>, usize, Timestamp),
    /// The far end said: slower.
    Slower(std::time::Duration),
    /// The channel is down.
    Down,
    /// Nothing of it was handed: the journal took nothing.
    Back(Vec<Taken>),
    /// Some were taken without a complaint.
    Fine,
}

/// Takes a batch's outcomes and knows whose they are.
pub struct BatchOutcomes {
    pub places: Arc<Vec<Place>>,
    pub give: mpsc::UnboundedSender<Settlement>,
}

impl Outcomes for BatchOutcomes {
    fn settle(&self, at: usize, outcome: Result<Accepted, Failure>) {
        self.settle_all(&mut vec![(at, outcome)]);
    }

    fn settle_all(&self, outcomes: &mut Vec<(usize, Result<Accepted, Failure>)>) {
        let settlement = Settlement {
            places: self.places.clone(),
            outcomes: std::mem::take(outcomes),
        };
        // The settler outlives every batch; where it is gone the process is ending and a restart is in doubt.
        let _ = self.give.send(settlement);
    }
}

pub struct Settler {
    pub desk: Arc<Desk>,
    pub policy: Policy,
    pub told_more: bool,
    pub channel: String,
    pub outstanding: Arc<AtomicUsize>,
    pub words: mpsc::UnboundedSender<Word>,
    pub room: Arc<Notify>,
}

/// How long a lane holds its breath when the far end says slower without saying for how long.
const BREATH: std::time::Duration = std::time::Duration::from_millis(100);

/// As many outcomes as this are enough for one event.
const GROUP: usize = 2_000;

impl Settler {
    pub async fn run(self, mut take: mpsc::UnboundedReceiver<Settlement>) {
        while let Some(first) = take.recv().await {
            let mut count = first.outcomes.len();
            let mut settlements = vec![first];
            while count < GROUP
                && let Ok(more) = take.try_recv()
            {
                count += more.outcomes.len();
                settlements.push(more);
            }
            let (pending, words) = self.decide(settlements);
            if !self.commit(pending).await {
                return;
            }
            for word in words {
                let _ = self.words.send(word);
            }
            self.outstanding.fetch_sub(count, Ordering::SeqCst);
            self.room.notify_one();
        }
    }

    /// Until it is durable; false when the journal is closed.
    async fn commit(&self, mut pending: Pending) -> bool {
        loop {
            match pending.await {
                Ok(_) => return true,
                Err((Refused::Closed, _)) => return false,
                // Nothing that is in hand is ever sealed.
                Err((refused @ Refused::Sealed { .. }, _)) => {
                    tracing::error!(channel = self.channel, %refused, "outcomes of a sealed alert are dropped");
                    return true;
                }
                Err((refused, proposal)) => {
                    tracing::warn!(channel = self.channel, %refused, "outcomes wait for the journal");
                    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
                    pending = Box::pin(self.desk.writer.insist(proposal));
                }
            }
        }
    }

    fn decide(&self, settlements: Vec<Settlement>) -> (Pending, Vec<Word>) {
        let now = self.desk.clock.now();
        let mut by_stream: BTreeMap<StreamId, Vec<SettledRow>> = BTreeMap::new();
        let mut words = Vec::new();
        let mut link = None;
        for Settlement { places, outcomes } in settlements {
            for (at, outcome) in outcomes {
                let place = &places[at];
                let (outcome, next) = self.next(place, outcome, now, &mut words, &mut link);
                if let Next::Due { at, .. } = next {
                    words.push(Word::Again(place.block.clone(), place.index, at));
                }
                let row = SettledRow {
                    delivery: place.block.number(place.index),
                    attempt: place.attempt,
                    outcome,
                    next,
                };
                by_stream.entry(place.block.stream).or_default().push(row);
            }
        }
        (self.propose(by_stream, link), words)
    }

    fn next(
        &self,
        place: &Place,
        outcome: Result<Accepted, Failure>,
        now: Timestamp,
        words: &mut Vec<Word>,
        link: &mut Option<Event>,
    ) -> (Outcome, Next) {
        match outcome {
            Ok(Accepted { references }) => {
                if !matches!(words.last(), Some(Word::Fine)) {
                    words.push(Word::Fine);
                }
                let next = retry::after_acceptance(self.told_more, place.block.window, now);
                (Outcome::Accepted { references }, next)
            }
            Err(failure) => {
                self.complain(&failure, words, link);
                let number = place.block.number(place.index);
                let at = Standing {
                    attempt: place.attempt,
                    now,
                    expires: place.expires,
                    seed: place.block.stream << 32 | u64::from(number),
                };
                let next = retry::after_failure(&self.policy, &failure, at);
                let (class, code) = (failure.class, failure.code.into_owned());
                (Outcome::Refused { class, code }, next)
            }
        }
    }

    fn complain(&self, failure: &Failure, words: &mut Vec<Word>, link: &mut Option<Event>) {
        match failure.class {
            FailureClass::Throttled => {
                words.push(Word::Slower(failure.retry_after.unwrap_or(BREATH)));
            }
            FailureClass::LinkDown => {
                words.push(Word::Down);
                let (class, code) = (failure.class, failure.code.to_string());
                *link = Some(Event::Link {
                    channel: self.channel.clone(),
                    state: LinkState::Paused,
                    class,
                    code,
                });
            }
            FailureClass::BadContent => {
                tracing::error!(channel = self.channel, %failure, "the far end refuses the text; its siblings will fail too");
            }
            FailureClass::Transient | FailureClass::BadAddress | FailureClass::InDoubt => {}
        }
    }

    /// References become known and are proposed under one lock, so that no receipt slips between.
    fn propose(&self, rows: BTreeMap<StreamId, Vec<SettledRow>>, link: Option<Event>) -> Pending {
        let mut proposal = Proposal::default();
        let mut receipts = ReceiptRows::default();
        let mut correlator = self.desk.correlator.lock();
        for (stream, rows) in rows {
            for row in &rows {
                let Outcome::Accepted { references } = &row.outcome else {
                    continue;
                };
                let delivery = Delivery {
                    stream,
                    number: row.delivery,
                };
                for (part, reference) in (0_u8..).zip(references) {
                    let place = (part, row.attempt);
                    let claimed = correlator.settled(&self.channel, reference, delivery, place);
                    receipts.claimed(claimed, &mut proposal.inbox_take);
                }
            }
            proposal.events.push((
                stream,
                Event::Settled {
                    channel: self.channel.clone(),
                    rows,
                },
            ));
        }
        proposal.events.extend(receipts.into_events(&self.channel));
        if let Some(link) = link {
            let known = self
                .desk
                .ledger
                .links()
                .get(&self.channel)
                .map(|(state, ..)| *state);
            if known != Some(LinkState::Paused) {
                proposal.events.push((0, link));
            }
        }
        let marks = marks(&self.desk.ledger, &proposal.events);
        proposal.events.extend(marks);
        let pending = Box::pin(self.desk.writer.insist(proposal));
        drop(correlator);
        self.desk.rounds.send_modify(|rounds| *rounds += 1);
        pending
    }
}

type Pending = std::pin::Pin<
    Box<dyn Future<Output = Result<crate::ledger::Commit, (Refused, Proposal)>> + Send>,
>;
