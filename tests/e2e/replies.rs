//! People write back, over SMPP and over CMPP: a word of acknowledgement confirms the door of whoever has the number, the
//! far end is answered when that is durable, and a restart in between loses nothing.

use serde_json::{Value, json};
use sms::peer::Speaks;

use crate::county::VILLAGE_A1;
use crate::gateway::{EVERYTHING, World, both, within};
use crate::setup::Setup;
use crate::warning::{COUNTY, Warning};

const DOOR: &str = "8600010000001";
const WANTED: &str = "水已进屋,需要船";

impl World {
    /// How the first door of the first village stands.
    async fn first_door(&self, alert: u64) -> Value {
        let path = format!("/v1/alerts/{alert}/households?under={VILLAGE_A1}");
        let doors = self.gateway.get(&path).await;
        doors["households"][0].clone()
    }

    async fn confirmed(&self, alert: u64) {
        within("the door is confirmed", async || {
            let door = self.first_door(alert).await;
            (door["by"] == "confirmed" && door["by_zh"] == "本人确认").then_some(())
        })
        .await;
    }

    /// Every reply has been answered.
    async fn answered(&self, replies: u64) {
        within("the far end is answered", async || {
            (self.smsc.counters().replies_answered >= replies).then_some(())
        })
        .await;
    }

    async fn replies(&self, alert: u64) -> Value {
        let path = format!("/v1/alerts/{alert}/replies");
        let answer = self.gateway.call("GET", &path, EVERYTHING, "").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }
}

#[tokio::test]
async fn a_one_over_smpp_confirms_the_door_and_outlives_a_kill() {
    let mut world = World::start(Setup::default()).await;
    let alert = world.gateway.submit(&Warning::red("R-1", &[COUNTY])).await;
    world.gateway.ended(alert).await;
    world.smsc.reply("8600019999999", "1");
    world.smsc.reply("8600010000001", WANTED);
    world.smsc.reply(DOOR, "1");
    world.confirmed(alert).await;
    world.answered(3).await;
    world.gateway.kill().await;
    world.gateway.start().await;
    world.confirmed(alert).await;
    let said = world.replies(alert).await;
    assert_eq!(
        (&said["acknowledged"], &said["wrote"]),
        (&json!(1), &json!(1)),
        "{said}"
    );
    let texts: Vec<_> = said["replies"].as_array().expect("a list").iter().collect();
    assert!(texts.iter().any(|line| line["text"] == WANTED), "{said}");
    let strays = world
        .gateway
        .call("GET", "/v1/replies", EVERYTHING, "")
        .await;
    assert_eq!(strays.body["channels"]["sms"], 1, "{}", strays.body);

    // The same word once more changes nothing.
    let before = said["acknowledged"].clone();
    world.smsc.reply(DOOR, "收到");
    world.answered(4).await;
    assert_eq!(world.replies(alert).await["acknowledged"], before);
    let dumped = world.gateway.run(&["journal", "dump", "--json"]).await;
    let dumped = both(&dumped);
    assert!(dumped.contains("\"answered\":") && dumped.contains("\"strayed\":"));
    for secret in ["00010000001", "00019999999", WANTED] {
        assert!(!dumped.contains(secret), "{secret} stands in the journal");
        assert!(
            !world.gateway.said().contains(secret),
            "{secret} was logged"
        );
    }
}

#[tokio::test]
async fn a_one_over_cmpp_confirms_the_door_and_what_was_not_answered_comes_again_after_a_kill() {
    let mut world = World::start(Setup::default()).await;
    world.gateway.terminate().await;
    world.smsc.down().await;
    world
        .smsc
        .speak(Speaks::Cmpp(sms::codec::cmpp::Version::V30));
    world.smsc.up().await;
    let path = world.gateway.path("tocsin.toml");
    let text = std::fs::read_to_string(path).expect("it was written");
    let text = text
        .replace("kind = \"sms\"", "kind = \"sms-cmpp\"")
        .replace(
            "system_id = \"bureau\"",
            "sp_id = \"bureau\"\nversion = \"3.0\"",
        )
        .replace("password = \"pass\"", "secret = \"pass\"");
    world.gateway.write("tocsin.toml", &text);
    world.gateway.start().await;
    let alert = world.gateway.submit(&Warning::red("R-2", &[COUNTY])).await;
    world.gateway.ended(alert).await;
    world.gateway.kill().await;
    // It is written while nobody is there to take it.
    world.smsc.reply(DOOR, "1");
    world.gateway.start().await;
    world.confirmed(alert).await;
    world.answered(1).await;
    let story = world.gateway.deliveries(alert, 1).await;
    let events = world.gateway.events(alert, &story[0]).await;
    let names: Vec<_> = events.iter().map(|event| &event["event"]).collect();
    assert!(names.contains(&&json!("acknowledged")), "{names:?}");
}
