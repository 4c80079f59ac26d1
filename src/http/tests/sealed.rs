//! A sealed alert answers as it did before, from its stream; its rows say the same to anyone's SQL; and a start that does
//! not read it knows it all the same.

use channel::{Evidence, FailureClass, Timestamp, Verdict};

use super::*;
use crate::coverage::{over, sealing};
use crate::ledger::event::{HandedRange, MatchedBy, Next, Outcome, ReceiptRow, SettledRow, Why};
use crate::model::{Answer, Grade, Missed};
use crate::store::suite;

/// What is asked of an alert, from the county down to the single attempt.
pub const QUESTIONS: [&str; 12] = [
    "/v1/alerts/1/coverage",
    "/v1/alerts/1/coverage?under=510727",
    "/v1/alerts/1/coverage?under=510727217",
    "/v1/alerts/1/coverage?under=510727217201",
    "/v1/alerts/1/households?under=510727217201",
    "/v1/alerts/1/households?answer=missed",
    "/v1/alerts/1/households/0/deliveries",
    "/v1/alerts/1/deliveries/0/events",
    "/v1/alerts/1/channels",
    "/v1/alerts/1/curve",
    "/v1/alerts/1/speakers",
    "/v1/alerts/1/document",
];

/// Of the first village one is reached, one refused after its time, one unknown; all others expire unsent.
pub fn ended() -> Vec<Event> {
    let channel = || "sms-mobile".to_owned();
    let range = HandedRange {
        lo: 0,
        hi: 3,
        attempt: 1,
        why: Why::First,
        serial: 41,
    };
    let until = START.plus(Duration::from_mins(10));
    let row = |delivery: u32| SettledRow {
        delivery,
        attempt: 1,
        outcome: Outcome::Accepted {
            references: vec![format!("r{delivery}")],
        },
        next: Next::Await { until },
    };
    let receipt = |delivery, verdict, code: &str| ReceiptRow {
        delivery,
        part: 0,
        verdict,
        code: code.into(),
        far: None,
        seen: START.plus(Duration::from_secs(9)),
        by: MatchedBy::ReferenceOf(1),
    };
    let refused = Verdict::Refused(FailureClass::BadAddress);
    vec![
        Event::Handed {
            channel: channel(),
            ranges: vec![range],
        },
        Event::Settled {
            channel: channel(),
            rows: (0..3).map(row).collect(),
        },
        Event::Receipt {
            channel: channel(),
            rows: vec![receipt(0, Verdict::Reached(Evidence::Delivered), "DELIVRD")],
        },
        Event::Overdue {
            deliveries: vec![1, 2],
        },
        Event::Receipt {
            channel: channel(),
            rows: vec![receipt(1, refused, "UNDELIV 012")],
        },
        Event::Expired {
            variants: vec![0, 1],
        },
    ]
}

impl Surface {
    async fn answers(&self) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        for path in QUESTIONS {
            let reply = self.call("GET", path, "water", b"").await;
            let body = String::from_utf8_lossy(&reply.body).into_owned();
            assert_eq!(reply.status, 200, "{path}: {body}");
            all.push(reply.body.to_vec());
        }
        all
    }

    fn registry(&self) -> Arc<Registry> {
        self.gate.registry()
    }

    pub async fn seal(&self) {
        let ledger = &self.gate.ledger;
        let late = Timestamp(i64::MAX / 2);
        let over = over(ledger, late, Duration::from_hours(24));
        assert_eq!(over.len(), 1);
        self.seal_first().await;
    }

    /// Alert 1, whatever others there are.
    pub async fn seal_first(&self) {
        let ledger = &self.gate.ledger;
        let late = Timestamp(i64::MAX / 2);
        let over = over(ledger, late, Duration::from_hours(24));
        assert_eq!(over[0].stream, 1);
        let proposal = Proposal {
            seal: Some(Box::new(sealing(ledger, &over[0], &self.registry()))),
            ..Proposal::default()
        };
        self.writer.propose(proposal).await.expect("seals");
    }
}

