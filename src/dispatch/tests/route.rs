//! Accounts that stand in for each other: what hangs on one that takes nothing goes on by the next, once each, and holds
//! up nobody else; what a far end says of a number is learned.

use std::sync::Arc;
use std::time::Duration;

use channel::FailureClass;

use super::house::{House, Mood, Plan, a_while, within};
use crate::ledger::{Alert, Block, Fact, IN_DOUBT};
use crate::model::{Carrier, State};
use crate::plan::{Carriers, Member, Route, Routes};

const RED: u64 = 0;
const RATE: &str = "1000/s burst 100";

fn member(channel: &str, serves: Option<&[Carrier]>) -> Member {
    Member {
        channel: channel.into(),
        serves: serves.map(<[_]>::to_vec),
    }
}

/// All numbers of a house begin with 000: they are guessed to be mobile's.
fn routes(members: Vec<Member>) -> Arc<Routes> {
    let route = Route {
        name: "texts".into(),
        members,
        patience: Duration::from_mins(1),
        patience_red: Duration::from_secs(15),
    };
    let carriers = Carriers::parse("prefix,carrier\n000,mobile\n").expect("a table");
    Arc::new(Routes::new(vec![route], carriers))
}

fn plan<'a>(names: &'a [&'static str], rate: &'a str, members: Vec<Member>) -> Plan<'a> {
    Plan {
        names,
        rate,
        mood: Mood::Takes,
        routes: routes(members),
        shared: false,
    }
}

fn first_any() -> Vec<Member> {
    vec![member("a", Some(&[Carrier::Mobile])), member("b", None)]
}

fn alert(house: &House, stream: u64) -> Arc<Alert> {
    house.desk.ledger.alert(stream).expect("it stands")
}

fn each(alert: &Alert, mut look: impl FnMut(&Block, usize)) {
    for block in alert.blocks() {
        (0..block.len() as usize).for_each(|i| look(&block, i));
    }
}

/// How many stand in this state by this account.
fn by(house: &House, stream: u64, channel: &str, state: State) -> usize {
    let mut count = 0;
    each(&alert(house, stream), |block, i| {
        count += usize::from(block.is_on(i, channel) && block.state(i) == state);
    });
    count
}

fn doubts(house: &House, stream: u64) -> usize {
    let mut count = 0;
    each(&alert(house, stream), |block, i| {
        count += usize::from(block.flag(i, IN_DOUBT));
    });
    count
}

/// Time goes on in small steps until it is so; how many milliseconds of it that took.
async fn passes(house: &House, what: &str, mut so: impl FnMut() -> bool) -> u64 {
    let mut passed = 0;
    within(what, || {
        if so() {
            return true;
        }
        house.advance(20);
        passed += 20;
        false
    })
    .await;
    passed
}

#[tokio::test]
async fn what_hangs_on_a_stalled_account_goes_by_another_and_is_counted_as_a_possible_duplicate() {
    let house = House::routed(&plan(&["a", "b"], RATE, first_any())).await;
    house.fars["a"].is(Mood::Holds);
    let stream = house.alert("a", RED, 1_500).await;
    passes(&house, "its hands are full", || {
        house.fars["a"].sent() >= 1_000
    })
    .await;
    for _ in 0..8 {
        house.advance(1_000);
        a_while().await;
    }
    assert_eq!(house.fars["b"].sent(), 0, "it is waited for");
    passes(&house, "all is taken by the other", || {
        by(&house, stream, "b", State::Awaiting) == 1_500
    })
    .await;
    assert_eq!(house.fars["b"].sent(), 1_500, "each once");
    let hung = house.fars["a"].sent();
    assert_eq!(doubts(&house, stream), hung, "what hung may have been sent");
    // What the stalled account says at last changes nothing but evidence.
    house.fars["a"].is(Mood::Takes);
    a_while().await;
    assert_eq!(by(&house, stream, "b", State::Awaiting), 1_500);
    assert_eq!(house.fars["a"].sent(), hung);
}

#[tokio::test]
async fn a_link_that_is_down_is_left_after_the_patience_of_the_warnings_level() {
    let house = House::routed(&plan(&["a", "b"], RATE, first_any())).await;
    house.fars["a"].is(Mood::Away);
    let stream = house.alert("a", RED, 300).await;
    let passed = passes(&house, "all goes by the other", || {
        by(&house, stream, "b", State::Awaiting) == 300
    })
    .await;
    assert!(passed >= 15_000, "{passed} ms");
    assert_eq!(doubts(&house, stream), 0, "nothing was sent");
    // Who comes while it is out is not held up.
    let next = house.alert("a", RED, 200).await;
    let passed = passes(&house, "the next goes by the other at once", || {
        by(&house, next, "b", State::Awaiting) == 200
    })
    .await;
    assert!(passed < 5_000, "{passed} ms");
    // And it is there again.
    house.fars["a"].is(Mood::Takes);
    let back = house.alert("a", RED, 400).await;
    passes(&house, "it takes again", || {
        by(&house, back, "a", State::Awaiting) + by(&house, back, "b", State::Awaiting) == 400
    })
    .await;
    assert!(house.fars["a"].sent() > 0);
    let last = house.alert("a", RED, 100).await;
    passes(&house, "all goes by it", || {
        by(&house, last, "a", State::Awaiting) == 100
    })
    .await;
}

