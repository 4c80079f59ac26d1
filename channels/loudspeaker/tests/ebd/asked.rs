//! What the platform asks of the gateway and hands to it, and what the gateway asks of it: states and logs, after a restart
//! too, without an end to waiting and without telling anything twice.

use std::collections::BTreeSet;
use std::time::Duration;

use channel::testing::context;
use channel::{
    Action, Authority, Channel, Clock, Command, Evidence, Level, Numbering, SystemClock, Verdict,
};
use loudspeaker::ebd::peer::{Settings, Story, Take, terminal};
use loudspeaker::ebd::readers::{
    Body, Brd, BrdLog, Content, Device, Ebm, Info, LOG, Logged, Of, Omd, Packet, Record, StateOf,
    StateReport, States,
};
use serde_json::json;

use super::common::{
    OWN, PLATFORM, Pair, handed, messages, name_in, of, pair, pair_with, send, until, village,
};

fn telling(story: Story) -> Settings {
    Settings {
        story: Box::new(move |_| story.clone()),
        ..Settings::new(PLATFORM, OWN)
    }
}

fn omd(wanted: &str) -> Body {
    Body::Omd(Omd {
        wanted: wanted.into(),
        full: true,
        from: None,
        to: None,
    })
}

fn state(ebm: &str) -> Body {
    Body::StateRequest { ebm: ebm.into() }
}

fn count(pair: &Pair, why: &str) -> u64 {
    let all = pair.channel.refused();
    let own = all.iter().find(|(name, _)| *name == why);
    own.expect("a known reason").1
}

fn came(pair: &Pair, is: impl Fn(&Body) -> bool) -> Vec<Packet> {
    let mut came = pair.platform.came();
    came.retain(|packet| is(&packet.body));
    came
}

fn is_log(body: &Body) -> bool {
    matches!(body, Body::Omd(omd) if omd.wanted == LOG)
}

/// The packet that answers a question, once it has come.
async fn answer(pair: &Pair, question: Body) -> Body {
    let what = question.kind().to_owned();
    let packet = pair.platform.packet(question);
    let id = packet.id.clone();
    assert_eq!(pair.platform.post_packet(packet).await, (200, Some(1)));
    let is_it = |packet: &Packet| packet.related.as_ref() == Some(&id);
    until(&what, || pair.platform.came().iter().any(is_it)).await;
    let found = pair.platform.came().into_iter().find(is_it);
    let found = found.expect("it came");
    assert_eq!(found.target.as_deref(), Some(PLATFORM));
    found.body
}

#[tokio::test]
async fn the_platforms_questions_are_answered_by_packets_of_their_own() {
    let more = json!({
        "ask_after": 0, "callback_url": "https://gateway.example/x",
        "about": { "address": "平武县", "contact": "值班室", "phone": "0816-0000000", "longitude": "104.5", "latitude": "32.4" },
    });
    let pair = pair(telling(Story::Plays), more).await;
    let batch = messages(2);
    let name = name_in(&send(&*pair.channel, &batch).await[0]);
    until("both are played", || {
        let receipts = pair.inlet.receipts.lock();
        let played = receipts.iter().filter(|r| r.code == "played");
        played.count() == 2
    })
    .await;

    let Body::Info(own) = answer(&pair, omd("EBRPSInfo")).await else {
        panic!("it is no inventory");
    };
    assert_eq!((own.of, own.records.len()), (Of::Platform, 1));
    assert_eq!(own.records[0].id, OWN);
    assert_eq!(own.records[0].name, "平武县应急管理局");
    assert_eq!(own.records[0].longitude, "104.5");
    let Body::States(own) = answer(&pair, omd("EBRPSState")).await else {
        panic!("these are no states");
    };
    assert_eq!(
        (own.rows[0].id.as_str(), own.rows[0].state),
        (OWN, Device::Running)
    );

    // What the platform has told of its terminals, with whose they are.
    for why in ["EBRDTInfo", "EBRDTState"] {
        let before = count(&pair, "no-data");
        assert_eq!(pair.platform.post(omd(why)).await, (200, Some(5)));
        assert_eq!(count(&pair, "no-data"), before + 1, "{why}");
    }
    let (one, of) = (terminal(&village(1)), Of::Terminal);
    let record = Record {
        id: one.clone(),
        name: "东桥一号".into(),
        latitude: "32.41".into(),
        ..Record::default()
    };
    let told = Info {
        of,
        full: true,
        at: None,
        records: vec![record.clone()],
    };
    let row = StateOf {
        id: one.clone(),
        state: Device::Recovered,
        at: None,
    };
    let rows = vec![row];
    pair.platform.post(Body::Info(told)).await;
    pair.platform.post(Body::States(States { of, rows })).await;
    let Body::Info(terminals) = answer(&pair, omd("EBRDTInfo")).await else {
        panic!("it is no inventory");
    };
    let above = Some(PLATFORM.to_owned());
    assert_eq!(terminals.records, [Record { above, ..record }]);
    let Body::States(states) = answer(&pair, omd("EBRDTState")).await else {
        panic!("these are no states");
    };
    assert_eq!(states.rows[0].state, Device::Recovered);

    let Body::State(report) = answer(&pair, state(&name)).await else {
        panic!("it is no state");
    };
    let coverage = report.coverage.expect("its places");
    assert_eq!((report.state, coverage.rate), (Brd::Played, Some(1.0)));
    assert_eq!(coverage.areas, [village(1), village(2)]);
    let Body::Log(log) = answer(&pair, omd(LOG)).await else {
        panic!("it is no log");
    };
    assert_eq!(log.items[0].report.state, Brd::Played);
    let logged = log.items[0].message.as_ref().expect("the message itself");
    let content = logged.content.as_ref().expect("content");
    assert_eq!(content.text, batch[0].variant.text);
    assert_eq!((log.items.len(), logged.id.as_str()), (1, name.as_str()));
}

