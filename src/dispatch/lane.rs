//! A lane is one channel's way out: it takes due deliveries in rank order, takes permits for them, writes `Handed`, and
//! only when that is durable hands the batch to the channel. It slows when the far end says so and pauses while the
//! channel is down. While it waits, for permits above all, it holds nothing: whatever is more urgent then overtakes.
//! This module must not decide what an outcome means, and it sends nothing that no committed `Handed` names.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use channel::{FailureClass, Lines, Stop, Variant};
use tokio::sync::{Notify, mpsc};

use super::flow::Flow;
use super::inlet::Desk;
use super::out::{Out, handed, places};
use super::pulse::Pulse;
use super::queue::{Moment, Queue, Taken, priority};
use super::settle::Word;
use super::switch::Switch;
use crate::coord::{Account, Ask};
use crate::ledger::event::LinkState;
use crate::ledger::{Event, Proposal};
use crate::model::{Rate, StreamId};
use crate::plan;
use crate::store::Store;

pub struct Lane {
    pub out: Arc<Out>,
    pub desk: Arc<Desk>,
    pub store: Arc<dyn Store>,
    pub rate: Rate,
    /// Whose permits it takes; other lanes may share them.
    pub account: Arc<Account>,
    pub room: Arc<Notify>,
    pub switch: Arc<Switch>,
}

/// What one lane keeps while it runs.
pub(super) struct Run {
    pub queue: Queue,
    pub flow: Flow,
    pub pulse: Pulse,
    variants: HashMap<(StreamId, u16), Arc<Variant>>,
    /// Permits that one message took last.
    cost: u32,
    limits: Limits,
    /// Permits for work of this priority were refused until this tick.
    pub refused: Option<(u64, Duration)>,
    /// The journal says that the link is not up.
    away: bool,
}

/// How much may be handed and not durably settled, and how much one range takes.
#[derive(Clone, Copy)]
pub struct Limits {
    pub cap: usize,
    range: usize,
}

/// How long a lane waits before it asks a store that takes nothing again.
const STORE_AWAY: Duration = Duration::from_millis(500);

/// Rates from which a far end counts as fast.
const FAST: u32 = 50_000;

impl Limits {
    /// Of lines no more is in hand than they hold: a call waits here, where it is overtaken, and not at the far end.
    pub fn of(rate: Rate, window: usize, batch: usize, lines: Option<Lines>) -> Self {
        if let Some(lines) = lines {
            let count = usize::try_from(lines.count).unwrap_or(usize::MAX).max(1);
            return Self {
                cap: count,
                range: count,
            };
        }
        let fast = rate.per_second.get() >= FAST;
        // What a fast channel takes at once is one range: the loudspeakers of a county share one order.
        let (cap, range) = if fast {
            (5_000, batch.max(1_000))
        } else {
            (1_000, 250)
        };
        Self {
            cap: cap.max(2 * window),
            range,
        }
    }
}

impl Lane {
    pub async fn run(self, mut words: mpsc::UnboundedReceiver<Word>, stop: Stop) {
        let channel = self.out.channel.capability();
        let mut run = Run {
            queue: Queue::new(&self.out.name, self.switch.routes.clone())
                .gathering(self.out.channel.gathers()),
            flow: Flow::default(),
            pulse: Pulse::default(),
            variants: HashMap::new(),
            cost: 1,
            limits: Limits::of(
                self.rate,
                channel.window,
                channel.batch,
                self.out.channel.lines(),
            ),
            refused: None,
            away: self.link().is_some_and(|state| state != LinkState::Up),
        };
        run.pulse.idle(self.desk.clock.tick());
        let mut position = self.desk.writer.position();
        while !stop.is_cancelled() {
            position.borrow_and_update();
            // Before the words: what is settled now has been told when they are heard.
            let outstanding = self.out.outstanding.load(Ordering::SeqCst);
            let moment = self.moment();
            if run.queue.follow(&self.desk.ledger, moment) {
                let open = |stream| self.desk.ledger.alert(stream).is_some();
                run.variants.retain(|(stream, _), _| open(*stream));
            }
            run.queue.wake(&self.desk.ledger, moment.tick);
            while let Ok(word) = words.try_recv() {
                self.hear(&mut run, word);
            }
            if self.may_send(&run, outstanding) && self.hand(&mut run, &stop).await {
                run.pulse.tried(self.desk.clock.tick());
                continue;
            }
            if self.leave(&mut run).await {
                continue;
            }
            // Nothing was tried on it, so no outcome tells that the lane stands.
            if !run.away && run.queue.has_work() && !self.out.channel.health().takes() {
                self.note_link(LinkState::Paused);
                run.away = true;
            }
            let wait = self.wait(&run);
            tokio::select! {
                changed = position.changed() => if changed.is_err() { return },
                Some(word) = words.recv() => self.hear(&mut run, word),
                () = self.room.notified() => {},
                () = tokio::time::sleep(wait) => {},
                () = stop.cancelled() => return,
            }
        }
    }

