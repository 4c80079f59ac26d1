//! What feeds of the world do beside the standard, and what becomes of a message that does it: a row each. The rows are
//! also the table in `SURPRISES.md`, which this test holds to them; `TOCSIN_REWRITE=1` writes it anew.

#[path = "kit/base.rs"]
mod base;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use base::BASE;
use cap::Disposition::{self, Accept, AcceptWithWarnings as Warn, Quarantine, Reject};
use cap::{Bounds, Feed, Report, Seen, assess_from, open};

/// A minute after the message was sent.
const NOW: i64 = 1_780_300_860;

/// What is known of the feed that a row comes from.
#[derive(Clone, Copy, PartialEq)]
enum From {
    Anywhere,
    /// Its times leave out +08:00.
    Zone,
    /// Its country lies between 3 and 54 degrees north, 73 and 136 east.
    Country,
    /// Anyone reads it.
    Public,
}

/// Number, what is done, how the conforming message is changed to do it, from where, what becomes of it, and the findings.
type Row = (
    u8,
    &'static str,
    &'static [(&'static str, &'static str)],
    From,
    Disposition,
    &'static [&'static str],
);

const SENT: &str = "<sent>2026-06-01T16:00:00+08:00";
const RING: &str = "31.0,104.0 31.0,105.0 32.0,105.0 32.0,104.0 31.0,104.0";
const REFERENCE: &str =
    "warning@example.org,51072741600000_20260601120000,2026-06-01T12:00:00+08:00";
const SIGNATURE: &str = "<info>";
const SIGNED: &str =
    "<Signature xmlns='http://www.w3.org/2000/09/xmldsig#'><SignedInfo/></Signature><info>";
/// A second info of the same language, for another place.
const ANOTHER: &str = "</info><info><language>zh-CN</language><category>Met</category><event>暴雨</event>\
    <urgency>Future</urgency><severity>Minor</severity><certainty>Likely</certainty>\
    <expires>2026-06-01T22:00:00+08:00</expires><area><areaDesc>青川县</areaDesc>\
    <circle>32.6,105.2 10</circle></area></info>";

