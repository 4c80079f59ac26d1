//! A warning goes out, and every figure about it is held against what the far ends did.

use serde_json::{Value, json};

use crate::county::{TOWN_A, TOWN_B, VILLAGE_A1, VILLAGE_A2, VILLAGE_B1, VILLAGE_B2};
use crate::gateway::{Gateway, Setup, World, count};
use crate::warning::{COUNTY, Warning};

/// Every household stands in exactly one place.
fn adds_up(row: &Value) {
    let all =
        |group: &Value| -> u64 { group.as_object().expect("counts").values().map(count).sum() };
    let told = all(&row["reached"])
        + all(&row["missed"])
        + count(&row["unknown"])
        + count(&row["pending"]);
    assert_eq!(told, count(&row["at_home"]), "{row}");
    assert_eq!(
        count(&row["at_home"]) + count(&row["away"]),
        count(&row["households"]),
        "{row}"
    );
}

/// The figures of households in the order of the tables' columns.
pub const HOUSEHOLDS: [&str; 14] = [
    "/households",
    "/away",
    "/at_home",
    "/reached/confirmed",
    "/reached/delivered",
    "/reached/played",
    "/pending",
    "/held",
    "/unknown",
    "/missed/no_endpoint",
    "/missed/refused",
    "/missed/failed",
    "/missed/expired",
    "/missed/withdrawn",
];

/// These figures of a row.
pub fn figures(row: &Value, names: &[&str]) -> Vec<u64> {
    let of = |name: &&str| count(row.pointer(name).expect("a figure"));
    names.iter().map(of).collect()
}

/// The rows below add up to their total, figure by figure.
fn sums(coverage: &Value) {
    let rows = coverage["rows"].as_array().expect("rows");
    let mut sums = vec![0; HOUSEHOLDS.len()];
    for row in rows {
        for (sum, figure) in sums.iter_mut().zip(figures(row, &HOUSEHOLDS)) {
            *sum += figure;
        }
    }
    let total = figures(&coverage["total"], &HOUSEHOLDS);
    assert_eq!(sums, total, "{HOUSEHOLDS:?} of {coverage}");
    rows.iter().chain([&coverage["total"]]).for_each(adds_up);
}

/// The answer of a household: `reached played`.
async fn answer(gateway: &Gateway, alert: u64, village: &str, household: u64) -> String {
    let list = gateway
        .get(&format!("/v1/alerts/{alert}/households?under={village}"))
        .await;
    let doors = list["households"].as_array().expect("a list");
    let door = doors
        .iter()
        .find(|door| door["id"] == household)
        .expect("the door");
    if door["away"] == true {
        return "away".into();
    }
    let word = |key: &str| door[key].as_str().unwrap_or_default().to_owned();
    format!("{} {}", word("answer"), word("by"))
        .trim_end()
        .to_owned()
}

#[tokio::test]
async fn a_red_warning_reaches_every_household_that_can_be_reached() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let alert = gateway.submit(&Warning::red("a-1", &[COUNTY])).await;
    let view = gateway.ended(alert).await;
    assert_eq!(view["state"], "in-force");

    let county = gateway.coverage(alert, COUNTY).await;
    let total = &county["total"];
    assert_eq!(
        (count(&total["households"]), count(&total["away"])),
        (14, 2)
    );
    assert_eq!(
        total["reached"],
        json!({ "confirmed": 0, "delivered": 3, "played": 1 })
    );
    assert_eq!(
        total["missed"],
        json!({ "no_endpoint": 2, "refused": 2, "failed": 1, "expired": 0, "withdrawn": 0 })
    );
    assert_eq!((count(&total["unknown"]), count(&total["pending"])), (3, 0));
    assert_eq!(
        total["speakers"],
        json!({ "total": 3, "played": 1, "failed": 1, "unknown": 1, "pending": 0, "not_called": 0 })
    );
    for (village, household, told) in [
        (VILLAGE_A1, 1, "reached delivered"),
        (VILLAGE_A1, 2, "reached played"),
        (VILLAGE_A1, 3, "missed refused"),
        (VILLAGE_A1, 4, "away"),
        (VILLAGE_A2, 5, "missed refused"),
        (VILLAGE_A2, 6, "missed no-endpoint"),
        (VILLAGE_A2, 7, "unknown"),
        (VILLAGE_B1, 8, "reached delivered"),
        (VILLAGE_B1, 9, "unknown"),
        (VILLAGE_B1, 10, "reached delivered"),
        (VILLAGE_B2, 11, "unknown"),
        (VILLAGE_B2, 12, "missed no-endpoint"),
        (VILLAGE_B2, 13, "missed failed"),
        (VILLAGE_B2, 14, "away"),
    ] {
        assert_eq!(
            answer(gateway, alert, village, household).await,
            told,
            "household {household}"
        );
    }
}

