//! 录音库: what people have recorded for loudspeakers, with a player for each, a form that records on a telephone, and the
//! word of a second person. The one page that changes anything, and only by the library's own acts. This module must not
//! judge a sound nor decide who may vouch for one.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use channel::Level;
use maud::{Markup, html};
use serde::Deserialize;

use super::layout::{self, Frame, clock};
use super::session::Officer;
use super::view::Amiss;
use super::{Desk, Handle};
use crate::coverage::words::of_level;
use crate::ledger::recordings::{Act, Recording, RecordingId, Standing};
use crate::media::{Asked, BadSound, Denied, LARGEST, LONGEST};
use crate::model::{TONGUES, tongue_names};
use crate::trust::{Caller, Scope};

const LEVELS: [Level; 4] = [Level::Red, Level::Orange, Level::Yellow, Level::Blue];

const fn of_response(response: cap::ResponseType) -> &'static str {
    match response {
        cap::ResponseType::Shelter => "就地避险 shelter",
        cap::ResponseType::Evacuate => "转移 evacuate",
        cap::ResponseType::Prepare => "做好准备 prepare",
        cap::ResponseType::Execute => "执行预案 execute",
        cap::ResponseType::Avoid => "远离 avoid",
        cap::ResponseType::Monitor => "关注 monitor",
        cap::ResponseType::Assess => "研判 assess",
        cap::ResponseType::AllClear => "解除 all clear",
        cap::ResponseType::None => "无须行动 none",
    }
}

pub async fn page(State(desk): State<Handle>, Officer(caller, _): Officer) -> Html<String> {
    shown(&desk, &caller, None)
}

fn shown(desk: &Desk, caller: &Caller, problem: Option<&str>) -> Html<String> {
    let may = caller.may(Scope::Recordings);
    let body = html! {
        main.library {
            h1 { "录音库 " small { "Recordings" } }
            p.hint { "大喇叭先播本地语言录音，再播普通话全文。新录音须由另一单位复听后启用。 "
                "Loudspeakers play these before the text in Mandarin, once another bureau has heard them." }
            @if let Some(problem) = problem { p.problem role="alert" { (problem) } }
            @if may { (form()) } @else {
                p.hint { "该单位没有录音权限（recordings），只能试听。 This bureau may listen, and not record." }
            }
            (list(desk, caller, may))
        }
    };
    let frame = Frame {
        title: "录音库 Recordings",
        bureau: desk.console.bureaus.name_of(&caller.id).unwrap_or_default(),
        as_of: desk.console.clock.now(),
        live: None,
    };
    layout::page(&frame, &body)
}

/// Sent by the page's script as the file itself, so that a large one is not kept twice.
fn form() -> Markup {
    html! {
        form.record #record method="post" action="/console/recordings" {
            h2 { "上传录音 " small { "Bring a recording" } }
            label { "语言 " small { "Language" }
                select name="language" required {
                    option value="" { "请选择 choose" }
                    @for (tag, zh, en) in TONGUES { option value=(tag) { (zh) " " (en) } }
                } }
            label { "事件代码 " small { "Event" }
                input name="event" placeholder="11A51" pattern="[0-9A-Z]{0,5}" maxlength="5" autocapitalize="characters"; }
            label { "级别 " small { "Level" }
                select name="level" { option value="" { "不限 any" }
                    @for level in LEVELS { @let (word, zh) = of_level(level); option value=(word) { (zh) " " (word) } } } }
            label { "行动要求 " small { "Response" }
                select name="response" { option value="" { "不限 any" }
                    @for response in cap::ResponseType::ALL { option value=(response) { (of_response(*response)) } } } }
            label { "录音 " small { "WAV, MP3, M4A · ≤ " (LARGEST >> 20) " MiB · ≤ " (LONGEST.as_secs()) " s" }
                input #sound name="sound" type="file" accept="audio/*" capture="user" required; }
            label.check { input name="drill" type="checkbox" value="true"; " 演练专用 " small { "Says that it is a drill" } }
            button type="submit" { "上传 Bring" }
            output #told role="status" {}
        }
    }
}

fn list(desk: &Desk, caller: &Caller, may: bool) -> Markup {
    let all = desk.console.library.all();
    html! {
        @if all.is_empty() { p.hint { "还没有录音：大喇叭只播文本。 None yet: loudspeakers say the text alone." } }
        ul.recordings { @for (recording, standing) in &all { li.(standing.words().0) data-id=(recording.id) {
            (head(recording, *standing))
            audio controls preload="none" src=(format!("/console/recordings/{}/sound", recording.id)) {}
            (acts(desk, recording))
            @if may { (words(recording, *standing, caller)) }
        } } }
    }
}

fn head(recording: &Recording, standing: Standing) -> Markup {
    let Recording {
        of, version, clip, ..
    } = recording;
    let (word, zh) = standing.words();
    let named = tongue_names(&of.language);
    html! {
        h3 {
            @if let Some((zh, en)) = named { (zh) " " small { (en) } } @else { (of.language) }
            " " @if of.event.is_empty() { "各类事件 " small { "any event" } } @else { (of.event) }
            " " @if let Some(level) = of.level { @let (word, zh) = of_level(level); span.level.(word) { (zh) } }
            @if let Some(response) = of.response { " " (of_response(response)) }
            @if of.drill { " " span.drill { "演练 drill" } }
        }
        p { strong.standing { (zh) " " small { (word) } } " 第" (version) "版 " small { "version " (version) }
            " · " (clip.sound().seconds) " s · " (clip.bytes.div_ceil(1024)) " KiB" }
    }
}

