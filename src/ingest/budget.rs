//! How a bureau's month stands when it hands in an alert: said to it, and a reason to hold what is low. This module must
//! not count what an alert would cost.

use super::accept::Ingest;
use super::judge::Judged;
use crate::ledger::event::{Born, Held};
use crate::model::Month;
use crate::plan;
use crate::trust::{Caller, Purse};

impl Ingest {
    /// Says how the month stands where it is near its end, and holds what a spent one holds.
    pub(super) fn weigh(&self, caller: &Caller, judged: &mut Judged<'_>) {
        let Some(budget) = self.bureaus.budget_of(&caller.id) else {
            return;
        };
        let month = Month::of(judged.now);
        let (spent, limit) = (self.ledger.spending.of(&caller.id, month), budget.limit());
        let purse = budget.purse(spent);
        if purse == Purse::Free {
            return;
        }
        let choice = &judged.choice;
        let low = plan::holds(
            &judged.alert,
            choice.handled,
            &judged.hits,
            (choice.plan, &self.outlets()),
        );
        let held = Held::Budget { spent, limit };
        let holds = purse == Purse::Spent && low && judged.born == Born::Live;
        if holds {
            judged.born = Born::Quarantined;
            judged.held = Some(held);
        }
        judged.findings.push(finding(held, holds));
    }
}

fn finding(held: Held, holds: bool) -> cap::Finding {
    if holds {
        return plan::why_held(held);
    }
    let Held::Budget { spent, limit } = held;
    let en = format!(
        "{spent} of the month's {limit} segments of text messages are spent; this alert is not held by it"
    );
    let zh = format!("本月短信额度 {limit} 条已用 {spent} 条；本预警不因此暂存");
    plan::remark("Tocsin/budget/near", cap::FindingLevel::Warning, en, zh)
}
