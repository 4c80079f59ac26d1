//! End to end against the bare loop, in one run: from the 202 until every text is submitted, every receipt durable and
//! in the roll-up. This module must not stop its watch early.

use super::house::House;
use super::peer::Far;
use super::table::Table;
use super::{bare, median};
use crate::commands::Failed;

pub async fn run(table: &mut Table, recipients: u32, runs: usize) -> Result<(), Failed> {
    tell!("end to end, {recipients} recipients, {runs} runs");
    let (mut bares, mut rates, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..runs {
        let bare = bare::run(recipients);
        let rate = once(n, recipients).await?;
        tell!(
            "  run {}: bare {bare:.0}/s, end to end {rate:.0}/s, ratio {:.2}",
            n + 1,
            rate / bare
        );
        bares.push(bare);
        rates.push(rate);
        ratios.push(rate / bare);
    }
    let (rate, ratio) = (median(rates), median(ratios));
    table.told(
        "bare encode + parse + map",
        format!("{:.0}/s", median(bares)),
    );
    let what = format!("end to end, {recipients} recipients, own load peer");
    table.row(what, format!("{rate:.0}/s"), "50,000/s", rate >= 50_000.0);
    table.row(
        "end to end / bare loop",
        format!("{ratio:.2}"),
        "0.30",
        ratio >= 0.30,
    );
    Ok(())
}

async fn once(n: usize, recipients: u32) -> Result<f64, Failed> {
    let far = Far::start(&[])?;
    let house = House::start(&format!("speed{n}"), recipients, far.port, "2000000/s").await?;
    let start = house.tick();
    let alert = house.warn("Extreme", 1, "510727000000").await?;
    house.finished(&alert).await;
    let took = house.tick().saturating_sub(start);
    let rate = f64::from(house.recipients) / took.as_secs_f64();
    house.stop().await;
    Ok(rate)
}
