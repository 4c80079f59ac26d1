//! The channel against software that we did not write: the npm package `smpp` and the crate `smpp34` as SMSCs, and
//! tshark as the judge of every byte on the wire. `./test` at the root brings what these need.

mod common;
#[path = "common/judge.rs"]
mod judge;
#[path = "common/running.rs"]
mod running;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use channel::testing::free_port;
use channel::{Channel, Evidence, FailureClass, Health, Variant, Verdict};
use common::{Book, message, to, until};
use judge::Capture;
use parking_lot::Mutex;
use running::{Running, config};
use sms::SmppConfig;
use sms::peer::{Peer, PeerConfig};

const DELIVERED: Verdict = Verdict::Reached(Evidence::Delivered);

/// Our own script on the package's engine; killed when dropped.
struct Node {
    child: Child,
    addr: SocketAddr,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Node {
    fn start(port: u16) -> Self {
        let modules = std::env::var("TOCSIN_NODE_MODULES")
            .expect("TOCSIN_NODE_MODULES names no folder with the npm package smpp: run ./test");
        let script = Path::new("tests/node/smsc.js");
        let mut child = Command::new("node")
            .arg(script)
            .arg(port.to_string())
            .env("TOCSIN_NODE_MODULES", modules)
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts: run ./test");
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        output.read_line(&mut first).unwrap();
        let port = first
            .trim()
            .strip_prefix("{\"port\":")
            .and_then(|rest| rest.strip_suffix('}'));
        let port: u16 = port
            .expect("the script says its port first: run ./test")
            .parse()
            .unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = lines.clone();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                kept.lock().push(line);
            }
        });
        Self {
            child,
            addr: SocketAddr::from(([127, 0, 0, 1], port)),
            lines,
        }
    }

    /// The lines in which all of these stand.
    fn said(&self, all: &[&str]) -> usize {
        self.lines
            .lock()
            .iter()
            .filter(|line| all.iter().all(|part| line.contains(part)))
            .count()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn node_smpp_reads_our_texts_and_we_read_its_receipts() {
    let node = Node::start(0);
    let channel = Running::start(config(node.addr));

    let short = channel
        .sms
        .send(&message(1, "Flood warning: leave the valley [now] for 5€"))
        .await
        .unwrap();
    let chinese = "暴雨".repeat(50);
    let long = channel.sms.send(&message(2, &chinese)).await.unwrap();
    let early = channel
        .sms
        .send(&message(11, "receipt first"))
        .await
        .unwrap();
    let failed = channel.sms.send(&message(5, "nobody there")).await.unwrap();

    assert_eq!((short.references.len(), long.references.len()), (1, 2));
    for accepted in [&short, &long, &early] {
        let verdicts = channel.receipts(&accepted.references).await;
        assert!(
            verdicts.iter().all(|verdict| *verdict == DELIVERED),
            "{verdicts:?}"
        );
    }
    assert_eq!(
        channel.receipts(&failed.references).await,
        [Verdict::Refused(FailureClass::Transient)]
    );
    let codes: Vec<_> = channel
        .inlet
        .receipts
        .lock()
        .iter()
        .map(|r| r.code.clone())
        .collect();
    assert!(
        codes.iter().any(|code| code.starts_with("UNDELIV")),
        "{codes:?}"
    );

    until("node has read our answers to its receipts", || {
        node.said(&["\"receipt\"", "\"status\":0"]) == 5
    })
    .await;
    assert_eq!(
        node.said(&["\"bind\":\"bureau\"", "\"version\":52", "\"good\":true"]),
        1
    );
    let ascii = [
        "leave the valley [now] for 5€",
        "\"esm_class\":0",
        "\"data_coding\":0",
        "\"udh\":null",
    ];
    assert_eq!(node.said(&ascii), 1, "{:?}", node.lines.lock());
    let (one, two) = (
        "暴雨".repeat(33) + "暴",
        "雨".to_owned() + &"暴雨".repeat(16),
    );
    for (text, number) in [(one, "0201\""), (two, "0202\"")] {
        // The package leaves out the length of the whole header.
        let wanted = [
            &format!("\"text\":\"{text}\"") as &str,
            "\"udh\":\"0003",
            number,
            "\"esm_class\":64",
        ];
        assert_eq!(node.said(&wanted), 1, "{:?}", node.lines.lock());
    }
    assert_eq!(
        node.said(&[
            "\"registered\":1",
            "\"validity\":\"2040-01-01T",
            "\"data_coding\":8"
        ]),
        2
    );

    let lines = node.lines.clone();
    channel.stop().await;
    until("node was told farewell", || {
        lines.lock().iter().any(|line| line.contains("unbind"))
    })
    .await;
}

#[tokio::test]
async fn node_smpp_throttles_one_and_takes_the_others() {
    let node = Node::start(0);
    let channel = Running::start(config(node.addr));
    let text = Arc::new(Variant::new("zh-CN", "t", "暴雨红色预警"));
    let batch: Vec<_> = (100..300).map(|number| to(number, &text)).collect();
    let book = Book::new(batch.len());
    channel.sms.send_all(&batch, &book).await;
    for (number, outcome) in (100..300).zip(book.all()) {
        match number % 100 {
            58 => assert_eq!(outcome.unwrap_err().class, FailureClass::Throttled),
            99 => assert_eq!(
                outcome.unwrap_err().class,
                FailureClass::InDoubt,
                "it is never answered"
            ),
            _ => assert_eq!(outcome.unwrap().references.len(), 1),
        }
    }
    channel.stop().await;
}

#[tokio::test]
async fn node_smpp_refuses_a_wrong_password() {
    let node = Node::start(0);
    let wrong = SmppConfig {
        password: sms::Password::new("guess"),
        ..config(node.addr)
    };
    let channel = Running::start(wrong);
    let failure = channel.sms.send(&message(1, "x")).await.unwrap_err();
    assert_eq!(
        (failure.class, &*failure.code),
        (FailureClass::LinkDown, "smpp:0x0E")
    );
    assert!(matches!(channel.sms.health(), Health::Down(why) if why.contains("smpp:0x0E")));
    until("node has said so", || node.said(&["\"good\":false"]) == 1).await;
    channel.stop().await;
}

#[tokio::test]
async fn a_killed_smsc_leaves_doubt_and_is_found_again() {
    let mut node = Node::start(free_port());
    let channel = Running::start(SmppConfig {
        answer_timeout_seconds: 20,
        ..config(node.addr)
    });
    channel.sms.send(&message(1, "x")).await.unwrap();

    let unanswered = tokio::spawn({
        let sms = channel.sms.clone();
        async move { sms.send(&message(99, "x")).await }
    });
    until("the message was read", || {
        node.said(&["\"number\":\"99\""]) == 1
    })
    .await;
    node.child.kill().unwrap();
    assert_eq!(
        unanswered.await.unwrap().unwrap_err().class,
        FailureClass::InDoubt
    );
    until("the channel knows", || channel.sms.health() != Health::Up).await;
    assert_eq!(
        channel.sms.send(&message(2, "x")).await.unwrap_err().class,
        FailureClass::LinkDown
    );

    let again = Node::start(node.addr.port());
    until("the channel is bound again", || {
        channel.sms.health() == Health::Up
    })
    .await;
    let accepted = channel.sms.send(&message(3, "x")).await.unwrap();
    assert_eq!(channel.receipts(&accepted.references).await, [DELIVERED]);
    assert_eq!(again.said(&["\"good\":true"]), 1);
    channel.stop().await;
}

mod smpp34_server {
    use std::net::{IpAddr, Ipv4Addr};

    use async_trait::async_trait;
    use smpp34::server::ESME;
    use smpp34::{
        SmppConnectionInformation, SmppError, SmppServer, SmppServerListener, TlvTag,
        bind_transceiver, bind_transceiver_resp, submit_sm, submit_sm_resp,
    };

    use super::*;

    #[derive(Default)]
    struct Handler {
        session: tokio::sync::Mutex<Option<Arc<ESME>>>,
        seen: Mutex<Vec<submit_sm>>,
    }

    #[async_trait]
    impl SmppServerListener for Handler {
        async fn on_bind_transceiver(
            &self,
            request: bind_transceiver,
            _: &SmppConnectionInformation,
            _: &String,
        ) -> bind_transceiver_resp {
            request.accept("smpp34".to_owned(), Some(0x34))
        }

        async fn on_esme_bound(&self, session: ESME, _: &String) {
            *self.session.lock().await = Some(Arc::new(session));
        }

        async fn on_submit_sm(
            &self,
            request: submit_sm,
            _: &SmppConnectionInformation,
            _: &String,
        ) -> submit_sm_resp {
            if request.destination_addr.ends_with("11") {
                return request.reject(SmppError::ESME_RINVDSTADR);
            }
            let id = {
                let mut seen = self.seen.lock();
                seen.push(request.clone());
                format!("id-{}", seen.len())
            };
            let session = self
                .session
                .lock()
                .await
                .clone()
                .expect("a session that submits is bound");
            let (from, receipted) = (request.destination_addr.clone(), id.clone());
            tokio::spawn(async move {
                let mut value = receipted.clone().into_bytes();
                value.push(0);
                session
                    .deliver_sm()
                    .source_addr(from)
                    .destination_addr("12379")
                    .esm_class(0x04)
                    .short_message(format!("id:{receipted} stat:DELIVRD").into_bytes())
                    .tlv(TlvTag::ReceiptedMessageId, value)
                    .tlv(TlvTag::MessageStateTlv, [2])
                    .send()
                    .await
            });
            request.accept(id)
        }
    }

    #[tokio::test]
    async fn smpp34_takes_our_texts_and_its_receipts_are_matched() {
        // The crate cannot listen on port 0.
        let port = free_port();
        let handler = Arc::new(Handler::default());
        let mut server = SmppServer::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port, handler.clone());
        server.start().await;
        let channel = Running::start(config(SocketAddr::from(([127, 0, 0, 1], port))));

        let short = channel
            .sms
            .send(&message(1, "Flood warning"))
            .await
            .unwrap();
        let long = channel
            .sms
            .send(&message(2, &"暴雨".repeat(50)))
            .await
            .unwrap();
        let refused = channel.sms.send(&message(11, "x")).await.unwrap_err();
        assert_eq!(
            (refused.class, &*refused.code),
            (FailureClass::BadAddress, "smpp:0x0B")
        );
        let references = [short.references, long.references].concat();
        assert_eq!(channel.receipts(&references).await, [DELIVERED; 3]);

        {
            let seen = handler.seen.lock();
            let shape: Vec<_> = seen
                .iter()
                .map(|pdu| (pdu.esm_class, pdu.data_coding, pdu.short_message.len()))
                .collect();
            assert_eq!(shape, [(0, 0, 13), (0x40, 8, 140), (0x40, 8, 72)]);
            assert!(
                seen.iter()
                    .all(|pdu| pdu.registered_delivery == 1 && pdu.source_addr == "12379")
            );
        }
        channel.stop().await;
        server.stop().await;
    }
}

