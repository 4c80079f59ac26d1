//! Profiles: a message that keeps each, and one small mutation of it for every rule.

use std::collections::BTreeSet;

use cap::{Feed, Profile, Report, assess_from, rules};

/// A minute after the messages were sent.
const NOW: i64 = 1_780_300_860;

const HEAD: &str = "<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'><identifier>a-1</identifier>\
    <sender>warning@example.org</sender><sent>2026-06-01T16:00:00+08:00</sent><status>Actual</status>\
    <msgType>Update</msgType><scope>Public</scope>";
const REFERENCES: &str =
    "<references>warning@example.org,a-0,2026-06-01T12:00:00+08:00</references>";

/// One info of a message that keeps a profile.
fn info(language: &str, text: &str, codes: &str, parameters: &str, geocodes: &str) -> String {
    format!(
        "<info><language>{language}</language><category>Met</category><event>{text}</event>\
         <responseType>Shelter</responseType><urgency>Immediate</urgency><severity>Severe</severity>\
         <certainty>Observed</certainty>{codes}<expires>2026-06-01T22:00:00+08:00</expires><senderName>n</senderName>\
         <headline>{text} h</headline><description>{text} d</description><instruction>{text} i</instruction>\
         <web>https://example.org</web><contact>c</contact>{parameters}<area><areaDesc>a</areaDesc>\
         <circle>31.5,104.5 12</circle>{geocodes}</area></info>"
    )
}

fn pair(kind: &str, name: &str, value: &str) -> String {
    format!("<{kind}><valueName>{name}</valueName><value>{value}</value></{kind}>")
}

fn base(profile: Profile) -> String {
    let (code, codes, parameters, geocodes) = match profile {
        Profile::Google => (String::new(), String::new(), String::new(), String::new()),
        Profile::Ipaws => (
            "<code>IPAWSv1.0</code>".into(),
            pair("eventCode", "SAME", "SVR"),
            pair("parameter", "CMAMtext", "Take shelter"),
            pair("geocode", "SAME", "006109"),
        ),
        Profile::CapCp => (
            "<code>profile:CAP-CP:0.4</code>".into(),
            pair("eventCode", "profile:CAP-CP:Event:0.4", "wind"),
            String::new(),
            pair("geocode", "profile:CAP-CP:Location:0.3", "3506008"),
        ),
        Profile::CapAu => (
            "<code>urn:oasis:names:tc:emergency:cap:1.2:profile:CAP-AU:1.0</code>".into(),
            pair("eventCode", "AUeventLIST", "wind"),
            String::new(),
            String::new(),
        ),
        Profile::MeteoAlarm => (
            String::new(),
            String::new(),
            pair("parameter", "awareness_level", "3; orange; Severe")
                + &pair("parameter", "awareness_type", "1; Wind"),
            pair("geocode", "EMMA_ID", "AT001"),
        ),
    };
    let infos = ["en-CA", "fr-CA"].map(|language| {
        let text = if language == "en-CA" { "wind" } else { "vent" };
        info(language, text, &codes, &parameters, &geocodes)
    });
    format!("{HEAD}{code}{REFERENCES}{}</alert>", infos.concat())
}

