//! Our modem before hosts that we did not write, and our channel before modems that somebody else wrote down. What a host
//! takes for a modem is believable; what the channel makes of a real modem's habits is not our own opinion.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::common::cable::Cable;
use crate::common::modem::{Running, message, reply};
use channel::testing::Behaviour;
use channel::{Channel, Evidence};
use satellite::peer::{Handset, ModemPeer, Reports};
use satellite::{ModemConfig, Port, Profile, QuirksPatch};

/// A process that ends with its test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn eventually(what: &str, is: impl Fn() -> bool, otherwise: impl Fn() -> String) {
    for _ in 0..600 {
        if is() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!(
        "it did not come about in half a minute: {what}\n{}",
        otherwise()
    );
}

/// The files of a folder, each with what stands in it.
fn files(folder: &Path) -> Vec<Vec<u8>> {
    let read = fs::read_dir(folder).unwrap();
    read.map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .collect()
}

fn smsd(folder: &Path, peer: &ModemPeer) -> Process {
    for name in [
        "outgoing", "incoming", "checked", "failed", "sent", "report", "saved", "stats",
    ] {
        fs::create_dir(folder.join(name)).unwrap();
    }
    let home = folder.display();
    let config = format!(
        "devices = GSM1\nlogfile = {home}/log\nloglevel = 7\ninfofile = {home}/info\npidfile = {home}/pid\n\
         outgoing = {home}/outgoing\nincoming = {home}/incoming\nchecked = {home}/checked\nfailed = {home}/failed\n\
         sent = {home}/sent\nreport = {home}/report\nsaved = {home}/saved\nstats = {home}/stats\n\
         delaytime = 1\nerrorsleeptime = 1\nblocktime = 5\nreceive_before_send = no\nautosplit = 3\n\
         [GSM1]\ndevice = @{}\nincoming = yes\nreport = yes\npin = ignore\nmemory_start = 1\nmode = new\n",
        peer.address()
    );
    let file = folder.join("smsd.conf");
    fs::write(&file, config).unwrap();
    let child = Command::new("smsd")
        .arg("-t")
        .arg(format!("-c{}", file.display()))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("smsd starts: run ./test");
    Process(child)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn smsd_sends_through_our_modem_and_reads_its_reports_and_replies() {
    let mut handset = Handset::new(Behaviour::Confirm);
    handset.reports = Reports::Stored;
    let peer = ModemPeer::start(handset).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let _smsd = smsd(home, &peer);
    let log = || fs::read_to_string(home.join("log")).unwrap_or_default();
    eventually("smsd reads its folders", || home.join("log").exists(), log).await;
    let text: Vec<u8> = "暴雨红色预警"
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    let head = b"To: 8617400000001\nAlphabet: UCS2\nReport: yes\n\n";
    fs::write(home.join("one"), [&head[..], &text].concat()).unwrap();
    fs::rename(home.join("one"), home.join("outgoing/one")).unwrap();
    eventually(
        "our modem has a text",
        || peer.handset(|handset| handset.texts.len()) == 1,
        log,
    )
    .await;
    peer.handset(|handset| {
        let submit = &handset.texts[0];
        assert_eq!(submit.to.text(), "+8617400000001");
        assert!(submit.report);
        assert_eq!(submit.user.text(), "暴雨红色预警");
    });
    peer.write_in(&reply("收到"));
    let holds = |name: &str, what: &[u8]| {
        let all = files(&home.join(name));
        all.iter()
            .any(|file| file.windows(what.len()).any(|part| part == what))
    };
    eventually(
        "a report",
        || holds("report", b"8617400000001") || holds("incoming", b"Status: 0"),
        log,
    )
    .await;
    let written: Vec<u8> = "收到".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let came = || holds("incoming", &written) || holds("incoming", "收到".as_bytes());
    eventually("a reply", came, log).await;
    eventually(
        "both were deleted",
        || peer.handset(|handset| handset.stored()) == 0,
        log,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gammu_sends_through_our_modem_on_a_serial_port_and_lists_its_replies() {
    let peer = ModemPeer::start(Handset::new(Behaviour::Accept))
        .await
        .unwrap();
    peer.write_in(&reply("收到"));
    let folder = tempfile::tempdir().unwrap();
    let cable = Cable::lay(folder.path(), peer.address()).await;
    let file = folder.path().join("gammurc");
    let device = cable.device().display();
    fs::write(
        &file,
        format!("[gammu]\ndevice = {device}\nconnection = at115200\nuse_locking = no\n"),
    )
    .unwrap();
    let gammu = |arguments: &[&str]| {
        let output = Command::new("gammu")
            .arg("-c")
            .arg(&file)
            .args(arguments)
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .output()
            .expect("gammu starts: run ./test");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let also = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "gammu {arguments:?}: {said}{also}");
        said
    };
    let text = "暴雨红色预警,请立即转移。".repeat(8);
    gammu(&[
        "sendsms",
        "TEXT",
        "+8617400000001",
        "-unicode",
        "-autolen",
        "300",
        "-text",
        &text,
    ]);
    peer.handset(|handset| {
        let joined: String = handset
            .texts
            .iter()
            .map(|submit| submit.user.text())
            .collect();
        assert_eq!((joined.as_str(), handset.texts.len()), (text.as_str(), 2));
        assert_eq!(handset.texts[0].to.text(), "+8617400000001");
    });
    let listed = gammu(&["getallsms"]);
    assert!(
        listed.contains("收到") && listed.contains("+8617400000001"),
        "{listed}"
    );
}

/// Each by its name, and on which port it answers.
fn fake_modems() -> (Process, Vec<(String, u16)>) {
    let set =
        |name: &str| std::env::var(name).expect("run ./test: it installs python-gsmmodem-new");
    let script = "tests/devices/python/fake_modems.py";
    let mut child = Command::new(set("TOCSIN_MODEM_PYTHON"))
        .args(["-W", "ignore", script, &set("TOCSIN_FAKE_MODEMS")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python starts");
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let modem = |line: String| {
        let (name, port) = line.split_once(' ').unwrap();
        (name.to_owned(), port.parse().unwrap())
    };
    let modems: Vec<_> = lines
        .take(MODEMS.len())
        .map(|line| modem(line.unwrap()))
        .collect();
    (Process(child), modems)
}

/// Those that were written down, and whether each ends its answer to `+CPIN?`.
const MODEMS: [(&str, bool); 6] = [
    ("WavecomMultiband900E1800", false),
    ("HuaweiK3715", true),
    ("HuaweiE1752", true),
    ("QualcommM6280", true),
    ("ZteK3565Z", true),
    ("NokiaN79", true),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn modems_that_somebody_else_wrote_down_take_a_text_with_their_quirks_set() {
    let (_python, modems) = fake_modems();
    for (name, port) in modems {
        let known = MODEMS.iter().find(|(known, _)| *known == name);
        let (_, ends) = known.unwrap_or_else(|| panic!("{name} is not known here"));
        let config = ModemConfig {
            profile: Profile::Silent,
            quirks: QuirksPatch {
                // They were asked for neither network nor signal.
                registration: Some(Vec::new()),
                card: Some(*ends),
                reports: Some(false),
                ..QuirksPatch::default()
            },
            pause: Duration::from_millis(10),
            timeout: Duration::from_secs(2),
            ..ModemConfig::new(Port::tcp(format!("127.0.0.1:{port}")))
        };
        let running = Running::start(config);
        let sent = running.modem.send(&message(1, "暴雨红色预警")).await;
        let accepted = sent.unwrap_or_else(|failure| panic!("{name}: {failure}"));
        assert_eq!(accepted.references.len(), 1, "{name}");
        assert_eq!(running.modem.capability().best, Evidence::Accepted);
        running.stop().await;
    }
}
