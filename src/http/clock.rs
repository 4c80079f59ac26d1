//! The time by which the gateway works, and a person's word that a clock which jumped is right. This module must not set
//! a clock.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Gate;
use super::caller::{Keeper, Reader};
use super::openapi::Reading;
use crate::coord::Jump;
use crate::model::shape;

#[derive(Serialize, ToSchema)]
#[schema(as = ClockStanding)]
pub struct Time {
    /// The time that is believed: every decision is made by it.
    #[schema(schema_with = shape::moment)]
    now: String,
    /// By how much the wall clock is ahead of it, since it jumped; nothing where it has not.
    jumped_by_seconds: Option<i64>,
    /// In how long the wall clock is believed without a word.
    believed_in_seconds: Option<u64>,
}

fn time(gate: &Gate, jump: Option<Jump>) -> Json<Time> {
    Json(Time {
        now: gate.clock.now().to_string(),
        jumped_by_seconds: jump.map(|jump| jump.seconds),
        believed_in_seconds: jump.map(|jump| jump.left.as_secs()),
    })
}

/// The time by which the gateway works
#[utoipa::path(
    get, path = "/v1/clock", operation_id = "clock", tag = "gateway", security(("token" = ["read"])),
    responses((status = 200, description = "The time, and whether the wall clock parted from it", body = Time), Reading),
)]
pub async fn standing(State(gate): State<Arc<Gate>>, _: Reader) -> Json<Time> {
    time(&gate, gate.time.jump())
}

/// The wall clock is right
///
/// A person's word after a clock that jumped; where nothing jumped nothing changes.
#[utoipa::path(
    post, path = "/v1/clock", operation_id = "believe_clock", tag = "gateway", security(("token" = ["registry"])),
    responses((status = 200, description = "The time as it is believed now", body = Time), Reading),
)]
pub async fn believe(State(gate): State<Arc<Gate>>, Keeper(caller): Keeper) -> Json<Time> {
    if let Some(jump) = gate.time.believe() {
        let (bureau, seconds) = (caller.id, jump.seconds);
        tracing::warn!(bureau, seconds, "a person has confirmed the new time");
    }
    time(&gate, gate.time.jump())
}
