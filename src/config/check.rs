//! Every problem of a configuration, at once. This module must not stop at the first.

use std::collections::BTreeSet;

use super::{ChannelConfig, Config, Journal, filing, prompt, routes};
use crate::coord::Redis;
use crate::factories;
use crate::ledger::event::Audience;
use crate::media::Speech;
use crate::model::is_name;
use crate::plan::{Look, Plans, Send};
use crate::store::Vault;
use crate::trust::Keeping;

pub fn config(config: &Config) -> Vec<String> {
    let mut problems = bureaus(config);
    problems.extend(channels(config));
    problems.extend(prompt::problems(config));
    problems.extend(routes::problems(config));
    problems.extend(config.languages.problems());
    let keepers = config.keepers.as_ref();
    problems.extend(keepers.map(Keeping::problems).unwrap_or_default());
    let speech = config.speech.as_ref();
    problems.extend(speech.map(Speech::problems).unwrap_or_default());
    problems.extend(earthquake(config));
    problems
}

fn earthquake(config: &Config) -> Vec<String> {
    let Some(earthquake) = &config.earthquake else {
        return Vec::new();
    };
    let speaks =
        |c: &&ChannelConfig| ["loudspeaker", "loudspeaker-mqtt"].contains(&c.kind.as_str());
    let channels = config.channels.iter().filter(speaks);
    let speakers: Vec<_> = channels.map(|c| c.name.as_str()).collect();
    earthquake.problems(&speakers)
}

fn bureaus(config: &Config) -> Vec<String> {
    let mut problems = Vec::new();
    let redis = config.node.redis.as_deref().map(Redis::new);
    problems.extend(redis.and_then(Result::err).map(|e| e.to_string()));
    problems.extend(config.node.store.problem());
    let key = config
        .node
        .registry_key_file
        .as_deref()
        .map(Vault::from_file);
    problems.extend(
        key.and_then(Result::err)
            .map(|e| format!("node.registry_key_file: {e}")),
    );
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

/// What is wrong with how a channel's terminals are tested.
fn tests(channel: &ChannelConfig) -> Option<&'static str> {
    let tests = channel.tests?;
    match factories::family(&channel.kind) {
        Some("satellite") => tests.problem(),
        _ => Some("tests are for satellite terminals; take the table out"),
    }
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
        problems.extend(routes::carriers(channel));
        problems.extend(burst(channel).map(|why| format!("{which}: {why}")));
        problems.extend(tests(channel).map(|why| format!("{which}: {why}")));
        let filing = filing::problems(channel).into_iter();
        problems.extend(filing.map(|why| format!("{which}: {why}")));
        if !is_name(channel.account()) {
            problems.push(format!(
                "{which}: account takes letters, digits and hyphens, at most 40 账户名只能用字母、数字和连字符，最多 40 个"
            ));
        }
        // Permits are granted at one rate to whoever shares them.
        let shares =
            |c: &&ChannelConfig| c.account() == channel.account() && c.rate != channel.rate;
        if let Some(other) = config.channels.iter().find(shares) {
            problems.push(format!(
                "{which}: it shares the account {account:?} with channel {:?}, and their rates differ: {} and {}; write the \
                 account's rate in both 与通道 {:?} 共用账户 {account:?}，但速率不同；请在两处写同一速率",
                other.name, channel.rate, other.rate, other.name, account = channel.account()
            ));
        }
    }
    if config.channels.is_empty() {
        problems
            .push("there is no [[channel]]: nothing could be sent; configure at least one".into());
    }
    problems
}

/// The longest message must fit into the burst: it leaves at once or not at all.
fn burst(channel: &ChannelConfig) -> Option<String> {
    let (rate, longest) = (
        channel.rate,
        factories::longest(&channel.kind, &channel.settings),
    );
    (rate.burst.get() < longest).then(|| {
        let enough = format!("{}/s burst {longest}", rate.per_second);
        format!(
            "rate \"{rate}\" has a burst of less than its longest text, {longest} segments; write \"{enough}\" or more, or \
             lower settings.max_segments 突发量小于最长短信的 {longest} 条分段；请写作 \"{enough}\" 或更大，或调小 \
             settings.max_segments"
        )
    })
}

