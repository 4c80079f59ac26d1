//! What a spent budget holds for a person: what is low and new, and nothing else. This module must not count what was
//! spent.

use channel::{Capability, EndpointKind, Level, Style};

use super::routes::Outlets;
use super::rules::Plan;
use super::schedule::is_low;
use crate::model::StreamId;

/// Whether a channel sends text messages to telephones: those are filed and paid for, other short texts are not.
pub fn is_text(outlet: &Capability) -> bool {
    outlet.style == Style::Short && outlet.speaks_to == EndpointKind::Mobile
}

/// Whether an alert waits for a person while its bureau's month is spent. Red and orange never do, nor what nobody has
/// graded, nor a correction of what was sent, nor a drill, nor what costs nothing.
pub fn holds(
    alert: &cap::Alert,
    handled: Level,
    hits: &[StreamId],
    (plan, outlets): (&Plan, &Outlets),
) -> bool {
    let new = match alert.msg_type {
        cap::MsgType::Alert => true,
        cap::MsgType::Update => hits.is_empty(),
        _ => false,
    };
    let mut channels = plan.send.iter().flat_map(|send| &send.channels);
    let texts = channels.any(|name| {
        let outlet = outlets.get(name);
        outlet.is_some_and(|outlet| is_text(&outlet))
    });
    is_low(handled) && new && texts && alert.status == cap::Status::Actual
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{CODES, Said, alert, geocode, outlets, plan};
    use super::*;

    fn held(change: impl FnOnce(&mut cap::Alert), handled: Level, hits: &[StreamId]) -> bool {
        let mut alert = alert(&[Said::red(&geocode(CODES, "510727"))]);
        change(&mut alert);
        let plan = plan(&[("public", "sms", "")]);
        let plan = Plan::parse(plan.as_bytes()).expect("a plan");
        holds(&alert, handled, hits, (&plan, &outlets()))
    }

    #[test]
    fn yellow_and_blue_are_held_and_nothing_above_them() {
        let levels = [
            (Level::Blue, true),
            (Level::Yellow, true),
            (Level::Orange, false),
            (Level::Red, false),
            (Level::Unknown, false),
        ];
        for (level, holds) in levels {
            assert_eq!(held(|_| {}, level, &[]), holds, "{level:?}");
        }
    }

    #[test]
    fn a_correction_of_what_was_sent_and_a_drill_are_never_held() {
        use cap::MsgType::{Cancel, Update};
        let yellow = |kind, hits: &[StreamId]| held(|a| a.msg_type = kind, Level::Yellow, hits);
        assert!(!yellow(Update, &[4]) && !yellow(Cancel, &[4]) && !yellow(Cancel, &[]));
        assert!(yellow(Update, &[]), "it corrects nothing that is here");
        for status in [cap::Status::Exercise, cap::Status::Test] {
            assert!(!held(|a| a.status = status, Level::Yellow, &[]));
        }
    }

    #[test]
    fn what_costs_nothing_is_not_held() {
        let alert = alert(&[Said::red(&geocode(CODES, "510727"))]);
        let plan = plan(&[("speakers", "horn", "")]);
        let plan = Plan::parse(plan.as_bytes()).expect("a plan");
        assert!(!holds(&alert, Level::Yellow, &[], (&plan, &outlets())));
    }
}
