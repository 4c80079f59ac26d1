//! One loudspeaker: what is known of it, who looks after it once somebody asks and is noted for that, its repairs, and the
//! forms by which one is entered and closed. This module must not unmask anybody whom no journal names.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::{card, cause, day_and_clock, masked, path, proved, stand, tested};
use crate::console::by_hand::scanned;
use crate::console::layout::{self, Frame, clock};
use crate::console::session::{Officer, Place};
use crate::console::view::Amiss;
use crate::console::words::moment;
use crate::console::{Desk, Handle};
use crate::coverage::horns::{self, Horn};
use crate::coverage::{RepairLine, repair_line};
use crate::dispatch::Entry;
use crate::ledger::boxes::{KEEPER, Mend, Order, Teller, Trouble};
use crate::model::Care;
use crate::registry::Registry;
use crate::trust::{Caller, Scope};

const NO_HORN: Amiss =
    Amiss::Missing("没有这只喇叭，或不在您的辖区。 No such loudspeaker, or not yours.");
const NO_SCOPE: Amiss =
    Amiss::Missing("该单位没有终端管理权限（devices）。 This bureau has not the scope devices.");
const AWAY: Amiss =
    Amiss::Away("日志暂时不可写，请稍后再试。 The journal takes nothing now; try again.");

/// A loudspeaker of the caller's.
fn known(desk: &Desk, caller: &Caller, device: &str) -> Result<Horn, Amiss> {
    let registry = desk.console.registry.read().clone();
    let village = registry.speaker_called(device).and_then(|e| e.village);
    let village = village
        .filter(|village| caller.covers(*village))
        .ok_or(NO_HORN)?;
    let (ledger, now) = (&desk.console.ledger, desk.console.clock.now());
    let all = horns::horns(ledger, &registry, &[village], now);
    all.into_iter()
        .find(|horn| horn.device == device)
        .ok_or(NO_HORN)
}

pub async fn page(
    State(desk): State<Handle>,
    Officer(caller, _): Officer,
    Path(device): Path<String>,
) -> Result<Html<String>, Amiss> {
    let horn = known(&desk, &caller, &device)?;
    shown(&desk, &caller, &horn, false).await
}

/// Who looks after it: not before it is in the journal who asked.
pub async fn keeper(
    State(desk): State<Handle>,
    Officer(caller, _): Officer,
    place: Place,
    Path(device): Path<String>,
) -> Result<Html<String>, Amiss> {
    let horn = known(&desk, &caller, &device)?;
    let noted = desk
        .console
        .entry
        .unmask(&caller, horn.endpoint, &place.0)
        .await;
    noted.map_err(|refused| {
        tracing::warn!(%device, %refused, "a keeper was not unmasked");
        AWAY
    })?;
    shown(&desk, &caller, &horn, true).await
}

async fn shown(
    desk: &Desk,
    caller: &Caller,
    horn: &Horn,
    unmasked: bool,
) -> Result<Html<String>, Amiss> {
    let registry = desk.console.registry.read().clone();
    let care = registry.care(horn.endpoint).cloned().unwrap_or_default();
    let now = desk.console.clock.now();
    let orders = desk.console.ledger.boxes.repairs();
    let own = orders
        .iter()
        .rev()
        .filter(|order| order.repair.device == horn.device);
    let mut repairs = Vec::new();
    for order in own {
        let Some(line) = repair_line(&registry, order, now) else {
            continue;
        };
        repairs.push((line, texts(desk, order).await?));
    }
    let body = html! {
        main.horn {
            p.trail { a href="/console/horns" { "大喇叭" } " › " (registry.full_name(horn.village)) }
            h1 { (horn.name) " " small { (horn.device) } }
            (facts(desk, &registry, horn, &care, unmasked))
            @if caller.may(Scope::Devices) { (link(desk, horn, &care)) }
            h2 { "报修 " small { "Repairs" } }
            @if caller.may(Scope::Devices) { (entry(horn)) }
            @if repairs.is_empty() { p.hint { "没有报修记录。 None." } }
            @for (line, written) in &repairs { (repair(line, written, caller.may(Scope::Devices))) }
        }
    };
    let frame = Frame {
        title: &horn.name,
        bureau: &desk.name_of(caller),
        as_of: now,
        live: None,
    };
    Ok(layout::page(&frame, &body))
}

