//! What an operator may write of how people are called to outlets that they serve by hand. This module must not start
//! anything.

use super::check::way;
use super::{ChannelConfig, Config};

const KIND: &str = "manual";
/// What cannot carry a link that somebody opens.
const WITHOUT_LINKS: [&str; 4] = [KIND, "voice", "loudspeaker", "satellite-rdss"];

pub fn problems(config: &Config) -> Vec<String> {
    let channels = config.channels.iter();
    channels.flat_map(|channel| of(config, channel)).collect()
}

fn of(config: &Config, channel: &ChannelConfig) -> Vec<String> {
    let Some(prompt) = &channel.prompt else {
        return Vec::new();
    };
    let mut problems = Vec::new();
    if channel.kind != KIND {
        problems.push("prompt is for channels of the kind \"manual\"; leave it out".to_owned());
    } else if !channel.settings.contains_key("base") {
        problems.push(
            "prompt sends links; set settings.base to where people reach the gateway, as in \"https://w.example.cn\" \
             催办短信带链接，请设置 settings.base"
                .to_owned(),
        );
    }
    if prompt.by.is_empty() {
        problems.push(
            "prompt.by is empty; name the channels or routes by which people are called".into(),
        );
    }
    problems.extend(prompt.by.iter().filter_map(|name| way(config, name)));
    let members = |name: &String| {
        let route = config.routes.iter().find(|route| route.name == *name);
        route.map_or_else(|| vec![name.clone()], |route| route.channels.clone())
    };
    for name in prompt.by.iter().flat_map(members) {
        let found = config.channels.iter().find(|c| c.name == name);
        if let Some(found) = found.filter(|c| WITHOUT_LINKS.contains(&c.kind.as_str())) {
            problems.push(format!(
                "prompt.by names {name:?}, which is of the kind {:?} and carries no link; name one that is read",
                found.kind
            ));
        }
    }
    let rises = prompt.again.windows(2).all(|two| two[0] < two[1]);
    let within = prompt
        .again
        .iter()
        .all(|percent| (1..=200).contains(percent));
    if !(rises && within && prompt.again.len() <= 8) {
        problems.push(
            "prompt.again has at most 8 percents of 1 to 200, each more than the one before; as in [50, 100]".into(),
        );
    }
    if prompt.per_hour == 0 {
        problems.push("prompt.per_hour is 0; nobody would be reminded, write at least 1".into());
    }
    let which = |problem| format!("channel {:?}: {problem}", channel.name);
    problems.into_iter().map(which).collect()
}

#[cfg(test)]
mod tests {
    fn found(by: &str, base: &str) -> Vec<String> {
        let text = format!(
            "[node]\ndata = \"d\"\nlisten = \"127.0.0.1:0\"\nplans = \"p\"\n\
             [[channel]]\nname = \"sms\"\nkind = \"sms\"\nrate = \"10/s burst 10\"\n[channel.settings]\n\
             [[channel]]\nname = \"call\"\nkind = \"voice\"\nrate = \"10/s burst 10\"\n[channel.settings]\n\
             [[channel]]\nname = \"tv\"\nkind = \"manual\"\nrate = \"10/s burst 10\"\n\
             [channel.prompt]\n{by}\n[channel.settings]\n{base}"
        );
        super::problems(&toml::from_str(&text).expect("it reads"))
    }

    #[test]
    fn what_could_call_nobody_is_refused_by_its_key() {
        let base = "base = \"https://w.example.cn\"\n";
        assert_eq!(found("by = [\"sms\"]", base), Vec::<String>::new());
        for (by, base, key) in [
            ("by = [\"sms\"]", "", "settings.base"),
            ("by = []", base, "prompt.by is empty"),
            ("by = [\"fax\"]", base, "not configured"),
            ("by = [\"call\"]", base, "carries no link"),
            ("by = [\"sms\"]\nagain = [50, 50]", base, "prompt.again"),
            ("by = [\"sms\"]\nagain = [0]", base, "prompt.again"),
            ("by = [\"sms\"]\nper_hour = 0", base, "prompt.per_hour"),
        ] {
            let problems = found(by, base);
            assert_eq!(problems.len(), 1, "{by}: {problems:?}");
            assert!(
                problems[0].contains(key) && problems[0].contains("\"tv\""),
                "{problems:?}"
            );
        }
    }
}
