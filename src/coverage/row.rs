//! One row of a roll-up: the figures of one region and whether they add up. Counts of households, people, speakers and
//! officers stand apart and are never mixed. This module must not read the ledger: it is handed answers.

use serde::Serialize;
use utoipa::ToSchema;

use super::doors::Tally;
use crate::ledger::event::GroundHousehold;
use crate::model::{Answer, Grade, Missed, RegionCode};

/// Households by the grade of their best answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
pub struct ReachedBy {
    pub confirmed: u32,
    pub delivered: u32,
    pub played: u32,
}

impl ReachedBy {
    pub const fn all(self) -> u32 {
        self.confirmed + self.delivered + self.played
    }
}

/// Households by why they were missed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
pub struct MissedWhy {
    pub no_endpoint: u32,
    pub refused: u32,
    pub failed: u32,
    pub expired: u32,
    pub withdrawn: u32,
}

impl MissedWhy {
    pub const fn all(self) -> u32 {
        self.no_endpoint + self.refused + self.failed + self.expired + self.withdrawn
    }
}

/// Village speakers, each counted once by its best answer: the second column, never added to households.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
#[schema(as = SpeakerFigures)]
pub struct Speakers {
    pub total: u32,
    pub played: u32,
    pub failed: u32,
    pub unknown: u32,
    pub pending: u32,
    /// This alert has no delivery for them.
    pub not_called: u32,
}

/// Officers who were called, each counted once however many posts they hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
#[schema(as = OfficerFigures)]
pub struct Officers {
    pub total: u32,
    pub reached: u32,
    pub missed: u32,
    pub unknown: u32,
    pub pending: u32,
}

/// The figures of one region, or of one local group of a village.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Row {
    pub region: RegionCode,
    /// The local group below the village; 0 for households without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<u8>,
    pub name: String,
    /// Households at release (户籍户).
    pub households: u32,
    /// All of it away (全家外出): apart from every denominator.
    pub away: u32,
    /// Households at home (在家户): the denominator of everything below.
    pub at_home: u32,
    pub reached: ReachedBy,
    pub missed: MissedWhy,
    pub unknown: u32,
    pub pending: u32,
    /// Of those that are pending, who is held by the night rule (静默暂缓).
    pub held: u32,
    /// People at release; known for villages and above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub people: Option<u32>,
    pub speakers: Speakers,
    pub officers: Officers,
}

impl Row {
    pub fn new(region: RegionCode, group: Option<u8>, name: String) -> Self {
        Self {
            region,
            group,
            name,
            households: 0,
            away: 0,
            at_home: 0,
            reached: ReachedBy::default(),
            missed: MissedWhy::default(),
            unknown: 0,
            pending: 0,
            held: 0,
            people: group.is_none().then_some(0),
            speakers: Speakers::default(),
            officers: Officers::default(),
        }
    }

    /// Every household stands in exactly one place, every speaker and every officer too.
    pub const fn adds_up(&self) -> bool {
        let told = self.reached.all() + self.missed.all() + self.unknown + self.pending;
        let speakers = &self.speakers;
        let called = speakers.played + speakers.failed + speakers.unknown + speakers.pending;
        let officers = &self.officers;
        self.at_home + self.away == self.households
            && told == self.at_home
            && self.held <= self.pending
            && called + speakers.not_called == speakers.total
            && officers.reached + officers.missed + officers.unknown + officers.pending
                == officers.total
    }

    pub(super) fn count(&mut self, household: &GroundHousehold, answer: Answer, held: bool) {
        self.households += 1;
        if household.away {
            self.away += 1;
            return;
        }
        self.at_home += 1;
        self.held += u32::from(held);
        *self.place(answer) += 1;
    }

    /// Many doors at once.
    pub(super) fn add(&mut self, tally: &Tally) {
        self.away += tally.away;
        self.held += tally.held;
        self.households += tally.away;
        for (rank, count) in (0..).zip(tally.at_home) {
            self.at_home += count;
            self.households += count;
            *self.place(Answer::of_rank(rank)) += count;
        }
    }

    fn place(&mut self, answer: Answer) -> &mut u32 {
        match answer {
            Answer::Reached(Grade::Confirmed) => &mut self.reached.confirmed,
            Answer::Reached(Grade::Delivered) => &mut self.reached.delivered,
            Answer::Reached(Grade::Played) => &mut self.reached.played,
            Answer::Pending => &mut self.pending,
            Answer::Unknown => &mut self.unknown,
            Answer::Missed(Missed::NoEndpoint) => &mut self.missed.no_endpoint,
            Answer::Missed(Missed::Refused) => &mut self.missed.refused,
            Answer::Missed(Missed::Failed) => &mut self.missed.failed,
            Answer::Missed(Missed::Expired) => &mut self.missed.expired,
            Answer::Missed(Missed::Withdrawn) => &mut self.missed.withdrawn,
        }
    }
}

impl Speakers {
    pub(super) fn count(&mut self, answer: Answer) {
        self.total += 1;
        let place = match answer {
            Answer::Reached(_) => &mut self.played,
            Answer::Pending => &mut self.pending,
            Answer::Unknown => &mut self.unknown,
            Answer::Missed(_) => &mut self.failed,
        };
        *place += 1;
    }

    /// `known`: how many stood there at release.
    pub(super) fn silent(&mut self, called: u32, known: u32) {
        let rest = known.saturating_sub(called);
        self.not_called += rest;
        self.total += rest;
    }
}

impl Officers {
    pub(super) fn count(&mut self, answer: Answer) {
        self.total += 1;
        let place = match answer {
            Answer::Reached(_) => &mut self.reached,
            Answer::Pending => &mut self.pending,
            Answer::Unknown => &mut self.unknown,
            Answer::Missed(_) => &mut self.missed,
        };
        *place += 1;
    }
}
