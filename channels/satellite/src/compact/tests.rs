//! The compact form against itself, and its size.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

const SENT: Timestamp = Timestamp::from_secs(1_784_046_000);

fn alert(text: &str) -> Alert {
    Alert {
        number: 412,
        event: "11A51".to_owned(),
        level: Level::Red,
        instruction: Instruction::Evacuate,
        sent: SENT,
        onset: None,
        expires: SENT.plus(Duration::from_hours(3)),
        areas: ["510727217", "510727216"]
            .map(|code| Area::parse(code).unwrap())
            .to_vec(),
        text: text.to_owned(),
    }
}

fn of(body: Body) -> Compact {
    Compact { drill: false, body }
}

fn key() -> Key {
    Key::new("a key of the tests")
}

#[test]
fn an_alert_without_text_takes_twenty_two_bytes() {
    let compact = of(Body::Alert(alert("")));
    let bytes = compact.write(&key(), 78).unwrap();
    assert_eq!(bytes.len(), 22);
    assert_eq!(Compact::read(&bytes), Ok(compact));
    assert!(key().proves(&bytes));
    assert!(!Key::new("another").proves(&bytes));
}

#[test]
fn text_goes_along_by_whole_sentences_while_it_fits() {
    let text = "山洪红色预警。请平通镇、豆叩镇沿河村立即向高处转移。不要返回取物，服从指挥。";
    for (room, kept) in [
        (200, text),
        (78, "山洪红色预警。请平通镇、豆叩镇沿河村立即向高处转移。"),
        (40, "山洪红色预警。"),
        (30, ""),
    ] {
        let bytes = of(Body::Alert(alert(text))).write(&key(), room).unwrap();
        assert!(bytes.len() <= room);
        let Body::Alert(read) = Compact::read(&bytes).unwrap().body else {
            panic!("it is an alert");
        };
        assert_eq!(read.text, kept, "{room}");
    }
    let none = of(Body::Alert(alert(text))).write(&key(), 20);
    assert_eq!(none, Err(Unfit::Room(22)));
}

#[test]
fn a_drill_is_marked_in_the_first_byte_and_in_both_languages() {
    let drill = Compact {
        drill: true,
        body: Body::Alert(alert("")),
    };
    let live = of(Body::Alert(alert("")));
    let first = |compact: &Compact| compact.write(&key(), 78).unwrap()[0];
    assert_eq!((first(&drill) & 0b100, first(&live) & 0b100), (0b100, 0));
    assert!(
        drill.chinese(None).starts_with("【演练】") && drill.english(None).starts_with("DRILL")
    );
    assert!(!live.chinese(None).contains("演练"));
}

#[test]
fn it_is_read_in_chinese_and_in_english() {
    let compact = of(Body::Alert(alert("快走。")));
    assert_eq!(
        compact.chinese(Some("山洪")),
        "第412号:山洪 (11A51) 红色预警,立即转移。2026-07-15 00:20发布,2026-07-15 03:20前有效(北京时间)。\
         区域:510727217、510727216。快走。"
    );
    assert_eq!(
        compact.english(Some("Flash flood")),
        "no. 412: Flash flood (11A51), red warning, leave now. Sent 2026-07-15 00:20, valid until 2026-07-15 03:20 \
         (Beijing time). Areas: 510727217, 510727216. 快走。"
    );
    let status = of(Body::Status {
        number: 412,
        code: 3,
        area: Area::parse("510727217201"),
    });
    assert_eq!(status.chinese(None), "510727217201 对第412号的回执:03");
    assert_eq!(status.english(None), "510727217201: status 03 for no. 412");
    let test = of(Body::Test {
        number: 9,
        sent: SENT,
    });
    assert!(
        test.chinese(None).contains("拨测第9号") && test.english(None).contains("test call no. 9")
    );
}

#[test]
fn an_end_is_never_told_too_early() {
    let mut ends = alert("");
    for seconds in [1, 59, 60, 61, 3 * 3600 + 1, 80 * 3600 + 7] {
        ends.sent = SENT.plus(Duration::from_secs(59));
        ends.expires = ends.sent.plus(Duration::from_secs(seconds));
        let bytes = of(Body::Alert(ends.clone())).write(&key(), 78).unwrap();
        let Body::Alert(read) = Compact::read(&bytes).unwrap().body else {
            panic!("it is an alert");
        };
        assert!(read.expires >= ends.expires, "{seconds}");
        assert!(read.expires.since(ends.expires) < Duration::from_hours(1));
        assert!(read.sent <= ends.sent);
    }
    ends.expires = SENT.plus(Duration::from_hours(24 * 365));
    assert_eq!(of(Body::Alert(ends)).write(&key(), 78), Err(Unfit::Time));
}

