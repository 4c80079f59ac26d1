//! What the tests of this crate share.

use std::net::SocketAddr;
use std::sync::Arc;

use channel::{Address, Key, Message, Timestamp, Variant};
use sms::Config;

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
