//! What is in a file: one alert, or those that a feed, an envelope or a list holds; and what a feed has instead.

use cap::{Disposition, Feed, Kind, Limits, Opened, Report, assess, open, rules};

/// A minute after the messages were sent.
const NOW: i64 = 1_780_300_860;
const NS: &str = "urn:oasis:names:tc:emergency:cap:1.2";

fn alert(identifier: &str) -> String {
    format!(
        "<alert xmlns='{NS}'><identifier>{identifier}</identifier><sender>s@example.org</sender>\
         <sent>2026-06-01T16:00:00+08:00</sent><status>Actual</status><msgType>Alert</msgType>\
         <scope>Public</scope><info><language>zh-CN</language><category>Met</category><event>大风</event>\
         <urgency>Expected</urgency><severity>Minor</severity><certainty>Likely</certainty>\
         <expires>2026-06-01T22:00:00+08:00</expires><area><areaDesc>平武县</areaDesc>\
         <circle>32.4,104.5 10</circle></area></info></alert>"
    )
}

fn atom(entries: &str) -> String {
    format!(
        "<?xml version='1.0' encoding='UTF-8'?><feed xmlns='http://www.w3.org/2005/Atom' xmlns:cap='{NS}'>\
         <title>t</title><link href='https://example.org/'/>{entries}</feed>"
    )
}

struct Found {
    opened: Opened,
    held: Vec<(String, Report)>,
}

impl Found {
    fn paths(&self) -> Vec<&str> {
        self.held.iter().map(|(path, _)| path.as_str()).collect()
    }

    /// Findings about the file, with their places.
    fn told(&self) -> Vec<(&str, &str)> {
        let findings = self.opened.findings.iter();
        findings.map(|one| (one.rule, one.path.as_str())).collect()
    }
}

fn opened_with(feed: &Feed, bytes: &[u8]) -> Found {
    let mut held = Vec::new();
    let opened = open(bytes, NOW, feed, &mut |one| {
        held.push((one.path, one.report));
    });
    assert_eq!(opened.messages, held.len());
    Found { opened, held }
}

fn opened(text: &str) -> Found {
    opened_with(&Feed::default(), text.as_bytes())
}

#[test]
fn a_single_alert_is_a_file_with_one_message() {
    let found = opened(&alert("a-1"));
    assert_eq!(found.opened.kind, Kind::Alert);
    assert_eq!((found.paths(), found.told()), (vec!["/alert"], vec![]));
    assert_eq!(found.held[0].1.disposition, Disposition::Accept);
}

#[test]
fn every_kind_of_container_gives_its_alerts_where_they_stand() {
    let one = alert("a-1");
    let two = alert("a-2");
    let bare = one.replacen(&format!(" xmlns='{NS}'"), "", 1);
    let prefixed = two
        .replace("</", "</c:")
        .replace('<', "<c:")
        .replace("<c:/c:", "</c:")
        .replace("xmlns=", "xmlns:c=");
    let cases = [
        (
            Kind::Atom,
            atom(&format!(
                "<entry><id>1</id><content type='text/xml'>{one}</content></entry>\
                 <entry><id>2</id><link href='https://example.org/2'/><content>{prefixed}</content></entry>"
            )),
            [
                "/feed/entry[1]/content/alert",
                "/feed/entry[2]/content/alert",
            ],
        ),
        (
            Kind::Rss,
            format!(
                "<rss version='2.0'><channel><title>t</title><item><title>1</title>{one}</item>\
                 <item><description><![CDATA[<?xml version='1.0'?>{two}]]></description></item></channel></rss>"
            ),
            [
                "/rss/channel/item[1]/alert",
                "/rss/channel/item[2]/description/alert",
            ],
        ),
        (
            Kind::EdxlDe,
            format!(
                "<e:EDXLDistribution xmlns:e='urn:oasis:names:tc:emergency:EDXL:DE:1.0'><e:distributionID>1</e:distributionID>\
                 <e:contentObject><e:xmlContent><e:embeddedXMLContent>{one}</e:embeddedXMLContent></e:xmlContent></e:contentObject>\
                 <e:contentObject><e:xmlContent><e:embeddedXMLContent>{two}</e:embeddedXMLContent></e:xmlContent></e:contentObject>\
                 </e:EDXLDistribution>"
            ),
            [
                "/EDXLDistribution/contentObject[1]/xmlContent/embeddedXMLContent/alert",
                "/EDXLDistribution/contentObject[2]/xmlContent/embeddedXMLContent/alert",
            ],
        ),
        (
            Kind::List,
            format!("<alerts xmlns='{NS}'>{bare}{two}</alerts>"),
            ["/alerts/alert", "/alerts/alert"],
        ),
    ];
    for (kind, text, paths) in cases {
        let found = opened(&text);
        assert_eq!(
            (found.opened.kind, found.paths()),
            (kind, paths.to_vec()),
            "{text}"
        );
        let identifiers: Vec<_> = found
            .held
            .iter()
            .map(|(_, report)| {
                assert_eq!(report.findings, [], "{kind:?}");
                report.alert.as_ref().unwrap().identifier.as_str()
            })
            .collect();
        assert_eq!(identifiers, ["a-1", "a-2"]);
    }
}

