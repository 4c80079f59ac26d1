//! What the tests of this crate share.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use channel::testing::{RecordingInlet, context};
use channel::{
    Accepted, Address, Channel, Failure, Key, Message, Of, Outcomes, Stop, Timestamp, Variant,
    Verdict,
};
use parking_lot::Mutex;
use sms::{Config, Sms};

/// An account at this far end, with the shortest answer timeout.
pub fn config(addr: SocketAddr) -> Config {
    Config {
        answer_timeout_seconds: 1,
        reconnect_min_millis: 50,
        reconnect_max_millis: 200,
        ..Config::new(
            &addr.ip().to_string(),
            addr.port(),
            "bureau",
            "secret",
            "12379",
        )
    }
}

pub fn message(number: u32, text: &str) -> Message {
    to(number, &Arc::new(Variant::new("zh-CN", "t", text)))
}

/// One delivery of a shared text, to a number that does not exist.
pub fn to(number: u32, variant: &Arc<Variant>) -> Message {
    Message {
        key: Key {
            alert: 1,
            delivery: number,
            generation: 0,
        },
        serial: u64::from(number),
        variant: variant.clone(),
        address: Address::new(format!("86000{number:08}")),
        // 2040: beyond any run of these tests.
        expires: Timestamp::from_secs(2_209_000_000),
        repeat: false,
    }
}

/// A channel that runs until it is dropped.
pub struct Running {
    pub sms: Arc<Sms>,
    pub inlet: Arc<RecordingInlet>,
    stop: Stop,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    pub fn start(config: Config) -> Self {
        let (context, inlet) = context("sms-test");
        let sms = Arc::new(Sms::new(config, context).unwrap());
        let stop = Stop::new();
        let task = tokio::spawn({
            let (sms, stop) = (sms.clone(), stop.clone());
            async move { sms.run(stop).await }
        });
        Self {
            sms,
            inlet,
            stop,
            task,
        }
    }

    pub async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }

    /// The verdicts on these references, in their order, once every one has a final receipt.
    pub async fn receipts(&self, references: &[String]) -> Vec<Verdict> {
        let mut found = Vec::new();
        until("every reference has its receipt", || {
            let receipts = self.inlet.receipts.lock();
            let of = |id: &String| {
                receipts
                    .iter()
                    .find(|r| r.of == Of::Reference(id.clone()))
                    .map(|r| r.verdict)
            };
            found = references.iter().filter_map(of).collect();
            found.len() == references.len()
        })
        .await;
        found
    }
}

/// Waits for a condition that something else brings about, at most ten seconds.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("after ten seconds still not: {what}");
}

/// Keeps each outcome of a batch and sees that none is settled twice.
pub struct Book(Mutex<Vec<Option<Result<Accepted, Failure>>>>);

impl Book {
    pub fn new(size: usize) -> Self {
        Self(Mutex::new(vec![None; size]))
    }

    pub fn all(self) -> Vec<Result<Accepted, Failure>> {
        self.0
            .into_inner()
            .into_iter()
            .map(|outcome| outcome.expect("every index is settled"))
            .collect()
    }
}

impl Outcomes for Book {
    fn settle(&self, index: usize, outcome: Result<Accepted, Failure>) {
        assert!(
            self.0.lock()[index].replace(outcome).is_none(),
            "{index} is settled once"
        );
    }
}
