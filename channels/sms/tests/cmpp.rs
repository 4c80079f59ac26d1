//! CMPP through the session that SMPP has too: the suite that every channel passes, in both layouts, and what is
//! peculiar to CMPP; then the peer against a client that we did not write, and tshark as the judge of 3.0.

mod common;
#[path = "common/judge.rs"]
mod judge;
#[path = "common/running.rs"]
mod running;

use std::any::Any;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use channel::testing::{Behaviour, Fixture, exercise};
use channel::{Channel, Context, Evidence, FailureClass, Health, Message, Variant, Verdict};
use common::{Book, message, to, until};
use judge::Capture;
use parking_lot::Mutex;
use running::Running;
use sms::codec::cmpp::{self as codec, Body, Frame, Version};
use sms::peer::{self, Peer, PeerConfig, Report, Speaks, Submit};
use sms::{CmppConfig, Sms};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const VERSIONS: [Version; 2] = [Version::V20, Version::V30];
const DELIVERED: Verdict = Verdict::Reached(Evidence::Delivered);

fn config(addr: SocketAddr, version: Version) -> CmppConfig {
    CmppConfig {
        answer_timeout_seconds: 1,
        reconnect_min_millis: 50,
        reconnect_max_millis: 200,
        check_gateway: true,
        ..CmppConfig::new(
            "127.0.0.1",
            addr.port(),
            version,
            "900001",
            "888888",
            "10690000",
        )
    }
}

fn peer(version: Version) -> PeerConfig {
    PeerConfig {
        speaks: Speaks::Cmpp(version),
        account: Some(("900001".into(), "888888".into())),
        ..PeerConfig::default()
    }
}

fn running(config: CmppConfig) -> Running {
    Running::of(|context| Sms::cmpp(config, context).unwrap())
}

struct Account(Version);

#[async_trait]
impl Fixture for Account {
    async fn start(
        &self,
        behaviour: Behaviour,
        context: Context,
    ) -> Option<(Arc<dyn Channel>, Box<dyn Any + Send>)> {
        let peer = Peer::start(PeerConfig {
            behaviour,
            ..peer(self.0)
        })
        .await
        .unwrap();
        let sms = Sms::cmpp(config(peer.addr(), self.0), context).unwrap();
        Some((Arc::new(sms), Box::new(peer)))
    }

    fn message(&self, number: u32) -> Message {
        message(number, "暴雨红色预警")
    }
}

#[tokio::test]
async fn the_channel_passes_the_suite_in_every_behaviour_in_both_layouts() {
    for version in VERSIONS {
        assert_eq!(
            exercise(&Account(version)).await,
            Behaviour::ALL,
            "{version:?}"
        );
    }
}

#[tokio::test]
async fn twenty_thousand_messages_over_three_connections_are_settled_once_and_every_report_is_matched()
 {
    const SIZE: usize = 20_000;
    for version in VERSIONS {
        let peer = Peer::start(peer(version)).await.unwrap();
        let channel = running(CmppConfig {
            connections: 3,
            window: 100,
            ..config(peer.addr(), version)
        });
        until("all are bound", || peer.counters().binds == 3).await;
        let text = Arc::new(Variant::new("zh-CN", "t", "暴雨红色预警"));
        let batch: Vec<_> = (0..20_000).map(|number| to(number, &text)).collect();
        let book = Book::new(SIZE);
        channel.sms.send_all(&batch, &book).await;
        let mut references: Vec<_> = book
            .all()
            .into_iter()
            .flat_map(|o| o.unwrap().references)
            .collect();
        references.sort_unstable();
        references.dedup();
        assert_eq!(references.len(), SIZE, "no id is given twice");
        until("every report is answered", || {
            peer.counters().receipts_answered == SIZE as u64
        })
        .await;
        let mut named: Vec<_> = channel
            .inlet
            .receipts
            .lock()
            .iter()
            .map(|r| match &r.of {
                channel::Of::Reference(reference) => reference.clone(),
                channel::Of::Key(key) => panic!("CMPP echoes no key, and not {key}"),
            })
            .collect();
        named.sort_unstable();
        assert_eq!(named, references);
        assert_eq!(channel.sms.counters(), sms::Counters::default());
        channel.stop().await;
    }
}

