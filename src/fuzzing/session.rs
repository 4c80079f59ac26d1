//! A bound SMPP session with one text under way, at a far end that says whatever it likes. This module must not look
//! inside the channel: it knows what went over the wire, what was handed in and how the text ended.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use channel::testing::RecordingInlet;
use channel::{Accepted, Address, Channel, Failure, Key, Message, Stop, Timestamp, Variant};
use sms::codec::smpp::{self as pdu, Body, Pdu};
use sms::{SmppConfig, Sms};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use super::sample::context;

/// Far more than an exchange over the loopback takes.
const SOON: Duration = Duration::from_secs(20);

struct Far {
    runtime: Runtime,
    listener: TcpListener,
}

impl Far {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a free port");
        Self { runtime, listener }
    }
}

thread_local! {
    static FAR: RefCell<Far> = RefCell::new(Far::start());
}

pub fn session(bytes: &[u8]) {
    FAR.with_borrow(|far| {
        let ended = far
            .runtime
            .block_on(async { tokio::time::timeout(SOON, exchange(&far.listener, bytes)).await });
        assert!(ended.is_ok(), "the session or its text never ended");
    });
}

async fn exchange(listener: &TcpListener, bytes: &[u8]) {
    let port = listener.local_addr().expect("it listens").port();
    let config = SmppConfig {
        max_segments: 1,
        window: 1,
        // It does not come back into the next exchange.
        reconnect_min_millis: 600_000,
        reconnect_max_millis: 600_000,
        ..SmppConfig::new("127.0.0.1", port, "bureau", "secret", "12379")
    };
    let (context, inlet) = context("sms-fuzz");
    let channel = Arc::new(Sms::smpp(config, context).expect("a good configuration"));
    let stop = Stop::new();
    let running = tokio::spawn({
        let (channel, stop) = (channel.clone(), stop.clone());
        async move { channel.run(stop).await }
    });
    let sending = tokio::spawn({
        let channel = channel.clone();
        async move { channel.send(&text()).await }
    });
    let (mut socket, _) = listener.accept().await.expect("the channel comes");
    let told = far_end(&mut socket, bytes).await;
    let outcome = sending.await.expect("sending does not panic");
    // With nobody bound it would come back; the stop is heard first.
    stop.cancel();
    running.await.expect("the session does not panic");
    drop(socket);
    settled(&outcome);
    answered(&told, bytes, &inlet);
}

fn text() -> Message {
    Message {
        key: Key {
            alert: 1,
            delivery: 1,
            generation: 0,
        },
        serial: 1,
        variant: Arc::new(Variant::new("zh-CN", "t", "请立即转移")),
        address: Address::new("8600000000001"),
        expires: Timestamp::from_secs(4_000_000_000),
        repeat: false,
    }
}

/// Binds, waits for the text, says its bytes and hangs up. Gives what the channel said since.
async fn far_end(socket: &mut TcpStream, bytes: &[u8]) -> Vec<u8> {
    let mut buffer = Vec::new();
    whole(socket, &mut buffer).await;
    let mut bound = Vec::new();
    let answer = Body::BindTransceiverResp { system_id: b"far" };
    let pdu = Pdu {
        status: 0,
        sequence: 1,
        body: answer,
    };
    pdu::encode(&pdu, &mut bound);
    // A channel that has heard enough may be gone already; then nothing more is to be told.
    let _ = socket.write_all(&bound).await;
    whole(socket, &mut buffer).await;
    buffer.clear();
    let _ = socket.write_all(bytes).await;
    let _ = socket.shutdown().await;
    let _ = socket.read_to_end(&mut buffer).await;
    buffer
}

/// Takes one whole PDU.
async fn whole(socket: &mut TcpStream, buffer: &mut Vec<u8>) {
    loop {
        if let Some(length) = pdu::check(buffer).expect("the channel speaks SMPP") {
            buffer.drain(..length);
            return;
        }
        let read = socket.read_buf(buffer).await.expect("it goes on");
        assert!(read > 0, "the channel closed");
    }
}

/// Taken with one reference that is not too long, or none where the far end gave none; or refused by name: no answer is
/// no answer.
fn settled(outcome: &Result<Accepted, Failure>) {
    match outcome {
        Ok(accepted) => {
            assert!(accepted.references.len() <= 1);
            let mut ids = accepted.references.iter();
            assert!(ids.all(|id| (1..=255).contains(&id.len())));
        }
        Err(failure) => assert!(failure.code.contains(':') && !failure.detail.is_empty()),
    }
}

/// Every word of the channel is SMPP, and it never says more than it was asked.
fn answered(told: &[u8], bytes: &[u8], inlet: &RecordingInlet) {
    let asked = bytes.len() / 16;
    let mut rest = told;
    let mut answers = 0;
    while let Ok(Some(length)) = pdu::check(rest) {
        let answer = pdu::parse(&rest[..length]).expect("what we say can be read");
        answers += usize::from(!matches!(answer.body, Body::EnquireLink | Body::Unbind));
        rest = &rest[length..];
    }
    assert!(
        answers <= asked,
        "{answers} answers to {asked} requests at most"
    );
    assert!(inlet.receipts.lock().len() <= asked);
}
