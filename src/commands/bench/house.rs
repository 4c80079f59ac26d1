//! A gateway for measuring: on its embedded store with `synchronous=FULL`, with one channel and the demo county at the
//! wanted size. This module must not leave out anything that a real gateway does.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use channel::{Clock, HttpClient, SystemClock};

use crate::app::{App, REGISTRY};
use crate::commands::demo::county;
use crate::commands::{Failed, submit};
use crate::config::{ChannelConfig, Config, Node, Read, Retry, Tables};
use crate::ledger::{Alert, Phase};
use crate::model::{EndpointKind, Rows, State};
use crate::plan::sounds::Languages;
use crate::plan::{Hush, Plans};
use crate::store::{RegistryFile, Vault};
use crate::trust::{self, Bureau, Scope};

const PLAN: &str = r#"
name = "bench"
language = "zh-CN"
lifetime = "4h"
[[send]]
audience = "public"
channels = ["sms"]
receipt_window = "10m"
"#;

pub struct House {
    pub app: App,
    pub recipients: u32,
    pub token: String,
    data: PathBuf,
    clock: SystemClock,
}

/// Exactly so many mobile numbers, and whoever has none.
pub fn rows(recipients: u32) -> Rows {
    // Nearly 1.4 mobiles a household; what is over is cut off.
    let mut rows = county::county(recipients * 3 / 4 + 1_000, 1);
    let mut left = recipients;
    rows.endpoints.retain(|e| {
        let own = e.kind == EndpointKind::Mobile;
        let keep = own && left > 0;
        left -= u32::from(keep);
        keep
    });
    rows.posts.clear();
    rows.speakers.clear();
    rows.hearing.clear();
    rows
}

impl House {
    /// With one SMS channel to the load peer.
    pub async fn start(name: &str, recipients: u32, port: u16, rate: &str) -> Result<Self, Failed> {
        Self::with(name, recipients, sms(port, rate)).await
    }

    /// With this SMS channel.
    pub async fn with(name: &str, recipients: u32, channel: ChannelConfig) -> Result<Self, Failed> {
        Self::open(name, &rows(recipients), channel, PLAN).await
    }

    /// With one SMS channel to the load peer, in another county.
    pub async fn told(name: &str, rows: &Rows, port: u16, rate: &str) -> Result<Self, Failed> {
        Self::open(name, rows, sms(port, rate), PLAN).await
    }

