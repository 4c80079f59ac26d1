#![doc = include_str!("../README.md")]

pub mod codec;
mod config;
mod dialect;
pub mod http;
pub mod peer;
pub mod receipt;
mod reply;
mod session;
pub mod status;
pub mod text;
mod validity;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use channel::{
    Accepted, Capability, Channel, Context, EndpointKind, Evidence, Failure, Health, Message,
    Outcomes, Stop, Style, Variant,
};
use parking_lot::Mutex;

pub use config::{
    CmppConfig, ConfigError, MAX_SEGMENTS, Password, ReceiptId, Reference, SmppConfig,
};
pub use http::HttpSms;
pub use http::mas::MasConfig;
pub use http::shape::HttpConfig;
pub use reply::Acknowledge;
pub use validity::Validity;

use dialect::Dialect;
use session::Account;

/// One account at one far end, over SMPP or CMPP.
pub struct Sms(Account);

/// What a channel counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Texts from handsets that were handed on.
    pub replies: u64,
    /// Receipts that name no message: answered and not kept.
    pub unreadable: u64,
    /// Answers to a message that had been given up as in doubt.
    pub late: u64,
    /// Receipts left unanswered because too many waited already; the far end comes again.
    pub overflow: u64,
}

impl Sms {
    pub fn smpp(config: SmppConfig, context: Context) -> Result<Self, ConfigError> {
        config.validate()?;
        let line = config.line();
        Ok(Self::of(
            line,
            Arc::new(dialect::smpp::Smpp(config)),
            context,
        ))
    }

    pub fn cmpp(config: CmppConfig, context: Context) -> Result<Self, ConfigError> {
        config.validate()?;
        let line = config.line();
        Ok(Self::of(
            line,
            Arc::new(dialect::cmpp::Cmpp(config)),
            context,
        ))
    }

    fn of(line: config::Line, dialect: Arc<dyn Dialect>, context: Context) -> Self {
        Self(Account::new(line, dialect, context))
    }

    pub fn counters(&self) -> Counters {
        let counts = &self.0.counts;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            replies: read(&counts.replies),
            unreadable: read(&counts.unreadable),
            late: read(&counts.late),
            overflow: read(&counts.overflow),
        }
    }
}

/// Keeps the outcome of a batch of one.
#[derive(Default)]
struct One(Mutex<Option<Result<Accepted, Failure>>>);

impl One {
    fn into_inner(self) -> Result<Accepted, Failure> {
        let outcome = self.0.into_inner();
        outcome.expect("send_all settles every message of its batch")
    }
}

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
            window: self.0.line.window * self.0.line.connections,
            repeat_is_harmless: false,
        }
    }

    fn cost(&self, variant: &Variant) -> u32 {
        text::prepared(variant, self.0.dialect.coding()).segments()
    }

    async fn send(&self, message: &Message) -> Result<Accepted, Failure> {
        let one = One::default();
        self.send_all(std::slice::from_ref(message), &one).await;
        one.into_inner()
    }

    async fn send_all(&self, batch: &[Message], outcomes: &dyn Outcomes) {
        self.0.send_all(batch, outcomes).await;
    }

    async fn run(&self, stop: Stop) {
        self.0.run(stop).await;
    }

    fn health(&self) -> Health {
        self.0.health()
    }
}
