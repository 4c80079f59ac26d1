//! The keeper's own entry of a repair, by a short signed link and without a login: on a telephone, beside an officer's
//! entries, over a kill; and every wall around it.

use std::time::Duration;

use channel::link::{Seal, put};
use channel::{HttpClient, Reply, Request, Secret};
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::county::{DEVICES, VILLAGE_A1};
use crate::gateway::{DUTY, Gateway, KEEPER, OPERATOR, Setup, World, both};

const SECRET: &str = "only-for-the-keepers-of-these-tests";
const BASE: &str = "https://keepers.example.invalid";

const SPEAKERS: &str = "endpoint,village,name,keeper,phone
301,510727101201,合成喇叭甲,合成管护员,00012345678
302,510727101202,合成喇叭乙,合成管护员,00012345678
303,510727102201,合成喇叭丙,,
";

fn setup() -> Setup {
    let mut setup = Setup {
        more: format!("[keepers]\nsecret = \"{SECRET}\"\nbase = \"{BASE}\"\n"),
        ..Setup::default()
    };
    setup.files.insert("speakers", SPEAKERS.to_owned());
    setup
}

async fn devices(gateway: &Gateway, token: &str) -> Vec<Value> {
    let answer = gateway.call("GET", "/v1/devices", token, "").await;
    answer.body["devices"].as_array().expect("a list").clone()
}

/// The path behind the name under which keepers reach the gateway.
async fn path(gateway: &Gateway, nth: usize) -> String {
    let list = devices(gateway, OPERATOR).await;
    assert_eq!(list[nth]["device"], DEVICES[nth]);
    let link = list[nth]["keeper_link"].as_str().expect("a link");
    link.strip_prefix(BASE).expect("our base").to_owned()
}

/// As a keeper's browser asks, without any token.
async fn ask(gateway: &Gateway, path: &str, word: Option<&str>) -> (Reply, String) {
    let form = ("content-type", "application/x-www-form-urlencoded");
    let request = Request {
        method: if word.is_some() { "POST" } else { "GET" }.into(),
        headers: vec![(form.0.into(), form.1.into())],
        body: word.unwrap_or_default().to_owned().into(),
        ..Request::default()
    };
    let http = HttpClient::of_the_house(Duration::from_secs(10));
    let reply = http.call(&format!("{}{path}", gateway.base), request).await;
    let reply = reply.expect("an answer");
    let page = String::from_utf8_lossy(&reply.body).into_owned();
    (reply, page)
}

async fn says(gateway: &Gateway, path: &str, word: &str) -> u16 {
    let word = format!("word={word}");
    ask(gateway, path, Some(&word)).await.0.status
}

async fn repairs(gateway: &Gateway) -> Vec<Value> {
    let list = gateway.get("/v1/repairs").await;
    list["repairs"].as_array().expect("a list").clone()
}

async fn enters(gateway: &Gateway, what: &str) -> Value {
    let path = format!("/v1/devices/{}/repairs", DEVICES[0]);
    let body = json!({ "what": what }).to_string();
    gateway.call("POST", &path, OPERATOR, &body).await.body
}

/// On a telephone, as the keeper sees it: what it shows, and that nothing is wider than the screen.
async fn on_a_telephone(gateway: &Gateway, path: &str) {
    let browser = Browser::start().await;
    browser.telephone(true).await;
    browser.open(&format!("{}{path}", gateway.base)).await;
    let wider =
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assert_eq!(browser.script(wider).await, json!(0));
    let scripts = "return document.scripts.length";
    assert_eq!(browser.script(scripts).await, json!(0), "it needs none");
    browser.click("button[value=no-sound]").await;
    let open = "return document.querySelector('main').dataset.open";
    browser.until(open, &json!("1")).await;
    let entry = "return document.querySelector('.entry').textContent";
    let entry = browser.script(entry).await;
    let entry = entry.as_str().expect("a text");
    assert!(
        entry.contains("不响") && entry.contains("管护员"),
        "{entry}"
    );
    browser.click("button[value=fixed]").await;
    browser.until(open, &json!("0")).await;
    assert_eq!(browser.script(wider).await, json!(0));
    let complaints = browser.complaints().await;
    assert!(complaints.is_empty(), "{complaints:?}");
}