#[tokio::test]
async fn tshark_finds_every_frame_well_formed() {
    let peer = Peer::start(PeerConfig::default()).await.unwrap();
    let port = peer.addr().port();
    let dir = tempfile::tempdir().unwrap();
    let capture = Capture::start(port, "smpp", &dir.path().join("x.pcapng"));

    let channel = Running::start(SmppConfig {
        enquire_link_seconds: 1,
        ..config(peer.addr())
    });
    let mut references = Vec::new();
    for text in [
        "Flood warning",
        &"暴雨".repeat(50),
        &"a".repeat(161),
        "暴雨",
    ] {
        references.extend(
            channel
                .sms
                .send(&message(1, text))
                .await
                .unwrap()
                .references,
        );
    }
    assert_eq!(references.len(), 6);
    channel.receipts(&references).await;
    until("the link was asked", || peer.counters().enquiries > 0).await;
    channel.stop().await;
    let judge = capture.stop("smpp.command_id == 0x80000006").await;

    let bad = "_ws.malformed || _ws.expert.severity >= 8388608";
    assert_eq!(judge.finds(bad, "frame.number"), "");
    let ids = judge.values("smpp", "smpp.command_id");
    let count = |id: &str| ids.iter().filter(|found| *found == id).count();
    let all = [
        ("0x00000009", 1),
        ("0x80000009", 1),
        ("0x00000004", 6),
        ("0x80000004", 6),
        ("0x00000005", 6),
        ("0x80000005", 6),
        ("0x00000006", 1),
        ("0x80000006", 1),
    ];
    for (id, wanted) in all {
        assert_eq!(count(id), wanted, "{id} in {ids:?}");
    }
    assert!(
        count("0x00000015") > 0 && count("0x80000015") > 0,
        "{ids:?}"
    );
    let mut features = judge.values("smpp.command_id == 4", "smpp.esm.submit.features");
    features.sort_unstable();
    assert_eq!(
        features,
        ["0x00", "0x00", "0x01", "0x01", "0x01", "0x01"],
        "only a part has a header"
    );
    let kinds = judge.values("smpp.command_id == 5", "smpp.esm.submit.msg_type");
    assert!(kinds.iter().all(|kind| kind == "0x01"), "{kinds:?}");
}
