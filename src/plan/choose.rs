//! Which plan takes an alert, and why the others do not. This module must not look at what a plan would send.

use channel::Level;

use super::rules::{Plan, Plans, When};
use super::target::Targets;
use crate::model::{RegionCode, TagNames};

/// What a plan is asked about.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub alert: &'a cap::Alert,
    pub targets: &'a Targets,
    /// What tags are called.
    pub tags: &'a TagNames,
}

/// The plan that takes an alert, and the level by which it is handled.
pub struct Choice<'a> {
    pub plan: &'a Plan,
    pub bytes: &'a [u8],
    pub handled: Level,
}

/// What became of one plan in its turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    Takes,
    /// It raised the level for those after it.
    Raises(Level),
    /// One condition does not hold.
    Refuses(Condition),
    /// Another had taken the alert already.
    NotAsked,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Condition {
    Level,
    Event,
    Status,
    Scope,
    Sender,
    Region,
    Zone,
    Tag,
}

impl Plans {
    pub fn choose<'a>(&'a self, asked: Asked<'_>) -> Option<Choice<'a>> {
        let mut handled = super::level(asked.alert);
        for (plan, bytes) in self.with_bytes() {
            match plan.turn(asked, handled) {
                Turn::Takes => {
                    let handled = plan.raise.map_or(handled, |to| to.min(handled));
                    return Some(Choice {
                        plan,
                        bytes,
                        handled,
                    });
                }
                Turn::Raises(to) => handled = to,
                Turn::Refuses(_) | Turn::NotAsked => {}
            }
        }
        None
    }

    /// Every plan's turn, in order.
    pub fn turns(&self, asked: Asked<'_>) -> Vec<(&Plan, Turn)> {
        let mut handled = super::level(asked.alert);
        let mut taken = false;
        let turn = |plan| {
            let turn = if taken {
                Turn::NotAsked
            } else {
                Plan::turn(plan, asked, handled)
            };
            taken |= turn == Turn::Takes;
            if let Turn::Raises(to) = turn {
                handled = to;
            }
            (plan, turn)
        };
        self.iter().map(turn).collect()
    }

    /// Whether any plan names this scope.
    pub fn admits(&self, scope: cap::Scope) -> bool {
        self.iter().any(|plan| plan.when.admits(scope))
    }
}

impl Plan {
    fn turn(&self, asked: Asked<'_>, handled: Level) -> Turn {
        match (self.when.fails(asked, handled), self.raise) {
            (Some(condition), _) => Turn::Refuses(condition),
            (None, Some(to)) if self.send.is_empty() => Turn::Raises(to.min(handled)),
            (None, _) => Turn::Takes,
        }
    }
}

impl When {
    /// A plan that names no scope is for the public's warnings.
    fn admits(&self, scope: cap::Scope) -> bool {
        if self.scopes.is_empty() {
            scope == cap::Scope::Public
        } else {
            self.scopes.contains(&scope)
        }
    }

    /// The first condition that does not hold.
    fn fails(&self, asked: Asked<'_>, handled: Level) -> Option<Condition> {
        let alert = asked.alert;
        let any = |named: bool, holds: bool| !named || holds;
        let checks = [
            (
                Condition::Level,
                any(!self.levels.is_empty(), self.levels.contains(&handled)),
            ),
            (
                Condition::Event,
                any(!self.events.is_empty(), self.has_event(alert)),
            ),
            (
                Condition::Status,
                any(
                    !self.statuses.is_empty(),
                    self.statuses.contains(&alert.status),
                ),
            ),
            (Condition::Scope, self.admits(alert.scope)),
            (
                Condition::Sender,
                any(
                    !self.senders.is_empty(),
                    self.senders.contains(&alert.sender),
                ),
            ),
            (
                Condition::Region,
                any(
                    !self.regions.is_empty(),
                    self.reaches(&asked.targets.regions),
                ),
            ),
            (
                Condition::Zone,
                any(!self.zones.is_empty(), self.has_zone(&asked.targets.zones)),
            ),
            (
                Condition::Tag,
                any(!self.tags.is_empty(), self.has_tag(asked)),
            ),
        ];
        let failed = checks.into_iter().find(|(_, holds)| !holds);
        failed.map(|(condition, _)| condition)
    }

    fn has_event(&self, alert: &cap::Alert) -> bool {
        let mut codes = alert.infos.iter().flat_map(|i| &i.event_codes);
        codes.any(|code| {
            self.events
                .iter()
                .any(|e| code.value.starts_with(e.as_str()))
        })
    }

    fn has_zone(&self, hit: &[String]) -> bool {
        self.zones.iter().any(|zone| hit.contains(zone))
    }

    fn has_tag(&self, asked: Asked<'_>) -> bool {
        let mut tags = self.tags.iter().filter_map(|name| asked.tags.named(name));
        tags.any(|tag| asked.targets.tags.has(tag))
    }

    fn reaches(&self, hit: &[RegionCode]) -> bool {
        let meets = |own: &RegionCode| hit.iter().any(|r| r.covers(*own) || own.covers(*r));
        self.regions.iter().any(meets)
    }
}
