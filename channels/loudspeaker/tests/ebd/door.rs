//! What strangers and a broken platform send: each gets its own refusal, is counted, and changes nothing.

use channel::{Channel, Request};
use loudspeaker::ebd::peer::{Platform, Settings, Story};
use loudspeaker::ebd::readers::{Archive, Body, Brd, Member, Profile, StateReport, outcome, tar};
use serde_json::json;

use super::common::{OWN, PLATFORM, Pair, SECRET, messages, name_in, pair, send};

fn settings() -> Settings {
    Settings {
        story: Box::new(|_| Story::Silent),
        ..Settings::new(PLATFORM, OWN)
    }
}

fn played(ebm: &str) -> Body {
    Body::State(StateReport {
        at: None,
        ebm: ebm.into(),
        state: Brd::Played,
        coverage: None,
        items: Vec::new(),
    })
}

/// A packet's archive as it comes, without a form.
fn archive(platform: &Platform, body: Body) -> Vec<u8> {
    let packet = platform.packet(body);
    bytes(&packet.write(Profile::default()))
}

fn bytes(document: &[u8]) -> Vec<u8> {
    let member = Member {
        name: "EBDB_1.xml".into(),
        bytes: document.to_vec(),
    };
    tar(&[member], 0)
}

async fn call(pair: &Pair, path: &str, body: Vec<u8>) -> (u16, Option<u8>) {
    let request = Request {
        method: "POST".into(),
        path: path.into(),
        headers: vec![("x-forwarded-for".into(), "203.0.113.9, 127.0.0.1".into())],
        body: body.into(),
        ..Request::default()
    };
    let reply = pair.channel.serve(request).await;
    let code = match outcome(Some(Ok(reply.clone()))) {
        Ok(()) => Some(1),
        Err(failure) => failure
            .code
            .strip_prefix("ebd:")
            .and_then(|code| code.parse().ok()),
    };
    (reply.status, code.filter(|_| reply.status == 200))
}

fn count(pair: &Pair, why: &str) -> u64 {
    let all = pair.channel.refused();
    all.iter()
        .find(|(name, _)| *name == why)
        .expect("a known reason")
        .1
}

#[tokio::test]
async fn each_wrong_call_has_its_refusal_and_is_counted() {
    let pair = pair(
        settings(),
        json!({ "addresses": ["127.0.0.1"], "ask_after": 0 }),
    )
    .await;
    let outcomes = send(&*pair.channel, &messages(1)).await;
    let name = name_in(&outcomes[0]);
    let good = || archive(&pair.platform, played(&name));
    let of = |change: &dyn Fn(String) -> String| {
        let packet = pair.platform.packet(played(&name));
        let document = String::from_utf8(packet.write(Profile::default())).expect("text");
        bytes(change(document).as_bytes())
    };
    let torn = |text: String| text.replace("</EBD>", "");
    let stranger = |text: String| text.replace(PLATFORM, "45107270000000101019999");
    let another = |text: String| text.replace(OWN, "45107270000000103019999");
    let nameless = |text: String| text.replace("BrdStateCode", "X");
    let old = |text: String| {
        let at = text.find("<EBDTime>").expect("a time") + "<EBDTime>".len();
        format!("{}2001{}", &text[..at], &text[at + 4..])
    };
    let other = archive(&pair.platform, played(&format!("{OWN}202001010001")));
    let notify = archive(&pair.platform, Body::Other("EBDNotify".into()));
    let asks = archive(&pair.platform, Body::StateRequest { ebm: name.clone() });
    for (path, body, answer, why) in [
        ("", good(), (404, None), "no-path"),
        ("0123456789abcdee", good(), (404, None), "no-path"),
        (
            SECRET,
            vec![0; 4 * 1024 * 1024 + 1],
            (413, None),
            "too-long",
        ),
        (SECRET, b"no archive".to_vec(), (200, Some(2)), "unreadable"),
        (SECRET, good()[..700].to_vec(), (200, Some(2)), "unreadable"),
        (SECRET, of(&torn), (200, Some(2)), "unreadable"),
        (SECRET, of(&nameless), (200, Some(3)), "missing"),
        (SECRET, of(&stranger), (200, Some(5)), "unregistered"),
        (SECRET, of(&another), (200, Some(5)), "not-ours"),
        (SECRET, of(&old), (200, Some(5)), "stale"),
        (SECRET, other, (200, Some(5)), "unknown-message"),
        (SECRET, asks, (200, Some(5)), "no-word"),
        (SECRET, notify, (200, Some(5)), "not-served"),
    ] {
        let before = count(&pair, why);
        assert_eq!(call(&pair, path, body).await, answer, "{why}");
        assert_eq!(count(&pair, why), before + 1, "{why}");
    }
    assert!(
        pair.inlet.receipts.lock().is_empty(),
        "nothing of it counts"
    );
    assert_eq!(call(&pair, SECRET, good()).await, (200, Some(1)));
    assert_eq!(pair.inlet.receipts.lock().len(), 1);
}

