//! A request's body as it comes: one that dribbles is given up, so that nobody holds a connection and what was read of it
//! for longer than its bytes are worth. This module must not look into a body.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use futures::StreamExt as _;
use futures::stream::unfold;
use tokio::time::{Instant, timeout_at};

use super::House;

/// How fast a body comes at the least beyond the time that any may take, in bytes a second.
const LEAST: u64 = 16 * 1024;

/// The body came more slowly than anybody waits for.
#[derive(Debug, thiserror::Error)]
#[error("the body came too slowly")]
pub struct TooSlow;

/// Until when the next bytes have to be here, of a body that began at `begun` and of which `got` have come.
fn due(begun: Instant, grace: Duration, got: u64) -> Instant {
    begun + grace + Duration::from_millis(got.saturating_mul(1000) / LEAST)
}

pub async fn paced(State(house): State<House>, request: Request, next: Next) -> Response {
    let grace = house.bounds.body;
    next.run(request.map(|body| within(body, grace))).await
}

fn within(body: Body, grace: Duration) -> Body {
    if body.is_end_stream() {
        return body;
    }
    let begun = Instant::now();
    let coming = unfold(
        Some((body.into_data_stream(), 0_u64)),
        move |state| async move {
            let (mut body, got) = state?;
            match timeout_at(due(begun, grace, got), body.next()).await {
                Ok(Some(Ok(bytes))) => {
                    let got = got + bytes.len() as u64;
                    Some((Ok(bytes), Some((body, got))))
                }
                Ok(Some(Err(error))) => Some((Err(error), None)),
                Ok(None) => None,
                Err(_) => Some((Err(axum::Error::new(TooSlow)), None)),
            }
        },
    );
    Body::from_stream(coming)
}

/// Whether a body could not be read because it came too slowly.
pub fn was_slow(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut error = Some(error);
    while let Some(one) = error {
        if one.is::<TooSlow>() {
            return true;
        }
        error = one.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::body::to_bytes;
    use bytes::Bytes;

    use super::*;

    fn dribble(pieces: usize, every: Duration, size: usize) -> Body {
        let pieces = unfold(0, move |n| async move {
            tokio::time::sleep(every).await;
            (n < pieces).then(|| (Ok::<_, Infallible>(Bytes::from(vec![0_u8; size])), n + 1))
        });
        Body::from_stream(pieces)
    }

    const SOON: Duration = Duration::from_millis(10);
    const GRACE: Duration = Duration::from_millis(100);

    #[tokio::test]
    async fn a_body_that_dribbles_is_given_up_and_one_that_comes_is_whole() {
        let slow = within(dribble(usize::MAX, SOON, 1), GRACE);
        let error = to_bytes(slow, usize::MAX).await.expect_err("too slow");
        assert!(was_slow(&error), "{error:?}");
        // It takes longer than any body may, and its bytes are worth it.
        let begun = Instant::now();
        let steady = within(dribble(30, SOON, 20_000), GRACE);
        let whole = to_bytes(steady, usize::MAX).await.expect("whole");
        assert_eq!(whole.len(), 600_000);
        assert!(begun.elapsed() > GRACE);
        let silent = Body::from_stream(futures::stream::pending::<Result<Bytes, Infallible>>());
        assert!(to_bytes(within(silent, GRACE), usize::MAX).await.is_err());
    }
}
