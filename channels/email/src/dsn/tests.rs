//! Notifications as servers write them, shortened, with addresses of nobody; and what is read from each.

use FailureClass::{BadAddress, BadContent, Transient};

use super::*;

fn report(fields: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.example.org (Mail Delivery System)\r\n\
         To: b+1@bounce.example.org\r\n\
         Auto-Submitted: auto-replied\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"A/B\"\r\n\
         \r\n\
         This is a MIME-encapsulated message.\r\n\
         \r\n\
         --A/B\r\n\
         Content-Type: text/plain\r\n\
         \r\n\
         I'm sorry. Action: delivered\r\n\
         \r\n\
         --A/B\r\n\
         Content-Type: message/delivery-status\r\n\
         \r\n\
         Reporting-MTA: dns; mx.example.org\r\n\
         Arrival-Date: Tue, 14 Jul 2026 16:00:00 +0000\r\n\
         \r\n\
         {fields}\r\n\
         \r\n\
         --A/B\r\n\
         Content-Type: text/rfc822-headers\r\n\
         \r\n\
         Action: delivered\r\n\
         --A/B--\r\n"
    )
}

fn said(fields: &str) -> (Verdict, String) {
    match read(report(fields).as_bytes()) {
        Note::Report(report) => (report.verdict(Evidence::Accepted), report.code()),
        other => panic!("{fields}: {other:?}"),
    }
}

#[test]
fn each_action_has_its_verdict_and_each_failure_its_class() {
    use Verdict::{Progress, Reached, Refused};
    let user = "Final-Recipient: rfc822; nobody@example.org\r\n";
    for (fields, verdict, code) in [
        (
            "Action: failed\r\nStatus: 5.1.1",
            Refused(BadAddress),
            "dsn:failed 5.1.1",
        ),
        (
            "Action: failed\r\nStatus: 5.2.2",
            Refused(Transient),
            "dsn:failed 5.2.2",
        ),
        (
            "Action: failed\r\nStatus: 5.7.1",
            Refused(BadContent),
            "dsn:failed 5.7.1",
        ),
        (
            "Action: failed\r\nStatus: 4.4.1",
            Refused(Transient),
            "dsn:failed 4.4.1",
        ),
        (
            "Action: failed\r\nStatus: 5.4.7",
            Refused(Transient),
            "dsn:failed 5.4.7",
        ),
        (
            "Action: failed\r\nStatus: 5.0.0",
            Refused(BadAddress),
            "dsn:failed 5.0.0",
        ),
        (
            "Action: failed\r\nStatus: 5.3.0",
            Refused(Transient),
            "dsn:failed 5.3.0",
        ),
        (
            "Action: FAILED (gave up)\r\nStatus: 5.1.1 (bad mailbox)",
            Refused(BadAddress),
            "dsn:failed 5.1.1",
        ),
        ("Action: failed", Refused(Transient), "dsn:failed"),
        (
            "Action: failed\r\nStatus: 5.0.0\r\nDiagnostic-Code: smtp; 550 5.1.1\r\n <nobody@example.org>: unknown",
            Refused(BadAddress),
            "dsn:failed 5.1.1",
        ),
        (
            "Action: failed\r\nStatus: 5.0.0\r\nDiagnostic-Code: smtp; 554 spam",
            Refused(BadContent),
            "dsn:failed 5.0.0",
        ),
        (
            "Action: failed\r\nDiagnostic-Code: smtp;550-no such user",
            Refused(BadAddress),
            "dsn:failed",
        ),
        (
            "Action: failed\r\nStatus: 5.5.0\r\nDiagnostic-Code: smtp; 550 mailbox unavailable",
            Refused(BadAddress),
            "dsn:failed 5.5.0",
        ),
        (
            "Action: failed\r\nStatus: 5.0.0\r\nDiagnostic-Code: X-Postfix; 554 unknown",
            Refused(BadAddress),
            "dsn:failed 5.0.0",
        ),
        (
            "Action: delayed\r\nStatus: 4.4.1",
            Progress,
            "dsn:delayed 4.4.1",
        ),
        (
            "Action: relayed\r\nStatus: 2.0.0",
            Progress,
            "dsn:relayed 2.0.0",
        ),
        (
            "Action: expanded\r\nStatus: 2.0.0",
            Progress,
            "dsn:expanded 2.0.0",
        ),
        (
            "Action: delivered\r\nStatus: 2.1.5",
            Reached(Evidence::Accepted),
            "dsn:delivered 2.1.5",
        ),
    ] {
        assert_eq!(
            said(&format!("{user}{fields}")),
            (verdict, code.to_owned()),
            "{fields}"
        );
    }
}

