//! What national practice writes into a CAP message beside the standard: the colour of a warning, the five-character
//! event code and the 12-digit region codes. Reads them where they are; resolves no code to a place or a name, and
//! shows an unknown code as it came.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::codes::{Severity, UnknownCode};
use crate::model::{Area, Info, Pair};

/// 红橙黄蓝, level I to IV; ordered, red first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Colour {
    Red,
    Orange,
    Yellow,
    Blue,
}

impl Colour {
    pub const ALL: [Self; 4] = [Self::Red, Self::Orange, Self::Yellow, Self::Blue];
    const WORDS: &'static [&'static str] = &["Red", "Orange", "Yellow", "Blue"];

    pub const fn as_str(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    /// As it is written in Chinese.
    pub const fn zh(self) -> &'static str {
        ["红色", "橙色", "黄色", "蓝色"][self as usize]
    }

    /// The colour that stands for a severity where none is given.
    pub const fn of(severity: Severity) -> Option<Self> {
        match severity {
            Severity::Extreme => Some(Self::Red),
            Severity::Severe => Some(Self::Orange),
            Severity::Moderate => Some(Self::Yellow),
            Severity::Minor => Some(Self::Blue),
            Severity::Unknown => None,
        }
    }

    pub const fn severity(self) -> Severity {
        match self {
            Self::Red => Severity::Extreme,
            Self::Orange => Severity::Severe,
            Self::Yellow => Severity::Moderate,
            Self::Blue => Severity::Minor,
        }
    }
}

impl FromStr for Colour {
    type Err = UnknownCode;

    /// Takes the English and the Chinese word and the level, in Roman numerals.
    fn from_str(word: &str) -> Result<Self, UnknownCode> {
        match word.trim().to_ascii_lowercase().as_str() {
            "red" | "红" | "红色" | "i" => Ok(Self::Red),
            "orange" | "橙" | "橙色" | "ii" => Ok(Self::Orange),
            "yellow" | "黄" | "黄色" | "iii" => Ok(Self::Yellow),
            "blue" | "蓝" | "蓝色" | "iv" => Ok(Self::Blue),
            _ => Err(UnknownCode {
                list: "Colour",
                allowed: Self::WORDS,
            }),
        }
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The colour of an info: its parameter, else what its severity stands for.
pub fn colour(info: &Info) -> Option<Colour> {
    let named = |pair: &&Pair| {
        ["colour", "color", "level"]
            .iter()
            .any(|name| pair.name.eq_ignore_ascii_case(name))
    };
    let given = info
        .parameters
        .iter()
        .filter(named)
        .find_map(|pair| pair.value.parse().ok());
    given.or_else(|| Colour::of(info.severity))
}

/// The national event code of an info, such as `11B03` for a rainstorm: two digits, a letter, two digits.
pub fn event_code(info: &Info) -> Option<&str> {
    let pairs = info.event_codes.iter().chain(&info.parameters);
    pairs
        .map(|pair| pair.value.as_str())
        .find(|value| is_event_code(value))
}

pub(crate) fn is_event_code(value: &str) -> bool {
    let form = |(n, byte): (usize, u8)| match n {
        0 => matches!(byte, b'1' | b'2'),
        2 => byte.is_ascii_uppercase(),
        _ => byte.is_ascii_digit(),
    };
    value.len() == 5 && value.bytes().enumerate().all(form)
}

/// The region codes of an area, twelve digits each, in their order without repeats. Six and nine digits are filled up;
/// of fourteen the first twelve count; several in one value are taken apart.
pub fn regions(area: &Area) -> Vec<String> {
    let mut codes = Vec::new();
    let mut seen = HashSet::new();
    for geocode in area
        .geocodes
        .iter()
        .filter(|geocode| is_region_name(&geocode.name))
    {
        for code in geocode
            .value
            .split([',', '，', ';', ' ', '\n'])
            .map(str::trim)
        {
            let full = matches!(code.len(), 6 | 9 | 12 | 14)
                && code.bytes().all(|byte| byte.is_ascii_digit());
            let code = format!(
                "{:0<12}",
                &code[..if full { code.len().min(12) } else { 0 }]
            );
            if full && seen.insert(code.clone()) {
                codes.push(code);
            }
        }
    }
    codes
}

/// The names under which division codes are written. FIPS and SAME codes have six digits too and are none.
fn is_region_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    [
        "CPEAS",
        "GB/T 2260",
        "GB/T2260",
        "GB/T 10114",
        "ADCODE",
        "行政区划",
    ]
    .iter()
    .any(|known| name.contains(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(codes: &[(&str, &str)]) -> Area {
        let geocodes = codes
            .iter()
            .map(|&(name, value)| Pair {
                name: name.into(),
                value: value.into(),
            })
            .collect();
        Area {
            desc: "北川县".into(),
            polygons: Vec::new(),
            circles: Vec::new(),
            geocodes,
            altitude: None,
            ceiling: None,
            dropped: 0,
        }
    }

    #[test]
    fn region_codes_come_out_with_twelve_digits() {
        let name = "CPEAS Geographic Code";
        assert_eq!(regions(&area(&[(name, "510726")])), ["510726000000"]);
        assert_eq!(
            regions(&area(&[(name, "62102300000000")])),
            ["621023000000"]
        );
        assert_eq!(
            regions(&area(&[(name, "410000000000,410000000000, 510726100")])),
            ["410000000000", "510726100000"]
        );
        assert_eq!(
            regions(&area(&[(name, "51072"), (name, "北川")])),
            Vec::<String>::new()
        );
        assert_eq!(regions(&area(&[("SAME", "006109")])), Vec::<String>::new());
    }

    #[test]
    fn a_colour_and_a_severity_stand_for_each_other() {
        for colour in Colour::ALL {
            assert_eq!(Colour::of(colour.severity()), Some(colour));
            assert_eq!(colour.as_str().parse(), Ok(colour));
            assert_eq!(colour.zh().parse(), Ok(colour));
        }
        assert!("white".parse::<Colour>().is_err());
    }

    #[test]
    fn an_event_code_has_its_form_and_may_be_unknown() {
        assert!(is_event_code("11B03") && is_event_code("11B99"));
        assert!(!is_event_code("NWS") && !is_event_code("11b03") && !is_event_code("11B031"));
    }
}
