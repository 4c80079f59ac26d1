//! What people do by their links, and what they cannot do.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use channel::testing::RecordingInlet;
use channel::{
    Address, Channel, Evidence, FailureClass, Handed, Key, Level, ManualClock, Message, Of, Reply,
    Request, Secret, Timestamp, Variant, Verdict,
};
use manual::{Config, Manual};
use serde_json::{Value, json};

/// 2026-07-14, 22:58 in Beijing.
const NOW: Timestamp = Timestamp(1_784_041_080_000);
const KEY: Key = Key {
    alert: 7,
    delivery: 2,
    generation: 0,
};

struct House {
    channel: Manual,
    inlet: Arc<RecordingInlet>,
    clock: Arc<ManualClock>,
}

fn message(address: &str, drill: bool, text: &str) -> Message {
    let mut variant = Variant::new("zh-CN", "山洪<b>红色</b>预警", text);
    (variant.level, variant.drill) = (Level::Red, drill);
    Message {
        key: KEY,
        serial: 1,
        variant: Arc::new(variant),
        address: Address::new(address),
        expires: NOW.plus(Duration::from_hours(3)),
        repeat: false,
    }
}

fn house() -> House {
    let clock = Arc::new(ManualClock::new(NOW));
    let (mut context, inlet) = channel::testing::context("tv");
    context.clock = clock.clone();
    let mut config = Config::new(Secret::new("only for these tests"));
    config.base = Some("https://w.example.invalid/".into());
    let channel = Manual::new(config, context).expect("a good configuration");
    inlet.handed.lock().push(Handed {
        message: message("tv:pingwu", false, "请立即向高处转移!不要过河。"),
        since: NOW.minus(Duration::from_mins(30)),
        due: NOW.plus(Duration::from_mins(10)),
        whom: "播控员 <script>alert(1)</script>".into(),
        withdrawn: false,
        sealed: false,
        said: Vec::new(),
    });
    House {
        channel,
        inlet,
        clock,
    }
}

impl House {
    /// Behind the channel's own prefix, as the gateway gives it.
    fn item(&self) -> String {
        let until = NOW.plus(Duration::from_hours(3 + 24));
        let link = self.channel.links().item(KEY, until);
        link.strip_prefix("/v1/channels/tv/")
            .expect("its own")
            .into()
    }

    fn outlet(&self) -> String {
        let link = self.channel.links().outlet("tv:pingwu");
        link.strip_prefix("/v1/channels/tv/")
            .expect("its own")
            .into()
    }

    async fn call(&self, method: &str, path: &str, accept: &str, body: &str) -> Reply {
        let request = Request {
            method: method.into(),
            path: path.into(),
            headers: vec![
                ("accept".into(), accept.into()),
                ("content-type".into(), "application/json".into()),
            ],
            body: body.to_owned().into(),
            ..Request::default()
        };
        self.channel.serve(request).await
    }

    async fn get(&self, path: &str) -> Value {
        let reply = self.call("GET", path, "application/json", "").await;
        serde_json::from_slice(&reply.body).expect("JSON")
    }

    async fn page(&self, path: &str) -> (u16, String) {
        let reply = self.call("GET", path, "text/html,*/*", "").await;
        (
            reply.status,
            String::from_utf8_lossy(&reply.body).into_owned(),
        )
    }

    async fn enter(&self, outcome: &str, name: &str, done: &str) -> (u16, Value) {
        let body = json!({"outcome": outcome, "name": name, "done": done}).to_string();
        let reply = self
            .call("POST", &self.item(), "application/json", &body)
            .await;
        let answer = serde_json::from_slice(&reply.body).expect("JSON");
        (reply.status, answer)
    }
}

