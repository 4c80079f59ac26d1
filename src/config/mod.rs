//! What the operator writes: `tocsin.toml` and the plans beside it. Reading finds every problem at once, and names the
//! file, the key and what to do. This module must not start anything.

mod check;
mod filing;
mod journal;
mod prompt;
mod routes;
mod tables;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use filing::notices;
pub use journal::Journal;
pub use routes::RouteConfig;
pub use tables::Tables;

use crate::media::Speech;
use crate::model::{Carrier, Rate, Span};
use crate::plan::quake::Earthquake;
use crate::plan::sounds::Languages;
use crate::plan::{Filing, Hush, Plans, Prompting, Tests};
use crate::trust::{Bureau, Keeping};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub node: Node,
    #[serde(default, rename = "bureau")]
    pub bureaus: Vec<Bureau>,
    #[serde(default, rename = "channel")]
    pub channels: Vec<ChannelConfig>,
    #[serde(default, rename = "route")]
    pub routes: Vec<RouteConfig>,
    /// When loudspeakers keep silent.
    #[serde(default)]
    pub speakers: Hush,
    /// Links by which keepers of loudspeakers enter repairs; without it there are none.
    #[serde(default)]
    pub keepers: Option<Keeping>,
    /// Which languages villages hear before Mandarin, by region.
    #[serde(default)]
    pub languages: Languages,
    /// How a text becomes speech; without it the terminals speak.
    #[serde(default)]
    pub speech: Option<Speech>,
    /// Whose early warnings of earthquakes are relayed; nobody's where it is left out.
    #[serde(default)]
    pub earthquake: Option<Earthquake>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Where the two database files lie; made if missing.
    pub data: PathBuf,
    /// Where the API listens.
    pub listen: SocketAddr,
    /// A folder of plans, `*.toml`, taken in the order of their names.
    pub plans: PathBuf,
    /// How long nothing may happen to an alert that is over before it is sealed.
    #[serde(default = "day")]
    pub seal_after: Span,
    /// The event table; the one that the program brings unless said otherwise.
    #[serde(default)]
    pub events: Option<PathBuf>,
    /// The carriers' prefixes; the ones that the program brings unless said otherwise.
    #[serde(default)]
    pub carriers: Option<PathBuf>,
    /// How loudspeakers sound; the table that the program brings unless said otherwise.
    #[serde(default)]
    pub sounds: Option<PathBuf>,
    /// A Redis from which nodes that share accounts draw their permits; without it each goes by its own limiter.
    #[serde(default)]
    pub redis: Option<String>,
    /// How many nodes draw on the same accounts at once: without Redis each takes that share of a rate.
    #[serde(default = "one")]
    pub nodes: NonZeroU32,
    /// Where the journal lies; a file in `data` unless said otherwise.
    #[serde(default)]
    pub store: Journal,
    /// A file of keys; with it names, numbers and addresses are encrypted in the registry's file.
    #[serde(default)]
    pub registry_key_file: Option<PathBuf>,
    /// A `GeoJSON` Polygon or `MultiPolygon`: the land that the console's map shows.
    #[serde(default)]
    pub map: Option<PathBuf>,
    /// How much each bureau may ask of the API.
    #[serde(default = "api_rate")]
    pub api_rate: Rate,
    /// A bureau does not release from quarantine what it handed in itself.
    #[serde(default)]
    pub second_person: bool,
    /// What this node is called where several share a store.
    #[serde(default)]
    pub name: String,
}

/// A bureau's own programs and a room of officers with it.
pub const fn api_rate() -> Rate {
    Rate {
        per_second: NonZeroU32::new(200).expect("it is not zero"),
        burst: NonZeroU32::new(1_000).expect("it is not zero"),
    }
}