#[tokio::test]
async fn a_long_text_arrives_whole_with_its_header_and_flash_where_the_account_allows() {
    type Heard = Mutex<Vec<(u8, u8, u8, Vec<u8>)>>;
    for (version, reference) in [
        (Version::V20, sms::Reference::Eight),
        (Version::V30, sms::Reference::Sixteen),
    ] {
        let heard: Arc<Heard> = Arc::default();
        let script = {
            let heard = heard.clone();
            move |submit: &Submit<'_>| {
                assert_eq!(
                    (submit.esm_class, submit.dest, submit.source),
                    (0x40, "00000000001", "10690000")
                );
                let (part, total) = submit.part;
                heard
                    .lock()
                    .push((part, total, submit.data_coding, submit.text.to_vec()));
                peer::Verdict::delivered(Duration::ZERO)
            }
        };
        let script: peer::Script = Arc::new(script);
        let peer = Peer::start(PeerConfig {
            script: Some(script),
            ..peer(version)
        })
        .await
        .unwrap();
        let channel = running(CmppConfig {
            part_reference: reference,
            flash: vec![channel::Level::Red],
            ..config(peer.addr(), version)
        });
        let text = "暴雨😀".repeat(60);
        let mut variant = Variant::new("zh-CN", "t", text.as_str());
        variant.level = channel::Level::Red;
        let message = to(1, &Arc::new(variant));
        let accepted = channel.sms.send(&message).await.unwrap();
        assert_eq!(accepted.references.len(), 4);
        assert_eq!(channel.receipts(&accepted.references).await, [DELIVERED; 4]);
        let heard = heard.lock();
        let order: Vec<_> = heard
            .iter()
            .map(|(part, total, format, _)| (*part, *total, *format))
            .collect();
        assert_eq!(
            order,
            [(1, 4, 0x18), (2, 4, 0x18), (3, 4, 0x18), (4, 4, 0x18)]
        );
        let units: Vec<u16> = heard
            .iter()
            .flat_map(|(.., text)| text.chunks(2))
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
            .collect();
        assert_eq!(String::from_utf16(&units).unwrap(), text);
    }
}

#[tokio::test]
async fn provincial_words_are_understood_by_the_accounts_own_table() {
    let script = |submit: &Submit<'_>| {
        peer::Verdict::reported(Report {
            after: Duration::ZERO,
            stat: if submit.dest.ends_with('1') {
                "MK:0001"
            } else {
                "MI:0024"
            },
            error: 0,
        })
    };
    let peer = Peer::start(PeerConfig {
        script: Some(Arc::new(script)),
        ..peer(Version::V30)
    })
    .await
    .unwrap();
    let table: sms::receipt::Stats = toml::from_str("\"MK:0001\" = \"empty\"\n").unwrap();
    let channel = running(CmppConfig {
        stats: table,
        ..config(peer.addr(), Version::V30)
    });
    let empty = channel.sms.send(&message(1, "x")).await.unwrap();
    let other = channel.sms.send(&message(2, "x")).await.unwrap();
    assert_eq!(
        channel.receipts(&empty.references).await,
        [Verdict::Refused(FailureClass::BadAddress)]
    );
    assert_eq!(
        channel.receipts(&other.references).await,
        [Verdict::Refused(FailureClass::Transient)]
    );
    let codes: Vec<_> = channel
        .inlet
        .receipts
        .lock()
        .iter()
        .map(|r| r.code.clone())
        .collect();
    assert_eq!(codes, ["MK:0001", "MI:0024"]);
}

