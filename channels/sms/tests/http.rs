//! SMS over HTTP: the suite that every channel passes, for each interface; what is peculiar to it; how it bears load; and
//! the providers' own clients against our peer, which is so shown to check signatures as the providers do.

mod common;

use std::any::Any;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use channel::testing::{Behaviour, Fixture, RecordingInlet, context, exercise};
use channel::{Channel, Context, Evidence, FailureClass, Message, Of, Request, Variant, Verdict};
use common::{Book, message, to, until};
use sms::peer::{Interface, Provider, ProviderConfig};
use sms::{HttpConfig, HttpSms, MasConfig};

const ALL: [Interface; 3] = [Interface::Aliyun, Interface::Tencent, Interface::Mas];
const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn provider(interface: Interface, behaviour: Behaviour) -> ProviderConfig {
    ProviderConfig {
        interface,
        behaviour,
        key: "key".into(),
        secret: "a secret of the tests".into(),
        delay: Duration::ZERO,
        delivers: |_| true,
    }
}

/// An account as an operator would write it: the shapes that the README gives, with this provider's address and keys.
fn shape(interface: Interface, url: &str) -> HttpConfig {
    let text = match interface {
        Interface::Aliyun => include_str!("../shapes/aliyun.toml"),
        Interface::Tencent => include_str!("../shapes/tencent.toml"),
        Interface::Mas => {
            let config = format!(
                "url = \"{url}\"\nec_name = \"平武县气象局\"\nap_id = \"key\"\nsecret_key = \"a secret of the tests\"\n\
                 sign = \"S1\"\nanswer_timeout_seconds = 1\n[callback]\nsecret = \"{SECRET}\"\n"
            );
            return toml::from_str::<MasConfig>(&config)
                .unwrap()
                .shape()
                .unwrap();
        }
    };
    let text = text
        .replace("https://dysmsapi.aliyuncs.com/", url)
        .replace("https://sms.tencentcloudapi.com/", url)
        .replace("ACCESS KEY ID", "key")
        .replace("SECRET ID", "key")
        .replace("ACCESS KEY SECRET", "a secret of the tests")
        .replace("SECRET KEY", "a secret of the tests")
        .replace("32 OR MORE RANDOM LETTERS AND DIGITS", SECRET);
    toml::from_str(&format!("answer_timeout_seconds = 1\n{text}")).unwrap()
}

fn channel(shape: HttpConfig, provider: &Provider) -> (Arc<HttpSms>, Arc<RecordingInlet>) {
    let (context, inlet) = context("http-test");
    let channel = Arc::new(HttpSms::new(shape, context).unwrap());
    provider.calls(channel.clone(), SECRET);
    (channel, inlet)
}

struct Account(Interface);

#[async_trait]
impl Fixture for Account {
    async fn start(
        &self,
        behaviour: Behaviour,
        context: Context,
    ) -> Option<(Arc<dyn Channel>, Box<dyn Any + Send>)> {
        let provider = Provider::start(provider(self.0, behaviour)).await.unwrap();
        let channel = HttpSms::new(shape(self.0, &provider.url()), context).unwrap();
        let channel: Arc<dyn Channel> = Arc::new(channel);
        provider.calls(channel.clone(), SECRET);
        Some((channel, Box::new(provider)))
    }

    fn message(&self, number: u32) -> Message {
        message(number, "【平武气象】暴雨红色预警")
    }
}

#[tokio::test]
async fn the_channel_passes_the_suite_in_every_behaviour_with_every_interface() {
    for interface in ALL {
        assert_eq!(
            exercise(&Account(interface)).await,
            Behaviour::ALL,
            "{interface:?}"
        );
    }
}