#[rustfmt::skip]
const ROWS: &[Row] = &[
    (1, "UTC as `+00:00`", &[(SENT, "<sent>2026-06-01T08:00:00+00:00")], From::Anywhere, Accept, &["alert/sent/utc-minus-zero"]),
    (2, "a time with `Z`", &[(SENT, "<sent>2026-06-01T08:00:00Z")], From::Anywhere, Warn, &["alert/sent/format"]),
    (2, "a time with a fraction", &[(SENT, "<sent>2026-06-01T16:00:00.250+08:00")], From::Anywhere, Warn, &["alert/sent/format"]),
    (2, "an offset without its colon", &[(SENT, "<sent>2026-06-01T16:00:00+0800")], From::Anywhere, Warn, &["alert/sent/format"]),
    (2, "blanks around a time", &[(SENT, "<sent>\n 2026-06-01T16:00:00+08:00 ")], From::Anywhere, Accept, &[]),
    (2, "no offset, from a feed whose zone is known", &[(SENT, "<sent>2026-06-01T16:00:00")], From::Zone, Warn, &["alert/sent/format"]),
    (2, "no offset, from anywhere", &[(SENT, "<sent>2026-06-01T16:00:00")], From::Anywhere, Quarantine, &["alert/sent/format"]),
    (2, "a colon for the `T`", &[(SENT, "<sent>2026-06-01:16:00-00:00")], From::Anywhere, Quarantine, &["alert/sent/format"]),
    (2, "a date of RSS", &[(SENT, "<sent>Mon, 01 Jun 2026 16:00:00 +0800")], From::Anywhere, Quarantine, &["alert/sent/format"]),
    (2, "a Chinese hour of the afternoon", &[(SENT, "<sent>2026-06-01 下午4:00:00+08:00")], From::Anywhere, Quarantine, &["alert/sent/format"]),
    (3, "a Buddhist-era year", &[("<sent>2026", "<sent>2569")], From::Anywhere, Warn, &["alert/sent/plausible"]),
    (3, "a year two centuries ahead", &[("<sent>2026", "<sent>2226")], From::Anywhere, Quarantine, &["alert/sent/plausible", "info/expires/order"]),
    (4, "latitude and longitude swapped, out of range", &[(RING, "104.0,31.0 105.0,31.0 105.0,32.0 104.0,31.0")], From::Anywhere, Warn, &["area/polygon/range"]),
    (4, "some pairs out of range", &[(RING, "104.0,31.0 31.0,105.0 32.0,105.0 104.0,31.0")], From::Anywhere, Warn, &["area/polygon/range"]),
    (4, "latitude and longitude swapped, in range", &[(RING, "41.0,73.5 41.0,90.0 53.0,90.0 41.0,73.5")], From::Country, Accept, &[]),
    (4, "latitude and longitude swapped, in range, outside the country", &[(RING, "80.0,31.0 81.0,31.0 81.0,32.0 80.0,31.0")], From::Country, Quarantine, &["area/polygon/swapped"]),
    (5, "an open polygon of three points", &[(RING, "31.0,104.0 31.0,105.0 32.0,105.0")], From::Anywhere, Warn, &["area/polygon/closed"]),
    (5, "a polygon of two points", &[(RING, "31.0,104.0 31.0,105.0")], From::Anywhere, Warn, &["area/polygon/min4"]),
    (6, "closed as numbers, not as texts", &[("31.0,104.0<", "31.00,104.000<")], From::Anywhere, Accept, &[]),
    (7, "an empty polygon", &[(RING, "")], From::Anywhere, Accept, &["area/polygon/empty"]),
    (7, "an empty geocode", &[("<value>510726000000</value>", "<value/>")], From::Anywhere, Accept, &["area/geocode/empty"]),
    (8, "a pair with a bracket in it", &[("31.0,105.0", "8.72977),-68.13409 31.0,105.0")], From::Anywhere, Warn, &["area/polygon/format"]),
    (9, "a longitude beyond 180", &[(RING, "61.0,-180.005 62.0,-179.0 63.0,-179.0 61.0,-180.005")], From::Anywhere, Warn, &["area/polygon/range"]),
    (10, "tabs and line feeds between coordinates", &[("31.0,105.0 32.0", "\n\t31.0,105.0\t \n 32.0")], From::Anywhere, Accept, &[]),
    (10, "line feeds between references", &[(REFERENCE, "\n  warning@example.org,51072741600000_20260601120000,2026-06-01T12:00:00+08:00\n")], From::Anywhere, Accept, &[]),
    (11, "a polygon that crosses itself", &[("31.0,105.0 32.0,105.0", "32.0,105.0 31.0,105.0")], From::Anywhere, Warn, &["area/polygon/simple"]),
    (12, "fifteen decimals and repeated points", &[("31.0,105.0", "31.000000000000001,105.0 31.000000000000001,105.0")], From::Anywhere, Accept, &[]),
    (12, "a polygon without extent", &[(RING, "31.0,104.0 31.0,104.0 31.0,104.0 31.0,104.0")], From::Anywhere, Accept, &[]),
    (13, "a circle of radius 0", &[("104.5 12.5", "104.5 0")], From::Anywhere, Warn, &["area/circle/zero"]),
    (14, "a circle of 2,618 km", &[("104.5 12.5", "104.5 2618")], From::Anywhere, Accept, &[]),
    (15, "geocodes alone", &[("<polygon>…</circle>", "")], From::Anywhere, Accept, &["area/geocode/with-shape"]),
    (15, "a geocode of an unknown system", &[("CPEAS Geographic Code", "Parish")], From::Anywhere, Accept, &["area/geocode/unknown-name"]),
    (16, "areaDesc alone", &[("<polygon>…</geocode>", "")], From::Anywhere, Warn, &["area/bare"]),
    (17, "no area", &[("<area>…</area>", "")], From::Anywhere, Warn, &["info/area/present"]),
    (17, "an empty areaDesc", &[("北川县", "")], From::Anywhere, Warn, &["area/areaDesc/present"]),
    (18, "a hole as a geocode", &[("CPEAS Geographic Code", "EXCLUDE_POLYGON")], From::Anywhere, Accept, &["area/geocode/exclude-polygon"]),
    (19, "a polygon behind the geocode", &[("</geocode>", "</geocode><polygon>31.0,104.0 31.0,105.0 32.0,105.0 31.0,104.0</polygon>")], From::Anywhere, Warn, &["alert/sequence"]),
    (20, "elements out of order", &[("<headline>", "<instruction>走</instruction><headline>")], From::Anywhere, Warn, &["alert/sequence"]),
    (20, "CAP 1.1 with its signature first", &[("cap:1.2", "cap:1.1"), (SIGNATURE, SIGNED)], From::Anywhere, Warn, &["CAP-1.x/upgraded", "alert/sequence"]),
    (21, "no scope", &[("<scope>Public</scope>", "")], From::Anywhere, Quarantine, &["alert/scope/enum", "alert/restriction/when"]),
    (21, "no category", &[("<category>Met</category>", "")], From::Anywhere, Warn, &["info/category/present"]),
    (21, "no certainty", &[("<certainty>Observed</certainty>", "")], From::Anywhere, Warn, &["info/certainty/enum"]),
    (22, "an info of texts alone beside a full one", &[("</info>", "</info><info><language>zh-HK</language><event>暴雨</event><headline>暴雨</headline></info>")], From::Anywhere, Warn, &["info/stub"]),
    (23, "a language that is not the text's", &[("zh-CN", "te")], From::Anywhere, Warn, &["info/language/script"]),
    (23, "`TL`", &[("zh-CN", "TL")], From::Anywhere, Warn, &["info/language/odd", "info/language/script"]),
    (23, "`english`", &[("zh-CN", "english")], From::Anywhere, Warn, &["info/language/odd"]),
    (23, "`sp-US`", &[("zh-CN", "sp-US")], From::Anywhere, Warn, &["info/language/odd"]),
    (23, "`zh-mo`", &[("zh-CN", "zh-mo")], From::Anywhere, Warn, &["info/language/odd"]),
    (23, "`en_US`", &[("zh-CN", "zh_CN")], From::Anywhere, Warn, &["info/language/rfc3066"]),
    (23, "no language, text not in Latin script", &[("<language>zh-CN</language>", "")], From::Anywhere, Warn, &["info/language/default", "info/language/script"]),
    (23, "plain German, `de-LS`", &[("zh-CN", "de-LS"), ("<event>暴雨", "<event>Regen"), ("暴雨红色预警", "Starker Regen"), ("三小时降雨量将达一百毫米以上。", "Viel Regen.")], From::Anywhere, Accept, &[]),
    (24, "Burmese in Zawgyi order", &[("zh-CN", "my-MM"), ("<event>暴雨", "<event>\u{1031}\u{1019}\u{102D}\u{102F}\u{1038}"), ("暴雨红色预警", "\u{1019}\u{102D}\u{102F}\u{1038}"), ("三小时降雨量将达一百毫米以上。", "\u{1019}\u{102D}\u{102F}\u{1038}")], From::Anywhere, Accept, &["info/zawgyi"]),
    (25, "two infos in one language", &[("</info>", ANOTHER)], From::Anywhere, Accept, &[]),
    (26, "a reference to itself", &[("20260601120000,2026-06-01T12", "20260601160000,2026-06-01T16")], From::Anywhere, Warn, &["alert/references/self"]),
    (27, "empty references on an Alert", &[("Update", "Alert"), (REFERENCE, "")], From::Anywhere, Accept, &["alert/references/empty"]),
    (28, "references joined by commas", &[(REFERENCE, "warning@example.org,a-1,2026-06-01T12:00:00+08:00,warning@example.org,a-2,2026-06-01T13:00:00+08:00")], From::Anywhere, Warn, &["alert/references/joined"]),
    (29, "a reference with the new message's sent", &[("2026-06-01T12:00", "2026-06-01T16:00")], From::Anywhere, Warn, &["alert/references/sent"]),
    (29, "a reference in another offset", &[("2026-06-01T12:00:00+08:00", "2026-06-01T04:00:00-00:00")], From::Anywhere, Accept, &[]),
    (30, "references on an Alert", &[("Update", "Alert")], From::Anywhere, Accept, &[]),
    (31, "effective before sent, onset in the past", &[("<effective>2026-06-01T16", "<effective>2026-06-01T10"), ("<onset>2026-06-01T17", "<onset>2026-06-01T11")], From::Anywhere, Accept, &[]),
    (32, "expires not after sent", &[("<expires>2026-06-01T22", "<expires>2026-06-01T16")], From::Anywhere, Warn, &["info/expires/order", "info/expires/passed"]),
    (32, "expires is the onset", &[("<onset>2026-06-01T17", "<onset>2026-06-01T22")], From::Anywhere, Warn, &["info/expires/onset"]),
    (33, "no expires", &[("<expires>…</expires>", "")], From::Anywhere, Warn, &["info/expires/absent"]),
    (34, "the event's end as a parameter", &[("<valueName>colour</valueName><value>Red", "<valueName>eventEndingTime</valueName><value>2026-06-02T22:00:00+08:00")], From::Anywhere, Accept, &[]),
    (35, "a Cancel without info", &[("Update", "Cancel"), ("<info>…</info>", "")], From::Anywhere, Accept, &[]),
    (36, "a digest of the content", &[("</uri>", "</uri><derefUri>Zm9vYmFy</derefUri>")], From::Anywhere, Accept, &["resource/derefUri/one-way"]),
    (36, "a digest of the base64 text", &[("</uri>", "</uri><derefUri>Zm9vYmFy</derefUri>"), ("8843d7f92416211de9ebb963ff4ce28125932878", "49eaaeb771cf8916d79cd0b209bd7b9066659960")], From::Anywhere, Warn, &["resource/derefUri/one-way", "resource/digest/sha1"]),
    (37, "a digest of neither", &[("</uri>", "</uri><derefUri>Zm9vYmFy</derefUri>"), ("8843d7f9", "0043d7f9")], From::Anywhere, Warn, &["resource/derefUri/one-way", "resource/digest/sha1"]),
    (38, "a relative uri that names derefUri", &[("https://example.org/map.png</uri>", "map.png</uri><derefUri>Zm9vYmFy</derefUri>")], From::Anywhere, Accept, &["resource/derefUri/one-way"]),
    (38, "derefUri without uri", &[("<uri>https://example.org/map.png</uri>", "<derefUri>Zm9vYmFy</derefUri>")], From::Anywhere, Accept, &["resource/derefUri/one-way"]),
    (38, "a MIME type in capitals", &[("image/png", "Image/Png")], From::Anywhere, Accept, &[]),
    (38, "a MIME type with a parameter", &[("image/png", "image/png;type=map")], From::Anywhere, Accept, &[]),
    (39, "web without a scheme", &[("https://example.org/warning", "www.example.org")], From::Anywhere, Warn, &["info/web/absolute"]),
    (40, "an altitude with decimals", &[("<altitude>1000", "<altitude>1000.5197")], From::Anywhere, Accept, &[]),
    (41, "audience `Private` on a Public message", &[("</certainty>", "</certainty><audience>Private</audience>")], From::Anywhere, Accept, &[]),
    (42, "a Private message in a public feed", &[("Public</scope>", "Private</scope><addresses>duty</addresses>")], From::Public, Reject, &["alert/scope/private-feed"]),
    (43, "a URL as sender", &[("<sender>warning@example.org", "<sender>https://example.org/alerts"), ("<references>warning@example.org", "<references>https://example.org/alerts")], From::Anywhere, Accept, &[]),
    (43, "a bare word as sender", &[("<sender>warning@example.org", "<sender>200456"), ("<references>warning@example.org", "<references>200456")], From::Anywhere, Accept, &[]),
    (43, "two `@` in a sender", &[("<sender>warning@example.org", "<sender>a@@example.org"), ("<references>warning@example.org", "<references>a@@example.org")], From::Anywhere, Accept, &[]),
    (44, "an OID as identifier", &[("<identifier>51072741600000_20260601160000", "<identifier>urn:oid:2.49.0.0.156.0.2026.6.1.16")], From::Anywhere, Accept, &[]),
    (44, "an identifier with `:` and `+`", &[("<identifier>51072741600000_20260601160000", "<identifier>2026-06-01T16:00:00+08:00")], From::Anywhere, Accept, &[]),
    (48, "an event of dots", &[("<event>暴雨", "<event>...")], From::Anywhere, Warn, &["info/placeholder"]),
    (48, "a polygon that ends in dots", &[("31.0,104.0<", "31.0,104.0 54.54,-2.95...<")], From::Anywhere, Warn, &["area/polygon/format"]),
    (48, "a signature of dots", &[("</alert>", "<Signature xmlns='http://www.w3.org/2000/09/xmldsig#'>...</Signature></alert>")], From::Anywhere, Warn, &["alert/signature/enveloped"]),
    (49, "the event code SAME `NWS`", &[("FFW", "NWS")], From::Anywhere, Accept, &["info/eventCode/placeholder"]),
    (51, "`Exercise`", &[("Actual", "Exercise")], From::Anywhere, Accept, &["alert/status/exercise-note"]),
    (51, "`Excercise`", &[("Actual", "Excercise")], From::Anywhere, Quarantine, &["alert/status/enum"]),
];

