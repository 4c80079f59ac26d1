//! 平武, 02:17:30: 1,424 loudspeakers of 178 villages of which 1,310 are there, 57 of 60 schools and hospitals, and six machines. A
//! terminal that is not there is not asked about. The oracle knows points, bands and √(d² + 15²) / 3.5, and nothing of
//! the program.

use std::time::Duration;

use futures::StreamExt as _;
use serde_json::json;

use super::feed::{EPICENTRE, Feed, now};
use super::standing;
use super::terminal::{Attended, Box_, Enrolled, Field};
use crate::gateway::{Gateway, World, within};

const HORNS: usize = 178 * 8;
const THERE: usize = 1_310;
const HALLS: usize = 60;
const HALLS_THERE: usize = 57;
const MACHINES: [&str; 6] = ["hydro-1", "hydro-2", "gas-1", "bell-1", "bell-2", "bell-3"];
/// How late a box may look at its clock, in milliseconds, on a machine that all of them share.
const LATE: i64 = 1_500;

/// Points in the hills, by a fixed seed, up to some 150 km away.
fn points() -> Vec<(String, (f64, f64))> {
    let mut random = fastrand::Rng::with_seed(20_260_715);
    let mut one = |name: String| {
        let (north, east) = (random.f64() * 1.7 - 1.0, random.f64() * 2.0 - 0.7);
        (name, (EPICENTRE.0 + north, EPICENTRE.1 + east))
    };
    let horns = (0..HORNS).map(|n| format!("horn-{n:04}"));
    let halls = (0..HALLS).map(|n| format!("hall-{n:02}"));
    horns.chain(halls).map(&mut one).collect()
}

/// Kilometres on a sphere.
fn away((lat, lon): (f64, f64)) -> f64 {
    let (a, b) = (EPICENTRE.0.to_radians(), lat.to_radians());
    let cos = a.sin() * b.sin() + a.cos() * b.cos() * (lon - EPICENTRE.1).to_radians().cos();
    cos.clamp(-1.0, 1.0).acos() * 6_371.0
}

/// Who is alarmed by a report: Ⅴ and more. Nothing where the point is too near to the border for a sphere to tell.
fn alarmed(at: (f64, f64), border: f64) -> Option<bool> {
    let away = away(at);
    ((away - border).abs() > border * 0.01).then_some(away < border)
}

/// Milliseconds after the origin.
fn arrival(at: (f64, f64)) -> i64 {
    let way = Duration::from_secs_f64(away(at).hypot(15.0) / 3.5);
    i64::try_from(way.as_millis()).expect("minutes")
}

struct World_ {
    world: World,
    feed: Feed,
    boxes: Vec<(Box_, (f64, f64))>,
    machines: Vec<Attended>,
}

async fn world() -> World_ {
    let feed = Feed::new();
    let field = Field::at(&feed, points(), &MACHINES);
    let world = World::start(field.setup()).await;
    let gateway = &world.gateway;
    let codes = field.codes(gateway).await;
    // All are enrolled; who is not there is away when it matters.
    let enrolled = futures::stream::iter(&field.horns);
    let enrolled = enrolled.map(|(name, _)| Box_::enrolled(gateway, &field, name, &codes));
    let enrolled: Vec<Enrolled> = enrolled.buffered(64).collect().await;
    let there = |n: &usize| *n < THERE || (HORNS..HORNS + HALLS_THERE).contains(n);
    let boxes = (0..).zip(enrolled).zip(&field.horns);
    let boxes = boxes.filter(|((n, _), _)| there(n));
    let boxes: Vec<_> = boxes
        .map(|((_, one), (_, at))| (one.go(gateway, &field), *at))
        .collect();
    assert_eq!(boxes.len(), THERE + HALLS_THERE);
    let machines = MACHINES.map(|name| Attended::start(gateway, name)).into();
    let all = boxes.len();
    within("all are in their polls", async || {
        let polls = gateway.polls().await;
        (polls >= all).then_some(())
    })
    .await;
    World_ {
        world,
        feed,
        boxes,
        machines,
    }
}

impl Gateway {
    /// Devices that have called since the gateway began.
    async fn polls(&self) -> usize {
        let list = self.get("/v1/devices?limit=5000").await;
        let rows = list["devices"].as_array().expect("a list").iter();
        rows.filter(|row| !row["heard"].is_null()).count()
    }
}

