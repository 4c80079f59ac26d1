//! Whether the gateway can do its work: *ready*, *degraded* (alerts are taken, and something wants a person), or not at
//! all. No token is asked for, so it names channels and counts alone. This module must not heal anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use channel::Health;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::Schema;

use super::Gate;
use super::health::orphans;
use super::openapi::Standing;
use super::problem::Problem;
use crate::ledger::event::LinkState;
use crate::model::shape;
use crate::trust::Purse;

#[derive(Serialize, ToSchema)]
pub struct Ready {
    #[schema(schema_with = statuses)]
    status: &'static str,
    status_zh: &'static str,
    generation: u32,
    reasons: Vec<Lack>,
}

/// What is amiss while alerts are taken.
#[derive(Serialize, ToSchema)]
struct Lack {
    #[schema(schema_with = reason_words)]
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    en: String,
    zh: String,
}

fn statuses() -> Schema {
    shape::one_of(&["ready", "degraded"])
}

fn reason_words() -> Schema {
    shape::one_of(&[
        "channel-down",
        "channel-paused",
        "damaged-streams",
        "empty-registry",
        "clock-jumped",
        "orphan-receipts",
        "filing",
        "budget",
        "held-far",
        "offered-far",
    ])
}

/// Ready, degraded, or not ready
///
/// 503 where no alert can be taken.
#[utoipa::path(
    get, path = "/readyz", tag = "gateway",
    responses((status = 200, description = "Alerts are taken", body = Ready), Standing),
)]
pub async fn ready(State(gate): State<Arc<Gate>>) -> Result<Json<Ready>, Problem> {
    gate.store.document([0; 32]).await?;
    let reasons = reasons(&gate);
    let (status, status_zh) = if reasons.is_empty() {
        ("ready", "就绪")
    } else {
        ("degraded", "降级运行")
    };
    Ok(Json(Ready {
        status,
        status_zh,
        generation: gate.registry().generation(),
        reasons,
    }))
}

fn reasons(gate: &Gate) -> Vec<Lack> {
    let mut reasons = Vec::new();
    let mut say = |reason, channel: Option<&String>, en: String, zh: String| {
        reasons.push(Lack {
            reason,
            channel: channel.cloned(),
            en,
            zh,
        });
    };
    if gate.registry().counts().villages == 0 {
        let en = "the registry has no villages, so no alert reaches anybody; import one";
        let zh = "底册中没有村，预警无人可达；请导入底册";
        say("empty-registry", None, en.into(), zh.into());
    }
    if let Some(jump) = gate.time.jump() {
        let (seconds, left) = (jump.seconds, jump.left.as_secs().div_ceil(60));
        let en = format!(
            "the wall clock jumped by {seconds} s; nothing expires before somebody has confirmed it (POST /v1/clock) or {left} minute(s) are over"
        );
        let zh = format!(
            "系统时钟跳变 {seconds} 秒；确认（POST /v1/clock）之前或 {left} 分钟之内，预警不会到期"
        );
        say("clock-jumped", None, en, zh);
    }
    let damaged = gate.ledger.damage().len();
    if damaged > 0 {
        let en = format!(
            "{damaged} stream(s) of the journal are damaged; restore a backup, or have the bureau send a new alert"
        );
        let zh = format!("{damaged} 条预警的流水损坏；请恢复备份，或由发布单位重新发布");
        say("damaged-streams", None, en, zh);
    }
    let links = gate.ledger.links();
    for (name, channel) in &gate.channels {
        let link = links.get(name).map(|(state, ..)| *state);
        if channel.health() != Health::Up {
            let en = format!("channel {name} is down; GET /v1/channels says why");
            let zh = format!("通道 {name} 未连通；原因见 GET /v1/channels");
            say("channel-down", Some(name), en, zh);
        } else if link.is_some_and(|state| state != LinkState::Up) {
            let en = format!(
                "channel {name} is paused after failures; GET /v1/channels says since when"
            );
            let zh = format!("通道 {name} 因连续失败暂停发送；起始时间见 GET /v1/channels");
            say("channel-paused", Some(name), en, zh);
        }
    }
    reasons.extend(gate.channels.iter().filter_map(held));
    reasons.extend(gate.channels.iter().filter_map(offered));
    reasons.extend(orphans(gate).into_iter().map(unclaimed));
    reasons.extend(lapsing(gate));
    reasons.extend(spent(gate));
    reasons
}

