//! When a delivery goes on by another account of its route: a pure decision over the outcome and what the account still
//! allows. This module must not choose the account and must not read a clock.

use channel::{Failure, FailureClass};

use crate::ledger::rerouted::Detour;

/// What one outcome finds.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    pub failure: &'a Failure,
    /// Attempts by this account, with the one that has just failed.
    pub tries: u8,
    /// How many it may make.
    pub attempts: u8,
    /// The account takes nothing from anybody.
    pub away: bool,
}

/// Why it goes on by another account, if one is left; nothing where this account goes on with it or where nobody could
/// take it. A refused text is refused everywhere, and so is a number that nobody has.
pub fn decide(case: Case<'_>) -> Option<Detour> {
    if case.failure.not_served {
        return Some(Detour::NotServed);
    }
    match case.failure.class {
        FailureClass::BadAddress | FailureClass::BadContent => None,
        // What may have been sent is sent again by the other: a repeated warning is a nuisance.
        FailureClass::Transient | FailureClass::InDoubt if case.tries >= case.attempts => {
            Some(Detour::Spent)
        }
        FailureClass::Transient
        | FailureClass::InDoubt
        | FailureClass::Throttled
        | FailureClass::LinkDown => case.away.then_some(Detour::Away),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(class: FailureClass, tries: u8, away: bool) -> Option<Detour> {
        let failure = Failure::new(class, "x", "y");
        decide(Case {
            failure: &failure,
            tries,
            attempts: 4,
            away,
        })
    }

    #[test]
    fn every_class_has_its_own_detour() {
        use FailureClass::{BadAddress, BadContent, InDoubt, LinkDown, Throttled, Transient};
        for (class, fresh, spent, away) in [
            (Transient, None, Some(Detour::Spent), Some(Detour::Away)),
            (InDoubt, None, Some(Detour::Spent), Some(Detour::Away)),
            (Throttled, None, None, Some(Detour::Away)),
            (LinkDown, None, None, Some(Detour::Away)),
            (BadAddress, None, None, None),
            (BadContent, None, None, None),
        ] {
            assert_eq!(why(class, 3, false), fresh, "{class:?}");
            assert_eq!(why(class, 4, false), spent, "{class:?}");
            assert_eq!(why(class, 3, true), away, "{class:?}");
        }
    }

    #[test]
    fn a_number_that_the_far_end_does_not_serve_goes_on_at_once() {
        let failure = Failure::new(FailureClass::BadAddress, "cmpp:9", "y").not_served();
        let case = Case {
            failure: &failure,
            tries: 1,
            attempts: 4,
            away: false,
        };
        assert_eq!(decide(case), Some(Detour::NotServed));
    }
}