    pub async fn open(
        name: &str,
        rows: &Rows,
        channel: ChannelConfig,
        plan: &str,
    ) -> Result<Self, Failed> {
        let data = std::env::temp_dir().join(format!("tocsin-bench-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&data);
        std::fs::create_dir_all(&data).map_err(|e| Failed::Unreachable(e.to_string()))?;
        let away = |e: &dyn std::fmt::Display| Failed::Unreachable(e.to_string());
        RegistryFile::open(&data.join(REGISTRY), Vault::default())
            .and_then(|mut file| file.save(1, rows))
            .map_err(|e| away(&e))?;
        let (read, token) = config(data.clone(), channel, plan);
        let app = App::start(read).await.map_err(|e| away(&e))?;
        let recipients =
            u32::try_from(app.registry.read().counts().of(EndpointKind::Mobile)).unwrap_or(0);
        Ok(Self {
            app,
            recipients,
            token,
            data,
            clock: SystemClock::default(),
        })
    }

    pub fn tick(&self) -> Duration {
        self.clock.tick()
    }

    /// Hands in a warning of this severity; returns when it is answered 202.
    pub async fn warn(
        &self,
        severity: &str,
        number: u32,
        region: &str,
    ) -> Result<Arc<Alert>, Failed> {
        let base = format!("http://{}", self.app.address);
        let body = cap(severity, number, region, self.clock.now().secs());
        let http = HttpClient::of_the_house(Duration::from_mins(1));
        submit::hand_in(&http, &base, &self.token, body.into_bytes()).await?;
        let alerts = self.app.ledger.alerts();
        alerts
            .last()
            .cloned()
            .ok_or_else(|| Failed::No("a 202 was answered and no alert stands".into()))
    }

    /// Waits until every delivery is final, looking every few milliseconds.
    pub async fn finished(&self, alert: &Alert) {
        while alert.phase() != Phase::Planned || open(alert) > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    pub fn journal_bytes(&self) -> u64 {
        let size = |name: &str| std::fs::metadata(self.data.join(name)).map_or(0, |m| m.len());
        size("journal.sqlite")
    }

    pub fn data(&self) -> &std::path::Path {
        &self.data
    }

    pub async fn stop(self) {
        self.app.stop().await;
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

pub fn open(alert: &Alert) -> u32 {
    let states = [State::Planned, State::Handed, State::Awaiting, State::Due];
    alert
        .blocks()
        .iter()
        .map(|b| states.iter().map(|s| b.tally(*s)).sum::<u32>())
        .sum()
}

/// Deliveries that left the house.
pub fn sent(alert: &Alert) -> u32 {
    let states = [State::Awaiting, State::Done];
    alert
        .blocks()
        .iter()
        .map(|b| states.iter().map(|s| b.tally(*s)).sum::<u32>())
        .sum()
}

/// An account over SMPP.
pub fn sms(port: u16, rate: &str) -> ChannelConfig {
    let settings = toml::toml! {
        host = "127.0.0.1"
        system_id = "bench"
        password = "bench"
        source = "10690000"
        window = 2000
    };
    channel("sms", port, rate, settings)
}

/// The same over CMPP.
pub fn cmpp(port: u16, rate: &str) -> ChannelConfig {
    let settings = toml::toml! {
        host = "127.0.0.1"
        version = "3.0"
        sp_id = "bench1"
        secret = "bench"
        source = "10690000"
        window = 2000
    };
    channel("sms-cmpp", port, rate, settings)
}

fn channel(kind: &str, port: u16, rate: &str, mut settings: toml::Table) -> ChannelConfig {
    settings.insert("port".into(), i64::from(port).into());
    ChannelConfig {
        name: "sms".into(),
        kind: kind.into(),
        account: None,
        rate: rate.parse().expect("a rate as people write it"),
        retry: Retry::default(),
        carriers: None,
        filing: Vec::new(),
        prompt: None,
        tests: None,
        settings,
    }
}

fn config(data: PathBuf, channel: ChannelConfig, plan: &str) -> (Read, String) {
    let (token, token_sha256) = trust::new_token();
    let config = Config {
        earthquake: Some(super::quake::settings()),
        speakers: Hush::default(),
        keepers: None,
        node: Node {
            api_rate: crate::config::api_rate(),
            second_person: false,
            seal_after: crate::config::day(),
            redis: None,
            nodes: std::num::NonZeroU32::MIN,
            registry_key_file: None,
            map: None,
            data: data.clone(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            plans: data,
            events: None,
            carriers: None,
            sounds: None,
            store: crate::config::Journal::default(),
            name: String::new(),
        },
        routes: Vec::new(),
        languages: Languages::default(),
        speech: None,
        bureaus: vec![Bureau {
            id: "bench".into(),
            name: "bench".into(),
            signature: "平武水利".into(),
            token_sha256,
            scopes: vec![Scope::Submit, Scope::Read, Scope::Devices],
            regions: vec![county::code()],
            senders: Vec::new(),
            strict: false,
            budget: None,
        }],
        channels: vec![channel],
    };
    let plans =
        Plans::parse(vec![("bench".into(), plan.as_bytes().to_vec())]).expect("a plan as shipped");
    let tables = Tables::shipped();
    let read = Read {
        config,
        plans,
        tables,
    };
    (read, token)
}

/// A warning whose text is one segment.
pub fn cap(severity: &str, number: u32, region: &str, now: i64) -> String {
    let time = |unix| cap::Time {
        unix,
        offset_minutes: 480,
    };
    let (sent, expires) = (time(now), time(now + 3 * 3600));
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>bench-{number}</identifier>
<sender>bench@pingwu.demo.invalid</sender><sent>{sent}</sent><status>Actual</status><msgType>Alert</msgType>
<scope>Public</scope><info><language>zh-CN</language><category>Met</category><event>山洪</event>
<urgency>Immediate</urgency><severity>{severity}</severity><certainty>Observed</certainty>
<eventCode><valueName>GB/T 35561</valueName><value>11A51</value></eventCode>
<expires>{expires}</expires><headline>山洪灾害预警</headline><instruction>请立即向高处转移</instruction>
<area><areaDesc>平武县</areaDesc><geocode><valueName>CPEAS Geographic Code</valueName><value>{region}</value></geocode></area>
</info></alert>"#
    )
}
