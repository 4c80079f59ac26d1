//! Signed frames of GD/J 089, judged by openssl in both directions, between two ends that know each other's keys, and by a
//! command in the place of a device. In which order a real adapter joins the signed bytes is not proved by this: no source
//! tells it.

use std::path::Path;
use std::sync::Arc;

use channel::{FailureClass, Secret};
use loudspeaker::gdj089::fefd::{Old, Packet, REQUEST};
use loudspeaker::gdj089::frame::{Frame, Frames, Way};
use loudspeaker::gdj089::peer::Manner;
use loudspeaker::gdj089::report::{Heartbeat, Up};
use loudspeaker::gdj089::said::Said;
use loudspeaker::gdj089::{Adapter, Config, Dialect};
use loudspeaker::signing::{Order, SignerConfig, Software, Value};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::openssl::{self, USER, key};
use super::{
    COUNTY, Running, adapter, config, connected, listening, now, refused, sent, to, variant, within,
};

const CERTIFICATE: [u8; 6] = [0, 0, 0, 0, 0x33, 0x63];

/// With the words of the EBD link's signer.
fn signed(private: &str, peer: &str, order: &str) -> Config {
    let signer = serde_json::json!({
        "kind": "sm2", "key": private, "peer": peer, "serial": "000000003363", "order": order,
    });
    Config {
        signer: serde_json::from_value(signer).expect("the words of EBD"),
        verify: true,
        ..config()
    }
}

fn beat(time: u32) -> Frame {
    let (opcode, body) = Up::Heartbeat(Heartbeat {
        front: COUNTY.parse().expect("digits"),
        state: 1,
        extra: None,
        time,
    })
    .write();
    Frame::new(Way::Up, opcode, body)
}

/// Signed by openssl, with the key of this directory.
fn theirs(dir: &Path, frame: &Frame, time: u32, order: Order) -> Frame {
    let mut seal = Value {
        time,
        serial: CERTIFICATE,
        signed: [0; 64],
    };
    seal.signed = openssl::signs(dir, &order.input(&frame.covered(), &seal.prefix()));
    Frame {
        seal,
        ..frame.clone()
    }
}

/// The next frame that the gateway says here.
async fn said(socket: &mut TcpStream) -> Frame {
    let mut frames = Frames::new(Way::Down);
    loop {
        let mut bytes = [0; 512];
        let length = socket.read(&mut bytes).await.expect("it answers");
        frames.push(&bytes[..length]);
        if let Some(frame) = frames.take() {
            return frame.expect("a frame");
        }
    }
}

async fn comes(running: &Running) -> TcpStream {
    let address = running.channel.address().expect("it listens");
    TcpStream::connect(address).await.expect("it takes it")
}

#[tokio::test]
async fn openssl_verifies_our_frames_and_signs_theirs_and_what_is_unsigned_forged_stale_or_replayed_is_refused()
 {
    let (ours, far) = (
        tempfile::tempdir().expect("a directory"),
        tempfile::tempdir().expect("a directory"),
    );
    let ((private, _), (_, public)) = (key(ours.path()), key(far.path()));
    for (word, order) in [
        ("prefix-document", Order::PrefixDocument),
        ("document-prefix", Order::DocumentPrefix),
    ] {
        let running = listening(signed(&private, &public, word)).await;
        let mut socket = comes(&running).await;
        let (plain, at) = (beat(now()), now());
        let good = theirs(far.path(), &plain, at, order);
        let mut forged = theirs(far.path(), &plain, at - 1, order);
        forged.seal.signed[0] ^= 1;
        // Signed for a beat of another time: the signature does not carry over.
        let lent = Frame {
            seal: theirs(far.path(), &plain, at - 2, order).seal,
            ..beat(at + 60)
        };
        let cases = [
            (plain.clone(), "unsigned", 1),
            (forged, "forged", 1),
            (lent, "forged", 2),
            (theirs(far.path(), &plain, at - 1_000, order), "stale", 1),
        ];
        for (frame, why, times) in cases {
            socket.write_all(&frame.write()).await.expect("it reads");
            within(why, || (super::count(&running, why) == times).then_some(())).await;
            assert!(running.inlet.presences.lock().is_empty(), "{why}");
        }
        socket.write_all(&good.write()).await.expect("it reads");
        connected(&running).await;
        let answer = said(&mut socket).await;
        assert_eq!((answer.opcode, answer.seal.serial), (0x21, CERTIFICATE));
        let input = order.input(&answer.covered(), &answer.seal.prefix());
        assert!(openssl::verifies(ours.path(), &input, &answer.seal.signed));
        assert!(!openssl::verifies(
            ours.path(),
            &input[1..],
            &answer.seal.signed
        ));
        socket.write_all(&good.write()).await.expect("it reads");
        refused(&running, "replayed").await;
        assert_eq!(running.inlet.presences.lock().len(), 1);
    }
}

fn software(private: &str, public: &str) -> Software {
    let (key, order) = (Secret::new(private), Order::default());
    Software::new(&key, Some(public), USER, [9; 6], order).expect("a key")
}

