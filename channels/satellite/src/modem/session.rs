//! The one task that holds the modem: it opens the port, gives texts one at a time at the modem's pace, hands on what comes
//! in, and looks at the network. Whoever sends leaves a job and waits. This module must not repeat a text.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use channel::{Accepted, Context, Failure, FailureClass, Health, Stop};
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};

use super::incoming::{hand_on, sweep};
use super::link::{Link, Submitted, Unanswered};
use super::open::{Down, WRONG_PIN, look, open};
use super::parts::Parts;
use super::quirks::Quirks;
use super::radio::Radio;
use super::sent::Sent;
use crate::config::ModemConfig;
use crate::pdu::{Number, Unreadable};
use crate::standing::Standing;

/// What the task and the channel share.
pub struct Desk {
    pub config: ModemConfig,
    pub quirks: Quirks,
    pub context: Context,
    pub sent: Mutex<Sent>,
    pub standing: Mutex<Standing>,
    /// Of long texts that are not whole yet.
    pub parts: Mutex<Parts>,
    /// How long a report may take before its reference means another part.
    pub kept: Duration,
    health: Mutex<Health>,
    radio: Mutex<Option<Radio>>,
    /// Something lies in the modem that the journal did not take.
    pub left: AtomicBool,
    unreadable: AtomicU64,
}

/// One text's parts, each a line and the length told before it.
pub struct Job {
    pub to: Number,
    pub parts: Vec<(String, usize)>,
    pub turn: Arc<Turn>,
    pub reply: oneshot::Sender<Result<Accepted, Failure>>,
}

/// Whether a job has begun, or whoever left it has gone: exactly one of the two comes first.
#[derive(Default)]
pub struct Turn(AtomicU8);

impl Turn {
    fn first(&self, mark: u8) -> bool {
        self.0
            .compare_exchange(0, mark, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    fn begin(&self) -> bool {
        self.first(1)
    }

    pub fn leave(&self) -> bool {
        self.first(2)
    }
}

/// Why the port is let go.
enum End {
    Stopped,
    Down(Down),
}

impl From<Unanswered> for End {
    fn from(why: Unanswered) -> Self {
        Self::Down(Down::of("speaking to the modem", &why))
    }
}

impl From<Down> for End {
    fn from(down: Down) -> Self {
        Self::Down(down)
    }
}

impl Desk {
    pub fn new(config: ModemConfig, context: Context) -> Self {
        Self {
            quirks: config.quirks(),
            standing: Mutex::new(Standing::default()),
            parts: Mutex::default(),
            sent: Mutex::default(),
            kept: Duration::from_hours(24),
            health: Mutex::new(Health::Down("not opened yet".to_owned())),
            radio: Mutex::new(None),
            left: AtomicBool::new(false),
            unreadable: AtomicU64::new(0),
            config,
            context,
        }
    }

    pub fn health(&self) -> Health {
        self.health.lock().clone()
    }

    pub fn radio(&self) -> Option<Radio> {
        *self.radio.lock()
    }

    pub fn unreadable(&self) -> u64 {
        self.unreadable.load(Ordering::Relaxed)
    }

    pub fn count_unreadable(&self, why: Unreadable) {
        self.unreadable.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(channel = %self.context.name, %why, "the modem brought something that is no text and no report");
    }

    fn set(&self, health: Health) {
        *self.health.lock() = health;
    }

    /// Runs until `stop`.
    pub async fn run(&self, jobs: &mut mpsc::Receiver<Job>, stop: &Stop) {
        let mut wrong_pin = None;
        while !stop.is_cancelled() {
            let down = match &wrong_pin {
                Some(why) => Down(String::clone(why)),
                None => match self.held(jobs, stop).await {
                    End::Stopped => break,
                    End::Down(down) => down,
                },
            };
            if down.0.starts_with(WRONG_PIN) {
                wrong_pin = Some(down.0.clone());
            }
            *self.radio.lock() = None;
            self.set(Health::Down(down.0.clone()));
            self.refuse(jobs, &down, stop).await;
        }
        self.set(Health::Down("stopped".to_owned()));
        jobs.close();
        while let Ok(job) = jobs.try_recv() {
            answer(
                job,
                Err(link_down("modem:stopped", "the channel is stopped")),
            );
        }
    }

    /// While the port is closed, whoever sends is told why.
    async fn refuse(&self, jobs: &mut mpsc::Receiver<Job>, down: &Down, stop: &Stop) {
        let until = sleep(self.config.again);
        tokio::pin!(until);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = &mut until => return,
                job = jobs.recv() => {
                    let Some(job) = job else { return };
                    answer(job, Err(link_down("modem:down", down.0.clone())));
                }
            }
        }
    }

