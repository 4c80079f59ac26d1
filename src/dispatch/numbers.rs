//! Serials by which a far end knows messages: given once, journaled before anybody uses them, and the same again for the
//! same content. This module must not know what they name.

use channel::{Address, Issued, Key, NoSerial, Numbering, SERIALS_A_DAY};

use super::Desk;
use crate::ledger::numbered::Numbered;
use crate::ledger::{Event, Ledger, Proposal};
use crate::registry::Registry;

impl Desk {
    /// One after another, so that no two have the same.
    pub(super) async fn number(&self, channel: &str, wanted: Numbering) -> Result<u16, NoSerial> {
        let _turn = self.numbering.lock().await;
        if let Some(serial) = self.ledger.numbers.of(&wanted.series, wanted.key) {
            return Ok(serial);
        }
        let serial = self.ledger.numbers.last(&wanted.series, wanted.day) + 1;
        if serial > SERIALS_A_DAY {
            return Err(NoSerial::Spent);
        }
        let numbered = Numbered {
            channel: channel.to_owned(),
            series: wanted.series,
            day: wanted.day,
            serial,
            key: wanted.key,
            alert: wanted.alert,
            deliveries: wanted.deliveries,
            expires: wanted.expires,
        };
        let proposal = Proposal::of(0, Event::Numbered(numbered));
        let committed = self.writer.propose(proposal).await;
        committed.map_err(|_| NoSerial::Unavailable)?;
        Ok(serial)
    }
}

/// What a channel was given, with where it went as far as that is known.
pub fn issued(ledger: &Ledger, registry: &Registry, channel: &str) -> Vec<Issued> {
    let all = ledger.numbers.of_channel(channel).into_iter();
    all.map(|(at, one)| {
        let alert = ledger.alert(one.alert);
        let place = |delivery: &u32| {
            let (block, i) = alert.as_ref()?.find(*delivery)?;
            let endpoint = registry.endpoint(block.endpoint(i))?;
            let key = Key {
                alert: one.alert,
                delivery: *delivery,
                generation: 0,
            };
            Some((key, Address::new(endpoint.address)))
        };
        Issued {
            to: one.deliveries.iter().filter_map(place).collect(),
            series: one.series,
            day: one.day,
            serial: one.serial,
            key: one.key,
            alert: one.alert,
            at,
            expires: one.expires,
        }
    })
    .collect()
}
