//! WeChat on a whole gateway, over HTTP in both directions: each of the three kinds delivers and proves what it can, people
//! bind themselves by scanning and undo it, and neither a restart nor an import forgets them. No openid in it could be
//! anybody's.

use serde_json::{Value, json};
use wechat::crypt::AesKey;
use wechat::errcode::House;
use wechat::peer::{Caller, Peer, PeerConfig, scanned, wrote};
use wechat::xml::Flat;

use channel::testing::Behaviour;

use crate::county::{self, VILLAGE_A1};
use crate::gateway::{DUTY, EVERYTHING, KEEPER, Setup, TOWN, WATER, World, both, count, within};
use crate::warning::{COUNTY, Warning};

const TOKEN: &str = "token-of-the-calls";
const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const APPID: &str = "wx0000000000000001";
const CORPID: &str = "ww0000000000000001";
const SECRET: &str = "a-secret-of-the-tests";

/// The first household's, from the tables.
const FIRST: &str = "oDemo-not-a-real-openid-0001";
const SECOND: &str = "oDemo-not-a-real-openid-0002";
const THIRD: &str = "oDemo-not-a-real-openid-0003";

const PLAN: &str = r#"name = "wechat"
language = "zh-CN"
lifetime = "4h"

[[send]]
audience = "officers"
channels = ["wecom", "duty-group"]
receipt_window = "3s"

[[send]]
audience = "public"
channels = ["wechat"]
receipt_window = "3s"
"#;

/// The far ends of the three kinds, and the gateway that speaks to them.
struct Wechat {
    account: Peer,
    work: Peer,
    robot: Peer,
    world: World,
}

async fn peer(house: House, id: &str) -> Peer {
    let config = PeerConfig {
        house,
        behaviour: Behaviour::Confirm,
        id: id.to_owned(),
        secret: SECRET.to_owned(),
        caller: Some(Caller {
            token: TOKEN.to_owned(),
            key: AesKey::new(KEY),
            owner: id.to_owned(),
        }),
    };
    Peer::start(config).await.expect("a free port")
}

fn channels(account: &str, work: &str, robot: &str) -> String {
    format!(
        r#"
[[channel]]
name = "wechat"
kind = "wechat-account"
rate = "50/s burst 50"
[channel.settings]
api = "{account}"
appid = "{APPID}"
secret = "{SECRET}"
template = "template-of-the-tests"
[channel.settings.fields]
thing1 = "{{title}}"
thing2 = "{{text1}}"
phrase3 = "{{level}}"
[channel.settings.callback]
token = "{TOKEN}"
aes_key = "{KEY}"

[[channel]]
name = "wecom"
kind = "wechat-work"
rate = "50/s burst 50"
[channel.settings]
api = "{work}"
corpid = "{CORPID}"
secret = "{SECRET}"
agent = 1000002
button = "收到"
[channel.settings.callback]
token = "{TOKEN}"
aes_key = "{KEY}"

[[channel]]
name = "duty-group"
kind = "wechat-robot"
rate = "50/s burst 50"
[channel.settings]
api = "{robot}"
robots = {{ duty = "{SECRET}" }}
"#
    )
}

impl Wechat {
    async fn start() -> Self {
        let account = peer(House::Account, APPID).await;
        let work = peer(House::Work, CORPID).await;
        let robot = peer(House::Robot, "duty").await;
        let mut files = county::small();
        let endpoints = files.get_mut("endpoints").expect("a file");
        let more = format!("401,1,openid,{FIRST}\n421,21,member,demo.duty\n422,22,group,duty\n");
        endpoints.push_str(&more);
        let world = World::start(Setup {
            files,
            plan: PLAN.to_owned(),
            node: "registry_key_file = \"registry.key\"\n",
            more: channels(&account.url(), &work.url(), &robot.url()),
            beside: vec![(
                "registry.key",
                "7e570000000000000000000000000000000000000000000000000000000000aa\n",
            )],
            ..Setup::default()
        })
        .await;
        for (peer, name) in [(&account, "wechat"), (&work, "wecom")] {
            peer.calls_at(&format!("{}/v1/channels/{name}", world.gateway.base));
        }
        Self {
            account,
            work,
            robot,
            world,
        }
    }

    async fn door(&self, alert: u64, household: u32) -> Value {
        let path = format!("/v1/alerts/{alert}/households?under={VILLAGE_A1}");
        let doors = self.world.gateway.get(&path).await;
        let doors = doors["households"].as_array().expect("a list");
        let own = doors.iter().find(|door| door["id"] == household);
        own.expect("it is hit").clone()
    }

    async fn is(&self, alert: u64, household: u32, by: &str) {
        let what = format!("household {household} is {by}");
        within(&what, async || {
            (self.door(alert, household).await["by"] == by).then_some(())
        })
        .await;
    }

