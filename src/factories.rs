//! The only list of channel kinds. Adding one is a folder in `channels/`, a dependency line and an entry here. This
//! module must not know what a channel does.

use std::sync::Arc;

use channel::{Channel, Context};
use serde::de::DeserializeOwned;

type Make = fn(toml::Table, Context) -> Result<Arc<dyn Channel>, String>;

pub struct Factory {
    pub kind: &'static str,
    /// What it speaks, whatever the protocol: the kind that its texts are rendered for.
    pub family: &'static str,
    pub make: Make,
    /// How many permits the longest message costs under these settings.
    pub longest: fn(&toml::Table) -> u32,
}

pub const FACTORIES: [Factory; 16] = [
    Factory {
        kind: "sms",
        family: "sms",
        make: |settings, context| built(sms::Sms::smpp(read(settings)?, context)),
        longest: segments,
    },
    Factory {
        kind: "sms-cmpp",
        family: "sms",
        make: |settings, context| built(sms::Sms::cmpp(read(settings)?, context)),
        longest: segments,
    },
    Factory {
        kind: "sms-mas",
        family: "sms",
        make: |settings, context| {
            let config: sms::MasConfig = read(settings)?;
            built(
                config
                    .shape()
                    .and_then(|shape| sms::HttpSms::new(shape, context)),
            )
        },
        longest: segments,
    },
    Factory {
        kind: "sms-http",
        family: "sms",
        make: |settings, context| built(sms::HttpSms::new(read(settings)?, context)),
        longest: segments,
    },
    Factory {
        kind: "loudspeaker",
        family: "loudspeaker",
        make: |settings, context| built(loudspeaker::Loudspeaker::new(read(settings)?, context)),
        longest: |_| 1,
    },
    Factory {
        kind: "loudspeaker-ebd",
        family: "loudspeaker",
        make: |settings, context| built(loudspeaker::ebd::Ebd::new(read(settings)?, context)),
        longest: |_| 1,
    },
    Factory {
        kind: "loudspeaker-089",
        family: "loudspeaker",
        make: |settings, context| {
            built(loudspeaker::gdj089::Adapters::new(read(settings)?, context))
        },
        longest: |_| 1,
    },
    Factory {
        kind: "loudspeaker-mqtt",
        family: "loudspeaker",
        make: |settings, context| built(loudspeaker::mqtt::Mqtt::new(read(settings)?, context)),
        longest: |_| 1,
    },
    Factory {
        kind: "email",
        family: "email",
        make: |settings, context| built(email::Email::new(read(settings)?, context)),
        longest: |_| 1,
    },
    Factory {
        kind: "voice",
        family: "voice",
        make: |settings, context| built(voice::Voice::new(read(settings)?, context)),
        longest: |_| 1,
    },
    Factory {
        kind: "satellite",
        family: "satellite",
        make: |settings, context| built(satellite::Modem::new(read(settings)?, context)),
        longest: |settings| number(settings, "max_segments", satellite::MAX_SEGMENTS.into()),
    },
    Factory {
        kind: "satellite-rdss",
        family: "satellite",
        make: |settings, context| built(satellite::Rdss::new(read(settings)?, context)),
        longest: |_| 1,
    },
    Factory {
        kind: "wechat-account",
        family: "wechat",
        make: |settings, context| built(wechat::OfficialAccount::new(read(settings)?, context)),
        longest: |_| 1,
    },
    Factory {
        kind: "wechat-work",
        family: "wechat",
        make: |settings, context| built(wechat::WorkApp::new(read(settings)?, context)),
        longest: |_| 1,
    },
    Factory {
        kind: "wechat-robot",
        family: "wechat",
        make: |settings, context| built(wechat::Robots::new(read(settings)?, context)),
        longest: |_| 1,
    },
    Factory {
        kind: "manual",
        family: "manual",
        make: |settings, context| built(manual::Manual::new(read(settings)?, context)),
        longest: |_| 1,
    },
];

fn read<T: DeserializeOwned>(settings: toml::Table) -> Result<T, String> {
    toml::Value::Table(settings)
        .try_into()
        .map_err(|e| format!("settings: {}", e.to_string().trim_end()))
}

/// Of the kinds that send texts.
fn segments(settings: &toml::Table) -> u32 {
    number(settings, "max_segments", sms::MAX_SEGMENTS.into())
}

/// A setting, whatever else is wrong with them.
fn number(settings: &toml::Table, key: &str, otherwise: u32) -> u32 {
    let own = settings.get(key).and_then(toml::Value::as_integer);
    own.and_then(|n| u32::try_from(n).ok()).unwrap_or(otherwise)
}

fn built<C: Channel, E: std::fmt::Display>(made: Result<C, E>) -> Result<Arc<dyn Channel>, String> {
    made.map(|channel| Arc::new(channel) as Arc<dyn Channel>)
        .map_err(|e| format!("settings: {e}"))
}

pub fn make(
    kind: &str,
    settings: toml::Table,
    context: Context,
) -> Result<Arc<dyn Channel>, String> {
    let kinds = || FACTORIES.map(|f| f.kind).join(", ");
    let factory = FACTORIES.iter().find(|f| f.kind == kind);
    let factory =
        factory.ok_or_else(|| format!("there is no kind {kind:?}; the kinds are {}", kinds()))?;
    (factory.make)(settings, context)
}

/// Whether a kind sends text messages, which go under a signature that is filed.
pub fn is_texts(kind: &str) -> bool {
    kind == "sms" || kind.starts_with("sms-")
}

/// Whether a kind writes into groups of officers, who alone may be told by it.
pub fn is_for_officers(kind: &str) -> bool {
    kind == "wechat-robot"
}

/// The most permits that one message of a channel may cost. Of a kind that is not there it is one, and that is told
/// elsewhere.
pub fn longest(kind: &str, settings: &toml::Table) -> u32 {
    let factory = FACTORIES.iter().find(|f| f.kind == kind);
    factory.map_or(1, |factory| (factory.longest)(settings))
}

/// What a kind speaks; nothing of a kind that is not there.
pub fn family(kind: &str) -> Option<&'static str> {
    let factory = FACTORIES.iter().find(|f| f.kind == kind);
    factory.map(|factory| factory.family)
}
