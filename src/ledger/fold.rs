//! The fold: committed events become state, by one path for live, restart and follower. `apply` is total and
//! deterministic; it reads no configuration, no registry and no clock, and it never decides (law 6). Evidence is a
//! maximum; an event of an older attempt changes evidence, never state; a closed delivery is not reopened by a receipt.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use channel::{Evidence, FailureClass, Timestamp, Verdict};

use super::Ledger;
use super::alert::{Alert, Block, DISPUTED, FAR_REFUSED, IN_DOUBT, Phase, REFUSED};
use super::event::{
    Born, Event, HandedRange, MatchedBy, Next, Outcome, ReceiptRow, SettledRow, evidence_of,
};
use crate::model::{DeliveryNo, State, StreamId};

/// An event that does not fit the history before it. Its stream is marked; the others go on.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("stream {stream}: {what}; the stream is marked damaged, restore it from a backup")]
pub struct Misfit {
    pub stream: StreamId,
    pub what: String,
}

impl Ledger {
    pub fn apply(&self, stream: StreamId, time: Timestamp, event: &Event) -> Result<(), Misfit> {
        let misfit = |what: &str| Misfit {
            stream,
            what: what.to_owned(),
        };
        if let Event::Accepted(meta) = event {
            let alert = Alert::new(stream, time, (**meta).clone());
            if let Born::SupersededBy(by) = meta.born {
                alert.set_withdrawn(by);
            }
            return if self.insert(alert) {
                Ok(())
            } else {
                Err(misfit("accepted twice"))
            };
        }
        if let Event::Imported { generation, .. } = event {
            self.generation.store(*generation, Relaxed);
            return Ok(());
        }
        if let Event::Link {
            channel,
            state,
            code,
            ..
        } = event
        {
            self.links
                .write()
                .insert(channel.clone(), (*state, code.clone(), time));
            return Ok(());
        }
        if let Event::Presence { device, state } = event {
            self.presence.write().insert(device.clone(), (*state, time));
            return Ok(());
        }
        if let Event::Took { epoch, .. } = event {
            self.epoch.store(*epoch, Relaxed);
            return Ok(());
        }
        let alert = self
            .alert(stream)
            .ok_or_else(|| misfit("speaks of an alert that was never accepted"))?;
        self.on_alert(&alert, time, event)
    }

    fn on_alert(&self, alert: &Alert, time: Timestamp, event: &Event) -> Result<(), Misfit> {
        match event {
            Event::Released { generation, .. } => alert.set_released(*generation),
            Event::Variants { variants, .. } => alert.add_variants(variants),
            Event::Ground(ground) => alert.add_ground(ground.clone()),
            Event::Block(block) => self.add_block(alert, block)?,
            Event::Planned { .. } => alert.set_phase(Phase::Planned),
            Event::Withdrawn { by } => withdraw(alert, *by),
            Event::Handed { ranges, .. } => {
                for range in ranges {
                    handed(alert, *range)?;
                }
            }
            Event::Settled { rows, .. } => {
                for row in rows {
                    self.settled(alert, time, row)?;
                }
            }
            Event::Returned { deliveries, at } => {
                for number in deliveries {
                    let (block, i) = find(alert, *number)?;
                    if block.state(i) == State::Handed {
                        block.set_attempts(i, block.attempts(i).saturating_sub(1));
                        reopen(alert, &block, i, *at);
                    }
                }
            }
            Event::InDoubt {
                deliveries, due, ..
            } => {
                for number in deliveries {
                    let (block, i) = find(alert, *number)?;
                    if block.state(i) == State::Handed {
                        doubt(alert, &block, i);
                        reopen(alert, &block, i, *due);
                    }
                }
            }
            Event::Receipt { rows, .. } => {
                for row in rows {
                    self.receipt(alert, row)?;
                }
            }
            Event::Overdue { deliveries } => {
                for number in deliveries {
                    let (block, i) = find(alert, *number)?;
                    if block.state(i) == State::Awaiting {
                        block.set_state(i, State::Done);
                    }
                }
            }
            Event::Expired { variants } => expire(alert, variants),
            Event::Accepted(_)
            | Event::Imported { .. }
            | Event::Link { .. }
            | Event::Presence { .. }
            | Event::Took { .. } => {}
        }
        Ok(())
    }

