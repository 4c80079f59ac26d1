//! Whoever was handed an earlier alert and is not spoken to by the new one, here or elsewhere: told that the warning is
//! lifted, or is no longer for them. This module must not choose the words.

use super::audience::{PlannedBlock, PlannedDelivery};
use super::compare::cancels;
use super::draft::Draft;
use super::earlier::Last;
use super::schedule::held_until;
use super::told::Told;
use super::wall;
use crate::ledger::Block;
use crate::ledger::event::{Audience, Class, ClassRow, Fate, NO_HOUSEHOLD};
use crate::model::{EndpointId, RegionCode};
use crate::registry::Registry;

impl<'a> Draft<'a> {
    /// By what somebody of a block was told.
    fn way<'b>(&'b self, block: &'b Block) -> &'b str {
        self.outlets.routes.way(&block.channel)
    }

    /// How it stands to somebody whom it does not speak to; nothing where they need not hear of it. No speaker sounds for
    /// those who know already.
    fn closing(&self, block: &Block, i: usize) -> Option<Class> {
        let last = self.earlier.last(self.way(block), block.endpoint(i));
        let update = self.alert.msg_type != cap::MsgType::Cancel;
        match last {
            Last::Nothing => None,
            Last::Over => (!update && !block.speaker).then_some(Class::Closed),
            Last::Failed => Some(Class::Closed),
            Last::Warned(..) if update => Some(Class::Narrowed),
            Last::Warned(..) => Some(cancels(self.alert)),
        }
    }

    /// Until which step somebody waits who is told that it is over; nothing where it is told in this one.
    fn waits(&self, block: &Block, class: Class, step: u16) -> Option<u16> {
        let base = self.schedule.base();
        let way = (self.way(block), &*self.outlets.routes);
        let quiet = self.earlier.quiet(self.plan, block.audience, way);
        let due = held_until(quiet, self.handled, class, base).unwrap_or(base);
        let hushed = self.hushed(class, block.audience, block.region, due);
        let due = hushed.unwrap_or(due);
        (!self.schedule.tells(due, step)).then(|| self.schedule.step_of(due))
    }

    /// Whether this may be said to them, and nobody else says anything.
    fn may_close(&self, block: &Block, endpoint: EndpointId, others: [&Told; 2]) -> bool {
        let status = self.alert.status;
        let wall = wall::lets_through(status, block.audience, wall::is_drill(status));
        wall && !others
            .iter()
            .any(|told| told.has(self.way(block), endpoint))
    }

    /// The blocks of a region in this step; what waits is added to `aside`.
    pub(super) fn closings(
        &self,
        region: RegionCode,
        step: u16,
        addressed: &Told,
        told: &mut Told,
        aside: &mut Vec<ClassRow>,
    ) -> Vec<PlannedBlock<'a>> {
        let mut out: Vec<PlannedBlock<'_>> = Vec::new();
        let mut waiting = Told::default();
        for (block, i) in self.earlier.handed(region) {
            let (account, endpoint) = (block.goes_by(i), block.endpoint(i));
            let channel = &*account;
            let Some(outlet) = self.outlets.get(channel) else {
                continue;
            };
            let may = self.may_close(block, endpoint, [addressed, told]);
            let Some(class) = self.closing(block, i).filter(|_| may) else {
                continue;
            };
            if let Some(step) = self.waits(block, class, step) {
                if waiting.add(self.way(block), endpoint) {
                    put(aside, channel, (block.audience, class), Fate::Held { step });
                }
                continue;
            }
            told.add(self.way(block), endpoint);
            let delivery = PlannedDelivery {
                endpoint,
                household: block.household(i).unwrap_or(NO_HOUSEHOLD),
                language: language(self.registry, block, i),
                infos: u64::MAX,
                class,
            };
            let same = |b: &&mut PlannedBlock<'_>| {
                (b.channel.as_str(), b.audience, b.class) == (channel, block.audience, class)
            };
            if let Some(own) = out.iter_mut().find(same) {
                own.deliveries.push(delivery);
                continue;
            }
            out.push(PlannedBlock {
                region,
                channel: channel.to_owned(),
                outlet,
                audience: block.audience,
                window: block.window,
                send: 0,
                class,
                deliveries: vec![delivery],
            });
        }
        out
    }
}

/// One more.
pub(super) fn put(
    rows: &mut Vec<ClassRow>,
    channel: &str,
    (audience, class): (Audience, Class),
    fate: Fate,
) {
    let same = |row: &&mut ClassRow| {
        (row.channel.as_str(), row.audience, row.class, row.fate)
            == (channel, audience, class, fate)
    };
    if let Some(row) = rows.iter_mut().find(same) {
        row.count += 1;
        return;
    }
    rows.push(ClassRow {
        channel: channel.to_owned(),
        audience,
        class,
        count: 1,
        fate,
    });
}

fn language<'a>(registry: &'a Registry, block: &Block, i: usize) -> &'a str {
    if block.audience == Audience::Speakers {
        return "";
    }
    let recipient = registry
        .endpoint(block.endpoint(i))
        .and_then(|e| registry.recipient(e.recipient?));
    recipient.map_or("", |r| r.language)
}
