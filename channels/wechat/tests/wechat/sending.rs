//! What each kind sends, to whom, and what becomes of each of them.

use std::sync::Arc;
use std::time::Duration;

use channel::testing::{Behaviour, RecordingInlet, context};
use channel::{
    Address, Channel, Context, Evidence, FailureClass, ManualClock, Message, Of, OwnTokens, Scene,
    Timestamp, Verdict,
};
use serde_json::Value;
use wechat::errcode::House;
use wechat::{Robots, WorkApp};

use super::common::{Book, drill, on_account, on_work, peer, robots, to, variant, work};

/// A context whose clock stands still until it is moved.
fn standing(name: &str) -> (Context, Arc<RecordingInlet>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(Timestamp(1_783_980_000_000)));
    let (context, inlet) = context(name);
    let tokens = Arc::new(OwnTokens::new(clock.clone()));
    let context = Context {
        clock: clock.clone(),
        tokens,
        ..context
    };
    (context, inlet, clock)
}

fn content(body: &Value) -> &str {
    body["text"]["content"].as_str().unwrap()
}

#[tokio::test]
async fn a_template_message_carries_its_fields_its_link_and_its_id() {
    let run = on_account(Behaviour::Confirm, |_| {}).await;
    let text = variant(
        "【平武气象】未来三小时有特大暴雨,危险区的人员立即转移到安置点,不要回家取东西,注意山洪和泥石流。",
    );
    let message = to(3, "o-demo_3", &text);
    let accepted = run.channel.send(&message).await.unwrap();
    let body = run.peer.last();
    assert_eq!(body["touser"], "o-demo_3");
    assert_eq!(body["client_msg_id"], "ac-3-0");
    assert_eq!(body["url"], "https://demo.invalid/a/12");
    assert_eq!(body["data"]["thing1"]["value"], "暴雨红色预警");
    assert_eq!(
        body["data"]["thing2"]["value"],
        "未来三小时有特大暴雨,危险区的人员立即转"
    );
    assert_eq!(
        body["data"]["thing3"]["value"],
        "移到安置点,不要回家取东西,注意山洪和…"
    );
    let receipts = loop {
        let receipts = run.inlet.receipts.lock().clone();
        if !receipts.is_empty() {
            break receipts;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let [reference] = accepted.references.as_slice() else {
        panic!("{accepted:?}");
    };
    assert!(
        reference.parse::<u64>().unwrap() > 1 << 60,
        "no digit of a large id is lost"
    );
    assert_eq!(receipts[0].of, Of::Reference(reference.clone()));
    assert_eq!(receipts[0].verdict, Verdict::Reached(Evidence::Delivered));
}

#[tokio::test]
async fn a_message_that_was_in_doubt_goes_out_once_and_yesterdays_drill_hides_nothing() {
    let run = on_account(Behaviour::Accept, |_| {}).await;
    let (practised, live) = (drill("【演练】快走"), variant("快走"));
    let first = run
        .channel
        .send(&to(1, "o-demo_1", &practised))
        .await
        .unwrap();
    let again = run
        .channel
        .send(&to(1, "o-demo_1", &practised))
        .await
        .unwrap();
    assert_eq!(first, again);
    let warned = run.channel.send(&to(1, "o-demo_1", &live)).await.unwrap();
    assert_ne!(first, warned, "the same numbers, and no drill");
    assert_eq!(
        (run.peer.counters().sent, run.peer.counters().repeats),
        (2, 1)
    );

    let run = on_work(Behaviour::Accept, |_| {}).await;
    let text = drill("【演练】快走");
    let mut repeat = to(1, "demo1", &text);
    run.channel.send(&repeat).await.unwrap();
    run.channel.send(&repeat).await.unwrap();
    repeat.key.generation = 1;
    run.channel.send(&repeat).await.unwrap();
    repeat.key.alert = 13;
    run.channel.send(&repeat).await.unwrap();
    run.channel
        .send(&to(1, "demo1", &variant("【演练】快走")))
        .await
        .unwrap();
    let counters = run.peer.counters();
    assert_eq!(
        (counters.sent, counters.repeats),
        (4, 1),
        "the same words, and only the repeat is dropped"
    );
    let got: Vec<_> = run
        .peer
        .got("demo1")
        .iter()
        .map(|b| content(b).to_owned())
        .collect();
    let lines = [
        "〔演练 12-0〕",
        "〔演练 12-1〕",
        "〔演练 13-1〕",
        "〔实警 12-0〕",
    ];
    assert!(
        got.iter()
            .zip(lines)
            .all(|(text, line)| text.ends_with(line)),
        "{got:?}"
    );
}

#[tokio::test]
async fn a_drill_that_nothing_marks_is_not_sent() {
    let text = drill("快走");
    let account = on_account(Behaviour::Accept, |config| {
        config.fields.remove("phrase5");
    });
    let account = account.await;
    let work = on_work(Behaviour::Accept, |_| {}).await;
    let far = peer(House::Robot, Behaviour::Accept).await;
    let robots = Robots::new(robots(&far.url()), context("robots").0).unwrap();
    let channels: [(&dyn Channel, &str); 3] = [
        (&*account.channel, "o-demo_1"),
        (&*work.channel, "demo1"),
        (&robots, "duty"),
    ];
    for (channel, address) in channels {
        let failure = channel.send(&to(1, address, &text)).await.unwrap_err();
        assert_eq!(failure.class, FailureClass::BadContent, "{failure}");
        assert!(failure.code.ends_with("unmarked-drill"), "{failure}");
    }
    let counters = [&account.peer, &work.peer, &far].map(|peer| peer.counters().requests);
    assert_eq!(counters, [0, 0, 0]);
}

#[tokio::test]
async fn of_one_request_each_member_has_an_outcome_of_their_own() {
    let run = on_work(Behaviour::Accept, |config| config.members = 10).await;
    run.peer.refuses_member("Demo3");
    run.peer.refuses_licence("demo4");
    let text = variant("快走");
    let mut batch: Vec<_> = (0..25).map(|n| to(n, &format!("DEMO{n}"), &text)).collect();
    batch.push(to(25, "@all", &text));
    batch.push(to(26, "demo1|demo2", &text));
    batch.push(to(27, "demo7", &text));
    let outcomes = Book::of(&*run.channel, &batch).await;
    let code = |n: usize| outcomes[n].as_ref().unwrap_err().code.to_string();
    assert_eq!(
        (code(3), code(4)),
        ("wecom:invaliduser".into(), "wecom:unlicenseduser".into())
    );
    assert_eq!(
        (code(25), code(26)),
        ("wecom:no-member".into(), "wecom:no-member".into())
    );
    let mut references = std::collections::HashSet::new();
    for (n, outcome) in outcomes.iter().enumerate() {
        match outcome {
            Ok(accepted) => assert!(references.insert(accepted.references.clone()), "{n}"),
            Err(failure) => assert_eq!(failure.class, FailureClass::BadAddress, "{n}"),
        }
    }
    assert_eq!(references.len(), 24);
    assert_eq!(run.peer.counters().requests, 3, "ten members a request");
    assert!(
        !format!("{outcomes:?}").to_lowercase().contains("demo"),
        "no member is named"
    );
    for nobody in ["@all", "demo1", "demo2"] {
        assert!(run.peer.got(nobody).is_empty(), "{nobody}");
    }
}

#[tokio::test]
async fn where_all_are_refused_each_is_a_bad_address() {
    let run = on_work(Behaviour::Accept, |_| {}).await;
    run.peer.refuses_member("demo1");
    let failure = run
        .channel
        .send(&to(1, "demo1", &variant("快走")))
        .await
        .unwrap_err();
    assert_eq!(
        (failure.class, &*failure.code),
        (FailureClass::BadAddress, "wecom:81013")
    );
}

#[tokio::test]
async fn a_member_gets_thirty_a_minute_and_the_others_wait_here_instead_of_being_dropped_there() {
    let far = peer(House::Work, Behaviour::Accept).await;
    let (context, _, clock) = standing("quota");
    let app = WorkApp::new(work(&far.url()), context).unwrap();
    let text = variant("快走");
    let many = |from: u32| -> Vec<Message> {
        let one = |n| Message {
            key: channel::Key {
                alert: u64::from(n),
                delivery: 0,
                generation: 0,
            },
            ..to(n, "demo1", &text)
        };
        (from..from + 40).map(one).collect()
    };
    let outcomes = Book::of(&app, &many(0)).await;
    let waits: Vec<_> = outcomes.iter().filter_map(|o| o.as_ref().err()).collect();
    assert_eq!(waits.len(), 10);
    for failure in waits {
        assert_eq!(
            (failure.class, &*failure.code),
            (FailureClass::Transient, "wecom:member-quota")
        );
        assert_eq!(
            failure.retry_after,
            Some(Duration::from_mins(1)),
            "others are not slowed"
        );
    }
    assert!(app.send(&to(0, "demo2", &text)).await.is_ok());
    clock.advance(Duration::from_mins(1));
    assert_eq!(
        Book::of(&app, &many(100))
            .await
            .iter()
            .filter(|o| o.is_ok())
            .count(),
        30
    );
    assert_eq!(far.counters().requests, 61);
}

#[tokio::test]
async fn what_the_far_end_surely_did_not_take_does_not_count() {
    let run = on_work(Behaviour::Accept, |_| {}).await;
    let text = variant("快走");
    run.peer.answers([-1; 100]);
    for n in 0..100 {
        let failure = run.channel.send(&to(n, "demo1", &text)).await.unwrap_err();
        assert_eq!(
            (failure.class, &*failure.code),
            (FailureClass::Transient, "wecom:-1")
        );
    }
    assert!(run.channel.send(&to(0, "demo1", &text)).await.is_ok());
}

#[tokio::test]
async fn a_code_in_no_table_is_told_with_its_number_and_tried_again_no_oftener_than_what_may_pass()
{
    let run = on_account(Behaviour::Accept, |_| {}).await;
    run.peer.answers([99_123, 99_123, 99_124]);
    let text = variant("快走");
    for code in [
        "wechat:99123:unknown",
        "wechat:99123:unknown",
        "wechat:99124:unknown",
    ] {
        let failure = run
            .channel
            .send(&to(1, "o-demo_1", &text))
            .await
            .unwrap_err();
        // Charged: the plan's number of attempts ends it.
        assert_eq!(
            (failure.class, &*failure.code),
            (FailureClass::Transient, code)
        );
        assert!(!failure.to_string().contains("o-demo"), "{failure}");
    }
    assert_eq!(run.channel.unknown(), [99_123, 99_124]);
}

#[tokio::test]
async fn a_button_carries_a_task_of_its_own_and_its_press_acknowledges_that_very_message() {
    let run = on_work(Behaviour::Confirm, |config| {
        config.button = Some("收到".into());
    })
    .await;
    let text = variant("快走");
    let batch: Vec<_> = (0..3).map(|n| to(n, &format!("Demo{n}"), &text)).collect();
    let outcomes = Book::of(&*run.channel, &batch).await;
    let card = run.peer.last()["template_card"].clone();
    assert_eq!(card["card_type"], "button_interaction");
    assert_eq!(card["button_list"][0]["text"], "收到");
    assert!(
        card["task_id"].as_str().unwrap().starts_with("Ac-0-"),
        "{card}"
    );
    let mut wanted: Vec<_> = outcomes
        .into_iter()
        .flat_map(|o| o.unwrap().references)
        .collect();
    wanted.sort();
    let mut found = Vec::new();
    while found.len() < wanted.len() {
        tokio::time::sleep(Duration::from_millis(5)).await;
        found.clone_from(&run.inlet.receipts.lock());
    }
    let mut of: Vec<_> = found
        .iter()
        .map(|receipt| match &receipt.of {
            Of::Reference(reference) => reference.clone(),
            Of::Key(key) => panic!("WeCom echoes no key, and not {key}"),
        })
        .collect();
    of.sort();
    assert_eq!(of, wanted);
    let acknowledged = Verdict::Reached(Evidence::Acknowledged);
    assert!(found.iter().all(|receipt| receipt.verdict == acknowledged));
}

#[tokio::test]
async fn a_robot_writes_to_its_group_twenty_times_a_minute_and_its_key_is_never_shown() {
    let far = peer(House::Robot, Behaviour::Accept).await;
    let (context, _, clock) = standing("robots");
    let mut config = robots(&far.url());
    config.mention_all = true;
    assert!(!format!("{config:?}").contains("a-secret"), "{config:?}");
    let robots = Robots::new(config, context).unwrap();
    let text = variant("快走");
    for n in 0..20 {
        robots.send(&to(n, "duty", &text)).await.unwrap();
    }
    assert_eq!(far.last()["text"]["mentioned_list"][0], "@all");
    let failure = robots.send(&to(20, "duty", &text)).await.unwrap_err();
    assert_eq!(
        (failure.class, failure.retry_after),
        (FailureClass::Throttled, Some(Duration::from_mins(1)))
    );
    clock.advance(Duration::from_mins(1));
    robots.send(&to(20, "duty", &text)).await.unwrap();
    assert_eq!(far.got("duty").len(), 21);
    let unknown = robots.send(&to(21, "nobody", &text)).await.unwrap_err();
    assert_eq!(
        (unknown.class, &*unknown.code),
        (FailureClass::BadAddress, "robot:no-robot")
    );
}

#[tokio::test]
async fn a_code_to_scan_is_made_for_a_household_and_for_a_village() {
    let run = on_account(Behaviour::Accept, |_| {}).await;
    let ticket = run.channel.code(Scene::Household(12), None).await.unwrap();
    assert_eq!(run.peer.last()["action_name"], "QR_LIMIT_STR_SCENE");
    assert_eq!(
        (ticket.url.as_str(), ticket.until),
        ("http://weixin.qq.com/q/h12", None)
    );
    assert!(
        ticket.picture.ends_with("ticket=gQH%2Bh12/%3D%3D"),
        "{}",
        ticket.picture
    );
    let village = Scene::Village(510_727_217_201);
    let day = Duration::from_hours(24);
    let ticket = run.channel.code(village, Some(day)).await.unwrap();
    let body = run.peer.last();
    assert_eq!(
        (&body["action_name"], &body["expire_seconds"]),
        (&"QR_STR_SCENE".into(), &86_400.into())
    );
    assert_eq!(body["action_info"]["scene"]["scene_str"], "v510727217201");
    assert!(ticket.until.is_some() && ticket.scene == village);
}

#[tokio::test]
async fn a_failure_never_shows_an_openid_though_the_far_end_repeats_it() {
    let run = on_account(Behaviour::RefuseAddress, |_| {}).await;
    let message = Message {
        address: Address::new("o-very-personal"),
        ..to(1, "x", &variant("快走"))
    };
    let failure = run.channel.send(&message).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::BadAddress);
    assert!(
        !format!("{failure} {failure:?}").contains("personal"),
        "{failure}"
    );
}
