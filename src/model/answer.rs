//! The answer to "was this door reached?": *reached* with its grade, *missed* with why, *unknown*, or *pending*, which
//! is not yet an answer. A pure function of state and evidence. This module must not sum anything: figures are the
//! coverage room's.

use channel::Evidence;
use serde::{Deserialize, Serialize};

use super::State;

/// How well a household was told, best last. Percentages always print their grade.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// 播出: a speaker that it can hear has proven play of the whole message.
    Played,
    /// 手机送达: a device of one of its people has it.
    Delivered,
    /// 本人确认: one of its people answered.
    Confirmed,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missed {
    /// No endpoint that this plan uses.
    NoEndpoint,
    /// The far end will not take this address or this message.
    Refused,
    /// Tried to the end without success.
    Failed,
    /// Its time was over before it was sent.
    Expired,
    /// Withdrawn before it was sent.
    Withdrawn,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "answer", content = "by")]
pub enum Answer {
    Reached(Grade),
    Pending,
    Unknown,
    Missed(Missed),
}

/// What the far end said last against a delivery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Denial {
    None,
    /// It took it and did not bring it.
    NotNow,
    /// It will not take this address or this message.
    Never,
}

impl Denial {
    pub const ALL: [Self; 3] = [Self::None, Self::NotNow, Self::Never];
}

impl Answer {
    /// The answer of one delivery. A definite denial is better known than silence: what nobody waits for any longer and
    /// was then denied is missed. A proof is better known than either. `speaker`: proof is a played report, which is its
    /// own grade.
    pub fn of(state: State, evidence: Evidence, denial: Denial, speaker: bool) -> Self {
        match (evidence, state) {
            (Evidence::Acknowledged, _) if speaker => Self::Reached(Grade::Played),
            (Evidence::Acknowledged, _) => Self::Reached(Grade::Confirmed),
            (Evidence::Delivered, _) if !speaker => Self::Reached(Grade::Delivered),
            (_, State::Planned | State::Handed | State::Awaiting | State::Due) => Self::Pending,
            (_, State::Failed | State::Done) if denial == Denial::Never => {
                Self::Missed(Missed::Refused)
            }
            (_, State::Failed) => Self::Missed(Missed::Failed),
            (_, State::Done) if denial == Denial::NotNow => Self::Missed(Missed::Failed),
            // Accepted and then over: the far end may have brought it, nobody knows.
            (Evidence::Accepted | Evidence::Delivered, _) | (_, State::Done) => Self::Unknown,
            (_, State::Expired) => Self::Missed(Missed::Expired),
            (_, State::Withdrawn) => Self::Missed(Missed::Withdrawn),
        }
    }

    /// How good this answer is for a household that has several: the best counts.
    pub fn rank(self) -> u8 {
        match self {
            Self::Reached(grade) => 10 + grade as u8,
            Self::Pending => 6,
            Self::Unknown => 5,
            Self::Missed(why) => why as u8,
        }
    }

    /// More than the highest rank: a power of two, so that a rank needs no bound.
    pub const RANKS: usize = 16;

    /// The answer of a rank; the least where nothing was said.
    pub fn of_rank(rank: u8) -> Self {
        match rank {
            12 => Self::Reached(Grade::Confirmed),
            11 => Self::Reached(Grade::Delivered),
            10 => Self::Reached(Grade::Played),
            6 => Self::Pending,
            5 => Self::Unknown,
            4 => Self::Missed(Missed::Withdrawn),
            3 => Self::Missed(Missed::Expired),
            2 => Self::Missed(Missed::Failed),
            1 => Self::Missed(Missed::Refused),
            _ => Self::Missed(Missed::NoEndpoint),
        }
    }

    #[must_use]
    pub fn best(self, other: Self) -> Self {
        if other.rank() > self.rank() {
            other
        } else {
            self
        }
    }
}

/// The rank of every answer that a delivery can have, so that a million of them are looked up and not decided one by one.
pub struct Ranks([u8; 128]);

