//! One way in for an alert: read, check, the caller's walls, targets, plan, and one commit. Each step refuses with its
//! own words and changes nothing. This module must not write blocks.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use channel::{Clock, Level, Timestamp};
use parking_lot::RwLock;

use super::names::{identity, reference, regions_hash};
use super::walls::{allowed, codes_outside};
use crate::ledger::event::{Accepted, Born, InfoMeta};
use crate::ledger::record::sha256;
use crate::ledger::{Event, Identity, Known, Ledger, Proposal, Refused, Writer};
use crate::model::{RegionCode, StreamId};
use crate::plan::{self, Plan, Plans, Targets};
use crate::registry::Registry;
use crate::trust::Caller;

/// What the 202 says.
#[derive(Clone, Debug)]
pub struct Submitted {
    pub stream: StreamId,
    pub identity: Identity,
    pub disposition: cap::Disposition,
    pub findings: Vec<cap::Finding>,
    pub born: Born,
    pub level: Level,
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
    Conflict {
        stream: StreamId,
    },
    Unavailable {
        reason: String,
    },
}

pub struct Ingest {
    pub ledger: Arc<Ledger>,
    pub writer: Writer,
    pub registry: Arc<RwLock<Arc<Registry>>>,
    pub plans: Arc<Plans>,
    pub clock: Arc<dyn Clock>,
    /// One alert at a time from its look at the others to its commit: an alert and its correction that come together
    /// never miss each other.
    pub turn: tokio::sync::Mutex<()>,
}

impl Ingest {
    pub async fn submit(&self, caller: &Caller, bytes: Bytes) -> Result<Submitted, Rejection> {
        let now = self.clock.now();
        let report = cap::assess(&bytes, now.secs());
        let findings = report.findings;
        let refused = report.disposition == cap::Disposition::Reject
            || (caller.strict && findings.iter().any(|f| f.level == cap::FindingLevel::Error));
        let Some(alert) = report.alert.filter(|_| !refused) else {
            return Err(Rejection::Unreadable { findings });
        };
        allowed(caller, &alert)?;
        let _turn = self.turn.lock().await;
        let hits = self.hits(&alert);
        self.may_correct(caller, &alert, &hits)?;
        let targets = self.targets(caller, &alert, &findings)?;
        let born = self.born(caller, &alert, report.disposition);
        let accepted = self.accepted(caller, &alert, &bytes, targets, hits, born, now)?;
        self.commit(accepted, bytes, report.disposition, findings)
            .await
    }

    /// The streams that the references name: the instant first, else sender and identifier alone. A drill speaks of
    /// drills alone: it must not withdraw a real warning.
    fn hits(&self, alert: &cap::Alert) -> Vec<StreamId> {
        let own = identity(alert);
        let mut hits = Vec::new();
        for reference in &alert.references {
            let named = |id: &Identity| {
                id.sender == reference.sender && id.identifier == reference.identifier
            };
            if named(&own) {
                continue;
            }
            let exact = reference.sent.and_then(|sent| {
                let (sender, identifier) = (reference.sender.clone(), reference.identifier.clone());
                self.ledger.find(&Identity {
                    sender,
                    identifier,
                    sent: sent.unix,
                })
            });
            let loose = || {
                self.ledger
                    .every()
                    .iter()
                    .rev()
                    .find(|a| named(&a.meta().identity) && a.meta().status == alert.status)
                    .map(Known::stream)
            };
            let alike = |stream: &StreamId| {
                let named = self.ledger.known(*stream);
                named.is_some_and(|a| a.meta().status == alert.status)
            };
            hits.extend(exact.filter(alike).or_else(loose));
        }
        hits.sort_unstable();
        hits.dedup();
        hits
    }

    /// A correction comes from whoever brought the alert, or from one responsible for all of its regions.
    fn may_correct(
        &self,
        caller: &Caller,
        alert: &cap::Alert,
        hits: &[StreamId],
    ) -> Result<(), Rejection> {
        if !matches!(alert.msg_type, cap::MsgType::Update | cap::MsgType::Cancel) {
            return Ok(());
        }
        for stream in hits {
            let Some(earlier) = self.ledger.known(*stream) else {
                continue;
            };
            let earlier = earlier.meta();
            let may =
                earlier.caller == caller.id || earlier.regions.iter().all(|r| caller.covers(*r));
            if !may {
                let what = format!(
                    "alert {stream} is not yours to correct; the bureau that issued it must do so"
                );
                return Err(Rejection::NotAllowed { what });
            }
        }
        Ok(())
    }

    fn targets(
        &self,
        caller: &Caller,
        alert: &cap::Alert,
        findings: &[cap::Finding],
    ) -> Result<Targets, Rejection> {
        let needs_area = matches!(alert.msg_type, cap::MsgType::Alert | cap::MsgType::Update);
        if !needs_area && alert.infos.iter().all(|i| i.areas.is_empty()) {
            return Ok(Targets::default());
        }
        let outside = codes_outside(caller, alert);
        if !outside.is_empty() {
            return Err(Rejection::Outside { codes: outside });
        }
        let registry = self.registry.read().clone();
        let targets = plan::target(alert, &registry).map_err(|problems| {
            let what = problems
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("; ");
            Rejection::Nowhere {
                findings: findings.to_vec(),
                what,
            }
        })?;
        let codes: Vec<_> = targets
            .regions
            .iter()
            .copied()
            .filter(|r| !caller.covers(*r))
            .collect();
        if codes.is_empty() {
            Ok(targets)
        } else {
            Err(Rejection::Outside { codes })
        }
    }

