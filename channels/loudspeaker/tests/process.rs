//! The reference controller, `examples/controller.rs`, as a process of its own: against the channel, and against a far end
//! that gives it what no gateway gives. It is killed when its handle is dropped.

mod gateway;
#[path = "process/quake.rs"]
mod quake;
mod voice;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use channel::testing::{RecordingInlet, context};
use channel::{
    Accepted, Action, Address, Authority, Capability, Channel, Clock, Command, Failure, Health,
    Key, Level, Message, Reply, Request, SystemClock, Timestamp, Variant,
};
use loudspeaker::order::{Class, Order, Orders, PLAY, Signed, Signer, VERSION};
use loudspeaker::{Config, Loudspeaker, Secret};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

const SEED: &str = "0101010101010101010101010101010101010101010101010101010101010101";
const DEVICE: &str = "PW-217001-02";
const CODE: &str = "7Q2M-0000-0000-0001";

/// Beside this test's own binary; a run of the whole workspace builds it.
fn program() -> PathBuf {
    let own = std::env::current_exe().expect("this test");
    let folder = own.parent().and_then(Path::parent).expect("target/debug");
    let program = folder.join("examples/controller");
    assert!(
        program.exists(),
        "build it first: cargo build --example controller"
    );
    program
}

struct Process {
    child: tokio::process::Child,
    said: PathBuf,
}

impl Process {
    fn start(folder: &Path, base: &str, code: Option<&str>) -> Self {
        let code = code.map(|code| ["--code", code]);
        Self::with(folder, base, code.as_ref().map_or(&[], |code| &code[..]))
    }

    fn with(folder: &Path, base: &str, more: &[&str]) -> Self {
        let said = folder.join("said");
        let file = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&said)
            .expect("a file");
        let mut command = tokio::process::Command::new(program());
        command
            .args(["--gateway", base, "--device", DEVICE, "--local"])
            .args([
                "--seconds",
                "1",
                "--wait",
                "1",
                "--pause",
                "1",
                "--patience",
                "3",
                "--state",
            ])
            .arg(folder.join("state"))
            .args(more)
            .stdin(Stdio::piped())
            .stdout(file)
            .kill_on_drop(true);
        let child = command.spawn().expect("it starts");
        Self { child, said }
    }

    /// `kill -9`: what it has not written is gone.
    async fn kill(mut self) {
        self.child.kill().await.expect("it can be killed");
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.said).expect("its output")
    }
}

async fn until(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..3_000 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("thirty seconds passed without: {what}");
}

fn now() -> Timestamp {
    SystemClock::default().now()
}

fn channel() -> (Arc<Loudspeaker>, Arc<RecordingInlet>) {
    speaking(Arc::new(channel::Mute))
}

/// Of a house with these sounds.
fn speaking(sounds: Arc<dyn channel::Sounds>) -> (Arc<Loudspeaker>, Arc<RecordingInlet>) {
    let (context, inlet) = context("speakers");
    let context = channel::Context { sounds, ..context };
    let config = Config::new(
        "pingwu",
        Secret::new("a secret only for these tests"),
        Secret::new(SEED),
    );
    let channel = Loudspeaker::new(config, context).expect("a good configuration");
    inlet.codes.lock().insert(DEVICE.into(), CODE.into());
    (Arc::new(channel), inlet)
}

fn message(alert: u64, serial: u64, text: &str) -> Message {
    let mut variant = Variant::new("zh-CN", "山洪灾害红色预警", text);
    variant.level = Level::Red;
    Message {
        key: Key {
            alert,
            delivery: 1,
            generation: 0,
        },
        serial,
        variant: Arc::new(variant),
        address: Address::new(DEVICE),
        expires: now().plus(Duration::from_mins(10)),
        repeat: false,
    }
}

