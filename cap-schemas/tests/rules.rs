//! One small mutation of a conforming message for every rule: the message as it stands keeps the rule, the mutant
//! breaks it, and the disposition is the one that the rule's kind of fault deserves.

#[path = "kit/base.rs"]
mod base;

use base::BASE;
use cap::Disposition::{self, Accept, AcceptWithWarnings as Warn, Quarantine, Reject};
use cap::{Bounds, Feed, Report, Seen, assess, assess_from, rules};

/// A minute after the message was sent.
const NOW: i64 = 1_780_300_860;

/// Rule, what is replaced, by what, and what becomes of the message.
type Case = (&'static str, &'static str, &'static str, Disposition);

const DOCUMENT: &[Case] = &[
    ("CAP-1.2/xml/well-formed", "</areaDesc>", "", Reject),
    ("CAP-1.2/xml/well-formed", "北川县", "&county;", Reject),
    ("CAP-1.2/xml/well-formed", "北川县", "]]>", Reject),
    ("CAP-1.2/xml/well-formed", "北川县", "\u{1}", Reject),
    (
        "CAP-1.2/xml/well-formed",
        "<areaDesc>",
        "<x:areaDesc>",
        Reject,
    ),
    (
        "CAP-1.2/xml/well-formed",
        "<areaDesc>",
        "<areaDesc a='1' a='2'>",
        Reject,
    ),
    (
        "CAP-1.2/xml/well-formed",
        "</alert>\n",
        "</alert><alert/>",
        Reject,
    ),
    (
        "CAP-1.2/xml/well-formed",
        "</alert>\n",
        "</alert>tail",
        Reject,
    ),
    ("CAP-1.2/xml/well-formed", "</alert>\n", "", Reject),
    (
        "CAP-1.2/xml/no-dtd",
        "<alert",
        "<!DOCTYPE alert [<!ENTITY a 'b'>]><alert",
        Reject,
    ),
    ("CAP-1.2/xml/encoding-unknown", "UTF-8", "UTF-7", Reject),
    ("CAP-1.2/xml/encoding-declared", "UTF-8", "UTF-16", Warn),
    ("CAP-1.2/xml/leading-blank", "<?xml", "\n\n<?xml", Warn),
    ("CAP-1.2/alert/root", "cap:1.2", "alerts:1.2", Reject),
    (
        "CAP-1.2/alert/root",
        " xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"",
        "",
        Reject,
    ),
    ("CAP-1.x/upgraded", "cap:1.2", "cap:1.1", Accept),
    (
        "CAP-1.2/alert/sequence",
        "<headline>暴雨红色预警</headline>",
        "<senderName>县气象台</senderName><headline/><event/>",
        Warn,
    ),
    (
        "CAP-1.2/alert/unknown-element",
        "<event>",
        "<events>1</events><event>",
        Warn,
    ),
    (
        "CAP-1.2/alert/unknown-element",
        "<event>",
        "<event xmlns='urn:other'>1</event><event>",
        Warn,
    ),
    (
        "CAP-1.2/alert/duplicate",
        "<event>",
        "<event>大风</event><event>",
        Warn,
    ),
    (
        "CAP-1.2/alert/duplicate",
        "<status>",
        "<status>Test</status><status>",
        Quarantine,
    ),
    ("CAP-1.2/alert/stray-text", "<area>", "<area>text", Warn),
    (
        "CAP-1.2/alert/attributes",
        "<area>",
        "<area id='1'>",
        Accept,
    ),
    (
        "CAP-1.2/alert/password",
        "</msgType>",
        "</msgType><password>p</password>",
        Warn,
    ),
    (
        "CAP-1.2/alert/signature/enveloped",
        "<area>",
        "<area><Signature xmlns='http://www.w3.org/2000/09/xmldsig#'/>",
        Warn,
    ),
    (
        "CAP-1.2/alert/signature/enveloped",
        "</alert>",
        "<Signature xmlns='http://www.w3.org/2000/09/xmldsig#'/></alert>",
        Warn,
    ),
];

const ALERT: &[Case] = &[
    (
        "CAP-1.2/alert/identifier/present",
        "51072741600000_20260601160000",
        " ",
        Quarantine,
    ),
    (
        "CAP-1.2/alert/identifier/charset",
        "51072741600000_20260601160000",
        "a b",
        Warn,
    ),
    (
        "CAP-1.2/alert/sender/present",
        "<sender>warning@example.org</sender>",
        "",
        Quarantine,
    ),
    (
        "CAP-1.2/alert/sender/charset",
        "<sender>warning",
        "<sender>a,b",
        Warn,
    ),
    (
        "CAP-1.2/alert/sent/present",
        "<sent>2026-06-01T16:00:00+08:00</sent>",
        "",
        Quarantine,
    ),
    (
        "CAP-1.2/alert/sent/format",
        "<sent>2026-06-01T16:00:00+08:00",
        "<sent>2026-06-01T08:00:00Z",
        Warn,
    ),
    (
        "CAP-1.2/alert/sent/format",
        "<sent>2026-06-01T16:00:00+08:00",
        "<sent>2026-06-01 16:00:00+08:00",
        Warn,
    ),
    (
        "CAP-1.2/alert/sent/format",
        "<sent>2026-06-01T16:00:00+08:00",
        "<sent>2026-06-01T16:00:00",
        Quarantine,
    ),
    (
        "CAP-1.2/alert/sent/utc-minus-zero",
        "<sent>2026-06-01T16:00:00+08:00",
        "<sent>2026-06-01T08:00:00+00:00",
        Accept,
    ),
    (
        "CAP-1.2/alert/sent/plausible",
        "<sent>2026-06",
        "<sent>2569-06",
        Warn,
    ),
    (
        "CAP-1.2/alert/sent/plausible",
        "<sent>2026-06-01T16:00",
        "<sent>2026-06-01T16:10",
        Warn,
    ),
    (
        "CAP-1.2/alert/sent/plausible",
        "<sent>2026-06",
        "<sent>2226-06",
        Quarantine,
    ),
    ("CAP-1.2/alert/status/enum", "Actual", "Actuall", Quarantine),
    ("CAP-1.2/alert/status/enum", "Actual", " Actual ", Warn),
    (
        "CAP-1.2/alert/status/exercise-note",
        "Actual",
        "Exercise",
        Accept,
    ),
    (
        "CAP-1.2/alert/msgType/enum",
        "<msgType>Update</msgType>",
        "",
        Quarantine,
    ),
    (
        "CAP-1.2/alert/scope/enum",
        "<scope>Public</scope>",
        "",
        Quarantine,
    ),
    (
        "CAP-1.2/alert/restriction/when",
        "Public",
        "Restricted",
        Warn,
    ),
    (
        "CAP-1.2/alert/restriction/when",
        "</scope>",
        "</scope><restriction>staff</restriction>",
        Warn,
    ),
    (
        "CAP-1.2/alert/addresses/when",
        "Public",
        "Private",
        Quarantine,
    ),
    (
        "CAP-1.2/alert/addresses/list",
        "</scope>",
        "</scope><addresses>one \"two three</addresses>",
        Warn,
    ),
    (
        "CAP-1.2/alert/incidents",
        "\"heavy rain\"",
        "\"heavy rain",
        Warn,
    ),
    (
        "CAP-1.2/alert/references/format",
        ",2026-06-01T12:00:00+08:00",
        ",yesterday",
        Warn,
    ),
    (
        "CAP-1.2/alert/references/joined",
        "12:00:00+08:00<",
        "12:00:00+08:00,warning@example.org,b,2026-06-01T13:00:00+08:00<",
        Warn,
    ),
    (
        "CAP-1.2/alert/references/empty",
        "warning@example.org,51072741600000_20260601120000,2026-06-01T12:00:00+08:00",
        "",
        Warn,
    ),
    (
        "CAP-1.2/alert/references/required",
        "warning@example.org,51072741600000_20260601120000,2026-06-01T12:00:00+08:00",
        "",
        Warn,
    ),
    (
        "CAP-1.2/alert/references/self",
        "20260601120000,2026-06-01T12:00",
        "20260601160000,2026-06-01T16:00",
        Warn,
    ),
    (
        "CAP-1.2/alert/references/postdated",
        "2026-06-01T12:00",
        "2026-06-02T12:00",
        Warn,
    ),
    (
        "CAP-1.2/alert/references/sent",
        "2026-06-01T12:00",
        "2026-06-01T16:00",
        Warn,
    ),
    (
        "CAP-1.2/alert/references/sender",
        "<references>warning",
        "<references>other",
        Warn,
    ),
    ("CAP-1.2/alert/error-note", "Update", "Error", Accept),
];

const INFO: &[Case] = &[
    ("CAP-1.2/info/language/rfc3066", "zh-CN", "zh_CN", Warn),
    (
        "CAP-1.2/info/language/default",
        "<language>zh-CN</language>",
        "",
        Warn,
    ),
    ("CAP-1.2/info/language/odd", "zh-CN", "zh-cn", Warn),
    ("CAP-1.2/info/language/odd", "zh-CN", "chinese", Warn),
    ("CAP-1.2/info/language/script", "zh-CN", "th-TH", Warn),
    (
        "CAP-1.2/info/stub",
        "</info>",
        "</info><info><language>zh-HK</language><event>暴雨</event></info>",
        Warn,
    ),
    (
        "CAP-1.2/info/zawgyi",
        "暴雨红色预警",
        "暴雨 \u{1031}\u{1019}",
        Accept,
    ),
    ("CAP-1.2/info/placeholder", "暴雨红色预警", "...", Warn),
    ("CAP-1.2/info/eventCode/placeholder", "FFW", "NWS", Accept),
    (
        "CAP-1.2/info/category/present",
        "<category>Met</category>",
        "",
        Warn,
    ),
    ("CAP-1.2/info/category/enum", "Met<", "Weather<", Warn),
    (
        "CAP-1.2/info/event/present",
        "<event>暴雨</event>",
        "<event/>",
        Warn,
    ),
    ("CAP-1.2/info/responseType/enum", "Evacuate", "Run", Warn),
    (
        "CAP-1.2/info/responseType/assess",
        "Evacuate",
        "Assess",
        Accept,
    ),
    ("CAP-1.2/info/urgency/enum", "Immediate", "Now", Warn),
    ("CAP-1.2/info/severity/enum", "Extreme", "High", Warn),
    (
        "CAP-1.2/info/certainty/enum",
        "<certainty>Observed</certainty>",
        "",
        Warn,
    ),
    (
        "CAP-1.2/info/certainty/very-likely",
        "Observed",
        "Very Likely",
        Warn,
    ),
    (
        "CAP-1.2/info/eventCode/pair",
        "<valueName>SAME</valueName>",
        "",
        Warn,
    ),
    (
        "CAP-1.2/info/parameter/pair",
        "<value>Red</value>",
        "",
        Warn,
    ),
    ("CAP-1.2/info/valueName/acronym", "SAME", "S.A.M.E.", Accept),
    (
        "CAP-1.2/info/effective/format",
        "<effective>2026-06-01T16:00:00+08:00",
        "<effective>today",
        Quarantine,
    ),
    (
        "CAP-1.2/info/onset/format",
        "<onset>2026-06-01T17:00:00+08:00",
        "<onset>2026-06-01T17:00:00.5+08:00",
        Warn,
    ),
    (
        "CAP-1.2/info/expires/format",
        "<expires>2026-06-01T22:00:00+08:00",
        "<expires>2026-06-31T22:00:00+08:00",
        Quarantine,
    ),
    (
        "CAP-1.2/info/expires/format",
        "<expires>2026-06-01T22:00:00+08:00",
        "<expires>",
        Warn,
    ),
    (
        "CAP-1.2/info/expires/absent",
        "<expires>2026-06-01T22:00:00+08:00</expires>",
        "",
        Warn,
    ),
    (
        "CAP-1.2/info/expires/order",
        "<onset>2026-06-01",
        "<onset>2026-06-02",
        Warn,
    ),
    (
        "CAP-1.2/info/expires/onset",
        "<onset>2026-06-01T17",
        "<onset>2026-06-01T22",
        Warn,
    ),
    (
        "CAP-1.2/info/expires/passed",
        "<expires>2026-06-01",
        "<expires>2026-05-01",
        Warn,
    ),
    (
        "CAP-1.2/info/headline/length",
        "暴雨红色预警",
        HEADLINE,
        Accept,
    ),
    (
        "CAP-1.2/info/web/absolute",
        "https://example.org/warning",
        "www.example.org",
        Warn,
    ),
    (
        "CAP-1.2/info/same-language-sequence",
        "</info>",
        SECOND,
        Warn,
    ),
    (
        "CAP-1.2/info/html-entities",
        "一百毫米",
        "&lt;b&gt;100&lt;/b&gt;",
        Warn,
    ),
    (
        "CAP-1.2/info/html-entities",
        "一百毫米",
        "100&amp;nbsp;mm",
        Warn,
    ),
    ("CAP-1.2/info/area/present", "</info>", SECOND, Warn),
];

const HEADLINE: &str = "暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨\
    暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨\
    暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨\
    暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨暴雨长";

/// Two more infos: one that weighs the same place differently, one without area.
const SECOND: &str = "</info><info><language>zh-CN</language><category>Met</category><event>暴雨</event>\
    <urgency>Future</urgency><severity>Minor</severity><certainty>Likely</certainty>\
    <expires>2026-06-01T22:00:00+08:00</expires><area><areaDesc>北川县</areaDesc>\
    <circle>31.5,104.5 3</circle></area></info><info><language>zh-CN</language><category>Met</category>\
    <event>大风</event><urgency>Future</urgency><severity>Minor</severity><certainty>Likely</certainty>\
    <expires>2026-06-01T22:00:00+08:00</expires></info>";

const RESOURCE: &[Case] = &[
    ("CAP-1.2/resource/resourceDesc", ">map<", "><", Warn),
    (
        "CAP-1.2/resource/mimeType",
        "<mimeType>image/png</mimeType>",
        "",
        Warn,
    ),
    ("CAP-1.2/resource/mimeType", "image/png", "picture", Warn),
    ("CAP-1.2/resource/size", "<size>6</size>", "", Accept),
    ("CAP-1.2/resource/size/number", "<size>6", "<size>-6", Warn),
    ("CAP-1.2/resource/uri", "org/map.png", "org/a map.png", Warn),
    (
        "CAP-1.2/resource/uri/relative",
        "https://example.org/map.png",
        "map.png",
        Warn,
    ),
    (
        "CAP-1.2/resource/derefUri/base64",
        "</uri>",
        "</uri><derefUri>Zm9v*</derefUri>",
        Warn,
    ),
    (
        "CAP-1.2/resource/derefUri/one-way",
        "</uri>",
        "</uri><derefUri>Zm9vYmFy</derefUri>",
        Accept,
    ),
    (
        "CAP-1.2/resource/digest/sha1",
        "</uri>",
        "</uri><derefUri>Zm9v</derefUri>",
        Warn,
    ),
    (
        "CAP-1.2/resource/digest/sha1",
        "<digest>88",
        "<digest>zz",
        Warn,
    ),
];

const AREA: &[Case] = &[
    ("CAP-1.2/area/areaDesc/present", "北川县", "", Warn),
    (
        "CAP-1.2/area/polygon/format",
        "31.0,105.0",
        "31.0;105.0",
        Warn,
    ),
    (
        "CAP-1.2/area/polygon/format",
        "31.0,105.0",
        "31.0,1e2",
        Warn,
    ),
    (
        "CAP-1.2/area/polygon/empty",
        "31.0,104.0 31.0,105.0 32.0,105.0 32.0,104.0 31.0,104.0",
        " ",
        Accept,
    ),
    (
        "CAP-1.2/area/polygon/min4",
        "31.0,105.0 32.0,105.0 32.0,104.0",
        "31.0,105.0",
        Warn,
    ),
    (
        "CAP-1.2/area/polygon/closed",
        "32.0,104.0 31.0,104.0<",
        "32.0,104.0<",
        Warn,
    ),
    (
        "CAP-1.2/area/polygon/range",
        "31.0,105.0",
        "91.0,105.0",
        Warn,
    ),
    (
        "CAP-1.2/area/polygon/simple",
        "31.0,105.0 32.0,105.0",
        "32.0,105.0 31.0,105.0",
        Warn,
    ),
    ("CAP-1.2/area/circle/format", "104.5 12.5", "104.5", Warn),
    ("CAP-1.2/area/circle/format", "104.5 12.5", "104.5 -1", Warn),
    (
        "CAP-1.2/area/circle/range",
        "31.5,104.5",
        "131.5,104.5",
        Warn,
    ),
    ("CAP-1.2/area/circle/zero", "104.5 12.5", "104.5 0", Warn),
    (
        "CAP-1.2/area/geocode/pair",
        "<valueName>CPEAS Geographic Code</valueName>",
        "",
        Warn,
    ),
    (
        "CAP-1.2/area/geocode/empty",
        "<value>510726000000</value>",
        "<value/>",
        Accept,
    ),
    ("CAP-1.2/area/geocode/with-shape", SHAPES, "", Accept),
    (
        "CAP-1.2/area/geocode/unknown-name",
        "CPEAS Geographic Code",
        "Parish",
        Accept,
    ),
    (
        "CAP-1.2/area/geocode/exclude-polygon",
        "CPEAS Geographic Code",
        "EXCLUDE_POLYGON",
        Accept,
    ),
    ("CAP-1.2/area/bare", SHAPES_AND_CODE, "", Warn),
    (
        "CAP-1.2/area/altitude",
        "<altitude>1000",
        "<altitude>1e3",
        Warn,
    ),
    (
        "CAP-1.2/area/altitude-ceiling",
        "<altitude>1000</altitude>",
        "",
        Warn,
    ),
    ("CAP-1.2/area/ceiling-order", "2000.5", "200", Warn),
];

const SHAPES: &str = "<polygon>31.0,104.0 31.0,105.0 32.0,105.0 32.0,104.0 31.0,104.0</polygon>
      <circle>31.5,104.5 12.5</circle>";
const SHAPES_AND_CODE: &str =
    "<polygon>31.0,104.0 31.0,105.0 32.0,105.0 32.0,104.0 31.0,104.0</polygon>
      <circle>31.5,104.5 12.5</circle>
      <geocode><valueName>CPEAS Geographic Code</valueName><value>510726000000</value></geocode>";

/// Rules with a test of their own, below or in `hazards.rs`.
const ELSEWHERE: [&str; 10] = [
    "CAP-1.2/alert/identifier/unique",
    "CAP-1.2/alert/identifier/repeated",
    "CAP-1.2/alert/references/resolvable",
    "CAP-1.2/alert/scope/private-feed",
    "CAP-1.2/area/polygon/swapped",
    "CAP-1.2/alert/empty",
    "CAP-1.2/xml/encoding",
    "CAP-1.2/xml/limit",
    "CAP-1.2/report/cut",
    "CAP-1.2/alert/info/public",
];

fn cases() -> impl Iterator<Item = &'static Case> {
    [DOCUMENT, ALERT, INFO, RESOURCE, AREA]
        .into_iter()
        .flatten()
}

