//! A far end that takes 5,000 segments a second and leaves at most 100 receipts unanswered: how much of its rate is used,
//! alone, and while small warnings are handed in all the time. This module must not count the first seconds, in which
//! the window fills.

use std::time::Duration;

use super::house::{House, sent};
use super::peer::Far;
use super::table::Table;
use crate::commands::Failed;
use crate::commands::demo::county;

const RATE: u32 = 5_000;
/// Small warnings a second.
const WARNINGS: u32 = 20;
const FILL: Duration = Duration::from_secs(2);
const WATCH: Duration = Duration::from_secs(12);

pub async fn run(table: &mut Table) -> Result<(), Failed> {
    tell!("a far end throttled to {RATE}/s");
    let house = self::house("throttled").await?;
    let share = watch(&house).await?;
    house.0.stop().await;
    tell(
        table,
        "of a throttle of 5,000/s, 100 receipts unanswered",
        share,
    );

    tell!("the same, with {WARNINGS} small warnings a second");
    let house = self::house("flooded").await?;
    let (share, handed_in) = tokio::select! {
        share = watch(&house) => (share?, handed_in(&house)),
        failed = flood(&house) => return Err(failed),
    };
    house.0.stop().await;
    let what = format!("the same while {handed_in:.0} warnings a second come in");
    tell(table, &what, share);
    Ok(())
}

fn tell(table: &mut Table, what: &str, share: f64) {
    table.row(what, format!("{share:.3}"), "0.97", share >= 0.97);
}

async fn house(name: &str) -> Result<(House, Far), Failed> {
    let far = Far::start(&["--rate", &RATE.to_string(), "--receipt-window", "100"])?;
    let rate = format!("{RATE}/s burst 250");
    let house = House::start(name, RATE * 20, far.port, &rate).await?;
    house.warn("Severe", 1, "510727000000").await?;
    Ok((house, far))
}

/// The share of the rate that leaves the house, of whichever warning.
async fn watch((house, _): &(House, Far)) -> Result<f64, Failed> {
    let all = || {
        house
            .app
            .ledger
            .alerts()
            .iter()
            .map(|a| sent(a))
            .sum::<u32>()
    };
    tokio::time::sleep(FILL).await;
    let (from, start) = (all(), house.tick());
    tokio::time::sleep(WATCH).await;
    let rate = f64::from(all() - from) / house.tick().saturating_sub(start).as_secs_f64();
    Ok(rate / f64::from(RATE))
}

/// One village after another is warned, until this is dropped; returns only with what failed.
async fn flood((house, _): &(House, Far)) -> Failed {
    let registry = house.app.registry.read().clone();
    let villages = registry.villages_under(county::code());
    let mut pace = tokio::time::interval(Duration::from_secs(1) / WARNINGS);
    for (number, village) in (2..).zip(villages.iter().cycle()) {
        pace.tick().await;
        if let Err(failed) = house.warn("Minor", number, &village.to_string()).await {
            return failed;
        }
    }
    Failed::No("the county has no village to warn".into())
}

/// Warnings a second, beside the large one.
fn handed_in((house, _): &(House, Far)) -> f64 {
    let count = u32::try_from(house.app.ledger.alerts().len() - 1).unwrap_or(0);
    f64::from(count) / (FILL + WATCH).as_secs_f64()
}
