//! The codec against frames of a real adapter, byte vectors of the known layouts in both directions, and whatever may come.
//! This module must not test what a channel decides.

use proptest::prelude::*;

use super::assumed::{Ask, Parameters, RecordsQuery};
use super::bytes::Id;
use super::channels::Tuned;
use super::frame::{Frame, Frames, Way};
use super::params::Reback;
use super::report::{Begun, Heartbeat, PLAYED, StartStopReply, Up};
use super::task::{Auxiliary, Codes, Down, EBM, Generic, START, STOP, Spoken, Task};

const CAPTURED: &str = include_str!("../../tests/data/gdj089-frames.json");

fn captured() -> Vec<(String, Vec<u8>)> {
    let file: serde_json::Value = serde_json::from_str(CAPTURED).unwrap();
    let frames = file["frames"].as_array().unwrap().iter();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let one = |frame: &serde_json::Value| {
        (
            text(&frame["type"]),
            hex::decode(text(&frame["hex"])).unwrap(),
        )
    };
    frames.map(one).collect()
}

fn read(bytes: &[u8]) -> (Frame, Up) {
    let mut frames = Frames::new(Way::Up);
    frames.push(bytes);
    let frame = frames.take().unwrap().unwrap();
    assert!(!frames.is_waiting());
    let up = Up::read(frame.opcode, &frame.body).unwrap().unwrap();
    (frame, up)
}

fn id(digits: &str) -> Id {
    digits.parse().unwrap()
}

#[test]
fn each_captured_frame_is_read_and_written_to_the_same_bytes() {
    let captured = captured();
    assert_eq!(captured.len(), 5);
    for (kind, bytes) in captured {
        let (frame, up) = read(&bytes);
        assert_eq!(format!("{:#04x}", frame.opcode), kind);
        assert!(frame.seal.is_none());
        assert_eq!(frame.write(), bytes, "{kind}: the frame as it was read");
        let (opcode, body) = up.write();
        let again = Frame::new(Way::Up, opcode, body);
        assert_eq!(
            again.write(),
            bytes,
            "{kind}: the body as it was understood"
        );
    }
}

#[test]
fn the_captured_frames_say_what_their_source_says() {
    let captured = captured();
    let ups: Vec<Up> = captured.iter().map(|(_, bytes)| read(bytes).1).collect();
    let front = id("43415230000000314010201");
    let [generic, outputs, inputs, records, fault] = &ups[..] else {
        panic!("five frames")
    };
    let taken = Generic {
        code: 0,
        text: Vec::new(),
    };
    assert_eq!(*generic, Up::Reply(taken));
    let Up::Outputs(outputs) = outputs else {
        panic!("{outputs:?}")
    };
    assert_eq!((&outputs.front, outputs.list.len()), (&front, 2));
    let tuned = |at: usize| &outputs.list[at].programmes[0].tuned;
    assert_eq!(tuned(0), &Tuned::Fm([1, 0, 0]));
    assert_eq!(tuned(1), &Tuned::Dvb([0, 0, 0, 0x100], vec![(0x80, 0x100)]));
    let Up::Inputs(inputs) = inputs else {
        panic!("{inputs:?}")
    };
    let named = |one: &super::channels::Input| {
        (
            one.id,
            String::from_utf8(one.name.clone()).unwrap(),
            one.state,
        )
    };
    let named: Vec<_> = inputs.list.iter().map(named).collect();
    let wanted = [
        (6, "话筒"),
        (7, "线路"),
        (1, "短信"),
        // Its real name has a NUL at its end.
        (3, "U盘\0"),
        (4, "调频"),
        (2, "平台"),
        (0, "电话"),
    ];
    assert_eq!(named, wanted.map(|(id, name)| (id, name.to_owned(), 1)));
    let Up::Records { front: of, records } = records else {
        panic!("{records:?}")
    };
    assert_eq!((of, records.len()), (&front, 4));
    let first = &records[0];
    assert_eq!(first.ebm, id("43415230000000103010101201901140004"));
    assert_eq!((first.state, first.class, first.level), (PLAYED, 4, 1));
    assert_eq!((first.start, first.end), (1_547_458_409, 1_547_458_709));
    assert_eq!(first.codes, [id("03415230000000314010400")]);
    assert_eq!(
        records.iter().map(|r| r.state).collect::<Vec<_>>(),
        [3, 3, 5, 3]
    );
    assert_eq!(
        *fault,
        Up::Fault {
            front,
            kind: 0,
            text: Vec::new()
        }
    );
}

