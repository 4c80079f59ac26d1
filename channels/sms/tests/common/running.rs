//! An account that runs, for the tests of sessions.

use std::net::SocketAddr;
use std::sync::Arc;

use channel::testing::{RecordingInlet, context};
use channel::{Channel, Context, Of, Stop, Verdict};
use sms::{SmppConfig, Sms};

use crate::common::until;

/// An account at this far end, with the shortest answer timeout.
pub fn config(addr: SocketAddr) -> SmppConfig {
    SmppConfig {
        answer_timeout_seconds: 1,
        reconnect_min_millis: 50,
        reconnect_max_millis: 200,
        ..SmppConfig::new(
            &addr.ip().to_string(),
            addr.port(),
            "bureau",
            "secret",
            "12379",
        )
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
    pub fn start(config: SmppConfig) -> Self {
        Self::of(|context| Sms::smpp(config, context).unwrap())
    }

    pub fn of(make: impl FnOnce(Context) -> Sms) -> Self {
        let (context, inlet) = context("sms-test");
        let sms = Arc::new(make(context));
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