#[tokio::test]
async fn an_entry_is_evidence_without_a_name_and_a_document_with_it() {
    let house = house();
    let (status, answer) = house.enter("played", "测试员甲", "2026-07-14T22:55").await;
    assert_eq!((status, &answer["entered"]), (200, &json!("played")));
    let receipts = house.inlet.receipts.lock().clone();
    assert_eq!(receipts.len(), 1);
    assert_eq!(receipts[0].of, Of::Key(KEY));
    assert_eq!(
        receipts[0].verdict,
        Verdict::Reached(Evidence::Acknowledged)
    );
    assert_eq!(receipts[0].code, "played");
    assert_eq!(receipts[0].far, Some(NOW.minus(Duration::from_mins(3))));
    assert!(!format!("{receipts:?}").contains("测试员"));
    let uplinks = house.inlet.uplinks.lock().clone();
    assert_eq!(uplinks.len(), 1);
    assert!(uplinks[0].text.contains("测试员甲") && !uplinks[0].acknowledges);
    assert!(uplinks[0].of == Some(Of::Key(KEY)));
    assert!(!format!("{uplinks:?}").contains("测试员"));
    let item = house.get(&house.item()).await;
    assert_eq!(item["standing"], "done");
}

#[tokio::test]
async fn late_and_contradicting_entries_stand_beside_each_other() {
    let house = house();
    house.enter("cannot", "测试员甲", "2026-07-14T22:50").await;
    assert_eq!(house.get(&house.item()).await["standing"], "cannot");
    house.clock.advance(Duration::from_mins(30));
    house.enter("played", "测试员乙", "2026-07-14T23:10").await;
    let item = house.get(&house.item()).await;
    assert_eq!(item["standing"], "disputed");
    let entries = item["entries"].as_array().expect("entries");
    let told: Vec<_> = entries
        .iter()
        .map(|e| {
            (
                e["outcome"].as_str(),
                e["late"].as_bool(),
                e["backfilled"].as_bool(),
            )
        })
        .collect();
    let wanted = [
        (Some("cannot"), Some(false), Some(false)),
        (Some("played"), Some(true), Some(true)),
    ];
    assert_eq!(told, wanted);
    let verdicts: Vec<_> = house
        .inlet
        .receipts
        .lock()
        .iter()
        .map(|r| r.verdict)
        .collect();
    let refused = Verdict::Refused(FailureClass::Transient);
    assert_eq!(
        verdicts,
        [refused, Verdict::Reached(Evidence::Acknowledged)]
    );
    let (_, page) = house.page(&house.item()).await;
    for shown in [
        "做不到",
        "测试员甲",
        "测试员乙",
        "逾期",
        "补录",
        "填报互相矛盾",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
}

#[tokio::test]
async fn a_list_tells_what_waits_what_is_overdue_and_what_is_called_off() {
    let house = house();
    let standing = async || house.get(&house.outlet()).await["items"][0]["standing"].clone();
    assert_eq!(standing().await, "open");
    house.clock.advance(Duration::from_mins(11));
    assert_eq!(standing().await, "overdue");
    let (_, page) = house.page(&house.outlet()).await;
    assert!(page.contains("其中 1 条逾期") && page.contains("data-overdue=\"1\""));
    house.inlet.handed.lock()[0].withdrawn = true;
    assert_eq!(standing().await, "withdrawn");
    let (_, page) = house.page(&house.item()).await;
    assert!(page.contains("不要再播出"));
    house.inlet.handed.lock()[0].withdrawn = false;
    house.clock.advance(Duration::from_hours(3));
    assert_eq!(standing().await, "over");
    let nothing = house.channel.links().outlet("led:pingwu");
    let path = nothing.strip_prefix("/v1/channels/tv/").expect("its own");
    assert_eq!(house.get(path).await["items"], json!([]));
}

#[tokio::test]
async fn forged_expired_and_foreign_links_are_refused_in_both_languages_and_counted() {
    let house = house();
    let item = house.item();
    let refused = async |path: &str| {
        let (status, page) = house.page(path).await;
        let json = house.get(path).await;
        let code = json["code"].as_str().expect("a code").to_owned();
        let (zh, en) = (
            json["zh"].as_str().expect("Chinese"),
            json["error"].as_str(),
        );
        assert!(page.contains(zh) && page.contains(&format!("data-code=\"{code}\"")));
        assert!(page.contains(en.expect("English")));
        (status, code)
    };
    let other = item.replacen("7-2-0", "7-3-0", 1);
    assert_eq!(refused(&other).await, (403, "forged-link".into()));
    let list = house.outlet().replacen("tv:", "led:", 1);
    assert_eq!(refused(&list).await, (403, "forged-link".into()));
    assert_eq!(refused("i/x/<y>/z").await, (403, "forged-link".into()));
    assert_eq!(refused("elsewhere").await, (404, "no-page".into()));
    // Sound, and of a delivery that this house does not know.
    let foreign = Key { alert: 99, ..KEY };
    let foreign = house.channel.links().item(foreign, NOW);
    let foreign = foreign.strip_prefix("/v1/channels/tv/").expect("its own");
    assert_eq!(refused(foreign).await, (404, "unknown-item".into()));
    house.clock.advance(Duration::from_hours(28));
    assert_eq!(refused(&item).await, (410, "expired-link".into()));
    assert_eq!(house.enter("played", "甲", "2026-07-14T22:55").await.0, 410);
    let counted = house.channel.refused();
    let wanted = [
        ("expired-link", 3),
        ("forged-link", 6),
        ("no-page", 2),
        ("unknown-item", 2),
    ];
    assert_eq!(counted, wanted);
    assert!(house.inlet.receipts.lock().is_empty() && house.inlet.uplinks.lock().is_empty());
}

#[tokio::test]
async fn everything_on_the_page_is_escaped_and_no_script_of_another_runs() {
    let house = house();
    house
        .enter("relayed", "<img src=x>", "2026-07-14T22:55")
        .await;
    let reply = house.call("GET", &house.item(), "text/html", "").await;
    let page = String::from_utf8_lossy(&reply.body).into_owned();
    for raw in ["<script>alert", "<img src=x>", "<b>红色"] {
        assert!(!page.contains(raw), "{raw}");
    }
    assert!(page.contains("&lt;img src=x&gt;") && page.contains("&lt;b&gt;红色"));
    let header = |name: &str| {
        let found = reply.headers.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    assert!(header("content-security-policy").starts_with("default-src 'none'"));
    assert!(!header("content-security-policy").contains("unsafe"));
    assert_eq!(header("referrer-policy"), "no-referrer");
    assert_eq!(header("cache-control"), "no-store");
    // The page uses none of what the policy forbids.
    assert!(!page.contains("style=") && !page.contains("onclick"));
    let svg = house.page(&format!("{}/picture.svg", house.item())).await.1;
    assert!(svg.contains("&lt;b&gt;红色") && svg.contains("#c8102e"));
}

#[tokio::test]
async fn an_attachment_comes_back_as_what_it_is() {
    let house = house();
    let jpeg = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        b"\xff\xd8\xff\xe0 a small picture",
    );
    let body =
        json!({"outcome": "played", "name": "甲", "done": "2026-07-14T22:55", "attachment": jpeg});
    let reply = house
        .call("POST", &house.item(), "application/json", &body.to_string())
        .await;
    assert_eq!(reply.status, 200);
    let path = format!("{}/attachment/0", house.item());
    let reply = house.call("GET", &path, "image/*", "").await;
    assert_eq!(
        (reply.status, &reply.body[..3]),
        (200, &b"\xff\xd8\xff"[..])
    );
    assert!(
        reply
            .headers
            .contains(&("content-type".into(), "image/jpeg".into()))
    );
    let none = house.page(&format!("{}/attachment/1", house.item())).await;
    assert_eq!(none.0, 404);
}

#[tokio::test]
async fn nothing_is_answered_as_entered_while_the_store_is_away() {
    let house = house();
    house.inlet.away.store(true, Ordering::SeqCst);
    let (status, answer) = house.enter("played", "甲", "2026-07-14T22:55").await;
    assert_eq!((status, &answer["code"]), (503, &json!("not-kept")));
}

#[tokio::test]
async fn an_item_takes_fifty_entries_and_a_body_only_as_long_as_an_attachment_makes_it() {
    let house = house();
    for n in 0..manual::MOST_ENTRIES {
        let (status, _) = house
            .enter("played", &format!("员{n}"), "2026-07-14T22:55")
            .await;
        assert_eq!(status, 200);
    }
    let (status, answer) = house.enter("played", "甲", "2026-07-14T22:55").await;
    assert_eq!((status, &answer["code"]), (409, &json!("too-many-entries")));
    let house = self::house();
    let long = "x".repeat(1024 * 1024);
    let reply = house
        .call("POST", &house.item(), "application/json", &long)
        .await;
    assert_eq!(reply.status, 413);
    let reply = house
        .call("POST", &house.outlet(), "application/json", "{}")
        .await;
    assert_eq!(reply.status, 405);
}

#[tokio::test]
async fn what_is_no_outlet_and_a_drill_that_does_not_say_so_are_refused() {
    let house = house();
    let sent = async |message: Message| house.channel.send(&message).await;
    assert!(sent(message("tv:pingwu", false, "请转移")).await.is_ok());
    assert!(
        sent(message("tv:pingwu", true, "【演练】请转移"))
            .await
            .is_ok()
    );
    let failure = sent(message("tv:pingwu", true, "请转移"))
        .await
        .expect_err("refused");
    assert_eq!(failure.code, "manual:unmarked-drill");
    let failure = sent(message("13900000000", false, "请转移"))
        .await
        .expect_err("refused");
    assert_eq!(failure.class, FailureClass::BadAddress);
    assert!(!failure.to_string().contains("13900000000"));
}

#[tokio::test]
async fn a_short_link_leads_to_its_item_and_the_items_page_to_whatever_else_waits() {
    let house = house();
    let other = Key { delivery: 3, ..KEY };
    let mut beside = house.inlet.handed.lock()[0].clone();
    beside.message.key = other;
    beside.message.address = Address::new("led:shiyi");
    house.inlet.handed.lock().push(beside);
    let expires = NOW.plus(Duration::from_hours(3));
    let link = house.channel.link(KEY, expires).expect("it has a base");
    let path = link.strip_prefix("https://w.example.invalid/v1/channels/tv/");
    let path = path.expect("its own").to_owned();
    assert!(link.len() <= 72, "a text message has little room: {link}");
    let reply = house.call("GET", &path, "text/html", "").await;
    let place = reply.headers.iter().find(|(name, _)| name == "location");
    let place = place.expect("a place").1.clone();
    let own = house.item();
    let own = own.rsplit_once('/').expect("a mac").0;
    assert_eq!(reply.status, 303);
    assert!(
        place.starts_with(&format!("/v1/channels/tv/{}", &own[..5])),
        "{place}"
    );

    let (status, page) = house.page(&house.item()).await;
    assert!(
        status == 200 && page.contains("id=\"others\" data-waiting=\"1\""),
        "{page}"
    );
    assert!(page.contains("shiyi"), "{page}");
    house.clock.advance(Duration::from_hours(3 + 24 + 1));
    let late = house.call("GET", &path, "application/json", "").await;
    let why: Value = serde_json::from_slice(&late.body).expect("JSON");
    assert_eq!((late.status, &why["code"]), (410, &json!("expired-link")));
}

#[tokio::test]
async fn what_is_sealed_is_shown_and_takes_nothing_more() {
    let house = house();
    house.enter("played", "测试员甲", "2026-07-14T22:55").await;
    house.inlet.handed.lock()[0].sealed = true;
    let (status, page) = house.page(&house.item()).await;
    assert!(status == 200 && page.contains("id=\"sealed\"") && page.contains("测试员甲"));
    assert!(!page.contains("<form"), "{page}");
    let (status, why) = house.enter("cannot", "测试员乙", "2026-07-14T22:56").await;
    assert_eq!((status, &why["code"]), (410, &json!("sealed")));
}
