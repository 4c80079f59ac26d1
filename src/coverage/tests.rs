//! The figures against a naive recount, and the rules of the answers one by one.

use std::sync::Arc;

use channel::{Evidence, FailureClass, Timestamp, Verdict};
use proptest::prelude::*;

use super::fixture::{
    DOORS, OFFICER, PER_VILLAGE, SPEAKER, START, VILLAGES, accepted, block, code, ground, registry,
    released, variant,
};
use super::lists::At;
use super::row::ReachedBy;
use super::*;
use crate::ledger::event::{
    Audience, Event, HandedRange, MatchedBy, Next, Outcome, ReceiptRow, SettledRow, Why,
};
use crate::ledger::{Alert, Ledger};
use crate::model::{Answer, Grade, HouseholdId, Missed};
use crate::registry::Registry;

const STREAM: u64 = 1;

fn whole_list(wanted: Wanted) -> Page {
    Page {
        group: None,
        wanted,
        after: None,
        limit: usize::MAX,
    }
}

struct Story {
    ledger: Ledger,
    registry: Registry,
}

impl Story {
    fn new() -> Self {
        let story = Self {
            ledger: Ledger::default(),
            registry: registry(),
        };
        story.apply(&Event::Accepted(Box::new(accepted("a-1", &["510727"]))));
        story
    }

    fn released() -> Self {
        let story = Self::new();
        for event in released() {
            story.apply(&event);
        }
        story
    }

    fn apply(&self, event: &Event) {
        self.ledger
            .apply(STREAM, START.plus(std::time::Duration::from_secs(1)), event)
            .expect("fits");
    }

    fn alert(&self) -> Arc<Alert> {
        self.ledger.alert(STREAM).expect("accepted")
    }

    fn hand(&self, number: u32) {
        let range = HandedRange {
            lo: number,
            hi: number + 1,
            attempt: 1,
            why: Why::First,
            serial: 1,
        };
        self.apply(&Event::Handed {
            channel: "x".into(),
            ranges: vec![range],
        });
    }

    fn settle(&self, number: u32, outcome: Outcome, next: Next) {
        let row = SettledRow {
            delivery: number,
            attempt: 1,
            outcome,
            next,
        };
        self.apply(&Event::Settled {
            channel: "x".into(),
            rows: vec![row],
        });
    }

    fn accept(&self, number: u32) {
        self.hand(number);
        let outcome = Outcome::Accepted {
            references: vec![format!("r{number}")],
        };
        self.settle(number, outcome, Next::Await { until: START });
    }

    fn refuse(&self, number: u32) {
        self.hand(number);
        let (class, code) = (FailureClass::BadAddress, "smpp:0x0b".to_owned());
        self.settle(number, Outcome::Refused { class, code }, Next::Failed);
    }

    fn receipt(&self, number: u32, verdict: Verdict) {
        let row = ReceiptRow {
            delivery: number,
            part: 0,
            verdict,
            code: "DELIVRD".into(),
            far: None,
            seen: START.plus(std::time::Duration::from_secs(2)),
            by: MatchedBy::Reference,
        };
        self.apply(&Event::Receipt {
            channel: "x".into(),
            rows: vec![row],
        });
    }

    fn prove(&self, number: u32, evidence: Evidence) {
        self.accept(number);
        self.receipt(number, Verdict::Reached(evidence));
    }

    fn village(&self) -> Row {
        rollup(&self.alert(), &self.registry, code(VILLAGES[0])).total
    }

    fn answer(&self, id: HouseholdId) -> Answer {
        let doors = super::doors::Doors::of(&self.alert(), &self.registry, &[code("510727")]);
        (0..doors.villages.len())
            .flat_map(|at| doors.each(at).map(|(h, a)| (h.id, a)).collect::<Vec<_>>())
            .find(|(household, _)| *household == id)
            .expect("a door")
            .1
    }
}

/// The first village's speaker.
const HORN: u32 = DOORS - 1;

