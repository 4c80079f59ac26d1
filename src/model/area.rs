//! What an area code can name: a region, or a local group of a village by 14 digits. This module must not know which
//! regions and groups there are.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::region::BadCode;
use super::{RegionCode, RegionLevel};

/// The local level below a village (村民小组, 社, 网格, 院落, 楼栋), opaque to everybody but its own county.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct GroupCode {
    pub village: RegionCode,
    /// 1 and up; what is above 99 has no 14-digit code.
    pub group: u8,
}

impl fmt::Display for GroupCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:02}", self.village, self.group)
    }
}

/// 2, 4, 6, 9 or 12 digits name a region; 14 digits a group of a village, or what stands before their closing 00.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AreaCode {
    Region(RegionCode),
    Group(GroupCode),
}

impl AreaCode {
    /// The region, or the village of the group.
    pub const fn region(self) -> RegionCode {
        match self {
            Self::Region(region) => region,
            Self::Group(group) => group.village,
        }
    }
}

impl FromStr for AreaCode {
    type Err = BadCode;

    fn from_str(text: &str) -> Result<Self, BadCode> {
        let bad = || BadCode(text.chars().take(32).collect());
        let Some((region, group)) = text.split_at_checked(12).filter(|_| text.len() == 14) else {
            return text.parse().map(Self::Region);
        };
        let region: RegionCode = region.parse().map_err(|_| bad())?;
        let digits = group.bytes().all(|byte| byte.is_ascii_digit());
        let group: u8 = group.parse().ok().filter(|_| digits).ok_or_else(bad)?;
        match (group, region.level()) {
            (0, _) => Ok(Self::Region(region)),
            (group, RegionLevel::Village) => Ok(Self::Group(GroupCode {
                village: region,
                group,
            })),
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for AreaCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Region(region) => region.fmt(f),
            Self::Group(group) => group.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fourteen_digits_name_a_group_or_what_stands_before_two_zeros() {
        let read = |text: &str| text.parse::<AreaCode>().map(|area| area.to_string());
        assert_eq!(read("51072721720107"), Ok("51072721720107".to_owned()));
        assert_eq!(read("51072721720100"), Ok("510727217201".to_owned()));
        assert_eq!(read("62102300000000"), Ok("621023000000".to_owned()));
        assert_eq!(read("510727"), Ok("510727000000".to_owned()));
        for bad in [
            "62102300000007",
            "5107272172010a",
            "510727217201+1",
            "510727217201107",
            "51072721720\u{e9}7",
            "5107272172017",
        ] {
            assert!(bad.parse::<AreaCode>().is_err(), "{bad}");
        }
    }
}