/// Bytes of version 1 as they were first written, without proof. They are not written again: a changed layout is a new
/// version, and this one stays readable.
#[test]
fn version_1_is_written_and_read_as_it_was() {
    let mut later = alert("快走。");
    later.onset = Some(SENT.plus(Duration::from_mins(90)));
    later.event = "OTHER".to_owned();
    let test = Body::Test {
        number: 9,
        sent: SENT,
    };
    let status = Body::Status {
        number: 412,
        code: 3,
        area: Area::parse("510727217201"),
    };
    for (body, written) in [
        (
            Body::Alert(alert("")),
            "200672106feb04471402d0281e7114318cd8",
        ),
        (
            Body::Alert(later),
            "2006721567d49116902238a40b40b40a079c450c633600bfecd7dfa1a3",
        ),
        (test, "280024111c50"),
        (status, "30067018343b74db701880"),
    ] {
        let compact = of(body);
        let bytes = compact.write(&key(), 78).unwrap();
        let (said, _) = bytes.split_last_chunk::<PROOF>().unwrap();
        assert_eq!(hex::encode(said), written);
        assert_eq!(Compact::read(&bytes), Ok(compact));
    }
}

#[test]
fn every_response_type_of_cap_has_its_instruction() {
    let words = [
        "None", "Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess",
        "AllClear",
    ];
    assert_eq!(words.map(Instruction::named), Instruction::ALL);
    assert_eq!(Instruction::named("evacuate"), Instruction::None);
}

#[test]
fn what_cannot_be_said_is_refused() {
    let mut unfit = alert("");
    unfit.event = "暴雨".to_owned();
    assert_eq!(of(Body::Alert(unfit)).write(&key(), 78), Err(Unfit::Event));
    let mut unfit = alert("");
    unfit.sent = Timestamp::from_secs(EPOCH - 1);
    assert_eq!(of(Body::Alert(unfit)).write(&key(), 78), Err(Unfit::Time));
    let mut unfit = alert("");
    unfit.areas = vec![Area::parse("51").unwrap(); 64];
    assert_eq!(of(Body::Alert(unfit)).write(&key(), 78), Err(Unfit::Areas));
    let status = of(Body::Status {
        number: 1,
        code: 100,
        area: None,
    });
    assert_eq!(status.write(&key(), 78), Err(Unfit::Status));
}

#[test]
fn a_message_of_another_version_is_told_from_a_damaged_one() {
    assert_eq!(
        Compact::read(&[0x40, 0, 0, 0, 0]),
        Err(Malformed::Version(2))
    );
    assert_eq!(Compact::read(&[0x20]), Err(Malformed::Short));
    assert_eq!(Compact::read(&[0x38, 0, 0, 0, 0]), Err(Malformed::Value));
}

fn bodies() -> impl Strategy<Value = Body> {
    let area =
        "[1-9][0-9]([0-9]{4}|[0-9]{7}|[0-9]{10})?".prop_map(|code| Area::parse(&code).unwrap());
    let minute = (0_i64..16_000_000).prop_map(|minute| Timestamp::from_secs(EPOCH + minute * 60));
    let alert = (
        any::<u16>(),
        "[0-9]{2}[A-Z][0-9]{2}|[ -~]{0,15}",
        0_usize..5,
        0_usize..9,
        minute.clone(),
        proptest::option::of(1_u64..4_000),
        0_u64..4_000,
        proptest::collection::vec(area.clone(), 0..20),
        "[a-z雨😀。]{0,30}",
    );
    let alert = alert.prop_map(
        |(number, event, level, what, sent, onset, span, areas, text)| {
            Body::Alert(Alert {
                number,
                event,
                level: LEVELS[level],
                instruction: Instruction::ALL[what],
                sent,
                onset: onset.map(|onset| sent.plus(Duration::from_mins(onset))),
                expires: sent.plus(Duration::from_mins(span)),
                areas,
                text,
            })
        },
    );
    let test = (any::<u16>(), minute).prop_map(|(number, sent)| Body::Test { number, sent });
    let status = (any::<u16>(), 0_u8..100, proptest::option::of(area));
    let status = status.prop_map(|(number, code, area)| Body::Status { number, code, area });
    prop_oneof![alert, test, status]
}

proptest! {
    #[test]
    fn what_was_written_is_read(body in bodies(), drill in any::<bool>()) {
        let compact = Compact { drill, body };
        let bytes = compact.write(&key(), 1_000).unwrap();
        prop_assert!(key().proves(&bytes));
        prop_assert_eq!(Compact::read(&bytes), Ok(compact));
    }

    #[test]
    fn any_changed_bit_spoils_the_proof(body in bodies(), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let mut bytes = Compact { drill: false, body }.write(&key(), 1_000).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(!key().proves(&bytes));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        if let Ok(compact) = Compact::read(&bytes) {
            let _ = (compact.chinese(None), compact.english(None));
        }
        key().proves(&bytes);
    }
}
