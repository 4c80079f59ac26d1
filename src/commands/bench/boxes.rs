//! `tocsin bench-controllers`: the far end of the controllers' measurement, a process of its own with one connection for
//! each loudspeaker. It hands the warnings in itself, so that one clock measures from the POST to the last byte. This
//! module must not be measured as part of the gateway: the answers are checked when the round is over.

use std::collections::{HashMap, HashSet};
use std::io::BufRead;
use std::sync::Arc;
use std::time::Duration;

use channel::{Clock, HttpClient, SystemClock};
use loudspeaker::order::{Orders, Signer, Verifier, Window};
use loudspeaker::peer::device_key;
use loudspeaker::{Call, DeviceKey, Line, PlayState, Report, Source};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::controllers::{Bare, Round, SECRET, SEED, Told, Warned};
use super::house::cap;
use super::wire::{self, find};
use crate::commands::{Failed, submit};

#[derive(clap::Args)]
pub struct Args {}

/// How much later than an order a controller's next poll comes, as over a mobile link. On loopback, with a processor shared
/// by all, it would come into the midst of the answers that are still to be written.
const LINK: Duration = Duration::from_millis(50);

/// An answer with orders, when its last byte had come.
struct Got {
    device: usize,
    at: Duration,
    bytes: Vec<u8>,
}

pub async fn run(_: Args) -> Result<(), Failed> {
    let _ = rlimit::increase_nofile_limit(1 << 20);
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|e| Failed::Input(e.to_string()))?;
    let told: Told = serde_json::from_str(&line).map_err(|e| Failed::Input(e.to_string()))?;
    let clock = Arc::new(SystemClock::default());
    match told {
        Told::Warned(told) => warned(&told, &clock).await,
        Told::Bare(told) => bare(&told, &clock).await,
    }
}

fn lost(e: &std::io::Error) -> Failed {
    Failed::Unreachable(e.to_string())
}

fn show(round: &Round) -> Result<(), Failed> {
    let line = serde_json::to_string(round).map_err(|e| Failed::Input(e.to_string()))?;
    say!("{line}");
    Ok(())
}

async fn warned(told: &Warned, clock: &Arc<SystemClock>) -> Result<(), Failed> {
    let mut boxes = Boxes::connect(told, clock).await.map_err(|e| lost(&e))?;
    let http = HttpClient::of_the_house(Duration::from_mins(1));
    for number in 1..=told.rounds {
        let number = u32::try_from(number).unwrap_or(0);
        // Of an earthquake its cancel, too.
        for cancel in [false, true].into_iter().take(1 + usize::from(told.quake)) {
            // Every controller is back in its poll, and the last plays are journaled.
            tokio::time::sleep(Duration::from_secs(1)).await;
            let start = clock.tick();
            if told.quake {
                let report = (number, cancel, clock.now());
                super::quake::hand_in(&http, &told.gateway, report).await?;
            } else {
                let warning = cap("Extreme", number, "510727000000", clock.now().secs());
                let base = format!("http://{}", told.gateway);
                submit::hand_in(&http, &base, &told.token, warning.into_bytes()).await?;
            }
            let got = boxes.all().await?;
            let ids = checked(told, &got)?;
            played(told, &http, &ids).await?;
            let orders: HashSet<_> = ids.iter().map(|(_, order, count)| (order, count)).collect();
            show(&Round {
                times: got.iter().map(|got| millis(got.at, start)).collect(),
                orders: orders.len(),
                bytes: got[0].bytes.len(),
            })?;
        }
    }
    Ok(())
}

async fn bare(told: &Bare, clock: &Arc<SystemClock>) -> Result<(), Failed> {
    let mut sockets = Sockets::connect(told).await.map_err(|e| lost(&e))?;
    for _ in 0..told.rounds {
        show(&Round {
            times: sockets
                .round(told.bytes, clock)
                .await
                .map_err(|e| lost(&e))?,
            orders: 0,
            bytes: told.bytes,
        })?;
    }
    Ok(())
}

fn millis(at: Duration, start: Duration) -> f64 {
    at.saturating_sub(start).as_secs_f64() * 1000.0
}

struct Boxes {
    count: usize,
    got: mpsc::UnboundedReceiver<std::io::Result<Got>>,
}

impl Boxes {
    async fn connect(told: &Warned, clock: &Arc<SystemClock>) -> std::io::Result<Self> {
        let (tell, got) = mpsc::unbounded_channel();
        for (number, device) in told.devices.iter().enumerate() {
            let stream = TcpStream::connect(&told.gateway).await?;
            stream.set_nodelay(true)?;
            let one = OneBox {
                stream,
                number,
                device: device.clone(),
                key: device_key(SECRET, device),
                window: Window::default(),
                clock: clock.clone(),
            };
            let tell = tell.clone();
            tokio::spawn(async move {
                let why = one.live(&tell).await;
                let _ = tell.send(why.map(|never| match never {}));
            });
        }
        Ok(Self {
            count: told.devices.len(),
            got,
        })
    }

    /// One answer with orders from each.
    async fn all(&mut self) -> Result<Vec<Got>, Failed> {
        let mut all: HashMap<usize, Got> = HashMap::new();
        while all.len() < self.count {
            let next = tokio::time::timeout(Duration::from_secs(20), self.got.recv()).await;
            let why = || {
                Failed::No(format!(
                    "{} of {} controllers got an order",
                    all.len(),
                    self.count
                ))
            };
            let got = next.ok().flatten().ok_or_else(why)?;
            let got =
                got.map_err(|e| Failed::Unreachable(format!("a controller's connection: {e}")))?;
            if all.insert(got.device, got).is_some() {
                return Err(Failed::No(
                    "a controller got two answers of one warning".into(),
                ));
            }
        }
        Ok(all.into_values().collect())
    }
}

