//! One region after another, each in one commit: its ground, its new variants and its blocks. This module must not choose
//! whom to tell: that is the plan's.

use std::collections::{BTreeMap, VecDeque};

use super::frozen::frozen;
use super::variants::Variants;
use super::work::Work;
use super::{Halt, Release};
use crate::ledger::event::{Audience, Bar, Barred, Block, Class, ClassRow, Classed, Fate, Spent};
use crate::ledger::{Event, Proposal};
use crate::model::{DeliveryNo, Month, RegionCode, StreamId};
use crate::plan::{self, Drafted, Told};

/// How many deliveries may be under way to the disk while the next region is planned: a county's speakers in one go, and
/// a few large villages' people.
const AHEAD: u32 = 32_000;

/// The stream of what belongs to no alert.
const HOUSE: StreamId = 0;

/// What follows on from region to region.
struct Pen<'a> {
    release: &'a Release,
    work: &'a Work,
    /// The number that the next block begins with.
    next: u32,
    addressed: Told,
    told: Told,
    variants: Variants<'a>,
    /// What the text messages of a region come to.
    segments: u64,
}

impl Release {
    /// All regions of a step; how many blocks and deliveries the alert has then. Nothing where it made way between two.
    pub(super) async fn regions(
        &self,
        work: &Work,
        makes_way: impl Fn() -> bool,
    ) -> Result<Option<(u32, u32)>, Halt> {
        // Blocks count on from one another: none may be taken once one before it was refused.
        let follows = Some(self.writer.refusals());
        let done = work.done();
        let draft = work.draft(self);
        let mut pen = Pen {
            release: self,
            work,
            next: work.alert.next_delivery(),
            addressed: draft.addressed(),
            told: work.told(),
            variants: Variants::resume(self, work),
            segments: 0,
        };
        let (mut under_way, mut ahead, mut whole) = (VecDeque::new(), 0, true);
        for region in draft.regions() {
            if work.alert.withdrawn_by().is_some() {
                break;
            }
            if done.contains(&region) {
                continue;
            }
            if makes_way() {
                whole = false;
                break;
            }
            let before = pen.next;
            let mut proposal = pen.region(region);
            let deliveries = pen.next - before;
            proposal.follows = follows;
            if !proposal.events.is_empty() {
                under_way.push_back((deliveries, self.writer.propose(proposal)));
                ahead += deliveries;
            }
            while ahead >= AHEAD
                && let Some((deliveries, oldest)) = under_way.pop_front()
            {
                oldest.await?;
                ahead -= deliveries;
            }
        }
        for (_, commit) in under_way {
            commit.await?;
        }
        let blocks = work.alert.blocks().len();
        let blocks = u32::try_from(blocks).unwrap_or(u32::MAX);
        Ok(whole.then_some((blocks, pen.next)))
    }
}

