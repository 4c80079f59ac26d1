//! The one HTTP client of the house, and the shape of calls that far ends make to us. The gateway's server holds the
//! socket and turns each call into a `Request`; a channel verifies it and gives a `Reply`. This module must not know
//! any API.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

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

/// No far end has more to say: the longest that is known lists a thousand numbers.
const LONGEST: usize = 1024 * 1024;
/// A gateway lists a county: the codes of its devices, the problems of its import, the households of a warning.
const COUNTY: usize = 64 * LONGEST;

/// Pooled, rustls only, no redirects, bounded in time and size.
#[derive(Clone)]
pub struct HttpClient {
    client: reqwest::Client,
    longest: usize,
}

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
        Self {
            client,
            longest: LONGEST,
        }
    }

    /// For whoever asks a gateway of this house, whose answers may list a county.
    ///
    /// # Panics
    /// As [`HttpClient::new`].
    pub fn of_the_house(timeout: Duration) -> Self {
        Self {
            longest: COUNTY,
            ..Self::new(timeout)
        }
    }

    pub async fn call(&self, url: &str, request: Request) -> Result<Reply, HttpError> {
        let method = reqwest::Method::from_bytes(request.method.as_bytes())
            .map_err(|_| HttpError::Connect(format!("{} is no method", request.method)))?;
        let mut call = self
            .client
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
        let body = bounded(answer, self.longest).await?;
        Ok(Reply {
            status,
            headers,
            body,
        })
    }
}

/// An answer without an end must not fill the memory of everybody's gateway.
async fn bounded(mut answer: reqwest::Response, longest: usize) -> Result<Bytes, HttpError> {
    let lost = |e: reqwest::Error| HttpError::Lost(e.without_url().to_string());
    let mut body = BytesMut::new();
    while let Some(more) = answer.chunk().await.map_err(lost)? {
        if body.len() + more.len() > longest {
            let why = format!("it is longer than {longest} bytes");
            return Err(HttpError::Lost(why));
        }
        body.extend_from_slice(&more);
    }
    Ok(body.freeze())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// What the client makes of a far end that sends so many bytes and then nothing more.
    async fn answered(bytes: usize) -> Result<Reply, HttpError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let far = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.expect("a call");
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                asked.push(socket.read_u8().await.expect("a request"));
            }
            let head = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
            let _ = socket.write_all(head).await;
            // Whoever has heard enough hangs up in the middle.
            let _ = socket.write_all(&vec![b'x'; bytes]).await;
        });
        let request = Request {
            method: "GET".into(),
            ..Request::default()
        };
        let client = HttpClient::new(Duration::from_secs(20));
        let answer = client.call(&url, request).await;
        far.await.expect("the far end ends");
        answer
    }

    #[tokio::test]
    async fn an_answer_is_read_up_to_its_bound_and_no_further() {
        let whole = answered(LONGEST).await.expect("an answer");
        assert_eq!(whole.body.len(), LONGEST);
        let endless = answered(LONGEST + 1).await;
        assert!(matches!(endless, Err(HttpError::Lost(why)) if why.contains("longer")));
    }
}
