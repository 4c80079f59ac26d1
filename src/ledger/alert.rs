//! One alert in memory: struct of arrays, a block contiguous, a village a short list of blocks. State and evidence are
//! atomics, so that readers never stop the writer. Only the fold writes here; this module must not decide, and it must
//! not know how events are stored.

mod doors;
mod moves;
mod overdue;
mod parts;
mod read;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering::Relaxed};

use channel::{Evidence, Timestamp};
use parking_lot::RwLock;

use super::answered::Replies;
use super::class::{Class, Classes};
use super::curve::Curve;
use super::event::{self, Accepted, Audience, Ground, NO_HOUSEHOLD, VariantMeta};
use super::frozen::AtRelease;
use super::prompted::Prompts;
use super::seal::Trail;
use super::silence::Silence;
pub use super::steps::Phase;
use super::steps::Steps;
use super::word::Words;
use crate::model::{DeliveryNo, EndpointId, HouseholdId, RegionCode, State, StreamId};
use doors::Doors;
use moves::Moves;
use overdue::Look;

/// Sent when its outcome was lost: it may have arrived twice.
pub const IN_DOUBT: u8 = 1;
/// A far end first said reached and then refused, or the other way.
pub const DISPUTED: u8 = 2;
/// Its last outcome said "never" rather than "not now".
pub const REFUSED: u8 = 4;
/// The far end refused it after taking it.
pub const FAR_REFUSED: u8 = 8;

pub struct Alert {
    pub stream: StreamId,
    /// When it was accepted: the zero of its deliveries' times.
    pub at: Timestamp,
    pub meta: Accepted,
    phase: AtomicU8,
    released: AtomicU32,
    withdrawn_by: AtomicU64,
    next: AtomicU32,
    variants: RwLock<Vec<VariantMeta>>,
    expired: RwLock<Vec<bool>>,
    blocks: RwLock<Vec<Arc<Block>>>,
    grounds: RwLock<BTreeMap<RegionCode, Arc<Ground>>>,
    pub frozen: AtRelease,
    /// Duplicates that a crash or a lost answer may have made.
    pub doubts: AtomicU32,
    pub trail: Trail,
    pub steps: Steps,
    pub(super) word: Words,
    pub classes: Classes,
    pub curve: Arc<Curve>,
    pub replies: Replies,
    pub prompts: Prompts,
    pub silence: Silence,
}

impl Alert {
    pub fn new(stream: StreamId, at: Timestamp, meta: Accepted) -> Self {
        Self {
            stream,
            at,
            meta,
            phase: AtomicU8::new(Phase::Accepted as u8),
            released: AtomicU32::new(0),
            withdrawn_by: AtomicU64::new(0),
            next: AtomicU32::new(0),
            variants: RwLock::default(),
            expired: RwLock::default(),
            blocks: RwLock::default(),
            grounds: RwLock::default(),
            frozen: AtRelease::default(),
            doubts: AtomicU32::new(0),
            trail: Trail::default(),
            steps: Steps::default(),
            word: Words::default(),
            classes: Classes::default(),
            curve: Arc::default(),
            replies: Replies::default(),
            prompts: Prompts::default(),
            silence: Silence::default(),
        }
    }

    pub fn phase(&self) -> Phase {
        match self.phase.load(Relaxed) {
            0 => Phase::Accepted,
            1 => Phase::Releasing,
            2 => Phase::Planned,
            3 => Phase::Withdrawn,
            _ => Phase::Refused,
        }
    }

    pub(super) fn set_phase(&self, phase: Phase) {
        self.phase.fetch_max(phase as u8, Relaxed);
    }

    pub(super) fn set_released(&self, generation: u32) {
        self.released.store(generation, Relaxed);
        self.set_phase(Phase::Releasing);
    }

    /// The registry's generation that its blocks were written from.
    pub fn generation(&self) -> u32 {
        match self.released.load(Relaxed) {
            0 => self.meta.generation,
            generation => generation,
        }
    }

    pub(super) fn set_withdrawn(&self, by: StreamId) {
        self.withdrawn_by.store(by, Relaxed);
        self.set_phase(Phase::Withdrawn);
    }

    pub fn withdrawn_by(&self) -> Option<StreamId> {
        Some(self.withdrawn_by.load(Relaxed)).filter(|by| *by != 0)
    }

    /// The number that the next block begins with.
    pub fn next_delivery(&self) -> DeliveryNo {
        self.next.load(Relaxed)
    }