fn acts(desk: &Desk, recording: &Recording) -> Markup {
    let one = |what: &str, act: &Act| {
        let name = desk.console.bureaus.name_of(&act.by);
        format!("{what} {} {}", name.unwrap_or(&act.by), clock(act.at))
    };
    let heard = recording.heard.iter().map(|act| one("复听 heard", act));
    let retired = recording.retired.iter().map(|act| one("停用 retired", act));
    let recorded = std::iter::once(one("上传 brought", &recording.recorded));
    let all: Vec<_> = recorded.chain(heard).chain(retired).collect();
    html! { p.note { (all.join(" · ")) } }
}

/// What this officer may say of it.
fn words(recording: &Recording, standing: Standing, caller: &Caller) -> Markup {
    let id = recording.id;
    let own = recording.recorded.by == caller.id;
    html! {
        @if standing != Standing::Retired { p.words {
            @if standing == Standing::Unheard && own { span.hint { "须由另一单位复听 another bureau has to hear it" } }
            @if standing == Standing::Unheard && !own {
                form method="post" action=(format!("/console/recordings/{id}/heard")) {
                    button.heard type="submit" { "已听，内容无误 Heard, and right" } }
            }
            form method="post" action=(format!("/console/recordings/{id}/retire")) {
                button.retire type="submit" { "停用 Retire" } }
        } }
    }
}

#[derive(Deserialize)]
pub struct Subject {
    language: String,
    #[serde(default)]
    event: String,
    #[serde(default)]
    level: String,
    #[serde(default)]
    response: String,
    #[serde(default)]
    drill: bool,
}

impl Subject {
    fn asked(self) -> Result<Asked, Denied> {
        let level = match self.level.as_str() {
            "" => None,
            word => {
                let known = LEVELS.into_iter().find(|level| of_level(*level).0 == word);
                Some(known.ok_or(Denied::Level)?)
            }
        };
        let response = match self.response.as_str() {
            "" => None,
            word => Some(word.parse().map_err(|_| Denied::Response)?),
        };
        Ok(Asked {
            event: self.event,
            level,
            response,
            language: self.language,
            drill: self.drill,
        })
    }
}

/// Answers with words that the page shows.
pub async fn add(
    State(desk): State<Handle>,
    Officer(caller, _): Officer,
    Query(subject): Query<Subject>,
    bytes: Bytes,
) -> Response {
    if !caller.may(Scope::Recordings) {
        return refused();
    }
    let added = match subject.asked() {
        Ok(asked) => desk.console.library.add(asked, bytes, &caller.id).await,
        Err(denied) => Err(denied),
    };
    match added {
        Ok(_) => StatusCode::CREATED.into_response(),
        Err(denied) => (status(&denied), denied.to_string()).into_response(),
    }
}

fn refused() -> Response {
    let text = "该单位没有录音权限。 This bureau does not have the scope `recordings`.";
    (StatusCode::FORBIDDEN, text).into_response()
}

const fn status(denied: &Denied) -> StatusCode {
    match denied {
        Denied::Sound(BadSound::TooLarge(_)) => StatusCode::PAYLOAD_TOO_LARGE,
        Denied::Unknown(_) => StatusCode::NOT_FOUND,
        Denied::Own(_) => StatusCode::FORBIDDEN,
        Denied::Retired(_) => StatusCode::CONFLICT,
        Denied::Store(_) | Denied::Refused(_) | Denied::Lost(_) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

fn number(id: &str) -> Result<RecordingId, Amiss> {
    id.parse()
        .map_err(|_| Amiss::Missing("没有这条录音。 No such recording."))
}

pub async fn sound(
    State(desk): State<Handle>,
    _: Officer,
    Path(id): Path<String>,
) -> Result<Response, Amiss> {
    match desk.console.library.sound(number(&id)?).await {
        Ok((recording, bytes)) => {
            let kind = recording.clip.format.mime();
            Ok(([(header::CONTENT_TYPE, kind)], bytes).into_response())
        }
        Err(Denied::Unknown(_)) => Err(Amiss::Missing("没有这条录音。 No such recording.")),
        Err(_) => Err(Amiss::Away(
            "录音暂时读不出来。 It cannot be read now; try again.",
        )),
    }
}

pub async fn heard(
    State(desk): State<Handle>,
    Officer(caller, _): Officer,
    Path(id): Path<String>,
) -> Result<Response, Amiss> {
    if !caller.may(Scope::Recordings) {
        return Ok(refused());
    }
    let said = desk.console.library.heard(number(&id)?, &caller.id).await;
    Ok(after(&desk, &caller, said))
}

pub async fn retire(
    State(desk): State<Handle>,
    Officer(caller, _): Officer,
    Path(id): Path<String>,
) -> Result<Response, Amiss> {
    if !caller.may(Scope::Recordings) {
        return Ok(refused());
    }
    let said = desk.console.library.retire(number(&id)?, &caller.id).await;
    Ok(after(&desk, &caller, said))
}

fn after(desk: &Desk, caller: &Caller, said: Result<Recording, Denied>) -> Response {
    match said {
        Ok(_) => Redirect::to("/console/recordings").into_response(),
        Err(denied) => {
            let page = shown(desk, caller, Some(&denied.to_string()));
            (status(&denied), page).into_response()
        }
    }
}
