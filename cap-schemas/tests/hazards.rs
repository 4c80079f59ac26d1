//! What an adversary or a broken sender may do with XML: refused cheaply, or read as it was meant.

use std::fmt::Write;

use cap::{Disposition, Report, Scope, Version, assess};

const NS: &str = "urn:oasis:names:tc:emergency:cap:1.2";

/// A message with these infos.
fn message(infos: &str) -> String {
    format!(
        "<alert xmlns='{NS}'><identifier>a-1</identifier><sender>s@example.org</sender>\
         <sent>2026-06-01T16:00:00+08:00</sent><status>Actual</status><msgType>Alert</msgType>\
         <scope>Public</scope>{infos}</alert>"
    )
}

fn info(content: &str) -> String {
    format!(
        "<info><category>Met</category><event>Wind</event><urgency>Expected</urgency>\
         <severity>Minor</severity><certainty>Likely</certainty>{content}</info>"
    )
}

fn report(xml: &str) -> Report {
    assess(xml.as_bytes(), 1_780_300_860)
}

fn has(report: &Report, rule: &str) -> bool {
    report.findings.iter().any(|finding| finding.rule == rule)
}

#[test]
fn limits_refuse_what_no_message_needs() {
    let deep = format!("<alert xmlns='{NS}'>{}", "<x>".repeat(100_000));
    let large = message(&format!("<note>{}</note>", "x".repeat(6 << 20)));
    let long = message(&format!("<note>{}</note>", "x".repeat(200 << 10)));
    let identifier = message("").replace("a-1", &"a".repeat(2_000));
    let many_infos = message(&"<info/>".repeat(201));
    let many_elements = message(&"<x/>".repeat(200_001));
    let attributes: String = (0..70).fold(String::new(), |mut all, n| {
        let _ = write!(all, " a{n}='1'");
        all
    });
    let many_attributes = message(&format!("<note{attributes}/>"));
    let many_points = message(&info(&format!(
        "<area><polygon>{}</polygon></area>",
        "1,1 ".repeat(200_001)
    )));
    let many_references = message(&format!(
        "<references>{}</references>",
        "a,b ".repeat(5_001)
    ));
    let long_tag = message(&format!("<{}/>", "x".repeat(200)));
    for (name, xml) in [
        ("name", long_tag),
        ("depth", deep),
        ("bytes", large),
        ("text", long),
        ("identifier", identifier),
        ("infos", many_infos),
        ("elements", many_elements),
        ("attributes", many_attributes),
        ("points", many_points),
        ("references", many_references),
    ] {
        let report = report(&xml);
        assert!(
            has(&report, "CAP-1.2/xml/limit"),
            "{name}: {:?}",
            report.findings.first()
        );
        assert!(report.alert.is_none(), "{name}");
        assert_eq!(report.disposition, Disposition::Reject, "{name}");
    }
}

#[test]
fn an_endless_list_of_findings_is_cut() {
    let report = report(&message(&"<x/>".repeat(5_000)));
    assert!(report.findings.len() < 1_100);
    assert!(has(&report, "CAP-1.2/report/cut"));
    assert!(report.alert.is_some());
}

#[test]
fn damaged_bytes_are_read_and_reported() {
    let mut bytes = message(&info("<headline>Qu~bec</headline>")).into_bytes();
    let at = bytes.iter().position(|&byte| byte == b'~').unwrap();
    bytes[at] = 0xE9;
    let report = assess(&bytes, 1_780_300_860);
    assert!(has(&report, "CAP-1.2/xml/encoding"));
    assert_eq!(report.disposition, Disposition::AcceptWithWarnings);
    assert_eq!(
        report.alert.unwrap().infos[0].headline.as_deref(),
        Some("Québec")
    );
}

#[test]
fn any_prefix_is_read_and_a_known_prefix_of_another_namespace_is_not() {
    let prefixed = message("")
        .replace("</", "</q:")
        .replace('<', "<q:")
        .replace("<q:/q:", "</q:");
    let prefixed = prefixed.replace("xmlns=", "xmlns:q=");
    assert!(report(&prefixed).alert.is_some(), "{prefixed}");
    assert!(report(&prefixed.replace(NS, "urn:other")).alert.is_none());
}

