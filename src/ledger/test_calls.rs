//! Tests of satellite terminals (拨测): which were ordered, and what came of each. Of every endpoint the last one is kept,
//! with the last that said anything. This module must not decide when one is due and must not know an address.

use std::collections::BTreeMap;

use channel::Timestamp;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use super::Event;
use crate::model::{EndpointId, TestResult, TestStanding};

/// On the house stream: these are about to be tested. The first has the number and the serial given, each that follows
/// the next.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TestCalled {
    pub channel: String,
    pub first: u32,
    pub serial: u64,
    pub endpoints: Vec<EndpointId>,
    /// What was not sent by then is not sent.
    pub until: Timestamp,
    /// How long an answer is waited for, in milliseconds.
    pub window: u32,
    /// The bureau that ordered it; empty where it was due.
    pub by: String,
}

impl TestCalled {
    /// The highest serial that is its own.
    pub fn last(&self) -> u64 {
        let count = u64::try_from(self.endpoints.len()).unwrap_or(u64::MAX);
        self.serial.saturating_add(count.saturating_sub(1))
    }
}

/// On the house stream: what came of tests.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Proved {
    pub channel: String,
    pub rows: Vec<ProvedRow>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProvedRow {
    pub endpoint: EndpointId,
    pub number: u32,
    pub result: TestResult,
    /// The far end's own short code.
    pub code: String,
    /// By which the far end speaks of it later.
    pub references: Vec<String>,
    pub far: Option<Timestamp>,
    pub seen: Timestamp,
}

/// The last test of one endpoint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Test {
    pub channel: String,
    pub number: u32,
    pub serial: u64,
    pub ordered: Timestamp,
    pub until: Timestamp,
    pub window: u32,
    pub sent: Option<Timestamp>,
    pub result: Option<TestResult>,
    pub code: String,
}

impl Test {
    /// Neither refused nor concluded.
    pub fn is_open(&self) -> bool {
        matches!(self.result, None | Some(TestResult::Sent))
    }
}

/// What is known of one endpoint by its tests.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Tried {
    pub last: Test,
    /// The last that said anything of the terminal, and when it did.
    pub concluded: Option<(TestResult, Timestamp)>,
    /// When it was last reached or answered.
    pub proved: Option<Timestamp>,
    pub answered: Option<Timestamp>,
}

impl Tried {
    pub fn standing(&self, now: Timestamp) -> TestStanding {
        TestStanding::of(self.concluded, now)
    }

    fn prove(&mut self, row: &ProvedRow) {
        if row.number != self.last.number || self.last.result >= Some(row.result) {
            return;
        }
        let (result, at) = (row.result, row.seen);
        self.last.result = Some(result);
        self.last.code.clone_from(&row.code);
        if result == TestResult::Sent {
            self.last.sent = Some(at);
            let window = std::time::Duration::from_millis(self.last.window.into());
            self.last.until = at.plus(window);
        }
        if result.concludes() {
            self.concluded = Some((result, at));
        }
        if result.proves() {
            self.proved = Some(at);
        }
        if result == TestResult::Answered {
            self.answered = Some(at);
        }
    }
}

#[derive(Default)]
pub struct TestCalls {
    known: RwLock<BTreeMap<EndpointId, Tried>>,
    /// The number that the next has.
    next: RwLock<u32>,
}

impl TestCalls {
    /// Whether the event was one of these.
    pub(super) fn apply(&self, time: Timestamp, event: &Event) -> bool {
        match event {
            Event::TestCalled(tested) => self.order(time, tested),
            Event::Proved(proved) => {
                let mut known = self.known.write();
                for row in &proved.rows {
                    if let Some(tried) = known.get_mut(&row.endpoint) {
                        tried.prove(row);
                    }
                }
            }
            _ => return false,
        }
        true
    }