#[test]
fn every_household_stands_in_one_place_by_its_best_answer() {
    let story = Story::released();
    story.prove(0, Evidence::Acknowledged);
    story.prove(1, Evidence::Delivered);
    story.accept(2);
    story.apply(&Event::Overdue {
        deliveries: vec![2],
    });
    story.refuse(3);
    story.prove(HORN, Evidence::Acknowledged);
    let row = story.village();
    assert_eq!(
        (row.households, row.away, row.at_home, row.people),
        (6, 1, 5, Some(6))
    );
    assert_eq!(
        row.reached,
        ReachedBy {
            confirmed: 1,
            delivered: 1,
            played: 2
        }
    );
    assert_eq!((row.unknown, row.pending, row.missed.all()), (1, 0, 0));
    assert_eq!((row.speakers.total, row.speakers.played), (1, 1));
    assert!(row.adds_up());
}

#[test]
fn accepted_alone_is_pending_and_then_unknown_but_never_reached() {
    let story = Story::released();
    story.accept(1);
    assert_eq!(story.answer(1), Answer::Pending);
    story.apply(&Event::Overdue {
        deliveries: vec![1],
    });
    assert_eq!(story.answer(1), Answer::Unknown);
    assert_eq!(story.village().reached.all(), 0);
}

#[test]
fn a_door_without_a_phone_follows_the_speaker_it_can_hear() {
    let story = Story::released();
    let no_phone = DOORS - 1;
    assert_eq!(story.answer(no_phone), Answer::Pending, "it may still play");
    story.accept(HORN);
    story.apply(&Event::Overdue {
        deliveries: vec![HORN],
    });
    assert_eq!(
        story.answer(no_phone),
        Answer::Unknown,
        "its order was taken and no report came"
    );
    story.receipt(HORN, Verdict::Reached(Evidence::Acknowledged));
    assert_eq!(story.answer(no_phone), Answer::Reached(Grade::Played));

    let story = Story::released();
    story.refuse(HORN);
    assert_eq!(story.answer(no_phone), Answer::Missed(Missed::NoEndpoint));
    assert_eq!(story.village().speakers.failed, 1);
}

#[test]
fn play_never_takes_the_place_of_a_better_grade() {
    let story = Story::released();
    story.prove(3, Evidence::Delivered);
    story.prove(HORN, Evidence::Acknowledged);
    assert_eq!(story.answer(3), Answer::Reached(Grade::Delivered));
}

#[test]
fn a_county_has_its_towns_a_town_its_villages_and_a_village_its_groups() {
    let story = Story::released();
    let names = |under: &str| -> Vec<String> {
        let found = rollup(&story.alert(), &story.registry, code(under));
        found.rows.into_iter().map(|row| row.name).collect()
    };
    assert_eq!(names("510727"), ["豆叩羌族乡", "平通羌族镇"]);
    assert_eq!(names("510727217"), ["平通·新桥村", "平通·牛飞村"]);
    assert_eq!(names(VILLAGES[0]), ["平通·新桥村1组", "平通·新桥村2组"]);
}

#[test]
fn an_officer_with_two_posts_is_one_officer() {
    let story = Story::released();
    let again = block(
        VILLAGES[1],
        Audience::Officers,
        3 * PER_VILLAGE + 1,
        &[(OFFICER, None)],
    );
    story.apply(&Event::Block(again));
    story.prove(3 * PER_VILLAGE, Evidence::Delivered);
    let found = rollup(&story.alert(), &story.registry, code("510727217"));
    assert_eq!(
        found
            .rows
            .iter()
            .map(|r| r.officers.total)
            .collect::<Vec<_>>(),
        [1, 1]
    );
    assert_eq!(
        (found.total.officers.total, found.total.officers.reached),
        (1, 1)
    );
}

#[test]
fn a_county_officer_stands_in_the_total_and_in_no_town() {
    let story = Story::released();
    let block = block(
        "510727",
        Audience::Officers,
        3 * PER_VILLAGE + 1,
        &[(12_345, None)],
    );
    story.apply(&Event::Block(block));
    let found = rollup(&story.alert(), &story.registry, code("510727"));
    assert_eq!(found.total.officers.total, 2);
    assert_eq!(found.rows.iter().map(|r| r.officers.total).sum::<u32>(), 1);
    assert_eq!(found.rows.len(), 2, "the county is no row of its own");
}

