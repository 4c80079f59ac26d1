//! A backup is taken from a gateway that sends, and a gateway that starts on it goes on: nobody who was reached is lost, and
//! what was left is sent.

use std::os::unix::fs::PermissionsExt as _;

use crate::gateway::{Setup, World, both, count, within};
use crate::warning::{COUNTY, Warning};

#[tokio::test]
async fn a_backup_of_a_gateway_that_sends_is_restored_and_goes_on() {
    let mut world = World::start(Setup {
        sms_rate: "3/s burst 10",
        ..Setup::default()
    })
    .await;
    let gateway = &mut world.gateway;
    let first = gateway.submit(&Warning::red("a-1", &[COUNTY])).await;
    within("a speaker has played and texts are waiting", async || {
        let total = &gateway.coverage(first, COUNTY).await["total"];
        let played = count(&total["reached"]["played"]);
        (played == 1 && count(&total["pending"]) > 0).then_some(())
    })
    .await;
    let done = gateway
        .run(&["backup", "--config", "tocsin.toml", "kept"])
        .await;
    assert!(done.status.success(), "{}", both(&done));
    assert!(both(&done).contains("whole"), "{}", both(&done));
    let again = gateway
        .run(&["backup", "--config", "tocsin.toml", "kept"])
        .await;
    assert_eq!(again.status.code(), Some(3), "it never writes over a copy");
    let later = gateway.submit(&Warning::red("a-2", &[COUNTY])).await;
    gateway.ended(later).await;
    gateway.terminate().await;

    // As docs/operations.md says: the old files away with their logs, the copies in their place.
    for file in ["journal.sqlite", "registry.sqlite"] {
        for end in ["", "-wal", "-shm"] {
            let old = gateway.path(&format!("data/{file}{end}"));
            if old.exists() {
                std::fs::remove_file(old).expect("it goes");
            }
        }
        let (kept, place) = (format!("kept/{file}"), format!("data/{file}"));
        let mode = std::fs::metadata(gateway.path(&kept)).expect("a copy");
        assert_eq!(mode.permissions().mode() & 0o077, 0, "nobody else reads it");
        std::fs::copy(gateway.path(&kept), gateway.path(&place)).expect("copied");
    }
    gateway.start().await;
    let view = gateway.ended(first).await;
    assert_eq!(view["state"], "in-force");
    let total = gateway.coverage(first, COUNTY).await["total"].clone();
    let reached: u64 = total["reached"]
        .as_object()
        .expect("grades")
        .values()
        .map(count)
        .sum();
    assert_eq!((reached, count(&total["households"])), (4, 14), "{total}");
    let list = gateway.get("/v1/alerts").await;
    let alerts = list["alerts"].as_array().map_or(0, Vec::len);
    assert_eq!(alerts, 1, "what came after the copy is not known: {list}");
    // The bureau sends it again, and it is taken as what it is: new.
    let anew = gateway.submit(&Warning::red("a-2", &[COUNTY])).await;
    gateway.ended(anew).await;
    gateway.terminate().await;
    let verdict = gateway.run(&["journal", "verify"]).await;
    assert!(verdict.status.success(), "{}", both(&verdict));
}