/// One controller: a connection that is always in a poll.
struct OneBox {
    stream: TcpStream,
    number: usize,
    device: String,
    key: DeviceKey,
    window: Window,
    clock: Arc<SystemClock>,
}

impl OneBox {
    async fn live(
        mut self,
        tell: &mpsc::UnboundedSender<std::io::Result<Got>>,
    ) -> std::io::Result<std::convert::Infallible> {
        loop {
            self.ask().await?;
            let bytes = wire::answer(&mut self.stream, Vec::with_capacity(8 * 1024)).await?;
            let at = self.clock.tick();
            if bytes.starts_with(b"HTTP/1.1 204") {
                continue;
            }
            counters(&bytes).for_each(|counter| self.window.take(counter));
            // Nobody listens any more when the last round is over.
            let _ = tell.send(Ok(Got {
                device: self.number,
                at,
                bytes,
            }));
            tokio::time::sleep(LINK).await;
        }
    }

    async fn ask(&mut self) -> std::io::Result<()> {
        let (after, took) = (self.window.floor(), self.window.took());
        let body = serde_json::json!({ "after": after, "took": took, "wait": 30 }).to_string();
        let call = Call {
            path: "orders",
            device: &self.device,
            time: self.clock.now(),
            body: body.as_bytes(),
        };
        let request = format!(
            "POST /v1/channels/horn/orders HTTP/1.1\r\nhost: gateway\r\nauthorization: {}\r\ncontent-length: {}\r\n\r\n{body}",
            self.key.authorization(&call),
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await
    }
}

/// The counters of the orders, without reading the rest: a controller of its own would have a processor of its own.
fn counters(mut bytes: &[u8]) -> impl Iterator<Item = u64> + '_ {
    const MARK: &[u8] = br#"\"counter\":"#;
    std::iter::from_fn(move || {
        bytes = &bytes[find(bytes, MARK)? + MARK.len()..];
        let digits = bytes
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        std::str::from_utf8(&bytes[..digits]).ok()?.parse().ok()
    })
}

/// Every controller got one order that it may play: its device, the order's id and counter.
fn checked<'a>(told: &'a Warned, got: &[Got]) -> Result<Vec<(&'a str, String, u64)>, Failed> {
    let no = |why: &str| Failed::No(format!("an order that no controller would play: {why}"));
    let keys = Signer::from_seed(SEED)
        .ok_or_else(|| no("no key"))?
        .public_keys();
    let now = SystemClock::default().now();
    let mut ids = Vec::with_capacity(got.len());
    for one in got {
        let device = told.devices[one.device].as_str();
        let start = find(&one.bytes, b"\r\n\r\n").ok_or_else(|| no("no body"))? + 4;
        let orders: Orders =
            serde_json::from_slice(&one.bytes[start..]).map_err(|e| no(&e.to_string()))?;
        let [signed] = &orders.orders[..] else {
            return Err(no("not one order"));
        };
        let verifier = Verifier::new(device, &keys).ok_or_else(|| no("no key"))?;
        let order = verifier.verify(signed, &Window::default(), now);
        let order = order.map_err(|refusal| no(&refusal.to_string()))?;
        ids.push((device, order.order, order.counter));
    }
    Ok(ids)
}

/// Reports every play, some at a time.
async fn played(
    told: &Warned,
    http: &HttpClient,
    ids: &[(&str, String, u64)],
) -> Result<(), Failed> {
    use futures::StreamExt as _;
    let base = format!("http://{}/v1/channels/horn", told.gateway);
    let one = |(device, order, _): &(&str, String, u64)| {
        let key = device_key(SECRET, device);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let line = Line::new(http.clone(), &base, device, key, clock);
        let report = Report {
            order: Some(order.clone()),
            state: PlayState::Played,
            whole: true,
            source: Source::Network,
            seconds: 1,
            code: String::new(),
            at: None,
        };
        async move { line.report(&report).await }
    };
    let mut reports = futures::stream::iter(ids.iter().map(one)).buffer_unordered(64);
    while let Some(done) = reports.next().await {
        done.map_err(|e| Failed::No(e.to_string()))?;
    }
    Ok(())
}

/// The connections to the bare server, and the one that tells it to write.
struct Sockets {
    all: Vec<TcpStream>,
    control: TcpStream,
}

impl Sockets {
    async fn connect(told: &Bare) -> std::io::Result<Self> {
        let mut all = Vec::with_capacity(told.sockets);
        for _ in 0..told.sockets {
            all.push(TcpStream::connect(&told.server).await?);
        }
        let control = TcpStream::connect(&told.server).await?;
        control.set_nodelay(true)?;
        Ok(Self { all, control })
    }

    /// How long after the word each connection had the last byte.
    async fn round(&mut self, bytes: usize, clock: &Arc<SystemClock>) -> std::io::Result<Vec<f64>> {
        let mut reading = tokio::task::JoinSet::new();
        for mut stream in self.all.drain(..) {
            let (mut room, clock) = (vec![0; bytes], clock.clone());
            reading.spawn(async move {
                let read = stream.read_exact(&mut room).await;
                let at = clock.tick();
                read.map(|_| (stream, at))
            });
        }
        let length = u32::try_from(bytes).unwrap_or(0);
        self.control.write_u32(length).await?;
        self.control.read_u8().await?;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let start = clock.tick();
        self.control.write_u8(1).await?;
        let mut times = Vec::with_capacity(reading.len());
        while let Some(read) = reading.join_next().await {
            let (stream, at) = read.map_err(std::io::Error::other)??;
            self.all.push(stream);
            times.push(millis(at, start));
        }
        Ok(times)
    }
}
