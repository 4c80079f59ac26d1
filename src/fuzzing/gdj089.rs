//! What comes to the port for loudspeakers' adapters: frames both ways through the codec, and the same bytes over a socket at
//! a running channel that knows one adapter. This module must not know how a frame is checked.

use std::sync::Arc;
use std::time::Duration;

use channel::testing::RecordingInlet;
use channel::{Channel, Context, ManualClock, Of, Stop, Timestamp};
use loudspeaker::gdj089::frame::{Frames, Way};
use loudspeaker::gdj089::report::Up;
use loudspeaker::gdj089::task::Down;
use loudspeaker::gdj089::{Adapter, Adapters, Config};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::sample::context;

/// Whose frames are among the seeds, and a while after they were captured.
const PLATFORM: &str = "43415230000000103010101";
const ADAPTER: &str = "43415230000000314010201";
const THEN: Timestamp = Timestamp(1_547_471_000_000);
/// Far more than an exchange over the loopback takes.
const SOON: Duration = Duration::from_secs(20);

pub fn gdj089(bytes: &[u8]) {
    for way in [Way::Up, Way::Down] {
        read(way, bytes);
    }
    heard(bytes);
}

/// What is understood is written as it came.
fn read(way: Way, bytes: &[u8]) {
    let mut frames = Frames::new(way);
    frames.push(bytes);
    loop {
        while let Some(one) = frames.take() {
            let Ok(frame) = one else { continue };
            let written = frame.write();
            assert!(bytes.windows(written.len()).any(|window| window == written));
            let again = match way {
                Way::Up => Up::read(frame.opcode, &frame.body).map(|up| up.map(|up| up.write())),
                Way::Down => Down::read(frame.opcode, &frame.body).map(|d| d.map(|d| d.write())),
            };
            if let Some(Ok(again)) = again {
                assert_eq!(again, (frame.opcode, frame.body));
            }
        }
        if frames.give_up().is_none() {
            return;
        }
    }
}

/// How often somebody was heard, and how many receipts came of it.
pub(super) fn heard(bytes: &[u8]) -> (usize, usize) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let (channel, inlet) = given();
        let stop = Stop::new();
        let running = tokio::spawn({
            let (channel, stop) = (channel.clone(), stop.clone());
            async move { channel.run(stop).await }
        });
        let told = tokio::time::timeout(SOON, tell(&channel, bytes)).await;
        told.expect("whoever hangs up is hung up on");
        stop.cancel();
        running.await.expect("the channel survives");
        judged(&inlet)
    })
}

fn given() -> (Arc<Adapters>, Arc<RecordingInlet>) {
    let (context, inlet) = context("adapters-fuzz");
    let context = Context {
        clock: Arc::new(ManualClock::new(THEN)),
        ..context
    };
    let config = Config {
        adapter: vec![Adapter::new(ADAPTER)],
        ..Config::new(PLATFORM, "127.0.0.1:0".parse().ok())
    };
    let channel = Adapters::new(config, context).expect("a good configuration");
    (Arc::new(channel), inlet)
}

/// Says it all and hears until the channel has hung up.
async fn tell(channel: &Adapters, bytes: &[u8]) {
    let address = loop {
        if let Some(address) = channel.address() {
            break address;
        }
        tokio::task::yield_now().await;
    };
    let mut socket = TcpStream::connect(address).await.expect("it listens");
    // It may have enough before the end.
    let _ = socket.write_all(bytes).await;
    let _ = socket.shutdown().await;
    let mut said = Vec::new();
    let _ = socket.read_to_end(&mut said).await;
    let mut frames = Frames::new(Way::Down);
    frames.push(&said);
    while let Some(frame) = frames.take() {
        assert!(frame.is_ok(), "the channel says nothing but frames");
    }
}

fn judged(inlet: &RecordingInlet) -> (usize, usize) {
    let (presences, receipts) = (inlet.presences.lock(), inlet.receipts.lock());
    for presence in presences.iter() {
        assert_eq!(
            presence.device.get(1..7),
            Some("341523"),
            "nobody else is served"
        );
    }
    for receipt in receipts.iter() {
        let Of::Reference(of) = &receipt.of else {
            panic!("{receipt:?}")
        };
        assert!(of.starts_with(PLATFORM) && of.len() == 59, "{of}");
        assert!(receipt.code.len() <= 40, "{}", receipt.code);
    }
    (presences.len(), receipts.len())
}
