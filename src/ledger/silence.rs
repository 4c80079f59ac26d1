//! Villages that nobody is heard from after an alert (失联): when they are looked at, and which of them were silent then. What
//! is told about them are blocks as any others, under a step of their own. Only the fold writes here; this module must not
//! say what counts as being heard from.

use std::collections::BTreeMap;

use channel::Timestamp;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::model::RegionCode;

/// Steps from here on are looks: the first look is this one. A release has far fewer of its own.
pub const FIRST_LOOK: u16 = 0x8000;

/// One look, written before anybody is told of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Silent {
    /// Which of the plan's looks, from 0.
    pub look: u16,
    /// Those that nobody had been heard from.
    pub villages: Vec<RegionCode>,
}

/// A look that was taken.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Taken {
    pub at: Timestamp,
    pub villages: Vec<RegionCode>,
    /// All are told who are to be told of it.
    pub told: bool,
}

/// Of one alert.
#[derive(Default)]
pub struct Silence(RwLock<Held>);

#[derive(Clone, PartialEq, Eq, Default, Serialize)]
struct Held {
    due: Vec<Timestamp>,
    taken: BTreeMap<u16, Taken>,
}

impl Silence {
    pub(super) fn set(&self, due: &[Timestamp]) {
        due.clone_into(&mut self.0.write().due);
    }

    pub(super) fn take(&self, at: Timestamp, silent: &Silent) {
        let taken = Taken {
            at,
            villages: silent.villages.clone(),
            told: false,
        };
        self.0.write().taken.insert(silent.look, taken);
    }

    /// The blocks of a step are all written.
    pub(super) fn planned(&self, step: u16) {
        let look = step.checked_sub(FIRST_LOOK);
        let mut held = self.0.write();
        if let Some(taken) = look.and_then(|look| held.taken.get_mut(&look)) {
            taken.told = true;
        }
    }

    /// When each look is due; empty where the plan has none.
    pub fn due(&self) -> Vec<Timestamp> {
        self.0.read().due.clone()
    }

    /// The first look that is not taken, or of which not all are told.
    pub fn next(&self) -> Option<(u16, Timestamp)> {
        let held = self.0.read();
        let told = |look: &u16| held.taken.get(look).is_some_and(|taken| taken.told);
        let mut looks = (0..).zip(held.due.iter().copied());
        looks.find(|(look, _)| !told(look))
    }

    pub fn taken(&self, look: u16) -> Option<Taken> {
        self.0.read().taken.get(&look).cloned()
    }

    /// Since when each village is silent, or was; by the first look that found it so.
    pub fn since(&self) -> BTreeMap<RegionCode, Timestamp> {
        let mut since = BTreeMap::new();
        for taken in self.0.read().taken.values() {
            for village in &taken.villages {
                since.entry(*village).or_insert(taken.at);
            }
        }
        since
    }

    /// What there is to be digested; nothing where the plan has no looks.
    pub(super) fn form(&self) -> Option<impl Serialize + use<>> {
        let held = self.0.read().clone();
        (held != Held::default()).then_some(held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_over_when_it_is_taken_and_all_are_told_of_it() {
        let silence = Silence::default();
        assert_eq!(silence.next(), None);
        let at = Timestamp::from_secs;
        let village = |n: u8| -> RegionCode {
            let text = format!("51072721720{n}");
            text.parse().expect("a village's code")
        };
        silence.set(&[at(300), at(900)]);
        assert_eq!(silence.next(), Some((0, at(300))));
        let silent = |look, villages: &[u8]| Silent {
            look,
            villages: villages.iter().copied().map(village).collect(),
        };
        silence.take(at(301), &silent(0, &[1, 2]));
        assert_eq!(silence.next(), Some((0, at(300))), "its blocks are missing");
        silence.planned(0);
        silence.planned(FIRST_LOOK);
        assert_eq!(silence.next(), Some((1, at(900))));
        silence.take(at(902), &silent(1, &[2, 3]));
        silence.planned(FIRST_LOOK + 1);
        assert_eq!(silence.next(), None);
        let since = [
            (village(1), at(301)),
            (village(2), at(301)),
            (village(3), at(902)),
        ];
        assert_eq!(silence.since(), BTreeMap::from(since));
    }
}
