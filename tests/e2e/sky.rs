//! Satellite phones and Beidou cards on a whole gateway: an alert by a modem and by a terminal, what comes back, and the
//! tests by which it is known that a phone is on.

use channel::testing::Behaviour;
use satellite::compact::{Body, Compact, Instruction, Key};
use satellite::pdu::{Alphabet, Deliver, Number, UserData};
use satellite::peer::{Handset, ModemPeer, Scene, TerminalPeer};
use satellite::rdss::Version;
use serde_json::{Value, json};

use crate::console;
use crate::county::{self, VILLAGE_A1};
use crate::gateway::{
    DUTY, EVERYTHING, Gateway, KEEPER, Mail, OPERATOR, Setup, WATER, World, both, count, within,
};
use crate::warning::{COUNTY, Warning};

const PLAN: &str = r#"name = "sky"
language = "zh-CN"
lifetime = "4h"

[[send]]
audience = "officers"
channels = ["tiantong", "beidou"]
receipt_window = "30m"

[[send]]
audience = "public"
channels = ["tiantong"]
receipt_window = "30m"
"#;

const SECRET: &str = "a key of these tests";
/// Of the county's officer, whose card has another number, and of the second door of the first village.
const PHONE: &str = "17400000021";
const CARD: &str = "0000022";
const DOOR: &str = "17400000002";

struct Sky {
    world: World,
    modem: ModemPeer,
    terminal: TerminalPeer,
}

impl Sky {
    async fn start() -> Self {
        let modem = ModemPeer::start(Handset::new(Behaviour::Confirm)).await;
        let modem = modem.expect("a free port");
        let terminal = TerminalPeer::start(Scene {
            behaviour: Behaviour::Confirm,
            version: Version::Two,
            interval: 0,
            key: SECRET.to_owned(),
            status: 3,
        });
        let terminal = terminal.await.expect("a free port");
        let channels = format!(
            r#"tls = "none"

[[channel]]
name = "tiantong"
kind = "satellite"
rate = "50/s burst 50"
[channel.tests]
every_days = 0
[channel.settings]
port = {{ address = "{}" }}
pause = 0
timeout = 2
again = 0.2
acknowledge = ["1", "03"]

[[channel]]
name = "beidou"
kind = "satellite-rdss"
rate = "50/s burst 50"
[channel.tests]
every_days = 0
[channel.settings]
port = {{ address = "{}" }}
shape = "compact"
key = "{SECRET}"
interval = 0
timeout = 2
again = 0.2
"#,
            modem.address(),
            terminal.address()
        );
        let mut files = county::small();
        let endpoints = files.get_mut("endpoints").expect("a file");
        let more =
            format!("521,21,satellite,{PHONE}\n522,22,beidou,{CARD}\n502,2,satellite,{DOOR}\n");
        endpoints.push_str(&more);
        let setup = Setup {
            files,
            plan: PLAN.to_owned(),
            mail: Mail {
                port: None,
                settings: channels,
            },
            ..Setup::default()
        };
        Self {
            world: World::start(setup).await,
            modem,
            terminal,
        }
    }

    fn gateway(&self) -> &Gateway {
        &self.world.gateway
    }

    /// A phone writes.
    fn write(&self, from: &str, text: &str) {
        let data = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        self.modem.write_in(&Deliver {
            from: Number::parse(from).expect("a number"),
            at: None,
            user: UserData {
                alphabet: Alphabet::Ucs2,
                header: Vec::new(),
                data,
            },
        });
    }

    async fn listed(&self) -> Vec<Value> {
        let listed = self.gateway().get("/v1/devices/satellites").await;
        listed["satellites"].as_array().expect("a list").clone()
    }

    async fn of(&self, endpoint: u32) -> Value {
        let all = self.listed().await;
        let own = all.into_iter().find(|line| line["endpoint"] == endpoint);
        own.expect("it is listed")
    }

    /// Until the last test of an endpoint has this result.
    async fn found(&self, endpoint: u32, result: &str) -> Value {
        let what = format!("the test of {endpoint} is {result}");
        within(&what, async || {
            let line = self.of(endpoint).await;
            (line["test"]["result"] == result).then_some(line)
        })
        .await
    }

