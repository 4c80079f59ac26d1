//! The voice with the shipped commands and with ones that fail in every way, and the library's acts. What was made is judged
//! by programs that we did not write: the encoder's own decoder, and Python's reader of WAV files.

use std::path::Path;
use std::process::Command;

use channel::{Level, ManualClock, Timestamp};

use super::*;
use crate::ledger::recordings::Standing;
use crate::ledger::{Proposal, Writer, replay};
use crate::media::{Asked, Denied};
use crate::store::{Sqlite, Store};

struct Stand {
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    library: Arc<Library>,
    writer: Writer,
}

impl Stand {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::new(Timestamp(1_784_044_800_000)));
        let store = Sqlite::open(&folder.path().join("journal.sqlite")).expect("a store");
        let store: Arc<dyn Store> = Arc::new(store);
        let begun = replay(&*store).await.expect("empty");
        let (ledger, history) = (begun.ledger, begun.history);
        let writer = Writer::start(store.clone(), ledger.clone(), clock.clone(), history);
        let library = Arc::new(Library::new(ledger, writer.clone(), store));
        Self {
            folder,
            clock,
            library,
            writer,
        }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// As after a start.
    fn studio(&self, speech: Option<Speech>) -> Studio {
        let (library, clock) = (self.library.clone(), self.clock.clone());
        Studio::open(speech, &self.path("speech"), library, clock).expect("a folder")
    }
}

fn words(line: &[&str]) -> Vec<String> {
    line.iter().map(|&word| word.to_owned()).collect()
}

fn wav(millis: usize) -> Vec<u8> {
    let samples = vec![3; 16 * millis];
    Wav {
        channels: 1,
        rate: 8_000,
        bits: 16,
        samples: &samples,
    }
    .file()
}

/// A voice that says one second, whatever it is given, and notes each time.
fn talker(folder: &Path) -> Speech {
    std::fs::write(folder.join("second"), wav(1_000)).expect("written");
    let script = format!(
        "cd {}; cat >/dev/null; echo x >>runs; cat second",
        folder.display()
    );
    Speech {
        command: words(&["sh", "-c", &script]),
        encode: Vec::new(),
        ..Speech::default()
    }
}

fn runs(folder: &Path) -> usize {
    let runs = std::fs::read_to_string(folder.join("runs"));
    runs.unwrap_or_default().lines().count()
}

const TEXT: &str = "山洪灾害红色预警。请立即向高处转移。";

#[tokio::test]
async fn the_shipped_voice_speaks_a_warning_and_the_shipped_encoder_makes_it_small() {
    let stand = Stand::new().await;
    let studio = stand.studio(Some(Speech::default()));
    let sound = studio.speak(TEXT, "zh-CN").await.expect("it is spoken");
    assert_eq!(sound.mime, "audio/mpeg");
    assert!((3..=12).contains(&sound.seconds), "{sound:?}");
    let bytes = studio.bytes(&sound.sha256).await.expect("it is kept");
    assert_eq!(
        (hash(&bytes), bytes.len()),
        (sound.sha256.clone(), sound.bytes as usize)
    );
    let file = stand.path("heard.mp3");
    std::fs::write(&file, &bytes).expect("written");
    let decoded = Command::new("lame")
        .args(["--quiet", "--decode"])
        .arg(&file)
        .arg("-")
        .output();
    let heard = decoded.expect("lame is installed").stdout;
    let heard = Wav::open(&heard).expect("sound").millis();
    assert!(
        heard.div_ceil(1000).abs_diff(sound.seconds.into()) <= 1,
        "{heard} {sound:?}"
    );

    let plain = Speech {
        encode: Vec::new(),
        ..Speech::default()
    };
    let studio = stand.studio(Some(plain));
    let large = studio.speak(TEXT, "zh-CN").await.expect("it is spoken");
    assert_eq!(large.mime, "audio/wav");
    assert!(large.bytes > 4 * sound.bytes, "{large:?} {sound:?}");
    let file = stand.path("heard.wav");
    let bytes = studio.bytes(&large.sha256).await.expect("it is kept");
    std::fs::write(&file, bytes).expect("written");
    let judge = "import sys, wave; w = wave.open(sys.argv[1]); print(w.getframerate(), w.getnframes() // w.getframerate())";
    let told = Command::new("python3")
        .args(["-c", judge])
        .arg(&file)
        .output();
    let told = String::from_utf8(told.expect("python3").stdout).expect("text");
    let (rate, seconds) = told.trim().split_once(' ').expect("two numbers");
    let seconds: u32 = seconds.parse().expect("a number");
    assert_eq!(rate, "22050");
    assert!(seconds.abs_diff(large.seconds) <= 1, "{told} {large:?}");
}

