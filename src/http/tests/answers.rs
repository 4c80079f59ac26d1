//! What a stranger with curl gets, from the 202 down to the events of one delivery.

use channel::{FailureClass, Verdict};

use super::*;
use crate::ledger::event::{
    HandedRange, LinkState, MatchedBy, Next, Outcome, ReceiptRow, SettledRow, Why,
};

/// The life of delivery 0: handed, accepted, delivered; delivery 1 refused.
fn life() -> Vec<Event> {
    let range = HandedRange {
        lo: 0,
        hi: 2,
        attempt: 1,
        why: Why::First,
        serial: 40,
    };
    let refused = Outcome::Refused {
        class: FailureClass::BadAddress,
        code: "smpp:0x0b".into(),
    };
    let accepted = Outcome::Accepted {
        references: vec!["m-1".into()],
    };
    let until = START.plus(Duration::from_mins(1));
    let receipt = ReceiptRow {
        delivery: 0,
        part: 0,
        verdict: Verdict::Reached(Evidence::Delivered),
        code: "DELIVRD".into(),
        far: None,
        seen: START.plus(Duration::from_secs(3)),
        by: MatchedBy::Reference,
    };
    let channel = || "sms-mobile".to_owned();
    vec![
        Event::Handed {
            channel: channel(),
            ranges: vec![range],
        },
        Event::Settled {
            channel: channel(),
            rows: vec![
                SettledRow {
                    delivery: 0,
                    attempt: 1,
                    outcome: accepted,
                    next: Next::Await { until },
                },
                SettledRow {
                    delivery: 1,
                    attempt: 1,
                    outcome: refused,
                    next: Next::Failed,
                },
            ],
        },
        Event::Receipt {
            channel: channel(),
            rows: vec![receipt],
        },
    ]
}

async fn alive() -> Surface {
    let surface = Surface::with_alert().await;
    surface.propose(1, life()).await;
    surface
}

