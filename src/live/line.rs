//! A live line, as the text of server-sent events: the hub's frames for an alert that runs, one last word for an alert that
//! is over, and now and then a sign of life, so that nothing between takes the line for dead. This module must not
//! know a web framework.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use channel::Stop;
use futures::StreamExt as _;
use futures::stream::{BoxStream, once, unfold};
use serde::Serialize;

use super::tape::{Frame, Watcher};
use super::{Figures, Hub};
use crate::ledger::{Alert, Known};
use crate::model::RegionCode;
use crate::trust::Caller;

/// What every line is answered with. A proxy that gathers bytes would hold the frames back.
pub const HEADERS: [(&str, &str); 3] = [
    ("content-type", "text/event-stream"),
    ("cache-control", "no-store"),
    ("x-accel-buffering", "no"),
];

/// How often something is said at the least.
const ALIVE: Duration = Duration::from_secs(15);
/// A comment: it is heard and means nothing.
const SIGN: Bytes = Bytes::from_static(b":\n\n");

pub type Line = BoxStream<'static, Result<Bytes, Infallible>>;

impl Hub {
    /// The line of these regions of an alert until `stop`. What is over does not change: it is told once, and there is
    /// no line for who has heard it.
    pub async fn line(
        self: &Arc<Self>,
        (known, alert): (&Known, &Arc<Alert>),
        scope: Vec<RegionCode>,
        last: Option<&str>,
        stop: &Stop,
    ) -> Option<Line> {
        let last = last.and_then(|last| last.parse().ok());
        if known.is_sealed() {
            let told = last.is_some();
            return (!told).then(|| self.last_word(alert, scope));
        }
        let watcher = self.watch(alert.stream, scope, last).await;
        Some(words(watcher, stop))
    }

    /// The line of all alerts that this bureau may know of, until `stop`.
    pub async fn line_of_all(
        self: &Arc<Self>,
        caller: &Caller,
        last: Option<&str>,
        stop: &Stop,
    ) -> Line {
        let last = last.and_then(|last| last.parse().ok());
        words(self.watch_all(caller, last).await, stop)
    }

    fn last_word(self: &Arc<Self>, alert: &Arc<Alert>, scope: Vec<RegionCode>) -> Line {
        let (hub, alert) = (self.clone(), alert.clone());
        let number = *hub.position.borrow() << 16;
        let figures = tokio::task::spawn_blocking(move || -> Figures { hub.count(&alert, &scope) });
        let word = async move {
            let figures = figures.await.ok();
            Ok(figures.map_or(SIGN, |figures| Frame::of(number, true, &figures).text))
        };
        once(word).boxed()
    }
}

fn words<T: Serialize + Send + Sync + 'static>(watcher: Watcher<T>, stop: &Stop) -> Line {
    let words = unfold(watcher, |mut watcher| async move {
        let text = said(&mut watcher).await?;
        Some((Ok(text), watcher))
    });
    words.take_until(stop.clone().cancelled_owned()).boxed()
}

/// The next frame, or a sign of life; none when the gateway stops.
async fn said<T: Serialize>(watcher: &mut Watcher<T>) -> Option<Bytes> {
    match tokio::time::timeout(ALIVE, watcher.next()).await {
        Ok(frame) => frame.map(|frame| frame.text),
        Err(_) => Some(SIGN),
    }
}
