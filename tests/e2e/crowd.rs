//! Many loudspeakers' controllers at once: what they take of the gateway's memory. `tocsin bench` measures the same with ten
//! thousand. This test must not measure time.

use std::fmt::Write as _;

use crate::county::{self, VILLAGE_A1};
use crate::gateway::{OPERATOR, Setup, World, within};
use crate::peers;

const CROWD: usize = 800;
/// Some four times what one takes that waits. A buffer kept for each answer, or an order for each speaker, is more.
const EACH: u64 = 96 << 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_hundred_waiting_controllers_hold_bounded_memory_and_orders_add_none() {
    let devices: Vec<String> = (0..CROWD)
        .map(|n| format!("SP-PLAYS-{}", 1000 + n))
        .collect();
    let mut files = county::small();
    for (name, middle) in [("endpoints", "speaker,"), ("speakers", "")] {
        let file = files.get_mut(name).expect("the small county has speakers");
        for (n, device) in (1000..).zip(&devices) {
            let place = if middle.is_empty() { VILLAGE_A1 } else { "" };
            writeln!(file, "{n},{place},{middle}{device}").expect("a String takes every text");
        }
    }
    let setup = Setup {
        files,
        log: "warn",
        ..Setup::default()
    };
    let world = World::start(setup).await;
    let gateway = &world.gateway;
    let codes = gateway.codes(&devices).await;
    let before = gateway.memory();
    let crowd = peers::controllers(&gateway.base, devices.clone(), codes);
    within("all are enrolled", async || {
        let path = format!("/v1/devices?under={VILLAGE_A1}&limit=1000");
        let answer = gateway.call("GET", &path, OPERATOR, "").await;
        let rows = answer.body["devices"].as_array().expect("a list");
        let enrolled = rows.iter().filter(|row| row["enrolled"] == true).count();
        (enrolled >= CROWD).then_some(())
    })
    .await;
    let mut grown = Vec::new();
    for round in 1..=4 {
        let order = serde_json::json!({ "kind": "volume", "percent": 60, "devices": devices });
        let path = "/v1/devices/orders";
        let answer = gateway
            .call("POST", path, OPERATOR, &order.to_string())
            .await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        within("each has obeyed", async || {
            (crowd.obeyed().len() >= round * CROWD).then_some(())
        })
        .await;
        grown.push(gateway.memory().saturating_sub(before));
    }
    let most = EACH * CROWD as u64;
    assert!(grown.iter().all(|bytes| *bytes < most), "{grown:?} bytes");
    assert!(grown[3] < grown[1] + most / 4, "{grown:?} bytes");
}
