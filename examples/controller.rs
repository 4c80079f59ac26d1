//! A reference controller: what the box at a village's loudspeaker has to do, with a printed line in place of the
//! amplifier. It fetches orders in a long poll, refuses what is forged, replayed, early, expired, not addressed to it, or a
//! drill that is not signed and marked as one, plays the rest and reports. It must not believe a word of an order before its signature holds.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use channel::{Clock, HttpClient, Level, PresenceState, SystemClock};
use clap::Parser;
use loudspeaker::order::{Order, Played, Refusal, Signed, Verifier, Window};
use loudspeaker::{Heartbeat, Line, PlayState, Report, Source};
use serde::{Deserialize, Serialize};

#[derive(Parser)]
#[command(about = "A reference controller for a village loudspeaker")]
struct Arguments {
    /// The gateway's address up to and with the channel: <http://HOST/v1/channels/NAME>
    #[arg(long)]
    gateway: String,
    /// This device's id
    #[arg(long)]
    device: String,
    /// This device's key, in hex
    #[arg(long)]
    key: String,
    /// The gateway's public Ed25519 keys, the live one and the one for drills, in hex without a space
    #[arg(long)]
    gateway_keys: String,
    /// Where the counters and orders played are kept [default: controller-DEVICE.state]
    #[arg(long)]
    state: Option<PathBuf>,
    /// How many seconds one reading of the text takes here
    #[arg(long, default_value_t = 2)]
    seconds: u32,
    /// Leave after the first order that was played
    #[arg(long)]
    once: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match Box::pin(live(Arguments::parse())).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

struct Controller {
    line: Line,
    verifier: Verifier,
    clock: SystemClock,
    state: PathBuf,
    seconds: u32,
}

/// What must outlive a power cut.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
struct Memory {
    window: Window,
    played: Played,
}

async fn live(arguments: Arguments) -> Result<(), String> {
    let verifier = Verifier::new(&arguments.device, &arguments.gateway_keys)
        .ok_or("--gateway-keys: 64 bytes in hex are wanted")?;
    let state = arguments
        .state
        .unwrap_or_else(|| format!("controller-{}.state", arguments.device).into());
    // Longer than the longest poll.
    let http = HttpClient::new(Duration::from_secs(45));
    let controller = Controller {
        line: Line::new(http, &arguments.gateway, &arguments.device, &arguments.key),
        verifier,
        clock: SystemClock::default(),
        seconds: arguments.seconds,
        state,
    };
    let mut memory = load(&controller.state)?;
    loop {
        controller.beat(PresenceState::Idle).await;
        let polled = controller
            .line
            .poll(&memory.window, Duration::from_secs(25));
        match polled.await {
            Ok(orders) => {
                let before = memory.clone();
                for signed in &orders {
                    controller.meet(signed, &mut memory).await?;
                }
                if arguments.once && memory != before {
                    return Ok(());
                }
                if !orders.is_empty() && memory == before {
                    // Nothing of it was good; asking again at once would bring the same.
                    tokio::time::sleep(Duration::from_secs(5)).await;
                }
            }
            Err(why) => {
                eprintln!("{why}; again in 5 s");
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
        }
    }
}

impl Controller {
    /// Plays one order or refuses it.
    async fn meet(&self, signed: &Signed, memory: &mut Memory) -> Result<(), String> {
        let verified = self
            .verifier
            .verify(signed, &memory.window, self.clock.now());
        match verified {
            Ok(order) => {
                if memory.played.has(&order.order) {
                    self.report(&order, PlayState::Played, "").await;
                } else {
                    self.play(&order).await;
                    memory.played.keep(&order.order);
                }
                // Kept after the play: a power cut in the middle of it plays it again rather than never.
                memory.window.take(order.counter);
                keep(&self.state, memory)
            }
            Err(refusal) => {
                println!("refused: {refusal}");
                self.refuse(signed, refusal).await;
                Ok(())
            }
        }
    }

    async fn play(&self, order: &Order) {
        let wait = order
            .not_before
            .since(self.clock.now())
            .min(Duration::from_secs(30));
        tokio::time::sleep(wait).await;
        self.report(order, PlayState::Playing, "").await;
        if order.drill {
            println!("【演练】 演练开始");
        }
        for n in 0..order.repeats {
            if n > 0 {
                tokio::time::sleep(Duration::from_secs(order.pause)).await;
            }
            println!("{}{}: {}", colour(order.level), order.title, order.text);
            tokio::time::sleep(Duration::from_secs(self.seconds.into())).await;
        }
        if order.drill {
            println!("【演练】 演练结束");
        }
        self.report(order, PlayState::Played, "").await;
    }

    /// A refusal is reported where the signature holds; what is forged names nothing that can be believed.
    async fn refuse(&self, signed: &Signed, refusal: Refusal) {
        if matches!(
            refusal,
            Refusal::Forged | Refusal::Malformed | Refusal::NotAddressed | Refusal::Replayed
        ) {
            return;
        }
        if let Ok(order) = serde_json::from_str::<Order>(&signed.body) {
            self.report(&order, PlayState::Failed, refusal.code()).await;
        }
    }

    /// Reports until it is taken; a report on the start of a play is not worth holding the play up.
    async fn report(&self, order: &Order, state: PlayState, code: &str) {
        let report = Report {
            device: self.line.device().to_owned(),
            order: Some(order.order.clone()),
            state,
            whole: state == PlayState::Played,
            source: Source::Gateway,
            seconds: self.seconds * order.repeats,
            code: code.to_owned(),
            at: Some(self.clock.now()),
        };
        let tries = if state == PlayState::Playing { 1 } else { 60 };
        for _ in 0..tries {
            match self.line.report(&report).await {
                Ok(()) => return,
                Err(why) => eprintln!("reporting: {why}"),
            }
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    }

    async fn beat(&self, state: PresenceState) {
        let now = self.clock.now();
        let device = self.line.device().to_owned();
        let beat = Heartbeat {
            device,
            state,
            clock: Some(now),
            volume: Some(80),
        };
        match self.line.heartbeat(&beat).await {
            Ok(time) if time.0.abs_diff(now.0) > 30_000 => {
                eprintln!(
                    "this clock differs from the gateway's by more than 30 s: set it, or good orders are refused"
                );
            }
            Ok(_) => {}
            Err(why) => eprintln!("heartbeat: {why}"),
        }
    }
}

fn colour(level: Level) -> &'static str {
    match level {
        Level::Red => "[红色] ",
        Level::Orange => "[橙色] ",
        Level::Yellow => "[黄色] ",
        Level::Blue => "[蓝色] ",
        Level::Unknown => "",
    }
}

fn load(path: &Path) -> Result<Memory, String> {
    match std::fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text).map_err(|_| {
            format!(
                "{}: not a controller's memory; restore or remove it",
                path.display()
            )
        }),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(Memory::default()),
        Err(why) => Err(format!("reading {}: {why}", path.display())),
    }
}

/// Replaced in one step, so that a power cut leaves the old memory or the new one.
fn keep(path: &Path, memory: &Memory) -> Result<(), String> {
    let new = path.with_extension("new");
    let text = serde_json::to_string(memory).expect("it is numbers and texts");
    std::fs::write(&new, text)
        .and_then(|()| std::fs::rename(&new, path))
        .map_err(|why| format!("keeping the memory in {}: {why}", path.display()))
}
