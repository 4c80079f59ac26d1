//! The link to adapters against simulated ones over real TCP: the contract, each direction, what is refused, and what becomes
//! of records. The simulated ones are ours: the layouts themselves are proved by vectors, beside the codec.

#[path = "gdj089/refused.rs"]
mod gdj089_refused;
#[path = "gdj089/signed.rs"]
mod gdj089_signed;
#[path = "gdj089/told.rs"]
mod gdj089_told;
mod openssl;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use channel::testing::{Behaviour, Fixture, RecordingInlet, context, exercise, free_port};
use channel::{
    Accepted, Action, Address, Authority, Channel, Command, Context, Evidence, Failure,
    FailureClass, Health, Key, Level, Message, Of, Outcomes, PresenceState, Receipt, Stop,
    Timestamp, Variant, Verdict,
};
use loudspeaker::gdj089::peer::{Heard, Manner, Peer, Settings, frame};
use loudspeaker::gdj089::report::{Heartbeat, Record, Up};
use loudspeaker::gdj089::{Adapter, Adapters, Config, Id};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PLATFORM: &str = "45107270000000103010101";
const COUNTY: &str = "45107270000000314010201";
const TOWN: &str = "55107271010000314010201";
const TERMINAL: &str = "65107271012010314010401";
const VILLAGE: &str = "510727101202";

fn config() -> Config {
    let listen = "127.0.0.1:0".parse().expect("an address");
    let mut county = Adapter::new(COUNTY);
    county.terminals = vec!["65107270000010314010401".into()];
    Config {
        answer_timeout: Duration::from_secs(1),
        silent_after: Duration::from_secs(2),
        records_every: Duration::from_millis(200),
        agency: "平武县".into(),
        adapter: vec![county, Adapter::new(TOWN)],
        ..Config::new(PLATFORM, Some(listen))
    }
}

fn variant() -> Variant {
    let mut variant = Variant::new("zh-CN", "山洪灾害红色预警", "请立即向高处转移。");
    (variant.level, variant.event) = (Level::Red, "11A51".into());
    variant
}

fn to(address: &str, delivery: u32, variant: &Arc<Variant>) -> Message {
    Message {
        key: Key {
            alert: 7,
            delivery,
            generation: 0,
        },
        serial: delivery.into(),
        variant: variant.clone(),
        address: Address::new(address),
        expires: Timestamp(4_000_000_000_000),
        repeat: false,
    }
}