/// Rule, what is replaced everywhere, and by what; `A…B` is everything from each A to the next B.
type Case = (&'static str, &'static str, &'static str);

const GOOGLE: &[Case] = &[
    (
        "update-or-cancel-must-reference",
        "<references>…</references>",
        "",
    ),
    (
        "categories-must-match",
        "<category>Met</category><event>vent",
        "<category>Geo</category><event>vent",
    ),
    (
        "event-codes-must-match",
        "</certainty><expires>…<web>",
        "</certainty><eventCode><valueName>a</valueName><value>ONCE</value></eventCode><web>",
    ),
    ("info-is-required", "<info>…</alert>", "</alert>"),
    (
        "description-is-required",
        "<description>…</description>",
        "",
    ),
    ("web-is-required", "<web>…</web>", ""),
    ("expires-is-required", "<expires>…</expires>", ""),
    (
        "effective-not-after-expires",
        "<expires>2026-06-01T22",
        "<expires>2026-06-01T12",
    ),
    ("area-is-required", "<area>…</area>", ""),
    (
        "circle-polygon-or-geocode-is-required",
        "<circle>…</circle>",
        "",
    ),
    ("same-text-different-language", "vent d", "wind d"),
    (
        "sender-name-strongly-recommended",
        "<senderName>…</senderName>",
        "",
    ),
    (
        "response-type-strongly-recommended",
        "<responseType>…</responseType>",
        "",
    ),
    (
        "instruction-strongly-recommended",
        "<instruction>…</instruction>",
        "",
    ),
    ("circle-polygon-encouraged", "<circle>…</circle>", ""),
    ("test-alert-discouraged", "Actual", "Test"),
    ("headline-too-long", "wind h", LONG),
    ("headline-and-description-should-differ", "wind h", "wind d"),
    (
        "description-and-instruction-should-differ",
        "wind i",
        "wind d",
    ),
    ("unknown-urgency-discouraged", "Immediate", "Unknown"),
    ("unknown-severity-discouraged", "Severe", "Unknown"),
    ("unknown-certainty-discouraged", "Observed", "Unknown"),
    ("contact-is-recommended", "<contact>…</contact>", ""),
    ("nonzero-circle-radius-recommended", "104.5 12", "104.5 0"),
    ("events-in-same-language-should-match", "fr-CA", "en-CA"),
];
const LONG: &str = "wind wind wind wind wind wind wind wind wind wind wind wind wind wind wind wind wind wind wind wind wind \
    wind wind wind wind wind wind wind wind wind wind wind wind wind wind wind wind";

const IPAWS: &[Case] = &[
    ("code/ipawsv1.0", "IPAWSv1.0", "IPAWSv2.0"),
    (
        "sent/offset",
        "<sent>2026-06-01T16:00:00+08:00",
        "<sent>2026-06-01T08:00:00-00:00",
    ),
    (
        "expires/offset",
        "<expires>2026-06-01T22:00:00+08:00",
        "<expires>2026-06-01T14:00:00-00:00",
    ),
    ("info/required", "<info>…</alert>", "</alert>"),
    ("eventCode/same-once", "SVR", "SVRX"),
    ("expires/required", "<expires>…</expires>", ""),
    ("area/required", "<area>…</area>", ""),
    ("references/all-active", "<references>…</references>", ""),
    (
        "info/same-category",
        "<category>Met</category><event>vent",
        "<category>Geo</category><event>vent",
    ),
    (
        "info/same-eventCode",
        "<event>vent…SVR",
        "<event>vent</event><responseType>Shelter</responseType><urgency>Immediate</urgency><severity>Severe</severity><certainty>Observed</certainty><eventCode><valueName>SAME</valueName><value>TOR",
    ),
    (
        "info/ignored",
        "</eventCode><expires>",
        "</eventCode><onset>2026-06-01T17:00:00+08:00</onset><expires>",
    ),
    ("geocode/same6", "006109", "6109"),
    ("info/texts", "<instruction>…</instruction>", ""),
    ("parameter/cmam", "Take shelter", LONG),
];

const CAP_CP: &[Case] = &[
    ("code", "<code>profile", "<code>"),
    (
        "info/one-event",
        "<event>vent…wind</value>",
        "<event>vent</event><responseType>Shelter</responseType><urgency>Immediate</urgency><severity>Severe</severity><certainty>Observed</certainty><eventCode><valueName>profile:CAP-CP:Event:0.4</valueName><value>rain</value>",
    ),
    ("info/required", "<info>…</alert>", "</alert>"),
    ("eventCode/name", "CAP-CP:Event:0.4", "CAP-XX:Event:0.4"),
    ("area/required", "<area>…</area>", ""),
    ("geocode/location", "CAP-CP:Location", "CAP-XX:Location"),
    ("references/required", "<references>…</references>", ""),
    ("language/both", "fr-CA", "en-CA"),
    ("info/recommended", "<senderName>…</senderName>", ""),
    ("area/shape", "<circle>…</circle>", ""),
];

const CAP_AU: &[Case] = &[
    ("code", "CAP-AU:1.0", "CAP-AU:2.0"),
    ("info/required", "<info>…</alert>", "</alert>"),
    ("references/required", "<references>…</references>", ""),
    (
        "info/same-category",
        "<category>Met</category><event>vent",
        "<category>Geo</category><event>vent",
    ),
    (
        "info/same-eventCode",
        "<event>vent…wind</value>",
        "<event>vent</event><responseType>Shelter</responseType><urgency>Immediate</urgency><severity>Severe</severity><certainty>Observed</certainty><eventCode><valueName>AUeventLIST</valueName><value>rain</value>",
    ),
    ("eventCode/list", "AUeventLIST", "eventLIST"),
    ("info/same-event", "fr-CA", "en-CA"),
    (
        "effective/cancel",
        "Update…</eventCode>",
        "Cancel</msgType><scope>Public</scope><code>urn:oasis:names:tc:emergency:cap:1.2:profile:CAP-AU:1.0</code><info><category>Met</category><event>wind</event><urgency>Immediate</urgency><severity>Severe</severity><certainty>Observed</certainty><eventCode><valueName>AUeventLIST</valueName><value>wind</value></eventCode><effective>2026-06-01T16:00:00+08:00</effective>",
    ),
    ("area/required", "<area>…</area>", ""),
    ("sender/email", "warning@example.org", "bureau"),
    ("status/test", "Actual", "Test"),
    ("info/recommended", "<instruction>…</instruction>", ""),
];

const METEOALARM: &[Case] = &[
    ("parameter/awareness_level", "3; orange; Severe", "orange"),
    ("parameter/awareness_type", "1; Wind", "Wind"),
    ("geocode", "EMMA_ID", "SAME"),
];

const PROFILES: [(Profile, &str, &[Case]); 5] = [
    (Profile::Google, "GOOGLE-1.0", GOOGLE),
    (Profile::Ipaws, "IPAWS-1.0", IPAWS),
    (Profile::CapCp, "CAP-CP", CAP_CP),
    (Profile::CapAu, "CAP-AU", CAP_AU),
    (Profile::MeteoAlarm, "METEOALARM", METEOALARM),
];

fn changed(xml: &str, from: &str, to: &str) -> String {
    let Some((start, end)) = from.split_once('…') else {
        assert!(xml.contains(from), "the message has no {from}");
        return xml.replace(from, to);
    };
    // A value that is to stand once is put in once.
    let (mut out, mut rest, mut cuts) = (String::new(), xml, 0);
    while let Some(at) = rest.find(start) {
        let behind = &rest[at + start.len()..];
        let Some(length) = behind.find(end) else {
            break;
        };
        out.push_str(&rest[..at]);
        let to = if cuts > 0 {
            to.replace("ONCE", "TWICE")
        } else {
            to.to_owned()
        };
        out.push_str(&to);
        rest = &behind[length + end.len()..];
        cuts += 1;
    }
    assert!(cuts > 0, "the message has no {from}");
    out + rest
}

fn report(xml: &str, profile: Option<Profile>) -> Report {
    let feed = Feed {
        profile,
        ..Feed::default()
    };
    assess_from(xml.as_bytes(), NOW, &feed)
}

fn asked<'r>(report: &'r Report, prefix: &str) -> BTreeSet<&'r str> {
    let rules = report.findings.iter().map(|one| one.rule);
    rules.filter(|rule| rule.starts_with(prefix)).collect()
}

