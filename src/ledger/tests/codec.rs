//! Every event's bytes: each comes back as it was, and its place in the enum is its first byte. What claims more than it
//! holds is refused without a panic.

use channel::{
    Action, Authority, Evidence, FailureClass, Level, PresenceState, Scene, Timestamp, Verdict,
};
use proptest::prelude::*;
use proptest::sample::select;

use super::super::Ledger;
use super::super::boxes::{Mend, Teller, TestedRow, Trouble};
use super::super::devices::{Done, DoneRow, Enrolled, Invited, Ordered, Rekeyed};
use super::super::event::*;
use super::super::quakes::{Relayed, ShockRow, Shown, Status};
use super::super::record::{BadRecord, Frame, Head, pack, unpack};
use super::super::recordings::{Clip, Format, Subject};
use super::super::rerouted::Detour;
use super::super::seal::{Sealed, Totals};
use super::kit::{START, accepted, block, variants as texts};
use crate::model::{Carrier, Grade, Month, RegionCode, Tags, TestResult};

/// How many events there are.
pub const EVENTS: usize = 62;

/// The place of an event in format 1. A new event stops the build here: give it the next place and a strategy below.
pub fn place(event: &Event) -> usize {
    match event {
        Event::Took { .. } => 0,
        Event::Imported { .. } => 1,
        Event::Link { .. } => 2,
        Event::Presence { .. } => 3,
        Event::Accepted(_) => 4,
        Event::Released { .. } => 5,
        Event::Variants { .. } => 6,
        Event::Ground(_) => 7,
        Event::Block(_) => 8,
        Event::Planned { .. } => 9,
        Event::Withdrawn { .. } => 10,
        Event::Handed { .. } => 11,
        Event::Settled { .. } => 12,
        Event::Returned { .. } => 13,
        Event::InDoubt { .. } => 14,
        Event::Receipt { .. } => 15,
        Event::Overdue { .. } => 16,
        Event::Expired { .. } => 17,
        Event::Sealed(_) => 18,
        Event::Unsealed { .. } => 19,
        Event::Witnessed { .. } => 20,
        Event::Frozen(_) => 21,
        Event::Raised { .. } => 22,
        Event::Steps { .. } => 23,
        Event::Dropped { .. } => 24,
        Event::Decided(_) => 25,
        Event::Compared { .. } => 26,
        Event::Classed(_) => 27,
        Event::Kept(_) => 28,
        Event::Invited(_) => 29,
        Event::Enrolled(_) => 30,
        Event::Revoked { .. } => 31,
        Event::Ordered(_) => 32,
        Event::Done(_) => 33,
        Event::Looked(_) => 34,
        Event::Answered(_) => 35,
        Event::Strayed(_) => 36,
        Event::Marked(_) => 37,
        Event::Rerouted(_) => 38,
        Event::Learned(_) => 39,
        Event::Believed(_) => 40,
        Event::Barred(_) => 41,
        Event::Spent(_) => 42,
        Event::Held(_) => 43,
        Event::Numbered(_) => 44,
        Event::Bound(_) => 45,
        Event::Coded(_) => 46,
        Event::Prompted(_) => 47,
        Event::Turned(_) => 48,
        Event::Rekeyed(_) => 49,
        Event::Tested(_) => 50,
        Event::Repair(_) => 51,
        Event::Mended(_) => 52,
        Event::TestCalled(_) => 53,
        Event::Proved(_) => 54,
        Event::Recorded(_) => 55,
        Event::Heard(_) => 56,
        Event::Retired(_) => 57,
        Event::Vouched(_) => 58,
        Event::Quaked(_) => 59,
        Event::Watched { .. } => 60,
        Event::Silent(_) => 61,
    }
}

fn text() -> BoxedStrategy<String> {
    select(vec!["", "a", "sms-mobile", "UNDELIV 012", "预警"])
        .prop_map(str::to_owned)
        .boxed()
}

fn time() -> BoxedStrategy<Timestamp> {
    any::<i64>().prop_map(Timestamp).boxed()
}

fn region() -> BoxedStrategy<RegionCode> {
    (110_000_000_000_u64..1_000_000_000_000)
        .prop_map(|n| RegionCode::try_from(n).expect("in range"))
        .boxed()
}

