//! What comes to the port for loudspeakers' adapters: frames both ways and the older dialect's packets through the codec, and
//! the same bytes over a socket at a running channel that knows one of each. This module must not know how a frame is checked.

use std::sync::Arc;
use std::time::Duration;

use channel::testing::RecordingInlet;
use channel::{Channel, Context, ManualClock, Of, Stop, Timestamp};
use loudspeaker::gdj089::fefd::Old;
use loudspeaker::gdj089::frame::{Frames, Way};
use loudspeaker::gdj089::report::Up;
use loudspeaker::gdj089::said::Said;
use loudspeaker::gdj089::task::Down;
use loudspeaker::gdj089::{Adapter, Adapters, Config, Dialect};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::sample::context;

/// Whose frames are among the seeds, and a while after they were captured.
const PLATFORM: &str = "43415230000000103010101";
const ADAPTER: &str = "43415230000000314010201";
const OLD_PLATFORM: &str = "010334152300000001";
const OLD_TERMINAL: &str = "031434152310010101";
const THEN: Timestamp = Timestamp(1_547_471_000_000);
/// Far more than an exchange over the loopback takes.
const SOON: Duration = Duration::from_secs(20);

pub fn gdj089(bytes: &[u8]) {
    for way in [Way::Up, Way::Down] {
        read(way, bytes);
    }
    packets(bytes);
    heard(bytes);
}

/// The same of the older dialect.
fn packets(bytes: &[u8]) {
    let mut packets = Frames::new(Old);
    packets.push(bytes);
    loop {
        while let Some(one) = packets.take() {
            let Ok(packet) = one else { continue };
            if let Some(Ok(said)) = Said::read(&packet) {
                assert_eq!(said.write(), (packet.business, packet.content));
            }
        }
        if packets.give_up().is_none() {
            return;
        }
    }
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
    let old = Adapter {
        dialect: Dialect::Fefd,
        ..Adapter::new(OLD_TERMINAL)
    };
    let config = Config {
        old_platform: Some(OLD_PLATFORM.into()),
        adapter: vec![Adapter::new(ADAPTER), old],
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
    if said.first() == Some(&0xFE) {
        let mut packets = Frames::new(Old);
        packets.push(&said);
        while let Some(packet) = packets.take() {
            assert!(packet.is_ok(), "the channel says nothing but packets");
        }
        return;
    }
    let mut frames = Frames::new(Way::Down);
    frames.push(&said);
    while let Some(frame) = frames.take() {
        assert!(frame.is_ok(), "the channel says nothing but frames");
    }
}

fn judged(inlet: &RecordingInlet) -> (usize, usize) {
    let (presences, receipts) = (inlet.presences.lock(), inlet.receipts.lock());
    for presence in presences.iter() {
        let served = presence.device == OLD_TERMINAL || presence.device.get(1..7) == Some("341523");
        assert!(served, "{} is not served", presence.device);
    }
    for receipt in receipts.iter() {
        let Of::Reference(of) = &receipt.of else {
            panic!("{receipt:?}")
        };
        let own = of.starts_with(PLATFORM) && of.len() == 59;
        let old = of.starts_with(OLD_PLATFORM) && of.len() == 49;
        assert!(own || old, "{of}");
        assert!(receipt.code.len() <= 40, "{}", receipt.code);
    }
    (presences.len(), receipts.len())
}
