//! Random histories that could have happened: a list of small numbers becomes proposals, each checked against a ledger of
//! its own. Receipts come late, twice, before their settlement and for what is over; attempts come back old. This module
//! must not bring an event that does not fit.

use std::collections::BTreeMap;
use std::time::Duration;

use channel::{
    Action, Authority, Evidence, FailureClass, Level, PresenceState, Scene, Timestamp, Verdict,
};

use super::super::boxes::{Mend, Teller, TestedRow, Trouble};
use super::super::devices::{Done, DoneRow, Enrolled, Invited, Ordered, Rekeyed};
use super::super::event::*;
use super::super::quakes::{Relayed, ShockRow, Shown, Status};
use super::super::recordings::{Clip, Format, Subject};
use super::super::rerouted::{Detour, runs};
use super::super::seal::{Card, Sealed, Sealing, Totals};
use super::super::{Alert, Correlator, Event, Found, Ledger, Proposal};
use super::kit::{
    START, accepted, block, ground, identity, overdue_is_a_recount, variant, village,
};
use crate::model::{Carrier, Delivery, Grade, Month, OWN_ENDPOINTS, StreamId, TestResult};

/// Versions of a few recordings, and words on them in any order.
fn recorded(a: u16, b: u16) -> Event {
    let (id, by) = (u32::from(b % 8), "duty".to_owned());
    match a % 3 {
        1 => return Event::Heard(Heard { id, by }),
        2 => return Event::Retired(Retired { id, by }),
        _ => {}
    }
    Event::Recorded(Box::new(Recorded {
        id,
        of: Subject {
            event: "11A51".into(),
            level: None,
            response: None,
            language: ["qxs", "bqh"][usize::from(b % 2)].into(),
            drill: id > 3,
        },
        clip: Clip {
            document: [9; 32],
            format: Format::ALL[usize::from(b % 3)],
            bytes: u32::from(b),
            millis: u32::from(b),
        },
        by,
    }))
}

/// What to do, and three numbers that say with whom.
pub type Op = (u8, u16, u16, u16);

#[derive(Clone)]
pub struct Step {
    pub wait: Duration,
    pub proposal: Proposal,
}

pub struct History {
    pub steps: Vec<Step>,
    pub correlator: Correlator,
    /// Every reference that a far end ever gave or spoke of.
    pub references: Vec<(String, String)>,
    /// Those that were given, with what they stand for.
    given: Vec<(String, String, Delivery, (u8, u8))>,
    ledger: Ledger,
    now: Timestamp,
    streams: StreamId,
    serial: u64,
}

const CHANNELS: [&str; 2] = ["sms", "speaker"];

pub fn history(ops: &[Op]) -> History {
    let mut history = History {
        steps: Vec::new(),
        correlator: Correlator::default(),
        references: Vec::new(),
        given: Vec::new(),
        ledger: Ledger::default(),
        now: START,
        streams: 0,
        serial: 0,
    };
    history.accept(7);
    history.release(0, 3);
    for op in ops {
        history.go(*op);
    }
    history
}

/// A fixed one for tests that go through all its records.
pub fn fixed(ops: usize) -> History {
    let mut random = fastrand::Rng::with_seed(20_260_714);
    let ops: Vec<Op> = (0..ops)
        .map(|_| {
            (
                random.u8(..),
                random.u16(..),
                random.u16(..),
                random.u16(..),
            )
        })
        .collect();
    history(&ops)
}

/// Deliveries of one alert.
struct Few {
    stream: StreamId,
    numbers: Vec<u32>,
}

