//! `[[route]]`: accounts that stand in for each other. This module must not know what a channel does.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::{ChannelConfig, Config};
use crate::factories;
use crate::model::{Span, is_name};
use crate::plan::{Carriers, Member, Route, Routes};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteConfig {
    /// What plans call it.
    pub name: String,
    /// The first that serves a number's carrier takes it.
    pub channels: Vec<String>,
    /// For so long an account may take nothing before what waits for it goes by the next.
    #[serde(default = "minute")]
    pub reroute_after: Span,
    /// The same for red warnings.
    #[serde(default = "quarter")]
    pub reroute_after_red: Span,
}

const fn minute() -> Span {
    Span(Duration::from_mins(1))
}

const fn quarter() -> Span {
    Span(Duration::from_secs(15))
}

/// Kinds that may stand in for each other: a controller knows its own gateway alone, and a call takes its time.
const STAND_IN: [&str; 2] = ["sms", "email"];

/// Below this an account that is only slow would be left.
const SOONEST: Duration = Duration::from_secs(1);

impl Config {
    /// The routes as written, and each channel beside them that serves some carriers alone as a route of its own.
    pub fn routes(&self, carriers: &Carriers) -> Arc<Routes> {
        let member = |channel: &ChannelConfig| Member {
            channel: channel.name.clone(),
            serves: channel.carriers.clone(),
        };
        let named = |name: &String| self.channels.iter().find(|c| c.name == *name).map(member);
        let written = self.routes.iter().map(|route| Route {
            name: route.name.clone(),
            members: route.channels.iter().filter_map(named).collect(),
            patience: route.reroute_after.0,
            patience_red: route.reroute_after_red.0,
        });
        let in_none =
            |c: &&ChannelConfig| !self.routes.iter().any(|r| r.channels.contains(&c.name));
        let alone = self.channels.iter().filter(in_none);
        let alone = alone.filter(|c| c.carriers.is_some()).map(|channel| Route {
            name: channel.name.clone(),
            members: vec![member(channel)],
            patience: minute().0,
            patience_red: quarter().0,
        });
        Arc::new(Routes::new(
            written.chain(alone).collect(),
            carriers.clone(),
        ))
    }
}

/// What is wrong with each route, in both languages.
pub fn problems(config: &Config) -> Vec<String> {
    let mut problems = Vec::new();
    let mut names = BTreeSet::new();
    let mut members = BTreeSet::new();
    for route in &config.routes {
        let which = format!("route {:?}", route.name);
        let mut say = |en: &str, zh: &str| problems.push(format!("{which}: {en} {zh}"));
        if !is_name(&route.name) {
            say(
                "name takes letters, digits and hyphens, at most 40",
                "路由名只能用字母、数字和连字符，最多 40 个",
            );
        }
        let taken = config.channels.iter().any(|c| c.name == route.name);
        if taken || !names.insert(&route.name) {
            say(
                "this name stands twice; give each route and each channel its own",
                "此名称重复；每个路由和通道须各有其名",
            );
        }
        if route.channels.is_empty() {
            say(
                "channels is empty; name at least one",
                "channels 为空；至少写一个通道",
            );
        }
        for name in &route.channels {
            if !members.insert(name) {
                say(
                    &format!(
                        "channel {name:?} stands in a route twice; a channel belongs to one route, once"
                    ),
                    &format!("通道 {name:?} 重复；一个通道只能属于一个路由，且只写一次"),
                );
            }
        }
        let (soon, red) = (route.reroute_after.0, route.reroute_after_red.0);
        if red < SOONEST || soon < red {
            say(
                "reroute_after_red is at least 1s, and reroute_after not shorter",
                "reroute_after_red 至少 1s，reroute_after 不得更短",
            );
        }
        problems.extend(texts(config, route).map(|why| format!("{which}: {why}")));
    }
    problems
}

/// Its channels are there and say the same texts to the same kind of address.
fn texts(config: &Config, route: &RouteConfig) -> Option<String> {
    let find = |name: &String| config.channels.iter().find(|c| c.name == *name);
    if let Some(name) = route.channels.iter().find(|name| find(name).is_none()) {
        return Some(format!(
            "channel {name:?} is not configured; add it or correct the name 通道 {name:?} 未配置；请添加或改正名称"
        ));
    }
    let mut all = route.channels.iter().filter_map(|name| {
        let family = find(name).map(|c| factories::family(&c.kind));
        Some((name, family?))
    });
    let (first, wanted) = all.next()?;
    if wanted.is_some_and(|family| !STAND_IN.contains(&family)) {
        return Some(format!(
            "channel {first:?} is of a kind that no other stands in for; name it in plans itself \
             通道 {first:?} 这一类不能由别的通道代替；请在预案中直接写它"
        ));
    }
    let (other, _) = all.find(|(_, family)| *family != wanted)?;
    Some(format!(
        "channels {first:?} and {other:?} send different kinds of texts; a route has one \
         kind 通道 {first:?} 与 {other:?} 的文本种类不同；一个路由只能有一种"
    ))
}

