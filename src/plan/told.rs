//! Who has been told already, so that a person with several posts is told once. This module must not say by which text.

use std::collections::HashMap;

use crate::model::EndpointId;

/// Endpoints by channel.
#[derive(Default)]
pub struct Told(Vec<(String, Endpoints)>);

/// A set of ids in pages of a bit each: neighbours are told together, and one look finds them all.
#[derive(Default)]
struct Endpoints {
    pages: HashMap<u32, usize>,
    bits: Vec<[u64; WORDS]>,
    /// The page that was looked at last, and where it stands.
    last: Option<(u32, usize)>,
}

const WORDS: usize = 64;

/// Its page, its word there and its bit in that.
fn place(endpoint: EndpointId) -> (u32, usize, u64) {
    let word = endpoint as usize / 64 % WORDS;
    (endpoint / 64 / 64, word, 1 << (endpoint % 64))
}

impl Endpoints {
    fn has(&self, endpoint: EndpointId) -> bool {
        let (page, word, bit) = place(endpoint);
        let at = self.pages.get(&page);
        at.is_some_and(|at| self.bits[*at][word] & bit != 0)
    }

    /// True when it was not there.
    fn add(&mut self, endpoint: EndpointId) -> bool {
        let (page, word, bit) = place(endpoint);
        let at = match self.last {
            Some((last, at)) if last == page => at,
            _ => *self.pages.entry(page).or_insert_with(|| {
                self.bits.push([0; WORDS]);
                self.bits.len() - 1
            }),
        };
        self.last = Some((page, at));
        let fresh = self.bits[at][word] & bit == 0;
        self.bits[at][word] |= bit;
        fresh
    }
}

impl Told {
    pub fn has(&self, channel: &str, endpoint: EndpointId) -> bool {
        let told = self.0.iter().find(|(name, _)| name == channel);
        told.is_some_and(|(_, told)| told.has(endpoint))
    }

    /// True when this endpoint had not been told by this channel.
    pub fn add(&mut self, channel: &str, endpoint: EndpointId) -> bool {
        if let Some((_, told)) = self.0.iter_mut().find(|(name, _)| name == channel) {
            return told.add(endpoint);
        }
        let mut told = Endpoints::default();
        told.add(endpoint);
        self.0.push((channel.to_owned(), told));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_told_once_a_channel_however_far_ids_lie_apart() {
        let mut told = Told::default();
        let ids = [0, 1, 63, 64, 4_095, 4_096, 70_000, u32::MAX - 1, u32::MAX];
        for channel in ["a", "b"] {
            for id in ids {
                assert!(!told.has(channel, id), "{channel} {id}");
                assert!(told.add(channel, id), "{channel} {id}");
                assert!(!told.add(channel, id), "{channel} {id}");
                assert!(told.has(channel, id), "{channel} {id}");
            }
        }
        assert!(!told.has("a", 2) && !told.has("c", 1));
    }
}