    pub fn variants(&self) -> Vec<VariantMeta> {
        self.variants.read().clone()
    }

    pub fn variant(&self, index: u16) -> Option<VariantMeta> {
        self.variants.read().get(usize::from(index)).cloned()
    }

    /// Until when a variant's text stands.
    pub fn expiry_of(&self, variant: u16) -> Option<Timestamp> {
        let variants = self.variants.read();
        variants.get(usize::from(variant)).map(|v| v.expires)
    }

    pub(super) fn add_variants(&self, variants: &[VariantMeta]) {
        self.variants.write().extend_from_slice(variants);
        let count = self.variants.read().len();
        self.expired.write().resize(count, false);
    }

    pub fn is_expired(&self, variant: u16) -> bool {
        self.expired.read().get(usize::from(variant)) == Some(&true)
    }

    pub(super) fn set_expired(&self, variant: u16) {
        if let Some(expired) = self.expired.write().get_mut(usize::from(variant)) {
            *expired = true;
        }
    }

    pub fn blocks(&self) -> Vec<Arc<Block>> {
        self.blocks.read().clone()
    }

    pub fn each_block(&self, see: impl FnMut(&Arc<Block>)) {
        self.blocks.read().iter().for_each(see);
    }

    pub(super) fn add_block(&self, block: Arc<Block>) {
        self.next.store(block.first + block.len(), Relaxed);
        self.blocks.write().push(block);
    }

    /// The block of a delivery and its place in it.
    pub fn find(&self, number: DeliveryNo) -> Option<(Arc<Block>, usize)> {
        let blocks = self.blocks.read();
        let at = blocks
            .partition_point(|b| b.first <= number)
            .checked_sub(1)?;
        let block = &blocks[at];
        let index = number - block.first;
        (index < block.len()).then(|| (block.clone(), index as usize))
    }

    pub fn grounds(&self) -> BTreeMap<RegionCode, Arc<Ground>> {
        self.grounds.read().clone()
    }

    pub fn ground(&self, village: RegionCode) -> Option<Arc<Ground>> {
        self.grounds.read().get(&village).cloned()
    }

    pub(super) fn add_ground(&self, ground: Ground) {
        self.grounds.write().insert(ground.region, Arc::new(ground));
    }

    /// When the last of its texts is over; a Cancel without infos has only the texts that were rendered for it.
    pub fn expires(&self) -> Timestamp {
        let infos = self.meta.infos.iter().map(|i| i.expires).max();
        let texts = || self.variants.read().iter().map(|v| v.expires).max();
        infos.or_else(texts).unwrap_or(self.at)
    }
}

/// The deliveries of one block. `at` and `due` are milliseconds since the alert was accepted.
pub struct Block {
    pub stream: StreamId,
    pub step: u16,
    pub region: RegionCode,
    pub channel: String,
    pub audience: Audience,
    pub first: DeliveryNo,
    pub rank: u64,
    pub window: u32,
    /// Proof on a speaker is a played report, which is its own grade.
    pub speaker: bool,
    class: AtomicU8,
    endpoints: Box<[EndpointId]>,
    doors: Doors,
    variants: Vec<(u32, u16)>,
    state: Box<[AtomicU8]>,
    evidence: Box<[AtomicU8]>,
    attempts: Box<[AtomicU8]>,
    flags: Box<[AtomicU8]>,
    code: Box<[AtomicU16]>,
    parts: Box<[AtomicU16]>,
    due: Box<[AtomicU32]>,
    at: Box<[AtomicU32]>,
    tally: [AtomicU32; State::ALL.len()],
    reached: AtomicU32,
    look: Look,
    curve: Arc<Curve>,
    moves: Moves,
}

fn zeros<T: Default>(n: usize) -> Box<[T]> {
    (0..n).map(|_| T::default()).collect()
}

impl Block {
    /// `ground`: of the village whose doors these are, if it is one village's.
    pub fn new(alert: &Alert, block: event::Block, ground: Option<Arc<Ground>>) -> Self {
        let n = block.endpoints.len();
        let tally: [AtomicU32; State::ALL.len()] = Default::default();
        tally[State::Planned as usize].store(u32::try_from(n).unwrap_or(u32::MAX), Relaxed);
        Self {
            stream: alert.stream,
            step: block.step,
            region: block.region,
            channel: block.channel,
            audience: block.audience,
            first: block.first,
            rank: block.rank,
            window: block.window,
            speaker: block.audience == Audience::Speakers,
            class: AtomicU8::new(Class::Original as u8),
            endpoints: block.endpoints.into(),
            doors: Doors::new(&block.households, ground),
            variants: block.variants,
            state: zeros(n),
            evidence: zeros(n),
            attempts: zeros(n),
            flags: zeros(n),
            code: zeros(n),
            parts: zeros(n),
            due: zeros(n),
            at: zeros(n),
            tally,
            reached: AtomicU32::new(0),
            look: Look::default(),
            curve: alert.curve_of(block.audience),
            moves: Moves::default(),
        }
    }

