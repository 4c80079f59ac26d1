//! The channel against a far end played byte by byte: what no polite SMSC does.

mod common;
#[path = "common/running.rs"]
mod running;

use std::time::Duration;

use channel::{Channel, Evidence, FailureClass, Health, Verdict};
use common::{Book, message, until};
use running::{Running, config};
use sms::SmppConfig;
use sms::codec::smpp::{self as pdu, Body, Pdu, Sm, command};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// One accepted connection.
struct FarEnd {
    socket: TcpStream,
    buffer: Vec<u8>,
}

impl FarEnd {
    /// Accepts and binds.
    async fn bound(listener: &TcpListener) -> Self {
        let mut far = Self {
            socket: listener.accept().await.unwrap().0,
            buffer: Vec::new(),
        };
        let sequence = far
            .expect(|body| matches!(body, Body::BindTransceiver(_)))
            .await;
        far.put(0, sequence, Body::BindTransceiverResp { system_id: b"far" })
            .await;
        far
    }

    /// The sequence number of the next PDU, which must be like this.
    async fn expect(&mut self, like: impl Fn(Body<'_>) -> bool) -> u32 {
        loop {
            if let Some(length) = pdu::check(&self.buffer).unwrap() {
                let frame: Vec<u8> = self.buffer.drain(..length).collect();
                let pdu = pdu::parse(&frame).unwrap();
                assert!(like(pdu.body), "{:?}", pdu.body);
                return pdu.sequence;
            }
            let read = tokio::time::timeout(
                Duration::from_secs(10),
                self.socket.read_buf(&mut self.buffer),
            );
            assert!(
                read.await.expect("a PDU comes in time").unwrap() > 0,
                "the channel closed"
            );
        }
    }

    /// Command and status of the next PDU.
    async fn next(&mut self) -> (u32, u32) {
        loop {
            if let Some(length) = pdu::check(&self.buffer).unwrap() {
                let frame: Vec<u8> = self.buffer.drain(..length).collect();
                let command = pdu::head(&frame).unwrap().0;
                return (command, pdu::parse(&frame).unwrap().status);
            }
            let read = self.socket.read_buf(&mut self.buffer);
            let read = tokio::time::timeout(Duration::from_secs(10), read).await;
            assert!(read.expect("a PDU comes in time").unwrap() > 0);
        }
    }

    async fn put(&mut self, status: u32, sequence: u32, body: Body<'_>) {
        let mut out = Vec::new();
        pdu::encode(
            &Pdu {
                status,
                sequence,
                body,
            },
            &mut out,
        );
        self.socket.write_all(&out).await.unwrap();
    }
}

async fn listen() -> (TcpListener, SmppConfig) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = config(listener.local_addr().unwrap());
    (listener, config)
}

fn submit(body: Body<'_>) -> bool {
    matches!(body, Body::SubmitSm(_))
}