#[tokio::test]
async fn a_keeper_enters_a_repair_by_a_link_and_says_that_it_works_again_beside_the_officers_word()
{
    let mut world = World::start(setup()).await;
    let gateway = &world.gateway;
    for one in devices(gateway, DUTY).await {
        assert_eq!(one["keeper_link"], Value::Null, "a link is a key");
    }
    let path = path(gateway, 0).await;
    assert!(path.len() < 50 && !path.contains("000"), "{path}");
    let (reply, page) = ask(gateway, &path, None).await;
    assert_eq!(reply.status, 200);
    for (name, wanted) in [
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ] {
        let own = reply.headers.iter().find(|(own, _)| own == name);
        assert_eq!(own.map(|(_, value)| value.as_str()), Some(wanted));
    }
    assert!(
        page.contains("试一·甲村") && page.contains(DEVICES[0]),
        "{page}"
    );
    for personal in ["合成管护员", "00012345678", "合成喇叭甲", "合**"] {
        assert!(!page.contains(personal), "{page}");
    }
    on_a_telephone(gateway, &path).await;
    let all = repairs(gateway).await;
    assert_eq!(
        (
            &all[0]["from"],
            &all[0]["by"],
            &all[0]["by_link"],
            &all[0]["open"]
        ),
        (&json!("keeper"), &Value::Null, &json!(true), &json!(false))
    );
    assert_eq!(
        (&all[0]["how"], &all[0]["closed_by"]),
        (&json!("repaired"), &json!("(keeper)"))
    );

    // Both words stand: the officer's stays open, with the keeper's beside it.
    let officers = enters(gateway, "no-power").await;
    assert_eq!(says(gateway, &path, "card").await, 303);
    assert_eq!(says(gateway, &path, "card").await, 303);
    let twice = repairs(gateway).await;
    assert_eq!(
        twice.len(),
        3,
        "the same word twice is one entry: {twice:?}"
    );
    assert_eq!(says(gateway, &path, "fixed").await, 303);
    let after = repairs(gateway).await;
    let of = |number: &Value| after.iter().find(|line| line["number"] == *number);
    let (theirs, own) = (of(&officers["number"]), of(&twice[0]["number"]));
    let (theirs, own) = (theirs.expect("there"), own.expect("there"));
    assert_eq!(
        (&own["what_zh"], &own["open"]),
        (&json!("流量卡"), &json!(false))
    );
    assert_eq!(theirs["open"], true);
    assert!(theirs["keeper_says_repaired"].is_string(), "{theirs}");
    let one = &devices(gateway, OPERATOR).await[0];
    assert_eq!(
        (&one["repair"], &one["keeper_says_repaired"]),
        (&officers["number"], &json!(true))
    );
    let (_, page) = ask(gateway, &path, None).await;
    assert!(
        page.contains("管护员称已修好") && page.contains("值班员"),
        "{page}"
    );
    officer_sees_both(gateway).await;

    // Who said it and when is in the journal, and nothing personal.
    let journal = gateway.journal().await;
    let vouched = journal
        .iter()
        .filter(|line| !line["event"]["vouched"].is_null());
    let vouched: Vec<_> = vouched.map(|line| &line["event"]["vouched"]).collect();
    assert_eq!(vouched.len(), 2, "{vouched:?}");
    assert_eq!(vouched[1]["beside"], json!([officers["number"]]));
    let text = json!(journal).to_string();
    assert!(!text.contains("合成管护员") && !text.contains("00012345678"));
    world.gateway.kill().await;
    world.gateway.start().await;
    assert_eq!(repairs(&world.gateway).await, after, "and after a kill");
}

/// On its page, and in the list.
async fn officer_sees_both(gateway: &Gateway) {
    let browser = Browser::start().await;
    browser.open(&format!("{}/", gateway.base)).await;
    browser.write("#token", OPERATOR).await;
    browser.click("form.sign-in button").await;
    let in_it = "return document.querySelector('header.top') !== null";
    browser.until(in_it, &json!(true)).await;
    let page = format!("{}/console/horns/{}", gateway.base, DEVICES[0]);
    browser.open(&page).await;
    let open = "return document.querySelectorAll('.repair[data-open=true] .vouched').length";
    assert_eq!(browser.script(open).await, json!(1));
    let link = "return document.querySelector('.keeper-link .scanned').textContent";
    let link = browser.script(link).await;
    assert!(
        link.as_str().is_some_and(|text| text.contains(BASE)),
        "{link}"
    );
    browser
        .open(&format!("{}/console/horns", gateway.base))
        .await;
    let cell = "return document.querySelector('tr[data-device] td[data-label=报修]').textContent";
    let cell = browser.script(cell).await;
    assert!(
        cell.as_str()
            .is_some_and(|text| text.contains("管护员称已修好")),
        "{cell}"
    );
    browser.telephone(true).await;
    browser.open(&page).await;
    let wider =
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assert_eq!(browser.script(wider).await, json!(0));
    let complaints = browser.complaints().await;
    assert!(complaints.is_empty(), "{complaints:?}");
}

