//! What a platform may do with a warning, and what the gateway knows of each village then.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use channel::testing::{Behaviour, Fixture, context, exercise};
use channel::{
    Action, Address, Authority, Channel, Clock, Command, Context, Evidence, FailureClass, Health,
    Message, SystemClock, Verdict,
};
use loudspeaker::ebd::Ebd;
use loudspeaker::ebd::peer::{Platform, Settings, Story, Take, terminal};
use loudspeaker::ebd::readers::{Body, Brd, Edition, Profile};
use serde_json::json;

use super::common::{
    OWN, PLATFORM, config, handed, messages, name_in, of, pair, pair_with, secret_path, send,
    until, village,
};
use crate::gateway::listen;

fn settings() -> Settings {
    Settings::new(PLATFORM, OWN)
}

fn taking(take: Take) -> Settings {
    Settings {
        take: Box::new(move |_| take.clone()),
        ..settings()
    }
}

fn telling(story: Story) -> Settings {
    Settings {
        story: Box::new(move |_| story.clone()),
        ..settings()
    }
}

struct Suite;

#[async_trait::async_trait]
impl Fixture for Suite {
    async fn start(
        &self,
        behaviour: Behaviour,
        context: Context,
    ) -> Option<(Arc<dyn Channel>, Box<dyn Any + Send>)> {
        let take = match behaviour {
            Behaviour::Accept | Behaviour::Confirm => Take::Receipt(1),
            Behaviour::Throttle => Take::Status(429),
            Behaviour::RefuseContent => Take::Receipt(3),
            Behaviour::Stall => Take::Stall,
            Behaviour::HangUpAfterWrite => Take::HangUpAfterWrite,
            Behaviour::RefuseLogin => Take::Receipt(4),
            // A platform names no place that it does not know; and who hangs up in the middle may have taken all.
            Behaviour::RefuseAddress | Behaviour::HangUp => return None,
        };
        let platform = Platform::start(taking(take)).await.expect("a port");
        let channel = Ebd::new(config(&platform.url(), json!({})), context).expect("good");
        let channel = Arc::new(channel);
        let gateway = listen(channel.clone()).await;
        platform.calls(secret_path(&gateway));
        Some((channel, Box::new((platform, gateway))))
    }

    fn message(&self, _number: u32) -> Message {
        messages(1).remove(0)
    }
}

#[tokio::test]
async fn the_channel_keeps_the_contract_in_everything_that_a_platform_can_do() {
    let ran = exercise(&Suite).await;
    assert_eq!(ran.len(), 7, "{ran:?}");
}

#[tokio::test]
async fn a_county_is_one_message_and_each_village_is_proven_by_its_own_terminal() {
    let pair = pair(settings(), json!({})).await;
    let batch = messages(39);
    let outcomes = send(&*pair.channel, &batch).await;
    let name = name_in(&outcomes[0]);
    assert!(outcomes.iter().all(|outcome| name_in(outcome) == name));
    assert_eq!(name.len(), 35);
    let reached = || {
        pair.inlet
            .receipts
            .lock()
            .iter()
            .filter(|r| matches!(r.verdict, Verdict::Reached(_)))
            .count()
    };
    until("each village is played", || reached() == 39).await;
    for (nth, outcome) in outcomes.iter().enumerate() {
        let reference = &outcome.as_ref().expect("accepted").references[0];
        let told = of(&pair.inlet, reference);
        let codes: Vec<_> = told.iter().map(|r| r.code.as_str()).collect();
        assert_eq!(codes, ["waiting", "playing", "played"], "{nth}");
        assert_eq!(told[2].verdict, Verdict::Reached(Evidence::Acknowledged));
    }
    let kept = pair.platform.kept();
    assert_eq!(kept.len(), 1);
    let content = kept[&name].ebm.content.clone().expect("content");
    assert_eq!(content.areas.len(), 39);
    assert_eq!(content.text, batch[0].variant.text);
    assert_eq!(kept[&name].ebm.severity, Some(1));
    assert!(
        pair.platform
            .answered()
            .iter()
            .all(|answer| *answer == (200, Some(1)))
    );
}

