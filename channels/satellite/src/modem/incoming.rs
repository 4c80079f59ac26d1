//! What a modem brings: reports become receipts, texts become replies. Each is durable before the modem is told that it
//! may forget it. This module must not match a reply with an alert.

use std::sync::atomic::Ordering;

use channel::{Address, Of, Receipt, Timestamp, Unavailable, Uplink};

use super::link::{Came, Link, Unanswered};
use super::parts::Joined;
use super::session::Desk;
use crate::at::answer;
use crate::pdu::{Deliver, Incoming, Report, Unreadable, status};

/// What is to become of a message that a modem brought.
enum Kept {
    /// It is durable, or will never be of use: the modem may forget it, and what it has of the same text in its storage.
    Yes(Vec<u32>),
    /// It waits for the other parts of its text.
    Waits,
    /// The journal takes nothing now: the modem keeps it.
    No,
}

/// Hands on whatever came since, and what was waited for in vain.
pub async fn hand_on(desk: &Desk, link: &mut Link) -> Result<(), Unanswered> {
    while let Some(came) = link.came.pop_front() {
        match came {
            Came::Message(_, message) => {
                let kept = take(desk, &message, None).await;
                if !matches!(kept, Kept::No) && desk.quirks.acknowledges {
                    // Refused where it came too late; then it comes again.
                    forgive(link.command("AT+CNMA").await)?;
                }
                forget(link, kept).await?;
            }
            Came::Stored { storage, index } => {
                if desk.quirks.selects_storage {
                    forgive(link.command(&format!("AT+CPMS=\"{storage}\"")).await)?;
                }
                fetch(desk, link, index).await?;
            }
        }
    }
    let late = desk.parts.lock().late(desk.context.clock.tick());
    match late {
        Some(late) => {
            let kept = reply(desk, late).await;
            forget(link, kept).await
        }
        None => Ok(()),
    }
}

/// All that lies in the modem's storage, from before we came too.
pub async fn sweep(desk: &Desk, link: &mut Link) -> Result<(), Unanswered> {
    let lines = forgive(link.command("AT+CMGL=4").await)?;
    for (index, line) in answer::messages(&lines) {
        if index.is_some() {
            let kept = take(desk, line, index).await;
            forget(link, kept).await?;
        }
    }
    Ok(())
}

async fn fetch(desk: &Desk, link: &mut Link, index: u32) -> Result<(), Unanswered> {
    let lines = forgive(link.command(&format!("AT+CMGR={index}")).await)?;
    let Some((_, message)) = answer::messages(&lines).into_iter().next() else {
        return Ok(());
    };
    let kept = take(desk, message, Some(index)).await;
    forget(link, kept).await
}

async fn forget(link: &mut Link, kept: Kept) -> Result<(), Unanswered> {
    let Kept::Yes(stored) = kept else {
        return Ok(());
    };
    for index in stored {
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

/// `at`: where it lies in the modem's storage.
async fn take(desk: &Desk, line: &str, at: Option<u32>) -> Kept {
    let read = hex::decode(line.trim()).map_err(|_| Unreadable::Kind);
    // Some modems leave the centre's address out of reports.
    let read =
        read.and_then(|bytes| Incoming::read(&bytes).or_else(|_| Incoming::read_tpdu(&bytes)));
    let now = desk.context.clock.now();
    match read {
        Ok(Incoming::Report(report)) => {
            let receipt = receipt(desk, &report, now);
            let taken = desk.context.inlet.receipts(vec![receipt]).await;
            kept(desk, taken, at.into_iter().collect())
        }
        Ok(Incoming::Deliver(deliver)) => {
            desk.standing.lock().heard(&deliver.from.text(), now);
            let tick = desk.context.clock.tick();
            let whole = desk.parts.lock().put(deliver, at, tick);
            match whole {
                Some(whole) => reply(desk, whole).await,
                None => Kept::Waits,
            }
        }
        Err(why) => {
            desk.count_unreadable(why);
            Kept::Yes(at.into_iter().collect())
        }
    }
}

async fn reply(desk: &Desk, whole: Joined) -> Kept {
    let Joined {
        deliver,
        text,
        stored,
    } = whole;
    let uplink = uplink(desk, &deliver, text);
    let taken = desk.context.inlet.uplinks(vec![uplink]).await;
    if taken.is_ok() {
        desk.parts.lock().done(&deliver);
    }
    kept(desk, taken, stored)
}

fn kept(desk: &Desk, taken: Result<(), Unavailable>, stored: Vec<u32>) -> Kept {
    if taken.is_ok() {
        return Kept::Yes(stored);
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

fn uplink(desk: &Desk, deliver: &Deliver, text: String) -> Uplink {
    Uplink {
        acknowledges: desk.config.acknowledge.accepts(&text),
        from: Address::new(deliver.from.text()),
        to: String::new(),
        text,
        of: None,
        far: deliver.at,
        seen: desk.context.clock.now(),
    }
}