fn broken(report: &Report) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.rule).collect()
}

fn without_infos(xml: &str) -> String {
    let (head, rest) = xml.split_once("<info>").unwrap();
    format!("{head}{}", rest.split_once("</info>").unwrap().1)
}

#[test]
fn the_message_as_it_stands_keeps_every_rule() {
    let report = assess(BASE.as_bytes(), NOW);
    assert_eq!(report.findings, []);
    assert!(report.conforming);
    assert_eq!(report.disposition, Accept);
}

#[test]
fn every_mutation_breaks_its_rule_and_meets_its_disposition() {
    for (rule, from, to, disposition) in cases() {
        assert!(BASE.contains(from), "{rule}: the message has no {from}");
        let report = assess(BASE.replacen(from, to, 1).as_bytes(), NOW);
        assert!(
            broken(&report).contains(rule),
            "{rule} {to}: {:#?}",
            report.findings
        );
        assert_eq!(
            report.disposition, *disposition,
            "{rule} {to}: {:#?}",
            report.findings
        );
        let mandatory = cap::rule(rule).unwrap().mandatory;
        assert!(!(mandatory && report.conforming), "{rule} {to}");
    }
}

#[test]
fn every_rule_has_a_case() {
    for rule in rules().filter(|rule| rule.id.starts_with("CAP-1.")) {
        let tabled = cases().any(|case| case.0 == rule.id);
        assert!(
            tabled || ELSEWHERE.contains(&rule.id),
            "{} has no case",
            rule.id
        );
    }
}

