//! A provider's desk over HTTP: it takes requests as its script says, and tells later what became of the calls. It must
//! not be reachable from another machine.

use std::io;
use std::sync::{Arc, Weak};

use channel::{Channel, Reply, Request, Stop};
use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What happens to a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Take {
    /// Answers with this status and body.
    Answer(u16, String),
    /// Answers, and calls back on this path with this body.
    CallBack(u16, String, String, String),
    /// Reads it and never answers.
    Stall,
    /// Reads it and closes.
    Close,
}

type Script = dyn Fn(&str) -> Take + Send + Sync;

struct Inner {
    script: Box<Script>,
    bodies: Mutex<Vec<String>>,
    heads: Mutex<Vec<String>>,
    back: Mutex<Option<Weak<dyn Channel>>>,
    replies: Mutex<Vec<u16>>,
}

/// A running desk; it stops when this is dropped.
pub struct Desk {
    port: u16,
    inner: Arc<Inner>,
    stop: Stop,
}

impl Desk {
    /// The script sees each request's body.
    pub async fn start(script: impl Fn(&str) -> Take + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let desk = Self {
            port: listener.local_addr()?.port(),
            inner: Arc::new(Inner {
                script: Box::new(script),
                bodies: Mutex::default(),
                heads: Mutex::default(),
                back: Mutex::default(),
                replies: Mutex::default(),
            }),
            stop: Stop::new(),
        };
        let (inner, stop) = (desk.inner.clone(), desk.stop.clone());
        tokio::spawn(async move {
            loop {
                let stream = tokio::select! {
                    () = stop.cancelled() => return,
                    accepted = listener.accept() => accepted,
                };
                let Ok((stream, _)) = stream else { continue };
                let (inner, stop) = (inner.clone(), stop.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        // A client that goes away is no news here.
                        _ = inner.serve(stream) => {}
                    }
                });
            }
        });
        Ok(desk)
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/call", self.port)
    }

    /// Whom it calls back.
    pub fn connect(&self, channel: &Arc<dyn Channel>) {
        *self.inner.back.lock() = Some(Arc::downgrade(channel));
    }

    /// The bodies of all requests.
    pub fn bodies(&self) -> Vec<String> {
        self.inner.bodies.lock().clone()
    }

    /// The heads of all requests.
    pub fn heads(&self) -> Vec<String> {
        self.inner.heads.lock().clone()
    }

    /// How its own calls were answered.
    pub fn replies(&self) -> Vec<u16> {
        self.inner.replies.lock().clone()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Inner {
    async fn serve(&self, stream: TcpStream) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? <= 2 {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap_or(0);
            }
            head.push_str(&line);
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        let body = String::from_utf8_lossy(&body).into_owned();
        let take = (self.script)(&body);
        self.heads.lock().push(head);
        self.bodies.lock().push(body);
        match take {
            Take::Stall => std::future::pending().await,
            Take::Close => Ok(()),
            Take::Answer(status, body) => answer(&mut stream, status, &body).await,
            Take::CallBack(status, body, path, told) => {
                answer(&mut stream, status, &body).await?;
                let reply = self.call_back(path, told).await;
                self.replies.lock().push(reply.status);
                Ok(())
            }
        }
    }

    async fn call_back(&self, path: String, body: String) -> Reply {
        let back = self.back.lock().as_ref().and_then(Weak::upgrade);
        let request = Request {
            method: "POST".to_owned(),
            path,
            body: body.into(),
            ..Request::default()
        };
        match back {
            Some(channel) => channel.serve(request).await,
            None => Reply::status(404),
        }
    }
}

async fn answer(stream: &mut BufReader<TcpStream>, status: u16, body: &str) -> io::Result<()> {
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status} Peer\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    stream.write_all(text.as_bytes()).await?;
    stream.flush().await
}
