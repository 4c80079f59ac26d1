//! Plans: alerts like this go by these channels to these audiences. A plan is a TOML file; the first whose conditions
//! hold takes the alert. This module must not know any channel's protocol.

use channel::Level;
use serde::Deserialize;

use crate::ledger::event::Audience;
use crate::model::Span;

/// One plan, as its file says it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub name: String,
    #[serde(default, rename = "match")]
    pub when: When,
    /// The language for whom no info speaks theirs.
    pub language: String,
    /// How long an alert without `expires` stands.
    pub lifetime: Span,
    pub send: Vec<Send>,
}

/// Empty means any.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    #[serde(default)]
    pub levels: Vec<Level>,
    /// Event codes, by prefix: `11A` is all floods and droughts.
    #[serde(default)]
    pub events: Vec<String>,
    #[serde(default)]
    pub senders: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Send {
    pub audience: Audience,
    /// Configured channels, by name. Each is used.
    pub channels: Vec<String>,
    /// How long a receipt is waited for before the answer is *unknown*.
    pub receipt_window: Span,
}

/// All plans with their bytes, which are journaled with every alert that they take.
pub struct Plans(Vec<(Plan, Vec<u8>)>);

impl Plans {
    pub fn parse(files: Vec<(String, Vec<u8>)>) -> Result<Self, Vec<String>> {
        let mut plans = Vec::new();
        let mut problems = Vec::new();
        for (file, bytes) in files {
            match Plan::parse(&bytes) {
                Ok(plan) => plans.push((plan, bytes)),
                Err(why) => problems.push(format!("plan {file}: {why}")),
            }
        }
        if plans.is_empty() && problems.is_empty() {
            problems.push("there is no plan: put one into the plans folder".into());
        }
        if problems.is_empty() {
            Ok(Self(plans))
        } else {
            Err(problems)
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Plan> {
        self.0.iter().map(|(plan, _)| plan)
    }

    pub fn named(&self, name: &str) -> Option<(&Plan, &[u8])> {
        self.0
            .iter()
            .find(|(plan, _)| plan.name == name)
            .map(|(plan, bytes)| (plan, bytes.as_slice()))
    }

    pub fn first(&self) -> Option<(&Plan, &[u8])> {
        self.0.first().map(|(plan, bytes)| (plan, bytes.as_slice()))
    }

    pub fn choose(&self, alert: &cap::Alert) -> Option<(&Plan, &[u8])> {
        self.0
            .iter()
            .find(|(plan, _)| plan.takes(alert))
            .map(|(plan, bytes)| (plan, bytes.as_slice()))
    }
}

impl Plan {
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|e| format!("it is not UTF-8: {e}"))?;
        toml::from_str(text).map_err(|e| e.to_string().trim_end().to_owned())
    }

    fn takes(&self, alert: &cap::Alert) -> bool {
        let when = &self.when;
        let level = super::level(alert);
        let codes = || {
            alert
                .infos
                .iter()
                .flat_map(|i| &i.event_codes)
                .map(|c| c.value.as_str())
        };
        (when.levels.is_empty() || when.levels.contains(&level))
            && (when.events.is_empty()
                || codes().any(|c| when.events.iter().any(|e| c.starts_with(e.as_str()))))
            && (when.senders.is_empty() || when.senders.contains(&alert.sender))
    }
}
