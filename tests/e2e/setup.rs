//! What a gateway of these tests is set up with: bureaus and their tokens, channels, and one plan that tells everyone.
//! This module must not start anything.

use std::fmt::Write as _;

use channel::testing::free_port;
use ring::digest::{SHA256, digest};

use crate::county::{self, Files};
use crate::peers;

/// Tokens: the county's water bureau, a duty room that only reads, and a town's own bureau.
pub const WATER: &str = "token-of-water";
pub const DUTY: &str = "token-of-duty";
pub const TOWN: &str = "token-of-town";
/// Enrols the county's speakers and orders of them what carries no text.
pub const OPERATOR: &str = "token-of-operator";
/// Keeps the county's registry.
pub const KEEPER: &str = "token-of-keeper";
/// May do all of it, in the whole county.
pub const EVERYTHING: &str = "token-of-everything";

const PLAN: &str = r#"name = "all"
language = "zh-CN"
lifetime = "4h"

[[send]]
audience = "speakers"
channels = ["horn"]
receipt_window = "3s"

[[send]]
audience = "officers"
channels = ["sms", "mail"]
receipt_window = "3s"

[[send]]
audience = "public"
channels = ["sms", "mail"]
receipt_window = "3s"
"#;

/// What a test may want otherwise.
pub struct Setup {
    pub files: Files,
    pub sms_rate: &'static str,
    /// Segments a second at the SMSC.
    pub smsc_rate: Option<u32>,
    pub plan: String,
    pub mail: Mail,
    pub log: &'static str,
    /// Further keys of the node.
    pub node: &'static str,
    /// By whose hours loudspeakers are silent; far from now unless said.
    pub night: Option<String>,
    /// Further channels and routes.
    pub more: String,
    /// Further files beside the configuration.
    pub beside: Vec<(&'static str, &'static str)>,
}

/// A mail server other than the peer of these tests, and how it is spoken to.
pub struct Mail {
    pub port: Option<u16>,
    /// The settings beside host, port and sender; tables may follow.
    pub settings: String,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            port: None,
            settings: "tls = \"none\"\n".to_owned(),
        }
    }
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            files: county::small(),
            sms_rate: "500/s burst 20",
            smsc_rate: None,
            plan: PLAN.to_owned(),
            mail: Mail::default(),
            log: "info",
            node: "",
            night: None,
            more: String::new(),
            beside: Vec::new(),
        }
    }
}

/// What a configuration keeps of a token.
pub fn hash(token: &str) -> String {
    hex::encode(digest(&SHA256, token.as_bytes()))
}

fn bureau(id: &str, token: &str, scopes: &str, region: &str) -> String {
    let hash = hash(token);
    format!(
        "[[bureau]]\nid = \"{id}\"\nname = \"平武县{id}\"\nsignature = \"平武水利\"\ntoken_sha256 = \"{hash}\"\n\
         scopes = {scopes}\nregions = [\"{region}\"]\n\n"
    )
}

/// An hour of Beijing that begins in so many.
pub fn hours_from_now(hours: i64, long: i64) -> String {
    let hour = (crate::warning::now() / 3600 + 8 + hours).rem_euclid(24);
    format!("{hour:02}:00-{:02}:00", (hour + long) % 24)
}

fn far_from_now() -> String {
    hours_from_now(10, 1)
}

/// With other hours for the night, where they are wanted.
pub fn with_night(text: &str, night: Option<&str>) -> String {
    let hours = night.map_or_else(far_from_now, str::to_owned);
    text.replacen(&far_from_now(), &hours, 1)
}

/// The configuration of a gateway whose far ends listen at these ports.
pub fn config(sms_rate: &str, sms_port: u16, mail_port: u16, mail: &str) -> String {
    // Far ends know this address, so a restart keeps it.
    let mut text = format!(
        "[node]\ndata = \"data\"\nlisten = \"127.0.0.1:{}\"\nplans = \"plans\"\n\n",
        free_port()
    );
    // Whatever the hour in which these tests run, it is no night.
    writeln!(text, "[speakers]\nnight = \"{}\"\n", far_from_now()).expect("a String takes all");
    text += &bureau("water", WATER, "[\"submit\", \"read\"]", "510727");
    text += &bureau("keeper", KEEPER, "[\"registry\"]", "510727");
    text += &bureau("duty", DUTY, "[\"read\"]", "510727");
    let every =
        "[\"submit\", \"read\", \"registry\", \"decide\", \"devices\", \"report\", \"recordings\"]";
    text += &bureau("everything", EVERYTHING, every, "510727");
    text += &bureau("operator", OPERATOR, "[\"devices\", \"read\"]", "510727");
    text += &bureau("town", TOWN, "[\"submit\", \"read\"]", county::TOWN_A);
    let retry = "retry = { first = \"200ms\", factor = 2, cap = \"1s\", attempts = 4 }";
    let (account, password) = (peers::ACCOUNT, peers::PASSWORD);
    let (secret, seed) = (peers::SPEAKER_SECRET, peers::GATEWAY_SEED);
    write!(
        text,
        r#"[[channel]]
name = "sms"
kind = "sms"
rate = "{sms_rate}"
{retry}
[channel.settings]
host = "127.0.0.1"
port = {sms_port}
system_id = "{account}"
password = "{password}"
source = "10690000"
answer_timeout_seconds = 2
reconnect_min_millis = 100
reconnect_max_millis = 500

[[channel]]
name = "horn"
kind = "loudspeaker"
rate = "100/s burst 20"
{retry}
[channel.settings]
gateway = "e2e"
secret = "{secret}"
seed = "{seed}"
fetch_timeout = 5

[[channel]]
name = "mail"
kind = "email"
rate = "50/s burst 20"
{retry}
[channel.settings]
host = "localhost"
port = {mail_port}
from = "warning@pingwu.example.invalid"
{mail}
"#
    )
    .expect("a String takes everything");
    text
}
