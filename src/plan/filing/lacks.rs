//! What of an alert's text messages is not on file, before anybody's number is looked at: said to whoever hands it in.
//! This module must not count and must not stop anything.

use std::collections::BTreeSet;

use channel::Timestamp;

use super::super::budget::is_text;
use super::super::confirm::Confirm;
use super::super::draft::Draft;
use super::super::routes::Route;
use super::super::rules::Send;
use super::super::text::{Source, Telling, render};
use super::super::wall;
use super::{FilingState, Way};
use crate::ledger::event::Bar;
use crate::model::Carrier;

/// One thing that is not on file, in both languages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lack {
    pub rule: &'static str,
    pub en: String,
    pub zh: String,
}

/// Why and what to do, in English and Chinese.
pub const fn of_bar(bar: Bar) -> (&'static str, &'static str) {
    match bar {
        Bar::NotFiled => (
            "the signature is not filed for this carrier on this account; file it, which takes 7 to 10 working days, or use an account where it is",
            "签名未在该账号的这一运营商报备；请办理报备（7至10个工作日），或改用已报备的账号",
        ),
        Bar::NotInForce => (
            "the signature's filing is pending, refused or expired; have it renewed, and correct its state and until",
            "签名报备未生效（报备中、被拒或过期）；请续办，并更正 state 和 until",
        ),
        Bar::NoTemplate => (
            "the text is none of the templates on file; word the warning after one of them, or file this wording",
            "短信内容与已报备的模板都不符；请按模板措辞，或报备这一措辞",
        ),
        Bar::Link => (
            "the text holds a link, and links are not on file; take the link out",
            "短信含有链接，而链接未报备；请删去链接",
        ),
        Bar::NoUplink => (
            "the plan needs a reply, and none comes back by this account; change the plan's confirm, or use an account with an uplink",
            "预案要求回复确认，而该账号没有上行；请更改预案的 confirm，或改用有上行的账号",
        ),
    }
}

const fn rule(bar: Bar) -> &'static str {
    match bar {
        Bar::NotFiled => "Tocsin/filing/not-filed",
        Bar::NotInForce => "Tocsin/filing/not-in-force",
        Bar::NoTemplate => "Tocsin/filing/no-template",
        Bar::Link => "Tocsin/filing/link",
        Bar::NoUplink => "Tocsin/filing/no-uplink",
    }
}

fn lack(bar: Bar, channel: &str, signature: &str, carrier: Option<Carrier>) -> Lack {
    let (en, zh) = of_bar(bar);
    let whose = carrier.map_or_else(String::new, |c| format!(" ({})", c.name()));
    let whose_zh = carrier.map_or_else(String::new, |c| format!("（{}）", c.zh()));
    Lack {
        rule: rule(bar),
        en: format!("channel {channel}{whose}, signature 【{signature}】: {en}"),
        zh: format!("通道 {channel}{whose_zh}，签名【{signature}】：{zh}"),
    }
}

/// Every account of the plan that tells its filings is asked for every text that this alert may become there. A text that
/// the alert does not hold itself, of a short Cancel, is not looked at: nothing keeps a lifting back.
pub fn lacks(draft: &Draft<'_>, source: &Source<'_>, fallback: Timestamp) -> Vec<Lack> {
    let alert = draft.alert;
    let mut found = BTreeSet::new();
    for send in &draft.plan.send {
        if alert.infos.is_empty() || !wall::admits(alert.status, alert.scope, send.audience) {
            continue;
        }
        let accounts = send.channels.iter().flat_map(|way| accounts(draft, way));
        for channel in accounts {
            let outlet = draft.outlets.get(channel);
            let Some(outlet) = outlet.filter(is_text) else {
                continue;
            };
            for (way, carrier) in ways(draft, channel, send) {
                let (way, confirm) = draft.filed.filings.confirms(way, send.confirm);
                let telling = |(infos, language): (u64, &str)| Telling {
                    kind: outlet.kind,
                    channel: channel.to_owned(),
                    style: outlet.style,
                    language: language.to_owned(),
                    infos,
                    stock: None,
                    repeat: None,
                    way,
                    confirm,
                    heard: None,
                    silent: Vec::new(),
                };
                let tellings = said(draft).into_iter().map(telling);
                let bars = tellings.filter_map(|telling| render(source, &telling, fallback).bar);
                found.extend(bars.map(|bar| (channel, bar, carrier)));
            }
        }
    }
    let found = found.into_iter();
    found
        .map(|(channel, bar, carrier)| lack(bar, channel, draft.filed.signature, carrier))
        .collect()
}

/// The accounts of a way.
fn accounts<'a>(draft: &Draft<'a>, way: &'a str) -> Vec<&'a str> {
    let members = |route: &'a Route| route.members.iter().map(|m| m.channel.as_str());
    let route = draft.outlets.routes.named(way);
    route.map_or_else(|| vec![way], |route| members(route).collect())
}

/// By which filings texts of one account go, each with its carrier; or why none goes.
fn ways(draft: &Draft<'_>, channel: &str, send: &Send) -> Vec<(Way, Option<Carrier>)> {
    let (filings, now) = (draft.filed.filings, draft.schedule.base());
    if !filings.says(channel) {
        // It is only known that no reply comes back.
        return match send.confirm {
            Confirm::Required => vec![(Way::Unsaid, None)],
            Confirm::No | Confirm::Asked => Vec::new(),
        };
    }
    let all: Vec<_> = filings.of(channel, draft.filed.signature).collect();
    let holds = all
        .iter()
        .filter(|(_, filing)| filing.state_at(now) == FilingState::Filed);
    let ways: Vec<_> = holds.map(|(n, f)| (Way::Filed(*n), f.carrier)).collect();
    match (ways.is_empty(), all.is_empty()) {
        (false, _) => ways,
        (true, true) => vec![(Way::Barred(Bar::NotFiled), None)],
        (true, false) => vec![(Way::Barred(Bar::NotInForce), None)],
    }
}

/// More sets of infos than this hit nobody's villages; what is beyond is found when it is drafted.
const MOST: usize = 64;

/// Every set of infos that hits a village, in every language that the alert speaks.
fn said<'a>(draft: &'a Draft<'_>) -> BTreeSet<(u64, &'a str)> {
    let villages = draft.targets.villages.keys();
    let sets: BTreeSet<u64> = villages.map(|v| draft.targets.infos_under(*v)).collect();
    let infos = draft.alert.infos.iter().map(|i| i.language.as_str());
    let languages: BTreeSet<&str> = infos.chain([draft.plan.language.as_str()]).collect();
    let sets = sets.into_iter().take(MOST);
    sets.flat_map(|set| languages.iter().map(move |language| (set, *language)))
        .collect()
}
