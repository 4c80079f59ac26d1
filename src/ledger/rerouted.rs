//! Deliveries that go on by another account of their route: the event, and what it does. A delivery keeps its number, its
//! attempts and its doubts. This module must not choose an account.

use channel::Timestamp;
use serde::{Deserialize, Serialize};

use super::Alert;
use super::fold::{Misfit, reopen};
use super::near::Near;
use crate::model::{DeliveryNo, State};

/// Decided, and done only when it is durable: these are due on the other account from `at` on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rerouted {
    pub to: String,
    pub why: Detour,
    pub at: Timestamp,
    /// By run: the first, and how many.
    pub runs: Vec<(DeliveryNo, u32)>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Detour {
    /// The far end does not serve the number.
    NotServed,
    /// Every attempt that the account has was made.
    Spent,
    /// The account takes nothing.
    Away,
}

impl Detour {
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotServed => "not-served",
            Self::Spent => "spent",
            Self::Away => "away",
        }
    }

    pub const fn zh(self) -> &'static str {
        match self {
            Self::NotServed => "对方不服务此号码",
            Self::Spent => "重试次数用尽",
            Self::Away => "账户不可用",
        }
    }
}

impl Rerouted {
    pub fn count(&self) -> u32 {
        self.runs.iter().map(|(_, count)| count).sum()
    }

    pub fn holds(&self, number: DeliveryNo) -> bool {
        let within = |(first, count): &(DeliveryNo, u32)| {
            number.checked_sub(*first).is_some_and(|at| at < *count)
        };
        self.runs.iter().any(within)
    }
}

/// These numbers, which rise, as runs.
pub fn runs(numbers: impl IntoIterator<Item = DeliveryNo>) -> Vec<(DeliveryNo, u32)> {
    let mut runs: Vec<(DeliveryNo, u32)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((first, count)) if *first + *count == number => *count += 1,
            _ => runs.push((number, 1)),
        }
    }
    runs
}

/// Only what is open and not in hand goes another way: what was settled in the meantime stays as it is.
pub(super) fn fold(near: &mut Near<'_>, rerouted: &Rerouted) -> Result<(), Misfit> {
    let alert: &Alert = near.alert;
    for (first, count) in &rerouted.runs {
        for number in *first..first.saturating_add(*count) {
            let (block, i) = near.find(number)?;
            let state = block.state(i);
            if !matches!(state, State::Planned | State::Due) {
                continue;
            }
            block.reroute(i, &rerouted.to);
            if state == State::Due {
                reopen(alert, block, i, rerouted.at);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_make_one_run() {
        assert_eq!(runs([1, 2, 3, 7, 9, 10]), [(1, 3), (7, 1), (9, 2)]);
        assert_eq!(runs([]), []);
        let rerouted = Rerouted {
            to: "b".into(),
            why: Detour::Away,
            at: Timestamp(0),
            runs: runs([1, 2, 3, 7]),
        };
        let held: Vec<_> = (0..10).filter(|n| rerouted.holds(*n)).collect();
        assert_eq!((held, rerouted.count()), (vec![1, 2, 3, 7], 4));
    }
}