fn task(switch: u8) -> Task {
    Task {
        ebm: id("43415230000000103010101202507010007"),
        switch,
        class: 4,
        event: *b"11B03",
        level: 1,
        start: 0x6863_7AEC,
        end: 0x6863_A4C0,
        volume: 0xFF,
        codes: Codes::logical(vec![
            id("43415231000000314010201"),
            id("63415231000010314010101"),
        ]),
        spoken: vec![Spoken {
            language: *b"zho",
            charset: 1,
            // 暴雨
            text: vec![0xB1, 0xA9, 0xD3, 0xEA],
            agency: vec![0xB5, 0xD8],
            auxiliary: vec![Auxiliary {
                kind: 2,
                data: vec![0xFF, 0xFB],
            }],
        }],
        input: 2,
        outputs: vec![1, 2],
        private: Some(Vec::new()),
    }
}

/// The layout written down field by field, once, by hand.
const START_BODY: &str = "f43415230000000103010101202507010007 01 04 3131423033 01 68637aec 6863a4c0 ff \
     01 02 0c f43415231000000314010201 f63415231000010314010101 \
     01 7a686f 01 0004 b1a9d3ea 02 b5d8 01 02 00000002 fffb 02 02 0102 0000";

fn plain(hex_with_spaces: &str) -> Vec<u8> {
    hex::decode(hex_with_spaces.replace(' ', "")).unwrap()
}

/// What the platform says and what an adapter says, each with its opcode and its body by hand.
#[test]
fn each_known_body_is_written_to_its_bytes_and_read_from_them() {
    let nobody = || Codes::logical(vec![id("03415230000000314010400")]);
    let reback = Reback {
        kind: 2,
        address: vec![10, 0, 0, 5, 0x24, 0xCC],
    };
    let down = [
        (
            Down::Task(Box::new(task(START))),
            0x04,
            START_BODY.to_owned(),
        ),
        (
            Down::Volume {
                volume: 60,
                codes: nobody(),
            },
            0x06,
            "3c 01 01 0c f03415230000000314010400".into(),
        ),
        (
            Down::Query {
                reback,
                codes: nobody(),
                wanted: vec![1, 6, 7],
            },
            0x08,
            "02 06 0a00000524cc 01 01 0c f03415230000000314010400 03 010607".into(),
        ),
        (Down::Clock(0x6863_7AEC), 0x09, "68637aec".into()),
        (Down::HeartbeatReply, 0x21, String::new()),
        (
            Down::BegunReply {
                result: 0,
                monitor: [10, 0, 0, 9],
                port: 5004,
            },
            0x22,
            "00 0a000009 138c".into(),
        ),
        (
            Down::Reply(Generic {
                code: -1,
                text: b"no".to_vec(),
            }),
            0x12,
            "ffffffff 00000002 6e6f".into(),
        ),
    ];
    for (down, opcode, body) in down {
        let body = plain(&body);
        assert_eq!(down.write(), (opcode, body.clone()), "{down:?}");
        assert_eq!(Down::read(opcode, &body).unwrap().as_ref(), Ok(&down));
    }
    for (up, opcode, body) in reports() {
        let body = plain(&body);
        assert_eq!(up.write(), (opcode, body.clone()), "{up:?}");
        assert_eq!(Up::read(opcode, &body).unwrap().as_ref(), Ok(&up));
    }
}

