//! The far end's own calls: proved, timely, once, and answered when what they brought is durable.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use channel::testing::{RecordingInlet, context};
use channel::{Bound, Channel, Clock, Context, ManualClock, Reply, Request, Scene, Timestamp};
use wechat::crypt::{AesKey, signature};
use wechat::{OfficialAccount, WorkApp};

use super::common::{APPID, CORPID, KEY, TOKEN, account, callback, caller, work};

struct Called {
    channel: Box<dyn Channel>,
    inlet: Arc<RecordingInlet>,
    clock: Arc<ManualClock>,
}

impl Called {
    fn new(make: impl FnOnce(Context) -> Box<dyn Channel>) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_783_980_000)));
        let (context, inlet) = context("called");
        let context = Context {
            clock: clock.clone(),
            ..context
        };
        Self {
            channel: make(context),
            inlet,
            clock,
        }
    }

    fn account(encrypted: bool) -> Self {
        Self::new(|context| {
            let mut config = account("http://127.0.0.1:9");
            config.callback = Some(callback(encrypted));
            Box::new(OfficialAccount::new(config, context).unwrap())
        })
    }

    fn work() -> Self {
        Self::new(|context| Box::new(WorkApp::new(work("http://127.0.0.1:9"), context).unwrap()))
    }

    async fn serve(&self, request: &Request) -> Reply {
        self.channel.serve(request.clone()).await
    }

    fn refused(&self, why: &str) -> u64 {
        let refused = self.channel.refused();
        refused
            .into_iter()
            .find(|(name, _)| *name == why)
            .map_or(0, |(_, n)| n)
    }

    fn uplinks(&self) -> usize {
        self.inlet.uplinks.lock().len()
    }
}

fn wrote(text: &str, id: u64) -> String {
    format!(
        "<xml><ToUserName>gh_1</ToUserName><FromUserName>o-demo_1</FromUserName><CreateTime>1783980000</CreateTime>\
         <MsgType>text</MsgType><Content><![CDATA[{text}]]></Content><MsgId>{id}</MsgId></xml>"
    )
}

fn query(words: &[(&str, &str)]) -> Vec<(String, String)> {
    words
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
        .collect()
}

fn set(request: &mut Request, name: &str, value: &str) {
    let own = request.query.iter_mut().find(|(n, _)| n == name);
    value.clone_into(&mut own.unwrap().1);
}

#[tokio::test]
async fn an_accounts_echo_is_given_back_only_to_who_knows_the_token() {
    let called = Called::account(true);
    let at = called.clock.now().secs().to_string();
    let right = signature(&[TOKEN, &at, "n1"]);
    let ask = |signature: &str, at: &str| Request {
        method: "GET".to_owned(),
        query: query(&[
            ("signature", signature),
            ("timestamp", at),
            ("nonce", "n1"),
            ("echostr", "5927782489442352469"),
        ]),
        ..Request::default()
    };
    let reply = called.serve(&ask(&right, &at)).await;
    assert_eq!(
        (reply.status, &*reply.body),
        (200, &b"5927782489442352469"[..])
    );
    let wrong = signature(&["another token", &at, "n1"]);
    assert_eq!(called.serve(&ask(&wrong, &at)).await.status, 403);
    assert_eq!(called.serve(&ask("", &at)).await.status, 403);
    assert_eq!(
        (called.refused("signature"), called.refused("time")),
        (2, 0)
    );
}

#[tokio::test]
async fn wecoms_echo_is_decrypted_and_must_be_addressed_to_us() {
    let called = Called::work();
    let (at, key) = (
        called.clock.now().secs().to_string(),
        AesKey::new(KEY).unwrap(),
    );
    let ask = |envelope: &str| Request {
        method: "GET".to_owned(),
        query: query(&[
            ("msg_signature", &signature(&[TOKEN, &at, "n1", envelope])),
            ("timestamp", &at),
            ("nonce", "n1"),
            ("echostr", envelope),
        ]),
        ..Request::default()
    };
    let reply = called
        .serve(&ask(&key.seal(b"1616140317555161061", CORPID)))
        .await;
    assert_eq!(
        (reply.status, &*reply.body),
        (200, &b"1616140317555161061"[..])
    );
    let reply = called
        .serve(&ask(&key.seal(b"1", "ww-somebody-else")))
        .await;
    assert_eq!((reply.status, called.refused("not-ours")), (403, 1));
}

