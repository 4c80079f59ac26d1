//! The playlist of one telling: its order, which recording is the one, and what a drill may never be without.

use cap::ResponseType::{AllClear, Evacuate, Monitor};
use channel::Timestamp;

use super::super::Table;
use super::*;
use crate::ledger::recordings::{Act, Clip, Format, Subject};

fn recording(
    id: u32,
    of: (&str, Option<Level>, Option<cap::ResponseType>),
    language: &str,
) -> Recording {
    let act = Act {
        by: "water".into(),
        at: Timestamp(0),
    };
    Recording {
        id,
        of: Subject {
            event: of.0.into(),
            level: of.1,
            response: of.2,
            language: language.into(),
            drill: false,
        },
        version: 1,
        clip: Clip {
            document: [u8::try_from(id).expect("small"); 32],
            format: Format::Mp3,
            bytes: 10,
            millis: 9_000,
        },
        recorded: act.clone(),
        heard: Some(act),
        retired: None,
    }
}

fn flood() -> Wanted {
    Wanted {
        event: "11A51".into(),
        level: Level::Red,
        response: Some(Evacuate),
        drill: false,
    }
}

/// One letter a piece.
fn shown(parts: &[Part]) -> Vec<String> {
    let one = |part: &Part| match part {
        Part::Tone { name, seconds } => format!("{name} {seconds}"),
        Part::Sound { sound, language } => format!("{language} #{}", &sound.sha256[1..2]),
        Part::Text { text, language } => format!("{language}: {text}"),
    };
    parts.iter().map(one).collect()
}

fn played(recordings: &[Recording], languages: &[&str], drill: bool) -> Vec<String> {
    let languages: Vec<_> = languages.iter().map(|&tag| tag.to_owned()).collect();
    let own = |tag: &str| (tag == "bod").then(|| "བོད་ཡིག".to_owned());
    let telling = Spoken {
        text: "山洪红色预警。请转移。",
        language: "zh-CN",
        own: &own,
        wanted: Some(Wanted { drill, ..flood() }),
        drill,
        languages: &languages,
    };
    let row = Table::shipped().row("11A51", Level::Red);
    shown(&playlist(&row, recordings, &telling))
}

const OPENS: &str = "zh-CN: 山洪紧急预警，请注意收听。";
const TEXT: &str = "山洪红色预警。请转移。";
const CLOSES: &str = "请互相转告，不要返回。";

#[test]
fn mandarin_follows_whatever_the_village_hears_first_and_the_text_is_never_left_out() {
    let of = ("11A51", Some(Level::Red), Some(Evacuate));
    let all = [recording(1, of, "qxs"), recording(2, of, "zho")];
    let closing = format!("zh-CN: {TEXT}{CLOSES}");
    let wanted = [
        "gong-fast 8",
        OPENS,
        "qxs #1",
        "bod: བོད་ཡིག",
        "zho #2",
        &closing,
    ];
    assert_eq!(played(&all, &["qxs", "bod", "bqh"], false), wanted);
    let plain = format!("{OPENS}{TEXT}{CLOSES}");
    assert_eq!(played(&[], &["qxs"], false), ["gong-fast 8", &plain]);
    assert_eq!(played(&all[..1], &[], false), ["gong-fast 8", &plain]);
}

#[test]
fn a_drill_begins_and_ends_with_its_word_and_plays_nothing_that_was_recorded_for_live() {
    let of = ("11A51", Some(Level::Red), None);
    let mut all = vec![recording(1, of, "qxs")];
    let first = format!("zh-CN: {DRILL_BEGINS}");
    let last = format!("{OPENS}{TEXT}{CLOSES}{DRILL_ENDS}");
    assert_eq!(
        played(&all, &["qxs"], true),
        [&*first, "gong-fast 8", &last]
    );
    all[0].of.drill = true;
    let pieces = played(&all, &["qxs"], true);
    assert_eq!(pieces[3], "qxs #1");
    assert!(
        pieces[0].contains("演练") && pieces[4].ends_with(DRILL_ENDS),
        "{pieces:?}"
    );
    assert_eq!(played(&all, &["qxs"], false).len(), 2, "nor the other way");
}

#[test]
fn the_recording_that_says_most_is_the_one() {
    let any = recording(1, ("", None, None), "qxs");
    let group = recording(2, ("11A", None, Some(Evacuate)), "qxs");
    let event = recording(3, ("11A51", None, None), "qxs");
    let level = recording(4, ("11A51", Some(Level::Red), None), "qxs");
    let whole = recording(5, ("11A51", Some(Level::Red), Some(Evacuate)), "qxs");
    let all = [whole, any, level, group, event];
    let id = |from: &[Recording], wanted: &Wanted| pick(from, wanted, "qxs").map(|r| r.id);
    assert_eq!(id(&all, &flood()), Some(5));
    let monitor = Wanted {
        response: Some(Monitor),
        ..flood()
    };
    assert_eq!(
        id(&all, &monitor),
        Some(4),
        "it asks for no more than is asked"
    );
    let orange = Wanted {
        level: Level::Orange,
        ..flood()
    };
    assert_eq!(id(&all, &orange), Some(3));
    let rain = Wanted {
        event: "11A03".into(),
        ..flood()
    };
    assert_eq!(id(&all, &rain), Some(2));
    let clear = Wanted {
        response: Some(AllClear),
        ..rain
    };
    assert_eq!(id(&all, &clear), None, "an alarm is not played for an end");
    let over = [recording(6, ("", None, Some(AllClear)), "qxs")];
    assert_eq!(id(&over, &clear), Some(6));
    let watch = Wanted {
        response: Some(Monitor),
        ..clear
    };
    assert_eq!(id(&all, &watch), Some(1));
    assert!(pick(&all, &flood(), "bqh").is_none());
    assert_eq!(pick(&all, &flood(), "QXS-CN").map(|r| r.id), Some(5));
}

#[test]
fn an_alert_in_another_language_is_followed_by_its_own_mandarin_words() {
    let own = |tag: &str| is_mandarin(tag).then(|| "请转移。".to_owned());
    let telling = Spoken {
        text: "Leave now.",
        language: "en-US",
        own: &own,
        wanted: None,
        drill: false,
        languages: &[],
    };
    let pieces = playlist(&Row::default(), &[], &telling);
    assert_eq!(shown(&pieces), ["en-US: Leave now.", "zh-CN: 请转移。"]);
    let plain = Spoken {
        language: "zh-CN",
        ..telling
    };
    assert_eq!(playlist(&Row::default(), &[], &plain), [], "the text alone");
}
