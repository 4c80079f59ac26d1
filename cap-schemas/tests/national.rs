//! GB/T 35965.1: what its message becomes in CAP's model, and one small mutation of a conforming message for every rule of
//! its own.

#[path = "kit/national.rs"]
mod message;

use cap::Disposition::{self, Accept, AcceptWithWarnings as Warn, Quarantine};
use cap::{MsgType, Pair, Report, Scope, Severity, Version, assess, rules, write};
use message::NATIONAL as BASE;

/// A minute after the message was sent.
const NOW: i64 = 1_780_300_860;

/// Rule, what is replaced, by what, and what becomes of the message.
type Case = (&'static str, &'static str, &'static str, Disposition);

const CASES: &[Case] = &[
    (
        "alert/sequence",
        "<note>升级</note>",
        "<references/><note>升级</note>",
        Warn,
    ),
    (
        "alert/unknown-element",
        "<note>升级</note>",
        "<sent>now</sent>",
        Warn,
    ),
    ("alert/duplicate", "<note>", "<note>一</note><note>", Warn),
    (
        "alert/duplicate",
        "<status>",
        "<status>Test</status><status>",
        Quarantine,
    ),
    ("alert/stray-text", "<info>", "<info>text", Warn),
    ("alert/attributes", "<info>", "<info id='1'>", Accept),
    (
        "alert/identifier/present",
        "<identifier>51072741600000_20260601160000",
        "<identifier>",
        Quarantine,
    ),
    (
        "alert/identifier/format",
        "_20260601160000</identifier>",
        "-1</identifier>",
        Warn,
    ),
    (
        "alert/sender/present",
        "<sender>平武县气象台</sender>",
        "",
        Warn,
    ),
    (
        "alert/senderCode/present",
        "<senderCode>51072741600000</senderCode>",
        "",
        Warn,
    ),
    (
        "alert/senderCode/format",
        "<senderCode>51072741600000",
        "<senderCode>510727",
        Warn,
    ),
    (
        "alert/senderCode/identifier",
        "<senderCode>51072741600000",
        "<senderCode>51072633200000",
        Warn,
    ),
    (
        "alert/sendTime/present",
        "<sendTime>2026-06-01 16:00:00+08:00</sendTime>",
        "",
        Quarantine,
    ),
    (
        "alert/sendTime/format",
        "<sendTime>2026-06-01 16",
        "<sendTime>2026-06-01T16",
        Warn,
    ),
    (
        "alert/sendTime/format",
        "16:00:00+08:00</sendTime>",
        "16:00:00</sendTime>",
        Warn,
    ),
    (
        "alert/sendTime/format",
        "<sendTime>2026-06-01 16",
        "<sendTime>2026-06-01 下午4",
        Quarantine,
    ),
    (
        "alert/sendTime/plausible",
        "<sendTime>2026-06-01 16:00",
        "<sendTime>2026-06-01 16:10",
        Warn,
    ),
    ("alert/status/enum", "Actual", "System", Quarantine),
    ("alert/status/enum", "Actual", "实际", Quarantine),
    ("alert/msgType/enum", "Update", "Alarm", Quarantine),
    ("alert/scope/public", "Public", "Restricted", Quarantine),
    (
        "alert/scope/public",
        "<scope>Public</scope>",
        "",
        Quarantine,
    ),
    (
        "alert/code/method",
        "<methodName>SMS</methodName>",
        "",
        Warn,
    ),
    ("alert/code/methodName", "SPEAKER", "DRUM", Accept),
    (
        "alert/secClassification/enum",
        ">None<",
        ">Secret<",
        Quarantine,
    ),
    ("alert/secClassification/inner", ">None<", ">Inner<", Warn),
    (
        "alert/references/format",
        "<references>51072741600000_",
        "<references>51072741600000,",
        Warn,
    ),
    (
        "alert/references/required",
        "<references>51072741600000_20260601120000",
        "<references>",
        Warn,
    ),
    (
        "alert/references/self",
        "20260601120000<",
        "20260601160000<",
        Warn,
    ),
    ("alert/info/present", "<info>…</info>", "", Warn),
    ("info/language", "zh-CN", "zh_CN", Warn),
    (
        "info/eventType/present",
        "<eventType>11B03",
        "<eventType>",
        Warn,
    ),
    ("info/eventType/format", "11B03", "暴雨", Warn),
    ("info/eventType/unknown", "11B03", "11B98", Accept),
    ("info/severity/enum", "Red", "White", Warn),
    ("info/severity/enum", "Red", "Extreme", Warn),
    ("info/severity/enum", "<severity>Red</severity>", "", Warn),
    (
        "info/urgency/enum",
        "<urgency>Unknown",
        "<urgency>Now",
        Warn,
    ),
    (
        "info/certainty/enum",
        "<certainty>Unknown",
        "<certainty>Sure",
        Warn,
    ),
    (
        "info/effective/format",
        "<effective>2026-06-01 ",
        "<effective>2026-06-01T",
        Warn,
    ),
    (
        "info/onset/format",
        "<onset>2026-06-01 17:00:00",
        "<onset>2026-06-01 17:00",
        Warn,
    ),
    (
        "info/expires/format",
        "<expires>2026-06-01 22",
        "<expires>2026-06-01 32",
        Quarantine,
    ),
    (
        "info/expires/absent",
        "<expires>2026-06-01 22:00:00+08:00</expires>",
        "",
        Warn,
    ),
    (
        "info/expires/order",
        "<expires>2026-06-01 22",
        "<expires>2026-06-01 16",
        Warn,
    ),
    (
        "info/expires/onset",
        "<expires>2026-06-01 22",
        "<expires>2026-06-01 17",
        Warn,
    ),
    (
        "info/expires/passed",
        "<expires>2026-06-01 22",
        "<expires>2026-05-01 22",
        Warn,
    ),
    ("info/headline", "<headline>…</headline>", "", Warn),
    (
        "info/html-entities",
        "一百毫米",
        "&lt;b&gt;100&lt;/b&gt;",
        Warn,
    ),
    ("info/placeholder", "请立即转移到高处。", "……", Warn),
    (
        "resource/resourceDesc",
        "51072741600000_20260601160000_O_01.jpg",
        "",
        Warn,
    ),
    ("resource/size", "<size>6", "<size>six", Warn),
    ("resource/digest", "<digest>88", "<digest>zz", Warn),
    ("info/area/present", "<area>…</area>", "", Warn),
    ("area/areaDesc", "<areaDesc>平武县</areaDesc>", "", Warn),
    ("area/bare", "<polygon>…</geocode>", "", Warn),
    ("area/polygon/format", "31.0,105.0", "31.0;105.0", Warn),
    (
        "area/polygon/min4",
        "31.0,105.0 32.0,105.0 32.0,104.0",
        "31.0,105.0",
        Warn,
    ),
    (
        "area/polygon/closed",
        "32.0,104.0 31.0,104.0<",
        "32.0,104.0<",
        Warn,
    ),
    ("area/polygon/range", "31.0,105.0", "91.0,105.0", Warn),
    (
        "area/polygon/simple",
        "31.0,105.0 32.0,105.0",
        "32.0,105.0 31.0,105.0",
        Warn,
    ),
    ("area/circle/format", "104.5 12500", "104.5", Warn),
    ("area/circle/range", "32.4,104.5", "132.4,104.5", Warn),
    ("area/circle/zero", "12500", "0", Warn),
    ("area/geocode/format", ",510727100<", ",5107271<", Warn),
    ("area/geocode/empty", "510727000000,510727100", "", Accept),
    (
        "area/geocode/repeated",
        ",510727100<",
        ",510727000000<",
        Accept,
    ),
];

/// The message with one thing replaced; `A…B` is everything from A to the next B.
fn mutant(from: &str, to: &str) -> String {
    let (start, end) = from.split_once('…').unwrap_or((from, ""));
    let at = BASE
        .find(start)
        .unwrap_or_else(|| panic!("the message has no {from}"));
    let rest = &BASE[at + start.len()..];
    let after = rest.find(end).expect("what is cut out ends") + end.len();
    format!("{}{to}{}", &BASE[..at], &rest[after..])
}

fn broken(report: &Report) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.rule).collect()
}

