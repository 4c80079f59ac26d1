//! The packets of the facts, both ways: the worked example of a county's red rain warning, its receipt, its states and its
//! cancel, in both editions, and the defects of real archives. No byte of these comes from a foreign program: none exists.

use std::sync::Arc;
use std::time::Duration;

use channel::{Address, Attachment, Key, Level, Message, Part, Timestamp, Variant};
use proptest::prelude::*;

use super::archive::{Archive, BadArchive};
use super::body::{Body, Response};
use super::inventory::{Device, Info, Of, Omd, Record, StateOf, States};
use super::loss::Loss;
use super::mapped::{NoTarget, Target, Terms, cancel, play, target};
use super::message::Ebm;
use super::names::{Sort, ebdid, ebmid, read_time};
use super::packet::{BadPacket, Packet};
use super::profile::{Edition, Profile};
use super::state::{Brd, BrdLog, Coverage, Item, Logged, StateReport};
use super::tar::{self, Member};

const OWN: &str = "43415230000000103010101";
const PLATFORM: &str = "43415230000000314010201";

/// The worked example, as it must be written.
const RAIN: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<EBD><EBDVersion>1.0</EBDVersion>\
<EBDID>10434152300000001030101010000000000000042</EBDID><EBDType>EBM</EBDType>\
<SRC><EBRID>43415230000000103010101</EBRID></SRC><DEST><EBRID>43415230000000314010201</EBRID></DEST>\
<EBDTime>2025-07-01 14:03:10</EBDTime><EBM><EBMVersion>1</EBMVersion>\
<EBMID>43415230000000103010101202507010007</EBMID><MsgBasicInfo><MsgType>1</MsgType>\
<SenderName>舒城县气象台</SenderName><SenderCode>34152341600000</SenderCode><SendTime>2025-07-01 14:03:10</SendTime>\
<EventType>11B03</EventType><Severity>1</Severity><StartTime>2025-07-01 14:03:10</StartTime>\
<EndTime>2025-07-01 17:00:00</EndTime></MsgBasicInfo><MsgContent><LanguageCode>zho</LanguageCode>\
<MsgTitle>舒城县气象台发布暴雨红色预警[I级/特别重大]</MsgTitle><MsgDesc>请立即转移。</MsgDesc>\
<AreaCode>341523100000,341523101000</AreaCode><Auxiliary><AuxiliaryType>2</AuxiliaryType>\
<AuxiliaryDesc>warning.mp3</AuxiliaryDesc><Size>3</Size><Digest/></Auxiliary></MsgContent></EBM></EBD>\n";

fn at(text: &str) -> Timestamp {
    read_time(text).expect("a time")
}

fn terms() -> Terms {
    Terms {
        sender_name: "舒城县气象台".into(),
        sender_code: "34152341600000".into(),
        drill: 3,
        ebrid: 23,
    }
}

fn variant() -> Variant {
    let mut variant = Variant::new(
        "zh-CN",
        "舒城县气象台发布暴雨红色预警[I级/特别重大]",
        "请立即转移。",
    );
    variant.level = Level::Red;
    variant.event = "11B03".into();
    variant.attachment = Some(Attachment {
        name: "rain_red.mp3".into(),
        mime: "audio/mpeg".into(),
        bytes: vec![1, 2, 3].into(),
    });
    variant
}

fn message(variant: Variant) -> Message {
    Message {
        key: Key {
            alert: 1,
            delivery: 0,
            generation: 0,
        },
        serial: 42,
        variant: Arc::new(variant),
        address: Address::new("341523100000"),
        expires: at("2025-07-01 17:00:00"),
        repeat: false,
    }
}

fn area(code: &str) -> Target {
    // The example warns towns, which no address of ours may.
    Target {
        area: code.into(),
        terminal: None,
    }
}

fn packet(body: Body) -> Packet {
    Packet {
        id: ebdid(Sort::Other, OWN, 42),
        source: OWN.into(),
        url: None,
        target: Some(PLATFORM.into()),
        time: Some(at("2025-07-01 14:03:10")),
        related: None,
        body,
    }
}

fn rain() -> Ebm {
    let targets = [area("341523101000"), area("341523100000")];
    let made = play(
        &message(variant()),
        &targets,
        &terms(),
        at("2025-07-01 14:03:10"),
    );
    assert_eq!(made.losses, []);
    assert_eq!(made.resources.len(), 1);
    Ebm {
        id: ebmid(OWN, 20_250_701, 7),
        ..made.ebm
    }
}

