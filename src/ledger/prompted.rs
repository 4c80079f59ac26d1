//! Whoever is responsible for an outlet that is served by hand is prompted to serve it: which of an alert's items, by which
//! text, and how often. The text itself is a delivery as any other. This module must not say when somebody is prompted.

use std::collections::BTreeSet;

use channel::Timestamp;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::model::{DeliveryNo, RecipientId, StreamId};

/// A text, wherever its alert is: one may speak of several alerts' items.
pub type TextId = (StreamId, DeliveryNo);

/// The event: on the stream of every alert whose items the text speaks of, in one commit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Prompted {
    pub whom: RecipientId,
    /// Nothing where nobody could be written to: the registry has no way to them.
    pub text: Option<TextId>,
    /// Of this alert; the most urgent first.
    pub rows: Vec<PromptedRow>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PromptedRow {
    /// The delivery to the outlet.
    pub item: DeliveryNo,
    /// 0 as it is handed, and from 1 each moment at which it is said again.
    pub nth: u8,
}

/// One prompt as it stands in a stream.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Prompt {
    pub at: Timestamp,
    pub prompted: Prompted,
}

/// Of one alert, in the order they were written.
#[derive(Default)]
pub struct Prompts(RwLock<Vec<Prompt>>);

impl Prompts {
    pub(super) fn add(&self, at: Timestamp, prompted: &Prompted) {
        let prompted = prompted.clone();
        self.0.write().push(Prompt { at, prompted });
    }

    pub fn all(&self) -> Vec<Prompt> {
        self.0.read().clone()
    }

    /// Those of one item: when, which of its moments, and by which text.
    pub fn of(&self, item: DeliveryNo) -> Vec<(Timestamp, u8, Option<TextId>)> {
        let prompts = self.0.read();
        let rows = prompts.iter().flat_map(|prompt| {
            let own = prompt.prompted.rows.iter().filter(|row| row.item == item);
            own.map(|row| (prompt.at, row.nth, prompt.prompted.text))
        });
        rows.collect()
    }

    /// The moment of an item that was prompted last.
    pub fn last(&self, item: DeliveryNo) -> Option<u8> {
        let prompts = self.0.read();
        let rows = prompts.iter().flat_map(|prompt| &prompt.prompted.rows);
        rows.filter(|row| row.item == item).map(|row| row.nth).max()
    }

    /// What a text speaks of first.
    pub fn lead(&self, text: TextId) -> Option<DeliveryNo> {
        let prompts = self.0.read();
        let found = prompts.iter().find(|p| p.prompted.text == Some(text))?;
        found.prompted.rows.first().map(|row| row.item)
    }

    /// The texts to somebody after a moment.
    pub fn after(&self, whom: RecipientId, moment: Timestamp, texts: &mut BTreeSet<TextId>) {
        let prompts = self.0.read();
        let own = prompts
            .iter()
            .filter(|p| p.prompted.whom == whom && p.at > moment);
        texts.extend(own.filter_map(|p| p.prompted.text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_remembers_what_it_was_prompted_by_and_a_person_how_often() {
        let prompts = Prompts::default();
        let prompted = |text, rows: &[(u32, u8)]| Prompted {
            whom: 7,
            text,
            rows: rows
                .iter()
                .map(|(item, nth)| PromptedRow {
                    item: *item,
                    nth: *nth,
                })
                .collect(),
        };
        prompts.add(Timestamp(10), &prompted(Some((1, 5)), &[(3, 0), (2, 0)]));
        prompts.add(Timestamp(20), &prompted(Some((1, 6)), &[(2, 1)]));
        prompts.add(Timestamp(30), &prompted(None, &[(2, 2)]));
        assert_eq!(
            (prompts.last(2), prompts.last(3), prompts.last(4)),
            (Some(2), Some(0), None)
        );
        assert_eq!(
            (prompts.lead((1, 5)), prompts.lead((2, 5))),
            (Some(3), None)
        );
        let of: Vec<_> = prompts.of(2).into_iter().map(|(at, ..)| at.0).collect();
        assert_eq!(of, [10, 20, 30]);
        let mut texts = BTreeSet::new();
        prompts.after(7, Timestamp(10), &mut texts);
        prompts.after(8, Timestamp(0), &mut texts);
        assert_eq!(texts, BTreeSet::from([(1, 6)]));
    }
}