fn class() -> BoxedStrategy<FailureClass> {
    select(FailureClass::ALL.to_vec()).boxed()
}

fn few<T: std::fmt::Debug + 'static>(one: BoxedStrategy<T>) -> BoxedStrategy<Vec<T>> {
    prop::collection::vec(one, 0..4).boxed()
}

fn identity() -> BoxedStrategy<Identity> {
    (text(), text(), any::<i64>())
        .prop_map(|(sender, identifier, sent)| Identity {
            sender,
            identifier,
            sent,
        })
        .boxed()
}

fn born() -> BoxedStrategy<Born> {
    prop_oneof![
        Just(Born::Live),
        any::<u64>().prop_map(Born::SupersededBy),
        Just(Born::Filed),
        Just(Born::Quarantined),
    ]
    .boxed()
}

fn info() -> BoxedStrategy<InfoMeta> {
    let sort = (
        select(cap::Severity::ALL.to_vec()),
        select(cap::Urgency::ALL.to_vec()),
    );
    (text(), text(), sort, proptest::option::of(time()), time())
        .prop_map(
            |(language, event, (severity, urgency), onset, expires)| InfoMeta {
                language,
                event,
                severity,
                urgency,
                onset,
                expires,
            },
        )
        .boxed()
}

fn level() -> BoxedStrategy<Level> {
    select(vec![
        Level::Red,
        Level::Orange,
        Level::Yellow,
        Level::Blue,
        Level::Unknown,
    ])
    .boxed()
}

fn accept() -> BoxedStrategy<Event> {
    let kind = (
        select(cap::Status::ALL.to_vec()),
        select(cap::MsgType::ALL.to_vec()),
        level(),
    );
    let hashes = (any::<[u8; 32]>(), any::<[u8; 32]>(), any::<[u8; 32]>());
    let links = (few(identity()), few(any::<u64>().boxed()), born());
    let texts = (text(), text(), any::<u32>());
    let lists = (few(info()), few(region()));
    (identity(), hashes, kind, links, lists, texts)
        .prop_map(|(identity, hashes, kind, links, lists, texts)| {
            Event::Accepted(Box::new(Accepted {
                identity,
                document: hashes.0,
                content: hashes.1,
                caller: texts.0,
                status: kind.0,
                msg_type: kind.1,
                level: kind.2,
                references: links.0,
                hits: links.1,
                born: links.2,
                infos: lists.0,
                regions: lists.1,
                regions_hash: hashes.2,
                plan: hashes.0,
                plan_name: texts.1,
                generation: texts.2,
            }))
        })
        .boxed()
}

fn variants() -> BoxedStrategy<Event> {
    let one = (
        text(),
        text(),
        any::<[u8; 32]>(),
        any::<u32>(),
        time(),
        any::<bool>(),
    )
        .prop_map(
            |(kind, language, document, segments, expires, drill)| VariantMeta {
                kind,
                language,
                document,
                segments,
                expires,
                drill,
            },
        );
    (any::<u16>(), few(one.boxed()))
        .prop_map(|(first, variants)| Event::Variants { first, variants })
        .boxed()
}

fn frozen() -> BoxedStrategy<Event> {
    let list = (any::<u32>(), few(any::<u32>().boxed()));
    let owner = (any::<u32>(), any::<u32>());
    (few(list.boxed()), few(owner.boxed()))
        .prop_map(|(hearing, officers)| Event::Frozen(Frozen { hearing, officers }))
        .boxed()
}

fn ground() -> BoxedStrategy<Event> {
    let one = (any::<u32>(), any::<u8>(), any::<bool>(), any::<u32>()).prop_map(
        |(id, group, away, tags)| GroundHousehold {
            id,
            group,
            away,
            tags: Tags(tags),
        },
    );
    (region(), few(one.boxed()), any::<u32>(), any::<u32>())
        .prop_map(|(region, households, people, speakers)| {
            Event::Ground(Ground {
                region,
                households,
                people,
                speakers,
            })
        })
        .boxed()
}

fn audience() -> BoxedStrategy<Audience> {
    select(vec![
        Audience::Public,
        Audience::Officers,
        Audience::Speakers,
        Audience::Relatives,
        Audience::Neighbours,
    ])
    .boxed()
}

