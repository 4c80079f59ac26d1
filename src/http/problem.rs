//! What a caller is told when something cannot be done: RFC 9457 problems with a stable type, a title in English and in
//! Chinese, and a detail that says what was attempted, with which id, and what to do. This module must not repeat what a
//! caller sent beyond ids and codes.

use std::time::Duration;

use axum::Json;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::openapi::OfProblem;
use crate::model::{RegionCode, StreamId};
use crate::store::StoreError;

#[derive(PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Kind {
    pub slug: &'static str,
    pub status: u16,
    pub title: &'static str,
    title_zh: &'static str,
}

macro_rules! kinds {
    ($($name:ident = $slug:literal, $status:literal, $en:literal, $zh:literal;)+) => {
        $(pub const $name: Kind = Kind { slug: $slug, status: $status, title: $en, title_zh: $zh };)+
        pub const KINDS: &[Kind] = &[$($name),+];
    };
}

kinds! {
    BAD_PARAMETER = "bad-parameter", 400, "A parameter cannot be read", "参数无法识别";
    BAD_BODY = "bad-body", 400, "The body did not arrive whole", "正文未完整到达";
    UNPROVEN = "unproven", 401, "The caller is not proven", "未通过身份验证";
    NO_SCOPE = "no-scope", 403, "The token does not carry this scope", "令牌无此权限";
    NOT_ALLOWED = "not-allowed", 403, "The bureau may not do this", "该单位无权执行此操作";
    OUTSIDE_REGIONS = "outside-regions", 403, "Outside the bureau's regions", "超出责任区域";
    UNKNOWN_ALERT = "unknown-alert", 404, "No such alert", "无此预警";
    UNKNOWN_REGION = "unknown-region", 404, "No such region here", "此处无此区域";
    UNKNOWN_HOUSEHOLD = "unknown-household", 404, "The alert has no such household", "该预警无此住户";
    UNKNOWN_DELIVERY = "unknown-delivery", 404, "The alert has no such delivery", "该预警无此投递";
    UNKNOWN_CHANNEL = "unknown-channel", 404, "No such channel", "无此通道";
    UNKNOWN_DEVICE = "unknown-device", 404, "No such device", "无此终端";
    UNKNOWN_ORDER = "unknown-order", 404, "No such order", "无此指令";
    UNKNOWN_REPAIR = "unknown-repair", 404, "No such repair", "无此报修";
    UNKNOWN_RECORDING = "unknown-recording", 404, "No such recording", "无此录音";
    UNKNOWN_QUAKE = "unknown-earthquake", 404, "No such earthquake", "无此地震";
    UNKNOWN_PROBLEM = "unknown-problem", 404, "No such problem type", "无此问题类型";
    UNKNOWN_PATH = "unknown-path", 404, "Nothing is served here", "无此地址";
    WRONG_METHOD = "wrong-method", 405, "This address does not take this method", "不支持此请求方法";
    CONFLICT = "conflict", 409, "Another content stands under this identity", "同一标识已有不同内容";
    FILED = "filed", 409, "The alert is filed and takes nothing more", "该预警已归档，不再收录";
    DECIDED = "decided", 409, "There is nothing to decide, or no more", "无须或不能再作决定";
    CLOSED = "closed", 409, "The repair was closed before", "报修已关闭";
    TOO_SLOW = "too-slow", 408, "The body came too slowly", "正文到达过慢";
    TOO_LARGE = "too-large", 413, "The body is too large", "正文过大";
    UNREADABLE = "unreadable", 422, "The alert cannot be accepted", "预警消息不可受理";
    UNFIT_TABLES = "unfit-tables", 422, "The tables of an import do not hold", "导入表格有误";
    BAD_ORDER = "bad-order", 422, "Devices cannot be ordered this", "指令内容有误";
    BAD_ENTRY = "bad-entry", 422, "The entry cannot be taken", "填报内容有误";
    BAD_RECORDING = "bad-recording", 422, "The recording cannot be taken", "录音不可受理";
    BAD_REPORT = "bad-report", 422, "The report is not relayed", "地震报文不可转发";
    NOWHERE = "nowhere", 422, "The alert reaches nobody", "预警未命中任何对象";
    NOT_FILED = "not-filed", 422, "Its text messages are not filed so", "短信签名或内容未报备";
    TOO_MANY = "too-many-requests", 429, "The bureau asks too often", "请求过于频繁";
    FAR_END = "far-end", 502, "The far end did not do it", "对方平台未能办理";
    DAMAGED = "damaged", 500, "The journal is damaged here", "日志此处损坏";
    STORE_AWAY = "store-away", 503, "The journal is not to be had now", "日志暂不可用";
    STOPPING = "stopping", 503, "The gateway is stopping", "网关正在停止";
    TIMED_OUT = "timed-out", 503, "The answer took too long", "应答超时";
}

