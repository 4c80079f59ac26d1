//! A full disk: the journal may not grow, while the county is released and while it is sent. This module must not fill a
//! real disk: a limit on the process's files does the same to it alone.

use std::process::Command;
use std::time::Duration;

use channel::{Clock, SystemClock};
use serde_json::Value;

use crate::gateway::within;
use crate::image::{self, Moment, Outcome};
use crate::kills::warning;
use crate::land::Land;
use crate::node::{self, Node};
use crate::smsc::{Memory, Smsc};
use crate::warning::COUNTY;

/// Sets how long any file of the process may become; the hard limit stays, so that it can be lifted again.
fn limit(node: &Node, bytes: &str) {
    let pid = node.victim.id().to_string();
    let set = Command::new("prlimit")
        .args(["--pid", &pid, &format!("--fsize={bytes}:")])
        .status();
    assert!(set.expect("prlimit of util-linux").success());
}

/// Watches for a while that nothing is sent and no receipt is answered.
async fn quiet(smsc: &Smsc) {
    let before = smsc.counters();
    let clock = SystemClock::default();
    let until = clock.tick() + Duration::from_secs(2);
    while clock.tick() < until {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let now = smsc.counters();
        assert_eq!(
            now.submits, before.submits,
            "it sends while the journal takes nothing"
        );
        assert_eq!(
            now.receipts_answered, before.receipts_answered,
            "a receipt is answered that is not durable"
        );
    }
}

async fn full_and_empty_again(after: u64) {
    let land = Land::make();
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    std::fs::create_dir_all(&data).expect("a folder");
    std::fs::copy(land.registry(), data.join("registry.sqlite")).expect("it is copied");
    let smsc = Smsc::start(Memory::default(), &folder.path().join("spool"), 0).await;
    node::configure(folder.path(), smsc.port());
    let node = Node::start(folder.path()).await;
    let reply = node.post(&warning(1, COUNTY)).await.expect("an answer");
    assert_eq!(reply.status, 202);
    within("it is far enough", async || {
        (smsc.counters().submits >= after).then_some(())
    })
    .await;
    limit(&node, &node.mark().to_string());

    let refused = within("the limit bites", async || {
        let reply = node
            .post(&warning(2, &land.villages[0]))
            .await
            .expect("an answer");
        (reply.status != 202).then_some(reply)
    });
    let refused = refused.await;
    assert_eq!(refused.status, 503);
    let header = |name: &str| {
        refused
            .headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    };
    assert_eq!(header("content-type"), Some("application/problem+json"));
    assert!(header("retry-after").is_some());
    let problem: Value = serde_json::from_slice(&refused.body).expect("JSON");
    assert_eq!(problem["type"], "/problems/store-away");
    assert!(
        problem["detail"]
            .as_str()
            .is_some_and(|why| why.contains("append to the journal")),
        "{problem}"
    );

    smsc.settled().await;
    let sent = smsc.memory().seen.len();
    assert!(
        sent < land.mobiles.len(),
        "the limit came too late: all is sent"
    );
    quiet(&smsc).await;
    let waiting = smsc.outstanding();
    limit(&node, "unlimited");
    println!("after {after}: {sent} sent and {waiting} receipts waiting while it was full");

    let (ends, doubts) = image::followed(&land, &node, &smsc).await;
    let moment = Moment {
        memory: smsc.memory(),
        answered: Vec::new(),
        accepted: vec![(1, 1)],
        spool: folder.path().into(),
    };
    let mut outcome = Outcome {
        doubts,
        ..Outcome::default()
    };
    image::as_ended(&land, &moment, &ends, &smsc.memory(), &mut outcome);
    assert!(outcome.problems.is_empty(), "{:#?}", outcome.problems);
    assert_eq!(
        (doubts, outcome.twice),
        (0, 0),
        "nothing was killed, nothing is in doubt"
    );
    let reply = node.post(&warning(3, &land.villages[0])).await;
    assert_eq!(reply.expect("an answer").status, 202);
}

#[tokio::test]
async fn a_disk_that_fills_while_texts_go_out_is_told_and_outlived() {
    full_and_empty_again(300).await;
}

#[tokio::test]
async fn a_disk_that_fills_while_an_alert_is_released_is_told_and_outlived() {
    full_and_empty_again(0).await;
}