impl Ranks {
    pub fn of(speaker: bool) -> Self {
        const EVIDENCE: [Evidence; 4] = [
            Evidence::None,
            Evidence::Accepted,
            Evidence::Delivered,
            Evidence::Acknowledged,
        ];
        let mut ranks = [0; 128];
        for state in State::ALL {
            for evidence in EVIDENCE {
                for denial in Denial::ALL {
                    let at = Self::place(state as u8, evidence as u8, denial);
                    ranks[at] = Answer::of(state, evidence, denial, speaker).rank();
                }
            }
        }
        Self(ranks)
    }

    /// State and evidence as they are stored.
    pub fn get(&self, state: u8, evidence: u8, denial: Denial) -> u8 {
        self.0[Self::place(state, evidence, denial)]
    }

    const fn place(state: u8, evidence: u8, denial: Denial) -> usize {
        ((denial as usize) << 5) | ((evidence as usize & 3) << 3) | (state as usize & 7)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted_alone_is_never_reached() {
        for state in State::ALL {
            for speaker in [false, true] {
                let answer = Answer::of(state, Evidence::Accepted, Denial::None, speaker);
                assert!(!matches!(answer, Answer::Reached(_)), "{state:?}");
            }
        }
        assert_eq!(
            Answer::of(State::Done, Evidence::Accepted, Denial::None, false),
            Answer::Unknown
        );
    }

    #[test]
    fn every_final_state_has_a_final_answer() {
        let denials = [Denial::None, Denial::NotNow, Denial::Never];
        let all = State::ALL
            .into_iter()
            .flat_map(|state| denials.map(|denial| (state, denial)));
        for (state, denial) in all {
            for evidence in [
                Evidence::None,
                Evidence::Accepted,
                Evidence::Delivered,
                Evidence::Acknowledged,
            ] {
                let answer = Answer::of(state, evidence, denial, false);
                if state.is_final() {
                    assert_ne!(answer, Answer::Pending, "{state:?} {evidence:?}");
                }
            }
        }
    }

    #[test]
    fn a_denial_that_came_after_the_end_is_better_known_than_silence() {
        let closed = |denial| Answer::of(State::Done, Evidence::Accepted, denial, false);
        assert_eq!(closed(Denial::None), Answer::Unknown);
        assert_eq!(closed(Denial::NotNow), Answer::Missed(Missed::Failed));
        assert_eq!(closed(Denial::Never), Answer::Missed(Missed::Refused));
        let open = Answer::of(State::Due, Evidence::Accepted, Denial::Never, false);
        assert_eq!(open, Answer::Pending, "what is tried again is not over");
    }

    #[test]
    fn a_late_proof_reaches_whatever_the_state() {
        for state in State::ALL {
            assert_eq!(
                Answer::of(state, Evidence::Delivered, Denial::Never, false),
                Answer::Reached(Grade::Delivered)
            );
        }
    }

    #[test]
    fn a_rank_is_its_answer_and_every_answer_has_one() {
        for speaker in [false, true] {
            let ranks = Ranks::of(speaker);
            for state in State::ALL {
                for evidence in [
                    Evidence::None,
                    Evidence::Accepted,
                    Evidence::Delivered,
                    Evidence::Acknowledged,
                ] {
                    for denial in Denial::ALL {
                        let answer = Answer::of(state, evidence, denial, speaker);
                        let rank = ranks.get(state as u8, evidence as u8, denial);
                        assert_eq!(Answer::of_rank(rank), answer);
                        assert!(usize::from(rank) < Answer::RANKS);
                    }
                }
            }
        }
        assert_eq!(Answer::of_rank(0), Answer::Missed(Missed::NoEndpoint));
        assert_eq!(Answer::Missed(Missed::NoEndpoint).rank(), 0);
    }

    #[test]
    fn the_best_answer_counts() {
        let missed = Answer::Missed(Missed::Refused);
        assert_eq!(missed.best(Answer::Unknown), Answer::Unknown);
        assert_eq!(Answer::Unknown.best(Answer::Pending), Answer::Pending);
        let played = Answer::Reached(Grade::Played);
        assert_eq!(played.best(Answer::Pending), played);
        assert_eq!(
            played.best(Answer::Reached(Grade::Delivered)),
            Answer::Reached(Grade::Delivered)
        );
    }
}
