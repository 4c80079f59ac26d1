//! What a receipt does: the fold's part for the far end's later word. Evidence is a maximum, an older attempt changes
//! evidence and never state, and a closed delivery is not reopened. This module must not match receipts: the correlator did.

use channel::{Evidence, FailureClass, Key, Timestamp, Verdict};
use serde::{Deserialize, Serialize};

use super::Ledger;
use super::alert::{Alert, Block, DISPUTED, FAR_REFUSED, REFUSED};
use super::event::{Answered, MatchedBy, ReceiptRow};
use super::fold::{Misfit, is_never, offset};
use super::near::Near;
use super::proved::Proved;
use crate::model::State;

/// A receipt that matched nothing, as it lies in the inbox.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InboxReceipt {
    pub channel: String,
    pub reference: String,
    pub key: Option<Key>,
    pub verdict: Verdict,
    pub code: String,
    pub far: Option<Timestamp>,
    pub seen: Timestamp,
}

/// How far a verdict lifts evidence.
pub fn evidence_of(verdict: Verdict) -> Evidence {
    match verdict {
        Verdict::Progress | Verdict::Refused(_) => Evidence::Accepted,
        Verdict::Reached(evidence) => evidence,
    }
}

impl Ledger {
    /// What an attempt before the current one brought changes evidence and nothing else.
    pub(super) fn receipt<'r>(
        &self,
        near: &mut Near<'r>,
        row: &'r ReceiptRow,
    ) -> Result<(), Misfit> {
        let alert = near.alert;
        let (block, i) = near.find(row.delivery)?;
        let at = offset(alert, row.seen);
        let attempt = row.by.attempt();
        if attempt.is_some_and(|attempt| attempt < block.attempts(i)) {
            // Which of an older attempt's parts came before is not kept: only a text of one part is known whole.
            let proven = segments(alert, block, i) <= 1;
            let evidence = if proven {
                evidence_of(row.verdict)
            } else {
                Evidence::Accepted
            };
            block.raise_evidence(i, evidence, at);
            self.proved.note(alert, block, i);
            return Ok(());
        }
        let code = near.code(self, &row.code);
        let (block, i) = near.find(row.delivery)?;
        block.set_code(i, code);
        match row.verdict {
            Verdict::Progress => block.raise_evidence(i, Evidence::Accepted, at),
            Verdict::Reached(_) => {
                if whole(alert, block, i, row) {
                    if block.flag(i, REFUSED | FAR_REFUSED) {
                        block.raise_flag(i, DISPUTED);
                    }
                    block.raise_evidence(i, evidence_of(row.verdict), at);
                    self.proved.note(alert, block, i);
                    reached(block, i);
                } else {
                    block.raise_evidence(i, Evidence::Accepted, at);
                }
            }
            Verdict::Refused(class) => denied(block, i, class, at),
        }
        Ok(())
    }
}

/// The far end took it and says that it did not bring it. A closed delivery stays closed; its answer knows better now.
fn denied(block: &Block, i: usize, class: FailureClass, at: u32) {
    block.raise_evidence(i, Evidence::Accepted, at);
    if block.evidence(i) >= Evidence::Delivered {
        block.raise_flag(i, DISPUTED);
        return;
    }
    if is_never(class) {
        block.raise_flag(i, REFUSED);
    }
    block.raise_flag(i, FAR_REFUSED);
    if block.state(i) == State::Awaiting {
        block.set_state(i, State::Failed);
    }
}

/// The far end took it in so many parts. Receipts that overtook this have struck off theirs already.
pub(super) fn taken(block: &Block, i: usize, parts: usize, at: u32) {
    block.raise_evidence(i, Evidence::Accepted, at);
    if block.evidence(i) >= Evidence::Delivered {
        return;
    }
    if block.parts_taken(i, parts) {
        block.raise_evidence(i, Evidence::Delivered, at);
    }
}

/// A person answered, so the text came, whatever else was said of it. What is no word of acknowledgement proves nothing.
pub(super) fn answered(
    proved: &Proved,
    near: &mut Near,
    answered: &Answered,
) -> Result<(), Misfit> {
    let alert = near.alert;
    for row in &answered.rows {
        let (block, i) = near.find(row.delivery)?;
        if row.text.is_none() {
            if block.flag(i, REFUSED | FAR_REFUSED) {
                block.raise_flag(i, DISPUTED);
            }
            block.raise_evidence(i, Evidence::Acknowledged, offset(alert, row.seen));
            proved.note(alert, block, i);
            reached(block, i);
        }
    }
    alert.replies.add(answered);
    Ok(())
}

/// Whether the whole text is reached with this receipt. A receipt by our own key speaks of all of it; one that overtook
/// its settlement counts the parts by the text's segments.
fn whole(alert: &Alert, block: &Block, i: usize, row: &ReceiptRow) -> bool {
    if row.by == MatchedBy::Key || block.evidence(i) >= Evidence::Delivered {
        return true;
    }
    let parts = usize::try_from(segments(alert, block, i)).unwrap_or(usize::MAX);
    block.part_reached(i, row.part, parts)
}

/// How many parts its text should have.
fn segments(alert: &Alert, block: &Block, i: usize) -> u32 {
    alert.segments_of(block.variant(i))
}

/// A proof closes what waits for it or would be sent again; what is planned, in hand or already closed keeps its state.
fn reached(block: &Block, i: usize) {
    if matches!(block.state(i), State::Awaiting | State::Due) {
        block.set_state(i, State::Done);
    }
}
