//! What is proven of an alert before anything is changed: it can be read, its bearer may speak for it, its areas are
//! known and theirs, and a plan takes it. A preview and a submission are judged alike. This module must not write.

use std::collections::BTreeSet;

use channel::Timestamp;

use super::accept::{Ingest, Rejection};
use super::names::identity;
use super::walls::{allowed, codes_outside};
use crate::ledger::event::{Accepted, Born, Held};
use crate::ledger::{Identity, Known};
use crate::model::{RegionCode, StreamId};
use crate::plan::{self, Asked, Choice, Targets};
use crate::trust::Caller;

/// An alert that can be read, from one who may speak for it.
pub struct Read {
    alert: cap::Alert,
    now: Timestamp,
    disposition: cap::Disposition,
    findings: Vec<cap::Finding>,
}

/// An alert that may be taken.
pub struct Judged<'a> {
    pub alert: cap::Alert,
    pub now: Timestamp,
    pub disposition: cap::Disposition,
    pub findings: Vec<cap::Finding>,
    /// What it refers to, as far as it is known.
    pub hits: Vec<StreamId>,
    pub targets: Targets,
    pub born: Born,
    pub choice: Choice<'a>,
    /// Canonical; of a Cancel without area, where the warning stands that it lifts.
    pub regions: Vec<RegionCode>,
    /// Why it is held, where its document is not the reason.
    pub held: Option<Held>,
}

impl Ingest {
    pub(super) fn read(&self, caller: &Caller, bytes: &[u8]) -> Result<Read, Rejection> {
        let now = self.clock.now();
        let report = cap::assess(bytes, now.secs());
        let findings = report.findings;
        let refused = report.disposition == cap::Disposition::Reject
            || (caller.strict && findings.iter().any(|f| f.level == cap::FindingLevel::Error));
        let Some(alert) = report.alert.filter(|_| !refused) else {
            return Err(Rejection::Unreadable { findings });
        };
        allowed(caller, &alert, &self.plans)?;
        Ok(Read {
            alert,
            now,
            disposition: report.disposition,
            findings,
        })
    }

    pub(super) fn judge(&self, caller: &Caller, read: Read) -> Result<Judged<'_>, Rejection> {
        let Read {
            alert,
            now,
            disposition,
            findings,
        } = read;
        let hits = self.hits(&alert);
        self.may_correct(caller, &alert, &hits)?;
        let targets = self.targets(caller, &alert, &findings)?;
        let Some(choice) = self.choice(&alert, &targets, &hits) else {
            let what = "no plan takes an alert of this level, event, scope, sender and region; `tocsin plan test` says why, add one to the plans folder";
            return Err(Rejection::Nowhere {
                findings: Vec::new(),
                what: what.into(),
            });
        };
        let regions = if targets.regions.is_empty() {
            self.regions(&hits)
        } else {
            targets.regions.clone()
        };
        let mut judged = Judged {
            born: self.born(caller, &alert, disposition),
            alert,
            now,
            disposition,
            findings,
            hits,
            targets,
            choice,
            regions,
            held: None,
        };
        self.weigh(caller, &mut judged);
        let lacks = self.lacks(caller, &judged);
        // What stands already is answered as it was.
        let stands = self.ledger.find(&identity(&judged.alert)).is_some();
        let refused = caller.strict && !stands && !lacks.is_empty();
        judged.findings.extend(lacks);
        if refused {
            let findings = judged.findings;
            return Err(Rejection::NotFiled { findings });
        }
        Ok(judged)
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
        let registry = self.registry.read().clone();
        let outside = codes_outside(caller, alert, &registry);
        if !outside.is_empty() {
            return Err(Rejection::Outside { codes: outside });
        }
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
    fn choice(
        &self,
        alert: &cap::Alert,
        targets: &Targets,
        hits: &[StreamId],
    ) -> Option<Choice<'_>> {
        let of = |stream: &StreamId| {
            let earlier = self.ledger.known(*stream)?;
            self.plans.named(&earlier.meta().plan_name)
        };
        let silent = alert.infos.is_empty();
        let registry = self.registry.read().clone();
        let chosen = self.plans.choose(Asked {
            alert,
            targets,
            tags: registry.tag_names(),
        });
        chosen.or_else(|| {
            let earlier = hits.iter().filter(|_| silent).find_map(of);
            let (plan, bytes) = earlier.or_else(|| self.plans.first().filter(|_| silent))?;
            Some(Choice {
                plan,
                bytes,
                handled: plan::level(alert),
            })
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
        let own = identity(alert);
        let every = self.ledger.every();
        let by = every
            .iter()
            .filter(|a| a.is_live() || matches!(a.meta().born, Born::SupersededBy(_)))
            .find(|a| self.speaks_of(a.meta(), &own, alert.status, caller));
        // What superseded the correction itself speaks of this one, too.
        let by = by.map(|by| match by.meta().born {
            Born::SupersededBy(last) => last,
            _ => by.stream(),
        });
        // What is over already needs nobody's word.
        let held = disposition == cap::Disposition::Quarantine;
        let born = if held { Born::Quarantined } else { Born::Live };
        by.map_or(born, Born::SupersededBy)
    }

    /// Whether an accepted correction names an alert that comes after it. One with the same identifier that was sent later
    /// is another alert, and where a reference has found its own, it meant no other.
    fn speaks_of(
        &self,
        by: &Accepted,
        own: &Identity,
        status: cap::Status,
        caller: &Caller,
    ) -> bool {
        let names = |r: &Identity| r.sender == own.sender && r.identifier == own.identifier;
        let found = |stream: &StreamId| {
            let hit = self.ledger.known(*stream);
            hit.is_some_and(|hit| names(&hit.meta().identity))
        };
        let meant = own.sent <= by.identity.sent && !by.hits.iter().any(found);
        let mut references = by.references.iter();
        by.corrects()
            && by.status == status
            // It came before what it corrects, so nothing but its own word says that it may.
            && by.caller == caller.id
            && by.identity != *own
            && references.any(|r| names(r) && (r.sent == own.sent || meant))
    }
}