    fn order(&self, time: Timestamp, tested: &TestCalled) {
        let mut known = self.known.write();
        let mut number = tested.first;
        for (endpoint, serial) in tested.endpoints.iter().zip(tested.serial..) {
            let last = Test {
                channel: tested.channel.clone(),
                number,
                serial,
                ordered: time,
                until: tested.until,
                window: tested.window,
                sent: None,
                result: None,
                code: String::new(),
            };
            number = number.saturating_add(1);
            if let Some(tried) = known.get_mut(endpoint) {
                tried.last = last;
                continue;
            }
            let tried = Tried {
                last,
                concluded: None,
                proved: None,
                answered: None,
            };
            known.insert(*endpoint, tried);
        }
        let mut next = self.next.write();
        *next = number.max(*next);
    }

    pub fn of(&self, endpoint: EndpointId) -> Option<Tried> {
        self.known.read().get(&endpoint).cloned()
    }

    /// What is assumed of it.
    pub fn standing(&self, endpoint: EndpointId, now: Timestamp) -> TestStanding {
        let known = self.known.read();
        let tried = known.get(&endpoint);
        tried.map_or(TestStanding::Off, |tried| tried.standing(now))
    }

    /// Whose last test has this number.
    pub fn numbered(&self, number: u32) -> Option<EndpointId> {
        let known = self.known.read();
        let its = known.iter().find(|(_, tried)| tried.last.number == number);
        its.map(|(endpoint, _)| *endpoint)
    }

    pub fn next(&self) -> u32 {
        *self.next.read()
    }

    pub fn all(&self) -> BTreeMap<EndpointId, Tried> {
        self.known.read().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tested(first: u32, endpoints: &[EndpointId]) -> Event {
        Event::TestCalled(TestCalled {
            channel: "tiantong".into(),
            first,
            serial: 100,
            endpoints: endpoints.to_vec(),
            until: Timestamp(1_000),
            window: 500,
            by: String::new(),
        })
    }

    fn proved(endpoint: EndpointId, number: u32, result: TestResult, at: i64) -> Event {
        let row = ProvedRow {
            endpoint,
            number,
            result,
            code: String::new(),
            references: Vec::new(),
            far: None,
            seen: Timestamp(at),
        };
        Event::Proved(Proved {
            channel: "tiantong".into(),
            rows: vec![row],
        })
    }

    #[test]
    fn a_test_keeps_the_best_that_came_of_it_and_the_one_before_counts_until_it_says_something() {
        let calls = TestCalls::default();
        let apply = |at, event: &Event| assert!(calls.apply(Timestamp(at), event));
        apply(1, &tested(0, &[7, 8]));
        assert_eq!((calls.next(), calls.numbered(1)), (2, Some(8)));
        apply(2, &proved(7, 0, TestResult::Sent, 2));
        assert_eq!(calls.of(7).expect("known").last.until, Timestamp(502));
        apply(3, &proved(7, 0, TestResult::Answered, 3));
        apply(4, &proved(7, 0, TestResult::Reached, 4));
        let on = calls.of(7).expect("known");
        assert_eq!(on.concluded, Some((TestResult::Answered, Timestamp(3))));
        assert_eq!(calls.standing(7, Timestamp(5)), TestStanding::On);
        apply(6, &tested(2, &[7]));
        assert_eq!(calls.standing(7, Timestamp(6)), TestStanding::On);
        apply(7, &proved(7, 0, TestResult::Answered, 7));
        assert_eq!(calls.of(7).expect("known").last.result, None, "of another");
        apply(8, &proved(7, 2, TestResult::Silent, 8));
        assert_eq!(calls.standing(7, Timestamp(9)), TestStanding::Off);
        assert_eq!(calls.of(7).expect("known").answered, Some(Timestamp(3)));
        assert_eq!(calls.standing(8, Timestamp(9)), TestStanding::Off);
        apply(9, &proved(99, 5, TestResult::Answered, 9));
        assert_eq!(calls.of(99), None);
    }
}