/// After how many seconds the store or a gateway that stops may be there again.
const WAIT: u64 = 5;

#[derive(Debug)]
pub struct Problem {
    kind: &'static Kind,
    detail: String,
    more: Map<String, Value>,
    /// In how many seconds it is worth asking again, where it is.
    wait: u64,
}

impl Problem {
    pub fn new(kind: &'static Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            more: Map::new(),
            wait: WAIT,
        }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).unwrap_or(Value::Null);
        self.more.insert(name.to_owned(), value);
        self
    }

    pub fn unknown_alert(id: &str) -> Self {
        let id: String = id.chars().take(32).collect();
        let detail = format!(
            "alert {id} is not known, or lies outside your regions; ask GET /v1/alerts for those that are yours"
        );
        Self::new(&UNKNOWN_ALERT, detail)
    }

    pub fn outside(what: &str, codes: &[RegionCode]) -> Self {
        let named: Vec<_> = codes.iter().take(10).map(ToString::to_string).collect();
        let more = if codes.len() > 10 { " and more" } else { "" };
        let detail = format!(
            "{what} {}{more}, which is not inside what your bureau is responsible for; leave it out or have the bureau's regions changed",
            named.join(", ")
        );
        Self::new(&OUTSIDE_REGIONS, detail).with("codes", codes)
    }

    pub fn timed_out(patience: Duration) -> Self {
        let detail = format!(
            "no answer within {} s; ask again: an alert that was already taken is answered as it was the first time",
            patience.as_secs_f32()
        );
        Self::new(&TIMED_OUT, detail)
    }

    pub fn too_many(bureau: &str, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let detail = format!(
            "bureau {bureau} asks faster than node.api_rate allows; nothing was changed, ask again in {seconds} s"
        );
        let problem = Self::new(&TOO_MANY, detail);
        Self {
            wait: seconds.max(1),
            ..problem
        }
    }

    pub fn damaged(stream: StreamId, why: &str) -> Self {
        Self::new(&DAMAGED, format!("alert {stream}: {why}"))
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let kind = match &error {
            StoreError::Away(..) | StoreError::Held { .. } | StoreError::Fenced(_) => &STORE_AWAY,
            StoreError::Conflict(..) | StoreError::Broken(..) | StoreError::Locked(..) => &DAMAGED,
        };
        tracing::warn!(%error, "a request could not be answered from the store");
        Self::new(kind, error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = self.more;
        body.insert(
            "type".into(),
            format!("/problems/{}", self.kind.slug).into(),
        );
        body.insert("status".into(), self.kind.status.into());
        body.insert("title".into(), self.kind.title.into());
        body.insert("title_zh".into(), self.kind.title_zh.into());
        body.insert("detail".into(), self.detail.into());
        let status =
            StatusCode::from_u16(self.kind.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut answer = (status, Json(body)).into_response();
        let headers = answer.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        match self.kind.status {
            401 => {
                let how = HeaderValue::from_static("Bearer realm=\"tocsin\"");
                headers.insert(header::WWW_AUTHENTICATE, how);
            }
            429 | 503 => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(self.wait));
            }
            // The rest of what is sent is not waited for.
            408 => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        answer
    }
}

/// What a problem type means
#[utoipa::path(
    get, path = "/problems/{slug}", tag = "gateway",
    params(("slug" = String, Path, description = "The last part of a problem's `type`", example = "conflict")),
    responses((status = 200, description = "The type", body = Object), OfProblem),
)]
pub async fn explain(slug: Result<Path<String>, PathRejection>) -> Result<Json<Value>, Problem> {
    let slug = slug.map(|Path(slug)| slug).unwrap_or_default();
    let Some(kind) = KINDS.iter().find(|kind| kind.slug == slug) else {
        let types: Vec<_> = KINDS.iter().map(|kind| kind.slug).collect();
        let problem = Problem::new(
            &UNKNOWN_PROBLEM,
            "this is no problem type; `types` has them all",
        );
        return Err(problem.with("types", types));
    };
    Ok(Json(json!({
        "type": format!("/problems/{}", kind.slug),
        "status": kind.status,
        "title": kind.title,
        "title_zh": kind.title_zh,
    })))
}

pub async fn unknown_path(uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(100).collect();
    Problem::new(
        &UNKNOWN_PATH,
        format!("nothing is served at {path}; docs/api.md lists every address"),
    )
}

pub async fn wrong_method(method: Method, uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(100).collect();
    Problem::new(
        &WRONG_METHOD,
        format!("{path} does not take {method}; the Allow header says what it takes"),
    )
}