pub fn plans(config: &Config, plans: &Plans) -> Vec<String> {
    let mut problems = Vec::new();
    for plan in plans.iter() {
        let looks = plan.silent.iter().flat_map(Look::sends);
        for send in plan.send.iter().cloned().chain(looks) {
            for channel in &send.channels {
                let why = way(config, channel);
                problems.extend(why.map(|why| format!("plan {:?}: {why}", plan.name)));
            }
            let officers = officers_only(config, &send);
            problems.extend(officers.map(|why| format!("plan {:?}: {why}", plan.name)));
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

/// Channels that write into groups of officers, where anybody else is meant.
fn officers_only(config: &Config, send: &Send) -> impl Iterator<Item = String> {
    let named = |c: &&ChannelConfig| send.channels.contains(&c.name);
    let writes = |c: &&ChannelConfig| factories::is_for_officers(&c.kind);
    let others = !matches!(send.audience, Audience::Officers | Audience::Seekers);
    let wrong = config.channels.iter().filter(move |_| others);
    wrong.filter(named).filter(writes).map(|channel| {
        format!(
            "channel {:?} is of kind {:?}, which writes into groups of officers, and a [[send]] to {} names it; name it in a \
             [[send]] to officers alone 通道 {:?} 写入责任人工作群，不得用于其他对象；请只写在 audience = \"officers\" 的 [[send]] 里",
            channel.name,
            channel.kind,
            send.audience.name(),
            channel.name
        )
    })
}

/// What a plan may name: a route, or a channel that is in none.
pub(super) fn way(config: &Config, name: &String) -> Option<String> {
    if config.routes.iter().any(|route| route.name == *name) {
        return None;
    }
    if let Some(route) = config.routes.iter().find(|r| r.channels.contains(name)) {
        return Some(format!(
            "channel {name:?} stands in the route {0:?}; name the route 通道 {name:?} 属于路由 {0:?}；请写路由名",
            route.name
        ));
    }
    let known = config.channels.iter().any(|c| c.name == *name);
    (!known).then(|| format!("channel {name:?} is not configured; add it or correct the name"))
}

#[cfg(test)]
mod tests {
    use crate::plan::Plans;

    /// The problems of these channels' rates and accounts.
    fn problems(channels: &str) -> Vec<String> {
        let text =
            format!("[node]\ndata = \"d\"\nlisten = \"127.0.0.1:0\"\nplans = \"p\"\n{channels}");
        super::channels(&toml::from_str(&text).expect("it reads"))
    }

    fn channel(name: &str, kind: &str, more: &str) -> String {
        format!("[[channel]]\nname = \"{name}\"\nkind = \"{kind}\"\n{more}\n[channel.settings]\n")
    }

    #[test]
    fn a_burst_under_the_longest_text_is_refused_in_both_languages() {
        let found = problems(&channel("a", "sms", "rate = \"100/s burst 9\""));
        assert_eq!(found.len(), 1, "{found:?}");
        for part in [
            "channel \"a\"",
            "10 segments",
            "\"100/s burst 10\"",
            "10 条分段",
        ] {
            assert!(found[0].contains(part), "{part}: {found:?}");
        }
        let short = channel("a", "sms", "rate = \"100/s burst 9\"") + "max_segments = 9\n";
        assert_eq!(problems(&short), Vec::<String>::new());
        let mail = channel("a", "email", "rate = \"1/s burst 1\"");
        assert_eq!(problems(&mail), Vec::<String>::new());
    }

    #[test]
    fn a_group_of_officers_is_for_officers_alone() {
        let rate = "rate = \"10/s burst 20\"";
        let channels = channel("duty-group", "wechat-robot", rate) + &channel("sms", "sms", rate);
        let text =
            format!("[node]\ndata = \"d\"\nlisten = \"127.0.0.1:0\"\nplans = \"p\"\n{channels}");
        let config = toml::from_str(&text).expect("it reads");
        for audience in ["public", "speakers", "relatives", "neighbours", "officers"] {
            let plan = format!(
                "name = \"p\"\nlanguage = \"zh-CN\"\nlifetime = \"6h\"\n[[send]]\naudience = \"{audience}\"\n\
                 channels = [\"sms\", \"duty-group\"]\nreceipt_window = \"5m\"\n"
            );
            let plans = Plans::parse(vec![("p.toml".to_owned(), plan.into_bytes())]);
            let found = super::plans(&config, &plans.expect("a plan"));
            if audience == "officers" {
                assert_eq!(found, Vec::<String>::new());
                continue;
            }
            assert_eq!(found.len(), 1, "{audience}: {found:?}");
            for part in [
                "plan \"p\"",
                "channel \"duty-group\"",
                "\"wechat-robot\"",
                &format!("a [[send]] to {audience}"),
                "责任人工作群",
            ] {
                assert!(found[0].contains(part), "{part}: {found:?}");
            }
        }
    }

    #[test]
    fn channels_of_one_account_have_one_rate() {
        let with = |name, rate| {
            channel(
                name,
                "sms",
                &format!("account = \"carrier\"\nrate = \"{rate}\""),
            )
        };
        let same = with("a", "100/s burst 20") + &with("b", "100/s burst 20");
        assert_eq!(problems(&same), Vec::<String>::new());
        let found = problems(&(with("a", "100/s burst 20") + &with("b", "90/s burst 20")));
        assert_eq!(found.len(), 2, "each is told: {found:?}");
        assert!(
            found[0].contains("\"carrier\"") && found[0].contains("共用账户"),
            "{found:?}"
        );
        let strange = channel("a", "sms", "account = \"a b\"\nrate = \"100/s\"");
        assert!(problems(&strange)[0].contains("account takes letters"));
    }
}
