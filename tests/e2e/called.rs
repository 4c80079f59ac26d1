//! Whoever is responsible for an outlet is called to it where nobody has its page open: by a text with a short link, again
//! while nothing is entered, and never twice for one moment; what stood at the outlets of a sealed alert can be looked at.

use channel::Reply;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::by_hand::{NAME, call, outlet, read, ready, setup};
use crate::console::{call as open, sign_in, text};
use crate::gateway::{EVERYTHING, Gateway, Setup, World, both, count, within};
use crate::sealed::{sealed, seals_soon};
use crate::warning::{COUNTY, Warning, now};

/// Of the county's officer, and the town's: the second is nobody's number any more.
const STATION: &str = "00010000021";
const TOWN: &str = "00020000022";
const BASE: &str = "https://w.example.invalid";

fn called(window: &str) -> Setup {
    let mut setup = setup();
    setup.plan = setup.plan.replace("30m", window);
    let prompt = format!(
        "[channel.prompt]\nby = [\"sms\", \"mail\"]\n[channel.settings]\nbase = \"{BASE}\"\n"
    );
    let settings = setup.mail.settings.replace("[channel.settings]\n", &prompt);
    setup.mail.settings = settings;
    setup
}

/// The texts to a number, once there are so many.
async fn texts(world: &World, number: &str, least: usize) -> Vec<String> {
    let mut before = Vec::new();
    within("the texts have come", async || {
        let texts = world.smsc.to(number);
        // With all their parts.
        let whole = texts.len() >= least && texts == before;
        before.clone_from(&texts);
        whole.then_some(texts)
    })
    .await
}

/// The path of the link at a text's end.
fn path(text: &str) -> String {
    let (_, link) = text.rsplit_once(' ').expect("a link at its end");
    let path = link.strip_prefix(BASE).expect("the public address");
    path.to_owned()
}

/// Where a short link leads.
async fn followed(gateway: &Gateway, short: &str) -> String {
    let reply: Reply = call(gateway, "GET", short, &Value::Null).await;
    assert_eq!(reply.status, 303, "{short}");
    let place = reply.headers.iter().find(|(name, _)| name == "location");
    place.expect("a place").1.clone()
}

#[tokio::test]
async fn who_has_no_page_open_is_called_by_a_text_and_again_until_it_is_overdue_and_not_twice() {
    let mut world = World::start(called("4s")).await;
    let alert = world.gateway.submit(&Warning::red("c-1", &[COUNTY])).await;
    let first = texts(&world, STATION, 1).await.remove(0);
    assert!(first.starts_with("【平武水利】请播发:"), "{first}");
    assert!(first.chars().count() <= 134, "two parts: {first}");
    let item = followed(&world.gateway, &path(&first)).await;
    let shown = read(&world.gateway, &item).await;
    assert_eq!(shown["outlet"]["name"], "pingwu", "{shown}");
    let forged = path(&first).replace("/s/", "/s/A");
    let reply = call(&world.gateway, "GET", &forged, &Value::Null).await;
    assert_eq!(reply.status, 403);

    let all = texts(&world, STATION, 3).await;
    assert!(
        all[1].contains("催办:") && all[2].contains("至今未报"),
        "{all:?}"
    );
    assert!(all.iter().all(|text| path(text) == path(&first)));
    let list = format!("/v1/alerts/{alert}/by-hand");
    let overdue = within("it is overdue", async || {
        let list = world.gateway.get(&list).await;
        let items = list["items"].as_array().cloned().unwrap_or_default();
        let own = items
            .into_iter()
            .find(|item| item["outlet"]["kind"] == "tv");
        own.filter(|item| item["overdue_since"] == item["due"])
    })
    .await;
    assert_eq!(overdue["standing_zh"], "逾期未播");
    assert_eq!(overdue["whom"], "合成官县值班");
    assert_eq!(
        overdue["prompts"].as_array().map(Vec::len),
        Some(3),
        "{overdue}"
    );

    let cookie = sign_in(&world.gateway, EVERYTHING).await;
    let page = format!("/console/alerts/{alert}/by-hand");
    let page = text(&open(&world.gateway, "GET", &page, &cookie, "").await);
    for part in [
        "逾期未播",
        "催办 called:",
        "aria-label=\"https://w.example.invalid/v1/channels/tv/s/",
        "合成官县值班",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }

    // The town's number is dead: what is said again goes by the next way.
    let letters = within("the town has letters", async || {
        let letters = world.mail.received();
        let own = letters
            .into_iter()
            .filter(|l| l.recipient.contains("hecheng-town"));
        let own: Vec<_> = own.collect();
        (own.len() == 2).then_some(own)
    })
    .await;
    assert_eq!(letters.len(), 2);
    assert!(world.smsc.to(TOWN).len() <= 1);

    world.gateway.kill().await;
    world.gateway.start().await;
    world.gateway.submit(&Warning::red("c-2", &[COUNTY])).await;
    let all = texts(&world, STATION, 4).await;
    assert_eq!(all.len(), 4, "a restart says nothing again: {all:?}");
    assert!(all[3].contains("请播发:"), "{all:?}");
    let journal = world.gateway.run(&["journal", "dump", "--json"]).await;
    let said = both(&journal) + &world.gateway.said();
    assert!(said.contains("prompted"), "{said}");
    assert!(!said.contains(STATION) && !said.contains("合成官") && !said.contains(BASE));
}

