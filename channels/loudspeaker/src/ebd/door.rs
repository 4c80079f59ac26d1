//! The door that the platform calls at: who calls, whether it is proved, what came before, and what it brought. What it
//! brought is durable before it is answered, and each refusal is counted by its reason. This module must not believe what
//! is not proved, nor answer a heartbeat with a secret.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bytes::Bytes;
use channel::{Presence, PresenceState, Reply, Request, Timestamp, Verdict};
use parking_lot::Mutex;
use ring::{hmac, rand};

use super::Ebd;
use super::archive::{Archive, LARGEST};
use super::body::{Body, Response};
use super::inventory::{Device, Info, States};
use super::multipart;
use super::packet::Packet;
use super::questions::Question;
use super::refusal::Why;
use super::session::print;
use super::signature::Signature;
use super::state::StateReport;
use super::told::receipts;

/// Packets that are remembered with what they were answered.
const REMEMBERED: usize = 4_096;
/// Terminals that are known at once.
const TERMINALS: usize = 50_000;

pub struct Door {
    /// Two MACs under a key of this run compare in constant time.
    equal: hmac::Key,
    refused: [AtomicU64; Why::ALL.len()],
    before: Mutex<Before>,
}

#[derive(Default)]
struct Before {
    kept: HashMap<String, (u64, Reply)>,
    order: VecDeque<String>,
}

impl Before {
    fn keep(&mut self, id: String, print: u64, answer: Reply) {
        if self.order.len() >= REMEMBERED
            && let Some(first) = self.order.pop_front()
        {
            self.kept.remove(&first);
        }
        if self.kept.insert(id.clone(), (print, answer)).is_none() {
            self.order.push_back(id);
        }
    }
}

impl Door {
    /// Nothing where the machine gives no random bytes.
    pub fn new() -> Option<Self> {
        Some(Self {
            equal: hmac::Key::generate(hmac::HMAC_SHA256, &rand::SystemRandom::new()).ok()?,
            refused: Default::default(),
            before: Mutex::default(),
        })
    }

    pub fn refused(&self) -> Vec<(&'static str, u64)> {
        let counts = self.refused.iter().map(|count| count.load(Relaxed));
        Why::ALL.iter().map(|why| why.name()).zip(counts).collect()
    }

    fn is(&self, shown: &str, right: &str) -> bool {
        let right = hmac::sign(&self.equal, right.as_bytes());
        hmac::verify(&self.equal, shown.as_bytes(), right.as_ref()).is_ok()
    }
}

/// Nothing can be kept now: no answer, and the platform comes again.
struct Away;

impl Ebd {
    pub(super) async fn called(&self, request: &Request) -> Reply {
        let archive = match self.opened(request) {
            Ok(archive) => archive,
            Err((why, id)) => return self.refuse(why, id.as_deref()).await,
        };
        let id = archive.packet.id.clone();
        let print = print(&archive.document);
        if let Err(why) = self.proved(&archive).await {
            return self.refuse(why, Some(&id)).await;
        }
        // A heartbeat's name is always the same, and so is that of some platforms' other packets.
        let named = !id.ends_with(&"0".repeat(16));
        let before = self.door.before.lock().kept.get(&id).cloned();
        match before.filter(|_| named) {
            Some((same, answer)) if same == print => return answer,
            Some(_) => return self.refuse(Why::Replayed, Some(&id)).await,
            None => {}
        }
        self.link.heard();
        let reply = match self.take(archive.packet).await {
            Ok(Ok(())) => self.receipt(&id, Response::GOOD, "").await,
            Ok(Err(why)) => return self.refuse(why, Some(&id)).await,
            Err(Away) => return Reply::status(503),
        };
        if named && reply.status == 200 {
            let mut before = self.door.before.lock();
            before.keep(id, print, reply.clone());
        }
        reply
    }

