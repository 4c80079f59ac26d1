//! The door through which far ends call: receipts, callbacks, long polls. A call goes to its channel as it came and the
//! channel's reply goes back as it is; the channel proves the far end. This module must not know any protocol.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest, Query, RawPathParams, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{RequestExt as _, extract};
use bytes::Bytes;
use channel::{Channel, Reply, Request};

use super::House;
use super::problem::{Problem, STOPPING, UNKNOWN_CHANNEL};
use super::submit::broken;

/// How long a call under way may still take when the gateway stops; the far end comes again.
const LAST_WORD: std::time::Duration = std::time::Duration::from_secs(2);

/// A call, as its channel will see it.
pub struct Call {
    name: String,
    channel: Arc<dyn Channel>,
    request: Request,
}

impl FromRequest<House> for Call {
    type Rejection = Problem;

    async fn from_request(mut call: extract::Request, house: &House) -> Result<Self, Problem> {
        let params = call
            .extract_parts_with_state::<RawPathParams, _>(house)
            .await;
        let param = |name| {
            let params = params.as_ref().ok()?;
            let found = params.iter().find(|(n, _)| *n == name)?;
            Some(found.1.to_owned())
        };
        let name = param("name").unwrap_or_default();
        let Some(channel) = house.gate.channels.get(&name).cloned() else {
            let name: String = name.chars().take(64).collect();
            let detail = format!(
                "no channel is configured as {name}; correct the address at the far end, or configure it"
            );
            return Err(Problem::new(&UNKNOWN_CHANNEL, detail));
        };
        let query =
            Query::<Vec<(String, String)>>::try_from_uri(call.uri()).map(|Query(pairs)| pairs);
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            Some((name.to_string(), value.to_str().ok()?.to_owned()))
        };
        let request = Request {
            method: call.method().to_string(),
            path: param("path").unwrap_or_default(),
            query: query.unwrap_or_default(),
            headers: call.headers().iter().filter_map(text).collect(),
            body: Bytes::from_request(call, house)
                .await
                .map_err(|error| broken(&error))?,
        };
        Ok(Self {
            name,
            channel,
            request,
        })
    }
}

/// A call to a channel
///
/// The path, the query, the headers and the body go to the channel as they came, and its reply goes back; the channel
/// proves the far end in its own way. `path` is everything behind the channel's name, slashes included.
#[utoipa::path(
    method(get, post, put, patch, delete), path = "/v1/channels/{name}/{*path}", tag = "far ends",
    params(
        ("name" = String, Path, description = "As configured", example = "horn"),
        ("path" = String, Path, description = "As the channel describes it; slashes included", example = "orders"),
    ),
    request_body(content = String, content_type = "*/*", description = "As the channel's far ends send it"),
    responses((status = "default", description = "As the channel replies. The gateway itself answers `unknown-channel` (404), `bad-body` (400), `too-large` (413) and `stopping` (503), as problems.")),
)]
pub async fn behind(State(house): State<House>, call: Call) -> Result<Response, Problem> {
    answer(&house, call).await
}

/// A call to a channel as a whole
///
/// As below it, with an empty path.
#[utoipa::path(
    method(get, post, put, patch, delete), path = "/v1/channels/{name}", tag = "far ends",
    params(("name" = String, Path, description = "As configured", example = "horn")),
    request_body(content = String, content_type = "*/*", description = "As the channel's far ends send it"),
    responses((status = "default", description = "As the channel replies. The gateway itself answers `unknown-channel` (404), `bad-body` (400), `too-large` (413) and `stopping` (503), as problems.")),
)]
pub async fn bare(State(house): State<House>, call: Call) -> Result<Response, Problem> {
    answer(&house, call).await
}

/// A call to a channel as a whole, with a slash
///
/// As below it, with an empty path.
#[utoipa::path(
    method(get, post, put, patch, delete), path = "/v1/channels/{name}/", tag = "far ends",
    params(("name" = String, Path, description = "As configured", example = "horn")),
    request_body(content = String, content_type = "*/*", description = "As the channel's far ends send it"),
    responses((status = "default", description = "As the channel replies. The gateway itself answers `unknown-channel` (404), `bad-body` (400), `too-large` (413) and `stopping` (503), as problems.")),
)]
pub async fn rooted(State(house): State<House>, call: Call) -> Result<Response, Problem> {
    answer(&house, call).await
}

async fn answer(house: &House, call: Call) -> Result<Response, Problem> {
    let Call {
        name,
        channel,
        request,
    } = call;
    let last_word = async {
        house.stop.cancelled().await;
        tokio::time::sleep(LAST_WORD).await;
    };
    tokio::select! {
        reply = channel.serve(request) => Ok(response(reply)),
        () = last_word => {
            Err(Problem::new(&STOPPING, format!("channel {name} was closed before it could answer; call again")))
        }
    }
}

pub(super) fn response(reply: Reply) -> Response {
    let Ok(status) = StatusCode::from_u16(reply.status) else {
        tracing::error!(
            status = reply.status,
            "a channel replied with what is no status"
        );
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut answer = Response::new(Body::from(reply.body));
    *answer.status_mut() = status;
    for (name, value) in reply.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            answer.headers_mut().append(name, value);
        }
    }
    answer
}