#[test]
fn the_message_as_it_stands_conforms() {
    let report = assess(BASE.as_bytes(), NOW);
    assert_eq!(broken(&report), ["GBT-35965.1/read"]);
    assert!(report.conforming);
    assert_eq!(report.disposition, Accept);
}

#[test]
fn every_mutation_breaks_its_own_rule_and_meets_its_disposition() {
    for (rule, from, to, disposition) in CASES {
        let id = format!("GBT-35965.1/{rule}");
        let known = cap::rule(&id).unwrap_or_else(|| panic!("{id} is no rule"));
        let report = assess(mutant(from, to).as_bytes(), NOW);
        assert!(
            broken(&report).contains(&&*id),
            "{id} {to}: {:#?}",
            report.findings
        );
        assert_eq!(
            report.disposition, *disposition,
            "{id} {to}: {:#?}",
            report.findings
        );
        assert!(!(known.mandatory && report.conforming), "{id} {to}");
        assert!(
            broken(&report)
                .iter()
                .all(|rule| !rule.starts_with("CAP-1.2/info")),
            "{id} {to} is told in the standard's own words: {:?}",
            broken(&report)
        );
    }
}

#[test]
fn every_rule_of_its_own_has_a_case() {
    for rule in rules().filter(|rule| rule.id.starts_with("GBT-")) {
        let name = rule.id.trim_start_matches("GBT-35965.1/");
        let tabled = CASES.iter().any(|case| case.0 == name);
        let elsewhere = ["read", "alert/note/cancel"].contains(&name);
        assert!(tabled || elsewhere, "{} has no case", rule.id);
    }
}