/// Rows that are no single message: what is done, what becomes of it, and where it is tested.
const OTHERS: &[(u8, &str, &str)] = &[
    (
        45,
        "one identity with two contents",
        "quarantine, `CAP-1.2/alert/identifier/unique`; a gateway answers 409",
    ),
    (46, "alerts in Atom, RSS, EDXL-DE and lists", "unwrapped"),
    (
        46,
        "an entry of single CAP fields",
        "`FEED/entry/index`: no alert",
    ),
    (
        46,
        "an entry that links to its alert",
        "`FEED/entry/link`: no alert, nothing is fetched",
    ),
    (47, "an empty alert for \"none\"", "`FEED/empty`: no alert"),
    (47, "a web page for a feed", "`FEED/html`: no alert"),
    (
        50,
        "feeds that are blocked or whose certificate has expired",
        "the transport's business, not this crate's",
    ),
];

/// `A…B` is everything from A to the next B.
fn changed(xml: &str, (from, to): (&str, &str)) -> String {
    let (start, end) = from.split_once('…').unwrap_or((from, ""));
    let at = xml
        .find(start)
        .unwrap_or_else(|| panic!("the message has no {from}"));
    let rest = &xml[at + start.len()..];
    let after = rest.find(end).expect("what is cut out ends") + end.len();
    format!("{}{to}{}", &xml[..at], &rest[after..])
}

