//! What an adapter's word means: presence from heartbeats and faults, receipts from tasks and records, answers to those who
//! wait. What is answered is durable before. This module must not take a word about terminals that the adapter does not serve.

use std::time::Duration;

use channel::{Evidence, FailureClass, Of, PresenceState, Receipt, Timestamp, Verdict};

use super::assumed::{NO_FAULT, ReportAnswer};
use super::bytes::Id;
use super::caller::Caller;
use super::desk::Desk;
use super::link::Due;
use super::report::{Begun, CANCELLED, FAILED, Heartbeat, PLAYED, Record, Up};
use super::session::Then;
use super::task::{Down, Generic};

/// Records of what began longer ago are history.
const HISTORY: Duration = Duration::from_hours(24);
/// How often a receipt is offered to a house that takes nothing now, a second apart.
const TRIES: usize = 10;

/// Under which the journal knows a delivery: the message and whom it is for.
pub fn reference(ebm: &Id, code: &Id) -> String {
    format!("{ebm}/{code}")
}

/// A number of the far end's, as a time.
pub fn time(seconds: u32) -> Timestamp {
    Timestamp::from_secs(seconds.into())
}

impl Desk {
    pub async fn act(&self, at: usize, up: Up, caller: &Caller) -> Then {
        let by = caller.session.by;
        match &up {
            Up::Heartbeat(heart) => {
                self.beaten(at, heart);
                Then::Say(Down::HeartbeatReply)
            }
            Up::Fault { front, kind, .. } => {
                if *kind != NO_FAULT {
                    self.standing.lock().fault(front, self.now());
                    self.present(front, PresenceState::Fault, format!("fault-{kind}"));
                }
                self.answered_unless(self.links[at].offer(by, &up), at)
            }
            Up::Begun(begun) => self.begun(at, begun).await,
            Up::Ended { .. } => {
                // Whether it was played stands in its record.
                self.links[at].want(Due::Records);
                self.links[at].wake.notify_one();
                self.answered(at)
            }
            Up::Records { records, .. } => {
                let kept = self.recorded(at, records).await;
                let asked = self.links[at].offer(by, &up);
                self.answered_unless(asked || !kept, at)
            }
            Up::Parameters(parameters) => {
                if let Some(volume) = parameters.volume() {
                    let now = self.now();
                    self.standing.lock().volume(&parameters.front, volume, now);
                }
                self.links[at].offer(by, &up);
                Then::Nothing
            }
            Up::Reply(_) | Up::StartStopReply(_) => {
                if !self.links[at].offer(by, &up) {
                    self.refuse("unasked");
                }
                Then::Nothing
            }
            Up::Inputs(inputs) => {
                if let Some(input) = inputs.platform() {
                    self.links[at].set_input(input);
                }
                self.links[at].offer(by, &up);
                Then::Nothing
            }
            Up::Outputs(_) => {
                self.links[at].offer(by, &up);
                Then::Nothing
            }
        }
    }

    fn beaten(&self, at: usize, heart: &Heartbeat) {
        let now = self.now();
        let mut standing = self.standing.lock();
        let state = standing.beat(&heart.front, heart.state, Some(heart.time), now);
        drop(standing);
        if state == PresenceState::Fault && self.routes.is_adapter(at, &heart.front) {
            self.links[at].want(Due::Faults);
            self.links[at].wake.notify_one();
        }
        self.present(&heart.front, state, String::new());
    }

    /// A task sounds.
    async fn begun(&self, at: usize, begun: &Begun) -> Then {
        let ours = |code: &&Id| self.is_ours(at, &begun.ebm, code);
        let playing =
            |code| self.receipt(&begun.ebm, code, Verdict::Progress, "playing".into(), None);
        let receipts = begun.codes.iter().filter(ours).map(playing);
        if !self.keep(receipts.collect()).await {
            return Then::Nothing;
        }
        Then::Say(Down::BegunReply {
            result: 0,
            monitor: [0; 4],
            port: 0,
        })
    }