impl History {
    fn go(&mut self, (op, a, b, c): Op) {
        match op % 27 {
            0 => self.accept(a),
            1 | 2 => self.release(a, b),
            3 => self.block(a, b),
            4 => self.on(a, |_| Event::Planned {
                step: 0,
                blocks: 1,
                deliveries: u32::from(b),
            }),
            5..=8 => self.hand(a, b, c),
            9..=12 => self.settle(a, b, c, true),
            13 | 14 => self.settle(a, b, c, false),
            15..=18 => self.receipt(a, b, c),
            19 => self.end(a, b, c),
            20 => self.give_back(a, b, c),
            21 if c.is_multiple_of(2) => self.answer(a, b, c),
            21 => self.overdue(a, b),
            22 => self.house(a, b),
            23 | 24 => self.seal(a, b),
            25 => self.witness(),
            _ => self.everything(a, c),
        }
    }

    fn push(&mut self, proposal: Proposal) {
        let wait = Duration::from_millis(250);
        self.now = self.now.plus(wait);
        if proposal.claim.is_some() {
            self.streams += 1;
        }
        for (stream, event) in &proposal.events {
            let stream = match *stream {
                Proposal::NEW => self.streams,
                stream => stream,
            };
            let fits = self.ledger.apply(stream, self.now, event);
            fits.expect("a history that could have happened");
        }
        if let Some(sealing) = &proposal.seal {
            let event = Event::Sealed(Box::new(sealing.card.sealed));
            let fits = self.ledger.apply(sealing.card.stream, self.now, &event);
            fits.expect("an alert that is open");
        }
        for alert in self.ledger.alerts() {
            overdue_is_a_recount(&alert, self.now);
        }
        self.steps.push(Step { wait, proposal });
    }

    fn one(&mut self, stream: StreamId, event: Event) {
        self.push(Proposal::of(stream, event));
    }

    fn stream(&self, a: u16) -> StreamId {
        1 + u64::from(a) % self.streams
    }

    fn on(&mut self, a: u16, event: impl FnOnce(StreamId) -> Event) {
        let stream = self.stream(a);
        if self.ledger.alert(stream).is_some() {
            self.one(stream, event(stream));
        }
    }

    fn class(&mut self, a: u16, b: u16) {
        if let Some(alert) = self.ledger.alert(self.stream(a)) {
            self.one(alert.stream, Event::Classed(classed(&alert, b)));
        }
    }

    /// Seals what is open and brings back what is sealed. What still waits in it is nothing to the journal.
    fn seal(&mut self, a: u16, b: u16) {
        let stream = self.stream(a);
        let Some(alert) = self.ledger.alert(stream) else {
            // The journal reads it back from its records, here it is still whole.
            self.one(stream, Event::Unsealed { by: self.streams });
            return self.relearn(stream);
        };
        if !b.is_multiple_of(3) {
            return;
        }
        let sealing = sealing(&self.ledger, &alert);
        self.push(Proposal {
            seal: Some(Box::new(sealing)),
            ..Proposal::default()
        });
        self.correlator.forget(stream);
    }

    /// As whoever brings an alert back does.
    fn relearn(&mut self, stream: StreamId) {
        let mut proposal = Proposal::default();
        let mut receipts: BTreeMap<String, Vec<ReceiptRow>> = BTreeMap::new();
        let given = self.given.iter().rev().filter(|one| one.2.stream == stream);
        for (channel, reference, delivery, place) in given {
            for one in self.correlator.learn(channel, reference, *delivery, *place) {
                if !proposal.inbox_take.contains(&one.inbox) {
                    proposal.inbox_take.push(one.inbox);
                    let rows = receipts.entry(channel.clone()).or_default();
                    rows.push(row_of(one.found, one.receipt));
                }
            }
        }
        self.correlator.drop_all(&proposal.inbox_take);
        for (channel, rows) in receipts {
            proposal
                .events
                .push((stream, Event::Receipt { channel, rows }));
        }
        if !proposal.events.is_empty() {
            self.push(proposal);
        }
    }

    fn witness(&mut self) {
        self.push(Proposal {
            witness: true,
            ..Proposal::default()
        });
    }