#[tokio::test]
async fn what_there_is_no_answer_to_is_refused_by_its_own_reason() {
    let pair = pair(telling(Story::Silent), json!({ "ask_after": 0 })).await;
    let name = name_in(&send(&*pair.channel, &messages(1)).await[0]);
    let other = format!("{OWN}202001010001");
    for (question, why) in [
        (omd("EBRSTInfo"), "no-data"),
        (omd("EBRASInfo"), "no-data"),
        (omd("EBRBSState"), "no-data"),
        (omd(LOG), "no-data"),
        (omd("EBRSTState"), "not-served"),
        (omd("EBMStreamPortRequest"), "not-served"),
        (state(&name), "no-word"),
        (state(&other), "unknown-message"),
    ] {
        let before = count(&pair, why);
        let what = format!("{question:?}");
        assert_eq!(pair.platform.post(question).await, (200, Some(5)), "{what}");
        assert_eq!(count(&pair, why), before + 1, "{what}");
    }
    assert_eq!(pair.platform.came().len(), 1, "the message alone went out");
}

#[tokio::test]
async fn questions_without_end_are_refused_and_warnings_do_not_wait_for_them() {
    let settings = Settings {
        take: Box::new(|packet| match packet.body {
            Body::States(_) => Take::Stall,
            _ => Take::Receipt(1),
        }),
        ..telling(Story::Silent)
    };
    let more = json!({ "ask_after": 0, "connections": 1 });
    let pair = pair(settings, more).await;
    let ask = |second: i64| {
        Body::Omd(Omd {
            wanted: "EBRPSState".into(),
            full: false,
            from: Some(channel::Timestamp::from_secs(second)),
            to: None,
        })
    };
    let mut codes = Vec::new();
    for second in 0..30 {
        codes.push(pair.platform.post(ask(second)).await.1);
    }
    let taken = codes.iter().filter(|code| **code == Some(1)).count();
    // What waits, and what went out while they came.
    assert!((16..=20).contains(&taken), "{codes:?}");
    assert_eq!(
        count(&pair, "busy"),
        30 - u64::try_from(taken).expect("few")
    );
    send(&*pair.channel, &messages(1))
        .await
        .remove(0)
        .expect("a warning goes out beside them");
}

fn warning(id: &str) -> Ebm {
    let now = SystemClock::default().now();
    Ebm {
        id: id.into(),
        related: None,
        kind: 1,
        sender_name: "绵阳市气象台".into(),
        sender_code: "51070041600000".into(),
        sent: Some(now),
        event: "11B03".into(),
        severity: Some(1),
        start: Some(now),
        end: Some(now.plus(Duration::from_hours(3))),
        content: Some(Content {
            language: "zho".into(),
            title: "绵阳市气象台发布暴雨红色预警".into(),
            text: "请立即转移。".into(),
            areas: vec!["510727000000".into()],
            auxiliaries: Vec::new(),
        }),
        dispatch: Vec::new(),
    }
}