#[tokio::test]
async fn what_people_write_comes_in_once_however_often_the_far_end_repeats_it() {
    for encrypted in [true, false] {
        let called = Called::account(encrypted);
        let far = caller(APPID, encrypted);
        let request = far.request(&wrote("收到", 7), &*called.clock);
        for _ in 0..3 {
            let reply = called.serve(&request).await;
            assert_eq!((reply.status, &*reply.body), (200, &b"success"[..]));
        }
        let signed_anew = far.request(&wrote("收到", 7), &*called.clock);
        assert_eq!(called.serve(&signed_anew).await.status, 200);
        assert_eq!(called.uplinks(), 1, "it was one message");
        assert!(called.inlet.uplinks.lock()[0].acknowledges);
        let another = far.request(&wrote("收到", 8), &*called.clock);
        assert_eq!(called.serve(&another).await.status, 200);
        assert_eq!(called.uplinks(), 2);
    }
}

#[tokio::test]
async fn a_call_out_of_time_or_with_another_body_under_an_old_signature_is_refused() {
    let called = Called::account(false);
    let request = caller(APPID, false).request(&wrote("收到", 7), &*called.clock);
    assert_eq!(called.serve(&request).await.status, 200);
    let mut replay = request.clone();
    replay.body = wrote("水已进屋", 8).into();
    assert_eq!(
        (called.serve(&replay).await.status, called.refused("replay")),
        (403, 1)
    );
    called.clock.advance(Duration::from_secs(301));
    assert_eq!(
        (called.serve(&request).await.status, called.refused("time")),
        (403, 1)
    );
    let mut early = caller(APPID, false).request(&wrote("收到", 9), &*called.clock);
    called.clock.jump(-301_000);
    assert_eq!(
        (called.serve(&early).await.status, called.refused("time")),
        (403, 2)
    );
    set(&mut early, "timestamp", "soon");
    assert_eq!(called.serve(&early).await.status, 403);
    assert_eq!(called.uplinks(), 1);
}

#[tokio::test]
async fn nothing_comes_in_that_is_not_signed_whole_and_encrypted_for_us() {
    let called = Called::work();
    let far = caller(CORPID, true);
    let good = far.request(&wrote("收到", 7), &*called.clock);
    let mut bad = Vec::new();
    for (name, value) in [
        ("msg_signature", "0"),
        ("nonce", "other"),
        ("timestamp", "1783980001"),
    ] {
        let mut forged = good.clone();
        set(&mut forged, name, value);
        bad.push((forged, 403));
    }
    let mut plain = good.clone();
    plain.body = wrote("收到", 7).into();
    bad.push((plain, 403));
    let mut other =
        super::common::caller("ww-somebody-else", true).request(&wrote("收到", 7), &*called.clock);
    bad.push((other.clone(), 403));
    other.body = "not XML".into();
    bad.push((other, 400));
    let mut long = good.clone();
    long.body = vec![b'a'; 70_000].into();
    bad.push((long, 413));
    let put = |change: fn(&mut Request)| {
        let mut request = good.clone();
        change(&mut request);
        request
    };
    bad.push((put(|request| request.method = "PUT".to_owned()), 405));
    bad.push((put(|request| request.path = "elsewhere".to_owned()), 404));
    bad.push((put(|request| request.query.clear()), 403));
    for (n, (request, status)) in bad.iter().enumerate() {
        assert_eq!(called.serve(request).await.status, *status, "{n}");
    }
    assert_eq!(called.uplinks(), 0);
    assert_eq!(called.serve(&good).await.status, 200);
    assert_eq!(called.uplinks(), 1);
}

#[tokio::test]
async fn nothing_is_answered_before_it_is_durable_and_then_it_counts() {
    let called = Called::account(true);
    let request = caller(APPID, true).request(&wrote("收到", 7), &*called.clock);
    called.inlet.away.store(true, Ordering::SeqCst);
    assert_eq!(called.serve(&request).await.status, 503);
    called.inlet.away.store(false, Ordering::SeqCst);
    assert_eq!(
        called.serve(&request).await.status,
        200,
        "the far end came again"
    );
    assert_eq!(called.uplinks(), 1);
}

