//! What officers take down for somebody who telephoned (代报), at their page in a real browser and over the API: shown as that,
//! and by whom; and what is attached, for whoever may see it.

use channel::{HttpClient, Reply, Request};
use serde_json::{Value, json};
use std::time::Duration;

use crate::browser::Browser;
use crate::by_hand::{NAME, PNG, officers, ready, setup};
use crate::console::{call, sign_in, text as text_of};
use crate::gateway::{DUTY, EVERYTHING, Gateway, World, both, count};
use crate::warning::{COUNTY, Warning};

/// A picture of one point, as it is posted.
const BASE64_PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// As a program of the bureau with every scope fetches it.
async fn whole(gateway: &Gateway, path: &str) -> Reply {
    let request = Request {
        method: "GET".into(),
        headers: vec![("authorization".into(), format!("Bearer {EVERYTHING}"))],
        ..Request::default()
    };
    let http = HttpClient::new(Duration::from_secs(10));
    let url = format!("{}{path}", gateway.base);
    http.call(&url, request).await.expect("an answer")
}

#[tokio::test]
async fn an_officer_takes_down_what_somebody_has_telephoned_and_it_is_shown_as_that() {
    let world = World::start(setup()).await;
    let gateway = &world.gateway;
    let alert = gateway.submit(&Warning::red("m-4", &[COUNTY])).await;
    ready(gateway, alert).await;
    let browser = Browser::start().await;
    browser
        .open(&format!("{}/console/sign-in", gateway.base))
        .await;
    browser.write("#token", EVERYTHING).await;
    browser.click("button[type=submit]").await;
    let inside = "return document.querySelector('nav') !== null";
    browser.until(inside, &json!(true)).await;
    browser
        .open(&format!("{}/console/alerts/{alert}", gateway.base))
        .await;
    browser.click("#to-by-hand").await;
    let waiting = "return (document.getElementById('by-hand') || {dataset: {}}).dataset.waiting";
    browser.until(waiting, &json!("2")).await;

    let fits = "return document.documentElement.scrollWidth <= window.innerWidth";
    for (width, height) in [(1500, 1000), (500, 850)] {
        browser.size(width, height).await;
        browser.until(fits, &json!(true)).await;
    }
    browser.click(".hand .report-for").await;
    // Longer ago than it takes to write it down.
    browser.click(".hand input[value=played]").await;
    browser.write(".hand input[name=name]", NAME).await;
    let long_ago = "const d = document.querySelector('.hand input[name=done]'); d.value = '2001-01-01T00:00'; return d.value";
    browser.script(long_ago).await;
    browser.click(".hand button").await;
    let refused = "const p = document.querySelector('.hand .problem'); return p !== null && p.textContent.includes('完成时间早于这条预警')";
    browser.until(refused, &json!(true)).await;
    let kept = "return document.querySelector('.hand details[open] input[name=name]').value";
    assert_eq!(browser.script(kept).await, NAME, "what was typed is kept");
    let now = "const n = new Date(Date.now() + 8 * 3600e3).toISOString().slice(0, 16); document.querySelector('.hand details[open] input[name=done]').value = n; return n.length";
    assert_eq!(browser.script(now).await, 16);
    browser.click(".hand details[open] button").await;
    let shown = format!(
        "const r = document.querySelector('.hand .reported'); return r !== null && r.textContent.includes('代报') && r.textContent.includes('电话') && r.closest('tr').textContent.includes('{NAME}')"
    );
    browser.until(&shown, &json!(true)).await;
    browser.until(fits, &json!(true)).await;
    browser.until(waiting, &json!("1")).await;
    // A refusal is an answer with its own status, and the browser says so.
    let mut complaints = browser.complaints().await;
    complaints.retain(|line| !line.to_string().contains("422"));
    assert_eq!(complaints, Vec::<Value>::new());

    assert_eq!(count(&officers(gateway, alert).await["reached"]), 1);
    let journal = gateway.run(&["journal", "dump", "--json"]).await;
    let said = both(&journal);
    assert!(said.contains("played:reported") && said.contains(r#""what":"reported""#));
    assert!(!said.contains(NAME));
}

/// What an officer was told over the radio, with a picture.
fn report(done: &Value) -> Value {
    json!({"outcome": "relayed", "name": NAME, "done": done, "means": "radio", "attachment": BASE64_PNG})
}

/// The board's item in a list.
fn board(list: &Value) -> Value {
    let items = list["items"].as_array().expect("items");
    let found = items.iter().find(|item| item["outlet"]["kind"] == "led");
    found.expect("the board").clone()
}

#[tokio::test]
async fn the_api_lists_what_stands_at_each_outlet_and_takes_down_a_report_from_whoever_may() {
    let world = World::start(setup()).await;
    let gateway = &world.gateway;
    let alert = gateway.submit(&Warning::red("m-5", &[COUNTY])).await;
    ready(gateway, alert).await;
    let path = format!("/v1/alerts/{alert}/by-hand");
    let list = gateway.call("GET", &path, EVERYTHING, "").await.body;
    assert_eq!(list["items"].as_array().map(Vec::len), Some(2), "{list}");
    let led = board(&list);
    let stands = (&led["standing"], &led["overdue_since"]);
    assert_eq!(stands, (&json!("open"), &Value::Null));
    let link = led["link"].as_str().expect("a link");
    assert!(link.contains("/i/"), "{link}");

    let one = format!("{path}/{}", led["delivery"]);
    let entry = report(&list["as_of"]);
    let barred = gateway.call("POST", &one, DUTY, &entry.to_string()).await;
    let scope = (barred.status, &barred.body["scope"]);
    assert_eq!(scope, (403, &json!("report")));
    let mut without = entry.clone();
    without["means"] = "pigeon".into();
    let without = without.to_string();
    let wrong = gateway.call("POST", &one, EVERYTHING, &without).await.body;
    assert_eq!(wrong["type"], "/problems/bad-entry", "{wrong}");
    let detail = wrong["detail"].as_str().expect("a detail");
    assert!(detail.contains("no-means"), "{detail}");
    let entry = entry.to_string();
    let taken = gateway.call("POST", &one, EVERYTHING, &entry).await;
    let by = (taken.status, &taken.body["by"]);
    assert_eq!(by, (200, &json!("everything")));
    let strange = format!("{path}/999");
    let strange = gateway.call("POST", &strange, EVERYTHING, "{}").await;
    assert_eq!(strange.body["type"], "/problems/unknown-delivery");
}

#[tokio::test]
async fn who_did_it_and_what_is_attached_is_for_whoever_reports_or_keeps_the_registry() {
    let world = World::start(setup()).await;
    let gateway = &world.gateway;
    let alert = gateway.submit(&Warning::red("m-6", &[COUNTY])).await;
    ready(gateway, alert).await;
    let path = format!("/v1/alerts/{alert}/by-hand");
    let list = gateway.call("GET", &path, EVERYTHING, "").await.body;
    let one = format!("{path}/{}", board(&list)["delivery"]);
    let entry = report(&list["as_of"]).to_string();
    let taken = gateway.call("POST", &one, EVERYTHING, &entry).await;
    assert_eq!(taken.status, 200, "{}", taken.body);

    let list = gateway.call("GET", &path, EVERYTHING, "").await.body;
    let told = &board(&list)["entries"][0];
    let who = [&told["name"], &told["reported_by"], &told["means"]];
    assert_eq!(who, [&json!(NAME), &json!("everything"), &json!("radio")]);
    let attached = (&told["attachment"], &told["attachment_bytes"]);
    assert_eq!(attached, (&json!("image/png"), &json!(PNG.len())));

    let replies = format!("/v1/alerts/{alert}/replies");
    let replies = gateway.call("GET", &replies, EVERYTHING, "").await.body;
    let line = &replies["replies"][0];
    assert_eq!(line["attached"]["bytes"], PNG.len(), "{replies}");
    let text = line["text"].as_str().expect("a text");
    assert!(text.contains(NAME) && !text.contains("iVBOR"), "{text}");
    let href = line["attached"]["href"].as_str().expect("a link");
    assert_eq!(&whole(gateway, href).await.body[..], PNG);
    let own = hex::encode(ring::digest::digest(&ring::digest::SHA256, PNG));
    assert_eq!(line["attached"]["sha256"], own);

    // Who may read figures sees that it was done, and not by whom.
    let read = gateway.call("GET", &path, DUTY, "").await.body;
    let entry = &board(&read)["entries"][0];
    let seen = (&entry["outcome"], &entry["name"]);
    assert_eq!(seen, (&json!("relayed"), &Value::Null));
    assert!(!read.to_string().contains(NAME) && !read.to_string().contains("/i/"));
    let file = format!("{one}/attachments/0");
    assert_eq!(gateway.call("GET", &file, DUTY, "").await.status, 403);
    let gone = format!("{one}/attachments/7");
    let gone = gateway.call("GET", &gone, EVERYTHING, "").await;
    assert_eq!(gone.status, 404);

    let duty = sign_in(gateway, DUTY).await;
    let page = format!("/console/alerts/{alert}/by-hand");
    let shown = call(gateway, "GET", &page, &duty, "").await;
    let shown = text_of(&shown);
    assert!(shown.contains("已转 passed on") && !shown.contains(NAME));
    assert!(!shown.contains("<form class=\"report\""), "{shown}");
    let form = "outcome=played&name=x&done=2026-01-01T00%3A00&means=phone";
    let delivery = one.rsplit('/').next().expect("a number");
    let post = format!("{page}/{delivery}");
    let post = call(gateway, "POST", &post, &duty, form).await;
    assert_eq!(post.status, 403);
}
