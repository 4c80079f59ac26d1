//! The studio with commands that every machine has, and with the shipped one.

use channel::Level;
use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn words(line: &[&str]) -> Vec<String> {
    line.iter().map(|&word| word.to_owned()).collect()
}

/// A command that says a tenth of a second for every byte, as a shell script, and counts its runs in a file.
fn talker(folder: &std::path::Path) -> Speech {
    let one = folder.join("tenth");
    std::fs::write(&one, &wav::write(&[500; 800])[44..]).unwrap();
    std::fs::write(folder.join("head"), &wav::write(&[])[..40]).unwrap();
    let script = format!(
        "cd {}; echo x >>runs; n=$(wc -m); cat head; printf '\\377\\377\\377\\177'; i=0; \
         while [ $i -lt $n ]; do cat tenth; i=$((i+1)); done",
        folder.display()
    );
    Speech {
        command: words(&["env", "LC_ALL=C.UTF-8", "sh", "-c", &script]),
        ..Speech::default()
    }
}

fn runs(folder: &std::path::Path) -> usize {
    std::fs::read_to_string(folder.join("runs"))
        .unwrap_or_default()
        .lines()
        .count()
}

fn variant(text: &str) -> Variant {
    Variant::new("zh-CN", "t", text)
}

#[tokio::test]
async fn a_text_is_spoken_once_and_then_kept() {
    let folder = tempfile::tempdir().unwrap();
    let studio = Studio::new(talker(folder.path())).unwrap();
    let text = variant("暴雨红色预警。");
    let (first, second) = tokio::join!(studio.message(&text), studio.message(&text));
    assert_eq!(length(&first.unwrap()), SECOND * 7 / 10);
    assert_eq!(second.unwrap().len(), 5_600);
    assert_eq!(runs(folder.path()), 1);
    studio.message(&variant("暴雨橙色预警。")).await.unwrap();
    assert_eq!(runs(folder.path()), 2);
}

#[tokio::test]
async fn a_long_text_loses_its_last_sentences_and_a_long_sentence_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let speech = Speech {
        longest: SECOND,
        ..talker(folder.path())
    };
    let studio = Studio::new(speech).unwrap();
    let sound = studio
        .message(&variant("一二三。四五六七。八九十一二三。"))
        .await;
    assert_eq!(length(&sound.unwrap()), SECOND * 9 / 10);
    let sound = studio
        .message(&variant("一二三四五六七八九十一二三四五六"))
        .await;
    assert_eq!(length(&sound.unwrap()), SECOND);
}

#[tokio::test]
async fn a_recording_goes_before_the_command_and_a_drill_needs_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("flood.wav");
    std::fs::write(&file, wav::write(&[7; 80])).unwrap();
    let recording = Recording {
        event: "11A51".to_owned(),
        level: Some(Level::Red),
        language: Some("zh".to_owned()),
        drill: false,
        file,
    };
    let speech = Speech {
        recordings: vec![recording],
        ..talker(folder.path())
    };
    let studio = Studio::new(speech).unwrap();
    let mut text = variant("演练");
    text.event = "11A51".to_owned();
    text.level = Level::Red;
    assert_eq!(&*studio.message(&text).await.unwrap(), [7; 80]);
    text.drill = true;
    assert_eq!(studio.message(&text).await.unwrap().len(), 1_600);
    text.drill = false;
    text.level = Level::Blue;
    assert_eq!(studio.message(&text).await.unwrap().len(), 1_600);
}

#[test]
fn a_recording_that_cannot_be_played_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.wav");
    let take = |file: &std::path::Path| Speech {
        recordings: vec![Recording {
            event: "11A51".to_owned(),
            level: None,
            language: None,
            drill: false,
            file: file.to_owned(),
        }],
        ..Speech::default()
    };
    let refused = || Studio::new(take(&file)).err().unwrap().to_string();
    assert!(refused().contains("x.wav: No such file"), "{}", refused());
    std::fs::write(&file, b"no sound").unwrap();
    assert!(refused().contains("it is no WAV file"), "{}", refused());
    std::fs::write(&file, wav::write(&vec![0; 8_000 * 21])).unwrap();
    assert!(
        refused().contains("longer than 20 seconds"),
        "{}",
        refused()
    );
}

#[tokio::test]
async fn a_drill_that_does_not_say_so_is_refused() {
    let studio = Studio::new(Speech::default()).unwrap();
    let mut text = variant("暴雨红色预警。");
    text.drill = true;
    let failure = studio.message(&text).await.unwrap_err();
    assert_eq!(
        (failure.class, &*failure.code),
        (FailureClass::BadContent, "voice:unmarked-drill")
    );
}

#[tokio::test]
async fn a_command_that_is_missing_slow_endless_or_wrong_takes_the_channel_down() {
    for (command, named) in [
        (&["/nonexistent/speech"][..], "does not start"),
        (&["sleep", "100"], "took more than"),
        (&["cat", "/dev/zero"], "writes more than"),
        (&["false"], "ended with"),
        (&["echo", "hello"], "no WAV file"),
    ] {
        let speech = Speech {
            command: words(command),
            timeout: SECOND * 2,
            ..Speech::default()
        };
        let studio = Studio::new(speech).unwrap();
        let failure = studio.message(&variant("x")).await.unwrap_err();
        assert_eq!(failure.class, FailureClass::LinkDown);
        assert!(failure.detail.contains(named), "{failure}");
    }
}

#[tokio::test]
async fn the_shipped_command_speaks_mandarin_and_lame_makes_an_mp3_of_it() {
    let studio = Studio::new(Speech::default()).unwrap();
    let text = "平武县气象台2026年7月14日22时34分发布暴雨红色预警信号。请立即转移。";
    let sound = studio
        .message(&variant(text))
        .await
        .expect("espeak-ng is installed: run ./test");
    let seconds = length(&sound).as_secs();
    assert!((6..=16).contains(&seconds), "{seconds} s");
    assert!(
        sound.iter().any(|s| s.unsigned_abs() > 3_000),
        "it is loud enough"
    );
    let mp3 = studio
        .mp3(&sound)
        .await
        .expect("lame is installed: run ./test");
    assert!(mp3.starts_with(b"ID3") || mp3[0] == 0xFF, "{:?}", &mp3[..4]);
    assert!(mp3.len() < Studio::wav(&sound).len() / 2);
}

proptest! {
    #[test]
    fn fewer_sentences_are_a_beginning_that_ends_with_one(
        text in "[一二三。!a ]{1,60}", took in 1_u64..100, longest in 1_u64..50,
    ) {
        let few = fewer_sentences(&text, Duration::from_secs(took), Duration::from_secs(longest));
        prop_assert!(text.starts_with(few) && !few.is_empty());
        prop_assert!(few == text || few.ends_with(['。', '!']));
    }
}
