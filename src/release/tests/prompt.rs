//! Whoever is responsible for an outlet is called to it: at once, again at their moments, by one text for all of it, and not
//! oftener than so many times an hour; what stands in the journal is never said twice.

use std::time::Duration;

use channel::{Evidence, Timestamp, Verdict};

use super::super::owed::owed;
use super::super::prompt::STEP;
use super::kit::{COUNTY, House, KEEPER, OUTLETS, Says, officers_plan};
use crate::ledger::event::{
    Audience, HandedRange, MatchedBy, Next, Outcome, ReceiptRow, SettledRow, Why,
};
use crate::ledger::{Event, Proposal};
use crate::model::StreamId;
use crate::plan::Prompting;

const MINUTE: Duration = Duration::from_mins(1);

impl House {
    async fn write(&self, stream: StreamId, events: Vec<Event>) {
        let proposal = Proposal {
            events: events.into_iter().map(|event| (stream, event)).collect(),
            ..Proposal::default()
        };
        self.release
            .writer
            .propose(proposal)
            .await
            .expect("commits");
    }

    /// An alert whose outlets have their text, and half an hour to give it.
    async fn at_outlets(&self, nth: u64) -> StreamId {
        let level = channel::Level::Red;
        let stream = self.accept(&Says::alert(nth, level, COUNTY)).await;
        self.release().await;
        let count = self.alert(stream).next_delivery();
        let channel = || "tv".to_owned();
        let range = HandedRange {
            lo: 0,
            hi: count,
            attempt: 1,
            why: Why::First,
            serial: 1,
        };
        let until = self.now().plus(30 * MINUTE);
        let row = |delivery| SettledRow {
            delivery,
            attempt: 1,
            outcome: Outcome::Accepted {
                references: Vec::new(),
            },
            next: Next::Await { until },
        };
        let handed = Event::Handed {
            channel: channel(),
            ranges: vec![range],
        };
        let settled = Event::Settled {
            channel: channel(),
            rows: (0..count).map(row).collect(),
        };
        self.write(stream, vec![handed, settled]).await;
        stream
    }

    fn now(&self) -> Timestamp {
        self.release.clock.now()
    }

    /// Prompts until nobody is owed one; how many texts there are then.
    async fn prompted(&self, stream: StreamId) -> usize {
        while self.release.prompt().await {}
        let blocks = self.alert(stream).blocks();
        let texts = blocks.iter().filter(|b| b.audience == Audience::Keepers);
        texts.count()
    }

    /// What is owed now: whose items, with their moments.
    fn owes(&self) -> Vec<Vec<(StreamId, u32, u8)>> {
        let registry = self.release.registry.read().clone();
        let all = owed(
            self.now(),
            &self.release.ledger,
            &registry,
            &self.release.prompters,
        );
        let items = |owed: super::super::owed::Owed| {
            let items = owed.items.into_iter();
            items.map(|i| (i.stream, i.number, i.nth)).collect()
        };
        all.into_iter().map(items).collect()
    }
}

async fn house(again: &[u16], per_hour: u16) -> House {
    let mut house = House::start().await;
    house.plan = officers_plan();
    let prompting = Prompting {
        by: vec!["sms".into()],
        again: again.to_vec(),
        per_hour,
    };
    house.release.prompters.insert("tv".into(), prompting);
    house
}

