//! What the house itself remarks on an alert, beside what was found in its document. This module must not judge.

use crate::ledger::event::Held;

/// As a finding of this rule; none of them stops the alert by itself.
pub fn remark(
    rule: &'static str,
    level: cap::FindingLevel,
    en: String,
    zh: String,
) -> cap::Finding {
    cap::Finding {
        rule,
        level,
        path: "/alert".into(),
        position: None,
        stops: false,
        en,
        zh,
    }
}

/// Why an alert waits for a person, where its document is not the reason.
pub fn why_held(held: Held) -> cap::Finding {
    let Held::Budget { spent, limit } = held;
    let en = format!(
        "the bureau's month of {limit} segments of text messages is spent ({spent}), so this alert waits for a person; release it with POST /v1/alerts/{{id}}/decision, or raise bureau.budget"
    );
    let zh = format!(
        "本单位本月短信额度 {limit} 条已用完（已用 {spent} 条），本预警暂存待核；请有权人员核准发布，或提高额度"
    );
    remark("Tocsin/budget/held", cap::FindingLevel::Warning, en, zh)
}