#[test]
fn an_alert_without_info_carries_no_warning_but_a_cancel_may_do_without() {
    let update = assess(without_infos(BASE).as_bytes(), NOW);
    assert_eq!(broken(&update), ["CAP-1.2/alert/info/public"]);
    let cancel = assess(
        without_infos(BASE).replace("Update", "Cancel").as_bytes(),
        NOW,
    );
    assert_eq!(broken(&cancel), Vec::<&str>::new());
}

#[test]
fn what_went_before_tells_a_repeat_from_a_contradiction() {
    let mut seen = Seen::default();
    let mut told = |xml: &str| {
        let mut report = assess(xml.as_bytes(), NOW);
        seen.note(&mut report);
        (broken(&report), report.disposition)
    };
    assert_eq!(
        told(BASE),
        (vec!["CAP-1.2/alert/references/resolvable"], Accept)
    );
    assert!(told(BASE).0.contains(&"CAP-1.2/alert/identifier/repeated"));
    let other = BASE.replacen("Extreme", "Minor", 1);
    let (rules, disposition) = told(&other);
    assert!(rules.contains(&"CAP-1.2/alert/identifier/unique"));
    assert_eq!(disposition, Quarantine);
    let earlier = BASE.replacen("20260601160000", "20260601120000", 1);
    told(&earlier);
    let next = BASE.replacen("20260601160000", "20260601170000", 1);
    assert_eq!(told(&next), (Vec::new(), Accept));
}