#[test]
fn comments_and_cdata_do_not_cut_a_value() {
    let xml = message(&info(
        "<headline>Leave <!-- not -->now<![CDATA[ & run]]>&#x21;</headline>",
    ));
    assert_eq!(
        report(&xml).alert.unwrap().infos[0].headline.as_deref(),
        Some("Leave now & run!")
    );
    let xml = message("").replace("Actual", "Act<!-- x -->ual");
    assert!(report(&xml).alert.is_some());
}

#[test]
fn nothing_below_a_signature_is_read() {
    let signature = format!(
        "<Signature xmlns='http://www.w3.org/2000/09/xmldsig#'><SignedInfo/><Object xmlns=''>\
         <info xmlns='{NS}'/></Object></Signature>"
    );
    let alert = report(&message(&signature)).alert.unwrap();
    assert!(alert.signed);
    assert_eq!(alert.infos.len(), 0);
}

#[test]
fn a_message_without_scope_is_read_as_restricted_and_held() {
    let report = report(&message("").replace("<scope>Public</scope>", ""));
    assert_eq!(report.disposition, Disposition::Quarantine);
    assert_eq!(report.alert.unwrap().scope, Scope::Restricted);
}

#[test]
fn shapes_are_repaired_where_one_reading_is_possible() {
    let area = |shape: &str| {
        let xml = message(&info(&format!(
            "<area><areaDesc>a</areaDesc>{shape}</area>"
        )));
        report(&xml).alert.unwrap().infos.remove(0).areas.remove(0)
    };
    let ring = |text: &str| {
        area(&format!("<polygon>{text}</polygon>"))
            .polygons
            .first()
            .map(|ring| ring.points.len())
    };
    assert_eq!(ring("16.7,1 17,1 17,2 16.70,1"), Some(4));
    assert_eq!(ring("16,1 17,1\n\t17,2"), Some(4));
    assert_eq!(ring("8.72977),-68.1 1,1 1,2 2,2 1,1"), Some(4));
    let swapped = area("<polygon>104,31 105,31 105,32 104,31</polygon>");
    assert_eq!(
        (swapped.polygons[0].points[0].lat, swapped.dropped),
        (31.0, 0)
    );
    let beyond = area("<polygon>61,-180.5 62,-179 63,-179 61,-180.5</polygon>");
    assert!((beyond.polygons[0].points[0].lon - 179.5).abs() < 1e-9);
    let lost =
        area("<polygon>1,1 2,2</polygon><polygon>1,1 2,2 1,1</polygon><circle>1,1 x</circle>");
    assert_eq!(
        (lost.polygons.len(), lost.circles.len(), lost.dropped),
        (0, 0, 3)
    );
}

#[test]
fn a_feed_may_be_known_to_leave_its_offset_out() {
    let xml = message("").replace("T16:00:00+08:00", "T16:00:00");
    assert_eq!(report(&xml).disposition, Disposition::Quarantine);
    let feed = cap::Feed {
        zone: Some(480),
        ..cap::Feed::default()
    };
    let report = cap::assess_from(xml.as_bytes(), 1_780_300_860, &feed);
    assert!(has(&report, "CAP-1.2/alert/sent/format"));
    assert_eq!(
        report.alert.unwrap().sent.to_string(),
        "2026-06-01T16:00:00+08:00"
    );
}

#[test]
fn cap_1_0_is_read_as_cap_1_2() {
    let old = message(
        "<password>p</password><references>b-1/s@example.org</references><info><event>Wind</event>\
         <urgency>Expected</urgency><severity>Minor</severity><certainty>Very Likely</certainty>\
         <eventCode>same=SVR</eventCode><area><areaDesc>a</areaDesc><geocode>fips6=006109</geocode></area></info>",
    );
    let report = report(&old.replace(NS, "http://www.incident.com/cap/1.0"));
    assert!(has(&report, "CAP-1.x/upgraded"));
    let alert = report.alert.unwrap();
    assert_eq!(alert.version, Version::V1_0);
    assert_eq!(
        (
            &*alert.references[0].identifier,
            &*alert.references[0].sender
        ),
        ("b-1", "s@example.org")
    );
    let info = &alert.infos[0];
    assert_eq!(
        (&*info.event_codes[0].name, &*info.event_codes[0].value),
        ("same", "SVR")
    );
    assert_eq!(&*info.areas[0].geocodes[0].value, "006109");
    assert_eq!(info.certainty, cap::Certainty::Likely);
}
