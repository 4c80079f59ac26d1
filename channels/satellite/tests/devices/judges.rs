//! Messages in PDU mode before judges that we did not write: tshark's dissector of the radio's own messages, and another
//! implementation in another language, in both directions.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use channel::Timestamp;
use satellite::pdu::{self, Alphabet, Deliver, Number, Report, Submit, Until, UserData, time};
use sms::text::{Coding, encode};

const NOW: Timestamp = Timestamp::from_secs(1_783_990_800);

/// The parts of a text, as the channel gives them to a modem.
fn parts(text: &str) -> Vec<Submit> {
    let coding = Coding {
        gsm7: true,
        ..Coding::default()
    };
    let encoded = encode(text, coding);
    let alphabet = match encoded.alphabet {
        sms::text::Alphabet::Gsm7 => Alphabet::Gsm7,
        _ => Alphabet::Ucs2,
    };
    let part = |(number, data): (u8, &Vec<u8>)| Submit {
        to: Number::parse("+8617400000001").unwrap(),
        until: Until::Span(time::span(Duration::from_hours(3))),
        report: true,
        flash: false,
        user: UserData {
            alphabet,
            header: encoded.header(7, number).bytes().to_vec(),
            data: data.clone(),
        },
    };
    (1..).zip(&encoded.parts).map(part).collect()
}

fn report() -> Report {
    Report {
        reference: 42,
        of: Number::parse("+8617400000001").unwrap(),
        taken: Some(NOW),
        at: Some(NOW.plus(Duration::from_secs(33))),
        status: 0,
    }
}

fn reply() -> Deliver {
    Deliver {
        from: Number::parse("+8617400000001").unwrap(),
        at: Some(NOW),
        user: parts("收到").remove(0).user,
    }
}

/// A message between a phone and its centre, as the radio carries it: CP-DATA with RP-DATA with the message.
fn radio(tpdu: &[u8], from_phone: bool) -> Vec<u8> {
    let centre = [6, 0x91, 0x68, 0x31, 0x08, 0x10, 0x00];
    let addresses = if from_phone {
        [&[0][..], &centre].concat()
    } else {
        [&centre[..], &[0]].concat()
    };
    let length = u8::try_from(tpdu.len()).unwrap();
    let rp = [&[u8::from(!from_phone), 7][..], &addresses, &[length], tpdu].concat();
    [&[0x09, 0x01, u8::try_from(rp.len()).unwrap()][..], &rp].concat()
}