#[tokio::test]
async fn an_aggregate_proves_no_village_and_a_failed_place_is_named() {
    let sums = pair(telling(Story::PlaysSomewhere), json!({})).await;
    let outcomes = send(&*sums.channel, &messages(3)).await;
    let reference = outcomes[0].as_ref().expect("accepted").references[0].clone();
    until("the sum came", || of(&sums.inlet, &reference).len() == 3).await;
    let receipts = sums.inlet.receipts.lock().clone();
    assert!(receipts.iter().all(|r| r.verdict == Verdict::Progress));
    assert_eq!(of(&sums.inlet, &reference)[2].code, "played-somewhere");

    let fails = pair(telling(Story::FailsAt(vec![village(2)])), json!({})).await;
    let outcomes = send(&*fails.channel, &messages(3)).await;
    let at = |nth: usize| outcomes[nth].as_ref().expect("accepted").references[0].clone();
    until("each was told", || {
        (0..3).all(|nth| of(&fails.inlet, &at(nth)).len() == 3)
    })
    .await;
    let verdict = |nth| of(&fails.inlet, &at(nth))[2].verdict;
    assert_eq!(verdict(0), Verdict::Reached(Evidence::Acknowledged));
    assert_eq!(verdict(1), Verdict::Refused(FailureClass::Transient));
    // What failed goes again under a name of its own: the first is known there.
    let again = send(&*fails.channel, &messages(3)[1..2]).await;
    assert_ne!(name_in(&again[0]), name_in(&outcomes[1]));
}

#[tokio::test]
async fn a_lost_answer_is_asked_again_with_the_same_packet_and_played_once() {
    let lost = Arc::new(std::sync::atomic::AtomicU32::new(2));
    let counter = lost.clone();
    let settings = Settings {
        take: Box::new(move |_| {
            let more = counter
                .fetch_update(SeqCst, SeqCst, |n| n.checked_sub(1))
                .is_ok();
            if more {
                Take::HangUpAfterWrite
            } else {
                Take::Receipt(1)
            }
        }),
        story: Box::new(|_| Story::Silent),
        ..settings()
    };
    let pair = pair(settings, json!({ "ask_after": 0 })).await;
    let mut batch = messages(4);
    for outcome in send(&*pair.channel, &batch).await {
        assert_eq!(outcome.expect_err("lost").class, FailureClass::InDoubt);
    }
    for message in &mut batch {
        message.repeat = true;
        message.serial += 1_000;
    }
    // They come back in other company, as retries do.
    let first = send(&*pair.channel, &batch[..1]).await;
    assert_eq!(
        first[0].as_ref().expect_err("lost").class,
        FailureClass::InDoubt
    );
    let second = send(&*pair.channel, &batch[1..3]).await;
    let third = send(&*pair.channel, &[batch[3].clone(), batch[0].clone()]).await;
    let name = name_in(&second[0]);
    assert!(
        second
            .iter()
            .chain(&third)
            .all(|outcome| name_in(outcome) == name)
    );
    let kept = pair.platform.kept();
    assert_eq!((kept.len(), kept[&name].posted), (1, 3));
    let ids: std::collections::BTreeSet<_> =
        pair.platform.came().iter().map(|p| p.id.clone()).collect();
    assert_eq!(ids.len(), 1, "the same packet each time");
}

#[tokio::test]
async fn after_a_restart_a_batch_in_doubt_has_its_name_and_its_states_find_their_villages() {
    let (first, inlet) = context("ebd");
    let platform = Platform::start(Settings {
        take: Box::new(|p| {
            if matches!(p.body, Body::Ebm(_)) {
                Take::HangUpAfterWrite
            } else {
                Take::Receipt(1)
            }
        }),
        story: Box::new(|_| Story::Silent),
        ..settings()
    });
    let platform = platform.await.expect("a port");
    let mut batch = messages(3);
    *inlet.handed.lock() = handed(&batch);
    let before = Ebd::new(config(&platform.url(), json!({})), first.clone()).expect("good");
    send(&before, &batch).await;
    drop(before);
    let name = platform.kept().keys().next().expect("it was taken").clone();
    // Another process over the same journal.
    let more = json!({ "ask_after": 0.05 });
    let pair = pair_with(settings(), more, first, inlet).await;
    assert_eq!(pair.channel.notice().expect("a platform").held, 0);
    for message in &mut batch {
        message.repeat = true;
    }
    let outcomes = send(&*pair.channel, &batch).await;
    assert!(
        outcomes.iter().all(|outcome| name_in(outcome) == name),
        "{outcomes:?}"
    );
    // Whole, whichever of them came first.
    let again = &pair.platform.kept()[&name].ebm;
    assert_eq!(again.content.as_ref().expect("content").areas.len(), 3);
    until("its states are known", || {
        let receipts = pair.inlet.receipts.lock();
        receipts
            .iter()
            .filter(|r| r.verdict == Verdict::Reached(Evidence::Acknowledged))
            .count()
            >= 3
    })
    .await;
    let asked = platform
        .came()
        .iter()
        .filter(|p| matches!(p.body, Body::StateRequest { .. }))
        .count();
    assert_eq!(asked, 0, "the old platform is gone for the new process");
}

