//! What people wrote back and which numbers are doubted, as callers see it: a number never, a text only who may.

use channel::{Address, FailureClass, Inlet, Key, Of, Receipt, Uplink, Verdict};

use super::*;
use crate::dispatch::ChannelInlet;
use crate::ledger::event::{HandedRange, Why};

const TEXT: &str = "水已进屋,需要船";

fn uplink(from: &str, text: &str) -> Uplink {
    Uplink {
        from: Address::new(from),
        to: "10690000".into(),
        text: text.into(),
        acknowledges: text == "1",
        of: None,
        far: None,
        seen: START,
    }
}

impl Surface {
    fn account(&self) -> ChannelInlet {
        let desk = self.gate.orders.desk.clone();
        ChannelInlet::new("sms-mobile", desk).hearing("sms", self.gate.replies.clone())
    }

    /// Alert 1, whose texts are all handed.
    async fn handed() -> Self {
        let surface = Self::with_alert().await;
        let range = HandedRange {
            lo: 0,
            hi: 19,
            attempt: 1,
            why: Why::First,
            serial: 1,
        };
        let handed = Event::Handed {
            channel: "sms-mobile".into(),
            ranges: vec![range],
        };
        surface.propose(1, vec![handed]).await;
        surface
    }

    async fn told(&self, path: &str, token: &str) -> Reply {
        self.call("GET", path, token, b"").await
    }
}

#[tokio::test]
async fn replies_are_listed_by_the_page_and_as_a_file_and_no_number_is_shown() {
    let surface = Surface::handed().await;
    let batch = vec![
        uplink("10000000001", "1"),
        uplink("10000000002", TEXT),
        uplink("10000000007", "1"),
    ];
    surface.account().uplinks(batch).await.expect("is kept");
    let all = surface.get("/v1/alerts/1/replies").await;
    assert_eq!(
        (&all["acknowledged"], &all["wrote"]),
        (&json!(2), &json!(1))
    );
    let said: Vec<_> = all["replies"].as_array().expect("a list").iter().collect();
    let lines: Vec<_> = said.iter().map(|l| (&l["household"], &l["said"])).collect();
    let wanted = [(1, "acknowledged"), (2, "wrote"), (7, "acknowledged")];
    let wanted = wanted.map(|(door, said)| (json!(door), json!(said)));
    assert!(lines.into_iter().eq(wanted.iter().map(|(d, s)| (d, s))));
    assert_eq!(
        said[1]["text"],
        Value::Null,
        "who reads figures reads no text"
    );

    let page = surface.get("/v1/alerts/1/replies?limit=2").await;
    assert_eq!(page["next"], 1);
    let rest = surface.get("/v1/alerts/1/replies?after=1").await;
    assert_eq!(rest["replies"].as_array().expect("a list").len(), 1);
    let village = surface.get("/v1/alerts/1/replies?under=510727217202").await;
    assert_eq!(village["replies"].as_array().expect("a list").len(), 1);

    let csv = surface
        .told("/v1/alerts/1/replies?format=csv", "water")
        .await;
    let csv = String::from_utf8_lossy(&csv.body).into_owned();
    assert_eq!(csv.lines().count(), 4, "{csv}");
    let paged = surface.told("/v1/alerts/1/replies?format=csv&limit=1", "water");
    assert_eq!(paged.await.status, 400);
    for shown in [all.to_string(), csv] {
        assert!(!shown.contains("10000000"), "{shown}");
    }
    let events = surface.get("/v1/alerts/1/deliveries/2/events").await;
    let last = events["events"].as_array().and_then(|l| l.last());
    assert_eq!(last.expect("an event")["event"], "wrote");
    surface.stop().await;
}

#[tokio::test]
async fn whoever_keeps_the_registry_reads_texts_and_what_answers_nothing() {
    let surface = Surface::handed().await;
    let batch = vec![uplink("10000000002", TEXT), uplink("19999999999", "谁")];
    surface.account().uplinks(batch).await.expect("is kept");
    let path = "/v1/alerts/1/replies";
    let told = json_of(&surface.told(path, "clerk").await);
    assert_eq!(told["replies"][0]["text"], TEXT, "{told}");
    let strays = json_of(&surface.told("/v1/replies", "keeper").await);
    assert_eq!(strays["channels"]["sms-mobile"], 1);
    assert_eq!(strays["replies"][0]["text"], "谁");
    assert_eq!(strays["replies"][0]["why"], "unknown-number");
    assert!(!strays.to_string().contains("19999999999"));
    assert_eq!(surface.told("/v1/replies", "water").await.status, 403);
    surface.stop().await;
}

#[tokio::test]
async fn a_suspect_number_is_listed_named_at_its_door_and_cleared_by_a_person() {
    let surface = Surface::handed().await;
    let receipt = Receipt {
        of: Of::Key(Key {
            alert: 1,
            delivery: 1,
            generation: 0,
        }),
        verdict: Verdict::Refused(FailureClass::BadAddress),
        code: "MK:0001".into(),
        far: None,
        seen: START,
    };
    surface
        .account()
        .receipts(vec![receipt])
        .await
        .expect("kept");
    let list = json_of(&surface.told("/v1/registry/suspects", "keeper").await);
    assert_eq!(list["count"], 1, "{list}");
    let line = &list["suspects"][0];
    assert_eq!(
        (&line["endpoint"], &line["household"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(line["code"], "MK:0001");
    let csv = surface.told("/v1/registry/suspects?format=csv", "keeper");
    let csv = String::from_utf8_lossy(&csv.await.body).into_owned();
    assert!(csv.contains("1,mobile,1,1,510727217201,"), "{csv}");
    assert!(!csv.contains("10000000001") && !list.to_string().contains("10000000001"));
    let doors = surface
        .get("/v1/alerts/1/households?under=510727217201")
        .await;
    let doubted = |n: usize| doors["households"][n]["suspect_numbers"].clone();
    assert_eq!((doubted(0), doubted(1)), (json!(0), json!(1)));
    let sent = surface.get("/v1/alerts/1/households/1/deliveries").await;
    assert_eq!(sent["deliveries"][0]["suspect"], true);

    let path = "/v1/registry/suspects/1/clear";
    assert_eq!(surface.call("POST", path, "water", b"").await.status, 403);
    for cleared in [true, false] {
        let told = json_of(&surface.call("POST", path, "keeper", b"").await);
        assert_eq!(told, json!({ "endpoint": 1, "cleared": cleared }));
    }
    let word = surface.call("POST", "/v1/registry/suspects/x/clear", "keeper", b"");
    assert_eq!(word.await.status, 400);
    let list = json_of(&surface.told("/v1/registry/suspects", "keeper").await);
    assert_eq!(list["count"], 0);
    surface.stop().await;
}
