//! A provider of HTTP SMS for tests and the demo, in the shapes of Aliyun, Tencent and 移动云MAS: it checks signatures,
//! takes, throttles, refuses, stalls, hangs up, and calls back. This module must not be used to prove a signature: what
//! the providers' own clients sign does.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use channel::testing::Behaviour;
use channel::{Channel, Request, Stop};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};

use super::interface::Interface;

#[derive(Clone, Debug)]
pub struct ProviderConfig {
    pub interface: Interface,
    pub behaviour: Behaviour,
    pub key: String,
    pub secret: String,
    /// How long an answer takes.
    pub delay: Duration,
    /// Whether a text to this number comes; of the others nothing is told.
    pub delivers: fn(&str) -> bool,
}

/// What a provider has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProviderCounters {
    pub requests: usize,
    pub numbers: usize,
    /// Requests whose signature is wrong.
    pub forged: usize,
    /// Connections open at once, at most, and requests under way.
    pub connections: usize,
    pub under_way: usize,
}

#[derive(Default)]
struct Seen {
    requests: AtomicUsize,
    numbers: AtomicUsize,
    forged: AtomicUsize,
    open: AtomicUsize,
    connections: AtomicUsize,
    now: AtomicUsize,
    under_way: AtomicUsize,
}

struct Shared {
    config: ProviderConfig,
    seen: Seen,
    last: Mutex<Value>,
    /// Who is called back, below which path.
    back: Mutex<Option<(Arc<dyn Channel>, String)>>,
}

/// A running provider on 127.0.0.1.
pub struct Provider {
    addr: SocketAddr,
    stop: Stop,
    shared: Arc<Shared>,
}

impl Provider {
    pub async fn start(config: ProviderConfig) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let (stop, refuses) = (Stop::new(), config.behaviour == Behaviour::HangUp);
        let shared = Arc::new(Shared {
            config,
            seen: Seen::default(),
            last: Mutex::new(Value::Null),
            back: Mutex::default(),
        });
        // Over HTTP nobody can tell a closed connection from a lost answer, unless it is never opened.
        if !refuses {
            tokio::spawn(accept(listener, shared.clone(), stop.clone()));
        }
        Ok(Self { addr, stop, shared })
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.addr)
    }

    /// Receipts are told to this channel from now on, on this path.
    pub fn calls(&self, channel: Arc<dyn Channel>, secret: &str) {
        *self.shared.back.lock() = Some((channel, secret.to_owned()));
    }

    /// What the last request said, its fields by name.
    pub fn last(&self) -> Value {
        self.shared.last.lock().clone()
    }

    pub fn counters(&self) -> ProviderCounters {
        let seen = &self.shared.seen;
        let read = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
        ProviderCounters {
            requests: read(&seen.requests),
            numbers: read(&seen.numbers),
            forged: read(&seen.forged),
            connections: read(&seen.connections),
            under_way: read(&seen.under_way),
        }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.stop.cancel();
        // It may be held by the channel that it calls.
        self.shared.back.lock().take();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, stop: Stop) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((socket, _)) = accepted else { continue };
        let (shared, stop) = (shared.clone(), stop.clone());
        tokio::spawn(async move {
            let open = shared.seen.open.fetch_add(1, Ordering::SeqCst) + 1;
            shared.seen.connections.fetch_max(open, Ordering::SeqCst);
            tokio::select! {
                () = stop.cancelled() => {}
                _ = serve(socket, &shared) => {}
            }
            shared.seen.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

/// One request as it was read.
pub(super) struct Call {
    pub path: String,
    pub query: String,
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

async fn serve(socket: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut stream = BufStream::new(socket);
    while let Some(call) = read(&mut stream).await? {
        let seen = &shared.seen;
        seen.requests.fetch_add(1, Ordering::SeqCst);
        let now = seen.now.fetch_add(1, Ordering::SeqCst) + 1;
        seen.under_way.fetch_max(now, Ordering::SeqCst);
        tokio::time::sleep(shared.config.delay).await;
        match shared.config.behaviour {
            Behaviour::Stall => std::future::pending().await,
            Behaviour::HangUpAfterWrite => return Ok(()),
            _ => {}
        }
        let (status, answer, receipts) = shared.decide(&call);
        seen.now.fetch_sub(1, Ordering::SeqCst);
        let body = answer.to_string();
        let head = format!(
            "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
        stream.flush().await?;
        for receipt in receipts {
            shared.call_back(&receipt).await;
        }
    }
    Ok(())
}

async fn read(stream: &mut BufStream<TcpStream>) -> std::io::Result<Option<Call>> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let target = line.split(' ').nth(1).unwrap_or("/").to_owned();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers
        .get("content-length")
        .and_then(|l| l.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(Some(Call {
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body,
    }))
}

impl Shared {
    /// Status, answer, and the receipts that follow it.
    fn decide(&self, call: &Call) -> (u16, Value, Vec<Value>) {
        let fields = self.config.fields(call);
        let proved =
            self.config.is_signed(call, &fields) && self.config.behaviour != Behaviour::RefuseLogin;
        if !proved {
            self.seen.forged.fetch_add(1, Ordering::SeqCst);
        }
        let numbers = self.config.numbers(&fields);
        self.seen.numbers.fetch_add(numbers.len(), Ordering::SeqCst);
        let id = format!("id{}", fastrand::u64(..));
        let receipts = match self.config.behaviour {
            Behaviour::Confirm if proved => {
                let delivered = numbers.iter().filter(|n| (self.config.delivers)(n));
                let delivered: Vec<_> = delivered.cloned().collect();
                self.config.receipts(&id, &delivered)
            }
            _ => Vec::new(),
        };
        *self.last.lock() = fields;
        let (status, answer) = self.config.answer(proved, &id, &numbers);
        (status, answer, receipts)
    }

    /// Until it is kept.
    async fn call_back(&self, receipt: &Value) {
        let Some((channel, secret)) = self.back.lock().clone() else {
            return;
        };
        let body = Bytes::from(receipt.to_string());
        let path = format!("{secret}/receipts");
        loop {
            let request = Request {
                method: "POST".to_owned(),
                path: path.clone(),
                body: body.clone(),
                ..Request::default()
            };
            if channel.serve(request).await.status != 503 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