#[tokio::test]
async fn who_calls_from_elsewhere_is_refused() {
    let pair = pair(settings(), json!({ "addresses": ["192.0.2.7"] })).await;
    let body = archive(&pair.platform, Body::Check { at: None });
    assert_eq!(call(&pair, SECRET, body).await, (403, None));
    assert_eq!(count(&pair, "address"), 1);
    let get = Request {
        method: "GET".into(),
        path: SECRET.into(),
        headers: vec![("x-forwarded-for".into(), "192.0.2.7".into())],
        ..Request::default()
    };
    assert_eq!(pair.channel.serve(get).await.status, 405);
}

#[tokio::test]
async fn a_repeated_packet_gets_its_receipt_again_and_another_under_its_name_is_refused() {
    let pair = pair(settings(), json!({ "ask_after": 0 })).await;
    let outcomes = send(&*pair.channel, &messages(1)).await;
    let packet = pair.platform.packet(played(&name_in(&outcomes[0])));
    for _ in 0..3 {
        assert_eq!(
            pair.platform.post_packet(packet.clone()).await,
            (200, Some(1))
        );
    }
    assert_eq!(pair.inlet.receipts.lock().len(), 1, "told once");
    let mut forged = packet.clone();
    forged.body = Body::Check { at: None };
    assert_eq!(pair.platform.post_packet(forged).await, (200, Some(5)));
    assert_eq!(count(&pair, "replayed"), 1);
    // A heartbeat's name is always the same.
    let mut beat = pair.platform.packet(Body::Check { at: None });
    beat.id = format!("01{PLATFORM}0000000000000000");
    for _ in 0..2 {
        assert_eq!(
            pair.platform.post_packet(beat.clone()).await,
            (200, Some(1))
        );
        beat.time = beat
            .time
            .map(|at| at.plus(std::time::Duration::from_secs(1)));
    }
}

#[tokio::test]
async fn what_the_journal_cannot_take_is_not_answered_and_comes_again() {
    let pair = pair(settings(), json!({ "ask_after": 0 })).await;
    let outcomes = send(&*pair.channel, &messages(1)).await;
    let packet = pair.platform.packet(played(&name_in(&outcomes[0])));
    pair.inlet
        .away
        .store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(pair.platform.post_packet(packet.clone()).await, (503, None));
    pair.inlet
        .away
        .store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(pair.platform.post_packet(packet).await, (200, Some(1)));
    assert_eq!(pair.inlet.receipts.lock().len(), 1);
}

#[tokio::test]
async fn the_reply_is_an_archive_with_a_receipt_that_names_the_packet() {
    let pair = pair(settings(), json!({})).await;
    let packet = pair.platform.packet(Body::Check { at: None });
    let request = Request {
        method: "POST".into(),
        path: SECRET.into(),
        body: bytes(&packet.write(Profile::default())).into(),
        ..Request::default()
    };
    let reply = pair.channel.serve(request).await;
    let disposition = reply
        .headers
        .iter()
        .find(|(n, _)| n == "content-disposition")
        .expect("a name");
    let read = Archive::read(&reply.body).expect("an archive");
    assert_eq!(read.packet.related.as_deref(), Some(packet.id.as_str()));
    assert!(
        disposition.1.contains(&read.packet.archive_name()),
        "{disposition:?}"
    );
}
