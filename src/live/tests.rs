//! What is told live, and to whom.

use std::collections::BTreeMap;
use std::sync::Arc;

use channel::Timestamp;

use super::board::{Lines, Short};
use super::tape::{Frame, Tape};
use super::topic::KEPT;
use super::{Figures, board};
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

/// A tape, told so many changes while somebody who watches does not listen.
async fn unheard(changes: u32) -> (Arc<Tape<Figures>>, Vec<Frame>) {
    let tape = Arc::new(Tape::new(7, KEPT));
    let mut watcher = tape.join(&tape.hear(), None);
    for reached in 0..=changes {
        let now = figures(reached);
        tape.tell(&Arc::new(now.clone()), |before| {
            now.since(before).into_iter().collect()
        });
    }
    let mut told = Vec::new();
    loop {
        let frame = watcher.next().await.expect("a frame");
        let last = frame.number == 7 + u64::from(changes);
        told.push(frame);
        if last {
            return (tape, told);
        }
    }
}

#[tokio::test]
async fn who_does_not_listen_keeps_a_minute_of_changes_and_then_gets_the_whole() {
    let (tape, some) = unheard(4).await;
    let numbers: Vec<u64> = some.iter().map(|frame| frame.number).collect();
    assert_eq!((numbers, tape.kept()), (vec![7, 8, 9, 10, 11], 4));

    let many = u32::try_from(KEPT).expect("few") * 8;
    let (tape, told) = unheard(many).await;
    assert_eq!(told.len(), 1, "none of what was missed is kept for one");
    let text = String::from_utf8_lossy(&told[0].text);
    assert!(text.contains("\nevent: whole\n"), "{text}");
    assert_eq!(tape.kept(), KEPT, "and for all no more than a minute");
}

fn short(alert: u64, state: &'static str, reached: u32) -> Short {
    Short {
        alert,
        state,
        state_zh: "",
        handled: "red",
        status: cap::Status::Actual,
        class: None,
        sealed: false,
        total: [9, 0, reached, 0, 0, 0, 0],
    }
}

#[test]
fn of_all_alerts_each_that_changed_is_told_by_itself_and_what_is_over_once_more() {
    let at = |seconds| Timestamp::from_secs(seconds);
    let before = Lines::of(
        at(1),
        [
            short(1, "in-force", 1),
            short(2, "in-force", 2),
            short(3, "expired", 3),
        ],
    );
    let same = Lines::of(at(2), [1, 2].map(|n: u32| short(n.into(), "in-force", n)));
    let last = |line: &Short| {
        Some(Short {
            sealed: true,
            ..line.clone()
        })
    };
    let told = |changes: Vec<Lines>| -> Vec<serde_json::Value> {
        let json = |change| serde_json::to_value(change).expect("JSON");
        changes
            .iter()
            .map(json)
            .map(|c| c["alerts"].clone())
            .collect()
    };
    let gone = told(same.since(&before, last));
    assert_eq!(gone.len(), 1);
    assert_eq!(
        (&gone[0][0]["alert"], &gone[0][0]["sealed"]),
        (&3.into(), &true.into())
    );
    let now = Lines::of(
        at(2),
        [
            short(1, "in-force", 5),
            short(2, "lifted", 2),
            short(3, "expired", 3),
        ],
    );
    let changed = told(now.since(&before, last));
    assert_eq!(changed.len(), 2, "{changed:?}");
    assert!(
        changed
            .iter()
            .all(|c| c.as_array().map(Vec::len) == Some(1))
    );
    assert!(
        now.since(&now.clone(), last).is_empty(),
        "time alone is none"
    );
    const { assert!(board::KEPT > KEPT) };
}
