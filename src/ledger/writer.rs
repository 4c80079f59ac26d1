//! The single writer. It takes proposals in the order they are made, packs what waits into one commit (the next commit
//! starts when the last ends: natural group commit), folds what is durable, and only then answers. A refused commit
//! changes nothing and uses up no number. This module must not decide: a proposal carries finished events.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use channel::{Clock, Timestamp};
use tokio::sync::{mpsc, oneshot, watch};

use super::alert::Alert;
use super::draft::{Draft, witnesses};
use super::record::{self, Frame, Head};
use super::seal::Sealing;
use super::{Event, Identity, Ledger};
use crate::model::StreamId;
use crate::store::{Append, DocumentId, InboxRow, Record, Seal, Store, StoreError};

/// The sequence of the last record of a commit: whoever has seen it has seen everything before it.
pub type Position = u64;

/// What belongs into one commit.
#[derive(Clone, Default)]
pub struct Proposal {
    /// In this order. Stream `NEW` is given the next free number: a proposal may open one stream.
    pub events: Vec<(StreamId, Event)>,
    /// Opens a stream under this identity, once.
    pub claim: Option<(Identity, [u8; 32])>,
    pub documents: Vec<(DocumentId, Vec<u8>)>,
    pub inbox_put: Vec<InboxRow>,
    pub inbox_take: Vec<u64>,
    /// It builds on proposals whose commit was not awaited: refused once the writer has refused a commit since
    /// `Writer::refusals` was this.
    pub follows: Option<u64>,
    /// Seals an alert, if nothing has happened to it since its figures were made.
    pub seal: Option<Box<Sealing>>,
    /// The state that an `Unsealed` among its events brings back.
    pub back: Option<Arc<Alert>>,
    /// Notes the heads of all streams that have grown since the last time.
    pub witness: bool,
}

impl Proposal {
    /// The stream that this proposal opens.
    pub const NEW: StreamId = StreamId::MAX;

    pub fn of(stream: StreamId, event: Event) -> Self {
        Self {
            events: vec![(stream, event)],
            ..Self::default()
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Commit {
    pub position: Position,
    /// The stream that was opened, if one was.
    pub opened: Option<StreamId>,
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// The identity is held already.
    #[error("this alert is known already as {stream}")]
    Known {
        stream: StreamId,
        same_content: bool,
    },
    #[error(
        "a proposal writes to a new stream and claims no identity for it: give it one; nothing was changed"
    )]
    Unclaimed,
    /// It speaks of an alert that is sealed, or was in the same commit.
    #[error("alert {stream} is sealed: it is to be unsealed first; nothing was changed")]
    Sealed { stream: StreamId },
    /// The fold takes it, for journals of format 1 hold such blocks; nobody writes another.
    #[error("alert {stream}: {what}; nothing was changed")]
    Misfit { stream: StreamId, what: String },
    #[error(
        "alert {stream} is not as it was looked at; nothing was changed, it is looked at again"
    )]
    WentOn { stream: StreamId },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the journal is closed: the gateway is stopping")]
    Closed,
}

pub(super) struct Waiting {
    pub proposal: Proposal,
    pub answer: Answer,
    /// Where it goes back to when the store refuses it.
    pub back: Option<oneshot::Sender<Proposal>>,
}

/// Hands proposals to the writer's task.
#[derive(Clone)]
pub struct Writer {
    give: mpsc::UnboundedSender<Waiting>,
    position: watch::Receiver<Position>,
    refusals: Arc<AtomicU64>,
}

/// What the writer must know of the history before it.
#[derive(Default)]
pub struct History {
    pub seq: u64,
    pub epoch: u32,
    pub heads: HashMap<StreamId, Head>,
    pub identities: HashMap<String, (StreamId, [u8; 32])>,
    /// Heads as the house stream notes them.
    pub witnessed: HashMap<StreamId, Head>,
}