    /// A few deliveries of one alert, if it has any.
    fn some(&self, a: u16, b: u16) -> Option<Few> {
        let stream = self.stream(a);
        let count = self.ledger.alert(stream)?.next_delivery();
        let lo = u32::from(b >> 3).checked_rem(count)?;
        let hi = count.min(lo + 1 + u32::from(b & 3));
        let numbers = (lo..hi).collect();
        Some(Few { stream, numbers })
    }

    fn channel(&self, stream: StreamId, number: u32) -> String {
        let alert = self.ledger.alert(stream).expect("accepted");
        let (block, i) = alert.find(number).expect("held");
        block.goes_by(i).into_owned()
    }

    fn attempts(&self, stream: StreamId, number: u32) -> u8 {
        let alert = self.ledger.alert(stream).expect("accepted");
        let (block, i) = alert.find(number).expect("held");
        block.attempts(i)
    }

    fn accept(&mut self, a: u16) {
        let nth = self.streams + 1;
        let born = match a % 8 {
            0 => Born::SupersededBy(1),
            1 => Born::Filed,
            2 => Born::Quarantined,
            _ => Born::Live,
        };
        let event = Event::Accepted(Box::new(accepted(nth, born)));
        let mut proposal = Proposal::of(Proposal::NEW, event);
        proposal.claim = Some((identity(nth), [2; 32]));
        self.push(proposal);
    }

    fn release(&mut self, a: u16, b: u16) {
        let stream = self.stream(a);
        let Some(alert) = self.ledger.alert(stream) else {
            return;
        };
        let mut proposal = Proposal::of(
            stream,
            Event::Released {
                generation: u32::from(b) + 1,
                by: "rule".into(),
            },
        );
        let first = u16::try_from(alert.variants().len()).expect("few");
        let variants = vec![
            variant("sms", 1 + u32::from(b % 3)),
            variant("loudspeaker", 1),
        ];
        let more = [
            Event::Variants { first, variants },
            Event::Ground(ground(u64::from(b % 5))),
            self.next_block(stream, b, first),
        ];
        proposal.events.extend(more.map(|event| (stream, event)));
        self.push(proposal);
    }

    fn next_block(&self, stream: StreamId, b: u16, variant: u16) -> Event {
        let alert = self.ledger.alert(stream).expect("accepted");
        let runs = [(1 + u32::from(b % 5), variant), (1 + u32::from(b % 2), 0)];
        let channel = CHANNELS[usize::from(b / 7 % 2)];
        Event::Block(block(channel, alert.next_delivery(), &runs))
    }

    fn block(&mut self, a: u16, b: u16) {
        let stream = self.stream(a);
        let alert = self.ledger.alert(stream);
        if alert.is_some_and(|alert| !alert.variants().is_empty()) {
            let event = self.next_block(stream, b, 0);
            let barred = b.is_multiple_of(4).then(|| self.barred(stream, b));
            let mut proposal = Proposal::default();
            let events = barred.into_iter().chain([event]);
            proposal.events.extend(events.map(|event| (stream, event)));
            self.push(proposal);
        }
    }

    /// Some of the next block, and some that is none of it.
    fn barred(&self, stream: StreamId, b: u16) -> Event {
        let first = self.ledger.alert(stream).expect("accepted").next_delivery();
        let lo = first + u32::from(b / 4 % 3);
        Event::Barred(Barred {
            why: Bar::ALL[usize::from(b / 12) % Bar::ALL.len()],
            runs: vec![(lo, lo + 1), (lo + 2, lo + 9)],
        })
    }

    fn hand(&mut self, a: u16, b: u16, c: u16) {
        let Some(some) = self.some(a, b) else { return };
        let (lo, hi) = (some.numbers[0], some.numbers[0] + 1);
        let old = c.is_multiple_of(7);
        let attempt = self.attempts(some.stream, lo) + u8::from(!old);
        let whys = [Why::First, Why::Retry, Why::InDoubt];
        let range = |lo, hi, serial| HandedRange {
            lo,
            hi,
            attempt,
            why: whys[usize::from(c % 3)],
            serial,
        };
        let last = some.numbers.last().expect("some") + 1;
        let ranges = vec![
            range(lo, hi, self.serial + 1),
            range(hi, last, self.serial + 2),
        ];
        self.serial += u64::from(last - lo);
        let channel = self.channel(some.stream, lo);
        self.one(some.stream, Event::Handed { channel, ranges });
    }

