//! The loops: a county is warned, the gateway is killed while it releases, sends or takes receipts, and both images of it
//! are proved.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use channel::{Clock, SystemClock};
use parking_lot::Mutex;

use crate::image::{self, Moment, Outcome};
use crate::land::Land;
use crate::node::{self, Node};
use crate::smsc::{Memory, Smsc};
use crate::warning::{COUNTY, Warning};

/// So many loops, or as many as these minutes hold; fewer than the least is a failure.
const LOOPS: u64 = 24;
const LEAST: u64 = 20;
const BOX: Duration = Duration::from_mins(4);
/// Loops that go on side by side.
const ABREAST: usize = 3;
/// Alerts for single villages, handed in while the county's is sent.
const MORE: u32 = 30;

#[derive(Clone, Copy, Debug)]
enum When {
    /// So long after the first alert was handed in.
    Time(Duration),
    /// When the SMSC has read so many texts, at once.
    Text(u64),
}

fn when(number: u64, land: &Land, random: &mut fastrand::Rng) -> When {
    let texts = u64::try_from(land.mobiles.len()).expect("few");
    match number % 4 {
        0 => When::Time(Duration::from_millis(random.u64(0..40))),
        1 | 2 => When::Text(random.u64(1..=texts)),
        _ => When::Time(Duration::from_millis(random.u64(250..1_200))),
    }
}

pub fn warning(mark: u32, area: &str) -> Warning {
    Warning {
        headline: format!("山洪<{mark}>")
            .replace('<', "&lt;")
            .replace('>', "&gt;"),
        ..Warning::red(&format!("a-{mark}"), &[area])
    }
}

/// Hands in one alert for the county and then some for villages, until no answer comes. Mark and id of those accepted.
async fn post(land: &Land, node: &Node, mut random: fastrand::Rng) -> Vec<(u32, u64)> {
    let mut accepted = Vec::new();
    for mark in 1..=MORE {
        let area = if mark == 1 {
            COUNTY
        } else {
            &land.villages[random.usize(..land.villages.len())]
        };
        let Some(reply) = node.post(&warning(mark, area)).await else {
            break;
        };
        // A village without a mobile at home is no mistake of this test's making.
        if reply.status == 202 {
            let body: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
            accepted.push((mark, body["id"].as_u64().expect("an id")));
        } else {
            let said = String::from_utf8_lossy(&reply.body).into_owned();
            assert_eq!(reply.status, 422, "{said}");
        }
        tokio::time::sleep(Duration::from_millis(random.u64(5..40))).await;
    }
    accepted
}

async fn kill(node: &Node, smsc: &Smsc, when: When) {
    match when {
        When::Time(wait) => {
            tokio::time::sleep(wait).await;
            node.victim.kill();
        }
        When::Text(left) => smsc.trap(left, node.victim.clone()),
    }
    node.gone().await;
}

struct Loop {
    sent: usize,
    answered: usize,
    alerts: usize,
    plain: Outcome,
    cut: Outcome,
}

async fn one(land: &Land, number: u64, seed: u64) -> Loop {
    let mut random = fastrand::Rng::with_seed(seed.wrapping_add(number));
    let when = when(number, land, &mut random);
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    std::fs::create_dir_all(&data).expect("a folder");
    std::fs::copy(land.registry(), data.join("registry.sqlite")).expect("it is copied");
    let spool = folder.path().join("spool");
    let smsc = Smsc::start(Memory::default(), &spool, 0).await;
    node::configure(folder.path(), smsc.port());
    let node = Node::start(folder.path()).await;
    let (accepted, ()) = tokio::join!(post(land, &node, random.fork()), kill(&node, &smsc, when));
    smsc.settled().await;
    let mark = node.mark();
    drop(node);
    let (memory, answered) = smsc.end().await;
    let moment = Moment {
        memory,
        answered,
        accepted,
        spool,
    };
    let (plain, cut) = tokio::join!(
        image::prove(land, &moment, &data, None),
        image::prove(land, &moment, &data, Some(mark)),
    );
    let done = Loop {
        sent: moment.memory.seen.len(),
        answered: moment.answered.len(),
        alerts: moment.accepted.len(),
        plain,
        cut,
    };
    println!(
        "loop {number:>3} {when:?}: {} alerts accepted, {} texts sent, {} receipts answered; left: {}; cut: {}",
        done.alerts,
        done.sent,
        done.answered,
        told(&done.plain),
        told(&done.cut)
    );
    done
}

fn told(outcome: &Outcome) -> String {
    let Outcome {
        in_hand,
        unnamed,
        doubts,
        twice,
        problems,
    } = outcome;
    let problems = problems.len();
    format!(
        "{in_hand} in hand, {doubts} doubts, {twice} twice, {unnamed} unnamed, {problems} problems"
    )
}

fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_loses_nothing_also_where_the_log_ends_at_the_last_acknowledged_commit() {
    let clock = SystemClock::default();
    let seed = asked("TOCSIN_CRASH_SEED")
        .unwrap_or_else(|| u64::try_from(clock.now().0).expect("after 1970"));
    let loops = asked("TOCSIN_CRASH_LOOPS").unwrap_or(LOOPS);
    println!("TOCSIN_CRASH_SEED={seed}");
    let land = Land::make();
    let until = clock.tick() + BOX;
    let next = AtomicU64::new(0);
    let done = Mutex::new(Vec::new());
    let worker = async || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= loops || clock.tick() > until {
                return;
            }
            let outcome = one(&land, number, seed).await;
            done.lock().push((number, outcome));
        }
    };
    futures::future::join_all((0..ABREAST).map(|_| worker())).await;
    let mut done = done.into_inner();
    done.sort_by_key(|(number, _)| *number);
    summary(&done);
    let problems = |image: fn(&Loop) -> &Outcome, name: &str| -> Vec<String> {
        let each = done
            .iter()
            .flat_map(|(number, l)| image(l).problems.iter().take(5).map(move |p| (number, p)));
        each.map(|(number, p)| format!("loop {number}, {name}: {p}"))
            .collect()
    };
    let mut all = problems(|l| &l.plain, "as left");
    all.extend(problems(|l| &l.cut, "cut"));
    assert!(all.is_empty(), "seed {seed}:\n{}", all.join("\n"));
    let count = u64::try_from(done.len()).expect("few");
    assert!(
        count >= LEAST.min(loops),
        "{count} loops in {} s: this machine is too slow to prove it",
        BOX.as_secs()
    );
}

fn summary(done: &[(u64, Loop)]) {
    let sum = |of: fn(&Loop) -> usize| done.iter().map(|(_, l)| of(l)).sum::<usize>();
    let most = |of: fn(&Loop) -> usize| done.iter().map(|(_, l)| of(l)).max().unwrap_or(0);
    println!(
        "{} kills, {} alerts accepted, {} texts sent and {} receipts answered before them",
        done.len(),
        sum(|l| l.alerts),
        sum(|l| l.sent),
        sum(|l| l.answered),
    );
    println!(
        "as left: caught {} times, at most {} in hand, {} twice (at most {})",
        sum(|l| usize::from(!l.plain.problems.is_empty())),
        most(|l| l.plain.in_hand),
        sum(|l| l.plain.twice),
        most(|l| l.plain.twice),
    );
    println!(
        "cut: caught {} times, at most {} in hand, {} twice (at most {})",
        sum(|l| usize::from(!l.cut.problems.is_empty())),
        most(|l| l.cut.in_hand),
        sum(|l| l.cut.twice),
        most(|l| l.cut.twice),
    );
}
