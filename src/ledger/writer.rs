//! The single writer. It takes proposals in the order they are made, packs what waits into one commit (the next commit
//! starts when the last ends: natural group commit), folds what is durable, and only then answers. A refused commit
//! changes nothing and uses up no number. This module must not decide: a proposal carries finished events.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use channel::{Clock, Timestamp};
use tokio::sync::{mpsc, oneshot, watch};

use super::record::{self, Frame, Head};
use super::{Event, Identity, Ledger};
use crate::model::StreamId;
use crate::store::{Append, DocumentId, IdentityRow, InboxRow, Record, Store, StoreError};

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
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the journal is closed: the gateway is stopping")]
    Closed,
}

struct Waiting {
    proposal: Proposal,
    answer: Answer,
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
        let given = self.give.send(Waiting { proposal, answer });
        async move {
            given.map_err(|_| Refused::Closed)?;
            wait.await.map_err(|_| Refused::Closed)?
        }
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

    async fn commit(&mut self, group: Vec<Waiting>) {
        let mut draft = Draft {
            append: Append::default(),
            events: Vec::new(),
            answers: Vec::with_capacity(group.len()),
            next_stream: self.next_stream,
        };
        let refusals = self.refusals.load(SeqCst);
        for waiting in group {
            if waiting.proposal.follows.is_some_and(|n| n != refusals) {
                let why = "what it follows was refused before".into();
                let refused = StoreError::Away("append to the journal", why);
                let _ = waiting.answer.send(Err(refused.into()));
                continue;
            }
            draft.take(waiting, &self.history.identities);
        }
        let Draft {
            mut append,
            events,
            answers,
            next_stream,
        } = draft;
        if answers.is_empty() {
            return;
        }
        let now = self.clock.now();
        let heads = self.pack(&mut append, now, &events);
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
            for (answer, _) in answers {
                let _ = answer.send(Err(error.clone().into()));
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
        self.fold(now, &events);
        for (answer, outcome) in answers {
            let _ = answer.send(outcome.map(|opened| Commit {
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

    fn fold(&self, now: Timestamp, events: &[(StreamId, Event)]) {
        for (stream, event) in events {
            if let Err(misfit) = self.ledger.apply(*stream, now, event) {
                tracing::error!(%misfit, "an event did not fit; a restart will mark its stream");
            }
        }
    }
}

type Answer = oneshot::Sender<Result<Commit, Refused>>;

/// One commit while it is put together.
struct Draft {
    append: Append,
    events: Vec<(StreamId, Event)>,
    /// What each is told once all of it is durable: the stream it opened, or why not.
    answers: Vec<(Answer, Result<Option<StreamId>, Refused>)>,
    next_stream: StreamId,
}

impl Draft {
    fn take(&mut self, waiting: Waiting, identities: &HashMap<String, (StreamId, [u8; 32])>) {
        let Waiting {
            mut proposal,
            answer,
        } = waiting;
        let mut opened = None;
        if let Some((identity, content)) = proposal.claim.take() {
            let name = identity.to_string();
            if let Some(known) = known(identities.get(&name), content) {
                let _ = answer.send(Err(known));
                return;
            }
            let beside = self.append.identities.iter().find(|r| r.identity == name);
            if let Some(known) = known(beside.map(|r| (r.stream, r.content)).as_ref(), content) {
                // Its holder is not durable yet, so this answer waits with it.
                self.answers.push((answer, Err(known)));
                return;
            }
            self.append.identities.push(IdentityRow {
                identity: name,
                stream: self.next_stream,
                content,
            });
            opened = Some(self.next_stream);
            self.next_stream += 1;
        }
        for (stream, event) in proposal.events {
            let stream = match stream {
                Proposal::NEW => opened.unwrap_or(0),
                stream => stream,
            };
            self.events.push((stream, event));
        }
        self.append.documents.append(&mut proposal.documents);
        self.append.inbox_put.append(&mut proposal.inbox_put);
        self.append.inbox_take.append(&mut proposal.inbox_take);
        self.answers.push((answer, Ok(opened)));
    }
}

/// The refusal of a claim whose identity is held.
fn known(holder: Option<&(StreamId, [u8; 32])>, content: [u8; 32]) -> Option<Refused> {
    holder.map(|(stream, theirs)| Refused::Known {
        stream: *stream,
        same_content: *theirs == content,
    })
}
