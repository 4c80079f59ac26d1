//! Messages go out: one EBM for all places of a batch that hear the same text until the same moment. Which messages went
//! under which name is durable before, so that a repeat in doubt is the same packet. This module must not retry.

use std::collections::BTreeMap;
use std::sync::Arc;

use channel::{Accepted, Failure, FailureClass, Key, Message, NoSerial, Numbering, Outcomes};
use futures::stream::{FuturesUnordered, StreamExt};

use super::Ebd;
use super::body::Body;
use super::book::{Ending, Open, Posted};
use super::link::{mark, today, told};
use super::mapped::{NoTarget, Target, cancel, play, target};
use super::message::Ebm;
use super::names::ebmid;
use super::outcome;
use crate::order::marked_as_drill;

/// Messages of one text, with their places in the batch.
struct Group<'a> {
    first: &'a Message,
    indexes: Vec<usize>,
    messages: Vec<&'a Message>,
    targets: Vec<Target>,
    /// They went out together before, and it is not known what became of it.
    before: Option<String>,
}

impl Ebd {
    pub(super) async fn batch(&self, batch: &[Message], outcomes: &dyn Outcomes) {
        let groups = self.groups(batch, outcomes);
        let mut under_way: FuturesUnordered<_> =
            groups.iter().map(|group| self.group(group)).collect();
        while let Some((group, settled)) = under_way.next().await {
            let outcome = |nth: usize| match &settled {
                Ok(open) => Ok(Accepted {
                    references: references(open, group.messages[nth].key),
                }),
                Err(failure) => Err(failure.clone()),
            };
            let mut all = (0..group.indexes.len())
                .map(|nth| (group.indexes[nth], outcome(nth)))
                .collect();
            outcomes.settle_all(&mut all);
        }
    }

