//! While the terminals are told of an earthquake, no other call is begun: to prove one takes longer than to sign an order, and the
//! first terminals are back in their polls before the last are told. This module must not know who calls.

use std::time::Duration;

use tokio::sync::watch;

/// Nobody waits longer: a call is worth something, too.
const MOST: Duration = Duration::from_millis(250);

/// How many tellings are under way.
pub(crate) struct Precedence(watch::Sender<u32>);

/// A telling, until it is dropped.
pub(crate) struct First<'a>(&'a Precedence);

impl Default for Precedence {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Precedence {
    pub fn first(&self) -> First<'_> {
        self.0.send_modify(|count| *count += 1);
        First(self)
    }

    /// Ready when nothing goes first.
    pub async fn passed(&self) {
        if *self.0.borrow() == 0 {
            return;
        }
        let mut seen = self.0.subscribe();
        let none = seen.wait_for(|count| *count == 0);
        // Late or passed: the call is taken either way.
        let _ = tokio::time::timeout(MOST, none).await;
    }
}

impl Drop for First<'_> {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_call_waits_for_what_goes_first_and_never_for_long() {
        let precedence = Precedence::default();
        let nothing = precedence.passed().now_or_never();
        assert!(nothing.is_some(), "nothing goes first");
        let (first, second) = (precedence.first(), precedence.first());
        let mut call = Box::pin(precedence.passed());
        assert!(call.as_mut().now_or_never().is_none());
        drop(first);
        assert!(call.as_mut().now_or_never().is_none());
        drop(second);
        call.await;
        let _stuck = precedence.first();
        let late = tokio::time::timeout(20 * MOST, precedence.passed());
        assert!(late.await.is_ok(), "it is taken all the same");
    }
}
