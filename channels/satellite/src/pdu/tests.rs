//! The codec against vectors that another implementation made, and against itself.

use proptest::prelude::*;

use super::*;

fn number(text: &str) -> Number {
    Number::parse(text).unwrap()
}

fn gsm7(text: &str) -> UserData {
    let coding = sms::text::Coding {
        gsm7: true,
        ..Default::default()
    };
    UserData {
        alphabet: Alphabet::Gsm7,
        header: Vec::new(),
        data: sms::text::encode(text, coding).parts.remove(0),
    }
}

fn ucs2(text: &str, header: &[u8]) -> UserData {
    UserData {
        alphabet: Alphabet::Ucs2,
        header: header.to_vec(),
        data: text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
    }
}

#[test]
fn a_submission_has_the_bytes_that_another_encoder_gives_it() {
    // Made by PyPI's python-gsmmodem-new 0.13.0, which numbers it 2; the modem does that for us.
    let theirs = "0021020D91683108000000F000000FC8329BFD066D506176594EDFA400";
    let submit = Submit {
        to: number("+8613800000000"),
        until: Until::Open,
        report: true,
        flash: false,
        user: gsm7("Hello {alert}"),
    };
    let (line, length) = super::line(None, &submit.write());
    assert_eq!(line, theirs.replacen("2102", "2100", 1));
    assert_eq!(length, 28);
}

#[test]
fn a_long_text_carries_its_header_and_its_validity() {
    let submit = Submit {
        to: number("17400000001"),
        until: Until::Span(35),
        report: true,
        flash: false,
        user: ucs2("暴雨", &[5, 0, 3, 7, 2, 1]),
    };
    assert_eq!(
        hex::encode(submit.write()),
        "71000b817104000000f10008230a05000307020166b496e8"
    );
    let moment = Submit {
        until: Until::Moment(Timestamp::from_secs(1_783_990_800), 32),
        flash: true,
        report: false,
        ..submit
    };
    let bytes = moment.write();
    assert_eq!(bytes[0], 0x59);
    assert_eq!(hex::encode(&bytes[11..19]), "1862704190000023");
    assert_eq!(Submit::read(&bytes), Ok(moment));
}

#[test]
fn a_report_and_a_reply_are_read_with_and_without_a_centre() {
    let report = Report {
        reference: 250,
        of: number("+8617400000001"),
        taken: Some(Timestamp::from_secs(1_783_990_800)),
        at: Some(Timestamp::from_secs(1_783_990_860)),
        status: 0,
    };
    let (line, _) = super::line(Some(&number("+8613800816500")), &report.write(32));
    let bytes = hex::decode(line).unwrap();
    assert_eq!(Incoming::read(&bytes), Ok(Incoming::Report(report.clone())));
    assert_eq!(
        Incoming::read_tpdu(&report.write(0)),
        Ok(Incoming::Report(report))
    );
    let reply = Deliver {
        from: number("17400000001"),
        at: Some(Timestamp::from_secs(1_783_990_800)),
        user: ucs2("收到", &[]),
    };
    let bytes = [&[0][..], &reply.write(32)].concat();
    let Ok(Incoming::Deliver(read)) = Incoming::read(&bytes) else {
        panic!("it is a delivery");
    };
    assert_eq!((read.user.text().as_str(), &read), ("收到", &reply));
}

#[test]
fn the_coding_octet_says_the_alphabet() {
    for (coding, alphabet) in [
        (0x00, Alphabet::Gsm7),
        (0x08, Alphabet::Ucs2),
        (0x18, Alphabet::Ucs2),
        (0x04, Alphabet::Octets),
        (0xC0, Alphabet::Gsm7),
        (0xE0, Alphabet::Ucs2),
        (0xF1, Alphabet::Gsm7),
        (0xF5, Alphabet::Octets),
    ] {
        assert_eq!(super::alphabet(coding), alphabet, "{coding:#x}");
    }
}

#[test]
fn a_message_that_is_cut_off_is_refused_at_every_octet() {
    let user = ucs2("暴雨红色预警", &[5, 0, 3, 7, 2, 1]);
    let submit = Submit {
        to: number("17400000001"),
        until: Until::Span(35),
        report: true,
        flash: false,
        user: user.clone(),
    };
    let whole = submit.write();
    for end in 0..whole.len() {
        assert!(Submit::read(&whole[..end]).is_err(), "{end}");
    }
    let deliver = Deliver {
        from: number("17400000001"),
        at: None,
        user,
    };
    let whole = deliver.write(32);
    for end in 0..whole.len() {
        assert!(Incoming::read_tpdu(&whole[..end]).is_err(), "{end}");
    }
}

proptest! {
    #[test]
    fn what_was_written_is_read(
        digits in "[0-9]{3,20}", plus in any::<bool>(), report in any::<bool>(), flash in any::<bool>(),
        span in any::<u8>(), wide in any::<bool>(), data in proptest::collection::vec(0_u8..128, 0..130), long in any::<bool>(),
    ) {
        let header = if long { vec![5, 0, 3, 9, 2, 1] } else { Vec::new() };
        let (alphabet, data) = if wide {
            (Alphabet::Ucs2, data)
        } else {
            (Alphabet::Gsm7, data)
        };
        let submit = Submit {
            to: number(&format!("{}{digits}", if plus { "+" } else { "" })),
            until: Until::Span(span),
            report,
            flash,
            user: UserData { alphabet, header, data },
        };
        prop_assert_eq!(Submit::read(&submit.write()), Ok(submit));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Incoming::read(&bytes);
        let _ = Submit::read(&bytes);
        if let Ok(Incoming::Deliver(deliver)) = Incoming::read_tpdu(&bytes) {
            let _ = deliver.user.text();
        }
    }
}