    /// From the wire to a packet; what is refused is refused with the name of the packet where it has one.
    fn opened(&self, request: &Request) -> Result<Archive, (Why, Option<String>)> {
        let (config, no) = (&self.link.config, |why| (why, None));
        let right = config.secret.as_ref().map_or("", |secret| secret.expose());
        if !self.door.is(&request.path, right) {
            return Err(no(Why::Nothing));
        }
        if !may_call(config, request) {
            return Err(no(Why::Address));
        }
        if request.method != "POST" {
            return Err(no(Why::Method));
        }
        if request.body.len() > LARGEST {
            return Err(no(Why::TooLong));
        }
        let file = multipart::read(request.header("content-type"), &request.body);
        let file = file.map_err(|_| no(Why::Form))?;
        Archive::read(file.bytes).map_err(|bad| {
            no(if bad.is_missing() {
                Why::Missing
            } else {
                Why::Unreadable
            })
        })
    }

    /// Who says it, to whom, when, and under which signature.
    async fn proved(&self, archive: &Archive) -> Result<(), Why> {
        let (config, packet) = (&self.link.config, &archive.packet);
        if !config.may_call(&packet.source) {
            return Err(Why::Unregistered);
        }
        if packet
            .target
            .as_ref()
            .is_some_and(|target| *target != config.ebrid)
        {
            return Err(Why::NotOurs);
        }
        let is_beat = matches!(packet.body, Body::Check { .. });
        if config.verify && !is_beat {
            let signature = archive.signature.as_deref().map(Signature::read);
            let Some(Ok(signature)) =
                signature.filter(|s| s.as_ref().is_ok_and(|s| s.of == packet.id))
            else {
                return Err(Why::Signature);
            };
            let held = self
                .link
                .signer
                .verify(&archive.document, &signature.value)
                .await;
            let held = held.unwrap_or_else(|error| {
                tracing::warn!(channel = %self.link.context.name, %error, "a signature of the broadcast platform cannot be checked");
                false
            });
            if !held {
                return Err(Why::Signature);
            }
        }
        let now = self.link.context.clock.now();
        let apart = |at: Timestamp| now.since(at).max(at.since(now));
        if packet.time.is_some_and(|at| apart(at) > config.oldest) {
            return Err(Why::Stale);
        }
        Ok(())
    }

    async fn take(&self, packet: Packet) -> Result<Result<(), Why>, Away> {
        match packet.body {
            Body::Check { .. } | Body::Response(_) => {}
            Body::State(report) => return self.reports(vec![report], false).await,
            Body::Log(log) => {
                let reports = log.items.into_iter().map(|item| item.report);
                return self.reports(reports.collect(), true).await;
            }
            Body::Info(info) => self.stand(info),
            Body::States(states) => self.present(states),
            Body::Ebm(ebm) => return Ok(self.is_handed(&ebm)),
            Body::StateRequest { ebm } => {
                return Ok(self.is_asked(packet.id, packet.source, Question::State(ebm)));
            }
            Body::Omd(omd) => {
                return Ok(self.is_asked(packet.id, packet.source, Question::Data(omd)));
            }
            Body::Other(_) => return Ok(Err(Why::NotServed)),
        }
        Ok(Ok(()))
    }

    /// What was said before is not written again. A log lists what others have broadcast too, and that is passed over.
    async fn reports(
        &self,
        reports: Vec<StateReport>,
        of_log: bool,
    ) -> Result<Result<(), Why>, Away> {
        let (now, tick) = (
            self.link.context.clock.now(),
            self.link.context.clock.tick(),
        );
        let (mut brought, mut said) = (Vec::new(), HashSet::new());
        let mut known = of_log;
        for report in &reports {
            let book = self.book.lock();
            known |= book.is_cancel(&report.ebm);
            let Some(open) = book.get(&report.ebm) else {
                continue;
            };
            known = true;
            let mut told = receipts(report, open, self.link.config.codes_tell_areas, now);
            told.retain(|(at, receipt)| {
                let word = (report.ebm.clone(), *at, receipt.code.clone());
                open.is_news(*at, receipt, of_log) && said.insert(word)
            });
            brought.extend(
                told.into_iter()
                    .map(|(at, receipt)| (report.ebm.clone(), at, receipt)),
            );
        }
        if !known {
            return Ok(Err(Why::UnknownMessage));
        }
        let batch: Vec<_> = brought
            .iter()
            .map(|(.., receipt)| receipt.clone())
            .collect();
        if !batch.is_empty() && self.link.context.inlet.receipts(batch).await.is_err() {
            return Err(Away);
        }
        let mut book = self.book.lock();
        for report in &reports {
            if let Some(open) = book.get_mut(&report.ebm) {
                open.tells(report.state, of_log, (now, tick));
            }
        }
        for (id, at, receipt) in brought {
            if matches!(receipt.verdict, Verdict::Refused(_)) {
                book.failed(&id, at);
            }
            if let Some(open) = book.get_mut(&id) {
                open.said.entry(at).or_default().push(receipt.code);
            }
        }
        Ok(Ok(()))
    }

