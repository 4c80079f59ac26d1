//! What is told live, and to whom.

use std::collections::BTreeMap;
use std::sync::Arc;

use channel::Timestamp;

use super::Figures;
use crate::model::RegionCode;

fn figures(reached: u32) -> Figures {
    let code: RegionCode = "510727217201".parse().expect("a code");
    Figures {
        alert: 1,
        as_of: Timestamp::from_secs(reached.into()),
        state: "in-force",
        state_zh: "生效中",
        villages: Arc::new(BTreeMap::from([
            (code, [9, 0, reached, 0, 0, 0, 9 - reached]),
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
