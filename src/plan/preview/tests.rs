//! The figures of a preview, one by one, over the made-up corner of a county.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use channel::{
    EndpointKind, Evidence, Level, Lines, Loss, PresenceState, Style, Timestamp, Variant,
};

use super::{Figures, Means, Pace, Scene, preview};
use crate::ledger::boxes::{Mend, Mended, Repair, Teller, Trouble};
use crate::ledger::event::{Mark, Marked};
use crate::ledger::{Event, Ledger};
use crate::model::{Carrier, Delivery, EndpointRow};
use crate::plan::fixture::{self, CODES, Said, alert, code, filing, geocode, outlets, registry};
use crate::plan::{
    Carriers, Draft, Earlier, Events, Filed, Filings, Hush, Member, Outlets, Plan, Route, Routes,
    Source, moments, target,
};
use crate::registry::Registry;

const SENDS: [(&str, &str, &str); 3] = [
    (
        "speakers",
        "horn",
        "quiet = \"22:00-06:30\"\nrepeat = { times = 3, pause = \"20s\" }",
    ),
    ("officers", "sms", ""),
    ("public", "sms", "after = \"10m\""),
];

/// 2026-07-14 23:00 and 09:00 in Beijing.
const NIGHT: Timestamp = Timestamp::from_secs(1_784_041_200);
const DAY: Timestamp = Timestamp::from_secs(1_783_990_800);

