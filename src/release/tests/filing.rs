//! What a release writes of texts that are not on file, and what it notes as spent: exactly what it wrote, wherever it was
//! broken off, and the same after a restart.

use channel::Level;

use super::kit::{COUNTY, House, START, Says, VILLAGES};
use super::order::begun;
use crate::ledger::{BARRED, replay};
use crate::model::{Answer, Missed, Month, State};
use crate::plan::{Filing, Filings};

/// Of whoever is not configured any more.
const SIGNATURE: &str = "预警发布";

fn filings(text: &str) -> Filings {
    let filing = format!("signature = \"{SIGNATURE}\"\n{text}");
    let filing: Filing = toml::from_str(&filing).expect("a filing");
    Filings::new([("sms".to_owned(), filing)].into_iter())
}

fn spent(house: &House) -> u64 {
    let month = Month::of(START);
    house.release.ledger.spending.of("water", month)
}

#[tokio::test]
async fn whoever_may_not_be_sent_to_is_missed_with_the_reason_and_costs_nothing() {
    for (text, code) in [
        ("state = \"pending\"", "filing:not-in-force"),
        (
            "state = \"filed\"\ntemplates = [{ id = \"T\", text = \"{}演习{}\" }]",
            "filing:no-template",
        ),
    ] {
        let house = House::with(filings(text)).await;
        let stream = house.accept(&Says::alert(1, Level::Red, COUNTY)).await;
        house.release().await;
        let alert = house.alert(stream);
        assert_eq!(
            u64::from(alert.next_delivery()),
            VILLAGES,
            "all stand there"
        );
        for block in alert.blocks() {
            assert_eq!(block.tally(State::Failed), block.len(), "{code}");
            for i in 0..block.len() as usize {
                assert_eq!(block.answer(i), Answer::Missed(Missed::Refused));
                assert!(block.flag(i, BARRED) && block.attempts(i) == 0);
                let stands = house.release.ledger.code(block.code(i));
                assert_eq!(stands.as_deref(), Some(code));
            }
        }
        assert_eq!(spent(&house), 0, "{code}");
    }
}

#[tokio::test]
async fn what_was_written_is_spent_once_wherever_the_release_was_broken_off() {
    let house = House::start().await;
    let low = house.accept(&Says::alert(1, Level::Blue, COUNTY)).await;
    begun(&house, low, 12).await;
    let written = u64::from(house.alert(low).next_delivery());
    assert!((1..VILLAGES).contains(&written));
    assert_eq!(spent(&house), written, "in the commit of the blocks");
    house.release().await;
    assert_eq!(spent(&house), VILLAGES, "gone on with");
    let second = house.accept(&Says::alert(2, Level::Blue, COUNTY)).await;
    begun(&house, second, 12).await;
    let more = u64::from(house.alert(second).next_delivery());
    house.accept(&Says::cancel(3, &[second])).await;
    house.release().await;
    assert_eq!(
        spent(&house),
        VILLAGES + more,
        "what was withdrawn in the middle was written all the same"
    );
    let again = replay(&*house.release.store).await.expect("it replays");
    assert_eq!(
        again.ledger.spending.all(),
        house.release.ledger.spending.all()
    );
}

#[tokio::test]
async fn a_text_on_file_names_its_template_and_goes_out() {
    let on_file = "state = \"filed\"\ntemplates = [{ id = \"T-7\", text = \"第{}号。{}\" }]";
    let house = House::with(filings(on_file)).await;
    let stream = house.accept(&Says::alert(1, Level::Red, COUNTY)).await;
    house.release().await;
    let alert = house.alert(stream);
    let variants = alert.variants();
    assert_eq!(variants.len(), 1);
    let store = &house.release.store;
    let document = store.document(variants[0].document).await;
    let document = document.expect("it is read").expect("it is there");
    let text = crate::plan::load(&document, &bytes::Bytes::new()).expect("a text");
    assert_eq!(text.template.as_deref(), Some("T-7"));
    let planned = alert
        .blocks()
        .iter()
        .map(|b| b.tally(State::Planned))
        .sum::<u32>();
    assert_eq!(u64::from(planned), VILLAGES);
}

#[tokio::test]
async fn a_text_that_two_accounts_count_differently_stands_once_for_each() {
    let mut house = House::start().await;
    house.plan +=
        "[[send]]\naudience = \"public\"\nchannels = [\"sms-wide\"]\nreceipt_window = \"1m\"\n";
    let stream = house.accept(&Says::alert(1, Level::Red, COUNTY)).await;
    house.release().await;
    let alert = house.alert(stream);
    let variants = alert.variants();
    let segments: Vec<_> = variants.iter().map(|v| v.segments).collect();
    assert_eq!(segments, [1, 3]);
    assert_eq!(variants[0].document, variants[1].document, "one text");
    for block in alert.blocks() {
        let own = u16::from(block.channel == "sms-wide");
        assert_eq!(block.variant(0), own, "{}", block.channel);
    }
    assert_eq!(spent(&house), VILLAGES * 4);
}
