//! A far end that takes 5,000 segments a second and leaves at most 100 receipts unanswered: how much of its rate is used.
//! This module must not count the first second, in which the window fills.

use std::time::Duration;

use super::house::{House, sent};
use super::peer::Far;
use super::table::Table;
use crate::commands::Failed;

const RATE: u32 = 5_000;

pub async fn run(table: &mut Table) -> Result<(), Failed> {
    eprintln!("a far end throttled to {RATE}/s");
    let far = Far::start(&["--rate", &RATE.to_string(), "--receipt-window", "100"])?;
    let house = House::start(
        "throttled",
        RATE * 20,
        far.port,
        &format!("{RATE}/s burst 250"),
    )
    .await?;
    let alert = house.warn("Severe", 1, "510727000000").await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (from, start) = (sent(&alert), house.tick());
    tokio::time::sleep(Duration::from_secs(12)).await;
    let rate = f64::from(sent(&alert) - from) / house.tick().saturating_sub(start).as_secs_f64();
    let share = rate / f64::from(RATE);
    table.row(
        "of a throttle of 5,000/s, 100 receipts unanswered",
        format!("{share:.3}"),
        "0.97",
        share >= 0.97,
    );
    house.stop().await;
    Ok(())
}