#[tokio::test]
async fn a_text_is_spoken_once_for_each_voice_and_found_again_after_a_start() {
    let stand = Stand::new().await;
    let folder = stand.folder.path();
    let studio = stand.studio(Some(talker(folder)));
    let (first, second) = tokio::join!(studio.speak(TEXT, "zh-CN"), studio.speak(TEXT, "cmn"));
    assert_eq!(first, second);
    assert_eq!((first.map(|s| s.seconds), runs(folder)), (Some(1), 1));
    let again = stand.studio(Some(talker(folder)));
    let sound = again.speak(TEXT, "zh-CN").await.expect("it is kept");
    let bytes = again.bytes(&sound.sha256).await.expect("it is kept");
    assert_eq!((runs(folder), bytes.len()), (1, wav(1_000).len()));
    again.speak("解除。", "zh-CN").await.expect("another text");
    assert_eq!(runs(folder), 2);
    let mut other = talker(folder);
    other.command.push("another voice".to_owned());
    let other = stand.studio(Some(other));
    other.speak(TEXT, "zh-CN").await.expect("another voice");
    assert_eq!(runs(folder), 3);
    // What lies there is not what its name says any more.
    for file in std::fs::read_dir(stand.path("speech")).expect("a folder") {
        std::fs::write(file.expect("a file").path(), b"changed").expect("written");
    }
    let after = stand.studio(Some(talker(folder)));
    assert_eq!(after.bytes(&sound.sha256).await, None);
}

#[tokio::test]
async fn what_nobody_has_a_voice_for_is_left_to_the_terminals() {
    let stand = Stand::new().await;
    let mute = stand.studio(None);
    assert_eq!(mute.speak(TEXT, "zh-CN").await, None);
    let mut speech = talker(stand.folder.path());
    let studio = stand.studio(Some(speech.clone()));
    assert_eq!(studio.speak("བོད་ཡིག", "bo").await, None);
    assert_eq!(
        runs(stand.folder.path()),
        0,
        "the Mandarin voice is not asked"
    );
    speech.voices.insert("bod".into(), speech.command.clone());
    let studio = stand.studio(Some(speech));
    assert!(studio.speak("བོད་ཡིག", "bo-CN").await.is_some());
}

#[tokio::test]
async fn a_voice_that_fails_rests_and_is_asked_again_and_holds_nothing_up() {
    let stand = Stand::new().await;
    let folder = stand.folder.path();
    let broken = |line: &[&str]| Speech {
        command: words(line),
        encode: Vec::new(),
        timeout: Span(Duration::from_secs(1)),
        ..Speech::default()
    };
    for line in [
        &["no-such-voice"][..],
        &["false"],
        &["sleep", "60"],
        &["yes"],
        &["cat"],
    ] {
        let studio = stand.studio(Some(broken(line)));
        assert_eq!(studio.speak(TEXT, "zh-CN").await, None, "{line:?}");
    }
    // It fails for as long as a file is missing.
    let mut speech = talker(folder);
    std::fs::rename(folder.join("second"), folder.join("away")).expect("moved");
    speech.command[2] = speech.command[2].replace("cat second", "cat second 2>/dev/null");
    let studio = stand.studio(Some(speech));
    assert_eq!(studio.speak(TEXT, "zh-CN").await, None);
    std::fs::rename(folder.join("away"), folder.join("second")).expect("moved");
    assert_eq!(studio.speak(TEXT, "zh-CN").await, None, "it rests");
    assert_eq!(runs(folder), 1);
    stand.clock.advance(RESTS);
    assert!(studio.speak(TEXT, "zh-CN").await.is_some());
}