#[tokio::test]
async fn what_people_write_is_handed_on_and_answered_when_it_is_kept() {
    let resend = Duration::from_millis(200);
    for speaks in [
        Speaks::Smpp,
        Speaks::Cmpp(Version::V20),
        Speaks::Cmpp(Version::V30),
    ] {
        let peer = Peer::start(PeerConfig {
            speaks,
            resend,
            ..PeerConfig::default()
        })
        .await
        .unwrap();
        let channel = match speaks {
            Speaks::Smpp => Running::start(running::config(peer.addr())),
            Speaks::Cmpp(version) => running(CmppConfig {
                check_gateway: false,
                ..config(peer.addr(), version)
            }),
        };
        channel.inlet.away.store(true, Ordering::SeqCst);
        peer.reply("00000000001", "106900001", "收到！");
        peer.reply("00000000002", "10690000", "在哪里");
        until("they came again", || channel.sms.counters().replies > 2).await;
        assert_eq!(
            peer.counters().replies_answered,
            0,
            "nothing is answered that is not kept"
        );
        channel.inlet.away.store(false, Ordering::SeqCst);
        until("both are answered", || {
            peer.counters().replies_answered == 2
        })
        .await;
        let mut kept = std::mem::take(&mut *channel.inlet.uplinks.lock());
        kept.sort_by(|a, b| a.from.expose().cmp(b.from.expose()));
        kept.dedup_by(|a, b| a.from == b.from);
        let seen: Vec<_> = kept
            .iter()
            .map(|u| {
                (
                    u.from.expose(),
                    u.to.as_str(),
                    u.text.as_str(),
                    u.acknowledges,
                )
            })
            .collect();
        let wanted = [
            ("00000000001", "106900001", "收到！", true),
            ("00000000002", "10690000", "在哪里", false),
        ];
        assert_eq!(seen, wanted, "{speaks:?}");
        channel.stop().await;
    }
}

#[tokio::test]
async fn beyond_its_rate_the_far_end_controls_the_flow() {
    let peer = Peer::start(PeerConfig {
        rate: Some(10),
        ..peer(Version::V20)
    })
    .await
    .unwrap();
    let channel = running(config(peer.addr(), Version::V20));
    let text = Arc::new(Variant::new("zh-CN", "t", "x"));
    let batch: Vec<_> = (0..50).map(|number| to(number, &text)).collect();
    let book = Book::new(batch.len());
    channel.sms.send_all(&batch, &book).await;
    let failures: Vec<_> = book.all().into_iter().filter_map(Result::err).collect();
    assert_eq!(failures.len() as u64, peer.counters().throttled);
    assert!(failures.len() >= 40, "{}", failures.len());
    assert!(failures.iter().all(|f| {
        (f.class, &*f.code, f.retry_after) == (FailureClass::Throttled, "cmpp:8", None)
    }));
}

#[tokio::test]
async fn a_login_is_refused_by_secret_and_by_version_and_says_what_to_check() {
    let peer = Peer::start(peer(Version::V20)).await.unwrap();
    let wrong = CmppConfig {
        secret: sms::Password::new("guess"),
        ..config(peer.addr(), Version::V20)
    };
    let newer = config(peer.addr(), Version::V30);
    for (config, code) in [(wrong, "cmpp:connect-3"), (newer, "cmpp:connect-4")] {
        let channel = running(config);
        let failure = channel.sms.send(&message(1, "x")).await.unwrap_err();
        assert_eq!(
            (failure.class, &*failure.code),
            (FailureClass::LinkDown, code)
        );
        assert!(
            failure.detail.contains("sp_id, secret and version"),
            "{failure}"
        );
        channel.stop().await;
    }
}

/// One accepted connection, played byte by byte.
struct FarEnd {
    socket: TcpStream,
    buffer: Vec<u8>,
}

impl FarEnd {
    async fn bound(listener: &TcpListener) -> Self {
        let socket = listener.accept().await.unwrap().0;
        let mut far = Self {
            socket,
            buffer: Vec::new(),
        };
        let sequence = far.expect(|body| matches!(body, Body::Connect(_))).await;
        let answer = codec::ConnectResp {
            version: 0x20,
            ..codec::ConnectResp::default()
        };
        far.put(sequence, Body::ConnectResp(answer)).await;
        far
    }

    async fn expect(&mut self, like: impl Fn(Body<'_>) -> bool) -> u32 {
        loop {
            if let Some(length) = codec::check(&self.buffer).unwrap() {
                let frame: Vec<u8> = self.buffer.drain(..length).collect();
                let Frame { sequence, body } = codec::parse(&frame, Version::V20).unwrap();
                assert!(like(body), "{body:?}");
                return sequence;
            }
            let read = self.socket.read_buf(&mut self.buffer);
            let read = tokio::time::timeout(Duration::from_secs(10), read).await;
            assert!(
                read.expect("a frame comes in time").unwrap() > 0,
                "the channel closed"
            );
        }
    }

    async fn put(&mut self, sequence: u32, body: Body<'_>) {
        let mut out = Vec::new();
        codec::encode(&Frame { sequence, body }, Version::V20, &mut out);
        self.socket.write_all(&out).await.unwrap();
    }
}

fn submit(body: Body<'_>) -> bool {
    matches!(body, Body::Submit(_))
}

async fn listen() -> (TcpListener, CmppConfig) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let config = CmppConfig {
        check_gateway: false,
        ..config(addr, Version::V20)
    };
    (listener, config)
}