#[test]
fn an_alert_that_was_not_released_has_no_denominator() {
    let story = Story::new();
    let found = rollup(&story.alert(), &story.registry, code("510727"));
    assert_eq!(found.rows, []);
    assert_eq!(found.total.households, 0);
}

#[test]
fn several_responsibilities_give_a_row_each() {
    let story = Story::released();
    let own = [code(VILLAGES[1]), code("510727216")];
    let parts = home(&story.alert(), &own);
    let mut sorted = own;
    sorted.sort_unstable();
    assert_eq!(parts, sorted);
    let top = common(&parts).expect("one county");
    assert_eq!(top, code("510727"));
    let found = rollup_of(&story.alert(), &story.registry, &parts, top);
    assert_eq!(found.rows.len(), 2);
    assert_eq!(found.total.households, 2 * DOORS);
    assert_eq!(common(&[code("51"), code("52")]), None);
    assert!(
        touches(&story.alert().meta, code(VILLAGES[0])) && touches(&story.alert().meta, code("51"))
    );
    assert!(!touches(&story.alert().meta, code("510726")));
}

#[test]
fn a_list_is_cut_into_pages_without_a_gap_or_a_repeat() {
    let story = Story::released();
    story.prove(0, Evidence::Delivered);
    let found = |page| households(&story.alert(), &story.registry, &[code("510727")], page);
    let whole: Vec<_> = found(whole_list(Wanted::Everyone))
        .iter()
        .map(|l| l.id)
        .collect();
    assert_eq!(whole.len(), 3 * DOORS as usize);
    assert_eq!(whole[0], 2 * DOORS, "by village: 豆叩 stands before 平通");
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let page = found(Page {
            after,
            limit: 4,
            ..whole_list(Wanted::Everyone)
        });
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        paged.extend(page.iter().map(|l| l.id));
    }
    assert_eq!(paged, whole);
    let reached = found(whole_list(Wanted::Reached));
    assert_eq!(
        (reached.len(), reached[0].tried.as_slice()),
        (1, ["sms".to_owned()].as_slice())
    );
    assert_eq!(
        (reached[0].name.as_str(), reached[0].tags.as_slice()),
        ("1号院", ["lives-alone".to_owned()].as_slice())
    );
    assert_eq!(found(whole_list(Wanted::Away)).len(), 3);
    assert_eq!(
        found(Page {
            group: Some(1),
            ..whole_list(Wanted::Everyone)
        })
        .len(),
        9
    );
}

#[test]
fn filters_and_figures_agree() {
    let story = Story::released();
    story.prove(0, Evidence::Delivered);
    story.refuse(1);
    story.accept(2);
    story.apply(&Event::Overdue {
        deliveries: vec![2],
    });
    let found = rollup(&story.alert(), &story.registry, code("510727")).total;
    let count = |wanted| {
        let lines = households(
            &story.alert(),
            &story.registry,
            &[code("510727")],
            whole_list(wanted),
        );
        u32::try_from(lines.len()).expect("few")
    };
    assert_eq!(count(Wanted::Reached), found.reached.all());
    assert_eq!(count(Wanted::Missed), found.missed.all());
    assert_eq!(count(Wanted::Unknown), found.unknown);
    assert_eq!(count(Wanted::Pending), found.pending);
    assert_eq!(count(Wanted::Away), found.away);
}

#[test]
fn the_deliveries_of_a_door_end_with_the_speakers_it_hears() {
    let story = Story::released();
    story.refuse(3);
    story.prove(HORN, Evidence::Acknowledged);
    let lines = deliveries(&story.alert(), &story.ledger, &story.registry, 3);
    assert_eq!(
        lines.iter().map(|l| l.number).collect::<Vec<_>>(),
        [3, HORN]
    );
    assert_eq!(
        (lines[0].state, lines[0].told.by),
        ("failed", Some("refused"))
    );
    assert_eq!(lines[0].code.as_deref(), Some("smpp:0x0b"));
    assert_eq!(lines[0].at, None);
    assert_eq!(
        (lines[1].speaker, lines[1].endpoint, lines[1].evidence_zh),
        (true, SPEAKER, "已播出")
    );
    assert_eq!(
        lines[1].at,
        Some(At(START.plus(std::time::Duration::from_secs(2))))
    );
    let shown = serde_json::to_string(&lines).expect("JSON");
    assert!(!shown.contains("1000000"), "an address in {shown}");
}

