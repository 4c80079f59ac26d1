//! What far ends have answered of whose network a number is on: a prefix only guesses, since people take their numbers to
//! another carrier (携号转网). Kept by endpoint: a changed number is another endpoint, and nothing is known of it. Only
//! the fold writes here; this module must not guess.

use std::collections::HashMap;

use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::model::{Carrier, EndpointId};

/// Endpoints of which a far end's answer has told whose they are.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Learned {
    pub rows: Vec<LearnedRow>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LearnedRow {
    pub endpoint: EndpointId,
    pub carrier: Carrier,
    /// Theirs, or not theirs.
    pub is: bool,
}

/// What is known of one number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Fact {
    pub is: Option<Carrier>,
    /// Set of carriers that it is not with.
    pub not: u8,
}

impl Fact {
    pub const fn denies(self, carrier: Carrier) -> bool {
        self.not & carrier.bit() != 0
    }

    pub const fn deny(&mut self, carrier: Carrier) {
        self.learn(carrier, false);
    }

    /// What is said later holds.
    const fn learn(&mut self, carrier: Carrier, is: bool) {
        if is {
            self.is = Some(carrier);
            self.not &= !carrier.bit();
        } else {
            if matches!(self.is, Some(known) if known as u8 == carrier as u8) {
                self.is = None;
            }
            self.not |= carrier.bit();
        }
    }
}

#[derive(Default)]
pub struct Ported(RwLock<HashMap<EndpointId, Fact>>);

impl Ported {
    pub(super) fn learn(&self, learned: &Learned) {
        let mut known = self.0.write();
        for row in &learned.rows {
            let fact = known.entry(row.endpoint).or_default();
            fact.learn(row.carrier, row.is);
        }
    }

    pub fn of(&self, endpoint: EndpointId) -> Fact {
        self.0.read().get(&endpoint).copied().unwrap_or_default()
    }

    /// Of how many numbers something is known.
    pub fn count(&self) -> usize {
        self.0.read().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_later_of_a_number_holds() {
        let ported = Ported::default();
        let say = |carrier, is| {
            let endpoint = 7;
            let rows = vec![LearnedRow {
                endpoint,
                carrier,
                is,
            }];
            ported.learn(&Learned { rows });
            ported.of(7)
        };
        assert_eq!(ported.of(7), Fact::default());
        let fact = say(Carrier::Mobile, false);
        assert!(fact.denies(Carrier::Mobile) && fact.is.is_none());
        let fact = say(Carrier::Unicom, true);
        assert!(fact.denies(Carrier::Mobile) && fact.is == Some(Carrier::Unicom));
        // It moved on, and back.
        let fact = say(Carrier::Unicom, false);
        assert!(fact.denies(Carrier::Unicom) && fact.is.is_none());
        let fact = say(Carrier::Mobile, true);
        assert!(!fact.denies(Carrier::Mobile) && fact.is == Some(Carrier::Mobile));
        assert_eq!((ported.of(8), ported.count()), (Fact::default(), 1));
    }
}