    /// What cannot go is settled; the others by what they share.
    fn groups<'a>(&self, batch: &'a [Message], outcomes: &dyn Outcomes) -> Vec<Group<'a>> {
        let mut groups: Vec<Group<'a>> = Vec::new();
        let now = self.link.context.clock.now();
        for (index, message) in batch.iter().enumerate() {
            let target = match self.admitted(message, now) {
                Ok(target) => target,
                Err(failure) => {
                    outcomes.settle(index, Err(failure));
                    continue;
                }
            };
            let before = self.before(message);
            let fits = |group: &&mut Group<'a>| {
                group.before == before
                    && group.targets.len() < self.link.config.most_areas
                    && Arc::ptr_eq(&group.first.variant, &message.variant)
                    && group.first.expires == message.expires
                    && group.first.key.alert == message.key.alert
            };
            if let Some(group) = groups.iter_mut().find(fits) {
                group.indexes.push(index);
                group.messages.push(message);
                group.targets.push(target);
            } else {
                groups.push(Group {
                    first: message,
                    indexes: vec![index],
                    messages: vec![message],
                    targets: vec![target],
                    before,
                });
            }
        }
        groups
    }

    /// Under which name it may be at the platform already.
    fn before(&self, message: &Message) -> Option<String> {
        let book = self.book.lock();
        let open = book.of(message.key)?;
        let again = !open.taken || message.repeat;
        again.then(|| open.id.clone())
    }

    fn admitted(&self, message: &Message, now: channel::Timestamp) -> Result<Target, Failure> {
        if message.variant.drill && !marked_as_drill(&message.variant.text) {
            return Err(Failure::new(
                FailureClass::BadContent,
                "ebd:unmarked-drill",
                "the text of a drill does not say that it is one; put 演练 or DRILL into it",
            ));
        }
        if message.expires <= now {
            return Err(Failure::new(
                FailureClass::Transient,
                "ebd:expired",
                "the message had expired when it was handed",
            ));
        }
        self.place(message.address.expose())
    }

    /// Where an address is.
    pub(super) fn place(&self, address: &str) -> Result<Target, Failure> {
        let config = &self.link.config;
        let told = told(&config.terminal_areas, address);
        let known = told.is_some() || address.len() == 12 || config.codes_tell_areas;
        let found = target(address, config.profile().ebrid(), told);
        found.and_then(|target| if known { Ok(target) } else { Err(NoTarget::Wide) }).map_err(|why| {
            let (code, why) = match why {
                NoTarget::NoAddress => ("ebd:bad-address", "not a place of the platform: a village's code of 12 digits or a terminal's EBRID is wanted"),
                NoTarget::Wide => ("ebd:wide-area", "it is not known which village this is, and its code would sound more than one; give the village's code, or name the terminal under `terminal_areas`"),
            };
            Failure::new(FailureClass::BadAddress, code, why)
        })
    }

    async fn group<'g, 'a>(&self, group: &'g Group<'a>) -> (&'g Group<'a>, Result<Open, Failure>) {
        let before = group.before.as_ref();
        let before = before.and_then(|id| self.book.lock().get(id).cloned());
        let settled = match before {
            Some(open) if open.taken => Ok(open),
            Some(open) => self.again(group.first, open).await,
            None => self.anew(group).await,
        };
        (group, settled)
    }

    /// The same packet once more. After a restart it is made anew, to all places that it went to: under its name nothing else
    /// may go.
    async fn again(&self, first: &Message, mut open: Open) -> Result<Open, Failure> {
        let posted = if let Some(posted) = open.doubt.clone() {
            posted
        } else {
            let places = open
                .to
                .iter()
                .map(|(_, address)| self.place(address.expose()));
            let targets: Vec<_> = places.filter_map(Result::ok).collect();
            let (posted, ebm) = self.packed(first, &targets, &open.id).await?;
            open.ebm = Some(ebm);
            posted
        };
        open.doubt = Some(posted.clone());
        if let Some(kept) = self.book.lock().get_mut(&open.id) {
            kept.doubt = Some(posted.clone());
            kept.ebm.clone_from(&open.ebm);
        }
        self.posted(open, posted, true).await
    }

    async fn anew(&self, group: &Group<'_>) -> Result<Open, Failure> {
        let first = group.first;
        let keys: Vec<Key> = group.messages.iter().map(|message| message.key).collect();
        let deliveries = keys.iter().map(|key| key.delivery).collect();
        let key = self.key_of(&keys);
        let id = self
            .name(key, (first.key.alert, deliveries), first.expires)
            .await?;
        let (posted, ebm) = self.packed(first, &group.targets, &id).await?;
        let to = group
            .messages
            .iter()
            .map(|message| (message.key, message.address.clone()));
        let open = Open {
            id,
            alert: first.key.alert,
            to: to.collect(),
            sent: self.link.context.clock.now(),
            expires: first.expires,
            doubt: Some(posted.clone()),
            taken: false,
            state: None,
            heard: self.link.context.clock.tick(),
            held: None,
            alarmed: false,
            ending: Ending::Stands,
            ebm: Some(ebm),
            said: BTreeMap::new(),
            log_asked: self.link.context.clock.tick(),
            logged: false,
        };
        // Before it goes out: a stop must find it, and so must the platform's word on it.
        self.book.lock().put(open.clone());
        self.posted(open, posted, false).await
    }

    /// The packet of a message under its name, and the message.
    async fn packed(
        &self,
        first: &Message,
        targets: &[Target],
        id: &str,
    ) -> Result<(Posted, Arc<Ebm>), Failure> {
        let now = self.link.context.clock.now();
        let mapped = play(first, targets, &self.link.config.terms(), now);
        if !mapped.losses.is_empty() {
            let losses: Vec<_> = mapped.losses.iter().map(|loss| loss.told().code).collect();
            tracing::info!(channel = %self.link.context.name, alert = first.key.alert, message = %id, losses = losses.join(" "), "what the broadcast message does not carry");
        }
        let ebm = Ebm {
            id: id.to_owned(),
            ..mapped.ebm
        };
        let body = Body::Ebm(Box::new(ebm.clone()));
        let packet = self.link.packet(body, Some(first.serial));
        let posted = self.link.pack(packet, mapped.resources).await?;
        Ok((posted, Arc::new(ebm)))
    }

    async fn posted(&self, open: Open, posted: Posted, again: bool) -> Result<Open, Failure> {
        let outcome = self.link.post(&posted).await;
        let mut book = self.book.lock();
        match outcome {
            Ok(()) => {
                if let Some(open) = book.get_mut(&open.id) {
                    open.doubt = None;
                    open.taken = true;
                    open.heard = self.link.context.clock.tick();
                }
                Ok(open)
            }
            Err(failure) => {
                // Its own word may have come before: then it has it.
                let known = book.get(&open.id).is_some_and(|open| open.taken);
                if known {
                    return Ok(open);
                }
                // What was in doubt before stays so until the platform itself says no.
                let said = outcome::is_word(&failure);
                if said || (!again && failure.class != FailureClass::InDoubt) {
                    book.refused(&open.id, said);
                }
                Err(failure)
            }
        }
    }

    /// The same messages in the same round have the same name, whatever was forgotten in between.
    fn key_of(&self, keys: &[Key]) -> u64 {
        let book = self.book.lock();
        let mut words: Vec<_> = keys
            .iter()
            .map(|key| format!("{key}+{}", book.round(*key)))
            .collect();
        words.sort();
        mark(&[
            b"play",
            self.link.config.ebrid.as_bytes(),
            words.join(" ").as_bytes(),
        ])
    }

    /// A message's name, durable from now on.
    pub(super) async fn name(
        &self,
        key: u64,
        (alert, deliveries): (u64, Vec<u32>),
        expires: channel::Timestamp,
    ) -> Result<String, Failure> {
        let now = self.link.context.clock.now();
        // Named before midnight, it keeps its day.
        let inlet = &self.link.context.inlet;
        let known = inlet.numbered().into_iter().find(|one| one.key == key);
        let day = known.map_or_else(|| today(now), |one| one.day);
        let series = self.link.config.ebrid.clone();
        let wanted = Numbering {
            series: series.clone(),
            day,
            key,
            alert,
            deliveries,
            expires,
        };
        match inlet.number(wanted).await {
            Ok(serial) => Ok(ebmid(&series, day, serial)),
            Err(NoSerial::Unavailable) => Err(Failure::new(
                FailureClass::Transient,
                "ebd:journal",
                "the message's name could not be kept, so it was not sent",
            )),
            Err(NoSerial::Spent) => Err(Failure::new(
                FailureClass::Transient,
                "ebd:serials-spent",
                "all 9,999 names of this day are given; the next day has new ones",
            )),
        }
    }

    /// Takes a message back, under a name that is the same each time.
    pub(super) async fn cancel(&self, id: &str) -> Result<(), Failure> {
        let (now, expires, alert) = {
            let book = self.book.lock();
            let open = book.get(id);
            let now = self.link.context.clock.now();
            (
                now,
                open.map_or(now, |open| open.expires),
                open.map_or(0, |open| open.alert),
            )
        };
        let name = self
            .name(cancel_key(id), (alert, Vec::new()), expires)
            .await?;
        self.book.lock().cancels(id, &name);
        let ebm = Ebm {
            id: name,
            ..cancel(id, &self.link.config.terms(), now)
        };
        let packet = self.link.packet(Body::Ebm(Box::new(ebm)), None);
        let posted = self.link.pack(packet, Vec::new()).await?;
        self.link.post(&posted).await?;
        if let Some(open) = self.book.lock().get_mut(id) {
            open.ending = Ending::Taken;
        }
        Ok(())
    }
}

pub(super) fn cancel_key(id: &str) -> u64 {
    mark(&[b"cancel", id.as_bytes()])
}

fn references(open: &Open, key: Key) -> Vec<String> {
    let at = open.to.iter().position(|(own, _)| *own == key);
    at.map(|at| open.reference(at)).into_iter().collect()
}