/// What was written at its entry and at its end.
async fn texts(desk: &Desk, order: &Order) -> Result<[String; 2], Amiss> {
    let ended = order.mended.as_ref().and_then(|(mended, _)| mended.text);
    let mut texts = [String::new(), String::new()];
    for (text, id) in texts.iter_mut().zip([order.repair.text, ended]) {
        let Some(id) = id else { continue };
        let bytes = desk.console.store.document(id).await.map_err(|_| AWAY)?;
        *text = bytes
            .map(|b| String::from_utf8_lossy(&b).into_owned())
            .unwrap_or_default();
    }
    Ok(texts)
}

fn facts(desk: &Desk, registry: &Registry, horn: &Horn, care: &Care, unmasked: bool) -> Markup {
    let hearing = registry.hearing(horn.endpoint);
    html! {
        dl.facts {
            dt { "状态 state" } dd { (stand(horn)) }
            dt { "可能原因 cause" } dd { (cause(horn)) }
            (of_itself(desk, horn, care))
            dt { "最近证实播出 last proved" } dd { (proved(horn)) }
            dt { "夜间自检 self-test" } dd { (tested(horn)) }
            dt { "流量卡 card" } dd { (card(horn)) }
            dt { "供电 power" } dd {
                @if let Some(power) = care.power { (horns::of_power(power)) }
                @if let Some(hours) = care.hours { " · 续航 " (hours) " 小时" }
            }
            dt { "厂家 maker" } dd { (care.maker) }
            dt { "可听户数 hearing" } dd.hearing {
                (hearing.len())
                @if !hearing.is_empty() { details { summary { "户号 " small { "households" } }
                    @for id in hearing { (id) " " }
                } }
            }
            dt { "管护员 keeper" } dd.keeper {
                @if care.keeper.is_empty() { "未登记 nobody" }
                @else if unmasked { (care.keeper) " " (care.phone) }
                @else {
                    (masked(&care.keeper)) " "
                    form.inline method="post" action=(format!("/console/horns/{}/keeper", path(&horn.device))) {
                        button type="submit" { "显示姓名电话 " small { "Show (noted)" } }
                    }
                }
            }
        }
    }
}

/// What it said of itself last, and since when its key stands.
fn of_itself(desk: &Desk, horn: &Horn, care: &Care) -> Markup {
    let console = &desk.console;
    let (known, now) = (
        console.ledger.devices.get(&horn.device),
        console.clock.now(),
    );
    let known = known.unwrap_or_default();
    let said = console.by_hand.channels.get(&known.channel);
    let said = said.and_then(|channel| channel.device(&horn.device));
    let heard = said.and_then(|said| said.heard);
    html! {
        dt { "入网 enrolled" } dd.enrolled {
            @match known.since.filter(|_| known.key.is_some()) {
                Some(since) => { "密钥自 " (day_and_clock(since)) " · " (known.channel) },
                None => "未入网 no key",
            }
        }
        dt { "最近心跳 heartbeat" } dd.heard {
            @match heard {
                Some(at) => { (clock(at)) " · " (now.since(at).as_secs()) " 秒前" },
                None => "本次启动以来未收到 none since the start",
            }
        }
        dt { "时钟误差 clock error" } dd.clock { @match said.and_then(|said| said.clock_error) {
            Some(millis) => { (millis) " 毫秒" },
            None => "未知 unknown",
        } }
        dt { "音量 volume" } dd.volume {
            @if let Some(set) = care.volume { "登记 " (set) "%" }
            @if let Some(now) = said.and_then(|said| said.volume) { " · 现在 " (now) "%" }
        }
    }
}

/// What an officer copies into a message to the keeper, or holds out to be scanned.
fn link(desk: &Desk, horn: &Horn, care: &Care) -> Markup {
    let Some(keepers) = &desk.console.keepers else {
        return html! { p.note { "未配置管护员链接（[keepers]）。 Links for keepers are not configured." } };
    };
    let now = desk.console.clock.now();
    let link = keepers.link(&horn.device, (&care.keeper, &care.phone), now);
    html! {
        section.keeper-link {
            h2 { "管护员报修链接 " small { "The keeper's link" } }
            p.note { "发给管护员：不用登录即可报修或报已修好；谁有链接谁能填报，管护员变更后自动失效。 "
                small { "Send it to the keeper alone. Whoever has it may enter; it is void when the registry names another." } }
            (scanned(&link))
        }
    }
}

