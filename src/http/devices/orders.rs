//! Orders without a text: stop, stop-all, a test tone, the volume, a silent self-test. They are journaled before they are
//! given, and what each device did is answered by the order's number. This module must not order anything that lies outside
//! the caller's regions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use bytes::Bytes;
use channel::{Action, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::Gate;
use super::super::caller::{Operator, Reader};
use super::super::openapi::{OfOrder, Stopping};
use super::super::problem::{BAD_ORDER, Problem, UNKNOWN_ORDER};
use super::{Whom, away, body, own};
use crate::coverage;
use crate::dispatch::Wanted;
use crate::model::RegionCode;
use crate::plan::{self, Sound};
use crate::trust::{Caller, authority};

/// How long an order waits for its devices unless said otherwise, and at most.
const MINUTES: u64 = 10;
const MOST_MINUTES: u64 = 24 * 60;
const LONGEST_TONE: u16 = 60;

#[derive(Clone, Copy, PartialEq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = OrderKind)]
enum Kind {
    Stop,
    StopAll,
    Tone,
    Volume,
    SelfTest,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = AskedOrder)]
struct Asked {
    kind: Kind,
    #[serde(flatten)]
    whom: Whom,
    /// Which alert is stopped.
    #[schema(minimum = 0)]
    alert: Option<u64>,
    /// How long a tone sounds; 5 seconds where nothing is said.
    #[schema(minimum = 1, maximum = 60)]
    seconds: Option<u16>,
    /// Of the volume.
    #[schema(minimum = 0, maximum = 100)]
    percent: Option<u8>,
    /// How long it waits for a device that is away; 10 where nothing is said.
    #[schema(minimum = 1, maximum = 1440)]
    minutes: Option<u64>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = GivenOrders)]
pub struct Given {
    orders: Vec<OrderOf>,
    /// Without a key, and behind no adapter or platform: nothing can be ordered of these.
    not_enrolled: Vec<String>,
    /// Channels that know no such order.
    cannot: Vec<Cannot>,
}

/// A channel whose far end knows no such order, and whom it would have been for.
#[derive(Serialize, ToSchema)]
#[schema(as = OrderNotKnown)]
struct Cannot {
    channel: String,
    devices: Vec<String>,
    detail: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = GivenOrder)]
struct OrderOf {
    channel: String,
    order: u64,
    devices: usize,
}

impl Asked {
    fn action(&self, gate: &Gate, caller: &Caller) -> Result<(Action, Timestamp), Problem> {
        let bad = |detail: &str| Problem::new(&BAD_ORDER, detail);
        let now = gate.clock.now();
        let minutes = self.minutes.unwrap_or(MINUTES);
        if !(1..=MOST_MINUTES).contains(&minutes) {
            return Err(bad("`minutes` is 1 to 1440"));
        }
        let waits = now.plus(Duration::from_mins(minutes));
        Ok(match self.kind {
            Kind::Stop => {
                let id = self
                    .alert
                    .ok_or_else(|| bad("a stop names its `alert`; `stop-all` ends everything"))?;
                let alert = gate.ledger.alert(id);
                let alert = alert.filter(|alert| coverage::sees(caller, &alert.meta));
                let alert = alert.ok_or_else(|| Problem::unknown_alert(&id.to_string()))?;
                // As long as it could be played.
                (Action::Stop { alert: id }, alert.expires().max(waits))
            }
            Kind::StopAll => (Action::StopAll, waits),
            Kind::Tone => {
                let seconds = self.seconds.unwrap_or(5);
                if !(1..=LONGEST_TONE).contains(&seconds) {
                    return Err(bad("`seconds` of a tone is 1 to 60"));
                }
                (Action::Tone { seconds }, waits)
            }
            Kind::SelfTest => (Action::SelfTest, waits),
            Kind::Volume => {
                let percent = self.percent.filter(|percent| *percent <= 100);
                let percent =
                    percent.ok_or_else(|| bad("a volume names its `percent`, 0 to 100"))?;
                (Action::Volume { percent }, waits)
            }
        })
    }
}

/// A tone can wait: it sounds neither at night nor on the days of an examination, nor while nobody believes the clock. Until
/// when it may.
fn until_silence(
    gate: &Gate,
    caller: &Caller,
    whom: &[String],
    expires: Timestamp,
) -> Result<Timestamp, Problem> {
    let bad = |detail: String| Err(Problem::new(&BAD_ORDER, detail));
    if gate.time.jump().is_some() {
        return bad("the wall clock jumped, so nobody knows whether it is night; GET /v1/clock tells, and a stop is taken at any time".into());
    }
    let (now, hush) = (gate.clock.now(), &gate.ingest.means.hush);
    let own = own(&gate.registry(), caller, None)?;
    let villages: BTreeSet<RegionCode> =
        whom.iter().filter_map(|id| own.get(id)).copied().collect();
    let mut ends = expires;
    for village in villages {
        if let Some(until) = hush.until(Sound::Other, village, now) {
            return bad(format!(
                "loudspeakers of {village} keep silent until {until}: at night and on days of examinations nothing sounds that can wait"
            ));
        }
        let begins = hush.begins(Sound::Other, village, (now, ends));
        ends = begins.map_or(ends, |begins| begins.min(ends));
    }
    Ok(ends)
}

