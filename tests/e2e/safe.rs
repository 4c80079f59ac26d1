//! 报平安 after the earthquake of 平武: the bulletin goes to the officers of 178 villages, 141 write back, the other 37 are called
//! by telephone and 24 press a key; 13 are silent, and whoever is above them is told their names. In seconds instead of
//! minutes. These tests must not ask the gateway who has answered: the far ends know.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use voice::peer::{Exchange, Manner, Settings};

use crate::console::{call, sign_in, text};
use crate::county;
use crate::gateway::{EVERYTHING, Gateway, Setup, WATER, World, count, within};
use crate::warning::{COUNTY, Warning};

const VILLAGES: usize = 178;
const BY_CODE: usize = 141;
const BY_PHONE: usize = 24;
const TOWNS: usize = 20;
const STATION: &str = "00019000000";

const PLAN: &str = r#"name = "earthquake"
language = "zh-CN"
lifetime = "4h"
[match]
events = ["11C"]
[[send]]
audience = "officers"
channels = ["sms"]
receipt_window = "5m"
confirm = true
[[silent]]
after = "15s"
at = ["village"]
channels = ["calls"]
receipt_window = "5m"
[[silent]]
after = "40s"
at = ["town", "county"]
channels = ["sms"]
receipt_window = "5m"
"#;

fn town(nth: usize) -> String {
    format!("510727{:03}000", 100 + nth % TOWNS)
}

fn village(nth: usize) -> String {
    format!("{}{:03}", &town(nth)[..9], 201 + nth / TOWNS)
}

/// No such number rings.
fn number(nth: usize) -> String {
    format!("0001{nth:07}")
}

/// An officer in every village and every town, and one on duty in the county.
fn setup(exchange: &Exchange) -> Setup {
    let mut files = county::small();
    let mut regions = String::from(
        "code,name,lat,lon\n510000000000,四川省,,\n510700000000,绵阳市,,\n510727000000,平武县,,\n",
    );
    let mut people = String::from("id,household,name,language\n9000,,合成县值班,zh-CN\n");
    let mut posts = String::from("recipient,region,role\n9000,510727000000,duty\n");
    let mut endpoints = format!("id,recipient,kind,address\n9000,9000,mobile,{STATION}\n");
    let mut officer = |id: usize, region: &str, number: &str| {
        writeln!(people, "{id},,合成官{id},zh-CN").expect("a String");
        writeln!(posts, "{id},{region},duty").expect("a String");
        writeln!(endpoints, "{id},{id},mobile,{number}").expect("a String");
    };
    for nth in 0..TOWNS {
        writeln!(regions, "{},试{nth}镇,,", town(nth)).expect("a String");
        officer(8_000 + nth, &town(nth), &number(8_000 + nth));
    }
    for nth in 0..VILLAGES {
        writeln!(regions, "{},试{nth}村,,", village(nth)).expect("a String");
        officer(1 + nth, &village(nth), &number(nth));
    }
    // The world of these tests has three loudspeakers: nobody tells them anything here.
    let mut speakers = String::from("endpoint,village,name\n");
    for (nth, device) in county::DEVICES.iter().enumerate() {
        let id = 301 + nth;
        writeln!(endpoints, "{id},,speaker,{device}").expect("a String");
        writeln!(speakers, "{id},{},合成喇叭{nth}", village(0)).expect("a String");
    }
    files.insert("regions", regions);
    files.insert("households", "id,village,group,name,presence,tags\n".into());
    files.insert("recipients", people);
    files.insert("posts", posts);
    files.insert("endpoints", endpoints);
    files.insert("speakers", speakers);
    files.insert("hearing", "speaker,household\n".into());
    let more = format!(
        "\n[[channel]]\nname = \"calls\"\nkind = \"voice\"\nrate = \"100/s burst 100\"\n\
         [channel.settings]\nlines = 30\ncalls = \"mobile\"\n\
         [channel.settings.trunk]\nhost = \"127.0.0.1\"\nport = {}\naddress = \"127.0.0.1\"\nuser = \"0816\"\nring = 4\n",
        exchange.port()
    );
    Setup {
        files,
        plan: PLAN.into(),
        more,
        ..Setup::default()
    }
}

async fn villages(gateway: &Gateway, alert: u64) -> Value {
    gateway.get(&format!("/v1/alerts/{alert}/villages")).await
}

/// What a far end knows: the villages from which nobody has answered in any way.
fn silent() -> BTreeSet<String> {
    (BY_CODE + BY_PHONE..VILLAGES).map(village).collect()
}

fn named(lines: &Value, state: &str) -> BTreeSet<String> {
    let lines = lines["lines"].as_array().expect("lines").iter();
    let own = lines.filter(|line| line["state"] == state);
    let village = |line: &Value| line["village"].as_str().unwrap_or_default().to_owned();
    own.map(village).collect()
}

