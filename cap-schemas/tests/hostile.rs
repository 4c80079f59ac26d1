//! Bytes from an adversary: whatever they are, the answer comes, and soon. Mutations are drawn from messages of our own
//! and, where they are present, of the world.

#[path = "kit/base.rs"]
mod base;
#[path = "kit/corpus.rs"]
mod corpus;
#[path = "kit/national.rs"]
mod national;

use std::sync::LazyLock;
use std::time::Duration;

use base::BASE;
use cap::{Disposition, Feed, Opened, open};
use national::NATIONAL;
use proptest::prelude::*;
use proptest::sample::Index;

const NOW: i64 = 1_780_300_860;
/// Far more than any of these takes on a busy machine, far less than a hang.
const SOON: Duration = Duration::from_mins(1);

/// What mutations start from: small enough that many of them can be tried.
static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let body = BASE.split_once("?>").unwrap().1;
    let ours = [
        BASE.to_owned(),
        NATIONAL.to_owned(),
        format!(
            "<feed xmlns='http://www.w3.org/2005/Atom'><entry><content>{body}</content></entry></feed>"
        ),
        format!(
            "<rss><channel><item><description><![CDATA[{body}]]></description></item></channel></rss>"
        ),
    ];
    let theirs = corpus::root().map(|root| corpus::files(&root));
    let theirs = theirs.into_iter().flatten().map(|(_, bytes)| bytes);
    ours.into_iter()
        .map(String::into_bytes)
        .chain(theirs.filter(|bytes| bytes.len() < 20_000))
        .collect()
});

fn opened(bytes: &[u8]) -> (Opened, Vec<Disposition>) {
    let mut dispositions = Vec::new();
    let opened = open(bytes, NOW, &Feed::default(), &mut |held| {
        let report = held.report;
        assert!(report.alert.is_some() || report.disposition >= Disposition::Quarantine);
        let inside = |at: usize| at <= 4 * bytes.len() + 4;
        assert!(
            report
                .findings
                .iter()
                .all(|one| one.position.is_none_or(inside))
        );
        if let Some(alert) = report.alert {
            // What was taken can be handed on.
            let back = cap::read(cap::write(&alert).as_bytes());
            assert!(back.alert.is_some(), "{:?}", back.findings);
        }
        dispositions.push(report.disposition);
    });
    (opened, dispositions)
}

#[derive(Clone, Debug)]
enum Mutation {
    Cut(Index),
    Flip(Index, u8),
    Drop(Index, usize),
    Repeat(Index, usize),
    Insert(Index, &'static str),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let pieces = prop::sample::select(vec![
        "<",
        ">",
        "</",
        "/>",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "&",
        "&#0;",
        "&#x10FFFF;",
        "&amp;",
        "<?xml?>",
        "<!DOCTYPE a>",
        "\u{FEFF}",
        "\0",
        "\u{FFFF}",
        "xmlns=''",
        "xmlns:a='b'",
        "\"",
        "'",
        "<alert>",
        "</alert>",
        "<info/>",
        "99999999999999999999",
        "-",
        ",",
        "NaN",
        "1e308",
        "\u{202E}",
        "T24:00:00",
        "9999-12-31T23:59:60+14:00",
        "0001-01-01T00:00:00-14:00",
    ]);
    prop_oneof![
        any::<Index>().prop_map(Mutation::Cut),
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Mutation::Flip(at, byte)),
        (any::<Index>(), 1_usize..200).prop_map(|(at, length)| Mutation::Drop(at, length)),
        (any::<Index>(), 1_usize..200).prop_map(|(at, length)| Mutation::Repeat(at, length)),
        (any::<Index>(), pieces).prop_map(|(at, piece)| Mutation::Insert(at, piece)),
    ]
}

