//! What the tests of this room share: made-up alerts, everything that can be seen of a ledger as one JSON value, and a
//! store in memory that fails and waits on demand. This module must not assert anything but the ledger's own sums.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use channel::{Evidence, Level, Timestamp};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::super::Event;
use super::super::alert::{FAR_REFUSED, REFUSED};
use super::super::event::{
    Accepted, Audience, Block, Born, Ground, GroundHousehold, Identity, InfoMeta, NO_HOUSEHOLD,
    VariantMeta,
};
use super::super::{Alert, BARRED, DISPUTED, IN_DOUBT, Known, Ledger, Risen};
use crate::ledger;
use crate::model::{RegionCode, State, StreamId, Tags};
use crate::store::{
    Append, DocumentId, IdentityRow, InboxRow, Open, Record, Seal, SealedHousehold, Store,
    StoreError,
};

/// 2026-07-14 09:00 in Beijing.
pub const START: Timestamp = Timestamp(1_783_990_800_000);
pub const HOUR: i64 = 3_600_000;

pub fn village(nth: u64) -> RegionCode {
    RegionCode::try_from(510_727_217_201 + nth).expect("a village")
}

pub fn identity(nth: u64) -> Identity {
    Identity {
        sender: "bureau@example.invalid".into(),
        identifier: format!("A-{nth}"),
        sent: START.0,
    }
}

pub fn accepted(nth: u64, born: Born) -> Accepted {
    let info = InfoMeta {
        language: "zh-CN".into(),
        event: "11B03".into(),
        severity: cap::Severity::Extreme,
        urgency: cap::Urgency::Immediate,
        onset: Some(START),
        expires: Timestamp(START.0 + 6 * HOUR),
    };
    Accepted {
        identity: identity(nth),
        document: [1; 32],
        content: [2; 32],
        caller: "water".into(),
        status: cap::Status::Actual,
        msg_type: cap::MsgType::Alert,
        level: Level::Red,
        references: Vec::new(),
        hits: Vec::new(),
        born,
        infos: vec![info],
        regions: vec![village(0)],
        regions_hash: [3; 32],
        plan: [4; 32],
        plan_name: "10-red".into(),
        generation: 1,
    }
}

pub fn variant(kind: &str, segments: u32) -> VariantMeta {
    VariantMeta {
        kind: kind.into(),
        language: "zh-CN".into(),
        document: [5; 32],
        segments,
        expires: Timestamp(START.0 + 6 * HOUR),
        drill: false,
    }
}

/// So many texts, from `first` on.
pub fn variants(first: u16, count: usize) -> Event {
    let variants = vec![variant("sms", 1); count];
    Event::Variants { first, variants }
}

pub fn ground(nth: u64) -> Ground {
    let household = |id| GroundHousehold {
        id,
        group: 1,
        away: id == 2,
        tags: Tags::LIVES_ALONE,
    };
    Ground {
        region: village(nth),
        households: (0..3).map(household).collect(),
        people: 7,
        speakers: 1,
    }
}

/// Deliveries from `first` on, with variants by run.
pub fn block(channel: &str, first: u32, runs: &[(u32, u16)]) -> Block {
    let n: u32 = runs.iter().map(|(run, _)| run).sum();
    let speaker = channel == "speaker";
    Block {
        step: 0,
        region: village(u64::from(first % 7)),
        channel: channel.into(),
        audience: if speaker {
            Audience::Speakers
        } else {
            Audience::Public
        },
        first,
        endpoints: (first..first + n).map(|e| 1_000 + e).collect(),
        households: (first..first + n)
            .map(|h| if speaker { NO_HOUSEHOLD } else { h })
            .collect(),
        variants: runs.to_vec(),
        rank: 3,
        window: 600_000,
    }
}

