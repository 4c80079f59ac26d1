//! Deliveries that go by another account than their block: few, so each is kept by itself, and a delivery that stays costs
//! one bit. Only the fold writes here; this module must not choose an account.

use std::borrow::Cow;
use std::collections::HashMap;

use parking_lot::RwLock;

use super::Block;

/// It goes by another account than its block.
const MOVED: u8 = 16;

#[derive(Default)]
pub(super) struct Moves(RwLock<Inner>);

#[derive(Default)]
struct Inner {
    names: Vec<String>,
    rows: HashMap<usize, Moved>,
}

struct Moved {
    /// Places in `names`: where it went after its block's own account, and where it goes now.
    path: Vec<u8>,
    /// Attempts of the accounts before this one.
    before: u8,
}

impl Inner {
    fn place(&mut self, name: &str) -> u8 {
        let known = self.names.iter().position(|known| known == name);
        let at = known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        // A block has as many accounts as its route.
        u8::try_from(at).unwrap_or(u8::MAX)
    }

    fn name(&self, place: u8) -> &str {
        let name = self.names.get(usize::from(place));
        name.map_or("", String::as_str)
    }

    fn now(&self, i: usize) -> Option<&str> {
        let last = self.rows.get(&i)?.path.last()?;
        Some(self.name(*last))
    }
}

impl Block {
    pub(in crate::ledger) fn reroute(&self, i: usize, to: &str) {
        let before = self.attempts(i);
        let mut moves = self.moves.0.write();
        let place = moves.place(to);
        let row = moves.rows.entry(i).or_insert(Moved {
            path: Vec::new(),
            before,
        });
        row.path.push(place);
        row.before = before;
        drop(moves);
        self.raise_flag(i, MOVED);
    }

    /// The account by which it goes, or went last.
    pub fn goes_by(&self, i: usize) -> Cow<'_, str> {
        if !self.flag(i, MOVED) {
            return Cow::Borrowed(&self.channel);
        }
        let moves = self.moves.0.read();
        let now = moves.now(i).unwrap_or(&self.channel);
        Cow::Owned(now.to_owned())
    }

    pub fn is_on(&self, i: usize, channel: &str) -> bool {
        if self.flag(i, MOVED) {
            self.moves.0.read().now(i) == Some(channel)
        } else {
            self.channel == channel
        }
    }

    /// Whether it goes, or ever went, by this account.
    pub fn was_on(&self, i: usize, channel: &str) -> bool {
        if self.channel == channel {
            return true;
        }
        if !self.flag(i, MOVED) {
            return false;
        }
        let moves = self.moves.0.read();
        let path = moves.rows.get(&i).map(|moved| moved.path.as_slice());
        let mut path = path.unwrap_or_default().iter();
        path.any(|place| moves.name(*place) == channel)
    }

    /// Attempts by the account that it goes by.
    pub fn tries(&self, i: usize) -> u8 {
        let attempts = self.attempts(i);
        if !self.flag(i, MOVED) {
            return attempts;
        }
        let moves = self.moves.0.read();
        let before = moves.rows.get(&i).map_or(0, |moved| moved.before);
        attempts.saturating_sub(before)
    }

    /// Whether any of it goes by another account.
    #[cfg(test)]
    pub fn any_moved(&self) -> bool {
        !self.moves.0.read().rows.is_empty()
    }

    /// Each that goes by another account, with that account.
    pub fn each_moved(&self, mut look: impl FnMut(usize, &str)) {
        let moves = self.moves.0.read();
        for (i, moved) in &moves.rows {
            if let Some(place) = moved.path.last() {
                look(*i, moves.name(*place));
            }
        }
    }

    /// Each that goes by another account: its place, the accounts it went to, and the attempts before the last of them.
    pub fn moved(&self) -> Vec<(usize, Vec<String>, u8)> {
        let moves = self.moves.0.read();
        let row = |(i, moved): (&usize, &Moved)| {
            let path = moved.path.iter().map(|at| moves.name(*at).to_owned());
            (*i, path.collect(), moved.before)
        };
        let mut all: Vec<_> = moves.rows.iter().map(row).collect();
        all.sort_unstable();
        all
    }
}
