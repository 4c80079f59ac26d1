//! What one lane has to do, in its order: a cursor over each block, and what comes back at its time. The most urgent
//! first; among equals bureaus take turns, and a bureau's alerts; of one alert, what comes back goes ahead of what is
//! new. The queue holds places, the ledger holds the truth: whatever is no longer open when its turn comes is passed
//! over. This module must not send or wait.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use channel::{Clock, Timestamp};

use super::ahead::Ahead;
use super::gather::Gather;
use super::ring::{Holder, Ring};
use super::wheel::Wheel;
use crate::ledger::event::Why;
use crate::ledger::{Alert, Block, IN_DOUBT, Ledger};
use crate::model::{State, StreamId};
use crate::plan::Routes;

/// Both faces of the clock at one moment.
#[derive(Clone, Copy)]
pub struct Moment {
    pub now: Timestamp,
    pub tick: Duration,
}

impl Moment {
    pub fn of(clock: &dyn Clock) -> Self {
        Self {
            now: clock.now(),
            tick: clock.tick(),
        }
    }

    /// How far ahead a moment of the wall clock lies, by the clock that never jumps.
    fn until(self, at: Timestamp) -> Duration {
        self.tick + at.since(self.now)
    }
}

/// A run of deliveries of one block with one text whose turn has come.
pub struct Taken {
    pub alert: Arc<Alert>,
    pub block: Arc<Block>,
    pub variant: u16,
    pub expires: Timestamp,
    pub places: Vec<Place>,
}

#[derive(Clone, Copy)]
pub struct Place {
    pub index: usize,
    pub attempt: u8,
    pub why: Why,
}

/// What waits its turn: the place by its block.
pub type Waiting = (Arc<Block>, usize);

pub struct Queue {
    channel: Arc<str>,
    seen: usize,
    left: u64,
    ready: BTreeMap<u64, Ring<String, Ring<StreamId, Work>>>,
    later: Wheel<Waiting>,
    ahead: Ahead,
    /// Where the channel takes a step as a whole.
    gather: Option<Gather>,
}

/// Deadlines within so many bits of seconds, about a quarter of an hour, are one priority: no two warnings end in the
/// same second, and the turns of bureaus would never come about.
const SAME_DEADLINE: u32 = 10 + ORDER;
/// The lowest bits of a rank: which of its plan's sends a block belongs to. They order the blocks of one alert alone.
const ORDER: u32 = 8;

/// How long somebody waits for an older text to come to its end, before it is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

pub const fn priority(rank: u64) -> u64 {
    rank >> SAME_DEADLINE
}

impl Queue {
    pub fn new(channel: &str, routes: Arc<Routes>) -> Self {
        Self {
            channel: channel.into(),
            seen: 0,
            left: 0,
            ready: BTreeMap::new(),
            later: Wheel::default(),
            ahead: Ahead::new(routes),
            gather: None,
        }
    }

    /// For a channel that takes a step as a whole.
    pub fn gathering(self, gathers: bool) -> Self {
        Self {
            gather: gathers.then(Gather::default),
            ..self
        }
    }

    /// Takes in the blocks that were written since the last look, and lets go of alerts that left. True when any did.
    pub fn follow(&mut self, ledger: &Ledger, moment: Moment) -> bool {
        for block in ledger.blocks_since(&mut self.seen) {
            let own = *block.channel == *self.channel;
            if !own && !self.has_come(&block) {
                continue;
            }
            let Some(alert) = ledger.alert(block.stream) else {
                continue;
            };
            self.resume(&alert, &block, moment);
            self.ahead.look(&alert, &block, ledger);
            if own && block.tally(State::Planned) > 0 {
                match &mut self.gather {
                    Some(gather) => gather.hold(block, moment.tick),
                    None => self.work(&alert, block.rank).add(block),
                }
            }
        }
        let complete = self.gather.as_mut();
        for block in complete.map_or_else(Vec::new, |g| g.complete(ledger, moment.tick)) {
            if let Some(alert) = ledger.alert(block.stream) {
                self.work(&alert, block.rank).add(block);
            }
        }
        let left = ledger.left();
        let any = left != self.left;
        if any {
            self.left = left;
            self.let_go(ledger);
        }
        any
    }

