//! Villages that nobody is heard from are found when the plan says, written down, and told of: to their own officers in the
//! warning's words, to those above by their names; and no village twice that has been heard from in between.

use std::time::Duration;

use channel::{Level, Timestamp};

use super::kit::{COUNTY, House, OFFICER, START, Says, VILLAGES, village};
use crate::coverage;
use crate::ledger::event::{Answered, AnsweredRow, Audience};
use crate::ledger::silence::FIRST_LOOK;
use crate::ledger::{Event, Proposal};
use crate::model::StreamId;

const LOOKS: &str = r#"
    [[silent]]
    after = "5m"
    at = ["village"]
    channels = ["sms-wide"]
    receipt_window = "5m"
    [[silent]]
    after = "15m"
    at = ["county"]
    channels = ["sms"]
    receipt_window = "5m"
"#;

async fn house() -> House {
    let mut house = House::start().await;
    house.plan.push_str(LOOKS);
    house
}

impl House {
    /// Somebody of a village writes back, by its place among the villages.
    async fn answers(&self, stream: StreamId, nth: u64, text: Option<[u8; 32]>) {
        let alert = self.alert(stream);
        let blocks = alert.blocks();
        let own = blocks.iter().find(|block| block.region == village(nth));
        let delivery = own.expect("its block").number(0);
        let row = AnsweredRow {
            delivery,
            text,
            assumed: false,
            far: None,
            seen: self.now_is(),
        };
        let answered = Event::Answered(Answered {
            channel: "sms".into(),
            rows: vec![row],
        });
        let commit = self.release.writer.propose(Proposal::of(stream, answered));
        commit.await.expect("it commits");
    }

    fn now_is(&self) -> Timestamp {
        self.release.clock.now()
    }

    /// So many minutes after the beginning.
    fn at(&self, minutes: u64) {
        let then = START.plus(Duration::from_mins(minutes));
        self.clock.advance(then.since(self.now_is()));
    }

    async fn looks(&self) {
        while self.release.look().await {}
    }

    /// Whom a look told: audience, region and endpoint.
    fn told(&self, stream: StreamId, look: u16) -> Vec<(Audience, String, u32)> {
        let blocks = self.alert(stream).blocks();
        let own = blocks
            .iter()
            .filter(|block| block.step == FIRST_LOOK + look);
        let each = |block: &std::sync::Arc<crate::ledger::Block>| -> Vec<_> {
            let whom = (0..block.len() as usize).map(|i| block.endpoint(i));
            whom.map(|endpoint| (block.audience, block.region.to_string(), endpoint))
                .collect()
        };
        own.flat_map(each).collect()
    }

    async fn text_of(&self, stream: StreamId, look: u16) -> String {
        let alert = self.alert(stream);
        let blocks = alert.blocks();
        let block = blocks.iter().find(|b| b.step == FIRST_LOOK + look);
        let variant = alert.variant(block.expect("a block").variant(0));
        let document = variant.expect("a text").document;
        let stored = self.release.store.document(document).await;
        let stored = stored.expect("reads").expect("kept");
        let text = crate::plan::load(&stored, &bytes::Bytes::new());
        text.expect("a text").text
    }
}

