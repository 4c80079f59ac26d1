//! What the demo needs before it can start: a folder, a county in the registry, and a configuration that names the peers.
//! This module must not start anything.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use channel::Secret;

use super::county;
use super::desk::{CALLS_PATH, MAS_SECRET, OUTLETS_CHANNEL, OUTLETS_SECRET, TEXTS_PATH};
use super::peers::{
    CARD_KEY, CMPP_ACCOUNT, GATEWAY_SEED, Peers, SMS_ACCOUNT, SMS_PASSWORD, SMS_SOURCE,
    SPEAKER_SECRET,
};
use super::quake;
use crate::app::REGISTRY;
use crate::commands::Failed;
use crate::config::{ChannelConfig, Config, Journal, Node, Read, Retry, Tables};
use crate::model::{EndpointKind, RegionCode, Span};
use crate::plan::sounds::Languages;
use crate::plan::{Hush, Plans, Prompting};
use crate::registry::{Counts, Registry, csv};
use crate::store::{RegistryFile, Vault};
use crate::trust::{self, Bureau, Keeping, Scope};

/// The demo's folder: the operator's, which stays, or one of its own, which goes.
pub struct Folder {
    path: PathBuf,
    own: bool,
}

impl Folder {
    pub fn open(given: Option<PathBuf>) -> Result<Self, Failed> {
        let own = given.is_none();
        let path = given.unwrap_or_else(|| {
            std::env::temp_dir().join(format!("tocsin-demo-{}", std::process::id()))
        });
        std::fs::create_dir_all(&path).map_err(|e| {
            Failed::Input(format!(
                "{} cannot be made: {e}; give another with --data",
                path.display()
            ))
        })?;
        Ok(Self { path, own })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn close(self) {
        if self.own {
            // What cannot be removed lies in the system's folder for such things.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

pub struct County {
    pub counts: Counts,
    pub mobiles: usize,
    pub speakers: usize,
    pub devices: Vec<String>,
    /// Whoever is about to scan a code, and which.
    pub scans: Vec<(String, String)>,
}

/// The county as the data folder holds it, or a new one.
pub async fn county(data: &Path, households: u32, seed: u64) -> Result<County, Failed> {
    let path = data.join(REGISTRY);
    let away = |e: &dyn std::fmt::Display| Failed::Unreachable(e.to_string());
    let work = move || {
        let mut file = RegistryFile::open(&path, Vault::default()).map_err(|e| away(&e))?;
        let rows = if let Some((_, rows)) = file.load().map_err(|e| away(&e))? {
            rows
        } else {
            let rows = county::whole(households, seed);
            file.save(1, &rows).map_err(|e| away(&e))?;
            rows
        };
        let registry = Registry::build(1, &rows).map_err(|problems| {
            Failed::No(
                problems
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join("\n"),
            )
        })?;
        let counts = registry.counts();
        let devices = rows
            .endpoints
            .iter()
            .filter(|e| e.kind == EndpointKind::Speaker && !county::is_square(&e.address))
            .map(|e| e.address.clone());
        Ok(County {
            mobiles: counts.of(EndpointKind::Mobile),
            speakers: counts.of(EndpointKind::Speaker),
            counts,
            devices: devices.collect(),
            scans: county::scans(&rows),
        })
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|e| Failed::Unreachable(e.to_string()))?
}

pub fn write_csv(folder: &Path, households: u32, seed: u64) -> Result<(), Failed> {
    let shown = folder.display();
    let wrong =
        |e: &dyn std::fmt::Display| Failed::Input(format!("{shown} cannot be written: {e}"));
    std::fs::create_dir_all(folder).map_err(|e| wrong(&e))?;
    let rows = county::whole(households, seed);
    csv::write_dir(&rows, folder).map_err(|e| wrong(&e))?;
    say!("{shown}: {households} households 户; tocsin import {shown}");
    Ok(())
}

pub struct Tokens {
    pub bureau: String,
    pub officer: String,
}

/// A text of the demo has two segments; the whole county takes about a minute, so that one can watch.
pub fn sms_rate(county: &County) -> u32 {
    u32::try_from(county.mobiles * 2 / 60)
        .unwrap_or(u32::MAX)
        .max(200)
}

fn bureau(id: &str, name: &str, scopes: Vec<Scope>, region: RegionCode) -> (Bureau, String) {
    let (token, token_sha256) = trust::new_token();
    let bureau = Bureau {
        id: id.into(),
        name: name.into(),
        signature: "平武水利".into(),
        token_sha256,
        scopes,
        regions: vec![region],
        senders: Vec::new(),
        strict: false,
        budget: None,
    };
    (bureau, token)
}

/// The county's outline for the console's map; the demo goes on without one.
fn map(data: &Path) -> Option<PathBuf> {
    let file = data.join("county.geojson");
    std::fs::write(&file, county::BOUNDARY).ok().map(|()| file)
}

/// What the officer on duty may do.
const DUTY: [Scope; 7] = [
    Scope::Read,
    Scope::Submit,
    Scope::Registry,
    Scope::Decide,
    Scope::Devices,
    Scope::Report,
    Scope::Recordings,
];

pub fn config(data: &Path, port: u16, county: &County, peers: &Peers) -> (Read, Tokens) {
    let (water, bureau_token) = bureau(
        "water",
        "平武县水利局(演示)",
        vec![Scope::Submit],
        county::code(),
    );
    let (duty, officer) = bureau("duty", "平武县值班室(演示)", DUTY.to_vec(), county::code());
    let keeping = Keeping {
        secret: Secret::new(trust::new_token().0),
        base: format!("http://127.0.0.1:{port}"),
        days: 30,
    };
    let config = Config {
        earthquake: Some(quake::feed().settings()),
        speakers: Hush::default(),
        // A free port is not known yet, and a link would lead nowhere.
        keepers: (port > 0).then_some(keeping),
        node: Node {
            seal_after: crate::config::day(),
            redis: None,
            nodes: std::num::NonZeroU32::MIN,
            registry_key_file: None,
            map: map(data),
            data: data.to_owned(),
            listen: SocketAddr::from(([127, 0, 0, 1], port)),
            plans: data.to_owned(),
            events: None,
            carriers: None,
            sounds: None,
            store: Journal::default(),
            api_rate: crate::config::api_rate(),
            second_person: false,
            name: "demo".into(),
        },
        routes: Vec::new(),
        languages: Languages::default(),
        speech: None,
        bureaus: vec![water, duty],
        channels: channels(county, peers),
    };
    let plan = include_bytes!("../../../config/demo/plan.toml").to_vec();
    let plans = Plans::parse(vec![("config/demo/plan.toml".into(), plan)])
        .expect("a test reads the demo's plan");
    (
        Read {
            config,
            plans,
            tables: Tables::shipped(),
        },
        Tokens {
            bureau: bureau_token,
            officer,
        },
    )
}

pub fn channel(name: &str, kind: &str, per_second: u32, settings: toml::Table) -> ChannelConfig {
    let rate = format!("{per_second}/s burst {}", (per_second / 10).max(20));
    let seconds = |n| Span(std::time::Duration::from_secs(n));
    ChannelConfig {
        name: name.into(),
        kind: kind.into(),
        account: None,
        rate: rate.parse().expect("a rate as people write it"),
        retry: Retry {
            first: seconds(2),
            factor: 2,
            cap: seconds(8),
            attempts: 4,
        },
        carriers: None,
        filing: Vec::new(),
        prompt: None,
        tests: None,
        settings,
    }
}

/// What people give by hand. Whoever is responsible is called to it by 云MAS, once: the demo's people are quick.
fn outlets() -> ChannelConfig {
    let text = format!("secret = \"{OUTLETS_SECRET}\"\nbase = \"https://demo.invalid\"");
    ChannelConfig {
        prompt: Some(Prompting {
            by: vec!["mas".into()],
            again: Vec::new(),
            per_hour: 4,
        }),
        ..channel(OUTLETS_CHANNEL, "manual", 50, settings(&text))
    }
}

pub fn settings(text: &str) -> toml::Table {
    toml::from_str(text).expect("the demo's settings are TOML")
}

/// The accounts that send texts: over SMPP, over CMPP, and a provider's over HTTP.
fn accounts(county: &County, peers: &Peers) -> [ChannelConfig; 3] {
    let (account, password) = (SMS_ACCOUNT, SMS_PASSWORD);
    let smpp = format!(
        "host = \"127.0.0.1\"\nport = {}\nsystem_id = \"{account}\"\npassword = \"{password}\"\n\
         source = \"{SMS_SOURCE}\"\nwindow = 500\nanswer_timeout_seconds = 5",
        peers.sms_port
    );
    let cmpp = format!(
        "host = \"127.0.0.1\"\nport = {}\nversion = \"3.0\"\nsp_id = \"{CMPP_ACCOUNT}\"\nsecret = \"{password}\"\n\
         source = \"{SMS_SOURCE}\"\nanswer_timeout_seconds = 5",
        peers.cmpp_port
    );
    let mas = format!(
        "url = \"{}\"\nec_name = \"平武县应急局(演示)\"\nap_id = \"demo\"\nsecret_key = \"{MAS_SECRET}\"\n\
         sign = \"S1\"\n[callback]\nsecret = \"{TEXTS_PATH}\"",
        peers.desks.texts()
    );
    [
        channel("sms", "sms", sms_rate(county), settings(&smpp)),
        channel("cmpp", "sms-cmpp", 200, settings(&cmpp)),
        channel("mas", "sms-mas", 200, settings(&mas)),
    ]
}

/// A provider that places calls. It tells at once what became of each, so that the demo is quick.
fn calls(peers: &Peers) -> ChannelConfig {
    let text = format!(
        r#"
lines = 30
calls = "mobile"
[provider]
url = "{}"
secret = "the demo's calls keep no secret"
body = {{ to = "{{number}}", id = "{{id}}", say = "{{text}}" }}
answer = {{ call = "/call", code = "/code", ok = ["0"], classes = {{ busy = "transient" }} }}
[provider.callback]
path = "{CALLS_PATH}"
id = "/id"
status = "/status"
seconds = "/seconds"
key = "/key"
statuses = {{ answered = "answered", off = "off", invalid = "invalid" }}
"#,
        peers.desks.calls()
    );
    channel("calls", "voice", 50, settings(&text))
}

/// A satellite phone on a data cable, and a Beidou terminal. Both are quicker than any that is on the air.
fn overhead(peers: &Peers) -> [ChannelConfig; 2] {
    let modem = format!(
        "port = {{ address = \"{}\" }}\npause = 0.05\nmax_segments = 8",
        peers.modem.address()
    );
    let terminal = format!(
        "port = {{ address = \"{}\" }}\nshape = \"compact\"\nkey = \"{CARD_KEY}\"\ninterval = 0",
        peers.terminal.address()
    );
    [
        channel("tiantong", "satellite", 50, settings(&modem)),
        channel("beidou", "satellite-rdss", 50, settings(&terminal)),
    ]
}

fn channels(county: &County, peers: &Peers) -> Vec<ChannelConfig> {
    let mut horn = toml::toml! {
        gateway = "demo"
        fetch_timeout = 6
        repeats = 2
    };
    horn.insert("secret".into(), SPEAKER_SECRET.into());
    horn.insert("seed".into(), GATEWAY_SEED.into());
    let mut mail = toml::toml! {
        host = "127.0.0.1"
        from = "warning@pingwu.demo.invalid"
        tls = "none"
    };
    mail.insert("port".into(), i64::from(peers.mail_port).into());
    let speakers = u32::try_from(county.speakers / 10)
        .unwrap_or(u32::MAX)
        .max(50);
    let mut horn = channel("horn", "loudspeaker", speakers, horn);
    // A box that does not call within two tries is out of power or network for longer than the demo lasts.
    horn.retry.attempts = 2;
    let mut all = Vec::from(accounts(county, peers));
    all.extend(peers.wechat.channels());
    all.extend(overhead(peers));
    let mail = channel("mail", "email", 20, mail);
    all.extend([calls(peers), horn, mail, outlets(), peers.square.channel()]);
    all
}
