//! The recording library from outside: what is there, a sound to listen to, and the three acts: bring, hear, take back. This
//! module must not judge a sound nor decide who may vouch for one: the library does.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use channel::Level;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::openapi::schema::Schema;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::{Params, Reader, Recorder};
use super::openapi::{Hearing, Listing, OfRecording, Recording as Bringing};
use super::page::{PageParams, cut};
use super::problem::{
    BAD_PARAMETER, BAD_RECORDING, DAMAGED, DECIDED, NOT_ALLOWED, Problem, STORE_AWAY, TOO_LARGE,
    UNKNOWN_RECORDING,
};
use super::submit::broken;
use super::{Gate, House};
use crate::coverage::words::of_level;
use crate::ledger::recordings::{Act, Recording, RecordingId, Standing};
use crate::media::{Asked, BadSound, Denied};
use crate::model::{shape, tongue_names};

pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(sound))
        .routes(routes!(heard))
        .routes(routes!(retire))
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        let kind = match &denied {
            Denied::Sound(BadSound::TooLarge(_)) => &TOO_LARGE,
            Denied::Event
            | Denied::Level
            | Denied::Response
            | Denied::Language
            | Denied::Sound(_)
            | Denied::Full => &BAD_RECORDING,
            Denied::Unknown(_) => &UNKNOWN_RECORDING,
            Denied::Own(_) => &NOT_ALLOWED,
            Denied::Retired(_) => &DECIDED,
            Denied::Lost(_) => &DAMAGED,
            Denied::Store(error) => return error.clone().into(),
            Denied::Refused(_) => &STORE_AWAY,
        };
        Self::new(kind, denied.to_string())
    }
}

/// What people see: 红橙黄蓝.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Colour {
    Red,
    Orange,
    Yellow,
    Blue,
}

impl From<Colour> for Level {
    fn from(colour: Colour) -> Self {
        match colour {
            Colour::Red => Self::Red,
            Colour::Orange => Self::Orange,
            Colour::Yellow => Self::Yellow,
            Colour::Blue => Self::Blue,
        }
    }
}

fn responses() -> Schema {
    shape::written(json!({
        "type": "string",
        "enum": cap::ResponseType::WORDS,
        "description": "What it asks people to do, as CAP writes it; any where it is left out",
    }))
}

fn standings() -> Schema {
    shape::one_of(&Standing::ALL.map(|standing| standing.words().0))
}

/// What a recording is for. What is left out fits anything.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SubjectParams {
    /// The beginning of an event code: `11A51`, `11B`.
    #[param(pattern = "^[0-9A-Z]{0,5}$", example = "11A51")]
    event: Option<String>,
    /// Any where it is left out.
    #[param(inline)]
    level: Option<Colour>,
    #[param(schema_with = responses)]
    response: Option<cap::ResponseType>,
    /// BCP 47: `zho` Mandarin, `cmn-x-sichuan` 四川话, `qxs` and `cng` Qiang, `bod` and `adx` Tibetan, `bqh` Baima.
    #[param(pattern = "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}$", example = "qxs")]
    language: String,
    /// It says that it is a drill; no other is used in one.
    #[serde(default)]
    drill: bool,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Recordings)]
struct Listed {
    recordings: Vec<View>,
    /// For `after`, where there are more.
    next: Option<u64>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Recording)]
struct View {
    #[schema(value_type = u32)]
    id: RecordingId,
    event: String,
    event_zh: Option<String>,
    level: Option<&'static str>,
    level_zh: Option<&'static str>,
    #[schema(value_type = Option<String>)]
    response: Option<cap::ResponseType>,
    language: String,
    language_zh: Option<&'static str>,
    drill: bool,
    /// Among those of its subject, from 1.
    version: u32,
    #[schema(schema_with = standings)]
    standing: &'static str,
    standing_zh: &'static str,
    mime: &'static str,
    bytes: u32,
    seconds: u32,
    #[schema(schema_with = shape::hash)]
    sha256: String,
    recorded: ActView,
    /// By a second person; it is not used before.
    heard: Option<ActView>,
    retired: Option<ActView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = RecordingAct)]
struct ActView {
    /// The bureau.
    by: String,
    by_name: Option<String>,
    #[schema(schema_with = shape::moment)]
    at: String,
}

fn view(gate: &Gate, recording: Recording, standing: Standing) -> View {
    let act = |act: Act| ActView {
        by_name: gate.bureaus.name_of(&act.by).map(str::to_owned),
        by: act.by,
        at: act.at.to_string(),
    };
    let Recording { of, clip, .. } = recording;
    let events = &gate.ingest.means.events;
    let named = (!of.event.is_empty()).then(|| events.of_prefix(&of.event));
    let level = of.level.map(of_level);
    let (word, word_zh) = standing.words();
    let sound = clip.sound();
    View {
        id: recording.id,
        event_zh: named.and_then(|name| name.zh),
        event: of.event,
        level: level.map(|(level, _)| level),
        level_zh: level.map(|(_, zh)| zh),
        response: of.response,
        language_zh: tongue_names(&of.language).map(|(zh, _)| zh),
        language: of.language,
        drill: of.drill,
        version: recording.version,
        standing: word,
        standing_zh: word_zh,
        mime: clip.format.mime(),
        bytes: clip.bytes,
        seconds: sound.seconds,
        sha256: sound.sha256,
        recorded: act(recording.recorded),
        heard: recording.heard.map(act),
        retired: recording.retired.map(act),
    }
}

