//! Network and signal as the modem told them last, and what they say of the channel's health. This module must not ask.

use channel::Health;

use crate::at::answer::Registration;

/// What a modem said of its network last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Radio {
    pub registration: Registration,
    /// From 0 to 31; `None` is unknown.
    pub signal: Option<u8>,
}

impl Radio {
    /// Why no text would go, in words.
    pub const fn trouble(self) -> Option<&'static str> {
        match self.registration {
            Registration::Registered => None,
            Registration::Searching => Some("the modem searches for a network"),
            Registration::Denied => Some("the network turned the modem away"),
            Registration::None => Some("the modem has no network and does not search for one"),
            Registration::Unknown => Some("the modem does not know whether it has a network"),
        }
    }

    pub fn health(self, least_signal: u8) -> Health {
        if let Some(why) = self.trouble() {
            return Health::Down(why.to_owned());
        }
        match self.signal {
            Some(signal) if signal < least_signal => {
                Health::Down(format!("the signal is {signal}, below {least_signal}"))
            }
            _ => Health::Up,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_modem_is_up_with_a_network_and_enough_of_it() {
        let radio = |registration, signal| Radio {
            registration,
            signal,
        };
        assert_eq!(radio(Registration::Registered, None).health(5), Health::Up);
        assert_eq!(
            radio(Registration::Registered, Some(5)).health(5),
            Health::Up
        );
        assert_ne!(
            radio(Registration::Registered, Some(4)).health(5),
            Health::Up
        );
        for without in [
            Registration::Searching,
            Registration::Denied,
            Registration::None,
            Registration::Unknown,
        ] {
            assert_ne!(radio(without, Some(31)).health(0), Health::Up);
        }
    }
}