#[test]
fn a_message_that_keeps_its_profile_breaks_none_of_its_rules() {
    for (profile, prefix, _) in PROFILES {
        let report = report(&base(profile), Some(profile));
        assert_eq!(asked(&report, prefix), BTreeSet::new());
        assert!(
            report.alert.is_some() && report.conforming,
            "{:#?}",
            report.findings
        );
    }
}

#[test]
fn every_mutation_breaks_its_rule_and_only_who_asks_is_told() {
    for (profile, prefix, cases) in PROFILES {
        for (rule, from, to) in cases {
            let id = format!("{prefix}/{rule}");
            let xml = changed(&base(profile), from, to);
            let told = report(&xml, Some(profile));
            assert!(
                asked(&told, prefix).contains(&*id),
                "{id}: {:#?}",
                told.findings
            );
            let untold = report(&xml, None);
            assert_eq!(asked(&untold, prefix), BTreeSet::new());
            assert_eq!(
                told.conforming, untold.conforming,
                "{id} is not the standard's"
            );
        }
    }
}

#[test]
fn every_rule_of_a_profile_has_a_case() {
    for rule in rules() {
        let Some((prefix, cases)) = PROFILES.iter().find_map(|(_, prefix, cases)| {
            rule.id
                .starts_with(&format!("{prefix}/"))
                .then_some((prefix, cases))
        }) else {
            continue;
        };
        let name = &rule.id[prefix.len() + 1..];
        assert!(
            cases.iter().any(|case| case.0 == name),
            "{} has no case",
            rule.id
        );
    }
    let known = PROFILES
        .iter()
        .map(|(_, _, cases)| cases.len())
        .sum::<usize>();
    assert_eq!(known, 64, "and no case is of no rule");
}
