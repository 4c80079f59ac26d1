//! TLS and login against a Postfix: what is trusted, what is not, and that nothing is ever sent readable instead.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use channel::testing::context;
use channel::{
    Accepted, Address, Channel, Failure, FailureClass, Key, Message, Timestamp, Variant,
};
use email::{Config, Email, Secret, Tls};

use crate::postfix::{Ports, Postfix, Settings};

fn config(postfix: &Postfix, tls: Tls) -> Config {
    let port = match tls {
        Tls::Implicit => postfix.ports.wrapped,
        Tls::Starttls | Tls::None => postfix.ports.open,
    };
    let mut config = Config::new("localhost", port, "县预警中心 <warning@example.net>");
    config.tls = tls;
    config.ca_file = Some(postfix.path("authority"));
    config.timeout = Duration::from_secs(10);
    config
}

async fn send(config: Config) -> Result<Accepted, Failure> {
    let channel = Email::new(config, context("email").0).expect("a good configuration");
    let message = Message {
        key: Key {
            alert: 5,
            delivery: 1,
            generation: 0,
        },
        serial: 1,
        variant: Arc::new(Variant::new(
            "zh-CN",
            "山洪灾害红色预警",
            "请立即向高处转移。",
        )),
        address: Address::new("resident@example.org"),
        expires: Timestamp(4_000_000_000_000),
        repeat: false,
    };
    channel.send(&message).await
}

fn refused(outcome: Result<Accepted, Failure>) -> (FailureClass, String) {
    let failure = outcome.expect_err("it is not sent");
    (failure.class, failure.code.into_owned())
}

fn link_down(code: &str) -> (FailureClass, String) {
    (FailureClass::LinkDown, code.to_owned())
}

/// No session came so far as to name a sender or a user.
fn nothing_was_told(postfix: &Postfix) {
    let log = postfix.log();
    assert!(!log.contains("client=") && !log.contains("sasl_"), "{log}");
}

#[tokio::test]
async fn a_letter_goes_by_either_way_to_a_server_that_an_authority_of_ours_vouches_for() {
    let postfix = Postfix::start(Ports::free(), &Settings::default(), |_| ());
    for (tls, count) in [(Tls::Starttls, 1), (Tls::Implicit, 2)] {
        send(config(&postfix, tls)).await.expect("it is taken");
        for mail in postfix.mails("resident", count) {
            let text = std::fs::read_to_string(mail).expect("a mail");
            assert!(text.contains("with ESMTPS"), "{text}");
        }
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_or_of_another_name_stops_the_channel() {
    let postfix = Postfix::start(Ports::free(), &Settings::default(), |_| ());
    for tls in [Tls::Starttls, Tls::Implicit] {
        let mut unknown = config(&postfix, tls);
        unknown.ca_file = None;
        assert_eq!(
            refused(send(unknown).await),
            link_down("smtp:tls"),
            "{tls:?}"
        );
        let mut other = config(&postfix, tls);
        other.host = "127.0.0.1".into();
        assert_eq!(refused(send(other).await), link_down("smtp:tls"), "{tls:?}");
    }
    nothing_was_told(&postfix);
}

#[tokio::test]
async fn nothing_is_sent_readable_where_tls_is_asked_for() {
    let settings = Settings {
        main: "smtpd_tls_security_level = none\n".into(),
        ..Settings::default()
    };
    let postfix = Postfix::start(Ports::free(), &settings, |_| ());
    let starttls = config(&postfix, Tls::Starttls);
    assert_eq!(refused(send(starttls).await), link_down("smtp:unable"));
    let mut implicit = config(&postfix, Tls::Implicit);
    implicit.port = postfix.ports.open;
    assert_eq!(refused(send(implicit).await), link_down("smtp:tls"));
    nothing_was_told(&postfix);
}

/// Says yes to one user and password, in the words in which Dovecot tells Postfix who may log in. It ends with the
/// process.
fn judge(right: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || decide(stream, right));
        }
    });
    port
}

fn decide(mut stream: TcpStream, right: &str) -> std::io::Result<()> {
    stream.write_all(b"VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t0\nDONE\n")?;
    let lines = BufReader::new(stream.try_clone()?).lines();
    for line in lines {
        let line = line?;
        let cells: Vec<&str> = line.split('\t').collect();
        if let ["AUTH", id, ..] = cells[..] {
            let shown = cells.iter().find_map(|cell| cell.strip_prefix("resp="));
            let answer = if shown == Some(right) {
                format!("OK\t{id}\tuser=gateway\n")
            } else {
                format!("FAIL\t{id}\tuser=gateway\n")
            };
            stream.write_all(answer.as_bytes())?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_server_that_asks_for_a_login_is_given_it_after_tls_alone() {
    // PLAIN: nobody else, the user, the password; with NUL between, in base64.
    let port = judge("AGdhdGV3YXkAb25seSBhIHRlc3Q=");
    let settings = Settings {
        main: format!(
            "smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\nsmtpd_sasl_path = inet:127.0.0.1:{port}\n\
             smtpd_tls_auth_only = yes\nsmtpd_relay_restrictions = permit_sasl_authenticated, reject\n"
        ),
        ..Settings::default()
    };
    let postfix = Postfix::start(Ports::free(), &settings, |_| ());
    for (tls, count) in [(Tls::Starttls, 1), (Tls::Implicit, 2)] {
        let with = |password: &str| Config {
            user: Some("gateway".into()),
            password: Some(Secret::new(password)),
            ..config(&postfix, tls)
        };
        assert_eq!(
            refused(send(with("a guess")).await),
            link_down("smtp:535 5.7.8")
        );
        send(with("only a test")).await.expect("it is taken");
        for mail in postfix.mails("resident", count) {
            let text = std::fs::read_to_string(mail).expect("a mail");
            assert!(text.contains("with ESMTPSA"), "{text}");
        }
    }
    let stranger = refused(send(config(&postfix, Tls::Starttls)).await);
    assert_eq!(
        stranger,
        (FailureClass::BadContent, "smtp:554 5.7.1".to_owned())
    );
}
