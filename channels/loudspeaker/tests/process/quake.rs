//! Earthquakes at the reference controller as a process of its own: counted down, replaced, called off, refused; and at the
//! machine that it can be in place of a loudspeaker.

use channel::{AFTER_ARRIVAL, Alarm, Quake, Shaking, Shock};
use loudspeaker::order::{QUAKE, QUAKE_CANCEL, Tremor};

use super::*;

const SIREN: &str = "siren\n";

/// A report for the device, by which the wave is there after so long.
fn report(number: u32, serial: u64, left: Duration, alarm: Alarm) -> Quake {
    let origin = now();
    Quake {
        event: "sc-1".into(),
        report: number,
        drill: false,
        what: Shaking::Comes {
            origin,
            magnitude: 63,
            shocks: vec![Shock {
                serial,
                device: DEVICE.into(),
                intensity: 7,
                arrival: origin.plus(left),
                alarm,
            }],
        },
        text: format!("地震预警第{number}报"),
        since: origin,
    }
}

fn cancel(number: u32, serial: u64) -> Quake {
    Quake {
        what: Shaking::CalledOff {
            serial,
            devices: vec![DEVICE.into()],
            until: now().plus(Duration::from_mins(2)),
        },
        text: "地震预警取消".into(),
        ..report(number, 0, Duration::ZERO, Alarm::Red)
    }
}

fn exercise(quake: Quake) -> Quake {
    Quake {
        drill: true,
        text: format!("演练。{}", quake.text),
        ..quake
    }
}

