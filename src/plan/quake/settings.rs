//! `[earthquake]` of the configuration: whose word is relayed, how the ground shakes, and which machines act of themselves.
//! This module must not prove a signature.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::bands::{self, Band};
use crate::model::{RegionCode, is_name};

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Earthquake {
    /// Of the shear wave, in kilometres a second.
    #[serde(default = "speed")]
    pub speed: f64,
    #[serde(default = "bands::shipped", rename = "band")]
    pub bands: Vec<Band>,
    #[serde(rename = "feed")]
    pub feeds: Vec<Feed>,
    /// Machines that act of themselves: hydropower, gas, school bells.
    #[serde(default, rename = "subscriber")]
    pub subscribers: Vec<Subscriber>,
    /// Where loudspeakers sound in an exercise; nowhere unless said.
    #[serde(default)]
    pub exercise: Vec<RegionCode>,
}

/// The province's seismic centre, or whoever it has relay its word to us.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feed {
    /// Stands in the journal: letters, digits and hyphens.
    pub name: String,
    /// Its pinned Ed25519 key, 64 hex digits.
    pub key: String,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscriber {
    /// As the controller API knows it.
    pub device: String,
    /// What people call it: 燃气总阀.
    pub name: String,
    /// Where it calls: a channel of the kind `loudspeaker` or `loudspeaker-mqtt`.
    pub channel: String,
    /// Its own pinned Ed25519 key, 64 hex digits: it is not enrolled by a code.
    pub key: String,
    pub lat: f64,
    pub lon: f64,
    /// It is told from this intensity on.
    #[serde(default = "felt")]
    pub intensity: u8,
}

const fn speed() -> f64 {
    3.5
}

const fn felt() -> u8 {
    4
}

/// The bytes of a public key.
fn key(text: &str) -> Option<[u8; 32]> {
    hex::decode(text).ok()?.try_into().ok()
}

impl Feed {
    pub fn public_key(&self) -> Option<[u8; 32]> {
        key(&self.key)
    }
}

impl Subscriber {
    pub fn public_key(&self) -> Option<[u8; 32]> {
        key(&self.key)
    }
}

const KEY: &str = "key is the 64 hex digits of an Ed25519 public key";

impl Earthquake {
    /// `speakers` are the channels whose devices are controllers.
    pub fn problems(&self, speakers: &[&str]) -> Vec<String> {
        let mut problems = bands::problems(&self.bands);
        if !(1.0..=10.0).contains(&self.speed) {
            problems.push("earthquake.speed is 1 to 10 kilometres a second, 3.5 as a rule".into());
        }
        if self.feeds.is_empty() {
            problems.push(
                "earthquake.feed: name whose reports are relayed, or leave [earthquake] out".into(),
            );
        }
        let mut names = BTreeSet::new();
        for feed in &self.feeds {
            let which = format!("earthquake.feed {:?}", feed.name);
            if !is_name(&feed.name) {
                problems.push(format!(
                    "{which}: name takes letters, digits and hyphens, at most 40"
                ));
            }
            if !names.insert(&feed.name) {
                problems.push(format!(
                    "{which}: this name stands twice; give each feed its own"
                ));
            }
            if feed.public_key().is_none() {
                problems.push(format!("{which}: {KEY}; ask the seismic centre for it"));
            }
        }
        problems.extend(self.subscribers(speakers));
        problems
    }

    fn subscribers(&self, speakers: &[&str]) -> Vec<String> {
        let mut problems = Vec::new();
        let mut devices = BTreeSet::new();
        for subscriber in &self.subscribers {
            let which = format!("earthquake.subscriber {:?}", subscriber.device);
            if !is_name(&subscriber.device) || !devices.insert(&subscriber.device) {
                problems.push(format!(
                    "{which}: device takes letters, digits and hyphens, at most 40, and stands once"
                ));
            }
            if subscriber.public_key().is_none() {
                problems.push(format!("{which}: {KEY}; the machine's maker has it"));
            }
            if !speakers.contains(&subscriber.channel.as_str()) {
                problems.push(format!(
                    "{which}: channel {:?} is none of the kind loudspeaker or loudspeaker-mqtt",
                    subscriber.channel
                ));
            }
            let on_earth = (-90.0..=90.0).contains(&subscriber.lat)
                && (-180.0..=180.0).contains(&subscriber.lon);
            if !on_earth || !(1..=12).contains(&subscriber.intensity) {
                problems.push(format!(
                    "{which}: lat and lon are degrees, intensity is 1 to 12"
                ));
            }
        }
        problems
    }
}