fn blocks() -> BoxedStrategy<Event> {
    let numbers = (any::<u16>(), any::<u32>(), any::<u64>(), any::<u32>());
    let lists = (
        few(any::<u32>().boxed()),
        few(any::<u32>().boxed()),
        few(any::<(u32, u16)>().boxed()),
    );
    (numbers, lists, region(), text(), audience())
        .prop_map(|(numbers, lists, region, channel, audience)| {
            Event::Block(Block {
                step: numbers.0,
                region,
                channel,
                audience,
                first: numbers.1,
                endpoints: lists.0,
                households: lists.1,
                variants: lists.2,
                rank: numbers.2,
                window: numbers.3,
            })
        })
        .boxed()
}

fn handed() -> BoxedStrategy<Event> {
    let why = select(vec![Why::First, Why::Retry, Why::InDoubt]);
    let one = (any::<u32>(), any::<u32>(), any::<u8>(), why, any::<u64>()).prop_map(
        |(lo, hi, attempt, why, serial)| HandedRange {
            lo,
            hi,
            attempt,
            why,
            serial,
        },
    );
    (text(), few(one.boxed()))
        .prop_map(|(channel, ranges)| Event::Handed { channel, ranges })
        .boxed()
}

fn settled() -> BoxedStrategy<Event> {
    let outcome = prop_oneof![
        few(text()).prop_map(|references| Outcome::Accepted { references }),
        (class(), text()).prop_map(|(class, code)| Outcome::Refused { class, code }),
    ];
    let next = prop_oneof![
        time().prop_map(|until| Next::Await { until }),
        Just(Next::Done),
        (time(), any::<bool>()).prop_map(|(at, charged)| Next::Due { at, charged }),
        Just(Next::Failed),
    ];
    let one = (any::<u32>(), any::<u8>(), outcome, next).prop_map(
        |(delivery, attempt, outcome, next)| SettledRow {
            delivery,
            attempt,
            outcome,
            next,
        },
    );
    (text(), few(one.boxed()))
        .prop_map(|(channel, rows)| Event::Settled { channel, rows })
        .boxed()
}

fn receipts() -> BoxedStrategy<Event> {
    let evidence = select(vec![
        Evidence::None,
        Evidence::Accepted,
        Evidence::Delivered,
        Evidence::Acknowledged,
    ]);
    let verdict = prop_oneof![
        Just(Verdict::Progress),
        evidence.prop_map(Verdict::Reached),
        class().prop_map(Verdict::Refused),
    ];
    let by = prop_oneof![
        select(vec![MatchedBy::Reference, MatchedBy::Key, MatchedBy::Inbox]),
        any::<u8>().prop_map(MatchedBy::ReferenceOf),
        any::<u8>().prop_map(MatchedBy::InboxOf),
    ];
    let times = (proptest::option::of(time()), time());
    let one = (any::<u32>(), any::<u8>(), verdict, text(), times, by).prop_map(
        |(delivery, part, verdict, code, (far, seen), by)| ReceiptRow {
            delivery,
            part,
            verdict,
            code,
            far,
            seen,
            by,
        },
    );
    (text(), few(one.boxed()))
        .prop_map(|(channel, rows)| Event::Receipt { channel, rows })
        .boxed()
}

fn sealed() -> BoxedStrategy<Event> {
    let figures = any::<[u32; 16]>().prop_map(|n| Totals {
        households: n[0],
        away: n[1],
        confirmed: n[2],
        delivered: n[3],
        played: n[4],
        no_endpoint: n[5],
        refused: n[6],
        failed: n[7],
        expired: n[8],
        withdrawn: n[9],
        unknown: n[10],
        people: n[11],
        speakers: n[12],
        speakers_played: n[13],
        officers: n[14],
        officers_reached: n[15],
    });
    (figures, any::<(u32, u32)>(), any::<[u8; 32]>())
        .prop_map(|(totals, (deliveries, records), digest)| {
            Event::Sealed(Box::new(Sealed {
                totals,
                deliveries,
                records,
                digest,
            }))
        })
        .boxed()
}

fn witness() -> BoxedStrategy<Witness> {
    any::<(u64, u32, [u8; 32])>()
        .prop_map(|(stream, stream_seq, hash)| Witness {
            stream,
            stream_seq,
            hash,
        })
        .boxed()
}

