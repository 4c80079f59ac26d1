//! When each [[send]] of a plan is due. What is due later is a step of its own; its moment is journaled with the release,
//! so that a restart changes nothing. This module must not read a clock.

use channel::{Level, Timestamp};

use super::rules::{Plan, Send};

/// Sends that are due together, by their place in the plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    pub due: Timestamp,
    pub sends: Vec<usize>,
}

/// A warning that may wait for the morning. What nobody has judged may not.
pub fn is_low(handled: Level) -> bool {
    matches!(handled, Level::Yellow | Level::Blue)
}

impl Plan {
    /// The steps in their order. The first is the release itself, even where all of it waits.
    pub fn steps(&self, handled: Level, released: Timestamp) -> Vec<Step> {
        let mut steps = vec![Step {
            due: released,
            sends: Vec::new(),
        }];
        let mut sends: Vec<_> = self.send.iter().enumerate().collect();
        sends.sort_by_key(|(_, send)| send.due(handled, released));
        for (at, send) in sends {
            let due = send.due(handled, released);
            match steps.last_mut() {
                Some(last) if last.due == due => last.sends.push(at),
                _ => steps.push(Step {
                    due,
                    sends: vec![at],
                }),
            }
        }
        steps
    }
}

impl Send {
    fn due(&self, handled: Level, released: Timestamp) -> Timestamp {
        let due = self.after.map_or(released, |after| released.plus(after.0));
        self.held_until(handled, due).unwrap_or(due)
    }

    /// The end of the night that it waits for.
    pub fn held_until(&self, handled: Level, due: Timestamp) -> Option<Timestamp> {
        self.quiet.filter(|_| is_low(handled))?.until(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = r#"
        name = "p"
        language = "zh-CN"
        lifetime = "12h"
        [[send]]
        audience = "speakers"
        channels = ["horn"]
        receipt_window = "5m"
        quiet = "22:00-06:30"
        [[send]]
        audience = "officers"
        channels = ["sms"]
        receipt_window = "5m"
        [[send]]
        audience = "officers"
        channels = ["mail"]
        receipt_window = "5m"
        after = "10m"
    "#;

    fn steps(handled: Level, released: &str) -> Vec<(String, Vec<usize>)> {
        let plan = Plan::parse(PLAN.as_bytes()).expect("a plan");
        let released: i64 = released.parse().expect("seconds");
        let steps = plan.steps(handled, Timestamp::from_secs(released));
        let shown = |s: Step| (s.due.to_string()[11..16].to_owned(), s.sends);
        steps.into_iter().map(shown).collect()
    }

    #[test]
    fn a_low_warning_waits_for_the_morning_and_a_high_one_never() {
        let (night, day) = ("1784041200", "1784077200"); // 23:00 and 09:00 in Beijing
        let at = |t: &str, sends: &[usize]| (t.to_owned(), sends.to_vec());
        assert_eq!(
            steps(Level::Yellow, night),
            [at("15:00", &[1]), at("15:10", &[2]), at("22:30", &[0])]
        );
        for level in [Level::Red, Level::Orange, Level::Unknown] {
            let never = [at("15:00", &[0, 1]), at("15:10", &[2])];
            assert_eq!(steps(level, night), never, "{level:?}");
        }
        assert_eq!(
            steps(Level::Blue, day),
            [at("01:00", &[0, 1]), at("01:10", &[2])]
        );
    }
}
