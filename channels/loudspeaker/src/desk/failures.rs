//! Why an order is waited for no longer. This module must not decide which it is.

use channel::{Failure, FailureClass};

pub(crate) fn transient(code: &'static str, detail: &'static str) -> Failure {
    Failure::new(FailureClass::Transient, code, detail)
}

pub(crate) fn silent() -> Failure {
    transient(
        "speaker:silent",
        "the device did not fetch the order in time",
    )
}

pub(crate) fn closed() -> Failure {
    Failure::new(
        FailureClass::LinkDown,
        "speaker:closing",
        "the gateway closes and the device had not fetched the order; it is handed again",
    )
}

pub(crate) fn passed() -> Failure {
    transient(
        "speaker:counter-passed",
        "the device has taken a higher counter; hand the order with a new serial",
    )
}

pub(crate) fn unproved() -> Failure {
    Failure::new(
        FailureClass::InDoubt,
        "speaker:unproved",
        "the order was written to the device, which has not said since that it has it",
    )
}