#[test]
fn progress_of_a_channel_adds_up_and_counts_its_doubts() {
    let story = Story::released();
    story.prove(0, Evidence::Delivered);
    story.hand(1);
    story.apply(&Event::InDoubt {
        deliveries: vec![1],
        epoch: 2,
        due: START,
    });
    let lines = channels(&story.alert());
    let phones = lines
        .iter()
        .find(|l| l.channel == "sms-mobile")
        .expect("a line");
    assert_eq!(
        (phones.kind.as_str(), phones.total, phones.planned),
        ("sms", 15, 13)
    );
    assert_eq!(
        (phones.done, phones.due, phones.reached, phones.doubts),
        (1, 1, 1, 1)
    );
    assert_eq!(
        lines.iter().map(|l| l.total).sum::<u32>(),
        3 * PER_VILLAGE + 1
    );
}

#[test]
fn speakers_are_listed_with_their_villages() {
    let story = Story::released();
    let lines = speakers(
        &story.alert(),
        (&story.ledger, &story.registry),
        &[code("510727217")],
    );
    assert_eq!(lines.len(), 2);
    assert_eq!(
        (
            lines[0].village_name.as_str(),
            lines[0].name.as_str(),
            lines[0].hearing
        ),
        ("平通·新桥村", "0号", 3)
    );
    assert_eq!(lines[0].told.answer, "pending");
}

#[derive(Clone, Debug)]
enum Step {
    Hand(u32),
    Accept(u32),
    Refuse(u32, bool),
    Fail(u32),
    Prove(u32, bool),
    Deny(u32),
    Doubt(u32),
    Overdue(u32),
    Expire(u16),
    Withdraw,
}

fn step(numbers: u32) -> impl Strategy<Value = Step> {
    let n = 0..numbers;
    prop_oneof![
        4 => n.clone().prop_map(Step::Hand),
        6 => n.clone().prop_map(Step::Accept),
        2 => (n.clone(), any::<bool>()).prop_map(|(n, never)| Step::Refuse(n, never)),
        2 => n.clone().prop_map(Step::Fail),
        6 => (n.clone(), any::<bool>()).prop_map(|(n, person)| Step::Prove(n, person)),
        2 => n.clone().prop_map(Step::Deny),
        1 => n.clone().prop_map(Step::Doubt),
        4 => n.prop_map(Step::Overdue),
        1 => (0_u16..2).prop_map(Step::Expire),
        1 => Just(Step::Withdraw),
    ]
}

fn play(story: &Story, step: &Step) {
    let await_until = Next::Await { until: START };
    let refused = |class| Outcome::Refused {
        class,
        code: "c".into(),
    };
    match *step {
        Step::Hand(n) => story.hand(n),
        Step::Accept(n) => story.settle(
            n,
            Outcome::Accepted {
                references: vec!["r".into()],
            },
            await_until,
        ),
        Step::Refuse(n, true) => story.settle(n, refused(FailureClass::BadAddress), Next::Failed),
        Step::Refuse(n, false) => story.settle(
            n,
            refused(FailureClass::Transient),
            Next::Due {
                at: START,
                charged: true,
            },
        ),
        Step::Fail(n) => story.settle(n, refused(FailureClass::Transient), Next::Failed),
        Step::Prove(n, true) => story.receipt(n, Verdict::Reached(Evidence::Acknowledged)),
        Step::Prove(n, false) => story.receipt(n, Verdict::Reached(Evidence::Delivered)),
        Step::Deny(n) => story.receipt(n, Verdict::Refused(FailureClass::BadAddress)),
        Step::Doubt(n) => story.apply(&Event::InDoubt {
            deliveries: vec![n],
            epoch: 2,
            due: START,
        }),
        Step::Overdue(n) => story.apply(&Event::Overdue {
            deliveries: vec![n],
        }),
        Step::Expire(variant) => story.apply(&Event::Expired {
            variants: vec![variant],
        }),
        Step::Withdraw => story.apply(&Event::Withdrawn { by: 2 }),
    }
}