#[test]
fn the_worked_example_is_written_and_read_to_the_byte() {
    let packet = packet(Body::Ebm(Box::new(rain())));
    let written = packet.write(Profile::default());
    assert_eq!(String::from_utf8(written.clone()).as_deref(), Ok(RAIN));
    assert_eq!(Packet::read(&written), Ok(packet.clone()));
    assert_eq!(
        packet.archive_name(),
        "EBDT_10434152300000001030101010000000000000042.tar"
    );
    let archive = Archive {
        document: written,
        signature: None,
        resources: vec![Member {
            name: "warning.mp3".into(),
            bytes: vec![1, 2, 3],
        }],
        packet,
    };
    assert_eq!(Archive::read(&archive.write()), Ok(archive));
}

fn report(state: Brd) -> StateReport {
    StateReport {
        at: Some(at("2025-07-01 14:05:00")),
        ebm: ebmid(OWN, 20_250_701, 7),
        state,
        coverage: Some(Coverage {
            rate: Some(0.93),
            areas: vec!["341523100000".into(), "341523101000".into()],
            counts: Some([1, 12, 0, 118]),
        }),
        items: vec![Item {
            resource: Some("63415231000010314010101".into()),
            state,
            start: Some(at("2025-07-01 14:04:00")),
            end: None,
            file: Some("http://platform.example/r.mp3".into()),
        }],
    }
}

fn every() -> Vec<Body> {
    let when = Some(at("2025-07-01 14:00:00"));
    let record = Record {
        id: "63415231000010314010101".into(),
        name: "东苑社区一号".into(),
        longitude: "116.94".into(),
        latitude: "31.46".into(),
        above: Some(PLATFORM.into()),
        deleted: false,
        desk: None,
    };
    let mut all = vec![
        Body::Ebm(Box::new(rain())),
        Body::Ebm(Box::new(Ebm {
            id: ebmid(OWN, 20_250_701, 8),
            ..cancel(
                &ebmid(OWN, 20_250_701, 7),
                &terms(),
                at("2025-07-01 15:00:00"),
            )
        })),
        Body::StateRequest {
            ebm: ebmid(OWN, 20_250_701, 7),
        },
        Body::Log(BrdLog {
            from: when,
            to: when,
            // The log of a message tells no time of its own.
            items: [None, Some(Box::new(rain()))]
                .map(|message| Logged {
                    report: StateReport {
                        at: None,
                        ..report(Brd::Played)
                    },
                    message,
                })
                .into(),
        }),
        Body::Omd(Omd {
            wanted: "EBRDTInfo".into(),
            full: true,
            from: when,
            to: None,
        }),
        Body::Check { at: when },
        Body::Response(Response {
            code: 1,
            words: "收到".into(),
        }),
        Body::Other("EBDNotify".into()),
    ];
    all.extend((0..=5).map(|code| Body::State(report(Brd::of(code)))));
    for of in [
        Of::Platform,
        Of::Station,
        Of::Adapter,
        Of::System,
        Of::Terminal,
    ] {
        all.push(Body::Info(Info {
            of,
            full: true,
            at: when,
            records: vec![record.clone()],
        }));
        let row = StateOf {
            id: record.id.clone(),
            state: Device::Broadcasting,
            at: when,
        };
        all.push(Body::States(States {
            of,
            rows: vec![row],
        }));
    }
    all
}

#[test]
fn every_body_is_read_as_it_was_written_in_each_edition() {
    for edition in [Edition::Of2018, Edition::Draft2016] {
        for sent_time in [false, true] {
            let profile = Profile {
                sent_time,
                namespaces: true,
                ..Profile::of(edition)
            };
            for body in every() {
                let packet = packet(body);
                let written = packet.write(profile);
                let text = String::from_utf8_lossy(&written).into_owned();
                assert_eq!(Packet::read(&written), Ok(packet), "{text}");
                assert!(
                    edition == Edition::Of2018 || !text.contains("EBRID"),
                    "{text}"
                );
            }
        }
    }
}

#[test]
fn a_cancel_names_what_it_ends_and_carries_nothing_else() {
    let ebm = cancel(
        "43415230000000103010101202507010007",
        &terms(),
        at("2025-07-01 15:00:00"),
    );
    let text = packet(Body::Ebm(Box::new(ebm))).write(Profile::default());
    let text = String::from_utf8(text).expect("text");
    assert!(text.contains(
        "<RelatedInfo><EBMID>43415230000000103010101202507010007</EBMID></RelatedInfo><MsgBasicInfo>\
         <MsgType>2</MsgType><SenderName>舒城县气象台</SenderName><SenderCode>34152341600000</SenderCode>\
         <SendTime>2025-07-01 15:00:00</SendTime></MsgBasicInfo></EBM>"
    ), "{text}");
}

type Change = Box<dyn Fn(&mut Variant)>;

