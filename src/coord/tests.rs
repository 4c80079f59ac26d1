//! Pacing alone and shared, against a real Redis. What is shared is counted by what two nodes were granted together.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use channel::testing::free_port;
use channel::{
    Clock, Failure, ManualClock, Secret, SystemClock, Timestamp, Token, TokenSource, Tokens,
};
use proptest::prelude::*;

use super::own::Own;
use super::{Account, Ask, MARK, Redis, SharedTokens, YIELD};

const RED: u64 = 1;
const BLUE: u64 = 9;

fn redis() -> Redis {
    let url = std::env::var("TOCSIN_REDIS").expect("TOCSIN_REDIS names a Redis: run ./test");
    Redis::new(&url).expect("a Redis URL")
}

/// A Redis that is not there.
fn gone() -> Redis {
    let port = free_port();
    Redis::new(&format!("redis://127.0.0.1:{port}")).expect("a Redis URL")
}

fn nodes(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).expect("some")
}

fn name(name: &str) -> String {
    format!("{name}-{}", std::process::id())
}

fn node(account: &str, rate: &str, redis: &Redis) -> Account {
    let clock = Arc::new(SystemClock::default());
    let rate = rate.parse().expect("a rate");
    Account::new(account, rate, nodes(2), Some(redis), clock)
}

fn ask(lane: &str, rank: u64, permits: u32, more: bool) -> Ask<'_> {
    Ask {
        lane,
        rank,
        permits,
        more,
    }
}

/// Asks for as much as it gets, until the clock says so: what was granted.
async fn greedy(account: &Account, rank: u64, clock: &SystemClock, until: Duration) -> u32 {
    let mut granted = 0;
    while clock.tick() < until {
        match account.ask(ask("sms", rank, 10, true)).await {
            None => granted += 10,
            Some(wait) => tokio::time::sleep(wait).await,
        }
    }
    granted
}

#[tokio::test]
async fn two_nodes_that_share_an_account_never_go_over_its_rate() {
    let account = name("shared");
    let [one, two] = [redis(), redis()].map(|redis| node(&account, "500/s burst 50", &redis));
    let clock = SystemClock::default();
    let until = Duration::from_millis(1_500);
    let (one, two) = tokio::join!(
        greedy(&one, BLUE, &clock, until),
        greedy(&two, BLUE, &clock, until)
    );
    let most = 50 + clock.tick().as_millis() * 500 / 1_000;
    assert!(
        u128::from(one + two) <= most,
        "{one} + {two}, at most {most}"
    );
    assert!(
        one + two >= 300 && one > 0 && two > 0,
        "{one} + {two}: it is used"
    );
}

#[tokio::test]
async fn a_red_alert_on_one_node_makes_the_others_blue_one_yield_and_go_on_after_it() {
    let account = name("ranked");
    // Each its own connections and its own mark, and both lanes are called alike.
    let [one, two] = [redis(), redis()].map(|redis| node(&account, "1000/s burst 100", &redis));
    assert_eq!(one.ask(ask("sms", BLUE, 10, true)).await, None);
    assert_eq!(
        two.ask(ask("sms", RED, 10, true)).await,
        None,
        "red does not yield"
    );
    // There are permits left, and blue gets none of them.
    let wait = one
        .ask(ask("sms", BLUE, 10, true))
        .await
        .expect("it yields");
    assert!(wait <= YIELD, "{wait:?}");
    // The last of the red ones takes its mark away: nobody waits out the second.
    assert_eq!(two.ask(ask("sms", RED, 10, false)).await, None);
    assert_eq!(one.ask(ask("sms", BLUE, 10, true)).await, None);
}

#[tokio::test]
async fn a_mark_whose_node_fell_silent_stands_for_a_second() {
    let account = name("silent");
    let [one, two] = [redis(), redis()].map(|redis| node(&account, "1000/s burst 100", &redis));
    let clock = SystemClock::default();
    assert_eq!(two.ask(ask("sms", RED, 10, true)).await, None);
    let start = clock.tick();
    while let Some(wait) = one.ask(ask("sms", BLUE, 10, true)).await {
        tokio::time::sleep(wait).await;
    }
    let waited = clock.tick().saturating_sub(start);
    assert!(waited + Duration::from_millis(50) >= MARK, "{waited:?}");
}

#[tokio::test]
async fn accounts_do_not_share() {
    let redis = redis();
    let [a, b] = ["a", "b"].map(|n| node(&name(n), "200/s burst 200", &redis));
    assert_eq!(a.ask(ask("sms", RED, 200, true)).await, None);
    assert_eq!(b.ask(ask("sms", BLUE, 200, true)).await, None);
}

