//! Mail by way of a real Postfix: a letter that it took and cannot bring comes back through `tocsin receive-dsn`, and its
//! door is known to be missed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tokio::io::AsyncWriteExt;

use crate::county::{self, VILLAGE_B2};
use crate::gateway::{Gateway, Mail, Setup, World, within};
use crate::postfix::{Ports, Postfix, Settings};
use crate::setup;
use crate::warning::Warning;

const TOKEN: &str = "token-of-the-mail-server";
const BOUNCES: &str = r#"
[channel.settings.bounces]
domain = "bounce.example.invalid"
secret = "no secret, these letters do not exist"
token_sha256 = "HASH"
"#;

/// The one home that has a mailbox and nothing else.
const HOME: u32 = 11;

/// A Postfix that has mailboxes for the officers alone, and pipes what comes back to the program as docs/operations.md
/// says. Where the gateway is, is written into the pipe's script when it is known.
fn postfix() -> Postfix {
    let settings = Settings {
        main: "virtual_mailbox_domains = example.invalid\n\
               virtual_mailbox_maps = inline:{ {hecheng-duty@example.invalid = duty/} {hecheng-town@example.invalid = town/} }\n\
               transport_maps = inline:{ {bounce.example.invalid = bounces:} }\n\
               bounces_destination_recipient_limit = 1\n"
            .to_owned(),
        master: "bounces unix - n n - 1 pipe flags=DOR user=nobody argv=FOLDER/receive\n".to_owned(),
    };
    Postfix::start(Ports::free(), &settings, |folder| {
        fs::copy(env!("CARGO_BIN_EXE_tocsin"), folder.join("tocsin")).expect("a copy");
    })
}

fn pipe_to(postfix: &Postfix, base: &str) {
    let script = postfix.path("receive");
    let (program, token) = (postfix.path("tocsin"), postfix.path("token"));
    let line = format!(
        "#!/bin/sh\nexec {} receive-dsn --to {base} --channel mail --token-file {}\n",
        program.display(),
        token.display()
    );
    fs::write(&script, line).expect("written");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("our own file");
}

fn give_token(at: &Path) {
    fs::write(at, format!("{TOKEN}\n")).expect("written");
}

/// A gateway whose letters go to that Postfix, and wait long for what becomes of them.
async fn world(postfix: &Postfix) -> World {
    let authority = postfix.path("authority");
    let hash = setup::hash(TOKEN);
    let mail = Mail {
        port: Some(postfix.ports.late),
        settings: format!(
            "ca_file = \"{}\"\n{}",
            authority.display(),
            BOUNCES.replace("HASH", &hash)
        ),
    };
    let plan = Setup::default().plan.replace("\"3s\"", "\"5m\"");
    World::start(Setup {
        plan,
        mail,
        ..Setup::default()
    })
    .await
}

async fn delivery(gateway: &Gateway, alert: u64) -> Value {
    within("the letter is planned", async || {
        gateway.deliveries(alert, HOME).await.pop()
    })
    .await
}

#[tokio::test]
async fn a_letter_that_comes_back_through_postfix_makes_its_door_missed() {
    let postfix = postfix();
    let world = world(&postfix).await;
    let gateway = &world.gateway;
    pipe_to(&postfix, &gateway.base);
    let alert = gateway.submit(&Warning::red("a-1", &[VILLAGE_B2])).await;

    // The token is not there yet: what comes back has to wait in Postfix.
    within("the letter bounces and notifications wait", async || {
        let log = postfix.log();
        let waits = |line: &str| line.contains("relay=bounces") && line.contains("status=deferred");
        (log.contains("status=bounced") && log.lines().any(waits)).then_some(())
    })
    .await;
    let before = within("the letter is accepted", async || {
        let before = delivery(gateway, alert).await;
        (before["evidence"] == "accepted").then_some(before)
    })
    .await;
    assert_eq!(before["answer"], "pending", "{before}");

    give_token(&postfix.path("token"));
    let after = within("the letter is known to have come back", async || {
        let after = delivery(gateway, alert).await;
        (after["state"] == "failed").then_some(after)
    })
    .await;
    assert_eq!(after["answer"], "missed", "{after}");
    assert_eq!(after["by"], "refused", "{after}");
    assert_eq!(after["code"], "dsn:failed 5.1.1", "{after}");
    let doors = format!("/v1/alerts/{alert}/households?under={VILLAGE_B2}&answer=missed");
    let doors = gateway.get(&doors).await;
    let doors = doors["households"].as_array().expect("a list");
    assert!(doors.iter().any(|door| door["id"] == HOME), "{doors:?}");

    // An officer's letter is in its mailbox, which is as far as anybody knows.
    postfix.mails("duty", 1);
    let events = gateway.events(alert, &after).await;
    assert!(
        events
            .iter()
            .any(|event| event["code"] == "dsn:failed 5.1.1"),
        "{events:?}"
    );
    let said = gateway.said() + &serde_json::to_string(&gateway.journal().await).expect("JSON");
    for secret in county::secrets(&Setup::default().files) {
        assert!(!said.contains(&secret), "{secret}");
    }
}

async fn received(world: &World, mail: &str) -> (Option<i32>, String) {
    let gateway = &world.gateway;
    let args = [
        "receive-dsn",
        "--channel",
        "mail",
        "--token-file",
        "token",
        "--to",
        &gateway.base,
    ];
    let mut child = gateway
        .command()
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin
        .write_all(mail.as_bytes())
        .await
        .expect("it is read to its end");
    drop(stdin);
    let output = child.wait_with_output().await.expect("it ends");
    (output.status.code(), crate::gateway::both(&output))
}

#[tokio::test]
async fn what_an_operator_can_mend_keeps_a_mail_in_the_queue_and_nothing_of_it_is_shown() {
    let mail = Mail {
        settings: format!(
            "tls = \"none\"\n{}",
            BOUNCES.replace("HASH", &setup::hash(TOKEN))
        ),
        ..Mail::default()
    };
    let mut world = World::start(Setup {
        mail,
        ..Setup::default()
    })
    .await;
    let mut text =
        "From: hecheng-ding@example.invalid\r\nSubject: 合成人\r\n\r\nI am away.\r\n".to_owned();
    let tempfail = Some(75);

    assert_eq!(received(&world, &text).await.0, tempfail, "no token");
    world.gateway.write("token", "another token\n");
    assert_eq!(received(&world, &text).await.0, tempfail, "a wrong token");
    give_token(&world.gateway.path("token"));
    assert_eq!(received(&world, &text).await, (Some(0), String::new()));
    text += &"x".repeat(7 * 1024 * 1024);
    assert_eq!(
        received(&world, &text).await,
        (Some(0), String::new()),
        "a long one"
    );
    world.gateway.kill().await;
    let (code, said) = received(&world, &text).await;
    assert_eq!(code, tempfail, "no gateway");
    assert!(said.contains("is the gateway running there?"), "{said}");
    assert!(
        !said.contains("hecheng") && !said.contains("合成人"),
        "{said}"
    );
}
