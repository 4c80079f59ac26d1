//! What is asked of adapters beside warnings: orders without a text, records of what was played, a clock to be set. This module
//! must not stop more than an order names.

use std::collections::BTreeMap;
use std::time::Duration;

use channel::{Action, Command, Obeyed, Stop};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::assumed::{Ask, Asked, Records, RecordsQuery, ReturnAddress, Status};
use super::bytes::Id;
use super::config::{Adapter, Config, Dialect};
use super::desk::Desk;
use super::link::{Due, Wants};
use super::params::{Reback, Set};
use super::plan::{self, seconds};
use super::routes;
use super::said::Said;
use super::task::{Codes, Down};

/// The records that are asked for begin so many seconds ago.
const SPAN: u32 = 86_400;
/// As many codes as one command counts.
const MOST: usize = 255;
/// By which an adapter refuses what it has understood to be a command.
const REFUSALS: [&str; 4] = ["089:1", "089:2", "089:3", "089:-1"];
/// What was not taken is said again.
const AGAIN: Duration = Duration::from_mins(10);
/// 1 volume, 6 work state, 7 fault.
const WANTED: [u8; 3] = [1, 6, 7];

/// What one device did: whether, and its code.
type Done = (bool, &'static str);

impl Desk {
    /// Carries an order out, once, and tells the house what each device did.
    pub async fn obey(&self, command: Command, stop: &Stop) {
        let wait = command.not_before.since(self.context.clock.now());
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(wait) => {}
        }
        let mut groups: BTreeMap<usize, Vec<(String, Id)>> = BTreeMap::new();
        let mut done = Vec::new();
        for device in &command.devices {
            match self.routes.of(device) {
                Ok((at, code)) => groups.entry(at).or_default().push((device.clone(), code)),
                Err(_) => done.push((device.clone(), (false, "no-adapter"))),
            }
        }
        for (at, devices) in groups {
            done.extend(self.ordered(&command, at, devices).await);
        }
        let seen = self.context.clock.now();
        let row = |(device, (done, code)): (String, Done)| Obeyed {
            serial: command.serial,
            device,
            done,
            code: code.to_owned(),
            seconds: 0,
            far: Some(seen),
        };
        let rows: Vec<_> = done.into_iter().map(row).collect();
        while self.context.inlet.obeyed(rows.clone()).await.is_err() {
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(self.config.answer_timeout) => {}
            }
        }
    }

    async fn ordered(
        &self,
        command: &Command,
        at: usize,
        devices: Vec<(String, Id)>,
    ) -> Vec<(String, Done)> {
        let all = |done: Done| {
            devices
                .iter()
                .map(|(device, _)| (device.clone(), done))
                .collect()
        };
        let codes: Vec<_> = devices.iter().map(|(_, code)| code.clone()).collect();
        if command.expires <= self.context.clock.now() {
            return all((false, "expired"));
        }
        let old = self.config.adapter[at].dialect == Dialect::Fefd;
        match command.action {
            Action::Stop { alert } => {
                let plays = self.plays.lock().of(at, alert, &codes);
                let mut stopped: BTreeMap<Id, Done> = BTreeMap::new();
                for (ebm, codes) in plays {
                    let did = self.stopped(at, ebm, codes.clone()).await;
                    // One that was not stopped is what counts.
                    for code in codes {
                        let before = stopped.entry(code).or_insert(did);
                        if !did.0 {
                            *before = did;
                        }
                    }
                }
                let of = |(device, code): &(String, Id)| {
                    let did = stopped.get(code).copied();
                    (device.clone(), did.unwrap_or((false, "unknown-play")))
                };
                devices.iter().map(of).collect()
            }
            // The older dialect stops one message by its name, and how it sets a volume is not known.
            Action::StopAll | Action::Volume { .. } if old => all((false, "not-spoken")),
            // Said again after a restart it could silence what is newer.
            Action::StopAll if command.not_before < self.began => all((false, "restarted")),
            Action::StopAll => {
                let everything = self.config.adapter[at].assumed.everything.id();
                all(self.stopped(at, everything, codes).await)
            }
            Action::Volume { percent } => {
                let volume = percent.min(100);
                all(self
                    .chunked(at, codes, |codes| {
                        (Down::Volume { volume, codes }, Wants::Generic)
                    })
                    .await)
            }
            Action::Tone { .. } | Action::Prolong { .. } | Action::SelfTest => {
                all((false, "not-spoken"))
            }
        }
    }

    async fn stopped(&self, at: usize, ebm: Id, codes: Vec<Id>) -> Done {
        if self.config.adapter[at].dialect == Dialect::Fefd {
            let mut done = (true, "done");
            for code in codes {
                let said = Said::Stop { ebm: ebm.clone() };
                if let Err(failure) = self.ask_old(at, &code, &said).await {
                    done = (false, failure.class.label());
                }
            }
            return done;
        }
        let (adapter, now) = (&self.config.adapter[at], self.context.clock.now());
        self.chunked(at, codes, |codes| {
            let task = plan::stop(ebm.clone(), codes.list, adapter, now);
            (Down::Task(Box::new(task)), Wants::Start(ebm.clone()))
        })
        .await
    }

    /// A command counts its codes in one byte.
    async fn chunked(
        &self,
        at: usize,
        codes: Vec<Id>,
        make: impl Fn(Codes) -> (Down, Wants),
    ) -> Done {
        let mut done = (true, "done");
        for codes in codes.chunks(MOST) {
            let (down, wants) = make(Codes::logical(codes.to_vec()));
            if let Err(failure) = self.exchange(at, &down, wants).await {
                done = (false, failure.class.label());
            }
        }
        done
    }

    /// Looks after one adapter until `stop`.
    pub async fn upkeep(&self, at: usize, stop: &Stop) {
        let mut every = interval(self.config.records_every);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let link = &self.links[at];
        // What was started before this process may have been played since.
        link.want(Due::Records);
        link.want(Due::Channels);
        let mut ticks = 0_u32;
        loop {
            let ticked = tokio::select! {
                () = stop.cancelled() => return,
                _ = every.tick() => true,
                () = link.wake.notified() => false,
            };
            ticks += u32::from(ticked);
            // The older dialect has nothing of this whose body is known.
            let old = self.config.adapter[at].dialect == Dialect::Fefd;
            if old || !self.is_reachable(at) {
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.look_after(at, ticked, ticks) => {}
            }
        }
    }

    async fn look_after(&self, at: usize, ticked: bool, ticks: u32) {
        let (link, adapter) = (&self.links[at], &self.config.adapter[at]);
        let (now, tick) = self.now();
        if let Ok(front) = adapter.code.parse() {
            let beyond = self.config.set_clock_beyond;
            if self.standing.lock().set_clock(&front, beyond, tick) {
                // Whether it did shows in its next heartbeat.
                let _ = self
                    .exchange(at, &Down::Clock(seconds(now)), Wants::Generic)
                    .await;
            }
        }
        if self.config.report.is_some() && link.take_untold(tick) {
            self.told_of_reports(at, tick).await;
        }
        if !link.may_ask() {
            return;
        }
        self.ask_of_itself(at).await;
        let open = ticked && self.plays.lock().is_open(at, now);
        if adapter.assumed.records != Records::Never && (link.take(Due::Records) || open) {
            let until = seconds(now);
            let query = match adapter.assumed.records {
                Records::Span => RecordsQuery::Span {
                    from: until.saturating_sub(SPAN),
                    until,
                },
                Records::All | Records::Never => RecordsQuery::All,
            };
            // Nothing is lost where it is not answered: it is asked again.
            let _ = self
                .exchange(at, &Down::QueryRecords(query), Wants::Records)
                .await;
        }
        if ticked && ticks % 20 == 1 && adapter.assumed.status == Status::Listed {
            let reback = Reback {
                kind: 2,
                address: Reback::NOWHERE.to_vec(),
            };
            let codes = Codes::logical(adapter.code.parse().into_iter().collect());
            let query = Down::Query {
                reback,
                codes,
                wanted: WANTED.to_vec(),
            };
            let _ = self.exchange(at, &query, Wants::Parameters).await;
        }
    }

    /// What is asked by an empty body, where the adapter's settings assume so. Of each answer comes what comes of the same
    /// report that nobody asked for.
    async fn ask_of_itself(&self, at: usize) {
        let (link, assumed) = (&self.links[at], &self.config.adapter[at].assumed);
        let mut asked = Vec::new();
        if link.take(Due::Faults) && assumed.faults == Asked::Empty {
            asked.push((Ask::Faults, Wants::Faults));
        }
        if assumed.channels == Asked::Empty && link.take(Due::Channels) {
            asked.push((Ask::Inputs, Wants::Inputs));
            asked.push((Ask::Outputs, Wants::Outputs));
        }
        for (ask, wants) in asked {
            let _ = self.exchange(at, &Down::Ask(ask), wants).await;
        }
    }

    /// Tells an adapter and its terminals where to report, and how often.
    async fn told_of_reports(&self, at: usize, tick: Duration) {
        let adapter = &self.config.adapter[at];
        let mut refused = None;
        for set in sets_of_reports(&self.config, adapter) {
            let down = Down::Set(Box::new(set));
            let Err(failure) = self.exchange(at, &down, Wants::Generic).await else {
                continue;
            };
            // One that answers may take the next; for one that does not each would cost a connection.
            let answered = REFUSALS.contains(&&*failure.code);
            refused = refused.or(Some(failure));
            if !answered {
                break;
            }
        }
        if let Some(failure) = refused {
            self.links[at].tell_again(tick + AGAIN);
            tracing::warn!(channel = %self.context.name, adapter = adapter.code, code = %failure.code, "an adapter did not take where it shall report; it is told again in ten minutes");
        }
    }
}

/// What is said of reports: to the adapter, and through it to its terminals.
fn sets_of_reports(config: &Config, adapter: &Adapter) -> Vec<Set> {
    let report = config.report.as_ref();
    let Some((report, reback)) = report.and_then(|r| Some((r, Reback::of(&r.to)?))) else {
        return Vec::new();
    };
    let seconds = u32::try_from(report.every.as_secs()).unwrap_or(u32::MAX);
    let mut sets = vec![Set::Return {
        reback: reback.clone(),
        seconds,
        counted: adapter.assumed.return_address == ReturnAddress::Counted,
    }];
    for codes in routes::served(adapter).chunks(MOST) {
        let codes = || Codes::logical(codes.to_vec());
        sets.push(Set::ReportTo {
            reback: reback.clone(),
            codes: codes(),
        });
        sets.push(Set::Period {
            seconds,
            codes: codes(),
        });
    }
    sets
}