#[tokio::test]
async fn two_signed_ends_believe_each_other_and_an_adapter_with_another_key_is_not_heard() {
    let (ours, far) = (
        tempfile::tempdir().expect("a directory"),
        tempfile::tempdir().expect("a directory"),
    );
    let ((own, own_public), (theirs, far_public)) = (key(ours.path()), key(far.path()));
    // Each adapter has its own key.
    let mut settings = signed(&own, &far_public, "prefix-document");
    if let SignerConfig::Sm2 { peer, .. } = &mut settings.signer {
        *peer = None;
    }
    settings.adapter.truncate(1);
    settings.adapter[0].peer = Some(far_public.clone());
    let running = listening(settings.clone()).await;
    let with = |private: &str, public: &str| -> Arc<dyn loudspeaker::signing::Signer> {
        Arc::new(software(private, public))
    };
    let peer = adapter(&running, |s| s.signer = with(&theirs, &own_public)).await;
    connected(&running).await;
    let text = Arc::new(variant());
    let told = sent(&running, &[to("510727102201", 1, &text)]).await;
    let reference = told[0].as_ref().expect("taken").references[0].clone();
    super::receipt(&running, &reference, super::reached).await;
    assert_eq!(peer.forged(), 0);

    let apart = listening(settings).await;
    let _stranger = adapter(&apart, |s| s.signer = with(&own, &own_public)).await;
    refused(&apart, "forged").await;
    assert!(apart.inlet.presences.lock().is_empty());
    assert!(!matches!(
        channel::Channel::health(&*apart.channel),
        channel::Health::Up
    ));
}

#[tokio::test]
async fn a_command_signs_where_the_key_lies_in_a_device_and_nothing_goes_out_unsigned_where_it_fails()
 {
    let dir = tempfile::tempdir().expect("a directory");
    let script = dir.path().join("device");
    // 74 bytes of 1, whatever is signed; it takes every signature of theirs.
    let value = "AQEB".repeat(24) + "AQE=";
    let text = format!("#!/bin/sh\ncat >/dev/null\n[ \"$1\" = verify ] || echo {value}\n");
    std::fs::write(&script, text).expect("written");
    let with = |argv: serde_json::Value| Config {
        signer: serde_json::from_value(serde_json::json!({ "kind": "command", "argv": argv }))
            .expect("its words"),
        ..config()
    };
    let running = listening(with(serde_json::json!(["sh", script.to_str()]))).await;
    let mut socket = comes(&running).await;
    socket
        .write_all(&beat(now()).write())
        .await
        .expect("it reads");
    let answer = said(&mut socket).await;
    assert_eq!(answer.seal.write(), [1; 74]);

    let broken = listening(with(serde_json::json!(["false"]))).await;
    let peer = adapter(&broken, |s| s.manner = Manner::Plays).await;
    connected(&broken).await;
    let text = Arc::new(variant());
    let told = sent(&broken, &[to("510727102201", 1, &text)]).await;
    let failure = told[0].as_ref().expect_err("never unsigned");
    assert_eq!(
        (failure.class, failure.code.as_ref()),
        (FailureClass::LinkDown, "089:signer")
    );
    assert!(peer.opcodes().is_empty());
}

#[tokio::test]
async fn packets_of_the_older_dialect_are_signed_and_judged_by_openssl_alike() {
    const OLD: &str = "031451072710120101";
    let (ours, far) = (
        tempfile::tempdir().expect("a directory"),
        tempfile::tempdir().expect("a directory"),
    );
    let ((private, _), (_, public)) = (key(ours.path()), key(far.path()));
    let mut config = signed(&private, &public, "prefix-document");
    config.old_platform = Some("010351072700000001".into());
    config.adapter.push(Adapter {
        dialect: Dialect::Fefd,
        ..Adapter::new(OLD)
    });
    let running = listening(config).await;
    let beat = Said::Heartbeat {
        state: 1,
        first: 2,
        physical: Vec::new(),
    };
    let (business, content) = beat.write();
    let mut packet = Packet {
        session: 7,
        kind: REQUEST,
        source: OLD.parse().expect("digits"),
        targets: Vec::new(),
        business,
        content,
        seal: None,
    };
    let mut socket = comes(&running).await;
    socket.write_all(&packet.write()).await.expect("it reads");
    refused(&running, "unsigned").await;
    let mut seal = Value {
        time: now(),
        serial: CERTIFICATE,
        signed: [0; 64],
    };
    packet.seal = Some(seal);
    let order = Order::PrefixDocument;
    seal.signed = openssl::signs(far.path(), &order.input(&packet.covered(), &seal.prefix()));
    packet.seal = Some(seal);
    socket.write_all(&packet.write()).await.expect("it reads");
    let mut packets = Frames::new(Old);
    let reply = loop {
        let mut bytes = [0; 512];
        let length = socket.read(&mut bytes).await.expect("it answers");
        packets.push(&bytes[..length]);
        if let Some(packet) = packets.take() {
            break packet.expect("a packet");
        }
    };
    assert_eq!((reply.session, reply.content[0]), (7, 0));
    let seal = reply.seal.expect("it is signed");
    let input = order.input(&reply.covered(), &seal.prefix());
    assert!(openssl::verifies(ours.path(), &input, &seal.signed));
}
