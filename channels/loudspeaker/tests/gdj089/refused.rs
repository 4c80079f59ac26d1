//! What a link refuses, each by its own name and counted, and what it does then. What is no frame at all stands beside the
//! other tests of the link, and what is signed wrongly beside the signatures.

use loudspeaker::gdj089::fefd::{Packet, REQUEST};
use loudspeaker::gdj089::frame::{Frame, Way};
use loudspeaker::gdj089::said::Said;
use loudspeaker::gdj089::{Dialect, assumed};
use loudspeaker::signing::Value;

use super::*;

fn beat(front: &str) -> Vec<u8> {
    frame(&Up::Heartbeat(Heartbeat {
        front: front.parse().expect("digits"),
        state: 1,
        extra: None,
        time: now(),
    }))
}

fn generic() -> Vec<u8> {
    let (opcode, body) = (0x12, vec![0; 8]);
    Frame::new(Way::Up, opcode, body).write()
}

/// Says these bytes, on a connection of their own.
async fn says(running: &Running, bytes: &[u8]) -> TcpStream {
    let address = running.channel.address().expect("it listens");
    let mut socket = TcpStream::connect(address).await.expect("it takes it");
    socket.write_all(bytes).await.expect("it reads");
    socket
}

/// Whether the far end ends this connection soon.
async fn ends(socket: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    let read = socket.read_to_end(&mut rest);
    let ended = tokio::time::timeout(Duration::from_secs(5), read).await;
    ended.is_ok()
}

/// Nothing is asked of the adapters, so that nothing that they say is an answer.
fn quiet() -> Config {
    let mut config = config();
    for adapter in &mut config.adapter {
        adapter.assumed.records = assumed::Records::Never;
    }
    config
}

#[tokio::test]
async fn what_is_torn_too_long_or_of_no_known_kind_is_refused_by_its_name() {
    let running = listening(quiet()).await;
    let good = beat(COUNTY);
    let mut block = good.clone();
    let at = block.len() - 4 - 74 - 1;
    block[at] = 75;
    let unknown = Frame::new(Way::Up, 0x77, vec![1]).write();
    let cases = [
        ([&good[..], &block, &good].concat(), "signature-block"),
        ([&good[..], &unknown].concat(), "unknown-opcode"),
        ([&good[..], &generic()].concat(), "unasked"),
        ([&good[..], &good[..40]].concat(), "unfinished"),
        (generic(), "anonymous"),
    ];
    for (bytes, why) in cases {
        assert_eq!(count(&running, why), 0, "{why}");
        let _socket = says(&running, &bytes).await;
        refused(&running, why).await;
        assert_eq!(count(&running, why), 1, "{why}");
    }
}

#[tokio::test]
async fn a_length_that_lies_makes_nobody_deaf_while_an_adapter_goes_on_speaking() {
    let running = listening(quiet()).await;
    let mut lies = beat(COUNTY);
    lies[5..9].copy_from_slice(&60_000_u32.to_be_bytes());
    let mut socket = says(&running, &lies).await;
    let beaten = || {
        let presences = running.inlet.presences.lock();
        (!presences.is_empty()).then_some(())
    };
    // It goes on beating, as adapters do: none of that may be taken for the body that never comes.
    let beating = async {
        loop {
            socket.write_all(&beat(COUNTY)).await.expect("it reads");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let heard = within("its beats are heard again", beaten);
    tokio::select! {
        () = heard => {}
        () = beating => {}
    }
    assert_eq!(count(&running, "unfinished"), 1);
}

#[tokio::test]
async fn who_floods_is_hung_up_on_and_so_is_a_crowd_at_the_door() {
    let running = listening(quiet()).await;
    let many = beat(COUNTY).repeat(150);
    let mut calm = says(&running, &many).await;
    connected(&running).await;
    assert!(
        tokio::time::timeout(Duration::from_millis(300), calm.readable())
            .await
            .is_ok()
    );
    assert_eq!(count(&running, "flooding"), 0);
    calm.write_all(&many).await.expect("it reads");
    refused(&running, "flooding").await;
    assert!(ends(&mut calm).await);
    // For three who are named, twice as many and sixty-four may be there.
    let address = running.channel.address().expect("it listens");
    let mut crowd = Vec::new();
    for _ in 0..75 {
        crowd.push(TcpStream::connect(address).await.expect("it takes it"));
    }
    within("the last are not let in", || {
        (count(&running, "crowded") >= 5).then_some(())
    })
    .await;
    drop(crowd);
    let mut later = says(&running, &beat(COUNTY)).await;
    let mut answer = [0; 1];
    later.read_exact(&mut answer).await.expect("it is answered");
}

#[tokio::test]
async fn the_two_dialects_are_told_apart_and_a_fault_of_the_older_one_is_counted_as_unread() {
    const OLD: &str = "031451072710120101";
    let mut config = quiet();
    config.old_platform = Some("010351072700000001".into());
    config.adapter.push(Adapter {
        dialect: Dialect::Fefd,
        ..Adapter::new(OLD)
    });
    let running = listening(config).await;
    let _newer = says(&running, &beat(OLD)).await;
    refused(&running, "other-dialect").await;
    let (business, content) = Said::Fault(vec![9]).write();
    let packet = Packet {
        session: 1,
        kind: REQUEST,
        source: OLD.parse().expect("digits"),
        targets: Vec::new(),
        business,
        content,
        seal: None,
    };
    let mut signed = packet.clone();
    signed.seal = Some(Value {
        time: now() - 1_000,
        serial: [1; 6],
        signed: [1; 64],
    });
    let _older = says(&running, &packet.write()).await;
    refused(&running, "unread-fault").await;
    let _kept = says(&running, &signed.write()).await;
    refused(&running, "stale").await;
}

#[tokio::test]
async fn where_nobody_can_judge_a_signature_it_is_refused_as_unproved() {
    let away = serde_json::json!({ "kind": "command", "argv": ["sh", "-c", "exit 2"] });
    let running = listening(Config {
        signer: serde_json::from_value(away).expect("its words"),
        ..quiet()
    })
    .await;
    let (opcode, body) = (0x20, Vec::new());
    let mut signed = Frame::new(Way::Up, opcode, body);
    let whole = beat(COUNTY);
    signed.body = whole[9..whole.len() - 4 - 74 - 2].to_vec();
    signed.seal = Value {
        time: now(),
        serial: [1; 6],
        signed: [1; 64],
    };
    let _socket = says(&running, &signed.write()).await;
    refused(&running, "unproved").await;
    assert!(running.inlet.presences.lock().is_empty());
}
