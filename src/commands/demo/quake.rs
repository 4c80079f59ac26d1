//! The earthquake of the demo: three reports of a feed, as they follow each other in the seconds after it, and who was told what
//! by each. The places are real, the earthquake is not. This module must not ask the gateway who has heard it: the boxes know.

use std::collections::BTreeSet;
use std::time::Duration;

use channel::{Clock, HttpClient, SystemClock, Timestamp};
use serde_json::{Value, json};

use super::peers::Controllers;
use crate::app::App;
use crate::commands::{Failed, feed::Feed};

pub fn feed() -> Feed {
    Feed::new("demo")
}

/// 15 km below the county's north-west.
const EPICENTRE: (f64, f64) = (32.65, 103.75);
/// How long after the earthquake each report is there, and of which magnitude it speaks: the second knows more, the third less.
const REPORTS: [(u32, u64, f64); 3] = [(1, 5_600, 5.9), (2, 7_900, 6.3), (3, 11_000, 6.2)];
/// By then every box that was told has said so, on any machine.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(100);

/// What went wrong; nothing where every box that was told has heard it.
pub async fn relayed(app: &App, base: &str, boxes: &Controllers) -> Result<Vec<String>, Failed> {
    let (clock, http) = (
        SystemClock::default(),
        HttpClient::of_the_house(Duration::from_secs(30)),
    );
    let first = Duration::from_millis(REPORTS[0].1);
    let origin = clock.now().minus(first);
    let event = format!("demo-{}", origin.secs());
    let feed = feed();
    say!("\n地震预警 earthquake early warning (演示 not real): 32.65 N 103.75 E, 15 km");
    for (report, after, magnitude) in REPORTS {
        let due = origin.plus(Duration::from_millis(after));
        tokio::time::sleep(due.since(clock.now())).await;
        let body = said((&event, report), (origin, clock.now()), magnitude);
        let answer = feed.hand_in(&http, base, &body).await?;
        say!("{}", line(report, after, magnitude, &answer));
    }
    let told = told(app, &event);
    let heard = || -> BTreeSet<String> {
        let shaken = boxes.0.shaken().into_iter();
        let own = shaken.filter(|word| word.event == event);
        own.map(|word| word.device).collect()
    };
    for _ in 0..PATIENCE.as_millis() / LOOK.as_millis() {
        if told.is_subset(&heard()) {
            break;
        }
        tokio::time::sleep(LOOK).await;
    }
    let heard = heard();
    let lost = told.difference(&heard).count();
    say!(
        "{} of {} loudspeakers have taken it 已收到  {base}/console/earthquakes",
        heard.len(),
        told.len()
    );
    let problem = format!("{lost} loudspeakers were told of the earthquake and have not heard it");
    Ok((lost > 0).then_some(problem).into_iter().collect())
}

fn said(
    (event, report): (&str, u32),
    (origin, sent): (Timestamp, Timestamp),
    magnitude: f64,
) -> Value {
    let (latitude, longitude) = EPICENTRE;
    json!({
        "v": 1, "event": event, "report": report, "status": "Actual", "kind": "warning", "sent": sent.0, "origin": origin.0,
        "latitude": latitude, "longitude": longitude, "depth": 15.0, "magnitude": magnitude,
    })
}

fn line(report: u32, after: u64, magnitude: f64, answer: &Value) -> String {
    let count = |key: &str| answer[key].as_u64().unwrap_or(0);
    format!(
        "  T+{}.{} s  第{report}报 report {report}  M{magnitude:.1}  告知 told {}: 红 red {}, 橙 orange {}, 提示 notice {}",
        after / 1_000,
        after % 1_000 / 100,
        count("told"),
        count("red"),
        count("orange"),
        count("notice")
    )
}

/// Every device that any report named.
fn told(app: &App, event: &str) -> BTreeSet<String> {
    let quake = app
        .ledger
        .quakes
        .get(&("demo".to_owned(), event.to_owned()));
    let reports = quake.iter().flat_map(|quake| quake.reports.values());
    let rows = reports.flat_map(|(quaked, _)| quaked.relayed.iter().flat_map(|to| &to.rows));
    rows.map(|row| row.device.clone()).collect()
}