fn house() -> Vec<BoxedStrategy<Event>> {
    let link = select(vec![LinkState::Up, LinkState::Paused, LinkState::Probing]);
    let device = select(vec![
        PresenceState::Idle,
        PresenceState::Playing,
        PresenceState::Fault,
        PresenceState::Silent,
        PresenceState::Enrolled,
    ]);
    vec![
        any::<(u32, u8)>()
            .prop_map(|(epoch, format)| Event::Took { epoch, format })
            .boxed(),
        (any::<(u32, u32, u32)>(), text())
            .prop_map(|((generation, households, people), by)| Event::Imported {
                generation,
                households,
                people,
                by,
            })
            .boxed(),
        (text(), link, class(), text())
            .prop_map(|(channel, state, class, code)| Event::Link {
                channel,
                state,
                class,
                code,
            })
            .boxed(),
        (text(), device)
            .prop_map(|(device, state)| Event::Presence { device, state })
            .boxed(),
    ]
}

fn devices() -> Vec<BoxedStrategy<Event>> {
    let action = select(vec![
        Action::Stop { alert: 7 },
        Action::StopAll,
        Action::Tone { seconds: 5 },
        Action::Volume { percent: 80 },
        Action::Prolong {
            alert: 7,
            drill: true,
        },
        Action::SelfTest,
    ]);
    let authority = select(vec![Authority::County, Authority::Town, Authority::Village]);
    let row = (text(), any::<(bool, u32)>(), text(), time());
    let row = row.prop_map(|(device, (done, seconds), code, far)| DoneRow {
        device,
        done,
        code,
        seconds,
        far: Some(far).filter(|far| far.0 % 2 == 0),
    });
    let ordered = (
        text(),
        any::<u64>(),
        (action, authority),
        few(text()),
        (time(), time()),
        text(),
    );
    vec![
        (text(), any::<[u8; 32]>(), time(), text())
            .prop_map(|(device, code, until, by)| {
                Event::Invited(Invited {
                    device,
                    code,
                    until,
                    by,
                })
            })
            .boxed(),
        (text(), text(), any::<[u8; 32]>())
            .prop_map(|(device, channel, key)| {
                Event::Enrolled(Enrolled {
                    device,
                    channel,
                    key,
                })
            })
            .boxed(),
        (text(), text())
            .prop_map(|(device, by)| Event::Revoked { device, by })
            .boxed(),
        ordered
            .prop_map(
                |(channel, serial, (action, authority), devices, (not_before, expires), by)| {
                    Event::Ordered(Box::new(Ordered {
                        channel,
                        serial,
                        action,
                        authority,
                        devices,
                        not_before,
                        expires,
                        by,
                    }))
                },
            )
            .boxed(),
        (text(), any::<u64>(), few(row.boxed()))
            .prop_map(|(channel, serial, rows)| {
                Event::Done(Done {
                    channel,
                    serial,
                    rows,
                })
            })
            .boxed(),
    ]
}

fn boxes() -> Vec<BoxedStrategy<Event>> {
    let state = select(vec![
        PresenceState::Idle,
        PresenceState::Fault,
        PresenceState::Silent,
    ]);
    let document = || proptest::option::of(any::<[u8; 32]>());
    let row = (text(), text()).prop_map(|(device, code)| TestedRow { device, code });
    let teller = select(vec![Teller::Officer, Teller::Keeper, Teller::Villager]);
    let entered = (select(Trouble::ALL.to_vec()), time(), teller);
    let mend = select(Mend::ALL.to_vec());
    vec![
        (text(), state, text())
            .prop_map(|(device, state, code)| {
                Event::Turned(Turned {
                    device,
                    state,
                    code,
                })
            })
            .boxed(),
        (text(), any::<[u8; 32]>())
            .prop_map(|(device, key)| Event::Rekeyed(Rekeyed { device, key }))
            .boxed(),
        (text(), any::<u64>(), few(row.boxed()))
            .prop_map(|(channel, serial, rows)| {
                Event::Tested(Tested {
                    channel,
                    serial,
                    rows,
                })
            })
            .boxed(),
        (
            any::<u32>(),
            text(),
            entered,
            proptest::option::of(text()),
            document(),
        )
            .prop_map(|(number, device, (what, since, from), by, text)| {
                Event::Repair(Repair {
                    number,
                    device,
                    what,
                    since,
                    from,
                    by,
                    text,
                })
            })
            .boxed(),
        (any::<u32>(), mend, text(), document())
            .prop_map(|(number, how, by, text)| {
                Event::Mended(Mended {
                    number,
                    how,
                    by,
                    text,
                })
            })
            .boxed(),
    ]
}

