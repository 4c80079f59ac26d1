//! A machine in place of a loudspeaker: it acts of itself when an earthquake comes, as a printed line. What is decided is
//! `loudspeaker::machine`'s. It must not act on anything else.

use std::path::Path;
use std::time::Duration;

use loudspeaker::Line;
use loudspeaker::machine::{Deed, Kept, Machine};
use loudspeaker::order::Verifier;

use crate::disk::keep;
use crate::state::State;
use crate::{fetch, post};

/// Until its memory cannot be written.
pub async fn live(
    line: &Line,
    verifier: Verifier,
    (mut state, path): (State, &Path),
    (wait, pause): (u64, u64),
) -> Result<(), String> {
    let (wait, pause) = (Duration::from_secs(wait), Duration::from_secs(pause));
    let kept = state.machine.take();
    let kept = kept.unwrap_or_else(|| Kept::new(state.welcome.counter));
    let mut machine = Machine::new(verifier, kept);
    let poll = fetch(line, machine.window().clone(), wait, None);
    let sending = post(line, None, None);
    tokio::pin!(poll, sending);
    loop {
        let posting = machine.to_report().is_some();
        tokio::select! {
            found = &mut poll => {
                let again = match found {
                    Ok(orders) => {
                        let mut good = orders.is_empty();
                        for signed in &orders {
                            good |= take(&mut machine, signed, line);
                        }
                        !good
                    }
                    Err(why) => {
                        eprintln!("{why}");
                        true
                    }
                };
                // On the disk before the next poll names it.
                remember(&mut state, &machine, path)?;
                let again = again.then_some(pause);
                poll.set(fetch(line, machine.window().clone(), wait, again));
            }
            sent = &mut sending, if posting => {
                if sent == Some(true) {
                    machine.reported();
                    remember(&mut state, &machine, path)?;
                }
                let again = (sent == Some(false)).then_some(pause);
                let report = machine.to_report().cloned();
                sending.set(post(line, report, again));
            }
        }
    }
}

/// What it does is done before anything else.
fn take(machine: &mut Machine, signed: &loudspeaker::order::Signed, line: &Line) -> bool {
    let now = line.now();
    match machine.take(signed, now) {
        Ok(Deed::Act(tremor)) => {
            let left = tremor.seconds_left(now).unwrap_or_default();
            println!("acts: intensity {}, {left} s left", tremor.intensity);
        }
        Ok(Deed::Release) => println!("releases"),
        Ok(Deed::Nothing) => println!("does nothing"),
        Err(refusal) => {
            println!("refused as {}: {refusal}", refusal.code());
            return false;
        }
    }
    true
}

fn remember(state: &mut State, machine: &Machine, path: &Path) -> Result<(), String> {
    let kept = Some(machine.kept().clone());
    if state.machine != kept {
        state.machine = kept;
        keep(path, state)?;
    }
    Ok(())
}