#[tokio::test]
async fn a_request_carries_text_signature_and_numbers_where_the_provider_wants_them() {
    let text = Arc::new(Variant::new("zh-CN", "t", "【平武气象】快\"跑"));
    let batch: Vec<_> = (1..=3).map(|number| to(number, &text)).collect();
    for interface in ALL {
        let provider = Provider::start(provider(interface, Behaviour::Confirm))
            .await
            .unwrap();
        let (channel, inlet) = channel(shape(interface, &provider.url()), &provider);
        let book = Book::new(3);
        channel.send_all(&batch, &book).await;
        let references: Vec<_> = book
            .all()
            .into_iter()
            .map(|o| o.unwrap().references.remove(0))
            .collect();
        assert_eq!(provider.counters().requests, 1, "one request for all");
        until("every number has its receipt", || {
            inlet.receipts.lock().len() == 3
        })
        .await;
        for receipt in inlet.receipts.lock().iter() {
            assert_eq!(receipt.verdict, Verdict::Reached(Evidence::Delivered));
            let Of::Reference(reference) = &receipt.of else {
                panic!("{:?}", receipt.of)
            };
            assert!(
                references.contains(reference) && !reference.contains("0000000000"),
                "{reference}"
            );
        }
        let last = provider.last();
        match interface {
            Interface::Aliyun => {
                assert_eq!(last["PhoneNumbers"], "00000000001,00000000002,00000000003");
                assert_eq!(
                    (&last["SignName"], &last["TemplateParam"]),
                    (&"平武气象".into(), &r#"{"text":"快\"跑"}"#.into())
                );
            }
            Interface::Tencent => {
                assert_eq!(last["PhoneNumberSet"][2], "+8600000000003");
                assert_eq!(
                    (&last["SignName"], &last["TemplateParamSet"][0]),
                    (&"平武气象".into(), &"快\"跑".into())
                );
            }
            Interface::Mas => {
                assert_eq!(last["mobiles"], "00000000001,00000000002,00000000003");
                assert_eq!(
                    (&last["content"], &last["sign"]),
                    (&"快\"跑".into(), &"S1".into())
                );
            }
        }
    }
}

fn call(path: &str, body: &str) -> Request {
    Request {
        method: "POST".into(),
        path: path.into(),
        body: body.to_owned().into(),
        ..Request::default()
    }
}

#[tokio::test]
async fn only_who_knows_the_path_and_stands_on_the_list_may_call_back() {
    let provider = Provider::start(provider(Interface::Aliyun, Behaviour::Accept))
        .await
        .unwrap();
    let mut shape = shape(Interface::Aliyun, &provider.url());
    let callback = shape.callback.as_mut().unwrap();
    callback.addresses = vec!["192.0.2.1".parse().unwrap()];
    callback.address_header = "X-Forwarded-For".into();
    let (channel, inlet) = channel(shape, &provider);
    let path = format!("{SECRET}/receipts");
    let body = r#"[{"phone_number":"00000000001","success":false,"err_code":"MOBILE_SEND_LIMIT","biz_id":"9"}]"#;
    let from = |address: &str| {
        let mut request = call(&path, body);
        request
            .headers
            .push(("x-forwarded-for".into(), address.into()));
        request
    };
    for wrong in [
        "",
        "receipts",
        "/receipts",
        "0123456789abcdef0123456789abcdeX/receipts",
        SECRET,
    ] {
        assert_eq!(
            channel.serve(call(wrong, body)).await.status,
            404,
            "{wrong}"
        );
    }
    assert_eq!(
        channel.serve(call(&path, body)).await.status,
        403,
        "nobody says who calls"
    );
    assert_eq!(
        channel.serve(from("192.0.2.1, 192.0.2.9")).await.status,
        403,
        "only the last was seen by the proxy"
    );
    assert_eq!(inlet.receipts.lock().len(), 0);
    assert_eq!(
        channel.serve(from("192.0.2.9, 192.0.2.1")).await.status,
        200
    );
    assert_eq!(
        inlet.receipts.lock()[0].verdict,
        Verdict::Refused(FailureClass::Transient)
    );
    assert_eq!(inlet.receipts.lock()[0].code, "MOBILE_SEND_LIMIT");
}

#[tokio::test]
async fn a_call_is_answered_when_it_is_kept_and_what_is_no_call_is_refused() {
    let provider = Provider::start(provider(Interface::Tencent, Behaviour::Accept))
        .await
        .unwrap();
    let (channel, inlet) = channel(shape(Interface::Tencent, &provider.url()), &provider);
    let (receipts, uplinks) = (format!("{SECRET}/receipts"), format!("{SECRET}/uplinks"));
    let receipt = r#"[{"sid":"7","mobile":"00000000001","report_status":"SUCCESS","errmsg":"DELIVRD"},{"mobile":"00000000001"}]"#;
    inlet.away.store(true, Ordering::SeqCst);
    assert_eq!(channel.serve(call(&receipts, receipt)).await.status, 503);
    inlet.away.store(false, Ordering::SeqCst);
    let reply = channel.serve(call(&receipts, receipt)).await;
    assert_eq!(
        (reply.status, &reply.body[..]),
        (200, &br#"{"errmsg":"OK","result":0}"#[..])
    );
    assert_eq!(inlet.receipts.lock()[0].of, Of::Reference("7".into()));
    assert_eq!(
        channel.unreadable(),
        2,
        "an entry without an id is counted, each time, and not kept"
    );
    let written = r#"{"mobile":"00000000001","nationcode":"86","text":"收到","extend":"01"}"#;
    assert_eq!(channel.serve(call(&uplinks, written)).await.status, 200);
    {
        let kept = inlet.uplinks.lock();
        assert_eq!(
            (
                kept[0].from.expose(),
                kept[0].to.as_str(),
                kept[0].acknowledges
            ),
            ("00000000001", "01", true)
        );
    }
    assert_eq!(channel.serve(call(&receipts, "no json")).await.status, 400);
    assert_eq!(
        channel
            .serve(call(&receipts, &" ".repeat(3 << 20)))
            .await
            .status,
        413
    );
    let read = Request {
        method: "GET".into(),
        ..call(&receipts, "")
    };
    assert_eq!(channel.serve(read).await.status, 405);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_sends_hold_bounded_connections_and_memory() {
    const SIZE: u32 = 100_000;
    let slow = ProviderConfig {
        delay: Duration::from_millis(2),
        ..provider(Interface::Aliyun, Behaviour::Accept)
    };
    let provider = Provider::start(slow).await.unwrap();
    let mut shape = shape(Interface::Aliyun, &provider.url());
    shape.numbers.most = 50;
    shape.connections = 4;
    shape.answer_timeout_seconds = 60;
    let (channel, _) = channel(shape, &provider);
    let text = Arc::new(Variant::new("zh-CN", "t", "【平武气象】暴雨红色预警"));
    let batch: Vec<_> = (0..SIZE).map(|number| to(number, &text)).collect();
    let before = resident();
    // Two lanes on one account share its connections.
    let (first, second) = batch.split_at(batch.len() / 2);
    let (one, two) = (Book::new(first.len()), Book::new(second.len()));
    tokio::join!(
        channel.send_all(first, &one),
        channel.send_all(second, &two)
    );
    let grown = resident().saturating_sub(before);
    assert!(
        one.all()
            .into_iter()
            .chain(two.all())
            .all(|outcome| outcome.is_ok())
    );
    let counters = provider.counters();
    assert_eq!(
        (counters.numbers, counters.requests, counters.forged),
        (100_000, 2_000, 0)
    );
    assert!(counters.under_way <= 4, "{counters:?}");
    // A connection may be opened while another is given back.
    assert!(counters.connections <= 8, "{counters:?}");
    // The outcomes themselves, which the test keeps, are about 20 MB; requests that piled up would be far more.
    assert!(grown < 100 << 20, "{grown} bytes more");
}

/// Bytes of memory that this process holds.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    status.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stalled_account_delays_no_other() {
    let dead = Provider::start(provider(Interface::Mas, Behaviour::Stall))
        .await
        .unwrap();
    let good = Provider::start(provider(Interface::Mas, Behaviour::Accept))
        .await
        .unwrap();
    // Both speak through one client of the house.
    let (context, _) = context("http-test");
    let make = |provider: &Provider| {
        let mut shape = shape(Interface::Mas, &provider.url());
        shape.numbers.most = 1;
        shape.answer_timeout_seconds = 30;
        Arc::new(HttpSms::new(shape, context.clone()).unwrap())
    };
    let (stalled, other) = (make(&dead), make(&good));
    let batch: Vec<_> = (0..100).map(|number| message(number, "x")).collect();
    let stuck = tokio::spawn({
        let batch = batch.clone();
        async move { stalled.send_all(&batch, &Book::new(100)).await }
    });
    until("the other end holds all it is given", || {
        dead.counters().requests == 8
    })
    .await;
    let begin = context.clock.tick();
    let book = Book::new(100);
    other.send_all(&batch, &book).await;
    let took = context.clock.tick().saturating_sub(begin);
    assert!(book.all().into_iter().all(|outcome| outcome.is_ok()));
    assert!(
        !stuck.is_finished() && dead.counters().requests == 8,
        "the stalled one still waits"
    );
    // A tenth of the time that the stalled account would have cost it.
    assert!(took < Duration::from_secs(3), "{took:?}");
    stuck.abort();
}

/// A provider's own client sends one text to our peer.
fn client(name: &str, url: &str, secret: &str) -> String {
    let python = std::env::var("TOCSIN_PYTHON")
        .expect("TOCSIN_PYTHON names no python with the clients: run ./test");
    let script = Path::new("tests/python").join(name);
    let endpoint = url.trim_start_matches("http://").trim_end_matches('/');
    let output = Command::new(python)
        .arg(script)
        .args([endpoint, "key", secret])
        .output()
        .expect("python starts: run ./test");
    let log = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{log}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    log.trim().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_providers_own_clients_are_proved_by_our_peer_and_forgers_are_not() {
    for (interface, script, taken, refused) in [
        (
            Interface::Aliyun,
            "aliyun_client.py",
            "OK",
            "SignatureDoesNotMatch",
        ),
        (
            Interface::Tencent,
            "tencent_client.py",
            "Ok",
            "AuthFailure.SignatureFailure",
        ),
    ] {
        let provider = Provider::start(provider(interface, Behaviour::Accept))
            .await
            .unwrap();
        for (secret, wanted) in [("a secret of the tests", taken), ("guess", refused)] {
            let url = provider.url();
            let told = tokio::task::spawn_blocking(move || client(script, &url, secret))
                .await
                .unwrap();
            assert_eq!(told, wanted, "{interface:?}");
        }
        let counters = provider.counters();
        assert_eq!((counters.numbers, counters.forged), (2, 1), "{interface:?}");
    }
}

#[test]
fn keys_that_make_no_sense_are_named() {
    let good = || shape(Interface::Tencent, "https://provider.example/");
    let wrong = |spoil: fn(&mut HttpConfig)| {
        let mut shape = good();
        spoil(&mut shape);
        shape.validate().unwrap_err().key
    };
    good().validate().unwrap();
    assert_eq!(wrong(|s| s.url = "ftp://x/".into()), "url");
    assert_eq!(wrong(|s| s.body["TemplateId"] = "{txt}".into()), "body");
    assert_eq!(wrong(|s| s.body["PhoneNumberSet"] = "x".into()), "body");
    assert_eq!(wrong(|s| s.body["TemplateParamSet"] = "x".into()), "body");
    assert_eq!(wrong(|s| s.answer.group = Some("/id".into())), "answer");
    assert_eq!(
        wrong(|s| s.callback.as_mut().unwrap().secret = channel::Secret::new("short")),
        "callback.secret"
    );
    assert_eq!(
        wrong(|s| s.callback.as_mut().unwrap().addresses = vec!["192.0.2.1".parse().unwrap()]),
        "callback.address_header"
    );
}
