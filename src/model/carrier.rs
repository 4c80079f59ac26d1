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

    /// Of a box's card, by what is printed on it or by the number of the sort that boxes have; nothing where that does not
    /// tell.
    pub fn of_card(card: &str) -> Option<Self> {
        const PREFIXES: [(&str, Carrier); 14] = [
            ("898600", Carrier::Mobile),
            ("898602", Carrier::Mobile),
            ("898604", Carrier::Mobile),
            ("898607", Carrier::Mobile),
            ("898608", Carrier::Mobile),
            ("898601", Carrier::Unicom),
            ("898606", Carrier::Unicom),
            ("898609", Carrier::Unicom),
            ("898603", Carrier::Telecom),
            ("898611", Carrier::Telecom),
            ("898615", Carrier::Broadnet),
            ("10648", Carrier::Mobile),
            ("10646", Carrier::Unicom),
            ("10649", Carrier::Telecom),
        ];
        let known = PREFIXES.iter().find(|(prefix, _)| card.starts_with(prefix));
        known.map(|(_, carrier)| *carrier)
    }

    /// Its place in a set of carriers.
    pub const fn bit(self) -> u8 {
        1 << self as u8
    }
}
