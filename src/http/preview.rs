//! A preview as JSON: what ingest drafted and counted, with the words for its levels. This module must not count.

use serde::Serialize;

use super::alerts::born;
use crate::coverage::words::of_level;
use crate::ingest::{EventView, Preview};
use crate::model::StreamId;
use crate::plan::preview::{Figures, Place};

#[derive(Serialize)]
pub struct PreviewView {
    /// True: nothing of this was sent or kept.
    preview: bool,
    disposition: cap::Disposition,
    findings: Vec<cap::Finding>,
    born: &'static str,
    born_zh: &'static str,
    superseded_by: Option<StreamId>,
    known: Option<StreamId>,
    plan: String,
    level: &'static str,
    level_zh: &'static str,
    handled: &'static str,
    handled_zh: &'static str,
    events: Vec<EventView>,
    regions: Vec<Place>,
    regions_hash: String,
    #[serde(flatten)]
    figures: Figures,
}

impl From<Preview> for PreviewView {
    fn from(preview: Preview) -> Self {
        let (born, born_zh, superseded_by) = born(preview.born);
        let (level, level_zh) = of_level(preview.level);
        let (handled, handled_zh) = of_level(preview.handled);
        Self {
            preview: true,
            disposition: preview.disposition,
            findings: preview.findings,
            born,
            born_zh,
            superseded_by,
            known: preview.known,
            plan: preview.plan,
            level,
            level_zh,
            handled,
            handled_zh,
            events: preview.events,
            regions: preview.regions,
            regions_hash: preview.regions_hash,
            figures: preview.figures,
        }
    }
}