    /// Few enough that a far end uses one again now and then.
    fn reference(stream: StreamId, number: u32, attempt: u8, part: u8) -> String {
        let mix = stream * 1_009 + u64::from(number) * 31 + u64::from(attempt) * 7;
        format!("{:x}", (mix + u64::from(part)) % 500)
    }

    fn settle(&mut self, a: u16, b: u16, c: u16, well: bool) {
        let Some(some) = self.some(a, b) else { return };
        let old = u8::from(c.is_multiple_of(6));
        let rows = some.numbers.iter().map(|number| {
            let attempt = self.attempts(some.stream, *number).saturating_sub(old);
            let (outcome, next) = if well {
                let parts = 1 + u8::try_from(c % 3).expect("small");
                let references = (0..parts)
                    .map(|part| Self::reference(some.stream, *number, attempt, part))
                    .collect();
                let until = self.now.plus(Duration::from_mins(10));
                let next = [Next::Await { until }, Next::Done][usize::from(c.is_multiple_of(5))];
                (Outcome::Accepted { references }, next)
            } else {
                let class = FailureClass::ALL[usize::from(c) % FailureClass::ALL.len()];
                let at = self.now.plus(Duration::from_secs(5));
                let due = |charged| Next::Due { at, charged };
                let nexts = [due(true), due(false), Next::Failed, Next::Done];
                let code = format!("smpp:{}", c % 9);
                (Outcome::Refused { class, code }, nexts[usize::from(c % 4)])
            };
            SettledRow {
                delivery: *number,
                attempt,
                outcome,
                next,
            }
        });
        let rows = rows.collect();
        let channel = self.channel(some.stream, some.numbers[0]);
        self.settled(some.stream, channel, rows);
    }

    /// With the receipts that waited for it, as the dispatch room does.
    fn settled(&mut self, stream: StreamId, channel: String, rows: Vec<SettledRow>) {
        let mut proposal = Proposal::default();
        let mut receipts = Vec::new();
        for row in &rows {
            let Outcome::Accepted { references } = &row.outcome else {
                continue;
            };
            let delivery = Delivery {
                stream,
                number: row.delivery,
            };
            for (part, reference) in (0..).zip(references) {
                self.references.push((channel.clone(), reference.clone()));
                let place = (part, row.attempt);
                let given = (channel.clone(), reference.clone(), delivery, place);
                self.given.push(given);
                for one in self
                    .correlator
                    .settled(&channel, reference, delivery, place)
                {
                    proposal.inbox_take.push(one.inbox);
                    receipts.push(row_of(one.found, one.receipt));
                }
            }
        }
        let settled = Event::Settled {
            channel: channel.clone(),
            rows,
        };
        proposal.events.push((stream, settled));
        if !receipts.is_empty() {
            let rows = receipts;
            proposal
                .events
                .push((stream, Event::Receipt { channel, rows }));
        }
        self.push(proposal);
    }

