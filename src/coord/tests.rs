//! Pacing alone and shared, against a real Redis.

use std::time::Duration;

use channel::{Clock, SystemClock};

use super::{Pacer, Redis};

fn redis() -> Redis {
    let url = std::env::var("TOCSIN_REDIS").expect("TOCSIN_REDIS names a Redis: run ./test");
    Redis::new(&url).expect("a Redis URL")
}

/// How long these pacers need, side by side, to grant so many permits each.
async fn time(pacers: &[Pacer], rounds: u32, permits: u32) -> Duration {
    let clock = SystemClock::default();
    let each = pacers.iter().map(|pacer| async move {
        for _ in 0..rounds {
            pacer.take(permits).await;
        }
    });
    futures::future::join_all(each).await;
    clock.tick()
}

fn account(name: &str) -> String {
    format!("{name}-{}", std::process::id())
}

#[tokio::test]
async fn two_nodes_that_share_an_account_share_its_rate() {
    let (redis, rate) = (redis(), "200/s burst 10".parse().expect("a rate"));
    let name = account("shared");
    let pacer = || Pacer::new(&name, rate, Some(&redis));
    // 300 permits at 200 a second, less the burst: about 1.45 s for both together, half that if they did not share.
    let took = time(&[pacer(), pacer()], 15, 10).await;
    assert!(took >= Duration::from_millis(1_300), "{took:?}");
}

#[tokio::test]
async fn accounts_do_not_share() {
    let (redis, rate) = (redis(), "200/s burst 200".parse().expect("a rate"));
    let pacers = ["a", "b"].map(|name| Pacer::new(&account(name), rate, Some(&redis)));
    let took = time(&pacers, 20, 10).await;
    assert!(
        took < Duration::from_millis(900),
        "both bursts are granted at once: {took:?}"
    );
}

#[tokio::test]
async fn without_redis_a_node_goes_by_its_own_limiter() {
    // Nobody listens on this port: it was free a moment ago and is held by nobody now.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|l| l.local_addr())
        .expect("a port")
        .port();
    let gone = Redis::new(&format!("redis://127.0.0.1:{port}")).expect("a Redis URL");
    let rate = "200/s burst 10".parse().expect("a rate");
    let pacer = Pacer::new("gone", rate, Some(&gone));
    let took = time(&[pacer], 10, 10).await;
    assert!(
        took >= Duration::from_millis(400),
        "it is paced all the same: {took:?}"
    );
}

#[test]
fn a_url_that_names_no_redis_is_refused() {
    assert!(Redis::new("http://127.0.0.1:1").is_err());
}
