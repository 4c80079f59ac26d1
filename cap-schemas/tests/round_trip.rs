//! What is written reads back the same, and no bytes can make the reader panic.

use cap::{
    Alert, Area, Category, Certainty, Circle, Info, MsgType, Pair, Point, Polygon, Reference,
    Resource, ResponseType, Scope, Severity, Status, Time, Urgency, Version, assess, read, write,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

/// A text as the model holds it: trimmed, not empty, with everything that needs escaping.
fn text() -> impl Strategy<Value = String> {
    "[a-z<>&;\"' \t\r\n\u{1}暴雨é😀]{0,30}".prop_map(|text| {
        let legal = text.replace('\u{1}', "");
        let trimmed = legal.trim_matches([' ', '\t', '\r', '\n']);
        if trimmed.is_empty() {
            "大风".to_owned()
        } else {
            trimmed.to_owned()
        }
    })
}

fn word() -> impl Strategy<Value = String> {
    "[A-Za-z0-9:+.@-]{1,20}"
}

/// A name of a list: it may hold white space, but no quote.
fn name() -> impl Strategy<Value = String> {
    "[a-z@.]{1,8}( [a-z@.]{1,8})?"
}

fn time() -> impl Strategy<Value = Time> {
    (946_684_800_i64..4_000_000_000, -840_i16..=840)
        .prop_map(|(unix, offset)| Time::new(unix, offset))
}

fn pair() -> impl Strategy<Value = Pair> {
    (text(), text()).prop_map(|(name, value)| Pair { name, value })
}

fn point() -> impl Strategy<Value = Point> {
    (-90.0..=90.0, -180.0..=180.0).prop_map(|(lat, lon)| Point { lat, lon })
}

fn polygon() -> impl Strategy<Value = Polygon> {
    vec(point(), 3..8).prop_map(|mut points| {
        points.push(points[0]);
        Polygon { points }
    })
}

fn circle() -> impl Strategy<Value = Circle> {
    (point(), 0.0..20_000.0).prop_map(|(centre, radius)| Circle { centre, radius })
}

fn area() -> impl Strategy<Value = Area> {
    (
        text(),
        vec(polygon(), 0..3),
        vec(circle(), 0..3),
        vec(pair(), 0..3),
        of(-500.0..90_000.0),
        of(0.0..90_000.0),
    )
        .prop_map(
            |(desc, polygons, circles, geocodes, altitude, ceiling)| Area {
                desc,
                polygons,
                circles,
                geocodes,
                altitude,
                ceiling,
                dropped: 0,
            },
        )
}

fn resource() -> impl Strategy<Value = Resource> {
    (
        text(),
        of(word()),
        of(any::<u64>()),
        of(word()),
        of(word()),
        of(word()),
    )
        .prop_map(|(desc, mime_type, size, uri, deref_uri, digest)| Resource {
            desc,
            mime_type,
            size,
            uri,
            deref_uri,
            digest,
        })
}

fn info() -> impl Strategy<Value = Info> {
    let codes = (
        select(vec!["en-US", "zh-CN", "de-LS"]),
        vec(select(Category::ALL), 1..3),
        text(),
        vec(select(ResponseType::ALL), 0..3),
        select(Urgency::ALL),
        select(Severity::ALL),
        select(Certainty::ALL),
        of(text()),
    );
    let middle = (
        vec(pair(), 0..3),
        of(time()),
        of(time()),
        of(time()),
        of(text()),
        of(text()),
        of(text()),
        of(text()),
    );
    let end = (
        of(text()),
        of(text()),
        vec(pair(), 0..3),
        vec(resource(), 0..3),
        vec(area(), 0..3),
    );
    (codes, middle, end).prop_map(|(codes, middle, end)| Info {
        language: codes.0.to_owned(),
        categories: codes.1,
        event: codes.2,
        response_types: codes.3,
        urgency: codes.4,
        severity: codes.5,
        certainty: codes.6,
        audience: codes.7,
        event_codes: middle.0,
        effective: middle.1,
        onset: middle.2,
        expires: middle.3,
        sender_name: middle.4,
        headline: middle.5,
        description: middle.6,
        instruction: middle.7,
        web: end.0,
        contact: end.1,
        parameters: end.2,
        resources: end.3,
        areas: end.4,
    })
}

fn alert() -> impl Strategy<Value = Alert> {
    let reference = (word(), word(), of(time())).prop_map(|(sender, identifier, sent)| Reference {
        sender,
        identifier,
        sent,
    });
    let head = (
        word(),
        word(),
        time(),
        select(Status::ALL),
        select(MsgType::ALL),
        of(text()),
        select(Scope::ALL),
        of(text()),
    );
    let tail = (
        vec(name(), 0..3),
        vec(text(), 0..3),
        of(text()),
        vec(reference, 0..3),
        vec(name(), 0..3),
        vec(info(), 0..3),
    );
    (head, tail).prop_map(|(head, tail)| Alert {
        version: Version::V1_2,
        identifier: head.0,
        sender: head.1,
        sent: head.2,
        status: head.3,
        msg_type: head.4,
        source: head.5,
        scope: head.6,
        restriction: head.7,
        addresses: tail.0,
        codes: tail.1,
        note: tail.2,
        references: tail.3,
        incidents: tail.4,
        infos: tail.5,
        signed: false,
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back_the_same(alert in alert()) {
        let written = write(&alert);
        let outcome = read(written.as_bytes());
        let back = outcome.alert.expect("what we write is a CAP message");
        prop_assert!(back == alert, "{}\n{}", written, write(&back));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..400)) {
        assess(&bytes, 0);
    }

    #[test]
    fn a_damaged_message_never_panics(alert in alert(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = write(&alert).trim_end().as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        assess(&bytes, 0);
        bytes.truncate(at);
        prop_assert!(assess(&bytes, 0).alert.is_none());
    }
}
