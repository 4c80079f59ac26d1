//! The channel at a provider's desk: the suite, and what is peculiar to a templated request and its callbacks.

use std::any::Any;
use std::sync::Arc;

use crate::common::{Running, message, until};
use async_trait::async_trait;
use channel::testing::{Behaviour, Fixture, exercise};
use channel::{
    Channel, Context, Evidence, FailureClass, Health, Message, Of, Reply, Request, Verdict,
};
use voice::peer::{Desk, Take};
use voice::{Config, ProviderConfig, Voice};

const PATH: &str = "0123456789abcdef";

fn settings(url: &str, extra: &str) -> ProviderConfig {
    let text = format!(
        r#"{{"url":"{url}","secret":"account-key","timeout":1,
            "headers":{{"authorization":"Bearer {{secret}}"}},
            "body":{{"to":"{{number}}","say":"{{text}}","ref":"{{id}}"{extra}}},
            "answer":{{"call":"/id","code":"/code","ok":["OK"],
                "classes":{{"NUMBER":"bad-address","TEXT":"bad-content","LIMIT":"throttled"}}}},
            "callback":{{"path":"{PATH}","id":"/ref","status":"/state","seconds":"/secs","key":"/keys",
                "reply":"done","statuses":{{"ring":"ringing","talk":"answered","busy":"busy","box":"machine"}}}}}}"#
    );
    serde_json::from_str(&text).unwrap()
}

fn taken() -> String {
    r#"{"code":"OK","id":"call-1"}"#.to_owned()
}

/// Our id in a request.
fn reference(body: &str) -> String {
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    body["ref"].as_str().unwrap().to_owned()
}

struct Outside;

