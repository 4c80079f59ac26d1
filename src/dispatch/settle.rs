//! Outcomes become `Settled`: each is decided, journaled with the receipts that came before it, and only then leaves
//! room for more. What waits for a store that is away waits here, and nothing of it is lost. This module must not send.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use channel::{Accepted, Failure, FailureClass, Outcomes, Timestamp};
use tokio::sync::{Notify, mpsc};

use super::detours::{Detours, Told};
use super::inlet::Desk;
use super::queue::{Taken, Waiting};
use super::reroute::{self, Case};
use super::retry::{self, Policy, Standing};
use super::suspect::marks;
use super::switch::Switch;
use crate::ledger::event::{LinkState, Next, Outcome, SettledRow};
use crate::ledger::{Block, Event, Proposal, ReceiptRows, Refused};
use crate::model::{Delivery, State, StreamId};

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
    /// These come from another account of the route.
    Moved(Vec<Waiting>),
    /// The far end said: slower.
    Slower(std::time::Duration),
    /// The channel is down.
    Down,
    /// Nothing of it was handed: the journal took nothing.
    Back(Vec<Taken>),
    /// Some were taken without a complaint.
    Fine,
    /// Some were refused for good: the far end is there.
    Heard,
    /// Of some the answer never came.
    Lost,
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
    pub gathers: bool,
    pub channel: String,
    pub outstanding: Arc<AtomicUsize>,
    pub words: mpsc::UnboundedSender<Word>,
    pub room: Arc<Notify>,
    pub switch: Arc<Switch>,
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
            let Decided {
                pending,
                words,
                moved,
            } = self.decide(settlements);
            if !self.commit(pending).await {
                return;
            }
            for word in words {
                let _ = self.words.send(word);
            }
            for (to, places) in moved {
                self.switch.tell(&to, Word::Moved(places));
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

    fn decide(&self, settlements: Vec<Settlement>) -> Decided {
        let now = self.desk.clock.now();
        let mut by_stream: BTreeMap<StreamId, Vec<SettledRow>> = BTreeMap::new();
        let mut words = Vec::new();
        let mut link = None;
        let mut detours = Detours::default();
        for Settlement { places, outcomes } in settlements {
            for (at, outcome) in outcomes {
                let place = &places[at];
                let (outcome, next) = match outcome {
                    Ok(Accepted { references }) => {
                        if !matches!(words.last(), Some(Word::Fine)) {
                            words.push(Word::Fine);
                        }
                        detours.taken(&self.switch, &self.channel, place);
                        let next = retry::after_acceptance(self.told_more, place.block.window, now);
                        (Outcome::Accepted { references }, next)
                    }
                    Err(failure) => {
                        self.complain(&failure, &mut words, &mut link);
                        let next = self.after_failure(place, &failure, now, &mut detours);
                        if let Next::Due { at, .. } = next {
                            words.push(Word::Again(place.block.clone(), place.index, at));
                        }
                        let (class, code) = (failure.class, failure.code.into_owned());
                        (Outcome::Refused { class, code }, next)
                    }
                };
                let row = SettledRow {
                    delivery: place.block.number(place.index),
                    attempt: place.attempt,
                    outcome,
                    next,
                };
                by_stream.entry(place.block.stream).or_default().push(row);
            }
        }
        let (events, moved) = detours.into_events(now);
        Decided {
            pending: self.propose(by_stream, events, link),
            words,
            moved,
        }
    }

    /// By this account again, by another one, or not at all.
    fn after_failure(
        &self,
        place: &Place,
        failure: &Failure,
        now: Timestamp,
        detours: &mut Detours,
    ) -> Next {
        let number = place.block.number(place.index);
        let before = place
            .block
            .attempts(place.index)
            .saturating_sub(place.block.tries(place.index));
        let tries = place.attempt.saturating_sub(before);
        let at = Standing {
            attempt: tries,
            now,
            expires: place.expires,
            // What went as one message is one message again.
            seed: place.block.stream << 32 | if self.gathers { 0 } else { u64::from(number) },
        };
        let next = retry::after_failure(&self.policy, failure, at);
        let case = Case {
            failure,
            tries,
            attempts: self.policy.attempts,
            away: self.switch.is_out(&self.channel),
        };
        let why = reroute::decide(case).filter(|_| place.is_current(&self.channel));
        match why {
            Some(why) if detours.go(&self.switch, &self.channel, place, why) => Next::Due {
                at: now,
                charged: charged(failure.class),
            },
            _ => next,
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
                words.push(Word::Heard);
            }
            FailureClass::BadAddress => words.push(Word::Heard),
            FailureClass::InDoubt => words.push(Word::Lost),
            FailureClass::Transient => {}
        }
    }

    /// References become known and are proposed under one lock, so that no receipt slips between.
    fn propose(
        &self,
        rows: BTreeMap<StreamId, Vec<SettledRow>>,
        detours: Vec<(StreamId, Event)>,
        link: Option<Event>,
    ) -> Pending {
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
        proposal.events.extend(detours);
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

/// What outcomes came to: on its way to the journal, and to be told when it is there.
struct Decided {
    pending: Pending,
    words: Vec<Word>,
    moved: Told,
}

impl Place {
    /// Whether nothing has happened to it since: it may have gone another way while it hung here.
    fn is_current(&self, channel: &str) -> bool {
        let (block, i) = (&self.block, self.index);
        block.state(i) == State::Handed
            && block.attempts(i) == self.attempt
            && block.is_on(i, channel)
    }
}

/// Whether an attempt of this end counts.
const fn charged(class: FailureClass) -> bool {
    !matches!(class, FailureClass::LinkDown | FailureClass::Throttled)
}

type Pending = std::pin::Pin<
    Box<dyn Future<Output = Result<crate::ledger::Commit, (Refused, Proposal)>> + Send>,
>;
