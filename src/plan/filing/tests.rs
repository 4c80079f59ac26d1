//! Tests of who may be sent what by which filing.

use super::super::fixture::filing;
use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_783_990_800);

/// One account's filings, as they are configured.
fn filings(list: &[&str]) -> Filings {
    let of = |text: &&str| ("sms".to_owned(), filing(text));
    Filings::new(list.iter().map(of))
}

fn way(list: &[&str], carrier: Carrier) -> Way {
    filings(list).way("sms", "平武水利", Some(carrier), NOW)
}

#[test]
fn an_account_without_filings_says_nothing_and_another_signature_is_not_filed() {
    let all = filings(&["state = \"filed\""]);
    let of = |channel, signature| all.way(channel, signature, Some(Carrier::Mobile), NOW);
    assert_eq!(of("sms-b", "平武水利"), Way::Unsaid);
    assert_eq!(of("sms", "平武水利"), Way::Filed(0));
    assert_eq!(of("sms", "平武气象"), Way::Barred(Bar::NotFiled));
}

#[test]
fn a_carriers_own_filing_goes_before_one_for_all_and_what_is_in_force_before_both() {
    let own = "state = \"filed\"\ncarrier = \"mobile\"";
    let pending = "state = \"pending\"\ncarrier = \"mobile\"";
    let all = "state = \"filed\"";
    assert_eq!(way(&[all, own], Carrier::Mobile), Way::Filed(1));
    assert_eq!(way(&[all, own], Carrier::Telecom), Way::Filed(0));
    assert_eq!(way(&[pending, all], Carrier::Mobile), Way::Filed(1));
    assert_eq!(way(&[own], Carrier::Telecom), Way::Barred(Bar::NotFiled));
    for state in ["pending", "refused", "expired"] {
        let off = format!("state = \"{state}\"");
        assert_eq!(way(&[&off], Carrier::Mobile), Way::Barred(Bar::NotInForce));
    }
}

#[test]
fn a_number_that_no_prefix_knows_goes_by_whatever_is_filed() {
    let own = ["state = \"filed\"\ncarrier = \"telecom\""];
    assert_eq!(
        filings(&own).way("sms", "平武水利", None, NOW),
        Way::Filed(0)
    );
}

#[test]
fn a_filing_holds_through_its_last_day_and_is_told_of_thirty_days_before() {
    let all = filings(&[
        "state = \"filed\"\nuntil = \"2026-08-14\"",
        "state = \"filed\"",
    ]);
    let first = all.get(0).expect("one");
    let end: Day = "2026-08-14".parse().expect("a day");
    assert_eq!(
        first.state_at(Timestamp(end.end().0 - 1)),
        FilingState::Filed
    );
    assert_eq!(first.state_at(end.end()), FilingState::Expired);
    let days = |n: u64| end.end().minus(std::time::Duration::from_hours(24 * n));
    assert_eq!(all.lapsing(days(31)).count(), 0);
    assert_eq!(all.lapsing(days(30)).count(), 1);
    assert_eq!(all.lapsing(end.end()).count(), 1);
}

#[test]
fn a_text_is_judged_without_its_signature() {
    let all = filings(&[
        "state = \"filed\"\ntemplates = [{ id = \"A\", text = \"{}预警。{}\" }, { id = \"B\", text = \"解除{}\" }]",
        "state = \"filed\"",
        "state = \"filed\"\nlinks = true",
    ]);
    let judge = |n, text| {
        all.get(n)
            .expect("one")
            .judge(text)
            .map(|id| id.map(str::to_owned))
    };
    assert_eq!(
        judge(0, "【平武水利】山洪预警。转移。"),
        Ok(Some("A".into()))
    );
    assert_eq!(judge(0, "【平武水利】解除山洪"), Ok(Some("B".into())));
    assert_eq!(judge(0, "【平武水利】转移。"), Err(Bar::NoTemplate));
    assert_eq!(judge(1, "【平武水利】转移。"), Ok(None));
    let link = "【平武水利】详见12379.cn";
    assert_eq!((judge(1, link), judge(2, link)), (Err(Bar::Link), Ok(None)));
}

#[test]
fn a_misspelt_key_of_a_filing_is_refused() {
    for (text, said) in [
        ("state = \"done\"", "unknown variant"),
        ("state = \"filed\"\nuntil = \"2026-02-30\"", "is no day"),
        ("state = \"filed\"\ntemplate = []", "unknown field"),
        ("state = \"filed\"\ntemplates = [{ id = \"A\" }]", "text"),
    ] {
        let read = toml::from_str::<Filing>(&format!("signature = \"x\"\n{text}"));
        let refused = read.expect_err(text).to_string();
        assert!(refused.contains(said), "{refused}");
    }
}
