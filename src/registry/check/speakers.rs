//! The loudspeakers: where each hangs, its card and its keeper, and who hears it. This module must not say a number or a
//! name.

use std::collections::HashSet;

use crate::model::{Care, EndpointKind, Rows};

use super::super::problem::Key;
use super::super::table::Table;
use super::address::{is_card, is_telephone};
use super::{At, Known};

pub fn speakers(rows: &Rows) -> HashSet<u32> {
    let endpoints = rows.endpoints.iter();
    let speakers = endpoints.filter(|row| row.kind == EndpointKind::Speaker);
    speakers.map(|row| row.id).collect()
}

impl Known<'_> {
    pub(super) fn speakers(&mut self) {
        let (mut placed, mut cards) = (HashSet::new(), HashSet::new());
        for (row, speaker) in self.rows.speakers.iter().enumerate() {
            let at = At {
                table: Table::Speakers,
                row,
                key: Key::Id(speaker.endpoint),
            };
            self.once(&mut placed, speaker.endpoint, at, "endpoint");
            if !self.may_be(Table::Endpoints, &self.speakers, &speaker.endpoint) {
                let remedy = "add its endpoint, of kind speaker";
                let what = "is no endpoint of kind speaker";
                self.found(at, "endpoint", what, remedy);
            }
            self.needs_village(at, speaker.village);
            let care = &speaker.care;
            self.care(at, care);
            if !care.sim.is_empty() && !cards.insert(care.sim.as_str()) {
                let remedy = "a card is in one box: correct the number of this or of the other";
                self.found(at, "sim", "is the card of another speaker too", remedy);
            }
        }
    }

    fn care(&mut self, at: At, care: &Care) {
        if !care.phone.is_empty() && !is_telephone(&care.phone) {
            let remedy = "give 11 digits of a mobile or the area code and number of a landline";
            self.found(at, "phone", "is no telephone number", remedy);
        }
        if !care.phone.is_empty() && care.keeper.trim().is_empty() {
            let remedy = "give who answers the telephone";
            self.found(at, "keeper", "has a telephone and no name", remedy);
        }
        if !care.sim.is_empty() && !is_card(&care.sim) {
            let remedy = "give the 11 to 20 digits of the card's number";
            self.found(at, "sim", "is no card's number", remedy);
        }
        if care.sim.is_empty() && care.sim_expires.is_some() {
            let remedy = "give the number of the card whose last day this is";
            self.found(at, "sim", "has a last day and no number", remedy);
        }
        if care.hours.is_some() && care.power.is_none() {
            let remedy = "give what it runs on: mains, battery or solar";
            self.found(at, "power", "has hours of a battery and no power", remedy);
        }
        if care.volume.is_some_and(|volume| volume > 100) {
            self.found(at, "volume", "is louder than it can be", "give 0 to 100");
        }
        self.needs_sound_point(at, care.lat, care.lon);
    }

    pub(super) fn hearing(&mut self) {
        let mut seen = HashSet::with_capacity(self.rows.hearing.len());
        for (row, pair) in self.rows.hearing.iter().enumerate() {
            let at = At {
                table: Table::Hearing,
                row,
                key: Key::Pair(pair.speaker, pair.household),
            };
            self.once(&mut seen, (pair.speaker, pair.household), at, "household");
            self.needs(at, "speaker", Table::Endpoints, pair.speaker);
            self.needs(at, "household", Table::Households, pair.household);
        }
    }
}