#[tokio::test]
async fn each_warning_of_a_day_has_the_next_serial() {
    let pair = pair(telling(Story::Silent), json!({})).await;
    for serial in 1..=3_u64 {
        let mut batch = messages(1);
        batch[0].key.alert = serial;
        let outcome = send(&*pair.channel, &batch).await;
        let name = name_in(&outcome[0]);
        assert!(
            name.ends_with(&format!("{serial:04}")) && name.starts_with(OWN),
            "{name}"
        );
    }
    pair.inlet.away.store(true, SeqCst);
    let mut batch = messages(1);
    batch[0].key.alert = 9;
    let refused = send(&*pair.channel, &batch).await;
    assert_eq!(
        refused[0].as_ref().expect_err("no name").code,
        "ebd:journal"
    );
    assert_eq!(
        pair.platform.kept().len(),
        3,
        "nothing goes out without a name"
    );
}

#[tokio::test]
async fn what_the_platform_holds_is_shown_with_its_duty_phone_until_it_is_let_go() {
    let more = json!({ "duty_phone": "0816-0000000", "held_alarm": 0.05 });
    let pair = pair(telling(Story::Held), more).await;
    let outcomes = send(&*pair.channel, &messages(2)).await;
    let reference = outcomes[1].as_ref().expect("accepted").references[0].clone();
    until("it is held", || {
        pair.channel.notice().expect("a platform").held == 1
    })
    .await;
    assert_eq!(of(&pair.inlet, &reference)[0].code, "held");
    let notice = pair.channel.notice().expect("a platform");
    assert_eq!(
        notice.phone.as_ref().map(Address::expose),
        Some("0816-0000000")
    );
    assert!(!format!("{notice:?}").contains("0816"), "a phone in a log");
    let name = name_in(&outcomes[0]);
    pair.platform.let_go(&name, &Story::Plays).await;
    until("it is played", || of(&pair.inlet, &reference).len() == 4).await;
    assert_eq!(pair.channel.notice().expect("a platform").held, 0);
}

#[tokio::test]
async fn what_the_platforms_people_take_off_is_refused_and_what_is_silent_is_asked_for() {
    let off = pair(telling(Story::TakenOff), json!({})).await;
    let outcomes = send(&*off.channel, &messages(1)).await;
    let reference = outcomes[0].as_ref().expect("accepted").references[0].clone();
    until("it is told", || !of(&off.inlet, &reference).is_empty()).await;
    assert_eq!(
        of(&off.inlet, &reference)[0].verdict,
        Verdict::Refused(FailureClass::BadContent)
    );

    let silent = pair(telling(Story::Silent), json!({ "ask_after": 0.05 })).await;
    let outcomes = send(&*silent.channel, &messages(1)).await;
    let reference = outcomes[0].as_ref().expect("accepted").references[0].clone();
    until("it was asked and told", || {
        !of(&silent.inlet, &reference).is_empty()
    })
    .await;
    assert_eq!(of(&silent.inlet, &reference)[0].code, "played");
}

fn stop(serial: u64, action: Action, devices: &[String]) -> Command {
    let now = SystemClock::default().now();
    Command {
        serial,
        action,
        authority: Authority::County,
        devices: devices.to_vec(),
        not_before: now,
        expires: now.plus(Duration::from_hours(1)),
    }
}

