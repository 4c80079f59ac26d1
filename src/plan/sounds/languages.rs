//! Which languages a village hears before Mandarin, in their order: a list by region, the smallest region that fits. This
//! module must not know what is recorded.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::{RegionCode, is_mandarin, tongue};

/// As the configuration has it: `"510727217" = ["qxs", "cmn-x-sichuan"]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Languages(BTreeMap<String, Vec<String>>);

impl Languages {
    /// Everything that is wrong with it.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (region, tags) in &self.0 {
            if let Err(bad) = region.parse::<RegionCode>() {
                problems.push(format!("languages: {bad}"));
            }
            for tag in tags {
                let told = || format!("languages.{region}: {tag:?}");
                if tongue(tag).is_none() {
                    problems.push(format!(
                        "{} is no language tag; write one as qxs, bod or cmn-x-sichuan 语言代码有误",
                        told()
                    ));
                } else if is_mandarin(tag) {
                    problems.push(format!(
                        "{} is Mandarin, which follows without being named; leave it out 普通话总在最后，不必写",
                        told()
                    ));
                }
            }
        }
        problems
    }

    /// What a village hears before Mandarin, each as its one tag.
    pub fn of(&self, village: RegionCode) -> Vec<String> {
        let fits = |(region, tags): (&String, _)| {
            let region: RegionCode = region.parse().ok()?;
            region.covers(village).then_some((region.level(), tags))
        };
        let found: Option<(_, &Vec<String>)> = self.0.iter().filter_map(fits).max_by_key(|f| f.0);
        let tags = found.map_or(&[][..], |(_, tags)| tags);
        let mut all: Vec<String> = Vec::new();
        for tag in tags.iter().filter_map(|tag| tongue(tag)) {
            if !all.contains(&tag) {
                all.push(tag);
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn languages(text: &str) -> Languages {
        toml::from_str(text).expect("a table")
    }

    #[test]
    fn a_village_hears_what_the_smallest_region_around_it_says() {
        let languages = languages(
            "510727 = [\"cmn-x-sichuan\"]\n510727219 = [\"bqh\", \"bo\", \"bqh\"]\n510727219203 = []",
        );
        assert_eq!(languages.problems(), [""; 0]);
        let of = |code: &str| languages.of(code.parse().expect("a code"));
        assert_eq!(of("510727217201"), ["zho-x-sichuan"]);
        assert_eq!(of("510727219201"), ["bqh", "bod"]);
        assert_eq!(of("510727219203"), [""; 0], "nothing but Mandarin");
        assert_eq!(of("510726219201"), [""; 0]);
    }

    #[test]
    fn a_wrong_region_a_wrong_tag_and_mandarin_are_told() {
        let problems = languages("51072 = []\n510727 = [\"羌语\", \"zh-CN\"]").problems();
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems[0].contains("51072"), "{problems:?}");
        assert!(problems[1].contains("languages.510727: \"羌语\" is no language tag"));
        assert!(problems[2].contains("\"zh-CN\" is Mandarin"));
    }
}
