//! Whose network a telephone number is on. Journaled, so the list only grows at its end. This module must not guess.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Carrier {
    Mobile,
    Unicom,
    Telecom,
    Broadnet,
    /// Telephones that speak to satellites: reached by accounts that say so.
    Satellite,
}

impl Carrier {
    pub const ALL: [Self; 5] = [
        Self::Mobile,
        Self::Unicom,
        Self::Telecom,
        Self::Broadnet,
        Self::Satellite,
    ];

    pub const fn zh(self) -> &'static str {
        ["中国移动", "中国联通", "中国电信", "中国广电", "卫星电话"][self as usize]
    }

    pub const fn name(self) -> &'static str {
        ["mobile", "unicom", "telecom", "broadnet", "satellite"][self as usize]
    }

    /// Its place in a set of carriers.
    pub const fn bit(self) -> u8 {
        1 << self as u8
    }
}