    fn receipt(&mut self, a: u16, b: u16, c: u16) {
        let Some(some) = self.some(a, b) else { return };
        let number = some.numbers[0];
        let channel = self.channel(some.stream, number);
        // Of the attempt in hand, of one before, or of one to come.
        let attempt = (self.attempts(some.stream, number) + u8::try_from(c % 3).expect("small"))
            .saturating_sub(1);
        let part = u8::try_from(c / 3 % 3).expect("small");
        let reference = Self::reference(some.stream, number, attempt, part);
        let verdict = match c % 10 {
            0 => Verdict::Progress,
            1 | 2 => Verdict::Refused(FailureClass::ALL[usize::from(c / 10) % 6]),
            3..=7 => Verdict::Reached(Evidence::Delivered),
            _ => Verdict::Reached(Evidence::Acknowledged),
        };
        self.references.push((channel.clone(), reference.clone()));
        let found = if channel == "speaker" {
            Some(Found {
                delivery: Delivery {
                    stream: some.stream,
                    number,
                },
                part: 0,
                by: MatchedBy::Key,
            })
        } else {
            self.correlator.lookup(&channel, &reference)
        };
        let receipt = InboxReceipt {
            channel: channel.clone(),
            reference,
            key: None,
            verdict,
            code: format!("R{}", c % 11),
            far: Some(START),
            seen: self.now,
        };
        let proposal = match found {
            Some(found) => {
                let rows = vec![row_of(found, receipt)];
                Proposal::of(found.delivery.stream, Event::Receipt { channel, rows })
            }
            None => Proposal {
                inbox_put: vec![self.correlator.keep(receipt)],
                ..Proposal::default()
            },
        };
        self.push(proposal);
    }

    fn end(&mut self, a: u16, b: u16, c: u16) {
        let by = self.streams;
        let step = b % 3;
        match c % 14 {
            0 => self.on(a, |_| Event::Withdrawn { by }),
            11 => self.on(a, |_| Event::Watched {
                due: vec![START, START.plus(Duration::from_mins(u64::from(b % 9)))],
            }),
            12 => self.on(a, |_| {
                Event::Silent(Silent {
                    look: b % 3,
                    villages: vec![village(u64::from(b % 7)), village(u64::from(a % 7))],
                })
            }),
            1 => self.on(a, |_| Event::Raised {
                level: Level::Orange,
            }),
            2 => self.on(a, |_| Event::Steps {
                due: vec![START, START.plus(Duration::from_mins(10))],
            }),
            3 => self.on(a, |_| Event::Dropped { step }),
            4 => self.on(a, |_| {
                Event::Frozen(Frozen {
                    hearing: vec![(u32::from(b), vec![1, 2])],
                    officers: vec![(u32::from(b), 3)],
                })
            }),
            5 => self.on(a, |_| {
                Event::Decided(Decided {
                    step: 0,
                    by: "duty".into(),
                    ruling: if b.is_multiple_of(2) {
                        Ruling::Approve
                    } else {
                        Ruling::Refuse
                    },
                    remark: Some([7; 32]),
                })
            }),
            6 => self.on(a, |_| Event::Compared {
                class: Class::ALL[usize::from(b) % Class::ALL.len()],
                with: vec![by],
            }),
            7 => self.class(a, b),
            8 => self.on(a, |_| {
                Event::Kept(Kept {
                    region: village(u64::from(b % 7)),
                    doors: vec![(Some(Grade::Delivered), vec![0, 1]), (None, vec![2])],
                })
            }),
            10 => self.on(a, |_| {
                let rows = vec![PromptedRow {
                    item: u32::from(b % 4),
                    nth: u8::try_from(b % 3).expect("small"),
                }];
                Event::Prompted(Prompted {
                    whom: 7,
                    text: (!b.is_multiple_of(4)).then_some((1, u32::from(b))),
                    rows,
                })
            }),
            9 => self.on(a, |_| {
                Event::Held(Held::Budget {
                    spent: u64::from(b),
                    limit: 7,
                })
            }),
            _ => self.on(a, |_| Event::Expired {
                variants: vec![b % 4],
            }),
        }
    }

    fn give_back(&mut self, a: u16, b: u16, c: u16) {
        let Some(some) = self.some(a, b) else { return };
        let (at, deliveries) = (self.now.plus(Duration::from_secs(1)), some.numbers);
        let event = match c % 3 {
            0 => Event::Returned { deliveries, at },
            1 => Event::Rerouted(Rerouted {
                to: ["sms-b", "sms-c"][usize::from(b % 2)].into(),
                why: Detour::Away,
                at,
                runs: runs(deliveries),
            }),
            _ => Event::InDoubt {
                deliveries,
                epoch: 1,
                due: at,
            },
        };
        self.one(some.stream, event);
    }

