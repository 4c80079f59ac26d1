//! Each refusal of a controller by itself, and that nothing signed can be changed. These tests must not sign by any other
//! way than the gateway's `Signer`.

use proptest::prelude::*;

use super::*;

const SEED: &str = "0707070707070707070707070707070707070707070707070707070707070707";
const NOW: Timestamp = Timestamp(1_784_044_800_000);
const DEVICE: &str = "PW-217001-02";

pub(super) fn order() -> Order {
    Order {
        v: VERSION,
        gateway: "test".into(),
        counter: 7,
        order: "1-0-aa-bb".into(),
        kind: PLAY.into(),
        drill: false,
        class: Class::Emergency,
        authority: Authority::County,
        level: Level::Red,
        event: "11A51".into(),
        language: "zh-CN".into(),
        title: "山洪灾害红色预警".into(),
        text: "立即转移。\"快\"".into(),
        repeats: 2,
        pause: 0,
        parts: Vec::new(),
        regions_hash: "00".into(),
        target: String::new(),
        value: 0,
        not_before: NOW,
        expires: NOW.plus(Duration::from_mins(1)),
        to: "PW-217001-01..08 PW-218001-01".into(),
        quake: None,
    }
}

fn drill() -> Order {
    Order {
        drill: true,
        text: "演练:立即转移".into(),
        ..order()
    }
}

fn pair() -> (Signer, Verifier) {
    let signer = Signer::from_seed(SEED).expect("32 bytes");
    let verifier = Verifier::new(DEVICE, &signer.public_keys()).expect("two keys");
    (signer, verifier)
}

/// What a controller that has taken nothing yet says.
fn met(order: &Order) -> Result<Order, Refusal> {
    let (signer, verifier) = pair();
    verifier.verify(&signer.sign(order), &Window::default(), NOW)
}

#[test]
fn a_good_order_is_taken_whole_by_every_speaker_it_names() {
    assert_eq!(met(&order()), Ok(order()));
    let (gateway, _) = pair();
    let signed = gateway.sign(&order());
    for device in ["PW-217001-01", "PW-217001-08", "PW-218001-01"] {
        let verifier = Verifier::new(device, &gateway.public_keys()).expect("two keys");
        assert!(verifier.verify(&signed, &Window::default(), NOW).is_ok());
    }
}