/// A link that the gateway's secret proves, of another time.
fn proved(minutes: u64) -> String {
    let mut payload = Vec::new();
    put(&mut payload, minutes);
    payload.extend_from_slice(b"xxxx");
    payload.extend_from_slice(DEVICES[0].as_bytes());
    let seal = Seal::new(&Secret::new(SECRET), "tocsin-keeper-1");
    format!("/k/{}", seal.code(&payload))
}

#[tokio::test]
async fn a_keepers_link_that_is_forged_over_or_of_another_keeper_opens_nothing_and_is_counted() {
    let world = World::start(setup()).await;
    let gateway = &world.gateway;
    let path = path(gateway, 0).await;
    let code = |page: &str, code: &str| page.contains(&format!("data-code=\"{code}\""));
    let minute = u64::try_from(crate::warning::now() / 60).expect("it is later than 1970");
    let forged = format!(
        "{}{}",
        &path[..path.len() - 1],
        if path.ends_with('A') { 'B' } else { 'A' }
    );
    for (shut, status, why) in [
        (forged, 404, "forged-link"),
        ("/k/AAAA".into(), 404, "forged-link"),
        (proved(minute - 1), 410, "expired-link"),
        // Proved and in time, and made for somebody else.
        (proved(minute + 9), 410, "changed-keeper"),
    ] {
        for word in [None, Some("word=no-sound")] {
            let (reply, page) = ask(gateway, &shut, word).await;
            assert_eq!(reply.status, status, "{shut}: {page}");
            assert!(code(&page, why), "{shut}: {page}");
        }
    }
    for (word, status) in [
        ("word=haunted", 422),
        ("", 422),
        (&*"word=x".repeat(300), 422),
    ] {
        let (reply, page) = ask(gateway, &path, Some(word)).await;
        assert_eq!(
            (reply.status, code(&page, "bad-entry")),
            (status, true),
            "{page}"
        );
    }
    let journal = gateway.journal().await;
    let said = |line: &&Value| {
        ["repair", "vouched"]
            .iter()
            .any(|name| !line["event"][*name].is_null())
    };
    let said = journal.iter().filter(said);
    assert_eq!(said.count(), 0, "nothing of it is journaled");
    for nth in 0..12 {
        let said = ["damaged", "fixed"][nth % 2];
        assert_eq!(says(gateway, &path, said).await, 303, "{nth}");
    }
    let (reply, page) = ask(gateway, &path, Some("word=damaged")).await;
    assert_eq!((reply.status, code(&page, "too-many-entries")), (429, true));
    let metrics = gateway.call_text("/metrics", DUTY).await;
    for counted in [
        "{why=\"forged-link\"} 4",
        "{why=\"expired-link\"} 2",
        "{why=\"changed-keeper\"} 2",
        "{why=\"too-many-entries\"} 1",
    ] {
        let line = format!("tocsin_refused_keeper_links{counted}");
        assert!(metrics.lines().any(|own| own == line), "{line}: {metrics}");
    }

    // The registry names another: the link of the one before is void, the new one's opens.
    let mut files = setup().files;
    let speakers = SPEAKERS.replacen("合成管护员,00012345678", "合成管护员二,00012345679", 1);
    files.insert("speakers", speakers);
    for (name, text) in &files {
        gateway.write(&format!("changed/{name}.csv"), text);
    }
    let args = [
        "import",
        "changed",
        "--to",
        &gateway.base,
        "--token",
        KEEPER,
    ];
    let import = gateway.run(&args).await;
    assert!(import.status.success(), "{}", both(&import));
    assert_eq!(ask(gateway, &path, None).await.0.status, 410);
    let list = gateway
        .get(&format!("/v1/devices?under={VILLAGE_A1}"))
        .await;
    assert_eq!(list["devices"][0]["device"], DEVICES[0]);
    let link = self::path(gateway, 0).await;
    assert_eq!(ask(gateway, &link, None).await.0.status, 200);
}
