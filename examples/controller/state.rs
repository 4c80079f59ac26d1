//! What the controller keeps, and how it comes to its key and to another one. This module must not sound.

use std::path::Path;

use loudspeaker::player::Kept;
use loudspeaker::{DeviceKey, Heartbeat, Line, Welcome};
use serde::{Deserialize, Serialize};

use super::Arguments;
use crate::disk::{keep, write};

/// What must outlive a power cut.
#[derive(Serialize, Deserialize)]
pub struct State {
    /// Of this device's key, which it made for itself.
    pub seed: String,
    /// Of the key that is to take its place, until it is known to hold.
    #[serde(default)]
    pub next: Option<String>,
    pub welcome: Welcome,
    pub kept: Kept,
    /// Of a machine in place of a loudspeaker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<loudspeaker::machine::Kept>,
}

/// A key of its own, kept before it is shown: a power cut in between leaves one that can be shown again.
pub async fn enrol(
    arguments: &Arguments,
    path: &Path,
    line: impl Fn(&str) -> Result<Line, String>,
) -> Result<(State, Line), String> {
    let code = arguments.code.as_deref();
    let code = code.ok_or("this controller is not enrolled yet: give its --code")?;
    let new = path.with_extension("key");
    let seed = std::fs::read_to_string(&new).unwrap_or_else(|_| DeviceKey::new_seed());
    write(&new, &seed)?;
    let line = line(&seed)?;
    let welcome = line.enrol(code).await;
    let welcome = welcome.map_err(|why| format!("enrolling: {why}"))?;
    let state = State {
        kept: Kept::new(welcome.counter),
        seed,
        next: None,
        machine: None,
        welcome,
    };
    keep(path, &state)?;
    let _ = std::fs::remove_file(new);
    println!("enrolled at {}", state.welcome.gateway);
    Ok((state, line))
}

/// Its key gives place to another. Both are on the disk until one is known to hold: the answer may be lost.
pub async fn rekey(
    arguments: &Arguments,
    path: &Path,
    mut state: State,
    line: Line,
    open: impl Fn(&str) -> Result<Line, String>,
) -> Result<(State, Line), String> {
    let known = state.next.clone();
    if known.is_none() && !arguments.rekey {
        return Ok((state, line));
    }
    let seed = known.clone().unwrap_or_else(DeviceKey::new_seed);
    state.next = Some(seed.clone());
    keep(path, &state)?;
    let holds = match &known {
        Some(seed) => {
            let line = open(seed)?;
            line.heartbeat(&Heartbeat::idle())
                .await
                .is_ok()
                .then_some(line)
        }
        None => None,
    };
    let line = if let Some(line) = holds {
        line
    } else {
        let key = DeviceKey::from_seed(&seed).ok_or("the kept key is no key")?;
        let changed = line.rekey(key).await;
        changed.map_err(|why| format!("changing the key: {why}"))?
    };
    (state.seed, state.next) = (seed, None);
    keep(path, &state)?;
    println!("key changed");
    Ok((state, line))
}
