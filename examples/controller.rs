//! A reference controller: what the box at a village's loudspeaker has to do, with a printed line in place of the
//! amplifier. It enrols with a one-time code, fetches orders in a long poll, keeps what it took on its disk before it says
//! so, plays what is due with or without a network, one thing at a time by rank, and reports when it can. What is decided
//! is `loudspeaker::player`'s. With `--mqtt` all but the enrolment goes over a broker. It must not believe a word of an
//! order before its signature holds.

#[path = "controller/disk.rs"]
mod disk;
#[path = "controller/local.rs"]
mod local;
#[path = "controller/machine.rs"]
mod machine;
#[path = "controller/mqtt.rs"]
mod mqtt;
#[path = "controller/quake.rs"]
mod quake;
#[path = "controller/sounds.rs"]
mod sounds;
#[path = "controller/state.rs"]
mod state;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use channel::{Clock, HttpClient, SystemClock};
use clap::Parser;
use disk::{keep, load, write};
use local::{locals, next};
use loudspeaker::order::{Signed, Verifier, Window};
use loudspeaker::player::{Player, Say, Turn};
use loudspeaker::{CLOCK_ERROR, DeviceKey, Line, LineError, Report, Source};
use quake::Countdown;
use sounds::Larder;
use state::{State, enrol, rekey};
use tokio::sync::{mpsc, watch};

