//! The one door by which a running gateway gets another generation: prepared beside the one that stands, written whole,
//! journaled, and only then in use. This module must not change a generation that stands: an alert under way goes on
//! with what was written for it.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use channel::{Clock, Timestamp};
use parking_lot::{Mutex, RwLock};
use ring::digest::{Context, SHA256};

use crate::ledger::{Event, Ledger, Proposal, Refused, Writer};
use crate::model::{ClosedRow, EndpointId, RegionCode, Rows, State};
use crate::store::{RegistryFile, StoreError};

use super::csv::Files;
use super::{Prepared, Problem, Registry, Report, prepare};

pub struct Intake {
    pub file: Arc<Mutex<RegistryFile>>,
    pub registry: Arc<RwLock<Arc<Registry>>>,
    pub ledger: Arc<Ledger>,
    pub writer: Writer,
    pub clock: Arc<dyn Clock>,
    /// One import at a time.
    pub turn: tokio::sync::Mutex<()>,
    /// What the last one is known by, and its answer.
    pub last: Mutex<Option<([u8; 32], Report)>>,
}

/// Files by the names of their tables.
pub type Parts = Vec<(String, Bytes)>;

#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    #[error("{} problem(s) in the tables", .0.len())]
    Problems(Vec<Problem>),
    /// What it changes lies outside the regions of whoever brought it.
    #[error("it changes {} region(s) outside", .0.len())]
    Outside(Vec<RegionCode>),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Journal(#[from] Refused),
    #[error("the import broke off: {0}; nothing was changed, send it again")]
    Broken(#[from] tokio::task::JoinError),
}

impl From<Vec<Problem>> for Unfit {
    fn from(problems: Vec<Problem>) -> Self {
        Self::Problems(problems)
    }
}

impl Intake {
    /// What these tables change; with `dry`, nothing. Whoever stops waiting does not stop it half way.
    pub async fn take(
        self: &Arc<Self>,
        by: &str,
        own: &[RegionCode],
        parts: Parts,
        dry: bool,
    ) -> Result<Report, Unfit> {
        let (intake, by, own) = (self.clone(), by.to_owned(), own.to_vec());
        tokio::spawn(async move { intake.taken(by, &own, parts, dry).await }).await?
    }

    async fn taken(
        &self,
        by: String,
        own: &[RegionCode],
        parts: Parts,
        dry: bool,
    ) -> Result<Report, Unfit> {
        let _turn = self.turn.lock().await;
        let print = fingerprint(&by, &parts);
        if let Some(first) = self.again(print).filter(|_| !dry) {
            return Ok(first);
        }
        let spent = self.spent();
        let erases = !spent.is_empty();
        let file = self.file.clone();
        let work = move || -> Result<_, Unfit> {
            let mut standing = file.lock().load()?;
            if let Some((_, rows)) = &mut standing {
                erase(&mut rows.closed, &spent);
            }
            let parts = parts
                .iter()
                .map(|(name, bytes)| (name.as_str(), &bytes[..]));
            let prepared = prepare(standing.clone(), Files::of_parts(parts)?)?;
            Ok((standing, prepared))
        };
        let (standing, prepared) = tokio::task::spawn_blocking(work).await??;
        let Prepared {
            rows,
            registry,
            report,
        } = prepared;
        let outside = report.outside(&registry, own);
        if !outside.is_empty() {
            return Err(Unfit::Outside(outside));
        }
        let stood = standing.as_ref().map(|(generation, _)| *generation);
        if let Some(generation) = stood.filter(|_| report.is_idle() && !erases) {
            return Ok(Report {
                generation,
                repeated: true,
                ..report
            });
        }
        if !dry {
            self.switch(by, standing, rows, registry).await?;
            *self.last.lock() = Some((print, report.clone()));
        }
        Ok(report)
    }

    /// The answer to the same import, while what it made still stands.
    fn again(&self, print: [u8; 32]) -> Option<Report> {
        let last = self.last.lock();
        let (_, report) = last.as_ref().filter(|(last, _)| *last == print)?;
        let stands = report.generation == self.registry.read().generation();
        stands.then(|| Report {
            repeated: true,
            ..report.clone()
        })
    }

    /// On disk, in the journal, in use: in this order.
    async fn switch(
        &self,
        by: String,
        standing: Option<(u32, Rows)>,
        rows: Rows,
        registry: Registry,
    ) -> Result<(), Unfit> {
        let generation = registry.generation();
        self.save(generation, rows).await?;
        let event = imported(&registry, by);
        if let Err(refused) = self.writer.propose(Proposal::of(0, event)).await {
            // All or nothing: what no journal knows of does not stand at the next start either.
            let (generation, rows) = standing.unwrap_or_default();
            self.save(generation, rows).await?;
            return Err(refused.into());
        }
        let mut standing = self.registry.write();
        // What people bound stands beside the tables and outlives them.
        let next = registry.succeeding(&standing);
        *standing = Arc::new(next);
        drop(standing);
        tracing::info!(generation, "another registry is in use");
        Ok(())
    }

    async fn save(&self, generation: u32, rows: Rows) -> Result<(), Unfit> {
        let file = self.file.clone();
        let work = move || file.lock().save(generation, &rows);
        Ok(tokio::task::spawn_blocking(work).await??)
    }

    /// The closed endpoints whose addresses nobody needs any more.
    fn spent(&self) -> HashSet<EndpointId> {
        let registry = self.registry.read().clone();
        let closed = registry.closed().iter().map(|row| row.id);
        unused(closed, &self.ledger, self.clock.now()).collect()
    }
}

/// What an import is known by: who sent it, and every byte of it.
fn fingerprint(by: &str, parts: &Parts) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    let mut put = |bytes: &[u8]| {
        context.update(&(bytes.len() as u64).to_be_bytes());
        context.update(bytes);
    };
    put(by.as_bytes());
    for (name, bytes) in parts {
        put(name.as_bytes());
        put(bytes);
    }
    let digest = context.finish();
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

pub fn imported(registry: &Registry, by: String) -> Event {
    let counts = registry.counts();
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Event::Imported {
        generation: registry.generation(),
        households: small(counts.households),
        people: small(counts.people),
        by,
    }
}

/// Those that no alert uses: an alert is over when its last text is and nothing of it is under way.
pub fn unused(
    closed: impl Iterator<Item = EndpointId>,
    ledger: &Ledger,
    now: Timestamp,
) -> impl Iterator<Item = EndpointId> {
    let open = [State::Planned, State::Handed, State::Awaiting, State::Due];
    let mut used = HashSet::new();
    for alert in ledger.alerts() {
        let blocks = alert.blocks();
        let going = |state: &State| blocks.iter().any(|block| block.tally(*state) > 0);
        if alert.expires() >= now || open.iter().any(going) {
            let each = blocks
                .iter()
                .flat_map(|block| (0..block.len() as usize).map(|i| block.endpoint(i)));
            used.extend(each);
        }
    }
    closed.filter(move |id| !used.contains(id))
}

/// Their ids stay, so that nothing else is ever called so.
pub fn erase(closed: &mut [ClosedRow], ids: &HashSet<EndpointId>) {
    for row in closed.iter_mut().filter(|row| ids.contains(&row.id)) {
        row.address.clear();
        row.recipient = None;
    }
}