#[tokio::test]
async fn somebody_is_called_at_once_for_all_their_outlets_and_again_at_each_moment() {
    let house = house(&[50, 100], 4).await;
    let stream = house.at_outlets(1).await;
    assert_eq!(house.owes(), [vec![(stream, 0, 0), (stream, 1, 0)]]);
    assert_eq!(house.prompted(stream).await, 1, "one text for both outlets");
    let alert = house.alert(stream);
    let (block, i) = alert.find(OUTLETS).expect("behind the outlets");
    assert_eq!(
        (block.step, block.len(), block.channel.as_str()),
        (STEP, 1, "sms")
    );
    assert_eq!(alert.prompts.lead((stream, block.number(i))), Some(0));
    let text = alert.variant(block.variant(i)).expect("a text");
    let stored = house.release.store.document(text.document).await;
    let stored = String::from_utf8(stored.expect("reads").expect("kept")).expect("JSON");
    assert!(
        stored.contains("请播发:第1号,7月14日09:30前完成并填报,另有1条。"),
        "{stored}"
    );
    assert!(
        !stored.contains("http"),
        "the link is added when it is encoded: {stored}"
    );

    house.clock.advance(14 * MINUTE);
    assert_eq!(house.prompted(stream).await, 1);
    house.clock.advance(MINUTE);
    assert_eq!(house.owes(), [vec![(stream, 0, 1), (stream, 1, 1)]]);
    assert_eq!(house.prompted(stream).await, 2);
    house.clock.advance(15 * MINUTE);
    house
        .write(
            stream,
            vec![Event::Overdue {
                deliveries: vec![0, 1],
            }],
        )
        .await;
    assert_eq!(house.prompted(stream).await, 3);
    house.clock.advance(Duration::from_hours(2));
    assert_eq!(
        house.prompted(stream).await,
        3,
        "there is no further moment"
    );
    let names = alert.prompts.of(1).into_iter().map(|(_, nth, _)| nth);
    assert_eq!(names.collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(alert.prompts.last(0), Some(2));
}

#[tokio::test]
async fn who_has_entered_something_is_not_called_again_and_a_late_start_says_it_once() {
    let house = house(&[20, 40, 60], 9).await;
    let stream = house.at_outlets(1).await;
    let row = ReceiptRow {
        delivery: 1,
        part: 0,
        verdict: Verdict::Reached(Evidence::Acknowledged),
        code: "played".into(),
        far: None,
        seen: house.now(),
        by: MatchedBy::Key,
    };
    let receipt = Event::Receipt {
        channel: "tv".into(),
        rows: vec![row],
    };
    house.write(stream, vec![receipt]).await;
    assert_eq!(house.owes(), [vec![(stream, 0, 0)]]);
    // As after a night without the gateway: of what has passed only the last moment is said.
    house.clock.advance(20 * MINUTE);
    assert_eq!(house.owes(), [vec![(stream, 0, 3)]]);
    assert_eq!(house.prompted(stream).await, 1);
    assert!(house.owes().is_empty());
    // What was called off is not called for.
    let second = house.at_outlets(2).await;
    house
        .write(second, vec![Event::Withdrawn { by: stream }])
        .await;
    assert!(house.owes().is_empty());
}

#[tokio::test]
async fn what_is_said_again_waits_for_its_turn_and_what_is_new_never_does() {
    let house = house(&[10, 20, 30, 40], 2).await;
    let first = house.at_outlets(1).await;
    assert_eq!(house.prompted(first).await, 1);
    house.clock.advance(3 * MINUTE);
    assert_eq!(house.prompted(first).await, 2);
    house.clock.advance(3 * MINUTE);
    assert!(house.owes().is_empty(), "two an hour");
    let second = house.at_outlets(2).await;
    let owed = house.owes();
    assert_eq!(owed.len(), 1, "one person, one text");
    let moments: Vec<_> = owed[0].iter().map(|(s, _, nth)| (*s, *nth)).collect();
    assert_eq!(moments, [(first, 2), (first, 2), (second, 0), (second, 0)]);
    while house.release.prompt().await {}
    // The text is of the alert whose item is due first; both remember it.
    let text = house.alert(first).prompts.all().pop().expect("a prompt");
    let other = house.alert(second).prompts.all().pop().expect("a prompt");
    assert_eq!(text.prompted.text, other.prompted.text);
    assert_eq!(text.prompted.text.map(|(stream, _)| stream), Some(first));
    house.clock.advance(Duration::from_mins(58));
    assert_eq!(house.owes().len(), 1, "the hour of the first two is over");
}

#[tokio::test]
async fn a_release_that_goes_on_knows_nothing_of_who_was_called() {
    let house = house(&[50], 4).await;
    let stream = house.at_outlets(1).await;
    assert_eq!(house.prompted(stream).await, 1);
    let sms = |block: &std::sync::Arc<crate::ledger::Block>| {
        block.channel == "sms" && block.audience == Audience::Officers
    };
    let told = house
        .alert(stream)
        .blocks()
        .iter()
        .filter(|b| sms(b))
        .count();
    assert_eq!(told, 0);
    // An update is for whoever was warned: the officers by their outlets, and nobody by the text that called them.
    let update = Says::update(2, channel::Level::Red, COUNTY, &[stream]);
    let update = house.accept(&update).await;
    house.release().await;
    let blocks = house.alert(update).blocks();
    assert!(
        blocks.iter().all(|block| block.channel == "tv"),
        "{}",
        blocks.len()
    );
}

#[tokio::test]
async fn whoever_has_no_number_is_remembered_as_that_once() {
    let mut house = house(&[50], 4).await;
    let prompting = house.release.prompters.get_mut("tv").expect("it");
    prompting.by = vec!["letters".into()];
    let stream = house.at_outlets(1).await;
    assert_eq!(house.prompted(stream).await, 0);
    let prompts = house.alert(stream).prompts.all();
    assert_eq!(prompts.len(), 1);
    assert_eq!(
        (prompts[0].prompted.text, prompts[0].prompted.whom),
        (None, KEEPER)
    );
    assert!(house.owes().is_empty());
}
