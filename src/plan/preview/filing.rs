//! The mobile numbers of a preview by carrier, and those that may not be sent to, each with why and what to do. This
//! module must not judge a text.

use std::collections::BTreeMap;

use super::figures::{Numbers, Refusal};
use super::tally::Tally;
use crate::ledger::event::Bar;
use crate::model::Carrier;
use crate::plan::filing::{FilingState, of_bar};

/// Numbers of one channel by carrier and by why they are refused.
pub type ByCarrier = BTreeMap<(Option<Carrier>, Option<Bar>), u32>;

fn name(carrier: Option<Carrier>) -> &'static str {
    carrier.map_or("unknown", Carrier::name)
}

impl Tally<'_> {
    pub(super) fn filing(&self) -> Vec<Numbers> {
        let one = |(channel, by): (&String, &ByCarrier)| {
            let mut by_carrier = BTreeMap::new();
            let mut refused: BTreeMap<Bar, Refusal> = BTreeMap::new();
            for ((carrier, bar), count) in by {
                *by_carrier.entry(name(*carrier)).or_default() += count;
                if let Some(bar) = bar {
                    let refusal = refused.entry(*bar).or_insert_with(|| Refusal::of(*bar));
                    refusal.numbers += count;
                    *refusal.by_carrier.entry(name(*carrier)).or_default() += count;
                }
            }
            let filed = self.filed(channel);
            let unfiled = refused.get(&Bar::NotFiled).map_or(0, |r| r.numbers);
            Numbers {
                channel: channel.clone(),
                by_carrier,
                unfiled: filed.is_some().then_some(unfiled),
                filed,
                refused: refused.into_values().collect(),
            }
        };
        self.numbers.iter().map(one).collect()
    }

    /// Carriers with which the sender's signature is filed; nothing where the account has not said.
    fn filed(&self, channel: &str) -> Option<Vec<&'static str>> {
        let filed = &self.scene.draft.filed;
        let now = self.scene.draft.schedule.base();
        let own = filed.filings.of(channel, filed.signature);
        let own: Vec<_> = own
            .filter(|(_, filing)| filing.state_at(now) == FilingState::Filed)
            .map(|(_, filing)| filing.carrier)
            .collect();
        let of = |carrier: &Carrier| own.iter().any(|o| o.is_none_or(|o| o == *carrier));
        let all = Carrier::ALL.into_iter().filter(of).map(Carrier::name);
        filed.filings.says(channel).then(|| all.collect())
    }
}

impl Refusal {
    fn of(bar: Bar) -> Self {
        let (en, zh) = of_bar(bar);
        Self {
            reason: bar.code(),
            numbers: 0,
            by_carrier: BTreeMap::new(),
            en,
            zh,
        }
    }
}