async fn at(origin: i64, seconds: f64) {
    let wait = Duration::from_secs_f64(seconds).saturating_sub(Duration::from_millis(
        u64::try_from(now() - origin).unwrap_or(0),
    ));
    tokio::time::sleep(wait).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ground_shakes_at_pingwu_and_each_terminal_counts_its_own_seconds() {
    let mut story = world().await;
    let gateway = &story.world.gateway;
    let origin = now() - 5_600;
    let mut posted = Vec::new();
    for (number, seconds, magnitude) in [(1, 5.6, 5.9), (2, 7.9, 6.3), (3, 11.0, 6.2)] {
        at(origin, seconds).await;
        posted.push(now());
        let report = story.feed.report("pingwu", number, origin, magnitude);
        story.feed.hand_in(gateway, &report).await;
    }
    // Report 1 once more, behind report 3: it has been answered, and tells nobody anything.
    let overtaken = story.feed.report("pingwu", 1, origin, 7.5);
    let answer = super::feed::post(gateway, &story.feed.sign(&overtaken), &overtaken).await;
    assert_eq!(answer.status, 409);
    at(origin, 42.0).await;
    let (mut early, mut second, mut numbers) = (0, 0, 0);
    for (one, place) in &story.boxes {
        let log = one.log.lock();
        let ends = origin + arrival(*place) + 10_000;
        match (alarmed(*place, 75.0), alarmed(*place, 95.0)) {
            (Some(first), Some(both)) if both && ends > posted[1] => {
                assert_eq!(
                    log.spans.len(),
                    1,
                    "{}: once, without a break: {:?}",
                    one.name,
                    log.spans
                );
                let (from, until) = (log.spans[0].0, log.spans[0].1.expect("it is over"));
                assert_eq!(from < posted[1], first, "{}: by which report", one.name);
                assert!(until < ends + LATE, "{}: {until} {ends}", one.name);
                early += usize::from(first);
                second += usize::from(!first);
                numbers += counted(&log.said, origin + arrival(*place), &one.name);
            }
            (_, Some(false)) => assert_eq!(log.spans, [], "{}: no siren", one.name),
            _ => {}
        }
    }
    assert!(
        early > 150 && second > 50 && numbers > 1_000,
        "{early} {second} {numbers}"
    );
    let one = standing(gateway, "pingwu").await;
    assert_eq!(
        (&one["report"], &one["figures"]["acted"]),
        (&json!(3), &json!(6)),
        "{}",
        one["figures"]
    );
    assert!(
        story
            .machines
            .iter()
            .all(|machine| *machine.acted.lock() == (1, 0))
    );
    assert_eq!(story.world.smsc.texts(), [], "no text, no call");
    exercise(&mut story).await;
}

/// Every number that is said is what is left, less how late the box looked; near the epicentre none is.
fn counted(said: &[(i64, String)], arrival: i64, name: &str) -> usize {
    let mut numbers = 0;
    for (at, word) in said {
        let left = arrival - *at;
        match word.parse::<i64>() {
            Ok(number) => {
                numbers += 1;
                let whole = left.div_euclid(1_000);
                assert!(
                    (whole - number).abs() <= 1,
                    "{name}: {number} said, {left} ms left"
                );
            }
            Err(_) if word.contains("横波") => assert!(left < 1_100, "{name}: {left} ms left"),
            Err(_) => {}
        }
    }
    numbers
}

/// The same as an exercise: nobody sounds, and no machine acts; each says that it has it.
async fn exercise(story: &mut World_) {
    let gateway = &story.world.gateway;
    let spans = |story: &World_| {
        story
            .boxes
            .iter()
            .map(|(one, _)| one.log.lock().spans.len())
            .sum::<usize>()
    };
    let before = spans(story);
    for (event, status) in [("drill", "Exercise"), ("test", "Test")] {
        let report = story.feed.report(event, 1, now() - 1_000, 6.3);
        let report = story.feed.change(&report, "status", json!(status));
        let taken = story.feed.hand_in(gateway, &report).await;
        assert_eq!(
            (&taken["told"], &taken["machines"]),
            (&json!(6), &json!(6)),
            "{taken}"
        );
        within("six say that they hold still", async || {
            let one = standing(gateway, event).await;
            (one["figures"]["held"] == 6).then_some(())
        })
        .await;
    }
    assert_eq!(spans(story), before);
    assert!(
        story
            .machines
            .iter()
            .all(|machine| *machine.acted.lock() == (1, 0))
    );
}