#[test]
fn the_body_is_canonical_so_a_second_signing_gives_the_same_bytes() {
    let (gateway, _) = pair();
    let signed = gateway.sign(&order());
    assert_eq!(signed, gateway.sign(&order()));
    let start = r#"{"v":3,"gateway":"test","counter":7,"order":"1-0-aa-bb","kind":"play","drill":false,"class":"emergency","authority":"county","level":"red","event":"11A51","language":"zh-CN""#;
    assert!(signed.body.starts_with(start), "{}", signed.body);
    assert!(
        signed
            .body
            .ends_with(r#""to":"PW-217001-01..08 PW-218001-01"}"#)
    );
}

#[test]
fn an_order_of_another_key_or_without_a_signature_is_refused() {
    let (_, verifier) = pair();
    let thief = Signer::from_seed(&SEED.replace("07", "08")).expect("32 bytes");
    let forged = thief.sign(&order());
    let unsigned = Signed {
        signature: String::new(),
        ..forged.clone()
    };
    for signed in [forged, unsigned] {
        let found = verifier.verify(&signed, &Window::default(), NOW);
        assert_eq!(found, Err(Refusal::Forged));
    }
}

#[test]
fn a_replayed_order_is_refused_and_one_that_was_overtaken_is_not() {
    let (signer, verifier) = pair();
    let mut window = Window::default();
    window.take(8);
    assert!(
        verifier
            .verify(&signer.sign(&order()), &window, NOW)
            .is_ok()
    );
    window.take(7);
    let again = verifier.verify(&signer.sign(&order()), &window, NOW);
    assert_eq!(again, Err(Refusal::Replayed));
    // Far behind all that was taken since.
    let late = Window::new(7, vec![20]).expect("a window");
    let found = verifier.verify(&signer.sign(&order()), &late, NOW);
    assert_eq!(found, Err(Refusal::Replayed));
}

#[test]
fn an_order_is_refused_outside_its_time() {
    let (signer, verifier) = pair();
    let at = |now| verifier.verify(&signer.sign(&order()), &Window::default(), now);
    assert_eq!(at(order().expires), Err(Refusal::Expired));
    assert_eq!(
        at(NOW.minus(AHEAD).minus(Duration::from_millis(1))),
        Err(Refusal::Early)
    );
    assert!(at(NOW.minus(AHEAD)).is_ok(), "it is kept until it begins");
}

#[test]
fn an_order_that_does_not_address_the_device_is_refused() {
    for to in [
        "",
        "PW-217001-03..08",
        "PW-217001-0",
        "PW-217001-020",
        "510727",
    ] {
        let other = Order {
            to: to.into(),
            ..order()
        };
        assert_eq!(met(&other), Err(Refusal::NotAddressed), "{to}");
    }
}

#[test]
fn an_order_of_an_unknown_version_or_kind_is_refused() {
    let later = Order { v: 4, ..order() };
    assert_eq!(met(&later), Err(Refusal::Malformed));
    let strange = Order {
        kind: "format-disk".into(),
        ..order()
    };
    assert_eq!(met(&strange), Err(Refusal::Malformed));
}

#[test]
fn an_order_without_what_its_kind_needs_is_refused() {
    let kind = |kind: &str, target: &str, value| Order {
        kind: kind.into(),
        target: target.into(),
        value,
        ..order()
    };
    for good in [
        kind(STOP, "7", 0),
        kind(STOP_ALL, "", 0),
        kind(TONE, "", 5),
        kind(VOLUME, "", 0),
        kind(VOLUME, "", 100),
    ] {
        assert_eq!(met(&good), Ok(good));
    }
    let silent = Order {
        repeats: 0,
        ..order()
    };
    for bad in [
        kind(STOP, "", 0),
        kind(TONE, "", 0),
        kind(TONE, "", 61),
        kind(VOLUME, "", 101),
        silent,
    ] {
        assert_eq!(met(&bad), Err(Refusal::Malformed), "{bad:?}");
    }
}

#[test]
fn a_drill_is_taken_under_its_own_key_only() {
    assert_eq!(met(&drill()), Ok(drill()));
    let (signer, verifier) = pair();
    // As a gateway that mixed its keys up would sign.
    let mixed = Signer {
        live: signer.drill,
        drill: signer.live,
    };
    for order in [order(), drill()] {
        let found = verifier.verify(&mixed.sign(&order), &Window::default(), NOW);
        assert_eq!(found, Err(Refusal::DrillForLive));
    }
}

#[test]
fn a_drill_that_does_not_say_so_is_refused() {
    let silent = Order {
        text: order().text,
        ..drill()
    };
    assert_eq!(met(&silent), Err(Refusal::UnmarkedDrill));
}

#[test]
fn the_content_is_what_is_heard_and_neither_counter_nor_addressees() {
    let again = Order {
        counter: 900,
        to: DEVICE.into(),
        not_before: NOW.plus(Duration::from_secs(9)),
        ..order()
    };
    assert_eq!(again.content(), order().content());
    let changed = Order {
        text: "立即返回".into(),
        ..order()
    };
    assert_ne!(changed.content(), order().content());
    assert_ne!(drill().content(), order().content());
}

fn piece(kind: &str, text: &str) -> Piece {
    Piece {
        kind: kind.into(),
        text: text.into(),
        seconds: 3,
        ..Piece::default()
    }
}

#[test]
fn a_drill_says_so_with_its_first_piece_and_with_its_last() {
    let ends = |first: Piece, last: Piece| Order {
        parts: vec![first, piece(PIECE_TONE, ""), last],
        ..drill()
    };
    let marked = || piece(PIECE_TEXT, "演练完毕。");
    assert!(met(&ends(marked(), marked())).is_ok());
    for (first, last) in [
        (marked(), piece(PIECE_TEXT, "立即转移")),
        (piece(PIECE_TONE, "演练"), marked()),
        (marked(), piece(PIECE_SOUND, "演练")),
    ] {
        assert_eq!(met(&ends(first, last)), Err(Refusal::UnmarkedDrill));
    }
}

#[test]
fn pieces_that_are_not_known_are_left_out_and_the_words_never() {
    let of = |parts: Vec<Piece>| {
        let order = Order { parts, ..order() };
        let taken = met(&order).expect("it is taken");
        let list = taken.playlist().into_iter();
        list.map(|piece| (piece.kind, piece.text))
            .collect::<Vec<_>>()
    };
    let words = (PIECE_TEXT.to_owned(), order().text);
    assert_eq!(of(Vec::new()), vec![words.clone()]);
    let strange = piece("smell", "of smoke");
    let nothing = piece(PIECE_SOUND, "");
    let list = of(vec![
        strange.clone(),
        nothing.clone(),
        piece(PIECE_TEXT, "转移"),
    ]);
    assert_eq!(list, [(PIECE_TEXT.to_owned(), "转移".to_owned())]);
    assert_eq!(of(vec![strange, nothing, piece(PIECE_TONE, "")]), [words]);
}

proptest! {
    #[test]
    fn no_changed_byte_passes(place in any::<prop::sample::Index>(), bit in 0_u8..7) {
        let (gateway, verifier) = pair();
        let signed = gateway.sign(&order());
        let mut bytes = signed.body.clone().into_bytes();
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        // A change that is no text any more never reaches the check: JSON carries only text.
        if let Ok(body) = String::from_utf8(bytes) {
            let changed = Signed { body, ..signed };
            let found = verifier.verify(&changed, &Window::default(), NOW);
            prop_assert_eq!(found, Err(Refusal::Forged));
        }
    }
}

/// What `docs/controllers.md` shows is what this signs and checks.
#[test]
fn the_worked_example_in_pieces_holds_and_says_the_same_in_words() {
    let page = include_str!("../../../../docs/controllers.md");
    let (gateway, verifier) = pair();
    let body = page.lines().find(|line| line.contains(r#""parts":[{"#));
    let body = body.expect("an order").to_owned();
    let whole = |line: &&str| line.len() == 128 && line.bytes().all(|b| b.is_ascii_hexdigit());
    let signature = page
        .lines()
        .filter(whole)
        .nth(1)
        .expect("a second one")
        .to_owned();
    let signed = Signed::alone(body, signature);
    let order = verifier.verify(&signed, &Window::default(), NOW);
    let order = order.expect("a good order");
    assert_eq!(gateway.sign(&order), signed);
    let bytes = format!("one line of {} bytes", signed.body.len());
    assert!(page.contains(&bytes), "{bytes}");
    let list = order.playlist();
    let kinds: Vec<_> = list.iter().map(|piece| piece.kind.as_str()).collect();
    assert_eq!(kinds, [PIECE_TONE, PIECE_SOUND, PIECE_TEXT]);
    assert_eq!(
        (list[2].text.as_str(), order.sounds_of().count()),
        (&*order.text, 2)
    );
}

/// A report on an earthquake by which the wave is here in twenty seconds.
fn quake() -> Order {
    let arrival = NOW.plus(Duration::from_secs(20));
    Order {
        kind: QUAKE.into(),
        target: "sc-1".into(),
        value: 1,
        expires: arrival.plus(channel::AFTER_ARRIVAL),
        quake: Some(Tremor {
            origin: NOW,
            arrival,
            intensity: 7,
            magnitude: 63,
            alarm: channel::Alarm::Red,
        }),
        ..order()
    }
}

#[test]
fn an_earthquake_without_its_estimate_or_with_an_absurd_one_is_refused() {
    assert_eq!(met(&quake()), Ok(quake()));
    let with = |change: fn(&mut Tremor)| {
        let mut order = quake();
        change(order.quake.as_mut().expect("a tremor"));
        order
    };
    let without = Order {
        quake: None,
        ..quake()
    };
    let nameless = Order {
        target: String::new(),
        ..quake()
    };
    let longer = Order {
        expires: quake().expires.plus(Duration::from_millis(1)),
        ..quake()
    };
    let elsewhere = Order {
        quake: quake().quake,
        ..order()
    };
    let cancel = Order {
        kind: QUAKE_CANCEL.into(),
        ..without.clone()
    };
    assert_eq!(met(&cancel), Ok(cancel.clone()));
    for bad in [
        without,
        nameless,
        longer,
        elsewhere,
        with(|tremor| tremor.intensity = 0),
        with(|tremor| tremor.intensity = 13),
        with(|tremor| tremor.origin = NOW.plus(Duration::from_secs(21))),
        Order {
            target: String::new(),
            ..cancel.clone()
        },
        Order {
            quake: quake().quake,
            ..cancel
        },
    ] {
        assert_eq!(met(&bad), Err(Refusal::Malformed), "{bad:?}");
    }
}

#[test]
fn an_earthquake_is_refused_far_ahead_after_its_end_under_the_wrong_key_and_as_a_silent_drill() {
    let (signer, verifier) = pair();
    let at = |order: &Order, now| verifier.verify(&signer.sign(order), &Window::default(), now);
    let ends = quake().expires;
    let least = Duration::from_millis(1);
    assert_eq!(at(&quake(), ends), Err(Refusal::Expired));
    assert!(at(&quake(), ends.minus(least)).is_ok());
    let early = NOW.plus(Duration::from_secs(20)).minus(LONGEST_WAY);
    assert!(at(&quake(), early).is_ok(), "ten minutes");
    assert_eq!(at(&quake(), early.minus(least)), Err(Refusal::FarAhead));
    let drill = |text: &str, kind: &str| Order {
        drill: true,
        text: text.into(),
        kind: kind.into(),
        quake: quake().quake.filter(|_| kind == QUAKE),
        ..quake()
    };
    for kind in [QUAKE, QUAKE_CANCEL] {
        assert!(met(&drill("演练。地震预警", kind)).is_ok());
        assert_eq!(met(&drill("地震预警", kind)), Err(Refusal::UnmarkedDrill));
    }
    let mixed = signer.mixed(&quake());
    let found = verifier.verify(&mixed, &Window::default(), NOW);
    assert_eq!(found, Err(Refusal::DrillForLive));
}

#[test]
fn other_orders_keep_their_exact_bytes() {
    let body = json(&order());
    assert!(!body.contains("quake"), "{body}");
    let body = json(&quake());
    let end = r#""to":"PW-217001-01..08 PW-218001-01","quake":{"origin":1784044800000,"arrival":1784044820000,"intensity":7,"magnitude":63,"alarm":"red"}}"#;
    assert!(body.ends_with(end), "{body}");
}

/// What `docs/controllers.md` shows is what this signs and checks.
#[test]
fn the_worked_example_of_an_earthquake_holds_and_ends_ten_seconds_after_the_wave() {
    let page = include_str!("../../../../docs/controllers.md");
    let (gateway, verifier) = pair();
    let body = page.lines().find(|line| line.contains(r#""kind":"quake""#));
    let body = body.expect("an order").to_owned();
    let whole = |line: &&str| line.len() == 128 && line.bytes().all(|b| b.is_ascii_hexdigit());
    let signature = page.lines().filter(whole).nth(2);
    let signature = signature.expect("a third one").to_owned();
    let signed = Signed::alone(body, signature);
    let order = verifier.verify(&signed, &Window::default(), NOW);
    let order = order.expect("a good order");
    assert_eq!(gateway.sign(&order), signed);
    let bytes = format!("one line of {} bytes", signed.body.len());
    assert!(page.contains(&bytes), "{bytes}");
    let tremor = order.quake.expect("an estimate");
    assert_eq!(tremor.seconds_left(NOW), Some(11));
    let late = verifier.verify(&signed, &Window::default(), order.expires);
    assert_eq!(late, Err(Refusal::Expired));
    assert!(page.contains(HERE) && page.contains(COVER));
}

/// What `docs/controllers.md` shows is what this signs and checks.
#[test]
fn the_worked_example_of_the_documents_holds() {
    let page = include_str!("../../../../docs/controllers.md");
    let (gateway, verifier) = pair();
    let keys = gateway.public_keys();
    let (live, drill) = keys.split_at(64);
    assert!(page.contains(live) && page.contains(drill), "{keys}");
    let body = page.lines().find(|line| line.starts_with(r#"{"v":3"#));
    let body = body.expect("an order").to_owned();
    let whole = |line: &&str| line.len() == 128 && line.bytes().all(|b| b.is_ascii_hexdigit());
    let signature = page.lines().find(whole).expect("a signature").to_owned();
    let signed = Signed::alone(body, signature);
    let order = verifier.verify(&signed, &Window::default(), NOW);
    let order = order.expect("a good order");
    assert_eq!(gateway.sign(&order), signed);
    assert_eq!(signed.body.len(), 466);
    assert!(page.contains("one line of 466 bytes"));
}

#[test]
fn orders_signed_at_once_hold_each_for_its_own_device_and_in_their_own_set_alone() {
    let (gateway, verifier) = pair();
    let orders: Vec<_> = (0..5_u64)
        .map(|n| Order {
            counter: order().counter + n,
            to: if n == 2 {
                DEVICE.into()
            } else {
                format!("Q-{n}")
            },
            ..order()
        })
        .collect();
    let signed = gateway.sign_together(&orders);
    let take = |signed: &Signed| verifier.verify(signed, &Window::default(), NOW);
    assert_eq!(take(&signed[2]), Ok(orders[2].clone()));
    assert_eq!(take(&signed[1]), Err(Refusal::NotAddressed));
    assert!(
        signed
            .iter()
            .all(|one| one.beside.len() == 5 && one.signature == signed[0].signature)
    );
    let with = |change: fn(&mut Signed)| {
        let mut changed = signed[2].clone();
        change(&mut changed);
        take(&changed)
    };
    let forged: [fn(&mut Signed); 7] = [
        |it| it.body.push(' '),
        |it| it.beside.clear(),
        |it| it.beside.swap(0, 1),
        |it| drop(it.beside.pop()),
        |it| it.beside[2] = "0".repeat(64),
        |it| it.beside[2].make_ascii_uppercase(),
        |it| it.beside.resize(65, "0".repeat(64)),
    ];
    for (nth, change) in forged.into_iter().enumerate() {
        assert_eq!(with(change), Err(Refusal::Forged), "change {nth}");
    }
    // The hash of another body in the place of one that was signed: the signature is not over it.
    let other = gateway.sign(&Order {
        counter: 1,
        ..orders[2].clone()
    });
    let mut put = signed[2].clone();
    put.body = other.body;
    assert_eq!(take(&put), Err(Refusal::Forged));
    put.beside[0] = hex::encode(digest::digest(&digest::SHA256, put.body.as_bytes()));
    assert_eq!(take(&put), Err(Refusal::Forged));
    // Alone it is signed as any other, and a drill by its own key.
    assert_eq!(
        gateway.sign_together(&orders[2..3]),
        [gateway.sign(&orders[2])]
    );
    let drills: Vec<_> = orders[1..4]
        .iter()
        .map(|live| Order {
            drill: true,
            text: "演练。".into(),
            ..live.clone()
        })
        .collect();
    let drills_signed = gateway.sign_together(&drills);
    assert_eq!(take(&drills_signed[1]), Ok(drills[1].clone()));
}

/// What `docs/controllers.md` shows of it is what this signs and checks.
#[test]
fn the_worked_example_of_orders_signed_at_once_holds() {
    let page = include_str!("../../../../docs/controllers.md");
    let (gateway, verifier) = pair();
    let body = page.lines().find(|line| line.contains(r#""kind":"quake""#));
    let body = body.expect("an order").to_owned();
    let from = page.find("\ntocsin-orders-1\n").expect("a set") + 1;
    let set = &page[from..from + page[from..].find("```").expect("its end")];
    let beside: Vec<_> = set.lines().skip(1).map(str::to_owned).collect();
    let signature = page[from..].lines().find(|line| line.len() == 128);
    let signed = Signed {
        body,
        signature: signature.expect("a signature").to_owned(),
        beside,
    };
    let order = verifier.verify(&signed, &Window::default(), NOW);
    let order = order.expect("a good order");
    let other = Order {
        counter: order.counter + 1,
        order: order.order.replace("0003", "0004"),
        to: "PW-217001-03".into(),
        ..order.clone()
    };
    assert_eq!(gateway.sign_together(&[order, other])[0], signed);
}
