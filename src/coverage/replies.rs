//! What people wrote back to an alert, line by line: by whose door, and whether it proves anything. This module must not
//! show a number or a text: whoever asks is given the text apart, where they may have it.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::doors::inside;
use super::lists::At;
use super::words::of_said;
use crate::ledger::event::Stray;
use crate::ledger::{Alert, Ledger};
use crate::model::{DeliveryNo, EndpointId, HouseholdId, RegionCode, shape};
use crate::registry::Registry;
use crate::store::DocumentId;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct ReplyLine {
    /// Counts from 0 in the order they came; a reply that is here stays where it is.
    pub no: u64,
    #[schema(value_type = u32)]
    pub delivery: DeliveryNo,
    #[schema(value_type = u32)]
    pub endpoint: EndpointId,
    /// Nothing for an officer.
    #[schema(value_type = Option<u32>)]
    pub household: Option<HouseholdId>,
    pub region: RegionCode,
    pub region_name: String,
    /// The account that it came by.
    pub channel: String,
    /// `acknowledged`: one of the account's words, which is evidence; `wrote`: any other text, which is none.
    pub said: &'static str,
    pub said_zh: &'static str,
    /// Several alerts were open to this number, and the newest was taken.
    pub assumed: bool,
    #[schema(schema_with = shape::moment)]
    pub seen: At,
    /// When it was written, by the far end's clock.
    #[schema(schema_with = shape::maybe_moment)]
    pub far: Option<At>,
    /// What was written, for callers with the scope `registry`; nothing where it was erased.
    pub text: Option<String>,
    /// What is attached to it, apart from the text.
    pub attached: Option<Attached>,
    #[serde(skip)]
    pub document: Option<DocumentId>,
    /// Which of its delivery's texts it is, from 0.
    #[serde(skip)]
    pub place: usize,
}

/// A picture, a sound or a paper: its size and hash, and where it is served.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Attached {
    pub bytes: u64,
    #[schema(schema_with = shape::hash)]
    pub sha256: String,
    pub href: String,
}

/// The replies of some regions, in the order they came.
pub fn replies(alert: &Alert, registry: &Registry, scope: &[RegionCode]) -> Vec<ReplyLine> {
    let mut places: BTreeMap<DeliveryNo, usize> = BTreeMap::new();
    let line = |(no, reply): (u64, crate::ledger::Reply)| {
        let next = places.entry(reply.row.delivery).or_default();
        let place = *next;
        *next += usize::from(reply.row.text.is_some());
        let (block, i) = alert.find(reply.row.delivery)?;
        let (said, said_zh) = of_said(reply.row.text.is_none());
        inside(scope, block.region).then(|| ReplyLine {
            no,
            delivery: reply.row.delivery,
            endpoint: block.endpoint(i),
            household: block.household(i),
            region: block.region,
            region_name: registry.full_name(block.region),
            channel: reply.channel,
            said,
            said_zh,
            assumed: reply.row.assumed,
            seen: At(reply.row.seen),
            far: reply.row.far.map(At),
            text: None,
            attached: None,
            document: reply.row.text,
            place,
        })
    };
    (0..).zip(alert.replies.all()).filter_map(line).collect()
}

/// A reply that answers no alert.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct StrayLine {
    /// Counts from 1 since the journal began.
    pub no: u64,
    pub channel: String,
    /// `unknown-number` or `nothing-open`.
    pub why: &'static str,
    pub why_zh: &'static str,
    #[schema(schema_with = shape::moment)]
    pub seen: At,
    /// When it was written, by the far end's clock.
    #[schema(schema_with = shape::maybe_moment)]
    pub far: Option<At>,
    /// What was written; nothing where it was erased.
    pub text: Option<String>,
    #[serde(skip)]
    pub document: DocumentId,
}

/// The latest of them, the oldest first.
pub fn strays(ledger: &Ledger) -> Vec<StrayLine> {
    let line = |(no, channel, row): (u64, String, crate::ledger::event::StrayedRow)| {
        let (why, why_zh) = match row.why {
            Stray::UnknownNumber => ("unknown-number", "号码不在台账"),
            Stray::NothingOpen => ("nothing-open", "没有可对应的预警"),
        };
        StrayLine {
            no,
            channel,
            why,
            why_zh,
            seen: At(row.seen),
            far: row.far.map(At),
            text: None,
            document: row.text,
        }
    };
    ledger.strays.list().into_iter().map(line).collect()
}
