//! What the tests of lanes share: alerts of several bureaus in a ledger, put there by the same events as in the field.
//! This module must not assert anything.

use channel::{Level, Timestamp};

use crate::ledger::event::{Accepted, Audience, Block, Born, Identity, InfoMeta, VariantMeta};
use crate::ledger::{Event, Ledger};
use crate::model::{RegionCode, StreamId};

/// 2026-07-14 09:00 in Beijing.
pub const START: Timestamp = Timestamp(1_783_990_800_000);
pub const HOUR: i64 = 3_600_000;
pub const CHANNEL: &str = "sms";

pub fn village(nth: u64) -> RegionCode {
    RegionCode::try_from(510_727_217_201 + nth).expect("a village")
}

pub fn accepted(stream: StreamId, caller: &str) -> Accepted {
    let expires = Timestamp(START.0 + 6 * HOUR);
    Accepted {
        identity: Identity {
            sender: "bureau@example.invalid".into(),
            identifier: format!("A-{stream}"),
            sent: START.0,
        },
        document: [1; 32],
        content: [2; 32],
        caller: caller.into(),
        status: cap::Status::Actual,
        msg_type: cap::MsgType::Alert,
        level: Level::Red,
        references: Vec::new(),
        hits: Vec::new(),
        born: Born::Live,
        infos: vec![InfoMeta {
            language: "zh-CN".into(),
            event: "11B03".into(),
            severity: cap::Severity::Extreme,
            urgency: cap::Urgency::Immediate,
            onset: Some(START),
            expires,
        }],
        regions: vec![village(0)],
        regions_hash: [3; 32],
        plan: [4; 32],
        plan_name: "10-red".into(),
        generation: 1,
    }
}

pub fn variants() -> Event {
    let variant = VariantMeta {
        kind: CHANNEL.into(),
        language: "zh-CN".into(),
        document: [5; 32],
        segments: 1,
        expires: Timestamp(START.0 + 6 * HOUR),
        drill: false,
    };
    Event::Variants {
        first: 0,
        variants: vec![variant],
    }
}

pub fn block_of(channel: &str, first: u32, count: u32, rank: u64) -> Event {
    Event::Block(Block {
        step: 0,
        region: village(u64::from(first % 7)),
        channel: channel.into(),
        audience: Audience::Public,
        first,
        endpoints: (first..first + count).collect(),
        households: (first..first + count).collect(),
        variants: vec![(count, 0)],
        rank,
        window: 600_000,
    })
}

/// Accepts an alert of this bureau with blocks of so many deliveries each.
pub fn alert(ledger: &Ledger, stream: StreamId, caller: &str, rank: u64, blocks: &[u32]) {
    let mut events = vec![Event::Accepted(accepted(stream, caller).into()), variants()];
    let mut first = 0;
    for count in blocks {
        events.push(block_of(CHANNEL, first, *count, rank));
        first += count;
    }
    apply(ledger, stream, &events);
}

pub fn apply(ledger: &Ledger, stream: StreamId, events: &[Event]) {
    for event in events {
        ledger.apply(stream, START, event).expect("it fits");
    }
}
