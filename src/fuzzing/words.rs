//! The short words that stand in parameters, tables and settings: codes of regions and groups, waits, rates, identities
//! of documents. This module must not know where a word stood.

use std::fmt::Display;
use std::str::FromStr;

use crate::model::{AreaCode, Rate, RegionCode, RegionLevel, Span};

/// A refusal quotes at most so much of the word.
const SENTENCE: usize = 300;

pub fn words(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for word in text.split('\n') {
        if let Some(region) = read::<RegionCode>(word) {
            same(&region);
            exact(word, region, 12);
        }
        if let Some(area) = read::<AreaCode>(word) {
            same(&area);
            exact(word, area.region(), 14);
        }
        if let Some(rate) = read::<Rate>(word) {
            same(&rate);
        }
        read::<Span>(word);
    }
}

fn read<T: FromStr<Err: Display>>(word: &str) -> Option<T> {
    match word.parse() {
        Ok(value) => Some(value),
        Err(why) => {
            let said = why.to_string();
            assert!(
                said.len() < SENTENCE + 6 * word.len().min(SENTENCE),
                "{} bytes",
                said.len()
            );
            None
        }
    }
}

fn same<T: FromStr + Display + PartialEq>(value: &T) {
    let again = value.to_string().parse::<T>();
    assert!(
        again.is_ok_and(|again| again == *value),
        "{value} reads back as another"
    );
}

/// A code names the region of all its digits and none above it: zeros alone stand for "all of it".
fn exact(word: &str, region: RegionCode, longest: usize) {
    let shown = format!("{region}00");
    assert!(shown.starts_with(&word[..word.len().min(12)]) && word.len() <= longest);
    let parent = region.parent();
    assert!(parent.is_none_or(|parent| parent.covers(region) && !region.covers(parent)));
    assert_eq!(region.at(RegionLevel::Village), region);
}
