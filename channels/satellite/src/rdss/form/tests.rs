//! Sentences that public material shows, and those that are assumed, named so.

use proptest::prelude::*;

use super::*;

fn form(version: Version) -> Form {
    Form {
        version,
        assumed: Assumed::default(),
        express: false,
        frequency: 2,
        confirm: false,
    }
}

fn gbk(text: &str) -> Vec<u8> {
    encoding_rs::GBK.encode(text).0.into_owned()
}

#[test]
fn a_text_in_the_new_form_is_the_sentence_that_public_material_shows() {
    let text = gbk("暴雨红色预警请立即转移");
    let content = Content::Text {
        gbk: &text,
        chinese: true,
    };
    let sentence = form(Version::Three).send("4238473", content);
    let known = "$CCTCQ,4238473,2,1,1,B1A9D3EABAECC9ABD4A4BEAFC7EBC1A2BCB4D7AAD2C6,0*0D\r\n";
    assert_eq!(String::from_utf8(sentence).unwrap(), known);
}

#[test]
fn the_old_form_tells_characters_code_and_mixed_apart() {
    let sent = |content| {
        let sentence = form(Version::Two).send("0242286", content);
        let body = sentence::body(sentence.trim_ascii_end()).unwrap().to_vec();
        String::from_utf8(body).unwrap()
    };
    let text = gbk("雨");
    let chinese = |chinese| Content::Text {
        gbk: &text,
        chinese,
    };
    assert_eq!(sent(chinese(true)), "CCTXA,0242286,1,0,D3EA");
    assert_eq!(sent(chinese(false)), "CCTXA,0242286,1,2,A4D3EA");
    assert_eq!(sent(Content::Code(&[0x20, 0x01])), "CCTXA,0242286,1,1,2001");
}

#[test]
fn a_card_tells_its_interval_and_a_terminal_without_one_that_it_has_none() {
    let card = |body: &[u8]| form(Version::Two).said(body);
    let known = Said::Card {
        present: true,
        interval: Some(Duration::from_mins(1)),
    };
    assert_eq!(card(b"BDICI,0242286,00242286,0000011,6,60,3,N,0"), known);
    assert!(matches!(
        card(b"BDICI,0000000,,,,,,,"),
        Said::Card { present: false, .. }
    ));
    let endless = card(b"BDICI,0242286,00242286,0000011,6,99999,3,N,0");
    assert!(matches!(endless, Said::Card { interval: None, .. }));
}

#[test]
fn each_reason_of_the_new_form_has_its_class() {
    use FailureClass::{LinkDown, Throttled, Transient};
    let said = form(Version::Three).said(b"BDFKI,000000,TCQ,N,1,37");
    let Said::Feedback {
        sent: false,
        reason,
        left,
    } = said
    else {
        panic!("{said:?}");
    };
    let failure = refusal(reason, left);
    assert_eq!(
        (failure.class, failure.retry_after),
        (Throttled, Some(Duration::from_secs(37)))
    );
    for (reason, class) in [
        (2, LinkDown),
        (3, LinkDown),
        (4, LinkDown),
        (5, LinkDown),
        (6, LinkDown),
        (9, Transient),
    ] {
        assert_eq!(
            refusal(Some(reason), Duration::ZERO).class,
            class,
            "{reason}"
        );
    }
    let said = form(Version::Three).said(b"BDFKI,000000,TCQ,Y,5,0");
    assert!(matches!(said, Said::Feedback { sent: true, .. }));
}

#[test]
fn no_time_or_no_beam_is_no_signal() {
    let said = |body: &[u8]| form(Version::Three).said(body);
    assert_eq!(said(b"BDPWI,000000.00,00,00"), Said::Signal(false));
    assert_eq!(said(b"BDPWI,002005.00,03,00"), Said::Signal(false));
    assert_eq!(said(b"BDPWI,002005.00,03,02,1,44"), Said::Signal(true));
}

#[test]
fn assumed_a_beam_of_the_old_form_above_nought_is_a_signal() {
    let said = |body: &[u8]| form(Version::Two).said(body);
    assert_eq!(
        said(b"BDBSI,03,04,0,0,0,0,0,0,0,0,0,0"),
        Said::Signal(false)
    );
    assert_eq!(said(b"BDBSI,03,04,0,0,2,0,0,0,0,0,0,0"), Said::Signal(true));
}

#[test]
fn assumed_the_feedback_of_the_old_form_has_its_wait_in_the_last_field() {
    let said = |body: &[u8]| form(Version::Two).said(body);
    let feedback = |sent, left| Said::Feedback {
        sent,
        reason: None,
        left: Duration::from_secs(left),
    };
    assert_eq!(said(b"BDFKI,TXA,Y,Y,0,0000"), feedback(true, 0));
    assert_eq!(said(b"BDFKI,TXA,N,Y,0,0041"), feedback(false, 41));
    assert_eq!(
        refusal(None, Duration::from_secs(41)).class,
        FailureClass::Throttled
    );
    assert_eq!(refusal(None, Duration::ZERO).class, FailureClass::Transient);
}

#[test]
fn a_message_of_the_old_form_is_read_in_hexadecimal_and_assumed_raw() {
    let received = |content: Vec<u8>| Said::Received {
        sender: "0242286".to_owned(),
        content,
    };
    let raw = [&b"BDTXR,1,0242286,0,,"[..], &gbk("收到")].concat();
    assert_eq!(
        form(Version::Two).said(b"BDTXR,1,0242286,0,0020,CAD5B5BD"),
        received(gbk("收到"))
    );
    assert_eq!(form(Version::Two).said(&raw), Said::Unread);
    let assumed = Assumed {
        hanzi: Hanzi::Raw,
        ..Assumed::default()
    };
    let form = Form {
        assumed,
        ..form(Version::Two)
    };
    assert_eq!(form.said(&raw), received(gbk("收到")));
}

#[test]
fn assumed_a_message_of_the_new_form_is_read_only_where_its_layout_is_set() {
    let body = b"BDTCI,4238473,0242286,2,002005,1,CAD5B5BD,0";
    assert_eq!(form(Version::Three).said(body), Said::Unread);
    let assumed = Assumed {
        tci_sender: Some(1),
        tci_content: Some(6),
        icp_interval: Some(2),
        ..Assumed::default()
    };
    assert!(assumed.is_valid());
    let set = Form {
        assumed,
        ..form(Version::Three)
    };
    let received = Said::Received {
        sender: "4238473".to_owned(),
        content: gbk("收到"),
    };
    assert_eq!(set.said(body), received);
    let card = set.said(b"BDICP,4238473,45");
    let known = Said::Card {
        present: true,
        interval: Some(Duration::from_secs(45)),
    };
    assert_eq!(card, known);
    assert!(
        !Assumed {
            tci_sender: Some(1),
            ..Assumed::default()
        }
        .is_valid()
    );
}

proptest! {
    #[test]
    fn arbitrary_sentences_never_panic(
        name in "BD(ICI|ICP|FKI|TXR|TCI|BSI|PWI|X)", rest in proptest::collection::vec(any::<u8>(), 0..60),
        fields in "(,[0-9A-FYN]{0,6}){0,9}", three in any::<bool>(), at in proptest::option::of(1_usize..21),
    ) {
        let version = if three { Version::Three } else { Version::Two };
        let assumed = Assumed { icp_interval: at, tci_sender: at, tci_content: at, ..Assumed::default() };
        let form = Form { assumed, ..form(version) };
        let _ = form.said(&[name.as_bytes(), fields.as_bytes(), &rest].concat());
        let _ = form.said(&rest);
    }
}