fn feed(from: From) -> Feed {
    let mut feed = Feed::default();
    match from {
        From::Anywhere => {}
        From::Zone => feed.zone = Some(480),
        From::Public => feed.public = true,
        From::Country => {
            feed.country = Some(Bounds {
                south: 3.0,
                west: 73.0,
                north: 54.0,
                east: 136.0,
            });
        }
    }
    feed
}

fn report(edits: &[(&str, &str)], from: From) -> Report {
    let xml = edits
        .iter()
        .fold(BASE.to_owned(), |xml, edit| changed(&xml, *edit));
    assess_from(xml.as_bytes(), NOW, &feed(from))
}

fn id(short: &str) -> String {
    if short.starts_with("CAP-") {
        short.to_owned()
    } else {
        format!("CAP-1.2/{short}")
    }
}

#[test]
fn every_surprise_meets_its_disposition_with_its_findings_and_no_other() {
    let mut wrong = Vec::new();
    for (number, what, edits, from, disposition, rules) in ROWS {
        let report = report(edits, *from);
        let found = report.findings.iter().map(|one| one.rule.to_owned());
        let got = (
            report.disposition,
            found.collect::<BTreeSet<_>>(),
            report.alert.is_none(),
        );
        let wanted = (
            *disposition,
            rules.iter().map(|rule| id(rule)).collect(),
            lost(*disposition, rules),
        );
        if got != wanted {
            wrong.push(format!("{number}, {what}: {got:?} and not {wanted:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Only what has no identity, or is refused, is no alert.
fn lost(disposition: Disposition, rules: &[&str]) -> bool {
    let identity = ["alert/sent/format", "alert/status/enum"];
    disposition == Reject
        || (disposition == Quarantine && rules.iter().any(|rule| identity.contains(rule)))
}

#[test]
fn a_repaired_shape_or_time_is_what_its_author_meant() {
    let of = |number: u8, what: &str| {
        let row = ROWS.iter().find(|row| row.0 == number && row.1 == what);
        let row = row.expect("a row");
        report(row.2, row.3).alert.expect("an alert")
    };
    let area = |number, what: &str| of(number, what).infos.remove(0).areas.remove(0);
    let swapped = area(4, "latitude and longitude swapped, out of range");
    assert!((swapped.polygons[0].points[0].lat - 31.0).abs() < 1e-9);
    assert_eq!(area(4, "some pairs out of range").dropped, 1);
    assert!(area(5, "an open polygon of three points").polygons[0].is_closed());
    assert_eq!(area(5, "a polygon of two points").dropped, 1);
    assert_eq!(area(7, "an empty polygon").dropped, 0);
    assert_eq!(of(3, "a Buddhist-era year").sent.year(), 2026);
    let stub = of(22, "an info of texts alone beside a full one")
        .infos
        .remove(1);
    assert_eq!(stub.severity, cap::Severity::Extreme);
    assert_eq!(stub.areas[0].desc, "北川县");
    assert_eq!(of(32, "expires is the onset").infos[0].ends(), None);
    assert_eq!(of(28, "references joined by commas").references.len(), 2);
}

#[test]
fn what_is_no_single_message_meets_its_disposition_too() {
    let told = |text: &str| {
        let mut messages = 0;
        let opened = open(text.as_bytes(), NOW, &Feed::default(), &mut |_| {
            messages += 1;
        });
        let rules: Vec<&str> = opened.findings.iter().map(|one| one.rule).collect();
        (messages, rules)
    };
    let body = BASE.split_once("?>").unwrap().1;
    assert_eq!(told(&format!("<alerts>{body}{body}</alerts>")), (2, vec![]));
    let entry = |content: &str| {
        format!(
            "<feed xmlns:cap='urn:oasis:names:tc:emergency:cap:1.2'><entry>{content}</entry></feed>"
        )
    };
    assert_eq!(
        told(&entry("<cap:event>Wind</cap:event>")),
        (0, vec!["FEED/entry/index"])
    );
    assert_eq!(
        told(&entry("<link href='a'/>")),
        (0, vec!["FEED/entry/link"])
    );
    let empty = "<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'/>";
    assert_eq!(told(empty), (0, vec!["FEED/empty"]));
    assert_eq!(
        told("<html><body>none</body></html>"),
        (0, vec!["FEED/html"])
    );
    let mut seen = Seen::default();
    let mut first = report(&[], From::Anywhere);
    let mut second = report(&[("Extreme", "Minor")], From::Anywhere);
    seen.note(&mut first);
    seen.note(&mut second);
    assert_eq!(
        (first.disposition, second.disposition),
        (Accept, Quarantine)
    );
}

fn table() -> String {
    let mut text = String::from(
        "# Surprises\n\nWhat feeds of the world do beside the standard, and what becomes of a message that does it. The table is written\nfrom the rows of `tests/surprises.rs`, each of which is a test.\n\n| # | what | becomes | findings |\n|---|---|---|---|\n",
    );
    for number in 1..=51 {
        for (_, what, _, _, disposition, rules) in ROWS.iter().filter(|row| row.0 == number) {
            let word = match disposition {
                Accept => "accept",
                Warn => "accept with warnings",
                Quarantine => "quarantine",
                Reject => "reject",
            };
            let rules: Vec<String> = rules.iter().map(|rule| format!("`{}`", id(rule))).collect();
            let _ = writeln!(
                text,
                "| {number} | {what} | {word} | {} |",
                rules.join(", ")
            );
        }
        for (_, what, becomes) in OTHERS.iter().filter(|row| row.0 == number) {
            let _ = writeln!(text, "| {number} | {what} | {becomes} | |");
        }
    }
    text
}

#[test]
fn the_table_in_the_manual_is_this_one_and_leaves_no_number_out() {
    let numbers: BTreeSet<u8> = ROWS
        .iter()
        .map(|row| row.0)
        .chain(OTHERS.iter().map(|row| row.0))
        .collect();
    assert_eq!(numbers, (1..=51).collect());
    held(Path::new("SURPRISES.md"), &table());
}

fn held(page: &Path, text: &str) {
    if std::env::var_os("TOCSIN_REWRITE").is_some() {
        std::fs::write(page, text).unwrap();
    }
    let there = std::fs::read_to_string(page).unwrap_or_default();
    assert!(
        there == text,
        "{} is not up to date: run this test with TOCSIN_REWRITE=1",
        page.display()
    );
}
