//! From `Accepted` to blocks: `Released` and the variants first, then region by region, so that the first send goes out
//! while the last blocks are written. A correction withdraws what it corrects in the same commit. Whatever a crash left
//! half written is resumed at the first region without a block. This room must not hand anything to a channel.

mod correction;
mod frozen;
mod variants;

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::Arc;

use channel::{Channel, Stop};
use parking_lot::RwLock;

use crate::ledger::event::{Block, Born};
use crate::ledger::{Alert, Archive, Event, Ledger, Phase, Proposal, Refused, Writer};
use crate::model::{RegionCode, StreamId};
use crate::plan::{self, Outlets, Plan, PlannedBlock, Stock, Targets, Told, Want};
use crate::registry::Registry;
use crate::store::{Store, StoreError};
use crate::trust::Bureaus;
use correction::Earlier;
use variants::Variants;

pub struct Release {
    pub ledger: Arc<Ledger>,
    pub writer: Writer,
    pub archive: Arc<Archive>,
    pub store: Arc<dyn Store>,
    pub registry: Arc<RwLock<Arc<Registry>>>,
    pub channels: Arc<BTreeMap<String, Arc<dyn Channel>>>,
    pub bureaus: Arc<Bureaus>,
}

#[derive(Debug, thiserror::Error)]
enum Halt {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("alert {0}: its stream cannot be read back: {1}; restore the journal from a backup")]
    Stream(StreamId, String),
    #[error("alert {0}: {1} cannot be read back; restore the journal from a backup")]
    Document(StreamId, &'static str),
}

/// How many deliveries may be under way to the disk while the next region is planned: a county's speakers in one go, and
/// a few large villages' people.
const AHEAD: u32 = 32_000;

/// Everything that one release needs, read once.
struct Work {
    alert: Arc<Alert>,
    cap: cap::Alert,
    plan: Plan,
    targets: Targets,
    earlier: Earlier,
    registry: Arc<Registry>,
    outlets: Outlets,
    rank: u64,
}

impl Work {
    fn want(&self) -> Want<'_> {
        Want {
            plan: &self.plan,
            outlets: &self.outlets,
            status: self.cap.status,
        }
    }

    /// Whether the alert's own area lies in this region, or is it.
    fn names(&self, region: RegionCode) -> bool {
        self.targets.villages.keys().any(|v| region.covers(*v))
    }
}

impl Release {
    /// Releases whatever is accepted, until `stop`.
    pub async fn run(self, stop: Stop) {
        let mut position = self.writer.position();
        loop {
            position.borrow_and_update();
            let mut again = false;
            for alert in self.waiting() {
                if let Err(halt) = self.one(&alert).await {
                    tracing::error!(alert = alert.stream, %halt, "the release halts and is resumed");
                    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                    again |= !matches!(halt, Halt::Document(..) | Halt::Stream(..));
                }
            }
            // A store that was away comes back without a commit to tell it.
            if again && !stop.is_cancelled() {
                continue;
            }
            tokio::select! {
                changed = position.changed() => if changed.is_err() { return },
                () = stop.cancelled() => return,
            }
        }
    }

    /// What is accepted and not planned to its end, the most urgent first.
    fn waiting(&self) -> Vec<Arc<Alert>> {
        let open = |a: &Arc<Alert>| {
            a.meta.born == Born::Live && matches!(a.phase(), Phase::Accepted | Phase::Releasing)
        };
        let mut waiting: Vec<_> = self.ledger.alerts().into_iter().filter(open).collect();
        waiting.sort_by_key(|a| a.meta.level);
        waiting
    }

    async fn one(&self, alert: &Arc<Alert>) -> Result<(), Halt> {
        let mut work = self.read(alert).await?;
        let stream = alert.stream;
        self.unseal(alert).await?;
        if alert.phase() == Phase::Accepted {
            self.begin(&work).await?;
        }
        // Only now, when nothing more of the earlier alerts is handed, it is certain who has them.
        work.earlier = self.earlier(alert, &work.registry).await?;
        let (blocks, deliveries) = self.regions(&work).await?;
        if alert.withdrawn_by().is_none() {
            self.writer
                .propose(Proposal::of(
                    stream,
                    Event::Planned {
                        step: 0,
                        blocks,
                        deliveries,
                    },
                ))
                .await?;
        }
        tracing::info!(alert = stream, blocks, deliveries, "released");
        Ok(())
    }

    /// `Released`, and with it the end of whatever this alert corrects.
    async fn begin(&self, work: &Work) -> Result<(), Halt> {
        let stream = work.alert.stream;
        let withdrawn = |old: StreamId| (old, Event::Withdrawn { by: stream });
        let standing = self.standing(&work.alert).into_iter();
        let mut events: Vec<_> = standing.map(withdrawn).collect();
        let generation = work.registry.generation();
        let by = "rule".into();
        events.push((stream, Event::Released { generation, by }));
        let proposal = Proposal {
            events,
            ..Proposal::default()
        };
        self.writer.propose(proposal).await?;
        Ok(())
    }

    async fn document(
        &self,
        stream: StreamId,
        id: [u8; 32],
        what: &'static str,
    ) -> Result<Vec<u8>, Halt> {
        self.store
            .document(id)
            .await?
            .ok_or(Halt::Document(stream, what))
    }