#[test]
fn what_the_mapping_cannot_carry_is_said() {
    let lost = |change: &dyn Fn(&mut Variant)| {
        let mut variant = variant();
        change(&mut variant);
        let made = play(
            &message(variant),
            &[area("341523100000")],
            &terms(),
            at("2025-07-01 14:03:10"),
        );
        (made.losses, made.ebm)
    };
    let cases: Vec<(Change, Vec<Loss>)> = vec![
        (
            Box::new(|v| v.event = "暴雨红色预警".into()),
            vec![Loss::EventByName],
        ),
        (
            Box::new(|v| v.event = "Flash flood warning".into()),
            vec![Loss::EventByName],
        ),
        (
            Box::new(|v| v.event = "something".into()),
            vec![Loss::Event],
        ),
        (Box::new(|v| v.event = "11B97".into()), vec![]),
        (Box::new(|v| v.level = Level::Unknown), vec![Loss::Level]),
        (Box::new(|v| v.language = "xx".into()), vec![Loss::Language]),
        (Box::new(|v| v.language = "qxs".into()), vec![]),
        (
            Box::new(|v| v.repeat = Some((3, Duration::from_secs(5)))),
            vec![Loss::Repeat],
        ),
        (
            Box::new(|v| v.onset = Some(at("2025-07-01 15:00:00"))),
            vec![Loss::Onset],
        ),
        (
            Box::new(|v| {
                v.parts = vec![Part::Tone {
                    name: "siren".into(),
                    seconds: 3,
                }];
            }),
            vec![Loss::Tones],
        ),
        (
            Box::new(|v| v.authority = channel::Authority::Village),
            vec![Loss::Authority],
        ),
        (Box::new(|v| v.html = Some(String::new())), vec![Loss::Html]),
        (Box::new(|v| v.text.push('\u{1}')), vec![Loss::Characters]),
        (
            Box::new(|v| {
                if let Some(attachment) = &mut v.attachment {
                    attachment.mime = "application/cap+xml".into();
                }
            }),
            vec![Loss::Attachment],
        ),
    ];
    for (change, wanted) in cases {
        assert_eq!(lost(&change).0, wanted);
    }
    let (_, ebm) = lost(&|v| v.event = "Flash flood warning".into());
    assert_eq!(ebm.event, "11A51");
    let (_, drill) = lost(&|v| v.drill = true);
    assert_eq!((drill.kind, drill.severity), (3, Some(15)));
}

#[test]
fn a_terminal_never_sounds_more_than_its_village() {
    let terminal = "65001160020070314010101";
    let named = target(terminal, 23, None).expect("a village's terminal");
    assert_eq!(named.area, "500116002007");
    assert_eq!(named.terminal.as_deref(), Some(terminal));
    assert_eq!(
        target("45001160000000314010201", 23, None),
        Err(NoTarget::Wide)
    );
    assert_eq!(target("010333112400000001", 18, None), Err(NoTarget::Wide));
    assert_eq!(target("500116002000", 23, None), Err(NoTarget::Wide));
    assert!(target("010333112400000001", 18, Some("331124100001")).is_ok());
    assert_eq!(target("+8613800000000", 23, None), Err(NoTarget::NoAddress));
    let made = play(
        &message(variant()),
        &[named],
        &terms(),
        at("2025-07-01 14:03:10"),
    );
    assert_eq!(made.ebm.dispatch[0].adapter.as_deref(), Some(terminal));
}

#[test]
fn the_defects_of_real_archives_are_read() {
    // The file's name and the document's id differ, the signature is no XML, and the message's id is two digits short.
    let document = RAIN.replace("202507010007", "2025070107");
    let member = |name: &str, bytes: &[u8]| Member {
        name: name.into(),
        bytes: bytes.to_vec(),
    };
    let nulls = format!(
        "<Signature><SignatureValue>{}</SignatureValue></Signature>",
        "&#x0;".repeat(96)
    );
    let bytes = tar::write(
        &[
            member(
                "EBDB_10434152300000001030101010000000000000005.xml",
                document.as_bytes(),
            ),
            member(
                "EBDS_EBDB_10434152300000001030101010000000000000005.xml",
                nulls.as_bytes(),
            ),
        ],
        0,
    );
    let read = Archive::read(&bytes).expect("it reads");
    assert_eq!(read.packet.id, "10434152300000001030101010000000000000042");
    assert_eq!(read.signature.as_deref(), Some(nulls.as_bytes()));
    let Body::Ebm(ebm) = read.packet.body else {
        panic!("a message")
    };
    assert_eq!(ebm.id.len(), 33);
}