    fn stand(&self, info: Info) {
        let seen = self.link.context.clock.now();
        let mut terminals = self.terminals.lock();
        for record in info.records {
            if record.deleted {
                terminals.remove(&record.id);
            } else if terminals.len() < TERMINALS || terminals.contains_key(&record.id) {
                let terminal = terminals.entry(record.id).or_default();
                let short = |text: &str, most| text.chars().take(most).collect();
                terminal.name = short(&record.name, 100);
                terminal.place = [&record.longitude, &record.latitude].map(|text| short(text, 20));
                terminal.told = Some(seen);
            }
        }
    }

    fn present(&self, states: States) {
        let seen = self.link.context.clock.now();
        for row in states.rows {
            let state = match row.state {
                Device::Running | Device::Recovered => PresenceState::Idle,
                Device::Stopped => PresenceState::Silent,
                Device::Fault => PresenceState::Fault,
                Device::Broadcasting => PresenceState::Playing,
            };
            {
                let mut terminals = self.terminals.lock();
                if terminals.len() >= TERMINALS && !terminals.contains_key(&row.id) {
                    continue;
                }
                let terminal = terminals.entry(row.id.clone()).or_default();
                (terminal.state, terminal.heard) = (Some(state), Some(seen));
                terminal.said = Some(row.state);
            }
            self.link.context.inlet.presence(Presence {
                device: row.id,
                state,
                code: String::new(),
                seen,
            });
        }
    }

    async fn refuse(&self, why: Why, id: Option<&str>) -> Reply {
        self.door.refused[why as usize].fetch_add(1, Relaxed);
        match why.answer() {
            Ok((code, words)) => self.receipt(id.unwrap_or_default(), code, words).await,
            Err(status) => Reply::status(status),
        }
    }

    /// A receipt for the packet of this name.
    async fn receipt(&self, id: &str, code: u8, words: &str) -> Reply {
        let response = Response {
            code,
            words: words.into(),
        };
        let mut packet = self.link.packet(Body::Response(response), None);
        packet.related = (!id.is_empty()).then(|| id.to_owned());
        // Whoever is refused sets no signing device to work.
        let posted = if code == Response::GOOD {
            self.link.pack(packet, Vec::new()).await
        } else {
            Ok(self.link.unsigned(packet))
        };
        match posted {
            Ok(posted) => sent_as(&posted.name, Bytes::copy_from_slice(&posted.bytes)),
            Err(_) => Reply::status(503),
        }
    }
}

fn sent_as(name: &str, body: Bytes) -> Reply {
    let header = |name: &str, value: String| (name.to_owned(), value);
    Reply {
        status: 200,
        headers: vec![
            header("content-type", "application/x-tar".into()),
            header("content-disposition", format!("attachment;filename={name}")),
        ],
        body,
    }
}

/// By the address that the proxy before the gateway tells; the last one of a list is the one that it saw itself.
fn may_call(config: &super::Config, request: &Request) -> bool {
    if config.addresses.is_empty() {
        return true;
    }
    let told = request.header(&config.address_header.to_lowercase());
    let last = told.and_then(|list| list.rsplit(',').next()?.trim().parse::<IpAddr>().ok());
    last.is_some_and(|address| config.addresses.contains(&address))
}
