//! Repairs over the API, and the list of loudspeakers with what is known of each.

use channel::{Inlet, ON_BATTERY, Presence, PresenceState};

use super::*;
use crate::dispatch::ChannelInlet;

impl Surface {
    async fn asked(&self, path: &str, token: &str, body: &Value) -> (u16, Value) {
        let body = body.to_string();
        let reply = self.call("POST", path, token, body.as_bytes()).await;
        (reply.status, json_of(&reply))
    }

    async fn listed(&self, query: &str, token: &str) -> Vec<Value> {
        let reply = self
            .call("GET", &format!("/v1/devices{query}"), token, b"")
            .await;
        let page = json_of(&reply);
        assert_eq!(reply.status, 200, "{page}");
        page["devices"].as_array().expect("a list").clone()
    }

    async fn turns(&self, device: &str, state: PresenceState, code: &str) {
        let inlet = ChannelInlet::new("echo", self.gate.orders.desk.clone());
        inlet.presence(Presence {
            device: device.into(),
            state,
            code: code.into(),
            seen: START,
        });
        // Behind it in the journal.
        self.writer.witness().await.expect("commits");
    }
}

fn names(list: &[Value]) -> Vec<&str> {
    list.iter().filter_map(|d| d["device"].as_str()).collect()
}

#[tokio::test]
async fn a_repair_is_entered_listed_and_closed_once_by_whom_it_concerns() {
    let surface = Surface::start().await;
    let entry = json!({ "what": "no-sound", "from": "keeper", "since": "2026-07-13T20:00:00+08:00", "text": "被雷打了" });
    let (status, repair) = surface
        .asked("/v1/devices/speaker-0/repairs", "town-operator", &entry)
        .await;
    assert_eq!(status, 200, "{repair}");
    assert_eq!(
        (&repair["number"], &repair["open"]),
        (&json!(1), &json!(true))
    );
    assert_eq!(
        (
            &repair["what_zh"],
            &repair["from_zh"],
            &repair["by"],
            &repair["text"]
        ),
        (
            &json!("不响"),
            &json!("管护员"),
            &json!("town-operator"),
            &json!("被雷打了")
        )
    );
    assert_eq!(repair["since"], "2026-07-13T12:00:00.000Z");
    // The third stands in another town.
    let (status, told) = surface
        .asked("/v1/devices/speaker-2/repairs", "town-operator", &entry)
        .await;
    assert_eq!(
        (status, &told["type"]),
        (404, &json!("/problems/unknown-device")),
        "{told}"
    );
    let (status, _) = surface
        .asked("/v1/devices/speaker-0/repairs", "water", &entry)
        .await;
    assert_eq!(status, 403, "without the scope");
    for bad in [
        json!({}),
        json!({ "what": "haunted" }),
        json!({ "what": "quiet", "since": "gestern" }),
    ] {
        let (status, told) = surface
            .asked("/v1/devices/speaker-0/repairs", "operator", &bad)
            .await;
        assert!([400, 422].contains(&status), "{told}");
    }
    let open = surface.listed("?repair=true", "operator").await;
    assert_eq!(
        (names(&open), &open[0]["repair"]),
        (vec!["speaker-0"], &json!(1))
    );
    let end = json!({ "how": "replaced", "text": "换了功放" });
    let (status, told) = surface.asked("/v1/repairs/7/close", "operator", &end).await;
    assert_eq!(
        (status, &told["type"]),
        (404, &json!("/problems/unknown-repair")),
        "{told}"
    );
    surface.clock.advance(Duration::from_hours(5));
    let (status, closed) = surface.asked("/v1/repairs/1/close", "operator", &end).await;
    assert_eq!(
        (status, &closed["how_zh"], &closed["hours"]),
        (200, &json!("已更换"), &json!(5)),
        "{closed}"
    );
    assert_eq!(closed["closing_text"], "换了功放");
    let (status, told) = surface.asked("/v1/repairs/1/close", "operator", &end).await;
    assert_eq!(
        (status, &told["type"]),
        (409, &json!("/problems/closed")),
        "{told}"
    );
    assert!(surface.listed("?repair=true", "operator").await.is_empty());
    let far = json_of(&surface.call("GET", "/v1/repairs", "far", b"").await);
    assert_eq!(far["repairs"], json!([]), "another county sees none");
    let all = json_of(
        &surface
            .call("GET", "/v1/repairs?open=false", "water", b"")
            .await,
    );
    assert_eq!(all["repairs"][0]["number"], 1, "{all}");
    let file = surface
        .call("GET", "/v1/repairs?format=csv", "water", b"")
        .await;
    let text = String::from_utf8_lossy(&file.body).into_owned();
    assert!(
        text.contains("平通·新桥村") && text.contains("已更换"),
        "{text}"
    );
    assert!(
        !text.contains("被雷打了"),
        "free text is no part of the file"
    );
    surface.stop().await;
}

#[tokio::test]
async fn the_list_tells_why_each_does_not_work_and_is_asked_by_state_and_cause() {
    let surface = Surface::start().await;
    surface
        .turns("speaker-0", PresenceState::Silent, ON_BATTERY)
        .await;
    surface.turns("speaker-1", PresenceState::Silent, "").await;
    surface
        .turns("speaker-2", PresenceState::Fault, "amplifier")
        .await;
    let all = surface.listed("", "operator").await;
    let causes: Vec<_> = all.iter().map(|d| d["cause"]["cause"].as_str()).collect();
    // By village: the third one's town comes first.
    assert_eq!(names(&all), ["speaker-2", "speaker-0", "speaker-1"]);
    assert_eq!(
        causes,
        [Some("fault"), Some("power"), Some("power")],
        "{all:?}"
    );
    assert_eq!(all[0]["code"], "amplifier");
    assert_eq!(all[1]["presence"]["state_zh"], "失联");
    assert_eq!(
        all[1]["care"],
        json!({
            "kept": false, "sim": "unknown", "sim_zh": "未登记", "sim_expires": null, "power": null, "hours": null,
            "volume": null, "maker": null, "point": null, "households": 3, "hearing": [3, 4, 5],
        })
    );
    let silent = surface
        .listed("?state=silent&cause=power", "operator")
        .await;
    assert_eq!(names(&silent), ["speaker-0", "speaker-1"]);
    let town = surface.listed("?state=fault", "town").await;
    assert!(town.is_empty(), "the one at fault is in another town");
    let metrics = surface.call("GET", "/metrics", "operator", b"").await;
    let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
    for line in [
        "tocsin_speakers{state=\"silent\"} 2",
        "tocsin_speakers{state=\"fault\"} 1",
        "tocsin_speakers{state=\"there\"} 0",
        "tocsin_speaker_cards{card=\"unknown\"} 3",
        "tocsin_speaker_cards{card=\"soon\"} 0",
        "tocsin_speakers_under_repair 0",
    ] {
        assert!(metrics.lines().any(|own| own == line), "{line}: {metrics}");
    }
    for bad in ["?state=dead", "?cause=x", "?sim=x"] {
        let reply = surface
            .call("GET", &format!("/v1/devices{bad}"), "operator", b"")
            .await;
        assert_eq!(reply.status, 400, "{bad}");
    }
    surface.stop().await;
}
