//! One way in for an alert: read, check, the caller's walls, targets, plan, and one commit. Each step refuses with its
//! own words and changes nothing. This module must not write blocks.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use channel::{Channel, Clock, Level, Timestamp};
use parking_lot::RwLock;

use super::judge::Judged;
use super::names::{identity, reference, regions_hash};
use crate::ledger::event::{Accepted, Born, InfoMeta};
use crate::ledger::record::sha256;
use crate::ledger::{Archive, Event, Identity, Ledger, Proposal, Refused, Writer};
use crate::model::{RegionCode, StreamId};
use crate::plan::preview::Means;
use crate::plan::{self, Note, Plans, Routes};
use crate::registry::Registry;
use crate::store::Store;
use crate::trust::{Bureaus, Caller};

/// What the 202 says.
#[derive(Clone, Debug)]
pub struct Submitted {
    pub stream: StreamId,
    pub identity: Identity,
    pub disposition: cap::Disposition,
    pub findings: Vec<cap::Finding>,
    /// What was left aside when it was targeted.
    pub notes: Vec<Note>,
    pub born: Born,
    pub level: Level,
    /// The level by which it is handled.
    pub handled: Level,
    pub regions: Vec<RegionCode>,
    pub regions_hash: String,
    pub position: u64,
    /// It was known already with the same content; nothing was changed.
    pub repeated: bool,
}

#[derive(Clone, Debug)]
pub enum Rejection {
    Unreadable {
        findings: Vec<cap::Finding>,
    },
    NotAllowed {
        what: String,
    },
    Outside {
        codes: Vec<RegionCode>,
    },
    Nowhere {
        findings: Vec<cap::Finding>,
        what: String,
    },
    /// Its text messages are not on file, and the caller is strict.
    NotFiled {
        findings: Vec<cap::Finding>,
    },
    Conflict {
        stream: StreamId,
    },
    Unavailable {
        reason: String,
    },
}

pub struct Ingest {
    pub ledger: Arc<Ledger>,
    /// Reads back for a preview what is sealed.
    pub archive: Arc<Archive>,
    pub writer: Writer,
    pub registry: Arc<RwLock<Arc<Registry>>>,
    pub plans: Arc<Plans>,
    pub store: Arc<dyn Store>,
    pub channels: Arc<BTreeMap<String, Arc<dyn Channel>>>,
    pub routes: Arc<Routes>,
    pub bureaus: Arc<Bureaus>,
    pub means: Arc<Means>,
    pub clock: Arc<dyn Clock>,
    /// One alert at a time from its look at the others to its commit: an alert and its correction that come together
    /// never miss each other.
    pub turn: Arc<tokio::sync::Mutex<()>>,
}

impl Ingest {
    pub async fn submit(&self, caller: &Caller, bytes: Bytes) -> Result<Submitted, Rejection> {
        let read = self.read(caller, &bytes)?;
        let _turn = self.turn.lock().await;
        let judged = self.judge(caller, read)?;
        self.commit(judged, caller, bytes).await
    }

    fn accepted(&self, judged: &Judged<'_>, caller: &Caller, bytes: &Bytes) -> Accepted {
        let (alert, choice) = (&judged.alert, &judged.choice);
        let (now, regions) = (judged.now, judged.regions.clone());
        let lifetime = Timestamp::from_secs(alert.sent.unix)
            .plus(choice.plan.lifetime.0)
            .max(now);
        let infos = alert.infos.iter().map(|info| InfoMeta {
            language: info.language.clone(),
            event: info
                .event_codes
                .first()
                .map_or_else(String::new, |c| c.value.clone()),
            severity: info.severity,
            urgency: info.urgency,
            onset: info.onset.map(|t| Timestamp::from_secs(t.unix)),
            expires: info
                .ends()
                .map_or(lifetime, |t| Timestamp::from_secs(t.unix)),
        });
        Accepted {
            identity: identity(alert),
            document: sha256(bytes),
            content: sha256(cap::write(alert).as_bytes()),
            caller: caller.id.clone(),
            status: alert.status,
            msg_type: alert.msg_type,
            level: plan::level(alert),
            references: alert.references.iter().map(reference).collect(),
            hits: judged.hits.clone(),
            born: judged.born,
            infos: infos.collect(),
            regions_hash: regions_hash(&regions),
            regions,
            plan: sha256(choice.bytes),
            plan_name: choice.plan.name.clone(),
            generation: self.registry.read().generation(),
        }
    }

    async fn commit(
        &self,
        judged: Judged<'_>,
        caller: &Caller,
        bytes: Bytes,
    ) -> Result<Submitted, Rejection> {
        let accepted = self.accepted(&judged, caller, &bytes);
        let (plan, handled) = (judged.choice.bytes.to_vec(), judged.choice.handled);
        let mut submitted = Submitted {
            stream: 0,
            identity: accepted.identity.clone(),
            disposition: judged.disposition,
            findings: judged.findings,
            notes: judged.targets.notes,
            born: accepted.born,
            level: accepted.level,
            handled,
            regions: accepted.regions.clone(),
            regions_hash: hex::encode(accepted.regions_hash),
            position: 0,
            repeated: false,
        };
        let held = judged.held.map(Event::Held);
        let raised = (handled != accepted.level).then_some(Event::Raised { level: handled });
        let claim = Some((accepted.identity.clone(), accepted.content));
        let documents = vec![(accepted.document, bytes.to_vec()), (accepted.plan, plan)];
        let events = [Event::Accepted(Box::new(accepted))].into_iter();
        let proposal = Proposal {
            claim,
            documents,
            events: events
                .chain(raised)
                .chain(held)
                .map(|event| (Proposal::NEW, event))
                .collect(),
            ..Proposal::default()
        };
        match self.writer.propose(proposal).await {
            Ok(commit) => {
                submitted.stream = commit.opened.unwrap_or_default();
                submitted.position = commit.position;
                Ok(submitted)
            }
            Err(Refused::Known {
                stream,
                same_content: true,
            }) => {
                self.again(&mut submitted, stream);
                Ok(submitted)
            }
            Err(Refused::Known {
                stream,
                same_content: false,
            }) => Err(Rejection::Conflict { stream }),
            Err(refused) => Err(Rejection::Unavailable {
                reason: refused.to_string(),
            }),
        }
    }
    /// The first answer again: what was decided then stands.
    fn again(&self, submitted: &mut Submitted, stream: StreamId) {
        if let Some(first) = self.ledger.known(stream) {
            submitted.handled = first.handled();
            let first = first.meta();
            submitted.born = first.born;
            submitted.regions.clone_from(&first.regions);
            submitted.regions_hash = hex::encode(first.regions_hash);
        }
        submitted.stream = stream;
        submitted.position = *self.writer.position().borrow();
        submitted.repeated = true;
    }
}