#[test]
fn what_is_wrong_with_the_configuration_is_told() {
    let speech: Speech = toml::from_str("command = []\ntimeout = \"20s\"\n[voices]\n\"羌\" = []\n")
        .expect("a table");
    let problems = speech.problems();
    assert_eq!(problems.len(), 4, "{problems:?}");
    assert_eq!(Speech::default().problems(), [""; 0]);
}

fn flood() -> Asked {
    Asked {
        event: "11A51".into(),
        level: Some(Level::Red),
        response: Some(cap::ResponseType::Evacuate),
        language: "QXS".into(),
        drill: false,
    }
}

#[tokio::test]
async fn a_recording_is_used_when_somebody_else_has_heard_it_and_its_bytes_leave_as_a_sound() {
    let stand = Stand::new().await;
    let library = &stand.library;
    let first = library
        .add(flood(), wav(2_000).into(), "water")
        .await
        .expect("taken");
    assert_eq!(
        (first.id, first.version, &*first.of.language),
        (1, 1, "qxs")
    );
    let same = library
        .add(flood(), wav(2_000).into(), "water")
        .await
        .expect("taken");
    assert_eq!(same, first, "brought again over a bad line");
    assert!(matches!(
        library.heard(1, "water").await,
        Err(Denied::Own(1))
    ));
    let heard = library.heard(1, "duty").await.expect("heard");
    assert_eq!(heard.heard.map(|act| act.by), Some("duty".into()));
    let later = library.heard(1, "other").await.expect("heard");
    assert_eq!(
        later.heard.map(|act| act.by),
        Some("duty".into()),
        "the first word stands"
    );
    let second = library
        .add(flood(), wav(3_000).into(), "water")
        .await
        .expect("taken");
    assert_eq!((second.id, second.version), (2, 2));
    let standings = || library.all().iter().map(|(_, s)| *s).collect::<Vec<_>>();
    assert_eq!(standings(), [Standing::Unheard, Standing::InUse]);
    library.retire(1, "water").await.expect("taken back");
    assert!(matches!(
        library.heard(1, "duty").await,
        Err(Denied::Retired(1))
    ));
    assert_eq!(standings(), [Standing::Unheard, Standing::Retired]);

    let studio = stand.studio(None);
    let (_, bytes) = library.sound(1).await.expect("its bytes stay");
    assert_eq!(bytes, wav(2_000));
    assert_eq!(studio.bytes(&hash(&bytes)).await, Some(bytes));
    let other = b"a document that is no sound".to_vec();
    let mut proposal = Proposal::default();
    let id = crate::ledger::record::sha256(&other);
    proposal.documents.push((id, other));
    stand.writer.propose(proposal).await.expect("written");
    assert_eq!(studio.bytes(&hex::encode(id)).await, None);
    assert_eq!(studio.bytes("../../journal.sqlite").await, None);
}

#[tokio::test]
async fn a_recording_of_nothing_or_with_wrong_words_is_refused_and_leaves_no_trace() {
    let stand = Stand::new().await;
    let cases = [
        (
            Asked {
                event: "山洪".into(),
                ..flood()
            },
            "event code",
        ),
        (
            Asked {
                level: Some(Level::Unknown),
                ..flood()
            },
            "the level is",
        ),
        (
            Asked {
                language: "羌语".into(),
                ..flood()
            },
            "language tag",
        ),
    ];
    for (asked, why) in cases {
        let denied = stand.library.add(asked, wav(1_000).into(), "water").await;
        let said = denied.expect_err("refused").to_string();
        assert!(said.contains(why), "{said}");
    }
    let denied = stand.library.add(flood(), vec![0; 9].into(), "water").await;
    assert!(matches!(denied, Err(Denied::Sound(_))), "{denied:?}");
    assert!(matches!(
        stand.library.heard(7, "duty").await,
        Err(Denied::Unknown(7))
    ));
    assert!(stand.library.all().is_empty());
}
