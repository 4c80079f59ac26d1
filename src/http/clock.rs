//! The time by which the gateway works, and a person's word that a clock which jumped is right. This module must not set
//! a clock.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Gate;
use super::caller::{Keeper, Reader};
use super::openapi::{Believing, Reading};
use super::problem::{Problem, STORE_AWAY};
use crate::coord::Jump;
use crate::ledger::event::Believed;
use crate::ledger::{Event, Proposal};
use crate::model::{StreamId, shape};

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
    /// The last word of a person on a clock that jumped.
    confirmed: Option<Confirmed>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ClockConfirmed)]
struct Confirmed {
    #[schema(schema_with = shape::moment)]
    at: String,
    /// The bureau.
    by: String,
    /// How far the wall clock was ahead then.
    jumped_by_seconds: i64,
}

fn time(gate: &Gate, jump: Option<Jump>) -> Json<Time> {
    let confirmed = gate.ledger.believed().map(|(at, word)| Confirmed {
        at: at.to_string(),
        by: word.by,
        jumped_by_seconds: word.seconds,
    });
    Json(Time {
        now: gate.clock.now().to_string(),
        jumped_by_seconds: jump.map(|jump| jump.seconds),
        believed_in_seconds: jump.map(|jump| jump.left.as_secs()),
        confirmed,
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
/// A person's word after a clock that jumped, answered when it is in the journal; where nothing jumped nothing changes.
#[utoipa::path(
    post, path = "/v1/clock", operation_id = "believe_clock", tag = "gateway", security(("token" = ["registry"])),
    responses((status = 200, description = "The time as it is believed now", body = Time), Believing),
)]
pub async fn believe(
    State(gate): State<Arc<Gate>>,
    Keeper(caller): Keeper,
) -> Result<Json<Time>, Problem> {
    if let Some(Jump { seconds, .. }) = gate.time.jump() {
        let by = caller.id;
        tracing::warn!(bureau = by, seconds, "a person has confirmed the new time");
        let word = Event::Believed(Believed { by, seconds });
        // Still by the time of before: it stands in the order in which things happened.
        let noted = gate.writer.propose(Proposal::of(HOUSE, word)).await;
        noted.map_err(|refused| Problem::new(&STORE_AWAY, refused.to_string()))?;
        gate.time.believe();
    }
    Ok(time(&gate, gate.time.jump()))
}

const HOUSE: StreamId = 0;
