//! The page 大喇叭 as an officer meets it, at a desk and on a telephone: how each loudspeaker stands, who looks after it, and a
//! repair from its entry to its end, which every preview counts.

use std::sync::Arc;
use std::time::Duration;

use channel::{HttpClient, SystemClock, Timestamp};
use loudspeaker::peer::device_key;
use loudspeaker::{Heartbeat, Line};
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::console::api_file;
use crate::county::DEVICES;
use crate::gateway::{EVERYTHING, Gateway, OPERATOR, Setup, World};
use crate::peers;
use crate::warning::{COUNTY, Warning};

/// The first has all that can be known about a box, and its card ends in ten days; the second's card is over; of the third
/// nothing is known.
fn speakers() -> String {
    let in_ten_days = Timestamp::from_secs(crate::warning::now()).plus(Duration::from_hours(240));
    let (year, month, day, ..) = in_ten_days.civil();
    format!(
        "endpoint,village,name,keeper,phone,sim,sim_expires,power,hours,volume,maker,lat,lon
301,510727101201,合成喇叭甲,合成管护员,00012345678,0001234567890,{year:04}-{month:02}-{day:02},mains,8,80,合成厂,32.4,104.5
302,510727101202,合成喇叭乙,,,0001234567891,2020-01-31,solar,,,,,
303,510727102201,合成喇叭丙,,,,,,,,,,
"
    )
}

async fn enters(gateway: &Gateway) -> Browser {
    let browser = Browser::start().await;
    browser.open(&format!("{}/", gateway.base)).await;
    browser.write("#token", OPERATOR).await;
    browser.click("form.sign-in button").await;
    let in_it = "return document.querySelector('header.top') !== null";
    browser.until(in_it, &json!(true)).await;
    browser
}

async fn rows(browser: &Browser, gateway: &Gateway, query: &str) -> Vec<String> {
    browser
        .open(&format!("{}/console/horns{query}", gateway.base))
        .await;
    let all =
        "return [...document.querySelectorAll('table.horns tbody tr')].map(r => r.dataset.device)";
    let rows = browser.script(all).await;
    serde_json::from_value(rows).expect("ids")
}

/// How many speakers the preview of a red warning for the county counts as not working.
async fn dead(gateway: &Gateway) -> Value {
    let warning = Warning::red("h-1", &[COUNTY]).xml();
    let answer = gateway
        .call("POST", "/v1/alerts?preview=true", EVERYTHING, &warning)
        .await;
    answer.body["dead_speakers"].clone()
}

#[tokio::test]
async fn officers_see_each_loudspeaker_and_its_repair_at_a_desk_and_on_a_telephone() {
    let mut setup = Setup::default();
    setup.files.insert("speakers", speakers());
    let world = World::start(setup).await;
    let gateway = &world.gateway;
    let browser = enters(gateway).await;
    browser
        .click("header.top nav a[href='/console/horns']")
        .await;
    // They call by themselves; the page is asked again until all of them are there.
    let there = "return document.querySelectorAll('.stand.there').length === 3 || (location.reload(), false)";
    browser.until(there, &json!(true)).await;
    assert_eq!(rows(&browser, gateway, "").await, DEVICES);
    let towns = "return document.querySelectorAll('svg.towns a').length";
    assert_eq!(browser.script(towns).await, json!(2));
    let works = "return document.querySelector('.works').parentElement.textContent";
    let works = browser.script(works).await;
    assert!(
        works.as_str().is_some_and(|text| text.contains("3/3")),
        "{works}"
    );
    let cards = "const p = document.querySelector('p.problem.cards'); return [p.dataset.soon, p.dataset.over]";
    assert_eq!(browser.script(cards).await, json!(["1", "1"]));
    assert_eq!(rows(&browser, gateway, "?sim=soon").await, [DEVICES[0]]);
    assert_eq!(rows(&browser, gateway, "?sim=over").await, [DEVICES[1]]);
    assert_eq!(
        rows(&browser, gateway, "?sim=unknown&state=there").await,
        [DEVICES[2]]
    );
    assert_eq!(rows(&browser, gateway, "?state=silent").await, [""; 0]);

    files(gateway).await;
    registered(&browser, gateway).await;

    // A keeper is masked until somebody asks for the name and the number.
    let page = format!("{}/console/horns/{}", gateway.base, DEVICES[0]);
    browser.open(&page).await;
    let keeper = "return document.querySelector('dd.keeper').textContent";
    let masked = browser
        .script(keeper)
        .await
        .as_str()
        .expect("a text")
        .to_owned();
    assert!(
        masked.starts_with("合**") && !masked.contains("00012345678"),
        "{masked}"
    );
    browser.click("dd.keeper button").await;
    browser
        .until(
            &format!("{keeper}.trim()"),
            &json!("合成管护员 00012345678"),
        )
        .await;
    let journal = gateway.journal().await;
    let noted = journal
        .iter()
        .filter(|line| line["event"]["looked"]["what"] == "unmasked");
    assert_eq!(noted.count(), 1);

    assert_eq!(dead(gateway).await, json!([]));
    browser.open(&page).await;
    browser
        .write("form.entry input[name=text]", "合成报修说明")
        .await;
    browser.click("form.entry button").await;
    let open = "return document.querySelectorAll('.repair[data-open=true]').length";
    browser.until(open, &json!(1)).await;
    assert_eq!(dead(gateway).await[0]["state"], "repair");
    assert_eq!(rows(&browser, gateway, "?repair=open").await, [DEVICES[0]]);
    phone(&browser, gateway, &page).await;
    let file = api_file(gateway, "/v1/repairs").await;
    let text = String::from_utf8_lossy(&file.body).into_owned();
    assert!(
        text.contains("未修复") && !text.contains("合成报修说明"),
        "{text}"
    );
    browser.open(&page).await;
    browser.click(".repair form.entry button").await;
    browser.until(open, &json!(0)).await;
    assert_eq!(dead(gateway).await, json!([]));
    let complaints = browser.complaints().await;
    assert!(complaints.is_empty(), "{complaints:?}");
}