struct Running {
    channel: Arc<Adapters>,
    inlet: Arc<RecordingInlet>,
    stop: Stop,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn run(channel: &Arc<Adapters>) -> Stop {
    let stop = Stop::new();
    let (channel, running) = (channel.clone(), stop.clone());
    tokio::spawn(async move { channel.run(running).await });
    stop
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

async fn listening(config: Config) -> Running {
    let (context, inlet) = context("horns-089");
    let channel = Arc::new(Adapters::new(config, context).expect("a good configuration"));
    let stop = run(&channel);
    within("it listens", || channel.address()).await;
    Running {
        channel,
        inlet,
        stop,
    }
}

async fn adapter(running: &Running, change: impl FnOnce(&mut Settings)) -> Peer {
    let mut settings = Settings::new(COUNTY, running.channel.address());
    change(&mut settings);
    Peer::start(settings).await.expect("a free port")
}

async fn connected(running: &Running) {
    let up = || (running.channel.health() == Health::Up).then_some(());
    within("an adapter is connected", up).await;
}

fn count(running: &Running, why: &str) -> u64 {
    let all = running.channel.refused();
    all.iter()
        .find(|(name, _)| *name == why)
        .map_or(0, |(_, count)| *count)
}

async fn refused(running: &Running, why: &str) {
    within(why, || (count(running, why) > 0).then_some(())).await;
}

#[derive(Default)]
struct Told(Mutex<Vec<(usize, Result<Accepted, Failure>)>>);

impl Outcomes for Told {
    fn settle(&self, index: usize, outcome: Result<Accepted, Failure>) {
        self.0.lock().push((index, outcome));
    }
}

async fn sent(running: &Running, batch: &[Message]) -> Vec<Result<Accepted, Failure>> {
    let told = Told::default();
    running.channel.send_all(batch, &told).await;
    let mut told = told.0.into_inner();
    told.sort_by_key(|(index, _)| *index);
    assert_eq!(told.len(), batch.len());
    told.into_iter().map(|(_, outcome)| outcome).collect()
}

async fn receipt(running: &Running, of: &str, wanted: fn(Verdict) -> bool) -> Receipt {
    within("its receipt comes", || {
        let receipts = running.inlet.receipts.lock();
        let own = receipts
            .iter()
            .filter(|r| r.of == Of::Reference(of.to_owned()));
        own.into_iter().find(|r| wanted(r.verdict)).cloned()
    })
    .await
}

const fn reached(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Reached(_))
}

struct Boxes {
    dialled: bool,
}

#[async_trait]
impl Fixture for Boxes {
    async fn start(
        &self,
        behaviour: Behaviour,
        context: Context,
    ) -> Option<(Arc<dyn Channel>, Box<dyn std::any::Any + Send>)> {
        let manner = match behaviour {
            Behaviour::Accept => Manner::Takes,
            Behaviour::Confirm => Manner::Plays,
            Behaviour::RefuseContent => Manner::Refuses(1),
            Behaviour::Stall => Manner::Stalls,
            Behaviour::HangUp => Manner::HangsUp,
            Behaviour::HangUpAfterWrite => Manner::HangsUpAfterWrite,
            // The protocol has no word for these, and no login.
            Behaviour::Throttle | Behaviour::RefuseAddress | Behaviour::RefuseLogin => return None,
        };
        let with = |gateway| Settings {
            manner,
            ..Settings::new(COUNTY, gateway)
        };
        let mut config = config();
        if self.dialled {
            let peer = Peer::start(with(None)).await.expect("a free port");
            config.adapter[0].dial = Some(peer.address.to_string());
            config.listen = None;
            config.adapter.truncate(1);
            let channel = Adapters::new(config, context).expect("a good configuration");
            return Some((Arc::new(channel), Box::new(peer)));
        }
        // The port is known before the channel runs.
        config.listen = Some(([127, 0, 0, 1], free_port()).into());
        let peer = Peer::start(with(config.listen)).await.expect("a free port");
        let channel = Adapters::new(config, context).expect("a good configuration");
        Some((Arc::new(channel), Box::new(peer)))
    }

