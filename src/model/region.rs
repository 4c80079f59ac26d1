//! A node of the administrative tree, by its 12-digit code (GB/T 2260 and GB/T 10114): 2 digits province, 2 city,
//! 2 county, 3 town, 3 village. A code covers every code that shares its significant digits. This module must not
//! know names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RegionLevel {
    Province,
    City,
    County,
    Town,
    Village,
}

/// Twelve digits, kept as a number so that sorted codes stand in tree order. Text and JSON show the digits, the
/// journal keeps the number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionCode(u64);

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0:?} is no region code: give 2, 4, 6, 9 or 12 digits")]
pub struct BadCode(pub String);

impl RegionCode {
    pub const fn number(self) -> u64 {
        self.0
    }

    pub const fn level(self) -> RegionLevel {
        if self.0.is_multiple_of(10_000_000_000) {
            RegionLevel::Province
        } else if self.0.is_multiple_of(100_000_000) {
            RegionLevel::City
        } else if self.0.is_multiple_of(1_000_000) {
            RegionLevel::County
        } else if self.0.is_multiple_of(1_000) {
            RegionLevel::Town
        } else {
            RegionLevel::Village
        }
    }

    const fn width(self) -> u64 {
        match self.level() {
            RegionLevel::Province => 10_000_000_000,
            RegionLevel::City => 100_000_000,
            RegionLevel::County => 1_000_000,
            RegionLevel::Town => 1_000,
            RegionLevel::Village => 1,
        }
    }

    /// Every code from here to before there lies in this region.
    pub const fn range(self) -> std::ops::Range<u64> {
        self.0..self.0 + self.width()
    }

    pub const fn covers(self, other: Self) -> bool {
        let range = self.range();
        range.start <= other.0 && other.0 < range.end
    }

    /// The node above, by digits.
    pub const fn parent(self) -> Option<Self> {
        let width = match self.level() {
            RegionLevel::Province => return None,
            RegionLevel::City => 10_000_000_000,
            RegionLevel::County => 100_000_000,
            RegionLevel::Town => 1_000_000,
            RegionLevel::Village => 1_000,
        };
        Some(Self(self.0 - self.0 % width))
    }

    /// This region's ancestor (or itself) of the given level; itself where it stands higher.
    #[must_use]
    pub fn at(self, level: RegionLevel) -> Self {
        let mut code = self;
        while code.level() > level {
            match code.parent() {
                Some(parent) => code = parent,
                None => break,
            }
        }
        code
    }
}

impl TryFrom<u64> for RegionCode {
    type Error = BadCode;

    fn try_from(number: u64) -> Result<Self, BadCode> {
        if (110_000_000_000..1_000_000_000_000).contains(&number) {
            Ok(Self(number))
        } else {
            Err(BadCode(number.to_string()))
        }
    }
}

impl FromStr for RegionCode {
    type Err = BadCode;

    fn from_str(text: &str) -> Result<Self, BadCode> {
        let bad = || BadCode(text.chars().take(32).collect());
        if !matches!(text.len(), 2 | 4 | 6 | 9 | 12) || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad());
        }
        let digits: u64 = text.parse().map_err(|_| bad())?;
        let missing = u32::try_from(12 - text.len()).map_err(|_| bad())?;
        Self::try_from(digits * 10_u64.pow(missing)).map_err(|_| bad())
    }
}

impl fmt::Display for RegionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.0)
    }
}

impl fmt::Debug for RegionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for RegionCode {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() {
            s.collect_str(self)
        } else {
            s.serialize_u64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for RegionCode {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        if d.is_human_readable() {
            String::deserialize(d)?.parse().map_err(D::Error::custom)
        } else {
            Self::try_from(u64::deserialize(d)?).map_err(D::Error::custom)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> RegionCode {
        text.parse().expect("a code")
    }

    #[test]
    fn a_code_covers_what_shares_its_digits() {
        let county = code("510727");
        assert_eq!(county.level(), RegionLevel::County);
        assert!(county.covers(code("510727217")));
        assert!(county.covers(code("510727217201")));
        assert!(county.covers(county));
        assert!(!county.covers(code("510726")));
        assert!(!code("510727217").covers(county));
        assert!(code("51").covers(county));
    }

    #[test]
    fn a_parent_is_one_level_up() {
        let village = code("510727217201");
        assert_eq!(village.parent(), Some(code("510727217")));
        assert_eq!(village.at(RegionLevel::County), code("510727"));
        assert_eq!(code("51").parent(), None);
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for bad in [
            "",
            "5107271",
            "51072721720",
            "5107272172011",
            "51072a",
            "000000",
            "05",
        ] {
            assert!(bad.parse::<RegionCode>().is_err(), "{bad}");
        }
    }
}
