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
    if !watch::is_final(alert) {
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
            "{:<8} ({}) total 共 {}  reached 送达 {}  failed 失败 {}  expired 过期 {}  possible duplicates 可能重复 {}",
            line.channel,
            line.kind,
            line.total,
            line.reached,
            line.failed,
            line.expired,
            line.doubts
        );
    }
    let _ = writeln!(summary, "{}", percent(&rollup.total));
    let _ = write!(summary, "{}", said_back(app, alert));
    Verdict {
        table: table(&rollup),
        summary,
        problems,
    }
}

fn percent(total: &Row) -> String {
    let share = |n: u32| f64::from(n) * 100.0 / f64::from(total.at_home.max(1));
    format!(
        "of 在家户 {} households at home: 本人确认 confirmed {:.1} %, 手机送达 delivered {:.1} %, 播出 played {:.1} %, 未触达 missed {:.1} %, 情况不明 unknown {:.1} %",
        total.at_home,
        share(total.reached.confirmed),
        share(total.reached.delivered),
        share(total.reached.played),
        share(total.missed.all()),
        share(total.unknown),
    )
}

/// What people wrote back, and what far ends said of numbers.
fn said_back(app: &App, alert: &Alert) -> String {
    let replies = alert.replies.all();
    let texts = replies.iter().filter(|r| r.row.text.is_some()).count();
    format!(
        "replies 答复 {}, other texts 其他来信 {texts}, suspect numbers 存疑号码 {}, bound by scanning 扫码绑定 {}",
        replies.len() - texts,
        app.ledger.suspects.len(),
        app.ledger.bindings.len()
    )
}

fn table(rollup: &Rollup) -> String {
    let chinese = [
        "乡镇",
        "户籍户",
        "外出",
        "在家户",
        "手机送达",
        "播出",
        "未触达",
        "不明",
        "喇叭",
        "责任人",
    ];
    let english = [
        "town",
        "houses",
        "away",
        "at home",
        "delivered",
        "played",
        "missed",
        "unknown",
        "speakers",
        "officers",
    ];
    let mut out = String::from("\n");
    line(&mut out, &chinese.map(str::to_owned));
    line(&mut out, &english.map(str::to_owned));
    for row in rollup.rows.iter().chain([&rollup.total]) {
        line(
            &mut out,
            &[
                row.name.clone(),
                row.households.to_string(),
                row.away.to_string(),
                row.at_home.to_string(),
                (row.reached.delivered + row.reached.confirmed).to_string(),
                row.reached.played.to_string(),
                row.missed.all().to_string(),
                row.unknown.to_string(),
                format!("{}/{}", row.speakers.played, row.speakers.total),
                format!("{}/{}", row.officers.reached, row.officers.total),
            ],
        );
    }
    out
}

/// One line of the table: the name to the left, figures to the right.
fn line(out: &mut String, cells: &[String; 10]) {
    let pad = |cell: &str, width: usize| " ".repeat(width.saturating_sub(columns(cell)));
    let _ = write!(out, "{}{}", cells[0], pad(&cells[0], 20));
    for cell in &cells[1..] {
        let _ = write!(out, "{}{cell}", pad(cell, 11));
    }
    out.push('\n');
}

/// Chinese characters are two columns wide.
pub fn columns(text: &str) -> usize {
    text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
}

/// A column of the table.
type Figure = fn(&Row) -> u32;

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
    let sum = |f: Figure| rollup.rows.iter().map(f).sum::<u32>();
    let figures: [(&str, Figure); 7] = [
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
    say!("\nLook further 查看 (Ctrl-C ends 结束):");
    say!("  export TOCSIN={base}");
    say!("  export AUTH='Authorization: Bearer {token}'");
    for path in [
        format!("/v1/alerts/{alert}"),
        format!("/v1/alerts/{alert}/coverage?under=510727"),
        format!("/v1/alerts/{alert}/coverage?under=510727217"),
        format!("/v1/alerts/{alert}/households?under=510727217&answer=missed"),
        format!("/v1/alerts/{alert}/speakers?under=510727217"),
        format!("/v1/alerts/{alert}/by-hand"),
        "/v1/channels".to_owned(),
    ] {
        say!("  curl -sH \"$AUTH\" \"$TOCSIN{path}\"");
    }
    say!("  console 值班台: {base}/console  token 令牌: {token}");
    say!(
        "  docs/api.md explains each, and its commands work as they stand 各接口说明见 docs/api.md"
    );
}
