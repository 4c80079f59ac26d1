//! A county's loudspeakers, each with its controller in a long poll: from the POST of an extreme warning to the last byte
//! on each controller's socket, and then a plain loop that writes as many bytes to as many sockets. The controllers live
//! in a process of their own, and the loop comes when the gateway has stopped: a process holds one socket a controller
//! at a time. This module must not leave out anything between the POST and the sockets.

use std::process::Stdio;
use std::sync::Arc;

use channel::{Clock, HttpClient, SystemClock};
use futures::StreamExt as _;
use loudspeaker::Line;
use loudspeaker::peer::device_key;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

use super::house::House;
use super::million::resident;
use super::table::Table;
use crate::commands::demo::county;
use crate::commands::{Failed, device};
use crate::config::{ChannelConfig, Retry};
use crate::model::{Care, EndpointKind, EndpointRow, RegionLevel, Rows, SpeakerRow, State};

pub const SECRET: &str = "the speakers of the bench keep no secret";
pub const SEED: &str = "7e57000000000000000000000000000000000000000000000000000000000002";
pub const PLAN: &str = r#"
name = "bench"
language = "zh-CN"
lifetime = "4h"
[[send]]
audience = "speakers"
channels = ["horn"]
receipt_window = "10m"
"#;

/// What the controllers' process is told on its input, as one line of JSON.
#[derive(Serialize, Deserialize)]
pub enum Told {
    Warned(Warned),
    Bare(Bare),
}

#[derive(Serialize, Deserialize)]
pub struct Warned {
    pub gateway: String,
    pub token: String,
    pub devices: Vec<String>,
    pub rounds: usize,
    /// By a feed's report on an earthquake instead.
    pub quake: bool,
}

#[derive(Serialize, Deserialize)]
pub struct Bare {
    pub server: String,
    pub sockets: usize,
    pub bytes: usize,
    pub rounds: usize,
}

/// What it says of each round, as one line of JSON.
#[derive(Serialize, Deserialize)]
pub struct Round {
    /// In milliseconds, one for each socket.
    pub times: Vec<f64>,
    /// The signed orders that went out.
    pub orders: usize,
    /// What each socket received.
    pub bytes: usize,
}

pub async fn run(table: &mut Table, speakers: u32, rounds: usize) -> Result<(), Failed> {
    tell!("{speakers} controllers, {rounds} warnings");
    let warned = warned(table, speakers, rounds).await?;
    let lost = |e: std::io::Error| Failed::Unreachable(format!("the bare server: {e}"));
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(lost)?;
    let told = Bare {
        server: listener.local_addr().map_err(lost)?.to_string(),
        sockets: warned[0].times.len(),
        bytes: warned[0].bytes,
        rounds,
    };
    let serving = tokio::spawn(bare(listener, told.sockets));
    let (bare, _) = measured(&Told::Bare(told), rounds).await?;
    serving.abort();
    show(table, speakers, &warned, &bare);
    Ok(())
}

/// A gateway that warns them all, so many times.
async fn warned(table: &mut Table, speakers: u32, rounds: usize) -> Result<Vec<Round>, Failed> {
    let (rows, devices) = rows(speakers);
    let house = House::open("controllers", &rows, horn(), PLAN).await?;
    let told = Told::Warned(Warned {
        gateway: house.app.address.to_string(),
        token: house.token.clone(),
        devices,
        rounds,
        quake: false,
    });
    enrol(&house).await?;
    let before = resident();
    let (rounds, after) = measured(&told, rounds).await?;
    let each = after.saturating_sub(before) * 1024 / u64::from(speakers.max(1));
    table.told(
        format!("memory a connected controller, of {speakers}"),
        format!("{each} B"),
    );
    for alert in house.app.ledger.alerts() {
        house.finished(&alert).await;
        let played: u32 = alert.blocks().iter().map(|b| b.tally(State::Done)).sum();
        if played != speakers {
            let why = format!("{played} of {speakers} controllers' plays are in the journal");
            return Err(Failed::No(why));
        }
    }
    house.stop().await;
    Ok(rounds)
}

/// Every controller enrols with a code of its own, as in the field.
pub async fn enrol(house: &House) -> Result<(), Failed> {
    let base = format!("http://{}", house.app.address);
    let whom = serde_json::json!({ "under": county::code() });
    let codes = device::codes(&base, &house.token, &whom).await?;
    tell!("  {} codes; enrolling", codes.len());
    let http = HttpClient::of_the_house(std::time::Duration::from_mins(1));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let base = format!("{base}/v1/channels/horn");
    let one = |(id, code): (String, String)| {
        let key = device_key(SECRET, &id);
        let line = Line::new(http.clone(), &base, &id, key, clock.clone());
        async move { line.enrol(&code).await }
    };
    let mut enrolled = futures::stream::iter(codes.into_iter().map(one)).buffer_unordered(256);
    while let Some(done) = enrolled.next().await {
        done.map_err(|e| Failed::No(e.to_string()))?;
    }
    Ok(())
}

