//! A loudspeaker as its keeper would describe it: where it hangs, who looks after it, what card and what power it runs on.
//! A Debug text must not show a person or a number.

use std::fmt;

use channel::Power;
use serde::{Deserialize, Serialize};

use super::{Day, EndpointId, RegionCode};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SpeakerRow {
    /// Its endpoint, of kind speaker.
    pub endpoint: EndpointId,
    pub village: RegionCode,
    pub name: String,
    #[serde(default)]
    pub care: Care,
}

/// What a county keeps about the box itself. All of it may be unknown.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Care {
    /// 喇叭管护员
    pub keeper: String,
    pub phone: String,
    /// The number of its card, or what is printed on it.
    pub sim: String,
    /// The card's last day.
    pub sim_expires: Option<Day>,
    /// What it runs on day by day.
    pub power: Option<Power>,
    /// For how many hours it goes on without mains or sun.
    pub hours: Option<u16>,
    /// As it was set at its installation, in hundredths.
    pub volume: Option<u8>,
    pub maker: String,
    /// Where it hangs.
    pub lat: Option<f64>,
    pub lon: Option<f64>,
}

impl fmt::Debug for Care {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Care")
            .field("sim_expires", &self.sim_expires)
            .field("power", &self.power)
            .field("hours", &self.hours)
            .field("volume", &self.volume)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_debug_text_shows_neither_a_person_nor_a_number() {
        let care = Care {
            keeper: "secret".to_owned(),
            phone: "00012345678".to_owned(),
            sim: "0001234567890".to_owned(),
            maker: "secret".to_owned(),
            ..Care::default()
        };
        let text = format!("{care:?}");
        assert!(!text.contains("secret") && !text.contains("123"), "{text}");
    }
}