#[test]
fn what_is_known_of_a_feed_holds_what_the_message_alone_cannot_show() {
    let known = |feed: Feed, xml: &str| {
        let report = assess_from(xml.as_bytes(), NOW, &feed);
        (broken(&report), report.disposition)
    };
    let public = Feed {
        public: true,
        ..Feed::default()
    };
    let private = BASE.replacen(
        "Public</scope>",
        "Private</scope><addresses>duty</addresses>",
        1,
    );
    let refused = (vec!["CAP-1.2/alert/scope/private-feed"], Reject);
    assert_eq!(known(public, &private), refused);
    assert_eq!(known(public, BASE), (Vec::new(), Accept));
    assert_eq!(known(Feed::default(), &private).1, Accept);

    let country = Feed {
        country: Some(Bounds {
            south: 5.0,
            west: 33.0,
            north: 32.5,
            east: 110.0,
        }),
        ..Feed::default()
    };
    let swapped = BASE.replacen(
        "31.0,104.0 31.0,105.0 32.0,105.0 32.0,104.0 31.0,104.0",
        "41.0,31.0 41.0,32.0 42.0,32.0 42.0,31.0 41.0,31.0",
        1,
    );
    let held = (vec!["CAP-1.2/area/polygon/swapped"], Quarantine);
    assert_eq!(known(country, &swapped), held);
    assert_eq!(known(country, BASE), (Vec::new(), Accept));
}

