//! Questions that nobody meant to ask: the paths and parameters of this API, bent by a fixed hand. This module must not
//! ask for a line that stays open.

use super::sealed::{QUESTIONS, ended};
use super::*;

const MORE: [&str; 8] = [
    "/v1/alerts",
    "/v1/alerts?state=open&limit=10",
    "/v1/alerts/1",
    "/v1/registry",
    "/v1/channels",
    "/readyz",
    "/problems/bad-parameter",
    "/v1/alerts/1/households?under=510727217201&answer=missed&format=csv",
];

const PIECES: [&str; 26] = [
    "%00",
    "%zz",
    "%E4%B8",
    "%2F",
    "%20",
    "%F0%9F%98%80",
    "=",
    "&",
    "&&",
    "?",
    "/",
    "..",
    "//",
    "+",
    "-1",
    "0",
    "1e9",
    "18446744073709551616",
    "99999999999999999999999",
    "under=",
    "under=51&under=52",
    "limit=0",
    "answer=none",
    "format=xml",
    "5107272172010",
    "a",
];

/// One small change behind the first slash.
fn bent(path: &str, random: &mut fastrand::Rng) -> String {
    let at = random.usize(1..=path.len());
    let end = (at + random.usize(1..6)).min(path.len());
    let piece = PIECES[random.usize(..PIECES.len())];
    let (head, tail) = path.split_at(at);
    match random.u8(..4) {
        0 => format!("{head}{}", &path[end..]),
        1 => format!("{head}{}{tail}", &path[at..end]),
        2 => format!("{head}{piece}{}", &path[end..]),
        _ => format!("{head}{piece}{tail}"),
    }
}

#[tokio::test]
async fn whatever_is_asked_is_answered_in_the_words_of_this_api_and_changes_nothing() {
    let surface = Surface::with_alert().await;
    surface.propose(1, ended()).await;
    let position = *surface.gate.position.borrow();
    let asked: Vec<&str> = QUESTIONS.iter().chain(&MORE).copied().collect();
    let mut random = fastrand::Rng::with_seed(20_260_714);
    let mut refused = 0;
    for _ in 0..800 {
        let mut path = asked[random.usize(..asked.len())].to_owned();
        for _ in 0..random.usize(1..4) {
            path = bent(&path, &mut random);
        }
        let reply = surface.call("GET", &path, "water", b"").await;
        assert!(reply.status < 500, "{path}: {}", reply.status);
        if reply.status < 400 {
            continue;
        }
        refused += 1;
        let kind = header(&reply, "content-type");
        assert_eq!(
            kind,
            Some("application/problem+json"),
            "{path}: {}",
            reply.status
        );
        let said = json_of(&reply);
        assert!(
            said["detail"].as_str().is_some_and(|text| text.len() > 10),
            "{path}: {said}"
        );
    }
    assert!(refused > 200, "{refused} of them were wrong");
    assert_eq!(*surface.gate.position.borrow(), position);
    surface.stop().await;
}
