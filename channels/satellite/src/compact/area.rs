//! Places of the administrative tree in few bits: each says how deep it lies, how much of the one before it is its own too,
//! and the digits that are left. This module must not know a name of any.

use super::bits::{Reader, Writer};

/// Digits of a province, a city, a county, a town and a village; and of the whole country.
const DEPTHS: [usize; 6] = [0, 2, 4, 6, 9, 12];

/// A code of 2, 4, 6, 9 or 12 digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Area(String);

impl Area {
    /// The zeros that fill a code up to twelve digits are left out.
    pub fn parse(code: &str) -> Option<Self> {
        let fits = code.bytes().all(|b| b.is_ascii_digit()) && DEPTHS[1..].contains(&code.len());
        if !fits {
            return None;
        }
        let filled = |depth: &&usize| code[**depth..].bytes().all(|b| b == b'0');
        let depth = DEPTHS[1..]
            .iter()
            .filter(|depth| **depth <= code.len())
            .find(filled)?;
        Some(Self(code[..*depth].to_owned()))
    }

    pub fn code(&self) -> &str {
        &self.0
    }

    fn depth(&self) -> usize {
        DEPTHS
            .iter()
            .position(|digits| *digits == self.0.len())
            .unwrap_or(0)
    }
}

/// Bits that hold so many decimal digits.
const fn width(digits: usize) -> u32 {
    match digits {
        0 => 0,
        2 => 7,
        3 => 10,
        4 => 14,
        5 => 17,
        6 => 20,
        7 => 24,
        8 => 27,
        9 => 30,
        10 => 34,
        _ => 40,
    }
}

/// How many areas a message may name.
pub const MOST: usize = 63;

/// In the order given: neighbours cost least.
pub fn write(areas: &[Area], out: &mut Writer) {
    out.put(areas.len() as u64, 6);
    let mut before = "";
    for area in areas {
        let depth = area.depth();
        let shared = (0..=depth)
            .rev()
            .find(|shared| before.get(..DEPTHS[*shared]) == area.0.get(..DEPTHS[*shared]));
        let shared = shared.unwrap_or(0);
        let digits = &area.0[DEPTHS[shared]..];
        out.put(depth as u64, 3);
        out.put(shared as u64, 3);
        out.put(digits.parse().unwrap_or(0), width(digits.len()));
        before = &area.0;
    }
}

pub fn read(from: &mut Reader<'_>) -> Option<Vec<Area>> {
    let count = from.take(6)?;
    let mut areas: Vec<Area> = Vec::new();
    for _ in 0..count {
        let depth = DEPTHS.get(usize::try_from(from.take(3)?).ok()?)?;
        let shared = *DEPTHS.get(usize::try_from(from.take(3)?).ok()?)?;
        let before = areas.last().map_or("", |area| &area.0);
        // The whole country is no area: nothing may widen to it.
        let digits = depth.checked_sub(shared).filter(|_| *depth > 0)?;
        let value = from.take(width(digits))?;
        let rest = if digits == 0 {
            String::new()
        } else {
            format!("{value:0digits$}")
        };
        (rest.len() == digits).then_some(())?;
        areas.push(Area(format!("{}{rest}", before.get(..shared)?)));
    }
    Some(areas)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn area(code: &str) -> Area {
        Area::parse(code).unwrap()
    }

    #[test]
    fn a_code_loses_what_only_fills_it_up() {
        for (code, kept) in [
            ("510727217000", "510727217"),
            ("510727217201", "510727217201"),
            ("510727000000", "510727"),
            ("510700", "5107"),
            ("51", "51"),
        ] {
            assert_eq!(area(code).code(), kept);
        }
        for none in ["", "5", "51072", "5107272170001", "51072x"] {
            assert_eq!(Area::parse(none), None, "{none}");
        }
    }

    #[test]
    fn neighbours_cost_little() {
        let bits = |codes: &[&str]| {
            let areas: Vec<_> = codes.iter().map(|code| area(code)).collect();
            let mut out = Writer::default();
            write(&areas, &mut out);
            let bytes = out.bytes();
            assert_eq!(read(&mut Reader::new(&bytes)), Some(areas));
            bytes.len()
        };
        assert_eq!(bits(&["510727217"]), 6);
        assert_eq!(bits(&["510727217", "510727216"]), 8);
        assert_eq!(bits(&["510727217201", "510727217202", "510727216"]), 11);
        assert_eq!(bits(&[]), 1);
    }

    proptest! {
        #[test]
        fn areas_come_back(codes in proptest::collection::vec("[1-9][0-9]([0-9]{2}|[0-9]{4}|[0-9]{7}|[0-9]{10})?", 0..40)) {
            let areas: Vec<_> = codes.iter().map(|code| area(code)).collect();
            let mut out = Writer::default();
            write(&areas, &mut out);
            let bytes = out.bytes();
            prop_assert_eq!(read(&mut Reader::new(&bytes)), Some(areas));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = read(&mut Reader::new(&bytes));
        }
    }
}
