//! Byte vectors and properties. The layouts and the digest's rule are the protocol's; the bytes here are written by hand
//! from them, not by the encoder.

use proptest::prelude::*;

use super::*;

fn bytes(body: Body<'_>, version: Version) -> Vec<u8> {
    let mut out = Vec::new();
    encode(&Frame { sequence: 9, body }, version, &mut out);
    out
}

fn padded(text: &[u8], length: usize) -> Vec<u8> {
    let mut out = text.to_vec();
    out.resize(length, 0);
    out
}

fn submit<'a>() -> Submit<'a> {
    Submit {
        parts: 2,
        part: 1,
        registered_delivery: 1,
        level: 3,
        service_id: b"warn",
        fee_user_type: 2,
        tp_udhi: 1,
        format: 8,
        source: b"900001",
        fee_type: b"01",
        fee_code: b"000000",
        validity: b"260714103000032+",
        src_id: b"10690000",
        dests: Dests::One(b"00000000001"),
        header: &[5, 0, 3, 7, 2, 1],
        content: &[0x66, 0xB4],
        ..Submit::default()
    }
}

fn submit_by_hand(version: Version) -> Vec<u8> {
    let (number, is_3) = if version == Version::V30 {
        (32, true)
    } else {
        (21, false)
    };
    let zero: &[u8] = if is_3 { &[0] } else { &[] };
    let body = [
        &[0; 8][..],
        &[2, 1, 1, 3],
        &padded(b"warn", 10),
        &[2],
        &padded(b"", number),
        zero,
        &[0, 1, 8],
        b"900001",
        b"01",
        b"000000",
        b"260714103000032+\0",
        &[0; 17],
        &padded(b"10690000", 21),
        &[1],
        &padded(b"00000000001", number),
        zero,
        &[8, 5, 0, 3, 7, 2, 1, 0x66, 0xB4],
        if is_3 { &[0; 20][..] } else { &[0; 8] },
    ]
    .concat();
    let length = u32::try_from(12 + body.len()).unwrap();
    [&length.to_be_bytes()[..], &[0, 0, 0, 4, 0, 0, 0, 9], &body].concat()
}

#[test]
fn a_submit_has_exactly_these_bytes_in_both_layouts() {
    // 2.x: 117 + 21n + 1 + length + 8; 3.0: 129 + 32n + 1 + 1 + length + 20.
    for (version, length) in [
        (Version::V20, 117 + 21 + 1 + 8 + 8),
        (Version::V30, 129 + 32 + 2 + 8 + 20),
    ] {
        let out = bytes(Body::Submit(submit()), version);
        assert_eq!(out.len(), 12 + length);
        assert_eq!(out, submit_by_hand(version));
    }
}

#[test]
fn answers_have_the_lengths_of_their_version() {
    let connect = |wide| {
        Body::ConnectResp(ConnectResp {
            wide,
            ..ConnectResp::default()
        })
    };
    let answer = Body::SubmitResp { id: 1, result: 8 };
    assert_eq!(bytes(connect(false), Version::V20).len(), 30);
    assert_eq!(bytes(connect(true), Version::V30).len(), 33);
    assert_eq!(
        bytes(answer, Version::V21),
        [
            0, 0, 0, 21, 0x80, 0, 0, 4, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1, 8
        ]
    );
    assert_eq!(bytes(answer, Version::V30).len(), 24);
    assert_eq!(
        bytes(Body::Connect(Connect::default()), Version::V20).len(),
        39
    );
    assert_eq!(bytes(Body::ActiveTest, Version::V20).len(), 12);
    assert_eq!(bytes(Body::ActiveTestResp, Version::V20).len(), 13);
    assert_eq!(bytes(Body::TerminateResp, Version::V30).len(), 12);
}

#[test]
fn an_answer_of_the_other_version_is_understood_by_its_length() {
    for (sent, read) in [(Version::V20, Version::V30), (Version::V30, Version::V20)] {
        for body in [
            Body::SubmitResp { id: 7, result: 8 },
            Body::DeliverResp { id: 7, result: 0 },
        ] {
            assert_eq!(parse(&bytes(body, sent), read).unwrap().body, body);
        }
        let answer = ConnectResp {
            status: 3,
            authenticator: [4; 16],
            version: 0x20,
            wide: sent == Version::V30,
        };
        let body = Body::ConnectResp(answer);
        assert_eq!(parse(&bytes(body, sent), read).unwrap().body, body);
    }
}

const ACCOUNT: [u8; 16] = [
    0xF6, 0xC0, 0xC1, 0x2D, 0xD8, 0x25, 0xE8, 0xD6, 0xF6, 0x12, 0x29, 0x74, 0x67, 0x50, 0x27, 0x7B,
];
const GATEWAY_2: [u8; 16] = [
    0x1C, 0x92, 0xAD, 0x68, 0xAC, 0xC4, 0xBD, 0xD0, 0xB1, 0x6A, 0x6E, 0xF5, 0x72, 0x31, 0x63, 0x8E,
];
const GATEWAY_3: [u8; 16] = [
    0x0B, 0x4E, 0x53, 0xCC, 0xB7, 0x4A, 0x19, 0x2E, 0xB7, 0xFB, 0xA7, 0x5A, 0x96, 0xE9, 0x96, 0xDE,
];

