#![doc = include_str!("../README.md")]

mod bind;
mod config;
mod group;
mod hand_on;
mod link;
pub mod pdu;
pub mod peer;
mod quiet;
pub mod receipt;
mod session;
pub mod status;
mod submit;
pub mod text;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use channel::{
    Accepted, Capability, Channel, Context, EndpointKind, Evidence, Failure, FailureClass, Health,
    Message, Outcomes, Stop, Style, Variant,
};
use parking_lot::Mutex;

pub use config::{Config, ConfigError, MAX_SEGMENTS, Password, ReceiptId, Validity};
pub use text::segments;

use link::{Counts, Live};
use session::State;
use submit::{Submission, prepared};

/// One SMPP account.
pub struct Sms {
    config: Config,
    context: Context,
    state: tokio::sync::watch::Sender<State>,
    counts: Arc<Counts>,
}

/// What a channel counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Texts from handsets: answered and not kept.
    pub replies: u64,
    /// Receipts that name no message: answered and not kept.
    pub unreadable: u64,
    /// Answers to a message that had been given up as in doubt.
    pub late: u64,
    /// Receipts left unanswered because too many waited already; the far end comes again.
    pub overflow: u64,
}

impl Sms {
    pub fn new(config: Config, context: Context) -> Result<Self, ConfigError> {
        config.validate()?;
        let state = tokio::sync::watch::Sender::new(State::Starting);
        Ok(Self {
            config,
            context,
            state,
            counts: Arc::default(),
        })
    }

    pub fn counters(&self) -> Counters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            replies: read(&self.counts.replies),
            unreadable: read(&self.counts.unreadable),
            late: read(&self.counts.late),
            overflow: read(&self.counts.overflow),
        }
    }

    /// The bound session. Before the first bind is decided it is waited for, as long as an answer may take; after
    /// that there is one, or the link is down at once.
    async fn live(&self) -> Result<Arc<Live>, Failure> {
        let mut changes = self.state.subscribe();
        let decided = changes.wait_for(|state| !matches!(state, State::Starting));
        let state = match tokio::time::timeout(self.config.answer_timeout(), decided).await {
            Ok(Ok(state)) => state.clone(),
            Ok(Err(_)) | Err(_) => State::Starting,
        };
        match state {
            State::Bound(live) => Ok(live),
            State::Down(failure) => Err(failure),
            State::Starting => Err(Failure::new(
                FailureClass::LinkDown,
                "smpp:unbound",
                "no session was bound yet; look whether the channel runs",
            )),
        }
    }
}

/// Keeps the outcome of a batch of one.
#[derive(Default)]
struct One(Mutex<Option<Result<Accepted, Failure>>>);

impl Outcomes for One {
    fn settle(&self, _index: usize, outcome: Result<Accepted, Failure>) {
        *self.0.lock() = Some(outcome);
    }
}

#[async_trait]
impl Channel for Sms {
    fn capability(&self) -> Capability {
        Capability {
            kind: "sms",
            speaks_to: EndpointKind::Mobile,
            style: Style::Short,
            best: Evidence::Delivered,
            batch: 500,
            window: self.config.window,
            repeat_is_harmless: false,
        }
    }

    fn cost(&self, variant: &Variant) -> u32 {
        prepared(variant, self.config.gsm7).segments()
    }

    async fn send(&self, message: &Message) -> Result<Accepted, Failure> {
        let one = One::default();
        self.send_all(std::slice::from_ref(message), &one).await;
        one.0
            .into_inner()
            .expect("send_all settles every message of its batch")
    }

    async fn send_all(&self, batch: &[Message], outcomes: &dyn Outcomes) {
        match self.live().await {
            Ok(live) => {
                Submission::new(&self.config, &self.context, &live, outcomes)
                    .run(batch)
                    .await;
            }
            Err(failure) => {
                for index in 0..batch.len() {
                    outcomes.settle(index, Err(failure.clone()));
                }
            }
        }
    }

    async fn run(&self, stop: Stop) {
        session::run(
            &self.config,
            &self.context,
            &self.state,
            &self.counts,
            &stop,
        )
        .await;
    }

    fn health(&self) -> Health {
        match &*self.state.borrow() {
            State::Bound(_) => Health::Up,
            State::Starting => Health::Down("not bound yet".to_owned()),
            State::Down(failure) => Health::Down(format!("{}: {}", failure.code, failure.detail)),
        }
    }
}