#[tokio::test]
async fn an_answer_that_comes_byte_by_byte_is_read() {
    let (listener, config) = listen().await;
    let channel = Running::start(config);
    let mut far = FarEnd::bound(&listener).await;
    let sending = tokio::spawn({
        let sms = channel.sms.clone();
        async move { sms.send(&message(1, "x")).await }
    });
    let sequence = far.expect(submit).await;
    let mut out = Vec::new();
    pdu::encode(
        &Pdu {
            status: 0,
            sequence,
            body: Body::SubmitSmResp { message_id: b"7f" },
        },
        &mut out,
    );
    for byte in out {
        far.socket.write_all(&[byte]).await.unwrap();
        far.socket.flush().await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(sending.await.unwrap().unwrap().references, ["7f"]);
}

#[tokio::test]
async fn a_receipt_that_overtakes_its_answer_is_handed_on() {
    let (listener, config) = listen().await;
    let channel = Running::start(config);
    let mut far = FarEnd::bound(&listener).await;
    let sending = tokio::spawn({
        let sms = channel.sms.clone();
        async move { sms.send(&message(1, "x")).await }
    });
    let sequence = far.expect(submit).await;
    let receipt = Sm {
        esm_class: 4,
        text: b"id:7f stat:DELIVRD err:000",
        ..Sm::default()
    };
    far.put(0, 1, Body::DeliverSm(receipt)).await;
    far.expect(|body| body == Body::DeliverSmResp).await;
    let delivered = Verdict::Reached(Evidence::Delivered);
    assert_eq!(channel.receipts(&["7f".to_owned()]).await, [delivered]);
    far.put(0, sequence, Body::SubmitSmResp { message_id: b"7f" })
        .await;
    assert_eq!(sending.await.unwrap().unwrap().references, ["7f"]);
}

#[tokio::test]
async fn an_answer_after_its_time_is_counted_and_changes_nothing() {
    let (listener, config) = listen().await;
    let channel = Running::start(config);
    let mut far = FarEnd::bound(&listener).await;
    let sending = tokio::spawn({
        let sms = channel.sms.clone();
        async move { sms.send(&message(1, "x")).await }
    });
    let sequence = far.expect(submit).await;
    assert_eq!(
        sending.await.unwrap().unwrap_err().class,
        FailureClass::InDoubt
    );
    far.put(0, sequence, Body::SubmitSmResp { message_id: b"1" })
        .await;
    until("it is counted", || channel.sms.counters().late == 1).await;
    assert_eq!(channel.sms.health(), Health::Up);
}

#[tokio::test]
async fn a_reply_and_a_receipt_of_nothing_are_answered_and_counted() {
    let (listener, config) = listen().await;
    let channel = Running::start(config);
    let mut far = FarEnd::bound(&listener).await;
    far.put(
        0,
        5,
        Body::DeliverSm(Sm {
            text: b"we are safe",
            ..Sm::default()
        }),
    )
    .await;
    assert_eq!(far.expect(|body| body == Body::DeliverSmResp).await, 5);
    far.put(
        0,
        6,
        Body::DeliverSm(Sm {
            esm_class: 4,
            text: b"stat:DELIVRD",
            ..Sm::default()
        }),
    )
    .await;
    assert_eq!(far.expect(|body| body == Body::DeliverSmResp).await, 6);
    let counters = channel.sms.counters();
    assert_eq!((counters.replies, counters.unreadable), (1, 1));
    assert!(channel.inlet.receipts.lock().is_empty());
}

#[tokio::test]
async fn what_we_do_not_speak_gets_a_generic_nack_and_a_torn_receipt_does_not_end_the_session() {
    let (listener, config) = listen().await;
    let channel = Running::start(config);
    let mut far = FarEnd::bound(&listener).await;
    far.put(0, 5, Body::Other(0x103)).await;
    assert_eq!(far.expect(|body| body == Body::GenericNack).await, 5);
    far.put(0, 6, Body::Other(pdu::command::DELIVER_SM)).await;
    assert_eq!(far.expect(|body| body == Body::DeliverSmResp).await, 6);
    far.put(0, 7, Body::EnquireLink).await;
    assert_eq!(far.expect(|body| body == Body::EnquireLinkResp).await, 7);
    assert_eq!(channel.sms.health(), Health::Up);
}

#[tokio::test]
async fn an_unbind_is_answered_and_the_channel_binds_again() {
    let (listener, config) = listen().await;
    let channel = Running::start(config);
    let mut far = FarEnd::bound(&listener).await;
    far.put(0, 5, Body::Unbind).await;
    assert_eq!(far.expect(|body| body == Body::UnbindResp).await, 5);
    let _again = FarEnd::bound(&listener).await;
    until("it is up again", || channel.sms.health() == Health::Up).await;
}

/// What is wrong, its bytes, how it is answered, and what is counted: replies, unreadable, late.
type Wrong = (&'static str, Vec<u8>, Option<(u32, u32)>, (u64, u64, u64));

fn raw(command: u32, sequence: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + body.len()).unwrap();
    let words = [length, command, 0, sequence];
    let head = words.into_iter().flat_map(u32::to_be_bytes);
    head.chain(body.iter().copied()).collect()
}

fn wrongs() -> Vec<Wrong> {
    use command::{ANSWER, BIND_TRANSCEIVER, DELIVER_SM, ENQUIRE_LINK, GENERIC_NACK, SUBMIT_SM};
    let receipt = b"\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0\0";
    let torn = [&receipt[..], &[9, b'i', b'd']].concat();
    let parameter = [&receipt[..], &[0, 0, 0x1E, 0xFF, 0xFF, b'7']].concat();
    let nameless = [&receipt[..], &[12], b"stat:DELIVRD"].concat();
    let reply = [&receipt[..7], &[0], &receipt[8..], &[1, b'x']].concat();
    let (refused, deliver) = (0x65, DELIVER_SM | ANSWER);
    vec![
        (
            "an answer to nothing",
            raw(SUBMIT_SM | ANSWER, 77, b"1\0"),
            None,
            (0, 0, 1),
        ),
        (
            "an answer to number 0",
            raw(SUBMIT_SM | ANSWER, 0, b"1\0"),
            None,
            (0, 0, 1),
        ),
        (
            "an answer beyond all numbers",
            raw(SUBMIT_SM | ANSWER, u32::MAX, b"1\0"),
            None,
            (0, 0, 1),
        ),
        (
            "a nack of nothing",
            raw(GENERIC_NACK, 77, b""),
            None,
            (0, 0, 1),
        ),
        (
            "a sign of life unasked",
            raw(ENQUIRE_LINK | ANSWER, 77, b""),
            None,
            (0, 0, 1),
        ),
        (
            "a receipt cut off in its text",
            raw(DELIVER_SM, 5, &torn),
            Some((deliver, refused)),
            (0, 1, 0),
        ),
        (
            "a parameter longer than its PDU",
            raw(DELIVER_SM, 5, &parameter),
            Some((deliver, refused)),
            (0, 1, 0),
        ),
        (
            "a receipt without anything",
            raw(DELIVER_SM, 5, b""),
            Some((deliver, refused)),
            (0, 1, 0),
        ),
        (
            "a receipt that names nothing",
            raw(DELIVER_SM, 5, &nameless),
            Some((deliver, 0)),
            (0, 1, 0),
        ),
        (
            "a text from a handset",
            raw(DELIVER_SM, 5, &reply),
            Some((deliver, 0)),
            (1, 0, 0),
        ),
        (
            "a command that nobody has",
            raw(0x0103, 5, b""),
            Some((GENERIC_NACK, 3)),
            (0, 0, 0),
        ),
        (
            "a bind the wrong way round",
            raw(BIND_TRANSCEIVER, 5, b""),
            None,
            (0, 1, 0),
        ),
        (
            "a bind's answer once more",
            raw(BIND_TRANSCEIVER | ANSWER, 1, b""),
            None,
            (0, 0, 0),
        ),
    ]
}

#[tokio::test]
async fn nothing_wrong_that_a_far_end_says_touches_the_text_under_way() {
    for (what, bytes, answer, counted) in wrongs() {
        let (listener, config) = listen().await;
        let channel = Running::start(SmppConfig {
            answer_timeout_seconds: 20,
            ..config
        });
        let mut far = FarEnd::bound(&listener).await;
        let sms = channel.sms.clone();
        let sending = tokio::spawn(async move { sms.send(&message(1, "x")).await });
        let sequence = far.expect(submit).await;
        far.socket.write_all(&bytes).await.unwrap();
        far.put(0, 900, Body::EnquireLink).await;
        let mut wanted = vec![(command::ENQUIRE_LINK | command::ANSWER, 0)];
        wanted.extend(answer);
        // In either order: what is kept is answered when it is kept.
        let mut told = Vec::new();
        for _ in &wanted {
            told.push(far.next().await);
        }
        wanted.sort_unstable();
        told.sort_unstable();
        assert_eq!(told, wanted, "{what}");
        let counters = channel.sms.counters();
        let found = (counters.replies, counters.unreadable, counters.late);
        assert_eq!(found, counted, "{what}");
        assert!(channel.inlet.receipts.lock().is_empty(), "{what}");
        assert!(!sending.is_finished(), "{what}");
        far.put(0, sequence, Body::SubmitSmResp { message_id: b"7f" })
            .await;
        let references = sending.await.unwrap().unwrap().references;
        assert_eq!(references, ["7f"], "{what}");
    }
}

#[tokio::test]
async fn a_stream_that_cannot_be_trusted_ends_the_session_and_the_text_is_in_doubt() {
    for (what, bytes) in [
        ("a length below a header's", raw(5, 1, b"")[..].to_vec()),
        (
            "a length beyond all PDUs",
            70_000_u32.to_be_bytes().to_vec(),
        ),
        (
            "another protocol",
            b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        ),
    ] {
        let mut bytes = bytes;
        if what.contains("below") {
            bytes[3] = 15;
        }
        let (listener, config) = listen().await;
        let channel = Running::start(SmppConfig {
            answer_timeout_seconds: 20,
            ..config
        });
        let mut far = FarEnd::bound(&listener).await;
        let sms = channel.sms.clone();
        let sending = tokio::spawn(async move { sms.send(&message(1, "x")).await });
        far.expect(submit).await;
        far.socket.write_all(&bytes).await.unwrap();
        let failure = sending.await.unwrap().unwrap_err();
        assert_eq!(failure.class, FailureClass::InDoubt, "{what}");
        assert!(channel.inlet.receipts.lock().is_empty(), "{what}");
        let _again = FarEnd::bound(&listener).await;
    }
}

#[tokio::test]
async fn bytes_that_are_no_smpp_end_the_session_and_the_channel_binds_again() {
    let (listener, config) = listen().await;
    let channel = Running::start(config);
    let mut far = FarEnd::bound(&listener).await;
    far.socket
        .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        .await
        .unwrap();
    let _again = FarEnd::bound(&listener).await;
    until("it is up again", || channel.sms.health() == Health::Up).await;
}

#[tokio::test]
async fn a_far_end_that_answers_no_enquire_link_is_given_up() {
    let (listener, config) = listen().await;
    let channel = Running::start(SmppConfig {
        enquire_link_seconds: 1,
        ..config
    });
    let mut far = FarEnd::bound(&listener).await;
    far.expect(|body| body == Body::EnquireLink).await;
    let _again = FarEnd::bound(&listener).await;
    until("it is up again", || channel.sms.health() == Health::Up).await;
}

#[tokio::test]
async fn the_window_holds_and_what_was_never_written_is_not_in_doubt() {
    let (listener, config) = listen().await;
    let channel = Running::start(SmppConfig {
        window: 10,
        answer_timeout_seconds: 20,
        ..config
    });
    let mut far = FarEnd::bound(&listener).await;
    let sending = tokio::spawn({
        let sms = channel.sms.clone();
        async move {
            let batch: Vec<_> = (0..25).map(|number| message(number, "x")).collect();
            let book = Book::new(batch.len());
            sms.send_all(&batch, &book).await;
            book.all()
        }
    });
    for _ in 0..10 {
        far.expect(submit).await;
    }
    drop(far);
    let classes: Vec<_> = sending
        .await
        .unwrap()
        .into_iter()
        .map(|outcome| outcome.unwrap_err().class)
        .collect();
    assert_eq!(classes[..10], [FailureClass::InDoubt; 10]);
    assert_eq!(classes[10..], [FailureClass::LinkDown; 15]);
}

#[tokio::test]
async fn a_stop_waits_for_the_answers_under_way_and_says_farewell() {
    let (listener, config) = listen().await;
    let channel = Running::start(config);
    let mut far = FarEnd::bound(&listener).await;
    let sms = channel.sms.clone();
    let sending = tokio::spawn(async move { sms.send(&message(1, "x")).await });
    let sequence = far.expect(submit).await;
    let sms = channel.sms.clone();
    let stopping = tokio::spawn(channel.stop());
    far.put(0, sequence, Body::SubmitSmResp { message_id: b"1" })
        .await;
    let sequence = far.expect(|body| body == Body::Unbind).await;
    far.put(0, sequence, Body::UnbindResp).await;
    stopping.await.unwrap();
    assert_eq!(sending.await.unwrap().unwrap().references, ["1"]);
    assert_eq!(
        sms.send(&message(2, "x")).await.unwrap_err().class,
        FailureClass::LinkDown
    );
}
