//! What the peer's sessions need of the protocol that they speak. This module must not decide anything: what becomes of
//! a text is the session's to say.

use super::post::Letter;
use crate::codec::Malformed;
use crate::codec::cmpp::{Dests, Version};

/// What a peer speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Speaks {
    #[default]
    Smpp,
    Cmpp(Version),
}

/// What a frame of the other side is about.
pub(super) enum Ask<'a> {
    Login(Login),
    Submit(Sent<'a>),
    /// One of our receipts or replies, by its number, is taken or not.
    Answered(bool),
    Alive,
    Farewell,
    Unknown,
    Nothing,
}

#[derive(Clone, Copy)]
pub(super) struct Login {
    /// Refused with this status, whatever the behaviour.
    pub refused: Option<u32>,
    /// What the answer proves itself by.
    pub proof: [u8; 16],
}

/// A submitted text, as the session looks at it.
pub(super) struct Sent<'a> {
    pub source: &'a [u8],
    pub dests: Dests<'a>,
    /// A concatenation header comes first.
    pub header: bool,
    pub coding: u8,
    pub data: &'a [u8],
    pub wants_receipt: bool,
}

pub(super) enum Say<'a> {
    LoggedIn { status: u32, login: Login },
    Submitted { status: u32, id: u64 },
    Reply(&'a Mo),
    Alive,
    Farewell,
    Unknown,
}

/// A person's text on its way to the other side.
pub(super) struct Mo {
    pub id: u64,
    pub from: String,
    pub to: String,
    pub text: String,
}

/// The numbers by which this protocol refuses.
pub(super) struct Codes {
    pub login: u32,
    pub unbound: u32,
    pub throttled: u32,
    pub address: u32,
    pub content: u32,
}

/// Room to write in, kept over many receipts.
#[derive(Default)]
pub(super) struct Scratch {
    pub options: Vec<u8>,
    pub text: Vec<u8>,
}

pub(super) type Account = (String, String);

pub(super) trait Tongue: Send + Sync {
    fn codes(&self) -> Codes;
    fn check(&self, buffer: &[u8]) -> Result<Option<usize>, Malformed>;
    /// A frame's sequence number, and what it asks. The account is who alone may log in.
    fn read<'a>(
        &self,
        frame: &'a [u8],
        account: Option<&Account>,
    ) -> Result<(u32, Ask<'a>), Malformed>;
    fn say(&self, say: Say<'_>, sequence: u32, out: &mut Vec<u8>);
    /// A receipt; `date` is the moment, `YYMMDDhhmm`.
    fn receipt(
        &self,
        letter: &Letter,
        date: &str,
        sequence: u32,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    );
}
