//! Seconds before the ground shakes: from the POST of a feed's report to the last byte on the socket of each of a county's
//! terminals, each with an order of its own. This module must not leave out the journal.

use channel::{HttpClient, Request, Timestamp};
use ring::signature::Ed25519KeyPair;
use ring::signature::KeyPair as _;

use super::controllers::{PLAN, Round, Spread, Told, Warned, enrol, horn, measured, rows};
use super::house::House;
use super::table::Table;
use crate::commands::Failed;
use crate::plan::quake::Earthquake;

/// As in 平武: 1,310 loudspeakers, 57 schools and hospitals, 6 machines.
const TERMINALS: u32 = 1_373;
const SEED: [u8; 32] = [0x5e; 32];

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&SEED).expect("it has 32 bytes")
}

/// One feed; the county lies within the alarm of a great earthquake.
pub fn settings() -> Earthquake {
    let key = hex::encode(pair().public_key().as_ref());
    let text = format!("[[feed]]\nname = \"bench\"\nkey = \"{key}\"\n");
    toml::from_str(&text).expect("settings as written above")
}

/// A report that was signed before the clock began, or the cancel of one.
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
    })
    .to_string();
    let signature = hex::encode(pair().sign(body.as_bytes()));
    let request = Request {
        method: "POST".into(),
        headers: vec![(
            "authorization".into(),
            format!("Tocsin-Feed bench {signature}"),
        )],
        body: body.into(),
        ..Request::default()
    };
    let reply = http
        .call(&format!("http://{gateway}/v1/earthquakes"), request)
        .await;
    let reply = reply.map_err(|e| Failed::Unreachable(e.to_string()))?;
    if reply.status != 202 {
        let why = String::from_utf8_lossy(&reply.body).into_owned();
        return Err(Failed::No(format!("{}: {why}", reply.status)));
    }
    Ok(())
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
