//! Controllers over the API: codes, revocation, the list and orders without a text, each within the caller's regions.

use channel::{Action, Authority, Enrolment, Inlet, NotEnrolled};

use super::*;
use crate::dispatch::ChannelInlet;
use crate::ledger::devices::{Done, DoneRow, Ordered};

impl Surface {
    async fn post(&self, path: &str, token: &str, body: &Value) -> (u16, Value) {
        let body = body.to_string();
        let reply = self.call("POST", path, token, body.as_bytes()).await;
        (reply.status, json_of(&reply))
    }

    fn inlet(&self) -> ChannelInlet {
        ChannelInlet::new("echo", self.gate.orders.desk.clone())
    }

    /// The code that an operator is shown for a device.
    async fn code(&self, device: &str) -> String {
        let body = json!({ "devices": [device] });
        let (status, answer) = self.post("/v1/devices/codes", "operator", &body).await;
        assert_eq!(status, 200, "{answer}");
        let code = answer["codes"][0]["code"].as_str();
        code.expect("a code").to_owned()
    }

    async fn enrol(&self, device: &str, code: &str) -> Result<(), NotEnrolled> {
        let enrolment = Enrolment {
            device: device.into(),
            code: code.into(),
            key: [7; 32],
        };
        self.inlet().enrol(enrolment).await
    }

    fn moved(&self, by: Duration) {
        self.clock.advance(by);
    }
}

#[tokio::test]
async fn a_code_enrols_one_device_once_and_only_for_a_while() {
    let surface = Surface::start().await;
    let devices = &surface.gate.ledger.devices;
    let code = surface.code("speaker-0").await;
    assert_eq!(
        surface.enrol("speaker-1", &code).await,
        Err(NotEnrolled::BadCode)
    );
    assert_eq!(surface.enrol("speaker-0", &code).await, Ok(()));
    assert_eq!(devices.key_of("speaker-0"), Some([7; 32]));
    assert_eq!(
        surface.enrol("speaker-0", &code).await,
        Err(NotEnrolled::BadCode),
        "once"
    );
    let (old, new) = (
        surface.code("speaker-1").await,
        surface.code("speaker-1").await,
    );
    assert_eq!(
        surface.enrol("speaker-1", &old).await,
        Err(NotEnrolled::BadCode),
        "a new code voids the old"
    );
    surface.moved(Duration::from_hours(24));
    assert_eq!(
        surface.enrol("speaker-1", &new).await,
        Err(NotEnrolled::BadCode),
        "expired"
    );
    assert_eq!(devices.key_of("speaker-1"), None);
    let presence = surface.gate.ledger.presence_of("speaker-0");
    assert_eq!(presence, Some(channel::PresenceState::Enrolled));
    let journal = surface.store.records(0, 1_000).await.expect("reads");
    let letters = code.replace('-', "");
    for body in journal
        .iter()
        .map(|record| String::from_utf8_lossy(&record.body))
    {
        assert!(
            !body.contains(&code) && !body.contains(&letters),
            "only its hash is kept"
        );
    }
    surface.stop().await;
}

#[tokio::test]
async fn guesses_are_limited_for_each_device_and_the_right_code_waits_with_them() {
    let surface = Surface::start().await;
    let code = surface.code("speaker-0").await;
    for _ in 0..5 {
        assert_eq!(
            surface.enrol("speaker-0", "0000").await,
            Err(NotEnrolled::BadCode)
        );
    }
    let wait = Duration::from_mins(10);
    assert_eq!(
        surface.enrol("speaker-0", &code).await,
        Err(NotEnrolled::TooMany(wait))
    );
    surface.moved(wait);
    assert_eq!(surface.enrol("speaker-0", &code).await, Ok(()));
    surface.stop().await;
}

#[tokio::test]
async fn codes_and_orders_want_their_scope_and_stay_within_the_callers_regions() {
    let surface = Surface::start().await;
    for (path, token, body, status, kind) in WRONG {
        let body = serde_json::from_str(body).expect("JSON");
        let (found, answer) = surface.post(path, token, &body).await;
        let wanted = format!("/problems/{kind}");
        let said = (found, &answer["type"]);
        assert_eq!(said, (status, &json!(wanted)), "{path} {body}: {answer}");
    }
    let devices = &surface.gate.ledger.devices;
    assert!(devices.all().is_empty() && devices.orders().is_empty());
    surface.stop().await;
}

const CODES: &str = "/v1/devices/codes";
const ORDERS: &str = "/v1/devices/orders";
const REVOKE: &str = "/v1/devices/speaker-0/revoke";
const STRANGE: &str = "/v1/devices/speaker-99/revoke";
const ALL: &str = r#"{"kind":"stop-all","under":"510727"}"#;