#[test]
fn an_empty_alert_is_no_message_and_nobody_has_to_look() {
    let report = assess(
        b"<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'> </alert>",
        NOW,
    );
    assert_eq!(broken(&report), ["CAP-1.2/alert/empty"]);
    assert_eq!(report.disposition, Reject);
}

#[test]
fn an_alert_that_never_was_text_is_checked_the_same() {
    let mut alert = assess(BASE.as_bytes(), NOW).alert.unwrap();
    assert_eq!(cap::check(&alert, NOW), []);
    alert.identifier.clear();
    let info = &mut alert.infos[0];
    info.language = "zh_CN".into();
    info.categories.clear();
    let area = &mut info.areas[0];
    area.polygons[0].points.pop();
    area.circles[0].radius = f64::NAN;
    let found: Vec<_> = cap::check(&alert, NOW)
        .into_iter()
        .map(|finding| finding.rule)
        .collect();
    assert_eq!(
        found,
        [
            "CAP-1.2/alert/identifier/present",
            "CAP-1.2/info/language/rfc3066",
            "CAP-1.2/info/category/present",
            "CAP-1.2/area/polygon/closed",
            "CAP-1.2/area/circle/format"
        ]
    );
}

#[test]
fn no_finding_quotes_who_sent_it() {
    let xml = BASE.replacen(
        "<sender>warning@example.org",
        "<sender>warning@ example.org",
        1,
    );
    let xml = xml.replacen(
        "<references>warning@example.org,",
        "<references>warning@example.org",
        1,
    );
    let report = assess(xml.as_bytes(), NOW);
    assert!(report.findings.len() > 1);
    assert!(
        report
            .findings
            .iter()
            .all(|finding| !finding.en.contains('@') && !finding.zh.contains('@'))
    );
    assert!(!format!("{:?}", report.alert).contains('@'));
}