#[tokio::test]
async fn a_warning_that_the_platform_hands_over_is_refused_shown_and_never_played() {
    let pair = pair(telling(Story::Silent), json!({ "ask_after": 0 })).await;
    let name = format!("{PLATFORM}202607140007");
    let hand = async |ebm: Ebm| pair.platform.post(Body::Ebm(Box::new(ebm))).await;
    // Twice, as one does that has no answer.
    for _ in 0..2 {
        assert_eq!(hand(warning(&name)).await, (200, Some(5)));
    }
    assert_eq!(count(&pair, "not-played"), 2);
    let shown = pair.channel.notice().expect("a platform").offered;
    assert_eq!(shown.len(), 1);
    assert_eq!(
        (shown[0].name.as_str(), shown[0].event.as_str()),
        (name.as_str(), "11B03")
    );
    assert_eq!(shown[0].level, Level::Red);
    // Whoever asks for it hears that it lies here.
    let Body::State(report) = answer(&pair, state(&name)).await else {
        panic!("it is no state");
    };
    assert_eq!(
        (report.ebm.as_str(), report.state),
        (name.as_str(), Brd::Held)
    );

    let other = |serial: u8| format!("{PLATFORM}2026071400{serial:02}");
    let drill = Ebm {
        kind: 3,
        ..warning(&other(8))
    };
    let daily = Ebm {
        severity: Some(10),
        ..warning(&other(9))
    };
    let over = Ebm {
        end: Some(channel::Timestamp(1)),
        ..warning(&other(10))
    };
    let empty = Ebm {
        content: None,
        ..warning(&other(11))
    };
    let ours = warning(&format!("{OWN}202607140001"));
    let cancel = |of: &str| Ebm {
        kind: 2,
        related: Some(of.into()),
        ..warning(&other(12))
    };
    for (ebm, code, why) in [
        (drill, 5, "not-played"),
        (daily, 5, "not-played"),
        (over, 5, "over"),
        (empty, 3, "missing"),
        (ours, 5, "own-message"),
        (cancel(&other(8)), 5, "unknown-message"),
    ] {
        let before = count(&pair, why);
        assert_eq!(hand(ebm).await, (200, Some(code)), "{why}");
        assert_eq!(count(&pair, why), before + 1);
    }
    assert_eq!(pair.channel.notice().expect("a platform").offered.len(), 1);
    // A cancel of what sounds nowhere is fulfilled.
    assert_eq!(hand(cancel(&name)).await, (200, Some(1)));
    assert!(
        pair.channel
            .notice()
            .expect("a platform")
            .offered
            .is_empty()
    );
    assert!(pair.inlet.issued.lock().is_empty() && pair.inlet.receipts.lock().is_empty());
    let sent = came(&pair, |body| matches!(body, Body::Ebm(_)));
    assert!(sent.is_empty(), "{sent:?}");
}

#[tokio::test]
async fn the_log_is_asked_for_until_the_end_and_tells_each_place_once() {
    let more = json!({ "ask_after": 0, "logs": 0.1, "heartbeat": 0.1 });
    let pair = pair(telling(Story::Logged), more).await;
    let outcomes = send(&*pair.channel, &messages(3)).await;
    until("each village is played", || {
        pair.inlet.receipts.lock().len() == 3
    })
    .await;
    for outcome in &outcomes {
        let reference = &outcome.as_ref().expect("accepted").references[0];
        let told = of(&pair.inlet, reference);
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].verdict, Verdict::Reached(Evidence::Acknowledged));
        assert!(told[0].far.is_some(), "when it was played is the record's");
    }
    // Once more after its end, which the log told.
    until("the last one", || came(&pair, is_log).len() == 2).await;
    let Body::Omd(last) = came(&pair, is_log).remove(1).body else {
        panic!("no request");
    };
    assert!(last.from.is_some() && last.to >= last.from, "{last:?}");
    // Pushed and replayed logs, among them what others broadcast, change nothing.
    for _ in 0..2 {
        pair.platform.log().await;
    }
    let beats = || came(&pair, |body| matches!(body, Body::Check { .. })).len();
    let before = beats();
    until("some time has passed", || beats() > before + 3).await;
    assert_eq!(
        came(&pair, is_log).len(),
        2,
        "what has ended is asked for no more"
    );
    assert_eq!(pair.inlet.receipts.lock().len(), 3);
    let answered = pair.platform.answered();
    assert!(
        answered.iter().all(|answer| *answer == (200, Some(1))),
        "{answered:?}"
    );
}