#[tokio::test]
async fn both_sides_ask_for_a_sign_of_life_and_an_unanswered_question_ends_the_session() {
    let (listener, config) = listen().await;
    let channel = running(CmppConfig {
        active_test_seconds: 1,
        ..config
    });
    let mut far = FarEnd::bound(&listener).await;
    far.put(77, Body::ActiveTest).await;
    assert_eq!(far.expect(|body| body == Body::ActiveTestResp).await, 77);
    let sequence = far.expect(|body| body == Body::ActiveTest).await;
    far.put(sequence, Body::ActiveTestResp).await;
    far.expect(|body| body == Body::ActiveTest).await;
    let _again = FarEnd::bound(&listener).await;
    until("it is up again", || channel.sms.health() == Health::Up).await;
}

#[tokio::test]
async fn a_stop_waits_for_the_answers_under_way_and_terminates() {
    let (listener, config) = listen().await;
    let channel = running(config);
    let mut far = FarEnd::bound(&listener).await;
    let sms = channel.sms.clone();
    let sending = tokio::spawn(async move { sms.send(&message(1, "x")).await });
    let sequence = far.expect(submit).await;
    let stopping = tokio::spawn(channel.stop());
    far.put(sequence, Body::SubmitResp { id: 5, result: 0 })
        .await;
    let sequence = far.expect(|body| body == Body::Terminate).await;
    far.put(sequence, Body::TerminateResp).await;
    stopping.await.unwrap();
    assert_eq!(sending.await.unwrap().unwrap().references, ["5"]);
}

#[tokio::test]
async fn a_far_end_that_terminates_is_answered_and_found_again() {
    let (listener, config) = listen().await;
    let channel = running(config);
    let mut far = FarEnd::bound(&listener).await;
    far.put(9, Body::Terminate).await;
    assert_eq!(far.expect(|body| body == Body::TerminateResp).await, 9);
    let _again = FarEnd::bound(&listener).await;
    until("it is up again", || channel.sms.health() == Health::Up).await;
}

#[tokio::test]
async fn what_a_lost_connection_did_not_write_goes_by_the_other() {
    let (listener, config) = listen().await;
    let config = CmppConfig {
        connections: 2,
        window: 10,
        reconnect_min_millis: 20_000,
        ..config
    };
    let channel = running(CmppConfig {
        reconnect_max_millis: 20_000,
        answer_timeout_seconds: 20,
        ..config
    });
    let (mut lost, mut stands) = (
        FarEnd::bound(&listener).await,
        FarEnd::bound(&listener).await,
    );
    until("both are bound", || channel.sms.health() == Health::Up).await;
    // Both must be known before the batch is spread.
    let probe = tokio::spawn({
        let sms = channel.sms.clone();
        async move {
            let batch: Vec<_> = (0..40).map(|number| message(number, "x")).collect();
            let book = Book::new(batch.len());
            sms.send_all(&batch, &book).await;
            book.all()
        }
    });
    for _ in 0..10 {
        lost.expect(submit).await;
    }
    drop(lost);
    for id in 1..=30 {
        let sequence = stands.expect(submit).await;
        stands
            .put(sequence, Body::SubmitResp { id, result: 0 })
            .await;
    }
    let outcomes = probe.await.unwrap();
    let taken = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let doubt = |o: &&Result<channel::Accepted, channel::Failure>| {
        o.as_ref().is_err_and(|f| f.class == FailureClass::InDoubt)
    };
    assert_eq!((taken, outcomes.iter().filter(doubt).count()), (30, 10));
}