#[test]
fn an_alert_in_a_feed_is_the_alert_by_itself() {
    let broken = alert("a-1").replacen("Minor", "Small", 1);
    let alone = assess(broken.as_bytes(), NOW);
    let text = atom(&format!("<entry><content>{broken}</content></entry>"));
    let found = opened(&text);
    let (_, report) = &found.held[0];
    assert!(report.alert == alone.alert);
    assert_eq!(report.disposition, alone.disposition);
    let finding = &report.findings[0];
    assert_eq!(finding.rule, alone.findings[0].rule);
    assert_eq!(
        finding.position,
        text.find("<severity>"),
        "a place in the file"
    );
}

#[test]
fn base64_content_of_an_envelope_is_read() {
    let text = |data: &str| {
        format!(
            "<EDXLDistribution xmlns='urn:oasis:names:tc:emergency:EDXL:DE:1.0'><contentObject><nonXMLContent>\
             <mimeType>application/cap+xml</mimeType><contentData>{data}</contentData></nonXMLContent></contentObject>\
             </EDXLDistribution>"
        )
    };
    // <alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><status>Actual</status></alert>
    let data = "PGFsZXJ0IHhtbG5zPSJ1cm46b2FzaXM6bmFtZXM6dGM6ZW1lcmdlbmN5OmNhcDoxLjIiPjxzdGF0dXM+QWN0dWFsPC9zdGF0dXM+PC9hbGVydD4=";
    let found = opened(&text(data));
    assert_eq!(
        found.paths(),
        ["/EDXLDistribution/contentObject[1]/nonXMLContent/contentData/alert"]
    );
    assert_eq!(found.held[0].1.disposition, Disposition::Quarantine);
    assert_eq!(opened(&text("Zm9v")).told()[0].0, "FEED/entry/none");
}

/// What there is in the place of alerts, and the one thing that is said about it.
#[test]
fn every_rule_about_a_feed_is_broken_once_and_kept_otherwise() {
    let link = "<entry><id>1</id><link href='https://example.org/1'/></entry>";
    let index =
        "<entry><id>1</id><link href='https://example.org/1'/><cap:event>Wind</cap:event></entry>";
    let none = "<entry><id>1</id></entry>";
    let encrypted = "<entry><content><EncryptedData xmlns='http://www.w3.org/2001/04/xmlenc#'/></content></entry>";
    let escaped = format!(
        "<entry><content>{}</content></entry>",
        alert("a-1").replace('<', "&lt;")
    );
    let within = "/feed/entry[1]";
    let cases = [
        (atom(link), ("FEED/entry/link", within), 0),
        (atom(index), ("FEED/entry/index", within), 0),
        (atom(none), ("FEED/entry/none", within), 0),
        (atom(encrypted), ("FEED/entry/encrypted", within), 0),
        (
            atom(&escaped),
            ("FEED/entry/escaped", "/feed/entry[1]/content"),
            1,
        ),
        (atom(""), ("FEED/empty", "/"), 0),
        (
            format!("<alert xmlns='{NS}'/>"),
            ("FEED/empty", "/alert"),
            0,
        ),
        (
            format!("<messages>{}</messages>", alert("a-1")),
            ("FEED/kind", "/"),
            1,
        ),
        (
            "<!DOCTYPE html><html><br></html>".into(),
            ("FEED/html", "/"),
            0,
        ),
        ("<messages/>".into(), ("CAP-1.2/alert/root", "/"), 0),
        (
            "<feed><x>".into(),
            ("CAP-1.2/xml/well-formed", "/feed/x"),
            0,
        ),
        (
            atom("<x>&county;</x>"),
            ("CAP-1.2/xml/well-formed", "/feed/x"),
            0,
        ),
        ("<feed/><feed/>".into(), ("CAP-1.2/xml/well-formed", "/"), 0),
        (
            "<!DOCTYPE feed [<!ENTITY a 'b'>]><feed>&a;</feed>".into(),
            ("CAP-1.2/xml/no-dtd", "/"),
            0,
        ),
        (String::new(), ("CAP-1.2/xml/well-formed", "/"), 0),
    ];
    for (text, told, messages) in &cases {
        let found = opened(text);
        assert_eq!(found.told(), [*told], "{text}");
        assert_eq!(found.held.len(), *messages, "{text}");
    }
    for rule in rules().filter(|rule| rule.id.starts_with("FEED/")) {
        let tabled = cases.iter().any(|(_, told, _)| told.0 == rule.id);
        assert!(tabled || rule.id == "FEED/limit", "{} has no case", rule.id);
    }
}

