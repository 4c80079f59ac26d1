//! Sending does not starve: while alerts and receipts come in as fast as they can, and while another lane of the account
//! has more urgent work, by the clock that the lane goes by and not by the machine's.

use std::sync::Arc;

use channel::{Evidence, Inlet, Of, Receipt, Verdict};

use super::house::{House, Mood, a_while, within};
use super::kit::{CHANNEL, START};
use crate::dispatch::ChannelInlet;

const MINOR: u64 = 3 << 56;
const EXTREME: u64 = 0;

/// Duplicates of what was sent, and ids that nobody ever gave.
fn receipts(round: u32) -> Vec<Receipt> {
    let one = |n: u32| Receipt {
        of: Of::Reference(if n.is_multiple_of(2) {
            format!("r1-{}", n % 50)
        } else {
            format!("unknown-{round}-{n}")
        }),
        verdict: Verdict::Reached(Evidence::Delivered),
        code: "DELIVRD".into(),
        far: None,
        seen: START,
    };
    (0..100).map(one).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lane_keeps_its_rate_while_alerts_and_receipts_flood_in() {
    const STEP: u64 = 50;
    const SLICE: usize = 50;
    let house = Arc::new(House::start(&[CHANNEL], "1000/s burst 100", Mood::Takes).await);
    let backlog = house.alert(CHANNEL, MINOR, 5_000).await;
    assert_eq!(backlog, 1);
    let floods: Vec<_> = (0..3)
        .map(|_| {
            let house = house.clone();
            tokio::spawn(async move {
                let inlet = ChannelInlet::new(CHANNEL, house.desk.clone());
                for round in 0.. {
                    if house.stop.is_cancelled() {
                        return;
                    }
                    inlet.receipts(receipts(round)).await.expect("durable");
                }
            })
        })
        .collect();
    let alerts = tokio::spawn({
        let house = house.clone();
        async move {
            let mut count = 0;
            while !house.stop.is_cancelled() {
                // More urgent, less urgent, and of no channel that is here.
                let (channel, rank) =
                    [(CHANNEL, EXTREME), (CHANNEL, 4 << 56), ("horn", MINOR)][count % 3];
                house.alert(channel, rank, 1).await;
                count += 1;
            }
            count
        }
    });
    // One second of the lane's own time: all that its rate allows is sent but for less than a slice, however long that
    // takes outside.
    for step in 0..=1_000 / STEP {
        let allowed = usize::try_from(100 + step * STEP).expect("few");
        let sent = || house.far().sent();
        within("what the rate allows is sent", || sent() + SLICE > allowed).await;
        assert!(sent() <= allowed, "and no more");
        house.advance(STEP);
    }
    house.stop.cancel();
    let count = alerts.await.expect("it ends");
    assert!(count > 0);
    for flood in floods {
        flood.await.expect("it ends");
    }
}

#[tokio::test]
async fn a_lane_with_urgent_work_has_the_account_to_itself_and_gives_it_back() {
    let house = House::start(&["a", "b"], "1000/s burst 100", Mood::Takes).await;
    let (a, b) = (house.fars["a"].clone(), house.fars["b"].clone());
    house.alert("a", MINOR, 2_000).await;
    within("a begins", || a.sent() == 100).await;
    house.alert("b", EXTREME, 400).await;
    // Both wait for permits; from the first that b asks for, a gets none.
    a_while().await;
    let before = a.sent();
    for _ in 0..200 {
        if b.sent() < 400 {
            house.advance(25);
            a_while().await;
        }
    }
    assert_eq!(b.sent(), 400);
    assert!(a.sent() <= before + 100, "{} after {before}", a.sent());
    within("a goes on", || {
        house.advance(25);
        a.sent() == 2_000
    })
    .await;
}