impl Pen<'_> {
    fn region(&mut self, region: RegionCode) -> Proposal {
        let (work, stream) = (self.work, self.work.alert.stream);
        let mut proposal = Proposal::default();
        let draft = work.draft(self.release);
        let ground = draft.ground(region).filter(|_| work.step == 0);
        proposal
            .events
            .extend(ground.map(|ground| (stream, Event::Ground(ground))));
        let drawn = draft.blocks(region, work.step, &self.addressed, &mut self.told);
        let kept = drawn.kept(region);
        let told: Vec<_> = drawn.blocks.iter().map(|(block, _)| block).collect();
        let frozen = frozen(&work.registry, &told);
        proposal.events.extend(frozen.map(|event| (stream, event)));
        let mut rows = self.uncounted(region, drawn.aside);
        for drafted in drawn.blocks {
            let class = drafted.0.class;
            let block = self.block(region, drafted, &mut proposal);
            // Of an original nothing more need be said.
            if class != Class::Original {
                rows.push(row(&block, class));
            }
            proposal.events.push((stream, Event::Block(block)));
        }
        if !rows.is_empty() {
            let classed = Event::Classed(Classed { region, rows });
            proposal.events.push((stream, classed));
        }
        proposal
            .events
            .extend(kept.map(|kept| (stream, Event::Kept(kept))));
        proposal.events.extend(self.spent());
        proposal
    }

    /// Of those who wait, whom no step before has counted: a step that was added knows people of whom the others knew nothing.
    fn uncounted(&self, region: RegionCode, mut waits: Vec<ClassRow>) -> Vec<ClassRow> {
        let counted = self.work.alert.classes.rows();
        let of_region = counted.iter().filter(|(at, _)| *at == region);
        let mut counted: Vec<(Queue<'_>, u32)> = of_region
            .filter_map(|(_, row)| Some((queue(row)?, row.count)))
            .collect();
        for row in &mut waits {
            let mut left = row.count;
            let own = queue(row);
            for (_, before) in counted.iter_mut().filter(|(other, _)| Some(*other) == own) {
                let known = left.min(*before);
                left -= known;
                *before -= known;
            }
            row.count = left;
        }
        waits.retain(|row| row.count > 0);
        waits
    }

    /// What the region's text messages come to, for the bureau's month: the sum outlives the alert.
    fn spent(&mut self) -> Option<(StreamId, Event)> {
        let segments = std::mem::take(&mut self.segments);
        let spent = Spent {
            bureau: self.work.alert.meta.caller.clone(),
            month: Month::of(self.release.clock.now()),
            alert: self.work.alert.stream,
            step: self.work.step,
            segments,
        };
        (segments > 0).then_some((HOUSE, Event::Spent(spent)))
    }

    fn block(
        &mut self,
        region: RegionCode,
        drafted: Drafted<'_>,
        proposal: &mut Proposal,
    ) -> Block {
        let work = self.work;
        let mut runs: Vec<(u32, u16)> = Vec::new();
        let mut bars = Bars::new();
        for (number, delivery) in (self.next..).zip(&drafted.0.deliveries) {
            let (variant, bar) = self.variants.of(&drafted, delivery, proposal);
            match runs.last_mut() {
                Some((run, last)) if *last == variant => *run += 1,
                _ => runs.push((1, variant)),
            }
            match bar {
                Some(bar) => add(bars.entry(bar).or_default(), number),
                None if plan::is_text(&drafted.0.outlet) => {
                    self.segments += self.variants.cost(variant);
                }
                None => {}
            }
        }
        let barred = |(why, runs)| Event::Barred(Barred { why, runs });
        let barred = bars.into_iter().map(barred);
        let stream = work.alert.stream;
        proposal.events.extend(barred.map(|event| (stream, event)));
        let planned = drafted.0;
        let first = self.next;
        self.next += u32::try_from(planned.deliveries.len()).unwrap_or(0);
        Block {
            step: work.step,
            region,
            channel: planned.channel,
            audience: planned.audience,
            first,
            endpoints: planned.deliveries.iter().map(|d| d.endpoint).collect(),
            households: planned.deliveries.iter().map(|d| d.household).collect(),
            variants: runs,
            rank: plan::rank(&work.cap, work.alert.handled(), planned.class, planned.send),
            window: planned.window,
        }
    }
}

/// By which channel somebody waits, as whom, and for which step.
type Queue<'a> = (&'a str, Audience, u16);

fn queue(row: &ClassRow) -> Option<Queue<'_>> {
    match row.fate {
        Fate::Held { step } | Fate::Later { step } => Some((&row.channel, row.audience, step)),
        Fate::Told { .. } | Fate::Spared => None,
    }
}

/// Deliveries that may not be sent, by why.
type Bars = BTreeMap<Bar, Vec<(DeliveryNo, DeliveryNo)>>;

fn add(runs: &mut Vec<(DeliveryNo, DeliveryNo)>, number: DeliveryNo) {
    match runs.last_mut() {
        Some((_, hi)) if *hi == number => *hi += 1,
        _ => runs.push((number, number + 1)),
    }
}

fn row(block: &Block, class: Class) -> ClassRow {
    ClassRow {
        channel: block.channel.clone(),
        audience: block.audience,
        class,
        count: u32::try_from(block.endpoints.len()).unwrap_or(u32::MAX),
        fate: Fate::Told { first: block.first },
    }
}