    fn add_block(&self, alert: &Alert, block: &super::event::Block) -> Result<(), Misfit> {
        let fits = block.first == alert.next_delivery()
            && block.endpoints.len() == block.households.len()
            && block
                .variants
                .iter()
                .map(|(run, _)| *run as usize)
                .sum::<usize>()
                == block.endpoints.len();
        if !fits {
            let what = format!(
                "its block of {} does not follow the one before",
                block.region
            );
            return Err(Misfit {
                stream: alert.stream,
                what,
            });
        }
        let block = Arc::new(Block::new(alert.stream, block.clone()));
        // Its release was under way when the alert or its text ended: nobody is sent what is over.
        if alert.withdrawn_by().is_some() {
            end_open(&block, State::Withdrawn, |_| true);
        }
        end_open(&block, State::Expired, |variant| alert.is_expired(variant));
        alert.add_block(block.clone());
        self.fresh.write().push(block);
        Ok(())
    }

    fn settled(&self, alert: &Alert, time: Timestamp, row: &SettledRow) -> Result<(), Misfit> {
        let (block, i) = find(alert, row.delivery)?;
        let current = block.state(i) == State::Handed && block.attempts(i) == row.attempt;
        match &row.outcome {
            Outcome::Accepted { references } => {
                taken(&block, i, references.len(), offset(alert, time));
            }
            Outcome::Refused { class, code } => {
                if *class == FailureClass::InDoubt {
                    doubt(alert, &block, i);
                }
                if current {
                    block.set_code(i, self.code_index(code));
                    if is_never(*class) {
                        block.raise_flag(i, REFUSED);
                    }
                }
            }
        }
        if !current {
            return Ok(());
        }
        match row.next {
            Next::Await { until } => {
                block.set_due(i, offset(alert, until));
                // A speaker may have played before its fetch was settled.
                let state = match block.evidence(i) {
                    Evidence::Delivered | Evidence::Acknowledged => State::Done,
                    _ if block.flag(i, FAR_REFUSED) => State::Failed,
                    _ => State::Awaiting,
                };
                block.set_state(i, state);
            }
            Next::Done => block.set_state(i, State::Done),
            Next::Failed => block.set_state(i, State::Failed),
            Next::Due { at, charged } => {
                if !charged {
                    block.set_attempts(i, block.attempts(i).saturating_sub(1));
                }
                reopen(alert, &block, i, at);
            }
        }
        Ok(())
    }

    fn receipt(&self, alert: &Alert, row: &ReceiptRow) -> Result<(), Misfit> {
        let (block, i) = find(alert, row.delivery)?;
        let at = offset(alert, row.seen);
        block.set_code(i, self.code_index(&row.code));
        match row.verdict {
            Verdict::Progress => block.raise_evidence(i, Evidence::Accepted, at),
            Verdict::Reached(_) => {
                if whole(alert, &block, i, row) {
                    if block.flag(i, REFUSED | FAR_REFUSED) {
                        block.raise_flag(i, DISPUTED);
                    }
                    block.raise_evidence(i, evidence_of(row.verdict), at);
                    reached(&block, i);
                } else {
                    block.raise_evidence(i, Evidence::Accepted, at);
                }
            }
            Verdict::Refused(class) => {
                block.raise_evidence(i, Evidence::Accepted, at);
                if block.evidence(i) >= Evidence::Delivered {
                    block.raise_flag(i, DISPUTED);
                } else {
                    if is_never(class) {
                        block.raise_flag(i, REFUSED);
                    }
                    block.raise_flag(i, FAR_REFUSED);
                    if block.state(i) == State::Awaiting {
                        block.set_state(i, State::Failed);
                    }
                }
            }
        }
        Ok(())
    }
}

