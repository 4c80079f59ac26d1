//! Who is at the loudspeaker itself, and how it does: its microphone as lines on standard input, and its heartbeats. This
//! module must not take an order.

use std::time::Duration;

use channel::{Clock, Power, PresenceState, SystemClock};
use loudspeaker::{CLOCK_ERROR, Heartbeat, Line, Source};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::{mpsc, watch};

pub async fn next(
    local: &mut Option<mpsc::UnboundedReceiver<Option<Source>>>,
) -> Option<Option<Source>> {
    match local {
        Some(lines) => lines.recv().await,
        None => std::future::pending().await,
    }
}

/// Whoever uses the loudspeaker itself: `microphone 10`, `phone 3`, `sms 5`, `usb 60`.
pub fn locals() -> mpsc::UnboundedReceiver<Option<Source>> {
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let (name, seconds) = line.split_once(' ').unwrap_or((&line, "1"));
            let all = [Source::Microphone, Source::Phone, Source::Sms, Source::Usb];
            let source = all.into_iter().find(|source| source.name() == name);
            let Some(source) = source else { continue };
            let _ = tell.send(Some(source));
            tokio::time::sleep(Duration::from_secs(seconds.parse().unwrap_or(1))).await;
            let _ = tell.send(None);
        }
        // The channel stays open: who is gone says nothing more.
        std::future::pending::<()>().await;
    });
    told
}

pub async fn beat(line: Line, every: u64, says: watch::Receiver<(bool, u8)>) {
    let mut beats = tokio::time::interval(Duration::from_secs(every.max(1)));
    loop {
        beats.tick().await;
        let (sounds, volume) = *says.borrow();
        let state = if sounds {
            PresenceState::Playing
        } else {
            PresenceState::Idle
        };
        let beat = Heartbeat {
            state,
            // Its own, right or wrong: the gateway shows by how much.
            clock: Some(SystemClock::default().now()),
            volume: Some(volume),
            power: Some(Power::Mains),
            ..Heartbeat::idle()
        };
        match line.heartbeat(&beat).await {
            Ok(ahead) if ahead.abs() > CLOCK_ERROR => {
                eprintln!("this clock is {ahead} ms behind the gateway's; going by the gateway's");
            }
            Ok(_) => {}
            Err(why) => eprintln!("heartbeat: {why}"),
        }
    }
}
