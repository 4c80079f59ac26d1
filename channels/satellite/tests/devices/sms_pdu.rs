//! Messages in PDU mode before the crate `sms-pdu`, in both directions: it writes submissions that we read, and reads the
//! texts and reports that we write. It has no reader of submissions and no writer of the others.

use channel::Timestamp;
use satellite::pdu::{Alphabet, Deliver, Number, Report, Submit, UserData, behind_centre};
use sms::text::{Coding, encode};
use sms_pdu::gsm_encoding::GsmMessageData;
use sms_pdu::pdu::{DeliverPdu, MessageStatus, SmscTimestamp, StatusReportPdu, SubmitPdu};

const PHONE: &str = "+8617400000001";
/// 2026-07-14 09:00 in Beijing, in quarters of an hour east.
const AT: Timestamp = Timestamp::from_secs(1_783_990_800);
const BEIJING: u8 = 32;

fn texts() -> [String; 4] {
    let chinese = "山洪红色预警,立即转移。";
    // The crate cuts a long text between an escape and the character that it belongs to: the long ones have none.
    [
        chinese.to_owned(),
        "Flash flood {alert}: leave now. [11A51]".to_owned(),
        chinese.repeat(9),
        "Flash flood: leave now, code 11A51. ".repeat(7),
    ]
}

#[test]
fn what_the_crate_submits_we_read() {
    for text in texts() {
        let parts = GsmMessageData::encode_message(&text);
        let mut read = String::new();
        for (number, part) in (1..).zip(parts.clone()) {
            let to = PHONE.parse().expect("it never fails");
            let (bytes, length) = SubmitPdu::make_simple_message(to, part).as_bytes();
            let tpdu = behind_centre(&bytes).unwrap();
            assert_eq!(tpdu.len(), length);
            let submit = Submit::read(tpdu).unwrap();
            assert_eq!(submit.to, Number::parse(PHONE).unwrap());
            if parts.len() > 1 {
                let count = u8::try_from(parts.len()).unwrap();
                assert!(submit.user.header.ends_with(&[count, number]));
            }
            read += &submit.user.text();
        }
        assert_eq!(read, text);
    }
}

fn is_at(shown: &SmscTimestamp) -> bool {
    (shown.year, shown.month, shown.day, shown.hour, shown.minute) == (26, 7, 14, 9, 0)
        && shown.timezone == BEIJING
}

#[test]
fn texts_that_we_write_the_crate_reads() {
    for text in texts() {
        let coding = Coding {
            gsm7: true,
            ..Coding::default()
        };
        let encoded = encode(&text, coding);
        let alphabet = match encoded.alphabet {
            sms::text::Alphabet::Gsm7 => Alphabet::Gsm7,
            _ => Alphabet::Ucs2,
        };
        let mut read = String::new();
        for (number, data) in (1..).zip(&encoded.parts) {
            let deliver = Deliver {
                from: Number::parse(PHONE).unwrap(),
                at: Some(AT),
                user: UserData {
                    alphabet,
                    header: encoded.header(7, number).bytes().to_vec(),
                    data: data.clone(),
                },
            };
            let bytes = [&[0][..], &deliver.write(BEIJING)].concat();
            let pdu = DeliverPdu::try_from(&bytes[..]).unwrap();
            assert_eq!(pdu.originating_address.to_string(), PHONE);
            assert!(is_at(&pdu.scts), "{:?}", pdu.scts);
            let message = pdu.get_message_data().decode_message().unwrap();
            let parts = message.udh.and_then(|udh| udh.get_concatenated_sms_data());
            assert_eq!(parts.is_some(), encoded.parts.len() > 1);
            // It counts the septets of the header as text and shows them as @; tshark, the other judge, does not.
            read += message.text.trim_end_matches('@');
        }
        assert_eq!(read, text);
    }
}

#[test]
fn reports_that_we_write_the_crate_reads() {
    for (status, means) in [
        (0x00, MessageStatus::ReceivedBySme),
        (0x46, MessageStatus::SmValidityPeriodExpired),
    ] {
        let report = Report {
            reference: 200,
            of: Number::parse(PHONE).unwrap(),
            taken: Some(AT),
            at: Some(AT),
            status,
        };
        let bytes = [&[0][..], &report.write(BEIJING)].concat();
        let pdu = StatusReportPdu::try_from(&bytes[..]).unwrap();
        assert_eq!(pdu.message_reference, 200);
        assert_eq!(pdu.recipient_address.to_string(), PHONE);
        assert!(is_at(&pdu.scts) && is_at(&pdu.discharge_time));
        assert_eq!(pdu.status, means);
    }
}
