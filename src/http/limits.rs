//! How much each bureau may ask of the API: permits of its own, so that one that asks too often slows itself alone. Far
//! ends are not bureaus: a receipt is never turned away here. This module must not know what is asked.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use channel::Clock;

use crate::coord::{Account, Ask};
use crate::model::Rate;

/// One account for each bureau.
#[derive(Default)]
pub struct Limits(BTreeMap<String, Account>);

impl Limits {
    pub fn new<'a>(
        bureaus: impl IntoIterator<Item = &'a str>,
        rate: Rate,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let account = |id: &str| Account::new(id, rate, NonZeroU32::MIN, None, clock.clone());
        let accounts = bureaus.into_iter().map(|id| (id.to_owned(), account(id)));
        Self(accounts.collect())
    }

    /// How long this bureau has to wait; nothing where it may ask.
    pub async fn ask(&self, bureau: &str) -> Option<Duration> {
        let ask = Ask {
            lane: "api",
            rank: 0,
            permits: 1,
            more: false,
        };
        self.0.get(bureau)?.ask(ask).await
    }
}
