//! The telephone: a thread of its own with every call of a trunk on it, so that 20 ms stay 20 ms whatever else the
//! gateway does. The SIP stack writes whole messages, numbers included, to its log: on this thread nobody listens. This
//! module must not judge how a call ended.

use std::sync::Arc;
use std::time::Duration;

use channel::{Health, Stop};
use parking_lot::Mutex;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::task::JoinSet;

use crate::call;
use crate::config::Trunk;
use crate::speech::Sound;
use crate::talk::Clip;
use crate::trunk::{Line, Problem};
use crate::verdict::Ending;

/// What is said in one call.
#[derive(Clone)]
pub struct Sounds([Sound; Clip::ALL.len()]);

impl Sounds {
    /// In the order of `Clip::ALL`.
    pub const fn new(sounds: [Sound; Clip::ALL.len()]) -> Self {
        Self(sounds)
    }

    pub fn of(&self, clip: Clip) -> &[i16] {
        let place = Clip::ALL.iter().position(|one| *one == clip);
        place.map_or(&[], |place| &self.0[place])
    }
}

/// What a call tells while it lasts, and at its end.
#[derive(Debug)]
pub enum Event {
    Ringing,
    Answered,
    Ended(Ending),
}

/// One call that is to be placed.
pub struct Job {
    pub number: String,
    /// The call's id on the wire.
    pub id: String,
    pub sounds: Sounds,
    pub ring: Duration,
    pub events: UnboundedSender<Event>,
    line: OwnedSemaphorePermit,
}

#[derive(Clone, PartialEq, Debug)]
enum State {
    Starting,
    Up,
    Down(String),
}

/// Why no call could be placed.
#[derive(Debug)]
pub struct Down(pub String);

pub struct Phone {
    trunk: Arc<Trunk>,
    lines: Arc<Semaphore>,
    state: watch::Sender<State>,
    jobs: UnboundedSender<Job>,
    /// Taken by `run`.
    waiting: Mutex<Option<UnboundedReceiver<Job>>>,
}

impl Phone {
    pub fn new(trunk: Trunk, lines: usize) -> Self {
        let (jobs, waiting) = mpsc::unbounded_channel();
        Self {
            trunk: Arc::new(trunk),
            lines: Arc::new(Semaphore::new(lines)),
            state: watch::Sender::new(State::Starting),
            jobs,
            waiting: Mutex::new(Some(waiting)),
        }
    }

    pub fn trunk(&self) -> &Trunk {
        &self.trunk
    }

    pub fn health(&self) -> Health {
        match &*self.state.borrow() {
            State::Starting => Health::Down("the trunk has not answered yet".to_owned()),
            State::Up => Health::Up,
            State::Down(why) => Health::Down(why.clone()),
        }
    }

    /// Places a call as soon as a line is free. What it tells comes out of the receiver, which ends with it.
    pub async fn call(
        &self,
        number: String,
        id: String,
        sounds: Sounds,
        ring: Duration,
    ) -> Result<UnboundedReceiver<Event>, Down> {
        let line = self.lines.clone().acquire_owned().await;
        let line = line.map_err(|_| Down("the channel was stopped".to_owned()))?;
        let mut state = self.state.subscribe();
        let known = state.wait_for(|state| *state != State::Starting);
        // Its first word takes at most one timeout; twice is for a machine under load.
        match tokio::time::timeout(self.trunk.timeout * 2, known).await {
            Ok(Ok(known)) => {
                if let State::Down(why) = &*known {
                    return Err(Down(why.clone()));
                }
            }
            _ => return Err(Down("the trunk has not answered yet".to_owned())),
        }
        let (events, told) = mpsc::unbounded_channel();
        let job = Job {
            number,
            id,
            sounds,
            ring,
            events,
            line,
        };
        let stopped = |_| Down("the channel was stopped".to_owned());
        self.jobs.send(job).map_err(stopped)?;
        Ok(told)
    }

    /// Keeps the trunk until `stop`; returns when the thread has ended.
    pub async fn run(&self, stop: Stop) {
        let Some(waiting) = self.waiting.lock().take() else {
            return;
        };
        let (ended, end) = oneshot::channel();
        let (trunk, state, lines) = (self.trunk.clone(), self.state.clone(), self.lines.clone());
        let thread = std::thread::Builder::new().name("telephone".to_owned());
        let started = thread.spawn(move || {
            let _nobody =
                tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::default());
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            match runtime {
                Ok(runtime) => runtime.block_on(live(trunk, &state, waiting, &stop)),
                Err(e) => {
                    state.send_replace(State::Down(format!("starting the telephone: {e}")));
                }
            }
            lines.close();
            // Whoever waited for it may have gone.
            let _ = ended.send(());
        });
        match started {
            // An error means that the thread ended without a word; it has ended.
            Ok(_) => _ = end.await,
            Err(e) => {
                self.state
                    .send_replace(State::Down(format!("starting the telephone: {e}")));
            }
        }
    }
}

/// How long a trunk that could not be opened is left alone, at least.
const AGAIN: Duration = Duration::from_secs(1);
/// How long calls may take to say goodbye when the channel stops.
const GOODBYE: Duration = Duration::from_secs(2);

async fn live(
    trunk: Arc<Trunk>,
    state: &watch::Sender<State>,
    mut jobs: UnboundedReceiver<Job>,
    stop: &Stop,
) {
    let mut calls = JoinSet::new();
    while !stop.is_cancelled() {
        match Line::open(trunk.clone()).await {
            Ok(line) => {
                let mut open = Open {
                    line: &Arc::new(line),
                    state,
                    stop,
                };
                open.serve(&mut jobs, &mut calls).await;
            }
            Err(Problem(why)) => {
                state.send_replace(State::Down(why));
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(trunk.probe.max(AGAIN)) => {}
                }
            }
        }
    }
    state.send_replace(State::Down("the channel was stopped".to_owned()));
}

struct Open<'a> {
    line: &'a Arc<Line>,
    state: &'a watch::Sender<State>,
    stop: &'a Stop,
}

impl Open<'_> {
    /// Places what comes in and asks the trunk whether it is there, until `stop`.
    async fn serve(&mut self, jobs: &mut UnboundedReceiver<Job>, calls: &mut JoinSet<()>) {
        let line = self.line.clone();
        let state = self.state.clone();
        let probing = async move {
            loop {
                if line.trunk().probe.is_zero() {
                    state.send_replace(State::Up);
                    return;
                }
                let now = match line.probe().await {
                    Ok(()) => State::Up,
                    Err(Problem(why)) => State::Down(why),
                };
                state.send_replace(now);
                tokio::time::sleep(line.trunk().probe).await;
            }
        };
        let probing = tokio::spawn(probing);
        loop {
            tokio::select! {
                () = self.stop.cancelled() => break,
                Some(_) = calls.join_next() => {}
                Some(job) = jobs.recv() => {
                    let (line, stop) = (self.line.clone(), self.stop.clone());
                    calls.spawn(async move {
                        let ending = call::place(&line, &job, &stop).await;
                        // Who asked for it may have gone.
                        let _ = job.events.send(Event::Ended(ending));
                        drop(job.line);
                    });
                }
            }
        }
        let all = async { while calls.join_next().await.is_some() {} };
        // Who does not answer a goodbye is left.
        let _ = tokio::time::timeout(GOODBYE, all).await;
        probing.abort();
        let _ = tokio::time::timeout(GOODBYE / 2, self.line.close()).await;
    }
}