/// What is wrong with the carriers of a channel.
pub fn carriers(channel: &ChannelConfig) -> Option<String> {
    let own = channel.carriers.as_ref()?;
    let which = format!("channel {:?}", channel.name);
    let set: BTreeSet<_> = own.iter().collect();
    if own.is_empty() || set.len() < own.len() {
        return Some(format!(
            "{which}: carriers names each carrier whose numbers it serves, once; leave it out where it serves all \
             carriers 须列出所服务的运营商，每个一次；全部服务时不写"
        ));
    }
    (factories::family(&channel.kind) != Some("sms")).then(|| {
        format!(
            "{which}: carriers is for channels that send text messages; leave it out carriers 只用于短信通道；请删去"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{check, of_text};
    use crate::plan::Plans;

    fn channel(name: &str, kind: &str, more: &str) -> String {
        format!(
            "[[channel]]\nname = \"{name}\"\nkind = \"{kind}\"\nrate = \"100/s burst 20\"\n{more}\n[channel.settings]\n"
        )
    }

    fn config(more: &str) -> Config {
        let text = String::from("[node]\ndata = \"d\"\nlisten = \"127.0.0.1:0\"\nplans = \"p\"\n")
            + &channel("a", "sms", "carriers = [\"mobile\", \"broadnet\"]")
            + &channel("b", "sms-cmpp", "carriers = [\"unicom\"]")
            + &channel("c", "sms-http", "")
            + &channel("mail", "email", "")
            + &channel("horn", "loudspeaker", "")
            + more;
        of_text(&text).expect("it reads")
    }

    fn route(name: &str, channels: &str, more: &str) -> String {
        format!("[[route]]\nname = \"{name}\"\nchannels = {channels}\n{more}\n")
    }

    fn plan(config: &Config, way: &str) -> Vec<String> {
        let text = format!(
            "name = \"p\"\nlanguage = \"zh-CN\"\nlifetime = \"6h\"\n[[send]]\naudience = \"public\"\nchannels = [\"{way}\"]\nreceipt_window = \"5m\"\n"
        );
        let plans = Plans::parse(vec![("p.toml".into(), text.into_bytes())]).expect("a plan");
        check::plans(config, &plans)
    }

    #[test]
    fn a_route_names_accounts_and_a_plan_names_the_route() {
        let sound = config(&route(
            "texts",
            "[\"a\", \"b\", \"c\"]",
            "reroute_after_red = \"5s\"",
        ));
        assert_eq!(problems(&sound), Vec::<String>::new());
        assert_eq!(plan(&sound, "texts"), Vec::<String>::new());
        assert_eq!(plan(&sound, "mail"), Vec::<String>::new());
        let inside = plan(&sound, "a");
        assert!(
            inside[0].contains("name the route") && inside[0].contains("请写路由名"),
            "{inside:?}"
        );
        assert!(plan(&sound, "nothing")[0].contains("is not configured"));

        let routes = sound.routes(&Carriers::shipped());
        let texts = routes.named("texts").expect("it is there");
        let waits = (texts.patience, texts.patience_red);
        assert_eq!(waits, (Duration::from_mins(1), Duration::from_secs(5)));
        let serves: Vec<_> = texts.members.iter().map(|m| m.serves.is_some()).collect();
        assert_eq!(serves, [true, true, false]);
        assert!(routes.of("c").is_some() && routes.of("mail").is_none());
    }

    #[test]
    fn a_channel_of_some_carriers_that_stands_alone_serves_these_alone() {
        let routes = config("").routes(&Carriers::shipped());
        assert_eq!(routes.named("b").map(|r| r.members.len()), Some(1));
        assert!(routes.named("c").is_none(), "it serves everybody");
    }

    #[test]
    fn every_wrong_route_is_told_in_both_languages() {
        for (more, said, zh) in [
            (route("a b", "[\"a\"]", ""), "name takes letters", "路由名"),
            (route("mail", "[\"a\"]", ""), "stands twice", "名称重复"),
            (
                route("t", "[\"a\"]", "") + &route("t", "[\"b\"]", ""),
                "stands twice",
                "名称重复",
            ),
            (route("t", "[]", ""), "channels is empty", "为空"),
            (
                route("t", "[\"a\", \"a\"]", ""),
                "belongs to one route",
                "只能属于一个路由",
            ),
            (
                route("t", "[\"a\"]", "") + &route("u", "[\"b\", \"a\"]", ""),
                "belongs to one route",
                "只能属于一个路由",
            ),
            (
                route("t", "[\"a\", \"z\"]", ""),
                "\"z\" is not configured",
                "未配置",
            ),
            (
                route("t", "[\"a\", \"mail\"]", ""),
                "different kinds of texts",
                "文本种类不同",
            ),
            (
                route("t", "[\"horn\"]", ""),
                "no other stands in for",
                "不能由别的通道代替",
            ),
            (
                route("t", "[\"a\"]", "reroute_after = \"2s\""),
                "reroute_after_red is at least 1s",
                "不得更短",
            ),
            (
                route("t", "[\"a\"]", "reroute_after_red = \"10ms\""),
                "reroute_after_red is at least 1s",
                "不得更短",
            ),
        ] {
            let found = problems(&config(&more));
            assert_eq!(found.len(), 1, "{said}: {found:?}");
            assert!(
                found[0].contains(said) && found[0].contains(zh),
                "{said}: {found:?}"
            );
        }
    }

    #[test]
    fn carriers_of_a_channel_are_told_once_and_only_where_there_are_numbers() {
        let told = |kind: &str, own: &str| {
            let text = channel("x", kind, &format!("carriers = {own}"));
            let config = config(&text);
            carriers(config.channels.last().expect("it is there"))
        };
        assert_eq!(told("sms", "[\"satellite\"]"), None);
        for own in ["[]", "[\"mobile\", \"mobile\"]"] {
            let said = told("sms", own).expect("a problem");
            assert!(said.contains("once") && said.contains("每个一次"), "{said}");
        }
        let said = told("email", "[\"mobile\"]").expect("a problem");
        assert!(
            said.contains("text messages") && said.contains("短信"),
            "{said}"
        );
        let wrong = "[node]\ndata = \"d\"\nlisten = \"127.0.0.1:0\"\nplans = \"p\"\n".to_owned()
            + &channel("x", "sms", "carriers = [\"nobody\"]");
        let why = of_text(&wrong).expect_err("refused");
        assert!(why.contains("unknown variant `nobody`"), "{why}");
    }
}
