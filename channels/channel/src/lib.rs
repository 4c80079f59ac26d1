#![doc = include_str!("../README.md")]

mod acknowledge;
mod binding;
mod clock;
pub mod command;
mod contract;
mod device;
mod failure;
mod handed;
pub mod http;
mod issued;
pub mod lines;
pub mod link;
mod loss;
mod message;
mod quake;
mod receipt;
mod secret;
mod sound;
pub mod testing;
mod tokens;
pub mod wav;

pub use acknowledge::Acknowledge;
pub use binding::{Binding, Bound, Code, NoScene, Scene, Tied};
pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use contract::{
    Accepted, Capability, Channel, Context, EndpointKind, Found, Health, Inlet, Lines, Notice,
    Offered, Outcomes, Style, Unavailable,
};
pub use device::{
    Action, Authority, Command, DeviceState, Enrolment, NotEnrolled, Obeyed, Power, PublicKey,
    Rekeying, Sounded, serial_floor,
};
pub use failure::{Failure, FailureClass, MISSHAPEN};
pub use handed::{Handed, Said, Whose};
pub use http::{HttpClient, Reply, Request};
pub use issued::{Issued, NoSerial, Numbering, SERIALS_A_DAY};
pub use loss::Loss;
pub use message::{Address, Attachment, Key, Level, Message, Variant};
pub use quake::{AFTER_ARRIVAL, Alarm, Quake, Shaking, Shock};
pub use receipt::{
    CLOCK_WRONG, Evidence, HEARD, MUTED, ON_BATTERY, Of, Presence, PresenceState, Receipt, Uplink,
    Verdict,
};
pub use secret::Secret;
pub use sound::{Mute, Part, Sound, Sounds};
pub use tokens::{OwnTokens, Token, TokenSource, Tokens};
pub use tokio_util::sync::CancellationToken as Stop;
