//! The officers' pages, server-rendered: the situation on a map (预警态势), the tracking of one alert from the county to
//! a single attempt (发布跟踪), the loudspeakers with their repairs (大喇叭), and the recording library (录音库). Chinese with
//! English labels, plain CSS, live over SSE, behind a token; nothing is entered here but 代报, a repair and a recording. One
//! page is not an officer's: a keeper's, behind a signed link of its own (`keeper`). Warning
//! colours mean a warning's level and nothing else. This room must not decide, must not compute a figure and must not show
//! a phone number or a mailbox, but a keeper's to who asks for it and is noted.

mod bar;
mod by_hand;
mod csv;
mod curve;
mod doors;
mod horns;
mod keeper;
mod layout;
mod live;
mod map;
mod overview;
mod platforms;
mod purse;
mod quakes;
mod recordings;
mod satellites;
mod session;
mod silence;
mod title;
mod tracking;
mod view;
mod words;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};
use channel::{Channel, Clock, Stop};
use parking_lot::RwLock;

use crate::dispatch;
use crate::dispatch::{ByHand, Relay};
use crate::ledger::{Archive, Ledger};
use crate::live::Hub;
use crate::media::{LARGEST, Library};
use crate::registry::Registry;
use crate::store::Store;
use crate::trust::{Bureaus, Entry, Keepers};
use session::Sessions;
use title::Titles;

pub use map::{BadOutline, Outline};

/// Every handle that the pages need.
pub struct Console {
    pub ledger: Arc<Ledger>,
    pub archive: Arc<Archive>,
    pub store: Arc<dyn Store>,
    pub registry: Arc<RwLock<Arc<Registry>>>,
    pub bureaus: Arc<Bureaus>,
    pub entry: Entry,
    /// Makes and proves the links of loudspeakers' keepers, where the configuration has a secret for them.
    pub keepers: Option<Arc<Keepers>>,
    pub clock: Arc<dyn Clock>,
    /// By configured name.
    pub channels: BTreeMap<String, Arc<dyn Channel>>,
    /// Takes repairs in.
    pub house: Arc<dispatch::Desk>,
    pub hub: Arc<Hub>,
    pub by_hand: Arc<ByHand>,
    /// Whose early warnings of earthquakes are relayed.
    pub relay: Arc<Relay>,
    /// What people record for loudspeakers.
    pub library: Arc<Library>,
    /// The land that the map shows; without it the map is drawn around the villages.
    pub outline: Outline,
}

/// What every page is handed.
struct Desk {
    console: Console,
    sessions: Sessions,
    titles: Titles,
    /// Ends what would stay open by itself.
    stop: Stop,
}

type Handle = Arc<Desk>;

/// The pages under `/console`, until `stop`.
pub fn router(console: Console, stop: Stop) -> Router {
    let desk = Arc::new(Desk {
        console,
        sessions: Sessions::default(),
        titles: Titles::default(),
        stop,
    });
    Router::new()
        .route("/", get(layout::home))
        .route("/console", get(overview::page))
        .route("/console/list", get(overview::list))
        .route("/console/platforms", get(platforms::fragment))
        .route("/console/satellites", get(satellites::page))
        .route(
            "/console/sign-in",
            get(session::form).post(session::sign_in),
        )
        .route("/console/sign-out", post(session::sign_out))
        .route("/console/alerts/{id}", get(tracking::page))
        .route("/console/alerts/{id}/live", get(live::events))
        .route("/console/alerts/{id}/curve", get(curve::fragment))
        .route("/console/alerts/{id}/curve.csv", get(csv::curve))
        .route("/console/alerts/{id}/coverage.csv", get(csv::coverage))
        .route("/console/alerts/{id}/stale.csv", get(csv::stale))
        .route("/console/alerts/{id}/villages", get(silence::fragment))
        .route("/console/alerts/{id}/villages.csv", get(csv::villages))
        .route("/console/alerts/{id}/households.csv", get(csv::households))
        .route("/console/alerts/{id}/households", get(doors::list))
        .route(
            "/console/alerts/{id}/households/{household}",
            get(doors::door),
        )
        .route("/console/alerts/{id}/by-hand", get(by_hand::page))
        .route(
            "/console/alerts/{id}/by-hand/{delivery}",
            post(by_hand::enter),
        )
        .route(
            "/console/alerts/{id}/by-hand/{delivery}/attachments/{no}",
            get(by_hand::attachment),
        )
        .merge(loudspeakers())
        .merge(keepers())
        .route(
            "/console/recordings",
            get(recordings::page).post(recordings::add),
        )
        .route("/console/recordings/{id}/sound", get(recordings::sound))
        .route("/console/recordings/{id}/heard", post(recordings::heard))
        .route("/console/recordings/{id}/retire", post(recordings::retire))
        .route("/console/console.css", get(layout::css))
        .route("/console/console.js", get(layout::js))
        // A little more than a sound may have, so that it is refused in words.
        .layer(DefaultBodyLimit::max(LARGEST + 64 * 1024))
        .layer(from_fn(guarded))
        .with_state(desk)
}

/// Loudspeakers and what they warn of in seconds.
fn loudspeakers() -> Router<Handle> {
    Router::new()
        .route("/console/horns", get(horns::page))
        .route("/console/horns.csv", get(horns::csv))
        .route("/console/horns/{device}", get(horns::one))
        .route("/console/horns/{device}/keeper", post(horns::keeper))
        .route("/console/horns/{device}/repairs", post(horns::enter))
        .route("/console/repairs/{number}/close", post(horns::close))
        .route("/console/earthquakes", get(quakes::page))
        .route("/console/earthquakes/{feed}/{event}", get(quakes::one))
}

/// The keepers' page, which nobody signs in to.
fn keepers() -> Router<Handle> {
    Router::new()
        .route("/k/keeper.css", get(keeper::css))
        .route("/k/{code}", get(keeper::page).post(keeper::say))
        // One word.
        .layer(DefaultBodyLimit::max(1024))
}

/// The outline from a `GeoJSON` file, as `node.map` names it.
pub fn outline(file: Option<&Path>) -> Result<Outline, BadOutline> {
    file.map_or_else(|| Ok(Outline::default()), Outline::read)
}

/// Nothing but our own style and script runs in a page, no other site frames it, and no cache between keeps it.
async fn guarded(request: axum::extract::Request, next: Next) -> Response {
    const HEADERS: [(header::HeaderName, &str); 5] = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; media-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let mut answer = next.run(request).await;
    for (name, value) in HEADERS {
        let headers = answer.headers_mut();
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    answer
}
