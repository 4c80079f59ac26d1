//! What the last of the golden journals brought, in the order of the events: serials of a day, accounts that people tie to a
//! door, who is called to what is done by hand, boxes at loudspeakers, tests of satellite terminals, recordings, a keeper's
//! word, earthquakes, and villages that nobody is heard from. Whoever adds an event to a format that was released begins another journal.

use std::time::Duration;

use channel::{Action, Authority, Level, PresenceState, Scene, Timestamp};

use super::super::Proposal;
use super::super::boxes::{Mend, Teller, TestedRow, Trouble};
use super::super::devices::{Done, DoneRow, Enrolled, Ordered, Rekeyed};
use super::super::event::{
    Audience, Block, Bound, Coded, Event, Heard, Mended, Numbered, Prompted, PromptedRow, Proved,
    ProvedRow, Quaked, Recorded, Repair, Retired, Silent, TestCalled, Tested, Tie, Turned, Vouched,
};
use super::super::quakes::{Relayed, ShockRow, Shown, Status};
use super::super::recordings::{Clip, Format, Subject};
use super::super::silence::FIRST_LOOK;
use super::history::Step;
use super::kit::{START, block as block_of, village};
use crate::model::{OWN_ENDPOINTS, TestResult};

pub fn brought() -> impl Iterator<Item = Step> {
    let house = |event| Proposal::of(0, event);
    let all = numbered().map(house).into_iter();
    let all = all.chain(bound().map(house)).chain(prompted());
    all.chain(boxes().map(house))
        .chain(test_calls())
        .chain(recordings().map(house))
        .chain(vouched().map(house))
        .chain(quakes().map(house))
        .chain(silence())
        .map(|proposal| Step {
            wait: Duration::from_millis(250),
            proposal,
        })
}

/// Two serials of one day and one of the next.
fn numbered() -> [Event; 3] {
    [(20_260_714, 1), (20_260_714, 2), (20_260_715, 1)].map(|(day, serial)| {
        Event::Numbered(Numbered {
            channel: "platform".into(),
            series: "45107270000000103010101".into(),
            day,
            serial,
            key: u64::from(day) + u64::from(serial),
            alert: 1,
            deliveries: vec![0, 3],
            expires: START,
        })
    })
}

/// Accounts that people tied to a door and to a village, moved and undid.
fn bound() -> [Event; 6] {
    let bound = |nth, what| {
        Event::Bound(Bound {
            channel: "wechat".into(),
            endpoint: OWN_ENDPOINTS + nth,
            what,
        })
    };
    let (door, village) = (Scene::Household(4), Scene::Village(510_727_100_201));
    let new = |to, with| Tie::New {
        to,
        document: [with; 32],
    };
    [
        bound(0, new(door, 7)),
        bound(1, new(village, 8)),
        bound(0, Tie::Moved { to: village }),
        bound(1, Tie::Undone),
        bound(2, new(door, 9)),
        Event::Coded(Coded {
            channel: "wechat".into(),
            to: door,
            until: Some(START),
            by: "village".into(),
        }),
    ]
}

/// Somebody is called by a text that is a delivery as any other, and somebody could not be.
fn prompted() -> [Proposal; 2] {
    let prompted = |text, nth| {
        let rows = vec![PromptedRow { item: 2, nth }];
        let whom = 7;
        Event::Prompted(Prompted { whom, text, rows })
    };
    // Behind the six deliveries that the history before has.
    let block = Block {
        audience: Audience::Keepers,
        step: u16::MAX,
        ..block_of("sms", 6, &[(1, 0)])
    };
    let mut first = Proposal::of(1, Event::Block(block));
    first.events.push((1, prompted(Some((1, 6)), 0)));
    [first, Proposal::of(1, prompted(None, 1))]
}

/// How a box stands, its other key, what it found when it looked at itself, and a repair from its entry to its end.
fn boxes() -> [Event; 8] {
    let device = || "speaker-1".to_owned();
    let turned = |state, code: &str| {
        Event::Turned(Turned {
            device: device(),
            state,
            code: code.into(),
        })
    };
    [
        Event::Enrolled(Enrolled {
            device: device(),
            channel: "speaker".into(),
            key: [4; 32],
        }),
        turned(PresenceState::Idle, "on-battery"),
        turned(PresenceState::Silent, "on-battery"),
        Event::Rekeyed(Rekeyed {
            device: device(),
            key: [5; 32],
        }),
        Event::Ordered(Box::new(Ordered {
            channel: "speaker".into(),
            serial: 900,
            action: Action::SelfTest,
            authority: Authority::County,
            devices: vec![device()],
            not_before: START,
            expires: START.plus(Duration::from_hours(1)),
            by: "(night)".into(),
        })),
        Event::Tested(Tested {
            channel: "speaker".into(),
            serial: 900,
            rows: vec![TestedRow {
                device: device(),
                code: "amplifier".into(),
            }],
        }),
        Event::Repair(Repair {
            number: 7,
            device: device(),
            what: Trouble::NoSound,
            since: START,
            from: Teller::Keeper,
            by: Some("water".into()),
            text: Some([6; 32]),
        }),
        Event::Mended(Mended {
            number: 7,
            how: Mend::Replaced,
            by: "water".into(),
            text: None,
        }),
    ]
}

