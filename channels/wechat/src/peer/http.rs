//! The peer's connections: one request after the other, each read whole. This module must not know what is asked.

use std::sync::Arc;

use channel::Stop;
use channel::testing::Behaviour;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};

use super::Shared;

/// One request as it was read.
pub struct Asked {
    pub path: String,
    query: Vec<(String, String)>,
    json: Value,
}

impl Asked {
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }

    pub fn json(&self) -> &Value {
        &self.json
    }
}

pub async fn accept(listener: TcpListener, shared: Arc<Shared>, stop: Stop) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((socket, _)) = accepted else { continue };
        let (shared, stop) = (shared.clone(), stop.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                _ = serve(socket, &shared) => {}
            }
        });
    }
}

async fn serve(socket: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut stream = BufStream::new(socket);
    while let Some(asked) = read(&mut stream).await? {
        match shared.config.behaviour {
            Behaviour::Stall if Shared::sends(&asked) => std::future::pending().await,
            Behaviour::HangUpAfterWrite if Shared::sends(&asked) => return Ok(()),
            _ => {}
        }
        let (answer, calls) = shared.answer(&asked);
        let body = answer.to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
        stream.flush().await?;
        for xml in calls {
            shared.call(&xml).await;
        }
    }
    Ok(())
}

async fn read(stream: &mut BufStream<TcpStream>) -> std::io::Result<Option<Asked>> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let target = line.split(' ').nth(1).unwrap_or("/").to_owned();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    Ok(Some(Asked {
        path: path.to_owned(),
        query: pairs.map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
        json: serde_json::from_slice(&body).unwrap_or(Value::Null),
    }))
}