#[tokio::test]
async fn coverage_answers_from_the_county_down_to_a_single_attempt_and_adds_up_at_every_level() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let alert = gateway.submit(&Warning::red("a-1", &[COUNTY])).await;
    gateway.ended(alert).await;

    let county = gateway.coverage(alert, COUNTY).await;
    sums(&county);
    let mut towns = Vec::new();
    for row in county["rows"].as_array().expect("rows") {
        let code = row["region"].as_str().expect("a code");
        let town = gateway.coverage(alert, code).await;
        sums(&town);
        assert_eq!(
            town["total"]["reached"], row["reached"],
            "{code} says the same from above and from within"
        );
        assert_eq!(town["total"]["missed"], row["missed"]);
        for row in town["rows"].as_array().expect("rows") {
            let code = row["region"].as_str().expect("a code");
            let village = gateway.coverage(alert, code).await;
            sums(&village);
            assert_eq!(village["total"]["reached"], row["reached"]);
            for answer in ["reached", "missed", "unknown", "pending", "away"] {
                let path = format!("/v1/alerts/{alert}/households?under={code}&answer={answer}");
                let list = gateway.get(&path).await["households"]
                    .as_array()
                    .expect("a list")
                    .len();
                let figure = match &row[answer] {
                    Value::Object(parts) => parts.values().map(count).sum(),
                    one => count(one),
                };
                assert_eq!(
                    u64::try_from(list).expect("few"),
                    figure,
                    "{answer} of {code}"
                );
            }
        }
        towns.push(code.to_owned());
    }
    assert_eq!(towns, [TOWN_A, TOWN_B]);
}

#[tokio::test]
async fn the_events_of_a_delivery_tell_its_whole_story() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let alert = gateway.submit(&Warning::red("a-1", &[COUNTY])).await;
    gateway.ended(alert).await;
    let story = async |household: u32| -> Vec<String> {
        let deliveries = gateway.deliveries(alert, household).await;
        let own = deliveries
            .iter()
            .find(|d| d["speaker"] == false)
            .expect("its own");
        let events = gateway.events(alert, own).await;
        let names = events
            .iter()
            .map(|e| e["event"].as_str().expect("a name").to_owned());
        // A long text brings one receipt for each of its parts.
        let mut names: Vec<String> = names.collect();
        names.dedup();
        names
    };
    assert_eq!(story(1).await, ["planned", "handed", "accepted", "receipt"]);
    assert_eq!(story(3).await, ["planned", "handed", "refused"]);
    assert_eq!(story(7).await, ["planned", "handed", "accepted", "overdue"]);
    assert_eq!(
        story(10).await,
        [
            "planned", "handed", "refused", "handed", "accepted", "receipt"
        ],
        "refused for the moment, tried again"
    );
    assert_eq!(
        story(11).await,
        ["planned", "handed", "accepted"],
        "mail proves no more"
    );
    let again = gateway.deliveries(alert, 10).await;
    assert_eq!(
        (&again[0]["attempts"], &again[0]["answer"]),
        (&json!(2), &json!("reached"))
    );
    assert_eq!(again[0]["in_doubt"], false);
    let refused = gateway.deliveries(alert, 3).await;
    assert_eq!(refused[0]["code"], "smpp:0x0B");
}

#[tokio::test]
async fn everyone_is_told_once_and_in_their_language() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let alert = gateway.submit(&Warning::red("a-1", &[COUNTY])).await;
    gateway.ended(alert).await;
    let taken = world.smsc.taken();
    assert!(taken.values().all(|times| *times == 1), "{taken:?}");
    let chinese = world.smsc.to("00010000001");
    assert!(
        chinese[0].starts_with("【平武水利】山洪灾害红色预警"),
        "{chinese:?}"
    );
    assert!(!chinese[0].contains("Walk"));
    let english = world.smsc.to("00040000010");
    assert!(
        english[1].contains("Walk to high ground now."),
        "{english:?}"
    );
    let mails = world.mail.received();
    let mut to: Vec<_> = mails.iter().map(|mail| mail.recipient.as_str()).collect();
    to.sort_unstable();
    assert_eq!(
        to,
        [
            "hecheng-ding@example.invalid",
            "hecheng-duty@example.invalid",
            "hecheng-town@example.invalid"
        ]
    );
    let heard = world.horn.heard();
    let played = heard.iter().filter(|order| order.played).count();
    assert_eq!(
        (played, heard.len(), world.horn.refused().len()),
        (2, 3, 0),
        "{heard:?}"
    );
}
