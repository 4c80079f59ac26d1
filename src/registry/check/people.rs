//! Households, people, their posts and relations, and the ways to them. This module must not say an address: its shape is
//! all that is judged.

use std::collections::HashSet;

use crate::model::{AreaCode, EndpointKind, EndpointRow, OWN_ENDPOINTS, PostPlace};

use super::super::problem::Key;
use super::super::table::Table;
use super::address::misshapen;
use super::{At, Known};

impl Known<'_> {
    pub(super) fn households(&mut self) {
        let mut seen = HashSet::new();
        for (row, household) in self.rows.households.iter().enumerate() {
            let at = At {
                table: Table::Households,
                row,
                key: Key::Id(household.id),
            };
            self.once(&mut seen, household.id, at, "id");
            self.needs_village(at, household.village);
            self.needs_sound_point(at, household.lat, household.lon);
        }
    }

    pub(super) fn recipients(&mut self) {
        let mut seen = HashSet::new();
        for (row, recipient) in self.rows.recipients.iter().enumerate() {
            let at = At {
                table: Table::Recipients,
                row,
                key: Key::Id(recipient.id),
            };
            self.once(&mut seen, recipient.id, at, "id");
            if let Some(household) = recipient.household {
                self.needs(at, "household", Table::Households, household);
            }
            if recipient.language.is_empty() {
                let remedy = "give a language tag such as zh-CN";
                self.found(at, "language", "has no language", remedy);
            }
        }
    }

    pub(super) fn posts(&mut self) {
        let mut seen = HashSet::new();
        for (row, post) in self.rows.posts.iter().enumerate() {
            let at = At {
                table: Table::Posts,
                row,
                key: Key::Id(post.recipient),
            };
            let key = (post.recipient, post.place, &post.role);
            self.once(&mut seen, key, at, "recipient");
            self.needs(at, "recipient", Table::Recipients, post.recipient);
            match post.place {
                PostPlace::Region(region) => self.needs_area(at, AreaCode::Region(region)),
                PostPlace::Group(group) => self.needs_area(at, AreaCode::Group(group)),
                PostPlace::Unit(id) => self.needs(at, "unit", Table::Units, id),
                PostPlace::Zone(id) => self.needs(at, "zone", Table::Zones, id),
            }
        }
    }

    pub(super) fn relations(&mut self) {
        let mut seen = HashSet::new();
        for (row, relation) in self.rows.relations.iter().enumerate() {
            let (household, recipient) = (relation.household, relation.recipient);
            let at = At {
                table: Table::Relations,
                row,
                key: Key::Pair(household, recipient),
            };
            self.once(&mut seen, (household, recipient, relation.kind), at, "kind");
            self.needs(at, "household", Table::Households, household);
            self.needs(at, "recipient", Table::Recipients, recipient);
        }
    }

    pub(super) fn endpoints(&mut self) {
        let (mut seen, mut speakers) = (HashSet::new(), HashSet::new());
        let placed: HashSet<u32> = self.rows.speakers.iter().map(|row| row.endpoint).collect();
        let officers: HashSet<u32> = self.rows.posts.iter().map(|row| row.recipient).collect();
        for (row, endpoint) in self.rows.endpoints.iter().enumerate() {
            let at = At {
                table: Table::Endpoints,
                row,
                key: Key::Id(endpoint.id),
            };
            self.once(&mut seen, endpoint.id, at, "id");
            if endpoint.id >= OWN_ENDPOINTS {
                let remedy = "take one below 4200000000: from there on they are of accounts that people bind themselves";
                self.found(at, "id", "is the gateway's own to give", remedy);
            }
            self.owner(at, endpoint);
            if let Some((what, remedy)) = misshapen(endpoint) {
                self.found(at, "address", what, remedy);
            }
            let of_officer = endpoint.recipient.is_none_or(|who| officers.contains(&who));
            if endpoint.kind == EndpointKind::Group && !of_officer {
                let remedy = "give it to somebody who holds a post: a group is for officers only";
                let what = "is a group and belongs to nobody with a post";
                self.found(at, "recipient", what, remedy);
            }
            if endpoint.kind != EndpointKind::Speaker {
                continue;
            }
            if !speakers.insert(endpoint.address.as_str()) {
                let remedy = "give every speaker the id it has on its platform";
                let what = "has the address of another speaker";
                self.found(at, "address", what, remedy);
            }
            if !self.may_be(Table::Speakers, &placed, &endpoint.id) {
                let remedy = "add it to the speakers, with its village";
                self.found(at, "id", "is a speaker without village", remedy);
            }
        }
    }

    fn owner(&mut self, at: At, endpoint: &EndpointRow) {
        let speaker = endpoint.kind == EndpointKind::Speaker;
        match endpoint.recipient {
            None if speaker => {}
            None => {
                let remedy = "give the recipient it reaches";
                self.found(at, "recipient", "belongs to nobody", remedy);
            }
            Some(_) if speaker => {
                let remedy = "leave the recipient empty and put the speaker into the speakers";
                let what = "is a speaker and belongs to a recipient";
                self.found(at, "recipient", what, remedy);
            }
            Some(recipient) => self.needs(at, "recipient", Table::Recipients, recipient),
        }
    }
}