/// Who lives there, by what they are told, and which sends tell them.
type Setting<'a> = (&'a Registry, &'a Outlets, &'a [(&'a str, &'a str, &'a str)]);

/// One text costs two segments.
fn figures(handled: Level, now: Timestamp, filed: &[Carrier], dead: &[&str]) -> Figures {
    let ledger = Ledger::default();
    for device in dead {
        let state = PresenceState::Silent;
        let device = (*device).to_owned();
        let fits = ledger.apply(0, now, &Event::Presence { device, state });
        fits.expect("it fits");
    }
    figures_with(handled, now, filed, &ledger, None)
}

fn figures_with(
    handled: Level,
    now: Timestamp,
    filed: &[Carrier],
    ledger: &Ledger,
    lines: Option<Lines>,
) -> Figures {
    let setting: Setting<'_> = (&registry(), &outlets(), &SENDS);
    by(setting, (handled, now), filed, (ledger, lines))
}

/// A red warning by day in another setting.
fn red((registry, outlets): (&Registry, &Outlets)) -> Figures {
    let setting: Setting<'_> = (registry, outlets, &ROUTED);
    by(setting, (Level::Red, DAY), &[], (&Ledger::default(), None))
}

fn by(
    setting: Setting<'_>,
    when: (Level, Timestamp),
    filed: &[Carrier],
    told: (&Ledger, Option<Lines>),
) -> Figures {
    let of = |carrier: &Carrier| {
        let text = format!("state = \"filed\"\ncarrier = \"{}\"", carrier.name());
        ("sms".to_owned(), filing(&text))
    };
    let filings = Filings::new(filed.iter().map(of));
    shown(setting, when, filings, told)
}

fn shown(
    setting: Setting<'_>,
    when: (Level, Timestamp),
    filings: Filings,
    told: (&Ledger, Option<Lines>),
) -> Figures {
    hushed(setting, when, (filings, Hush::default()), told)
}

fn hushed(
    (registry, outlets, sends): Setting<'_>,
    (handled, now): (Level, Timestamp),
    (filings, hush): (Filings, Hush),
    (ledger, lines): (&Ledger, Option<Lines>),
) -> Figures {
    let plan = Plan::parse(fixture::plan(sends).as_bytes()).expect("a plan");
    let alert = alert(&[Said::red(&geocode(CODES, "510727"))]);
    let targets = target(&alert, registry).expect("known");
    let rate = |text: &str| text.parse().expect("a rate");
    let means = Means {
        rates: BTreeMap::from([
            ("sms".to_owned(), rate("2/s burst 10")),
            ("sms-wide".to_owned(), rate("2/s burst 10")),
            ("horn".to_owned(), rate("10/s")),
            ("sms-a".to_owned(), rate("2/s burst 10")),
            ("sms-b".to_owned(), rate("1/s burst 10")),
            ("followers".to_owned(), rate("50/s")),
            ("members".to_owned(), rate("50/s")),
            ("groups".to_owned(), rate("1/s")),
        ]),
        filings,
        carriers: Carriers::shipped(),
        events: Events::shipped(),
        hush,
        sounds: crate::plan::Sounds::shipped(),
    };
    let earlier = Earlier::default();
    let silence = means.hush.silence(alert.status, &targets.regions);
    let schedule = moments(&plan, &[], (handled, false), silence, now);
    preview(&Scene {
        draft: Draft {
            alert: &alert,
            plan: &plan,
            targets: &targets,
            earlier: &earlier,
            registry,
            outlets,
            handled,
            schedule: &schedule,
            filed: Filed {
                filings: &means.filings,
                carriers: &means.carriers,
                signature: "平武水利",
            },
            hush: &means.hush,
            languages: &means.sounds.languages,
        },
        source: Source {
            alert: &alert,
            earlier: None,
            signature: "平武水利",
            regions_hash: "00",
            language: "zh-CN",
            authority: channel::Authority::County,
            filings: &means.filings,
            targets: &targets,
            sounds: &means.sounds,
            recordings: &[],
        },
        ledger,
        means: &means,
        cost: &|name: &str, _: &Variant| match name {
            "sms-wide" => 3,
            _ if name.starts_with("sms") => 2,
            _ => 1,
        },
        losses: &|name, text| {
            let lost = name == "horn" && !text.text.is_empty();
            lost.then_some(REPEAT).into_iter().collect()
        },
        pace: &|name| Pace {
            lines: lines.filter(|_| name == "sms"),
            gathers: name == "horn",
        },
        now,
        lifetime: now,
    })
}

const REPEAT: Loss = Loss {
    code: "repeat",
    en: "the platform decides",
    zh: "由平台决定",
};

#[test]
fn what_a_far_end_cannot_carry_is_told_with_how_many_it_is_lost_for() {
    let shown = figures(Level::Red, DAY, &[], &[]);
    let horn = shown.channels.iter().find(|line| line.channel == "horn");
    let horn = horn.expect("the loudspeakers").deliveries;
    assert_eq!(shown.losses.len(), 1, "{:?}", shown.losses);
    let line = &shown.losses[0];
    assert_eq!((line.channel.as_str(), line.reason), ("horn", "repeat"));
    assert_eq!((line.deliveries, line.zh), (horn, REPEAT.zh));
}

#[test]
fn every_household_stands_at_the_best_proof_that_could_be_had() {
    let shown = figures(Level::Red, DAY, &[], &[]);
    let homes = shown.homes;
    assert_eq!((homes.households, homes.at_home, homes.villages), (7, 7, 3));
    assert_eq!((homes.delivered, homes.no_means), (7, 0));
    // The third village has telephones alone.
    let thin: Vec<_> = shown
        .thin
        .iter()
        .map(|t| (t.village.code, t.kinds.clone()))
        .collect();
    assert_eq!(thin, [(code("510727102201"), vec!["sms"])]);
    assert_eq!(shown.unheard_speakers, 2, "nobody has heard of either");
    assert!(shown.dead_speakers.is_empty() && shown.partial.is_empty());
}

#[test]
fn wechat_stands_in_the_preview_with_the_best_that_each_kind_can_ever_prove() {
    let mut rows = fixture::rows();
    let endpoint = |id, recipient, kind, address: &str| EndpointRow {
        id,
        recipient: Some(recipient),
        kind,
        address: address.to_owned(),
    };
    rows.endpoints = vec![
        endpoint(901, 1, EndpointKind::Openid, "o-demo_1"),
        endpoint(902, 501, EndpointKind::Member, "demo501"),
        endpoint(903, 502, EndpointKind::Group, "值班群"),
    ];
    (rows.speakers, rows.hearing) = (Vec::new(), Vec::new());
    let registry = Registry::build(1, &rows).expect("sound rows");
    let proves = |speaks_to, best| fixture::outlet("wechat", speaks_to, Style::Short, best);
    let outlets = Outlets::from([
        (
            "followers".to_owned(),
            proves(EndpointKind::Openid, Evidence::Delivered),
        ),
        (
            "members".to_owned(),
            proves(EndpointKind::Member, Evidence::Acknowledged),
        ),
        (
            "groups".to_owned(),
            proves(EndpointKind::Group, Evidence::Accepted),
        ),
    ]);
    let sends = [
        ("public", "followers", ""),
        ("officers", "members", ""),
        ("officers", "groups", ""),
    ];
    let shown = by(
        (&registry, &outlets, &sends),
        (Level::Red, DAY),
        &[],
        (&Ledger::default(), None),
    );
    let line = |line: &super::figures::Line| (line.channel.clone(), line.grade, line.deliveries);
    let mut lines: Vec<_> = shown.reach.iter().map(line).collect();
    lines.sort();
    let wanted = [
        ("followers", "delivered", 1),
        ("groups", "sent", 1),
        ("members", "confirmed", 1),
    ];
    assert_eq!(
        lines,
        wanted.map(|(channel, grade, n)| (channel.to_owned(), grade, n))
    );
    let homes = shown.homes;
    assert_eq!(
        (homes.delivered, homes.sent, homes.no_means),
        (1, 0, 6),
        "officers are no door"
    );
}

#[test]
fn a_dead_speaker_is_named_and_is_no_channel_of_its_village() {
    let shown = figures(Level::Red, DAY, &[], &["SP-801"]);
    assert_eq!(shown.dead_speakers.len(), 1);
    assert_eq!(
        (
            shown.dead_speakers[0].endpoint,
            shown.dead_speakers[0].state
        ),
        (801, "silent")
    );
    assert_eq!(shown.thin.len(), 2);
    assert_eq!(shown.unheard_speakers, 1);
}

#[test]
fn a_speaker_under_repair_counts_as_dead_until_the_repair_is_closed() {
    let ledger = Ledger::default();
    let told = |event| ledger.apply(0, DAY, &event).expect("it fits");
    told(Event::Repair(Repair {
        number: 1,
        device: "SP-801".into(),
        what: Trouble::NoSound,
        since: DAY,
        from: Teller::Keeper,
        by: None,
        text: None,
    }));
    let shown = figures_with(Level::Red, DAY, &[], &ledger, None).dead_speakers;
    assert_eq!(shown.len(), 1);
    assert_eq!((shown[0].endpoint, shown[0].state), (801, "repair"));
    told(Event::Mended(Mended {
        number: 1,
        how: Mend::Repaired,
        by: "water".into(),
        text: None,
    }));
    let shown = figures_with(Level::Red, DAY, &[], &ledger, None).dead_speakers;
    assert!(shown.is_empty());
}

#[test]
fn minutes_and_the_last_text_follow_from_rates_and_steps() {
    let shown = figures(Level::Red, DAY, &[], &[]);
    let steps: Vec<_> = shown.steps.iter().map(|s| (s.deliveries, s.held)).collect();
    assert_eq!(
        steps,
        [(7, false), (7, false)],
        "speakers and officers, then the public"
    );
    let sms = shown
        .channels
        .iter()
        .find(|c| c.channel == "sms")
        .expect("used");
    // Five officers and seven homes, two segments each, two a second.
    assert_eq!((sms.deliveries, sms.cost), (12, 24));
    assert!((sms.minutes - 0.2).abs() < 1e-9, "{}", sms.minutes);
    let last = DAY
        .plus(std::time::Duration::from_secs(600 + 7))
        .to_string();
    assert_eq!(shown.last_first_text, Some(last));
    let played = shown
        .texts
        .iter()
        .find(|t| t.kind == "loudspeaker")
        .expect("a text");
    assert_eq!((played.deliveries, played.cost), (2, 1));
}

#[test]
fn at_night_what_is_low_is_held_and_said_so() {
    let low = figures(Level::Yellow, NIGHT, &[], &[]);
    let held: Vec<_> = low.steps.iter().filter(|s| s.held).collect();
    assert_eq!(held.len(), 1);
    assert_eq!(
        (held[0].due.as_str(), held[0].deliveries),
        ("2026-07-14T22:30:00.000Z", 2)
    );
    let high = figures(Level::Orange, NIGHT, &[], &[]);
    assert!(high.steps.iter().all(|step| !step.held));
}

#[test]
fn on_a_day_of_an_examination_its_loudspeakers_wait_and_nobody_else_does() {
    let exam = |region: &str| -> Hush {
        let days = "from = \"2026-07-14\"\nto = \"2026-07-14\"\nhours = \"06:30-18:00\"";
        let text = format!("[[exam]]\nname = \"中考\"\n{days}\nregions = [\"{region}\"]\n");
        toml::from_str(&text).expect("a section")
    };
    let steps = |level, region: &str| {
        let setting: Setting<'_> = (&registry(), &outlets(), &SENDS);
        let means = (Filings::default(), exam(region));
        let shown = hushed(setting, (level, DAY), means, (&Ledger::default(), None));
        let held = shown.steps.into_iter().filter(|step| step.held);
        held.map(|step| (step.due, step.deliveries))
            .collect::<Vec<_>>()
    };
    let all = figures(Level::Yellow, DAY, &[], &[]);
    assert!(all.steps.iter().all(|step| !step.held), "without one");
    let held = steps(Level::Yellow, "510727");
    assert_eq!(held.len(), 1, "{held:?}");
    assert_eq!(held[0].0, "2026-07-14T10:00:00.000Z");
    assert!(held[0].1 > 0);
    assert!(steps(Level::Orange, "510727").is_empty(), "the grave sound");
    assert!(steps(Level::Yellow, "510726").is_empty(), "elsewhere");
}

#[test]
fn numbers_of_carriers_without_a_filing_are_counted_where_the_filing_is_known() {
    let unknown = figures(Level::Red, DAY, &[], &[]);
    assert_eq!(
        (unknown.numbers[0].filed.clone(), unknown.numbers[0].unfiled),
        (None, None)
    );
    let shown = figures(Level::Red, DAY, &[Carrier::Mobile], &[]);
    let numbers = &shown.numbers[0];
    // Homes have 139, officers 133.
    assert_eq!(
        numbers.by_carrier,
        BTreeMap::from([("mobile", 7), ("telecom", 5)])
    );
    assert_eq!(
        (numbers.filed.clone(), numbers.unfiled),
        (Some(vec!["mobile"]), Some(5))
    );
    let refusal = &numbers.refused[0];
    assert_eq!(
        (refusal.reason, refusal.numbers, &refusal.by_carrier),
        ("filing:not-filed", 5, &BTreeMap::from([("telecom", 5)]))
    );
    assert!(refusal.zh.contains("报备") && refusal.en.contains("file it"));
    // What is refused is neither sent nor paid for.
    let sms = &shown.channels[1];
    assert_eq!(
        (sms.channel.as_str(), sms.deliveries, sms.cost),
        ("sms", 7, 14)
    );
    let refused: u32 = shown.reach.iter().map(|line| line.refused).sum();
    assert_eq!(refused, 5);
}

/// Each home and each officer, by what is filed and whether the plan asks for a reply.
fn asked(filed: &[&str], confirm: &str) -> Figures {
    let filings = filed.iter().map(|text| ("sms".to_owned(), filing(text)));
    let sends = [("public", "sms", confirm), ("officers", "sms", confirm)];
    shown(
        (&registry(), &outlets(), &sends),
        (Level::Red, DAY),
        Filings::new(filings),
        (&Ledger::default(), None),
    )
}

#[test]
fn a_text_that_fits_no_template_is_refused_and_nobody_counts_as_reached_by_it() {
    let with = |text: &str| {
        let templates = format!("templates = [{{ id = \"T-1\", text = \"{text}\" }}]");
        asked(&[&format!("state = \"filed\"\n{templates}")], "")
    };
    let fits = with("{}预警。{}有效至{}。");
    assert_eq!(
        (fits.homes.delivered, fits.numbers[0].refused.len()),
        (7, 0)
    );
    assert_eq!(fits.texts[0].template.as_deref(), Some("T-1"));
    let none = with("{}演习。{}");
    assert_eq!((none.homes.delivered, none.homes.no_means), (0, 7));
    let refusal = &none.numbers[0].refused[0];
    assert_eq!(
        (refusal.reason, refusal.numbers),
        ("filing:no-template", 12)
    );
}

#[test]
fn a_reply_is_asked_for_where_it_comes_back_and_nowhere_else() {
    let both = [
        "state = \"filed\"\ncarrier = \"mobile\"\nuplink = true",
        "state = \"filed\"\ncarrier = \"telecom\"",
    ];
    let texts = |figures: &Figures| -> Vec<_> {
        let line = |t: &super::figures::TextLine| (t.text.contains("回复1"), t.deliveries);
        let mut all: Vec<_> = figures.texts.iter().map(line).collect();
        all.sort_unstable();
        all
    };
    let asks = asked(&both, "confirm = true");
    assert_eq!(
        texts(&asks),
        [(false, 5), (true, 7)],
        "homes have 139, officers 133"
    );
    assert_eq!(texts(&asked(&both, "")), [(false, 12)]);
    assert_eq!(
        texts(&asked(&[], "confirm = true")),
        [(false, 12)],
        "nobody has said"
    );
    let needs = asked(&both, "confirm = \"required\"");
    let refusal = &needs.numbers[0].refused[0];
    assert_eq!((refusal.reason, refusal.numbers), ("filing:no-uplink", 5));
    assert_eq!(
        asked(&[], "confirm = \"required\"").numbers[0].refused[0].numbers,
        12
    );
}

#[test]
fn each_account_counts_a_text_as_its_own_far_end_does() {
    let sends = [("public", "sms", ""), ("officers", "sms-wide", "")];
    let shown = shown(
        (&registry(), &outlets(), &sends),
        (Level::Red, DAY),
        Filings::default(),
        (&Ledger::default(), None),
    );
    let costs: BTreeMap<_, _> = shown
        .channels
        .iter()
        .map(|line| (line.channel.as_str(), (line.deliveries, line.cost)))
        .collect();
    assert_eq!(
        costs,
        BTreeMap::from([("sms", (7, 14)), ("sms-wide", (5, 15))])
    );
    let texts: Vec<_> = shown.texts.iter().map(|t| (t.cost, t.deliveries)).collect();
    assert_eq!(texts, [(3, 5), (2, 7)], "one text, two costs");
}

#[test]
fn a_suspect_number_is_tried_and_is_no_means() {
    let registry = registry();
    let homes = registry.households_under(code("510727102201"));
    let people = registry.recipients_of(homes[0]);
    let endpoint = registry.endpoints_of(people[0]).next().expect("a number");
    let ledger = Ledger::default();
    let delivery = Delivery {
        stream: 1,
        number: 0,
    };
    let marked = Marked::shown(endpoint, Mark::Suspect, "MK:0001", delivery);
    let fits = ledger.apply(0, DAY, &Event::Marked(marked));
    fits.expect("it fits");
    let shown = figures_with(Level::Red, DAY, &[], &ledger, None);
    assert_eq!(shown.suspect_numbers, 1);
    let homes = shown.homes;
    assert_eq!(
        (homes.delivered, homes.no_means),
        (6, 1),
        "it has no speaker"
    );
    let tried: u32 = shown.reach.iter().map(|line| line.deliveries).sum();
    let before = figures(Level::Red, DAY, &[], &[]);
    let all: u32 = before.reach.iter().map(|line| line.deliveries).sum();
    assert_eq!(tried, all);
    assert_eq!(before.suspect_numbers, 0);
}

/// Mobile's numbers by one account, unicom's or everybody's by another.
fn routed(second: Option<Vec<Carrier>>) -> Outlets {
    let sms = outlets().get("sms").expect("an outlet");
    let can = ["sms-a", "sms-b"].map(|name| (name.to_owned(), sms));
    let member = |channel: &str, serves| Member {
        channel: channel.into(),
        serves,
    };
    let route = Route {
        name: "texts".into(),
        members: vec![
            member("sms-a", Some(vec![Carrier::Mobile])),
            member("sms-b", second),
        ],
        patience: Duration::from_mins(1),
        patience_red: Duration::from_secs(15),
    };
    let routes = Routes::new(vec![route], Carriers::shipped());
    Outlets::new(can.into_iter(), Arc::new(routes), Arc::default())
}

const ROUTED: [(&str, &str, &str); 2] = [("officers", "texts", ""), ("public", "texts", "")];

#[test]
fn numbers_go_by_the_account_of_their_carrier_and_each_has_its_minutes() {
    let (registry, outlets) = (registry(), routed(None));
    let shown = red((&registry, &outlets));
    let route = &shown.routes[0];
    let accounts: Vec<_> = route
        .accounts
        .iter()
        .map(|a| (&*a.channel, a.deliveries))
        .collect();
    // Homes have 139, officers 133.
    assert_eq!(accounts, [("sms-a", 7), ("sms-b", 5)]);
    assert_eq!((route.unserved, route.route.as_str()), (0, "texts"));
    let lines: Vec<_> = shown
        .channels
        .iter()
        .map(|c| (&*c.channel, c.cost))
        .collect();
    assert_eq!(lines, [("sms-a", 14), ("sms-b", 10)]);
    assert_eq!(shown.homes.delivered, 7);
}

#[test]
fn numbers_that_no_account_serves_are_counted_with_their_carrier_and_reach_nobody() {
    let (registry, outlets) = (registry(), routed(Some(vec![Carrier::Unicom])));
    let shown = red((&registry, &outlets));
    let route = &shown.routes[0];
    assert_eq!(
        route.unserved, 5,
        "each officer once, whatever posts they hold"
    );
    assert_eq!(route.unserved_by, BTreeMap::from([("telecom", 5)]));
    assert_eq!(shown.channels.len(), 1, "{:?}", shown.channels);
    assert_eq!(shown.homes.no_means, 0);
}

#[test]
fn a_home_with_a_landline_alone_has_no_means_and_its_number_is_counted() {
    let mut rows = fixture::rows();
    let home = rows
        .endpoints
        .iter_mut()
        .find(|e| e.address.starts_with("139"));
    let home = home.expect("a home's number");
    (home.kind, home.address) = (EndpointKind::Landline, "0816-0000001".into());
    let registry = Registry::build(1, &rows).expect("sound rows");
    let shown = red((&registry, &routed(None)));
    assert_eq!(
        (shown.landlines.numbers, shown.landlines.called),
        (1, false)
    );
    assert_eq!((shown.homes.delivered, shown.homes.no_means), (6, 1));
    assert_eq!(shown.routes[0].unserved, 0, "no text was meant for it");
}

#[test]
fn calls_take_turns_at_the_lines_and_the_preview_says_when_the_last_first_one_starts() {
    let each = Duration::from_secs(45);
    let lines = Lines {
        count: 2,
        each,
        within: each,
    };
    let shown = figures_with(Level::Red, DAY, &[], &Ledger::default(), Some(lines));
    let line = shown.channels.iter().find(|c| c.channel == "sms");
    let line = line.expect("used");
    let calls = line.calls.as_ref().expect("it has lines");
    assert_eq!((calls.lines, calls.call_seconds), (2, 45));
    // Five officers at once, seven homes after ten minutes: the last begins after three turns of two.
    let last = DAY.plus(Duration::from_secs(600 + 3 * 45));
    assert_eq!(calls.last_first_call, last.to_string());
    assert_eq!(line.last, calls.last_first_call);
    // Seven in two turns.
    assert_eq!((calls.within_seconds, calls.lines_needed), (45, 4));
    let others = shown.channels.iter().filter(|c| c.channel != "sms");
    assert!(others.into_iter().all(|c| c.calls.is_none()));
}

#[test]
fn what_a_platform_is_given_at_once_is_paced_as_one_message() {
    let shown = figures_with(Level::Red, DAY, &[], &Ledger::default(), None);
    let line = shown.channels.iter().find(|c| c.channel == "horn");
    let line = line.expect("used");
    assert!(line.deliveries > 1, "{line:?}");
    assert_eq!(line.cost, 1);
}