impl Writer {
    pub fn start(
        store: Arc<dyn Store>,
        ledger: Arc<Ledger>,
        clock: Arc<dyn Clock>,
        history: History,
    ) -> Self {
        let (give, take) = mpsc::unbounded_channel();
        let (publish, position) = watch::channel(history.seq);
        // A stream whose records were lost still has its identity: its number is not given again.
        let held = history.identities.values().map(|(stream, _)| stream);
        let next_stream = history.heads.keys().chain(held).max();
        let next_stream = next_stream.map_or(1, |last| last.saturating_add(1));
        let refusals = Arc::new(AtomicU64::new(0));
        let state = State {
            refusals: refusals.clone(),
            store,
            ledger,
            clock,
            history,
            next_stream,
            publish,
        };
        tokio::spawn(state.run(take));
        Self {
            give,
            position,
            refusals,
        }
    }

    /// Takes its place in the journal's order at once; ready when durable and folded.
    pub fn propose(
        &self,
        proposal: Proposal,
    ) -> impl Future<Output = Result<Commit, Refused>> + Send + use<> {
        let (answer, wait) = oneshot::channel();
        let given = self.give.send(Waiting {
            proposal,
            answer,
            back: None,
        });
        async move {
            given.map_err(|_| Refused::Closed)?;
            wait.await.map_err(|_| Refused::Closed)?
        }
    }

    /// As `propose`, of events and of receipts taken from the inbox alone: what the store refuses comes back, so that it
    /// can be proposed again without a copy kept for that.
    pub fn insist(
        &self,
        proposal: Proposal,
    ) -> impl Future<Output = Result<Commit, (Refused, Proposal)>> + Send + use<> {
        let ((answer, wait), (back, returned)) = (oneshot::channel(), oneshot::channel());
        let given = self.give.send(Waiting {
            proposal,
            answer,
            back: Some(back),
        });
        async move {
            let answer = match given {
                Ok(()) => wait.await.unwrap_or(Err(Refused::Closed)),
                Err(_) => Err(Refused::Closed),
            };
            match answer {
                Ok(commit) => Ok(commit),
                Err(refused) => Err((refused, returned.await.unwrap_or_default())),
            }
        }
    }

    /// Notes the heads of all streams that have grown since the last time. Nobody need wait for it: a lost one is taken
    /// again.
    pub fn witness(&self) -> impl Future<Output = Result<Commit, Refused>> + Send + use<> {
        self.propose(Proposal {
            witness: true,
            ..Proposal::default()
        })
    }

    /// How many commits the store has refused. Read before a chain of proposals that are not awaited one by one.
    pub fn refusals(&self) -> u64 {
        self.refusals.load(SeqCst)
    }

    /// Rises with every commit; lanes and watchers wake by it.
    pub fn position(&self) -> watch::Receiver<Position> {
        self.position.clone()
    }
}

struct State {
    store: Arc<dyn Store>,
    ledger: Arc<Ledger>,
    clock: Arc<dyn Clock>,
    history: History,
    next_stream: StreamId,
    publish: watch::Sender<Position>,
    refusals: Arc<AtomicU64>,
}

/// How many proposals one commit takes at most.
const GROUP: usize = 4096;

impl State {
    async fn run(mut self, mut take: mpsc::UnboundedReceiver<Waiting>) {
        let mut group = Vec::new();
        while take.recv_many(&mut group, GROUP).await > 0 {
            self.commit(std::mem::take(&mut group)).await;
        }
    }

    /// What waits, put together into one commit.
    fn draft(&self, group: Vec<Waiting>) -> Draft {
        let mut draft = Draft {
            append: Append::default(),
            events: Vec::new(),
            answers: Vec::with_capacity(group.len()),
            back: Vec::new(),
            texts: HashMap::new(),
            next_stream: self.next_stream,
        };
        for waiting in group {
            let (follows, refusals) = (waiting.proposal.follows, self.refusals());
            if follows.is_some_and(|n| n != refusals) {
                let why = "what it follows was refused before".into();
                let refused = StoreError::Away("append to the journal", why);
                let _ = waiting.answer.send(Err(refused.into()));
                continue;
            }
            let taken = draft.take(waiting, &self.history, &self.ledger);
            if !taken && follows.is_some() {
                self.refusals.fetch_add(1, SeqCst);
            }
        }
        draft
    }

