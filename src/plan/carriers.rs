//! Whose number a mobile number probably is, by its prefix: data of the operator's, in `config/carrier-prefixes.csv`.
//! Numbers move between carriers, so this counts and never decides. This module must not show a number.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The table that the program brings; a configuration may name another.
pub const SHIPPED: &str = include_str!("../../config/carrier-prefixes.csv");

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Carrier {
    Mobile,
    Unicom,
    Telecom,
    Broadnet,
}

impl Carrier {
    pub const fn zh(self) -> &'static str {
        ["中国移动", "中国联通", "中国电信", "中国广电"][self as usize]
    }

    pub const fn name(self) -> &'static str {
        ["mobile", "unicom", "telecom", "broadnet"][self as usize]
    }
}

#[derive(Debug, Default)]
pub struct Carriers(BTreeMap<String, Carrier>);

#[derive(Deserialize)]
struct Line {
    prefix: String,
    carrier: Carrier,
}

impl Carriers {
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let mut reader = csv::ReaderBuilder::new()
            .comment(Some(b'#'))
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let (mut carriers, mut problems) = (Self::default(), Vec::new());
        for line in reader.deserialize::<Line>() {
            match line {
                Ok(line) if line.prefix.bytes().all(|b| b.is_ascii_digit()) => {
                    let again = carriers.0.insert(line.prefix.clone(), line.carrier);
                    if again.is_some() {
                        problems.push(format!("prefix {} stands twice", line.prefix));
                    }
                }
                Ok(_) => problems.push("a prefix has digits alone".into()),
                Err(why) => problems.push(why.to_string()),
            }
        }
        if problems.is_empty() {
            Ok(carriers)
        } else {
            Err(problems)
        }
    }

    pub fn shipped() -> Self {
        Self::parse(SHIPPED).expect("a test reads the table that the program brings")
    }

    /// By the longest prefix, with or without the country's own.
    pub fn of(&self, number: &str) -> Option<Carrier> {
        let number = number.strip_prefix("+86").unwrap_or(number);
        let longest = number.len().min(7);
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
        assert_eq!(carriers.of("12345"), None);
        assert_eq!(carriers.of(""), None);
    }

    #[test]
    fn every_problem_of_a_table_is_told() {
        let text = "prefix,carrier\n130,unicom\n130,mobile\n1x,mobile\n139,nobody\n";
        let problems = Carriers::parse(text).expect_err("refused");
        assert_eq!(problems.len(), 3, "{problems:?}");
    }
}
