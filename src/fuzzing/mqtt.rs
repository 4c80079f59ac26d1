//! What anybody at all may publish at the broker of loudspeakers: `TOPIC`, a line feed and a payload, as it is, and as the
//! body of a call, `NAME`, that the right key has signed, and another. This module must not connect to anything.

use std::sync::Arc;

use bytes::Bytes;
use channel::testing::RecordingInlet;
use channel::{Clock, PresenceState, SystemClock};
use futures::FutureExt;
use loudspeaker::Call;
use loudspeaker::mqtt::{Broker, Envelope, Mqtt};
use loudspeaker::peer::device_key;

use super::controller::{DEVICE, OTHER, SECRET, fetched, given, named};

const ANSWERS: [u16; 8] = [200, 400, 401, 403, 404, 409, 413, 422];

pub fn mqtt(bytes: &[u8]) {
    told(bytes);
}

/// The status of the answer to the device's own call, 0 where there is none, and how many receipts and words on orders without a text came of it.
pub(super) fn told(bytes: &[u8]) -> (u16, usize) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let (channel, inlet) = given(|mut config, context| {
            config.broker = Some(Broker::new("mqtt://127.0.0.1"));
            Mqtt::new(config, context).ok()
        })
        .await;
        let bytes = named(bytes, &fetched(&*channel));
        inlet.presences.lock().clear();
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (head, body) = bytes.split_at(end.unwrap_or(bytes.len()));
        let (head, body) = (
            String::from_utf8_lossy(head),
            body.get(1..).unwrap_or_default(),
        );
        stranger(&channel, &inlet, &head, body.to_vec());
        for by in [OTHER, DEVICE] {
            // Of one device by its topic, of another by its key.
            let call = signed(&head, body, by, by);
            let other = if by == DEVICE { OTHER } else { DEVICE };
            stranger(&channel, &inlet, &calls(other), call);
            stranger(
                &channel,
                &inlet,
                &calls(other),
                signed(&head, body, other, by),
            );
        }
        known(&channel, &inlet, signed(&head, body, DEVICE, DEVICE))
    })
}

fn calls(device: &str) -> String {
    format!("tocsin/speakers-fuzz/calls/{device}")
}

/// A call in this device's name, by the key of that one.
fn signed(name: &str, body: &[u8], device: &str, by: &str) -> Vec<u8> {
    let body = String::from_utf8_lossy(body).into_owned();
    let call = Call {
        path: name,
        device,
        time: SystemClock::default().now(),
        body: body.as_bytes(),
    };
    let envelope = Envelope {
        call: name.to_owned(),
        authorization: device_key(SECRET, by).authorization(&call),
        body,
    };
    serde_json::to_vec(&envelope).expect("it is texts")
}

/// Nothing comes of it but that a last will is believed.
fn stranger(channel: &Arc<Mqtt>, inlet: &RecordingInlet, topic: &str, payload: Vec<u8>) {
    let heard = channel.hear(topic, Bytes::from(payload)).now_or_never();
    assert_eq!(heard, Some(None), "nobody is answered, and nobody waits");
    assert!(inlet.receipts.lock().is_empty() && inlet.obeyed.lock().is_empty());
    let presences = inlet.presences.lock();
    assert!(presences.len() <= 2);
    let gone =
        |seen: &channel::Presence| seen.state == PresenceState::Silent && seen.code.is_empty();
    assert!(presences.iter().all(gone));
}

fn known(channel: &Arc<Mqtt>, inlet: &RecordingInlet, payload: Vec<u8>) -> (u16, usize) {
    inlet.presences.lock().clear();
    let heard = channel
        .hear(&calls(DEVICE), Bytes::from(payload))
        .now_or_never();
    let heard = heard.expect("without a connection nothing waits");
    let status = heard.as_ref().map_or(0, |answer| answer.status);
    assert!(status == 0 || ANSWERS.contains(&status), "{status}");
    if let Some(answer) = heard {
        assert_eq!(answer.to, DEVICE);
        assert!(status == 200 || answer.reply["error"].is_string());
    }
    let receipts = inlet.receipts.lock();
    assert!(receipts.is_empty() || status == 200);
    for receipt in receipts.iter() {
        let plain = |c: char| c.is_ascii_alphanumeric() || " -".contains(c);
        assert!(receipt.code.len() <= 40 && receipt.code.chars().all(plain));
    }
    let obeyed = inlet.obeyed.lock();
    assert!(obeyed.is_empty() || (status == 200 && receipts.is_empty()));
    assert!(inlet.presences.lock().len() <= 2);
    (status, receipts.len() + obeyed.len())
}
