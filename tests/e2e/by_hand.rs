//! Outlets that a person serves by hand, in a real browser on a whole gateway: the list, the item, the entry, and what it
//! changes in the officers' figures; across a restart, with a contradiction, and with links that were not given.

use channel::{HttpClient, Reply, Request};
use serde_json::{Value, json};
use std::time::Duration;

use crate::browser::Browser;
use crate::county;
use crate::gateway::{EVERYTHING, Gateway, Mail, Setup, World, both, count, within};
use crate::warning::{COUNTY, Warning};

const PLAN: &str = r#"name = "by-hand"
language = "zh-CN"
lifetime = "4h"

[[send]]
audience = "officers"
channels = ["tv"]
receipt_window = "30m"
"#;

const CHANNEL: &str = r#"tls = "none"

[[channel]]
name = "tv"
kind = "manual"
rate = "50/s burst 50"
[channel.settings]
secret = "no secret, these outlets do not exist"
late_hours = 2
"#;

pub const NAME: &str = "合成播控员";

/// A picture of one point.
pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\xdacd\xf8\xcfP\x0f\0\x03\x86\x01\x80Z4}k\0\0\0\0IEND\xaeB`\x82";

pub fn setup() -> Setup {
    let mut files = county::small();
    let endpoints = files.get_mut("endpoints").expect("a file");
    endpoints.push_str("421,21,manual,tv:pingwu\n422,22,manual,led:shiyi\n");
    Setup {
        files,
        plan: PLAN.to_owned(),
        mail: Mail {
            port: None,
            settings: CHANNEL.to_owned(),
        },
        ..Setup::default()
    }
}

pub async fn officers(gateway: &Gateway, alert: u64) -> Value {
    gateway.coverage(alert, COUNTY).await["total"]["officers"].clone()
}

pub async fn call(gateway: &Gateway, method: &str, path: &str, body: &Value) -> Reply {
    let json = "application/json".to_owned();
    let request = Request {
        method: method.into(),
        headers: vec![
            ("accept".into(), json.clone()),
            ("content-type".into(), json),
        ],
        body: body.to_string().into(),
        ..Request::default()
    };
    let http = HttpClient::new(Duration::from_secs(10));
    let url = format!("{}{path}", gateway.base);
    http.call(&url, request).await.expect("an answer")
}

pub async fn read(gateway: &Gateway, path: &str) -> Value {
    let reply = call(gateway, "GET", path, &Value::Null).await;
    serde_json::from_slice(&reply.body).expect("JSON")
}

/// As an operator prints it.
pub async fn outlet(gateway: &Gateway, address: &str) -> String {
    let args = ["outlet", "tv", address, "--config", "tocsin.toml"];
    let printed = gateway.run(&args).await;
    assert!(printed.status.success(), "{}", both(&printed));
    let link = String::from_utf8(printed.stdout).expect("UTF-8");
    link.trim().to_owned()
}

/// Both outlets have their item.
pub async fn ready(gateway: &Gateway, alert: u64) {
    within("both items lie ready", async || {
        let line = gateway.channel(alert, "tv").await;
        (line["awaiting"] == 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_station_enters_in_a_browser_what_it_has_given_and_the_officers_figure_changes() {
    let world = World::start(setup()).await;
    let gateway = &world.gateway;
    let alert = gateway.submit(&Warning::red("m-1", &[COUNTY])).await;
    ready(gateway, alert).await;
    let before = officers(gateway, alert).await;
    assert_eq!(count(&before["reached"]), 0, "{before}");
    let link = outlet(gateway, "tv:pingwu").await;

    let browser = Browser::start().await;
    browser.open(&format!("{}{link}", gateway.base)).await;
    let waiting = "return document.getElementById('list').dataset.waiting";
    browser.until(waiting, &json!("1")).await;
    browser.click("a.row").await;
    let ready = "return (document.getElementById('ready') || {value: ''}).value.length > 10";
    browser.until(ready, &json!(true)).await;
    let who = "return document.getElementById('who').textContent.includes('合成官县值班')";
    browser.until(who, &json!(true)).await;
    let drawn = "const i = document.querySelector('details img'); i.closest('details').open = true; return i.naturalWidth";
    browser.until(drawn, &json!(1080)).await;
    browser.click("#copy").await;
    let copied = "return document.getElementById('copied').textContent !== ''";
    browser.until(copied, &json!(true)).await;

    browser.click("input[value=played]").await;
    browser.write("input[name=name]", NAME).await;
    gateway.write("seen.png", "");
    let picture = gateway.path("seen.png");
    std::fs::write(&picture, PNG).expect("a file");
    let picture = picture.to_str().expect("a path").to_owned();
    browser.write("#file input", &picture).await;
    browser.click("button[type=submit]").await;
    let standing = "return (document.getElementById('item') || {dataset: {}}).dataset.standing";
    browser.until(standing, &json!("done")).await;
    let entry =
        format!("return document.querySelector('#entries .entry').textContent.includes('{NAME}')");
    browser.until(&entry, &json!(true)).await;
    let shown = "return document.querySelector('#entries img').naturalWidth";
    browser.until(shown, &json!(1)).await;
    assert_eq!(browser.complaints().await, Vec::<Value>::new());

    let after = officers(gateway, alert).await;
    assert_eq!(count(&after["reached"]), 1, "{after}");
    assert_eq!(after["total"], before["total"]);
    let journal = gateway.run(&["journal", "dump", "--json"]).await;
    let said = both(&journal) + &gateway.said();
    assert!(!said.contains(NAME) && !said.contains("合成官"));
}

#[tokio::test]
async fn a_link_opens_after_a_kill_and_what_contradicts_stands_beside_what_was_entered() {
    let mut world = World::start(setup()).await;
    let alert = world.gateway.submit(&Warning::red("m-2", &[COUNTY])).await;
    ready(&world.gateway, alert).await;
    let list = outlet(&world.gateway, "led:shiyi").await;
    let item = read(&world.gateway, &list).await["items"][0].clone();
    assert!(
        item["screens"].as_array().expect("screens").len() > 1,
        "{item}"
    );
    assert_eq!(
        (&item["standing"], &item["outlet"]["kind"]),
        (&json!("open"), &json!("led"))
    );
    let link = item["link"].as_str().expect("a link").to_owned();
    let done = item["since"].clone();
    let cannot = json!({"outcome": "cannot", "name": NAME, "done": done, "note": "停电"});
    let reply = call(&world.gateway, "POST", &link, &cannot).await;
    assert_eq!(reply.status, 200);
    let missed = officers(&world.gateway, alert).await;
    assert_eq!(
        (count(&missed["missed"]), count(&missed["reached"])),
        (1, 0),
        "{missed}"
    );

    world.gateway.kill().await;
    world.gateway.start().await;
    let played = json!({"outcome": "played", "name": "合成替班员", "done": done});
    // The same again, as by a thumb that is pressed twice, is one entry.
    for _ in 0..2 {
        let reply = call(&world.gateway, "POST", &link, &played).await;
        assert_eq!(reply.status, 200);
    }
    let item = read(&world.gateway, &link).await;
    assert_eq!(item["standing"], "disputed", "{item}");
    let entries = item["entries"].as_array().expect("entries");
    let told: Vec<_> = entries
        .iter()
        .map(|e| (&e["outcome"], &e["name"]))
        .collect();
    let wanted = [
        (&json!("cannot"), &json!(NAME)),
        (&json!("played"), &json!("合成替班员")),
    ];
    assert_eq!(told, wanted);
    assert_eq!(count(&officers(&world.gateway, alert).await["reached"]), 1);
}

#[tokio::test]
async fn links_that_were_not_given_open_nothing_and_are_counted() {
    let world = World::start(setup()).await;
    let gateway = &world.gateway;
    let alert = gateway.submit(&Warning::red("m-3", &[COUNTY])).await;
    ready(gateway, alert).await;
    let list = outlet(gateway, "tv:pingwu").await;
    let item = read(gateway, &list).await["items"][0].clone();
    let link = item["link"].as_str().expect("a link").to_owned();
    let key = link.split('/').nth(5).expect("a key").to_owned();
    let (alert_no, rest) = key.split_once('-').expect("an alert");
    let number: u32 = rest
        .split('-')
        .next()
        .and_then(|n| n.parse().ok())
        .expect("a number");
    let other = link.replacen(&key, &format!("{alert_no}-{}-0", number + 1), 1);
    for path in [other, list.replacen("tv:pingwu", "led:shiyi", 1)] {
        let reply = call(gateway, "GET", &path, &Value::Null).await;
        assert_eq!(reply.status, 403, "{path}");
        let answer: Value = serde_json::from_slice(&reply.body).expect("JSON");
        assert_eq!(answer["code"], "forged-link");
        assert!(
            answer["zh"]
                .as_str()
                .is_some_and(|zh| zh.contains("不是本系统发出的"))
        );
        let entry = json!({"outcome": "played", "name": NAME, "done": item["since"]});
        let reply = call(gateway, "POST", &path, &entry).await;
        assert!(matches!(reply.status, 403 | 405));
    }
    assert_eq!(count(&officers(gateway, alert).await["reached"]), 0);
    let metrics = gateway.call_text("/metrics", EVERYTHING).await;
    let counted = metrics.lines().find(|line| line.contains("forged-link"));
    assert!(
        counted.is_some_and(|line| line.contains("tocsin_refused_calls") && line.ends_with(" 3")),
        "{counted:?}"
    );
    let wrong = gateway
        .run(&["outlet", "tv", "fax:pingwu", "--config", "tocsin.toml"])
        .await;
    assert_eq!(wrong.status.code(), Some(2));
    let wrong = gateway
        .run(&["outlet", "sms", "tv:pingwu", "--config", "tocsin.toml"])
        .await;
    assert!(both(&wrong).contains("has no channel \"sms\" of kind \"manual\""));
}