/// Who is not among those who write back picks up the telephone and presses a key, or lets it ring.
fn picks_up(number: &str) -> Manner {
    let nth = number.get(number.len().saturating_sub(7)..);
    let nth = nth.and_then(|nth| nth.parse().ok()).unwrap_or(VILLAGES);
    if (BY_CODE..BY_CODE + BY_PHONE).contains(&nth) {
        Manner::Press('1', Duration::from_millis(400))
    } else {
        Manner::NoAnswer
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_village_reports_by_a_word_or_by_telephone_and_the_silent_ones_are_named_to_whoever_is_above()
 {
    let exchange = Exchange::start(Settings {
        script: Arc::new(picks_up),
        ..Settings::default()
    })
    .await
    .expect("a port");
    let mut world = World::start(setup(&exchange)).await;
    let bulletin = Warning::red("bulletin", &[COUNTY]).xml();
    let bulletin = bulletin.replace("11A51", "11C02");
    let bulletin = bulletin.replace("<urgency>Immediate</urgency>", "<urgency>Past</urgency>");
    let taken = world.gateway.post(WATER, &bulletin).await;
    assert_eq!(taken.status, 202, "{}", taken.body);
    let alert = taken.body["id"].as_u64().expect("an id");
    within("everybody has the bulletin", async || {
        (world.smsc.taken().len() == VILLAGES + TOWNS + 1).then_some(())
    })
    .await;
    for nth in 0..BY_CODE {
        world.smsc.reply(&format!("86{}", number(nth)), "1");
    }
    let by_code = within("141 have written", async || {
        let said = villages(&world.gateway, alert).await;
        (said["by"]["sms"] == BY_CODE).then_some(said)
    })
    .await;
    assert_eq!(
        (count(&by_code["waiting"]), count(&by_code["silent"])),
        ((VILLAGES - BY_CODE) as u64, 0),
        "nobody is silent before somebody looks"
    );
    assert_eq!(by_code["looks"].as_array().map(Vec::len), Some(2));

    // The first look: their own officers are called, and nobody else.
    let heard = within("24 have pressed a key", async || {
        let said = villages(&world.gateway, alert).await;
        (said["by"]["voice"] == BY_PHONE).then_some(said)
    })
    .await;
    assert_eq!(named(&heard, "silent"), silent());
    let called: BTreeSet<_> = exchange
        .taken()
        .into_iter()
        .map(|call| call.number)
        .collect();
    let wanted: BTreeSet<_> = (BY_CODE..BY_CODE + BY_PHONE).map(number).collect();
    assert_eq!(called, wanted, "who has picked up, and nobody else");
    assert_eq!(
        world.smsc.to(STATION).len(),
        1,
        "nobody above is troubled yet"
    );

    world.gateway.kill().await;
    world.gateway.start().await;
    names_are_told(&world).await;
    found_again(&world, alert).await;
}

/// The second look: whoever is above is told the names, once, over a kill.
async fn names_are_told(world: &World) {
    let text_to = async |number: &str| {
        within("they are told", async || {
            world.smsc.to(number).get(1).cloned()
        })
        .await
    };
    let station = text_to(STATION).await;
    assert!(station.contains("以下13个村至今无人应答:"), "{station}");
    for nth in BY_CODE + BY_PHONE..VILLAGES {
        let name = format!("试{}·试{nth}村", nth % TOWNS);
        let own = text_to(&number(8_000 + nth % TOWNS)).await;
        assert!(
            station.contains(&name) && own.contains(&name),
            "{name}: {own}"
        );
        assert!(own.contains("以下1个村"), "{own}");
    }
    within("the look is over", async || {
        let journal = world.gateway.journal().await;
        let last = journal
            .iter()
            .any(|line| line["event"]["planned"]["step"] == 0x8001);
        last.then_some(())
    })
    .await;
    let again = world.smsc.texts().len();
    assert_eq!(
        again,
        VILLAGES + TOWNS + 1 + 14,
        "13 towns and the county, once each"
    );
}

/// Somebody walked there: found again, and it stays to be seen that it was silent.
async fn found_again(world: &World, alert: u64) {
    let found = BY_CODE + BY_PHONE;
    world
        .smsc
        .reply(&format!("86{}", number(found)), "房子裂了两间,人都在");
    let after = within("it is heard from", async || {
        let said = villages(&world.gateway, alert).await;
        (said["silent"] == 12).then_some(said)
    })
    .await;
    let lines = after["lines"].as_array().expect("lines").iter();
    let line = lines.clone().find(|line| line["village"] == village(found));
    let line = line.expect("its line");
    assert!(
        !line["silent"].is_null() && line["state_zh"] == "有应答",
        "{line}"
    );

    let csv = format!("/v1/alerts/{alert}/villages?format=csv");
    let csv = world.gateway.call_text(&csv, EVERYTHING).await;
    assert_eq!(
        csv.lines().filter(|line| line.contains(",失联,")).count(),
        12
    );
    let cookie = sign_in(&world.gateway, EVERYTHING).await;
    // The page, and the part of it that an open page asks for anew.
    for page in [
        format!("/console/alerts/{alert}"),
        format!("/console/alerts/{alert}/villages?under={COUNTY}"),
    ] {
        let page = text(&call(&world.gateway, "GET", &page, &cookie, "").await);
        assert!(
            page.contains("data-heard=\"166\" data-silent=\"12\" data-waiting=\"0\""),
            "{page}"
        );
    }
    let said = world.gateway.said();
    assert!(said.contains("villages have not been heard from") && !said.contains(&number(found)));
}
