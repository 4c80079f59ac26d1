//! The HTTP surface: alerts in, figures and lists out, and the door through which far ends call their channel. It turns
//! requests into questions to the rooms below and their answers into JSON. This room must not decide, must not write to
//! the journal and must not show a phone number, a mailbox or a device address.

mod alerts;
mod caller;
mod calls;
mod doors;
mod events;
mod figures;
mod format;
mod health;
mod live;
mod metrics;
mod preview;
mod problem;
mod ready;
mod registry;
mod submit;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, FromRef, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::serve::ListenerExt;
use axum::{Router, middleware};
use channel::{Channel, Clock, Stop};
use parking_lot::{Mutex, RwLock};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::ingest::Ingest;
use crate::ledger::{Archive, Correlator, Ledger, Position};
use crate::live::Hub;
use crate::registry::{Intake, Registry};
use crate::store::Store;
use crate::trust::Bureaus;
use problem::Problem;

/// Every handle that the surface needs.
pub struct Gate {
    pub ledger: Arc<Ledger>,
    /// Reads sealed alerts back.
    pub archive: Arc<Archive>,
    pub store: Arc<dyn Store>,
    pub registry: Arc<RwLock<Arc<Registry>>>,
    pub bureaus: Arc<Bureaus>,
    pub ingest: Arc<Ingest>,
    pub intake: Arc<Intake>,
    /// By configured name.
    pub channels: BTreeMap<String, Arc<dyn Channel>>,
    /// Holds the receipts that match nothing.
    pub correlator: Arc<Mutex<Correlator>>,
    pub position: watch::Receiver<Position>,
    /// Who watches alerts as they run; the pages share it.
    pub hub: Arc<Hub>,
    pub clock: Arc<dyn Clock>,
}

impl Gate {
    fn registry(&self) -> Arc<Registry> {
        self.registry.read().clone()
    }
}

/// The largest body that is read.
const BODY: usize = 5 * 1024 * 1024;
/// The largest import.
const IMPORT: usize = 1024 * 1024 * 1024;
/// How long an answer may take where nobody waits on purpose.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long open connections may go on after `stop`.
const GRACE: Duration = Duration::from_secs(10);

#[derive(Clone)]
struct House {
    gate: Arc<Gate>,
    stop: Stop,
    patience: Duration,
}

impl FromRef<House> for Arc<Gate> {
    fn from_ref(house: &House) -> Self {
        house.gate.clone()
    }
}

/// Serves the API, and the pages beside it, until `stop`, then lets what is under way end, for a bounded time.
pub async fn run(
    listener: TcpListener,
    gate: Arc<Gate>,
    pages: Router,
    stop: Stop,
) -> io::Result<()> {
    let house = House {
        gate,
        stop: stop.clone(),
        patience: PATIENCE,
    };
    serve(listener, house, pages, GRACE).await
}

async fn serve(
    listener: TcpListener,
    house: House,
    pages: Router,
    grace: Duration,
) -> io::Result<()> {
    let stop = house.stop.clone();
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection answers in larger packets");
        }
    });
    let serving = axum::serve(listener, router(house).merge(pages))
        .with_graceful_shutdown(stop.clone().cancelled_owned())
        .into_future();
    let bound = async {
        stop.cancelled().await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        ended = serving => ended,
        () = bound => {
            tracing::warn!("some connections were still open when the time to stop was over");
            Ok(())
        }
    }
}

fn router(house: House) -> Router {
    // Far ends may wait on purpose (long polls), and their channel proves them.
    let calls = Router::new()
        .route("/v1/channels/{name}", any(calls::call))
        .route("/v1/channels/{name}/", any(calls::call))
        .route("/v1/channels/{name}/{*path}", any(calls::call));
    // A county is read in a second or two, a province is not.
    let import = post(registry::import).layer(DefaultBodyLimit::max(IMPORT));
    let long = Router::new()
        .route("/v1/registry/import", import)
        // A line stays open as long as somebody listens.
        .route("/v1/alerts/{id}/live", get(live::events));
    let api = Router::new()
        .route("/v1/alerts", get(alerts::list).post(submit::submit))
        .route("/v1/alerts/{id}", get(alerts::one))
        .route("/v1/alerts/{id}/document", get(alerts::document))
        .route("/v1/alerts/{id}/coverage", get(figures::coverage))
        .route("/v1/alerts/{id}/channels", get(figures::channels))
        .route("/v1/alerts/{id}/speakers", get(figures::speakers))
        .route("/v1/alerts/{id}/households", get(doors::households))
        .route(
            "/v1/alerts/{id}/households/{household}/deliveries",
            get(doors::deliveries),
        )
        .route(
            "/v1/alerts/{id}/deliveries/{number}/events",
            get(events::events),
        )
        .route("/v1/channels", get(health::channels))
        .route("/v1/registry", get(registry::standing))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(ready::ready))
        .route("/metrics", get(metrics::metrics))
        .route("/problems/{slug}", get(problem::explain))
        .route_layer(from_fn_with_state(house.clone(), bounded));
    api.merge(calls)
        .merge(long)
        .fallback(problem::unknown_path)
        .method_not_allowed_fallback(problem::wrong_method)
        .layer(DefaultBodyLimit::max(BODY))
        .layer(middleware::from_fn_with_state(house.clone(), marked))
        .with_state(house)
}

/// No answer takes longer than the house's patience.
async fn bounded(State(house): State<House>, request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(house.patience, next.run(request)).await;
    answer.unwrap_or_else(|_| Problem::timed_out(house.patience).into_response())
}

/// Every answer says how far the journal was when it was begun, and may not be kept by anybody between.
async fn marked(State(house): State<House>, request: Request, next: Next) -> Response {
    let position = *house.gate.position.borrow();
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    headers
        .entry("tocsin-position")
        .or_insert(HeaderValue::from(position));
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    answer
}