#[test]
fn what_is_missing_is_named_and_what_is_torn_is_unreadable() {
    let doc = |text: &str| Packet::read(text.as_bytes()).err();
    let missing = |what| Some(BadPacket::Missing(what));
    for (from, to, what) in [
        (
            "<EBDID>10434152300000001030101010000000000000042</EBDID>",
            "",
            "EBDID",
        ),
        ("<EBDID>1", "<EBDID>x1", "EBDID"),
        ("<EBDType>EBM</EBDType>", "", "EBDType"),
        (
            "<SRC><EBRID>43415230000000103010101</EBRID></SRC>",
            "<SRC/>",
            "SRC/EBRID",
        ),
        ("<MsgType>1</MsgType>", "", "MsgType"),
        (
            "<EBMID>43415230000000103010101202507010007</EBMID>",
            "",
            "EBMID",
        ),
        (
            "<EBDType>EBM<",
            "<EBDType>EBMBrdLog<",
            "the body that EBDType names",
        ),
        ("<EBDType>EBM<", "<EBDType>../x<", "EBDType"),
    ] {
        assert!(RAIN.contains(from), "{from}");
        assert_eq!(doc(&RAIN.replace(from, to)), missing(what), "{from}");
    }
    let one = Member {
        name: "EBDB_1.xml".into(),
        bytes: RAIN.into(),
    };
    let two = Member {
        name: "EBDB_2.xml".into(),
        bytes: RAIN.into(),
    };
    let both = Archive::read(&tar::write(&[one.clone(), two], 0));
    assert_eq!(both, Err(BadArchive::NoDocument));
    assert!(BadArchive::NoDocument.is_missing());
    let torn = Member {
        name: one.name,
        bytes: RAIN.as_bytes()[..300].to_vec(),
    };
    let torn = Archive::read(&tar::write(&[torn], 0)).expect_err("it is torn");
    assert!(!torn.is_missing(), "{torn}");
}

#[test]
fn a_wrong_setting_is_named_and_secrets_are_not_shown() {
    let good = || {
        serde_json::json!({
            "url": "http://platform.example/", "ebrid": OWN, "platform": PLATFORM, "sender_name": "n",
            "sender_code": "c", "secret": "0123456789abcdef", "duty_phone": "0816-0000000",
        })
    };
    let made = |key: &str, value: serde_json::Value| {
        let mut settings = good();
        settings[key] = value;
        let config: super::Config = serde_json::from_value(settings).map_err(|e| e.to_string())?;
        config.check().map_err(|e| e.to_string())
    };
    assert_eq!(made("callers", serde_json::json!([])), Ok(()));
    let sm2 = |peer: serde_json::Value| serde_json::json!({ "kind": "sm2", "key": "1", "peer": peer, "serial": "000000000001" });
    for (key, value, said) in [
        ("ebrid", "1".into(), "`ebrid` must be digits"),
        (
            "callers",
            serde_json::json!(["2"]),
            "`callers` must be digits",
        ),
        ("edition", "2016".into(), "`ebrid` must be digits"),
        ("edition", "2023".into(), "unknown variant"),
        ("url", "ftp://x".into(), "`url`"),
        ("platform", OWN.into(), "`platform` must not be"),
        ("drill", 2.into(), "`drill`"),
        ("secret", "short".into(), "16 characters"),
        ("secret", serde_json::Value::Null, "anybody could report"),
        ("verify", true.into(), "needs a signer"),
        ("lost_after", 1.into(), "longer than `heartbeat`"),
        ("most_areas", 0.into(), "`most_areas`"),
        (
            "terminal_areas",
            serde_json::json!({ PLATFORM: "510727217000" }),
            "`terminal_areas`",
        ),
        ("secrett", "x".into(), "unknown field"),
    ] {
        let why = made(key, value).expect_err(said);
        assert!(why.contains(said), "{key}: {why}");
    }
    let mut settings = good();
    settings["verify"] = true.into();
    settings["signer"] = sm2(serde_json::Value::Null);
    let config: super::Config = serde_json::from_value(settings).expect("it reads");
    assert!(config.check().is_err(), "without the platform's key");
    let (mut settings, mut misspelt) = (good(), sm2(PLATFORM.into()));
    misspelt["variannt"] = "A".into();
    settings["signer"] = misspelt;
    let why = serde_json::from_value::<super::Config>(settings).expect_err("it is misspelt");
    assert!(why.to_string().contains("variannt"), "{why}");
    let shown = format!("{config:?}");
    assert!(
        !shown.contains("0123456789abcdef") && !shown.contains("0816"),
        "{shown}"
    );
}

proptest! {
    #[test]
    fn any_change_of_a_document_is_read_or_refused(at in 0..RAIN.len(), byte in any::<u8>()) {
        let mut bytes = RAIN.as_bytes().to_vec();
        bytes[at] = byte;
        if let Ok(packet) = Packet::read(&bytes) {
            // What is read is written so that it is read the same.
            let again = Packet::read(&packet.write(Profile::default()));
            prop_assert_eq!(again, Ok(packet));
        }
    }
}
