//! What of an alert's text messages is not on file (报备), as findings of whoever hands it in. An alert is not stopped by
//! it: what can be sent is sent, and the rest is counted as missed. This module must not look at a number.

use super::accept::Ingest;
use super::judge::Judged;
use crate::plan::filing::{Lack, lacks};
use crate::plan::{self, Draft, Earlier, Filed, Schedule, Source};
use crate::trust::Caller;

impl Ingest {
    pub(super) fn filed<'a>(&'a self, caller: &Caller) -> Filed<'a> {
        self.means.filed(self.bureaus.signature_of(&caller.id))
    }

    /// As errors: these texts would be refused by the far end.
    pub(super) fn lacks(&self, caller: &Caller, judged: &Judged<'_>) -> Vec<cap::Finding> {
        let filed = self.filed(caller);
        let (plan, earlier) = (judged.choice.plan, Earlier::default());
        let schedule = Schedule::of(judged.now, []);
        let (registry, outlets) = (self.registry.read().clone(), self.outlets());
        let draft = Draft {
            alert: &judged.alert,
            plan,
            targets: &judged.targets,
            earlier: &earlier,
            registry: &registry,
            outlets: &outlets,
            handled: judged.choice.handled,
            schedule: &schedule,
            filed,
            hush: &self.means.hush,
            languages: &self.means.sounds.languages,
        };
        let source = Source {
            alert: &judged.alert,
            earlier: None,
            signature: filed.signature,
            regions_hash: "",
            language: &plan.language,
            authority: self.bureaus.authority_of(&caller.id),
            filings: filed.filings,
            targets: &judged.targets,
            sounds: &self.means.sounds,
            // Text messages alone are looked at.
            recordings: &[],
        };
        let found = lacks(&draft, &source, judged.now.plus(plan.lifetime.0));
        found.into_iter().map(finding).collect()
    }
}

fn finding(lack: Lack) -> cap::Finding {
    plan::remark(lack.rule, cap::FindingLevel::Error, lack.en, lack.zh)
}
