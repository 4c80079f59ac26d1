//! How the reference controller sounds an earthquake: each word of the countdown as a printed line, once, and the siren as
//! one line when it begins. It must not decide when anything is said.

use channel::Timestamp;
use loudspeaker::order::Order;
use loudspeaker::player::Say;

use crate::sounds::marks;

/// What was said last.
#[derive(Default)]
pub struct Countdown(Option<Told>);

struct Told {
    event: String,
    report: u32,
    siren: bool,
    say: Option<Say>,
}

impl Countdown {
    /// Says what is new of it. A newer report goes on where the older one was.
    pub fn tell(&mut self, order: &Order, siren: bool, say: Say, now: Timestamp) {
        let known = self.0.take().filter(|told| told.event == order.target);
        let mut told = known.unwrap_or_else(|| Told {
            event: order.target.clone(),
            report: 0,
            siren: false,
            say: None,
        });
        let marks = marks(order);
        if siren && !told.siren {
            println!("{marks}siren");
        }
        if told.report != order.value {
            let left = order.quake.and_then(|tremor| tremor.seconds_left(now));
            let left = left.unwrap_or_default();
            println!(
                "{marks}{} report {}: {left} s left",
                order.target, order.value
            );
        }
        if told.say != Some(say) {
            println!("{marks}{}", say.text(order));
        }
        (told.report, told.siren, told.say) = (order.value, siren, Some(say));
        self.0 = Some(told);
    }

    /// Something else sounds, or nothing.
    pub fn hush(&mut self) {
        self.0 = None;
    }
}
