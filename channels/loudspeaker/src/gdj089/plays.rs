//! What this gateway has started at each adapter since it began: by which a stop names what it stops, and by which records
//! are asked for and told once. In memory: a receipt is matched by what stands in it and needs none of this. This module
//! must not decide what a record proves.

use std::collections::HashMap;
use std::time::Duration;

use channel::Timestamp;

use super::bytes::Id;

/// How long after its end a play is still asked for.
const AFTER: Duration = Duration::from_mins(10);

struct Play {
    adapter: usize,
    alert: u64,
    codes: Vec<Id>,
    end: Timestamp,
}

#[derive(Default)]
pub struct Plays {
    started: HashMap<Id, Play>,
    /// The last that was told of each code of each play, and until when that matters.
    told: HashMap<(Id, Id), (u8, Timestamp)>,
}

impl Plays {
    pub fn started(&mut self, adapter: usize, alert: u64, ebm: Id, codes: Vec<Id>, end: Timestamp) {
        let play = Play {
            adapter,
            alert,
            codes,
            end,
        };
        self.started.insert(ebm, play);
    }

    /// The plays of an alert at an adapter that any of these codes was told to sound, with these codes.
    pub fn of(&self, adapter: usize, alert: u64, codes: &[Id]) -> Vec<(Id, Vec<Id>)> {
        let own = self
            .started
            .iter()
            .filter(|(_, play)| play.adapter == adapter && play.alert == alert);
        let meant = own.map(|(ebm, play)| {
            let codes = codes.iter().filter(|code| play.codes.contains(code));
            (ebm.clone(), codes.cloned().collect::<Vec<_>>())
        });
        meant.filter(|(_, codes)| !codes.is_empty()).collect()
    }

    /// Whether an adapter has something of which more may be heard.
    pub fn is_open(&mut self, adapter: usize, now: Timestamp) -> bool {
        self.started.retain(|_, play| play.end.plus(AFTER) > now);
        self.told.retain(|_, (_, until)| *until > now);
        let told = |ebm: &Id, code: &Id| {
            let state = self.told.get(&(ebm.clone(), code.clone()));
            state.is_some_and(|(state, _)| *state >= super::report::PLAYED)
        };
        let open = |(ebm, play): (&Id, &Play)| {
            play.adapter == adapter && !play.codes.iter().all(|code| told(ebm, code))
        };
        self.started.iter().any(open)
    }

    /// Whether this is new of this code; then it is told.
    pub fn news(&mut self, ebm: &Id, code: &Id, state: u8, until: Timestamp) -> bool {
        let before = self
            .told
            .insert((ebm.clone(), code.clone()), (state, until));
        before.is_none_or(|(before, _)| before != state)
    }

    /// It could not be kept: it will be told again.
    pub fn forget(&mut self, ebm: &Id, code: &Id) {
        self.told.remove(&(ebm.clone(), code.clone()));
    }
}