/// One strategy for each place.
pub fn every() -> Vec<BoxedStrategy<Event>> {
    let numbers = || few(any::<u32>().boxed());
    let mut all = house();
    all.extend([
        accept(),
        (any::<u32>(), text())
            .prop_map(|(generation, by)| Event::Released { generation, by })
            .boxed(),
        variants(),
        ground(),
        blocks(),
        any::<(u16, u32, u32)>()
            .prop_map(|(step, blocks, deliveries)| Event::Planned {
                step,
                blocks,
                deliveries,
            })
            .boxed(),
        any::<u64>().prop_map(|by| Event::Withdrawn { by }).boxed(),
        handed(),
        settled(),
        (numbers(), time())
            .prop_map(|(deliveries, at)| Event::Returned { deliveries, at })
            .boxed(),
        (numbers(), any::<u32>(), time())
            .prop_map(|(deliveries, epoch, due)| Event::InDoubt {
                deliveries,
                epoch,
                due,
            })
            .boxed(),
        receipts(),
        numbers()
            .prop_map(|deliveries| Event::Overdue { deliveries })
            .boxed(),
        few(any::<u16>().boxed())
            .prop_map(|variants| Event::Expired { variants })
            .boxed(),
        sealed(),
        any::<u64>().prop_map(|by| Event::Unsealed { by }).boxed(),
        few(witness())
            .prop_map(|heads| Event::Witnessed { heads })
            .boxed(),
        frozen(),
    ]);
    all.extend(steps());
    all.extend(classes());
    all.extend(devices());
    all.push(looked());
    all.extend(said_back());
    all.extend(routes());
    all.push(believed());
    all.extend(filing());
    all.push(numbered());
    all.extend(bound());
    all.push(prompted());
    all.extend(boxes());
    all.extend(test_calls());
    all.extend(recordings());
    all.push(vouched());
    all.push(quaked());
    all.extend(silence());
    all
}

fn silence() -> [BoxedStrategy<Event>; 2] {
    let watched = few(time()).prop_map(|due| Event::Watched { due });
    let silent = (any::<u16>(), few(region()));
    let silent = silent.prop_map(|(look, villages)| Event::Silent(Silent { look, villages }));
    [watched.boxed(), silent.boxed()]
}

fn vouched() -> BoxedStrategy<Event> {
    let numbers = || few(any::<u32>().boxed());
    (text(), numbers(), numbers())
        .prop_map(|(device, ends, beside)| {
            Event::Vouched(Vouched {
                device,
                ends,
                beside,
            })
        })
        .boxed()
}

fn prompted() -> BoxedStrategy<Event> {
    let row = any::<(u32, u8)>().prop_map(|(item, nth)| PromptedRow { item, nth });
    let text = proptest::option::of(any::<(u64, u32)>());
    (any::<u32>(), text, few(row.boxed()))
        .prop_map(|(whom, text, rows)| Event::Prompted(Prompted { whom, text, rows }))
        .boxed()
}

fn said_back() -> Vec<BoxedStrategy<Event>> {
    let moments = || (proptest::option::of(time()), time());
    let document = || proptest::option::of(any::<[u8; 32]>());
    let answered = (any::<u32>(), document(), any::<bool>(), moments())
        .prop_map(|(delivery, text, assumed, (far, seen))| AnsweredRow {
            delivery,
            text,
            assumed,
            far,
            seen,
        })
        .boxed();
    let why = select(vec![Stray::UnknownNumber, Stray::NothingOpen]);
    let strayed = (why, any::<[u8; 32]>(), moments())
        .prop_map(|(why, text, (far, seen))| StrayedRow {
            why,
            text,
            far,
            seen,
        })
        .boxed();
    let mark = select(vec![Mark::Suspect, Mark::Clear]);
    let delivery = proptest::option::of(any::<(u64, u32)>());
    let by = proptest::option::of(text());
    vec![
        (text(), few(answered))
            .prop_map(|(channel, rows)| Event::Answered(Answered { channel, rows }))
            .boxed(),
        (text(), few(strayed))
            .prop_map(|(channel, rows)| Event::Strayed(Strayed { channel, rows }))
            .boxed(),
        (any::<u32>(), mark, text(), delivery, by)
            .prop_map(|(endpoint, mark, code, delivery, by)| {
                Event::Marked(Marked {
                    endpoint,
                    mark,
                    code,
                    delivery,
                    by,
                })
            })
            .boxed(),
    ]
}

