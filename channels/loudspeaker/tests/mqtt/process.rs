//! The reference controller with `--mqtt`, as a process of its own: enrolled over HTTP, then behind Mosquitto. It is killed
//! when its handle is dropped.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use channel::{Action, Authority, Channel, Command, Message, Part, Sound, Timestamp};
use loudspeaker::order::{Order, Orders, Signed, Signer};
use ring::signature::Ed25519KeyPair;
use tokio::io::AsyncWriteExt;

use crate::broker::{Broker, PASSWORD};
use crate::gateway;
use crate::kit::{self, Evil, FALSE, GROUP, Gateway, SEED, config, now, serial, until};

const DEVICE: &str = "PW-217001-02";
const CODE: &str = "7Q2M-0000-0000-0001";
const TEXT: &str = "请立即向高处转移。";

struct Process {
    child: tokio::process::Child,
    said: PathBuf,
}

impl Process {
    fn start(folder: &Path, base: &str, broker: &Broker) -> Self {
        let own = std::env::current_exe().expect("this test");
        let program = own.parent().and_then(Path::parent).expect("target/debug");
        let said = folder.join("said");
        let file = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&said);
        let child = tokio::process::Command::new(program.join("examples/controller"))
            .args(["--gateway", base, "--device", DEVICE, "--code", CODE])
            .args(["--seconds", "1", "--wait", "1", "--pause", "1", "--local"])
            .args(["--mqtt", &broker.url(), "--mqtt-group", &GROUP.to_string()])
            .arg("--mqtt-ca")
            .arg(broker.ca())
            .arg("--state")
            .arg(folder.join("state"))
            .env("MQTT_PASSWORD", PASSWORD)
            .stdin(Stdio::piped())
            .stdout(file.expect("a file"))
            .kill_on_drop(true)
            .spawn();
        let child = child.expect("build it first: cargo build --example controller");
        Self { child, said }
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.said).expect("its output")
    }

    fn times(&self, text: &str) -> usize {
        self.said().matches(text).count()
    }
}

/// A gateway, its broker, and the controller, enrolled and heard.
struct World {
    process: Process,
    gateway: Gateway,
    broker: Broker,
    folder: tempfile::TempDir,
    api: gateway::Gateway,
}

impl World {
    async fn start() -> Self {
        let broker = Broker::start(&[DEVICE]).await;
        let gateway = Gateway::start(config(&broker, Duration::from_secs(10)), &[]).await;
        let code = (DEVICE.to_owned(), CODE.to_owned());
        gateway.inlet.codes.lock().extend([code]);
        let api = gateway::listen(gateway.channel.clone()).await;
        let folder = tempfile::tempdir().expect("a folder");
        // As its address names the channel.
        let base = api.base.clone();
        let process = Process::start(folder.path(), &base, &broker);
        until("it is heard", || gateway.is_heard(DEVICE)).await;
        Self {
            process,
            gateway,
            broker,
            folder,
            api,
        }
    }

    fn reported(&self) -> Vec<String> {
        let receipts = self.gateway.inlet.receipts.lock();
        receipts
            .iter()
            .map(|receipt| receipt.code.clone())
            .collect()
    }
}

/// As often as said, without a pause.
fn message(alert: u64, authority: Authority, times: u32, text: &str) -> Message {
    let mut message = kit::message(alert, DEVICE, serial(), text);
    let variant = std::sync::Arc::get_mut(&mut message.variant).expect("nobody else has it");
    variant.repeat = Some((times, Duration::ZERO));
    variant.authority = authority;
    message
}