fn reports() -> [(Up, u8, String); 6] {
    let front = || id("43415230000000314010201");
    let ebm = || id("43415230000000103010101202507010007");
    let (own, sent) = (
        "f43415230000000314010201",
        "f43415230000000103010101202507010007",
    );
    let heart = |extra| Heartbeat {
        front: front(),
        state: 2,
        extra,
        time: 0x6863_7AEC,
    };
    let reply = StartStopReply {
        front: front(),
        ebm: ebm(),
        result: 0,
        text: b"ok".to_vec(),
        stream: b"rtp".to_vec(),
    };
    let begun = Begun {
        front: front(),
        ebm: ebm(),
        resource: 4,
        class: 4,
        level: 1,
        event: *b"11B03",
        input: 1,
        outputs: vec![[4, 2]],
        number: Some(b"000".to_vec()),
        volume: 80,
        length: 12,
        codes: vec![front()],
    };
    [
        (
            Up::Heartbeat(heart(None)),
            0x20,
            format!("0c {own} 02 68637aec"),
        ),
        (
            Up::Heartbeat(heart(Some(7))),
            0x20,
            format!("0c {own} 02 07 68637aec"),
        ),
        (
            Up::StartStopReply(Box::new(reply)),
            0x17,
            format!("{own} {sent} 00 00000002 6f6b 0003 727470"),
        ),
        (
            Up::Begun(Box::new(begun)),
            0x18,
            format!("{own} {sent} 04 04 01 3131423033 01 01 0402 03 303030 50 01 0c {own}"),
        ),
        (
            Up::Ended {
                front: front(),
                ebm: ebm(),
            },
            0x19,
            format!("{own} {sent}"),
        ),
        (
            Up::Fault {
                front: front(),
                kind: 3,
                text: b"amp".to_vec(),
            },
            0x16,
            format!("{own} 03 0003 616d70"),
        ),
    ]
}

#[test]
fn a_start_without_its_private_block_is_taken() {
    let without = Task {
        private: None,
        ..task(STOP)
    };
    let (opcode, body) = Down::Task(Box::new(without.clone())).write();
    let (_, with) = Down::Task(Box::new(task(STOP))).write();
    assert_eq!(with.len(), body.len() + 2);
    assert_eq!(
        Down::read(opcode, &body),
        Some(Ok(Down::Task(Box::new(without))))
    );
}

#[test]
fn assumed_queries_and_status_answer_are_read_as_they_are_written() {
    let span = RecordsQuery::Span { from: 1, until: 2 };
    for query in [RecordsQuery::All, span] {
        let (opcode, body) = Down::QueryRecords(query).write();
        assert_eq!(
            Down::read(opcode, &body),
            Some(Ok(Down::QueryRecords(query)))
        );
    }
    for (ask, opcode) in [
        (Ask::Outputs, 0x0E),
        (Ask::Inputs, 0x0F),
        (Ask::Faults, 0x11),
    ] {
        assert_eq!(Down::Ask(ask).write(), (opcode, Vec::new()));
        assert_eq!(Down::read(opcode, &[]), Some(Ok(Down::Ask(ask))));
        assert!(Down::read(opcode, &[0]).is_some_and(|read| read.is_err()));
    }
    let parameters = Parameters {
        front: id("43415230000000314010201"),
        values: vec![(1, vec![70]), (6, vec![1])],
    };
    assert_eq!(parameters.volume(), Some(70));
    let (opcode, body) = Up::Parameters(parameters.clone()).write();
    assert_eq!(
        Up::read(opcode, &body),
        Some(Ok(Up::Parameters(parameters)))
    );
}

#[tokio::test]
async fn a_command_of_which_only_the_name_is_known_is_not_sent() {
    let mut config = super::Config::new("45107270000000103010101", None);
    let mut adapter = super::Adapter::new("45107270000000314010201");
    adapter.dial = Some("127.0.0.1:9".into());
    config.adapter = vec![adapter];
    let context = channel::testing::context("named").0;
    let desk = super::desk::Desk::new(config, context).expect("good settings");
    for opcode in super::params::NAMED {
        let body = Vec::new();
        let failure = desk.written(&Down::Named { opcode, body }).await;
        let failure = failure.expect_err("it is not written");
        assert_eq!(failure.code, "089:unknown-layout");
        assert!(failure.detail.contains(&format!("{opcode:#04x}")));
    }
}

#[test]
fn assumed_everything_is_an_id_of_nothing_but_0() {
    use super::assumed::Everything::{Padded, Zeros};
    assert_eq!(Zeros.id().bytes(), [0; EBM]);
    assert_eq!(Padded.id(), id(&"0".repeat(35)));
}

