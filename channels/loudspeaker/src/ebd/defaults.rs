//! What holds where an operator writes nothing, and how seconds and masked texts are read. This module must not check.

use std::time::Duration;

use channel::Address;
use serde::{Deserialize, Deserializer};

pub fn drill() -> u8 {
    3
}

pub fn address_header() -> String {
    "x-forwarded-for".into()
}

pub fn yes() -> bool {
    true
}

pub fn most_areas() -> usize {
    500
}

pub fn connections() -> usize {
    4
}

pub fn answer() -> Duration {
    Duration::from_secs(30)
}

pub fn heartbeat() -> Duration {
    Duration::from_secs(15)
}

pub fn lost_after() -> Duration {
    Duration::from_mins(5)
}

pub fn ask_after() -> Duration {
    Duration::from_mins(2)
}

pub fn held_alarm() -> Duration {
    Duration::from_mins(10)
}

pub fn inventory() -> Duration {
    Duration::from_hours(1)
}

pub fn logs() -> Duration {
    Duration::from_mins(10)
}

pub fn oldest() -> Duration {
    Duration::from_hours(24)
}

pub fn issuer() -> String {
    "000000000000".into()
}

pub fn seconds<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(d)?;
    Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)
}

pub fn masked<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Address>, D::Error> {
    let text = Option::<String>::deserialize(d);
    let text = text
        .map_err(|_| serde::de::Error::custom("a phone or a name is a text: write it in quotes"))?;
    Ok(text.map(Address::new))
}
