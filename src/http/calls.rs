//! The door through which far ends call: receipts, callbacks, long polls. A call goes to its channel as it came and the
//! channel's reply goes back as it is; the channel proves the far end. This module must not know any protocol.

use axum::body::Body;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Query, RawPathParams, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use channel::{Reply, Request};

use super::House;
use super::problem::{Problem, STOPPING, UNKNOWN_CHANNEL};
use super::submit::broken;

/// How long a call under way may still take when the gateway stops; the far end comes again.
const LAST_WORD: std::time::Duration = std::time::Duration::from_secs(2);

pub async fn call(
    State(house): State<House>,
    params: RawPathParams,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let param = |name| {
        params
            .iter()
            .find(|(n, _)| *n == name)
            .map_or("", |(_, value)| value)
    };
    let name = param("name");
    let Some(channel) = house.gate.channels.get(name) else {
        let name: String = name.chars().take(64).collect();
        let detail = format!(
            "no channel is configured as {name}; correct the address at the far end, or configure it"
        );
        return Err(Problem::new(&UNKNOWN_CHANNEL, detail));
    };
    let query = Query::<Vec<(String, String)>>::try_from_uri(&uri).map(|Query(pairs)| pairs);
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        Some((name.to_string(), value.to_str().ok()?.to_owned()))
    };
    let request = Request {
        method: method.to_string(),
        path: param("path").to_owned(),
        query: query.unwrap_or_default(),
        headers: headers.iter().filter_map(text).collect(),
        body: body.map_err(|error| broken(&error))?,
    };
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

fn response(reply: Reply) -> Response {
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