/// Everything that can be seen of a ledger. Sums that it keeps are counted again.
pub fn view(ledger: &Ledger) -> Value {
    let fresh: Vec<_> = ledger.blocks_since(&mut 0);
    let cards = ledger.every().into_iter().filter_map(|known| match known {
        Known::Sealed(card) => Some(json!(*card)),
        Known::Open(_) => None,
    });
    let mut view = json!({
        "sealed": cards.collect::<Vec<_>>(),
        "damage": ledger.damage(),
        "generation": ledger.generation(),
        "epoch": ledger.epoch(),
        "links": ledger.links(),
        "presence": ledger.presence(),
        "fresh": fresh.iter().map(|b| (b.stream, b.first)).collect::<Vec<_>>(),
        "alerts": ledger.alerts().iter().map(|a| alert(ledger, a)).collect::<Vec<_>>(),
    });
    // Later than the first golden journals, whose state does not name them.
    let (devices, orders) = (ledger.devices.all(), ledger.devices.orders());
    if !devices.is_empty() || !orders.is_empty() {
        view["devices"] = json!([devices, orders]);
    }
    // Later than the golden journals, whose states do not name them.
    if !ledger.looks().is_empty() {
        view["looks"] = json!(ledger.looks());
    }
    if !ledger.strays.list().is_empty() {
        view["strays"] = json!([ledger.strays.counts(), ledger.strays.list()]);
    }
    if !ledger.test_calls.all().is_empty() {
        view["test_calls"] = json!([ledger.test_calls.next(), ledger.test_calls.all()]);
    }
    if !ledger.suspects.is_empty() {
        view["suspects"] = json!(ledger.suspects.all());
    }
    let fact = |endpoint: u32| {
        let fact = ledger.ported.of(endpoint);
        (endpoint, fact.is, fact.not)
    };
    let known = (0..16).map(fact);
    let known: Vec<_> = known
        .filter(|(_, is, not)| is.is_some() || *not != 0)
        .collect();
    if !known.is_empty() {
        view["ported"] = json!(known);
    }
    if ledger.boxes.all() != json!([{}, {}, []]) {
        view["boxes"] = ledger.boxes.all();
    }
    if !ledger.proved.all().is_empty() {
        view["proved"] = json!(ledger.proved.all());
    }
    view["imports"] = json!(ledger.imports());
    view["believed"] = json!(ledger.believed());
    if !ledger.bindings.is_empty() {
        view["bindings"] = json!(ledger.bindings.all());
    }
    let spent: Vec<_> = ledger.spending.all().into_iter().collect();
    if !spent.is_empty() {
        view["spent"] = json!(spent);
    }
    if !ledger.numbers.all().is_empty() {
        view["numbered"] = json!(ledger.numbers.all());
    }
    let recordings = ledger.recordings.all().into_iter();
    let recordings: Vec<_> = recordings.map(|(r, s)| json!([r, s.words().0])).collect();
    if !recordings.is_empty() {
        view["recordings"] = json!(recordings);
    }
    if ledger.quakes.whole() != json!([[], []]) {
        view["quakes"] = ledger.quakes.whole();
    }
    view
}

/// One alert's part of it.
pub fn view_of(ledger: &Ledger, stream: StreamId) -> Option<Value> {
    ledger.alert(stream).map(|a| alert(ledger, &a))
}

fn alert(ledger: &Ledger, alert: &Alert) -> Value {
    assert_eq!(ledger.find(&alert.meta.identity), Some(alert.stream));
    let variants = alert.variants();
    let expired: Vec<_> = (0..)
        .zip(&variants)
        .map(|(n, _)| alert.is_expired(n))
        .collect();
    let grounds: Vec<_> = alert.grounds().values().map(|g| json!(**g)).collect();
    recount(alert);
    let blocks: Vec<_> = alert.blocks().iter().map(|b| block_of(ledger, b)).collect();
    let mut view = json!({
        "stream": alert.stream,
        "at": alert.at,
        "meta": alert.meta,
        "phase": alert.phase(),
        "withdrawn_by": alert.withdrawn_by(),
        "generation": alert.generation(),
        "next": alert.next_delivery(),
        "variants": variants,
        "expired": expired,
        "grounds": grounds,
        "doubts": alert.doubts.load(SeqCst),
        "blocks": blocks,
    });
    if let Some(word) = alert.word() {
        view["word"] = json!(word);
    }
    if let Some(held) = alert.held() {
        view["held"] = json!(held);
    }
    // Later than the golden journal, whose state does not name them.
    let steps = &alert.steps;
    if steps.raised().is_some() || !steps.due().is_empty() || steps.any_dropped() {
        view["steps"] = json!([
            steps.raised(),
            steps.due(),
            steps.next(),
            steps.any_dropped()
        ]);
    }
    let prompts = alert.prompts.all();
    if !prompts.is_empty() {
        view["prompts"] = json!(prompts);
    }
    if !alert.replies.is_empty() {
        view["replies"] = json!(alert.replies.all());
    }
    let classes = &alert.classes;
    let of_blocks: Vec<_> = alert.blocks().iter().map(|b| b.class()).collect();
    let villages = (0..7).filter_map(|nth| classes.kept(village(nth)));
    let kept: Vec<_> = villages.map(|kept| json!(*kept)).collect();
    if classes.whole().is_some() || !classes.rows().is_empty() || !kept.is_empty() {
        view["classes"] = json!([
            classes.whole(),
            classes.with(),
            classes.rows(),
            of_blocks,
            kept
        ]);
    }
    view
}