    /// The canonical regions of some alerts together.
    fn regions(&self, streams: &[StreamId]) -> Vec<RegionCode> {
        let alerts = streams
            .iter()
            .filter_map(|stream| self.ledger.known(*stream));
        let all: BTreeSet<_> = alerts.flat_map(|a| a.meta().regions.clone()).collect();
        let outer = |region: &RegionCode| !all.iter().any(|o| o != region && o.covers(*region));
        all.iter().copied().filter(outer).collect()
    }

    /// What says neither level nor event (a short Cancel) goes by the plan of what it corrects, or by any: it adds nobody.
    fn plan(&self, alert: &cap::Alert, hits: &[StreamId]) -> Option<(&Plan, &[u8])> {
        let of = |stream: &StreamId| {
            let earlier = self.ledger.known(*stream)?;
            self.plans.named(&earlier.meta().plan_name)
        };
        let silent = alert.infos.is_empty();
        self.plans.choose(alert).or_else(|| {
            let earlier = hits.iter().filter(|_| silent).find_map(of);
            earlier.or_else(|| self.plans.first().filter(|_| silent))
        })
    }

    fn born(&self, caller: &Caller, alert: &cap::Alert, disposition: cap::Disposition) -> Born {
        let sent = matches!(
            alert.msg_type,
            cap::MsgType::Alert | cap::MsgType::Update | cap::MsgType::Cancel
        ) && plan::wall::is_sent(alert.status);
        if !sent {
            return Born::Filed;
        }
        if disposition == cap::Disposition::Quarantine {
            return Born::Quarantined;
        }
        let own = identity(alert);
        let corrects = |a: &Accepted| {
            matches!(a.msg_type, cap::MsgType::Update | cap::MsgType::Cancel)
                && a.born == Born::Live
                && a.status == alert.status
                // It came before what it corrects, so nothing but its own word says that it may.
                && a.caller == caller.id
                && a.references
                    .iter()
                    .any(|r| r.sender == own.sender && r.identifier == own.identifier)
                && a.identity != own
        };
        let every = self.ledger.every();
        let by = every.iter().find(|a| corrects(a.meta())).map(Known::stream);
        by.map_or(Born::Live, Born::SupersededBy)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "each is one proven part of the alert, used once"
    )]
    fn accepted(
        &self,
        caller: &Caller,
        alert: &cap::Alert,
        bytes: &Bytes,
        targets: Targets,
        hits: Vec<StreamId>,
        born: Born,
        now: Timestamp,
    ) -> Result<(Accepted, Vec<u8>), Rejection> {
        let Some((chosen, plan_bytes)) = self.plan(alert, &hits) else {
            let what = "no plan takes an alert of this level, event and sender; add one to the plans folder";
            return Err(Rejection::Nowhere {
                findings: Vec::new(),
                what: what.into(),
            });
        };
        let lifetime = Timestamp::from_secs(alert.sent.unix)
            .plus(chosen.lifetime.0)
            .max(now);
        // A Cancel without area speaks of where the warning stands that it lifts, and is seen there.
        let regions = if targets.regions.is_empty() {
            self.regions(&hits)
        } else {
            targets.regions
        };
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
        let accepted = Accepted {
            identity: identity(alert),
            document: sha256(bytes),
            content: sha256(cap::write(alert).as_bytes()),
            caller: caller.id.clone(),
            status: alert.status,
            msg_type: alert.msg_type,
            level: plan::level(alert),
            references: alert.references.iter().map(reference).collect(),
            hits,
            born,
            infos: infos.collect(),
            regions_hash: regions_hash(&regions),
            regions,
            plan: sha256(plan_bytes),
            plan_name: chosen.name.clone(),
            generation: self.registry.read().generation(),
        };
        Ok((accepted, plan_bytes.to_vec()))
    }

    async fn commit(
        &self,
        (accepted, plan): (Accepted, Vec<u8>),
        bytes: Bytes,
        disposition: cap::Disposition,
        findings: Vec<cap::Finding>,
    ) -> Result<Submitted, Rejection> {
        let mut submitted = Submitted {
            stream: 0,
            identity: accepted.identity.clone(),
            disposition,
            findings,
            born: accepted.born,
            level: accepted.level,
            regions: accepted.regions.clone(),
            regions_hash: hex::encode(accepted.regions_hash),
            position: 0,
            repeated: false,
        };
        let proposal = Proposal {
            claim: Some((accepted.identity.clone(), accepted.content)),
            documents: vec![(accepted.document, bytes.to_vec()), (accepted.plan, plan)],
            events: vec![(Proposal::NEW, Event::Accepted(Box::new(accepted)))],
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
                // The first answer again: what was decided then stands.
                if let Some(first) = self.ledger.known(stream) {
                    let first = first.meta();
                    submitted.born = first.born;
                    submitted.regions.clone_from(&first.regions);
                    submitted.regions_hash = hex::encode(first.regions_hash);
                }
                submitted.stream = stream;
                submitted.position = *self.writer.position().borrow();
                submitted.repeated = true;
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
}
