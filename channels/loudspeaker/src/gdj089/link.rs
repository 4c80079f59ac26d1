//! One adapter as its commands see it: whose turn it is, the connection that stands, and who waits for which answer. The
//! generic reply names nothing, so one command is under way at a time. This module must not do I/O.

use std::collections::BTreeSet;
use std::time::Duration;

use channel::{Failure, FailureClass, Stop};
use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc, oneshot};

use super::bytes::Id;
use super::report::Up;

/// What a command is answered by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wants {
    /// The reply to the start or stop of this message, or the generic one.
    Start(Id),
    Generic,
    Records,
    Parameters,
    Inputs,
    Outputs,
    Faults,
    /// In the older dialect, what repeats the session of its packet.
    Reply(u32),
}

impl Wants {
    /// Everything has no name of its own, in whatever way its digits are filled up.
    fn is_start(&self, of: &Id) -> bool {
        let nothing = |id: &Id| !id.to_string().contains(|digit| digit != '0');
        matches!(self, Self::Start(id) if id == of || (nothing(id) && nothing(of)))
    }

    /// An adapter that does not answer one of these has not been told anything.
    pub const fn is_question(&self) -> bool {
        matches!(
            self,
            Self::Records | Self::Parameters | Self::Inputs | Self::Outputs | Self::Faults
        )
    }
}

/// What an adapter is asked when there is a reason to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Due {
    /// There may be records of what was started before.
    Records,
    /// It says that it is at fault, and not what of it.
    Faults,
    /// Its inputs and outputs, once on each connection.
    Channels,
}

pub type Answer = Result<(), Failure>;

struct Waiting {
    /// The connection that it was asked on.
    by: u64,
    wants: Wants,
    tell: oneshot::Sender<Answer>,
}

/// A connection that an adapter has opened.
#[derive(Clone)]
pub struct Session {
    pub by: u64,
    pub out: mpsc::Sender<Vec<u8>>,
    pub stop: Stop,
}

#[derive(Default)]
struct State {
    session: Option<Session>,
    waiting: Option<Waiting>,
    /// A question was not answered, and its generic reply may still come.
    owed: bool,
    unanswered: u8,
    /// What it is to be asked.
    due: BTreeSet<Due>,
    /// Which of its inputs is the platform, by its own list.
    input: Option<u8>,
    /// It was told where to report, and is not told again before this, by `tick`.
    told: Option<Duration>,
}

#[derive(Default)]
pub struct Link {
    pub turn: tokio::sync::Mutex<()>,
    /// Something is to be looked at.
    pub wake: Notify,
    opened: Notify,
    state: Mutex<State>,
}

/// An adapter that never answers questions is not asked for ever.
const ASKED_IN_VAIN: u8 = 3;

impl Link {
    pub fn open(&self, session: Session) {
        let mut state = self.state.lock();
        *state = State {
            session: Some(session),
            // Who did not take it is not told by coming again.
            told: state.told.filter(|until| *until != Duration::MAX),
            due: BTreeSet::from([Due::Records, Due::Channels]),
            ..State::default()
        };
        drop(state);
        self.opened.notify_waiters();
        self.wake.notify_one();
    }

    /// This connection is over: whoever waits on it learns so.
    pub fn close(&self, by: u64) {
        let mut state = self.state.lock();
        if state
            .session
            .as_ref()
            .is_some_and(|session| session.by == by)
        {
            state.session = None;
        }
        if state
            .waiting
            .as_ref()
            .is_some_and(|waiting| waiting.by == by)
        {
            state.waiting = None;
        }
    }

    pub fn is_open(&self) -> bool {
        self.state.lock().session.is_some()
    }

    /// The connection that stands, or comes to stand in time.
    pub async fn session(&self, patience: Duration) -> Option<Session> {
        let standing = async {
            loop {
                let opened = self.opened.notified();
                tokio::pin!(opened);
                // Before the look, so that what opens in between is not missed.
                opened.as_mut().enable();
                if let Some(session) = self.state.lock().session.clone() {
                    return session;
                }
                opened.await;
            }
        };
        tokio::time::timeout(patience, standing).await.ok()
    }