    /// What the account says to a person at once; nothing where it only takes note.
    async fn told(&self, xml: &str) -> Option<String> {
        let reply = self.account.call(xml).await.expect("somebody is called");
        assert_eq!(reply.status, 200);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
        let body = text(&reply.body);
        if body == "success" {
            return None;
        }
        let envelope = Flat::read(&body).expect("an envelope");
        let key = AesKey::new(KEY).expect("43 characters");
        let opened = key.open(envelope.get("Encrypt").expect("sealed"), APPID);
        let inner = Flat::read(&text(&opened.expect("the account's"))).expect("a text");
        inner.get("Content").map(str::to_owned)
    }

    async fn registry(&self) -> Value {
        let path = "/v1/registry";
        let answer = self.world.gateway.call("GET", path, KEEPER, "").await;
        answer.body["counts"].clone()
    }
}

/// What of a preview's lines is said of a channel.
fn of_channel(shown: &Value, name: &str) -> Value {
    let lines = shown["reach"].as_array().expect("a list");
    let own = lines.iter().find(|line| line["channel"] == name);
    own.unwrap_or(&Value::Null).clone()
}

#[tokio::test]
async fn each_kind_of_wechat_has_its_row_with_its_best_evidence_and_reaches_it() {
    let wechat = Wechat::start().await;
    let gateway = &wechat.world.gateway;
    let warning = Warning::red("w-1", &[COUNTY]);
    let path = "/v1/alerts?preview=true";
    let shown = gateway.call("POST", path, WATER, &warning.xml()).await.body;
    for (name, grade, audience) in [
        ("wechat", "delivered", "public"),
        ("wecom", "confirmed", "officers"),
        ("duty-group", "sent", "officers"),
    ] {
        let line = of_channel(&shown, name);
        assert_eq!(line["grade"], grade, "{line}");
        assert_eq!(
            (&line["audience"], &line["deliveries"]),
            (&json!(audience), &json!(1))
        );
    }
    let alert = gateway.submit(&warning).await;
    gateway.ended(alert).await;
    // The account's event and the member's button have come back; a robot's group stays unknown.
    for (name, reached) in [("wechat", 1), ("wecom", 1), ("duty-group", 0)] {
        let what = format!("{name} has reached {reached}");
        within(&what, async || {
            let line = gateway.channel(alert, name).await;
            (line["reached"] == reached && line["done"] == 1).then_some(())
        })
        .await;
    }
    wechat.is(alert, 1, "delivered").await;
    within("the officers' figures say so", async || {
        let officers = gateway.coverage(alert, COUNTY).await["total"]["officers"].clone();
        (officers["reached"] == 1 && officers["unknown"] == 1).then_some(())
    })
    .await;
    let sent = wechat.account.got(FIRST);
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(sent[0]["data"]["thing1"]["value"], "山洪灾害红色预警");
    assert_eq!(wechat.work.got("demo.duty").len(), 1);
    assert_eq!(wechat.robot.got("duty").len(), 1);
    // A word of acknowledgement confirms the door.
    assert_eq!(wechat.told(&wrote(FIRST, "收到")).await, None);
    wechat.is(alert, 1, "confirmed").await;
}

#[tokio::test]
async fn an_officer_has_a_code_made_for_a_door_and_it_is_noted_who_asked() {
    let wechat = Wechat::start().await;
    let gateway = &wechat.world.gateway;
    let ask = async |token: &str, query: &str| {
        let path = format!("/v1/registry/codes?{query}");
        gateway.call("POST", &path, token, "").await
    };
    let made = ask(KEEPER, "channel=wechat&household=3").await;
    assert_eq!(made.status, 200, "{}", made.body);
    assert_eq!(made.body["scene"], "h3");
    assert_eq!(made.body["village_name"], "试一·甲村");
    assert_eq!(made.body["url"], "http://weixin.qq.com/q/h3");
    let village = format!("channel=wechat&village={VILLAGE_A1}&days=7");
    let made = ask(EVERYTHING, &village).await.body;
    assert_eq!(made["scene"], format!("v{VILLAGE_A1}"));
    assert!(made["until"].is_string(), "{made}");
    for (token, query, status, kind) in [
        (DUTY, "channel=wechat&household=3", 403, "no-scope"),
        (TOWN, "channel=wechat&household=3", 403, "no-scope"),
        (KEEPER, "channel=wechat&household=999", 400, "bad-parameter"),
        (
            KEEPER,
            "channel=wechat&village=510727101299",
            400,
            "bad-parameter",
        ),
        (KEEPER, "channel=wechat", 400, "bad-parameter"),
        (
            KEEPER,
            "channel=wechat&household=3&days=31",
            400,
            "bad-parameter",
        ),
        (KEEPER, "channel=wecom&household=3", 404, "unknown-channel"),
    ] {
        let refused = ask(token, query).await;
        let named = refused.body["type"] == format!("/problems/{kind}");
        assert!(
            refused.status == status && named,
            "{query}: {}",
            refused.body
        );
    }
    let dumped = both(&gateway.run(&["journal", "dump", "--json"]).await);
    assert_eq!(dumped.matches("\"coded\":").count(), 2, "{dumped}");
    assert!(dumped.contains("\"by\":\"keeper\""), "{dumped}");
    drop(wechat.account);
    let path = "/v1/registry/codes?channel=wechat&household=2";
    let away = gateway.call("POST", path, KEEPER, "").await;
    let named = away.body["type"] == "/problems/far-end";
    assert!(away.status == 502 && named, "{}", away.body);
}

