//! A large alert: how soon the first text leaves, what a roll-up and a village's list cost, how long a restart replays,
//! and what a delivery takes in memory and on disk. This module must not warm anything up.

use std::time::Duration;

use super::house::{House, sent};
use super::median;
use super::peer::Far;
use super::table::Table;
use crate::commands::Failed;
use crate::commands::demo::county;
use crate::coverage::{self, Page, Wanted};
use crate::ledger::{Alert, replay};
use crate::store::Sqlite;

pub async fn run(table: &mut Table, deliveries: u32) -> Result<(), Failed> {
    tell!("{deliveries} deliveries");
    let far = Far::start(&[])?;
    let house = House::start("million", deliveries, far.port, "2000000/s").await?;
    let before = resident();
    let start = house.tick();
    let alert = house.warn("Extreme", 1, "510727000000").await?;
    while sent(&alert) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let first = house.tick().saturating_sub(start);
    table.row(
        "release → first text",
        millis(first),
        "1,000 ms",
        first < Duration::from_secs(1),
    );
    house.finished(&alert).await;
    let all = house.tick().saturating_sub(start);
    let count = f64::from(house.recipients);
    table.told(
        format!("{deliveries} deliveries, end to end"),
        format!("{:.0}/s", count / all.as_secs_f64()),
    );
    figures(table, &house, &alert);
    let grown = f64::from(u32::try_from(resident().saturating_sub(before)).unwrap_or(u32::MAX))
        * 1024.0
        / count;
    table.row(
        "memory a delivery",
        format!("{grown:.0} B"),
        "128 B",
        grown <= 128.0,
    );
    let bytes = house.journal_bytes();
    let disk = f64::from(u32::try_from(bytes / 1024).unwrap_or(u32::MAX)) * 1024.0 / count;
    table.row(
        "disk a delivery",
        format!("{disk:.0} B"),
        "80 B",
        disk <= 80.0,
    );
    replayed(table, &house).await?;
    house.stop().await;
    Ok(())
}

async fn replayed(table: &mut Table, house: &House) -> Result<(), Failed> {
    let data = house.data();
    let store = Sqlite::open(&data.join(crate::app::JOURNAL))
        .map_err(|e| Failed::Unreachable(e.to_string()))?;
    let start = house.tick();
    let replayed = replay(&store)
        .await
        .map_err(|e| Failed::Unreachable(e.to_string()))?;
    let took = house.tick().saturating_sub(start);
    if replayed.ledger.alerts().len() != 1 {
        return Err(Failed::No("the replay does not hold the alert".into()));
    }
    table.row(
        "replay",
        millis(took),
        "3,000 ms",
        took < Duration::from_secs(3),
    );
    Ok(())
}

fn figures(table: &mut Table, house: &House, alert: &Alert) {
    let registry = house.app.registry.read().clone();
    let time = |work: &dyn Fn()| {
        let times = (0..9).map(|_| {
            let start = house.tick();
            work();
            house.tick().saturating_sub(start).as_secs_f64() * 1000.0
        });
        median(times.collect())
    };
    let county = time(&|| drop(coverage::rollup(alert, &registry, county::code())));
    table.row(
        "county roll-up",
        format!("{county:.2} ms"),
        "10 ms",
        county < 10.0,
    );
    let Some(village) = registry.villages_under(county::code()).first().copied() else {
        return;
    };
    let list = time(&|| {
        drop(coverage::households(alert, &registry, &[village], PAGE));
    });
    table.row(
        "a village's unreached list",
        format!("{list:.2} ms"),
        "1 ms",
        list < 1.0,
    );
}

const PAGE: Page = Page {
    group: None,
    wanted: Wanted::Missed,
    after: None,
    limit: usize::MAX,
};

fn millis(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}

/// Resident memory of this process, in KiB.
pub fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find(|l| l.starts_with("VmRSS:"))
        .unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(0)
}
