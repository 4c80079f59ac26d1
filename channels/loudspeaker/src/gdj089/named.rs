//! The ids of messages (EBMID): made of a day's serial that the house has journaled before anything goes out under it. After a
//! restart the house says what was given, so that a stop still finds what it stops. This module must not give a serial.

use channel::{Failure, FailureClass, NoSerial, Numbering, Timestamp};

use super::bytes::Id;
use super::config::Dialect;
use super::desk::Desk;
use super::plan;

/// What an id is for.
pub struct Named {
    pub adapter: usize,
    /// A hash of what is named.
    pub key: u64,
    pub alert: u64,
    pub deliveries: Vec<u32>,
    pub expires: Timestamp,
}

impl Desk {
    /// The id of a message: durable from now on, and the same for the same key.
    pub async fn name(&self, named: Named) -> Result<Id, Failure> {
        let series = self.platform(named.adapter);
        let inlet = &self.context.inlet;
        // Named before midnight, it keeps its day.
        let known = inlet
            .numbered()
            .into_iter()
            .find(|one| one.key == named.key);
        let today = plan::day(self.context.clock.now());
        let day = known.map_or(today, |one| one.day);
        let wanted = Numbering {
            series: series.to_owned(),
            day,
            key: named.key,
            alert: named.alert,
            deliveries: named.deliveries,
            expires: named.expires,
        };
        let failed = |code, words| Failure::new(FailureClass::Transient, code, words);
        match inlet.number(wanted).await {
            Ok(serial) => plan::ebm(series, day, serial)
                .ok_or_else(|| failed("089:no-number", "the message's serial is no number")),
            Err(NoSerial::Unavailable) => Err(failed(
                "089:no-number",
                "the message's serial could not be kept, so it was not sent",
            )),
            Err(NoSerial::Spent) => Err(failed(
                "089:day-spent",
                "the platform's 9999 messages of this day are spent",
            )),
        }
    }

    /// What we are called in an adapter's dialect.
    fn platform(&self, at: usize) -> &str {
        match (self.config.adapter[at].dialect, &self.config.old_platform) {
            (Dialect::Fefd, Some(older)) => older,
            _ => &self.config.platform,
        }
    }

    /// What was started before this process and may still sound, or be told of.
    pub fn recall(&self) {
        let now = self.context.clock.now();
        for issued in self.context.inlet.numbered() {
            let config = &self.config;
            let ours = [Some(&config.platform), config.old_platform.as_ref()];
            let own = ours.contains(&Some(&issued.series)) && issued.expires > now;
            let ebm = plan::ebm(&issued.series, issued.day, issued.serial);
            let Some(ebm) = ebm.filter(|_| own) else {
                continue;
            };
            let routed = |address: &channel::Address| self.routes.of(address.expose()).ok();
            let routed: Vec<_> = issued.to.iter().filter_map(|(_, to)| routed(to)).collect();
            // One start is for one adapter.
            let Some((at, _)) = routed.first().cloned() else {
                continue;
            };
            let codes = routed.into_iter().filter(|(own, _)| *own == at);
            let codes = codes.map(|(_, code)| code).collect();
            let mut plays = self.plays.lock();
            plays.started(at, issued.alert, ebm, codes, issued.expires);
        }
    }
}
