//! The parts of a long text: it is reached when every part is. This module must not say what that does to a delivery.

use std::sync::atomic::Ordering::Relaxed;

use super::Block;

/// One bit for each part that is awaited, at most 16.
fn all_parts(parts: usize) -> u16 {
    let parts = u32::try_from(parts.clamp(1, 16)).unwrap_or(16);
    u16::MAX >> (16 - parts)
}

impl Block {
    /// So many parts were taken and no more will come; true when each of them was reached before.
    pub(in crate::ledger) fn parts_taken(&self, i: usize, parts: usize) -> bool {
        let mask = all_parts(parts);
        let left = self.parts[i].load(Relaxed);
        let left = if left == 0 { mask } else { left & mask };
        self.parts[i].store(left, Relaxed);
        left == 0
    }

    /// A long text is reached when every part is. `parts`: how many it should have, where its acceptance is not told yet.
    pub(in crate::ledger) fn part_reached(&self, i: usize, part: u8, parts: usize) -> bool {
        let left = self.parts[i].load(Relaxed);
        let left = if left == 0 { all_parts(parts) } else { left };
        let left = left & !1_u16.checked_shl(u32::from(part)).unwrap_or(0);
        self.parts[i].store(left, Relaxed);
        left == 0
    }
}
