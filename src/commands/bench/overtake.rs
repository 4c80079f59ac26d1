//! An extreme warning handed in while a large minor one is going out: how soon its first text leaves. This module must
//! not let the minor one finish first.

use std::time::Duration;

use super::house::{House, open, sent};
use super::peer::Far;
use super::table::Table;
use crate::commands::Failed;

pub async fn run(table: &mut Table, backlog: u32) -> Result<(), Failed> {
    tell!("an extreme warning over {backlog} minor deliveries");
    let far = Far::start(&["--rate", "5000"])?;
    let house = House::start("overtake", backlog, far.port, "5000/s burst 250").await?;
    let minor = house.warn("Minor", 1, "510727000000").await?;
    tokio::time::sleep(Duration::from_secs(4)).await;
    let start = house.tick();
    let extreme = house.warn("Extreme", 2, "510727217000").await?;
    while sent(&extreme) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let took = house.tick().saturating_sub(start);
    let left = open(&minor);
    if left == 0 {
        return Err(Failed::No(
            "the backlog was gone before the extreme warning".into(),
        ));
    }
    let met = took < Duration::from_secs(1);
    table.row(
        format!("POST of Extreme → its first text, {left} Minor open"),
        format!("{} ms", took.as_millis()),
        "1,000 ms",
        met,
    );
    house.stop().await;
    Ok(())
}