fn entry(horn: &Horn) -> Markup {
    html! {
        form.entry method="post" action=(format!("/console/horns/{}/repairs", path(&horn.device))) {
            label { "故障现象 " select name="what" { @for what in Trouble::ALL { option value=(key(&what)) { (what.zh()) } } } }
            label { "报修人 " select name="from" { @for from in Teller::ALL { option value=(key(&from)) { (from.zh()) } } } }
            label { "说明 " input name="text" maxlength="2000"; }
            button type="submit" { "报修 " small { "Enter a repair" } }
        }
    }
}

fn repair(line: &RepairLine, written: &[String; 2], may: bool) -> Markup {
    html! {
        section.delivery.repair data-open=(line.open) {
            h3 {
                "№" (line.number) " " (line.what_zh) " "
                @if line.open { strong { "未修复 open" } } @else { (line.how_zh.unwrap_or_default()) }
            }
            p.facts { "自 " (moment(&line.since)) " · 报修 " (moment(&line.entered)) " · " (line.from_zh)
                @if line.by_link { "（本人链接 by link）" } @else if let Some(by) = &line.by { "（录入 " (by) "）" }
                " · 历时 " (line.hours) " 小时"
                @if let Some(closed) = &line.closed {
                    " · 关闭 " (moment(closed)) " "
                    @match line.closed_by.as_deref() {
                        Some(KEEPER) => "管护员（本人链接 by link）",
                        by => { (by.unwrap_or_default()) },
                    }
                } }
            @if let Some(at) = &line.keeper_says_repaired {
                p.vouched { "管护员称已修好 " small { "its keeper says that it works again" } " " (moment(at)) }
            }
            @for text in written { @if !text.is_empty() { p { (text) } } }
            @if line.open && may {
                form.entry method="post" action=(format!("/console/repairs/{}/close", line.number)) {
                    label { "处理结果 " select name="how" { @for how in Mend::ALL { option value=(key(&how)) { (how.zh()) } } } }
                    label { "说明 " input name="text" maxlength="2000"; }
                    button type="submit" { "关闭报修 " small { "Close" } }
                }
            }
        }
    }
}

/// As the API names it.
fn key(word: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(word).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

#[derive(Deserialize)]
pub struct Entered {
    what: Trouble,
    from: Teller,
    #[serde(default)]
    text: String,
}

/// The form bounds it; who does not use the form is bounded here.
fn short(text: &str) -> Option<String> {
    let text: String = text.trim().chars().take(2_000).collect();
    (!text.is_empty()).then_some(text)
}

pub async fn enter(
    State(desk): State<Handle>,
    Officer(caller, _): Officer,
    Path(device): Path<String>,
    Form(form): Form<Entered>,
) -> Result<Response, Amiss> {
    let horn = known(&desk, &caller, &device)?;
    if !caller.may(Scope::Devices) {
        return Err(NO_SCOPE);
    }
    let entry = Entry {
        device: horn.device,
        what: form.what,
        since: None,
        from: form.from,
        by: Some(caller.id),
        text: short(&form.text),
    };
    let entered = desk.console.house.enter_repair(entry).await;
    entered.map_err(|refused| {
        tracing::warn!(%device, %refused, "a repair was not entered");
        AWAY
    })?;
    Ok(Redirect::to(&format!("/console/horns/{}", path(&device))).into_response())
}

#[derive(Deserialize)]
pub struct Closed {
    how: Mend,
    #[serde(default)]
    text: String,
}

pub async fn close(
    State(desk): State<Handle>,
    Officer(caller, _): Officer,
    Path(number): Path<u32>,
    Form(form): Form<Closed>,
) -> Result<Response, Amiss> {
    let order = desk.console.ledger.boxes.repair(number).ok_or(NO_HORN)?;
    let horn = known(&desk, &caller, &order.repair.device)?;
    if !caller.may(Scope::Devices) {
        return Err(NO_SCOPE);
    }
    let text = short(&form.text);
    let closed = desk
        .console
        .house
        .close_repair(number, form.how, caller.id, text);
    closed.await.map_err(|refused| {
        tracing::warn!(repair = number, %refused, "a repair was not closed");
        AWAY
    })?;
    Ok(Redirect::to(&format!("/console/horns/{}", path(&horn.device))).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_names_things_as_the_api_does_and_a_text_is_bounded() {
        assert_eq!(key(&Trouble::NoSound), "no-sound");
        assert_eq!(short("  "), None);
        assert_eq!(
            short(&"字".repeat(3_000)).map(|text| text.chars().count()),
            Some(2_000)
        );
    }
}
