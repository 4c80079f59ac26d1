//! A signature as both protocols carry it: 74 bytes of time, certificate and r with s. This module must not judge one.

pub const VALUE: usize = 74;
pub type Serial = [u8; 6];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Value {
    /// Seconds since 1970, UTC.
    pub time: u32,
    /// Of the certificate.
    pub serial: Serial,
    /// r and s.
    pub signed: [u8; 64],
}

impl Value {
    /// Nothing but 0 is no signature.
    pub const NONE: Self = Self {
        time: 0,
        serial: [0; 6],
        signed: [0; 64],
    };

    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }

    pub fn read(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; VALUE] = bytes.try_into().ok()?;
        let (time, rest) = bytes.split_first_chunk()?;
        let (serial, rest) = rest.split_first_chunk()?;
        Some(Self {
            time: u32::from_be_bytes(*time),
            serial: *serial,
            signed: rest.try_into().ok()?,
        })
    }

    pub fn write(&self) -> [u8; VALUE] {
        let mut bytes = [0; VALUE];
        bytes[..10].copy_from_slice(&self.prefix());
        bytes[10..].copy_from_slice(&self.signed);
        bytes
    }

    /// What stands before the signature, and may be signed with the document.
    pub fn prefix(&self) -> [u8; 10] {
        let mut bytes = [0; 10];
        bytes[..4].copy_from_slice(&self.time.to_be_bytes());
        bytes[4..].copy_from_slice(&self.serial);
        bytes
    }
}
