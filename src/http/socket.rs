//! The socket below the API: connections are taken as they come, up to a number, and each ends when its far end is too
//! slow with a header or does not read what it is told. What a slow or dead client costs is bounded in memory and time.
//! This module must not read a request.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use channel::Stop;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};
use tokio_util::task::TaskTracker;

/// What one client may cost.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How long a request's header may take, and how long a connection may stay without a request.
    pub header: Duration,
    /// How long any request's body may take; a larger one as long as its bytes are worth.
    pub body: Duration,
    /// How long a client may leave an answer unread.
    pub unread: Duration,
    /// How many connections stand at once; the next ones wait in the system's own queue.
    pub connections: usize,
    /// How long open connections may go on after `stop`.
    pub grace: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            header: Duration::from_secs(75),
            body: Duration::from_secs(30),
            unread: Duration::from_secs(30),
            connections: 20_000,
            grace: Duration::from_secs(10),
        }
    }
}

/// The most that is kept of a header, or of an answer that is not sent yet, for one connection.
const BUFFER: usize = 64 * 1024;
/// How long to wait when the system gives no more connections.
const OUT_OF_FILES: Duration = Duration::from_secs(1);

/// Serves until `stop`, then lets what is under way end, for a bounded time.
pub async fn serve(listener: TcpListener, router: Router, stop: Stop, bounds: Bounds) {
    let (tasks, room) = (
        TaskTracker::new(),
        Arc::new(Semaphore::new(bounds.connections)),
    );
    while let Some((stream, place)) = next(&listener, &room, &stop).await {
        tasks.spawn(one(stream, router.clone(), stop.clone(), bounds, place));
    }
    drop(listener);
    tasks.close();
    if tokio::time::timeout(bounds.grace, tasks.wait())
        .await
        .is_err()
    {
        tracing::warn!("some connections were still open when the time to stop was over");
    }
}

async fn next(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
    stop: &Stop,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let taken = async {
        let place = room.clone().acquire_owned().await.ok()?;
        loop {
            match listener.accept().await {
                Ok((stream, _)) => return Some((stream, place)),
                Err(error) if is_of_the_client(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "no connection can be taken; trying again");
                    sleep(OUT_OF_FILES).await;
                }
            }
        }
    };
    tokio::select! {
        taken = taken => taken,
        () = stop.cancelled() => None,
    }
}

/// It was gone before it was taken.
fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

async fn one(
    stream: TcpStream,
    router: Router,
    stop: Stop,
    bounds: Bounds,
    place: OwnedSemaphorePermit,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection answers in larger packets");
    }
    // The pages tell places apart where somebody tries tokens.
    let peer = stream.peer_addr().ok();
    let surface = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        if let Some(peer) = peer {
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        surface.call(request)
    });
    let io = TokioIo::new(Read {
        stream,
        patience: bounds.unread,
        stalled: None,
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.header)
        .max_buf_size(BUFFER)
        .serve_connection(io, service);
    let mut serving = pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
    drop(place);
}

/// A stream whose far end has to read: a write that makes no way for too long is an error.
struct Read {
    stream: TcpStream,
    patience: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Read {
    fn pressed<T>(
        &mut self,
        cx: &mut Context<'_>,
        way: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if let Poll::Ready(made) = way(Pin::new(&mut self.stream), cx) {
            self.stalled = None;
            return Poll::Ready(made);
        }
        let patience = self.patience;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Read {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Read {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.pressed(cx, |stream, cx| stream.poll_write(cx, buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.pressed(cx, |stream, cx| stream.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pressed(cx, AsyncWrite::poll_flush)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pressed(cx, AsyncWrite::poll_shutdown)
    }
}
