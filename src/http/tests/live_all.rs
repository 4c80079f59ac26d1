//! The live line of all alerts over a socket: each that changes is told by itself, to whom it is shown, and from where on.

use super::live::{Line, Told, handed};
use super::sealed::ended;
use super::*;

async fn line(surface: &Surface, token: &str, last: Option<u64>) -> Line {
    Line::at(surface, token, "/v1/live", last).await
}

fn alerts(told: &Told) -> &Vec<Value> {
    told.data["alerts"].as_array().expect("alerts")
}

/// The one alert of a change.
fn one(told: &Told) -> &Value {
    assert_eq!((told.event.as_str(), alerts(told).len()), ("change", 1));
    &alerts(told)[0]
}

impl Surface {
    async fn hand_in(&self, identifier: &str, region: &str) {
        let body = cap(identifier, region);
        let reply = self
            .call("POST", "/v1/alerts", "water", body.as_bytes())
            .await;
        assert_eq!(reply.status, 202);
    }
}

#[tokio::test]
async fn whoever_watches_all_is_told_every_alert_and_then_each_that_changes() {
    let surface = Surface::with_alert().await;
    let mut all = line(&surface, "water", None).await;
    let head = all.head.to_lowercase();
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    let whole = all.next().await;
    assert_eq!(whole.event, "whole");
    assert_eq!(
        alerts(&whole),
        &[json!({
            "alert": 1, "state": "in-force", "state_zh": "生效中", "handled": "red", "status": "Actual",
            "class": null, "sealed": false, "total": [15, 0, 0, 0, 0, 0, 15],
        })]
    );
    surface.hand_in("a-2", "510727216").await;
    let told = all.next().await;
    assert_eq!(
        (&one(&told)["alert"], &one(&told)["state"], told.id),
        (&json!(2), &json!("accepted"), whole.id + 1)
    );
    surface.propose(1, ended()).await;
    let told = all.next().await;
    let counts: Vec<u64> = one(&told)["total"]
        .as_array()
        .expect("counts")
        .iter()
        .map(|count| count.as_u64().expect("a count"))
        .collect();
    assert_eq!(one(&told)["alert"], 1);
    assert_eq!(counts[6], 0, "nobody is pending: {counts:?}");
    assert_eq!(counts[0], counts[1..].iter().sum::<u64>(), "{counts:?}");
    surface.seal_first().await;
    let told = all.next().await;
    assert_eq!(
        (&one(&told)["alert"], &one(&told)["sealed"]),
        (&json!(1), &json!(true))
    );
    let mut later = line(&surface, "water", None).await;
    let whole = later.next().await;
    assert_eq!(alerts(&whole).len(), 1, "what is sealed is not among them");
    surface.stop().await;
}

#[tokio::test]
async fn whoever_lost_the_line_of_all_goes_on_where_they_were() {
    let surface = Surface::with_alert().await;
    let mut all = line(&surface, "water", None).await;
    let whole = all.next().await;
    surface.hand_in("a-2", "510727216").await;
    let first = all.next().await;
    drop(all);
    let mut back = line(&surface, "water", Some(whole.id)).await;
    let again = back.next().await;
    assert_eq!((again.id, &again.data), (first.id, &first.data));
    surface.hand_in("a-3", "510727216").await;
    let next = back.next().await;
    assert_eq!((next.id, &one(&next)["alert"]), (first.id + 1, &json!(3)));
    let mut lost = line(&surface, "water", Some(3)).await;
    let whole = lost.next().await;
    assert_eq!((whole.event.as_str(), alerts(&whole).len()), ("whole", 3));
    surface.stop().await;
}

#[tokio::test]
async fn nobody_is_told_of_alerts_and_households_that_are_not_theirs() {
    let surface = Surface::with_alert().await;
    surface.hand_in("a-2", "510727216").await;
    let told = line(&surface, "town", None).await.next().await;
    assert_eq!(alerts(&told).len(), 1, "the other town's is not told");
    assert_eq!(
        (&alerts(&told)[0]["alert"], &alerts(&told)[0]["total"][0]),
        (&json!(1), &json!(10)),
        "the doors of two villages alone"
    );
    let mut far = line(&surface, "far", None).await;
    assert!(alerts(&far.next().await).is_empty());
    let mut county = line(&surface, "water", None).await;
    assert_eq!(alerts(&county.next().await).len(), 2);
    // What is not theirs does not even move their line.
    surface.hand_in("a-3", "510727216").await;
    let change = county.next().await;
    assert_eq!(one(&change)["alert"], 3);
    surface.propose(1, vec![handed(0)]).await;
    surface.hand_in("a-4", "510727217").await;
    let mut town = line(&surface, "town", Some(told.id)).await;
    assert_eq!(one(&town.next().await)["alert"], 4);
    for (token, path, status) in [
        ("mute", "/v1/live", 403),
        ("nobody", "/v1/live", 401),
        ("water", "/v1/live?under=510727", 400),
    ] {
        let reply = surface.call("GET", path, token, b"").await;
        assert_eq!(reply.status, status, "{token} {path}");
    }
    surface.stop().await;
}