/// Far ends send their last receipts within hours of a text's end, and people look at an alert on the day after.
pub const fn day() -> Span {
    Span(std::time::Duration::from_hours(24))
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelConfig {
    pub name: String,
    pub kind: String,
    /// Channels that name one account share its rate; a channel that names none has its own.
    #[serde(default)]
    pub account: Option<String>,
    /// In the far end's unit; SMS counts segments.
    pub rate: Rate,
    #[serde(default)]
    pub retry: Retry,
    /// Whose numbers it serves; left out where it serves everybody's.
    #[serde(default)]
    pub carriers: Option<Vec<Carrier>>,
    /// What of the bureaus' signatures is filed (报备) on its account; empty where nobody has said.
    #[serde(default)]
    pub filing: Vec<Filing>,
    /// How whoever is responsible for one of its outlets is called to it; of the kind `manual` alone.
    #[serde(default)]
    pub prompt: Option<Prompting>,
    /// How its satellite terminals are tested (拨测); weekly and by day unless said otherwise.
    #[serde(default)]
    pub tests: Option<Tests>,
    /// What its kind needs; see the README of that channel.
    pub settings: toml::Table,
}

impl ChannelConfig {
    pub fn account(&self) -> &str {
        self.account.as_deref().unwrap_or(&self.name)
    }
}

impl Config {
    /// By the channels whose outlets' people are called.
    pub fn prompters(&self) -> BTreeMap<String, Prompting> {
        let channels = self.channels.iter();
        channels
            .filter_map(|c| Some((c.name.clone(), c.prompt.clone()?)))
            .collect()
    }
}

const fn one() -> NonZeroU32 {
    NonZeroU32::MIN
}

/// Delay = first × factorⁿ⁻¹, at most `cap`, ± 10 %.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    pub first: Span,
    pub factor: u32,
    pub cap: Span,
    pub attempts: u8,
}

impl Default for Retry {
    fn default() -> Self {
        let seconds = |n| Span(std::time::Duration::from_secs(n));
        Self {
            first: seconds(5),
            factor: 2,
            cap: seconds(300),
            attempts: 8,
        }
    }
}

/// A configuration that was read whole: every part of it holds.
pub struct Read {
    pub config: Config,
    pub plans: Plans,
    pub tables: Tables,
}

/// Reads the file and its plans; paths in it are relative to it.
pub fn read(file: &Path) -> Result<Read, Vec<String>> {
    let look = look(file);
    match (look.config, look.plans, look.tables) {
        (Some(config), Some(plans), Some(tables)) if look.problems.is_empty() => Ok(Read {
            config,
            plans,
            tables,
        }),
        _ => Err(look.problems),
    }
}

/// A configuration as far as it can be read, and every problem of it, its plans and its tables.
#[derive(Default)]
pub struct Look {
    pub config: Option<Config>,
    pub plans: Option<Plans>,
    pub tables: Option<Tables>,
    pub problems: Vec<String>,
}

pub fn look(file: &Path) -> Look {
    let mut config = match parse(file) {
        Ok(config) => config,
        Err(problem) => {
            let problems = vec![problem];
            return Look {
                problems,
                ..Look::default()
            };
        }
    };
    let base = file.parent().unwrap_or(Path::new("."));
    config.node.data = base.join(&config.node.data);
    config.node.plans = base.join(&config.node.plans);
    config.node.registry_key_file = config.node.registry_key_file.map(|file| base.join(file));
    config.node.map = config.node.map.map(|map| base.join(map));
    let mut problems = problems(&config);
    let plans = match read_plans(&config.node.plans) {
        Ok(plans) => {
            problems.extend(check::plans(&config, &plans));
            Some(plans)
        }
        Err(more) => {
            problems.extend(more);
            None
        }
    };
    let tables = tables::read(base, &config.node);
    let tables = tables.map_err(|more| problems.extend(more)).ok();
    Look {
        config: Some(config),
        plans,
        tables,
        problems,
    }
}

fn parse(file: &Path) -> Result<Config, String> {
    let shown = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|e| format!("{shown} cannot be read: {e}; give another with --config"))?;
    of_text(&text).map_err(|why| format!("{shown}: {why}"))
}

/// A configuration as its text says it, or where it cannot be read. The line itself is not repeated: it may be a password's.
pub fn of_text(text: &str) -> Result<Config, String> {
    toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start).min(text.len());
        let line = text
            .get(..at)
            .map_or(1, |before| before.matches('\n').count() + 1);
        format!("line {line}: {}", error.message().trim_end())
    })
}

/// Every problem of a configuration that could be read.
pub fn problems(config: &Config) -> Vec<String> {
    check::config(config)
}

fn read_plans(folder: &Path) -> Result<Plans, Vec<String>> {
    let mut files = BTreeMap::new();
    let list = std::fs::read_dir(folder).map_err(|e| {
        vec![format!(
            "plans {}: {e}; set node.plans to the folder of the plans",
            folder.display()
        )]
    })?;
    for entry in list.flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|e| e == "toml") {
            let bytes =
                std::fs::read(&path).map_err(|e| vec![format!("plan {}: {e}", path.display())])?;
            files.insert(path.display().to_string(), bytes);
        }
    }
    Plans::parse(files.into_iter().collect())
}