/// What was said to the gateway: of which order, and in which words. Who is killed before the answer says it again.
fn told(inlet: &RecordingInlet) -> Vec<(u64, String)> {
    let mut told = Vec::new();
    for one in inlet.obeyed.lock().iter() {
        let said = (one.serial, one.code.clone());
        if !told.contains(&said) {
            told.push(said);
        }
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn it_counts_down_takes_a_newer_report_over_without_a_break_and_stops_at_a_cancel() {
    let (channel, inlet) = channel();
    let gateway = gateway::listen(channel.clone()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let process = Process::start(folder.path(), &gateway.base, Some(CODE));
    until("it enrols", || !inlet.keys.lock().is_empty()).await;
    let serial = channel::serial_floor(now()) + 1;
    let first = report(1, serial, Duration::from_secs(30), Alarm::Orange);
    assert!(channel.shake(&first));
    until("it says the words", || process.said().contains("第1报")).await;
    let left = |seconds: u32| format!("[橙色] {seconds}\n");
    let counts = || (20..30).any(|seconds| process.said().contains(&left(seconds)));
    until("it counts down", counts).await;
    let second = report(2, serial + 1, Duration::from_secs(15), Alarm::Red);
    assert!(channel.shake(&second));
    until("it goes on by the second", || {
        process.said().contains("report 2: ")
    })
    .await;
    until("it counts by that", || process.said().contains("[红色] 1")).await;
    // A power cut in the midst of it, and what it was offered before.
    process.kill().await;
    let process = Process::start(folder.path(), &gateway.base, None);
    let before = process.said().matches(SIREN).count();
    until("it goes on", || {
        process.said().matches(SIREN).count() > before
    })
    .await;
    assert!(channel.shake(&first) && channel.shake(&second));
    assert!(channel.shake(&cancel(2, serial + 2)));
    until("it says that it is called off", || {
        process.said().contains("地震预警取消")
    })
    .await;
    until("it has told", || told(&inlet).len() == 4).await;
    assert!(channel.shake(&report(2, serial + 3, Duration::from_secs(15), Alarm::Red)));
    let said = process.said();
    assert_eq!(before, 1, "the second report has restarted nothing: {said}");
    assert_eq!(said.matches(SIREN).count(), 2, "{said}");
    assert_eq!(said.matches("第1报").count(), 1, "{said}");
    assert!(!said.contains("第2报"), "the words were said: {said}");
    let wanted = [
        (serial, "sounds".to_owned()),
        (serial + 1, "sounds".to_owned()),
        (serial + 1, "stopped".to_owned()),
        (serial + 2, "stopped".to_owned()),
    ];
    assert_eq!(told(&inlet), wanted);
    assert!(inlet.obeyed.lock().iter().all(|one| one.done));
    let obeyed = inlet.obeyed.lock();
    let stopped = obeyed
        .iter()
        .find(|one| one.serial > serial && one.code == "stopped");
    assert!(stopped.is_some_and(|one| one.seconds > 0));
    assert_eq!(said.matches("地震预警取消").count(), 1, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_wave_is_there_it_says_no_number_and_ends_ten_seconds_after_it() {
    let (channel, inlet) = channel();
    let gateway = gateway::listen(channel.clone()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let process = Process::start(folder.path(), &gateway.base, Some(CODE));
    until("it enrols", || !inlet.keys.lock().is_empty()).await;
    let serial = channel::serial_floor(now()) + 1;
    let mut quake = report(1, serial, Duration::ZERO, Alarm::Red);
    let Shaking::Comes { shocks, .. } = &mut quake.what else {
        unreachable!("it comes")
    };
    let origin = now().minus(Duration::from_secs(20));
    shocks[0].arrival = now().minus(Duration::from_secs(7));
    let ends = shocks[0].arrival.plus(AFTER_ARRIVAL);
    if let Shaking::Comes { origin: began, .. } = &mut quake.what {
        *began = origin;
    }
    assert!(channel.shake(&quake));
    until("it is told", || told(&inlet).len() == 2).await;
    assert!(now() >= ends, "it has sounded until its end");
    let said = process.said();
    let lines: Vec<_> = said
        .lines()
        .filter(|line| line.starts_with("[红色]"))
        .collect();
    let wanted = [
        "[红色] siren",
        "[红色] sc-1 report 1: 0 s left",
        "[红色] 地震横波到达,立即避险",
    ];
    assert_eq!(lines, wanted);
    assert_eq!(told(&inlet)[1], (serial, "played".to_owned()));
    assert!((1..=4).contains(&inlet.obeyed.lock()[1].seconds));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_acts_once_holds_still_in_an_exercise_and_releases_at_a_cancel() {
    let (channel, inlet) = channel();
    let gateway = gateway::listen(channel.clone()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let process = Process::with(folder.path(), &gateway.base, &["--code", CODE, "--machine"]);
    until("it enrols", || !inlet.keys.lock().is_empty()).await;
    let serial = channel::serial_floor(now()) + 1;
    let machine = |number, serial| report(number, serial, Duration::from_secs(20), Alarm::Machine);
    assert!(channel.shake(&exercise(machine(1, serial))));
    until("it holds", || told(&inlet).len() == 1).await;
    assert!(channel.shake(&machine(1, serial + 1)));
    until("it acts", || told(&inlet).len() == 2).await;
    process.kill().await;
    let process = Process::with(folder.path(), &gateway.base, &["--machine"]);
    assert!(channel.shake(&machine(2, serial + 2)));
    until("it has acted", || told(&inlet).len() == 3).await;
    assert!(channel.shake(&exercise(cancel(2, serial + 3))));
    until("it holds", || told(&inlet).len() == 4).await;
    assert!(channel.shake(&cancel(2, serial + 4)));
    until("it releases", || told(&inlet).len() == 5).await;
    let codes: Vec<_> = told(&inlet).into_iter().map(|(_, code)| code).collect();
    assert_eq!(codes, ["held", "acts", "acted", "held", "stopped"]);
    let said = process.said();
    assert_eq!(said.matches("acts: intensity 7").count(), 1, "{said}");
    assert_eq!(said.matches("releases").count(), 1, "{said}");
    assert!(!said.contains("siren"), "{said}");
}

/// An order that the fake gateway signs.
fn quake(counter: u64) -> Order {
    let arrival = now().plus(Duration::from_secs(20));
    Order {
        order: format!("0-{counter}-quake-bb"),
        kind: QUAKE.into(),
        target: "sc-1".into(),
        value: 1,
        expires: arrival.plus(AFTER_ARRIVAL),
        quake: Some(Tremor {
            origin: now(),
            arrival,
            intensity: 7,
            magnitude: 63,
            alarm: Alarm::Red,
        }),
        ..order(counter, "假的")
    }
}

/// Orders that no good gateway gives, each with its refusal.
fn bad() -> Vec<(Signed, &'static str)> {
    let signer = Signer::from_seed(SEED).expect("32 bytes");
    let thief = Signer::from_seed(&SEED.replace("01", "02")).expect("32 bytes");
    let tremor = |counter, change: fn(&mut Tremor)| {
        let mut order = quake(counter);
        change(order.quake.as_mut().expect("a tremor"));
        signer.sign(&order)
    };
    let mut far = quake(109);
    let arrival = now().plus(Duration::from_mins(12));
    far.quake.as_mut().expect("a tremor").arrival = arrival;
    far.expires = arrival.plus(AFTER_ARRIVAL);
    let mut over = quake(110);
    let arrival = now().minus(AFTER_ARRIVAL);
    let of = over.quake.as_mut().expect("a tremor");
    (of.origin, of.arrival) = (arrival, arrival);
    over.expires = arrival.plus(AFTER_ARRIVAL);
    let drill = Order {
        drill: true,
        text: "演练。假的".into(),
        ..quake(111)
    };
    // Under the live key, which no `Signer` does.
    let body = serde_json::to_string(&drill).expect("texts and numbers");
    let live = hex::decode(SEED).expect("hex");
    let live = ring::signature::Ed25519KeyPair::from_seed_unchecked(&live).expect("32 bytes");
    let for_live = {
        let signature = hex::encode(live.sign(body.as_bytes()));
        Signed::alone(body, signature)
    };
    let unmarked = Order {
        drill: true,
        ..quake(112)
    };
    let unmarked_cancel = Order {
        kind: QUAKE_CANCEL.into(),
        quake: None,
        ..unmarked.clone()
    };
    let elsewhere = Order {
        to: "PW-217001-03".into(),
        ..quake(113)
    };
    let unsigned = Signed {
        signature: String::new(),
        ..signer.sign(&quake(114))
    };
    let without = Order {
        quake: None,
        ..quake(115)
    };
    vec![
        (signer.sign(&quake(100)), "replayed"),
        (thief.sign(&quake(102)), "forged"),
        (unsigned, "forged"),
        (signer.sign(&without), "malformed"),
        (tremor(116, |of| of.intensity = 0), "malformed"),
        (tremor(117, |of| of.intensity = 13), "malformed"),
        (signer.sign(&far), "far-ahead"),
        (signer.sign(&over), "expired"),
        (for_live, "drill-for-live"),
        (signer.sign(&unmarked), "unmarked-drill"),
        (signer.sign(&unmarked_cancel), "unmarked-drill"),
        (signer.sign(&elsewhere), "not-addressed"),
    ]
}

async fn refuses(more: &[&str], good: Alarm, sign: &str) -> (String, Vec<String>) {
    let fake = Arc::new(Fake::default());
    let gateway = gateway::listen(fake.clone()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let signer = Signer::from_seed(SEED).expect("32 bytes");
    let mut right = Order {
        text: "真的".into(),
        ..quake(120)
    };
    right.quake.as_mut().expect("a tremor").alarm = good;
    let bad = bad();
    let wanted: Vec<_> = bad.iter().map(|(_, code)| *code).collect();
    let right = signer.sign(&right);
    let mut orders: Vec<_> = bad.iter().map(|(signed, _)| signed.clone()).collect();
    orders.extend([right.clone(), right]);
    *fake.orders.lock() = orders;
    let mut arguments = vec!["--code", CODE];
    arguments.extend(more);
    let process = Process::with(folder.path(), &gateway.base, &arguments);
    until("the good one is carried out", || {
        process.said().contains(sign)
    })
    .await;
    let done = || {
        fake.reports
            .lock()
            .iter()
            .any(|report| report["state"] == "done")
    };
    until("and told", done).await;
    let said = process.said();
    let refused: Vec<_> = said
        .lines()
        .filter_map(|line| line.strip_prefix("refused as ")?.split_once(':'))
        .map(|(code, _)| code)
        .collect();
    assert_eq!(refused, [&wanted[..], &["replayed"]].concat(), "{said}");
    assert!(!said.contains("假的"), "{said}");
    let reports = fake.reports.lock();
    let failed = reports.iter().filter(|report| report["state"] == "failed");
    let codes = failed.filter_map(|report| report["code"].as_str().map(str::to_owned));
    (said, codes.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_sounds_no_earthquake_that_is_forged_replayed_late_absurd_or_a_drill_given_out_as_live()
{
    let (said, told) = refuses(&[], Alarm::Red, "真的").await;
    assert_eq!(said.matches(SIREN).count(), 1, "{said}");
    let wanted = ["far-ahead", "expired", "drill-for-live", "unmarked-drill"];
    assert_eq!(told[..4], wanted, "what cannot be believed is not answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_acts_on_no_earthquake_that_is_forged_replayed_late_absurd_or_a_drill() {
    let (said, told) = refuses(&["--machine"], Alarm::Machine, "acts: ").await;
    assert_eq!(said.matches("acts: ").count(), 1, "{said}");
    let wanted = ["far-ahead", "late", "drill-for-live", "unmarked-drill"];
    assert_eq!(told[..4], wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_clock_that_is_known_to_be_wrong_it_counts_no_seconds() {
    let fake = Arc::new(Fake::default());
    let ahead = Duration::from_hours(1);
    fake.ahead
        .store(3_600_000, std::sync::atomic::Ordering::SeqCst);
    let gateway = gateway::listen(fake.clone()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let signer = Signer::from_seed(SEED).expect("32 bytes");
    let mut order = quake(120);
    let of = order.quake.as_mut().expect("a tremor");
    (of.origin, of.arrival) = (of.origin.plus(ahead), of.arrival.plus(ahead));
    order.expires = order.expires.plus(ahead);
    order.text = "真的".into();
    *fake.orders.lock() = vec![signer.sign(&order)];
    let process = Process::start(folder.path(), &gateway.base, Some(CODE));
    until("it says to take cover", || {
        process.said().contains("[红色] 立即避险")
    })
    .await;
    let said = process.said();
    assert!(
        said.contains("[红色] 真的") && said.contains(SIREN),
        "{said}"
    );
    let numbers = said.lines().filter(|line| {
        let word = line.strip_prefix("[红色] ").unwrap_or_default();
        word.parse::<u32>().is_ok()
    });
    assert_eq!(numbers.count(), 0, "{said}");
}
