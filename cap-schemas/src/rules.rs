//! The catalogue: every rule that a message is held to, with its level, whether the standard demands it, whether a
//! breach stops the message, and its sentence in both languages. One list feeds the reader, the checker, the verdict
//! and the manual. This module must not look at a message.

use crate::finding::FindingLevel;

/// What a breach does to the message by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    No,
    /// A person has to look.
    Hold,
    /// It cannot be taken as a CAP message at all.
    Refuse,
}

#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub id: &'static str,
    pub level: FindingLevel,
    /// The standard demands it: a message that breaks it does not conform.
    pub mandatory: bool,
    pub stop: Stop,
    pub en: &'static str,
    pub zh: &'static str,
}

macro_rules! rules {
    ($list:ident: $($name:ident $id:literal $level:ident $must:literal $stop:ident $en:literal $zh:literal)+) => {
        $(pub const $name: Rule = Rule {
            id: $id, level: FindingLevel::$level, mandatory: $must, stop: Stop::$stop, en: $en, zh: $zh,
        };)+
        pub const $list: &[Rule] = &[$($name),+];
    };
}

mod cap;
mod feed;
mod gbt;
mod profile;

pub(crate) use cap::*;
pub(crate) use feed::*;
pub(crate) use gbt::*;
pub(crate) use profile::*;

/// Every rule: CAP's in the order of the message, the national standard's, those about what holds the messages, and the
/// profiles'.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    [CAP, GBT, FEED, PROFILES].into_iter().flatten()
}

/// The rule that an id names.
pub fn rule(id: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_rules_share_an_id() {
        let mut ids = std::collections::HashSet::new();
        for one in rules() {
            assert!(ids.insert(one.id), "{} is listed twice", one.id);
            assert!(!one.en.is_empty() && !one.zh.is_empty());
        }
    }
}
