//! Earthquake early warning (地震预警): what a feed may say, and what each terminal is told by it. Reports are relayed, never
//! composed: nothing here is asked of a person and nothing here can be approved. Pure: this module must not read a clock,
//! and must not take a siren away that sounds.

mod bands;
mod estimate;
mod report;
mod settings;
#[cfg(test)]
mod tests;

pub use estimate::{Role, Terminal, called_off, estimate, news};
pub use report::{EVENT, Kind, Report};
pub use settings::Earthquake;

/// What is spoken before the seconds are counted.
pub const fn words(drill: bool, cancel: bool) -> &'static str {
    match (drill, cancel) {
        (false, false) => "地震预警，请注意避险。",
        (false, true) => "地震预警取消。",
        (true, false) => "演练：地震预警，请注意避险。演练。",
        (true, true) => "演练：地震预警取消。演练。",
    }
}
