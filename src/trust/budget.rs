//! What a bureau may spend in text messages in a month. It warns, and holds what is low for a person; it never stops what
//! is not. This module must not count.

use std::num::NonZeroU64;

use channel::Timestamp;
use serde::{Deserialize, Deserializer};

use super::{Bureau, Bureaus, Caller};
use crate::ledger::Ledger;
use crate::model::Month;

/// `[bureau.budget]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    pub segments_per_month: NonZeroU64,
    /// From which part of it on somebody is told.
    #[serde(default)]
    pub warn_at: Percent,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Percent(u8);

impl Default for Percent {
    fn default() -> Self {
        Self(80)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = text.strip_suffix('%').and_then(|n| n.parse().ok());
        let number = number.filter(|n| (1..=100).contains(n));
        number.map(Self).ok_or_else(|| {
            serde::de::Error::custom("a part of the whole is written \"1%\" to \"100%\"")
        })
    }
}

/// How a month stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purse {
    Free,
    Near,
    Spent,
}

impl Purse {
    pub const ALL: [Self; 3] = [Self::Free, Self::Near, Self::Spent];

    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Free => ("free", "额度内"),
            Self::Near => ("near", "接近额度"),
            Self::Spent => ("spent", "额度用完"),
        }
    }
}

impl Budget {
    pub const fn limit(self) -> u64 {
        self.segments_per_month.get()
    }

    /// So many segments, and somebody is told.
    pub fn warns_at(self) -> u64 {
        let part = u128::from(self.limit()) * u128::from(self.warn_at.0);
        u64::try_from(part.div_ceil(100)).unwrap_or(u64::MAX)
    }

    pub fn purse(self, spent: u64) -> Purse {
        if spent >= self.limit() {
            Purse::Spent
        } else if spent >= self.warns_at() {
            Purse::Near
        } else {
            Purse::Free
        }
    }
}

/// One bureau's month.
pub struct Account<'a> {
    pub bureau: &'a Bureau,
    pub budget: Budget,
    pub month: Month,
    pub spent: u64,
    pub purse: Purse,
}

impl Account<'_> {
    /// A bureau sees its own month, and those of bureaus that are responsible for a part of what is its own.
    pub fn is_seen_by(&self, caller: &Caller) -> bool {
        let mut regions = self.bureau.regions.iter();
        self.bureau.id == caller.id || regions.all(|region| caller.covers(*region))
    }
}

impl Bureaus {
    /// How the month stands of every bureau that has a budget.
    pub fn accounts(&self, ledger: &Ledger, now: Timestamp) -> Vec<Account<'_>> {
        let month = Month::of(now);
        let account = |(bureau, budget): (_, Budget)| {
            let bureau: &Bureau = bureau;
            let spent = ledger.spending.of(&bureau.id, month);
            Account {
                bureau,
                budget,
                month,
                spent,
                purse: budget.purse(spent),
            }
        };
        self.with_budget().map(account).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Purse::{Free, Near, Spent};
    use super::*;

    fn budget(text: &str) -> Result<Budget, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn a_month_is_free_then_near_then_spent() {
        let budget = budget("segments_per_month = 1001").expect("a budget");
        let purses = [0, 800, 801, 1_000, 1_001, u64::MAX].map(|spent| budget.purse(spent));
        assert_eq!(purses, [Free, Free, Near, Near, Spent, Spent]);
        let most = Budget {
            segments_per_month: NonZeroU64::MAX,
            warn_at: Percent(100),
        };
        assert_eq!(most.warns_at(), u64::MAX);
    }

    #[test]
    fn what_is_no_budget_is_refused() {
        for text in [
            "segments_per_month = 0",
            "segments_per_month = 5\nwarn_at = \"0%\"",
            "segments_per_month = 5\nwarn_at = \"101%\"",
            "segments_per_month = 5\nwarn_at = 80",
            "segments_per_month = 5\nstop_at = \"90%\"",
            "warn_at = \"80%\"",
        ] {
            assert!(budget(text).is_err(), "{text}");
        }
        assert!(budget("segments_per_month = 5\nwarn_at = \"100%\"").is_ok());
    }
}