/// Stop, stop all, a test tone, the volume, a silent self-test
///
/// 202 comes when it is in the journal.
#[utoipa::path(
    post, path = "/v1/devices/orders", tag = "devices", security(("token" = ["devices"])),
    request_body = Asked,
    responses((status = 202, description = "One order for each channel", body = Given), Stopping),
)]
pub async fn order(
    State(gate): State<Arc<Gate>>,
    Operator(caller): Operator,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Given>), Problem> {
    let asked: Asked = body(bytes)?;
    let (action, mut expires) = asked.action(&gate, &caller)?;
    let whom = asked.whom.of(&gate, &caller)?;
    if matches!(action, Action::Tone { .. }) {
        expires = until_silence(&gate, &caller, &whom, expires)?;
    }
    let (by_channel, not_enrolled) = shared(&gate, whom);
    let (by_channel, cannot) = known(&gate, by_channel, action);
    if by_channel.is_empty() && !cannot.is_empty() {
        let details: Vec<_> = cannot.into_iter().map(|cannot| cannot.detail).collect();
        return Err(Problem::new(&BAD_ORDER, details.join("; ")));
    }
    let mut orders = Vec::new();
    for (channel, devices) in by_channel {
        let count = devices.len();
        let wanted = Wanted {
            action,
            authority: authority(&caller.regions),
            devices,
            expires,
            by: caller.id.clone(),
        };
        let given = gate.orders.give(&channel, wanted).await;
        let order = given.map_err(|refused| away(&refused))?;
        orders.push(OrderOf {
            channel,
            order,
            devices: count,
        });
    }
    let given = Given {
        orders,
        not_enrolled,
        cannot,
    };
    Ok((StatusCode::ACCEPTED, Json(given)))
}

type ByChannel = BTreeMap<String, Vec<String>>;

/// By which channels each device is ordered: those by which it is warned. The rest by none.
fn shared(gate: &Gate, whom: Vec<String>) -> (ByChannel, Vec<String>) {
    let mut by_channel = ByChannel::new();
    let mut not_enrolled = Vec::new();
    for device in whom {
        let channels = plan::home(&gate.channels, &gate.ledger, &device);
        if channels.is_empty() {
            not_enrolled.push(device.clone());
        }
        for channel in channels {
            by_channel.entry(channel).or_default().push(device.clone());
        }
    }
    (by_channel, not_enrolled)
}

/// Those whose far end knows the order, and what is said of the others.
fn known(gate: &Gate, by_channel: ByChannel, action: Action) -> (ByChannel, Vec<Cannot>) {
    let (known, others): (ByChannel, ByChannel) = by_channel
        .into_iter()
        .partition(|(channel, _)| gate.orders.obeys(channel, action));
    let cannot = |(channel, devices): (String, Vec<String>)| Cannot {
        detail: format!(
            "channel {channel} cannot do this: its far end's protocol knows no order `{}` ({} devices)",
            action.name(),
            devices.len()
        ),
        channel,
        devices,
    };
    (known, others.into_iter().map(cannot).collect())
}

#[derive(Serialize, ToSchema)]
#[schema(as = DeviceOrder)]
pub struct OrderView {
    order: u64,
    channel: String,
    kind: &'static str,
    by: String,
    given: String,
    expires: String,
    /// Of the caller's devices.
    devices: usize,
    done: usize,
    failed: usize,
    speakers: Vec<SpeakerView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = DeviceOrderOfSpeaker)]
struct SpeakerView {
    device: String,
    /// `waiting`, `done`, `failed`, or `expired` where nothing was heard in time.
    result: &'static str,
    result_zh: &'static str,
    code: String,
    seconds: u32,
    at: Option<String>,
}

/// What came of such an order, speaker by speaker
#[utoipa::path(
    get, path = "/v1/devices/orders/{order}", tag = "devices", security(("token" = ["read"])),
    params(("order" = u64, Path, description = "Its number, of its 202", minimum = 0, example = 1)),
    responses((status = 200, description = "Of the caller's devices", body = OrderView), OfOrder),
)]
pub async fn done(
    State(gate): State<Arc<Gate>>,
    Reader(caller): Reader,
    order: Result<Path<String>, PathRejection>,
) -> Result<Json<OrderView>, Problem> {
    let order = order.map_or_else(|_| String::new(), |Path(order)| order);
    let own = own(&gate.registry(), &caller, None)?;
    let number: Option<u64> = order.parse().ok();
    let orders = gate.ledger.devices.orders();
    let found = orders.into_iter().find(|standing| {
        let mut devices = standing.ordered.devices.iter();
        Some(standing.ordered.serial) == number && devices.any(|id| own.contains_key(id))
    });
    let standing = found.ok_or_else(|| {
        let order: String = order.chars().take(32).collect();
        let detail = format!(
            "order {order} is not known, is of long ago, or was for no device of yours; the answer to its POST has its number"
        );
        Problem::new(&UNKNOWN_ORDER, detail)
    })?;
    let over = standing.ordered.expires <= gate.clock.now();
    let view = |device: String| {
        let row = standing.done.get(&device);
        let (result, result_zh) = match row.map(|row| row.done) {
            Some(true) => ("done", "已执行"),
            Some(false) => ("failed", "失败"),
            None if over => ("expired", "过期未执行"),
            None => ("waiting", "等待"),
        };
        SpeakerView {
            device,
            result,
            result_zh,
            code: row.map(|row| row.code.clone()).unwrap_or_default(),
            seconds: row.map_or(0, |row| row.seconds),
            at: row.and_then(|row| row.far).map(|at| at.to_string()),
        }
    };
    let devices = standing.ordered.devices.iter();
    let devices = devices.filter(|id| own.contains_key(*id)).cloned();
    let speakers: Vec<_> = devices.map(view).collect();
    let count = |result| speakers.iter().filter(|s| s.result == result).count();
    Ok(Json(OrderView {
        order: standing.ordered.serial,
        channel: standing.ordered.channel.clone(),
        kind: standing.ordered.action.name(),
        by: standing.ordered.by.clone(),
        given: standing.at.to_string(),
        expires: standing.ordered.expires.to_string(),
        devices: speakers.len(),
        done: count("done"),
        failed: count("failed"),
        speakers,
    }))
}