#[tokio::test]
async fn a_stop_takes_back_a_whole_message_and_never_part_of_one() {
    let pair = pair(telling(Story::Silent), json!({ "ask_after": 0 })).await;
    let batch = messages(3);
    let outcomes = send(&*pair.channel, &batch).await;
    let name = name_in(&outcomes[0]);
    let villages: Vec<_> = (1..=3).map(village).collect();
    // Narrowed: two of three no longer.
    assert!(
        pair.channel
            .command(&stop(1, Action::Stop { alert: 7 }, &villages[..2]))
    );
    until("it is answered", || pair.inlet.obeyed.lock().len() == 2).await;
    assert!(
        pair.inlet
            .obeyed
            .lock()
            .iter()
            .all(|o| !o.done && o.code == "part-of-a-message")
    );
    assert_eq!(pair.platform.kept().len(), 1);
    assert!(
        pair.channel
            .command(&stop(5, Action::Stop { alert: 8 }, &villages))
    );
    assert!(
        pair.channel
            .command(&stop(9, Action::Stop { alert: 7 }, &villages))
    );
    until("it is cancelled there", || {
        pair.platform.kept()[&name].state == Brd::Cancelled
    })
    .await;
    let cancel = pair
        .platform
        .kept()
        .into_values()
        .find(|kept| kept.ebm.is_cancel())
        .expect("a cancel");
    assert_eq!(cancel.ebm.related.as_deref(), Some(name.as_str()));
    assert_ne!(cancel.ebm.id, name);
    until("all is answered", || pair.inlet.obeyed.lock().len() == 8).await;
    // We took it back ourselves: nobody is refused.
    until("its state is known", || {
        !pair.inlet.receipts.lock().is_empty()
    })
    .await;
    assert!(
        pair.inlet
            .receipts
            .lock()
            .iter()
            .all(|r| r.verdict == Verdict::Progress)
    );
    assert!(
        !pair
            .channel
            .command(&stop(20, Action::Tone { seconds: 3 }, &villages))
    );
    until("a tone is refused", || {
        pair.inlet
            .obeyed
            .lock()
            .iter()
            .any(|o| o.code == "not-in-this-protocol")
    })
    .await;
}

#[tokio::test]
async fn a_stop_waits_for_a_platform_that_is_away_and_is_given_once() {
    let away = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let seen = away.clone();
    let settings = Settings {
        take: Box::new(move |_| {
            if seen.load(SeqCst) {
                Take::Status(503)
            } else {
                Take::Receipt(1)
            }
        }),
        story: Box::new(|_| Story::Silent),
        ..settings()
    };
    let pair = pair(settings, json!({ "ask_after": 0 })).await;
    let outcomes = send(&*pair.channel, &messages(1)).await;
    away.store(true, SeqCst);
    let command = stop(1, Action::StopAll, &[village(1)]);
    pair.channel.command(&command);
    until("it was tried", || pair.platform.came().len() >= 2).await;
    assert!(pair.inlet.obeyed.lock().is_empty());
    away.store(false, SeqCst);
    until("it is done", || pair.inlet.obeyed.lock().len() == 1).await;
    let name = name_in(&outcomes[0]);
    assert_eq!(pair.platform.kept()[&name].state, Brd::Cancelled);
    // Laid down again, as a restart does.
    pair.channel.command(&command);
    let cancels = pair
        .platform
        .kept()
        .into_values()
        .filter(|kept| kept.ebm.is_cancel())
        .count();
    assert_eq!(cancels, 1);
}

#[tokio::test]
async fn a_stop_that_was_named_and_never_taken_goes_out_after_a_restart() {
    let away = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let seen = away.clone();
    let settings = Settings {
        take: Box::new(move |_| {
            if seen.load(SeqCst) {
                Take::Status(503)
            } else {
                Take::Receipt(1)
            }
        }),
        story: Box::new(|_| Story::Silent),
        ..settings()
    };
    let (context, inlet) = context("ebd");
    let batch = messages(1);
    *inlet.handed.lock() = handed(&batch);
    let more = json!({ "ask_after": 0 });
    let pair = pair_with(settings, more.clone(), context.clone(), inlet.clone()).await;
    let name = name_in(&send(&*pair.channel, &batch).await[0]);
    away.store(true, SeqCst);
    let command = stop(1, Action::Stop { alert: 7 }, &[village(1)]);
    pair.channel.command(&command);
    until("it has a name", || inlet.issued.lock().len() == 2).await;
    // Another process over the same journal, to the same platform; the first one's stop is never heard of again.
    let again = Ebd::new(config(&pair.platform.url(), more), context).expect("good");
    pair.stop();
    away.store(false, SeqCst);
    assert_ne!(pair.platform.kept()[&name].state, Brd::Cancelled);
    again.command(&command);
    let end = channel::Stop::new();
    let (stopped, done) = (end.clone(), async {
        until("it is cancelled there", || {
            pair.platform.kept()[&name].state == Brd::Cancelled
        })
        .await;
        end.cancel();
    });
    tokio::join!(again.run(stopped), done);
    assert_eq!(inlet.issued.lock().len(), 2, "under the same name");
}

