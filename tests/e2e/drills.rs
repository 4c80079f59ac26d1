//! The drill wall, from outside: tests and exercises reach officers alone and look like what they are.

use serde_json::json;

use crate::county::VILLAGE_B2;
use crate::gateway::{Setup, World, count};
use crate::warning::{COUNTY, Warning};

const OFFICERS: [&str; 6] = [
    "00010000001",
    "00010000021",
    "00010000023",
    "00010000024",
    "00020000022",
    "00030000025",
];

#[tokio::test]
async fn a_test_and_an_exercise_reach_officers_alone_and_are_marked() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    for (n, (status, mark)) in [("Test", "【测试】"), ("Exercise", "【演练】")]
        .iter()
        .enumerate()
    {
        let drill = Warning {
            status,
            ..Warning::red(&format!("a-{n}"), &[COUNTY])
        };
        let alert = gateway.submit(&drill).await;
        gateway.ended(alert).await;
        let texts = world.smsc.texts();
        let mut numbers: Vec<_> = texts.iter().map(|text| text.to.as_str()).collect();
        numbers.dedup();
        assert_eq!(numbers, OFFICERS, "{status}");
        for number in OFFICERS {
            let text = world.smsc.to(number).pop().expect("a text");
            assert!(text.contains(mark), "{status}: {text}");
        }
        let mails = world.mail.received();
        assert_eq!(mails.len(), 2 * (n + 1), "{status}");
        assert_eq!(world.horn.heard(), [], "{status}: no speaker sounds");
        let coverage = gateway.coverage(alert, COUNTY).await;
        let total = &coverage["total"];
        assert_eq!(
            total["reached"],
            json!({ "confirmed": 0, "delivered": 0, "played": 0 })
        );
        assert_eq!(count(&total["officers"]["total"]), 6, "{total}");
        assert_eq!(count(&total["speakers"]["not_called"]), 3);
    }
}

#[tokio::test]
async fn a_draft_and_a_system_message_are_filed_and_never_sent() {
    let world = World::start(Setup::default()).await;
    let gateway = &world.gateway;
    let mut filed = Vec::new();
    for status in ["Draft", "System"] {
        let quiet = Warning {
            status,
            ..Warning::red(status, &[COUNTY])
        };
        filed.push(gateway.submit(&quiet).await);
    }
    // What comes after them is sent to its end.
    let after = gateway.submit(&Warning::red("a-3", &[VILLAGE_B2])).await;
    gateway.ended(after).await;
    for alert in filed {
        let view = gateway.get(&format!("/v1/alerts/{alert}")).await;
        assert_eq!(
            (&view["state"], &view["born"], &view["deliveries"]),
            (&json!("filed"), &json!("filed"), &json!(0))
        );
    }
    assert!(world.smsc.to("00010000001").is_empty() && world.horn.heard().is_empty());
}