#[test]
fn an_empty_alert_in_a_feed_says_that_there_is_none() {
    let found = opened(&atom(&format!(
        "<entry><content><alert xmlns='{NS}'></alert></content></entry>"
    )));
    assert_eq!(
        found.told(),
        [("FEED/empty", "/feed/entry[1]/content/alert")]
    );
}

#[test]
fn an_alert_beyond_its_limits_is_refused_and_the_next_one_is_read() {
    let deep = alert("a-1").replacen(
        "<info>",
        &format!("<info>{}{}", "<x>".repeat(40), "</x>".repeat(40)),
        1,
    );
    let large = alert("a-2").replacen("大风", &"风".repeat(60_000), 1);
    let text = format!("<alerts>{deep}{large}{}</alerts>", alert("a-3"));
    let found = opened(&text);
    let dispositions: Vec<_> = found
        .held
        .iter()
        .map(|(_, report)| report.disposition)
        .collect();
    assert_eq!(
        dispositions,
        [
            Disposition::Reject,
            Disposition::Reject,
            Disposition::Accept
        ]
    );
    assert_eq!(found.held[2].1.alert.as_ref().unwrap().identifier, "a-3");
    assert!(
        found
            .held
            .iter()
            .take(2)
            .all(|(_, report)| report.findings[0].rule == "CAP-1.2/xml/limit")
    );
}

#[test]
fn limits_are_the_callers_to_set() {
    let text = format!("<alerts>{}</alerts>", alert("a-1"));
    let with = |message: usize, file: usize| {
        let feed = Feed {
            limits: Limits { message, file },
            ..Feed::default()
        };
        opened_with(&feed, text.as_bytes())
    };
    assert_eq!(
        with(5_000, 5_000).held[0].1.disposition,
        Disposition::Accept
    );
    assert_eq!(with(5_000, 100).told(), [("FEED/limit", "/")]);
    assert_eq!(with(200, 5_000).held[0].1.disposition, Disposition::Reject);
    assert_eq!(
        opened_with(
            &Feed {
                limits: Limits {
                    message: 200,
                    file: 5_000
                },
                ..Feed::default()
            },
            alert("a").as_bytes()
        )
        .held[0]
            .1
            .disposition,
        Disposition::Reject
    );
}

#[test]
fn what_follows_a_fault_of_the_feed_is_not_trusted_and_what_came_before_stands() {
    let text = atom(&format!(
        "<entry><content>{}</content></entry><entry></wrong>",
        alert("a-1")
    ));
    let found = opened(&text);
    assert_eq!(found.held.len(), 1);
    assert_eq!(
        found.told(),
        [("CAP-1.2/xml/well-formed", "/feed/entry[2]")]
    );
}

#[test]
fn a_national_message_in_a_list_is_read_as_one() {
    let national = "<alert><identifier>51072741600000_20260601160000</identifier><senderCode>51072741600000</senderCode>\
        <sendTime>2026-06-01 16:00:00+08:00</sendTime><status>Actual</status><msgType>Alert</msgType><scope>Public</scope></alert>";
    let found = opened(&format!("<alerts>{national}</alerts>"));
    let alert = found.held[0].1.alert.as_ref().unwrap();
    assert_eq!(alert.version, cap::Version::Gbt);
}
