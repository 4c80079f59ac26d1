//! Warnings that the platform hands to this gateway. None is played or sent: a warning is a bureau's, and nobody here can
//! answer for one that came by this way. The platform is told so at once, and the officers on duty are shown what it was,
//! until it is over or taken back. This module must not keep a title or a text.

use std::collections::BTreeMap;
use std::time::Duration;

use channel::{Level, Offered, Timestamp};

use super::Ebd;
use super::message::{Ebm, PLAY};
use super::refusal::Why;

/// Shown at once; a platform that hands over more is told the same, and the log names each.
const MOST: usize = 64;
/// How long one without an end is shown.
const LONGEST: Duration = Duration::from_hours(24);

#[derive(Default)]
pub struct Offers(BTreeMap<String, Offered>);

impl Offers {
    fn forget(&mut self, now: Timestamp) {
        self.0.retain(|_, offered| offered.until > now);
    }

    pub fn has(&self, id: &str, now: Timestamp) -> bool {
        self.0.get(id).is_some_and(|offered| offered.until > now)
    }

    /// Those that stand, the oldest first.
    pub fn all(&self, now: Timestamp) -> Vec<Offered> {
        let standing = self.0.values().filter(|offered| offered.until > now);
        let mut all: Vec<_> = standing.cloned().collect();
        all.sort_by_key(|offered| offered.since);
        all
    }
}

/// 红橙黄蓝.
const fn level(severity: Option<u8>) -> Level {
    match severity {
        Some(1) => Level::Red,
        Some(2) => Level::Orange,
        Some(3) => Level::Yellow,
        Some(4) => Level::Blue,
        _ => Level::Unknown,
    }
}

/// A code, and nothing that somebody wrote.
fn code(event: &str) -> String {
    let is_code = event.len() <= 5 && event.bytes().all(|b| b.is_ascii_alphanumeric());
    if is_code { event.into() } else { String::new() }
}

impl Ebd {
    /// Only a cancel of what was refused is fulfilled: it sounds nowhere.
    pub(super) fn is_handed(&self, ebm: &Ebm) -> Result<(), Why> {
        let now = self.link.context.clock.now();
        if ebm.id.starts_with(&self.link.config.ebrid) {
            return Err(Why::OwnMessage);
        }
        if ebm.is_cancel() {
            let related = ebm.related.as_deref().ok_or(Why::Missing)?;
            let offered = self.offers.lock().0.remove(related);
            return offered.map(drop).ok_or(Why::UnknownMessage);
        }
        let areas = ebm
            .content
            .as_ref()
            .map_or(0, |content| content.areas.len());
        if ebm.sender_name.is_empty() || ebm.sender_code.is_empty() || areas == 0 {
            return Err(Why::Missing);
        }
        if ebm.end.is_some_and(|end| end <= now) {
            return Err(Why::Over);
        }
        // Nobody need be woken for a drill or for the daily programme.
        if ebm.kind == PLAY && ebm.severity.is_none_or(|severity| severity < 5) {
            self.show(ebm, now);
        }
        Err(Why::NotPlayed)
    }

    fn show(&self, ebm: &Ebm, now: Timestamp) {
        let offered = Offered {
            name: ebm.id.clone(),
            event: code(&ebm.event),
            level: level(ebm.severity),
            since: now,
            until: ebm.end.unwrap_or(now.plus(LONGEST)),
        };
        let mut offers = self.offers.lock();
        offers.forget(now);
        if offers.0.contains_key(&ebm.id) {
            return;
        }
        tracing::warn!(channel = %self.link.context.name, message = %ebm.id, event = offered.event, level = ?offered.level, "the broadcast platform hands over a warning, which nobody here plays; a bureau has to issue it");
        if offers.0.len() < MOST {
            offers.0.insert(ebm.id.clone(), offered);
        }
    }
}
