//! A feed's report on an earthquake: the first byte says how it is proved, the rest is the body. What is relayed is told to
//! whom it can reach, in order, and never before the ground broke. This module must not know a real feed.

use std::sync::LazyLock;

use channel::Timestamp;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use crate::plan::quake::{Earthquake, Report, Role, Terminal, estimate, news};
use crate::trust::Feeds;

static PAIR: LazyLock<Ed25519KeyPair> =
    LazyLock::new(|| Ed25519KeyPair::from_seed_unchecked(&[9; 32]).expect("it has 32 bytes"));

static SETTINGS: LazyLock<Earthquake> = LazyLock::new(|| {
    let key = hex::encode(PAIR.public_key().as_ref());
    let text = format!("[[feed]]\nname = \"f\"\nkey = \"{key}\"\n");
    toml::from_str(&text).expect("settings as written above")
});

static TERMINALS: LazyLock<Vec<Terminal>> = LazyLock::new(|| {
    let village = "510727217201".parse().expect("a village");
    let one = |n: u8| Terminal {
        device: format!("t-{n:02}"),
        channel: "horn".into(),
        at: (32.0 + f64::from(n) / 20.0, 104.0 + f64::from(n % 5) / 5.0),
        role: if n.is_multiple_of(7) {
            Role::Machine(5)
        } else {
            Role::Loudspeaker(village)
        },
    };
    (0..30).map(one).collect()
});

pub fn quake(bytes: &[u8]) {
    let Some((way, body)) = bytes.split_first() else {
        return;
    };
    let key = PAIR.public_key().as_ref().try_into().expect("32 bytes");
    let feeds = Feeds::new([("f".to_owned(), key)]);
    let header = match way % 3 {
        0 => format!("Tocsin-Feed f {}", hex::encode(PAIR.sign(body))),
        1 => String::from_utf8_lossy(body).into_owned(),
        _ => format!("Tocsin-Feed f {}", hex::encode(PAIR.sign(bytes))),
    };
    let proven = feeds.prove(Some(&header), body).is_some();
    assert_eq!(
        proven,
        way.is_multiple_of(3),
        "by the pinned key over these bytes alone"
    );
    match Report::read(body) {
        Ok(report) => relayed(&report),
        Err(unfit) => {
            let said = unfit.to_string();
            assert!(said.len() < 200 && !said.is_empty(), "{said}");
        }
    }
}

fn relayed(report: &Report) {
    let again = serde_json::to_vec(report).expect("JSON");
    assert_eq!(
        Report::read(&again).as_ref(),
        Ok(report),
        "what is read is written the same"
    );
    let shocks = estimate(&SETTINGS, report, &TERMINALS, false);
    for (_, row) in &shocks {
        assert!((1..=12).contains(&row.intensity) && row.arrival >= report.origin);
    }
    assert!(
        shocks.is_sorted_by_key(|(_, row)| row.arrival),
        "the first to be shaken first"
    );
    let all = shocks.len();
    let told = news(shocks, report.number, None, Timestamp(report.origin.0 - 1));
    assert_eq!(told.len(), all, "who was never told is told");
}