/// Where, by whom, what, and what is said to it.
const WRONG: [(&str, &str, &str, u16, &str); 19] = [
    (CODES, "", ALL, 401, "unproven"),
    (CODES, "water", ALL, 403, "no-scope"),
    (ORDERS, "water", ALL, 403, "no-scope"),
    (REVOKE, "water", "{}", 403, "no-scope"),
    (CODES, "town-operator", ALL, 403, "outside-regions"),
    (ORDERS, "town-operator", ALL, 403, "outside-regions"),
    (STRANGE, "operator", "{}", 404, "unknown-device"),
    (
        CODES,
        "operator",
        r#"{"devices":["x"]}"#,
        404,
        "unknown-device",
    ),
    (CODES, "operator", "{}", 422, "bad-order"),
    (
        CODES,
        "operator",
        r#"{"under":"510727","hours":0}"#,
        422,
        "bad-order",
    ),
    (
        CODES,
        "operator",
        r#"{"under":"510727","hours":169}"#,
        422,
        "bad-order",
    ),
    (CODES, "operator", "[]", 400, "bad-body"),
    (
        ORDERS,
        "operator",
        r#"{"kind":"sing","under":"51"}"#,
        400,
        "bad-body",
    ),
    (
        ORDERS,
        "operator",
        r#"{"kind":"stop","under":"510727"}"#,
        422,
        "bad-order",
    ),
    (
        ORDERS,
        "operator",
        r#"{"kind":"stop","alert":9,"under":"510727"}"#,
        404,
        "unknown-alert",
    ),
    (
        ORDERS,
        "operator",
        r#"{"kind":"volume","under":"510727"}"#,
        422,
        "bad-order",
    ),
    (
        ORDERS,
        "operator",
        r#"{"kind":"volume","percent":101,"under":"510727"}"#,
        422,
        "bad-order",
    ),
    (
        ORDERS,
        "operator",
        r#"{"kind":"tone","seconds":61,"under":"510727"}"#,
        422,
        "bad-order",
    ),
    (
        ORDERS,
        "operator",
        r#"{"kind":"tone","minutes":0,"under":"510727"}"#,
        422,
        "bad-order",
    ),
];

#[tokio::test]
async fn an_order_is_journaled_with_who_gave_it_and_answered_speaker_by_speaker() {
    let surface = Surface::start().await;
    let code = surface.code("speaker-0").await;
    surface.enrol("speaker-0", &code).await.expect("enrols");
    let body = json!({ "kind": "volume", "percent": 60, "devices": ["speaker-0", "speaker-1"] });
    let (status, answer) = surface.post("/v1/devices/orders", "operator", &body).await;
    assert_eq!(status, 202, "{answer}");
    assert_eq!(answer["not_enrolled"], json!(["speaker-1"]));
    let serial = answer["orders"][0]["order"].as_u64().expect("a number");
    let standing = surface.gate.ledger.devices.orders().remove(0);
    assert_eq!(
        standing.ordered,
        Ordered {
            channel: "echo".into(),
            serial,
            action: Action::Volume { percent: 60 },
            authority: Authority::County,
            devices: vec!["speaker-0".into()],
            not_before: START,
            expires: START.plus(Duration::from_mins(10)),
            by: "operator".into(),
        }
    );
    let path = format!("/v1/devices/orders/{serial}");
    let waiting = surface.get(&path).await;
    assert_eq!(waiting["speakers"][0]["result"], "waiting", "{waiting}");
    let obeyed = |device: &str, serial| channel::Obeyed {
        serial,
        device: device.into(),
        done: true,
        code: String::new(),
        seconds: 0,
        far: Some(START),
    };
    // Of nobody who was ordered, and of no order.
    let batch = vec![
        obeyed("speaker-1", serial),
        obeyed("speaker-0", 5),
        obeyed("speaker-0", serial),
    ];
    surface.inlet().obeyed(batch).await.expect("kept");
    let done = surface.get(&path).await;
    assert_eq!(
        (&done["devices"], &done["done"]),
        (&json!(1), &json!(1)),
        "{done}"
    );
    let reply = surface.call("GET", &path, "far", b"").await;
    assert_eq!(reply.status, 404, "not theirs");
    surface.stop().await;
}