/// Made with Python's hashlib: md5(b"900001" + 9 zeros + b"888888" + b"0714090203"), and of the answer to it.
#[test]
fn the_digests_are_those_of_another_implementation() {
    let proof = authenticator(b"900001", b"888888", 714_090_203);
    assert_eq!(
        proof, ACCOUNT,
        "the leading zero of the timestamp is hashed"
    );
    assert_eq!(
        gateway_authenticator(0, false, &proof, b"888888"),
        GATEWAY_2
    );
    assert_eq!(gateway_authenticator(0, true, &proof, b"888888"), GATEWAY_3);
}

#[test]
fn an_incomplete_frame_is_a_value_and_an_absurd_length_an_error() {
    let whole = bytes(Body::ActiveTest, Version::V20);
    for cut in 0..whole.len() {
        assert_eq!(check(&whole[..cut]), Ok(None));
    }
    assert_eq!(check(&whole), Ok(Some(12)));
    assert_eq!(check(&[0, 0, 0, 11]), Err(Malformed::Length(11)));
    assert_eq!(check(&[0xFF, 0, 0, 0]), Err(Malformed::Length(0xFF00_0000)));
}

#[test]
fn many_numbers_of_one_submit_are_read() {
    let mut frame = submit_by_hand(Version::V20);
    let second = padded(b"00000000002", 21);
    let (count, behind) = (12 + 116, 12 + 117 + 21);
    frame[count] = 2;
    frame.splice(behind..behind, second);
    let length = u32::try_from(frame.len()).unwrap().to_be_bytes();
    frame[..4].copy_from_slice(&length);
    let Body::Submit(read) = parse(&frame, Version::V20).unwrap().body else {
        panic!("it is a submit");
    };
    let dests: Vec<_> = read.dests.iter().collect();
    assert_eq!(dests, [b"00000000001", b"00000000002"]);
}

fn text(most: usize) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(1..=255u8, 0..=most)
}

fn version() -> impl Strategy<Value = Version> {
    prop_oneof![Just(Version::V20), Just(Version::V21), Just(Version::V30)]
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(
        noise in proptest::collection::vec(any::<u8>(), 0..300), id in 0..0x10u32, version in version(),
    ) {
        let _ = check(&noise);
        let _ = parse(&noise, version);
        let _ = parse_report(&noise);
        for id in [id, id | command::ANSWER] {
            let mut frame = bytes(Body::Other(id), version);
            frame.extend_from_slice(&noise);
            if let Ok(Frame { body: Body::Submit(submit), .. }) = parse(&frame, version) {
                prop_assert!(submit.dests.iter().count() < 256);
            }
        }
    }

    #[test]
    fn what_is_encoded_is_parsed_again(
        (a, b, c, d) in (text(10), text(21), text(17), text(6)),
        content in proptest::collection::vec(any::<u8>(), 0..=255),
        flags in any::<[u8; 8]>(),
        (id, result, digest, timestamp) in (any::<u64>(), any::<u8>(), any::<[u8; 16]>(), any::<u32>()),
        version in version(),
    ) {
        let mut number = b.clone();
        number.resize(version.number(), 0);
        let submit = Submit {
            parts: flags[0], part: flags[1], registered_delivery: flags[2], level: flags[3], service_id: &a,
            fee_user_type: flags[4], fee_terminal: &b, tp_pid: flags[5], tp_udhi: flags[6], format: flags[7],
            source: &d, fee_type: b"01", fee_code: &d, validity: &c, at: &c, src_id: &b,
            dests: Dests::Padded(&number, version.number()), header: &[], content: &content,
        };
        let deliver = Deliver {
            id, dest: &b, service_id: &a, tp_pid: flags[5], tp_udhi: flags[6], format: flags[7], source: &b,
            registered_delivery: flags[2], content: &content,
        };
        let result = u32::from(result);
        let answer = ConnectResp {
            status: result, authenticator: digest, version: flags[0], wide: version == Version::V30,
        };
        let all = [
            Body::Connect(Connect { source: &d, authenticator: digest, version: flags[0], timestamp }),
            Body::ConnectResp(answer), Body::Submit(submit), Body::SubmitResp { id, result },
            Body::Deliver(deliver), Body::DeliverResp { id, result },
            Body::ActiveTest, Body::ActiveTestResp, Body::Terminate, Body::TerminateResp, Body::Other(6),
        ];
        for body in all {
            let out = bytes(body, version);
            prop_assert_eq!(check(&out), Ok(Some(out.len())));
            prop_assert_eq!(parse(&out, version), Ok(Frame { sequence: 9, body }));
        }
        let report = Report {
            id, stat: &a[..a.len().min(7)], submitted: &a, done: b"2607140901", dest: &b, smsc_sequence: timestamp,
        };
        let mut out = Vec::new();
        put_report(&report, version, &mut out);
        prop_assert_eq!(parse_report(&out), Ok(report));
    }
}
