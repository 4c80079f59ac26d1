//! Deliveries by how their alert stands to what people last got, and what became of those who were not told at once. This
//! module must not count households: a delivery is not a door.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::words::{of_audience, of_change};
use crate::ledger::Alert;
use crate::ledger::event::{Audience, Class, Fate};

/// Deliveries of one class, channel and audience.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct ClassLine {
    #[schema(schema_with = Class::shape)]
    pub class: &'static str,
    pub class_zh: &'static str,
    pub channel: String,
    pub audience: &'static str,
    pub audience_zh: &'static str,
    /// There is a delivery.
    pub told: u32,
    /// Held by the night rule (静默暂缓).
    pub held: u32,
    /// Of a later step of the plan.
    pub later: u32,
    /// Held or later, and over or superseded before its time: never sent.
    pub dropped: u32,
    /// Not told again: what they have still holds.
    pub spared: u32,
}

pub fn classes(alert: &Alert) -> Vec<ClassLine> {
    let mut lines: BTreeMap<(Class, String, Audience), ClassLine> = BTreeMap::new();
    let mut line = |class: Class, channel: &str, audience: Audience, told: [u32; 5]| {
        let key = (class, channel.to_owned(), audience);
        let line = lines.entry(key);
        let line = line.or_insert_with(|| empty(class, channel, audience));
        line.told += told[0];
        line.held += told[1];
        line.later += told[2];
        line.dropped += told[3];
        line.spared += told[4];
    };
    for block in alert.blocks() {
        let told = [block.len(), 0, 0, 0, 0];
        line(block.class(), &block.channel, block.audience, told);
    }
    for (_, row) in alert.classes.rows() {
        let n = row.count;
        let told = match row.fate {
            Fate::Spared => [0, 0, 0, 0, n],
            Fate::Held { step } if waits(alert, step) => [0, n, 0, 0, 0],
            Fate::Later { step } if waits(alert, step) => [0, 0, n, 0, 0],
            Fate::Held { step } | Fate::Later { step } if !alert.steps.is_planned(step) => {
                [0, 0, 0, n, 0]
            }
            // Its block is counted.
            Fate::Told { .. } | Fate::Held { .. } | Fate::Later { .. } => continue,
        };
        line(row.class, &row.channel, row.audience, told);
    }
    lines.into_values().collect()
}

/// Whether a step is still to come.
pub fn waits(alert: &Alert, step: u16) -> bool {
    let over = alert.steps.is_dropped(step) || alert.withdrawn_by().is_some();
    !over && !alert.steps.is_planned(step)
}

fn empty(class: Class, channel: &str, audience: Audience) -> ClassLine {
    let (class, class_zh) = of_change(class);
    let (audience, audience_zh) = of_audience(audience);
    ClassLine {
        class,
        class_zh,
        channel: channel.to_owned(),
        audience,
        audience_zh,
        told: 0,
        held: 0,
        later: 0,
        dropped: 0,
        spared: 0,
    }
}
