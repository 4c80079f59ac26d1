//! Clients that are slow on purpose, over raw sockets: whoever dribbles a header or a body, or does not read what it is
//! told, is given up in bounded time, and nobody else notices.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use super::live::{Line, handed};
use super::*;
use crate::coverage::fixture::code;

const SHORT: Duration = Duration::from_millis(300);
/// What a machine under load may take on top.
const SLACK: Duration = Duration::from_secs(20);

impl Surface {
    async fn short() -> Self {
        let bounds = Bounds {
            header: SHORT,
            body: SHORT,
            unread: SHORT,
            grace: Duration::from_secs(1),
            ..Bounds::default()
        };
        Self::with(|want| want.bounds = bounds).await
    }

    fn address(&self) -> &str {
        self.base.strip_prefix("http://").expect("a base")
    }

    async fn socket(&self) -> TcpStream {
        TcpStream::connect(self.address()).await.expect("connects")
    }
}

/// Sends a piece again and again until the gateway has closed, and gives what it said.
async fn dribble(mut socket: TcpStream, piece: &[u8]) -> String {
    let (mut read, mut write) = socket.split();
    let mut said = Vec::new();
    let sending = async {
        while write.write_all(piece).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        std::future::pending::<()>().await;
    };
    let reading = async {
        // A reset is an end too.
        let _ = read.read_to_end(&mut said).await;
    };
    tokio::select! {
        () = sending => {},
        () = reading => {},
        () = tokio::time::sleep(SLACK) => panic!("it is still served"),
    }
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test]
async fn a_header_that_dribbles_is_given_up() {
    let surface = Surface::short().await;
    let mut socket = surface.socket().await;
    socket
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n")
        .await
        .expect("written");
    let said = dribble(socket, b"x-a: b\r\n").await;
    assert!(!said.contains("200 OK"), "{said}");
    assert_eq!(surface.get("/healthz").await["status"], "alive");
    surface.stop().await;
}

#[tokio::test]
async fn a_connection_without_a_request_is_given_up() {
    let surface = Surface::short().await;
    let mut socket = surface.socket().await;
    let mut said = Vec::new();
    let ended = tokio::time::timeout(SLACK, socket.read_to_end(&mut said)).await;
    ended.expect("it is closed").expect("without an error");
    surface.stop().await;
}

#[tokio::test]
async fn a_body_that_dribbles_is_told_so_and_changes_nothing() {
    let surface = Surface::short().await;
    for (path, form) in [
        ("/v1/alerts", ""),
        ("/v1/channels/echo/x", ""),
        (
            "/v1/registry/import",
            "content-type: multipart/form-data; boundary=x\r\n",
        ),
    ] {
        let token = if form.is_empty() { "water" } else { "keeper" };
        let mut socket = surface.socket().await;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n{form}content-length: 1000000\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).await.expect("written");
        let said = dribble(socket, b" ").await;
        assert!(
            said.starts_with("HTTP/1.1 408") && said.contains("/problems/too-slow"),
            "{path}: {said}"
        );
    }
    assert_eq!(
        *surface.writer.position().borrow(),
        0,
        "nothing was written"
    );
    surface.stop().await;
}

/// A socket with little room, so that what is not read soon stands at the gateway.
async fn narrow(surface: &Surface) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("set");
    let address = surface.address().parse().expect("an address");
    socket.connect(address).await.expect("connects")
}

/// Writes on, and reads nothing, until the gateway has closed.
async fn until_closed(mut socket: TcpStream) {
    let closed = async {
        while socket.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(SLACK, closed)
        .await
        .expect("it is given up");
}

#[tokio::test]
async fn an_answer_that_nobody_reads_is_given_up() {
    let surface = Surface::short().await;
    // Twice as long as an answer: more than the systems keep between the two ends.
    let large = "\"".repeat(BODY - 1_000);
    let mut socket = narrow(&surface).await;
    let head = format!(
        "POST /v1/channels/echo/x HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n",
        large.len()
    );
    socket.write_all(head.as_bytes()).await.expect("written");
    socket.write_all(large.as_bytes()).await.expect("written");
    until_closed(socket).await;
    assert_eq!(surface.get("/healthz").await["status"], "alive");
    surface.stop().await;
}

#[tokio::test]
async fn a_line_that_is_read_stays_open_however_seldom_it_speaks() {
    let surface = Surface::short().await;
    let body = cap("a-1", "510727");
    surface
        .call("POST", "/v1/alerts", "water", body.as_bytes())
        .await;
    let mut socket = surface.socket().await;
    let head = "GET /v1/alerts/1/live HTTP/1.1\r\nhost: x\r\nauthorization: Bearer water\r\n\r\n";
    socket.write_all(head.as_bytes()).await.expect("written");
    let mut said = vec![0; 64 * 1024];
    let open = async {
        loop {
            let read = socket.read(&mut said).await.expect("it is open");
            assert!(read > 0, "it was closed");
        }
    };
    let three_times = tokio::time::timeout(SHORT * 3, open).await;
    assert!(three_times.is_err(), "it never ends by itself");
    surface.stop().await;
}

#[tokio::test]
async fn a_live_line_that_nobody_reads_is_given_up_and_holds_nobody_else_up() {
    let surface = Surface::with(|want| {
        want.bounds.unread = SHORT;
        want.kept = Some(4_096);
    });
    let surface = surface.await.alerted().await;
    let mut idle = narrow(&surface).await;
    let head = "GET /v1/alerts/1/live HTTP/1.1\r\nhost: x\r\nauthorization: Bearer water\r\n\r\n";
    idle.write_all(head.as_bytes()).await.expect("written");
    let mut quick = Line::of(&surface, "water", "", None).await;
    let whole = quick.next().await;
    // It is handed and comes back, again and again: each is a change, and far more than the systems keep.
    let scope = vec![code("510727")];
    for number in 1..=200 {
        let event = if number % 2 == 1 {
            handed(0)
        } else {
            Event::Returned {
                deliveries: vec![0],
                at: START,
            }
        };
        surface.propose(1, vec![event]).await;
        surface.gate.hub.figures(1, scope.clone()).await;
        assert_eq!(quick.next().await.id, whole.id + number);
    }
    until_closed(idle).await;
    surface.stop().await;
}

#[tokio::test]
async fn more_connections_than_there_is_room_for_wait_and_are_served() {
    let bounds = Bounds {
        header: SHORT,
        connections: 2,
        grace: Duration::from_secs(1),
        ..Bounds::default()
    };
    let surface = Surface::with(|want| want.bounds = bounds).await;
    let (_one, _two) = (surface.socket().await, surface.socket().await);
    assert_eq!(surface.get("/healthz").await["status"], "alive");
    surface.stop().await;
}