/// A ledger whose blocks name doors at random: of other villages, several times, and doors that no ground holds.
fn random(blocks: &[(usize, u8, Vec<u32>)], steps: &[Step]) -> Story {
    let story = Story::new();
    let variants = vec![variant("sms"), variant("loudspeaker")];
    story.apply(&Event::Variants { first: 0, variants });
    for village in VILLAGES {
        story.apply(&Event::Ground(ground(village)));
    }
    for (village, audience, doors) in blocks {
        let first = story.alert().next_delivery();
        let (audience, to): (_, Vec<_>) = match audience {
            0 => (
                Audience::Speakers,
                doors.iter().map(|d| (SPEAKER + d % 3, None)).collect(),
            ),
            1 => (
                Audience::Officers,
                doors.iter().map(|d| (OFFICER + d % 3, None)).collect(),
            ),
            // A village's block holds doors of that village alone.
            _ => {
                let start = u32::try_from(*village).expect("few") * DOORS;
                (
                    Audience::Public,
                    doors
                        .iter()
                        .map(|d| (*d, Some(start + d % (DOORS + 1))))
                        .collect(),
                )
            }
        };
        story.apply(&Event::Block(block(
            VILLAGES[*village],
            audience,
            first,
            &to,
        )));
    }
    let numbers = story.alert().next_delivery();
    for step in steps {
        let fits = !matches!(step, Step::Hand(n) | Step::Accept(n) | Step::Refuse(n, _) | Step::Fail(n)
            | Step::Prove(n, _) | Step::Deny(n) | Step::Doubt(n) | Step::Overdue(n) if *n >= numbers);
        if fits {
            play(&story, step);
        }
    }
    story
}

/// Door by door over every delivery, as one would count by hand.
fn recount(story: &Story, id: HouseholdId) -> Answer {
    let mut best = Answer::Missed(Missed::NoEndpoint);
    for block in story.alert().blocks() {
        let village = VILLAGES.iter().position(|v| code(v) == block.region);
        for i in 0..block.len() as usize {
            let answer = block.answer(i);
            let counts = if block.speaker {
                let heard = story.registry.hearing(block.endpoint(i)).contains(&id);
                heard && !matches!(answer, Answer::Missed(_))
            } else {
                let same = village.is_some_and(|v| v == (id / DOORS) as usize);
                same && block.household(i) == Some(id)
            };
            if counts {
                best = best.best(answer);
            }
        }
    }
    best
}

proptest! {
    #[test]
    fn figures_add_up_on_every_level_and_equal_a_recount(
        blocks in prop::collection::vec((0_usize..3, 0_u8..5, prop::collection::vec(0_u32..30, 1..6)), 1..8),
        steps in prop::collection::vec(step(24), 0..120),
    ) {
        let story = random(&blocks, &steps);
        let alert = story.alert();
        for under in ["51", "510727", "510727216", "510727217", VILLAGES[0], VILLAGES[1], VILLAGES[2]] {
            let found = rollup(&alert, &story.registry, code(under));
            prop_assert!(found.total.adds_up(), "{under}: {:?}", found.total);
            for row in &found.rows {
                prop_assert!(row.adds_up(), "{row:?}");
            }
            let sum = |of: fn(&Row) -> u32| found.rows.iter().map(of).sum::<u32>();
            prop_assert_eq!(sum(|r| r.at_home), found.total.at_home);
            prop_assert_eq!(sum(|r| r.reached.all()), found.total.reached.all());
            prop_assert_eq!(sum(|r| r.missed.all()), found.total.missed.all());
        }
        for id in 0..3 * DOORS {
            prop_assert_eq!(story.answer(id), recount(&story, id), "door {}", id);
        }
        for line in channels(&alert) {
            let states = line.planned + line.handed + line.awaiting + line.due + line.done
                + line.failed + line.expired + line.withdrawn;
            prop_assert_eq!(states, line.total);
        }
    }
}

#[test]
fn times_are_shown_from_the_moment_of_acceptance() {
    let story = Story::released();
    story.prove(1, Evidence::Delivered);
    let line = &deliveries(&story.alert(), &story.ledger, &story.registry, 1)[0];
    let shown = serde_json::to_value(line).expect("JSON");
    assert_eq!(shown["at"], Timestamp(START.0 + 2000).to_string());
}
