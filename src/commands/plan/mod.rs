//! `tocsin plan test`: which plan would take an alert and why the others would not, and what it would do, in words. It
//! reads the configuration and the registry's file, and no journal: nothing that runs is asked or touched.

mod ears;
mod shown;
pub mod words;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use channel::{
    Channel, Clock, Context, HttpClient, Inlet, Mute, OwnTokens, Presence, Receipt, SystemClock,
    Unavailable, Variant,
};

use super::Failed;
use crate::app::{self, REGISTRY};
use crate::config::{self, Config, Node, Read};
use crate::ledger::Ledger;
use crate::plan::preview::{Means, Pace, Scene, preview};
use crate::plan::{self, Asked, Draft, Earlier, Outlets, Source, Targets};
use crate::registry::Registry;
use crate::store::RegistryFile;
use crate::{factories, trust};

pub use shown::table;

#[derive(clap::Subcommand)]
pub enum Commands {
    /// What the plans would do with a CAP file 试算预案
    Test(Test),
}

#[derive(clap::Args)]
pub struct Test {
    /// A CAP file
    #[arg(long)]
    alert: PathBuf,
    #[arg(long, default_value = "config/tocsin.toml")]
    config: PathBuf,
}

impl Commands {
    pub fn run(self) -> Result<(), Failed> {
        match self {
            Self::Test(args) => args.run(),
        }
    }
}

/// Channels are made and never run: nothing comes in.
struct Closed;

#[async_trait]
impl Inlet for Closed {
    async fn receipts(&self, _batch: Vec<Receipt>) -> Result<(), Unavailable> {
        Err(Unavailable)
    }

    fn presence(&self, _seen: Presence) {}
}

type Made = Vec<(String, Arc<dyn Channel>)>;

/// Every configured channel, made and not run, and why the others could not be.
pub fn channels(config: &Config) -> (Made, Vec<String>) {
    let (mut made, mut problems) = (Vec::new(), Vec::new());
    for channel in &config.channels {
        let clock = Arc::new(SystemClock::default());
        let context = Context {
            name: channel.name.clone(),
            tokens: Arc::new(OwnTokens::new(clock.clone())),
            clock,
            http: HttpClient::new(Duration::from_secs(1)),
            inlet: Arc::new(Closed),
            sounds: Arc::new(Mute),
        };
        match factories::make(&channel.kind, channel.settings.clone(), context) {
            Ok(it) => made.push((channel.name.clone(), it)),
            Err(why) => problems.push(format!("channel {:?}: {why}", channel.name)),
        }
    }
    (made, problems)
}

impl Test {
    fn run(self) -> Result<(), Failed> {
        let read = config::read(&self.config).map_err(|p| Failed::Input(p.join("\n")))?;
        let bytes = std::fs::read(&self.alert)
            .map_err(|e| Failed::Input(format!("{}: {e}", self.alert.display())))?;
        let now = SystemClock::default().now();
        let report = cap::assess(&bytes, now.secs());
        for finding in &report.findings {
            let level = match finding.level {
                cap::FindingLevel::Error => "错误 error",
                cap::FindingLevel::Warning => "警告 warning",
                cap::FindingLevel::Info => "提示 info",
            };
            say!("{level} {}: {} {}", finding.path, finding.zh, finding.en);
        }
        let Some(alert) = report.alert else {
            return Err(Failed::No("the alert cannot be read 预警无法读取".into()));
        };
        let registry = registry(&read.config.node)?;
        let targets = match alert.msg_type {
            cap::MsgType::Cancel => Targets::default(),
            _ => plan::target(&alert, &registry).map_err(|problems| {
                let said = problems.iter().map(ToString::to_string);
                Failed::No(said.collect::<Vec<_>>().join("\n"))
            })?,
        };
        for stranger in plan::strangers(&read.plans, &registry) {
            say!("{stranger}");
        }
        let asked = Asked {
            alert: &alert,
            targets: &targets,
            tags: registry.tag_names(),
        };
        for (plan, turn) in read.plans.turns(asked) {
            let (zh, en) = words::of_turn(turn);
            say!("{}: {zh} {en}", plan.name);
        }
        drill(&alert, &read, &registry, asked)
    }
}

