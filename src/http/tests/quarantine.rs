//! A person's word on an alert that waits: who may give it, what stands, and what it comes too late for.

use super::*;

/// A warning with a time that says no zone: a person has to look first.
fn doubtful(identifier: &str, region: &str) -> String {
    cap(identifier, region).replace(
        "<expires>",
        "<effective>2026-07-14T09:00:00</effective><expires>",
    )
}

const RELEASE: &str = r#"{"decision": "release", "remark": "已电话核实，张某某"}"#;
const REFUSE: &str = r#"{"decision": "refuse"}"#;

impl Surface {
    async fn held() -> Self {
        let surface = Self::start().await;
        let body = doubtful("a-1", "510727");
        let reply = surface
            .call("POST", "/v1/alerts", "water", body.as_bytes())
            .await;
        let answer = json_of(&reply);
        assert_eq!(
            (reply.status, &answer["born"]),
            (202, &json!("quarantined")),
            "{answer}"
        );
        surface
    }

    async fn say(&self, token: &str, body: &str) -> (u16, Value) {
        let reply = self
            .call("POST", "/v1/alerts/1/decision", token, body.as_bytes())
            .await;
        (reply.status, json_of(&reply))
    }

    /// A release is refused, and the reason names this.
    async fn too_late(&self, token: &str, reason: &str) {
        let (status, said) = self.say(token, RELEASE).await;
        assert_eq!(
            (status, &said["type"]),
            (409, &json!("/problems/decided")),
            "{said}"
        );
        let detail = said["detail"].as_str().expect("a detail");
        assert!(detail.contains(reason), "{detail}");
    }
}

#[tokio::test]
async fn what_waits_is_listed_with_what_was_found_in_it() {
    let surface = Surface::held().await;
    let list = surface.get("/v1/quarantine").await;
    assert_eq!(list["alerts"][0]["id"], 1);
    assert_eq!(list["alerts"][0]["state"], "quarantined");
    assert_eq!(list["next"], Value::Null);
    let one = surface.get("/v1/quarantine/1").await;
    let findings = one["findings"].as_array().expect("findings");
    assert!(
        findings.iter().any(|finding| finding["stops"] == true),
        "{one}"
    );
    assert_eq!(one["decision"], Value::Null);
    surface.stop().await;
}

#[tokio::test]
async fn the_first_word_stands_and_the_same_again_is_answered_as_it_was() {
    let surface = Surface::held().await;
    let (status, first) = surface.say("decider", RELEASE).await;
    assert_eq!(
        (status, &first["decision"], &first["repeated"]),
        (200, &json!("release"), &json!(false)),
        "{first}"
    );
    assert_eq!(
        (&first["by"], &first["remark"]),
        (&json!("decider"), &json!("已电话核实，张某某"))
    );
    let position = *surface.writer.position().borrow();
    assert_eq!(first["position"], position);
    let (status, again) = surface.say("decider", RELEASE).await;
    assert_eq!(
        (status, &again["repeated"], &again["at"]),
        (200, &json!(true), &first["at"])
    );
    let (status, other) = surface.say("decider", REFUSE).await;
    assert_eq!(
        (status, &other["type"]),
        (409, &json!("/problems/decided")),
        "{other}"
    );
    assert_eq!(
        *surface.writer.position().borrow(),
        position,
        "neither is in the journal"
    );
    assert_eq!(
        surface.get("/v1/alerts/1").await["state"],
        "accepted",
        "it goes on as any other"
    );
    assert_eq!(surface.get("/v1/quarantine").await["alerts"], json!([]));
    let one = surface.get("/v1/quarantine/1").await;
    assert_eq!(one["decision"]["remark"], "已电话核实，张某某");
    surface.stop().await;
}

#[tokio::test]
async fn a_remark_is_a_document_and_never_in_the_journal() {
    let surface = Surface::held().await;
    surface.say("decider", RELEASE).await;
    let records = surface.store.records(0, 100).await.expect("read");
    assert!(!records.is_empty());
    for record in &records {
        let body = String::from_utf8_lossy(&record.body);
        assert!(
            !body.contains("张某某") && !body.contains("已电话核实"),
            "{body}"
        );
    }
    surface.stop().await;
}

#[tokio::test]
async fn what_is_refused_is_shown_so_and_stays_so() {
    let surface = Surface::held().await;
    let (status, said) = surface.say("decider", REFUSE).await;
    assert_eq!((status, &said["remark"]), (200, &Value::Null), "{said}");
    let alert = surface.get("/v1/alerts/1").await;
    assert_eq!(
        (&alert["state"], &alert["state_zh"]),
        (&json!("refused"), &json!("不予发布"))
    );
    let (status, _) = surface.say("decider", RELEASE).await;
    assert_eq!(status, 409);
    surface.stop().await;
}