fn mutate(bytes: &mut Vec<u8>, mutation: &Mutation) {
    if bytes.is_empty() {
        return;
    }
    match mutation {
        Mutation::Cut(at) => bytes.truncate(at.index(bytes.len())),
        Mutation::Flip(at, byte) => {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        Mutation::Drop(at, length) => {
            let at = at.index(bytes.len());
            let end = bytes.len().min(at + length);
            bytes.drain(at..end);
        }
        Mutation::Repeat(at, length) => {
            let at = at.index(bytes.len());
            let end = bytes.len().min(at + length);
            let piece = bytes[at..end].to_vec();
            bytes.splice(at..at, piece);
        }
        Mutation::Insert(at, piece) => {
            let at = at.index(bytes.len());
            bytes.splice(at..at, piece.bytes());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_mutation_of_a_message_or_feed_makes_the_reader_panic(
        seed in any::<Index>(),
        mutations in prop::collection::vec(mutation(), 1..6),
    ) {
        let mut bytes = seed.get(&SEEDS).clone();
        for mutation in &mutations {
            mutate(&mut bytes, mutation);
        }
        opened(&bytes);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        opened(&bytes);
    }
}

/// Runs on a thread of its own, so that what never ends fails and does not hang the tests.
fn soon(what: &str, bytes: Vec<u8>) -> (Opened, Vec<Disposition>) {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(opened(&bytes)));
    receiver
        .recv_timeout(SOON)
        .unwrap_or_else(|_| panic!("{what} has no answer"))
}

fn alert(inside: &str) -> String {
    format!("<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'>{inside}</alert>")
}

#[test]
fn what_is_meant_to_exhaust_is_refused_soon() {
    let bomb = (0..20).fold(String::from("<!ENTITY a0 'ha'>"), |all, n| {
        let next = n + 1;
        format!(
            "{all}<!ENTITY a{next} '&a{n};&a{n};&a{n};&a{n};&a{n};&a{n};&a{n};&a{n};&a{n};&a{n};'>"
        )
    });
    let areas =
        |count: usize| BASE.replacen("</area>", &format!("</area>{}", "<area/>".repeat(count)), 1);
    let cases = [
        (
            "an entity bomb",
            format!("<!DOCTYPE alert [{bomb}]>{}", alert("&a20;")),
        ),
        (
            "an external entity",
            format!(
                "<!DOCTYPE alert SYSTEM 'file:///etc/hostname'>{}",
                alert("")
            ),
        ),
        ("deep nesting", alert(&"<x>".repeat(1_000_000))),
        (
            "deep nesting in a feed",
            format!("<feed><entry>{}", "<x>".repeat(1_000_000)),
        ),
        (
            "deep nesting in an alert of a feed",
            format!("<feed><entry>{}", alert(&"<x>".repeat(1_000_000))),
        ),
        (
            "a huge attribute",
            alert("").replacen("xmlns", &format!("a='{}' xmlns", "x".repeat(6 << 20)), 1),
        ),
        (
            "a million attributes",
            alert("").replacen("xmlns", &format!("{} xmlns", "a='1' ".repeat(1_000_000)), 1),
        ),
        ("a million areas", areas(1_000_000)),
        (
            "a text of many megabytes",
            BASE.replacen("北川县", &"北".repeat(2 << 20), 1),
        ),
        (
            "an unclosed comment",
            format!("<!--{}", "-".repeat(4 << 20)),
        ),
        (
            "a million character references",
            BASE.replacen("北川县", &"&#x5317;".repeat(1_000_000), 1),
        ),
        (
            "a hundred thousand references",
            BASE.replacen(
                "</references>",
                &format!(" {}</references>", "a,b,c ".repeat(20_000)),
                1,
            ),
        ),
    ];
    for (what, text) in cases {
        let (opened, dispositions) = soon(what, text.into_bytes());
        let refused = dispositions.iter().all(|one| *one == Disposition::Reject);
        assert!(refused, "{what}: {dispositions:?}");
        assert!(
            dispositions.len() + opened.findings.len() > 0,
            "{what} is not passed over in silence"
        );
    }
}

#[test]
fn what_is_merely_large_is_read_soon() {
    let listed = |points: Vec<(f64, f64)>| -> String {
        let pairs: Vec<String> = points
            .iter()
            .map(|(lat, lon)| format!("{lat},{lon}"))
            .collect();
        pairs.join(" ")
    };
    let circle = |n: u32| {
        let angle = f64::from(n) / 50_000.0 * std::f64::consts::TAU;
        (31.0 + angle.sin(), 104.0 + angle.cos())
    };
    let ring = listed((0..50_000).chain([0]).map(circle).collect());
    let tooth = |n: u32| (f64::from(31 + n % 2), 100.0 + f64::from(n) / 10_000.0);
    let comb = listed((0..50_000).map(tooth).collect());
    let old = "31.0,104.0 31.0,105.0 32.0,105.0 32.0,104.0 31.0,104.0";
    let areas = "<area><areaDesc>a</areaDesc><circle>31,104 1</circle></area>";
    for (what, text) in [
        ("a ring of 50,000 points", BASE.replacen(old, &ring, 1)),
        ("a comb of 50,000 points", BASE.replacen(old, &comb, 1)),
        (
            "five thousand areas",
            BASE.replacen("</area>", &format!("</area>{}", areas.repeat(4_999)), 1),
        ),
        (
            "a hundred infos",
            BASE.replacen(
                "</info>",
                &format!("</info>{}", "<info><event>大风</event></info>".repeat(100)),
                1,
            ),
        ),
        (
            "a feed of twenty thousand entries",
            format!(
                "<feed>{}</feed>",
                "<entry><link href='a'/></entry>".repeat(20_000)
            ),
        ),
    ] {
        let (opened, dispositions) = soon(what, text.into_bytes());
        assert!(
            dispositions.iter().all(|one| *one < Disposition::Reject),
            "{what}: {dispositions:?}"
        );
        assert!(
            dispositions.len() == 1 || opened.findings.len() > 1_000,
            "{what}"
        );
    }
}
