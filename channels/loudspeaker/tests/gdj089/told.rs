//! What adapters are told beside warnings: where they report, and what is asked of them where an assumption allows it.

use std::time::Duration;

use channel::PresenceState;
use loudspeaker::gdj089::Reports;
use loudspeaker::gdj089::assumed::{Asked, ReturnAddress};
use loudspeaker::gdj089::params::{Reback, Set};
use loudspeaker::gdj089::peer::Manner;
use loudspeaker::gdj089::task::Codes;

use super::*;

fn reporting() -> Config {
    Config {
        report: Some(Reports {
            to: "10.1.0.9:9420".into(),
            every: Duration::from_mins(1),
        }),
        ..config()
    }
}

#[tokio::test]
async fn an_adapter_and_its_terminals_are_told_where_to_report_once_on_each_connection() {
    let running = listening(reporting()).await;
    let told = async |bare: bool| {
        let peer = adapter(&running, |_| {}).await;
        within("it is told", || (peer.sets().len() >= 3).then_some(())).await;
        let reback = || Reback::of("10.1.0.9:9420").expect("an address");
        let ids = ["05107270000000314010400", "65107270000010314010401"];
        let codes = || Codes::logical(ids.map(|id| id.parse().expect("digits")).to_vec());
        let wanted = [
            Set::Return {
                reback: reback(),
                seconds: 60,
                counted: !bare,
            },
            Set::ReportTo {
                reback: reback(),
                codes: codes(),
            },
            Set::Period {
                seconds: 60,
                codes: codes(),
            },
        ];
        assert_eq!(peer.sets(), wanted);
        // Its next records are asked for, and nothing of this again.
        within("it is asked for records", || {
            peer.opcodes().contains(&0x10).then_some(())
        })
        .await;
        assert_eq!(peer.sets().len(), 3);
    };
    told(false).await;
    told(false).await;
    let mut bare = reporting();
    bare.adapter[0].assumed.return_address = ReturnAddress::Bare;
    let running = listening(bare).await;
    let peer = adapter(&running, |_| {}).await;
    let assumed = || {
        matches!(
            peer.sets().first(),
            Some(Set::Return { counted: false, .. })
        )
        .then_some(())
    };
    within("as it is assumed of it", assumed).await;
}

#[tokio::test]
async fn an_adapter_that_does_not_take_where_to_report_is_spoken_to_all_the_same() {
    let running = listening(reporting()).await;
    let peer = adapter(&running, |s| s.manner = Manner::Refuses(1)).await;
    within("it is told, and refuses", || {
        (peer.opcodes().contains(&0x0B)).then_some(())
    })
    .await;
    within("its records are asked for", || {
        peer.opcodes().contains(&0x10).then_some(())
    })
    .await;
    let mut told = peer.opcodes();
    told.retain(|opcode| *opcode == 0x0D);
    assert_eq!(told, [0x0D], "not again before ten minutes");
}

#[tokio::test]
async fn an_adapter_that_does_not_answer_is_not_hung_up_on_again_and_again() {
    let running = listening(reporting()).await;
    let address = running.channel.address().expect("it listens");
    let beat = Up::Heartbeat(Heartbeat {
        front: COUNTY.parse().expect("digits"),
        state: 1,
        extra: None,
        time: now(),
    });
    // It never answers what it is told: its connection ends once, and then it is left in peace.
    for wanted in [true, false] {
        let mut mute = TcpStream::connect(address).await.expect("it takes it");
        mute.write_all(&frame(&beat)).await.expect("it reads");
        let mut said = Vec::new();
        let heard = mute.read_to_end(&mut said);
        let ended = tokio::time::timeout(Duration::from_millis(1_500), heard).await;
        let told = said.windows(4).any(|four| four == [0x49, 0, 1, 0x0D]);
        assert_eq!((ended.is_ok(), told), (wanted, wanted));
    }
}

#[tokio::test]
async fn assumed_input_list_tells_which_input_is_the_platform_and_without_it_the_guess_stands() {
    let mut config = config();
    config.adapter[0].assumed.channels = Asked::Empty;
    let running = listening(config).await;
    let peer = adapter(&running, |s| s.input = 9).await;
    within("it is asked", || {
        peer.opcodes().contains(&0x0E).then_some(())
    })
    .await;
    let text = Arc::new(variant());
    sent(&running, &[to("510727102201", 1, &text)]).await;
    assert_eq!(peer.heard()[0].input, 9);

    let running = listening(super::config()).await;
    let peer = adapter(&running, |s| s.input = 9).await;
    connected(&running).await;
    sent(&running, &[to("510727102201", 1, &text)]).await;
    assert_eq!(peer.heard()[0].input, 2);
    assert!(!peer.opcodes().contains(&0x0F) && !peer.opcodes().contains(&0x11));
}

#[tokio::test]
async fn assumed_fault_query_tells_what_a_faulty_heartbeat_does_not() {
    let mut config = config();
    config.adapter[0].assumed.faults = Asked::Empty;
    let running = listening(config).await;
    let _peer = adapter(&running, |s| s.fault = 7).await;
    within("its fault is told", || {
        let presences = running.inlet.presences.lock();
        let told = presences.iter().find(|p| p.code == "fault-7");
        told.map(|p| assert_eq!(p.state, PresenceState::Fault))
    })
    .await;
}
