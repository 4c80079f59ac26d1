//! What a modem brings: reports become receipts, texts become replies. Each is durable before the modem is told that it
//! may forget it. This module must not match a reply with an alert.

use std::sync::atomic::Ordering;

use channel::{Address, Of, Receipt, Timestamp, Uplink};

use super::link::{Came, Link, Unanswered};
use super::session::Desk;
use crate::at::answer;
use crate::pdu::{Deliver, Incoming, Report, Unreadable, status};

/// What is to become of a message that a modem brought.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// It is durable, or will never be of use: the modem may forget it.
    Yes,
    /// The journal takes nothing now: the modem keeps it.
    No,
}

/// Hands on whatever came since.
pub async fn hand_on(desk: &Desk, link: &mut Link) -> Result<(), Unanswered> {
    while let Some(came) = link.came.pop_front() {
        match came {
            Came::Message(_, message) => {
                let kept = take(desk, &message).await;
                if kept == Kept::Yes && desk.quirks.acknowledges {
                    // Refused where it came too late; then it comes again.
                    forgive(link.command("AT+CNMA").await)?;
                }
            }
            Came::Stored { storage, index } => {
                if desk.quirks.selects_storage {
                    forgive(link.command(&format!("AT+CPMS=\"{storage}\"")).await)?;
                }
                fetch(desk, link, index).await?;
            }
        }
    }
    Ok(())
}

/// All that lies in the modem's storage, from before we came too.
pub async fn sweep(desk: &Desk, link: &mut Link) -> Result<(), Unanswered> {
    let lines = forgive(link.command("AT+CMGL=4").await)?;
    for (index, line) in answer::messages(&lines) {
        let Some(index) = index else { continue };
        if take(desk, line).await == Kept::Yes {
            forgive(link.command(&format!("AT+CMGD={index}")).await)?;
        }
    }
    Ok(())
}

async fn fetch(desk: &Desk, link: &mut Link, index: u32) -> Result<(), Unanswered> {
    let lines = forgive(link.command(&format!("AT+CMGR={index}")).await)?;
    let Some((_, message)) = answer::messages(&lines).into_iter().next() else {
        return Ok(());
    };
    if take(desk, message).await == Kept::Yes {
        forgive(link.command(&format!("AT+CMGD={index}")).await)?;
    }
    Ok(())
}

/// A refusal here leaves the message where it is, and costs nothing else.
fn forgive(answer: Result<Vec<String>, Unanswered>) -> Result<Vec<String>, Unanswered> {
    match answer {
        Err(Unanswered::Refused(_)) => Ok(Vec::new()),
        other => other,
    }
}

async fn take(desk: &Desk, line: &str) -> Kept {
    let read = hex::decode(line.trim()).map_err(|_| Unreadable::Kind);
    // Some modems leave the centre's address out of reports.
    let read =
        read.and_then(|bytes| Incoming::read(&bytes).or_else(|_| Incoming::read_tpdu(&bytes)));
    let now = desk.context.clock.now();
    let taken = match read {
        Ok(Incoming::Report(report)) => {
            let receipt = receipt(desk, &report, now);
            desk.context.inlet.receipts(vec![receipt]).await
        }
        Ok(Incoming::Deliver(deliver)) => {
            desk.standing.lock().heard(&deliver.from.text(), now);
            let uplink = uplink(desk, &deliver, now);
            desk.context.inlet.uplinks(vec![uplink]).await
        }
        Err(why) => {
            desk.count_unreadable(why);
            return Kept::Yes;
        }
    };
    if taken.is_ok() {
        return Kept::Yes;
    }
    desk.left.store(true, Ordering::Release);
    Kept::No
}

fn receipt(desk: &Desk, report: &Report, now: Timestamp) -> Receipt {
    let verdict = status::verdict(report.status);
    desk.standing
        .lock()
        .report(&report.of.text(), &verdict, report.at.unwrap_or(now));
    let tick = desk.context.clock.tick();
    let sent = desk.sent.lock();
    Receipt {
        of: Of::Reference(sent.of(&desk.context.name, report, desk.kept, tick, now)),
        verdict,
        code: format!("st {:02x}", report.status),
        far: report.at,
        seen: now,
    }
}

fn uplink(desk: &Desk, deliver: &Deliver, now: Timestamp) -> Uplink {
    let text = deliver.user.text();
    Uplink {
        acknowledges: desk.config.acknowledge.accepts(&text),
        from: Address::new(deliver.from.text()),
        to: String::new(),
        text,
        of: None,
        far: deliver.at,
        seen: now,
    }
}