fn routes() -> Vec<BoxedStrategy<Event>> {
    let whys = vec![Detour::NotServed, Detour::Spent, Detour::Away];
    let runs = few((0_u32..8, 0_u32..8).boxed());
    let carriers = select(Carrier::ALL.to_vec());
    let row = (any::<u32>(), carriers, any::<bool>());
    let row = row.prop_map(|(endpoint, carrier, is)| LearnedRow {
        endpoint,
        carrier,
        is,
    });
    vec![
        (text(), select(whys), time(), runs)
            .prop_map(|(to, why, at, runs)| Event::Rerouted(Rerouted { to, why, at, runs }))
            .boxed(),
        few(row.boxed())
            .prop_map(|rows| Event::Learned(Learned { rows }))
            .boxed(),
    ]
}

fn filing() -> Vec<BoxedStrategy<Event>> {
    let runs = few(any::<(u32, u32)>().boxed());
    let month = time().prop_map(Month::of);
    let numbers = any::<(u64, u16, u64)>();
    vec![
        (select(Bar::ALL.to_vec()), runs)
            .prop_map(|(why, runs)| Event::Barred(Barred { why, runs }))
            .boxed(),
        (text(), month, numbers)
            .prop_map(|(bureau, month, (alert, step, segments))| {
                Event::Spent(Spent {
                    bureau,
                    month,
                    alert,
                    step,
                    segments,
                })
            })
            .boxed(),
        any::<(u64, u64)>()
            .prop_map(|(spent, limit)| Event::Held(Held::Budget { spent, limit }))
            .boxed(),
    ]
}

fn numbered() -> BoxedStrategy<Event> {
    let deliveries = few(any::<u32>().boxed());
    let names = (text(), text(), any::<u32>(), any::<u16>());
    (names, any::<(u64, u64)>(), deliveries, time())
        .prop_map(
            |((channel, series, day, serial), (key, alert), deliveries, expires)| {
                Event::Numbered(Numbered {
                    channel,
                    series,
                    day,
                    serial,
                    key,
                    alert,
                    deliveries,
                    expires,
                })
            },
        )
        .boxed()
}

fn bound() -> Vec<BoxedStrategy<Event>> {
    let scene = || {
        prop_oneof![
            any::<u32>().prop_map(Scene::Household),
            any::<u64>().prop_map(Scene::Village),
        ]
    };
    let new = (scene(), any::<[u8; 32]>()).prop_map(|(to, document)| Tie::New { to, document });
    let moved = scene().prop_map(|to| Tie::Moved { to });
    let what = prop_oneof![new, moved, Just(Tie::Undone)];
    let until = proptest::option::of(time());
    vec![
        (text(), any::<u32>(), what)
            .prop_map(|(channel, endpoint, what)| {
                Event::Bound(Bound {
                    channel,
                    endpoint,
                    what,
                })
            })
            .boxed(),
        (text(), scene(), until, text())
            .prop_map(|(channel, to, until, by)| {
                Event::Coded(Coded {
                    channel,
                    to,
                    until,
                    by,
                })
            })
            .boxed(),
    ]
}

fn recordings() -> Vec<BoxedStrategy<Event>> {
    let response = proptest::option::of(select(cap::ResponseType::ALL.to_vec()));
    let subject = (
        text(),
        proptest::option::of(level()),
        response,
        text(),
        any::<bool>(),
    );
    let clip = (
        any::<[u8; 32]>(),
        select(Format::ALL.to_vec()),
        any::<(u32, u32)>(),
    );
    vec![
        (any::<u32>(), subject, clip, text())
            .prop_map(|(id, subject, (document, format, (bytes, millis)), by)| {
                let (event, level, response, language, drill) = subject;
                Event::Recorded(Box::new(Recorded {
                    id,
                    of: Subject {
                        event,
                        level,
                        response,
                        language,
                        drill,
                    },
                    clip: Clip {
                        document,
                        format,
                        bytes,
                        millis,
                    },
                    by,
                }))
            })
            .boxed(),
        (any::<u32>(), text())
            .prop_map(|(id, by)| Event::Heard(Heard { id, by }))
            .boxed(),
        (any::<u32>(), text())
            .prop_map(|(id, by)| Event::Retired(Retired { id, by }))
            .boxed(),
    ]
}