/// The curve's sums are what a look at every delivery gives.
fn recount(alert: &Alert) {
    let minutes = alert.curve.minutes();
    let sum = minutes
        .values()
        .fold(Risen::default(), |sum, r| sum.and(*r));
    let mut counted = Risen::default();
    let warned = |block: &Arc<ledger::Block>| block.audience.is_warned();
    for block in alert.blocks().into_iter().filter(warned) {
        for i in 0..block.len() as usize {
            let rose = |to: Evidence| u32::from(block.evidence(i) >= to);
            let (proven, speaker) = (rose(Evidence::Delivered), u32::from(block.speaker));
            counted = counted.and(Risen {
                accepted: rose(Evidence::Accepted),
                delivered: proven * (1 - speaker),
                played: proven * speaker,
                confirmed: rose(Evidence::Acknowledged) * (1 - speaker),
            });
        }
    }
    assert_eq!(sum, counted, "alert {}", alert.stream);
}

/// The curve of every open alert.
pub fn curves(ledger: &Ledger) -> Vec<(StreamId, Option<Timestamp>, BTreeMap<u32, Risen>)> {
    let alerts = ledger.alerts();
    let curve = |a: &Arc<Alert>| (a.stream, a.released_at(), a.curve.minutes());
    alerts.iter().map(curve).collect()
}

fn block_of(ledger: &Ledger, block: &ledger::Block) -> Value {
    let places = 0..block.len() as usize;
    for state in State::ALL {
        let counted = places.clone().filter(|i| block.state(*i) == state).count();
        assert_eq!(block.tally(state) as usize, counted, "{state:?}");
    }
    let reached = places
        .clone()
        .filter(|i| block.evidence(*i) > channel::Evidence::Accepted)
        .count();
    assert_eq!(block.reached() as usize, reached);
    let delivery = |i: usize| {
        let flags: Vec<_> = [IN_DOUBT, DISPUTED, REFUSED, FAR_REFUSED, BARRED]
            .into_iter()
            .filter(|f| block.flag(i, *f))
            .collect();
        json!([
            block.number(i),
            block.endpoint(i),
            block.household(i),
            block.variant(i),
            block.state(i),
            block.evidence(i),
            block.attempts(i),
            flags,
            ledger.code(block.code(i)),
            block.due(i),
            block.at(i),
            block.answer(i),
        ])
    };
    let mut view = json!({
        "step": block.step,
        "region": block.region,
        "channel": block.channel,
        "audience": block.audience,
        "rank": block.rank,
        "window": block.window,
        "deliveries": places.map(delivery).collect::<Vec<_>>(),
    });
    if block.any_moved() {
        view["moved"] = json!(block.moved());
    }
    view
}

#[derive(Default, Clone)]
pub struct Rows {
    pub records: Vec<Record>,
    pub documents: Vec<(DocumentId, Vec<u8>)>,
    pub identities: Vec<IdentityRow>,
    pub inbox: Vec<InboxRow>,
    pub seals: Vec<Seal>,
}

/// Whoever is overdue, now or later, is told however often and for whenever somebody has looked before.
pub fn overdue_is_a_recount(alert: &Alert, now: Timestamp) {
    for minutes in [0, 9, 10, 0] {
        let then = now.plus(Duration::from_mins(minutes));
        let mut wanted = Vec::new();
        for block in alert.blocks() {
            let of = |i: &usize| block.state(*i) == State::Awaiting;
            let late =
                |i: &usize| alert.at.plus(Duration::from_millis(block.due(*i).into())) <= then;
            let indexes = (0..block.len() as usize).filter(of).filter(late);
            wanted.extend(indexes.map(|i| block.number(i)));
        }
        assert_eq!(alert.overdue(then), wanted);
    }
}

/// A store in memory: all or nothing, every place written once.
pub struct Memory {
    pub rows: Mutex<Rows>,
    /// Refuses whatever comes.
    pub away: AtomicBool,
    /// Each append takes a permit before it writes.
    pub gate: Semaphore,
    pub asked: AtomicUsize,
}