    /// What answers our own question is not answered.
    fn answered_unless(&self, silent: bool, at: usize) -> Then {
        if silent {
            Then::Nothing
        } else {
            self.answered(at)
        }
    }

    /// What we say to a report that asks for nothing.
    fn answered(&self, at: usize) -> Then {
        match self.config.adapter[at].assumed.report_answer {
            ReportAnswer::Never => Then::Nothing,
            ReportAnswer::Generic => Then::Say(Down::Reply(Generic {
                code: 0,
                text: Vec::new(),
            })),
        }
    }

    /// Whether the message is this platform's and the adapter serves the terminal. Of other messages an adapter may speak
    /// as well, and nothing comes of it.
    pub fn is_ours(&self, at: usize, ebm: &Id, code: &Id) -> bool {
        let (ebm, config) = (ebm.to_string(), &self.config);
        let older = config
            .old_platform
            .as_ref()
            .is_some_and(|own| ebm.starts_with(own));
        if !older && !ebm.starts_with(&config.platform) {
            return false;
        }
        let own = self.routes.serving(code) == Some(at);
        if !own {
            self.refuse("not-its-own");
        }
        own
    }

    pub fn receipt(
        &self,
        ebm: &Id,
        code: &Id,
        verdict: Verdict,
        said: String,
        far: Option<Timestamp>,
    ) -> Receipt {
        Receipt {
            of: Of::Reference(reference(ebm, code)),
            verdict,
            code: said,
            far,
            seen: self.context.clock.now(),
        }
    }

    /// What is new in records becomes receipts; true when they are kept.
    async fn recorded(&self, at: usize, records: &[Record]) -> bool {
        let now = self.context.clock.now();
        let (mut receipts, mut news) = (Vec::new(), Vec::new());
        for record in records {
            let until = time(record.start).plus(HISTORY);
            if until <= now {
                continue;
            }
            for code in &record.codes {
                if !self.is_ours(at, &record.ebm, code) {
                    continue;
                }
                let Some((verdict, said)) = verdict(record) else {
                    self.refuse("unknown-state");
                    continue;
                };
                if record.state < PLAYED {
                    self.links[at].want(Due::Records);
                }
                let mut plays = self.plays.lock();
                if plays.news(&record.ebm, code, record.state, until) {
                    news.push((record.ebm.clone(), code.clone()));
                    let far = (record.state >= PLAYED).then(|| time(record.end));
                    receipts.push(self.receipt(&record.ebm, code, verdict, said, far));
                }
            }
        }
        let kept = self.keep(receipts).await;
        if !kept {
            let mut plays = self.plays.lock();
            for (ebm, code) in &news {
                plays.forget(ebm, code);
            }
        }
        kept
    }

    /// True when they are durable. A house that takes nothing for long is not waited for: the far end is not answered then.
    pub async fn keep(&self, receipts: Vec<Receipt>) -> bool {
        if receipts.is_empty() {
            return true;
        }
        for _ in 0..TRIES {
            if self.context.inlet.receipts(receipts.clone()).await.is_ok() {
                return true;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        self.refuse("not-kept");
        false
    }
}

/// What a record proves of one of its codes: an adapter's word that it was played there.
fn verdict(record: &Record) -> Option<(Verdict, String)> {
    let refused = Verdict::Refused(FailureClass::Transient);
    Some(match record.state {
        0 => (Verdict::Progress, "not-processed".into()),
        1 => (Verdict::Progress, "waiting".into()),
        2 => (Verdict::Progress, "playing".into()),
        PLAYED => {
            let seconds = record.end.saturating_sub(record.start);
            let played = Verdict::Reached(Evidence::Acknowledged);
            (played, format!("played {seconds}"))
        }
        FAILED => (refused, "failed".into()),
        CANCELLED => (refused, "cancelled".into()),
        _ => return None,
    })
}
