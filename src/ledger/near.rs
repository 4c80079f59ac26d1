//! Where the rows of one event lie: they mostly follow one another in one block, with one code. This module must not
//! change anything.

use std::sync::Arc;

use super::Ledger;
use super::alert::{Alert, Block};
use super::fold::{Misfit, find};
use crate::model::DeliveryNo;

pub(super) struct Near<'a> {
    pub alert: &'a Alert,
    block: Option<Arc<Block>>,
    code: Option<(&'a str, u16)>,
}

impl<'a> Near<'a> {
    pub const fn new(alert: &'a Alert) -> Self {
        Self {
            alert,
            block: None,
            code: None,
        }
    }

    /// The block of a delivery and its place in it.
    pub fn find(&mut self, number: DeliveryNo) -> Result<(&Block, usize), Misfit> {
        let held = |block: &Arc<Block>| (block.first..block.first + block.len()).contains(&number);
        if !self.block.as_ref().is_some_and(held) {
            self.block = Some(find(self.alert, number)?.0);
        }
        let block = self.block.as_deref().expect("it was just found");
        Ok((block, (number - block.first) as usize))
    }

    /// Index of a code in the ledger's table.
    pub fn code(&mut self, ledger: &Ledger, code: &'a str) -> u16 {
        match self.code {
            Some((last, index)) if last == code => index,
            _ => {
                let index = ledger.code_index(code);
                self.code = Some((code, index));
                index
            }
        }
    }
}