/// Frames in a file of the classic capture format, and tshark's words on them.
fn tshark(frames: &[Vec<u8>]) -> String {
    const USER: u32 = 147;
    let mut file = Vec::new();
    let mut put = |value: u32| file.extend_from_slice(&value.to_le_bytes());
    for value in [0xA1B2_C3D4, 0x0004_0002, 0, 0, 65_535, USER] {
        put(value);
    }
    for frame in frames {
        let length = u32::try_from(frame.len()).unwrap();
        for value in [0, 0, length, length] {
            file.extend_from_slice(&value.to_le_bytes());
        }
        file.extend_from_slice(frame);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sms.pcap");
    std::fs::write(&path, file).unwrap();
    let output = Command::new("tshark")
        .arg("-r")
        .arg(path)
        .args([
            "-o",
            r#"uat:user_dlts:"User 0 (DLT=147)","gsm_a_dtap","0","","0","""#,
            "-V",
        ])
        .output()
        .expect("tshark starts: run ./test");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let words = String::from_utf8(output.stdout).unwrap();
    assert!(!words.contains("Malformed"), "{words}");
    words
}

fn count(words: &str, line: &str) -> usize {
    words.matches(line).count()
}

#[test]
fn tshark_reads_what_we_submit() {
    let chinese = "暴雨红色预警,请立即转移。".repeat(8);
    let english = "Flash flood [red] {leave now} €1 ".repeat(8);
    let all: Vec<Submit> = [parts(&chinese), parts(&english), parts("暴雨")].concat();
    assert_eq!(all.len(), 5);
    let frames: Vec<_> = all
        .iter()
        .map(|submit| radio(&submit.write(), true))
        .collect();
    let words = tshark(&frames);
    assert_eq!(count(&words, "(GSM 03.40) SMS-SUBMIT\n"), 5, "{words}");
    assert_eq!(count(&words, "TP-SRR: A status report is requested"), 5);
    assert_eq!(
        count(&words, "TP-DA Digits: 17400000001") + count(&words, "TP-DA Digits: 8617400000001"),
        5
    );
    assert_eq!(count(&words, "TP-Validity-Period: 3 hours 0 minutes"), 5);
    assert_eq!(count(&words, "Message parts: 2"), 4);
    assert_eq!(count(&words, "Message identifier: 7"), 4);
    // At a last part it shows all the parts that it has put together.
    let line = |line: &str| line.trim().strip_prefix("SMS text: ").map(str::to_owned);
    let texts: Vec<String> = words.lines().filter_map(line).collect();
    let put_together = |from: usize| texts[from..from + 2].concat();
    assert_eq!((texts.len(), put_together(1)), (7, chinese));
    assert_eq!(put_together(4), english.trim_end());
    assert_eq!(texts[6], "暴雨");
}

#[test]
fn tshark_reads_what_our_modem_brings() {
    let report = radio(&report().write(32), false);
    let reply = radio(&reply().write(32), false);
    let words = tshark(&[report, reply]);
    assert_eq!(
        count(&words, "(GSM 03.40) SMS-STATUS REPORT\n"),
        1,
        "{words}"
    );
    assert_eq!(count(&words, "(GSM 03.40) SMS-DELIVER\n"), 1, "{words}");
    assert_eq!(count(&words, "TP-MR: 42"), 1);
    assert_eq!(count(&words, "Short message received by the SME"), 1);
    assert_eq!(count(&words, "Timezone: GMT + 8 hours 0 minutes"), 3);
    assert_eq!(count(&words, "SMS text: 收到"), 1);
}

/// The other implementation.
struct Other {
    child: Child,
    asks: ChildStdin,
    says: BufReader<ChildStdout>,
}

impl Other {
    fn start() -> Self {
        let python = std::env::var("TOCSIN_MODEM_PYTHON")
            .expect("run ./test: it installs python-gsmmodem-new");
        let script = "tests/devices/python/pdus.py";
        let mut child = Command::new(python)
            .args(["-W", "ignore", script])
            .env("PYTHONIOENCODING", "utf-8")
            .env("PYTHONUTF8", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python starts");
        Self {
            asks: child.stdin.take().unwrap(),
            says: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    fn asked(&mut self, line: &str) -> serde_json::Value {
        writeln!(self.asks, "{line}").unwrap();
        let mut answer = String::new();
        self.says.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap_or_else(|e| panic!("{line}: {e}: {answer}"))
    }

    fn decoded(&mut self, tpdu: &[u8]) -> serde_json::Value {
        let (line, _) = pdu::line(None, tpdu);
        self.asked(&format!("decode {line}"))
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn another_implementation_reads_what_we_write() {
    let mut other = Other::start();
    let text = "暴雨红色预警,请立即转移。".repeat(8);
    let mut joined = String::new();
    for (number, submit) in (1..).zip(parts(&text)) {
        let read = other.decoded(&submit.write());
        assert_eq!(read["type"], "SMS-SUBMIT");
        assert_eq!(read["number"], "+8617400000001");
        assert_eq!(read["validity"], 10_800.0);
        assert_eq!(
            read["udh"][0],
            serde_json::json!({"reference": 7, "parts": 2, "number": number})
        );
        joined.push_str(read["text"].as_str().unwrap());
    }
    assert_eq!(joined, text);
    let read = other.decoded(&parts("Flood [1] {€}").remove(0).write());
    assert_eq!(read["text"], "Flood [1] {€}");
    let read = other.decoded(&report().write(32));
    assert_eq!(read["type"], "SMS-STATUS-REPORT");
    assert_eq!(
        (&read["reference"], &read["status"]),
        (&42.into(), &0.into())
    );
    assert_eq!(read["time"], NOW.secs());
    assert_eq!(read["discharge"], NOW.secs() + 33);
    let read = other.decoded(&reply().write(32));
    assert_eq!(
        (&read["text"], &read["time"]),
        (&"收到".into(), &NOW.secs().into())
    );
}

#[test]
fn we_read_what_another_implementation_writes() {
    let mut other = Other::start();
    for text in [
        "Hello {alert} [1] €5",
        "暴雨红色预警",
        &"请立即转移。".repeat(30),
    ] {
        let pdus = other.asked(&format!("encode +8617400000001 {text}"));
        let pdus = pdus.as_array().unwrap();
        let mut joined = String::new();
        for theirs in pdus {
            let bytes = hex::decode(theirs[0].as_str().unwrap()).unwrap();
            let tpdu = pdu::behind_centre(&bytes).unwrap();
            assert_eq!(
                tpdu.len(),
                usize::try_from(theirs[1].as_u64().unwrap()).unwrap()
            );
            let read = Submit::read(tpdu).unwrap();
            assert_eq!(
                (read.to.text().as_str(), read.report),
                ("+8617400000001", true)
            );
            joined.push_str(&read.user.text());
            if pdus.len() == 1 {
                // But for the reference, which the modem fills in.
                let ours = Submit {
                    until: Until::Open,
                    ..parts(text).remove(0)
                };
                assert_eq!(ours.write()[2..], tpdu[2..]);
            }
        }
        assert_eq!(joined, text);
    }
}
