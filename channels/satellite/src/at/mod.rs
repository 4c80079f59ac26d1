//! The words of a modem (3GPP TS 27.005, 27.007, ITU-T V.250): lines, answers, errors. Pure: nothing here reads a port.

pub mod answer;
pub mod error;
pub mod lines;