    fn overdue(&mut self, a: u16, b: u16) {
        let Some(some) = self.some(a, b) else { return };
        let deliveries = some.numbers;
        self.one(some.stream, Event::Overdue { deliveries });
    }

    fn answer(&mut self, a: u16, b: u16, c: u16) {
        let Some(some) = self.some(a, b) else { return };
        let row = |delivery: &u32| AnsweredRow {
            delivery: *delivery,
            text: (c % 3 == 1).then_some([5; 32]),
            assumed: c.is_multiple_of(5),
            far: None,
            seen: self.now,
        };
        let channel = CHANNELS[0].to_owned();
        let rows = some.numbers.iter().map(row).collect();
        self.one(some.stream, Event::Answered(Answered { channel, rows }));
    }

    fn house(&mut self, a: u16, b: u16) {
        let states = [PresenceState::Idle, PresenceState::Silent];
        let links = [LinkState::Up, LinkState::Paused, LinkState::Probing];
        let event = match a % 26 {
            0 => Event::Took {
                epoch: u32::from(b),
                format: 1,
            },
            1 => Event::Imported {
                generation: u32::from(b),
                households: 3,
                people: 7,
                by: "water".into(),
            },
            2 => Event::Link {
                channel: CHANNELS[usize::from(b % 2)].into(),
                state: links[usize::from(b % 3)],
                class: FailureClass::LinkDown,
                code: format!("L{}", b % 5),
            },
            4 => Event::Invited(Invited {
                device: format!("speaker-{}", b % 3),
                code: [3; 32],
                until: START,
                by: "water".into(),
            }),
            5 => Event::Enrolled(Enrolled {
                device: format!("speaker-{}", b % 3),
                channel: "speaker".into(),
                key: [4; 32],
            }),
            6 => Event::Revoked {
                device: format!("speaker-{}", b % 3),
                by: "water".into(),
            },
            7 => Event::Ordered(Box::new(self.ordered(b))),
            8 => Event::Done(Done {
                channel: "speaker".into(),
                serial: self.serial,
                rows: vec![DoneRow {
                    device: "speaker-1".into(),
                    done: b.is_multiple_of(2),
                    code: String::new(),
                    seconds: u32::from(b),
                    far: Some(START),
                }],
            }),
            9 => Event::Looked(Looked {
                officer: (b.is_multiple_of(2)).then(|| "duty".into()),
                what: Look::ALL[usize::from(b) % Look::ALL.len()],
                subject: None,
                from: b.into(),
            }),
            10 => Event::Strayed(Strayed {
                channel: CHANNELS[0].into(),
                rows: vec![StrayedRow {
                    why: Stray::NothingOpen,
                    text: [6; 32],
                    far: None,
                    seen: self.now,
                }],
            }),
            11 => Event::Marked(Marked {
                endpoint: 1_000 + u32::from(b % 4),
                mark: [Mark::Suspect, Mark::Clear][usize::from(b % 8 / 4)],
                code: format!("MK:{}", b % 5),
                delivery: None,
                by: None,
            }),
            12 => Event::Learned(Learned {
                rows: vec![LearnedRow {
                    endpoint: u32::from(b % 4),
                    carrier: Carrier::ALL[usize::from(b % 5)],
                    is: b.is_multiple_of(3),
                }],
            }),
            13 => Event::Believed(Believed {
                by: "keeper".into(),
                seconds: i64::from(b) - 300,
            }),
            14 => Event::Spent(Spent {
                bureau: ["water", "met"][usize::from(b % 2)].into(),
                month: Month::of(self.now.plus(Duration::from_hours(24 * u64::from(b % 60)))),
                alert: 1,
                step: 0,
                segments: u64::from(b),
            }),
            15 => Event::Numbered(self.numbered(b)),
            16 => bound(b),
            17 | 23 => self.box_of(b),
            18 | 19 => self.test_call(a.is_multiple_of(2), b),
            20..=22 => recorded(a, b),
            24 => self.quaked(b),
            _ => Event::Presence {
                device: format!("speaker-{}", b % 3),
                state: states[usize::from(b % 2)],
            },
        };
        self.one(0, event);
    }