    async fn read(&self, alert: &Arc<Alert>) -> Result<Work, Halt> {
        let stream = alert.stream;
        let bytes = self
            .document(stream, alert.meta.document, "its document")
            .await?;
        let cap = cap::read(&bytes)
            .alert
            .ok_or(Halt::Document(stream, "its document"))?;
        let plan = self.document(stream, alert.meta.plan, "its plan").await?;
        let plan = Plan::parse(&plan).map_err(|_| Halt::Document(stream, "its plan"))?;
        let registry = self.registry.read().clone();
        // A Cancel adds nobody: it speaks to those who have the warning.
        let targets = match alert.meta.msg_type {
            cap::MsgType::Cancel => Targets::default(),
            _ => plan::target(&cap, &registry).map_err(|_| Halt::Document(stream, "its area"))?,
        };
        let outlets = self
            .channels
            .iter()
            .map(|(name, channel)| (name.clone(), channel.capability()))
            .collect();
        let rank = plan::rank(&cap);
        Ok(Work {
            alert: alert.clone(),
            rank,
            cap,
            plan,
            targets,
            earlier: Earlier::default(),
            registry,
            outlets,
        })
    }

    async fn regions(&self, work: &Work) -> Result<(u32, u32), Halt> {
        // Blocks count on from one another: none may be taken once one before it was refused.
        let follows = Some(self.writer.refusals());
        let mut variants = Variants::resume(self, work);
        let done: HashSet<RegionCode> = done(&work.alert);
        let mut told = told(&work.alert);
        let addressed = addressed(work);
        let (mut under_way, mut ahead) = (VecDeque::new(), 0);
        let mut next = work.alert.next_delivery();
        let villages: BTreeSet<RegionCode> = work
            .targets
            .villages
            .keys()
            .copied()
            .chain(work.earlier.regions())
            .collect();
        let mut regions = plan::above(villages.iter().copied());
        regions.extend(&villages);
        for region in regions {
            if work.alert.withdrawn_by().is_some() {
                break;
            }
            if done.contains(&region) {
                continue;
            }
            let (mut proposal, after) =
                Self::region(work, region, next, &addressed, &mut told, &mut variants);
            let deliveries = after - next;
            next = after;
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
        Ok((
            u32::try_from(work.alert.blocks().len()).unwrap_or(u32::MAX),
            next,
        ))
    }

    /// One region in one commit: its ground, its new variants and its blocks.
    fn region(
        work: &Work,
        region: RegionCode,
        first: u32,
        addressed: &Told,
        told: &mut Told,
        variants: &mut Variants<'_>,
    ) -> (Proposal, u32) {
        let stream = work.alert.stream;
        let mut proposal = Proposal::default();
        let hit = work.targets.villages.get(&region).copied();
        let own = work.names(region);
        if hit.is_some() {
            proposal
                .events
                .push((stream, Event::Ground(plan::ground(&work.registry, region))));
        }
        let infos = hit.unwrap_or(u64::MAX);
        let planned = if own {
            plan::blocks(&work.registry, region, &work.want(), told)
        } else {
            Vec::new()
        };
        let lifted = work.earlier.blocks(region, &work.outlets, addressed, told);
        let stock = if work.cap.msg_type == cap::MsgType::Cancel {
            Stock::Lifted
        } else {
            Stock::Outside
        };
        let told: Vec<_> = planned.iter().chain(&lifted).collect();
        let frozen = frozen::frozen(&work.registry, &told);
        proposal.events.extend(frozen.map(|event| (stream, event)));
        let all = planned.into_iter().map(|b| (b, infos, None));
        let all = all.chain(lifted.into_iter().map(|b| (b, u64::MAX, Some(stock))));
        let mut next = first;
        for (block, infos, stock) in all {
            let block = Self::block(
                work,
                region,
                next,
                block,
                infos,
                stock,
                variants,
                &mut proposal,
            );
            next += u32::try_from(block.endpoints.len()).unwrap_or(0);
            proposal.events.push((stream, Event::Block(block)));
        }
        (proposal, next)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "a block is put together from just these, in one place"
    )]
    fn block(
        work: &Work,
        region: RegionCode,
        first: u32,
        planned: PlannedBlock<'_>,
        infos: u64,
        stock: Option<Stock>,
        variants: &mut Variants<'_>,
        proposal: &mut Proposal,
    ) -> Block {
        let mut runs: Vec<(u32, u16)> = Vec::new();
        for delivery in &planned.deliveries {
            let variant = variants.of(&planned.outlet, delivery.language, infos, stock, proposal);
            match runs.last_mut() {
                Some((run, last)) if *last == variant => *run += 1,
                _ => runs.push((1, variant)),
            }
        }
        Block {
            step: 0,
            region,
            channel: planned.channel,
            audience: planned.audience,
            first,
            endpoints: planned.deliveries.iter().map(|d| d.endpoint).collect(),
            households: planned.deliveries.iter().map(|d| d.household).collect(),
            variants: runs,
            rank: work.rank,
            window: planned.window,
        }
    }
}

/// Regions whose commit is in the journal: a region is written whole or not at all.
fn done(alert: &Alert) -> HashSet<RegionCode> {
    let blocks = alert.blocks();
    blocks
        .iter()
        .map(|b| b.region)
        .chain(alert.grounds().into_keys())
        .collect()
}

/// Everyone whom a correction itself speaks to, in whatever region: an officer may live where it no longer reaches.
fn addressed(work: &Work) -> Told {
    let mut addressed = Told::default();
    if !work.earlier.is_empty() {
        let villages = work.targets.villages.keys().copied();
        for region in plan::above(villages.clone()).into_iter().chain(villages) {
            plan::blocks(&work.registry, region, &work.want(), &mut addressed);
        }
    }
    addressed
}

fn told(alert: &Alert) -> Told {
    let mut told = Told::default();
    for block in alert.blocks() {
        for i in 0..block.len() as usize {
            told.add(&block.channel, block.endpoint(i));
        }
    }
    told
}

/// Languages by telling, so that each text is rendered once.
type Known = BTreeMap<plan::Telling, u16>;