fn find(alert: &Alert, number: DeliveryNo) -> Result<(Arc<Block>, usize), Misfit> {
    alert.find(number).ok_or_else(|| Misfit {
        stream: alert.stream,
        what: format!("speaks of delivery {number}, which no block holds"),
    })
}

/// Milliseconds since the alert was accepted; an alert lives far less than the 49 days that fit.
fn offset(alert: &Alert, time: Timestamp) -> u32 {
    u32::try_from(time.since(alert.at).as_millis()).unwrap_or(u32::MAX)
}

fn handed(alert: &Alert, range: HandedRange) -> Result<(), Misfit> {
    for number in range.lo..range.hi {
        let (block, i) = find(alert, number)?;
        if !block.state(i).is_final() {
            block.begin(i, range.attempt);
            block.set_state(i, State::Handed);
        }
    }
    Ok(())
}

/// What was handed may have been sent: it is counted once.
fn doubt(alert: &Alert, block: &Block, i: usize) {
    if block.raise_flag(i, IN_DOUBT) {
        alert.doubts.fetch_add(1, Relaxed);
    }
}

/// The far end took it in so many parts. Receipts that overtook this have struck off theirs already.
fn taken(block: &Block, i: usize, parts: usize, at: u32) {
    block.raise_evidence(i, Evidence::Accepted, at);
    if block.evidence(i) >= Evidence::Delivered {
        return;
    }
    if block.parts_taken(i, parts) {
        block.raise_evidence(i, Evidence::Delivered, at);
    }
}

/// Whether the whole text is reached with this receipt. A receipt by our own key speaks of all of it; one that overtook
/// its settlement counts the parts by the text's segments.
fn whole(alert: &Alert, block: &Block, i: usize, row: &ReceiptRow) -> bool {
    if row.by == MatchedBy::Key || block.evidence(i) >= Evidence::Delivered {
        return true;
    }
    let segments = alert.variant(block.variant(i)).map_or(1, |v| v.segments);
    let parts = usize::try_from(segments).unwrap_or(usize::MAX);
    block.part_reached(i, row.part, parts)
}

/// A proof closes what waits for it or would be sent again; what is planned, in hand or already closed keeps its state.
fn reached(block: &Block, i: usize) {
    if matches!(block.state(i), State::Awaiting | State::Due) {
        block.set_state(i, State::Done);
    }
}

/// Back to the lane, unless the alert or the text is over: then it ends here.
fn reopen(alert: &Alert, block: &Block, i: usize, at: Timestamp) {
    if block.evidence(i) >= Evidence::Delivered {
        block.set_state(i, State::Done);
    } else if alert.withdrawn_by().is_some() {
        block.set_state(i, State::Withdrawn);
    } else if alert.is_expired(block.variant(i)) {
        block.set_state(i, State::Expired);
    } else {
        block.set_due(i, offset(alert, at));
        block.set_state(i, State::Due);
    }
}

fn withdraw(alert: &Alert, by: StreamId) {
    alert.set_withdrawn(by);
    for block in alert.blocks() {
        end_open(&block, State::Withdrawn, |_| true);
    }
}

fn expire(alert: &Alert, variants: &[u16]) {
    for variant in variants {
        alert.set_expired(*variant);
    }
    for block in alert.blocks() {
        end_open(&block, State::Expired, |variant| {
            variants.contains(&variant)
        });
    }
}

/// Ends what is open and not in hand.
fn end_open(block: &Block, state: State, of: impl Fn(u16) -> bool) {
    for i in 0..block.len() as usize {
        if matches!(block.state(i), State::Planned | State::Due) && of(block.variant(i)) {
            block.set_state(i, state);
        }
    }
}

/// Whether a refusal of this class is "never".
fn is_never(class: FailureClass) -> bool {
    matches!(class, FailureClass::BadAddress | FailureClass::BadContent)
}
