//! A timer wheel: what comes back at its time, put and taken in constant time however many wait. Each level has 64
//! slots, and a slot is as long as all of the level below it; what lies far ahead moves down a level when its slot
//! comes. Nothing comes early, and nothing more than `RESOLUTION` late. This module must not read a clock.

use std::time::Duration;

/// The length of the shortest slot.
pub const RESOLUTION: Duration = Duration::from_millis(10);

/// Slots of one level, as bits of a step.
const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
const LEVELS: usize = 10;
/// The farthest step that the levels hold: more time than there is.
const FARTHEST: u64 = (1 << 60) - 1;

pub struct Wheel<T> {
    /// Everything up to this step has come.
    at: u64,
    levels: [Level<T>; LEVELS],
    /// Put when its time had come already.
    now: Vec<T>,
}

struct Level<T> {
    /// One bit for each slot that holds something.
    held: u64,
    slots: [Vec<(u64, T)>; SLOTS],
}

impl<T> Default for Level<T> {
    fn default() -> Self {
        let slots = std::array::from_fn(|_| Vec::new());
        Self { held: 0, slots }
    }
}

impl<T> Default for Wheel<T> {
    fn default() -> Self {
        Self {
            at: 0,
            levels: std::array::from_fn(|_| Level::default()),
            now: Vec::new(),
        }
    }
}

fn steps(time: Duration) -> u64 {
    let steps = time.as_millis() / RESOLUTION.as_millis();
    u64::try_from(steps).map_or(FARTHEST, |s| s.min(FARTHEST))
}

fn time(step: u64) -> Duration {
    let millis = u64::try_from(RESOLUTION.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(step.saturating_mul(millis))
}

impl<T> Wheel<T> {
    /// Comes back at `due`.
    pub fn put(&mut self, due: Duration, item: T) {
        let never_early = due
            .saturating_add(RESOLUTION)
            .saturating_sub(Duration::from_nanos(1));
        let step = steps(never_early);
        if step <= self.at {
            self.now.push(item);
        } else {
            self.file(step, item);
        }
    }

    /// A level is chosen by the highest digit in which a step differs from where the wheel stands.
    fn file(&mut self, step: u64, item: T) {
        let digits = u64::BITS - 1 - ((step ^ self.at) | 1).leading_zeros();
        let level = digits / BITS;
        let slot = usize::try_from(step >> (level * BITS)).unwrap_or(0) % SLOTS;
        let level = &mut self.levels[level as usize];
        level.held |= 1 << slot;
        level.slots[slot].push((step, item));
    }

    /// The first slot that holds something: its level, its number and the step it begins with. A lower level lies
    /// wholly before the next slot of a higher one.
    fn first(&self) -> Option<(usize, usize, u64)> {
        let level = self.levels.iter().position(|level| level.held != 0)?;
        let slot = self.levels[level].held.trailing_zeros();
        let bits = u32::try_from(level).unwrap_or(0) * BITS;
        let before = self.at >> (bits + BITS) << (bits + BITS);
        Some((level, slot as usize, before | u64::from(slot) << bits))
    }

    /// When something may come: never later than it does.
    pub fn next(&self) -> Option<Duration> {
        if !self.now.is_empty() {
            return Some(time(self.at));
        }
        self.first().map(|(_, _, step)| time(step))
    }

    pub fn is_empty(&self) -> bool {
        self.now.is_empty() && self.levels.iter().all(|level| level.held == 0)
    }

    /// What has come by `now`, the earlier first.
    pub fn advance(&mut self, now: Duration) -> Vec<T> {
        let mut out = std::mem::take(&mut self.now);
        let target = steps(now);
        while let Some((level, slot, step)) = self.first().filter(|(.., step)| *step <= target) {
            self.at = step;
            let level = &mut self.levels[level];
            level.held &= !(1 << slot);
            for (due, item) in std::mem::take(&mut level.slots[slot]) {
                if due <= step {
                    out.push(item);
                } else {
                    self.file(due, item);
                }
            }
        }
        self.at = self.at.max(target);
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[derive(Clone, Debug)]
    enum Do {
        Put(u64),
        Advance(u64),
    }

    /// Waits from none to weeks, with many that are short.
    fn wait() -> impl Strategy<Value = u64> {
        (0_u32..32, any::<u64>()).prop_map(|(bits, wait)| wait % (1 << bits))
    }

    fn doing() -> impl Strategy<Value = Do> {
        prop_oneof![wait().prop_map(Do::Put), wait().prop_map(Do::Advance)]
    }

    /// What a sorted list would do: the first step of the clock at or after an item's time.
    fn step(millis: u64) -> u64 {
        millis.div_ceil(10)
    }

    proptest! {
        #[test]
        fn a_wheel_gives_what_a_sorted_list_gives(doing in prop::collection::vec(doing(), 0..200)) {
            let mut wheel = Wheel::default();
            let mut list: Vec<(u64, usize)> = Vec::new();
            let mut now = 0;
            for (n, one) in doing.into_iter().enumerate() {
                match one {
                    Do::Put(wait) => {
                        wheel.put(MS * u32::try_from(now + wait).unwrap_or(u32::MAX), n);
                        list.push(((now + wait).min(u64::from(u32::MAX)), n));
                    }
                    Do::Advance(wait) => {
                        now = (now + wait).min(u64::from(u32::MAX) - 10);
                        let next = wheel.next();
                        let came = wheel.advance(MS * u32::try_from(now).expect("clamped"));
                        list.sort_by_key(|(due, _)| step(*due));
                        let first = list.first().map(|(due, _)| *due);
                        let split = list.partition_point(|(due, _)| step(*due) <= now / 10);
                        let rest = list.split_off(split);
                        let dues: Vec<_> = came.iter().map(|n| list.iter().find(|(_, m)| m == n)).collect();
                        prop_assert!(dues.iter().all(Option::is_some), "nothing comes early");
                        prop_assert_eq!(came.len(), list.len(), "nothing stays behind");
                        prop_assert_eq!(next.is_none(), first.is_none());
                        if let (Some(next), Some(first)) = (next, first) {
                            prop_assert!(next <= Duration::from_millis(step(first) * 10));
                        }
                        list = rest;
                        prop_assert_eq!(wheel.is_empty(), list.is_empty());
                    }
                }
            }
        }
    }

    #[test]
    fn what_comes_at_once_comes_in_the_order_of_its_time() {
        let mut wheel = Wheel::default();
        for millis in [90_000, 10, 5_000_000, 640, 650, 40_960] {
            wheel.put(MS * millis, millis);
        }
        assert_eq!(wheel.next(), Some(MS * 10));
        let came = wheel.advance(Duration::from_hours(2));
        assert_eq!(came, [10, 640, 650, 40_960, 90_000, 5_000_000]);
    }

    #[test]
    fn the_longest_wait_is_no_trouble() {
        let mut wheel = Wheel::default();
        wheel.put(Duration::MAX, ());
        assert_eq!(wheel.advance(Duration::from_hours(24 * 365)).len(), 0);
        assert!(!wheel.is_empty());
    }
}
