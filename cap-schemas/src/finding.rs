//! What a message was found to be: one finding per fault, with the rule it breaks, where, and a sentence in English
//! and Chinese. Findings are collected, never returned early, and never carry a person's name, number or address.

use serde::Serialize;

use crate::codes::Version;
use crate::rules::{self, Rule, Stop};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingLevel {
    Error,
    Warning,
    Info,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// Such as `CAP-1.2/alert/sent/format`; every rule is in [`crate::RULES`].
    pub rule: &'static str,
    pub level: FindingLevel,
    /// Such as `/alert/info[2]/area[1]/polygon[1]`; repeatable elements are counted from 1.
    pub path: String,
    /// Byte offset in the decoded text; none where the message did not come as text.
    pub position: Option<usize>,
    /// The message stops here: quarantine or reject.
    pub stops: bool,
    pub en: String,
    pub zh: String,
}

/// More than this many findings tell nobody more.
pub(crate) const MOST: usize = 1_000;
/// A quoted value is cut after this many characters.
const QUOTED: usize = 60;

/// Where a finding is: its path and, if known, the offset in the text.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) path: String,
    pub(crate) at: Option<usize>,
}

impl Place {
    pub(crate) fn new(path: impl Into<String>, at: impl Into<Option<usize>>) -> Self {
        Self {
            path: path.into(),
            at: at.into(),
        }
    }

    /// The place of a child that the model has, without a position of its own.
    pub(crate) fn child(&self, name: &str) -> Self {
        Self {
            path: format!("{}/{name}", self.path),
            at: self.at,
        }
    }

    pub(crate) fn nth(&self, name: &str, index: usize) -> Self {
        Self {
            path: format!("{}/{name}[{}]", self.path, index + 1),
            at: self.at,
        }
    }
}

/// Collects findings, bounded.
#[derive(Default)]
pub(crate) struct Findings {
    list: Vec<Finding>,
    /// Not kept for want of room: how many.
    more: usize,
    refused: bool,
    /// The national standard's rules are spoken of, where it has them.
    national: bool,
}

impl Findings {
    pub(crate) fn of(version: Version) -> Self {
        Self {
            national: version == Version::Gbt,
            ..Self::default()
        }
    }

    /// From here on the message is known to be the national standard's.
    pub(crate) fn be_national(&mut self) {
        self.national = true;
    }

    pub(crate) fn add(&mut self, rule: &Rule, place: &Place) {
        self.push(rule, place, None, rule.level, rule.stop != Stop::No);
    }

    /// As `add`, quoting the value that was found. Only for values that cannot hold personal data.
    pub(crate) fn quote(&mut self, rule: &Rule, place: &Place, found: &str) {
        self.push(rule, place, Some(found), rule.level, rule.stop != Stop::No);
    }

    /// It was repaired: worth a warning, though the rule may rank higher.
    pub(crate) fn warn(&mut self, rule: &Rule, place: &Place, found: &str) {
        self.push(rule, place, Some(found), FindingLevel::Warning, false);
    }

    /// It could not be repaired: a person has to look, though the rule alone would let it pass.
    pub(crate) fn hold(&mut self, rule: &Rule, place: &Place, found: &str) {
        self.push(rule, place, Some(found), FindingLevel::Error, true);
    }

    fn push(
        &mut self,
        rule: &Rule,
        place: &Place,
        found: Option<&str>,
        level: FindingLevel,
        stops: bool,
    ) {
        let own = rules::own(rule).filter(|_| self.national);
        // A level that its caller has not chosen is the own rule's.
        let (level, stops) = match own {
            Some(own) if level == rule.level && stops == (rule.stop != Stop::No) => {
                (own.level, own.stop != Stop::No)
            }
            _ => (level, stops),
        };
        let rule = own.unwrap_or(rule);
        self.refused |= rule.stop == Stop::Refuse;
        if self.list.len() >= if stops { 2 * MOST } else { MOST } {
            self.more += 1;
            return;
        }
        let (en, zh) = match found {
            Some(found) => {
                let (value, cut) = excerpt(found);
                (
                    format!("{} (found “{value}{cut}”)", rule.en),
                    format!("{}（实为“{value}{cut}”）", rule.zh),
                )
            }
            None => (rule.en.to_owned(), rule.zh.to_owned()),
        };
        self.list.push(Finding {
            rule: rule.id,
            level,
            path: place.path.clone(),
            position: place.at,
            stops,
            en,
            zh,
        });
    }

    /// Something was found that no CAP message may have.
    pub(crate) fn refused(&self) -> bool {
        self.refused
    }

    pub(crate) fn done(mut self) -> Vec<Finding> {
        if self.more > 0 {
            let more = std::mem::take(&mut self.more);
            let rule = &rules::FINDINGS_CUT;
            self.list.push(Finding {
                rule: rule.id,
                level: rule.level,
                path: "/alert".into(),
                position: None,
                stops: false,
                en: format!("{} ({more} more)", rule.en),
                zh: format!("{}（另有 {more} 条）", rule.zh),
            });
        }
        self.list
    }
}

fn excerpt(value: &str) -> (String, &'static str) {
    let mut characters = value.chars().map(|c| if c.is_control() { ' ' } else { c });
    let start: String = characters.by_ref().take(QUOTED).collect();
    (
        start,
        if characters.next().is_some() {
            "…"
        } else {
            ""
        },
    )
}
