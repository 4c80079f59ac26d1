//! What a text is said to cost, which paces the lane, fills the preview and is counted against a bureau's month, is what
//! goes over the wire: by alphabet, reference and place of the signature.

use std::sync::Arc;

use crate::common::to;
use crate::running::{Running, config};
use channel::{Channel, Variant};
use parking_lot::Mutex;
use sms::peer::{Peer, PeerConfig, Submit, Verdict};
use sms::text::Signature;
use sms::{Reference, SmppConfig};

/// Around every border between one part and two, and two and three, in both alphabets.
fn texts() -> Vec<String> {
    let repeat = |what: &str, counts: &[usize]| -> Vec<String> {
        counts.iter().map(|n| what.repeat(*n)).collect()
    };
    let mut texts = repeat(
        "雨",
        &[1, 64, 65, 70, 71, 126, 127, 132, 133, 134, 135, 200],
    );
    texts.extend(repeat("a", &[1, 160, 161, 304, 305, 306, 307]));
    texts.extend(repeat("€", &[80, 81, 152, 153]));
    texts.extend(repeat("雨😀", &[23, 24, 44, 45]));
    let signed = texts.iter().map(|text| format!("【平武水利】{text}"));
    let signed: Vec<_> = signed.collect();
    texts.extend(signed);
    texts
}

#[tokio::test]
async fn what_a_text_is_said_to_cost_is_the_number_of_parts_that_the_far_end_is_sent() {
    for gsm7 in [false, true] {
        for part_reference in [Reference::Eight, Reference::Sixteen] {
            for signature in [Signature::Front, Signature::Back] {
                let heard: Arc<Mutex<u32>> = Arc::default();
                let script = {
                    let heard = heard.clone();
                    move |_: &Submit<'_>| {
                        *heard.lock() += 1;
                        Verdict::delivered(std::time::Duration::ZERO)
                    }
                };
                let peer = PeerConfig {
                    script: Some(Arc::new(script)),
                    ..PeerConfig::default()
                };
                let peer = Peer::start(peer).await.unwrap();
                let channel = Running::start(SmppConfig {
                    gsm7,
                    part_reference,
                    signature,
                    ..config(peer.addr())
                });
                let mut seen = std::collections::BTreeSet::new();
                for text in texts() {
                    *heard.lock() = 0;
                    let variant = Arc::new(Variant::new("zh-CN", "t", text.as_str()));
                    let accepted = channel.sms.send(&to(1, &variant)).await.unwrap();
                    let cost = channel.sms.cost(&variant);
                    assert_eq!(
                        cost,
                        *heard.lock(),
                        "{gsm7} {part_reference:?} {signature:?} {text}"
                    );
                    assert_eq!(cost as usize, accepted.references.len());
                    seen.insert(cost);
                }
                assert!(seen.len() >= 3, "{seen:?}");
                channel.stop().await;
            }
        }
    }
}
