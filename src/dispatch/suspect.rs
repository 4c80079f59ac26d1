//! Which endpoints are doubted from now on, and which no longer: read off the events that are about to be written, so that
//! the doubt and what it rests on are one commit. Pure over events and ledger; this module must not send or wait.

use std::collections::BTreeMap;

use channel::{Evidence, FailureClass, MISSHAPEN, Verdict};

use crate::ledger::event::{Event, Mark, Marked, Next, Outcome};
use crate::ledger::{Alert, Ledger};
use crate::model::{Delivery, DeliveryNo, EndpointId, StreamId};

/// Said by ourselves of an endpoint that the registry no longer has: no word of a far end.
pub const GONE: &str = "registry:gone";

/// What is to be written beside these events: each endpoint once, and only what changes anything.
pub fn marks(ledger: &Ledger, events: &[(StreamId, Event)]) -> Vec<(StreamId, Event)> {
    let mut marks = Marks {
        ledger,
        marked: BTreeMap::new(),
    };
    for (stream, event) in events {
        marks.look(*stream, event);
    }
    let marked = marks.marked.into_values();
    marked.map(|marked| (0, Event::Marked(marked))).collect()
}

struct Marks<'a> {
    ledger: &'a Ledger,
    marked: BTreeMap<EndpointId, Marked>,
}

impl Marks<'_> {
    fn look(&mut self, stream: StreamId, event: &Event) {
        let mut alert = None;
        match event {
            Event::Settled { rows, .. } => {
                for row in rows {
                    if let Outcome::Refused { class, code } = &row.outcome
                        && *class == FailureClass::BadAddress
                        // Where another account takes it up, one has only said that it is not its own.
                        && row.next == Next::Failed
                        && code != GONE
                        && code != MISSHAPEN
                    {
                        self.mark(&mut alert, (stream, row.delivery), Mark::Suspect, code);
                    }
                }
            }
            Event::Receipt { rows, .. } => {
                for row in rows {
                    let mark = match row.verdict {
                        Verdict::Refused(FailureClass::BadAddress) => Mark::Suspect,
                        Verdict::Reached(evidence) if evidence >= Evidence::Delivered => {
                            Mark::Clear
                        }
                        _ => continue,
                    };
                    self.mark(&mut alert, (stream, row.delivery), mark, &row.code);
                }
            }
            Event::Answered(answered) => {
                for row in &answered.rows {
                    self.mark(&mut alert, (stream, row.delivery), Mark::Clear, "");
                }
            }
            _ => {}
        }
    }

    fn mark(
        &mut self,
        alert: &mut Option<std::sync::Arc<Alert>>,
        (stream, number): (StreamId, DeliveryNo),
        mark: Mark,
        code: &str,
    ) {
        // Nearly every text comes, and nearly no number is doubted.
        let nobody = self.ledger.suspects.is_empty() && self.marked.is_empty();
        if mark == Mark::Clear && nobody {
            return;
        }
        if alert.is_none() {
            *alert = self.ledger.alert(stream);
        }
        let Some((block, i)) = alert.as_ref().and_then(|alert| alert.find(number)) else {
            return;
        };
        let endpoint = block.endpoint(i);
        let doubted = match self.marked.get(&endpoint) {
            Some(marked) => marked.mark == Mark::Suspect,
            None => self.ledger.suspects.has(endpoint),
        };
        if !block.speaker && doubted != (mark == Mark::Suspect) {
            let delivery = Delivery { stream, number };
            let marked = Marked::shown(endpoint, mark, code, delivery);
            self.marked.insert(endpoint, marked);
        }
    }
}
