//! What the tests of this crate share.

use std::sync::Arc;
use std::time::Duration;

use channel::{Accepted, Address, Failure, Key, Message, Outcomes, Timestamp, Variant};
use parking_lot::Mutex;

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