    fn refusals(&self) -> u64 {
        self.refusals.load(SeqCst)
    }

    async fn commit(&mut self, group: Vec<Waiting>) {
        let Draft {
            mut append,
            events,
            answers,
            back,
            next_stream,
            ..
        } = self.draft(group);
        if answers.is_empty() {
            return;
        }
        let now = self.clock.now();
        let heads = self.pack(&mut append, now, &events);
        self.stamp(&mut append.seals, now, &heads);
        let last = append.records.last().map_or(self.history.seq, |r| r.seq);
        let identities = append.identities.clone();
        let written = if append.is_empty() {
            Ok(())
        } else {
            self.store.append(append).await
        };
        if let Err(error) = written {
            tracing::error!(%error, proposals = answers.len(), "nothing was committed");
            self.refusals.fetch_add(1, SeqCst);
            for told in answers {
                told.refuse(&error, &events);
            }
            return;
        }
        self.history.seq = last;
        self.history.heads.extend(heads);
        let held = identities
            .into_iter()
            .map(|row| (row.identity, (row.stream, row.content)));
        self.history.identities.extend(held);
        self.next_stream = next_stream;
        for alert in back {
            self.ledger.bring_back(alert);
        }
        self.fold(now, &events);
        for told in answers {
            let _ = told.answer.send(told.outcome.map(|opened| Commit {
                position: last,
                opened,
            }));
        }
        self.publish.send_replace(last);
    }

    /// One record for each run of events of one stream, in order.
    fn pack(
        &self,
        append: &mut Append,
        now: Timestamp,
        events: &[(StreamId, Event)],
    ) -> HashMap<StreamId, Head> {
        let mut heads: HashMap<StreamId, Head> = HashMap::new();
        let runs = events.chunk_by(|a, b| a.0 == b.0);
        for (seq, run) in (self.history.seq + 1..).zip(runs) {
            let stream = run[0].0;
            let head = heads
                .get(&stream)
                .or_else(|| self.history.heads.get(&stream))
                .copied()
                .unwrap_or_default();
            let frame = Frame {
                seq,
                epoch: self.history.epoch,
                stream,
                time: now,
            };
            let list: Vec<&Event> = run.iter().map(|(_, event)| event).collect();
            let record: Record = record::pack(frame, head, &list);
            heads.insert(
                stream,
                Head {
                    stream_seq: record.stream_seq,
                    hash: record::hash(&record),
                },
            );
            append.records.push(record);
        }
        heads
    }

    /// Where each sealed stream ends, now that it is known.
    fn stamp(&self, seals: &mut [Seal], now: Timestamp, heads: &HashMap<StreamId, Head>) {
        for Seal { row, .. } in seals {
            let head = heads.get(&row.stream).copied().unwrap_or_default();
            (row.stream_seq, row.hash) = (head.stream_seq, head.hash);
            (row.epoch, row.at) = (self.history.epoch, now);
        }
    }

    /// Record by record, as a restart does.
    fn fold(&mut self, now: Timestamp, events: &[(StreamId, Event)]) {
        for run in events.chunk_by(|a, b| a.0 == b.0) {
            let stream = run[0].0;
            let list = run.iter().map(|(_, event)| event);
            if let Err(misfit) = self.ledger.take(stream, now, list) {
                tracing::error!(%misfit, "an event did not fit; its stream is marked, the others go on");
            }
        }
        let witnessed = events.iter().flat_map(|(_, event)| witnesses(event));
        let heads = witnessed.map(|w| (w.stream, Head::from(*w)));
        self.history.witnessed.extend(heads);
        self.ledger.shed();
    }
}

pub(super) type Answer = oneshot::Sender<Result<Commit, Refused>>;