    fn message(&self, number: u32) -> Message {
        to(COUNTY, number, &Arc::new(variant()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_channel_keeps_the_contract_with_adapters_that_come() {
    let ran = exercise(&Boxes { dialled: false }).await;
    assert_eq!(ran.len(), 6, "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_channel_keeps_the_contract_with_adapters_that_are_dialled() {
    let ran = exercise(&Boxes { dialled: true }).await;
    assert_eq!(ran.len(), 6, "{ran:?}");
}

#[tokio::test]
async fn a_batch_is_one_start_an_adapter_and_its_record_proves_what_it_names() {
    let running = listening(config()).await;
    let county = adapter(&running, |_| {}).await;
    let town = adapter(&running, |s| s.code = TOWN.into()).await;
    connected(&running).await;
    let text = Arc::new(variant());
    let batch = [
        to(TERMINAL, 1, &text),
        to(VILLAGE, 2, &text),
        to("510727102201", 3, &text),
        to("341523000000", 4, &text),
    ];
    let told = sent(&running, &batch).await;
    let reference = |at: usize| told[at].as_ref().expect("taken").references[0].clone();
    assert_eq!(
        told[3].as_ref().map_err(|f| f.class),
        Err(FailureClass::BadAddress)
    );
    let [start] = &town.heard()[..] else {
        panic!("{:?}", town.heard())
    };
    let wanted = Heard {
        ebm: start.ebm.clone(),
        stop: false,
        class: 4,
        level: 1,
        event: "11A51".into(),
        text: "请立即向高处转移。".into(),
        codes: vec![TERMINAL.into(), "05107271012020314010400".into()],
        input: 2,
    };
    assert_eq!(*start, wanted);
    assert!(start.ebm.starts_with(PLATFORM) && start.ebm.len() == 35);
    assert_eq!(reference(0), format!("{}/{TERMINAL}", start.ebm));
    let other = &county.heard()[0].ebm;
    assert_ne!(other, &start.ebm);
    for at in 0..3 {
        let receipt = receipt(&running, &reference(at), reached).await;
        assert_eq!(receipt.verdict, Verdict::Reached(Evidence::Acknowledged));
        assert!(receipt.code.starts_with("played ") && receipt.far.is_some());
    }
    let progress = |verdict| verdict == Verdict::Progress;
    receipt(&running, &reference(0), progress).await;
}

#[tokio::test]
async fn a_terminal_that_no_record_names_stays_unknown() {
    let running = listening(config()).await;
    let peer = adapter(&running, |s| s.manner = Manner::Takes).await;
    connected(&running).await;
    let text = Arc::new(variant());
    let batch = [to("510727102201", 1, &text), to("510727102202", 2, &text)];
    let told = sent(&running, &batch).await;
    let references: Vec<_> = told
        .iter()
        .map(|t| t.as_ref().expect("taken").references[0].clone())
        .collect();
    let (ebm, code) = references[0].split_once('/').expect("both");
    peer.say(&Up::Records {
        front: COUNTY.parse().expect("digits"),
        records: vec![record(ebm, code, 3)],
    });
    receipt(&running, &references[0], reached).await;
    let receipts = running.inlet.receipts.lock();
    assert!(
        receipts
            .iter()
            .all(|r| r.of != Of::Reference(references[1].clone()))
    );
}

fn now() -> u32 {
    let now = channel::Clock::now(&channel::SystemClock::default()).secs();
    u32::try_from(now).expect("this century")
}

fn record(ebm: &str, code: &str, state: u8) -> Record {
    let start = now();
    Record {
        ebm: ebm.parse().expect("digits"),
        state,
        resource: 1,
        class: 4,
        level: 1,
        event: *b"11A51",
        start,
        end: start + 42,
        volume: 80,
        input: 2,
        outputs: Vec::new(),
        number: None,
        length: 12,
        codes: vec![code.parse().expect("digits")],
    }
}

#[tokio::test]
async fn a_failed_play_is_told_and_one_that_was_not_started_is_tried_again() {
    let running = listening(config()).await;
    let peer = adapter(&running, |s| s.manner = Manner::Fails).await;
    connected(&running).await;
    let text = Arc::new(variant());
    let told = sent(&running, &[to("510727102201", 1, &text)]).await;
    let reference = told[0].as_ref().expect("taken").references[0].clone();
    let failed = |verdict| verdict == Verdict::Refused(FailureClass::Transient);
    assert_eq!(receipt(&running, &reference, failed).await.code, "failed");
    drop(peer);
    let again = adapter(&running, |s| s.manner = Manner::DoesNotStart).await;
    within("it is asked again", || {
        (!again.opcodes().is_empty()).then_some(())
    })
    .await;
    let told = sent(&running, &[to("510727102201", 1, &text)]).await;
    let failure = told[0].as_ref().expect_err("it was not started");
    assert_eq!(
        (failure.class, failure.code.as_ref()),
        (FailureClass::Transient, "089:not-started")
    );
}

#[tokio::test]
async fn the_same_messages_tried_again_keep_their_ebmid() {
    let running = listening(config()).await;
    let peer = adapter(&running, |s| s.manner = Manner::Takes).await;
    connected(&running).await;
    let text = Arc::new(variant());
    let batch = [to("510727102201", 1, &text), to("510727102202", 2, &text)];
    for _ in 0..2 {
        sent(&running, &batch).await;
    }
    sent(&running, &batch[..1]).await;
    let ebms: Vec<_> = peer.heard().into_iter().map(|heard| heard.ebm).collect();
    assert!(ebms[0] == ebms[1] && ebms[1] != ebms[2], "{ebms:?}");
}

#[tokio::test]
async fn who_is_not_named_or_comes_from_elsewhere_is_hung_up_on() {
    let mut config = config();
    config.adapter[1].from = vec!["10.9.9.9".parse().expect("an address")];
    let running = listening(config).await;
    let _stranger = adapter(&running, |s| s.code = "45107280000000314010201".into()).await;
    refused(&running, "unregistered").await;
    let _elsewhere = adapter(&running, |s| s.code = TOWN.into()).await;
    refused(&running, "wrong-address").await;
    assert!(matches!(running.channel.health(), Health::Down(_)));
    assert!(running.inlet.presences.lock().is_empty());
}

#[tokio::test]
async fn an_adapter_that_comes_again_takes_the_place_of_its_older_connection() {
    let running = listening(config()).await;
    let address = running.channel.address().expect("it listens");
    let mut older = TcpStream::connect(address).await.expect("it takes it");
    let beat = Up::Heartbeat(Heartbeat {
        front: COUNTY.parse().expect("digits"),
        state: 1,
        extra: None,
        time: 0,
    });
    older.write_all(&frame(&beat)).await.expect("it reads");
    connected(&running).await;
    let _newer = adapter(&running, |_| {}).await;
    // What it was told before, and then the end.
    let mut told = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(10), older.read_to_end(&mut told)).await;
    assert!(
        ended.is_ok_and(|read| read.is_ok()),
        "the older connection ends"
    );
    let text = Arc::new(variant());
    let told = sent(&running, &[to("510727102201", 1, &text)]).await;
    assert!(told[0].is_ok(), "{told:?}");
}

#[tokio::test]
async fn an_adapter_speaks_for_what_it_serves_and_a_terminal_for_itself() {
    let running = listening(config()).await;
    let county = adapter(&running, |s| s.manner = Manner::Takes).await;
    let terminal = adapter(&running, |s| s.code = "65107270000010314010401".into()).await;
    connected(&running).await;
    let heard = |device: &str| {
        let presences = running.inlet.presences.lock();
        presences.iter().any(|p| p.device == device).then_some(())
    };
    within("the terminal is heard", || heard("65107270000010314010401")).await;
    within("the adapter is heard", || heard(COUNTY)).await;
    let ebm = format!("{PLATFORM}202607140001");
    let of = |front: &str, code: &str| Up::Records {
        front: front.parse().expect("digits"),
        records: vec![record(&ebm, code, 3)],
    };
    // Another adapter's terminal in its record; another's name; a terminal in the adapter's name.
    county.say(&of(COUNTY, TERMINAL));
    county.say(&of(TOWN, TERMINAL));
    terminal.say(&of(COUNTY, "65107270000010314010401"));
    within("all are refused", || {
        (count(&running, "not-its-own") == 3).then_some(())
    })
    .await;
    assert!(running.inlet.receipts.lock().is_empty());
    // For itself a terminal may.
    terminal.say(&of("65107270000010314010401", "65107270000010314010401"));
    let reference = format!("{ebm}/65107270000010314010401");
    let receipt = receipt(&running, &reference, reached).await;
    assert_eq!(receipt.verdict, Verdict::Reached(Evidence::Acknowledged));
    assert_eq!(receipt.code, "played 42");
}

#[tokio::test]
async fn messages_of_other_platforms_and_of_long_ago_bring_nothing() {
    let running = listening(config()).await;
    let peer = adapter(&running, |s| s.manner = Manner::Takes).await;
    connected(&running).await;
    let code = "05107271022010314010400";
    let mut old = record(&format!("{PLATFORM}202501010001"), code, 3);
    (old.start, old.end) = (1_700_000_000, 1_700_000_300);
    let records = vec![
        record("45107270000000103010199202607140001", code, 3),
        old,
        record(&format!("{PLATFORM}202607140001"), code, 9),
    ];
    peer.say(&Up::Records {
        front: COUNTY.parse().expect("digits"),
        records,
    });
    refused(&running, "unknown-state").await;
    assert!(running.inlet.receipts.lock().is_empty());
}

#[tokio::test]
async fn what_is_no_frame_is_counted_by_its_fault_and_the_link_goes_on() {
    let running = listening(config()).await;
    let peer = adapter(&running, |s| s.manner = Manner::Takes).await;
    connected(&running).await;
    let beat = |state: u8| {
        frame(&Up::Heartbeat(Heartbeat {
            front: COUNTY.parse().expect("digits"),
            state,
            extra: None,
            time: 0,
        }))
    };
    let mut crc = beat(1);
    *crc.last_mut().expect("it has bytes") ^= 1;
    let mut version = beat(1);
    version[2] = 9;
    let mut oversized = beat(1);
    oversized[5] = 0x7F;
    let cases = [
        (crc, "crc"),
        (version, "version"),
        (oversized, "oversized"),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), "noise"),
        (beat(9), "malformed"),
    ];
    for (bytes, why) in cases {
        // Behind a good frame each fault is told; of several in a row the first.
        let before = running.inlet.presences.lock().len();
        let beaten = || (running.inlet.presences.lock().len() > before).then_some(());
        within("a good frame comes", beaten).await;
        peer.say_bytes(bytes);
        refused(&running, why).await;
    }
    let text = Arc::new(variant());
    let told = sent(&running, &[to("510727102201", 1, &text)]).await;
    assert!(told[0].is_ok(), "{told:?}");
    // One that brings nothing else is hung up on, and comes again.
    peer.say_bytes((0..9).flat_map(|_| beat(9)).collect());
    within("all of them count", || {
        (count(&running, "malformed") >= 9).then_some(())
    })
    .await;
}

#[tokio::test]
async fn presence_clock_faults_and_silence_are_told() {
    let running = listening(config()).await;
    let peer = adapter(&running, |s| s.ahead = 3_600).await;
    let error = || running.channel.device(COUNTY).and_then(|d| d.clock_error);
    within("its clock is wrong", || error().filter(|e| *e > 3_590_000)).await;
    within("its clock is set", || error().filter(|e| e.abs() < 5_000)).await;
    assert!(peer.opcodes().contains(&0x09));
    let front: Id = COUNTY.parse().expect("digits");
    peer.say(&Up::Fault {
        front: front.clone(),
        kind: 0,
        text: Vec::new(),
    });
    peer.say(&Up::Fault {
        front,
        kind: 3,
        text: b"amplifier".to_vec(),
    });
    let told = |state: PresenceState| {
        let presences = running.inlet.presences.lock();
        let found = presences.iter().find(|p| p.state == state);
        found.map(|p| p.code.clone())
    };
    let code = within("its fault is told", || told(PresenceState::Fault)).await;
    assert_eq!(code, "fault-3");
    drop(peer);
    within("it falls silent", || told(PresenceState::Silent)).await;
}

async fn obeyed(running: &Running, serial: u64, action: Action) -> Vec<(String, bool, String)> {
    let command = Command {
        serial,
        action,
        authority: Authority::County,
        devices: vec!["510727102201".into(), "510727102202".into()],
        not_before: Timestamp(4_000_000),
        expires: Timestamp(4_000_000_000_000),
    };
    let now = channel::Clock::now(&channel::SystemClock::default());
    let command = Command {
        not_before: now,
        ..command
    };
    assert!(running.channel.command(&command));
    within("its result is told", || {
        let obeyed = running.inlet.obeyed.lock();
        let own = obeyed.iter().filter(|o| o.serial == serial);
        let rows: Vec<_> = own
            .map(|o| (o.device.clone(), o.done, o.code.clone()))
            .collect();
        (!rows.is_empty()).then_some(rows)
    })
    .await
}

#[tokio::test]
async fn orders_without_a_text_are_carried_out_or_it_is_said_why_not() {
    let running = listening(config()).await;
    let peer = adapter(&running, |s| s.play = Duration::from_hours(1)).await;
    connected(&running).await;
    let text = Arc::new(variant());
    sent(&running, &[to("510727102201", 1, &text)]).await;
    let rows = |done: bool, first: &str, second: &str| {
        vec![
            ("510727102201".to_owned(), done, first.to_owned()),
            (
                "510727102202".to_owned(),
                done && first == second,
                second.to_owned(),
            ),
        ]
    };
    let stop = Action::Stop { alert: 7 };
    assert_eq!(
        obeyed(&running, 1, stop).await,
        rows(true, "done", "unknown-play")
    );
    let heard = peer.heard();
    assert!(heard[1].stop && heard[1].ebm == heard[0].ebm && heard[1].codes == heard[0].codes);
    let volume = Action::Volume { percent: 60 };
    assert_eq!(
        obeyed(&running, 2, volume).await,
        rows(true, "done", "done")
    );
    assert_eq!(peer.volume(), Some(60));
    assert_eq!(
        obeyed(&running, 3, Action::StopAll).await,
        rows(true, "done", "done")
    );
    let last = peer.heard().pop().expect("it came");
    assert!(last.stop && last.ebm == "0".repeat(36) && last.codes.len() == 2);
    let tone = Action::Tone { seconds: 3 };
    assert_eq!(
        obeyed(&running, 4, tone).await,
        rows(false, "not-spoken", "not-spoken")
    );
    let elsewhere = Action::Stop { alert: 8 };
    assert_eq!(
        obeyed(&running, 5, elsewhere).await,
        rows(false, "unknown-play", "unknown-play")
    );
}

#[tokio::test]
async fn a_stop_of_everything_from_before_this_process_is_not_carried_out_again() {
    let running = listening(config()).await;
    let peer = adapter(&running, |_| {}).await;
    connected(&running).await;
    let command = Command {
        serial: 9,
        action: Action::StopAll,
        authority: Authority::County,
        devices: vec!["510727102201".into()],
        not_before: Timestamp(1_000),
        expires: Timestamp(4_000_000_000_000),
    };
    assert!(running.channel.command(&command));
    let code = within("its result is told", || {
        running.inlet.obeyed.lock().first().map(|o| o.code.clone())
    })
    .await;
    assert_eq!(code, "restarted");
    assert!(!peer.opcodes().contains(&0x04));
}

#[tokio::test]
async fn assumed_status_answer_tells_the_volume() {
    let mut config = config();
    config.adapter[0].assumed.status = loudspeaker::gdj089::assumed::Status::Listed;
    let running = listening(config).await;
    let _peer = adapter(&running, |s| s.lists_status = true).await;
    let volume = || running.channel.device(COUNTY).and_then(|d| d.volume);
    assert_eq!(within("its volume is known", volume).await, 50);
}

#[tokio::test]
async fn assumed_records_query_is_not_asked_where_it_is_switched_off() {
    let mut config = config();
    config.adapter[0].assumed.records = loudspeaker::gdj089::assumed::Records::Never;
    let running = listening(config).await;
    let peer = adapter(&running, |_| {}).await;
    connected(&running).await;
    let text = Arc::new(variant());
    sent(&running, &[to("510727102201", 1, &text)]).await;
    // Its report of the end is answered, and still no record is asked for.
    within("it has heard enough", || {
        peer.opcodes().contains(&0x12).then_some(())
    })
    .await;
    assert!(!peer.opcodes().contains(&0x10));
}

#[tokio::test]
async fn while_the_journal_takes_nothing_nothing_is_started_and_no_record_is_answered() {
    let mut config = config();
    config.adapter[0].assumed.records = loudspeaker::gdj089::assumed::Records::Never;
    let running = listening(config).await;
    let peer = adapter(&running, |_| {}).await;
    connected(&running).await;
    let away = &running.inlet.away;
    away.store(true, std::sync::atomic::Ordering::SeqCst);
    let text = Arc::new(variant());
    let told = sent(&running, &[to("510727102201", 1, &text)]).await;
    let failure = told[0].as_ref().expect_err("it has no number");
    assert_eq!(
        (failure.class, failure.code.as_ref()),
        (FailureClass::Transient, "089:no-number")
    );
    let (ebm, code) = (format!("{PLATFORM}202607140001"), "05107271022010314010400");
    peer.say(&Up::Records {
        front: COUNTY.parse().expect("digits"),
        records: vec![record(&ebm, code, 3)],
    });
    // It is kept as soon as the journal is back, and answered only then.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let opcodes = peer.opcodes();
    assert!(!opcodes.contains(&0x04) && !opcodes.contains(&0x12));
    away.store(false, std::sync::atomic::Ordering::SeqCst);
    receipt(&running, &format!("{ebm}/{code}"), reached).await;
    within("it is answered", || {
        peer.opcodes().contains(&0x12).then_some(())
    })
    .await;
}

#[tokio::test]
async fn starts_of_one_text_that_come_while_an_adapter_is_busy_go_out_together() {
    let running = listening(config()).await;
    let peer = adapter(&running, |_| {}).await;
    connected(&running).await;
    let (text, other) = (Arc::new(variant()), Arc::new(variant()));
    let batch = |number: u32, text: &Arc<Variant>| {
        let village = format!("5107271022{number:02}");
        [to(&village, number, text)]
    };
    // Village after village, each in a batch of its own; one of them has another text.
    let batches: Vec<_> = (1..=12)
        .map(|n| batch(n, if n == 7 { &other } else { &text }))
        .collect();
    let told = futures::future::join_all(batches.iter().map(|one| sent(&running, one))).await;
    let heard = peer.heard();
    let sizes: Vec<_> = heard.iter().map(|start| start.codes.len()).collect();
    assert_eq!(sizes, [1, 10, 1]);
    for (one, number) in told.iter().zip(1_u32..) {
        let reference = &one[0].as_ref().expect("taken").references[0];
        let (ebm, code) = reference.split_once('/').expect("both");
        assert!(code.starts_with(&format!("05107271022{number:02}")));
        let start = heard.iter().find(|start| start.ebm == ebm);
        assert!(start.is_some_and(|start| start.codes.iter().any(|c| c == code)));
        receipt(&running, reference, reached).await;
    }
}

#[tokio::test]
async fn a_start_that_is_answered_waits_for_no_other_text() {
    let running = listening(config()).await;
    let peer = adapter(&running, |s| s.manner = Manner::Takes).await;
    connected(&running).await;
    let settled = Mutex::new(Vec::new());
    // Each has a text of its own: none can go with another.
    let batches = (1..=5).map(|n| [to(&format!("5107271022{n:02}"), n, &Arc::new(variant()))]);
    let batches: Vec<_> = batches.collect();
    let one = async |at: usize| {
        let told = sent(&running, &batches[at]).await;
        assert!(told[0].is_ok(), "{told:?}");
        settled.lock().push((at, peer.heard().len()));
    };
    futures::future::join_all((0..5).map(one)).await;
    // Each knew it when it was answered, and not when all were.
    for (at, heard) in settled.into_inner() {
        assert!(heard <= at + 2, "start {at} was told after {heard}");
    }
}