    fn numbered(&self, b: u16) -> Numbered {
        Numbered {
            channel: CHANNELS[1].into(),
            series: format!("{}", b % 2),
            day: 20_260_701 + u32::from(b % 3),
            serial: b % 9,
            key: u64::from(b),
            alert: 1,
            deliveries: vec![0],
            expires: self.now.plus(Duration::from_hours(u64::from(b % 400))),
        }
    }

    /// What happens to a box at a loudspeaker.
    fn box_of(&self, b: u16) -> Event {
        let (device, number) = (format!("speaker-{}", b % 3), u32::from(b / 5 % 4));
        // By other digits than the device's, so that every pair comes.
        match b / 11 % 6 {
            0 => Event::Turned(Turned {
                device,
                state: [PresenceState::Idle, PresenceState::Silent][usize::from(b % 2)],
                code: ["", "on-battery"][usize::from(b / 2 % 2)].into(),
            }),
            1 => Event::Rekeyed(Rekeyed {
                device,
                key: [5; 32],
            }),
            2 => Event::Tested(Tested {
                channel: "speaker".into(),
                serial: self.serial,
                rows: vec![TestedRow {
                    device,
                    code: ["", "amplifier"][usize::from(b / 2 % 2)].into(),
                }],
            }),
            3 => Event::Repair(Repair {
                number,
                device,
                what: Trouble::ALL[usize::from(b) % Trouble::ALL.len()],
                since: self.now,
                from: Teller::Keeper,
                by: (b.is_multiple_of(2)).then(|| "water".into()),
                text: None,
            }),
            4 => Event::Vouched(Vouched {
                device,
                ends: vec![number],
                beside: vec![number + 1, number + 2],
            }),
            _ => Event::Mended(Mended {
                number,
                how: Mend::ALL[usize::from(b) % Mend::ALL.len()],
                by: "water".into(),
                text: None,
            }),
        }
    }

    /// Terminals are tested, and something comes of a test: of one before the last too.
    fn test_call(&self, came: bool, b: u16) -> Event {
        let next = self.ledger.test_calls.next();
        let channel = CHANNELS[usize::from(b % 2)].to_owned();
        if !came {
            return Event::TestCalled(TestCalled {
                channel,
                first: next,
                serial: u64::from(b),
                endpoints: (0..u32::from(b % 4)).map(|n| 1_000 + n).collect(),
                until: self.now,
                window: 1_000,
                by: String::new(),
            });
        }
        let row = ProvedRow {
            endpoint: 1_000 + u32::from(b % 4),
            number: next.saturating_sub(u32::from(b % 5)),
            result: TestResult::ALL[usize::from(b % 6)],
            code: format!("T{}", b % 3),
            references: Vec::new(),
            far: None,
            seen: self.now,
        };
        let rows = vec![row];
        Event::Proved(Proved { channel, rows })
    }

