//! Which refusals the gateway was told already: an order that is refused comes again with every poll. This module must not
//! believe what is refused: the order's id is all that it reads, and only where a signature holds.

use std::collections::VecDeque;

use crate::order::{Order, Refusal, Signed};

/// So many are remembered.
const KEPT: usize = 32;

#[derive(Default)]
pub(crate) struct Refused(VecDeque<(String, Refusal)>);

impl Refused {
    /// The id of an order whose refusal is to be told, the first time.
    pub fn first(&mut self, signed: &Signed, refusal: Refusal) -> Option<String> {
        let order: Option<Order> = serde_json::from_str(&signed.body).ok();
        let id = order.filter(|_| refusal.is_told())?.order;
        let said = (id.clone(), refusal);
        if self.0.contains(&said) {
            return None;
        }
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(said);
        Some(id)
    }
}
