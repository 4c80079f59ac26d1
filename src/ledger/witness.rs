//! What the house notes of a stream: how far it had come. This module must not compare.

use serde::{Deserialize, Serialize};

use crate::model::StreamId;

/// The last record of a stream: that it stood there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Witness {
    pub stream: StreamId,
    pub stream_seq: u32,
    pub hash: [u8; 32],
}
