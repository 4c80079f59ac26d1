//! Every problem of a configuration, at once. This module must not stop at the first.

use std::collections::BTreeSet;

use super::{Config, Journal};
use crate::coord::Redis;
use crate::plan::Plans;

/// Journaled and shown: letters, digits and hyphens.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 40
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

pub fn config(config: &Config) -> Vec<String> {
    let mut problems = bureaus(config);
    problems.extend(channels(config));
    problems
}

fn bureaus(config: &Config) -> Vec<String> {
    let mut problems = Vec::new();
    let redis = config.node.redis.as_deref().map(Redis::new);
    problems.extend(redis.and_then(Result::err).map(|e| e.to_string()));
    problems.extend(config.node.store.problem());
    if matches!(config.node.store, Journal::Postgres(_)) && !is_name(&config.node.name) {
        problems.push(
            "node.name takes letters, digits and hyphens, at most 40; a store that nodes share needs a name of each, \
             for two of one name take the journal from each other"
                .into(),
        );
    }
    let mut ids = BTreeSet::new();
    for bureau in &config.bureaus {
        let who = format!("bureau {:?}", bureau.id);
        if !is_name(&bureau.id) {
            problems.push(format!(
                "{who}: id takes letters, digits and hyphens, at most 40"
            ));
        }
        if !ids.insert(&bureau.id) {
            problems.push(format!(
                "{who}: this id stands twice; give each bureau its own"
            ));
        }
        if bureau.token_sha256.len() != 64
            || !bureau.token_sha256.bytes().all(|b| b.is_ascii_hexdigit())
        {
            problems.push(format!(
                "{who}: token_sha256 is 64 hex digits; `tocsin token` makes one"
            ));
        } else if bureau.token_sha256.bytes().any(|b| b.is_ascii_uppercase()) {
            problems.push(format!("{who}: write token_sha256 in lower case"));
        }
        if bureau.regions.is_empty() {
            problems.push(format!(
                "{who}: regions is empty; name what it is responsible for, as in [\"510727\"]"
            ));
        }
        if bureau.scopes.is_empty() {
            problems.push(format!(
                "{who}: scopes is empty; name \"submit\", \"read\" or both"
            ));
        }
    }
    problems
}

fn channels(config: &Config) -> Vec<String> {
    let mut problems = Vec::new();
    let mut names = BTreeSet::new();
    for channel in &config.channels {
        let which = format!("channel {:?}", channel.name);
        if !is_name(&channel.name) {
            problems.push(format!(
                "{which}: name takes letters, digits and hyphens, at most 40"
            ));
        }
        if !names.insert(&channel.name) {
            problems.push(format!(
                "{which}: this name stands twice; give each channel its own"
            ));
        }
        if channel.retry.attempts == 0 {
            problems.push(format!(
                "{which}: retry.attempts is 0; nothing would be tried, write at least 1"
            ));
        }
        if channel.retry.factor == 0 {
            problems.push(format!(
                "{which}: retry.factor is 0; write 1 for even waits, 2 to double them"
            ));
        }
        // A long text must fit into the burst, or it would never be granted.
        if channel.kind == "sms" && channel.rate.burst.get() < 10 {
            problems.push(format!(
                "{which}: rate {} has a burst under 10 segments, the longest text",
                channel.rate
            ));
        }
    }
    if config.channels.is_empty() {
        problems
            .push("there is no [[channel]]: nothing could be sent; configure at least one".into());
    }
    problems
}

pub fn plans(config: &Config, plans: &Plans) -> Vec<String> {
    let mut problems = Vec::new();
    for plan in plans.iter() {
        if plan.send.is_empty() {
            problems.push(format!(
                "plan {:?}: it has no [[send]]; it would reach nobody",
                plan.name
            ));
        }
        for channel in plan.send.iter().flat_map(|send| &send.channels) {
            if !config.channels.iter().any(|c| c.name == *channel) {
                problems.push(format!(
                    "plan {:?}: channel {channel:?} is not configured; add it or correct the name",
                    plan.name
                ));
            }
        }
        for send in &plan.send {
            // Deadlines are kept as 32-bit milliseconds.
            if send.receipt_window.0 > std::time::Duration::from_hours(30 * 24) {
                problems.push(format!(
                    "plan {:?}: a receipt_window of more than 30 days is not waited for",
                    plan.name
                ));
            }
        }
    }
    problems
}
