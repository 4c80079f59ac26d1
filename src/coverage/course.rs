//! The course of one alert: what each event of its stream says about it as a whole, in counts and ids. Pure over records
//! that the store has read. This module must not name a delivery: the story of one is `story`.

use channel::Verdict;
use serde_json::{Value, json};

use super::story::Line;
use super::words::{of_audience, of_bar, of_level};
use crate::ledger::event::{Barred, Born, Event, Held, Outcome, ReceiptRow, Ruling, SettledRow};
use crate::ledger::record::{self, BadRecord};
use crate::store::Record;

/// An event: its name in two languages, and what it says.
type Told = (&'static str, &'static str, Value);

fn told(event: &Event) -> Option<Told> {
    let deciding = deciding(event).or_else(|| releasing(event));
    deciding.or_else(|| sending(event))
}

/// Every event of a stream that speaks of its alert, in order.
pub fn of(records: &[Record]) -> Result<Vec<Line>, BadRecord> {
    let mut course = Vec::new();
    for record in records {
        for event in record::unpack(record)? {
            let Some((event, event_zh, more)) = told(&event) else {
                continue;
            };
            course.push(Line {
                seq: record.seq,
                at: record.time,
                event,
                event_zh,
                more,
            });
        }
    }
    Ok(course)
}

fn deciding(event: &Event) -> Option<Told> {
    Some(match event {
        Event::Accepted(accepted) => {
            let born = match accepted.born {
                Born::Live => "live",
                Born::SupersededBy(_) => "superseded",
                Born::Filed => "filed",
                Born::Quarantined => "quarantined",
            };
            let (level, _) = of_level(accepted.level);
            let more = json!({ "born": born, "level": level, "by": accepted.caller, "regions": accepted.regions, "plan": accepted.plan_name });
            ("accepted", "已受理", more)
        }
        Event::Raised { level } => ("raised", "提级处置", json!({ "level": of_level(*level).0 })),
        Event::Decided(decided) => {
            let (decision, zh) = match decided.ruling {
                Ruling::Approve => ("release", "准予发布"),
                Ruling::Refuse => ("refuse", "不予发布"),
            };
            (
                "decided",
                zh,
                json!({ "decision": decision, "by": decided.by }),
            )
        }
        Event::Held(Held::Budget { spent, limit }) => {
            let more = json!({ "spent": spent, "limit": limit });
            ("held", "短信额度用完，暂存待核", more)
        }
        Event::Released { generation, .. } => {
            ("released", "开始发布", json!({ "generation": generation }))
        }
        Event::Steps { due } => {
            let due: Vec<_> = due.iter().map(ToString::to_string).collect();
            ("steps", "分步计划", json!({ "due": due }))
        }
        Event::Watched { due } => {
            let due: Vec<_> = due.iter().map(ToString::to_string).collect();
            ("watched", "失联核查计划", json!({ "due": due }))
        }
        Event::Silent(silent) => {
            let more = json!({ "look": silent.look, "villages": silent.villages });
            ("silent", "无人应答的村", more)
        }
        Event::Dropped { step } => ("dropped", "过期未发", json!({ "step": step })),
        Event::Withdrawn { by } => ("withdrawn", "被替代或解除", json!({ "by": by })),
        Event::Sealed(sealed) => ("sealed", "封存", json!({ "deliveries": sealed.deliveries })),
        Event::Unsealed { by } => ("unsealed", "启封", json!({ "by": by })),
        _ => return None,
    })
}

/// What a release writes.
fn releasing(event: &Event) -> Option<Told> {
    Some(match event {
        Event::Variants { variants, .. } => {
            let kinds: Vec<_> = variants.iter().map(|v| v.kind.as_str()).collect();
            (
                "texts",
                "发布文本",
                json!({ "texts": variants.len(), "kinds": kinds }),
            )
        }
        Event::Ground(ground) => {
            let more = json!({ "region": ground.region, "households": ground.households.len(), "people": ground.people, "speakers": ground.speakers });
            ("village", "涉及村", more)
        }
        Event::Block(block) => {
            let (audience, audience_zh) = of_audience(block.audience);
            let more = json!({ "step": block.step, "region": block.region, "channel": block.channel, "audience": audience, "audience_zh": audience_zh, "deliveries": block.endpoints.len() });
            ("block", "下发任务", more)
        }
        Event::Barred(Barred { why, runs }) => {
            let deliveries: u32 = runs.iter().map(|(lo, hi)| hi.saturating_sub(*lo)).sum();
            let more = json!({ "code": why.code(), "deliveries": deliveries });
            ("barred", of_bar(*why), more)
        }
        Event::Prompted(prompted) => {
            let items: Vec<_> = prompted.rows.iter().map(|row| row.item).collect();
            let told = prompted.text.is_some();
            let zh = if told { "催办" } else { "无法催办" };
            ("prompted", zh, json!({ "items": items, "told": told }))
        }
        Event::Planned {
            step,
            blocks,
            deliveries,
        } => {
            let more = json!({ "step": step, "blocks": blocks, "deliveries": deliveries });
            ("planned", "下发完毕", more)
        }
        _ => return None,
    })
}

fn sending(event: &Event) -> Option<Told> {
    let count = |deliveries: usize| json!({ "deliveries": deliveries });
    Some(match event {
        Event::Handed { channel, ranges } => {
            let deliveries: u32 = ranges.iter().map(|r| r.hi - r.lo).sum();
            let more = json!({ "channel": channel, "deliveries": deliveries });
            ("handed", "交付通道", more)
        }
        Event::Settled { channel, rows } => {
            let taken = |row: &&SettledRow| matches!(row.outcome, Outcome::Accepted { .. });
            let accepted = rows.iter().filter(taken).count();
            let more = json!({ "channel": channel, "accepted": accepted, "refused": rows.len() - accepted });
            ("settled", "对方应答", more)
        }
        Event::Receipt { channel, rows } => {
            let of = |is: fn(&Verdict) -> bool| {
                rows.iter().filter(|r: &&ReceiptRow| is(&r.verdict)).count()
            };
            let reached = of(|v| matches!(v, Verdict::Reached(_)));
            let refused = of(|v| matches!(v, Verdict::Refused(_)));
            let more = json!({ "channel": channel, "reached": reached, "refused": refused, "progress": rows.len() - reached - refused });
            ("receipts", "回执", more)
        }
        Event::Returned { deliveries, .. } => ("returned", "退回排队", count(deliveries.len())),
        Event::InDoubt { deliveries, .. } => {
            ("in-doubt", "结果不明（将重发）", count(deliveries.len()))
        }
        Event::Rerouted(rerouted) => {
            let more = json!({ "channel": rerouted.to, "why": rerouted.why.name(), "deliveries": rerouted.count() });
            ("rerouted", "改走其他账户", more)
        }
        Event::Overdue { deliveries } => ("overdue", "无回执", count(deliveries.len())),
        Event::Expired { variants } => ("text-expired", "到期", json!({ "texts": variants.len() })),
        _ => return None,
    })
}