#[tokio::test]
async fn tshark_finds_every_frame_of_3_0_well_formed() {
    let peer = Peer::start(peer(Version::V30)).await.unwrap();
    let port = peer.addr().port();
    let dir = tempfile::tempdir().unwrap();
    let capture = Capture::start(port, "cmpp", &dir.path().join("x.pcapng"));
    let channel = running(CmppConfig {
        active_test_seconds: 1,
        ascii: true,
        ..config(peer.addr(), Version::V30)
    });
    let mut references = Vec::new();
    for text in ["Flood warning", &"暴雨".repeat(50), "暴雨"] {
        references.extend(
            channel
                .sms
                .send(&message(1, text))
                .await
                .unwrap()
                .references,
        );
    }
    assert_eq!(channel.receipts(&references).await, [DELIVERED; 4]);
    peer.reply("00000000001", "10690000", "收到");
    until("the reply is answered", || {
        peer.counters().replies_answered == 1
    })
    .await;
    until("the link was asked", || peer.counters().enquiries > 0).await;
    channel.stop().await;
    let judge = capture.stop("cmpp.Command_Id == 0x80000002").await;

    let bad = "_ws.malformed || _ws.expert.severity >= 8388608";
    assert_eq!(judge.finds(bad, "frame.number"), "");
    let ids = judge.values("cmpp", "cmpp.Command_Id");
    let count = |id: u32| {
        let shown = format!("0x{id:08x}");
        ids.iter().filter(|found| **found == shown).count()
    };
    for (id, wanted) in [(1, 1), (4, 4), (5, 5), (2, 1)] {
        assert_eq!(
            (count(id), count(id | 0x8000_0000)),
            (wanted, wanted),
            "{id} in {ids:?}"
        );
    }
    assert!(count(8) > 0 && count(0x8000_0008) == count(8), "{ids:?}");
    let is = |field: &str| judge.values("cmpp.Command_Id == 4", field);
    assert_eq!(is("cmpp.Msg_Fmt"), ["0", "8", "8", "8"]);
    assert_eq!(is("cmpp.Dest_terminal_Id"), ["00000000001"; 4]);
    assert_eq!(is("cmpp.submit.Pk_total"), ["1", "2", "2", "1"]);
    assert_eq!(is("cmpp.submit.Src_Id"), ["10690000"; 4]);
    let stats = judge.values("cmpp.deliver.Report", "cmpp.deliver.Report.Status");
    assert_eq!(stats, ["DELIVRD"; 4]);
}

/// The package `pycmpp` logs in to our peer; what it understood is in its log.
fn pycmpp(port: u16, secret: &str) -> String {
    let python = std::env::var("TOCSIN_PYTHON")
        .expect("TOCSIN_PYTHON names no python with pycmpp: run ./test");
    let script = Path::new("tests/python/cmpp_client.py");
    let output = Command::new(python)
        .arg(script)
        .args([&port.to_string(), "900001", secret])
        .output()
        .expect("python starts: run ./test");
    let log = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{log}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    log
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pycmpp_logs_in_to_our_peer_and_its_texts_are_read() {
    type Heard = Mutex<Vec<(String, u8, (u8, u8), usize)>>;
    let heard: Arc<Heard> = Arc::default();
    let script = {
        let heard = heard.clone();
        move |submit: &Submit<'_>| {
            let one = (
                submit.dest.to_owned(),
                submit.data_coding,
                submit.part,
                submit.text.len(),
            );
            heard.lock().push(one);
            peer::Verdict::lost()
        }
    };
    let script: peer::Script = Arc::new(script);
    let peer = Peer::start(PeerConfig {
        script: Some(script),
        ..peer(Version::V20)
    })
    .await
    .unwrap();
    let port = peer.addr().port();
    let told = tokio::task::spawn_blocking(move || pycmpp(port, "888888"))
        .await
        .unwrap();
    assert!(told.contains("短信网关连接成功"), "{told}");
    let short = ("00000000001".to_owned(), 8, (1, 1), 12);
    let long = |part, bytes| ("00000000002".to_owned(), 8, (part, 2), bytes);
    assert_eq!(*heard.lock(), [short, long(1, 128), long(2, 72)]);
    let counters = peer.counters();
    assert_eq!(
        (counters.binds, counters.taken, counters.enquiries),
        (1, 3, 1)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pycmpp_with_a_wrong_secret_is_refused_and_understands_why() {
    let peer = Peer::start(peer(Version::V20)).await.unwrap();
    let port = peer.addr().port();
    let log = tokio::task::spawn_blocking(move || pycmpp(port, "guess"))
        .await
        .unwrap();
    assert!(log.contains("短信网关连接失败; status: 3"), "{log}");
    assert_eq!(
        (peer.counters().binds, peer.counters().refused_binds),
        (0, 1)
    );
}