    pub fn len(&self) -> u32 {
        self.endpoints.len().try_into().unwrap_or(u32::MAX)
    }

    pub fn endpoint(&self, i: usize) -> EndpointId {
        self.endpoints[i]
    }

    pub fn household(&self, i: usize) -> Option<HouseholdId> {
        self.doors.household(i)
    }

    pub fn number(&self, i: usize) -> DeliveryNo {
        self.first + u32::try_from(i).unwrap_or(u32::MAX)
    }

    pub fn variant(&self, i: usize) -> u16 {
        let mut left = i;
        for (run, variant) in &self.variants {
            match left.checked_sub(*run as usize) {
                Some(rest) => left = rest,
                None => return *variant,
            }
        }
        0
    }

    pub fn state(&self, i: usize) -> State {
        State::from_byte(self.state[i].load(Relaxed))
    }

    pub fn evidence(&self, i: usize) -> Evidence {
        match self.evidence[i].load(Relaxed) {
            0 => Evidence::None,
            1 => Evidence::Accepted,
            2 => Evidence::Delivered,
            _ => Evidence::Acknowledged,
        }
    }

    pub fn attempts(&self, i: usize) -> u8 {
        self.attempts[i].load(Relaxed)
    }

    pub fn flag(&self, i: usize, flag: u8) -> bool {
        self.flags[i].load(Relaxed) & flag != 0
    }

    /// Index of its last code in the ledger's table; 0 for none.
    pub fn code(&self, i: usize) -> u16 {
        self.code[i].load(Relaxed)
    }

    /// When it is to be handed again, or until when its receipt is awaited.
    pub fn due(&self, i: usize) -> u32 {
        self.due[i].load(Relaxed)
    }

    pub fn at(&self, i: usize) -> u32 {
        self.at[i].load(Relaxed)
    }

    /// How many stand in each state: cached, and proved by a recount.
    pub fn tally(&self, state: State) -> u32 {
        self.tally[state as usize].load(Relaxed)
    }

    /// How many have more than acceptance.
    pub fn reached(&self) -> u32 {
        self.reached.load(Relaxed)
    }

    pub(super) fn set_class(&self, class: Class) {
        self.class.store(class as u8, Relaxed);
    }

    pub(super) fn set_state(&self, i: usize, state: State) {
        let old = self.state[i].swap(state as u8, Relaxed);
        self.tally[usize::from(old)].fetch_sub(1, Relaxed);
        self.tally[state as usize].fetch_add(1, Relaxed);
        if state == State::Awaiting {
            self.look.entered();
        }
    }

    pub(super) fn raise_evidence(&self, i: usize, evidence: Evidence, at: u32) {
        let old = self.evidence[i].fetch_max(evidence as u8, Relaxed);
        if old < evidence as u8 {
            self.at[i].store(at, Relaxed);
            self.curve.rose(old, evidence, self.speaker, at);
            if old < Evidence::Delivered as u8 && evidence >= Evidence::Delivered {
                self.reached.fetch_add(1, Relaxed);
            }
        }
    }

    pub(super) fn set_attempts(&self, i: usize, attempts: u8) {
        self.attempts[i].store(attempts, Relaxed);
    }

    pub(super) fn raise_flag(&self, i: usize, flag: u8) -> bool {
        self.flags[i].fetch_or(flag, Relaxed) & flag == 0
    }

    pub(super) fn set_code(&self, i: usize, code: u16) {
        self.code[i].store(code, Relaxed);
    }

    pub(super) fn set_due(&self, i: usize, due: u32) {
        self.due[i].store(due, Relaxed);
    }

    /// A new attempt: what was said of the one before speaks no longer for its parts and its end.
    pub(super) fn begin(&self, i: usize, attempt: u8) {
        self.attempts[i].store(attempt, Relaxed);
        self.parts[i].store(0, Relaxed);
        self.flags[i].fetch_and(!(REFUSED | FAR_REFUSED), Relaxed);
    }
}