#[derive(Parser)]
#[command(about = "A reference controller for a village loudspeaker")]
struct Arguments {
    /// The gateway's address up to and with the channel: <http://HOST/v1/channels/NAME>
    #[arg(long)]
    gateway: String,
    /// This device's id
    #[arg(long)]
    device: String,
    /// The one-time code; only for the first start
    #[arg(long)]
    code: Option<String>,
    /// Where its key and what it took are kept [default: controller-DEVICE.state]
    #[arg(long)]
    state: Option<PathBuf>,
    /// How many seconds one reading of a text takes here
    #[arg(long, default_value_t = 2)]
    seconds: u64,
    /// How many seconds a poll waits, and how many pass until a failed one is repeated
    #[arg(long, default_value_t = 25)]
    wait: u64,
    #[arg(long, default_value_t = 5)]
    pause: u64,
    /// Give its key up for another one that it makes
    #[arg(long)]
    rekey: bool,
    /// How many seconds an order waits for its sounds before it is played without them
    #[arg(long, default_value_t = 8)]
    patience: u64,
    /// Take lines such as `microphone 10` on standard input for somebody who uses the loudspeaker for ten seconds
    #[arg(long)]
    local: bool,
    /// Be a machine that acts of itself when an earthquake comes, and no loudspeaker: a printed line in place of the relay
    #[arg(long)]
    machine: bool,
    #[command(flatten)]
    mqtt: mqtt::Mqtt,
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

async fn live(arguments: Arguments) -> Result<(), String> {
    let path = arguments.state.clone();
    let path = path.unwrap_or_else(|| format!("controller-{}.state", arguments.device).into());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let open = |seed: &str| {
        let key = DeviceKey::from_seed(seed).ok_or("the kept key is no key")?;
        // Longer than the longest poll, and for answers as large as a sound.
        let http = HttpClient::of_the_house(Duration::from_secs(45));
        let (gateway, device) = (&arguments.gateway, &arguments.device);
        Ok::<_, String>(Line::new(http, gateway, device, key, clock.clone()))
    };
    let (state, line) = match load(&path)? {
        Some(state) => {
            let line = open(&state.seed)?;
            (state, line)
        }
        None => enrol(&arguments, &path, open).await?,
    };
    let (state, line) = rekey(&arguments, &path, state, line, open).await?;
    let public_keys = state.welcome.public_keys();
    let verifier = Verifier::new(&arguments.device, &public_keys).ok_or("the gateway's keys")?;
    let over = arguments
        .mqtt
        .line(&arguments.device, &state, verifier.clone(), clock)?;
    // Sounds are too large for a broker.
    let direct = line.clone();
    let line = over.unwrap_or(line);
    let (said, says) = watch::channel((false, state.kept.volume()));
    tokio::spawn(local::beat(line.clone(), state.welcome.heartbeat, says));
    if arguments.machine {
        let (wait, pause) = (arguments.wait, arguments.pause);
        return machine::live(&line, verifier, (state, &path), (wait, pause)).await;
    }
    Controller {
        player: Player::new(verifier, state.kept.clone())
            .waiting(Duration::from_secs(arguments.patience)),
        larder: Larder::beside(&path),
        countdown: Countdown::default(),
        poll: Duration::from_secs(arguments.wait),
        pause: Duration::from_secs(arguments.pause),
        reading: Duration::from_secs(arguments.seconds),
        sounds: None,
        local: arguments.local.then(locals),
        line,
        direct,
        state,
        path,
        said,
    }
    .run()
    .await
}

/// So begins what an earthquake is called here; no order's id does.
const EARTHQUAKE: &str = "earthquake ";

/// What the loudspeaker does: since when, and until when if it ends of itself.
struct Sounds {
    what: (String, u32),
    until: Option<tokio::time::Instant>,
}

struct Controller {
    player: Player,
    larder: Larder,
    countdown: Countdown,
    line: Line,
    /// Where sounds are fetched.
    direct: Line,
    state: State,
    path: PathBuf,
    poll: Duration,
    pause: Duration,
    reading: Duration,
    sounds: Option<Sounds>,
    local: Option<mpsc::UnboundedReceiver<Option<Source>>>,
    /// Whether it sounds, and how loud, for the heartbeats.
    said: watch::Sender<(bool, u8)>,
}

impl Controller {
    async fn run(mut self) -> Result<(), String> {
        let (line, direct) = (self.line.clone(), self.direct.clone());
        let (wait, pause) = (self.poll, self.pause);
        let poll = fetch(&line, self.player.window().clone(), wait, None);
        let sending = post(&line, None, None);
        // Nothing is asked for until an order has come.
        let (fetching, mut asked) = (sounds::fetch(&direct, None, pause), None);
        tokio::pin!(poll, sending, fetching);
        loop {
            self.player.settled(|sound| self.larder.is_settled(sound));
            let lacking = self.larder.next(self.player.wanted());
            if asked.is_none() && lacking.is_some() {
                asked.clone_from(&lacking);
                fetching.set(sounds::fetch(&direct, lacking, Duration::ZERO));
            }
            let due = self.follow();
            let now = self.line.now();
            if self.player.is_to_test(now) {
                let wrong = self.look();
                self.player.tested(wrong, now);
            }
            self.keep()?;
            let posting = self.player.to_report().is_some();
            let ends = self.sounds.as_ref().and_then(|sounds| sounds.until);
            tokio::select! {
                found = &mut poll => {
                    let again = self.taken(found).then_some(pause);
                    // On the disk before the next poll names it.
                    self.keep()?;
                    poll.set(fetch(&line, self.player.window().clone(), wait, again));
                }
                sent = &mut sending, if posting => {
                    let again = match sent {
                        None => None,
                        Some(true) => { self.player.reported(); None }
                        Some(false) => Some(pause),
                    };
                    let report = self.player.to_report().cloned();
                    sending.set(post(&line, report, again));
                }
                (sound, got) = &mut fetching => {
                    let again = !self.larder.took(&sound, got) && self.player.wanted().contains(&sound);
                    asked = again.then_some(sound);
                    fetching.set(sounds::fetch(&direct, asked.clone(), pause));
                }
                () = at(ends), if ends.is_some() => {
                    self.sounds = None;
                    self.player.finished(self.line.now());
                }
                () = tokio::time::sleep(due) => {}
                Some(source) = next(&mut self.local) => self.player.local(source, self.line.now()),
            }
        }
    }

    /// Takes what a poll has brought; true when asking again at once would bring the same.
    fn taken(&mut self, found: Result<Vec<Signed>, LineError>) -> bool {
        let orders = match found {
            Ok(orders) => orders,
            Err(why) => {
                eprintln!("{why}");
                return true;
            }
        };
        let (now, mut good) = (self.line.now(), orders.is_empty());
        for signed in &orders {
            match self.player.take(signed, now) {
                Ok(()) => good = true,
                Err(refusal) => println!("refused as {}: {refusal}", refusal.code()),
            }
        }
        !good
    }

