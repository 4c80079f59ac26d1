//! The fold: committed events become state, by one path for live, restart and follower. `apply` is total and
//! deterministic; it reads no configuration, no registry and no clock, and it never decides (law 6). Evidence is a
//! maximum; an event of an older attempt changes evidence, never state; a closed delivery is not reopened by a receipt.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use channel::{Evidence, FailureClass, Timestamp};

use super::Ledger;
use super::alert::{Alert, Block, FAR_REFUSED, IN_DOUBT, Phase, REFUSED};
use super::event::{
    Audience, Born, Classed, Event, Fate, HandedRange, Next, Outcome, SettledRow, VariantMeta,
};
use super::near::Near;
use super::receipt::{answered, taken};
use super::rerouted;
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
        if self.house(time, event) {
            return Ok(());
        }
        if let Event::Sealed(sealed) = event {
            return self.seal(stream, **sealed);
        }
        if let Event::Unsealed { .. } = event {
            return self.unseal(stream, time);
        }
        let alert = self
            .alert(stream)
            .ok_or_else(|| misfit("speaks of an alert that was never accepted"))?;
        self.on_alert(&alert, time, event)?;
        alert.trail.went_on(time);
        Ok(())
    }

    /// What belongs to no alert; false where it does.
    fn house(&self, time: Timestamp, event: &Event) -> bool {
        match event {
            Event::Link {
                channel,
                state,
                code,
                ..
            } => {
                let mut links = self.links.write();
                links.insert(channel.clone(), (*state, code.clone(), time));
            }
            Event::Presence { device, state } => {
                self.presence.write().insert(device.clone(), (*state, time));
            }
            Event::Turned(turned) => {
                let now = (turned.state, time);
                self.presence.write().insert(turned.device.clone(), now);
                return self.boxes.apply(time, event);
            }
            Event::Took { epoch, .. } => self.epoch.store(*epoch, Relaxed),
            Event::Looked(looked) => *self.looks.write().entry(looked.what).or_default() += 1,
            Event::Strayed(strayed) => self.strays.add(strayed),
            Event::Marked(marked) => self.suspects.mark(marked, time),
            Event::Learned(learned) => self.ported.learn(learned),
            Event::Spent(spent) => self.spending.add(spent),
            Event::Numbered(numbered) => self.numbers.give(numbered, time),
            Event::Bound(bound) => self.bindings.apply(bound, time),
            Event::Quaked(quaked) => self.quakes.reported(time, quaked),
            Event::Witnessed { .. } | Event::Coded(_) => {}
            _ => {
                return self.devices(time, event)
                    || self.log.apply(time, event)
                    || self.test_calls.apply(time, event)
                    || self.recordings.apply(time, event);
            }
        }
        true
    }

    /// Devices that hold a line to us, and their boxes.
    fn devices(&self, time: Timestamp, event: &Event) -> bool {
        match event {
            Event::Ordered(ordered) => self.boxes.ordered(time, ordered),
            Event::Enrolled(enrolled) => self.boxes.replaced(&enrolled.device),
            Event::Done(done) if self.quakes.done(time, done) => return true,
            _ => {}
        }
        self.boxes.apply(time, event) || self.devices.apply(time, event)
    }

    fn on_alert(&self, alert: &Alert, time: Timestamp, event: &Event) -> Result<(), Misfit> {
        let mut near = Near::new(alert);
        match event {
            Event::Released { generation, .. } => {
                alert.set_released(*generation);
                alert.curve.begin(offset(alert, time));
            }
            Event::Variants { first, variants } => add_variants(alert, *first, variants)?,
            Event::Ground(ground) => alert.add_ground(ground.clone()),
            Event::Block(block) => self.add_block(alert, block)?,
            Event::Planned { step, .. } => {
                alert.set_phase(Phase::Planned);
                alert.steps.plan(*step);
                alert.silence.planned(*step);
            }
            Event::Withdrawn { by } => withdraw(alert, *by),
            Event::Handed { channel, ranges } => {
                ranges.iter().try_for_each(|r| handed(&mut near, *r))?;
                alert.trail.handed(channel, ranges);
            }
            Event::Settled { rows, .. } => {
                for row in rows {
                    self.settled(&mut near, time, row)?;
                }
            }
            Event::Returned { deliveries, at } => returned(alert, deliveries, *at)?,
            Event::InDoubt {
                deliveries, due, ..
            } => in_doubt(alert, deliveries, *due)?,
            Event::Receipt { rows, .. } => {
                for row in rows {
                    self.receipt(&mut near, row)?;
                }
            }
            Event::Overdue { deliveries } => overdue(alert, deliveries)?,
            Event::Expired { variants } => expire(alert, variants),
            Event::Answered(said) => answered(&self.proved, &mut near, said)?,
            Event::Rerouted(rerouted) => rerouted::fold(&mut near, rerouted)?,
            _ => decided(alert, time, event)?,
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
        let ground = (block.audience == Audience::Public)
            .then(|| alert.ground(block.region))
            .flatten();
        let block = Arc::new(Block::new(alert, block.clone(), ground));
        alert.steps.bars.close(&block, |code| self.code_index(code));
        // Its release was under way when the alert or its text ended: nobody is sent what is over.
        if alert.withdrawn_by().is_some() {
            end_open(&block, State::Withdrawn, |_| true);
        }
        end_open(&block, State::Expired, |variant| alert.is_expired(variant));
        alert.add_block(block.clone());
        self.fresh.write().push(block);
        Ok(())
    }

    fn settled(&self, near: &mut Near, time: Timestamp, row: &SettledRow) -> Result<(), Misfit> {
        let alert = near.alert;
        let (block, i) = near.find(row.delivery)?;
        let current = block.state(i) == State::Handed && block.attempts(i) == row.attempt;
        match &row.outcome {
            Outcome::Accepted { references } => {
                taken(block, i, references.len(), offset(alert, time));
            }
            Outcome::Refused { class, code } => {
                if *class == FailureClass::InDoubt {
                    doubt(alert, block, i);
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
                reopen(alert, block, i, at);
            }
        }
        Ok(())
    }
}

/// What a release or a person decided beside the blocks. What belongs to no alert has been folded before.
fn decided(alert: &Alert, time: Timestamp, event: &Event) -> Result<(), Misfit> {
    match event {
        Event::Frozen(frozen) => alert.frozen.add(frozen),
        Event::Raised { level } => alert.steps.raise(*level),
        Event::Steps { due } => alert.steps.set(due),
        Event::Dropped { step } => alert.steps.drop(*step),
        Event::Decided(decided) => alert.take_word(time, decided),
        Event::Compared { class, with } => alert.classes.compare(*class, with),
        Event::Classed(classed) => add_classes(alert, classed)?,
        Event::Kept(kept) => alert.classes.keep(kept),
        Event::Barred(barred) => alert.steps.bars.add(barred),
        Event::Held(held) => alert.hold(*held),
        Event::Prompted(prompted) => alert.prompts.add(time, prompted),
        Event::Watched { due } => alert.silence.set(due),
        Event::Silent(silent) => alert.silence.take(time, silent),
        _ => {}
    }
    Ok(())
}

fn add_classes(alert: &Alert, classed: &Classed) -> Result<(), Misfit> {
    for row in &classed.rows {
        if let Fate::Told { first } = row.fate {
            let (block, _) = find(alert, first)?;
            block.set_class(row.class);
        }
    }
    alert.classes.add(classed);
    Ok(())
}

fn add_variants(alert: &Alert, first: u16, variants: &[VariantMeta]) -> Result<(), Misfit> {
    if usize::from(first) != alert.variants().len() {
        return Err(Misfit {
            stream: alert.stream,
            what: format!("its texts from {first} do not follow the ones before"),
        });
    }
    alert.add_variants(variants);
    Ok(())
}

fn returned(alert: &Alert, deliveries: &[DeliveryNo], at: Timestamp) -> Result<(), Misfit> {
    for number in deliveries {
        let (block, i) = find(alert, *number)?;
        if block.state(i) == State::Handed {
            block.set_attempts(i, block.attempts(i).saturating_sub(1));
            reopen(alert, &block, i, at);
        }
    }
    Ok(())
}

fn in_doubt(alert: &Alert, deliveries: &[DeliveryNo], due: Timestamp) -> Result<(), Misfit> {
    for number in deliveries {
        let (block, i) = find(alert, *number)?;
        if block.state(i) == State::Handed {
            doubt(alert, &block, i);
            reopen(alert, &block, i, due);
        }
    }
    Ok(())
}

pub(super) fn find(alert: &Alert, number: DeliveryNo) -> Result<(Arc<Block>, usize), Misfit> {
    alert.find(number).ok_or_else(|| Misfit {
        stream: alert.stream,
        what: format!("speaks of delivery {number}, which no block holds"),
    })
}

/// Milliseconds since the alert was accepted; an alert lives far less than the 49 days that fit.
pub(super) fn offset(alert: &Alert, time: Timestamp) -> u32 {
    u32::try_from(time.since(alert.at).as_millis()).unwrap_or(u32::MAX)
}

fn handed(near: &mut Near, range: HandedRange) -> Result<(), Misfit> {
    for number in range.lo..range.hi {
        let (block, i) = near.find(number)?;
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

/// Back to the lane, unless the alert or the text is over: then it ends here.
pub(super) fn reopen(alert: &Alert, block: &Block, i: usize, at: Timestamp) {
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

fn overdue(alert: &Alert, deliveries: &[DeliveryNo]) -> Result<(), Misfit> {
    for number in deliveries {
        let (block, i) = find(alert, *number)?;
        if block.state(i) == State::Awaiting {
            block.set_state(i, State::Done);
        }
    }
    Ok(())
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
pub(super) fn is_never(class: FailureClass) -> bool {
    matches!(class, FailureClass::BadAddress | FailureClass::BadContent)
}
