//! Seconds before the ground shakes: from the POST of a feed's report to the last byte on the socket of each of a county's
//! terminals, each with an order of its own. This module must not leave out the journal.

use channel::{HttpClient, Timestamp};

use super::controllers::{PLAN, Round, Spread, Told, Warned, enrol, horn, measured, rows};
use super::house::House;
use super::table::Table;
use crate::commands::{Failed, feed::Feed};
use crate::plan::quake::Earthquake;

/// As in 平武: 1,310 loudspeakers, 57 schools and hospitals, 6 machines.
const TERMINALS: u32 = 1_373;
/// One feed; the county lies within the alarm of a great earthquake.
pub fn settings() -> Earthquake {
    Feed::new("bench").settings()
}

/// A report, or its cancel.
pub async fn hand_in(
    http: &HttpClient,
    gateway: &str,
    (number, cancel, now): (u32, bool, Timestamp),
) -> Result<(), Failed> {
    let (report, kind) = if cancel {
        (2, "cancel")
    } else {
        (1, "warning")
    };
    let body = serde_json::json!({
        "v": 1, "event": format!("bench-{number}"), "report": report, "status": "Actual", "kind": kind,
        "sent": now.0, "origin": now.0, "latitude": 32.4, "longitude": 104.5, "depth": 40.0, "magnitude": 7.5,
    });
    let base = format!("http://{gateway}");
    Feed::new("bench")
        .hand_in(http, &base, &body)
        .await
        .map(drop)
}

pub async fn run(table: &mut Table, rounds: usize) -> Result<(), Failed> {
    tell!("{TERMINALS} terminals, {rounds} earthquakes, each called off");
    let (rows, devices) = rows(TERMINALS);
    let house = House::open("quake", &rows, horn(), PLAN).await?;
    let told = Told::Warned(Warned {
        gateway: house.app.address.to_string(),
        token: house.token.clone(),
        devices,
        rounds,
        quake: true,
    });
    enrol(&house).await?;
    let (measured, _) = measured(&told, 2 * rounds).await?;
    house.stop().await;
    let reports = measured.iter().step_by(2);
    let cancels = measured.iter().skip(1).step_by(2);
    show(table, "a feed's report", reports);
    show(table, "its cancel", cancels);
    Ok(())
}

fn show<'a>(table: &mut Table, what: &str, rounds: impl Iterator<Item = &'a Round>) {
    let times: Vec<f64> = rounds.flat_map(|round| &round.times).copied().collect();
    let times = Spread::of(&times);
    table.row(
        format!("{what} → last byte at {TERMINALS} terminals, p99"),
        format!("{:.0} ms", times.most),
        "100 ms",
        times.most < 100.0,
    );
    table.told("the same, all of it", times.to_string());
}
