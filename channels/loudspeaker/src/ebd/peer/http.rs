//! The platform's door: one request a connection, as plain as its clients are. This module must not know what a packet says.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::super::archive::Archive;
use super::super::body::Response;
use super::super::multipart;
use super::{Inner, Take};

pub async fn listen(listener: TcpListener, inner: Arc<Inner>) {
    loop {
        let stream = tokio::select! {
            () = inner.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = stream else { continue };
        let inner = inner.clone();
        tokio::spawn(async move {
            let stop = inner.stop.clone();
            tokio::select! {
                () = stop.cancelled() => {}
                // A client that goes away is no news here.
                _ = serve(&inner, stream) => {}
            }
        });
    }
}

async fn serve(inner: &Arc<Inner>, stream: TcpStream) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut kind, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? <= 2 {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap_or(0),
                "content-type" => kind = Some(value.trim().to_owned()),
                _ => {}
            }
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let archive = multipart::read(kind.as_deref(), &body).ok();
    let archive = archive.and_then(|file| Archive::read(file.bytes).ok());
    let Some(archive) = archive else {
        return answer(&mut stream, 400, b"").await;
    };
    let take = inner.takes(&archive);
    if take == Take::HangUp {
        return Ok(());
    }
    inner.came.lock().push(archive.packet.clone());
    match take {
        Take::Receipt(code) => {
            let tar = inner.taken(&archive, code).await;
            answer(&mut stream, 200, &tar).await
        }
        Take::Status(status) => answer(&mut stream, status, b"").await,
        Take::Garbage => answer(&mut stream, 200, b"<html>busy</html>").await,
        Take::Stall => {
            inner.stop.cancelled().await;
            Ok(())
        }
        Take::HangUpAfterWrite => {
            inner.taken(&archive, Response::GOOD).await;
            Ok(())
        }
        Take::HangUp => Ok(()),
    }
}

async fn answer(stream: &mut BufReader<TcpStream>, status: u16, body: &[u8]) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/x-tar\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await?;
    stream.flush().await
}