/// One as it stands now.
fn now(gate: &Gate, id: RecordingId) -> Result<View, Problem> {
    let all = gate.library.all();
    let found = all.into_iter().find(|(recording, _)| recording.id == id);
    let (recording, standing) = found.ok_or(Denied::Unknown(id))?;
    Ok(view(gate, recording, standing))
}

fn number(id: Result<Path<String>, PathRejection>) -> Result<RecordingId, Problem> {
    let id = id.ok().and_then(|Path(id)| id.parse().ok());
    id.ok_or_else(|| {
        let detail = "the recording is no number; GET /v1/recordings lists them";
        Problem::new(&BAD_PARAMETER, detail)
    })
}

/// The recording library (录音库), newest first
#[utoipa::path(
    get, path = "/v1/recordings", operation_id = "recordings", tag = "recordings", params(PageParams), security(("token" = ["read"])),
    responses((status = 200, description = "A page of recordings", body = Listed), Listing),
)]
async fn list(
    State(gate): State<Arc<Gate>>,
    _: Reader,
    Params(page): Params<PageParams>,
) -> Result<Json<Listed>, Problem> {
    let all = gate.library.all();
    let (all, next) = cut(all, page, |(recording, _)| recording.id.into())?;
    let view = |(recording, standing)| view(&gate, recording, standing);
    let recordings = all.into_iter().map(view).collect();
    Ok(Json(Listed { recordings, next }))
}

/// Bring a recording
///
/// The file itself: WAV, MP3 or M4A by its content, at most 4 MiB and two minutes. A new one of the same subject is a new
/// version; it is used when another bureau has heard it. The same file again is answered as the first time.
#[utoipa::path(
    post, path = "/v1/recordings", operation_id = "record", tag = "recordings", params(SubjectParams), security(("token" = ["recordings"])),
    request_body(content = String, content_type = "application/octet-stream", description = "The file"),
    responses((status = 201, description = "It is on disk", body = View), Bringing),
)]
async fn add(
    State(gate): State<Arc<Gate>>,
    Recorder(caller): Recorder,
    Params(subject): Params<SubjectParams>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<View>), Problem> {
    let bytes = body.map_err(|error| broken(&error))?;
    let asked = Asked {
        event: subject.event.unwrap_or_default(),
        level: subject.level.map(Level::from),
        response: subject.response,
        language: subject.language,
        drill: subject.drill,
    };
    let recording = gate.library.add(asked, bytes, &caller.id).await?;
    Ok((StatusCode::CREATED, Json(now(&gate, recording.id)?)))
}

/// What a recording sounds like
#[utoipa::path(
    get, path = "/v1/recordings/{id}/sound", operation_id = "listen", tag = "recordings", security(("token" = ["read"])),
    params(("id" = u32, Path, description = "Its number", minimum = 0, example = 1)),
    responses((status = 200, description = "The file as it was brought", content(
        (String = "audio/wav"), (String = "audio/mpeg"), (String = "audio/mp4"),
    )), OfRecording),
)]
async fn sound(
    State(gate): State<Arc<Gate>>,
    _: Reader,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let (recording, bytes) = gate.library.sound(number(id)?).await?;
    let kind = recording.clip.format.mime();
    Ok(([(header::CONTENT_TYPE, kind)], bytes).into_response())
}

/// A second person has heard it: it is used from now on (已听)
#[utoipa::path(
    post, path = "/v1/recordings/{id}/heard", operation_id = "vouch_recording", tag = "recordings", security(("token" = ["recordings"])),
    params(("id" = u32, Path, description = "Its number", minimum = 0, example = 1)),
    responses((status = 200, description = "As it stands now; the first word stands", body = View), Hearing),
)]
async fn heard(
    State(gate): State<Arc<Gate>>,
    Recorder(caller): Recorder,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<View>, Problem> {
    let recording = gate.library.heard(number(id)?, &caller.id).await?;
    Ok(Json(now(&gate, recording.id)?))
}

/// Take a recording back: it is not used any more
///
/// The version before it is used again, where one was heard.
#[utoipa::path(
    post, path = "/v1/recordings/{id}/retire", operation_id = "retire_recording", tag = "recordings", security(("token" = ["recordings"])),
    params(("id" = u32, Path, description = "Its number", minimum = 0, example = 1)),
    responses((status = 200, description = "As it stands now", body = View), OfRecording),
)]
async fn retire(
    State(gate): State<Arc<Gate>>,
    Recorder(caller): Recorder,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<View>, Problem> {
    let recording = gate.library.retire(number(id)?, &caller.id).await?;
    Ok(Json(now(&gate, recording.id)?))
}