    /// The loudspeaker does what the player says; how long nothing else is due.
    fn follow(&mut self) -> Duration {
        let now = self.line.now();
        let (volume, reading_takes) = (self.player.volume(), self.reading);
        self.player.trust_clock(self.line.is_clock_right());
        let (what, ends, due) = match self.player.turn(now) {
            Turn::Silence { until } => {
                let due = until.map_or(Duration::from_mins(1), |until| until.since(now));
                (None, None, due)
            }
            Turn::Local(source) => (Some((source.name().to_owned(), 0)), None, Duration::MAX),
            Turn::Quake {
                order,
                siren,
                say,
                until,
            } => {
                self.countdown.tell(order, siren, say, now);
                let what = (format!("{EARTHQUAKE}{}", order.target), 1);
                let words = say == Say::Words;
                let ends = words.then(|| tokio::time::Instant::now() + reading_takes);
                (Some(what), ends, until.since(now))
            }
            Turn::Read { order, reading } => {
                let what = (order.order.clone(), reading);
                let length = self.larder.length(order, reading_takes);
                let begins = self.sounds.as_ref().is_none_or(|s| s.what != what);
                if begins {
                    self.larder.say(order, volume);
                }
                let ends = tokio::time::Instant::now() + length;
                (Some(what), Some(ends), order.expires.since(now))
            }
        };
        let same = match (&self.sounds, &what) {
            (Some(sounds), Some(what)) => sounds.what == *what,
            (None, None) => true,
            _ => false,
        };
        if !same {
            if !what
                .as_ref()
                .is_some_and(|what| what.0.starts_with(EARTHQUAKE))
            {
                self.countdown.hush();
            }
            if self.sounds.is_some() {
                println!("(cut off)");
            }
            if let Some((source, 0)) = &what {
                println!("({source})");
            }
            self.sounds = what.map(|what| Sounds { what, until: ends });
            self.said.send_replace((self.sounds.is_some(), volume));
        }
        // A clock that was set is noticed before long.
        due.clamp(Duration::from_millis(10), Duration::from_mins(1))
    }

    /// Looks at itself without a sound. A real box measures its amplifier's idle current too; here a line stands for that.
    fn look(&self) -> Option<&'static str> {
        let storage = self.path.with_extension("test");
        let stored = write(&storage, "self-test").is_ok();
        let _ = std::fs::remove_file(&storage);
        let ahead = self.line.now().0 - SystemClock::default().now().0;
        if !stored {
            Some("storage")
        } else if ahead.abs() > CLOCK_ERROR {
            Some("clock")
        } else if self.player.volume() == 0 {
            Some("muted")
        } else {
            None
        }
    }

    fn keep(&mut self) -> Result<(), String> {
        let kept = self.player.kept();
        if kept == self.state.kept {
            return Ok(());
        }
        self.state.kept = kept;
        keep(&self.path, &self.state)
    }
}

async fn fetch(
    line: &Line,
    window: Window,
    wait: Duration,
    pause: Option<Duration>,
) -> Result<Vec<Signed>, LineError> {
    tokio::time::sleep(pause.unwrap_or_default()).await;
    line.poll(&window, wait).await
}

/// Whether the gateway has had a report, or will never take it; nothing where there was none to send.
async fn post(line: &Line, report: Option<Report>, pause: Option<Duration>) -> Option<bool> {
    tokio::time::sleep(pause.unwrap_or_default()).await;
    let report = report?;
    Some(match line.report(&report).await {
        Ok(()) => true,
        // It is not one of its orders, or not what it can read: no report of it will ever be taken.
        Err(LineError::Refused { status, .. }) => [400, 403, 422].contains(&status),
        Err(_) => false,
    })
}

async fn at(ends: Option<tokio::time::Instant>) {
    if let Some(ends) = ends {
        tokio::time::sleep_until(ends).await;
    }
}
