//! What is told live, and to whom.

use std::collections::BTreeMap;
use std::sync::Arc;

use channel::Timestamp;

use super::topic::{KEPT, Topic};
use super::{Figures, Frame};
use crate::model::RegionCode;

fn figures(reached: u32) -> Figures {
    let code: RegionCode = "510727217201".parse().expect("a code");
    Figures {
        alert: 1,
        as_of: Timestamp::from_secs(reached.into()),
        state: "in-force",
        state_zh: "生效中",
        villages: Arc::new(BTreeMap::from([
            (code, [9, 0, reached, 0, 0, 0, 9]),
            (
                "510727217202".parse().expect("a code"),
                [3, 0, 3, 0, 0, 0, 0],
            ),
        ])),
        channels: Vec::new(),
    }
}

#[test]
fn only_what_changed_is_told() {
    let (before, after) = (figures(1), figures(4));
    let change = after.since(&before).expect("a village changed");
    assert_eq!(change.villages.len(), 1);
    assert_eq!(change.as_of, after.as_of);
}

#[test]
fn time_alone_is_no_change() {
    let before = figures(1);
    let after = Figures {
        as_of: Timestamp::from_secs(99),
        ..figures(1)
    };
    assert_eq!(after.since(&before), None);
}

#[test]
fn a_changed_state_is_told_without_villages() {
    let before = figures(1);
    let after = Figures {
        state: "expired",
        ..figures(1)
    };
    let change = after.since(&before).expect("the state changed");
    assert!(change.villages.is_empty());
    assert_eq!(change.state, "expired");
}

/// A topic, told so many changes while somebody who watches does not listen.
async fn unheard(changes: u32) -> (Arc<Topic>, Vec<Frame>) {
    let topic = Arc::new(Topic::new(7));
    let mut watcher = topic.join(&topic.hear(), None);
    for reached in 0..=changes {
        topic.update(Arc::new(figures(reached)));
    }
    let mut told = Vec::new();
    loop {
        let frame = watcher.next().await.expect("a frame");
        let last = frame.number == 7 + u64::from(changes);
        told.push(frame);
        if last {
            return (topic, told);
        }
    }
}

#[tokio::test]
async fn who_does_not_listen_keeps_a_minute_of_changes_and_then_gets_the_whole() {
    let (_, some) = unheard(4).await;
    let numbers: Vec<u64> = some.iter().map(|frame| frame.number).collect();
    assert_eq!(numbers, [7, 8, 9, 10, 11]);
    let (topic, many) = unheard(9).await;
    assert_eq!(many.len(), 10);
    assert_eq!(topic.kept(), 9);

    let many = u32::try_from(KEPT).expect("few") * 8;
    let (topic, told) = unheard(many).await;
    assert_eq!(told.len(), 1, "none of what was missed is kept for one");
    assert!(
        told[0].text.starts_with(b"id: ") && told[0].text.windows(12).any(|w| w == b"event: whole")
    );
    assert_eq!(topic.kept(), KEPT, "and for all no more than a minute");
}
