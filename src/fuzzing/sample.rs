//! What several readers need: a small county in the form that `import` reads, and the world that a channel is handed. It
//! must not hold a name or a number of anybody.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use channel::testing::RecordingInlet;
use channel::{Context, HttpClient, Mute, OwnTokens, SystemClock};

use super::import::parts;
use crate::registry::csv::Files;
use crate::registry::{Prepared, Registry, prepare};

/// The seed of the same name is this text.
pub(super) const TABLES: &[u8] = include_bytes!("../../fuzz/seeds/import/county");

pub(super) fn registry(tables: &[u8]) -> Registry {
    prepared(tables).registry
}

pub(super) fn prepared(tables: &[u8]) -> Prepared {
    let parts = parts(tables);
    let files = parts.iter().map(|(name, bytes)| (name.as_str(), *bytes));
    let files = Files::of_parts(files).expect("the tables are known");
    match prepare(None, files) {
        Ok(prepared) => prepared,
        Err(problems) => panic!("{}", problems[0]),
    }
}

/// A client reads the certificates of the whole world: one is made for all.
static HTTP: LazyLock<HttpClient> = LazyLock::new(|| HttpClient::new(Duration::from_secs(5)));

pub(super) fn context(name: &str) -> (Context, Arc<RecordingInlet>) {
    let inlet = Arc::new(RecordingInlet::default());
    let clock = Arc::new(SystemClock::default());
    let context = Context {
        name: name.to_owned(),
        tokens: Arc::new(OwnTokens::new(clock.clone())),
        clock,
        http: HTTP.clone(),
        inlet: inlet.clone(),
        sounds: Arc::new(Mute),
    };
    (context, inlet)
}
