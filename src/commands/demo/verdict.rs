//! The end of the demo: the table of towns, whether every figure adds up, and where to look further. Each check counts
//! anew from the deliveries themselves, beside the roll-up that it judges. This module must not mend a figure.

use std::collections::HashMap;
use std::fmt::Write;

use channel::Evidence;

use super::{county, watch};
use crate::app::App;
use crate::coverage::{self, Rollup, Row};
use crate::ledger::Alert;
use crate::ledger::event::Audience;
use crate::model::{Answer, State};

pub struct Verdict {
    pub table: String,
    pub summary: String,
    pub problems: Vec<String>,
}

pub fn of(app: &App, alert: &Alert) -> Verdict {
    let registry = app.registry.read().clone();
    let rollup = coverage::rollup(alert, &registry, county::code());
    let lines = coverage::channels(alert);
    let mut problems = Vec::new();
    if !watch::is_final(alert, &lines) {
        problems.push("some deliveries have no final answer 有未定的投递".to_owned());
    }
    adds_up(&rollup, &mut problems);
    recount(alert, &mut problems);
    towns_from_villages(&rollup, alert, &registry, &mut problems);
    confirmed_and_delivered(alert, &rollup, &mut problems);
    let mut summary = String::new();
    for line in &lines {
        let _ = writeln!(
            summary,
            "{:<5} total 共 {}  reached 送达 {}  failed 失败 {}  expired 过期 {}  possible duplicates 可能重复 {}",
            line.channel, line.total, line.reached, line.failed, line.expired, line.doubts
        );
    }
    let _ = write!(summary, "{}", percent(&rollup.total));
    Verdict {
        table: table(&rollup),
        summary,
        problems,
    }
}

fn percent(total: &Row) -> String {
    let share = |n: u32| f64::from(n) * 100.0 / f64::from(total.at_home.max(1));
    format!(
        "of 在家户 {} households at home: 手机送达 delivered {:.1} %, 播出 played {:.1} %, 未触达 missed {:.1} %, 情况不明 unknown {:.1} %",
        total.at_home,
        share(total.reached.delivered + total.reached.confirmed),
        share(total.reached.played),
        share(total.missed.all()),
        share(total.unknown),
    )
}

/// Chinese names are two columns wide a character.
fn padded(name: &str, width: usize) -> String {
    let columns: usize = name.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    format!("{name}{}", " ".repeat(width.saturating_sub(columns)))
}

fn table(rollup: &Rollup) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "\n{}{:>7}{:>7}{:>7}{:>8}{:>7}{:>8}{:>8}{:>7}{:>12}{:>10}\n{}{:>9}{:>6}{:>8}{:>10}{:>7}{:>8}{:>8}{:>8}{:>12}{:>10}",
        padded("乡镇", 22),
        "户籍户",
        "外出",
        "在家户",
        "手机送达",
        "播出",
        "未触达",
        "不明",
        "未定",
        "喇叭",
        "责任人",
        padded("town", 22),
        "house",
        "away",
        "home",
        "deliv",
        "play",
        "missed",
        "unknown",
        "pending",
        "speakers",
        "officers",
    );
    for row in rollup.rows.iter().chain([&rollup.total]) {
        let _ = writeln!(
            out,
            "{}{:>9}{:>6}{:>8}{:>10}{:>7}{:>8}{:>8}{:>8}{:>12}{:>10}",
            padded(&row.name, 22),
            row.households,
            row.away,
            row.at_home,
            row.reached.delivered + row.reached.confirmed,
            row.reached.played,
            row.missed.all(),
            row.unknown,
            row.pending,
            format!("{}/{}", row.speakers.played, row.speakers.total),
            format!("{}/{}", row.officers.reached, row.officers.total),
        );
    }
    out
}