#[tokio::test]
async fn heartbeats_and_terminals_are_known_and_a_silent_platform_is_down() {
    let more = json!({ "heartbeat": 0.1, "lost_after": 0.4, "inventory": 0.5 });
    let mute = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let seen = mute.clone();
    let settings = Settings {
        take: Box::new(move |_| {
            if seen.load(SeqCst) {
                Take::HangUp
            } else {
                Take::Receipt(1)
            }
        }),
        ..settings()
    };
    let pair = pair(settings, more).await;
    send(&*pair.channel, &messages(2)).await;
    let one = terminal(&village(1));
    until("terminals are known", || {
        pair.channel.device(&one).is_some_and(|d| d.heard.is_some())
    })
    .await;
    until("they have names", || pair.channel.terminals().len() == 2).await;
    assert!(pair.inlet.presences.lock().iter().any(|p| p.device == one));
    let beats = || {
        pair.platform
            .came()
            .iter()
            .filter(|p| matches!(p.body, Body::Check { .. }))
            .count()
    };
    until("it beats", || beats() >= 3).await;
    assert_eq!(pair.channel.health(), Health::Up);
    mute.store(true, SeqCst);
    until("it is lost", || {
        matches!(pair.channel.health(), Health::Down(_))
    })
    .await;
    mute.store(false, SeqCst);
    until("it is back", || pair.channel.health() == Health::Up).await;
}

#[tokio::test]
async fn the_draft_of_2016_is_spoken_both_ways() {
    let (own, platform) = ("010351072700000001", "010151072700000001");
    let settings = Settings {
        profile: Profile::of(Edition::Draft2016),
        ..Settings::new(platform, own)
    };
    let more = json!({ "edition": "2016", "ebrid": own, "platform": platform });
    let pair = pair(settings, more).await;
    let outcomes = send(&*pair.channel, &messages(2)).await;
    assert_eq!(name_in(&outcomes[0]).len(), 30);
    until("both are played", || {
        let receipts = pair.inlet.receipts.lock();
        receipts
            .iter()
            .filter(|r| r.verdict == Verdict::Reached(Evidence::Acknowledged))
            .count()
            == 2
    })
    .await;
}

#[tokio::test]
async fn what_no_platform_can_take_never_leaves() {
    let pair = pair(settings(), json!({})).await;
    let mut batch = messages(4);
    batch[0].address = Address::new("00000000001");
    batch[1].address = Address::new("45107270000000314010201");
    batch[2].expires = channel::Timestamp(0);
    let mut drill = super::common::variant();
    drill.drill = true;
    batch[3].variant = Arc::new(drill);
    let codes: Vec<_> = send(&*pair.channel, &batch)
        .await
        .into_iter()
        .map(|outcome| outcome.expect_err("refused"))
        .map(|failure| (failure.class, failure.code.into_owned()))
        .collect();
    let wanted = [
        (FailureClass::BadAddress, "ebd:bad-address"),
        (FailureClass::BadAddress, "ebd:wide-area"),
        (FailureClass::Transient, "ebd:expired"),
        (FailureClass::BadContent, "ebd:unmarked-drill"),
    ];
    assert_eq!(codes, wanted.map(|(class, code)| (class, code.to_owned())));
    assert!(pair.platform.came().is_empty());
}

#[tokio::test]
async fn each_answer_has_its_class() {
    for (take, class, code) in [
        (Take::Receipt(2), FailureClass::BadContent, "ebd:2"),
        (Take::Receipt(3), FailureClass::BadContent, "ebd:3"),
        (Take::Receipt(4), FailureClass::LinkDown, "ebd:4"),
        (Take::Receipt(5), FailureClass::Transient, "ebd:5"),
        (Take::Status(401), FailureClass::LinkDown, "ebd:http-401"),
        (Take::Status(413), FailureClass::BadContent, "ebd:http-413"),
        (Take::Status(503), FailureClass::Transient, "ebd:http-503"),
        (Take::Garbage, FailureClass::InDoubt, "ebd:unreadable"),
        (Take::HangUp, FailureClass::InDoubt, "ebd:lost"),
    ] {
        let pair = pair(taking(take), json!({})).await;
        let failure = send(&*pair.channel, &messages(1))
            .await
            .remove(0)
            .expect_err(code);
        assert_eq!((failure.class, failure.code.as_ref()), (class, code));
    }
    let (context, _inlet) = context("ebd");
    let nobody = Ebd::new(config("http://127.0.0.1:1/", json!({})), context).expect("good");
    let failure = nobody
        .send(&messages(1)[0])
        .await
        .expect_err("nobody is there");
    assert_eq!(
        (failure.class, failure.code.as_ref()),
        (FailureClass::LinkDown, "ebd:connect")
    );
    assert!(matches!(nobody.health(), Health::Failing(_)));
}
