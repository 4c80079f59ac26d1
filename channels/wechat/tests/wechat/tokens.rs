//! The token: one for all who send, asked for once, renewed when the far end takes it no longer.

use channel::testing::Behaviour;
use channel::{Channel, FailureClass, Health};

use super::common::{Book, on_account, on_work, to, variant};

#[tokio::test]
async fn a_hundred_messages_at_once_ask_for_one_token() {
    let run = on_account(Behaviour::Accept, |_| {}).await;
    let text = variant("快走");
    let batch: Vec<_> = (0..100)
        .map(|n| to(n, &format!("o-demo_{n}"), &text))
        .collect();
    let outcomes = Book::of(&*run.channel, &batch).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(run.peer.counters().tokens, 1);
}

#[tokio::test]
async fn a_token_that_somebody_else_replaced_is_asked_for_once_and_no_message_fails() {
    let run = on_account(Behaviour::Accept, |_| {}).await;
    let text = variant("快走");
    run.channel.send(&to(0, "o-demo_0", &text)).await.unwrap();
    run.peer.replace_token();
    let batch: Vec<_> = (1..100)
        .map(|n| to(n, &format!("o-demo_{n}"), &text))
        .collect();
    let outcomes = Book::of(&*run.channel, &batch).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let counters = run.peer.counters();
    assert_eq!((counters.tokens, counters.forced), (2, 0));
    assert_eq!(counters.sent, 100, "each went out once");
}

#[tokio::test]
async fn a_token_that_is_refused_though_it_is_given_again_is_forced_once_and_then_the_link_is_down()
{
    let run = on_account(Behaviour::Accept, |_| {}).await;
    let text = variant("快走");
    run.channel.send(&to(0, "o-demo_0", &text)).await.unwrap();
    run.peer.revoke();
    run.channel.send(&to(1, "o-demo_1", &text)).await.unwrap();
    assert_eq!(run.peer.counters().forced, 1);
    run.peer.revoke();
    let failure = run
        .channel
        .send(&to(2, "o-demo_2", &text))
        .await
        .unwrap_err();
    assert_eq!(failure.class, FailureClass::LinkDown, "{failure}");
    assert_eq!(
        run.peer.counters().forced,
        1,
        "never two within half a minute"
    );
}

#[tokio::test]
async fn an_application_asks_anew_and_once() {
    let run = on_work(Behaviour::Accept, |_| {}).await;
    let text = variant("快走");
    run.channel.send(&to(0, "demo0", &text)).await.unwrap();
    run.peer.answers([42001]);
    run.channel.send(&to(1, "demo1", &text)).await.unwrap();
    assert_eq!(run.peer.counters().tokens, 2);
    run.peer.answers([42001, 40014]);
    let failure = run.channel.send(&to(2, "demo2", &text)).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::LinkDown, "{failure}");
}

#[tokio::test]
async fn a_wrong_secret_is_told_as_health_without_the_secret() {
    let run = on_account(Behaviour::RefuseLogin, |_| {}).await;
    assert_eq!(run.channel.health(), Health::Up, "nothing is known yet");
    let text = variant("快走");
    let failure = run
        .channel
        .send(&to(0, "o-demo_0", &text))
        .await
        .unwrap_err();
    assert_eq!(
        (failure.class, &*failure.code),
        (FailureClass::LinkDown, "wechat:40125")
    );
    let Health::Down(why) = run.channel.health() else {
        panic!("the account is refused");
    };
    assert!(why.contains("40125") && !why.contains("a-secret"), "{why}");
    assert_eq!(run.peer.counters().requests, 0, "nothing was sent");
}