#[test]
fn findings_say_where_in_the_text_they_are() {
    for (from, to, path, at) in [
        ("Extreme", "High", "/alert/info[1]/severity", "<severity>"),
        (
            "104.5 12.5",
            "104.5 0",
            "/alert/info[1]/area[1]/circle[1]",
            "<circle>",
        ),
        ("Public", "Restricted", "/alert/restriction", "<alert"),
        (
            "\"heavy rain\"",
            "\"heavy rain",
            "/alert/incidents",
            "<incidents>",
        ),
    ] {
        let xml = BASE.replacen(from, to, 1);
        let report = assess(xml.as_bytes(), NOW);
        let finding = report.findings.first().unwrap();
        assert_eq!(
            (finding.path.as_str(), finding.position),
            (path, xml.find(at)),
            "{finding:?}"
        );
    }
}

#[test]
fn all_findings_come_at_once_in_both_languages() {
    let mut xml = BASE.to_owned();
    for (from, to) in [
        ("Extreme", "High"),
        ("Evacuate", "Run"),
        ("104.5 12.5", "104.5"),
        ("Public", "Secret"),
    ] {
        xml = xml.replacen(from, to, 1);
    }
    let report = assess(xml.as_bytes(), NOW);
    assert_eq!(
        broken(&report)[..4],
        [
            "CAP-1.2/alert/scope/enum",
            "CAP-1.2/info/responseType/enum",
            "CAP-1.2/info/severity/enum",
            "CAP-1.2/area/circle/format"
        ]
    );
    assert!(
        report
            .findings
            .iter()
            .all(|finding| !finding.en.is_empty() && !finding.zh.is_ascii())
    );
}