    async fn preview(&self, warning: &Warning) -> Value {
        let path = "/v1/alerts?preview=true";
        let answer = self
            .gateway()
            .call("POST", path, WATER, &warning.xml())
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    async fn evidence(&self, alert: u64) -> Value {
        let path = format!("/v1/alerts/{alert}/households?under={VILLAGE_A1}");
        let doors = self.gateway().get(&path).await;
        doors["households"][1].clone()
    }
}

fn standings(preview: &Value) -> Vec<(&Value, &Value, &Value)> {
    let rows = preview["satellites"].as_array().expect("a list").iter();
    rows.map(|row| (&row["endpoint"], &row["name"], &row["standing"]))
        .collect()
}

#[tokio::test]
async fn an_alert_goes_to_phones_and_cards_each_by_its_own_channel_and_what_comes_back_proves_it() {
    let sky = Sky::start().await;
    let red = Warning::red("S-1", &[VILLAGE_A1]);
    let shown = sky.preview(&red).await;
    let grades = shown["reach"].as_array().expect("a list").iter();
    let grades: Vec<_> = grades
        .map(|line| {
            (
                &line["channel"],
                &line["kind"],
                &line["grade"],
                &line["deliveries"],
            )
        })
        .collect();
    for (channel, grade) in [("tiantong", "delivered"), ("beidou", "confirmed")] {
        let row = (
            &json!(channel),
            &json!("satellite"),
            &json!(grade),
            &json!(1),
        );
        assert!(grades.contains(&row), "{row:?} in {grades:?}");
    }
    // Nobody has been tested: they are tried, and are no means.
    assert_eq!(count(&shown["homes"]["delivered"]), 0, "{shown}");
    let off = json!("off");
    let named = json!("合成官县值班");
    assert!(standings(&shown).contains(&(&json!(521), &named, &off)));
    assert!(standings(&shown).contains(&(&json!(502), &Value::Null, &off)));

    let alert = sky.gateway().submit(&red).await;
    within("the phone has it", async || {
        (sky.evidence(alert).await["by"] == "delivered").then_some(())
    })
    .await;
    sky.write(DOOR, "03");
    within("the village's code confirms the door", async || {
        (sky.evidence(alert).await["by"] == "confirmed").then_some(())
    })
    .await;
    let officers = within("both officers are reached", async || {
        let row = sky.gateway().coverage(alert, COUNTY).await["total"]["officers"].clone();
        (row["reached"] == 2).then_some(row)
    })
    .await;
    assert_eq!(officers["missed"], 0, "{officers}");
    let line = sky.gateway().channel(alert, "beidou").await;
    assert_eq!(
        (&line["kind"], &line["reached"]),
        (&json!("satellite"), &json!(1))
    );

    // What the card was given says where, when and what to do, and a person can read it.
    let taken = sky.terminal.taken();
    assert_eq!((taken.len(), taken[0].0.as_str()), (1, CARD));
    assert!(taken[0].1.len() <= 78 && Key::new(SECRET).proves(&taken[0].1));
    let Body::Alert(compact) = Compact::read(&taken[0].1).expect("compact").body else {
        panic!("it is an alert");
    };
    assert_eq!(compact.areas.len(), 1);
    assert_eq!(compact.areas[0].code(), VILLAGE_A1);
    assert_ne!(compact.instruction, Instruction::None);
    let decoded = sky
        .gateway()
        .run(&["decode", &hex::encode(&taken[0].1)])
        .await;
    let decoded = both(&decoded);
    assert!(decoded.contains(&format!("区域:{VILLAGE_A1}")), "{decoded}");
    assert!(
        decoded.contains(&format!("Areas: {VILLAGE_A1}")),
        "{decoded}"
    );
    assert!(!decoded.contains("已过有效期"), "{decoded}");
    // One of July 2026, said again.
    let old = "200672106feb04471402d0281e7114318cd800000000";
    let old = both(&sky.gateway().run(&["decode", old]).await);
    assert!(old.contains("over 已过有效期"), "{old}");
    let numbers = sky.modem.handset(|handset| {
        let to = handset.texts.iter().map(|text| text.to.text());
        to.collect::<Vec<_>>()
    });
    assert!(!numbers.iter().any(|to| to.contains(CARD)), "{numbers:?}");
}

#[tokio::test]
async fn a_test_says_that_a_phone_is_on_and_a_kill_forgets_nothing_of_it() {
    let mut sky = Sky::start().await;
    assert_eq!(sky.of(521).await["standing_zh"], "假定关机");
    let base = sky.gateway().base.clone();
    let device = ["device", "--to", &base, "--token", OPERATOR];
    let test = [&device[..], &["test", "--under", COUNTY]].concat();
    let ordered = sky.gateway().run(&test).await;
    assert!(ordered.status.success(), "{}", both(&ordered));
    // The status report of the phones, the proved status of the card.
    sky.found(521, "reached").await;
    sky.found(502, "reached").await;
    assert_eq!(sky.found(522, "answered").await["standing"], "on");
    sky.write(PHONE, "收到");
    sky.found(521, "answered").await;
    let texts = sky.modem.handset(|handset| {
        let texts = handset.texts.iter().map(|text| text.user.text());
        texts.collect::<Vec<_>>()
    });
    assert!(
        texts
            .iter()
            .all(|text| text.contains("拨测") && text.contains("不是预警")),
        "{texts:?}"
    );
    let taken = sky.terminal.taken();
    assert!(matches!(
        Compact::read(&taken[0].1).expect("compact").body,
        Body::Test { .. }
    ));

    let before = sky.listed().await;
    sky.world.gateway.kill().await;
    sky.world.gateway.start().await;
    assert_eq!(sky.listed().await, before);
    let shown = sky.preview(&Warning::red("S-2", &[VILLAGE_A1])).await;
    assert_eq!(count(&shown["homes"]["delivered"]), 1, "{shown}");
    let rows = shown["satellites"].as_array().expect("a list");
    assert!(
        rows.iter()
            .all(|row| row["standing"] == "on" && row["days"] == 0),
        "{rows:?}"
    );

    let cookie = console::sign_in(sky.gateway(), DUTY).await;
    let page = console::call(sky.gateway(), "GET", "/console/satellites", &cookie, "").await;
    let page = console::text(&page);
    assert!(
        page.contains("合成官县值班") && page.contains("已回复") && page.contains("可用"),
        "{page}"
    );
    let journal = sky.gateway().run(&["journal", "dump", "--json"]).await;
    let said = both(&journal) + &sky.gateway().said();
    assert!(said.contains("\"test-called\":") && said.contains("\"proved\":"));
    for hidden in [PHONE, CARD, DOOR, "合成官县值班"] {
        assert!(!said.contains(hidden) && !page.contains(PHONE), "{hidden}");
    }
}

#[tokio::test]
async fn a_one_to_a_test_is_no_word_on_the_warning_before_it_and_who_may_not_orders_none() {
    let sky = Sky::start().await;
    let alert = sky
        .gateway()
        .submit(&Warning::red("S-3", &[VILLAGE_A1]))
        .await;
    within("the phone has it", async || {
        (sky.evidence(alert).await["by"] == "delivered").then_some(())
    })
    .await;
    let tests = "/v1/devices/satellites/tests";
    let order = async |token: &str, body: Value| {
        sky.gateway()
            .call("POST", tests, token, &body.to_string())
            .await
    };
    let own = json!({ "endpoints": [502] });
    for token in [DUTY, WATER, KEEPER] {
        assert_eq!(order(token, own.clone()).await.status, 403);
    }
    assert_eq!(
        order(OPERATOR, json!({ "endpoints": [101] })).await.status,
        404
    );
    assert_eq!(order(OPERATOR, json!({})).await.status, 422);
    assert_eq!(
        order(OPERATOR, json!({ "under": "110000" })).await.status,
        403
    );
    let given = order(EVERYTHING, own).await;
    assert_eq!(given.status, 202, "{}", given.body);
    assert_eq!(given.body["tests"][0]["channel"], "tiantong");
    sky.found(502, "reached").await;
    sky.write(DOOR, "1");
    sky.found(502, "answered").await;
    assert_eq!(
        sky.evidence(alert).await["by"],
        "delivered",
        "of the warning it says nothing"
    );
    sky.write(DOOR, "03");
    within("the next word is on the warning", async || {
        (sky.evidence(alert).await["by"] == "confirmed").then_some(())
    })
    .await;
}