fn adds_up(rollup: &Rollup, problems: &mut Vec<String>) {
    for row in rollup.rows.iter().chain([&rollup.total]) {
        if !row.adds_up() {
            problems.push(format!(
                "{}: its answers are not its households 户数不合",
                row.name
            ));
        }
        if row.pending > 0 {
            problems.push(format!(
                "{}: {} households are pending 未定",
                row.name, row.pending
            ));
        }
    }
    let sum = |f: fn(&Row) -> u32| rollup.rows.iter().map(f).sum::<u32>();
    let figures: [(&str, fn(&Row) -> u32); 7] = [
        ("households", |r| r.households),
        ("away", |r| r.away),
        ("at home", |r| r.at_home),
        ("reached", |r| r.reached.all()),
        ("missed", |r| r.missed.all()),
        ("unknown", |r| r.unknown),
        ("speakers", |r| r.speakers.total),
    ];
    for (what, figure) in figures {
        let (towns, county) = (sum(figure), figure(&rollup.total));
        if towns != county {
            problems.push(format!(
                "{what}: the towns make {towns}, the county says {county} 乡镇合计不等于全县"
            ));
        }
    }
}

/// The cached totals of every block against its deliveries, one by one.
fn recount(alert: &Alert, problems: &mut Vec<String>) {
    for block in alert.blocks() {
        let mut counted = HashMap::new();
        for i in 0..block.len() as usize {
            *counted.entry(block.state(i)).or_insert(0) += 1;
            if block.state(i).is_final() && block.answer(i) == Answer::Pending {
                problems.push(format!(
                    "delivery {} is over and has no answer",
                    block.number(i)
                ));
            }
        }
        for state in State::ALL {
            let (cached, recounted) = (
                block.tally(state),
                counted.get(&state).copied().unwrap_or(0),
            );
            if cached != recounted {
                problems.push(format!(
                    "block {} of {}: {state:?} is {recounted}, not {cached}",
                    block.first, block.region
                ));
            }
        }
    }
}

fn towns_from_villages(
    rollup: &Rollup,
    alert: &Alert,
    registry: &crate::registry::Registry,
    problems: &mut Vec<String>,
) {
    for town in &rollup.rows {
        let villages = coverage::rollup(alert, registry, town.region);
        let sum: u32 = villages.rows.iter().map(|r| r.reached.all()).sum();
        if sum != town.reached.all() {
            problems.push(format!(
                "{}: its villages reach {sum}, the town says {}",
                town.name,
                town.reached.all()
            ));
        }
    }
}

/// Households at home with a delivery that its device has, counted straight from the deliveries.
fn confirmed_and_delivered(alert: &Alert, rollup: &Rollup, problems: &mut Vec<String>) {
    let mut at_home = std::collections::HashSet::new();
    for ground in alert.grounds().values() {
        at_home.extend(ground.households.iter().filter(|h| !h.away).map(|h| h.id));
    }
    let mut reached = std::collections::HashSet::new();
    for block in alert
        .blocks()
        .iter()
        .filter(|b| b.audience == Audience::Public)
    {
        for i in (0..block.len() as usize).filter(|i| block.evidence(*i) >= Evidence::Delivered) {
            reached.extend(block.household(i).filter(|h| at_home.contains(h)));
        }
    }
    let says = rollup.total.reached.delivered + rollup.total.reached.confirmed;
    if u32::try_from(reached.len()) != Ok(says) {
        problems.push(format!(
            "手机送达: counted {} households, the county says {says}",
            reached.len()
        ));
    }
}

pub fn addresses(base: &str, token: &str, alert: u64) {
    println!("\nLook further 查看 (Ctrl-C ends 结束):");
    println!("  export T='authorization: Bearer {token}'");
    for path in [
        format!("/v1/alerts/{alert}"),
        format!("/v1/alerts/{alert}/coverage?under=510727"),
        format!("/v1/alerts/{alert}/coverage?under=510727217"),
        format!("/v1/alerts/{alert}/households?under=510727217&answer=missed"),
        format!("/v1/alerts/{alert}/speakers?under=510727217"),
        "/v1/channels".to_owned(),
    ] {
        println!("  curl -sH \"$T\" '{base}{path}'");
    }
    println!("  docs/api.md explains each 各接口说明见 docs/api.md");
}
