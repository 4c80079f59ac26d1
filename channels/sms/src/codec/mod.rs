//! Bytes to values and back, one module a protocol, all in one manner: *check* whether a whole frame is there, then
//! *parse* it; "incomplete" is a value. What is parsed borrows from the frame. These modules must not do I/O and must
//! not judge.

pub mod cmpp;
pub mod smpp;

/// The longest frame taken: far above any SMS, far below what a broken peer could make us keep.
pub const MAX_FRAME: usize = 64 * 1024;

/// Bytes that are none of the protocol's. After one of these the stream cannot be trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Malformed {
    #[error("a frame announces {0} bytes")]
    Length(u32),
    #[error("a frame ends before its {0}")]
    Short(&'static str),
    #[error("an optional parameter is longer than its frame")]
    Tlv,
}

/// The length of the frame at the start of `buffer`, or `None` where more bytes must come first. Both protocols open
/// with it.
fn check(buffer: &[u8], header: usize) -> Result<Option<usize>, Malformed> {
    let Some(head) = buffer.first_chunk::<4>() else {
        return Ok(None);
    };
    let announced = u32::from_be_bytes(*head);
    let length = announced as usize;
    if !(header..=MAX_FRAME).contains(&length) {
        return Err(Malformed::Length(announced));
    }
    Ok((buffer.len() >= length).then_some(length))
}