#[tokio::test]
async fn what_stood_at_the_outlets_of_a_sealed_alert_can_be_looked_at_and_takes_nothing_more() {
    let mut soon = setup();
    soon.plan = soon.plan.replace("30m", "4s");
    let mut world = World::start(soon).await;
    let gateway = &mut world.gateway;
    let warning = Warning {
        expires: now() + 5,
        ..Warning::red("c-3", &[COUNTY])
    };
    let alert = gateway.submit(&warning).await;
    ready(gateway, alert).await;
    let list = outlet(gateway, "tv:pingwu").await;
    let item = read(gateway, &list).await["items"][0].clone();
    let link = item["link"].as_str().expect("a link").to_owned();
    let entry = json!({"outcome": "played", "name": NAME, "done": item["since"]});
    assert_eq!(call(gateway, "POST", &link, &entry).await.status, 200);

    seals_soon(gateway).await;
    sealed(gateway, alert).await;
    let item = read(gateway, &link).await;
    assert_eq!(
        (&item["sealed"], &item["standing"]),
        (&json!(true), &json!("done"))
    );
    assert_eq!(item["entries"][0]["name"], NAME);
    let late = json!({"outcome": "cannot", "name": NAME, "done": item["since"]});
    let reply = call(gateway, "POST", &link, &late).await;
    let why: Value = serde_json::from_slice(&reply.body).expect("JSON");
    assert_eq!((reply.status, &why["code"]), (410, &json!("sealed")));
    assert_eq!(read(gateway, &list).await["items"], json!([]));

    let path = format!("/v1/alerts/{alert}/by-hand");
    let told = gateway.call("GET", &path, EVERYTHING, "").await.body;
    let items = told["items"].as_array().expect("items");
    assert_eq!(items.len(), 2, "{told}");
    let tv = items.iter().find(|item| item["outlet"]["kind"] == "tv");
    let tv = tv.expect("the crawl");
    assert_eq!(tv["entries"][0]["name"], NAME);
    let one = format!("{path}/{}", tv["delivery"]);
    let report =
        json!({"outcome": "cannot", "name": NAME, "done": item["since"], "means": "phone"});
    let filed = gateway
        .call("POST", &one, EVERYTHING, &report.to_string())
        .await;
    assert_eq!(filed.body["type"], "/problems/filed", "{}", filed.body);
    let cookie = sign_in(gateway, EVERYTHING).await;
    let page = format!("/console/alerts/{alert}/by-hand");
    let page = text(&open(gateway, "GET", &page, &cookie, "").await);
    assert!(page.contains(NAME) && page.contains("已归档"), "{page}");
    assert!(!page.contains("<form class=\"report\""), "{page}");
}