fn registry(node: &Node) -> Result<Registry, Failed> {
    let wrong = |e: &dyn std::fmt::Display| Failed::Unreachable(format!("the registry: {e}"));
    let path = node.data.join(REGISTRY);
    if !path.is_file() {
        let what = "is not there yet; load the registry with `tocsin import` first";
        return Err(Failed::Input(format!("{} {what}", path.display())));
    }
    let vault = app::vault(node).map_err(|e| Failed::Input(e.to_string()))?;
    let file = RegistryFile::open(&path, vault).map_err(|e| wrong(&e))?;
    let (generation, rows) = file.load().map_err(|e| wrong(&e))?.unwrap_or_default();
    Registry::build(generation, &rows).map_err(|problems| {
        let said: Vec<_> = problems.iter().map(ToString::to_string).collect();
        wrong(&said.join("\n"))
    })
}

fn of<'a>(channels: &'a Made, name: &str) -> Option<&'a Arc<dyn Channel>> {
    let own = channels.iter().find(|(own, _)| own == name);
    own.map(|(_, channel)| channel)
}

/// What the plan that takes it would do.
fn drill(
    alert: &cap::Alert,
    read: &Read,
    registry: &Registry,
    asked: Asked<'_>,
) -> Result<(), Failed> {
    let Some(choice) = read.plans.choose(asked) else {
        return Err(Failed::No("no plan takes it 没有预案接收".into()));
    };
    say!();
    for (zh, en) in words::explain(choice.plan, &read.tables.events) {
        say!("{zh}\n{en}");
    }
    let (channels, _) = channels(&read.config);
    let can = channels.iter();
    let can = can.map(|(name, channel)| (name.clone(), channel.capability()));
    let routes = read.config.routes(&read.tables.carriers);
    let outlets = Outlets::new(can, routes, Arc::default());
    let means = means(read);
    let bureaus = trust::Bureaus::new(read.config.bureaus.clone());
    let signature = bureaus.signature_of(speaker(&read.config.bureaus, alert));
    let (now, earlier) = (SystemClock::default().now(), Earlier::default());
    let silence = means.hush.silence(alert.status, &asked.targets.regions);
    let schedule = plan::moments(choice.plan, &[], (choice.handled, false), silence, now);
    let figures = preview(&Scene {
        draft: Draft {
            alert,
            plan: choice.plan,
            targets: asked.targets,
            earlier: &earlier,
            registry,
            outlets: &outlets,
            handled: choice.handled,
            schedule: &schedule,
            filed: means.filed(signature),
            hush: &means.hush,
            languages: &means.sounds.languages,
        },
        source: Source {
            alert,
            earlier: None,
            signature,
            regions_hash: "",
            language: &choice.plan.language,
            authority: channel::Authority::County,
            filings: &means.filings,
            targets: asked.targets,
            sounds: &means.sounds,
            recordings: &[],
        },
        ledger: &Ledger::default(),
        means: &means,
        cost: &|name, variant| cost(&channels, name, variant),
        losses: &|name, text| of(&channels, name).map_or_else(Vec::new, |c| c.losses(text)),
        pace: &|name| Pace::of(of(&channels, name)),
        now,
        lifetime: now.plus(choice.plan.lifetime.0),
    });
    shown(&figures)
}

/// The bureau that speaks for the alert's sender; none where nobody does.
fn speaker<'a>(bureaus: &'a [trust::Bureau], alert: &cap::Alert) -> &'a str {
    let speaks = |b: &&trust::Bureau| b.senders.is_empty() || b.senders.contains(&alert.sender);
    bureaus.iter().find(speaks).map_or("", |b| b.id.as_str())
}

fn shown(figures: &impl serde::Serialize) -> Result<(), Failed> {
    let json = serde_json::to_value(figures).map_err(|e| Failed::No(e.to_string()))?;
    say!("\n{}", table(&json));
    Ok(())
}

fn means(read: &Read) -> Means {
    read.tables.clone().means(&read.config)
}

/// What one message of a text costs on a channel.
fn cost(channels: &Made, name: &str, variant: &Variant) -> u32 {
    of(channels, name).map_or(1, |channel| channel.cost(variant))
}
