//! What a controller is answered and told to play: bytes that the gateway signed, or somebody else. This module must not
//! play anything.

use std::sync::LazyLock;

use channel::{AFTER_ARRIVAL, Alarm, Timestamp};
use loudspeaker::machine::{self, Deed, Machine};
use loudspeaker::order::{
    AHEAD, LONGEST_WAY, Order, Orders, PLAY, PROLONG, QUAKE, Signed, Signer, Verifier, Window,
    marked_as_drill, names,
};
use loudspeaker::player::{self, Player, Turn};
use ring::digest::{SHA256, digest};
use ring::signature::Ed25519KeyPair;

use super::controller::{DEVICE, SEED};

/// 2026-06-01, between the times of the seeds.
const NOW: Timestamp = Timestamp(1_780_300_860_000);

struct Keys {
    live: Ed25519KeyPair,
    verifier: Verifier,
    window: Window,
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let seed = hex::decode(SEED).expect("it is hex");
    let signer = Signer::from_seed(SEED).expect("a seed");
    Keys {
        live: Ed25519KeyPair::from_seed_unchecked(&seed).expect("a seed"),
        verifier: Verifier::new(DEVICE, &signer.public_keys()).expect("two keys"),
        window: Window::new(3, vec![5, 9]).expect("a window"),
    }
});

pub fn order(bytes: &[u8]) {
    if let Ok(answer) = serde_json::from_slice::<Orders>(bytes) {
        for signed in &answer.orders {
            judged(signed);
        }
    }
    let Ok(body) = std::str::from_utf8(bytes) else {
        return;
    };
    names(body, DEVICE);
    let signature = hex::encode(KEYS.live.sign(bytes));
    judged(&Signed::alone(body.to_owned(), signature));
    // Signed at once with another.
    let mut together = Signed {
        body: body.to_owned(),
        signature: String::new(),
        beside: vec![hash("another"), hash(body)],
    };
    together.signature = hex::encode(KEYS.live.sign(&covered(&together)));
    judged(&together);
}

fn hash(body: &str) -> String {
    hex::encode(digest(&SHA256, body.as_bytes()))
}

/// What a signature has to be over, as docs/controllers.md has it.
fn covered(signed: &Signed) -> Vec<u8> {
    if signed.beside.is_empty() {
        return signed.body.as_bytes().to_vec();
    }
    let lines = std::iter::once("tocsin-orders-1").chain(signed.beside.iter().map(String::as_str));
    lines
        .flat_map(|line| [line, "\n"])
        .collect::<String>()
        .into_bytes()
}

/// Whatever is taken is for this device, soon, once, and is no drill: the live key signs none.
fn judged(signed: &Signed) {
    let keys = &*KEYS;
    let taken = keys.verifier.verify(signed, &keys.window, NOW);
    let by_us = hex::decode(&signed.signature).is_ok_and(|bytes| {
        let right = keys.live.sign(&covered(signed));
        right.as_ref() == bytes
    });
    let by_us = by_us && (signed.beside.is_empty() || signed.beside.contains(&hash(&signed.body)));
    match taken {
        Ok(order) => {
            assert!(by_us || order.drill, "live, and not signed by the live key");
            played(&order);
            ended(signed, &order);
        }
        Err(refusal) => assert!(!refusal.code().is_empty()),
    }
    let forged = Signed {
        body: format!("{} ", signed.body),
        ..signed.clone()
    };
    assert!(keys.verifier.verify(&forged, &keys.window, NOW).is_err());
}

fn played(order: &Order) {
    assert!(names(&order.to, DEVICE));
    assert!(KEYS.window.admits(order.counter));
    assert!(order.expires > NOW && order.not_before <= NOW.plus(AHEAD));
    let speaks = order.kind == PLAY || order.is_quake();
    assert!(!order.drill || !speaks || marked_as_drill(&order.text));
    assert_eq!(order.quake.is_some(), order.kind == QUAKE);
    if let Some(tremor) = order.quake {
        assert!((1..=12).contains(&tremor.intensity) && tremor.origin <= tremor.arrival);
        assert!(tremor.arrival <= NOW.plus(LONGEST_WAY));
        assert_eq!(order.expires, tremor.arrival.plus(AFTER_ARRIVAL));
    }
}

/// Whatever it was, nothing of it sounds at its end; and a machine is moved by nothing but an earthquake that is one.
fn ended(signed: &Signed, order: &Order) {
    let mut player = Player::new(KEYS.verifier.clone(), player::Kept::new(3));
    assert_eq!(player.take(signed, NOW).is_err(), order.kind == PROLONG);
    player.turn(NOW);
    assert!(matches!(player.turn(order.expires), Turn::Silence { .. }));
    let mut machine = Machine::new(KEYS.verifier.clone(), machine::Kept::new(3));
    let deed = machine.take(signed, NOW).expect("it was taken");
    let moves = order.quake.is_some_and(|of| of.alarm == Alarm::Machine) && !order.drill;
    assert_eq!(matches!(deed, Deed::Act(_)), moves);
    assert_ne!(deed, Deed::Release);
    assert!(machine.to_report().is_some());
}
