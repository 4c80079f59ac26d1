//! One send's deliveries of a region, shared out: to the account that serves each number, and by what the text is to whoever
//! gets it. This module must not add or drop anybody but whose number nobody serves, which it counts.

use std::collections::BTreeMap;

use super::PlannedDelivery;
use crate::ledger::event::Class;
use crate::model::Carrier;
use crate::plan::routes::Outlets;
use crate::registry::Registry;

/// By way and carrier: how many are meant whose numbers no account of that way serves.
pub type Unserved = BTreeMap<(String, Option<Carrier>), u32>;

/// Each by the account that serves its number, in the order of their first.
pub fn by_account<'o, 'a>(
    registry: &Registry,
    outlets: &'o Outlets,
    way: &'o str,
    deliveries: Vec<PlannedDelivery<'a>>,
    unserved: &mut Unserved,
) -> Vec<(&'o str, Vec<PlannedDelivery<'a>>)> {
    if outlets.routes.named(way).is_none() {
        return vec![(way, deliveries)];
    }
    let mut out: Vec<(&str, Vec<_>)> = Vec::new();
    for delivery in deliveries {
        match outlets.choose(way, delivery.endpoint, registry) {
            Err(carrier) => *unserved.entry((way.to_owned(), carrier)).or_default() += 1,
            Ok(channel) => match out.iter_mut().find(|(known, _)| *known == channel) {
                Some((_, same)) => same.push(delivery),
                None => out.push((channel, vec![delivery])),
            },
        }
    }
    out
}

/// In the order of their first; mostly all are of one.
pub fn by_class(deliveries: Vec<PlannedDelivery<'_>>) -> Vec<(Class, Vec<PlannedDelivery<'_>>)> {
    let Some(first) = deliveries.first().map(|d| d.class) else {
        return Vec::new();
    };
    if deliveries.iter().all(|d| d.class == first) {
        return vec![(first, deliveries)];
    }
    let mut out: Vec<(Class, Vec<_>)> = Vec::new();
    for delivery in deliveries {
        match out.iter_mut().find(|(class, _)| *class == delivery.class) {
            Some((_, same)) => same.push(delivery),
            None => out.push((delivery.class, vec![delivery])),
        }
    }
    out
}
