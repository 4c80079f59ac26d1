//! Deliveries that the house itself does not send, since it knows that the far end would not take them: they stand in
//! their block, and are missed with a reason. This module must not say what is filed.

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::alert::{Block, REFUSED};
use crate::model::{DeliveryNo, State};

/// Why a text may not go to a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bar {
    /// The bureau's signature is not filed (报备) for that carrier on that account.
    NotFiled,
    /// It is, but pending, refused or expired.
    NotInForce,
    /// The text is none of the templates on file.
    NoTemplate,
    /// The text holds a link, and links are not on file.
    Link,
    /// The plan needs a reply, and none comes back there.
    NoUplink,
}

impl Bar {
    pub const ALL: [Self; 5] = [
        Self::NotFiled,
        Self::NotInForce,
        Self::NoTemplate,
        Self::Link,
        Self::NoUplink,
    ];

    /// What stands as the delivery's code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotFiled => "filing:not-filed",
            Self::NotInForce => "filing:not-in-force",
            Self::NoTemplate => "filing:no-template",
            Self::Link => "filing:link",
            Self::NoUplink => "filing:no-uplink",
        }
    }
}

/// The event: ranges of deliveries, `lo` to before `hi`, of the block that follows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Barred {
    pub why: Bar,
    pub runs: Vec<(DeliveryNo, DeliveryNo)>,
}

/// The house did not send it.
pub const BARRED: u8 = 32;

/// What the next block must not send.
#[derive(Default)]
pub(super) struct Bars(Mutex<Vec<(DeliveryNo, DeliveryNo, Bar)>>);

impl Bars {
    pub fn add(&self, barred: &Barred) {
        let runs = barred.runs.iter();
        self.0
            .lock()
            .extend(runs.map(|(lo, hi)| (*lo, *hi, barred.why)));
    }

    /// Ends what is barred of a new block, before any lane sees it. `index`: the place of a code in the ledger's table.
    pub fn close(&self, block: &Block, index: impl Fn(&str) -> u16) {
        for (lo, hi, why) in std::mem::take(&mut *self.0.lock()) {
            let (first, end) = (block.first, block.first + block.len());
            let code = index(why.code());
            for i in lo.max(first)..hi.min(end) {
                let i = (i - first) as usize;
                block.set_code(i, code);
                block.raise_flag(i, REFUSED | BARRED);
                block.set_state(i, State::Failed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::kit::{START, accepted, block, variants};
    use super::super::{Event, Ledger};
    use super::*;
    use crate::ledger::event::Born;
    use crate::model::{Answer, Missed};

    #[test]
    fn what_is_barred_is_missed_for_good_before_any_lane_sees_its_block() {
        let ledger = Ledger::default();
        let barred = |why, lo, hi| {
            Event::Barred(Barred {
                why,
                runs: vec![(lo, hi)],
            })
        };
        for event in [
            Event::Accepted(Box::new(accepted(1, Born::Live))),
            variants(0, 1),
            Event::Block(block("sms", 0, &[(3, 0)])),
            barred(Bar::NotFiled, 4, 5),
            barred(Bar::NoTemplate, 5, 99),
            Event::Block(block("sms", 3, &[(4, 0)])),
            Event::Block(block("sms", 7, &[(2, 0)])),
        ] {
            ledger.apply(1, START, &event).expect("it fits");
        }
        let alert = ledger.alert(1).expect("it is there");
        let codes: Vec<_> = (0..9)
            .map(|number| {
                let (block, i) = alert.find(number).expect("it is there");
                let answer = block.answer(i);
                let missed = answer == Answer::Missed(Missed::Refused);
                assert_eq!(missed, block.flag(i, BARRED), "{number}: {answer:?}");
                ledger.code(block.code(i)).unwrap_or_default()
            })
            .collect();
        let template = Bar::NoTemplate.code();
        let barred = [
            "",
            "",
            "",
            "",
            Bar::NotFiled.code(),
            template,
            template,
            "",
            "",
        ];
        assert_eq!(codes, barred, "the block after it is another one");
        let second = &alert.blocks()[1];
        assert_eq!(
            (second.tally(State::Planned), second.tally(State::Failed)),
            (1, 3)
        );
    }
}