    /// Whether anything of another account's block goes by this one.
    fn has_come(&self, block: &Block) -> bool {
        let mut any = false;
        block.each_moved(|_, account| any |= *account == *self.channel);
        any
    }

    /// Only after a restart is anything of a block due already, or has come from another account.
    fn resume(&mut self, alert: &Alert, block: &Arc<Block>, moment: Moment) {
        let came = *block.channel != *self.channel;
        if !came && block.tally(State::Due) == 0 {
            return;
        }
        let channel = self.channel.clone();
        for i in (0..block.len() as usize).filter(|i| block.is_on(*i, &channel)) {
            match block.state(i) {
                State::Due => {
                    let at = Duration::from_millis(u64::from(block.due(i)));
                    self.put(block.clone(), i, alert.at.plus(at), moment);
                }
                State::Planned if came => self.put(block.clone(), i, moment.now, moment),
                _ => {}
            }
        }
    }

    /// These come from another account of the route.
    pub fn come(&mut self, places: Vec<Waiting>, ledger: &Ledger, moment: Moment) {
        for (block, index) in places {
            if let Some(alert) = ledger.alert(block.stream) {
                self.ahead.look(&alert, &block, ledger);
                self.put(block, index, moment.now, moment);
            }
        }
    }

    /// What still waits in the wheel goes when its time comes.
    fn let_go(&mut self, ledger: &Ledger) {
        self.ahead.let_go(ledger);
        self.ready.retain(|_, bureaus| {
            bureaus.retain(|alerts| {
                alerts.retain(|work| ledger.alert(work.alert.stream).is_some());
                !alerts.is_empty()
            });
            !bureaus.is_empty()
        });
    }

    /// Comes back at `at`.
    pub fn put(&mut self, block: Arc<Block>, index: usize, at: Timestamp, moment: Moment) {
        self.later.put(moment.until(at), (block, index));
    }

    /// Whether anything's turn may have come.
    pub fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Whether anything may be left to do.
    pub fn has_work(&self) -> bool {
        self.is_ready() || !self.later.is_empty() || self.held_until().is_some()
    }

    /// The priority of what goes next, as far as is known without looking at it.
    pub fn top(&self) -> Option<u64> {
        self.ready.keys().next().copied()
    }

    /// The tick at which something may come back; `None` when nothing waits.
    pub fn next_due(&self) -> Option<Duration> {
        let held = self.held_until().into_iter();
        held.chain(self.later.next()).min()
    }

    fn held_until(&self) -> Option<Duration> {
        self.gather.as_ref().and_then(Gather::next)
    }

    /// Up to `limit` deliveries of one priority whose turn has come.
    pub fn take(&mut self, ledger: &Ledger, limit: usize, moment: Moment) -> Vec<Taken> {
        self.wake(ledger, moment.tick);
        let mut slice = Slice {
            now: moment.now,
            taken: Vec::new(),
            channel: self.channel.clone(),
            ahead: std::mem::take(&mut self.ahead),
            behind: Vec::new(),
        };
        while let Some(mut first) = self.ready.first_entry() {
            let given = first.get_mut().give(limit, &mut slice);
            if given < limit {
                first.remove();
            }
            if given > 0 || limit == 0 {
                break;
            }
        }
        self.ahead = slice.ahead;
        for waiting in slice.behind {
            self.later.put(moment.tick + LOOK_AGAIN, waiting);
        }
        slice.taken
    }

    /// What has come back by now is ready.
    pub fn wake(&mut self, ledger: &Ledger, tick: Duration) {
        let mut known: Option<Arc<Alert>> = None;
        for (block, index) in self.later.advance(tick) {
            if known.as_ref().is_none_or(|a| a.stream != block.stream) {
                known = ledger.alert(block.stream);
            }
            let Some(alert) = &known else { continue };
            if is_open(&block, index, &self.channel) {
                let rank = block.rank;
                self.work(alert, rank).back.push_back((block, index));
            }
        }
    }

