//! The gauges: every line is one that Prometheus reads, they say what the other answers say, and nothing of a person.

use std::collections::BTreeMap;

use super::sealed::ended;
use super::*;

/// Samples by name and labels. Panics at whatever the text format does not have.
fn samples(text: &str) -> BTreeMap<String, u64> {
    assert!(text.ends_with('\n'), "the last line is ended as well");
    let is_name = |name: &str| {
        let mut letters = name.chars();
        letters.next().is_some_and(|c| c.is_ascii_lowercase())
            && letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let (mut family, mut seen) = (String::new(), BTreeMap::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').expect("a name and words");
            assert!(name.starts_with("tocsin_") && is_name(name), "{line}");
            assert!(!words.is_empty() && !words.contains('\\'), "{line}");
            let wanted = format!("# TYPE {name} gauge");
            assert_eq!(lines.next(), Some(wanted.as_str()));
            name.clone_into(&mut family);
            continue;
        }
        let (series, value) = line.rsplit_once(' ').expect("a value");
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        assert_eq!(name, family, "a sample stands below its family: {line}");
        let labels = labels.strip_suffix('}').expect("closed");
        for pair in labels.split(',').filter(|pair| !pair.is_empty()) {
            let (label, text) = pair.split_once('=').expect("a label");
            let text = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
            assert!(is_name(label), "{line}");
            assert!(!text.expect("quoted").contains(['"', '\\']), "{line}");
        }
        let value = value.parse().expect("a whole number");
        let before = seen.insert(series.to_owned(), value);
        assert_eq!(before, None, "told twice: {series}");
    }
    seen
}

impl Surface {
    async fn metrics(&self) -> BTreeMap<String, u64> {
        let reply = self.call("GET", "/metrics", "water", b"").await;
        assert_eq!(reply.status, 200);
        assert_eq!(
            header(&reply, "content-type"),
            Some("text/plain; version=0.0.4; charset=utf-8")
        );
        samples(std::str::from_utf8(&reply.body).expect("UTF-8"))
    }
}

#[tokio::test]
async fn the_gauges_say_what_the_other_answers_say() {
    let surface = Surface::with_alert().await;
    surface.propose(1, ended()).await;
    surface.up.store(true, SeqCst);
    let gauges = surface.metrics().await;
    let lines = surface.get("/v1/alerts/1/channels").await;
    let lines = lines["channels"].as_array().expect("channels").clone();
    assert_eq!(lines.len(), 3);
    for line in &lines {
        let channel = line["channel"].as_str().expect("a name");
        for state in [
            "planned",
            "handed",
            "awaiting",
            "due",
            "done",
            "failed",
            "expired",
            "withdrawn",
        ] {
            let series = format!("tocsin_deliveries{{channel=\"{channel}\",state=\"{state}\"}}");
            assert_eq!(Some(gauges[&series]), line[state].as_u64(), "{series}");
        }
        let series = format!("tocsin_deliveries_reached{{channel=\"{channel}\"}}");
        assert_eq!(Some(gauges[&series]), line["reached"].as_u64(), "{series}");
    }
    let position = *surface.writer.position().borrow();
    let households = surface.gate.registry().counts().households as u64;
    for (series, value) in [
        ("tocsin_journal_position", position),
        ("tocsin_open_alerts{standing=\"in-force\"}", 1),
        ("tocsin_open_alerts{standing=\"damaged\"}", 0),
        ("tocsin_channel_up{channel=\"echo\",kind=\"echo\"}", 1),
        ("tocsin_channel_link{channel=\"echo\",state=\"up\"}", 0),
        ("tocsin_orphan_receipts{channel=\"echo\"}", 0),
        ("tocsin_damaged_streams", 0),
        ("tocsin_registry_generation", 1),
        ("tocsin_registry_rows{of=\"households\"}", households),
    ] {
        assert_eq!(gauges.get(series), Some(&value), "{series}");
    }
    let version = env!("CARGO_PKG_VERSION");
    let build = format!("tocsin_build_info{{version=\"{version}\"}}");
    assert_eq!(gauges[&build], 1);
    surface.stop().await;
}

#[tokio::test]
async fn what_is_damaged_or_sealed_leaves_the_gauges() {
    let surface = Surface::with_alert().await;
    let deliveries = "tocsin_deliveries{channel=\"sms-mobile\",state=\"planned\"}";
    assert!(surface.metrics().await[deliveries] > 0);
    surface.gate.ledger.mark(1, "a record is wrong".into());
    let gauges = surface.metrics().await;
    assert_eq!(gauges.get(deliveries), None, "nothing more of it is sent");
    assert_eq!(gauges["tocsin_damaged_streams"], 1);
    assert_eq!(gauges["tocsin_open_alerts{standing=\"damaged\"}"], 1);
    surface.stop().await;

    let surface = Surface::with_alert().await;
    surface.propose(1, ended()).await;
    surface.seal().await;
    let gauges = surface.metrics().await;
    assert_eq!(gauges.get(deliveries), None, "it is over");
    assert_eq!(gauges["tocsin_open_alerts{standing=\"in-force\"}"], 0);
    surface.stop().await;
}

#[tokio::test]
async fn the_gauges_are_for_whoever_may_read_and_name_no_alert_and_no_person() {
    let surface = Surface::with_alert().await;
    for (token, status) in [("", 401), ("mute", 403), ("town", 200)] {
        let reply = surface.call("GET", "/metrics", token, b"").await;
        assert_eq!(reply.status, status, "{token}");
    }
    let first = surface.metrics().await;
    let second = cap("a-2", "510727");
    let reply = surface
        .call("POST", "/v1/alerts", "water", second.as_bytes())
        .await;
    assert_eq!(reply.status, 202);
    let series = |all: &BTreeMap<String, u64>| all.keys().cloned().collect::<Vec<_>>();
    let after = surface.metrics().await;
    assert_eq!(series(&after), series(&first), "an alert adds no series");
    assert!(
        !series(&after)
            .iter()
            .any(|s| s.contains("10000") || s.contains("5107")),
        "no number and no place"
    );
    surface.stop().await;
}