#[test]
fn every_body_that_is_cut_short_or_goes_on_is_refused() {
    for (up, opcode, body) in reports() {
        let body = plain(&body);
        for cut in 0..body.len() {
            // A heartbeat of one build has a byte more than the other's.
            let read = Up::read(opcode, &body[..cut]).unwrap();
            assert!(
                read.is_err() || matches!(up, Up::Heartbeat(Heartbeat { extra: Some(_), .. })),
                "{up:?} {cut}"
            );
        }
        let more = [&body[..], &[0, 0]].concat();
        assert!(Up::read(opcode, &more).unwrap().is_err(), "{up:?}");
    }
    let body = plain(START_BODY);
    // The two last bytes are the private block, which may be left out.
    for cut in (0..body.len()).filter(|cut| *cut != body.len() - 2) {
        assert!(Down::read(0x04, &body[..cut]).unwrap().is_err(), "{cut}");
    }
}

proptest! {
    #[test]
    fn whatever_body_is_understood_is_written_as_it_came(opcode: u8, body in prop::collection::vec(any::<u8>(), 0..120)) {
        if let Some(Ok(up)) = Up::read(opcode, &body) {
            prop_assert_eq!(up.write(), (opcode, body.clone()));
        }
        if let Some(Ok(down)) = Down::read(opcode, &body) {
            prop_assert_eq!(down.write(), (opcode, body));
        }
    }

    #[test]
    fn a_changed_byte_of_a_captured_body_is_refused_or_written_as_it_came(which in 0_usize..5, at: prop::sample::Index, to: u8) {
        let (frame, _) = read(&captured()[which].1);
        let mut body = frame.body;
        let at = at.index(body.len());
        body[at] = to;
        if let Some(Ok(up)) = Up::read(frame.opcode, &body) {
            prop_assert_eq!(up.write().1, body);
        }
    }
}

mod older {
    use proptest::prelude::*;

    use crate::gdj089::Id;
    use crate::gdj089::fefd::{Old, Packet, REPLY, REQUEST};
    use crate::gdj089::frame::{Broken, Frames};
    use crate::gdj089::said::Said;
    use crate::signing::Value;

    fn id(digits: &str) -> Id {
        digits.parse().unwrap()
    }

    const EBM: &str = "010351072700000001202507010007";

    fn packets(bytes: &[u8]) -> Vec<Result<Packet, Broken>> {
        let mut packets = Frames::new(Old);
        packets.push(bytes);
        std::iter::from_fn(|| packets.take()).collect()
    }

