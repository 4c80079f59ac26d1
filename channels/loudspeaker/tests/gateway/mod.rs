//! A listener that hands each call to one channel, as the gateway's server does.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, Method, Response};
use channel::{Channel, Request};

pub struct Gateway {
    pub base: String,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub async fn listen(channel: Arc<dyn Channel>) -> Gateway {
    let handler = move |method: Method,
                        Path(path): Path<String>,
                        Query(query): Query<HashMap<String, String>>,
                        headers: HeaderMap,
                        body: Bytes| {
        let channel = channel.clone();
        async move {
            let text =
                |value: &axum::http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
            let request = Request {
                method: method.to_string(),
                path,
                query: query.into_iter().collect(),
                headers: headers
                    .iter()
                    .map(|(name, value)| (name.to_string(), text(value)))
                    .collect(),
                body,
            };
            let reply = channel.serve(request).await;
            let mut response = Response::builder().status(reply.status);
            for (name, value) in reply.headers {
                response = response.header(name, value);
            }
            response
                .body(Body::from(reply.body))
                .expect("a reply is a response")
        }
    };
    // What is too long is for the channel to refuse.
    let app = axum::Router::new()
        .route("/v1/channels/speakers/{*path}", axum::routing::any(handler))
        .layer(axum::extract::DefaultBodyLimit::max(5 * 1024 * 1024));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let task = tokio::spawn(async move {
        axum::serve(listener, app)
            .await
            .expect("it serves until it is aborted");
    });
    Gateway {
        base: format!("http://127.0.0.1:{port}/v1/channels/speakers"),
        task,
    }
}
