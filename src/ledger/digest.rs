//! The digest of an alert's state: what a replay of its stream must come to again. This module must not change anything.

use std::sync::atomic::Ordering::Relaxed;

use ring::digest::{Context, SHA256};
use serde::Serialize;

use super::alert::{Alert, Block, DISPUTED, FAR_REFUSED, IN_DOUBT, REFUSED};
use super::{Ledger, record};

impl Ledger {
    /// SHA-256 of an alert's state in one canonical form: what a replay of its stream must come to again.
    pub fn digest(&self, alert: &Alert) -> [u8; 32] {
        let mut context = Context::new(&SHA256);
        let expired: Vec<bool> = (0..alert.variants().len())
            .map(|n| u16::try_from(n).is_ok_and(|n| alert.is_expired(n)))
            .collect();
        let whole = (
            STATE,
            (alert.stream, alert.at, &alert.meta, alert.phase()),
            (alert.withdrawn_by(), alert.generation()),
            (alert.next_delivery(), alert.doubts.load(Relaxed)),
            (alert.variants(), expired),
        );
        put(&mut context, &whole);
        if let Some(word) = alert.word() {
            put(&mut context, &word);
        }
        // A form without replies is what it was before there were any.
        if !alert.replies.is_empty() {
            put(&mut context, &alert.replies.all());
        }
        let prompts = alert.prompts.all();
        if !prompts.is_empty() {
            put(&mut context, &prompts);
        }
        if let Some(silence) = alert.silence.form() {
            put(&mut context, &silence);
        }
        for ground in alert.grounds().values() {
            put(&mut context, &**ground);
        }
        for block in alert.blocks() {
            self.digest_block(&mut context, &block);
        }
        record::finish(context)
    }

    fn digest_block(&self, context: &mut Context, block: &Block) {
        let place = (block.step, block.region, &block.channel, block.audience);
        put(context, &(place, block.first, block.rank, block.window));
        let flags = [IN_DOUBT, DISPUTED, REFUSED, FAR_REFUSED];
        for i in 0..block.len() as usize {
            let whom = (block.endpoint(i), block.household(i), block.variant(i));
            let stands = (block.state(i), block.evidence(i), block.attempts(i));
            let flags = flags.map(|flag| block.flag(i, flag));
            let code = self.code(block.code(i));
            put(
                context,
                &(whom, stands, flags, code, block.due(i), block.at(i)),
            );
        }
        // Only where it happened: alerts of before have the digest that they had.
        for moved in block.moved() {
            put(context, &moved);
        }
    }
}

/// The canonical form's number: another form is another number.
const STATE: u8 = 1;

fn put<T: Serialize>(context: &mut Context, value: &T) {
    context.update(&postcard::to_stdvec(value).expect("a Vec takes every value"));
}