fn quaked() -> BoxedStrategy<Event> {
    let row = (text(), any::<u8>(), time(), select(Shown::ALL.to_vec()));
    let row = row.prop_map(|(device, intensity, arrival, shown)| ShockRow {
        device,
        intensity,
        arrival,
        shown,
    });
    let relayed = (text(), any::<u64>(), few(row.boxed()));
    let relayed = relayed.prop_map(|(channel, serial, rows)| Relayed {
        channel,
        serial,
        rows,
    });
    let which = (text(), text(), any::<u32>(), select(Status::ALL.to_vec()));
    let place = any::<(i32, i32, u32, u16, bool)>();
    let times = (time(), time(), any::<[u8; 32]>());
    (which, place, times, few(relayed.boxed()))
        .prop_map(|(which, place, (sent, origin, document), relayed)| {
            let (feed, event, report, status) = which;
            let (north, east, depth, magnitude, cancel) = place;
            Event::Quaked(Box::new(Quaked {
                feed,
                event,
                report,
                status,
                cancel,
                sent,
                origin,
                north,
                east,
                depth,
                magnitude,
                document,
                relayed,
            }))
        })
        .boxed()
}

fn looked() -> BoxedStrategy<Event> {
    let whom = proptest::option::of(text());
    let subject = proptest::option::of(any::<u64>());
    (whom, select(Look::ALL.to_vec()), subject, any::<u64>())
        .prop_map(|(officer, what, subject, from)| {
            Event::Looked(Looked {
                officer,
                what,
                subject,
                from,
            })
        })
        .boxed()
}

fn believed() -> BoxedStrategy<Event> {
    (text(), any::<i64>())
        .prop_map(|(by, seconds)| Event::Believed(Believed { by, seconds }))
        .boxed()
}

fn decided() -> BoxedStrategy<Event> {
    let remark = proptest::option::of(any::<[u8; 32]>());
    let ruling = select(vec![Ruling::Approve, Ruling::Refuse]);
    (any::<u16>(), text(), ruling, remark)
        .prop_map(|(step, by, ruling, remark)| {
            Event::Decided(Decided {
                step,
                by,
                ruling,
                remark,
            })
        })
        .boxed()
}

fn steps() -> Vec<BoxedStrategy<Event>> {
    vec![
        level().prop_map(|level| Event::Raised { level }).boxed(),
        few(time()).prop_map(|due| Event::Steps { due }).boxed(),
        any::<u16>()
            .prop_map(|step| Event::Dropped { step })
            .boxed(),
        decided(),
    ]
}

fn test_calls() -> Vec<BoxedStrategy<Event>> {
    let result = select(TestResult::ALL.to_vec());
    let numbers = any::<(u32, u32)>();
    let moments = (proptest::option::of(time()), time());
    let row = (numbers, result, text(), few(text()), moments).prop_map(
        |((endpoint, number), result, code, references, (far, seen))| ProvedRow {
            endpoint,
            number,
            result,
            code,
            references,
            far,
            seen,
        },
    );
    let endpoints = few(any::<u32>().boxed());
    let numbers = any::<(u32, u64, u32)>();
    vec![
        (text(), numbers, endpoints, time(), text())
            .prop_map(|(channel, (first, serial, window), endpoints, until, by)| {
                Event::TestCalled(TestCalled {
                    channel,
                    first,
                    serial,
                    endpoints,
                    until,
                    window,
                    by,
                })
            })
            .boxed(),
        (text(), few(row.boxed()))
            .prop_map(|(channel, rows)| Event::Proved(Proved { channel, rows }))
            .boxed(),
    ]
}

fn class_of() -> BoxedStrategy<Class> {
    select(Class::ALL.to_vec()).boxed()
}