/// What a far end's people have not let go yet. Whom to call there is told to whoever may read the channels.
fn held((name, channel): (&String, &Arc<dyn channel::Channel>)) -> Option<Lack> {
    let notice = channel.notice().filter(|notice| notice.held > 0)?;
    let count = notice.held;
    Some(Lack {
        reason: "held-far",
        channel: Some(name.clone()),
        en: format!(
            "{count} message(s) lie at the far end of channel {name}, whose people have not let them go; GET /v1/channels has its duty phone"
        ),
        zh: format!("通道 {name} 有 {count} 条消息待播控审核；值班电话见 GET /v1/channels"),
    })
}

/// Warnings that a far end would have had played: nobody here is told of them before a bureau issues them.
fn offered((name, channel): (&String, &Arc<dyn channel::Channel>)) -> Option<Lack> {
    let count = channel.notice()?.offered.len();
    (count > 0).then(|| Lack {
        reason: "offered-far",
        channel: Some(name.clone()),
        en: format!(
            "the far end of channel {name} handed over {count} warning(s), which were refused and reach nobody here; GET /v1/channels names them: a bureau has to issue its own"
        ),
        zh: format!(
            "通道 {name} 的平台转来 {count} 条预警，本网关不代播，未发给任何人；见 GET /v1/channels，须由发布单位另行发布"
        ),
    })
}

/// Receipts that no delivery has claimed, of one channel.
fn unclaimed((name, count): (String, usize)) -> Lack {
    let en = format!(
        "{count} receipt(s) of channel {name} have matched no delivery for a minute; nothing waits for them: check that nobody else uses the account and that no older backup was restored, else report it; each is let go after a day"
    );
    let zh = format!(
        "通道 {name} 有 {count} 条待认领回执，不影响发送；请核对账号是否被他人使用、是否恢复过旧备份，否则上报；满一日自动清除"
    );
    Lack {
        reason: "orphan-receipts",
        channel: Some(name),
        en,
        zh,
    }
}

/// Filings (报备) that end soon or are not in force, by channel.
fn lapsing(gate: &Gate) -> impl Iterator<Item = Lack> {
    let filings = &gate.ingest.means.filings;
    let mut by_channel: BTreeMap<&str, usize> = BTreeMap::new();
    for (channel, _) in filings.lapsing(gate.clock.now()) {
        *by_channel.entry(channel).or_default() += 1;
    }
    let lack = |(channel, count): (&str, usize)| Lack {
        reason: "filing",
        channel: Some(channel.to_owned()),
        en: format!(
            "{count} filing(s) of channel {channel} end within 30 days or are not in force; `tocsin check` names them"
        ),
        zh: format!(
            "通道 {channel} 有 {count} 项签名报备未生效或将在 30 天内到期；tocsin check 逐项列出"
        ),
    };
    by_channel
        .into_iter()
        .map(lack)
        .collect::<Vec<_>>()
        .into_iter()
}

/// Bureaus whose month is spent, or nearly.
fn spent(gate: &Gate) -> Option<Lack> {
    let accounts = gate.bureaus.accounts(&gate.ledger, gate.clock.now());
    let near = accounts.iter().filter(|a| a.purse != Purse::Free).count();
    let over = accounts.iter().filter(|a| a.purse == Purse::Spent).count();
    (near > 0).then(|| Lack {
        reason: "budget",
        channel: None,
        en: format!(
            "{near} bureau(s) are near the end of the month's text messages, {over} of them past it; GET /v1/bureaus/budget names them"
        ),
        zh: format!(
            "{near} 个单位本月短信额度将尽，其中 {over} 个已用完；见 GET /v1/bureaus/budget"
        ),
    })
}
