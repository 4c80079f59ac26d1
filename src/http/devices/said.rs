//! What a device said of itself last, as the list shows it. This module must not judge it.

use channel::DeviceState;
use serde::Serialize;

/// Of its last heartbeat; left out for whom was never heard since the gateway began.
#[derive(Default, Serialize)]
pub struct Said {
    state: Option<channel::PresenceState>,
    volume: Option<u8>,
    power: Option<channel::Power>,
    battery: Option<u8>,
    free_mb: Option<u32>,
    celsius: Option<i16>,
    sounded: Option<Sounded>,
}

#[derive(Serialize)]
struct Sounded {
    source: &'static str,
    source_zh: &'static str,
    seconds: u32,
    at: String,
}

impl From<DeviceState> for Said {
    fn from(said: DeviceState) -> Self {
        let sounded = |s: channel::Sounded| Sounded {
            source: s.source,
            source_zh: of_source(s.source),
            seconds: s.seconds,
            at: s.at.to_string(),
        };
        Self {
            state: said.state,
            volume: said.volume,
            power: said.power,
            battery: said.battery,
            free_mb: said.free_mb,
            celsius: said.celsius,
            sounded: said.sounded.map(sounded),
        }
    }
}

fn of_source(source: &str) -> &'static str {
    match source {
        "microphone" => "话筒",
        "phone" => "电话",
        "sms" => "短信",
        "usb" => "U盘",
        _ => "网络",
    }
}