    fn hear(&self, run: &mut Run, word: Word) {
        let tick = self.desk.clock.tick();
        match word {
            Word::Again(block, index, at) => run.queue.put(block, index, at, self.moment()),
            Word::Moved(places) => run.queue.come(places, &self.desk.ledger, self.moment()),
            Word::Slower(wait) => run.flow.slower(tick, wait),
            Word::Down => run.flow.down(tick),
            Word::Lost if run.pulse.is_out() => run.flow.down(tick),
            Word::Lost => {}
            Word::Back(taken) => {
                run.queue.give_back(taken);
                run.flow.pause(tick, STORE_AWAY);
                // It is the journal that holds us up.
                run.pulse.idle(tick);
            }
            Word::Heard => self.answered(run, tick),
            Word::Fine => {
                self.answered(run, tick);
                if run.flow.probing() || run.away {
                    self.note_link(LinkState::Up);
                    run.away = false;
                }
                run.flow.fine(tick);
            }
        }
    }

    /// It takes, or refuses for good: it is there.
    fn answered(&self, run: &mut Run, tick: Duration) {
        if run.pulse.is_out() {
            tracing::info!(channel = self.out.name, "the account answers again");
            self.switch.set_out(&self.out.name, false);
        }
        run.pulse.heard(tick);
    }

    /// Whether the channel can take anything now.
    fn may_send(&self, run: &Run, outstanding: usize) -> bool {
        let tick = self.desk.clock.tick();
        // A probe is one message, and nothing goes before its outcome is known.
        let most = if run.flow.probing() {
            1
        } else {
            run.limits.cap
        };
        if run.flow.paused(tick) || outstanding >= most {
            return false;
        }
        let refused = |(rank, until)| tick < until && run.queue.top().is_none_or(|top| top >= rank);
        if run.refused.is_some_and(refused) {
            return false;
        }
        // Whoever has lost the journal sends nothing more of what it was handed.
        self.store.owns() && self.out.channel.health().takes()
    }

    fn link(&self) -> Option<LinkState> {
        let links = self.desk.ledger.links();
        links.get(&self.out.name).map(|(state, ..)| *state)
    }

    /// The link's state changes in the journal, once.
    fn note_link(&self, state: LinkState) {
        if self.link().unwrap_or(LinkState::Up) != state {
            let event = Event::Link {
                channel: self.out.name.clone(),
                state,
                class: FailureClass::LinkDown,
                code: String::new(),
            };
            drop(self.desk.writer.propose(Proposal::of(0, event)));
        }
    }

    fn wait(&self, run: &Run) -> Duration {
        let tick = self.desk.clock.tick();
        let idle = if self.out.channel.health().takes() {
            Duration::from_secs(1)
        } else {
            Duration::from_millis(100)
        };
        let due = run.queue.next_due().unwrap_or(Duration::MAX);
        let granted = run.refused.map_or(Duration::MAX, |(_, until)| until);
        let granted = if granted > tick {
            granted
        } else {
            Duration::MAX
        };
        let next = due.min(granted).saturating_sub(tick);
        next.max(run.flow.pause_left(tick))
            .clamp(Duration::from_millis(1), idle)
    }

