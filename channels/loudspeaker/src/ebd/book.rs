//! What is at the platform: each message that went out, to whom, and what was heard of it. It lies in memory; after a
//! restart the house tells it again by the serials that it gave. This module must not speak to anybody.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use channel::{Address, Issued, Key, Timestamp};

use super::state::Brd;

/// How long after its end a message may still be spoken of.
const AFTER: Duration = Duration::from_hours(2);

/// A packet as it was posted, so that it can be posted again the same.
#[derive(Clone, Debug)]
pub struct Posted {
    pub name: String,
    pub bytes: Arc<[u8]>,
}

#[derive(Clone, Debug)]
pub struct Open {
    /// The EBMID.
    pub id: String,
    pub alert: u64,
    pub to: Vec<(Key, Address)>,
    pub sent: Timestamp,
    pub expires: Timestamp,
    /// What went out, as long as it is not known whether it was taken.
    pub doubt: Option<Posted>,
    /// The platform has it: it said so, or spoke of it.
    pub taken: bool,
    pub state: Option<Brd>,
    /// When the platform last spoke of it or was asked, by `tick`.
    pub heard: Duration,
    /// Since when it lies there unprocessed.
    pub held: Option<Timestamp>,
    pub alarmed: bool,
    pub ending: Ending,
}

/// Whether we have taken a message back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    Stands,
    /// Our cancel has a name, and may have gone out: what ends it now is no word of the platform's people.
    Named,
    /// The platform has taken our cancel.
    Taken,
}

impl Open {
    /// By what a receipt is matched to one of its deliveries. The address is in it, so that what the platform names is found
    /// without a memory; who stands there twice is told apart.
    pub fn reference(&self, at: usize) -> String {
        let address = self.to[at].1.expose();
        let before = self.to[..at].iter().filter(|(_, a)| a.expose() == address);
        match before.count() {
            0 => format!("{}/{address}", self.id),
            nth => format!("{}/{address}.{nth}", self.id),
        }
    }

    /// Where nothing more is to come.
    pub fn is_over(&self) -> bool {
        matches!(self.state, Some(Brd::Played | Brd::Failed | Brd::Cancelled))
    }
}

#[derive(Default)]
pub struct Book {
    open: HashMap<String, Open>,
    /// In which message each delivery went out last.
    last: HashMap<Key, String>,
    /// How often the platform refused a message for each delivery: then it needs another name.
    rounds: HashMap<Key, (u32, Timestamp)>,
    /// Names of our cancels: a platform may speak of those too.
    cancels: BTreeSet<String>,
}

impl Book {
    pub fn get(&self, id: &str) -> Option<&Open> {
        self.open.get(id)
    }

    pub fn get_mut(&mut self, id: &str) -> Option<&mut Open> {
        self.open.get_mut(id)
    }

    pub fn put(&mut self, open: Open) {
        for (key, _) in &open.to {
            self.last.insert(*key, open.id.clone());
        }
        self.open.insert(open.id.clone(), open);
    }

    /// The message of a delivery of which it is not known whether it was taken, or known that it was.
    pub fn of(&self, key: Key) -> Option<&Open> {
        self.open.get(self.last.get(&key)?)
    }

    /// Nothing of it is there. Where the platform itself said no, it may know the name: the next try has another.
    pub fn refused(&mut self, id: &str, said: bool) {
        if let Some(open) = self.open.remove(id) {
            for (key, _) in open.to {
                self.last.remove(&key);
                if said {
                    self.rounds.entry(key).or_insert((0, open.expires)).0 += 1;
                }
            }
        }
    }

    /// What went to this place failed there: the next try has another name.
    pub fn failed(&mut self, id: &str, at: usize) {
        if let Some(open) = self.open.get(id) {
            let (key, expires) = (open.to[at].0, open.expires);
            self.last.remove(&key);
            self.rounds.entry(key).or_insert((0, expires)).0 += 1;
        }
    }

    pub fn round(&self, key: Key) -> u32 {
        self.rounds.get(&key).map_or(0, |(round, _)| *round)
    }

    pub fn all_mut(&mut self) -> impl Iterator<Item = &mut Open> {
        self.open.values_mut()
    }

    /// What the house still knows of messages that are not here.
    pub fn recall(
        &mut self,
        issued: Vec<Issued>,
        (name, now, tick): (impl Fn(&Issued) -> String, Timestamp, Duration),
        is_cancel_of: impl Fn(&Issued, &str) -> bool,
    ) {
        let cancels: Vec<_> = issued
            .iter()
            .filter(|one| one.to.is_empty())
            .cloned()
            .collect();
        for one in issued
            .into_iter()
            .filter(|one| !one.to.is_empty() && one.expires.plus(AFTER) > now)
        {
            let id = name(&one);
            if self.open.contains_key(&id) {
                continue;
            }
            let ours = cancels.iter().find(|cancel| is_cancel_of(cancel, &id));
            let ours = ours.map(|cancel| self.cancels.insert(name(cancel)));
            self.put(Open {
                id,
                alert: one.alert,
                to: one.to,
                sent: one.at,
                expires: one.expires,
                doubt: None,
                taken: false,
                state: None,
                heard: tick,
                held: None,
                alarmed: false,
                ending: ours.map_or(Ending::Stands, |_| Ending::Named),
            });
        }
    }

    /// A cancel is about to go out.
    pub fn cancels(&mut self, id: &str, name: &str) {
        if let Some(open) = self.open.get_mut(id) {
            open.ending = Ending::Named;
        }
        self.cancels.insert(name.to_owned());
    }

    pub fn is_cancel(&self, name: &str) -> bool {
        self.cancels.contains(name)
    }

    pub fn forget(&mut self, now: Timestamp) {
        self.open.retain(|_, open| open.expires.plus(AFTER) > now);
        if self.open.is_empty() {
            self.cancels.clear();
        }
        let open = &self.open;
        self.last.retain(|_, id| open.contains_key(id));
        self.rounds
            .retain(|_, (_, expires)| expires.plus(AFTER) > now);
    }

    /// The messages of these devices alone, of one alert or of any, that stand and that nobody has cancelled; and the
    /// devices of others, which such an order cannot stop without stopping more.
    pub fn to_cancel(
        &self,
        of: impl Fn(&Open) -> bool,
        devices: &BTreeSet<&str>,
    ) -> (Vec<String>, BTreeSet<String>) {
        let (mut ids, mut shared) = (Vec::new(), BTreeSet::new());
        for open in self.open.values().filter(|open| {
            open.ending != Ending::Taken && open.state != Some(Brd::Cancelled) && of(open)
        }) {
            let of_these = |(_, address): &&(Key, Address)| devices.contains(address.expose());
            if open.to.iter().all(|to| of_these(&to)) {
                ids.push(open.id.clone());
            } else {
                shared.extend(
                    open.to
                        .iter()
                        .filter(of_these)
                        .map(|(_, a)| a.expose().to_owned()),
                );
            }
        }
        ids.sort();
        (ids, shared)
    }

    /// Messages that lie at the platform unprocessed, and since when.
    pub fn held(&self) -> Option<(u32, Timestamp)> {
        let held: Vec<_> = self.open.values().filter_map(|open| open.held).collect();
        let since = held.iter().min()?;
        Some((u32::try_from(held.len()).unwrap_or(u32::MAX), *since))
    }
}