    async fn held(&self, jobs: &mut mpsc::Receiver<Job>, stop: &Stop) -> End {
        let opened = tokio::select! {
            () = stop.cancelled() => return End::Stopped,
            opened = open(&self.config, &self.quirks) => opened,
        };
        let mut link = match opened {
            Ok(link) => link,
            Err(down) => return End::Down(down),
        };
        match self.serve(&mut link, jobs, stop).await {
            Err(end) => end,
            Ok(never) => match never {},
        }
    }

    async fn serve(
        &self,
        link: &mut Link,
        jobs: &mut mpsc::Receiver<Job>,
        stop: &Stop,
    ) -> Result<std::convert::Infallible, End> {
        self.look(link).await?;
        sweep(self, link).await?;
        let mut probe = interval(self.config.probe);
        probe.set_missed_tick_behavior(MissedTickBehavior::Delay);
        probe.reset();
        let mut free = Instant::now();
        loop {
            hand_on(self, link).await?;
            tokio::select! {
                biased;
                () = stop.cancelled() => return Err(End::Stopped),
                heard = link.listen() => heard?,
                _ = probe.tick() => {
                    self.look(link).await?;
                    if self.left.swap(false, Ordering::AcqRel) || self.quirks.polls {
                        sweep(self, link).await?;
                    }
                }
                job = jobs.recv() => {
                    let Some(job) = job else { return Err(End::Stopped) };
                    tokio::select! {
                        biased;
                        worked = self.work(link, job, &mut free) => worked?,
                        // What was begun is in doubt.
                        () = stop.cancelled() => return Err(End::Stopped),
                    }
                }
            }
        }
    }

    async fn look(&self, link: &mut Link) -> Result<Radio, End> {
        let radio = look(link, &self.quirks).await?;
        *self.radio.lock() = Some(radio);
        self.set(radio.health(self.config.least_signal));
        Ok(radio)
    }

    /// One text, part by part. What is lost of the link ends it.
    async fn work(&self, link: &mut Link, job: Job, free: &mut Instant) -> Result<(), End> {
        if !job.turn.begin() {
            return Ok(());
        }
        let lost = "the port was lost before the text was given";
        let radio = match self.look(link).await {
            Ok(radio) => radio,
            Err(end) => {
                answer(job, Err(link_down("modem:lost", lost)));
                return Err(end);
            }
        };
        if let Some(why) = radio.trouble() {
            answer(job, Err(link_down("modem:no-network", why)));
            return Ok(());
        }
        let mut references = Vec::with_capacity(job.parts.len());
        for (line, length) in &job.parts {
            sleep_until(*free).await;
            let submitted = link.submit(line, *length, self.config.send_timeout).await;
            *free = Instant::now() + self.config.pause;
            match self.judged(&job.to, submitted) {
                Ok(reference) => references.extend(reference),
                Err((failure, end)) => {
                    answer(job, Err(failure));
                    return end.map_or(Ok(()), Err);
                }
            }
        }
        answer(job, Ok(Accepted { references }));
        Ok(())
    }

    /// The reference of a part that was taken; or what it means that it was not, and whether the link can go on.
    fn judged(
        &self,
        to: &Number,
        submitted: Submitted,
    ) -> Result<Option<String>, (Failure, Option<End>)> {
        let (why, given) = match submitted {
            Submitted::Taken(octet) => {
                let clock = &self.context.clock;
                let note = |octet| {
                    let mut sent = self.sent.lock();
                    sent.note(&self.context.name, octet, to, clock.now(), clock.tick())
                };
                return Ok(octet.map(note));
            }
            Submitted::Unsent(why) => (why, false),
            Submitted::Given(why) => (why, true),
        };
        let failure = match &why {
            Unanswered::Refused(refusal) => return Err((refusal.failure(), None)),
            _ if given => Failure::new(
                FailureClass::InDoubt,
                "modem:lost",
                "the text was given to the modem and no answer came",
            ),
            Unanswered::Silent => link_down("modem:silent", "the modem does not answer"),
            Unanswered::Lost => link_down(
                "modem:lost",
                "the port was closed before the text was given",
            ),
        };
        Err((failure, Some(why.into())))
    }
}

fn answer(job: Job, outcome: Result<Accepted, Failure>) {
    // Whoever left it may have gone.
    let _ = job.reply.send(outcome);
}

pub fn link_down(code: &'static str, why: impl Into<std::borrow::Cow<'static, str>>) -> Failure {
    Failure::new(FailureClass::LinkDown, code, why)
}
