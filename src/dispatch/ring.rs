//! Turns: whoever holds places to take has its turn, a few places at a time, and passes on. Rings stand in rings:
//! bureaus take turns, and within a bureau its alerts, so that ten alerts of one bureau get no more than the one of
//! another. This module must not know what a place is.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

/// Places of one turn: few enough that a slow channel passes on soon, enough that a range stays a range.
const TURN: usize = 10;

/// Something that gives places away.
pub trait Holder<S> {
    /// Gives up to `room` places; fewer only when it has no more.
    fn give(&mut self, room: usize, into: &mut S) -> usize;
}

pub struct Ring<K, V> {
    held: BTreeMap<K, V>,
    turn: Option<K>,
    /// Places of this turn that are not taken yet.
    left: usize,
}

impl<K: Ord, V> Default for Ring<K, V> {
    fn default() -> Self {
        Self {
            held: BTreeMap::new(),
            turn: None,
            left: 0,
        }
    }
}

impl<K: Ord + Clone, V> Ring<K, V> {
    pub fn holder(&mut self, key: &K, make: impl FnOnce() -> V) -> &mut V {
        // Asked for every place that comes back: the key is copied only for a newcomer.
        if !self.held.contains_key(key) {
            self.held.insert(key.clone(), make());
        }
        self.held.get_mut(key).expect("it was put there")
    }

    /// Lets go of holders; whose turn it was passes on.
    pub fn retain(&mut self, mut keep: impl FnMut(&mut V) -> bool) {
        self.held.retain(|_, holder| keep(holder));
    }

    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    fn pass_on(&mut self) {
        let first = || self.held.keys().next();
        let next = match &self.turn {
            Some(turn) => {
                let after = self.held.range((Excluded(turn), Unbounded)).next();
                after.map(|(key, _)| key).or_else(first)
            }
            None => first(),
        };
        if next != self.turn.as_ref() {
            self.turn = next.cloned();
        }
        self.left = TURN;
    }
}

impl<S, K: Ord + Clone, V: Holder<S>> Holder<S> for Ring<K, V> {
    fn give(&mut self, room: usize, into: &mut S) -> usize {
        let mut given = 0;
        while given < room {
            if self.left == 0 || self.turn.is_none() {
                self.pass_on();
            }
            let Some(turn) = &self.turn else { break };
            let wanted = self.left.min(room - given);
            let got = self
                .held
                .get_mut(turn)
                .map_or(0, |holder| holder.give(wanted, into));
            given += got;
            self.left -= got;
            if got < wanted {
                let done = turn.clone();
                self.held.remove(&done);
                self.left = 0;
                if self.held.is_empty() {
                    self.turn = None;
                    break;
                }
            }
        }
        given
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// So many places of one name.
    struct Heap(&'static str, usize);

    impl Holder<Vec<&'static str>> for Heap {
        fn give(&mut self, room: usize, into: &mut Vec<&'static str>) -> usize {
            let given = room.min(self.1);
            self.1 -= given;
            into.extend(std::iter::repeat_n(self.0, given));
            given
        }
    }

    fn count(given: &[&str]) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for name in given {
            *counts.entry((*name).to_owned()).or_default() += 1;
        }
        counts
    }

    proptest! {
        #[test]
        fn all_are_given_once_and_nobody_gets_ahead_by_more_than_a_turn(
            heaps in prop::collection::vec(0_usize..60, 1..6),
            rooms in prop::collection::vec(1_usize..40, 1..200),
        ) {
            const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
            let mut ring = Ring::default();
            for (name, heap) in NAMES.into_iter().zip(&heaps) {
                ring.holder(&name, || Heap(name, *heap));
            }
            let mut given = Vec::new();
            let mut done = false;
            for room in rooms {
                let before = given.len();
                let got = ring.give(room, &mut given);
                prop_assert_eq!(given.len() - before, got);
                done |= got < room;
                let counts = count(&given);
                let of = |name: &str| counts.get(name).copied().unwrap_or(0);
                // Of two that both still hold something, neither is more than a turn ahead.
                let still = NAMES.into_iter().zip(&heaps).filter(|(name, heap)| of(name) < **heap);
                let still: Vec<usize> = still.map(|(name, _)| of(name)).collect();
                if let (Some(least), Some(most)) = (still.iter().min(), still.iter().max()) {
                    prop_assert!(most - least <= TURN, "{:?} of {:?}", counts, heaps);
                }
            }
            if done {
                prop_assert_eq!(given.len(), heaps.iter().sum::<usize>());
            }
        }
    }

    #[test]
    fn rings_in_rings_share_by_the_outer_one_first() {
        let mut bureaus: Ring<&str, Ring<u8, Heap>> = Ring::default();
        bureaus
            .holder(&"one", Ring::default)
            .holder(&0, || Heap("one", 1_000));
        for alert in 0..10 {
            let ten = bureaus.holder(&"ten", Ring::default);
            ten.holder(&alert, || {
                Heap(
                    ["t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "t9"]
                        [usize::from(alert)],
                    1_000,
                )
            });
        }
        let mut given = Vec::new();
        // A slow lane's slices of one place share as a fast one's do.
        for room in [1, 3, 250, 7, 139] {
            assert_eq!(bureaus.give(room, &mut given), room);
        }
        let counts = count(&given);
        assert_eq!(counts["one"], 200);
        assert!(
            (0..10).all(|n| counts[&format!("t{n}")] == 20),
            "{counts:?}"
        );
    }
}