#[tokio::test(flavor = "multi_thread")]
async fn over_mqtt_it_plays_through_a_kill_and_reports_all_of_it() {
    let mut world = World::start().await;
    let order = message(7, Authority::County, 2, TEXT);
    world.gateway.channel.send(&order).await.expect("it has it");
    until("it speaks", || world.process.times("高处") > 0).await;
    world.process.child.kill().await.expect("it can be killed");
    world.process = Process::start(world.folder.path(), &world.api.base, &world.broker);
    until("it reports", || {
        world
            .gateway
            .played()
            .first()
            .is_some_and(|code| code.starts_with("played "))
    })
    .await;
    let times = world.process.times("高处");
    assert!(
        (2..=3).contains(&times),
        "twice, and the reading that was cut off"
    );
    let again = Message {
        serial: serial(),
        repeat: true,
        ..order
    };
    world.gateway.channel.send(&again).await.expect("it has it");
    until("it says so again", || world.gateway.played().len() == 2).await;
    assert_eq!(
        world.process.times("高处"),
        times,
        "and does not play it twice"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn over_mqtt_a_county_cuts_off_a_village_which_goes_on_and_a_microphone_gives_way_to_both() {
    let mut world = World::start().await;
    let input = world.process.child.stdin.as_mut().expect("a pipe");
    let local = input.write_all(b"microphone 30\n").await;
    local.expect("it listens");
    until("somebody speaks", || {
        world.process.times("(microphone)") == 1
    })
    .await;
    let village = message(7, Authority::Village, 2, "村里的话。");
    world
        .gateway
        .channel
        .send(&village)
        .await
        .expect("it has it");
    until("the microphone is cut off", || {
        world.process.times("村里的话") == 1
    })
    .await;
    let county = message(8, Authority::County, 1, "县里的话。");
    world
        .gateway
        .channel
        .send(&county)
        .await
        .expect("it has it");
    until("both are played", || {
        let played = world.gateway.played();
        played
            .iter()
            .filter(|code| code.starts_with("played "))
            .count()
            == 2
    })
    .await;
    let said = world.process.said();
    let order = |text: &str| said.find(text).expect("it was said");
    assert!(
        order("(microphone)") < order("村里的话") && order("村里的话") < order("县里的话"),
        "{said}"
    );
    assert!(
        said.rfind("村里的话") > said.find("县里的话"),
        "it goes on: {said}"
    );
    assert!(world.reported().iter().any(|code| code == "pre-empted"));
}

#[tokio::test(flavor = "multi_thread")]
async fn over_mqtt_it_obeys_what_carries_no_text_and_tells_who_used_the_microphone() {
    let mut world = World::start().await;
    let long = message(7, Authority::County, 100, TEXT);
    world.gateway.channel.send(&long).await.expect("it has it");
    until("it speaks", || world.process.times("高处") > 0).await;
    let first = serial();
    for (serial, action) in [
        (
            first,
            Action::Prolong {
                alert: 7,
                drill: false,
            },
        ),
        (first + 1, Action::Stop { alert: 7 }),
        (first + 2, Action::Volume { percent: 35 }),
        (first + 3, Action::Tone { seconds: 1 }),
    ] {
        let given = world.gateway.channel.command(&Command {
            serial,
            action,
            authority: Authority::County,
            devices: vec![DEVICE.into()],
            not_before: now(),
            expires: now().plus(Duration::from_mins(20)),
        });
        assert!(given);
    }
    let obeyed = &world.gateway.inlet.obeyed;
    until("all four are done", || obeyed.lock().len() == 4).await;
    assert!(obeyed.lock().iter().all(|obeyed| obeyed.done));
    until("it says that it was stopped", || {
        let played = world.gateway.played();
        played.iter().any(|code| code.starts_with("stopped "))
    })
    .await;
    until("the tone has the new volume", || {
        world.process.times("tone, volume 35") == 1
    })
    .await;
    let input = world.process.child.stdin.as_mut().expect("a pipe");
    input.write_all(b"usb 1\n").await.expect("it listens");
    let source = || {
        let said = world.gateway.channel.device(DEVICE)?;
        said.sounded.map(|sounded| sounded.source)
    };
    until("the stick is told", || source() == Some("usb")).await;
}

fn order(counter: u64) -> Order {
    kit::order(DEVICE, counter)
}

#[tokio::test(flavor = "multi_thread")]
async fn over_mqtt_it_refuses_by_name_what_is_unsigned_replayed_expired_or_a_drill_given_out_as_live()
 {
    let world = World::start().await;
    let evil = Evil::start(&world.broker).await;
    let good = message(7, Authority::County, 1, TEXT);
    world.gateway.channel.send(&good).await.expect("it has it");
    until("it has played", || !world.gateway.played().is_empty()).await;
    let signer = Signer::from_seed(SEED).expect("32 bytes");
    let next = serial();
    let plain = signer.sign(&order(next));
    let unsigned = Signed {
        signature: String::new(),
        ..plain
    };
    let expired = signer.sign(&Order {
        expires: Timestamp(now().0 - 1),
        ..order(next + 1)
    });
    // Under the live key, which no `Signer` does.
    let drill = Order {
        drill: true,
        text: format!("演练:{FALSE}"),
        ..order(next + 2)
    };
    let body = serde_json::to_string(&drill).expect("texts and numbers");
    let live = Ed25519KeyPair::from_seed_unchecked(&hex::decode(SEED).expect("hex"));
    let signature = hex::encode(live.expect("32 bytes").sign(body.as_bytes()));
    let for_live = Signed::alone(body, signature);
    let unmarked = signer.sign(&Order {
        drill: true,
        ..order(next + 3)
    });
    let elsewhere = signer.sign(&Order {
        to: "PW-217001-03".into(),
        ..order(next + 4)
    });
    let payload = |signed| {
        let orders = vec![signed];
        serde_json::to_vec(&Orders { orders }).expect("texts")
    };
    let heard = evil.heard("orders")[0].payload.to_vec();
    for (payload, name) in [
        (payload(unsigned), "forged"),
        (heard, "replayed"),
        (payload(expired), "expired"),
        (payload(for_live), "drill-for-live"),
        (payload(unmarked), "unmarked-drill"),
        (payload(elsewhere), "not-addressed"),
    ] {
        evil.says("orders", DEVICE, payload).await;
        let words = format!("refused as {name}: ");
        until(&words, || world.process.times(&words) == 1).await;
    }
    assert_eq!(world.process.times(FALSE), 0);
    assert_eq!(world.gateway.played().len(), 1, "nothing else is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn over_mqtt_it_speaks_the_text_where_the_way_to_the_recordings_is_gone() {
    let world = World::start().await;
    let World {
        process,
        gateway,
        broker: _broker,
        folder: _folder,
        api,
    } = world;
    // Sounds are fetched at the channel's address alone, and nobody is there any more.
    drop(api);
    let mut order = message(7, Authority::County, 1, TEXT);
    let variant = std::sync::Arc::get_mut(&mut order.variant).expect("nobody else has it");
    variant.parts = vec![
        Part::Sound {
            sound: Sound {
                sha256: "9f".repeat(32),
                mime: "audio/mpeg".into(),
                bytes: 48_000,
                seconds: 3,
            },
            language: "qxs".into(),
        },
        Part::Text {
            text: TEXT.into(),
            language: "zh-CN".into(),
        },
    ];
    gateway.channel.send(&order).await.expect("it has it");
    until("it has played", || {
        let played = gateway.played();
        played.iter().any(|code| code.starts_with("played "))
    })
    .await;
    let said = process.said();
    assert!(said.contains("without its recording in qxs"), "{said}");
    assert!(said.contains(TEXT), "{said}");
}
