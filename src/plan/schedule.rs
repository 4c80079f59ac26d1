//! When each [[send]] of a plan is due, and for whom: a low warning waits for the morning, and so does whatever is good news.
//! What is due later is a step of its own; its moment is journaled with the release, so that a restart changes nothing.
//! This module must not read a clock.

use channel::{Level, Timestamp};

use super::quiet::Quiet;
use super::rules::{Plan, Send};
use crate::ledger::event::Class;
use crate::ledger::silence::FIRST_LOOK;

/// The moments of a release. The first is the release itself, even where all of it waits; empty where all of it is due at
/// once. A later one may have been added.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Schedule {
    pub due: Vec<Timestamp>,
}

/// A warning that may wait for the morning. What nobody has judged may not.
pub fn is_low(handled: Level) -> bool {
    matches!(handled, Level::Yellow | Level::Blue)
}

/// The end of the night that this waits for. What should never have been issued is taken back at any hour.
pub fn held_until(
    quiet: Option<Quiet>,
    handled: Level,
    class: Class,
    due: Timestamp,
) -> Option<Timestamp> {
    let waits = class.is_calm() || (is_low(handled) && class != Class::Revoked);
    quiet.filter(|_| waits)?.until(due)
}

impl Schedule {
    /// Of what is due at these moments.
    pub fn of(released: Timestamp, due: impl IntoIterator<Item = Timestamp>) -> Self {
        let mut all = vec![released];
        all.extend(due);
        all[1..].sort_unstable();
        all.dedup();
        Self { due: all }
    }

    /// The moment of the release.
    pub fn base(&self) -> Timestamp {
        self.due.first().copied().unwrap_or(Timestamp(0))
    }

    /// The step in which something is told that is due then.
    pub fn step_of(&self, due: Timestamp) -> u16 {
        let steps = (0..).zip(&self.due);
        let in_time = steps.clone().filter(|(_, at)| **at >= due);
        let first = in_time.min_by_key(|(_, at)| **at);
        let step = first.or_else(|| steps.max_by_key(|(_, at)| **at));
        step.map_or(0, |(step, _)| step)
    }

    /// Whether something that is due then is told in this step, where no step before it has told it.
    pub fn tells(&self, due: Timestamp, step: u16) -> bool {
        // What a look at silent villages says is due with it.
        if step >= FIRST_LOOK {
            return true;
        }
        let at = |step: u16| self.due.get(usize::from(step)).copied();
        at(self.step_of(due)).is_none_or(|own| at(step).is_some_and(|now| own <= now))
    }
}

impl Plan {
    /// Every moment at which any of its sends may be due; a correction may be good news to some and bad to others.
    pub fn moments(&self, handled: Level, released: Timestamp, corrects: bool) -> Vec<Timestamp> {
        let classes: &[Class] = if corrects {
            &[Class::Original, Class::Lifted]
        } else {
            &[Class::Original]
        };
        let sends = self.send.iter();
        let due = sends.flat_map(|send| classes.iter().map(|c| send.due(handled, released, *c)));
        due.collect()
    }
}

impl Send {
    /// When it is due without the night.
    pub fn begins(&self, released: Timestamp) -> Timestamp {
        self.after.map_or(released, |after| released.plus(after.0))
    }

    pub fn due(&self, handled: Level, released: Timestamp, class: Class) -> Timestamp {
        let due = self.begins(released);
        held_until(self.quiet, handled, class, due).unwrap_or(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::plan;

    const SENDS: [(&str, &str, &str); 3] = [
        ("speakers", "horn", "quiet = \"22:00-06:30\""),
        ("officers", "sms", ""),
        ("officers", "mail", "after = \"10m\""),
    ];

    const NIGHT: Timestamp = Timestamp::from_secs(1_784_041_200); // 23:00 in Beijing
    const DAY: Timestamp = Timestamp::from_secs(1_784_077_200); // 09:00

    /// The steps by their hour, and in which of them each send tells a class.
    fn steps(handled: Level, released: Timestamp, class: Class) -> (Vec<String>, Vec<u16>) {
        let plan = Plan::parse(plan(&SENDS).as_bytes()).expect("a plan");
        let corrects = class != Class::Original;
        let schedule = Schedule::of(released, plan.moments(handled, released, corrects));
        let hours = schedule
            .due
            .iter()
            .map(|due| due.to_string()[11..16].to_owned());
        let step = |send: &Send| schedule.step_of(send.due(handled, released, class));
        (hours.collect(), plan.send.iter().map(step).collect())
    }

    #[test]
    fn a_low_warning_waits_for_the_morning_and_a_high_one_never() {
        let (hours, told) = steps(Level::Yellow, NIGHT, Class::Original);
        assert_eq!(hours, ["15:00", "15:10", "22:30"]);
        assert_eq!(told, [2, 0, 1]);
        for level in [Level::Red, Level::Orange, Level::Unknown] {
            let (hours, told) = steps(level, NIGHT, Class::Original);
            assert_eq!(hours, ["15:00", "15:10"], "{level:?}");
            assert_eq!(told, [0, 0, 1], "{level:?}");
        }
        let (hours, told) = steps(Level::Blue, DAY, Class::Original);
        assert_eq!(hours, ["01:00", "01:10"]);
        assert_eq!(told, [0, 0, 1]);
    }

    #[test]
    fn good_news_waits_for_the_morning_whatever_its_level_and_a_mistake_never() {
        for class in Class::ALL.into_iter().filter(|c| *c != Class::Original) {
            let (_, told) = steps(Level::Red, NIGHT, class);
            let speakers = if class.is_calm() { 2 } else { 0 };
            assert_eq!(told, [speakers, 0, 1], "{class:?}");
        }
        assert_eq!(steps(Level::Blue, NIGHT, Class::Revoked).1, [0, 0, 1]);
        assert_eq!(steps(Level::Blue, NIGHT, Class::Upgraded).1, [2, 0, 1]);
    }

    #[test]
    fn a_step_tells_what_was_due_before_it_and_nothing_that_is_due_later() {
        let at = Timestamp::from_secs;
        let schedule = Schedule {
            due: vec![at(0), at(100), at(50)],
        };
        assert_eq!(
            [0, 30, 50, 60, 100, 200].map(|due| schedule.step_of(at(due))),
            [0, 2, 2, 1, 1, 1]
        );
        assert!(schedule.tells(at(0), 0) && schedule.tells(at(0), 2) && schedule.tells(at(0), 1));
        assert!(!schedule.tells(at(60), 2) && schedule.tells(at(60), 1));
        assert!(schedule.tells(at(200), 1), "nothing is left over");
        assert!(Schedule::default().tells(at(200), 0), "all at once");
    }
}
