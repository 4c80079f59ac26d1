//! Whose number a mobile number probably is, by its prefix: data of the operator's, in `config/carrier-prefixes.csv`.
//! Numbers move between carriers, so this is a guess, and what a far end has answered goes before it. This module must not show a number.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::lines;
use crate::model::Carrier;

/// The table that the program brings; a configuration may name another.
pub const SHIPPED: &str = include_str!("../../config/carrier-prefixes.csv");

/// Digits of the longest prefix that says anything.
const LONGEST: usize = 7;

#[derive(Clone, Debug, Default)]
pub struct Carriers(BTreeMap<String, Carrier>);

#[derive(Deserialize)]
struct Line {
    prefix: String,
    carrier: Carrier,
}

impl Carriers {
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let mut carriers = Self::default();
        lines::each(text, |Line { prefix, carrier }| {
            // Seven digits tell the county of a number; nothing longer is looked for.
            if !(1..=LONGEST).contains(&prefix.len()) || !prefix.bytes().all(|b| b.is_ascii_digit())
            {
                return Err(format!(
                    "{prefix:?} is no prefix; write 1 to {LONGEST} digits"
                ));
            }
            match carriers.0.insert(prefix.clone(), carrier) {
                Some(_) => Err(format!(
                    "prefix {prefix} stands twice; keep one of its lines"
                )),
                None => Ok(()),
            }
        })?;
        Ok(carriers)
    }

    pub fn shipped() -> Self {
        Self::parse(SHIPPED).expect("a test reads the table that the program brings")
    }

    /// By the longest prefix, with or without the country's own.
    pub fn of(&self, number: &str) -> Option<Carrier> {
        let number = number.strip_prefix("+86").unwrap_or(number);
        let longest = number.len().min(LONGEST);
        let mut prefixes = (1..=longest).rev().filter_map(|n| number.get(..n));
        prefixes.find_map(|prefix| self.0.get(prefix)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_names_the_carrier() {
        let carriers = Carriers::shipped();
        assert_eq!(carriers.of("15300000000"), Some(Carrier::Telecom));
        assert_eq!(carriers.of("15000000000"), Some(Carrier::Mobile));
        assert_eq!(carriers.of("+8613000000000"), Some(Carrier::Unicom));
        assert_eq!(carriers.of("19200000000"), Some(Carrier::Broadnet));
        assert_eq!(carriers.of("17400000000"), Some(Carrier::Satellite));
        assert_eq!(carriers.of("17490000000"), Some(Carrier::Satellite));
        assert_eq!(carriers.of("12345"), None);
        assert_eq!(carriers.of(""), None);
    }

    #[test]
    fn every_problem_of_a_table_is_told() {
        let text = "# a note\nprefix,carrier\n130,unicom\n130,mobile\n1x,mobile\n139,nobody\n,mobile\n13912345,mobile\n140\n";
        let problems = Carriers::parse(text).expect_err("refused");
        let begins = [
            "line 4: prefix 130 stands twice",
            "line 5: \"1x\" is no prefix",
            "line 6: unknown variant `nobody`, expected one of `mobile`",
            "line 7: \"\" is no prefix",
            "line 8: \"13912345\" is no prefix",
            "line 9: it has 1 cells where the header has 2",
        ];
        assert_eq!(problems.len(), begins.len(), "{problems:?}");
        for (problem, begin) in problems.iter().zip(begins) {
            assert!(problem.starts_with(begin), "{problem}");
        }
        for nothing in ["", "prefix,carrier\n"] {
            let problems = Carriers::parse(nothing).expect_err("refused");
            assert!(problems[0].contains("no line follows"), "{problems:?}");
        }
        let other = Carriers::parse("a,b\n1,2\n").expect_err("refused");
        assert_eq!(other, ["line 2: missing field `prefix`"]);
    }
}