#[test]
fn of_several_mailboxes_behind_one_address_the_best_counts() {
    let failed = "Final-Recipient: rfc822; a@example.org\r\nAction: failed\r\nStatus: 5.1.1";
    let delivered = "Final-Recipient: rfc822; b@example.org\r\nAction: delivered\r\nStatus: 2.0.0";
    for both in [[failed, delivered], [delivered, failed]] {
        assert_eq!(said(&both.join("\r\n\r\n")).1, "dsn:delivered 2.0.0");
    }
}

#[test]
fn the_time_is_that_of_the_last_try_or_of_the_notification() {
    let at = |text: String| match read(text.as_bytes()) {
        Note::Report(report) => report.at,
        other => panic!("{other:?}"),
    };
    let tried = report("Action: failed\r\nLast-Attempt-Date: Tue, 14 Jul 2026 16:00:00 +0000");
    let dated = |text: &str| format!("Date: Wed, 15 Jul 2026 00:00:01 +0800\r\n{text}");
    let second = |n: i64| Some(Timestamp::from_secs(1_784_044_800 + n));
    assert_eq!(at(dated(&tried)), second(0));
    assert_eq!(at(dated(&report("Action: failed"))), second(1));
    assert_eq!(
        at(report("Action: failed\r\nLast-Attempt-Date: soon")),
        None
    );
}

#[test]
fn line_ends_an_envelope_line_and_a_cut_off_end_change_nothing() {
    let whole = report("Action: failed\r\nStatus: 5.1.1");
    let wanted = read(whole.as_bytes());
    assert!(matches!(wanted, Note::Report(_)));
    let unix = whole.replace("\r\n", "\n");
    let mbox = format!("From MAILER-DAEMON Tue Jul 14 16:00:00 2026\n{unix}");
    let cut = &whole[..whole.find("rfc822-headers").expect("the last part")];
    for text in [&unix, &mbox, cut] {
        assert_eq!(read(text.as_bytes()), wanted, "{text}");
    }
}

#[test]
fn no_address_and_no_word_of_a_report_is_kept() {
    let fields = "Final-Recipient: rfc822; nobody@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n\
                  Diagnostic-Code: smtp; 550 5.1.1 <nobody@example.org> lives elsewhere";
    let note = format!("{:?} {}", read(report(fields).as_bytes()), said(fields).1);
    assert!(
        !note.contains("nobody") && !note.contains("lives"),
        "{note}"
    );
}

#[test]
fn what_is_no_notification_is_told_apart() {
    let plain = "Content-Type: text/plain\r\n\r\nwords\r\n";
    for (headers, note) in [
        (
            "From: MAILER-DAEMON@mx.example.org\r\nSubject: failure notice\r\n",
            Note::Unread,
        ),
        (
            "From: Postmaster <postmaster@mx.example.org>\r\n",
            Note::Unread,
        ),
        (
            "From: a@example.org\r\nX-Failed-Recipients: b@example.org\r\nAuto-Submitted: auto-replied\r\n",
            Note::Unread,
        ),
        ("Return-Path: <>\r\nFrom: a@example.org\r\n", Note::Unread),
        (
            "Return-Path: <>\r\nFrom: a@example.org\r\nAuto-Submitted: auto-replied\r\n",
            Note::Automatic,
        ),
        (
            "From: a@example.org\r\nAuto-Submitted: auto-generated (vacation)\r\n",
            Note::Automatic,
        ),
        (
            "From: a@example.org\r\nX-Autoreply: yes\r\n",
            Note::Automatic,
        ),
        (
            "From: a@example.org\r\nPrecedence: bulk\r\n",
            Note::Automatic,
        ),
        (
            "From: a@example.org\r\nAuto-Submitted: no\r\n",
            Note::Letter,
        ),
        ("From: a@example.org\r\n", Note::Letter),
    ] {
        assert_eq!(
            read(format!("{headers}{plain}").as_bytes()),
            note,
            "{headers}"
        );
    }
    let seen = "From: a@example.org\r\nContent-Type: multipart/report; report-type=disposition-notification; \
                boundary=x\r\n\r\n--x\r\nContent-Type: message/disposition-notification\r\n\r\n\
                Disposition: manual-action; displayed\r\n--x--\r\n";
    assert_eq!(read(seen.as_bytes()), Note::Automatic);
}

#[test]
fn a_report_without_a_readable_action_is_a_bounce_that_cannot_be_read() {
    for fields in [
        "",
        "Status: 5.1.1",
        "Action:",
        "Action: eaten",
        "Action failed",
    ] {
        assert_eq!(read(report(fields).as_bytes()), Note::Unread, "{fields}");
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_can_be_read(mail: Vec<u8>, fields in "[ -~\r\n]{0,200}") {
        read(&mail);
        read(report(&fields).as_bytes());
    }
}
