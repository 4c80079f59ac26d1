//! Repairs of loudspeakers (报修) as lists show them: which stand open, since when, and how the others ended. This module
//! must not open a document: free text is for whoever may read it.

use channel::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::ledger::Ledger;
use crate::ledger::boxes::{Mend, Order, Teller, Trouble};
use crate::model::{RegionCode, shape};
use crate::registry::Registry;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct RepairLine {
    pub number: u32,
    pub device: String,
    pub name: String,
    pub village: RegionCode,
    pub village_name: String,
    pub what: Trouble,
    pub what_zh: &'static str,
    /// Since when it is so, as far as known.
    #[schema(schema_with = shape::moment)]
    pub since: String,
    #[schema(schema_with = shape::moment)]
    pub entered: String,
    /// Who said so.
    pub from: Teller,
    pub from_zh: &'static str,
    /// The bureau that entered it; nothing where the keeper did, by link.
    pub by: Option<String>,
    /// Its keeper entered it by the signed link.
    pub by_link: bool,
    pub open: bool,
    pub how: Option<Mend>,
    pub how_zh: Option<&'static str>,
    #[schema(schema_with = shape::maybe_moment)]
    pub closed: Option<String>,
    /// The bureau that closed it; `(keeper)` where the keeper did, by link.
    pub closed_by: Option<String>,
    /// When its keeper said by link that it works again, though it was left open.
    #[schema(schema_with = shape::maybe_moment)]
    pub keeper_says_repaired: Option<String>,
    /// How long it stood, or stands, in whole hours.
    pub hours: u64,
}

/// Of a device that the registry knows; another's repair is nobody's.
pub fn repair_line(registry: &Registry, order: &Order, now: Timestamp) -> Option<RepairLine> {
    let device = &order.repair.device;
    let endpoint = registry.speaker_called(device)?;
    let village = endpoint.village?;
    let ended = order.mended.as_ref();
    let until = ended.map_or(now, |(_, at)| *at);
    Some(RepairLine {
        number: order.repair.number,
        device: device.clone(),
        name: endpoint.name.unwrap_or_default().to_owned(),
        village,
        village_name: registry.full_name(village),
        what: order.repair.what,
        what_zh: order.repair.what.zh(),
        since: order.repair.since.to_string(),
        entered: order.at.to_string(),
        from: order.repair.from,
        from_zh: order.repair.from.zh(),
        by: order.repair.by.clone(),
        by_link: order.is_by_link(),
        open: ended.is_none(),
        how: ended.map(|(mended, _)| mended.how),
        how_zh: ended.map(|(mended, _)| mended.how.zh()),
        closed: ended.map(|(_, at)| at.to_string()),
        closed_by: ended.map(|(mended, _)| mended.by.clone()),
        keeper_says_repaired: order.vouched.map(|at| at.to_string()),
        hours: until.since(order.at).as_secs() / 3600,
    })
}

/// Those of some regions, the newest first; `open` asks for those alone that are open, or that are not.
pub fn repairs(
    ledger: &Ledger,
    registry: &Registry,
    sees: impl Fn(RegionCode) -> bool,
    open: Option<bool>,
    now: Timestamp,
) -> Vec<RepairLine> {
    let mut orders = ledger.boxes.repairs();
    orders.reverse();
    let lines = orders
        .iter()
        .filter(|order| open.is_none_or(|open| order.mended.is_none() == open));
    let lines = lines.filter_map(|order| repair_line(registry, order, now));
    lines.filter(|line| sees(line.village)).collect()
}