#[async_trait]
impl Fixture for Outside {
    async fn start(
        &self,
        behaviour: Behaviour,
        context: Context,
    ) -> Option<(Arc<dyn Channel>, Box<dyn Any + Send>)> {
        let desk = Desk::start(move |body: &str| match behaviour {
            Behaviour::Accept | Behaviour::HangUp => Take::Answer(200, taken()),
            Behaviour::Confirm => {
                let told = format!(
                    r#"{{"ref":"{}","state":"talk","keys":"1"}}"#,
                    reference(body)
                );
                Take::CallBack(200, taken(), PATH.to_owned(), told)
            }
            Behaviour::Throttle => Take::Answer(200, r#"{"code":"LIMIT"}"#.to_owned()),
            Behaviour::RefuseAddress => Take::Answer(400, r#"{"code":"NUMBER"}"#.to_owned()),
            Behaviour::RefuseContent => Take::Answer(200, r#"{"code":"TEXT"}"#.to_owned()),
            Behaviour::Stall => Take::Stall,
            Behaviour::HangUpAfterWrite => Take::Close,
            Behaviour::RefuseLogin => Take::Answer(401, String::new()),
        });
        let desk = desk.await.unwrap();
        let url = desk.url();
        // A desk that is closed refuses the connection.
        let desk = (behaviour != Behaviour::HangUp).then_some(desk);
        if desk.is_none() {
            until("the desk is closed", || {
                std::net::TcpStream::connect(
                    url.trim_start_matches("http://").trim_end_matches("/call"),
                )
                .is_err()
            })
            .await;
        }
        let config = Config::with_provider(4, settings(&url, ""));
        let voice: Arc<dyn Channel> = Arc::new(Voice::new(config, context).unwrap());
        if let Some(desk) = &desk {
            desk.connect(&voice);
        }
        Some((voice, Box::new(desk)))
    }

    fn message(&self, number: u32) -> Message {
        message(number)
    }
}

#[tokio::test]
async fn the_channel_passes_the_suite_in_every_behaviour() {
    assert_eq!(exercise(&Outside).await, Behaviour::ALL);
}

async fn open(extra: &str) -> (Running, Desk) {
    let desk = Desk::start(|_: &str| Take::Answer(200, taken()))
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = Config {
        speech: crate::common::speech(folder.path(), 5),
        ..Config::with_provider(4, settings(&desk.url(), extra))
    };
    let running = Running::start(config);
    // The voice is read once, and kept.
    running.voice.send(&message(1)).await.unwrap();
    (running, desk)
}

async fn called(
    running: &Running,
    method: &str,
    path: &str,
    body: impl Into<bytes::Bytes>,
) -> Reply {
    let request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        body: body.into(),
        ..Request::default()
    };
    running.voice.serve(request).await
}

#[tokio::test]
async fn the_request_is_the_operators_template_filled() {
    let (running, desk) = open(r#","voice":"{mp3}","wave":"{wav}""#).await;
    let body: serde_json::Value = serde_json::from_str(&desk.bodies()[0]).unwrap();
    assert_eq!(
        (&body["to"], &body["say"]),
        (&"08160000001".into(), &"暴雨红色预警。".into())
    );
    // RIFF, and the eleven ones that begin an MP3 frame or an ID3 tag, in base64.
    assert!(body["wave"].as_str().unwrap().starts_with("UklGR"));
    let mp3 = body["voice"].as_str().unwrap();
    assert!(
        mp3.starts_with('/') || mp3.starts_with("SUQz"),
        "{}",
        &mp3[..8]
    );
    assert!(
        desk.heads()[0].contains("authorization: Bearer account-key"),
        "{}",
        desk.heads()[0]
    );
    assert_eq!(running.voice.health(), Health::Up);
    running.stop().await;
}

#[tokio::test]
async fn a_callback_is_believed_for_calls_that_we_made_and_no_other() {
    let (running, desk) = open("").await;
    let ours = reference(&desk.bodies()[0]);
    let told = |id: &str| format!(r#"[{{"ref":"{id}","state":"talk","secs":12,"keys":"2"}}]"#);
    let foreign = ours.replacen('7', "8", 1);
    for id in ["call-1", "7-1-0", &foreign] {
        assert_eq!(called(&running, "POST", PATH, told(id)).await.status, 200);
    }
    assert_eq!(running.told(), "", "what is not ours changes nothing");
    let reply = called(&running, "POST", PATH, told(&ours)).await;
    assert_eq!((reply.status, &reply.body[..]), (200, &b"done"[..]));
    assert_eq!(running.told(), "key 2 heard 12s=Acknowledged; ");
    let of = running.inlet.receipts.lock()[0].of.clone();
    assert_eq!(of, Of::Key(message(1).key));
    running.stop().await;
}

#[tokio::test]
async fn a_machine_and_a_busy_line_are_refusals_and_a_short_call_too() {
    let (running, desk) = open("").await;
    let ours = reference(&desk.bodies()[0]);
    for (state, secs, verdict) in [
        ("ring", 0, Verdict::Progress),
        ("talk", 9, Verdict::Reached(Evidence::Delivered)),
        ("talk", 3, Verdict::Refused(FailureClass::Transient)),
        ("box", 60, Verdict::Refused(FailureClass::Transient)),
        ("busy", 0, Verdict::Refused(FailureClass::Transient)),
    ] {
        let body = format!(r#"{{"ref":"{ours}","state":"{state}","secs":{secs}}}"#);
        assert_eq!(called(&running, "POST", PATH, body).await.status, 200);
        let last = running.inlet.receipts.lock().pop().unwrap();
        assert_eq!(last.verdict, verdict, "{state} {secs}");
    }
    running.stop().await;
}

#[tokio::test]
async fn a_wrong_call_is_refused_and_an_unkept_receipt_is_not_answered() {
    let (running, desk) = open("").await;
    let body = format!(
        r#"{{"ref":"{}","state":"talk","keys":"1"}}"#,
        reference(&desk.bodies()[0])
    );
    for (method, path, body, status) in [
        ("POST", "", body.clone(), 404),
        ("POST", "0123456789abcdeX", body.clone(), 404),
        ("GET", PATH, String::new(), 405),
        ("POST", PATH, "{".to_owned(), 400),
        ("POST", PATH, " ".repeat(70_000), 413),
    ] {
        assert_eq!(
            called(&running, method, path, body).await.status,
            status,
            "{method} {path}"
        );
    }
    assert_eq!(running.told(), "");
    running
        .inlet
        .away
        .store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(called(&running, "POST", PATH, body).await.status, 503);
    running.stop().await;
}