    /// Each known content by its bytes, once, by hand.
    fn said() -> [(u8, Said, &'static str); 7] {
        let start = Said::Start {
            ebm: id(EBM),
            class: 4,
            severity: 1,
            event: *b"11B03",
            volume: 0xFF,
            start: 0x6863_7AEC,
            seconds: 3_600,
            text: vec![0xB1, 0xA9, 0xD3, 0xEA],
        };
        let result = Said::Result {
            ebm: id(EBM),
            result: 1,
            text: b"ok".to_vec(),
            start: 1,
            end: 2,
            times: 3,
            reported: 4,
        };
        [
            (
                REQUEST,
                start,
                "01 010351072700000001202507010007 04 01 3131423033 ff 68637aec 00000e10 01 01 0004 b1a9d3ea",
            ),
            (
                REQUEST,
                Said::Stop { ebm: id(EBM) },
                "02 010351072700000001202507010007",
            ),
            (
                REQUEST,
                Said::Heartbeat {
                    state: 1,
                    first: 2,
                    physical: vec![7],
                },
                "10 01 02 01 07",
            ),
            (REQUEST, Said::Fault(vec![9]), "13 09"),
            (
                REQUEST,
                Said::Switch {
                    into: 1,
                    ebm: id(EBM),
                    time: 5,
                },
                "14 01 010351072700000001202507010007 00000005",
            ),
            (
                REQUEST,
                result,
                "15 010351072700000001202507010007 01 0002 6f6b 00000001 00000002 03 00000004",
            ),
            (
                REPLY,
                Said::Reply {
                    business: 1,
                    code: 73,
                    text: b"no".to_vec(),
                },
                "01 49 0002 6e6f",
            ),
        ]
    }

    fn packet(kind: u8, business: u8, content: Vec<u8>) -> Packet {
        Packet {
            session: 0x0102_0304,
            kind,
            source: id("010351072700000001"),
            targets: vec![id("031451072710120101")],
            business,
            content,
            seal: None,
        }
    }

    #[test]
    fn each_known_content_of_the_older_dialect_is_written_to_its_bytes_and_read_from_them() {
        for (kind, said, bytes) in said() {
            let bytes = super::plain(bytes);
            let (business, content) = (bytes[0], bytes[1..].to_vec());
            assert_eq!(said.write(), (business, content.clone()), "{said:?}");
            let packet = packet(kind, business, content.clone());
            assert_eq!(Said::read(&packet), Some(Ok(said.clone())));
            for cut in 0..content.len() {
                let short = Packet {
                    content: content[..cut].to_vec(),
                    ..packet.clone()
                };
                let fault = matches!(said, Said::Fault(_));
                assert!(
                    fault || Said::read(&short).unwrap().is_err(),
                    "{said:?} {cut}"
                );
            }
        }
    }

    #[test]
    fn a_packet_has_the_known_head_and_its_length_as_assumed_is_that_of_the_whole() {
        let packet = packet(REQUEST, 2, vec![0xAA]);
        let written = packet.write();
        let head = super::plain(
            "fefd 0100 01020304 01 00 0028 010351072700000001 0001 031451072710120101 02 0001 aa",
        );
        assert_eq!(written[..head.len()], head);
        assert_eq!((written.len(), 0x28), (head.len() + 4, head.len() + 4));
        assert_eq!(packets(&written), [Ok(packet)]);
    }

    #[test]
    fn a_good_packet_is_found_behind_every_broken_one() {
        let good = packet(REQUEST, 0x10, vec![1, 2, 0]);
        let bytes = good.write();
        let changed = |at: usize, to: u8| {
            let mut changed = bytes.clone();
            changed[at] = to;
            changed
        };
        let last = bytes.len() - 1;
        let cases = [
            (b"noise".to_vec(), Broken::Noise(5)),
            (changed(last, bytes[last] ^ 1), Broken::Crc),
            (changed(2, 2), Broken::Version(0x0200)),
            (changed(21, 0xFF), Broken::Oversized(0xFF01 * 9 + 24)),
        ];
        for (broken, why) in cases {
            let stream = [&broken[..], &bytes, &bytes].concat();
            assert_eq!(
                packets(&stream),
                [Err(why), Ok(good.clone()), Ok(good.clone())]
            );
        }
    }

    proptest! {
        #[test]
        fn a_packet_is_read_as_it_was_written_however_it_is_torn(
            session: u32, business: u8, content in prop::collection::vec(any::<u8>(), 0..200), mark: Option<u8>, cut in 1_usize..40,
        ) {
            let seal = mark.map(|mark| Value { time: 7, serial: [mark; 6], signed: [mark; 64] });
            let packet = Packet { session, seal, ..packet(REQUEST, business, content) };
            let mut packets = Frames::new(Old);
            let mut heard = Vec::new();
            for piece in packet.write().chunks(cut) {
                packets.push(piece);
                heard.extend(std::iter::from_fn(|| packets.take()));
            }
            prop_assert_eq!(heard, [Ok(packet)]);
        }

        #[test]
        fn whatever_comes_in_the_older_dialect_is_read_to_its_end(
            bytes in prop::collection::vec(prop_oneof![Just(0xFE), Just(0xFD), Just(0), Just(1), any::<u8>()], 0..300),
        ) {
            let mut packets = Frames::new(Old);
            packets.push(&bytes);
            loop {
                while packets.take().is_some() {}
                if packets.give_up().is_none() {
                    break;
                }
            }
            prop_assert!(!packets.is_waiting());
        }

        #[test]
        fn whatever_content_is_understood_is_written_as_it_came(business: u8, reply: bool, content in prop::collection::vec(any::<u8>(), 0..60)) {
            let kind = if reply { REPLY } else { REQUEST };
            let packet = packet(kind, business, content.clone());
            if let Some(Ok(said)) = Said::read(&packet) {
                prop_assert_eq!(said.write(), (business, content));
            }
        }
    }
}