/// So many speakers over the villages of the demo county.
pub fn rows(speakers: u32) -> (Rows, Vec<String>) {
    let mut rows = county::county(1_000, 1);
    rows.endpoints.clear();
    rows.posts.clear();
    rows.speakers.clear();
    rows.hearing.clear();
    let regions = rows.regions.iter().map(|region| region.code);
    let villages: Vec<_> = regions
        .filter(|code| code.level() == RegionLevel::Village)
        .collect();
    let mut devices = Vec::new();
    for (number, place) in (1..=speakers).zip(villages.iter().cycle()) {
        let nth = (number - 1) as usize / villages.len() + 1;
        let device = format!("PW-{:06}-{nth:02}", place.number() % 1_000_000);
        rows.endpoints.push(EndpointRow {
            id: number,
            recipient: None,
            kind: EndpointKind::Speaker,
            address: device.clone(),
        });
        rows.speakers.push(SpeakerRow {
            endpoint: number,
            village: *place,
            name: device.clone(),
            care: Care::default(),
        });
        devices.push(device);
    }
    (rows, devices)
}

pub fn horn() -> ChannelConfig {
    let mut settings = toml::Table::new();
    for (key, value) in [("gateway", "bench"), ("secret", SECRET), ("seed", SEED)] {
        settings.insert(key.into(), value.into());
    }
    ChannelConfig {
        name: "horn".into(),
        kind: "loudspeaker".into(),
        account: None,
        // As shipped: a county at once.
        rate: "50000/s burst 5000"
            .parse()
            .expect("a rate as people write it"),
        retry: Retry::default(),
        carriers: None,
        filing: Vec::new(),
        prompt: None,
        tests: None,
        settings,
    }
}

/// Starts the controllers' process and reads what it measures; and how much memory this one has at the most.
pub async fn measured(told: &Told, wanted: usize) -> Result<(Vec<Round>, u64), Failed> {
    let lost = |e: std::io::Error| Failed::Unreachable(format!("the controllers' process: {e}"));
    let program = std::env::current_exe().map_err(lost)?;
    let mut child = Command::new(program)
        .arg("bench-controllers")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(lost)?;
    let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(Failed::Unreachable(
            "the controllers' process has no pipes".into(),
        ));
    };
    let mut line = serde_json::to_string(told).map_err(|e| lost(e.into()))?;
    line.push('\n');
    input.write_all(line.as_bytes()).await.map_err(lost)?;
    let mut lines = BufReader::new(output).lines();
    let (mut rounds, mut most) = (Vec::new(), 0);
    while let Some(line) = lines.next_line().await.map_err(lost)? {
        let round: Round = serde_json::from_str(&line).map_err(|e| lost(e.into()))?;
        let times = Spread::of(&round.times);
        tell!("  {times}, {} orders, {} B", round.orders, round.bytes);
        rounds.push(round);
        most = resident().max(most);
    }
    let status = child.wait().await.map_err(lost)?;
    if !status.success() || rounds.len() != wanted {
        return Err(Failed::No(
            "the controllers' process ended early; its words are above".into(),
        ));
    }
    Ok((rounds, most))
}

/// Takes so many sockets; then for each length on one more socket writes so many bytes to all, and tells nobody.
async fn bare(listener: TcpListener, sockets: usize) -> std::io::Result<()> {
    let mut all: Vec<TcpStream> = Vec::with_capacity(sockets);
    while all.len() < sockets {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        all.push(socket);
    }
    let (mut control, _) = listener.accept().await?;
    loop {
        let bytes = vec![0; control.read_u32().await? as usize];
        control.write_u8(1).await?;
        control.read_u8().await?;
        for socket in &mut all {
            socket.write_all(&bytes).await?;
        }
    }
}

pub struct Spread {
    pub first: f64,
    pub half: f64,
    pub most: f64,
    pub all: f64,
}

impl Spread {
    pub fn of(times: &[f64]) -> Self {
        let mut times = times.to_vec();
        times.sort_by(f64::total_cmp);
        let at = |hundredths: usize| {
            let place = (times.len() * hundredths).div_ceil(100).max(1) - 1;
            times.get(place).copied().unwrap_or(f64::NAN)
        };
        Self {
            first: at(0),
            half: at(50),
            most: at(99),
            all: at(100),
        }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            first,
            half,
            most,
            all,
        } = self;
        write!(
            f,
            "first {first:.0}, p50 {half:.0}, p99 {most:.0}, max {all:.0} ms"
        )
    }
}

fn show(table: &mut Table, speakers: u32, warned: &[Round], bare: &[Round]) {
    let all = |rounds: &[Round]| {
        let times: Vec<f64> = rounds.iter().flat_map(|r| &r.times).copied().collect();
        Spread::of(&times)
    };
    let (warned, bare) = (all(warned), all(bare));
    table.row(
        format!("POST → last byte at {speakers} controllers, p99"),
        format!("{:.0} ms", warned.most),
        "100 ms",
        warned.most < 100.0,
    );
    table.told(
        "the same, p50 and max",
        format!("{:.0} and {:.0} ms", warned.half, warned.all),
    );
    table.told("bare write of as many bytes", bare.to_string());
    table.told(
        "POST → last byte / bare write, p99",
        format!("{:.1}", warned.most / bare.most),
    );
}