#[tokio::test]
async fn without_redis_each_node_takes_its_share() {
    let clock = Arc::new(ManualClock::new(Timestamp(0)));
    let rate = "200/s burst 40".parse().expect("a rate");
    for redis in [None, Some(gone())] {
        let account = Account::new("gone", rate, nodes(2), redis.as_ref(), clock.clone());
        let mut granted = 0;
        for _ in 0..=1_000 {
            if account.ask(ask("sms", RED, 5, true)).await.is_none() {
                granted += 5;
            }
            clock.advance(Duration::from_millis(2));
        }
        // Two seconds at half of the rate, and half of the burst.
        assert_eq!(granted, 2 * 100 + 20);
    }
}

#[test]
fn more_than_the_burst_is_granted_and_paid_back() {
    let mut own = Own::new("100/s burst 10".parse().expect("a rate"), nodes(1));
    let s = Duration::from_secs_f64;
    assert_eq!(own.ask(ask("a", RED, 30, false), s(0.0)), None);
    assert_eq!(own.ask(ask("a", RED, 1, false), s(0.0)), Some(s(0.21)));
    assert_eq!(own.ask(ask("a", RED, 1, false), s(0.21)), None);
}

#[test]
fn a_lane_does_not_yield_to_itself_nor_a_higher_rank_to_a_lower() {
    let mut own = Own::new("100/s burst 100".parse().expect("a rate"), nodes(1));
    let s = Duration::from_secs;
    assert_eq!(own.ask(ask("a", RED, 1, true), s(0)), None);
    assert_eq!(own.ask(ask("a", BLUE, 1, true), s(0)), None);
    assert_eq!(own.ask(ask("b", RED, 1, true), s(0)), None);
    assert_eq!(own.ask(ask("a", BLUE, 1, true), s(0)), Some(YIELD));
    assert_eq!(
        own.ask(ask("b", BLUE, 1, true), s(0)),
        None,
        "it has nothing red any more"
    );
    assert_eq!(own.ask(ask("a", BLUE, 1, true), s(0)), None);
}

proptest! {
    #[test]
    fn no_span_of_time_sees_more_than_its_rate_and_the_burst(
        asks in prop::collection::vec((0_u64..40, 1_u32..20, any::<bool>()), 1..300),
    ) {
        let mut own = Own::new("1000/s burst 20".parse().expect("a rate"), nodes(1));
        let (mut tick, mut granted) = (0, Vec::new());
        for (wait, permits, more) in asks {
            tick += wait;
            if own.ask(ask("a", RED, permits, more), Duration::from_millis(tick)).is_none() {
                granted.push((tick, u64::from(permits)));
            }
        }
        for (n, (from, _)) in granted.iter().enumerate() {
            let mut sum = 0;
            for (to, permits) in &granted[n..] {
                sum += permits;
                prop_assert!(sum <= to - from + 20, "{sum} from {from} to {to}");
            }
        }
    }
}

#[test]
fn a_url_that_names_no_redis_is_refused() {
    assert!(Redis::new("http://127.0.0.1:1").is_err());
}

/// A far end that gives another token each time it is asked, and takes a moment for it.
#[derive(Default)]
struct FarEnd(AtomicUsize);

#[async_trait]
impl TokenSource for FarEnd {
    async fn fetch(&self, _refused: Option<&Token>) -> Result<Token, Failure> {
        let number = self.0.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok(Token {
            value: Secret::new(format!("token-{number}")),
            until: SystemClock::default().now().plus(Duration::from_mins(5)),
        })
    }
}

fn tokens(redis: Redis) -> SharedTokens {
    SharedTokens::new(Some(redis), Arc::new(SystemClock::default()))
}

#[tokio::test]
async fn of_two_nodes_one_asks_for_a_token_and_both_have_it() {
    let (nodes, far, account) = (
        [redis(), redis()].map(tokens),
        FarEnd::default(),
        name("token"),
    );
    let asks = (0..100).map(|n| nodes[n % 2].token(&account, None, &far));
    let given = futures::future::join_all(asks).await;
    let given: Vec<_> = given
        .into_iter()
        .map(|token| token.expect("a token"))
        .collect();
    assert!(given.iter().all(|token| token.is(&given[0])));
    assert_eq!(far.0.load(Ordering::SeqCst), 1);
    let first = nodes[0]
        .token(&account, Some(&given[0]), &far)
        .await
        .expect("a token");
    let second = nodes[1]
        .token(&account, Some(&given[0]), &far)
        .await
        .expect("a token");
    assert!(
        first.is(&second) && !first.is(&given[0]),
        "what is refused is refused for both"
    );
    assert_eq!(far.0.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn while_redis_is_away_each_node_asks_for_itself() {
    let (node, far) = (tokens(gone()), FarEnd::default());
    let first = node.token("gone", None, &far).await.expect("a token");
    let again = node.token("gone", None, &far).await.expect("a token");
    assert!(first.is(&again), "it keeps its own");
    assert_eq!(far.0.load(Ordering::SeqCst), 1);
}