fn class_row() -> BoxedStrategy<ClassRow> {
    let fate = prop_oneof![
        (0_u32..6).prop_map(|first| Fate::Told { first }),
        any::<u16>().prop_map(|step| Fate::Held { step }),
        any::<u16>().prop_map(|step| Fate::Later { step }),
        Just(Fate::Spared),
    ];
    (text(), audience(), class_of(), any::<u32>(), fate)
        .prop_map(|(channel, audience, class, count, fate)| ClassRow {
            channel,
            audience,
            class,
            count,
            fate,
        })
        .boxed()
}

fn classes() -> Vec<BoxedStrategy<Event>> {
    let grade = select(vec![
        None,
        Some(Grade::Played),
        Some(Grade::Delivered),
        Some(Grade::Confirmed),
    ]);
    let doors = few((grade, few(any::<u32>().boxed())).boxed());
    vec![
        (class_of(), few(any::<u64>().boxed()))
            .prop_map(|(class, with)| Event::Compared { class, with })
            .boxed(),
        (region(), few(class_row()))
            .prop_map(|(region, rows)| Event::Classed(Classed { region, rows }))
            .boxed(),
        (region(), doors)
            .prop_map(|(region, doors)| Event::Kept(Kept { region, doors }))
            .boxed(),
    ]
}

const FRAME: Frame = Frame {
    seq: 1,
    epoch: 1,
    stream: 1,
    time: START,
};

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn every_event_comes_back_as_it_was_and_begins_with_its_place(events in every()) {
        for (at, event) in events.iter().enumerate() {
            prop_assert_eq!(place(event), at);
            let bytes = postcard::to_stdvec(event).expect("packs");
            prop_assert_eq!(usize::from(bytes[0]), at);
            prop_assert_eq!(&postcard::from_bytes::<Event>(&bytes).expect("unpacks"), event);
        }
        let record = pack(FRAME, Head::default(), &events.iter().collect::<Vec<_>>());
        prop_assert_eq!(unpack(&record).expect("whole"), events);
    }

    #[test]
    fn an_event_of_absurd_numbers_is_folded_or_refused_and_never_panics(events in every()) {
        let ledger = Ledger::default();
        ledger.apply(1, START, &Event::Accepted(Box::new(accepted(1, Born::Live)))).expect("fits");
        ledger.apply(1, START, &texts(0, 1)).expect("fits");
        ledger.apply(1, START, &Event::Block(block("sms", 0, &[(3, 0)]))).expect("fits");
        for event in &events {
            // Either answer is right; the next event must find a ledger that still answers.
            let _ = ledger.apply(1, START, event);
            prop_assert!(ledger.known(1).is_some());
        }
    }

    #[test]
    fn any_bytes_with_a_right_checksum_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200), count in any::<u32>()) {
        let mut record = pack(FRAME, Head::default(), &[]);
        record.crc = crc32c::crc32c(&body);
        record.body = body;
        record.count = count;
        if let Ok(events) = unpack(&record) {
            prop_assert_eq!(events.len(), count as usize);
        }
    }
}

#[test]
fn a_list_that_claims_four_billion_rows_is_refused_without_room_for_them() {
    // Overdue with a list of u32::MAX deliveries, and only two of them there.
    let body = vec![16, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2];
    let mut record = pack(FRAME, Head::default(), &[]);
    record.crc = crc32c::crc32c(&body);
    record.body = body;
    record.count = 1;
    assert!(matches!(
        unpack(&record),
        Err(BadRecord::Event { event: 1, .. })
    ));
}

#[test]
fn a_count_lower_than_the_body_holds_is_damage() {
    let took = Event::Took {
        epoch: 1,
        format: 1,
    };
    let mut record = pack(FRAME, Head::default(), &[&took, &took]);
    record.count = 1;
    assert!(matches!(
        unpack(&record),
        Err(BadRecord::Count { left: 3, .. })
    ));
    record.count = 0;
    assert!(unpack(&record).is_err());
}

#[test]
fn a_newer_format_is_refused_by_its_number() {
    let mut record = pack(FRAME, Head::default(), &[]);
    record.format = 2;
    assert!(matches!(
        unpack(&record),
        Err(BadRecord::Format { format: 2, .. })
    ));
}