#[tokio::test]
async fn a_look_tells_of_the_villages_that_nobody_has_been_heard_from() {
    let house = house().await;
    let stream = house.accept(&Says::alert(1, Level::Red, COUNTY)).await;
    house.release().await;
    let minutes = |n| START.plus(Duration::from_mins(n));
    assert_eq!(house.alert(stream).silence.due(), [minutes(5), minutes(15)]);
    house.hand(stream).await;
    for nth in 2..VILLAGES {
        house.clock.advance(Duration::from_secs(1));
        // A word of acknowledgement or any other: whoever writes is there.
        let text = (nth % 2 == 0).then_some([7; 32]);
        house.answers(stream, nth, text).await;
    }
    house.looks().await;
    assert!(house.alert(stream).silence.taken(0).is_none(), "too early");
    house.at(5);
    house.looks().await;
    let taken = house.alert(stream).silence.taken(0).expect("a look");
    assert_eq!(taken.villages, [village(0), village(1)]);
    // The village's own officer, in the warning's words; the other village has none.
    let own = (Audience::Officers, village(0).to_string(), OFFICER);
    assert_eq!(house.told(stream, 0), [own]);
    assert!(house.text_of(stream, 0).await.contains("请转移"));
    house.looks().await;
    assert_eq!(house.told(stream, 0).len(), 1, "once");
    house.answers(stream, 0, None).await;
    house.at(15);
    house.looks().await;
    // The number of who is on duty in the county.
    assert_eq!(
        house.told(stream, 1),
        [(Audience::Seekers, COUNTY.to_owned(), 903)]
    );
    let text = house.text_of(stream, 1).await;
    assert!(
        text.contains("以下1个村至今无人应答:") && text.contains("派人到场查看"),
        "{text}"
    );
    let registry = house.release.registry.read().clone();
    let lines = coverage::village_lines(
        &house.alert(stream),
        &registry,
        &[COUNTY.parse().expect("a code")],
    );
    let figures = coverage::heard_figures(&lines);
    assert_eq!((figures.heard, figures.silent, figures.waiting), (39, 1, 0));
    assert_eq!(figures.by.get("sms"), Some(&39));
    assert_eq!((lines[0].village, lines[0].state), (village(1), "silent"));
    let found = lines.iter().find(|line| line.village == village(0));
    let found = found.expect("its line");
    assert_eq!((found.state, found.silent.is_some()), ("heard", true));
    assert!(house.alert(stream).silence.next().is_none());
}

#[tokio::test]
async fn a_look_that_a_crash_cut_off_goes_on_with_the_villages_that_were_written() {
    let house = house().await;
    let stream = house.accept(&Says::alert(1, Level::Red, COUNTY)).await;
    house.release().await;
    house.hand(stream).await;
    house.at(16);
    let silent = Event::Silent(crate::ledger::event::Silent {
        look: 0,
        villages: vec![village(0), village(1)],
    });
    let commit = house.release.writer.propose(Proposal::of(stream, silent));
    commit.await.expect("it commits");
    house.looks().await;
    assert_eq!(house.told(stream, 0).len(), 1);
    let taken = house.alert(stream).silence.taken(1).expect("the second");
    assert_eq!(taken.villages.len() as u64, VILLAGES, "nobody has answered");
    let text = house.text_of(stream, 1).await;
    assert!(text.contains("以下40个村") && text.contains('等'), "{text}");
}

#[tokio::test]
async fn nobody_is_looked_for_by_a_warning_that_is_over_called_off_or_a_cancel() {
    let house = house().await;
    let first = house.accept(&Says::alert(1, Level::Red, COUNTY)).await;
    house.release().await;
    house.hand(first).await;
    let cancel = house.accept(&Says::cancel(2, &[first])).await;
    house.release().await;
    assert!(house.alert(cancel).silence.due().is_empty());
    let second = house.accept(&Says::alert(3, Level::Red, COUNTY)).await;
    house.release().await;
    house.at(600);
    house.looks().await;
    for stream in [first, second] {
        assert!(house.alert(stream).silence.taken(0).is_none());
    }
    // A correction is a release with looks of its own.
    let third = house.accept(&Says::alert(4, Level::Red, COUNTY)).await;
    house.release().await;
    let update = house
        .accept(&Says::update(5, Level::Red, COUNTY, &[third]))
        .await;
    house.release().await;
    assert_eq!(house.alert(update).silence.due().len(), 2);
}

#[tokio::test]
async fn whom_a_look_has_asked_is_followed_by_no_correction_on_that_way() {
    let house = house().await;
    let first = house.accept(&Says::alert(1, Level::Orange, COUNTY)).await;
    house.release().await;
    house.at(5);
    house.looks().await;
    assert_eq!(house.told(first, 0).len(), 1);
    house.hand(first).await;
    let update = Says::update(2, Level::Red, COUNTY, &[first]);
    let update = house.accept(&update).await;
    house.release().await;
    house.hand(update).await;
    let cancel = house.accept(&Says::cancel(3, &[first, update])).await;
    house.release().await;
    for stream in [update, cancel] {
        let blocks = house.alert(stream).blocks();
        assert!(!blocks.is_empty());
        assert!(blocks.iter().all(|block| block.channel == "sms"));
    }
}
