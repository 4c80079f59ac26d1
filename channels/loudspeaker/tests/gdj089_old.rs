//! The older dialect (`FEFD`) against simulated terminals over real TCP: the contract, and what becomes of reports. The
//! terminals are ours: the layouts are proved by vectors, beside the codec.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use channel::testing::{Behaviour, Fixture, RecordingInlet, context, exercise, free_port};
use channel::{
    Action, Address, Authority, Channel, Command, Context, Evidence, FailureClass, Health, Key,
    Message, Of, Stop, Timestamp, Variant, Verdict,
};
use loudspeaker::gdj089::peer_old::{OldManner, OldPeer};
use loudspeaker::gdj089::{Adapter, Adapters, Config, Dialect};

const TERMINAL: &str = "031451072710120101";
const OTHER: &str = "031451072710220101";
const PLATFORM: &str = "010351072700000001";

fn config() -> Config {
    let adapter = |code: &str| Adapter {
        dialect: Dialect::Fefd,
        ..Adapter::new(code)
    };
    Config {
        answer_timeout: Duration::from_secs(1),
        old_platform: Some(PLATFORM.into()),
        adapter: vec![adapter(TERMINAL), adapter(OTHER)],
        ..Config::new(
            "45107270000000103010101",
            Some(([127, 0, 0, 1], free_port()).into()),
        )
    }
}

fn message(number: u32) -> Message {
    let text = Variant::new("zh-CN", "山洪灾害红色预警", "请立即向高处转移。");
    Message {
        key: Key {
            alert: 7,
            delivery: number,
            generation: 0,
        },
        serial: number.into(),
        variant: Arc::new(text),
        address: Address::new(TERMINAL),
        expires: Timestamp(4_000_000_000_000),
        repeat: false,
    }
}

fn started(config: Config, context: Context, manner: OldManner) -> (Arc<Adapters>, OldPeer) {
    let listen = config.listen.expect("an address");
    let peer = OldPeer::start(TERMINAL, PLATFORM, listen, manner);
    let channel = Adapters::new(config, context).expect("a good configuration");
    (Arc::new(channel), peer)
}

struct Terminals;

#[async_trait]
impl Fixture for Terminals {
    async fn start(
        &self,
        behaviour: Behaviour,
        context: Context,
    ) -> Option<(Arc<dyn Channel>, Box<dyn std::any::Any + Send>)> {
        let manner = match behaviour {
            Behaviour::Accept => OldManner::Takes,
            Behaviour::Confirm => OldManner::Plays,
            Behaviour::RefuseAddress => OldManner::Refuses(71),
            Behaviour::RefuseContent => OldManner::Refuses(54),
            Behaviour::RefuseLogin => OldManner::Refuses(52),
            Behaviour::Stall => OldManner::Stalls,
            Behaviour::HangUp => OldManner::HangsUp,
            Behaviour::HangUpAfterWrite => OldManner::HangsUpAfterWrite,
            // Busy is all that it can say.
            Behaviour::Throttle => return None,
        };
        let (channel, peer) = started(config(), context, manner);
        Some((channel, Box::new(peer)))
    }

    fn message(&self, number: u32) -> Message {
        message(number)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_channel_keeps_the_contract_with_terminals_of_the_older_dialect() {
    let ran = exercise(&Terminals).await;
    assert_eq!(ran.len(), 8, "{ran:?}");
}

struct Running {
    channel: Arc<Adapters>,
    inlet: Arc<RecordingInlet>,
    peer: OldPeer,
    stop: Stop,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn running(manner: OldManner) -> Running {
    let (context, inlet) = context("old-horns");
    let (channel, peer) = started(config(), context, manner);
    let stop = Stop::new();
    let (own, stopped) = (channel.clone(), stop.clone());
    tokio::spawn(async move { own.run(stopped).await });
    let running = Running {
        channel,
        inlet,
        peer,
        stop,
    };
    let up = || (running.channel.health() == Health::Up).then_some(());
    within("it is connected", up).await;
    running
}

async fn within<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    for _ in 0..1_000 {
        if let Some(found) = look() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what} within ten seconds");
}

#[tokio::test]
async fn a_terminal_speaks_the_text_and_its_own_report_proves_the_play() {
    let running = running(OldManner::Plays).await;
    let accepted = running
        .channel
        .send(&message(1))
        .await
        .expect("it is taken");
    let (ebm, text, _) = running.peer.heard().remove(0);
    assert!(ebm.len() == 30 && ebm.starts_with(PLATFORM), "{ebm}");
    assert_eq!(text, "请立即向高处转移。");
    assert_eq!(accepted.references, [format!("{ebm}/{TERMINAL}")]);
    let played = || {
        let receipts = running.inlet.receipts.lock();
        let own = |r: &&channel::Receipt| r.of == Of::Reference(accepted.references[0].clone());
        let reached = Verdict::Reached(Evidence::Acknowledged);
        receipts
            .iter()
            .filter(own)
            .find(|r| r.verdict == reached)
            .cloned()
    };
    let receipt = within("its receipt comes", played).await;
    assert_eq!(receipt.code, "played 42");
    // Its beats and reports are answered, each with 0.
    let replies = || Some(running.peer.replies()).filter(|replies| replies.len() > 4);
    let replies = within("it is answered", replies).await;
    assert!(replies.iter().all(|code| *code == 0), "{replies:?}");
    let device = running.channel.device(TERMINAL).expect("it was heard");
    assert!(device.heard.is_some() && device.clock_error.is_none());
}

#[tokio::test]
async fn a_failed_play_and_a_busy_terminal_are_told_as_what_they_are() {
    let failed = running(OldManner::Fails).await;
    failed.channel.send(&message(1)).await.expect("it is taken");
    let refused = Verdict::Refused(FailureClass::Transient);
    let told = || {
        let receipts = failed.inlet.receipts.lock();
        receipts.iter().any(|r| r.verdict == refused).then_some(())
    };
    within("its failure is told", told).await;
    let busy = running(OldManner::Refuses(73)).await;
    let failure = busy
        .channel
        .send(&message(1))
        .await
        .expect_err("it is busy");
    assert_eq!(
        (failure.class, failure.code.as_ref()),
        (FailureClass::Transient, "fefd:73")
    );
}

#[tokio::test]
async fn a_stop_names_its_message_and_what_the_dialect_lacks_is_said() {
    let running = running(OldManner::Takes).await;
    running
        .channel
        .send(&message(1))
        .await
        .expect("it is taken");
    let mut serial = 0;
    let mut order = async |action: Action| {
        serial += 1;
        let now = channel::Clock::now(&channel::SystemClock::default());
        running.channel.command(&Command {
            serial,
            action,
            authority: Authority::County,
            devices: vec![TERMINAL.into()],
            not_before: now,
            expires: Timestamp(4_000_000_000_000),
        });
        within("its result is told", || {
            let obeyed = running.inlet.obeyed.lock();
            let own = obeyed.iter().find(|o| o.serial == serial);
            own.map(|o| (o.done, o.code.clone()))
        })
        .await
    };
    assert_eq!(
        order(Action::Stop { alert: 7 }).await,
        (true, "done".into())
    );
    let all = order(Action::StopAll).await;
    assert_eq!(all, (false, "not-spoken".into()));
    let heard = running.peer.heard();
    assert!(heard[1].2 && heard[1].0 == heard[0].0, "{heard:?}");
}