    /// About a twentieth of a second of the rate: what is more urgent overtakes soon, and the far end sees no bursts. At
    /// most half of the burst, so that nothing is lost when the lane comes a little late for its permits.
    fn slice(&self, run: &Run) -> usize {
        // One message at the far end, whatever the rate and the flow.
        if self.out.channel.gathers() {
            return self.out.channel.capability().batch;
        }
        let permits = (self.rate.per_second.get() / 20).min(self.rate.burst.get() / 2);
        let share = usize::try_from(permits / run.cost.max(1)).unwrap_or(usize::MAX);
        let outstanding = self.out.outstanding.load(Ordering::SeqCst);
        let room = run.limits.cap.saturating_sub(outstanding);
        run.flow.shrink(share.clamp(1, run.limits.range)).min(room)
    }

    /// Hands the next slice; false when nothing is due or there are no permits for it.
    async fn hand(&self, run: &mut Run, stop: &Stop) -> bool {
        if run.flow.probing() {
            self.note_link(LinkState::Probing);
        }
        let slice = self.slice(run);
        let taken = run.queue.take(&self.desk.ledger, slice, self.moment());
        let Some(first) = taken.first() else {
            return false;
        };
        let rank = priority(first.block.rank);
        let mut variants = Vec::with_capacity(taken.len());
        let mut permits = 0;
        for one in &taken {
            let variant = self.variant(run, one).await;
            run.cost = variant.as_ref().map_or(1, |v| self.out.channel.cost(v));
            permits += run.cost * u32::try_from(one.places.len()).unwrap_or(u32::MAX);
            variants.push(variant);
        }
        if self.out.channel.gathers() {
            permits = texts(&taken);
        }
        let ask = Ask {
            lane: &self.out.name,
            rank,
            permits: run.flow.stretch(permits),
            more: run.queue.top().is_some_and(|top| top <= rank),
        };
        let wait = tokio::select! {
            wait = self.account.ask(ask) => wait,
            // Nothing was handed: the places are found again at the next start.
            () = stop.cancelled() => return false,
        };
        run.refused = wait.map(|wait| (rank, self.desk.clock.tick() + wait));
        if run.refused.is_some() {
            run.queue.give_back(taken);
            return false;
        }
        self.write(taken, variants);
        true
    }

    /// Writes `Handed`; what it names goes out when it is durable, and the next slice need not wait for that.
    fn write(&self, taken: Vec<Taken>, variants: Vec<Option<Arc<Variant>>>) {
        let count = places(&taken);
        let first = self.desk.serials.take(&self.out.name, count);
        self.out.outstanding.fetch_add(count, Ordering::SeqCst);
        let commit = self.desk.writer.propose(Proposal {
            events: handed(&self.out.name, &taken, first),
            ..Proposal::default()
        });
        let out = self.out.clone();
        tokio::spawn(async move {
            match commit.await {
                Ok(_) => out.send(taken, variants, first).await,
                Err(refused) => out.give_back(taken, &refused),
            }
        });
    }

    fn moment(&self) -> Moment {
        Moment::of(&*self.desk.clock)
    }

    async fn variant(&self, run: &mut Run, one: &Taken) -> Option<Arc<Variant>> {
        let place = (one.block.stream, one.variant);
        if let Some(variant) = run.variants.get(&place) {
            return Some(variant.clone());
        }
        let meta = one.alert.variant(place.1)?;
        let cap = self.store.document(one.alert.meta.document).await.ok()??;
        let text = self.store.document(meta.document).await.ok()??;
        let variant = Arc::new(plan::load(&text, &Bytes::from(cap))?);
        if run.variants.len() > 256 {
            run.variants.clear();
        }
        run.variants.insert(place, variant.clone());
        Some(variant)
    }
}

/// So many messages at a far end that has one for all places of a text.
fn texts(taken: &[Taken]) -> u32 {
    let texts: BTreeSet<_> = taken.iter().map(|t| (t.block.stream, t.variant)).collect();
    u32::try_from(texts.len()).unwrap_or(u32::MAX)
}