/// Three tests of which one is sent and answered, one is sent and reached, and one could not be sent.
fn test_calls() -> [Proposal; 3] {
    let tested = Event::TestCalled(TestCalled {
        channel: "sky".into(),
        first: 0,
        serial: 41,
        endpoints: vec![7, 8, 9],
        until: Timestamp(START.0 + 7_200_000),
        window: 3_600_000,
        by: "water".into(),
    });
    let row = |endpoint, result, code: &str, references: &[&str]| ProvedRow {
        endpoint,
        number: endpoint - 7,
        result,
        code: code.into(),
        references: references.iter().map(|r| (*r).to_owned()).collect(),
        far: (result == TestResult::Reached).then_some(START),
        seen: Timestamp(START.0 + 60_000 * i64::from(endpoint)),
    };
    let proved = |rows| {
        let channel = "sky".into();
        Proposal::of(0, Event::Proved(Proved { channel, rows }))
    };
    let sent = proved(vec![
        row(7, TestResult::Sent, "", &["07-a1b2-5"]),
        row(8, TestResult::Sent, "", &["08-a1b2-5"]),
        row(9, TestResult::Unsent, "registry:gone", &[]),
    ]);
    let came = proved(vec![
        row(7, TestResult::Answered, "status 03", &[]),
        row(8, TestResult::Reached, "st 00", &[]),
    ]);
    [Proposal::of(0, tested), sent, came]
}

/// A keeper enters a repair by link beside an officer's, and says that it works again.
fn vouched() -> [Event; 3] {
    let device = || "speaker-2".to_owned();
    let repair = |number, what, from, by: Option<&str>| {
        Event::Repair(Repair {
            number,
            device: device(),
            what,
            since: START,
            from,
            by: by.map(str::to_owned),
            text: None,
        })
    };
    [
        repair(8, Trouble::NoSound, Teller::Officer, Some("water")),
        repair(9, Trouble::Card, Teller::Keeper, None),
        Event::Vouched(Vouched {
            device: device(),
            ends: vec![9],
            beside: vec![8],
        }),
    ]
}

/// A report, a newer one that brings another terminal in, what two terminals say, and the end of it.
fn quakes() -> [Event; 4] {
    let row = |device: &str, shown| ShockRow {
        device: device.into(),
        intensity: 6,
        arrival: START.plus(Duration::from_secs(12)),
        shown,
    };
    let quaked = |report, serial, cancel, rows| {
        Event::Quaked(Box::new(Quaked {
            feed: "province".into(),
            event: "20260715021730".into(),
            report,
            status: Status::Actual,
            cancel,
            sent: START,
            origin: START,
            north: 326_500,
            east: 1_037_500,
            depth: 15_000,
            magnitude: 59,
            document: [9; 32],
            relayed: vec![Relayed {
                channel: "horn".into(),
                serial,
                rows,
            }],
        }))
    };
    let done = |device: &str, code: &str| DoneRow {
        device: device.into(),
        done: true,
        code: code.into(),
        seconds: 4,
        far: None,
    };
    let (near, far) = (
        row("horn-near", Shown::Orange),
        row("horn-far", Shown::Notice),
    );
    let rows = vec![done("horn-near", "sounds"), done("horn-near", "stopped")];
    let said = Done {
        channel: "horn".into(),
        serial: 9_000_001,
        rows,
    };
    [
        quaked(1, 9_000_001, false, vec![near.clone()]),
        quaked(2, 9_000_002, false, vec![far.clone()]),
        quaked(3, 9_000_003, true, vec![near, far]),
        Event::Done(said),
    ]
}

/// Two looks at the villages of an alert: of the first all are told, of the second nobody yet.
fn silence() -> [Proposal; 4] {
    let due = [5, 15].map(|minutes| START.plus(Duration::from_mins(minutes)));
    let silent = |look, villages: &[u64]| {
        let villages = villages.iter().map(|nth| village(*nth)).collect();
        Event::Silent(Silent { look, villages })
    };
    let told = Event::Planned {
        step: FIRST_LOOK,
        blocks: 1,
        deliveries: 7,
    };
    [
        Event::Watched { due: due.to_vec() },
        silent(0, &[1, 2]),
        told,
        silent(1, &[2]),
    ]
    .map(|event| Proposal::of(1, event))
}

/// Two versions of a recording, of which the first is in use.
fn recordings() -> [Event; 5] {
    let recorded = |id| {
        Event::Recorded(Box::new(Recorded {
            id,
            of: Subject {
                event: "11A51".into(),
                level: Some(Level::Red),
                response: Some(cap::ResponseType::Evacuate),
                language: "qxs".into(),
                drill: false,
            },
            clip: Clip {
                document: [7; 32],
                format: Format::Mp3,
                bytes: 48_000,
                millis: 12_000,
            },
            by: "water".into(),
        }))
    };
    let by = || "duty".to_owned();
    let heard = |id| Event::Heard(Heard { id, by: by() });
    let retired = Event::Retired(Retired { id: 2, by: by() });
    [recorded(1), heard(1), recorded(2), heard(2), retired]
}
