//! `tocsin bench-kannel`: hands texts to Kannel's smsbox over HTTP on connections that stay open, takes the calls by
//! which Kannel tells of its receipts, and says how many deliveries with a receipt it made a second. This module must
//! not be slower than Kannel, and must not stop its watch before the last receipt.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use channel::{Clock, SystemClock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::wire::{self, find};
use crate::commands::Failed;

#[derive(clap::Args)]
pub struct Args {
    /// The port of smsbox's sendsms
    #[arg(long)]
    port: u16,
    #[arg(long, default_value_t = 200_000)]
    texts: u32,
    /// Connections to smsbox
    #[arg(long, default_value_t = 32)]
    connections: u32,
    /// The text, as it stands in an address
    #[arg(long)]
    text: String,
}

/// Kannel is given up when no receipt comes for so long.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Default)]
struct Count {
    next: AtomicU32,
    taken: AtomicU32,
    receipts: AtomicU32,
}

pub async fn run(args: Args) -> Result<(), Failed> {
    let lost = |e: std::io::Error| Failed::Unreachable(format!("kannel: {e}"));
    let sink = TcpListener::bind("127.0.0.1:0").await.map_err(lost)?;
    let receipts = sink.local_addr().map_err(lost)?.port();
    let count = Arc::new(Count::default());
    let sinking = tokio::spawn(listen(sink, count.clone()));
    let clock = SystemClock::default();
    let start = clock.tick();
    let mut driving = JoinSet::new();
    for _ in 0..args.connections {
        let stream = TcpStream::connect(("127.0.0.1", args.port))
            .await
            .map_err(lost)?;
        stream.set_nodelay(true).map_err(lost)?;
        let request = format!(
            "/cgi-bin/sendsms?username=bench&password=bench&from=10690000&charset=UTF-8&coding=2&text={}&dlr-mask=3&dlr-url=http%3A%2F%2F127.0.0.1%3A{receipts}%2F%25d",
            args.text
        );
        driving.spawn(drive(stream, args.texts, request, count.clone()));
    }
    while let Some(one) = driving.join_next().await {
        let one = one.map_err(|e| Failed::Unreachable(e.to_string()))?;
        one.map_err(|e| Failed::Unreachable(format!("a connection to smsbox: {e}")))?;
    }
    let handed = clock.tick().saturating_sub(start);
    let end = last_receipt(&count, &clock, args.texts)
        .await
        .saturating_sub(start);
    sinking.abort();
    let (taken, receipts) = (
        count.taken.load(Ordering::SeqCst),
        count.receipts.load(Ordering::SeqCst),
    );
    let rate = |n: u32, time: Duration| f64::from(n) / time.as_secs_f64();
    tell!(
        "  {taken} of {} taken by smsbox at {:.0}/s, {receipts} receipts after {:.1} s",
        args.texts,
        rate(taken, handed),
        end.as_secs_f64()
    );
    say!("{:.0}", rate(receipts, end));
    Ok(())
}

/// When the last receipt came: all of them, or none for a while.
async fn last_receipt(count: &Count, clock: &SystemClock, texts: u32) -> Duration {
    let (mut seen, mut at) = (0, clock.tick());
    loop {
        let now = count.receipts.load(Ordering::SeqCst);
        if now != seen {
            (seen, at) = (now, clock.tick());
        }
        if seen >= texts || clock.tick().saturating_sub(at) > PATIENCE {
            return at;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Hands in one text after the other; each number once, none of which could ring.
async fn drive(
    mut stream: TcpStream,
    texts: u32,
    request: String,
    count: Arc<Count>,
) -> std::io::Result<()> {
    let mut answer = Vec::with_capacity(1024);
    loop {
        let number = count.next.fetch_add(1, Ordering::Relaxed);
        if number >= texts {
            return Ok(());
        }
        let line = format!("GET {request}&to=0{number:010} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
        stream.write_all(line.as_bytes()).await?;
        answer.clear();
        answer = wire::answer(&mut stream, answer).await?;
        if answer.starts_with(b"HTTP/1.1 202") {
            count.taken.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn listen(sink: TcpListener, count: Arc<Count>) {
    while let Ok((stream, _)) = sink.accept().await {
        tokio::spawn(take(stream, count.clone()));
    }
}

/// Answers every call that Kannel makes about a receipt; 1 is the handset's own. Each ends with an empty line and has no body.
async fn take(mut stream: TcpStream, count: Arc<Count>) -> std::io::Result<()> {
    let mut calls = Vec::with_capacity(4096);
    loop {
        if stream.read_buf(&mut calls).await? == 0 {
            return Ok(());
        }
        while let Some(end) = find(&calls, b"\r\n\r\n") {
            if calls.starts_with(b"GET /1 ") {
                count.receipts.fetch_add(1, Ordering::SeqCst);
            }
            calls.drain(..end + 4);
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                .await?;
        }
    }
}
