//! What is taken down for somebody else, as the API tells what the channel says to it.

use channel::{Key, Timestamp};

use super::*;

/// Answers an entry with whatever status and code it asks for.
pub struct Outlets;

#[async_trait]
impl Channel for Outlets {
    fn capability(&self) -> Capability {
        Capability {
            kind: "manual",
            speaks_to: EndpointKind::Manual,
            style: Style::Short,
            best: Evidence::Acknowledged,
            batch: 1,
            window: 1,
            repeat_is_harmless: true,
        }
    }

    async fn send(&self, _: &Message) -> Result<Accepted, Failure> {
        Ok(Accepted::default())
    }

    fn page(&self, key: Key, _: Timestamp, operator: Option<&str>) -> Option<String> {
        Some(format!("/v1/channels/hand/{key}/{}", operator?))
    }

    async fn serve(&self, request: Request) -> Reply {
        let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let status = asked["status"].as_u64().and_then(|s| u16::try_from(s).ok());
        let told = json!({ "code": asked["code"], "error": "so it is", "zh": "如此" });
        Reply::json(status.unwrap_or(404), &told)
    }

    fn health(&self) -> Health {
        Health::Up
    }
}

async fn entered(surface: &Surface, path: &str, token: &str, asked: &Value) -> (u16, Value) {
    let body = asked.to_string();
    let reply = surface.call("POST", path, token, body.as_bytes()).await;
    (reply.status, json_of(&reply))
}

#[tokio::test]
async fn what_the_channel_refuses_is_told_as_a_problem_and_what_it_takes_names_the_bureau() {
    let surface = Surface::with(|want| want.by_hand = true).await;
    let surface = surface.alerted().await;
    let path = "/v1/alerts/1/by-hand/0";
    for (status, code, wanted, kind) in [
        (422, "no-name", 422, "bad-entry"),
        (410, "sealed", 409, "filed"),
        (409, "too-many-entries", 409, "filed"),
        (413, "large-attachment", 413, "too-large"),
        (400, "bad-body", 400, "bad-body"),
        (404, "unknown-item", 404, "unknown-delivery"),
        (503, "not-kept", 503, "store-away"),
    ] {
        let asked = json!({ "status": status, "code": code });
        let (told, problem) = entered(&surface, path, "reporter", &asked).await;
        assert_eq!(told, wanted, "{problem}");
        assert_eq!(problem["type"], format!("/problems/{kind}"));
    }
    let reported = crate::ledger::event::Look::Reported;
    let noted = || surface.gate.ledger.looks().get(&reported).copied();
    assert_eq!(noted(), None);
    let taken = json!({ "status": 200 });
    let (status, told) = entered(&surface, path, "reporter", &taken).await;
    assert_eq!((status, &told["by"]), (200, &json!("reporter")));
    assert_eq!(noted(), Some(1), "who took it down is noted");

    assert_eq!(entered(&surface, path, "water", &taken).await.0, 403);
    let strange = entered(&surface, "/v1/alerts/1/by-hand/x", "reporter", &taken);
    assert_eq!(strange.await.0, 404);
    surface.stop().await;
}
