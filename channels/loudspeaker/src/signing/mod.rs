//! Signatures by SM2 and SM3 of what goes to platforms and adapters: the 74 bytes that both carry, who makes them, and the
//! words by which an operator says so. In which order devices join the signed bytes no source tells, so nothing here is
//! claimed to conform. This module must not know what is signed.

mod config;
mod signer;
mod value;

pub use config::{SignerConfig, six};
pub use signer::{Command, Device, Nobody, Order, PublicKey, Signer, SignerError, Software};
pub use value::{Serial, VALUE, Value};