#[tokio::test]
async fn a_sealed_alert_answers_every_question_as_it_did_before() {
    let surface = Surface::with_alert().await;
    surface.propose(1, ended()).await;
    let (before, mut one) = (surface.answers().await, surface.get("/v1/alerts/1").await);
    assert_eq!(one["sealed"], false);
    surface.seal().await;
    assert!(
        surface.gate.ledger.alerts().is_empty(),
        "its state has left memory"
    );
    assert!(surface.gate.ledger.blocks_since(&mut 0).is_empty());
    for (path, (before, after)) in QUESTIONS
        .iter()
        .zip(before.iter().zip(surface.answers().await))
    {
        assert!(
            *before == after,
            "{path}: {}",
            String::from_utf8_lossy(&after)
        );
    }
    one["sealed"] = true.into();
    assert_eq!(surface.get("/v1/alerts/1").await, one);
    let list = surface.get("/v1/alerts").await;
    assert_eq!(list["alerts"][0]["id"], 1);
    assert_eq!(list["alerts"][0]["sealed"], true);
    let again = surface
        .call(
            "POST",
            "/v1/alerts",
            "water",
            cap("a-1", "510727").as_bytes(),
        )
        .await;
    let said = json_of(&again);
    assert_eq!(
        (again.status, &said["id"], &said["repeated"]),
        (202, &1.into(), &true.into())
    );
    assert_eq!(
        said["regions"],
        json!(["510727000000"]),
        "the first answer again"
    );
    let other = cap("a-1", "510727").replace("</headline>", "!</headline>");
    let other = surface
        .call("POST", "/v1/alerts", "water", other.as_bytes())
        .await;
    assert_eq!(other.status, 409);
    surface.stop().await;
}

#[tokio::test]
async fn the_rows_and_totals_of_a_sealed_alert_are_its_figures() {
    let surface = Surface::with_alert().await;
    surface.propose(1, ended()).await;
    let figures = surface.get("/v1/alerts/1/coverage").await;
    surface.seal().await;
    let rows = surface
        .store
        .inner
        .sealed_households(1)
        .await
        .expect("reads");
    assert_eq!(rows.len(), 18);
    let count = |answer: Answer| {
        rows.iter()
            .filter(|r| !r.away && r.answer == answer)
            .count()
    };
    let total = &figures["total"];
    assert_eq!(
        total["reached"]["delivered"],
        count(Answer::Reached(Grade::Delivered))
    );
    assert_eq!(
        total["missed"]["refused"],
        count(Answer::Missed(Missed::Refused))
    );
    assert_eq!(
        total["missed"]["expired"],
        count(Answer::Missed(Missed::Expired))
    );
    assert_eq!(total["unknown"], count(Answer::Unknown));
    assert_eq!(total["away"], rows.iter().filter(|r| r.away).count());
    let known = surface.gate.ledger.known(1).expect("known");
    let crate::ledger::Known::Sealed(card) = known else {
        panic!("not sealed");
    };
    let totals = card.sealed.totals;
    assert_eq!(total["households"], totals.households);
    assert_eq!(total["reached"]["delivered"], totals.delivered);
    assert_eq!(total["missed"]["refused"], totals.refused);
    assert_eq!(total["speakers"]["total"], totals.speakers);
    assert_eq!(total["officers"]["total"], totals.officers);
    assert_eq!(
        (totals.delivered, totals.refused, totals.unknown),
        (1, 1, 1)
    );
    surface.stop().await;
}

#[tokio::test]
async fn a_start_reads_no_record_of_what_is_sealed_and_knows_it_all_the_same() {
    let surface = Surface::with_alert().await;
    surface.propose(1, ended()).await;
    let before = replay(&*surface.store).await.expect("replays");
    assert_eq!((before.records, before.serials["sms-mobile"]), (3, 43));
    surface.seal().await;
    let after = replay(&*surface.store).await.expect("replays");
    assert_eq!(after.records, 0, "nothing is open");
    assert_eq!(after.serials["sms-mobile"], 43, "no serial is given again");
    assert_eq!(after.history.seq, before.history.seq + 1);
    let known = after.ledger.known(1).expect("known");
    assert!(known.is_sealed() && known.deliveries() == 19);
    assert_eq!(after.ledger.find(&known.meta().identity), Some(1));
    assert_eq!(after.correlator.lookup("sms-mobile", "r2"), None);
    surface.stop().await;
}

#[tokio::test]
async fn a_sealed_stream_that_is_damaged_says_so_and_the_list_stands() {
    let surface = Surface::with_alert().await;
    surface.propose(1, ended()).await;
    surface.seal().await;
    // What follows nothing.
    let odd = suite::records(vec![suite::record(99, 1, 99, b"x")]);
    surface.store.inner.append(odd).await.expect("appends");
    let reply = surface
        .call("GET", "/v1/alerts/1/coverage", "water", b"")
        .await;
    assert_eq!(reply.status, 500);
    assert_eq!(surface.get("/v1/alerts").await["alerts"][0]["sealed"], true);
    surface.stop().await;
}