#[tokio::test]
async fn what_has_no_other_account_stays_and_is_sent_when_its_own_is_back() {
    let members = vec![
        member("a", Some(&[Carrier::Mobile])),
        member("b", Some(&[Carrier::Unicom])),
    ];
    let house = House::routed(&plan(&["a", "b"], RATE, members)).await;
    house.fars["a"].is(Mood::Away);
    let stream = house.alert("a", RED, 50).await;
    for _ in 0..40 {
        house.advance(1_000);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(house.fars["b"].sent(), 0);
    house.fars["a"].is(Mood::Takes);
    passes(&house, "all goes by its own", || {
        by(&house, stream, "a", State::Awaiting) == 50
    })
    .await;
}

#[tokio::test]
async fn each_account_is_gone_to_once_and_the_last_refusal_is_the_end() {
    let members = vec![member("a", None), member("b", None), member("c", None)];
    let house = House::routed(&plan(&["a", "b", "c"], RATE, members)).await;
    for far in house.fars.values() {
        far.is(Mood::Refuses(FailureClass::Transient));
    }
    let stream = house.alert("a", RED, 20).await;
    passes(&house, "all have failed", || {
        by(&house, stream, "c", State::Failed) == 20
    })
    .await;
    // Two attempts an account.
    for name in ["a", "b", "c"] {
        assert_eq!(house.fars[name].sent(), 40, "{name}");
    }
    each(&alert(&house, stream), |block, i| {
        assert_eq!((block.attempts(i), block.tries(i)), (6, 2));
    });
}

#[tokio::test]
async fn a_refused_text_is_refused_everywhere_and_goes_nowhere_else() {
    let house = House::routed(&plan(&["a", "b"], RATE, first_any())).await;
    for class in [FailureClass::BadContent, FailureClass::BadAddress] {
        house.fars["a"].is(Mood::Refuses(class));
        let stream = house.alert("a", RED, 20).await;
        passes(&house, "all have failed", || {
            by(&house, stream, "a", State::Failed) == 20
        })
        .await;
    }
    assert_eq!(house.fars["b"].sent(), 0);
}

#[tokio::test]
async fn a_number_that_is_not_theirs_goes_on_at_once_and_is_learned() {
    let members = vec![
        member("a", Some(&[Carrier::Mobile])),
        member("b", Some(&[Carrier::Unicom])),
    ];
    let set = || plan(&["a", "b"], RATE, members.clone());
    let house = House::routed(&set()).await;
    house.fars["a"].is(Mood::NotServed);
    let stream = house.alert("a", RED, 30).await;
    within("all goes by the other", || {
        by(&house, stream, "b", State::Awaiting) == 30
    })
    .await;
    let fact = Fact {
        is: Some(Carrier::Unicom),
        not: Carrier::Mobile.bit(),
    };
    assert!((0..30).all(|endpoint| house.desk.ledger.ported.of(endpoint) == fact));
    assert_eq!(doubts(&house, stream), 0, "it was refused, not lost");
    let house = house.again(&set()).await;
    assert_eq!(house.desk.ledger.ported.of(29), fact, "a restart knows it");
    assert_eq!(house.desk.ledger.ported.of(30), Fact::default());
}

#[tokio::test]
async fn a_crash_after_the_decision_goes_on_by_the_other_account() {
    let set = || plan(&["a", "b"], RATE, first_any());
    let house = House::routed(&set()).await;
    house.fars["a"].is(Mood::NotServed);
    house.fars["b"].is(Mood::Away);
    let stream = house.alert("a", RED, 30).await;
    // No account takes them now: they wait for the one that may.
    within("all wait for the other account", || {
        by(&house, stream, "b", State::Due) == 30
    })
    .await;
    let house = house.again(&set()).await;
    passes(&house, "all goes by the other", || {
        by(&house, stream, "b", State::Awaiting) == 30
    })
    .await;
    assert_eq!(house.fars["a"].sent(), 0, "none goes back");
    assert_eq!(doubts(&house, stream), 0);
}

#[tokio::test]
async fn a_stalled_account_delays_no_other() {
    let members = vec![member("a", None), member("b", None)];
    let house = House::routed(&plan(&["a", "b", "c"], "100/s burst 10", members)).await;
    house.fars["a"].is(Mood::Holds);
    house.alert("a", RED, 3_000).await;
    let third = house.alert("c", RED, 300).await;
    // Of another account every text goes out at the moment that its rate allows, as if nothing hung beside it.
    for step in 1..=60 {
        house.advance(50);
        within("what the rate allows is out", || {
            house.fars["c"].sent() >= 5 * step
        })
        .await;
    }
    within("all is taken", || {
        by(&house, third, "c", State::Awaiting) == 300
    })
    .await;
    assert!(house.fars["a"].sent() > 0, "it hangs there");
}
