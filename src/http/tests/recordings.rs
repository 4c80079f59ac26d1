//! The recording library over the API: brought, heard by another, used, taken back, and every refusal.

use super::*;

/// Eight-bit samples of some seconds at 8,000.
fn wav(seconds: usize, value: u8) -> Vec<u8> {
    let samples = vec![value; 8_000 * seconds];
    let wav = channel::wav::Wav {
        channels: 1,
        rate: 8_000,
        bits: 8,
        samples: &samples,
    };
    wav.file()
}

const FLOOD: &str = "/v1/recordings?event=11A51&level=red&response=Evacuate&language=qxs";

impl Surface {
    async fn bring(&self, path: &str, token: &str, bytes: &[u8]) -> (u16, Value) {
        let reply = self.call("POST", path, token, bytes).await;
        (reply.status, json_of(&reply))
    }

    async fn standings(&self) -> Vec<(u64, String)> {
        let reply = self.call("GET", "/v1/recordings", "water", b"").await;
        let list = json_of(&reply);
        let list = list["recordings"].as_array().expect("a list");
        let one = |r: &Value| {
            let standing = r["standing"].as_str().expect("a word").to_owned();
            (r["id"].as_u64().expect("a number"), standing)
        };
        list.iter().map(one).collect()
    }
}

fn pairs(wanted: &[(u64, &str)]) -> Vec<(u64, String)> {
    let pair = |(id, standing): &(u64, &str)| (*id, (*standing).to_owned());
    wanted.iter().map(pair).collect()
}

#[tokio::test]
async fn a_recording_is_brought_by_one_heard_by_another_and_listened_to_by_whoever_reads() {
    let surface = Surface::start().await;
    let (status, brought) = surface.bring(FLOOD, "recorder", &wav(2, 100)).await;
    assert_eq!(status, 201, "{brought}");
    let wanted = json!({ "id": 1, "event": "11A51", "event_zh": "山洪", "level": "red", "level_zh": "红色",
        "response": "Evacuate", "language": "qxs", "language_zh": "南部羌语", "drill": false, "version": 1,
        "standing": "unheard", "standing_zh": "待复听", "mime": "audio/wav", "seconds": 2, "heard": null });
    for (key, value) in wanted.as_object().expect("an object") {
        assert_eq!(&brought[key], value, "{key}");
    }
    let (status, own) = surface
        .bring("/v1/recordings/1/heard", "recorder", b"")
        .await;
    assert_eq!(
        (status, &own["type"]),
        (403, &json!("/problems/not-allowed"))
    );
    assert_eq!(surface.gate.ledger.recordings.in_use().len(), 0);
    let (status, heard) = surface
        .bring("/v1/recordings/1/heard", "listener", b"")
        .await;
    assert_eq!((status, &heard["standing"]), (200, &json!("in-use")));
    assert_eq!(heard["heard"]["by"], "listener");
    let reply = surface
        .call("GET", "/v1/recordings/1/sound", "water", b"")
        .await;
    assert_eq!(header(&reply, "content-type"), Some("audio/wav"));
    assert_eq!(reply.body, wav(2, 100));

    let (_, newer) = surface.bring(FLOOD, "listener", &wav(3, 90)).await;
    assert_eq!((&newer["id"], &newer["version"]), (&json!(2), &json!(2)));
    assert_eq!(
        surface.standings().await,
        pairs(&[(2, "unheard"), (1, "in-use")])
    );
    surface
        .bring("/v1/recordings/2/heard", "recorder", b"")
        .await;
    assert_eq!(
        surface.standings().await,
        pairs(&[(2, "in-use"), (1, "superseded")])
    );
    let (status, gone) = surface
        .bring("/v1/recordings/2/retire", "listener", b"")
        .await;
    assert_eq!((status, &gone["standing"]), (200, &json!("retired")));
    assert_eq!(
        surface.standings().await,
        pairs(&[(2, "retired"), (1, "in-use")])
    );
    let (status, late) = surface
        .bring("/v1/recordings/2/heard", "recorder", b"")
        .await;
    assert_eq!((status, &late["type"]), (409, &json!("/problems/decided")));
    surface.stop().await;
}

/// Path, token, body; status, problem, and what is said.
type Case<'a> = (&'a str, &'a str, &'a [u8], u16, &'a str, &'a str);

#[tokio::test]
async fn what_is_no_recording_or_is_nobodys_to_bring_is_refused_with_what_to_do() {
    let surface = Surface::start().await;
    let good = wav(2, 100);
    let large = vec![0; 4 * 1024 * 1024 + 1];
    let cases: [Case<'_>; 10] = [
        (FLOOD, "water", &good, 403, "no-scope", "recordings"),
        (FLOOD, "recorder", b"", 422, "bad-recording", "it is empty"),
        (
            FLOOD,
            "recorder",
            b"<html>",
            422,
            "bad-recording",
            "WAV, MP3 nor M4A",
        ),
        (
            FLOOD,
            "recorder",
            &good[..44],
            422,
            "bad-recording",
            "half a second",
        ),
        (FLOOD, "recorder", &large, 413, "too-large", "4194305 bytes"),
        (
            "/v1/recordings?language=qxs&event=flood",
            "recorder",
            &good,
            422,
            "bad-recording",
            "event code",
        ),
        (
            "/v1/recordings?language=%E7%BE%8C",
            "recorder",
            &good,
            422,
            "bad-recording",
            "language tag",
        ),
        (
            "/v1/recordings?event=11A51",
            "recorder",
            &good,
            400,
            "bad-parameter",
            "language",
        ),
        (
            "/v1/recordings?language=qxs&level=pink",
            "recorder",
            &good,
            400,
            "bad-parameter",
            "pink",
        ),
        (
            "/v1/recordings/9/heard",
            "recorder",
            b"",
            404,
            "unknown-recording",
            "recording 9",
        ),
    ];
    for (path, token, bytes, status, kind, part) in cases {
        let (answered, problem) = surface.bring(path, token, bytes).await;
        let shown = problem.to_string();
        assert_eq!(answered, status, "{path}: {shown}");
        assert_eq!(
            problem["type"],
            format!("/problems/{kind}"),
            "{path}: {shown}"
        );
        assert!(shown.contains(part), "{path}: {shown}");
    }
    assert!(surface.gate.ledger.recordings.all().is_empty());
    surface.stop().await;
}

#[tokio::test]
async fn an_act_that_the_store_did_not_take_has_not_happened() {
    let surface = Surface::start().await;
    surface.bring(FLOOD, "recorder", &wav(2, 100)).await;
    surface.store.away.store(true, SeqCst);
    for (path, bytes) in [(FLOOD, wav(3, 90)), ("/v1/recordings/1/heard", Vec::new())] {
        let (status, problem) = surface.bring(path, "listener", &bytes).await;
        assert_eq!(
            (status, &problem["type"]),
            (503, &json!("/problems/store-away"))
        );
    }
    surface.store.away.store(false, SeqCst);
    assert_eq!(surface.standings().await, pairs(&[(1, "unheard")]));
    surface.stop().await;
}
