//! What is wrong with `[[channel.filing]]`, and what of it somebody should see to. A filing that is over stops no gateway:
//! it is a notice. This module must not decide who is sent what.

use std::collections::BTreeSet;

use channel::Timestamp;

use super::{ChannelConfig, Config};
use crate::factories;
use crate::model::Carrier;
use crate::plan::{Filing, FilingState, Filings};

/// What no filing may say.
pub fn problems(channel: &ChannelConfig) -> Vec<String> {
    let mut problems = Vec::new();
    if !channel.filing.is_empty() && !factories::is_texts(&channel.kind) {
        problems.push("filing is for accounts of text messages; take it out".to_owned());
    }
    let mut seen = BTreeSet::new();
    for filing in &channel.filing {
        let signature = &filing.signature;
        let which = format!("filing of {signature:?}");
        if signature.is_empty() || signature.contains(['【', '】']) {
            problems.push(format!(
                "{which}: signature is what stands between the brackets, as in \"平武水利\""
            ));
        }
        if !seen.insert((signature.as_str(), filing.carrier)) {
            problems.push(format!(
                "{which}: it stands twice for {}; keep the one that holds",
                of(filing.carrier)
            ));
        }
        problems.extend(templates(filing).map(|why| format!("{which}: {why}")));
    }
    problems
}

fn templates(filing: &Filing) -> impl Iterator<Item = String> {
    let mut ids = BTreeSet::new();
    filing.templates.iter().filter_map(move |template| {
        let id = &template.id;
        let what = match () {
            () if id.is_empty() => "has no id; write the one that the carrier gave it",
            () if !ids.insert(id) => "stands twice; keep one of them",
            () if template.text.starts_with('【') => {
                "begins with a signature; write the text alone, the signature goes before it"
            }
            () if !template.has_variable() => {
                "has no variable, so no warning would ever fit it; write {} where anything may stand"
            }
            () => return None,
        };
        Some(format!("template {id:?} {what}"))
    })
}

fn of(carrier: Option<Carrier>) -> &'static str {
    carrier.map_or("every carrier", Carrier::name)
}

/// What somebody should see to before the night it matters, in both languages.
pub fn notices(config: &Config, now: Timestamp) -> Vec<String> {
    let texts = config.channels.iter();
    let said = texts.filter(|c| !c.filing.is_empty());
    let said: Vec<_> = said.collect();
    let mut notices = Vec::new();
    for bureau in config.bureaus.iter().filter(|_| !said.is_empty()) {
        let own = |c: &&&ChannelConfig| c.filing.iter().any(|f| f.signature == bureau.signature);
        let all = config.channels.iter();
        let unsaid = all
            .filter(|c| factories::is_texts(&c.kind))
            .any(|c| c.filing.is_empty());
        if !unsaid && !said.iter().any(|c| own(&c)) {
            notices.push(format!(
                "bureau {:?}: its signature 【{}】 is filed on no account, so none of its texts goes out; file it, or give the \
                 bureau one that is 签名未在任何账号报备，其短信一条也发不出；请办理报备或改用已报备的签名",
                bureau.id, bureau.signature
            ));
        }
    }
    let pairs = said.iter().flat_map(|c| {
        let of = |filing: &Filing| (c.name.clone(), filing.clone());
        c.filing.iter().map(of)
    });
    let filings = Filings::new(pairs);
    notices.extend(
        filings
            .lapsing(now)
            .map(|(channel, f)| lapse(channel, f, now)),
    );
    notices
}

fn lapse(channel: &str, filing: &Filing, now: Timestamp) -> String {
    let (state, zh) = filing.state_at(now).words();
    let which = format!(
        "channel {channel:?}: filing of 【{}】 for {}",
        filing.signature,
        of(filing.carrier)
    );
    match (filing.state_at(now), filing.until) {
        (FilingState::Filed, Some(until)) => {
            format!(
                "{which} ends after {until}; have it renewed now {zh}，{until} 后失效；请及时续办"
            )
        }
        _ => format!("{which} is {state}: no text goes by it {zh}：短信不会经此发出"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_783_990_800);

    fn config(channel: &str) -> Config {
        let text = format!(
            "[node]\ndata = \"d\"\nlisten = \"127.0.0.1:0\"\nplans = \"p\"\n[[bureau]]\nid = \"water\"\nname = \"水利局\"\n\
             signature = \"平武水利\"\ntoken_sha256 = \"0\"\nscopes = [\"submit\"]\nregions = [\"510727\"]\n{channel}"
        );
        toml::from_str(&text).expect("it reads")
    }

    fn channel(kind: &str, filings: &[&str]) -> String {
        let filing = |text: &&str| format!("[[channel.filing]]\n{text}\n");
        let filings: String = filings.iter().map(filing).collect();
        format!(
            "[[channel]]\nname = \"a\"\nkind = \"{kind}\"\nrate = \"100/s\"\n{filings}[channel.settings]\n"
        )
    }

    #[test]
    fn what_no_filing_may_say_is_refused() {
        let own = "signature = \"平武水利\"\nstate = \"filed\"";
        let template = |id: &str, text: &str| {
            format!("{own}\ntemplates = [{{ id = \"{id}\", text = \"{text}\" }}]")
        };
        for (kind, filings, said) in [
            (
                "email",
                vec![own.to_owned()],
                "for accounts of text messages",
            ),
            (
                "sms",
                vec!["signature = \"【平武】\"\nstate = \"filed\"".into()],
                "between the brackets",
            ),
            (
                "sms",
                vec![own.into(), own.into()],
                "stands twice for every carrier",
            ),
            ("sms-http", vec![template("", "{}")], "has no id"),
            (
                "sms-http",
                vec![template("A", "【平武水利】{}")],
                "begins with a signature",
            ),
            (
                "sms-http",
                vec![template("A", "山洪预警")],
                "has no variable",
            ),
        ] {
            let filings: Vec<_> = filings.iter().map(String::as_str).collect();
            let config = config(&channel(kind, &filings));
            let found = problems(&config.channels[0]);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].contains(said), "{found:?}");
        }
        let twice = format!(
            "{own}\ntemplates = [{{ id = \"A\", text = \"{{}}\" }}, {{ id = \"A\", text = \"{{}}\" }}]"
        );
        let config = config(&channel("sms", &[&twice]));
        assert!(problems(&config.channels[0])[0].contains("stands twice"));
    }

    #[test]
    fn what_is_nowhere_on_file_or_lapses_is_noticed_in_both_languages() {
        let noticed = |filings: &[&str]| notices(&config(&channel("sms", filings)), NOW);
        let own = |more: &str| format!("signature = \"平武水利\"\n{more}");
        assert_eq!(noticed(&[]), [""; 0], "nobody has said");
        assert_eq!(noticed(&[&own("state = \"filed\"")]), [""; 0]);
        assert_eq!(
            noticed(&[&own("state = \"filed\"\nuntil = \"2026-09-30\"")]),
            [""; 0]
        );
        for (filing, said) in [
            (
                "signature = \"平武气象\"\nstate = \"filed\"".to_owned(),
                ["filed on no account", "未在任何账号报备"],
            ),
            (
                own("state = \"pending\""),
                ["is pending: no text", "报备中"],
            ),
            (
                own("state = \"filed\"\nuntil = \"2026-07-31\""),
                ["ends after 2026-07-31", "后失效"],
            ),
            (
                own("state = \"filed\"\nuntil = \"2026-07-01\""),
                ["is expired", "报备过期"],
            ),
        ] {
            let found = noticed(&[&filing]);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(said.iter().all(|part| found[0].contains(part)), "{found:?}");
        }
    }
}
