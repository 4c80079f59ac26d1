//! 大喇叭: the loudspeakers of a region, how each stands and why, what it last proved, its card, its keeper, its repairs, and
//! the share of each town that works. Who looks after one is masked here. This module must not guess a cause: coverage does.

mod one;
mod share;

pub use one::{close, enter, keeper, page as one};

use axum::extract::{Query, State};
use axum::response::{Html, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::csv::file;
use super::layout::{self, Frame, clock};
use super::session::Officer;
use super::view::Amiss;
use super::{Desk, Handle};
use crate::coverage::horns::{self, Asked, Card, Horn, Stand};
use crate::coverage::shares::tally;
use crate::coverage::{Cause, horn_csv};
use crate::live::beside;
use crate::model::{EndpointId, RegionCode, RegionLevel};
use crate::registry::Registry;
use crate::trust::Caller;
use share::shares;

#[derive(Clone, Default, Deserialize)]
pub struct Params {
    under: Option<RegionCode>,
    #[serde(default)]
    state: String,
    #[serde(default)]
    cause: String,
    #[serde(default)]
    sim: String,
    #[serde(default)]
    repair: String,
    after: Option<EndpointId>,
}

const PAGE: usize = 300;

impl Params {
    /// A word that is none asks for nothing.
    fn asked(&self) -> Asked {
        Asked {
            stand: Stand::named(&self.state),
            cause: Cause::named(&self.cause),
            card: Card::named(&self.sim),
            repair: match self.repair.as_str() {
                "open" => Some(true),
                "none" => Some(false),
                _ => None,
            },
        }
    }

    fn address(&self, path: &str) -> String {
        let under = self.under.map(|code| code.to_string()).unwrap_or_default();
        let pairs = [
            ("under", under.as_str()),
            ("state", &self.state),
            ("cause", &self.cause),
            ("sim", &self.sim),
            ("repair", &self.repair),
        ];
        let pairs = pairs.iter().filter(|(_, value)| !value.is_empty());
        let pairs: Vec<_> = pairs.map(|(key, value)| format!("{key}={value}")).collect();
        let mark = if pairs.is_empty() { "" } else { "?" };
        format!("{path}{mark}{}", pairs.join("&"))
    }
}

const NOT_YOURS: Amiss = Amiss::Missing("该地区不在您的辖区。 This region is not yours.");

/// All of the region, and which of them are asked for.
async fn found(
    desk: &Desk,
    caller: &Caller,
    params: &Params,
) -> Result<(Vec<Horn>, Vec<usize>), Amiss> {
    let under = match params.under {
        Some(under) if !caller.covers(under) => return Err(NOT_YOURS),
        Some(under) => vec![under],
        None => caller.regions.clone(),
    };
    let (ledger, registry) = (
        desk.console.ledger.clone(),
        desk.console.registry.read().clone(),
    );
    let (now, asked) = (desk.console.clock.now(), params.asked());
    let found = beside(move || {
        let all = horns::horns(&ledger, &registry, &under, now);
        let taken = |(at, horn): (usize, &Horn)| asked.takes(horn).then_some(at);
        let shown = all.iter().enumerate().filter_map(taken).collect();
        (all, shown)
    });
    Ok(found.await)
}

pub async fn page(
    State(desk): State<Handle>,
    Officer(caller, _): Officer,
    Query(params): Query<Params>,
) -> Result<Html<String>, Amiss> {
    let (all, shown) = found(&desk, &caller, &params).await?;
    let registry = desk.console.registry.read().clone();
    let rows = shown.iter().map(|at| &all[*at]);
    let behind = |horn: &&Horn| params.after.is_some_and(|after| horn.endpoint != after);
    let mut rows: Vec<&Horn> = rows.skip_while(behind).collect();
    if params.after.is_some() && !rows.is_empty() {
        rows.remove(0);
    }
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let next = rows.last().filter(|_| more).map(|horn| horn.endpoint);
    let body = html! {
        main.horns {
            h1 { "大喇叭 " small { "Loudspeakers" } a.csv href=(params.address("/console/horns.csv")) { "CSV" } }
            (figures(&all))
            (warning(&all))
            section.map-card { h2 { "各乡镇在线率 " small { "Share online by town" } } (shares(&registry, &all)) }
            (filters(&registry, &caller, &params))
            p.hint { "共 " strong.found { (shown.len()) } " 只 " small { "found" } }
            (table(&registry, &rows))
            @if let Some(next) = next {
                @let address = params.address("/console/horns");
                @let mark = if address.contains('?') { '&' } else { '?' };
                p { a rel="next" href=(format!("{address}{mark}after={next}")) { "下一页 next →" } }
            }
        }
    };
    let frame = Frame {
        title: "大喇叭 Loudspeakers",
        bureau: &desk.name_of(&caller),
        as_of: desk.console.clock.now(),
        live: None,
    };
    Ok(layout::page(&frame, &body))
}

/// The whole of what the page shows, as a file.
pub async fn csv(
    State(desk): State<Handle>,
    Officer(caller, _): Officer,
    Query(params): Query<Params>,
) -> Result<Response, Amiss> {
    let (mut all, shown) = found(&desk, &caller, &params).await?;
    let mut at = 0..;
    all.retain(|_| at.next().is_some_and(|at| shown.binary_search(&at).is_ok()));
    let registry = desk.console.registry.read().clone();
    Ok(file("loudspeakers.csv", horn_csv::horns(&registry, &all)))
}

fn figures(all: &[Horn]) -> Markup {
    let count = |of: &dyn Fn(&Horn) -> bool| all.iter().filter(|horn| of(horn)).count();
    let tiles: [(&str, &str, usize, &str); 7] = [
        (
            "在线",
            "there",
            count(&|horn| horn.stand == Stand::There),
            "state=there",
        ),
        (
            "失联",
            "silent",
            count(&|horn| horn.stand == Stand::Silent),
            "state=silent",
        ),
        (
            "故障",
            "fault",
            count(&|horn| horn.stand == Stand::Fault),
            "state=fault",
        ),
        (
            "已入网未上线",
            "enrolled",
            count(&|horn| horn.stand == Stand::Enrolled),
            "state=enrolled",
        ),
        (
            "从未上线",
            "never",
            count(&|horn| horn.stand == Stand::Never),
            "state=never",
        ),
        (
            "报修中",
            "under repair",
            count(&|horn| horn.repair.is_some()),
            "repair=open",
        ),
        (
            "卡将到期",
            "card ends soon",
            count(&|horn| horn.card == Card::Soon),
            "sim=soon",
        ),
    ];
    let works = count(&|horn| horn.works());
    html! {
        p.facts {
            "能播出 " strong.works { (works) } "/" (all.len()) " " (super::bar::percent(small(works), small(all.len())))
            " " small { "would play now" }
        }
        div.tiles { @for (zh, en, count, query) in tiles {
            a.tile href=(format!("/console/horns?{query}")) { span { (zh) " " small { (en) } } strong { (count) } }
        } }
    }
}

/// Cards whose last day is near or over: a loudspeaker falls silent by it as surely as by lightning.
fn warning(all: &[Horn]) -> Markup {
    let tally = tally(all);
    let [soon, over] = [Card::Soon, Card::Over].map(|card| tally.cards[card as usize]);
    html! { @if soon + over > 0 {
        p.problem.cards role="alert" data-soon=(soon) data-over=(over) {
            "流量卡："
            a href="/console/horns?sim=soon" { (soon) " 张30天内到期" } "，"
            a href="/console/horns?sim=over" { (over) " 张已到期" }
            " " small { (soon) " SIM cards end within 30 days, " (over) " are over: have them renewed" }
        }
    } }
}

fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn filters(registry: &Registry, caller: &Caller, params: &Params) -> Markup {
    let towns: Vec<RegionCode> = registry
        .regions()
        .iter()
        .copied()
        .filter(|code| code.level() == RegionLevel::Town && caller.covers(*code))
        .collect();
    let pick = |name: &str, label: &str, chosen: &str, words: &[(&str, &str)]| {
        html! {
            label { (label) " " select name=(name) {
                option value="" { "全部 all" }
                @for (key, zh) in words { option value=(key) selected[*key == chosen] { (zh) " " (key) } }
            } }
        }
    };
    let stands = Stand::ALL.map(|stand| (stand.name(), stand.zh()));
    let causes = Cause::ALL.map(|cause| (cause.name(), cause.zh()));
    let cards = Card::ALL.map(|card| (card.name(), card.zh()));
    html! {
        form.filters method="get" action="/console/horns" {
            label { "乡镇 " select name="under" {
                @if let Some(own) = caller.regions.first() { option value=(own) { "全部 all" } }
                @for town in &towns { option value=(town) selected[params.under == Some(*town)] { (registry.full_name(*town)) } }
            } }
            (pick("state", "状态", &params.state, &stands))
            (pick("cause", "原因", &params.cause, &causes))
            (pick("sim", "流量卡", &params.sim, &cards))
            (pick("repair", "报修", &params.repair, &[("open", "报修中"), ("none", "无报修")]))
            button type="submit" { "筛选 " small { "Filter" } }
        }
    }
}

fn table(registry: &Registry, rows: &[&Horn]) -> Markup {
    html! {
        @if rows.is_empty() { p.hint { "没有这样的喇叭。 None." } } @else {
            div.wide { table.horns {
                thead { tr {
                    th { "村 village" } th { "喇叭 loudspeaker" } th { "状态 state" } th { "可能原因 cause" }
                    th { "最近证实播出 last proved" } th { "流量卡 card" } th { "管护员 keeper" } th { "报修 repair" } th { "自检 self-test" }
                } }
                tbody { @for horn in rows { (row(registry, horn)) } }
            } }
        }
    }
}

fn row(registry: &Registry, horn: &Horn) -> Markup {
    let keeper = registry
        .care(horn.endpoint)
        .map(|care| masked(&care.keeper));
    html! {
        tr data-device=(horn.device) {
            td data-label="村" { (registry.full_name(horn.village)) }
            th { a href=(format!("/console/horns/{}", path(&horn.device))) { (horn.name) } " " small { (horn.device) } }
            td data-label="状态" { (stand(horn)) }
            td data-label="原因" { (cause(horn)) }
            td data-label="证实播出" { (proved(horn)) }
            td data-label="流量卡" { (card(horn)) }
            td data-label="管护员" { (keeper.unwrap_or_default()) }
            td data-label="报修" { @if let Some(number) = horn.repair {
                "报修中 №" (number) @if horn.vouched { " " small { "管护员称已修好" } }
            } }
            td data-label="自检" { (tested(horn)) }
        }
    }
}

fn stand(horn: &Horn) -> Markup {
    html! {
        span.stand.(horn.stand.name()) { (horn.stand.zh()) }
        @if let Some(since) = horn.since { " " small { "自 " (clock(since)) } }
    }
}

fn cause(horn: &Horn) -> Markup {
    html! { @if let Some((cause, zh, en)) = horn.guess {
        strong title=(en) { (cause.zh()) } " " small { (zh) @if !horn.code.is_empty() { " · " (horn.code) } }
    } }
}

fn proved(horn: &Horn) -> Markup {
    html! { @match horn.proved {
        Some(play) => { (day_and_clock(play.at)) " " small { "预警 " (play.alert) } }
        None => small { "尚无 never" }
    } }
}

fn card(horn: &Horn) -> Markup {
    html! { span.card.(horn.card.name()) { (horn.card.zh()) } @if let Some(day) = horn.card_until { " " small { (day) } } }
}

fn tested(horn: &Horn) -> Markup {
    let result = horn.test.as_ref().and_then(horns::of_test);
    let asked = horn.test.as_ref().and_then(|test| test.asked);
    let code = horn.test.as_ref().and_then(|test| test.says.as_ref());
    html! { @if let Some((key, zh)) = result {
        (zh)
        @if let Some((code, _)) = code { @if key == "wrong" { " " (code) } }
        @if let Some(at) = asked { " " small { (clock(at)) } }
    } }
}

/// A play may be years ago.
fn day_and_clock(at: channel::Timestamp) -> String {
    let (year, ..) = at.plus(std::time::Duration::from_hours(8)).civil();
    format!("{year}-{}", clock(at))
}

/// Enough to know who it is for who knows them.
fn masked(keeper: &str) -> String {
    let first = keeper.chars().next();
    first.map(|first| format!("{first}**")).unwrap_or_default()
}

/// A device's id in a path: its maker chose the letters.
fn path(device: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let escape = |byte: u8| {
        if plain(byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    device.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keeper_is_masked_behind_the_first_letter() {
        assert_eq!(masked("合成管护员"), "合**");
        assert_eq!(masked(""), "");
    }

    #[test]
    fn an_address_carries_every_filter_and_no_letter_breaks_a_path() {
        let params = Params {
            state: "silent".into(),
            cause: "power".into(),
            ..Params::default()
        };
        assert_eq!(params.address("/x"), "/x?state=silent&cause=power");
        assert_eq!(Params::default().address("/x"), "/x");
        assert_eq!(path("PW-1/2?x"), "PW-1%2F2%3Fx");
    }
}