#[test]
fn a_cancel_gives_its_reason() {
    let cancel = BASE.replacen("Update", "Cancel", 1);
    assert_eq!(
        broken(&assess(cancel.as_bytes(), NOW)),
        ["GBT-35965.1/read"]
    );
    let silent = cancel.replacen("<note>升级</note>", "", 1);
    let report = assess(silent.as_bytes(), NOW);
    assert_eq!(
        broken(&report),
        ["GBT-35965.1/read", "GBT-35965.1/alert/note/cancel"]
    );
    assert_eq!((report.disposition, report.conforming), (Warn, false));
}

#[test]
fn it_becomes_an_alert_of_the_one_model() {
    let alert = assess(BASE.as_bytes(), NOW).alert.unwrap();
    assert_eq!(alert.version, Version::Gbt);
    assert_eq!(alert.sender, "51072741600000");
    assert_eq!(alert.sent.to_string(), "2026-06-01T16:00:00+08:00");
    assert_eq!(
        (alert.msg_type, alert.scope),
        (MsgType::Update, Scope::Public)
    );
    let reference = &alert.references[0];
    assert_eq!(
        (&*reference.sender, &*reference.identifier, reference.sent),
        ("51072741600000", "51072741600000_20260601120000", None)
    );
    let info = &alert.infos[0];
    assert_eq!((&*info.event, info.severity), ("暴雨", Severity::Extreme));
    assert_eq!(info.sender_name.as_deref(), Some("平武县气象台"));
    assert_eq!(cap::china::colour(info), Some(cap::china::Colour::Red));
    assert_eq!(cap::china::event_code(info), Some("11B03"));
    let parameter = |name: &str| {
        let found = info.parameters.iter().find(|pair| pair.name == name);
        found.map(|pair| pair.value.as_str())
    };
    assert_eq!(parameter("message SMS"), Some("请立即转移"));
    assert_eq!(parameter("audienceGrp SMS"), Some("1,2"));
    assert_eq!(parameter("message SPEAKER"), None);
    let area = &info.areas[0];
    assert_eq!(cap::china::regions(area), ["510727000000", "510727100000"]);
    assert!(
        (area.circles[0].radius - 12.5).abs() < 1e-9,
        "metres become kilometres"
    );
    assert!(
        !write(&alert).contains("签发员甲"),
        "the name of who signed is nowhere needed"
    );
}

#[test]
fn what_is_not_plainly_public_is_restricted() {
    for (from, to) in [
        (">None<", ">Inner<"),
        (">None<", ">机密<"),
        ("Public", "Private"),
    ] {
        let report = assess(BASE.replacen(from, to, 1).as_bytes(), NOW);
        let alert = report.alert.unwrap();
        assert_eq!(alert.scope, Scope::Restricted, "{to}");
        assert!(alert.restriction.is_some());
    }
}

#[test]
fn single_numbers_are_addresses_and_are_shown_nowhere() {
    let number = "19900000001";
    let xml = BASE.replacen(
        "<audenceprt/>",
        &format!("<audenceprt>{number},{number}</audenceprt>"),
        1,
    );
    let report = assess(xml.as_bytes(), NOW);
    let alert = report.alert.unwrap();
    assert_eq!(alert.addresses, [number]);
    assert!(!format!("{alert:?} {:?}", report.findings).contains(number));
}

#[test]
fn a_namespace_of_the_platform_a_prefix_and_chinese_encodings_change_nothing() {
    let plain = assess(BASE.as_bytes(), NOW).alert.unwrap();
    let vendor = BASE.replacen("<alert>", "<alert xmlns='http://com.icss.amp'>", 1);
    assert!(assess(vendor.as_bytes(), NOW).alert.unwrap() == plain);
    for label in ["GBK", "GB18030"] {
        let xml = BASE.replacen("UTF-8", label, 1);
        let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap();
        let report = assess(&encoding.encode(&xml).0, NOW);
        assert_eq!(broken(&report), ["GBT-35965.1/read"], "{label}");
        assert!(report.alert.unwrap() == plain, "{label}");
    }
    let other = BASE.replacen("<alert>", "<alert xmlns='urn:other'>", 1);
    assert_eq!(
        broken(&assess(other.as_bytes(), NOW)),
        ["CAP-1.2/alert/root"]
    );
}

#[test]
fn codes_of_fourteen_digits_lose_the_zeros_that_say_nothing() {
    let xml = BASE.replacen("510727100<", "62102300000000<", 1);
    let alert = assess(xml.as_bytes(), NOW).alert.unwrap();
    let code = Pair {
        name: "GB/T 2260".into(),
        value: "621023000000".into(),
    };
    assert_eq!(alert.infos[0].areas[0].geocodes[1], code);
}

#[test]
fn it_is_written_as_cap_and_reads_back_as_the_same_warning() {
    let alert = assess(BASE.as_bytes(), NOW).alert.unwrap();
    let back = cap::read(write(&alert).as_bytes()).alert.unwrap();
    let as_cap = cap::Alert {
        version: Version::V1_2,
        ..alert
    };
    assert!(back == as_cap);
}