/// The list as a file, from the page and from the API: the same bytes, and nobody's name or number.
async fn files(gateway: &Gateway) {
    let file = api_file(gateway, "/v1/devices").await;
    let text = String::from_utf8_lossy(&file.body).into_owned();
    assert!(
        text.starts_with("\u{feff}终端,喇叭,地区代码,村,状态,"),
        "{text}"
    );
    assert_eq!(text.lines().count(), 4, "{text}");
    let first = text.lines().find(|line| line.starts_with(DEVICES[0]));
    let first = first.expect("the first loudspeaker");
    assert!(
        first.contains(",即将到期,") && first.contains(",80,合成厂,2,有,"),
        "{first}"
    );
    assert!(
        !text.contains("管护员,0") && !text.contains("合成管护员"),
        "{text}"
    );
    assert!(!text.contains("00012345678"), "{text}");
    let over = api_file(gateway, "/v1/devices?sim=over").await;
    let over = String::from_utf8_lossy(&over.body).into_owned();
    assert!(
        over.lines().count() == 2 && over.contains(DEVICES[1]),
        "{over}"
    );
    let page = api_file(gateway, "/v1/devices?limit=1").await;
    assert_eq!(page.status, 400, "a file is whole");
}

/// What the registry, the journal and the device itself say of one: in the API and on its page.
async fn registered(browser: &Browser, gateway: &Gateway) {
    // As the first says by itself sooner or later.
    let key = device_key(peers::SPEAKER_SECRET, DEVICES[0]);
    let (http, clock) = (
        HttpClient::of_the_house(Duration::from_secs(10)),
        Arc::new(SystemClock::default()),
    );
    let base = format!("{}/v1/channels/horn", gateway.base);
    let line = Line::new(http, &base, DEVICES[0], key, clock);
    let beat = Heartbeat {
        clock: Some(line.now()),
        volume: Some(80),
        ..Heartbeat::idle()
    };
    line.heartbeat(&beat).await.expect("it is heard");
    let list = gateway.get("/v1/devices").await;
    let one = &list["devices"][0];
    let care = &one["care"];
    assert_eq!(
        (
            &care["kept"],
            &care["sim"],
            &care["power"],
            &care["hours"],
            &care["volume"]
        ),
        (
            &json!(true),
            &json!("soon"),
            &json!("mains"),
            &json!(8),
            &json!(80)
        ),
        "{one}"
    );
    assert_eq!(
        (&care["maker"], &care["households"], &care["hearing"]),
        (&json!("合成厂"), &json!(2), &json!([1, 2])),
        "{one}"
    );
    assert!(
        one["enrolled_at"].is_string() && one["heard"].is_string(),
        "{one}"
    );
    let error = one["clock_error_ms"].as_i64().expect("a clock error");
    assert!(error.abs() < 5_000, "{error}");
    let page = format!("{}/console/horns/{}", gateway.base, DEVICES[0]);
    browser.open(&page).await;
    let facts = "return Object.fromEntries(['enrolled', 'heard', 'clock', 'volume', 'hearing'].map(\
        name => [name, document.querySelector('dd.' + name).textContent]))";
    let facts = browser.script(facts).await;
    for (name, wanted) in [
        ("enrolled", " · horn"),
        ("heard", " 秒前"),
        ("clock", " 毫秒"),
        ("volume", "登记 80% · 现在 80%"),
        ("hearing", "1 2"),
    ] {
        let text = facts[name].as_str().expect("a text");
        assert!(text.contains(wanted), "{name}: {text}");
    }
}

/// On a telephone nothing is wider than the screen, and the list is one of cards.
async fn phone(browser: &Browser, gateway: &Gateway, page: &str) {
    browser.telephone(true).await;
    for address in [format!("{}/console/horns", gateway.base), page.to_owned()] {
        browser.open(&address).await;
        let wider =
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(browser.script(wider).await, json!(0), "{address}");
    }
    let cards = "return getComputedStyle(document.querySelector('table.horns td') ?? document.body).display";
    rows(browser, gateway, "").await;
    assert_eq!(browser.script(cards).await, json!("block"));
    browser.telephone(false).await;
}