#[tokio::test]
async fn an_alert_is_taken_and_says_where_it_is() {
    let surface = Surface::start().await;
    let xml = cap("a-1", "510727");
    let first = surface
        .call("POST", "/v1/alerts", "water", xml.as_bytes())
        .await;
    assert_eq!(
        (first.status, header(&first, "location")),
        (202, Some("/v1/alerts/1"))
    );
    assert_eq!(header(&first, "tocsin-position"), Some("1"));
    insta::assert_json_snapshot!(json_of(&first), @r#"
    {
      "born": "live",
      "born_zh": "受理",
      "disposition": "accept",
      "findings": [
        {
          "en": "a geocode should come with a polygon or circle",
          "level": "info",
          "path": "/alert/info[1]/area[1]",
          "position": 810,
          "rule": "CAP-1.2/area/geocode/with-shape",
          "stops": false,
          "zh": "geocode 应同时给出 polygon 或 circle"
        }
      ],
      "handled": "red",
      "handled_zh": "红色",
      "id": 1,
      "identity": {
        "identifier": "a-1",
        "sender": "water@pingwu.example",
        "sent": "2026-07-14T01:00:00.000Z"
      },
      "level": "red",
      "level_zh": "红色",
      "notes": [],
      "position": 1,
      "regions": [
        "510727000000"
      ],
      "regions_hash": "1288d20f0ff4add572dd8fd8bb4d48a82273abbcb2b2b4a144ccc33885af0e8d",
      "repeated": false,
      "superseded_by": null
    }
    "#);

    let again = json_of(
        &surface
            .call("POST", "/v1/alerts", "water", xml.as_bytes())
            .await,
    );
    assert_eq!(
        (&again["id"], &again["repeated"]),
        (&json!(1), &json!(true))
    );
    let document = surface
        .call("GET", "/v1/alerts/1/document", "water", b"")
        .await;
    assert_eq!(name_of(&document.body), name_of(xml.as_bytes()));
    assert_eq!(
        header(&document, "content-type"),
        Some("application/cap+xml")
    );
    surface.stop().await;
}

#[tokio::test]
async fn alerts_are_listed_newest_first_and_page_by_page() {
    let surface = Surface::start().await;
    for n in 1..=5 {
        let xml = cap(
            &format!("a-{n}"),
            if n == 3 { "510727216" } else { "510727" },
        );
        assert_eq!(
            surface
                .call("POST", "/v1/alerts", "water", xml.as_bytes())
                .await
                .status,
            202
        );
    }
    let ids = |list: &Value| -> Vec<u64> {
        list["alerts"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|a| a["id"].as_u64())
            .collect()
    };
    let first = surface.get("/v1/alerts?limit=3").await;
    assert_eq!((ids(&first), &first["next"]), (vec![5, 4, 3], &json!(3)));
    let second = surface.get("/v1/alerts?limit=3&before=3").await;
    assert_eq!((ids(&second), &second["next"]), (vec![2, 1], &Value::Null));
    let town = json_of(&surface.call("GET", "/v1/alerts", "town", b"").await);
    assert_eq!(
        ids(&town),
        [5, 4, 2, 1],
        "an alert of another town is not shown"
    );
    surface.stop().await;
}

/// Without how it stands to others, which is looked at by itself.
fn plain(mut view: Value) -> Value {
    let view_of = view.as_object_mut().expect("an object");
    for key in ["class", "class_zh", "classes", "compared"] {
        view_of.remove(key).expect("it is there");
    }
    view
}

#[tokio::test]
async fn an_original_stands_to_nothing_and_tells_everyone_as_one() {
    let surface = alive().await;
    let view = surface.get("/v1/alerts/1").await;
    assert_eq!(
        (&view["class"], &view["compared"]),
        (&Value::Null, &json!([]))
    );
    let lines = view["classes"].as_array().expect("a list");
    let told: Vec<_> = lines
        .iter()
        .map(|l| (&l["class"], &l["audience"], &l["told"]))
        .collect();
    let original = json!("original");
    let line = |at: usize| (&original, &lines[at]["audience"], &lines[at]["told"]);
    assert_eq!(told, [line(0), line(1), line(2)]);
    assert_eq!([line(0).2, line(1).2, line(2).2], [3, 15, 1]);
    surface.stop().await;
}

#[tokio::test]
async fn one_alert_shows_its_state_and_its_channels() {
    let surface = alive().await;
    insta::assert_json_snapshot!(plain(surface.get("/v1/alerts/1").await), @r#"
    {
      "accepted": "2026-07-14T01:00:00.000Z",
      "born": "live",
      "born_zh": "受理",
      "bureau": "water",
      "bureau_name": "water局",
      "channels": [
        {
          "awaiting": 0,
          "channel": "horns",
          "done": 0,
          "doubts": 0,
          "due": 0,
          "expired": 0,
          "failed": 0,
          "handed": 0,
          "kind": "loudspeaker",
          "not_filed": 0,
          "planned": 3,
          "reached": 0,
          "total": 3,
          "withdrawn": 0
        },
        {
          "awaiting": 0,
          "channel": "sms-mobile",
          "done": 1,
          "doubts": 0,
          "due": 0,
          "expired": 0,
          "failed": 1,
          "handed": 0,
          "kind": "sms",
          "not_filed": 0,
          "planned": 13,
          "reached": 1,
          "total": 15,
          "withdrawn": 0
        },
        {
          "awaiting": 0,
          "channel": "sms-officers",
          "done": 0,
          "doubts": 0,
          "due": 0,
          "expired": 0,
          "failed": 0,
          "handed": 0,
          "kind": "sms",
          "not_filed": 0,
          "planned": 1,
          "reached": 0,
          "total": 1,
          "withdrawn": 0
        }
      ],
      "corrects": [],
      "deliveries": 19,
      "doubts": 0,
      "event": "11A51",
      "event_en": "Flash flood",
      "event_zh": "山洪",
      "expires": "2026-07-14T04:00:00.000Z",
      "generation": 1,
      "handled": "red",
      "handled_zh": "红色",
      "id": 1,
      "identity": {
        "identifier": "a-1",
        "sender": "water@pingwu.example",
        "sent": "2026-07-14T01:00:00.000Z"
      },
      "level": "red",
      "level_zh": "红色",
      "msg_type": "Alert",
      "plan": "flood",
      "regions": [
        {
          "code": "510727000000",
          "name": "平武县"
        }
      ],
      "regions_hash": "1288d20f0ff4add572dd8fd8bb4d48a82273abbcb2b2b4a144ccc33885af0e8d",
      "sealed": false,
      "state": "in-force",
      "state_zh": "生效中",
      "status": "Actual",
      "steps": [],
      "withdrawn_by": null
    }
    "#);
    surface.propose(1, vec![Event::Withdrawn { by: 9 }]).await;
    assert_eq!(surface.get("/v1/alerts/1").await["state"], "superseded");
    surface.stop().await;
}

#[tokio::test]
async fn coverage_leads_from_the_county_to_the_groups_of_a_village() {
    let surface = alive().await;
    let county = surface.get("/v1/alerts/1/coverage").await;
    insta::assert_json_snapshot!(county["rows"][1], @r#"
    {
      "at_home": 10,
      "away": 2,
      "held": 0,
      "households": 12,
      "missed": {
        "expired": 0,
        "failed": 0,
        "no_endpoint": 0,
        "refused": 1,
        "withdrawn": 0
      },
      "name": "平通羌族镇",
      "officers": {
        "missed": 0,
        "pending": 1,
        "reached": 0,
        "total": 1,
        "unknown": 0
      },
      "pending": 8,
      "people": 12,
      "reached": {
        "confirmed": 0,
        "delivered": 1,
        "played": 0
      },
      "region": "510727217000",
      "speakers": {
        "failed": 0,
        "not_called": 0,
        "pending": 2,
        "played": 0,
        "total": 2,
        "unknown": 0
      },
      "unknown": 0
    }
    "#);
    assert_eq!(county["under"], json!(["510727000000"]));
    let names = |answer: &Value| -> Vec<String> {
        let rows = answer["rows"].as_array().expect("rows");
        rows.iter()
            .filter_map(|row| Some(row["name"].as_str()?.to_owned()))
            .collect()
    };
    let town = surface.get("/v1/alerts/1/coverage?under=510727217").await;
    assert_eq!(names(&town), ["平通·新桥村", "平通·牛飞村"]);
    let village = surface
        .get("/v1/alerts/1/coverage?under=510727217201")
        .await;
    assert_eq!(names(&village), ["平通·新桥村1组", "平通·新桥村2组"]);
    let theirs = json_of(
        &surface
            .call("GET", "/v1/alerts/1/coverage", "town", b"")
            .await,
    );
    assert_eq!(
        (&theirs["under"], &theirs["total"]["households"]),
        (&json!(["510727217000"]), &json!(12))
    );
    surface.stop().await;
}

#[tokio::test]
async fn doors_are_listed_by_their_answer() {
    let surface = alive().await;
    let missed = surface
        .get("/v1/alerts/1/households?under=510727217201&answer=missed")
        .await;
    insta::assert_json_snapshot!(missed["households"], @r#"
    [
      {
        "answer": "missed",
        "answer_zh": "未触达",
        "away": false,
        "by": "refused",
        "by_zh": "号码无效或内容被拒",
        "group": 1,
        "id": 1,
        "name": "2号院",
        "suspect_numbers": 0,
        "tags": [],
        "tried": [
          "sms"
        ],
        "village": "510727217201",
        "village_name": "平通·新桥村"
      }
    ]
    "#);
    let first = surface.get("/v1/alerts/1/households?limit=10").await;
    let next = first["next"].as_u64().expect("a next page");
    let second = surface
        .get(&format!("/v1/alerts/1/households?limit=10&after={next}"))
        .await;
    let count = |page: &Value| page["households"].as_array().map_or(0, Vec::len);
    assert_eq!(
        (count(&first), count(&second), &second["next"]),
        (10, 8, &Value::Null)
    );
    surface.stop().await;
}

#[tokio::test]
async fn one_door_leads_to_its_deliveries_and_one_delivery_to_its_events() {
    let surface = alive().await;
    let door = surface.get("/v1/alerts/1/households/0/deliveries").await;
    insta::assert_json_snapshot!(door["deliveries"], @r#"
    [
      {
        "answer": "reached",
        "answer_zh": "已触达",
        "at": "2026-07-14T01:00:03.000Z",
        "attempts": 1,
        "by": "delivered",
        "by_zh": "手机送达",
        "channel": "sms-mobile",
        "code": "DELIVRD",
        "disputed": false,
        "endpoint": 0,
        "evidence": "delivered",
        "evidence_zh": "已送达",
        "in_doubt": false,
        "kind": "sms",
        "number": 0,
        "speaker": false,
        "state": "done",
        "state_zh": "已完成",
        "suspect": false
      }
    ]
    "#);
    let events = surface.get("/v1/alerts/1/deliveries/0/events").await;
    insta::assert_json_snapshot!(events, @r#"
    {
      "alert": 1,
      "channel": "sms-mobile",
      "delivery": 0,
      "events": [
        {
          "at": "2026-07-14T01:00:00.000Z",
          "audience": "public",
          "audience_zh": "公众",
          "event": "planned",
          "event_zh": "待发",
          "no": 0,
          "seq": 2,
          "step": 0
        },
        {
          "at": "2026-07-14T01:00:00.000Z",
          "attempt": 1,
          "channel": "sms-mobile",
          "event": "handed",
          "event_zh": "交付通道",
          "no": 1,
          "seq": 3,
          "serial": 40,
          "why": "first"
        },
        {
          "at": "2026-07-14T01:00:00.000Z",
          "attempt": 1,
          "channel": "sms-mobile",
          "event": "accepted",
          "event_zh": "对方已受理",
          "next": "await",
          "no": 2,
          "references": [
            "m-1"
          ],
          "seq": 3,
          "until": "2026-07-14T01:01:00.000Z"
        },
        {
          "at": "2026-07-14T01:00:00.000Z",
          "by": "reference",
          "channel": "sms-mobile",
          "code": "DELIVRD",
          "event": "receipt",
          "event_zh": "回执",
          "evidence": "delivered",
          "far": null,
          "no": 3,
          "part": 0,
          "seen": "2026-07-14T01:00:03.000Z",
          "seq": 3
        }
      ],
      "next": null,
      "region": "510727217201"
    }
    "#);
    let refused = surface.get("/v1/alerts/1/deliveries/1/events").await;
    assert_eq!(refused["events"][2]["event_zh"], "号码无效/空号");
    surface.stop().await;
}

#[tokio::test]
async fn channels_speakers_and_health_answer() {
    let surface = alive().await;
    let progress = surface.get("/v1/alerts/1/channels").await;
    let lines = progress["channels"].as_array().expect("lines");
    assert_eq!(
        lines
            .iter()
            .filter_map(|l| l["total"].as_u64())
            .sum::<u64>(),
        19
    );
    let speakers = surface.get("/v1/alerts/1/speakers?under=510727217").await;
    insta::assert_json_snapshot!(speakers["speakers"][0], @r#"
    {
      "answer": "pending",
      "answer_zh": "发送中",
      "at": null,
      "channel": "horns",
      "endpoint": 8000,
      "hearing": 3,
      "name": "0号",
      "number": 5,
      "state": "planned",
      "state_zh": "待发",
      "village": "510727217201",
      "village_name": "平通·新桥村"
    }
    "#);

    let down = Event::Link {
        channel: "echo".into(),
        state: LinkState::Paused,
        class: FailureClass::LinkDown,
        code: "bind".into(),
    };
    surface.propose(0, vec![down]).await;
    let channels = surface.get("/v1/channels").await;
    insta::assert_json_snapshot!(channels["channels"], @r#"
    [
      {
        "best_evidence": "delivered",
        "health": "down",
        "kind": "echo",
        "link": {
          "code": "bind",
          "since": "2026-07-14T01:00:00.000Z",
          "state": "paused",
          "state_zh": "通道中断"
        },
        "name": "echo",
        "orphan_receipts": 0,
        "reason": "not connected yet",
        "stray_replies": 0
      }
    ]
    "#);

    for path in ["/healthz", "/readyz"] {
        assert_eq!(
            surface.call("GET", path, "", b"").await.status,
            200,
            "{path}"
        );
    }
    surface.store.away.store(true, SeqCst);
    assert_eq!(surface.call("GET", "/readyz", "", b"").await.status, 503);
    assert_eq!(surface.call("GET", "/healthz", "", b"").await.status, 200);
    surface.stop().await;
}

#[tokio::test]
async fn a_far_end_reaches_its_channel_as_it_called() {
    let surface = Surface::start().await;
    let reply = surface
        .call(
            "PUT",
            "/v1/channels/echo/a/b%20c?x=1&x=%E4%B8%80",
            "",
            b"hello",
        )
        .await;
    assert_eq!((reply.status, header(&reply, "x-echo")), (207, Some("yes")));
    let expected = json!({
        "method": "PUT", "path": "a/b c", "query": [["x", "1"], ["x", "一"]], "signature": "s", "body": "hello",
    });
    assert_eq!(json_of(&reply), expected);
    for root in ["/v1/channels/echo", "/v1/channels/echo/"] {
        assert_eq!(
            json_of(&surface.call("GET", root, "", b"").await)["path"],
            ""
        );
    }
    surface.stop().await;
}

#[tokio::test]
async fn every_answer_carries_the_position_and_may_not_be_kept() {
    let surface = alive().await;
    let position = *surface.writer.position().borrow();
    for path in ["/v1/alerts", "/v1/alerts/1/coverage", "/v1/alerts/77"] {
        let reply = surface.call("GET", path, "water", b"").await;
        assert_eq!(
            header(&reply, "tocsin-position"),
            Some(position.to_string().as_str()),
            "{path}"
        );
        assert_eq!(header(&reply, "cache-control"), Some("no-store"), "{path}");
    }
    surface.stop().await;
}

#[tokio::test]
async fn no_answer_shows_an_address() {
    let surface = alive().await;
    for path in [
        "/v1/alerts/1",
        "/v1/alerts/1/households?limit=100",
        "/v1/alerts/1/households/0/deliveries",
        "/v1/alerts/1/deliveries/0/events",
        "/v1/alerts/1/speakers",
        "/v1/channels",
    ] {
        let shown = surface.get(path).await.to_string();
        assert!(
            !shown.contains("1000000") && !shown.contains("speaker-"),
            "{path}: {shown}"
        );
    }
    surface.stop().await;
}