fn played(inlet: &RecordingInlet) -> Vec<String> {
    let receipts = inlet.receipts.lock();
    let codes = receipts.iter().map(|receipt| receipt.code.clone());
    codes.filter(|code| code != "playing").collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_enrols_plays_through_a_kill_and_reports_all_of_it_once() {
    let (channel, inlet) = channel();
    let gateway = gateway::listen(channel.clone()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let process = Process::start(folder.path(), &gateway.base, Some(CODE));
    until("it enrols", || !inlet.keys.lock().is_empty()).await;
    let serial = channel::serial_floor(now()) + 1;
    let first = message(7, serial, "请立即向高处转移。");
    channel.send(&first).await.expect("it has it");
    until("it speaks", || process.said().contains("高处")).await;
    // In the midst of the first reading, or of the second.
    process.kill().await;
    let process = Process::start(folder.path(), &gateway.base, None);
    until("it reports", || !played(&inlet).is_empty()).await;
    assert!(
        played(&inlet)[0].starts_with("played "),
        "{:?}",
        played(&inlet)
    );
    let times = process.said().matches("高处").count();
    assert!(
        (2..=3).contains(&times),
        "twice, and the reading that was cut off"
    );
    // As after a restart of the gateway, which did not hear of it: the same order under a new counter.
    let again = Message {
        serial: serial + 1,
        repeat: true,
        ..first
    };
    channel.send(&again).await.expect("it has it");
    until("it says so again", || played(&inlet).len() == 2).await;
    assert_eq!(
        process.said().matches("高处").count(),
        times,
        "and does not play it twice"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_obeys_a_stop_and_a_volume_and_tells_who_used_the_microphone() {
    let (channel, inlet) = channel();
    let gateway = gateway::listen(channel.clone()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut process = Process::start(folder.path(), &gateway.base, Some(CODE));
    until("it enrols", || !inlet.keys.lock().is_empty()).await;
    let serial = channel::serial_floor(now()) + 1;
    let mut long = message(7, serial, "请立即向高处转移。");
    let variant = Arc::get_mut(&mut long.variant).expect("nobody else has it");
    variant.repeat = Some((100, Duration::ZERO));
    channel.send(&long).await.expect("it has it");
    until("it speaks", || process.said().contains("高处")).await;
    for (serial, action) in [
        (serial + 1, Action::Stop { alert: 7 }),
        (serial + 2, Action::Volume { percent: 35 }),
        (serial + 3, Action::Tone { seconds: 1 }),
    ] {
        let given = channel.command(&Command {
            serial,
            action,
            authority: Authority::County,
            devices: vec![DEVICE.into()],
            not_before: now(),
            expires: now().plus(Duration::from_mins(1)),
        });
        assert!(given);
    }
    until("all three are done", || inlet.obeyed.lock().len() == 3).await;
    assert!(inlet.obeyed.lock().iter().all(|obeyed| obeyed.done));
    until("it says that it was stopped", || {
        played(&inlet)
            .iter()
            .any(|code| code.starts_with("stopped "))
    })
    .await;
    until("the tone has the new volume", || {
        process.said().contains("tone, volume 35")
    })
    .await;
    let input = process.child.stdin.as_mut().expect("a pipe");
    input
        .write_all(b"microphone 1\n")
        .await
        .expect("it listens");
    let source = || {
        let said = channel.device(DEVICE)?;
        said.sounded.map(|sounded| sounded.source)
    };
    until("the microphone is told", || source() == Some("microphone")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_holds_an_order_longer_without_a_word_and_refuses_what_it_does_not_hold() {
    let (channel, inlet) = channel();
    let gateway = gateway::listen(channel.clone()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let process = Process::start(folder.path(), &gateway.base, Some(CODE));
    until("it enrols", || !inlet.keys.lock().is_empty()).await;
    let serial = channel::serial_floor(now()) + 1;
    let mut short = message(7, serial, "请立即向高处转移。");
    short.expires = now().plus(Duration::from_secs(4));
    let variant = Arc::get_mut(&mut short.variant).expect("nobody else has it");
    variant.repeat = Some((100, Duration::ZERO));
    channel.send(&short).await.expect("it has it");
    until("it speaks", || process.said().contains("高处")).await;
    for (serial, alert) in [(serial + 1, 7), (serial + 2, 9)] {
        channel.command(&Command {
            serial,
            action: Action::Prolong {
                alert,
                drill: false,
            },
            authority: Authority::County,
            devices: vec![DEVICE.into()],
            not_before: now(),
            expires: now().plus(Duration::from_mins(1)),
        });
    }
    until("it has answered both", || inlet.obeyed.lock().len() == 2).await;
    let said: Vec<_> = inlet
        .obeyed
        .lock()
        .iter()
        .map(|o| (o.done, o.code.clone()))
        .collect();
    assert_eq!((said[0].0, said[1].0), (true, false), "{said:?}");
    assert!(said[1].1.contains("not-held"), "{said:?}");
    until("its own end is over", || now() > short.expires).await;
    let before = process.said().matches("高处").count();
    until("it goes on", || {
        process.said().matches("高处").count() > before + 1
    })
    .await;
    assert_eq!(played(&inlet), [""; 0], "it has not ended");
}

/// A tone, a recording and the words.
fn in_pieces(alert: u64, serial: u64, recording: &channel::Sound) -> Message {
    let mut message = message(alert, serial, "请立即向高处转移。");
    let variant = Arc::get_mut(&mut message.variant).expect("nobody else has it");
    variant.repeat = Some((1, Duration::ZERO));
    variant.parts = vec![
        channel::Part::Tone {
            name: "gong-fast".into(),
            seconds: 1,
        },
        channel::Part::Sound {
            sound: recording.clone(),
            language: "qxs".into(),
        },
        channel::Part::Text {
            text: "请立即向高处转移。".into(),
            language: "zh-CN".into(),
        },
    ];
    message
}

#[tokio::test(flavor = "multi_thread")]
async fn it_fetches_an_orders_sounds_once_checks_them_and_plays_the_text_where_one_cannot_be_had() {
    let voice = Arc::new(voice::Voice::default());
    let recording = voice.keep(b"a recording in Qiang");
    let spoken = voice.says("请立即向高处转移。", b"the words, spoken");
    let (channel, inlet) = speaking(voice.clone());
    let gateway = gateway::listen(channel.clone()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let process = Process::start(folder.path(), &gateway.base, Some(CODE));
    until("it enrols", || !inlet.keys.lock().is_empty()).await;
    let serial = channel::serial_floor(now()) + 1;
    channel
        .send(&in_pieces(7, serial, &recording))
        .await
        .expect("it has it");
    until("it has played", || played(&inlet).len() == 1).await;
    let said = process.said();
    let short = |sound: &channel::Sound| sound.sha256[..12].to_owned();
    let tone = said.find("tone gong-fast, 1 s").expect("the tone");
    let first = said.find(&format!("plays {} in qxs", short(&recording)));
    let then = said.find(&format!("plays {} in zh-CN", short(&spoken)));
    assert!(Some(tone) < first && first < then, "in their order: {said}");
    let kept = |sound: &channel::Sound| folder.path().join("state.sounds").join(&sound.sha256);
    assert_eq!(
        std::fs::read(kept(&recording)).expect("it is kept"),
        b"a recording in Qiang"
    );

    // It is asked for no more; one that the gateway does not have, and one with other bytes, are not played.
    voice.kept.lock().clear();
    channel
        .send(&in_pieces(8, serial + 1, &recording))
        .await
        .expect("it has it");
    until("it plays from its disk", || played(&inlet).len() == 2).await;
    assert_eq!(process.said().matches(&short(&recording)).count(), 2);
    let gone = voice::sound(b"not here any more");
    let forged = voice.says("请立即向高处转移。", b"the words, by somebody else");
    voice.kept.lock()[0].1 = b"something else".to_vec().into();
    channel
        .send(&in_pieces(9, serial + 2, &gone))
        .await
        .expect("it has it");
    until("it plays all the same", || played(&inlet).len() == 3).await;
    let said = process.said();
    assert!(said.contains("without its recording in qxs"), "{said}");
    assert!(said.contains(": 请立即向高处转移。"), "{said}");
    assert!(
        !said.contains(&short(&gone)) && !said.contains(&short(&forged)),
        "{said}"
    );
    assert!(!kept(&forged).exists());
}

/// A far end that gives what it is told to give.
#[derive(Default)]
struct Fake {
    orders: Mutex<Vec<Signed>>,
    reports: Mutex<Vec<Value>>,
    /// How far its clock is ahead, in milliseconds; orders wait until the controller goes by it.
    ahead: std::sync::atomic::AtomicI64,
}

impl Fake {
    fn ahead(&self) -> Timestamp {
        let ahead = self.ahead.load(std::sync::atomic::Ordering::SeqCst);
        Timestamp(now().0 + ahead)
    }

    fn is_known_to(&self, request: &Request) -> bool {
        let header = request.header("authorization").unwrap_or_default();
        let time: i64 = header
            .split(' ')
            .nth(2)
            .and_then(|time| time.parse().ok())
            .expect("a time");
        (time - self.ahead().0).abs() < 60_000
    }
}

#[async_trait]
impl Channel for Fake {
    fn capability(&self) -> Capability {
        unreachable!("nobody asks")
    }

    async fn send(&self, _: &Message) -> Result<Accepted, Failure> {
        unreachable!("nobody sends")
    }

    fn health(&self) -> Health {
        Health::Up
    }

    async fn serve(&self, request: Request) -> Reply {
        let signer = Signer::from_seed(SEED).expect("32 bytes");
        let keys = signer.public_keys();
        let (live, drill) = keys.split_at(64);
        match request.path.as_str() {
            "enrol" => Reply::json(
                200,
                &json!({ "device": DEVICE, "gateway": "pingwu", "keys": { "live": live, "drill": drill },
                "counter": 100, "address": "/v1/channels/speakers", "heartbeat": 60 }),
            ),
            "orders" => {
                let mut orders = Vec::new();
                if self.is_known_to(&request) {
                    orders = std::mem::take(&mut *self.orders.lock());
                }
                if orders.is_empty() {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    return Reply::status(204);
                }
                Reply::json(200, &Orders { orders })
            }
            "reports" => {
                let report = serde_json::from_slice(&request.body).expect("JSON");
                self.reports.lock().push(report);
                Reply::json(200, &json!({}))
            }
            _ => Reply::json(200, &json!({ "time": self.ahead() })),
        }
    }
}

fn order(counter: u64, text: &str) -> Order {
    Order {
        v: VERSION,
        gateway: "pingwu".into(),
        counter,
        order: format!("{counter}-0-aa-bb"),
        kind: PLAY.into(),
        drill: false,
        class: Class::Emergency,
        authority: Authority::County,
        level: Level::Red,
        event: "11A51".into(),
        language: "zh-CN".into(),
        title: "t".into(),
        text: text.into(),
        repeats: 1,
        pause: 0,
        parts: Vec::new(),
        regions_hash: String::new(),
        target: String::new(),
        value: 0,
        not_before: now(),
        expires: now().plus(Duration::from_mins(10)),
        to: DEVICE.into(),
        quake: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_plays_nothing_that_is_forged_replayed_expired_or_a_drill_given_out_as_live() {
    let fake = Arc::new(Fake::default());
    let gateway = gateway::listen(fake.clone()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let signer = Signer::from_seed(SEED).expect("32 bytes");
    let thief = Signer::from_seed(&SEED.replace("01", "02")).expect("32 bytes");
    let drill = Order {
        drill: true,
        ..order(106, "演练:假的")
    };
    // Under the live key, which no `Signer` does.
    let body = serde_json::to_string(&drill).expect("texts and numbers");
    let live = hex::decode(SEED).expect("hex");
    let live = ring::signature::Ed25519KeyPair::from_seed_unchecked(&live).expect("32 bytes");
    let for_live = {
        let signature = hex::encode(live.sign(body.as_bytes()));
        Signed::alone(body, signature)
    };
    let expired = Order {
        expires: now(),
        ..order(103, "假的")
    };
    let unmarked = Order {
        drill: true,
        ..order(107, "假的")
    };
    let elsewhere = Order {
        to: "PW-217001-03..08".into(),
        ..order(104, "假的")
    };
    let unsigned = Signed {
        signature: String::new(),
        ..signer.sign(&order(108, "假的"))
    };
    let good = signer.sign(&order(110, "真的"));
    *fake.orders.lock() = vec![
        signer.sign(&order(100, "假的")),
        thief.sign(&order(102, "假的")),
        signer.sign(&expired),
        signer.sign(&elsewhere),
        for_live,
        signer.sign(&unmarked),
        unsigned,
        good.clone(),
        good,
    ];
    let process = Process::start(folder.path(), &gateway.base, Some(CODE));
    until("the good one is played and reported", || {
        let reports = fake.reports.lock();
        reports.iter().any(|report| report["state"] == "played")
    })
    .await;
    let said = process.said();
    let refused: Vec<_> = said
        .lines()
        .filter(|line| line.starts_with("refused as "))
        .collect();
    let wanted = [
        "refused as replayed: its counter was taken already, or is below the window",
        "refused as forged: the signature is not the gateway's",
        "refused as expired: it has expired",
        "refused as not-addressed: it is not addressed to this device",
        "refused as drill-for-live: it is a drill signed for live, or a live order signed as a drill",
        "refused as unmarked-drill: it is a drill whose text does not say so",
        "refused as forged: the signature is not the gateway's",
        "refused as replayed: its counter was taken already, or is below the window",
    ];
    assert_eq!(refused, wanted);
    assert!(
        !said.contains("假的") && said.matches("真的").count() == 1,
        "{said}"
    );
    let failed: Vec<_> = fake
        .reports
        .lock()
        .iter()
        .filter_map(|r| r["code"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(
        failed,
        ["expired", "drill-for-live", "unmarked-drill"],
        "what cannot be believed is not answered"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_took_sounds_at_its_time_after_a_kill_and_with_the_gateway_gone_and_is_reported_late()
 {
    let fake = Arc::new(Fake::default());
    let gateway = gateway::listen(fake.clone()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let signer = Signer::from_seed(SEED).expect("32 bytes");
    let begins = now().plus(Duration::from_secs(5));
    let later = Order {
        not_before: begins,
        ..order(102, "到时再播")
    };
    let over = Order {
        not_before: begins,
        expires: begins,
        ..order(101, "过期不播")
    };
    *fake.orders.lock() = vec![signer.sign(&over), signer.sign(&later)];
    let process = Process::start(folder.path(), &gateway.base, Some(CODE));
    let state = folder.path().join("state");
    let kept = || std::fs::read_to_string(&state).is_ok_and(|text| text.contains("到时再播"));
    until("it is on the disk", kept).await;
    process.kill().await;
    let base = gateway.base.clone();
    drop(gateway);
    let process = Process::start(folder.path(), &base, None);
    until("it sounds", || process.said().contains("到时再播")).await;
    assert!(now() >= begins, "not before its time");
    assert!(!process.said().contains("过期不播"));
    process.kill().await;
    assert!(fake.reports.lock().is_empty());
    let gateway = gateway::listen(fake.clone()).await;
    let process = Process::start(folder.path(), &gateway.base, None);
    until("it is reported", || {
        let reports = fake.reports.lock();
        reports.iter().any(|report| {
            report["order"] == "102-0-aa-bb"
                && report["state"] == "played"
                && report["whole"] == true
        })
    })
    .await;
    drop(process);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_changes_its_key_and_after_a_lost_answer_goes_by_the_one_that_holds() {
    let (channel, inlet) = channel();
    let gateway = gateway::listen(channel.clone()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let process = Process::start(folder.path(), &gateway.base, Some(CODE));
    // Said when its key is on the disk: the gateway knows it a moment before.
    until("it enrols", || process.said().contains("enrolled at")).await;
    let key = || inlet.keys.lock().get(DEVICE).copied();
    let first = key();
    process.kill().await;
    let process = Process::with(folder.path(), &gateway.base, &["--rekey"]);
    until("it has another key", || key() != first).await;
    until("it says so", || process.said().contains("key changed")).await;
    let second = key();
    process.kill().await;
    // As if the answer had been lost: the disk has both keys, and the gateway goes by the second.
    let state = folder.path().join("state");
    let text = std::fs::read_to_string(&state).expect("its memory");
    let mut kept: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    kept["next"] = kept["seed"].clone();
    kept["seed"] = "44".repeat(32).into();
    std::fs::write(&state, kept.to_string()).expect("written");
    inlet.presences.lock().clear();
    let _process = Process::with(folder.path(), &gateway.base, &[]);
    until("it is heard", || !inlet.presences.lock().is_empty()).await;
    assert_eq!(key(), second, "and asks for no third");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_looks_at_itself_without_a_word_and_says_what_is_wrong() {
    let (channel, inlet) = channel();
    let gateway = gateway::listen(channel.clone()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let process = Process::start(folder.path(), &gateway.base, Some(CODE));
    until("it enrols", || !inlet.keys.lock().is_empty()).await;
    let serial = channel::serial_floor(now()) + 1;
    let give = |serial, action| {
        channel.command(&Command {
            serial,
            action,
            authority: Authority::County,
            devices: vec![DEVICE.into()],
            not_before: now(),
            expires: now().plus(Duration::from_mins(1)),
        })
    };
    assert!(give(serial, Action::SelfTest));
    until("it is done", || inlet.obeyed.lock().len() == 1).await;
    assert!(give(serial + 1, Action::Volume { percent: 0 }));
    until("it is mute", || inlet.obeyed.lock().len() == 2).await;
    assert!(give(serial + 2, Action::SelfTest));
    until("it is done again", || inlet.obeyed.lock().len() == 3).await;
    let said: Vec<_> = inlet
        .obeyed
        .lock()
        .iter()
        .map(|obeyed| (obeyed.done, obeyed.code.clone(), obeyed.seconds))
        .collect();
    let wanted = [(true, "", 0), (true, "", 0), (false, "muted", 0)];
    assert_eq!(
        said,
        wanted.map(|(done, code, seconds)| (done, code.to_owned(), seconds))
    );
    assert!(!process.said().contains("tone"), "{}", process.said());
}
