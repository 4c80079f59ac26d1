//! The channel against far ends that we did not write: baresip picks up, sipp answers as exchanges do, and tshark judges
//! what was on the wire. `./test` at the root brings what these need.

#[path = "../../../channel/tests/wire/capture.rs"]
mod capture;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use capture::Dumpcap;

use crate::common::{Running, USER, config, message, tone, until};
use channel::testing::free_port;
use channel::{Channel, FailureClass};
use voice::{Config, Secret};

/// Killed when dropped.
struct Other(Child);

impl Other {
    fn start(command: &mut Command) -> Self {
        let name = command.get_program().to_owned();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        Self(child.unwrap_or_else(|e| panic!("{} starts: {e}: run ./test", name.display())))
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// sipp with one of our scenarios, its places filled, and a channel whose trunk it is.
async fn sipp(
    scenario: &str,
    places: &[(&str, &str)],
    change: impl FnOnce(&mut Config),
) -> (Running, Other, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let shipped = Path::new("tests/sipp").join(scenario);
    let mut text = std::fs::read_to_string(shipped).unwrap();
    for (place, value) in places {
        text = text.replace(place, value);
    }
    let file = folder.path().join(scenario);
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new("sipp");
    command
        .arg("-sf")
        .arg(file)
        .current_dir(folder.path())
        .stderr(Stdio::null());
    command.args([
        "-i",
        "127.0.0.1",
        "-mi",
        "127.0.0.1",
        "-nostdin",
        "-p",
        &port.to_string(),
    ]);
    let other = Other::start(&mut command);
    let mut config = config(port, folder.path());
    let trunk = config.trunk.as_mut().unwrap();
    trunk.probe = Duration::from_millis(500);
    change(&mut config);
    let running = Running::start(config);
    running.up().await;
    (running, other, folder)
}

#[tokio::test]
async fn sipps_refusals_are_judged_by_status_and_cause() {
    for (status, reason, class, code) in [
        (
            "486 Busy Here",
            "SIP;cause=486",
            FailureClass::Transient,
            "voice:busy",
        ),
        (
            "480 Unavailable",
            "Q.850;cause=20",
            FailureClass::Transient,
            "voice:off",
        ),
        (
            "500 Error",
            "Q.850;cause=1",
            FailureClass::BadAddress,
            "voice:invalid",
        ),
        (
            "403 Forbidden",
            "SIP;cause=403",
            FailureClass::LinkDown,
            "voice:denied",
        ),
    ] {
        let places = [("STATUS", status), ("REASON", reason)];
        let (running, _sipp, _folder) = sipp("answers.xml", &places, |_| {}).await;
        let failure = running.voice.send(&message(1)).await.unwrap_err();
        assert_eq!((failure.class, &*failure.code), (class, code), "{status}");
        running.stop().await;
    }
}

#[tokio::test]
async fn sipp_rings_until_we_give_up() {
    let (running, _sipp, _folder) = sipp("rings.xml", &[], |_| {}).await;
    let failure = running.voice.send(&message(1)).await.unwrap_err();
    assert_eq!(
        (failure.class, &*failure.code),
        (FailureClass::Transient, "voice:no-answer")
    );
    assert_eq!(running.told(), "ringing; ");
    running.stop().await;
}

#[tokio::test]
async fn sipp_checks_our_password_and_presses_two_by_info() {
    let with = |word: &str| {
        let word = Secret::new(word);
        move |config: &mut Config| config.trunk.as_mut().unwrap().password = Some(word)
    };
    let (running, _sipp, _folder) = sipp("asks.xml", &[], with("right-word")).await;
    running.voice.send(&message(1)).await.unwrap();
    assert_eq!(running.told(), "answered; key 2 heard 0s=Acknowledged; ");
    running.stop().await;

    let (running, _sipp, _folder) = sipp("asks.xml", &[], with("wrong-word")).await;
    let failure = running.voice.send(&message(1)).await.unwrap_err();
    assert_eq!(
        (failure.class, &*failure.code),
        (FailureClass::LinkDown, "voice:denied")
    );
    running.stop().await;
}

#[tokio::test]
async fn sipp_presses_one_with_events_that_somebody_recorded() {
    let (running, _sipp, _folder) = sipp("presses.xml", &[], |_| {}).await;
    running.voice.send(&message(1)).await.unwrap();
    assert_eq!(running.told(), "answered; key 1 heard 0s=Acknowledged; ");
    running.stop().await;
}

/// A telephone that picks up by itself.
fn baresip(folder: &Path, number: &str) -> (u16, Other) {
    let port = free_port();
    let quiet = folder.join("quiet.wav");
    let mut silence = tone(300);
    silence[44..].fill(0);
    std::fs::write(&quiet, silence).unwrap();
    let config = format!(
        "sip_listen 127.0.0.1:{port}\naudio_source aufile,{}\nmodule_path /usr/lib/baresip/modules\n\
         module g711.so\nmodule aufile.so\nmodule_app account.so\nmodule_app menu.so\n",
        quiet.display()
    );
    let account = format!(
        "<sip:{number}@127.0.0.1:{port};transport=udp>;regint=0;answermode=auto;audio_codecs=PCMA,PCMU\n"
    );
    std::fs::write(folder.join("config"), config).unwrap();
    std::fs::write(folder.join("accounts"), account).unwrap();
    std::fs::write(folder.join("contacts"), "").unwrap();
    let other = Other::start(
        Command::new("baresip")
            .arg("-f")
            .arg(folder)
            .stderr(Stdio::null()),
    );
    (port, other)
}

#[tokio::test]
async fn baresip_picks_up_and_tshark_finds_our_sound_whole_and_well_formed() {
    let folder = tempfile::tempdir().unwrap();
    let (port, _baresip) = baresip(folder.path(), "08160000001");
    let media = free_port();
    let capture = Capture::start(&folder.path().join("x.pcapng"));
    let mut config = config(port, folder.path());
    let trunk = config.trunk.as_mut().unwrap();
    trunk.probe = Duration::from_millis(500);
    trunk.media_port = media;
    let running = Running::start(config);
    running.up().await;
    running.voice.send(&message(1)).await.unwrap();
    let told = running.told();
    assert!(told.ends_with("answered; heard 1s=Delivered; "), "{told}");
    running.stop().await;
    let file = capture.stop(port).await;
    // Other tests' calls are in the file too: ours are told by their ports.
    let malformed = format!("_ws.malformed and udp.port in {{{port}, {media}}}");
    assert_eq!(judged(&file, port, &["-Y", &malformed]), "");
    let streams = judged(&file, port, &["-q", "-z", "rtp,streams"]);
    let words = |line: &str| {
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let ours = streams.lines().map(words).find(|words| {
        words.get(3) == Some(&media.to_string()) && words.contains(&"g711A".to_owned())
    });
    let ours = ours.unwrap_or_else(|| panic!("no stream from {media} in\n{streams}"));
    let place = ours.iter().position(|word| word == "g711A").unwrap();
    // Half a second of silence, a second of message, a second of prompt, 0.3 s in which a key is awaited.
    assert_eq!(
        ours[place + 1..place + 3],
        ["140", "0"],
        "packets, and lost ones: {ours:?}"
    );
    let asked = |filter: &str, field: &str| {
        let filter = format!("{filter} and udp.port == {port}");
        judged(&file, port, &["-Y", &filter, "-T", "fields", "-e", field])
    };
    let methods = asked("sip.Method != OPTIONS", "sip.Method");
    assert_eq!(
        methods.lines().collect::<Vec<_>>(),
        ["INVITE", "ACK", "BYE"]
    );
    assert_eq!(asked("sip.Method == INVITE", "sip.from.user"), USER);
}

struct Capture {
    dumpcap: Dumpcap,
    file: PathBuf,
}

impl Capture {
    fn start(file: &Path) -> Self {
        Self {
            dumpcap: Dumpcap::start("udp", file),
            file: file.to_owned(),
        }
    }

    /// Ends the capture once the answer to our goodbye is in the file.
    async fn stop(self, port: u16) -> PathBuf {
        let answer = "sip.CSeq.method == BYE and sip.Status-Code == 200";
        let filter = format!("{answer} and udp.port == {port}");
        let ended = ["-Y", &filter];
        until("the end of the call is captured", || {
            !tshark(&self.file, port, &ended).0.is_empty()
        })
        .await;
        self.dumpcap.stop();
        self.file
    }
}

/// What tshark says, and whether it read the file to its end.
fn tshark(file: &Path, port: u16, arguments: &[&str]) -> (String, bool) {
    let output = Command::new("tshark")
        .arg("-r")
        .arg(file)
        .args(["-d", &format!("udp.port=={port},sip")])
        .args(arguments)
        .output()
        .expect("tshark starts: run ./test");
    let text = String::from_utf8(output.stdout).unwrap();
    (text.trim().to_owned(), output.status.success())
}

fn judged(file: &Path, port: u16, arguments: &[&str]) -> String {
    let (text, whole) = tshark(file, port, arguments);
    assert!(whole, "tshark read the whole file");
    text
}
