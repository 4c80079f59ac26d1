//! The HTTP surface: alerts in, figures and lists out, and the door through which far ends call their channel. It turns
//! requests into questions to the rooms below and their answers into JSON. This room must not decide, must not write to
//! the journal and must not show a phone number, a mailbox or a device address.

mod alerts;
mod body;
mod budget;
mod by_hand;
mod caller;
mod calls;
mod clock;
mod codes;
mod devices;
mod doors;
mod earthquakes;
mod events;
mod figures;
mod format;
mod health;
mod imports;
mod land;
mod limits;
mod live;
mod metrics;
mod openapi;
mod page;
mod preview;
mod problem;
mod quarantine;
mod ready;
mod recordings;
mod registry;
mod repairs;
mod replies;
mod socket;
mod stale;
mod submit;
mod suspects;
#[cfg(test)]
mod tests;
mod villages;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, FromRef, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Router, middleware};
use channel::{Channel, Clock, Stop};
use parking_lot::{Mutex, RwLock};
use tokio::net::TcpListener;
use tokio::sync::watch;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::coord::Steady;
use crate::dispatch::{ByHand, Orders, Relay, Replies, TestCalls};
use crate::ingest::Ingest;
use crate::ledger::{Archive, Correlator, Ledger, Position, Writer};
use crate::live::Hub;
use crate::media::Library;
use crate::registry::{Intake, Registry};
use crate::release::Decisions;
use crate::store::Store;
use crate::trust::{Bureaus, Feeds, Keepers};
use problem::Problem;
use socket::Bounds;

pub use limits::Limits;

/// Every handle that the surface needs.
pub struct Gate {
    pub ledger: Arc<Ledger>,
    /// Reads sealed alerts back.
    pub archive: Arc<Archive>,
    pub store: Arc<dyn Store>,
    pub registry: Arc<RwLock<Arc<Registry>>>,
    pub bureaus: Arc<Bureaus>,
    /// How much each bureau may ask.
    pub limits: Limits,
    pub ingest: Arc<Ingest>,
    /// Takes a person's word on what waits for one.
    pub decisions: Arc<Decisions>,
    pub intake: Arc<Intake>,
    /// Notes what a person says to the house itself.
    pub writer: Writer,
    /// By configured name.
    pub channels: BTreeMap<String, Arc<dyn Channel>>,
    /// Holds the receipts that match nothing.
    pub correlator: Arc<Mutex<Correlator>>,
    pub position: watch::Receiver<Position>,
    /// Who watches alerts as they run; the pages share it.
    pub hub: Arc<Hub>,
    pub clock: Arc<dyn Clock>,
    /// Orders of devices without a text.
    pub orders: Arc<Orders>,
    /// Whose early warnings of earthquakes are relayed, and what relays them.
    pub feeds: Feeds,
    pub relay: Arc<Relay>,
    /// Outlets that a person serves by hand.
    pub by_hand: Arc<ByHand>,
    /// Tests of satellite terminals.
    pub test_calls: Arc<TestCalls>,
    /// Opens what people wrote back.
    pub replies: Arc<Replies>,
    /// Which time is believed; `clock` tells it.
    pub time: Arc<Steady>,
    /// What people record for loudspeakers.
    pub library: Arc<Library>,
    /// Makes the links of loudspeakers' keepers, where the configuration has a secret for them.
    pub keepers: Option<Arc<Keepers>>,
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

#[derive(Clone)]
struct House {
    gate: Arc<Gate>,
    stop: Stop,
    patience: Duration,
    bounds: Bounds,
}

impl FromRef<House> for Arc<Gate> {
    fn from_ref(house: &House) -> Self {
        house.gate.clone()
    }
}

/// Serves the API, and the pages beside it, until `stop`, then lets what is under way end, for a bounded time.
pub async fn run(listener: TcpListener, gate: Arc<Gate>, pages: Router, stop: Stop) {
    let house = House {
        gate,
        stop: stop.clone(),
        patience: PATIENCE,
        bounds: Bounds::default(),
    };
    serve(listener, house, pages).await;
}

async fn serve(listener: TcpListener, house: House, pages: Router) {
    let (stop, bounds) = (house.stop.clone(), house.bounds);
    socket::serve(listener, router(house).merge(pages), stop, bounds).await;
}

/// The API's document: OpenAPI 3.1, as JSON.
pub fn document() -> String {
    String::from_utf8_lossy(&openapi::DOCUMENT).into_owned()
}

/// What is answered within the house's patience.
fn quick() -> OpenApiRouter<House> {
    OpenApiRouter::new()
        .routes(routes!(alerts::list, submit::submit))
        .routes(routes!(alerts::one))
        .routes(routes!(alerts::document))
        .routes(routes!(figures::coverage))
        .routes(routes!(figures::channels))
        .routes(routes!(figures::curve))
        .routes(routes!(figures::speakers))
        .routes(routes!(stale::stale))
        .routes(routes!(villages::villages))
        .routes(routes!(doors::households))
        .routes(routes!(doors::deliveries))
        .routes(routes!(events::events))
        .routes(routes!(replies::of_alert))
        .routes(routes!(replies::strays))
        .routes(routes!(quarantine::list))
        .routes(routes!(quarantine::one))
        .routes(routes!(quarantine::decide))
        .routes(routes!(health::channels))
        .routes(routes!(registry::standing))
        .routes(routes!(suspects::list))
        .routes(routes!(suspects::clear))
        .routes(routes!(codes::make))
        .routes(routes!(imports::imports))
        .routes(routes!(land::regions))
        .routes(routes!(events::course))
        .merge(devices::routes())
        .merge(by_hand::routes())
        .merge(repairs::routes())
        .merge(recordings::routes())
        .merge(earthquakes::routes())
        .routes(routes!(budget::budgets))
        .routes(routes!(clock::standing, clock::believe))
        .routes(routes!(health::alive))
        .routes(routes!(ready::ready))
        .routes(routes!(metrics::metrics))
        .routes(routes!(problem::explain))
        .routes(routes!(openapi::served))
}

/// What takes its time.
fn long() -> OpenApiRouter<House> {
    // A county is read in a second or two, a province is not.
    let import = OpenApiRouter::new()
        .routes(routes!(registry::import))
        .layer(DefaultBodyLimit::max(IMPORT));
    OpenApiRouter::new()
        .merge(import)
        // A line stays open as long as somebody listens.
        .routes(routes!(live::events))
        .routes(routes!(live::all))
        // Far ends may wait on purpose (long polls), and their channel proves them.
        .routes(routes!(calls::bare))
        .routes(routes!(calls::rooted))
        .routes(routes!(calls::behind))
}

/// Every route with its description. There is no other way to add one: `routes!` takes described handlers alone.
fn described() -> OpenApiRouter<House> {
    quick().merge(long())
}

fn router(house: House) -> Router {
    let bounded = from_fn_with_state(house.clone(), bounded);
    let (api, _) = quick().route_layer(bounded).merge(long()).split_for_parts();
    api.fallback(problem::unknown_path)
        .method_not_allowed_fallback(problem::wrong_method)
        .layer(DefaultBodyLimit::max(BODY))
        .layer(from_fn_with_state(house.clone(), body::paced))
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
