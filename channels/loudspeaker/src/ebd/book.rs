//! What is at the platform: each message that went out, to whom, and what was heard of it. It lies in memory; after a
//! restart the house tells it again by the serials that it gave. This module must not speak to anybody.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use channel::{Address, Issued, Key, Receipt, Timestamp, Verdict};

use super::message::Ebm;
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
    /// What was sent; a restart forgets it.
    pub ebm: Option<Arc<Ebm>>,
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
    /// The platform's words on each place, in their order, by its place in `to`.
    pub said: BTreeMap<usize, Vec<String>>,
    /// When its log was asked for last, by `tick`.
    pub log_asked: Duration,
    /// Its log was asked for after its end: nothing more is to be had.
    pub logged: bool,
}

/// As the platform's word on a place is called when it was played there.
pub const PLAYED: &str = "played";

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
        self.state.is_some_and(is_last)
    }

    fn has_ended(&self, now: Timestamp) -> bool {
        self.is_over() || self.expires <= now
    }

    /// Whether this was not known of the place. A log tells again what states have told, and tells it late: of what is under
    /// way it knows nothing new.
    pub fn is_news(&self, at: usize, receipt: &Receipt, of_log: bool) -> bool {
        let said = self.said.get(&at).map_or(&[][..], Vec::as_slice);
        if !of_log {
            return said.last() != Some(&receipt.code);
        }
        match receipt.verdict {
            Verdict::Progress => said.is_empty(),
            Verdict::Reached(_) | Verdict::Refused(_) => !said.contains(&receipt.code),
        }
    }

    /// The platform has spoken of it. A log is older than its states: it ends a message, and takes nothing back.
    pub fn tells(&mut self, state: Brd, of_log: bool, (now, tick): (Timestamp, Duration)) {
        (self.doubt, self.taken, self.heard) = (None, true, tick);
        if of_log && self.state.is_some() && (self.is_over() || !is_last(state)) {
            return;
        }
        self.state = Some(state);
        self.held = (state == Brd::Held).then(|| self.held.unwrap_or(now));
    }

    /// Of its places, how many were played.
    pub fn share(&self) -> f64 {
        let played = |words: &&Vec<String>| words.iter().any(|word| word == PLAYED);
        let count = self.said.values().filter(played).count();
        // Far fewer than a float can count.
        let few = |n: usize| u32::try_from(n).map_or(1.0, f64::from);
        few(count) / few(self.to.len().max(1))
    }
}

const fn is_last(state: Brd) -> bool {
    matches!(state, Brd::Played | Brd::Failed | Brd::Cancelled)
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

    pub fn all(&self) -> impl Iterator<Item = &Open> {
        self.open.values()
    }

    pub fn all_mut(&mut self) -> impl Iterator<Item = &mut Open> {
        self.open.values_mut()
    }

    /// Messages of which nothing was heard for so long, the longest silent first; each is taken to be asked for now.
    pub fn silent(
        &mut self,
        most: usize,
        after: Duration,
        at: (Timestamp, Duration),
    ) -> Vec<String> {
        let (now, tick) = at;
        let silent = self.open.values_mut().filter(|open| {
            let quiet = tick.saturating_sub(open.heard) >= after;
            quiet && open.doubt.is_none() && !open.is_over() && open.expires.plus(after) > now
        });
        let mut silent: Vec<_> = silent.collect();
        silent.sort_by(|a, b| (a.heard, &a.id).cmp(&(b.heard, &b.id)));
        silent.truncate(most);
        silent
            .into_iter()
            .map(|open| {
                open.heard = tick;
                open.id.clone()
            })
            .collect()
    }

    /// Since when the log is to be asked for, where it is due for any message: one question is for all of them. With those
    /// that have ended, for which it is the last.
    pub fn unlogged(
        &mut self,
        every: Duration,
        (now, tick): (Timestamp, Duration),
    ) -> Option<(Timestamp, Vec<String>)> {
        let open = self.open.values_mut();
        let mut wanted: Vec<_> = open
            .filter(|open| open.doubt.is_none() && !open.logged)
            .collect();
        let due = |open: &&mut Open| tick.saturating_sub(open.log_asked) >= every;
        if !wanted.iter().any(due) {
            return None;
        }
        for open in &mut wanted {
            open.log_asked = tick;
        }
        let since = wanted.iter().map(|open| open.sent).min()?;
        let ended = wanted.iter().filter(|open| open.has_ended(now));
        Some((since, ended.map(|open| open.id.clone()).collect()))
    }

    /// Their last log was asked for.
    pub fn logged(&mut self, ids: &[String]) {
        for id in ids {
            if let Some(open) = self.open.get_mut(id) {
                open.logged = true;
            }
        }
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
                ebm: None,
                sent: one.at,
                expires: one.expires,
                doubt: None,
                taken: false,
                state: None,
                heard: tick,
                held: None,
                alarmed: false,
                ending: ours.map_or(Ending::Stands, |_| Ending::Named),
                said: BTreeMap::new(),
                log_asked: tick,
                logged: false,
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