#[tokio::test]
async fn who_scans_is_bound_and_undoes_it_by_word_or_by_leaving() {
    let called = Called::account(true);
    let event = |name: &str, key: &str| {
        let xml = format!(
            "<xml><FromUserName>o-demo_1</FromUserName><CreateTime>1783980000</CreateTime><MsgType>event</MsgType>\
             <Event>{name}</Event><EventKey>{key}</EventKey></xml>"
        );
        caller(APPID, true).request(&xml, &*called.clock)
    };
    for request in [
        event("subscribe", "qrscene_h12"),
        event("SCAN", "v510727217201"),
        event("SCAN", "an advertisement"),
        event("unsubscribe", ""),
        caller(APPID, true).request(&wrote("解绑", 9), &*called.clock),
    ] {
        assert_eq!(called.serve(&request).await.status, 200);
    }
    let bindings = called.inlet.bindings.lock();
    let bound: Vec<_> = bindings.iter().map(|binding| binding.bound).collect();
    let village = Bound::To(Scene::Village(510_727_217_201));
    let wanted = [
        Bound::To(Scene::Household(12)),
        village,
        Bound::Undone,
        Bound::Undone,
    ];
    assert_eq!(bound, wanted);
    assert!(
        bindings
            .iter()
            .all(|binding| binding.who.expose() == "o-demo_1")
    );
}

#[tokio::test]
async fn who_binds_or_undoes_is_told_in_the_answer_itself() {
    for encrypted in [true, false] {
        let called = Called::account(encrypted);
        let far = caller(APPID, encrypted);
        let event = |name: &str, key: &str, at: u32| {
            let xml = format!(
                "<xml><ToUserName>gh_1</ToUserName><FromUserName>o-demo_1</FromUserName><CreateTime>{at}</CreateTime>\
                 <MsgType>event</MsgType><Event>{name}</Event><EventKey>{key}</EventKey></xml>"
            );
            far.request(&xml, &*called.clock)
        };
        let wrote = |id| far.request(&wrote("解绑", id), &*called.clock);
        for (request, said) in [
            (wrote(1), Some("这里没有扫码绑定过。登记有误，请找村委会。")),
            (
                event("subscribe", "qrscene_h12", 1),
                Some("已绑定 新桥村 12 号住户，预警会发到这里。回复“解绑”可取消。"),
            ),
            (
                event("SCAN", "v510727217201", 2),
                Some(
                    "已绑定 新桥村，本村的预警会发到这里；要登记到户，请扫自家的二维码。回复“解绑”可取消。",
                ),
            ),
            (
                event("SCAN", "h0", 3),
                Some("这个二维码已经失效，请向村委会要新的。"),
            ),
            (wrote(2), Some("已取消，预警不再发到这里。")),
            (event("unsubscribe", "", 4), None),
            (event("SCAN", "an advertisement", 5), None),
        ] {
            let reply = called.serve(&request).await;
            assert_eq!(reply.status, 200);
            assert_eq!(text_of(&reply, encrypted).as_deref(), said);
            let again = called.serve(&request).await;
            assert_eq!(&*again.body, b"success", "it is told once");
        }
    }
}

/// What a person reads of an answer, as the far end opens it.
fn text_of(reply: &Reply, encrypted: bool) -> Option<String> {
    let body = std::str::from_utf8(&reply.body).unwrap();
    if body == "success" {
        return None;
    }
    let flat = wechat::xml::Flat::read(body).unwrap();
    let inner = if encrypted {
        let part = |name| flat.get(name).unwrap();
        let envelope = part("Encrypt");
        let signed = signature(&[TOKEN, part("TimeStamp"), part("Nonce"), envelope]);
        assert_eq!(signed, part("MsgSignature"));
        let opened = AesKey::new(KEY).unwrap().open(envelope, APPID).unwrap();
        wechat::xml::Flat::read(std::str::from_utf8(&opened).unwrap()).unwrap()
    } else {
        flat
    };
    let names = ["ToUserName", "FromUserName", "MsgType"].map(|name| inner.get(name).unwrap());
    assert_eq!(names, ["o-demo_1", "gh_1", "text"]);
    inner.get("Content").map(str::to_owned)
}

#[tokio::test]
async fn a_channel_without_a_callback_has_no_door() {
    let called = Called::new(|context| {
        let mut config = account("http://127.0.0.1:9");
        config.callback = None;
        Box::new(OfficialAccount::new(config, context).unwrap())
    });
    let request = caller(APPID, false).request(&wrote("收到", 7), &*called.clock);
    assert_eq!(called.serve(&request).await.status, 404);
}

#[tokio::test]
async fn a_flood_of_proved_calls_does_not_grow_for_ever_and_the_newest_are_known() {
    let called = Called::account(false);
    let far = caller(APPID, false);
    let mut last = None;
    for id in 0..9_000 {
        let request = far.request(&wrote("1", id), &*called.clock);
        assert_eq!(called.serve(&request).await.status, 200);
        last = Some(request);
    }
    assert_eq!(called.serve(&last.unwrap()).await.status, 200);
    assert_eq!(called.uplinks(), 9_000);
}
