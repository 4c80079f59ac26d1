//! The one HTTP client of the house, and the shape of calls that far ends make to us. The gateway's server holds the
//! socket and turns each call into a `Request`; a channel verifies it and gives a `Reply`. This module must not know
//! any API.

use std::time::Duration;

use bytes::Bytes;

/// A call from the far end. `path` is what stands behind the channel's own prefix, without a leading slash.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }

    pub fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }
}

#[derive(Clone, Debug, Default)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    pub fn json(status: u16, body: &impl serde::Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => Self {
                status,
                headers: vec![("content-type".into(), "application/json".into())],
                body: body.into(),
            },
            Err(_) => Self::status(500),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Nothing was sent: refused, no such host.
    #[error("no connection to the far end: {0}")]
    Connect(String),
    /// It may have been sent; the answer is lost.
    #[error("the answer is lost: {0}")]
    Lost(String),
}

/// Pooled, rustls only, no redirects, bounded in time.
#[derive(Clone)]
pub struct HttpClient(reqwest::Client);

impl HttpClient {
    /// # Panics
    /// When the TLS provider cannot be set up, which only a broken build does.
    pub fn new(timeout: Duration) -> Self {
        // Another part of the process may have installed it already; either is ring.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .timeout(timeout)
            .connect_timeout(timeout.min(Duration::from_secs(10)))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .expect("the TLS provider is set up");
        Self(client)
    }

    pub async fn call(&self, url: &str, request: Request) -> Result<Reply, HttpError> {
        let method = reqwest::Method::from_bytes(request.method.as_bytes())
            .map_err(|_| HttpError::Connect(format!("{} is no method", request.method)))?;
        let mut call = self
            .0
            .request(method, url)
            .query(&request.query)
            .body(request.body);
        for (name, value) in &request.headers {
            call = call.header(name, value);
        }
        let answer = call.send().await.map_err(|e| {
            let text = e.without_url();
            if text.is_connect() || text.is_builder() {
                HttpError::Connect(text.to_string())
            } else {
                HttpError::Lost(text.to_string())
            }
        })?;
        let status = answer.status().as_u16();
        let headers = answer
            .headers()
            .iter()
            .filter_map(|(n, v)| Some((n.as_str().to_owned(), v.to_str().ok()?.to_owned())))
            .collect();
        let body = answer
            .bytes()
            .await
            .map_err(|e| HttpError::Lost(e.without_url().to_string()))?;
        Ok(Reply {
            status,
            headers,
            body,
        })
    }
}