    /// Reports on a few earthquakes, in any order, and ends of them.
    fn quaked(&mut self, b: u16) -> Event {
        self.serial += 3;
        let row = |n: u16| ShockRow {
            device: format!("speaker-{}", n % 3),
            intensity: u8::try_from(4 + n % 4).unwrap_or(4),
            arrival: self.now,
            shown: Shown::ALL[usize::from(n % 4)],
        };
        let relayed = Relayed {
            channel: "speaker".into(),
            serial: self.serial,
            rows: (b..b + 1 + b % 3).map(row).collect(),
        };
        Event::Quaked(Box::new(Quaked {
            feed: "province".into(),
            event: format!("quake-{}", b / 8 % 3),
            report: u32::from(b % 4),
            status: Status::ALL[usize::from(b / 4 % 3)],
            cancel: b % 7 == 1,
            sent: self.now,
            origin: self.now,
            north: 326_500,
            east: 1_037_500,
            depth: 15_000,
            magnitude: 50 + b % 20,
            document: [8; 32],
            relayed: vec![relayed],
        }))
    }

    /// Many of them, so that those which are over are let go.
    fn ordered(&mut self, b: u16) -> Ordered {
        self.serial += 1;
        let lasts = if b.is_multiple_of(3) { 60 } else { 1 };
        Ordered {
            channel: "speaker".into(),
            serial: self.serial,
            action: if b.is_multiple_of(7) {
                Action::SelfTest
            } else {
                let alert = u64::from(b);
                Action::Stop { alert }
            },
            authority: Authority::Town,
            devices: vec!["speaker-1".into()],
            not_before: self.now,
            expires: self.now.plus(Duration::from_secs(lasts)),
            by: "water".into(),
        }
    }

    /// A whole alert is handed and taken.
    fn everything(&mut self, a: u16, c: u16) {
        let stream = self.stream(a);
        let count = self.ledger.alert(stream).map_or(0, |a| a.next_delivery());
        for number in 0..count.min(8) {
            let (a, b) = (u16::try_from(stream - 1).expect("small"), number << 3);
            let b = u16::try_from(b).expect("small");
            self.hand(a, b, c);
            self.settle(a, b, c, true);
        }
    }
}

/// Whatever it stands at, and without figures: these are the coverage room's.
pub fn sealing(ledger: &Ledger, alert: &Alert) -> Sealing {
    let sealed = Sealed {
        totals: Totals::default(),
        deliveries: alert.next_delivery(),
        records: 0,
        digest: ledger.digest(alert),
    };
    Sealing {
        card: Card::of(alert, sealed),
        count: alert.trail.count(),
        households: Vec::new(),
    }
}

fn row_of(found: Found, receipt: InboxReceipt) -> ReceiptRow {
    ReceiptRow {
        delivery: found.delivery.number,
        part: found.part,
        verdict: receipt.verdict,
        code: receipt.code,
        far: receipt.far,
        seen: receipt.seen,
        by: found.by,
    }
}

/// Four accounts come, move and go.
fn bound(b: u16) -> Event {
    let (to, document) = (Scene::Household(b.into()), [8; 32]);
    let what = match b % 4 {
        0 => Tie::New { to, document },
        1 => Tie::Moved { to },
        2 => Tie::Undone,
        _ => {
            return Event::Coded(Coded {
                channel: CHANNELS[0].into(),
                to,
                until: None,
                by: "water".into(),
            });
        }
    };
    Event::Bound(Bound {
        channel: CHANNELS[0].into(),
        endpoint: OWN_ENDPOINTS + u32::from(b / 4 % 4),
        what,
    })
}

/// A row for a block that is there, if any is, and one for people of whom none is told.
fn classed(alert: &Alert, b: u16) -> Classed {
    let row = |class, fate| ClassRow {
        channel: CHANNELS[0].into(),
        audience: Audience::Public,
        class,
        count: u32::from(b),
        fate,
    };
    let class = Class::ALL[usize::from(b) % Class::ALL.len()];
    let first = alert.blocks().first().map(|block| block.first);
    let told = first.map(|first| row(class, Fate::Told { first }));
    let step = b % 3;
    let fates = [Fate::Spared, Fate::Held { step }, Fate::Later { step }];
    let aside = fates.map(|fate| row(Class::Prolonged, fate));
    Classed {
        region: village(u64::from(b % 7)),
        rows: told.into_iter().chain(aside).collect(),
    }
}
