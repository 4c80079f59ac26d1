//! The nightly self-test: once a night each enrolled device is asked to look at itself, without a sound. Who is due follows
//! from the journal alone, so a restart asks nobody twice. What they find is journaled where it is another word than their
//! last, and so is a silence. This module must not ask by a clock that nobody believes: whoever calls it sees to that.

use std::collections::{BTreeMap, HashSet};

use channel::{Action, Authority, Obeyed, Timestamp};

use super::Desk;
use super::devices::{Orders, Wanted};
use crate::ledger::boxes::{NO_ANSWER, Tested, TestedRow};
use crate::ledger::{Event, Ledger, Proposal, Refused};
use crate::model::StreamId;
use crate::plan::Quiet;

const HOUSE: StreamId = 0;
/// Whoever is named as who ordered it.
pub const NIGHT: &str = "(night)";

/// Which orders are under way in this process, and who has answered each.
pub type UnderWay = BTreeMap<(String, u64), HashSet<String>>;

/// Whom to ask now, by channel, and until when; nobody where this window's were asked.
pub fn due(
    window: Quiet,
    ledger: &Ledger,
    now: Timestamp,
) -> (BTreeMap<String, Vec<String>>, Option<Timestamp>) {
    let Some(end) = window.until(now) else {
        return (BTreeMap::new(), None);
    };
    let mut channels: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut asked = HashSet::new();
    for (id, device) in ledger.devices.all() {
        if device.key.is_none() {
            continue;
        }
        let last = ledger.boxes.test(&id).and_then(|test| test.asked);
        if last.and_then(|at| window.until(at)) == Some(end) {
            asked.insert(device.channel.clone());
        }
        channels.entry(device.channel).or_default().push(id);
    }
    channels.retain(|channel, _| !asked.contains(channel));
    (channels, Some(end))
}

impl Orders {
    /// Notes who has not answered in time, and asks whoever is due, where hours are set.
    pub async fn night(&self, window: Option<Quiet>, now: Timestamp) -> Result<(), Refused> {
        self.desk.unanswered(now).await?;
        let Some(window) = window else { return Ok(()) };
        let (channels, end) = due(window, &self.desk.ledger, now);
        let Some(expires) = end else { return Ok(()) };
        for (channel, devices) in channels {
            let wanted = Wanted {
                action: Action::SelfTest,
                authority: Authority::County,
                devices,
                expires,
                by: NIGHT.into(),
            };
            self.give(&channel, wanted).await?;
        }
        Ok(())
    }
}

impl Desk {
    /// Those of a batch that answer a self-test: only what is another word than the last is written.
    pub(super) fn looked(&self, channel: &str, batch: &[Obeyed]) -> Vec<(StreamId, Event)> {
        let mut rows: BTreeMap<u64, Vec<TestedRow>> = BTreeMap::new();
        for one in batch {
            if self.ledger.devices.action(channel, one.serial) != Some(Action::SelfTest) {
                continue;
            }
            if let Some(answered) = self.tests.lock().get_mut(&(channel.to_owned(), one.serial)) {
                answered.insert(one.device.clone());
            }
            let code = match (one.done, one.code.as_str()) {
                (true, _) => "",
                (false, "") => "failed",
                (false, code) => code,
            };
            let last = self.ledger.boxes.test(&one.device).and_then(|t| t.says);
            if last.is_none_or(|(last, _)| last != code) {
                rows.entry(one.serial).or_default().push(TestedRow {
                    device: one.device.clone(),
                    code: code.to_owned(),
                });
            }
        }
        let event = |(serial, rows)| {
            let channel = channel.to_owned();
            let tested = Tested {
                channel,
                serial,
                rows,
            };
            (HOUSE, Event::Tested(tested))
        };
        rows.into_iter().map(event).collect()
    }

    /// Who has said nothing until the end of what this process asked.
    async fn unanswered(&self, now: Timestamp) -> Result<(), Refused> {
        let orders = self.ledger.devices.orders();
        let over = orders.iter().map(|standing| &standing.ordered);
        let over = over.filter(|o| o.action == Action::SelfTest && o.expires <= now);
        for ordered in over {
            let key = (ordered.channel.clone(), ordered.serial);
            let Some(answered) = self.tests.lock().get(&key).cloned() else {
                continue;
            };
            let silent = ordered.devices.iter().filter(|id| {
                let last = self.ledger.boxes.test(id).and_then(|test| test.says);
                !answered.contains(*id) && last.is_none_or(|(last, _)| last != NO_ANSWER)
            });
            let row = |device: &String| TestedRow {
                device: device.clone(),
                code: NO_ANSWER.into(),
            };
            let rows: Vec<_> = silent.map(row).collect();
            if !rows.is_empty() {
                let (channel, serial) = key.clone();
                let tested = Event::Tested(Tested {
                    channel,
                    serial,
                    rows,
                });
                self.writer.propose(Proposal::of(HOUSE, tested)).await?;
            }
            self.tests.lock().remove(&key);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ledger::devices::{Enrolled, Ordered};

    const EVENING: Timestamp = Timestamp(1_784_037_600_000);

    fn enrolled(ledger: &Ledger, device: &str, channel: &str) {
        let enrolled = Event::Enrolled(Enrolled {
            device: device.into(),
            channel: channel.into(),
            key: [1; 32],
        });
        ledger.apply(HOUSE, EVENING, &enrolled).expect("it fits");
    }

    fn asked(ledger: &Ledger, channel: &str, at: Timestamp, devices: &[&str]) {
        let ordered = Event::Ordered(Box::new(Ordered {
            channel: channel.into(),
            serial: 1,
            action: Action::SelfTest,
            authority: Authority::County,
            devices: devices.iter().map(|id| (*id).to_owned()).collect(),
            not_before: at,
            expires: at,
            by: NIGHT.into(),
        }));
        ledger.apply(HOUSE, at, &ordered).expect("it fits");
    }

    #[test]
    fn each_device_with_a_key_is_asked_once_in_a_window_and_again_in_the_next() {
        let ledger = Ledger::default();
        let window: Quiet = "02:40-04:40".parse().expect("hours");
        enrolled(&ledger, "PW-1", "horn");
        enrolled(&ledger, "PW-2", "horn");
        enrolled(&ledger, "AD-1", "adapter");
        let revoked = Event::Revoked {
            device: "PW-2".into(),
            by: "operator".into(),
        };
        ledger.apply(HOUSE, EVENING, &revoked).expect("it fits");
        // 22:00 in Beijing.
        let (channels, end) = due(window, &ledger, EVENING);
        assert!(channels.is_empty() && end.is_none());
        let night = EVENING.plus(Duration::from_mins(4 * 60 + 45));
        let (channels, end) = due(window, &ledger, night);
        let wanted = [("adapter", ["AD-1"]), ("horn", ["PW-1"])];
        let wanted = wanted.map(|(name, ids)| (name.to_owned(), ids.map(str::to_owned).to_vec()));
        assert_eq!(channels.into_iter().collect::<Vec<_>>(), wanted);
        assert_eq!(end, Some(EVENING.plus(Duration::from_mins(6 * 60 + 40))));
        asked(&ledger, "horn", night, &["PW-1"]);
        let later = night.plus(Duration::from_mins(30));
        let (channels, _) = due(window, &ledger, later);
        assert_eq!(channels.into_keys().collect::<Vec<_>>(), ["adapter"]);
        let next = later.plus(Duration::from_hours(24));
        assert_eq!(due(window, &ledger, next).0.len(), 2);
    }
}
