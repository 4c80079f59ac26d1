//! What a controller must remember so that no order is played twice: which counters it took, and which orders it played
//! to the end. Small enough for a few hundred bytes of flash. This module must not forget the floor: it is what refuses
//! old orders when a clock is wrong.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// So many of the highest counters are known one by one, so that orders which overtake each other are all taken.
pub const OVERLAP: usize = 16;

/// The counters that were taken: the highest `OVERLAP`, and a floor below which everything counts as taken.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Window {
    floor: u64,
    /// Above the floor, rising.
    took: Vec<u64>,
}

impl Window {
    /// From what a controller names in its poll; `None` when it is no window.
    pub fn new(floor: u64, mut took: Vec<u64>) -> Option<Self> {
        took.sort_unstable();
        let sound = took.len() <= OVERLAP && took.iter().all(|counter| *counter > floor);
        sound.then_some(Self { floor, took })
    }

    pub fn floor(&self) -> u64 {
        self.floor
    }

    pub fn took(&self) -> &[u64] {
        &self.took
    }

    /// Whether an order with this counter may be taken.
    pub fn admits(&self, counter: u64) -> bool {
        counter > self.floor && self.took.binary_search(&counter).is_err()
    }

    pub fn take(&mut self, counter: u64) {
        if !self.admits(counter) {
            return;
        }
        let place = self.took.partition_point(|other| *other < counter);
        self.took.insert(place, counter);
        if self.took.len() > OVERLAP {
            self.floor = self.took.remove(0);
        }
    }
}

/// The orders that a device has played whole, as far back as matters. The gateway hands an order again, under its id
/// and a new counter, when it does not know how the first one went; what was played is then reported, not repeated.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Played(VecDeque<String>);

impl Played {
    /// More than may wait for one device.
    const KEPT: usize = 128;

    pub fn has(&self, order: &str) -> bool {
        self.0.iter().any(|known| known == order)
    }

    pub fn any(&self, of: impl Fn(&str) -> bool) -> bool {
        self.0.iter().any(|known| of(known))
    }

    pub fn keep(&mut self, order: &str) {
        if self.0.len() == Self::KEPT {
            self.0.pop_front();
        }
        self.0.push_back(order.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn orders_that_overtake_each_other_are_each_taken_once() {
        let mut window = Window::default();
        for counter in [251, 1, 90] {
            assert!(window.admits(counter));
            window.take(counter);
            assert!(!window.admits(counter));
        }
        assert_eq!((window.floor(), window.took()), (0, &[1, 90, 251][..]));
    }

    #[test]
    fn what_leaves_the_window_becomes_the_floor() {
        let mut window = Window::default();
        (1..=20).for_each(|n| window.take(n * 10));
        assert_eq!((window.floor(), window.took().len()), (40, OVERLAP));
        assert!(!window.admits(35) && !window.admits(40) && !window.admits(50));
        assert!(window.admits(45) && window.admits(1_000));
    }

    #[test]
    fn only_a_sound_window_is_read_from_a_poll() {
        assert!(Window::new(5, vec![9, 7]).is_some_and(|window| window.took() == [7, 9]));
        assert!(Window::new(5, vec![5]).is_none());
        assert!(Window::new(0, (1..=17).collect()).is_none());
    }

    #[test]
    fn what_was_played_is_known_for_a_while() {
        let mut played = Played::default();
        (0..200).for_each(|n| played.keep(&n.to_string()));
        assert!(!played.has("0") && played.has("100") && played.has("199"));
    }

    proptest! {
        #[test]
        fn no_counter_is_ever_taken_twice(counters in prop::collection::vec(1_u64..60, 0..200)) {
            let mut window = Window::default();
            let mut taken = std::collections::HashSet::new();
            for counter in counters {
                if window.admits(counter) {
                    prop_assert!(taken.insert(counter), "{} twice", counter);
                    window.take(counter);
                }
            }
        }
    }
}
