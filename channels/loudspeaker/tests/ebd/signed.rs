//! Signatures by SM2 and SM3, judged by openssl in both directions, and by a command in its place. The order of the signed
//! bytes is not proved by this: no source tells it.

use std::sync::Arc;

use channel::Secret;
use loudspeaker::ebd::peer::Settings;
use loudspeaker::ebd::readers::{Signature, Variant};
use loudspeaker::signing::{Order, Signer, Software, Value};
use serde_json::json;

use super::common::{OWN, PLATFORM, messages, pair, send, until};
use super::openssl::{self, USER, key};

#[tokio::test]
async fn openssl_verifies_what_is_signed_here_and_the_reverse_in_each_order() {
    let dir = tempfile::tempdir().expect("a directory");
    let at = dir.path();
    let (private, public) = key(at);
    let document = "<EBD>山洪</EBD>".as_bytes();
    for order in [
        Order::PrefixDocument,
        Order::DocumentPrefix,
        Order::DocumentAlone,
    ] {
        let serial = [0, 0, 0, 0, 0x33, 0x63];
        let signer = Software::new(
            &Secret::new(private.clone()),
            Some(&public),
            USER,
            serial,
            order,
        );
        let signer = signer.expect("a key");
        assert_eq!(signer.public_key(), public);
        let value = signer
            .sign(document, 1_529_385_413)
            .await
            .expect("signed")
            .expect("a value");
        assert_eq!(hex::encode(&value.write()[..10]), "5b2891c5000000003363");
        let input = order.input(document, &value.prefix());
        assert!(openssl::verifies(at, &input, &value.signed));
        let theirs = openssl::signs(at, &input);
        let theirs = Value {
            signed: theirs,
            ..value
        };
        assert_eq!(signer.verify(document, &theirs).await, Ok(true));
        let changed = [document, b" "].concat();
        assert_eq!(signer.verify(&changed, &theirs).await, Ok(false));
        let forged = Value {
            signed: [1; 64],
            ..value
        };
        assert_eq!(signer.verify(document, &forged).await, Ok(false));
        let later = Value {
            time: value.time + 1,
            ..theirs
        };
        assert_eq!(
            signer.verify(document, &later).await,
            Ok(order == Order::DocumentAlone)
        );
    }
}

fn software(private: &str, public: &str) -> Arc<dyn Signer> {
    let signer = Software::new(
        &Secret::new(private),
        Some(public),
        USER,
        [9; 6],
        Order::default(),
    );
    Arc::new(signer.expect("a key"))
}

#[tokio::test]
async fn two_signed_ends_believe_each_other_and_nobody_else() {
    let (ours, theirs) = (
        tempfile::tempdir().expect("a directory"),
        tempfile::tempdir().expect("a directory"),
    );
    let ((own, own_public), (far, far_public)) = (key(ours.path()), key(theirs.path()));
    let more = json!({
        "verify": true, "ask_after": 0,
        "signer": { "kind": "sm2", "key": own, "peer": far_public, "serial": "000000003363", "variant": "A" },
    });
    let good = Settings {
        signer: software(&far, &own_public),
        verifies: true,
        ..Settings::new(PLATFORM, OWN)
    };
    let pair_of_both = pair(good, more.clone()).await;
    let outcomes = send(&*pair_of_both.channel, &messages(1)).await;
    outcomes[0].as_ref().expect("its signature holds");
    until("what it says is believed", || {
        pair_of_both.inlet.receipts.lock().len() == 3
    })
    .await;

    // A platform with another key: it refuses us, and we refuse it.
    let stranger = Settings {
        signer: software(&own, &far_public),
        verifies: true,
        ..Settings::new(PLATFORM, OWN)
    };
    let apart = pair(stranger, more).await;
    let failure = send(&*apart.channel, &messages(1))
        .await
        .remove(0)
        .expect_err("not believed");
    assert_eq!(failure.code, "ebd:4");
    let body = loudspeaker::ebd::readers::Body::Other("EBDNotify".into());
    assert_eq!(apart.platform.post(body).await, (200, Some(4)));
    let beat = loudspeaker::ebd::readers::Body::Check { at: None };
    assert_eq!(
        apart.platform.post(beat).await,
        (200, Some(1)),
        "heartbeats need no signature"
    );
}

#[tokio::test]
async fn a_command_signs_where_the_key_lies_in_a_device() {
    let dir = tempfile::tempdir().expect("a directory");
    let script = dir.path().join("device");
    let value = "AAAA".repeat(24) + "AAA=";
    let text = format!(
        "#!/bin/sh\ncat >/dev/null\n[ \"$1\" = verify ] && {{ [ \"$2\" = {value} ] || exit 1; exit 0; }}\necho {value}\n"
    );
    std::fs::write(&script, text).expect("written");
    let more =
        json!({ "signer": { "kind": "command", "argv": ["sh", script.to_str()] }, "ask_after": 0 });
    let pair_with_device = pair(Settings::new(PLATFORM, OWN), more).await;
    send(&*pair_with_device.channel, &messages(1))
        .await
        .remove(0)
        .expect("sent");
    // 74 bytes are 100 letters; these are 74 nulls.
    let none = Signature {
        of: "10".into(),
        value: Value::read(&[0; 74]).expect("74 bytes"),
    };
    let file = none.write(
        Variant::B,
        &[0; 6],
        loudspeaker::ebd::readers::Profile::default(),
    );
    assert!(String::from_utf8_lossy(&file).contains(&value));

    let broken = json!({ "signer": { "kind": "command", "argv": ["false"] } });
    let refused = pair(Settings::new(PLATFORM, OWN), broken).await;
    let failure = send(&*refused.channel, &messages(1))
        .await
        .remove(0)
        .expect_err("never unsigned");
    assert_eq!(failure.code, "ebd:signer");
    assert!(refused.platform.came().is_empty());
}