#[tokio::test]
async fn only_who_may_decide_on_all_of_its_regions_does() {
    let surface = Surface::held().await;
    for (token, status, slug) in [
        ("", 401, "unproven"),
        ("water", 403, "no-scope"),
        ("town-decider", 403, "outside-regions"),
        ("far-decider", 404, "unknown-alert"),
    ] {
        let (code, said) = surface.say(token, RELEASE).await;
        assert_eq!(
            (code, &said["type"]),
            (status, &json!(format!("/problems/{slug}"))),
            "{token}: {said}"
        );
    }
    assert_eq!(surface.get("/v1/alerts/1").await["state"], "quarantined");
    surface.stop().await;
}

#[tokio::test]
async fn where_a_second_person_is_asked_nobody_releases_their_own() {
    let surface = Surface::with(|house| house.second = true).await;
    let body = doubtful("a-1", "510727");
    surface
        .call("POST", "/v1/alerts", "both", body.as_bytes())
        .await;
    let (status, said) = surface.say("both", RELEASE).await;
    assert_eq!(
        (status, &said["type"]),
        (403, &json!("/problems/not-allowed")),
        "{said}"
    );
    let (status, _) = surface.say("decider", RELEASE).await;
    assert_eq!(status, 200, "another one does");
    surface.stop().await;
}

#[tokio::test]
async fn a_body_that_is_no_decision_says_where_and_changes_nothing() {
    let surface = Surface::held().await;
    let long = format!(
        r#"{{"decision": "release", "remark": "{}"}}"#,
        "长".repeat(2_001)
    );
    for body in [
        "",
        "release",
        "{}",
        r#"{"decision": "perhaps"}"#,
        r#"{"decision": "release", "by": "me"}"#,
        "[1]",
        long.as_str(),
    ] {
        let (status, said) = surface.say("decider", body).await;
        assert_eq!(
            (status, &said["type"]),
            (400, &json!("/problems/bad-body")),
            "{body}: {said}"
        );
    }
    assert_eq!(surface.get("/v1/alerts/1").await["state"], "quarantined");
    surface.stop().await;
}

#[tokio::test]
async fn what_expired_while_it_waited_is_over() {
    let surface = Surface::held().await;
    surface.clock.advance(Duration::from_hours(4));
    assert_eq!(surface.get("/v1/alerts/1").await["state"], "expired");
    assert_eq!(surface.get("/v1/quarantine").await["alerts"], json!([]));
    surface.too_late("decider", "expired").await;
    surface.stop().await;
}

#[tokio::test]
async fn what_was_corrected_while_it_waited_is_over() {
    let surface = Surface::held().await;
    surface.propose(1, vec![Event::Withdrawn { by: 2 }]).await;
    surface.too_late("decider", "alert 2").await;
    surface.stop().await;
}

#[tokio::test]
async fn what_never_waited_has_nothing_to_decide() {
    let surface = Surface::with_alert().await;
    surface.too_late("decider", "").await;
    surface.stop().await;
}

/// An Update of alert a-1, as somebody hands it in before that has come: it waits.
async fn early(surface: &Surface, token: &str, region: &str) {
    let update = doubtful("a-2", region)
        .replace("<msgType>Alert", "<msgType>Update")
        .replace(
            "<info>",
            "<references>water@pingwu.example,a-1,2026-07-14T09:00:00+08:00</references><info>",
        );
    let reply = surface
        .call("POST", "/v1/alerts", token, update.as_bytes())
        .await;
    assert_eq!(json_of(&reply)["born"], "quarantined");
    let first = cap("a-1", "510727");
    let reply = surface
        .call("POST", "/v1/alerts", "water", first.as_bytes())
        .await;
    assert_eq!(json_of(&reply)["born"], "live", "what waits ends nothing");
}

#[tokio::test]
async fn a_correction_that_waited_ends_the_alert_that_came_after_it() {
    let surface = Surface::start().await;
    early(&surface, "water", "510727").await;
    let (status, said) = surface.say("decider", RELEASE).await;
    assert_eq!(status, 200, "{said}");
    let first = surface.gate.ledger.alert(2).expect("it is open");
    assert_eq!(first.withdrawn_by(), Some(1), "in the commit of the word");
    let again = replay(&*surface.store).await.expect("reads");
    let first = again.ledger.alert(2).expect("it is open");
    assert_eq!(first.withdrawn_by(), Some(1));
    assert_eq!(
        again.ledger.chain(&[], Some(1)),
        [2],
        "its release finds it"
    );
    surface.stop().await;
}

#[tokio::test]
async fn a_correction_that_waited_does_not_end_what_is_not_its_bureau_s() {
    let surface = Surface::start().await;
    early(&surface, "town", "510727217").await;
    surface.too_late("town-decider", "").await;
    let first = surface.gate.ledger.alert(2).expect("it is open");
    assert_eq!(first.withdrawn_by(), None);
    let (status, _) = surface.say("town-decider", REFUSE).await;
    assert_eq!(status, 200);
    surface.stop().await;
}