    pub fn wait(&self, by: u64, wants: Wants) -> oneshot::Receiver<Answer> {
        let (tell, told) = oneshot::channel();
        self.state.lock().waiting = Some(Waiting { by, wants, tell });
        told
    }

    /// Nobody waits any longer for the answer on this connection.
    pub fn gave_up(&self, wants: &Wants) {
        let mut state = self.state.lock();
        state.waiting = None;
        if wants.is_question() {
            state.owed = true;
            state.unanswered = state.unanswered.saturating_add(1);
        }
    }

    pub fn may_ask(&self) -> bool {
        self.state.lock().unanswered < ASKED_IN_VAIN
    }

    pub fn want(&self, due: Due) {
        self.state.lock().due.insert(due);
    }

    /// Whether it is to be asked this; then it is taken as asked.
    pub fn take(&self, due: Due) -> bool {
        self.state.lock().due.remove(&due)
    }

    pub fn set_input(&self, input: u8) {
        self.state.lock().input = Some(input);
    }

    pub fn input(&self) -> Option<u8> {
        self.state.lock().input
    }

    /// Whether it is to be told where to report; then it counts as told until `again`.
    pub fn take_untold(&self, tick: Duration) -> bool {
        let mut state = self.state.lock();
        let due = state.told.is_none_or(|told| tick >= told);
        if due {
            state.told = Some(Duration::MAX);
        }
        due
    }

    /// It did not take it: it is told again, then.
    pub fn tell_again(&self, then: Duration) {
        self.state.lock().told = Some(then);
    }

    /// Whether somebody waited for this; they are told.
    pub fn offer(&self, by: u64, up: &Up) -> bool {
        let mut state = self.state.lock();
        if matches!(up, Up::Reply(_)) && std::mem::take(&mut state.owed) {
            return true;
        }
        let meant = |waiting: &mut Waiting| {
            waiting.by == by
                && match up {
                    Up::Reply(_) => true,
                    Up::StartStopReply(reply) => waiting.wants.is_start(&reply.ebm),
                    Up::Records { .. } => waiting.wants == Wants::Records,
                    Up::Parameters(_) => waiting.wants == Wants::Parameters,
                    Up::Inputs(_) => waiting.wants == Wants::Inputs,
                    Up::Outputs(_) => waiting.wants == Wants::Outputs,
                    Up::Fault { .. } => waiting.wants == Wants::Faults,
                    _ => false,
                }
        };
        let Some(waiting) = state.waiting.take_if(meant) else {
            return false;
        };
        state.unanswered = 0;
        drop(state);
        // Whoever asked may have gone.
        let _ = waiting.tell.send(answer(up));
        true
    }
}

impl Link {
    /// Whether somebody waited for the reply to this session; they are told.
    pub fn offer_reply(&self, by: u64, session: u32, code: u8) -> bool {
        let meant =
            |waiting: &mut Waiting| waiting.by == by && waiting.wants == Wants::Reply(session);
        let taken = self.state.lock().waiting.take_if(meant);
        let Some(waiting) = taken else {
            return false;
        };
        // Whoever asked may have gone.
        let _ = waiting.tell.send(super::old::answer(code));
        true
    }
}

fn answer(up: &Up) -> Answer {
    let refused = |class, code, words| Err(Failure::new(class, code, words));
    match up {
        Up::Reply(reply) => match reply.code {
            0 => Ok(()),
            1 => refused(
                FailureClass::BadContent,
                "089:1",
                "the adapter says that the command has a wrong length",
            ),
            2 => refused(
                FailureClass::BadContent,
                "089:2",
                "the adapter does not speak this version",
            ),
            3 => refused(
                FailureClass::Transient,
                "089:3",
                "the adapter has another task that conflicts",
            ),
            _ => refused(
                FailureClass::Transient,
                "089:-1",
                "the adapter does not say why it refuses",
            ),
        },
        Up::StartStopReply(reply) if reply.result != 0 => refused(
            FailureClass::Transient,
            "089:not-started",
            "the adapter did not start the task",
        ),
        _ => Ok(()),
    }
}