#[tokio::test]
async fn who_scans_a_code_is_told_by_the_next_warning_until_they_undo_it() {
    let mut wechat = Wechat::start().await;
    let told = wechat.told(&scanned(SECOND, "h3")).await.expect("a text");
    assert!(told.starts_with("已绑定 试一·甲村 3 号住户"), "{told}");
    assert_eq!(wechat.told(&scanned(SECOND, "h3")).await, Some(told));
    let village = format!("v{VILLAGE_A1}");
    let told = wechat
        .told(&scanned(THIRD, &village))
        .await
        .expect("a text");
    assert!(told.starts_with("已绑定 试一·甲村，"), "{told}");
    let told = wechat.told(&scanned(THIRD, "h999")).await.expect("a text");
    assert!(told.contains("失效"), "{told}");
    assert_eq!(wechat.registry().await["bound"], 2);

    // They are kept over a kill and over an import that does not know them.
    wechat.world.gateway.kill().await;
    wechat.world.gateway.start().await;
    let gateway = &wechat.world.gateway;
    let text = county::small()["households"].replace("合成户甲二", "合成户甲二改");
    gateway.write("changed/households.csv", &text);
    let args = [
        "import",
        "changed",
        "--to",
        &gateway.base,
        "--token",
        KEEPER,
    ];
    let import = both(&gateway.run(&args).await);
    assert!(import.contains("\"generation\":2"), "{import}");
    let counts = wechat.registry().await;
    assert_eq!(
        (&counts["bound"], &counts["bound_nowhere"]),
        (&json!(2), &json!(0))
    );

    let first = gateway.submit(&Warning::red("b-1", &[VILLAGE_A1])).await;
    gateway.ended(first).await;
    let got = |who: &str| wechat.account.got(who).len();
    assert_eq!((got(FIRST), got(SECOND), got(THIRD)), (1, 1, 1));
    for (household, by) in [(1, "delivered"), (3, "delivered")] {
        wechat.is(first, household, by).await;
    }
    // Whoever is of the village stands at none of its doors.
    let total = gateway.coverage(first, VILLAGE_A1).await["total"].clone();
    assert_eq!(count(&total["reached"]["delivered"]), 2, "{total}");
    assert_eq!(gateway.channel(first, "wechat").await["total"], 3);

    assert!(
        wechat
            .told(&wrote(SECOND, "解绑"))
            .await
            .is_some_and(|told| told.starts_with("已取消"))
    );
    let told = wechat.told(&scanned(THIRD, "h2")).await.expect("a text");
    assert!(told.contains("2 号住户"), "{told}");
    let second = gateway.submit(&Warning::red("b-2", &[VILLAGE_A1])).await;
    gateway.ended(second).await;
    assert_eq!((got(FIRST), got(SECOND), got(THIRD)), (2, 1, 2));
    wechat.is(second, 2, "delivered").await;
    assert_eq!(wechat.door(second, 3).await["answer"], "missed");
    assert_eq!(wechat.told(&wrote(THIRD, "收到")).await, None);
    wechat.is(second, 2, "confirmed").await;

    let dumped = both(&gateway.run(&["journal", "dump", "--json"]).await);
    assert_eq!(
        dumped.matches("\"bound\":").count(),
        4,
        "two came, one moved, one left"
    );
    for secret in [FIRST, SECOND, THIRD] {
        assert!(!dumped.contains(secret), "{secret} stands in the journal");
        assert!(!gateway.said().contains(secret), "{secret} was logged");
    }
    let data = std::fs::read(gateway.path("data/journal.sqlite")).expect("the journal");
    let log = std::fs::read(gateway.path("data/journal.sqlite-wal")).unwrap_or_default();
    for bytes in [data, log] {
        let found = bytes.windows(SECOND.len()).any(|w| w == SECOND.as_bytes());
        assert!(!found, "the address is encrypted where the registry is");
    }
}

#[tokio::test]
async fn what_a_member_may_get_in_a_minute_is_counted_over_a_restart() {
    let mut wechat = Wechat::start().await;
    for n in 0..30 {
        let warning = Warning::red(&format!("q-{n}"), &[VILLAGE_A1]);
        wechat.world.gateway.submit(&warning).await;
    }
    within("the member has thirty", async || {
        (wechat.work.got("demo.duty").len() == 30).then_some(())
    })
    .await;
    wechat.world.gateway.kill().await;
    wechat.world.gateway.start().await;
    let gateway = &wechat.world.gateway;
    let last = gateway.submit(&Warning::red("q-30", &[VILLAGE_A1])).await;
    within("the next waits here", async || {
        let line = gateway.channel(last, "wecom").await;
        (line["due"] == 1).then_some(())
    })
    .await;
    let far = wechat.work.counters();
    assert_eq!(
        (far.sent, far.dropped),
        (30, 0),
        "the far end dropped nothing"
    );
}
