//! Why a call of a device is not served, each with what to do about it, and how often that was said. This module must not
//! decide which it is.

use std::collections::BTreeMap;
use std::time::Duration;

use channel::Timestamp;
use parking_lot::Mutex;
use serde_json::{Value, json};

/// Why a call is not served: its status, a short code, and what to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Refused {
    pub status: u16,
    pub code: &'static str,
    pub why: &'static str,
    /// When to call again.
    pub after: Option<Duration>,
}

pub(crate) const fn refuse(status: u16, code: &'static str, why: &'static str) -> Refused {
    Refused {
        status,
        code,
        why,
        after: None,
    }
}

pub(crate) const UNPROVEN: Refused = refuse(
    401,
    "unproven",
    "the call is not signed by this device's key; send `authorization: Tocsin DEVICE TIME SIGNATURE`",
);
pub(crate) const STALE: Refused = refuse(
    401,
    "stale-time",
    "the time of the call is more than five minutes off; sign it with the `time` of this answer",
);
pub(crate) const NOT_ENROLLED: Refused = refuse(
    401,
    "not-enrolled",
    "no key stands for this device: it was never enrolled, or revoked; have a new code made and enrol",
);
pub(crate) const BAD_CODE: Refused = refuse(
    403,
    "bad-code",
    "this code does not stand for this device; it works once and not for ever: have a new one made",
);
pub(crate) const TOO_MANY: Refused = refuse(
    429,
    "too-many-codes",
    "too many wrong codes; wait as `retry-after` says",
);
pub(crate) const TOO_LONG: Refused = refuse(413, "too-long", "the body is longer than 16 KiB");
pub(crate) const NOT_JSON: Refused =
    refuse(400, "bad-body", "the body is not the JSON of this call");
pub(crate) const BAD_KEY: Refused = refuse(
    422,
    "bad-key",
    "`key` is an Ed25519 public key: 32 bytes in hex",
);
pub(crate) const BAD_POLL: Refused = refuse(
    400,
    "bad-poll",
    "`took` is at most 16 counters, each above `after`",
);
pub(crate) const NAMELESS: Refused = refuse(
    422,
    "no-order",
    "a report on the gateway's play names its `order`",
);
pub(crate) const STRANGE: Refused = refuse(
    403,
    "unknown-order",
    "this gateway gave no such order; echo the order's `order`",
);
pub(crate) const UNKEPT: Refused = refuse(503, "not-kept", "it could not be kept; send it again");
pub(crate) const CLOSING: Refused = refuse(503, "closing", "the gateway is closing; poll again");
pub(crate) const NO_CALL: Refused = refuse(
    404,
    "unknown-call",
    "the calls are enrol, orders, sounds, reports, heartbeats and rekey",
);
pub(crate) const NO_POST: Refused = refuse(405, "wrong-method", "every call is a POST");

pub(crate) const BUSY: Refused = refuse(
    503,
    "busy",
    "too many calls wait; make it again in some seconds",
);
pub(crate) const BAD_TOPIC: Refused = refuse(404, "bad-topic", "nothing of ours has such a topic");
pub(crate) const BAD_STATE: Refused =
    refuse(400, "bad-state", "a device's state is online or offline");
pub(crate) const WRONG_TOPIC: Refused = refuse(
    403,
    "wrong-topic",
    "the call is another device's than its topic says; publish to the device's own",
);
pub(crate) const REPLAYED: Refused = refuse(
    409,
    "replayed",
    "a later call was heard already; the times of a device's calls rise",
);
pub(crate) const BY_API: Refused = refuse(
    403,
    "enrol-by-api",
    "a broker would see the code: enrol over HTTPS, at the channel's address",
);

impl Refused {
    /// Every refusal carries the time, by which a device with a wrong clock can sign its next call.
    pub fn body(&self, time: Timestamp) -> Value {
        json!({ "error": self.why, "code": self.code, "time": time })
    }
}

/// How often each refusal was given.
#[derive(Default)]
pub(crate) struct Tally(Mutex<BTreeMap<&'static str, u64>>);

impl Tally {
    pub fn all(&self) -> Vec<(&'static str, u64)> {
        let counts = self.0.lock();
        counts.iter().map(|(why, count)| (*why, *count)).collect()
    }

    pub fn count(&self, refused: Refused) {
        *self.0.lock().entry(refused.code).or_default() += 1;
    }
}