#[tokio::test]
async fn a_log_takes_nothing_back_and_a_failure_is_told_once() {
    let more = json!({ "ask_after": 0, "logs": 0 });
    let pair = pair(telling(Story::FailsAt(vec![village(2)])), more).await;
    let outcomes = send(&*pair.channel, &messages(2)).await;
    let at = |nth: usize| outcomes[nth].as_ref().expect("accepted").references[0].clone();
    let codes = |nth| -> Vec<String> {
        of(&pair.inlet, &at(nth))
            .into_iter()
            .map(|r| r.code)
            .collect()
    };
    let wanted = ["waiting", "playing", "failed"];
    until("it failed", || codes(1) == wanted).await;
    let mut log = BrdLog::default();
    for state in [Brd::Playing, Brd::Held, Brd::Failed] {
        log.items = vec![Logged {
            report: StateReport {
                at: None,
                ebm: name_in(&outcomes[0]),
                state,
                coverage: None,
                items: Vec::new(),
            },
            message: None,
        }];
        assert_eq!(
            pair.platform.post(Body::Log(log.clone())).await,
            (200, Some(1))
        );
    }
    assert_eq!(pair.channel.notice().expect("a platform").held, 0);
    assert_eq!(codes(1), wanted);
    let again = send(&*pair.channel, &messages(2)[1..]).await;
    let first = name_in(&again[0]);
    // One failure is one new name, however often it is told.
    pair.platform.log().await;
    let mut repeat = messages(2).remove(1);
    repeat.repeat = true;
    assert_eq!(name_in(&send(&*pair.channel, &[repeat]).await[0]), first);
}

/// A channel that was started again with so many messages at the platform.
async fn restarted(settings: Settings, standing: u16, more: serde_json::Value) -> Pair {
    let (context, inlet) = context("ebd");
    let batch = messages(u32::from(standing));
    *inlet.handed.lock() = handed(&batch);
    for (message, serial) in batch.iter().zip(1..) {
        let wanted = Numbering {
            series: OWN.into(),
            day: 20_260_714,
            key: u64::from(serial),
            alert: message.key.alert,
            deliveries: vec![message.key.delivery],
            expires: message.expires,
        };
        inlet.issued.lock().push((wanted, serial));
    }
    pair_with(settings, more, context, inlet).await
}

#[tokio::test]
async fn after_a_restart_each_message_is_asked_for_once_in_its_turn() {
    let more = json!({ "ask_after": 1, "logs": 0 });
    let pair = restarted(telling(Story::Silent), 20, more).await;
    let asked = || came(&pair, |body| matches!(body, Body::StateRequest { .. }));
    until("all are asked for", || asked().len() >= 20).await;
    let names: BTreeSet<_> = asked()
        .into_iter()
        .filter_map(|packet| match packet.body {
            Body::StateRequest { ebm } => Some(ebm),
            _ => None,
        })
        .collect();
    assert_eq!(names.len(), 20, "none twice before all were asked for");
}

#[tokio::test]
async fn a_platform_that_answers_no_question_keeps_neither_heartbeats_nor_warnings_waiting() {
    let settings = Settings {
        take: Box::new(|packet| match packet.body {
            Body::StateRequest { .. } => Take::Stall,
            _ => Take::Receipt(1),
        }),
        ..telling(Story::Silent)
    };
    let more = json!({ "ask_after": 0.05, "logs": 0, "heartbeat": 0.1, "connections": 1 });
    let clock = SystemClock::default();
    let pair = restarted(settings, 300, more).await;
    let asked = || came(&pair, |body| matches!(body, Body::StateRequest { .. })).len();
    until("it is asked", || asked() > 0).await;
    let mut fresh = messages(1);
    fresh[0].key.alert = 8;
    send(&*pair.channel, &fresh)
        .await
        .remove(0)
        .expect("a warning goes out meanwhile");
    let beats = || came(&pair, |body| matches!(body, Body::Check { .. })).len();
    until("it beats", || beats() >= 6).await;
    // Two at a time, each for as long as an answer is waited for.
    let most = 2 * (clock.tick().as_secs() + 1);
    assert!(
        u64::try_from(asked()).expect("few") <= most,
        "{} of {most}",
        asked()
    );
}

#[tokio::test]
async fn a_later_end_is_not_in_the_protocol_and_sends_nothing() {
    let pair = pair(telling(Story::Plays), json!({ "ask_after": 0, "logs": 0 })).await;
    let batch = messages(1);
    send(&*pair.channel, &batch).await;
    let now = SystemClock::default().now();
    let longer = Command {
        serial: 5,
        action: Action::Prolong {
            alert: batch[0].key.alert,
            drill: false,
        },
        authority: Authority::County,
        devices: vec![village(1)],
        not_before: now,
        expires: now.plus(Duration::from_hours(9)),
    };
    assert!(!pair.channel.command(&longer));
    until("it is told", || !pair.inlet.obeyed.lock().is_empty()).await;
    let told = pair.inlet.obeyed.lock().clone();
    assert!(!told[0].done && told[0].code == "not-in-this-protocol");
    let sent = came(&pair, |body| matches!(body, Body::Ebm(_)));
    assert_eq!(sent.len(), 1, "nobody hears it again");
}