    /// Nothing of it was handed after all: it stands where it stood.
    pub fn give_back(&mut self, taken: Vec<Taken>) {
        for one in taken.into_iter().rev() {
            let work = self.work(&one.alert, one.block.rank);
            for place in one.places.into_iter().rev() {
                work.back.push_front((one.block.clone(), place.index));
            }
        }
    }

    fn work(&mut self, alert: &Arc<Alert>, rank: u64) -> &mut Work {
        let bureaus = self.ready.entry(priority(rank)).or_default();
        let alerts = bureaus.holder(&alert.meta.caller, Ring::default);
        alerts.holder(&alert.stream, || Work::new(alert.clone()))
    }
}

/// What is open of one alert.
struct Work {
    alert: Arc<Alert>,
    /// What came back, ahead of what is new.
    back: VecDeque<Waiting>,
    cursors: VecDeque<(Arc<Block>, usize)>,
}

/// What a lane takes at once.
struct Slice {
    now: Timestamp,
    channel: Arc<str>,
    taken: Vec<Taken>,
    ahead: Ahead,
    /// Whose turn it is not, while something older is on its way to the same place.
    behind: Vec<Waiting>,
}

impl Work {
    fn new(alert: Arc<Alert>) -> Self {
        Self {
            alert,
            back: VecDeque::new(),
            cursors: VecDeque::new(),
        }
    }

    /// Behind everything that its plan names before it or with it.
    fn add(&mut self, block: Arc<Block>) {
        let order = |block: &Block| block.rank & ((1 << ORDER) - 1);
        let behind = |(other, _): &(Arc<Block>, usize)| order(other) > order(&block);
        let ahead = self.cursors.iter().rev().take_while(|c| behind(c)).count();
        self.cursors.insert(self.cursors.len() - ahead, (block, 0));
    }
}

impl Holder<Slice> for Work {
    fn give(&mut self, room: usize, slice: &mut Slice) -> usize {
        // All of it ended with its alert.
        if self.alert.withdrawn_by().is_some() {
            return 0;
        }
        let mut given = 0;
        while given < room
            && let Some((block, index)) = self.back.pop_front()
        {
            if is_open(&block, index, &slice.channel) {
                given += usize::from(slice.add(&self.alert, &block, index));
            }
        }
        while given < room
            && let Some((block, at)) = self.cursors.front_mut()
        {
            // A block that is closed as a whole is left at once.
            let open = block.tally(State::Planned) > 0;
            let mut rest = *at..block.len() as usize;
            if let Some(index) = rest.find(|i| open && is_new(block, *i, &slice.channel)) {
                *at = index + 1;
                given += usize::from(slice.add(&self.alert, block, index));
            } else {
                self.cursors.pop_front();
            }
        }
        given
    }
}

impl Slice {
    /// False when its time is over, and the tick closes it, or has not come.
    fn add(&mut self, alert: &Arc<Alert>, block: &Arc<Block>, index: usize) -> bool {
        if self.ahead.holds(block, index) {
            self.behind.push((block.clone(), index));
            return false;
        }
        let variant = block.variant(index);
        let place = place(block, index);
        let same = |t: &&mut Taken| t.variant == variant && Arc::ptr_eq(&t.block, block);
        if let Some(run) = self.taken.iter_mut().rev().find(same) {
            run.places.push(place);
            return true;
        }
        let Some(expires) = alert.expiry_of(variant).filter(|at| *at > self.now) else {
            return false;
        };
        self.taken.push(Taken {
            alert: alert.clone(),
            block: block.clone(),
            variant,
            expires,
            places: vec![place],
        });
        true
    }
}

/// What was given back, or has come from another account, stands among what came back and may still be planned.
fn is_open(block: &Block, index: usize, channel: &str) -> bool {
    matches!(block.state(index), State::Planned | State::Due) && block.is_on(index, channel)
}

fn is_new(block: &Block, index: usize, channel: &str) -> bool {
    block.state(index) == State::Planned && block.is_on(index, channel)
}

fn place(block: &Block, index: usize) -> Place {
    let attempt = block.attempts(index).saturating_add(1);
    let why = match attempt {
        _ if block.flag(index, IN_DOUBT) => Why::InDoubt,
        1 => Why::First,
        _ => Why::Retry,
    };
    Place {
        index,
        attempt,
        why,
    }
}