/// A quarter of a minute takes half a second, and sounds are counted.
const QUICK: &str = "const own = window.setInterval; window.setInterval = (f, t) => own(f, t / 30); \
    window.sounds = 0; window.AudioContext = class { currentTime = 0; destination = null; \
    createOscillator() { return { frequency: {}, connect() {}, start() { window.sounds += 1; }, stop() {} }; } };";

#[tokio::test]
async fn an_open_list_renews_itself_and_sounds_until_somebody_has_entered_something() {
    let world = World::start(setup()).await;
    let gateway = &world.gateway;
    let list = outlet(gateway, "tv:pingwu").await;
    let browser = Browser::start().await;
    browser.before_pages(QUICK).await;
    browser.open(&format!("{}{list}", gateway.base)).await;
    let waiting = "return document.getElementById('list').dataset.waiting";
    browser.until(waiting, &json!("0")).await;
    browser.click("#sound").await;
    assert_eq!(browser.script("return window.sounds").await, 1);
    let alert = gateway.submit(&Warning::red("c-4", &[COUNTY])).await;
    browser.until(waiting, &json!("1")).await;
    let title = "return document.title.startsWith('(1)')";
    browser.until(title, &json!(true)).await;
    let sounds = "return window.sounds >= 3";
    browser.until(sounds, &json!(true)).await;

    ready(gateway, alert).await;
    let item = read(gateway, &list).await["items"][0].clone();
    let link = item["link"].as_str().expect("a link").to_owned();
    let entry = json!({"outcome": "played", "name": NAME, "done": item["since"]});
    assert_eq!(call(gateway, "POST", &link, &entry).await.status, 200);
    browser.until(waiting, &json!("0")).await;
    // It is renewed without a sound from now on.
    let renewed = "window.asked = window.asked || performance.getEntriesByType('resource').length; \
                   window.still = window.still ?? window.sounds; \
                   return performance.getEntriesByType('resource').length >= window.asked + 2";
    browser.until(renewed, &json!(true)).await;
    let silent = "return window.sounds === window.still";
    assert_eq!(browser.script(silent).await, true);
    assert_eq!(browser.complaints().await, Vec::<Value>::new());
}

#[tokio::test]
async fn outlets_have_their_row_in_the_preview_and_among_the_channels_with_their_best_proof() {
    let world = World::start(setup()).await;
    let gateway = &world.gateway;
    let warning = Warning::red("c-5", &[COUNTY]);
    let (path, xml) = ("/v1/alerts?preview=true", warning.xml());
    let shown = gateway.call("POST", path, EVERYTHING, &xml).await.body;
    let reach = shown["reach"].as_array().expect("rows");
    let own: Vec<_> = reach.iter().filter(|row| row["channel"] == "tv").collect();
    assert!(own.iter().all(|row| row["grade"] == "confirmed"), "{shown}");
    let deliveries: u64 = own.iter().map(|row| count(&row["deliveries"])).sum();
    assert_eq!(deliveries, 2, "{shown}");
    let channels = gateway.get("/v1/channels").await;
    let listed = channels["channels"].as_array().expect("a list").iter();
    let tv = listed
        .clone()
        .find(|line| line["name"] == "tv")
        .expect("it");
    assert_eq!(tv["best_evidence"], "acknowledged", "{channels}");
    let alert = gateway.submit(&warning).await;
    ready(gateway, alert).await;
    let line = gateway.channel(alert, "tv").await;
    assert_eq!((count(&line["total"]), count(&line["reached"])), (2, 0));
}
