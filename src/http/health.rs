//! How the gateway itself does: alive, and its channels. This module must not heal anything.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use channel::{Evidence, Health};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::schema::Schema;

use super::Gate;
use super::caller::Reader;
use super::openapi::{Plain, Reading};
use crate::coverage::words::{of_level, of_link};
use crate::model::shape;

/// The process answers
#[utoipa::path(
    get, path = "/healthz", tag = "gateway",
    responses((status = 200, description = "Alive", body = Object), Plain),
)]
pub async fn alive() -> Json<Value> {
    Json(json!({ "status": "alive" }))
}

#[derive(Serialize, ToSchema)]
#[schema(as = Channel)]
struct ChannelView {
    name: String,
    kind: &'static str,
    /// The best that this channel can ever prove.
    #[schema(schema_with = shape::evidence)]
    best_evidence: Evidence,
    #[schema(schema_with = healths)]
    health: &'static str,
    /// Why it is down.
    reason: Option<String>,
    link: Option<LinkView>,
    /// Receipts that match no delivery after a minute: 待认领回执.
    orphan_receipts: usize,
    /// What its far end's people have to let go, and whom to call there; absent where they hold nothing back.
    #[serde(skip_serializing_if = "Option::is_none")]
    far_end: Option<FarEnd>,
    /// What people wrote that answers no alert, since the journal began: 未对应来信.
    stray_replies: u64,
}

/// A far end that belongs to others and may hold a message: 待播控审核.
#[derive(Serialize, ToSchema)]
struct FarEnd {
    held: u32,
    #[schema(schema_with = shape::maybe_moment)]
    since: Option<String>,
    /// Of its duty desk: 值班电话.
    duty_phone: Option<String>,
    /// Warnings that it handed to this gateway, which refused them: a bureau has to issue them. 平台转来、未播.
    offered: Vec<OfferedView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Offered)]
struct OfferedView {
    /// As the far end calls it: the EBMID.
    message: String,
    /// Its event's code; empty where it gave none.
    event: String,
    #[schema(schema_with = shape::levels)]
    level: &'static str,
    level_zh: &'static str,
    #[schema(schema_with = shape::moment)]
    since: String,
    #[schema(schema_with = shape::moment)]
    until: String,
}

fn offered(offered: &channel::Offered) -> OfferedView {
    let (level, level_zh) = of_level(offered.level);
    OfferedView {
        message: offered.name.clone(),
        event: offered.event.clone(),
        level,
        level_zh,
        since: offered.since.to_string(),
        until: offered.until.to_string(),
    }
}

fn far_end(notice: &channel::Notice) -> FarEnd {
    let phone = notice.phone.as_ref();
    FarEnd {
        held: notice.held,
        since: notice.since.map(|since| since.to_string()),
        duty_phone: phone.map(|phone| phone.expose().to_owned()),
        offered: notice.offered.iter().map(offered).collect(),
    }
}

fn healths() -> Schema {
    shape::one_of(&["up", "down"])
}

fn links() -> Schema {
    shape::one_of(&["up", "paused", "probing"])
}

/// The last change of the link that the engine noted.
#[derive(Serialize, ToSchema)]
#[schema(as = Link)]
struct LinkView {
    #[schema(schema_with = links)]
    state: &'static str,
    state_zh: &'static str,
    code: String,
    #[schema(schema_with = shape::moment)]
    since: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ChannelList)]
struct Channels {
    #[schema(schema_with = shape::moment)]
    as_of: String,
    channels: Vec<ChannelView>,
}

/// The channels and their links
#[utoipa::path(
    get, path = "/v1/channels", tag = "gateway", security(("token" = ["read"])),
    responses((status = 200, description = "Every configured channel", body = Channels), Reading),
)]
pub async fn channels(State(gate): State<Arc<Gate>>, _: Reader) -> impl IntoResponse {
    let links = gate.ledger.links();
    let (orphans, strays) = (orphans(&gate), gate.ledger.strays.counts());
    let view = |(name, channel): (&String, &Arc<dyn channel::Channel>)| {
        let capability = channel.capability();
        let (health, reason) = match channel.health() {
            Health::Up => ("up", None),
            Health::Failing(why) | Health::Down(why) => ("down", Some(why)),
        };
        let link = links.get(name).map(|(state, code, since)| {
            let (state, state_zh) = of_link(*state);
            LinkView {
                state,
                state_zh,
                code: code.clone(),
                since: since.to_string(),
            }
        });
        ChannelView {
            name: name.clone(),
            kind: capability.kind,
            best_evidence: capability.best,
            health,
            reason,
            link,
            far_end: channel.notice().as_ref().map(far_end),
            orphan_receipts: orphans.get(name).copied().unwrap_or(0),
            stray_replies: strays.get(name).copied().unwrap_or(0),
        }
    };
    let channels = gate.channels.iter().map(view).collect();
    Json(Channels {
        as_of: gate.clock.now().to_string(),
        channels,
    })
}

/// How long a receipt may wait for its delivery to settle.
const ORPHAN: Duration = Duration::from_mins(1);

/// By channel, without those that have none.
pub fn orphans(gate: &Gate) -> BTreeMap<String, usize> {
    let before = gate.clock.now().minus(ORPHAN);
    let mut orphans = BTreeMap::new();
    for receipt in gate.correlator.lock().waiting() {
        if receipt.seen <= before {
            *orphans.entry(receipt.channel.clone()).or_insert(0) += 1;
        }
    }
    orphans
}
