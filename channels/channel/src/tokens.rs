//! Tokens that a far end gives for a while and that everybody who speaks for one account shares. This module must not know
//! how one is asked for, and a token must not reach a log.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::{Clock, Failure, Secret, Timestamp};

/// Good until then, by our clock; whoever made it has left a margin.
#[derive(Clone, Debug)]
pub struct Token {
    pub value: Secret,
    pub until: Timestamp,
}

impl Token {
    pub fn is(&self, other: &Self) -> bool {
        self.value.expose() == other.value.expose()
    }
}

#[async_trait]
pub trait TokenSource: Send + Sync {
    /// Asks the far end. `refused` is one that it gave and takes no longer.
    async fn fetch(&self, refused: Option<&Token>) -> Result<Token, Failure>;
}

#[async_trait]
pub trait Tokens: Send + Sync + 'static {
    /// The token that is kept for this account, or a new one: one caller asks for it while all others wait. What is
    /// `refused` is not given again.
    async fn token(
        &self,
        account: &str,
        refused: Option<&Token>,
        source: &dyn TokenSource,
    ) -> Result<Token, Failure>;
}

#[derive(Default)]
struct Slot {
    kept: Option<Token>,
    /// The last failure and when it was: whoever waited for that very answer takes it too, and does not ask again.
    failed: Option<(Duration, Failure)>,
}

/// The tokens of one process. As many as accounts are configured.
pub struct OwnTokens {
    clock: Arc<dyn Clock>,
    slots: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Slot>>>>,
}

impl OwnTokens {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            slots: Mutex::default(),
        }
    }
}

#[async_trait]
impl Tokens for OwnTokens {
    async fn token(
        &self,
        account: &str,
        refused: Option<&Token>,
        source: &dyn TokenSource,
    ) -> Result<Token, Failure> {
        let came = self.clock.tick();
        let slot = self
            .slots
            .lock()
            .entry(account.to_owned())
            .or_default()
            .clone();
        let mut slot = slot.lock().await;
        if let Some(kept) = &slot.kept
            && kept.until > self.clock.now()
            && refused.is_none_or(|refused| !refused.is(kept))
        {
            return Ok(kept.clone());
        }
        if let Some((at, failure)) = &slot.failed
            && *at > came
        {
            return Err(failure.clone());
        }
        match source.fetch(refused).await {
            Ok(token) => {
                *slot = Slot {
                    kept: Some(token.clone()),
                    failed: None,
                };
                Ok(token)
            }
            Err(failure) => {
                slot.failed = Some((self.clock.tick(), failure.clone()));
                Err(failure)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::{FailureClass, ManualClock, SystemClock};

    struct Source {
        asked: AtomicUsize,
        fails: bool,
        until: Timestamp,
    }

    #[async_trait]
    impl TokenSource for Source {
        async fn fetch(&self, _refused: Option<&Token>) -> Result<Token, Failure> {
            let n = self.asked.fetch_add(1, Ordering::SeqCst);
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            if self.fails {
                return Err(Failure::new(
                    FailureClass::LinkDown,
                    "test:no",
                    "it says no",
                ));
            }
            Ok(Token {
                value: Secret::new(format!("token-{n}")),
                until: self.until,
            })
        }
    }

    fn source(fails: bool) -> Source {
        Source {
            asked: AtomicUsize::new(0),
            fails,
            until: Timestamp(10_000),
        }
    }

    #[tokio::test]
    async fn one_caller_asks_while_all_others_wait() {
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Timestamp(0)));
        let (tokens, source) = (OwnTokens::new(clock), source(false));
        let all = (0..100).map(|_| tokens.token("a", None, &source));
        let given = futures::future::join_all(all).await;
        assert!(
            given
                .iter()
                .all(|t| t.as_ref().unwrap().value.expose() == "token-0")
        );
        assert_eq!(source.asked.load(Ordering::SeqCst), 1);
        tokens.token("b", None, &source).await.unwrap();
        assert_eq!(
            source.asked.load(Ordering::SeqCst),
            2,
            "another account has its own"
        );
    }

    #[tokio::test]
    async fn what_is_over_or_refused_is_not_given_again() {
        let clock = Arc::new(ManualClock::new(Timestamp(0)));
        let (tokens, source) = (OwnTokens::new(clock.clone()), source(false));
        let first = tokens.token("a", None, &source).await.unwrap();
        let second = tokens.token("a", Some(&first), &source).await.unwrap();
        assert!(!second.is(&first));
        let late = tokens.token("a", Some(&first), &source).await.unwrap();
        assert!(
            late.is(&second),
            "who was refused late gets what is kept by now"
        );
        clock.advance(Duration::from_secs(10));
        let third = tokens.token("a", None, &source).await.unwrap();
        assert!(!third.is(&second), "it is over");
        assert!(!format!("{third:?}").contains("token-"), "{third:?}");
    }

    #[tokio::test]
    async fn whoever_waited_for_a_refusal_takes_it_and_does_not_ask_again() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let (tokens, source) = (OwnTokens::new(clock), source(true));
        let all = (0..100).map(|_| tokens.token("a", None, &source));
        let given = futures::future::join_all(all).await;
        assert!(
            given
                .iter()
                .all(|t| t.as_ref().unwrap_err().code == "test:no")
        );
        assert_eq!(source.asked.load(Ordering::SeqCst), 1);
        assert!(tokens.token("a", None, &source).await.is_err());
        assert_eq!(
            source.asked.load(Ordering::SeqCst),
            2,
            "who comes later asks again"
        );
    }
}