#[tokio::test]
async fn the_list_is_paged_within_the_callers_regions_and_a_revoked_device_has_no_key() {
    let surface = Surface::start().await;
    let code = surface.code("speaker-2").await;
    surface.enrol("speaker-2", &code).await.expect("enrols");
    let first = surface.get("/v1/devices?limit=1").await;
    assert_eq!(first["devices"][0]["device"], "speaker-2", "{first}");
    assert_eq!(first["devices"][0]["enrolled"], true);
    assert_eq!(first["devices"][0]["presence"]["state"], "enrolled");
    let next = first["next"].as_u64().expect("there are more");
    let second = surface
        .get(&format!("/v1/devices?limit=1000&after={next}"))
        .await;
    assert_eq!(second["next"], Value::Null);
    let rest = second["devices"].as_array().expect("a list");
    assert!(
        !rest.is_empty() && rest.iter().all(|row| row["enrolled"] == false),
        "{second}"
    );
    for (path, status) in [
        ("/v1/devices?limit=0", 400),
        ("/v1/devices?after=9999", 400),
        ("/v1/devices?under=510726", 403),
    ] {
        assert_eq!(
            surface.call("GET", path, "water", b"").await.status,
            status,
            "{path}"
        );
    }
    let far = json_of(&surface.call("GET", "/v1/devices", "far", b"").await);
    assert_eq!(far["devices"], json!([]));
    let path = "/v1/devices/speaker-2/revoke";
    for revoked in [true, false] {
        let (status, answer) = surface.post(path, "operator", &json!({})).await;
        assert_eq!((status, &answer["revoked"]), (200, &json!(revoked)));
    }
    assert_eq!(surface.gate.ledger.devices.key_of("speaker-2"), None);
    surface.stop().await;
}

#[tokio::test]
async fn results_and_orders_of_a_time_before_a_restart_are_known_after_it() {
    let surface = Surface::start().await;
    let code = surface.code("speaker-0").await;
    surface.enrol("speaker-0", &code).await.expect("enrols");
    let body = json!({ "kind": "tone", "devices": ["speaker-0"] });
    let (_, answer) = surface.post("/v1/devices/orders", "operator", &body).await;
    let serial = answer["orders"][0]["order"].as_u64().expect("a number");
    let row = DoneRow {
        device: "speaker-0".into(),
        done: true,
        code: String::new(),
        seconds: 5,
        far: None,
    };
    let done = Done {
        channel: "echo".into(),
        serial,
        rows: vec![row],
    };
    surface.propose(0, vec![Event::Done(done)]).await;
    let again = replay(&*surface.store).await.expect("replays");
    let (now, then) = (&surface.gate.ledger.devices, &again.ledger.devices);
    assert_eq!((now.all(), now.orders()), (then.all(), then.orders()));
    assert_eq!(again.serials.get("echo"), Some(&serial));
    surface.stop().await;
}

impl Surface {
    /// When the order ends that was given last.
    fn ends(&self) -> String {
        let orders = self.gate.ledger.devices.orders();
        let last = orders.last().expect("an order");
        last.ordered.expires.to_string()
    }
}

#[tokio::test]
async fn a_tone_does_not_sound_at_night_and_what_makes_no_sound_is_taken_at_any_hour() {
    let surface = Surface::start().await;
    let code = surface.code("speaker-0").await;
    assert_eq!(surface.enrol("speaker-0", &code).await, Ok(()));
    let order = |kind: &str| json!({ "kind": kind, "devices": ["speaker-0"], "percent": 50, "minutes": 60 });
    let given = async |kind: &str| surface.post(ORDERS, "operator", &order(kind)).await;
    // 21:30 in Beijing: it may sound, and not beyond ten.
    surface.moved(Duration::from_mins(12 * 60 + 30));
    assert_eq!(given("tone").await.0, 202);
    assert_eq!(surface.ends(), "2026-07-14T14:00:00.000Z");
    surface.moved(Duration::from_mins(31));
    let (status, told) = given("tone").await;
    assert_eq!(
        (status, &told["type"]),
        (422, &json!("/problems/bad-order")),
        "{told}"
    );
    let detail = told["detail"].as_str().unwrap_or_default();
    assert!(
        detail.contains("keep silent until 2026-07-14T22:30:00"),
        "{detail}"
    );
    for kind in ["volume", "self-test", "stop-all"] {
        assert_eq!(given(kind).await.0, 202, "{kind}");
    }
    surface.stop().await;
}

#[tokio::test]
async fn a_tone_is_refused_while_nobody_knows_whether_it_is_night() {
    let surface = Surface::start().await;
    let code = surface.code("speaker-0").await;
    assert_eq!(surface.enrol("speaker-0", &code).await, Ok(()));
    let tone = json!({ "kind": "tone", "devices": ["speaker-0"] });
    surface.clock.jump(3_600_000);
    let (status, told) = surface.post(ORDERS, "operator", &tone).await;
    assert_eq!(status, 422, "{told}");
    assert!(
        told["detail"]
            .as_str()
            .is_some_and(|d| d.contains("clock jumped")),
        "{told}"
    );
    surface.clock.jump(-3_600_000);
    assert_eq!(surface.post(ORDERS, "operator", &tone).await.0, 202);
    surface.stop().await;
}
