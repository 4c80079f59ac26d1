//! A preview as JSON: what ingest drafted and counted, with the words for its levels. This module must not count.

use serde::Serialize;
use utoipa::ToSchema;

use super::alerts::{births, born};
use super::openapi::{dispositions, findings};
use crate::coverage::words::{of_change, of_level};
use crate::ingest::{EventView, Preview};
use crate::ledger::event::Class;
use crate::model::{StreamId, shape};
use crate::plan::preview::{Figures, Place};

#[derive(Serialize, ToSchema)]
#[schema(as = Preview)]
pub struct PreviewView {
    /// True: nothing of this was sent or kept.
    preview: bool,
    #[schema(schema_with = dispositions)]
    disposition: cap::Disposition,
    #[schema(schema_with = findings)]
    findings: Vec<cap::Finding>,
    #[schema(schema_with = births)]
    born: &'static str,
    born_zh: &'static str,
    #[schema(value_type = Option<u64>)]
    superseded_by: Option<StreamId>,
    #[schema(value_type = Option<u64>)]
    known: Option<StreamId>,
    plan: String,
    #[schema(schema_with = shape::levels)]
    level: &'static str,
    level_zh: &'static str,
    #[schema(schema_with = shape::levels)]
    handled: &'static str,
    handled_zh: &'static str,
    /// How it stands to what it would end.
    #[schema(schema_with = Class::maybe)]
    class: Option<&'static str>,
    class_zh: Option<&'static str>,
    events: Vec<EventView>,
    regions: Vec<Place>,
    #[schema(schema_with = shape::hash)]
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
            class: preview.class.map(|class| of_change(class).0),
            class_zh: preview.class.map(|class| of_change(class).1),
            events: preview.events,
            regions: preview.regions,
            regions_hash: preview.regions_hash,
            figures: preview.figures,
        }
    }
}