impl Default for Memory {
    fn default() -> Self {
        Self::of(Vec::new())
    }
}

impl Memory {
    pub fn of(records: Vec<Record>) -> Self {
        Self {
            rows: Mutex::new(Rows {
                records,
                ..Rows::default()
            }),
            away: AtomicBool::new(false),
            gate: Semaphore::new(Semaphore::MAX_PERMITS / 2),
            asked: AtomicUsize::new(0),
        }
    }

    /// Lets nothing through until permits are added.
    pub fn closed() -> Self {
        Self {
            gate: Semaphore::new(0),
            ..Self::default()
        }
    }

    pub fn records(&self) -> Vec<Record> {
        self.rows.lock().records.clone()
    }
}

fn write(rows: &mut Rows, append: Append) -> Result<(), StoreError> {
    let taken = |what: &str| Err(StoreError::Away("append", format!("{what} is taken")));
    for record in append.records {
        let place = (record.stream, record.stream_seq);
        if rows.records.iter().any(|r| r.seq == record.seq) {
            return taken("the sequence");
        }
        if rows
            .records
            .iter()
            .any(|r| (r.stream, r.stream_seq) == place)
        {
            return taken("the place in the stream");
        }
        rows.records.push(record);
    }
    for row in append.identities {
        if rows.identities.iter().any(|r| r.identity == row.identity) {
            return taken("the identity");
        }
        rows.identities.push(row);
    }
    rows.seals
        .retain(|seal| !append.unseals.contains(&seal.row.stream));
    rows.seals.extend(append.seals);
    rows.documents.extend(append.documents);
    rows.inbox.extend(append.inbox_put);
    rows.inbox
        .retain(|row| !append.inbox_take.contains(&row.id));
    Ok(())
}

#[async_trait]
impl Store for Memory {
    async fn append(&self, append: Append) -> Result<(), StoreError> {
        self.asked.fetch_add(1, SeqCst);
        self.gate.acquire().await.expect("never closed").forget();
        if self.away.load(SeqCst) {
            return Err(StoreError::Away("append", "it is told to refuse".into()));
        }
        let mut rows = self.rows.lock();
        let mut after = rows.clone();
        write(&mut after, append)?;
        *rows = after;
        Ok(())
    }

    async fn records(&self, after: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        let mut records = self.records();
        records.sort_by_key(|r| r.seq);
        records.retain(|r| r.seq > after);
        records.truncate(limit);
        Ok(records)
    }

    async fn open(&self) -> Result<Open, StoreError> {
        let rows = self.rows.lock();
        let sealed: Vec<_> = rows.seals.iter().map(|seal| seal.row.clone()).collect();
        let open = |r: &&Record| sealed.iter().all(|row| row.stream != r.stream);
        let mut places: Vec<_> = rows.records.iter().filter(open).map(|r| r.seq).collect();
        places.sort_unstable();
        Ok(Open {
            last: rows.records.iter().map(|r| r.seq).max().unwrap_or(0),
            places,
            sealed,
        })
    }

    async fn at(&self, places: &[u64]) -> Result<Vec<Record>, StoreError> {
        let mut records = self.records();
        records.retain(|r| places.contains(&r.seq));
        records.sort_by_key(|r| r.seq);
        Ok(records)
    }

    async fn sealed_households(
        &self,
        stream: StreamId,
    ) -> Result<Vec<SealedHousehold>, StoreError> {
        let rows = self.rows.lock();
        let seal = rows.seals.iter().find(|seal| seal.row.stream == stream);
        Ok(seal.map(|s| s.households.clone()).unwrap_or_default())
    }

    async fn stream(&self, stream: StreamId) -> Result<Vec<Record>, StoreError> {
        let mut records = self.records();
        records.retain(|r| r.stream == stream);
        records.sort_by_key(|r| r.stream_seq);
        Ok(records)
    }

    async fn document(&self, id: DocumentId) -> Result<Option<Vec<u8>>, StoreError> {
        let rows = self.rows.lock();
        let found = rows.documents.iter().find(|(held, _)| *held == id);
        Ok(found.map(|(_, body)| body.clone()))
    }

    async fn identities(&self) -> Result<Vec<IdentityRow>, StoreError> {
        Ok(self.rows.lock().identities.clone())
    }

    async fn inbox(&self) -> Result<Vec<InboxRow>, StoreError> {
        Ok(self.rows.lock().inbox.clone())
    }
}
