//! Requests that wait for their answers, in the order of their sequence numbers, which is the order of their timeouts
//! too. This module must not know what a request says.

use std::collections::VecDeque;
use std::sync::Arc;

use super::group::{Group, Place};
use crate::dialect::MAX_SEQUENCE;

/// A request without its answer.
pub(super) struct Waiting {
    /// `None` for the session's own question whether the far end lives.
    pub whose: Option<(Arc<Group>, Place)>,
    /// The session's age when it was sent.
    pub born: u32,
    /// Where in the stream of all bytes ever written its last byte lies.
    pub end: u64,
}

#[derive(Default)]
pub(super) struct Pending {
    pub first: u32,
    pub slots: VecDeque<Option<Waiting>>,
    pub open: usize,
}

impl Pending {
    pub fn push(&mut self, waiting: Waiting) -> u32 {
        let length = u32::try_from(self.slots.len()).unwrap_or(MAX_SEQUENCE);
        self.slots.push_back(Some(waiting));
        self.open += 1;
        wrap(self.first, length)
    }

    pub fn take(&mut self, sequence: u32) -> Option<Waiting> {
        if !(1..=MAX_SEQUENCE).contains(&sequence) {
            return None;
        }
        let offset = if sequence >= self.first {
            sequence - self.first
        } else {
            sequence + (MAX_SEQUENCE - self.first)
        };
        let found = self.slots.get_mut(offset as usize)?.take()?;
        self.open -= 1;
        while matches!(self.slots.front(), Some(None)) {
            self.drop_first();
        }
        Some(found)
    }

    pub fn drop_first(&mut self) -> Option<Waiting> {
        let first = self.slots.pop_front()?;
        self.first = wrap(self.first, 1);
        first
    }
}

const fn wrap(first: u32, offset: u32) -> u32 {
    // 1..=MAX, as a ring; done in 64 bits so that it cannot overflow.
    let moved = (first as u64 - 1 + offset as u64) % MAX_SEQUENCE as u64;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "below MAX_SEQUENCE, which is a u32"
    )]
    {
        moved as u32 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_numbers_begin_again_after_the_last() {
        let mut pending = Pending {
            first: MAX_SEQUENCE - 1,
            ..Pending::default()
        };
        let waiting = |end| Waiting {
            whose: None,
            born: 0,
            end,
        };
        let numbers: Vec<u32> = (0..4).map(|end| pending.push(waiting(end))).collect();
        assert_eq!(numbers, [MAX_SEQUENCE - 1, MAX_SEQUENCE, 1, 2]);
        assert_eq!(pending.take(1).unwrap().end, 2);
        assert!(pending.take(1).is_none());
        assert_eq!(pending.take(MAX_SEQUENCE - 1).unwrap().end, 0);
        assert_eq!(pending.take(MAX_SEQUENCE).unwrap().end, 1);
        assert_eq!((pending.first, pending.open), (2, 1));
        assert!(pending.take(0).is_none());
        assert!(pending.take(u32::MAX).is_none());
    }
}
