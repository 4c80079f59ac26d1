//! What people say back to the texts of an alert, as its stream and the house stream hold it: a word of acknowledgement is
//! evidence, any other text is a document that lies beside the journal. This module must not say to which alert a reply
//! belongs, and holds neither a number nor a word of it (law 13).

use std::collections::{BTreeMap, VecDeque};

use channel::Timestamp;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::model::DeliveryNo;
use crate::store::DocumentId;

/// People answered the texts of an alert.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Answered {
    /// The account by which the answers came.
    pub channel: String,
    pub rows: Vec<AnsweredRow>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AnsweredRow {
    pub delivery: DeliveryNo,
    /// What was written, where it proves nothing by itself; a word of acknowledgement is not kept.
    pub text: Option<DocumentId>,
    /// Several alerts were open to this number, and the newest was taken.
    pub assumed: bool,
    pub far: Option<Timestamp>,
    pub seen: Timestamp,
}

/// On the house stream: people wrote, and it answers no alert.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Strayed {
    pub channel: String,
    pub rows: Vec<StrayedRow>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StrayedRow {
    pub why: Stray,
    pub text: DocumentId,
    pub far: Option<Timestamp>,
    pub seen: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stray {
    /// Nobody in the registry has this number.
    UnknownNumber,
    /// Somebody has it, and no alert is open of which a text was handed to it.
    NothingOpen,
}

/// What came back to one alert, in the order it came.
#[derive(Default)]
pub struct Replies(RwLock<Vec<Reply>>);

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Reply {
    pub channel: String,
    pub row: AnsweredRow,
}

impl Replies {
    pub(super) fn add(&self, answered: &Answered) {
        let channel = &answered.channel;
        let reply = |row: &AnsweredRow| Reply {
            channel: channel.clone(),
            row: *row,
        };
        self.0.write().extend(answered.rows.iter().map(reply));
    }

    pub fn all(&self) -> Vec<Reply> {
        self.0.read().clone()
    }

    pub fn is_empty(&self) -> bool {
        self.0.read().is_empty()
    }
}

/// So many of the latest strays are listed; all of them are counted.
const LISTED: usize = 1_000;

#[derive(Default)]
pub struct Strays(RwLock<Held>);

#[derive(Default)]
struct Held {
    counts: BTreeMap<String, u64>,
    /// The latest, each with its number from 1.
    list: VecDeque<(u64, String, StrayedRow)>,
    last: u64,
}

impl Strays {
    pub(super) fn add(&self, strayed: &Strayed) {
        let mut held = self.0.write();
        for row in &strayed.rows {
            *held.counts.entry(strayed.channel.clone()).or_default() += 1;
            held.last += 1;
            let one = (held.last, strayed.channel.clone(), *row);
            held.list.push_back(one);
            if held.list.len() > LISTED {
                held.list.pop_front();
            }
        }
    }

    /// How many came by each channel since the journal began.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.0.read().counts.clone()
    }

    /// The latest, with their numbers; the oldest first.
    pub fn list(&self) -> Vec<(u64, String, StrayedRow)> {
        self.0.read().list.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stray_is_counted_and_the_latest_are_listed() {
        let strays = Strays::default();
        let row = |n: usize| StrayedRow {
            why: Stray::UnknownNumber,
            text: [0; 32],
            far: None,
            seen: Timestamp(i64::try_from(n).expect("small")),
        };
        for n in 0..LISTED + 5 {
            let channel = if n.is_multiple_of(2) { "a" } else { "b" };
            strays.add(&Strayed {
                channel: channel.to_owned(),
                rows: vec![row(n)],
            });
        }
        assert_eq!(strays.counts().values().sum::<u64>(), LISTED as u64 + 5);
        let list = strays.list();
        assert_eq!((list.len(), list[0].0), (LISTED, 6));
        assert_eq!((list[LISTED - 1].0, list[0].2.seen), (1_005, Timestamp(5)));
    }
}
