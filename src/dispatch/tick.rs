//! What time alone brings: texts expire, receipts are overdue. Pure over the ledger and now. This module must not write
//! or sleep.

use channel::Timestamp;

use crate::ledger::{Event, Ledger};
use crate::model::StreamId;

/// What is due now.
pub fn tick(now: Timestamp, ledger: &Ledger) -> Vec<(StreamId, Event)> {
    let mut events = Vec::new();
    for alert in ledger.alerts() {
        let overdue = alert.overdue(now);
        if !overdue.is_empty() {
            events.push((
                alert.stream,
                Event::Overdue {
                    deliveries: overdue,
                },
            ));
        }
        if let Some((step, _)) = alert.steps.next()
            && alert.withdrawn_by().is_none()
            && alert.is_over(now)
        {
            events.push((alert.stream, Event::Dropped { step }));
        }
        let over =
            |n: &u16| alert.variant(*n).is_some_and(|v| v.expires <= now) && !alert.is_expired(*n);
        let count = u16::try_from(alert.variants().len()).unwrap_or(u16::MAX);
        let variants: Vec<u16> = (0..count).filter(over).collect();
        if !variants.is_empty() {
            events.push((alert.stream, Event::Expired { variants }));
        }
    }
    events
}
