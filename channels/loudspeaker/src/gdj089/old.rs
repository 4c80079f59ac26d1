//! The older dialect on a connection: what packets mean, and what is said in them. A terminal reports its own plays, so its word
//! is about itself alone. This module must not speak to who has not come.

use channel::{Evidence, Failure, FailureClass, Verdict};

use super::bytes::Id;
use super::caller::Caller;
use super::config::Dialect;
use super::desk::Desk;
use super::fefd::{CODE, Packet, REPLY, REQUEST};
use super::heard::time;
use super::link::{Answer, Wants};
use super::plan::{self, Start};
use super::said::Said;
use super::session::Then;
use super::task::UNCHANGED;
use crate::signing::Value;

impl Desk {
    /// What is said to a packet.
    pub async fn packet(&self, packet: Packet, caller: &mut Caller) -> Then {
        let seal = packet.seal.unwrap_or(Value::NONE);
        let covered = || packet.covered();
        if let Err(why) = self
            .proved(Some(&packet.source), caller, covered, &seal)
            .await
        {
            return self.faulty(caller, why, -1);
        }
        let read = Said::read(&packet);
        let (why, code) = match read {
            Some(Ok(said)) => match self.admit(&packet.source, caller) {
                Ok(at) if self.config.adapter[at].dialect == Dialect::Fefd => {
                    caller.fine();
                    return self.said(at, &packet, &said, caller).await;
                }
                Ok(_) => ("other-dialect", 12),
                Err(why) => {
                    self.refuse(why);
                    return caller.overstepped();
                }
            },
            Some(Err(_)) => ("malformed", 13),
            None => ("unknown-opcode", 55),
        };
        self.refuse(why);
        if caller.faulty() {
            return Then::HangUp;
        }
        if packet.kind == REQUEST && caller.at.is_some() {
            self.replied(&packet, code)
        } else {
            Then::Nothing
        }
    }

    async fn said(&self, at: usize, packet: &Packet, said: &Said, caller: &Caller) -> Then {
        let front = &packet.source;
        match said {
            Said::Heartbeat { state, .. } => {
                let now = self.now();
                let state = self.standing.lock().beat(front, *state, None, now);
                self.present(front, state, String::new());
            }
            // Whether it is a fault or that one is over cannot be read.
            Said::Fault(_) => self.refuse("unread-fault"),
            Said::Switch { into, ebm, .. } => {
                if *into == 1 && self.is_ours(at, ebm, front) {
                    let receipt =
                        self.receipt(ebm, front, Verdict::Progress, "playing".into(), None);
                    if !self.keep(vec![receipt]).await {
                        return Then::Nothing;
                    }
                }
            }
            Said::Result {
                ebm,
                result,
                start,
                end,
                ..
            } => {
                if self.is_ours(at, ebm, front) {
                    let (verdict, said) = if *result == 1 {
                        let seconds = end.saturating_sub(*start);
                        let played = Verdict::Reached(Evidence::Acknowledged);
                        (played, format!("played {seconds}"))
                    } else {
                        let failed = Verdict::Refused(FailureClass::Transient);
                        (failed, "failed".to_owned())
                    };
                    let receipt = self.receipt(ebm, front, verdict, said, Some(time(*end)));
                    if !self.keep(vec![receipt]).await {
                        return Then::Nothing;
                    }
                }
            }
            Said::Reply { code, .. } => {
                let asked = self.links[at].offer_reply(caller.session.by, packet.session, *code);
                if !asked {
                    self.refuse("unasked");
                }
                return Then::Nothing;
            }
            Said::Start { .. } | Said::Stop { .. } => {
                self.refuse("unknown-opcode");
                return self.replied(packet, 55);
            }
        }
        if packet.kind == REPLY {
            return Then::Nothing;
        }
        self.replied(packet, 0)
    }

    fn replied(&self, packet: &Packet, code: u8) -> Then {
        let business = packet.business;
        let text = Vec::new();
        let said = Said::Reply {
            business,
            code,
            text,
        };
        match self.old_platform() {
            Some(own) => Then::Packet(packet.reply(own, &said)),
            None => Then::Nothing,
        }
    }

    fn old_platform(&self) -> Option<Id> {
        self.config.old_platform.as_ref()?.parse().ok()
    }

    /// A start in this dialect: to one terminal, whose reply says what is wrong with it.
    pub fn old_start(&self, start: &Start, ebm: Id, at: usize) -> Result<Said, Failure> {
        let (now, adapter) = (self.context.clock.now(), &self.config.adapter[at]);
        let task = plan::task(start, ebm, &self.config, adapter, now)?;
        let spoken = task.spoken.into_iter().next();
        Ok(Said::Start {
            ebm: task.ebm,
            class: task.class,
            severity: task.level,
            event: task.event,
            volume: self.config.volume.unwrap_or(UNCHANGED),
            start: task.start,
            seconds: task.end.saturating_sub(task.start),
            text: spoken.map_or_else(Vec::new, |spoken| spoken.text),
        })
    }

    /// Asks one terminal, in its turn.
    pub async fn ask_old(&self, at: usize, target: &Id, said: &Said) -> Answer {
        let session = self.old_session();
        let (business, content) = said.write();
        let packet = Packet {
            session,
            kind: REQUEST,
            source: self.old_platform().unwrap_or_else(|| Id::zero(CODE)),
            targets: vec![target.clone()],
            business,
            content,
            seal: None,
        };
        let _turn = self.links[at].turn.lock().await;
        let bytes = self.written_packet(packet).await?;
        self.spoken(at, bytes, Wants::Reply(session)).await
    }

    pub async fn written_packet(&self, mut packet: Packet) -> Result<Vec<u8>, Failure> {
        let now = plan::seconds(self.context.clock.now());
        // Whether it is signed stands among what is signed.
        packet.seal = Some(Value::NONE);
        let sealed = self.seals.seal(&packet.covered(), now).await;
        packet.seal = sealed.map_err(|_| super::desk::no_signer())?;
        Ok(packet.write())
    }
}

/// What a reply says of a command.
pub fn answer(code: u8) -> Answer {
    let (class, words) = match code {
        0 => return Ok(()),
        59 => (FailureClass::BadAddress, "the resource code is none"),
        71 => (FailureClass::BadAddress, "there is no such terminal"),
        52 | 53 => (FailureClass::LinkDown, "our certificate is not taken"),
        10 | 12 | 13 | 14 | 54 | 55 => (FailureClass::BadContent, "the command is not understood"),
        _ => (FailureClass::Transient, "the terminal cannot take it now"),
    };
    Err(Failure::new(class, format!("fefd:{code}"), words))
}
