//! The drill wall: a drill cannot reach the public. It stands twice, where blocks are written and where a lane hands.
//! This module must not have a way around it.

use cap::{Scope, Status};

use crate::ledger::event::Audience;

/// Whether an alert of this status is sent at all.
pub fn is_sent(status: Status) -> bool {
    match status {
        Status::Actual | Status::Exercise | Status::Test => true,
        Status::System | Status::Draft => false,
    }
}

/// Whether its texts are marked as a drill.
pub fn is_drill(status: Status) -> bool {
    status != Status::Actual
}

/// What goes before every text of it.
pub fn mark(status: Status) -> &'static str {
    match status {
        Status::Actual => "",
        Status::Exercise => "【演练】",
        Status::Test | Status::System | Status::Draft => "【测试】",
    }
}

/// Whoever is called to an outlet is an officer, too, and whoever is to look for a village.
fn holds_office(audience: Audience) -> bool {
    matches!(
        audience,
        Audience::Officers | Audience::Keepers | Audience::Seekers
    )
}

/// Whether this audience may get an alert of this status in a text so marked.
pub fn lets_through(status: Status, audience: Audience, drill: bool) -> bool {
    match status {
        Status::Actual => !drill,
        Status::Exercise | Status::Test => drill && holds_office(audience),
        Status::System | Status::Draft => false,
    }
}

/// Whether blocks for this audience may be written at all. What is restricted is for those whose office it is, what is
/// private is for nobody here.
pub fn admits(status: Status, scope: Scope, audience: Audience) -> bool {
    let scope = match scope {
        Scope::Public => true,
        Scope::Restricted => holds_office(audience),
        Scope::Private => false,
    };
    scope && lets_through(status, audience, is_drill(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_drill_reaches_the_public_and_no_live_text_leaves_as_a_drill() {
        for status in [
            Status::Exercise,
            Status::Test,
            Status::System,
            Status::Draft,
        ] {
            for drill in [false, true] {
                assert!(!lets_through(status, Audience::Public, drill), "{status:?}");
                assert!(
                    !lets_through(status, Audience::Speakers, drill),
                    "{status:?}"
                );
            }
            assert!(
                !lets_through(status, Audience::Officers, false),
                "{status:?}"
            );
            assert!(!mark(status).is_empty());
        }
        assert!(lets_through(Status::Exercise, Audience::Officers, true));
        assert!(lets_through(Status::Actual, Audience::Public, false));
        assert!(!lets_through(Status::Actual, Audience::Public, true));
    }

    #[test]
    fn what_is_not_public_reaches_officers_at_most() {
        for audience in [Audience::Public, Audience::Speakers] {
            assert!(!admits(Status::Actual, Scope::Restricted, audience));
        }
        assert!(admits(
            Status::Actual,
            Scope::Restricted,
            Audience::Officers
        ));
        assert!(!admits(Status::Actual, Scope::Private, Audience::Officers));
        assert!(!admits(Status::Exercise, Scope::Public, Audience::Public));
    }
}
