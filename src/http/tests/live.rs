//! The live line of an alert over a socket: what is told, to whom, from where on, and how it ends.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::sealed::ended;
use super::*;
use crate::ledger::event::{HandedRange, Why};

pub(super) struct Line {
    stream: TcpStream,
    pub head: String,
    unread: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Told {
    pub id: u64,
    pub event: String,
    pub data: Value,
}

impl Line {
    pub async fn of(surface: &Surface, token: &str, query: &str, last: Option<u64>) -> Self {
        let path = format!("/v1/alerts/1/live{query}");
        Self::at(surface, token, &path, last).await
    }

    pub async fn at(surface: &Surface, token: &str, path: &str, last: Option<u64>) -> Self {
        let place = surface.base.trim_start_matches("http://");
        let stream = TcpStream::connect(place).await.expect("connects");
        let last = last.map(|id| format!("Last-Event-ID: {id}\r\n"));
        let ask = format!(
            "GET {path} HTTP/1.0\r\nAuthorization: Bearer {token}\r\n{}\r\n",
            last.unwrap_or_default()
        );
        let mut line = Self {
            stream,
            head: String::new(),
            unread: Vec::new(),
        };
        line.stream.write_all(ask.as_bytes()).await.expect("asked");
        line.head = line.until("\r\n\r\n").await.expect("a head");
        line
    }

    /// What comes before the mark; nothing when the line ends first.
    async fn until(&mut self, mark: &str) -> Option<String> {
        let mark = mark.as_bytes();
        loop {
            let found = self.unread.windows(mark.len()).position(|w| w == mark);
            if let Some(at) = found {
                let rest = self.unread.split_off(at + mark.len());
                let text = std::mem::replace(&mut self.unread, rest);
                return Some(String::from_utf8(text).expect("UTF-8"));
            }
            let read = self.stream.read_buf(&mut self.unread);
            let read = tokio::time::timeout(Duration::from_secs(10), read).await;
            if read.expect("in time").expect("a whole line") == 0 {
                return None;
            }
        }
    }

    pub async fn told(&mut self) -> Option<Told> {
        let text = self.until("\n\n").await?;
        let field = |name: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(name));
            value.unwrap_or_else(|| panic!("no {name} in {text}"))
        };
        Some(Told {
            id: field("id: ").parse().expect("a number"),
            event: field("event: ").to_owned(),
            data: serde_json::from_str(field("data: ")).expect("JSON"),
        })
    }

    pub async fn next(&mut self) -> Told {
        self.told().await.expect("one more event")
    }
}

/// Delivery `number` goes out.
pub(super) fn handed(number: u32) -> Event {
    let range = HandedRange {
        lo: number,
        hi: number + 1,
        attempt: 1,
        why: Why::First,
        serial: u64::from(number) + 40,
    };
    Event::Handed {
        channel: "sms-mobile".into(),
        ranges: vec![range],
    }
}

#[tokio::test]
async fn whoever_listens_is_told_the_whole_and_then_what_changes() {
    let surface = Surface::with_alert().await;
    let mut line = Line::of(&surface, "water", "", None).await;
    let head = line.head.to_lowercase();
    assert!(head.starts_with("http/1.0 200"), "{head}");
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    assert!(head.contains("cache-control: no-store"), "{head}");

    let whole = line.next().await;
    assert_eq!(whole.event, "whole");
    assert_eq!(whole.data["state"], "in-force");
    assert_eq!(
        whole.data["villages"].as_object().map(serde_json::Map::len),
        Some(3)
    );

    surface.propose(1, vec![handed(0)]).await;
    let change = line.next().await;
    assert_eq!((change.event.as_str(), change.id), ("change", whole.id + 1));
    assert_eq!(change.data["villages"], json!({}), "one is still pending");
    let sms = |data: &Value| {
        let lines = data["channels"].as_array().expect("channels").clone();
        lines.into_iter().find(|l| l["channel"] == "sms-mobile")
    };
    assert_eq!(sms(&change.data).expect("its line")["handed"], 1);
    surface.stop().await;
}

#[tokio::test]
async fn whoever_lost_the_line_goes_on_where_they_were() {
    let surface = Surface::with_alert().await;
    let mut line = Line::of(&surface, "water", "", None).await;
    let whole = line.next().await;
    surface.propose(1, vec![handed(0)]).await;
    let first = line.next().await;
    drop(line);
    let mut back = Line::of(&surface, "water", "", Some(whole.id)).await;
    let again = back.next().await;
    assert_eq!(
        (again.id, &again.data),
        (first.id, &first.data),
        "what was missed"
    );
    surface.propose(1, vec![handed(1)]).await;
    assert_eq!(back.next().await.id, first.id + 1);

    let mut lost = Line::of(&surface, "water", "", Some(3)).await;
    assert_eq!(lost.next().await.event, "whole", "too old to go on from");
    surface.stop().await;
}

#[tokio::test]
async fn nobody_is_told_of_regions_that_are_not_theirs() {
    let surface = Surface::with_alert().await;
    let whole = Line::of(&surface, "town", "", None).await.next().await;
    let villages = whole.data["villages"].as_object().expect("villages");
    assert!(
        !villages.is_empty() && villages.keys().all(|code| code.starts_with("510727217")),
        "{villages:?}"
    );
    let query = "?under=510727217201";
    let one = Line::of(&surface, "water", query, None).await.next().await;
    assert_eq!(
        one.data["villages"].as_object().map(serde_json::Map::len),
        Some(1)
    );
    for (token, query, status) in [
        ("town", "?under=510727", 403),
        ("far", "", 404),
        ("mute", "", 403),
        ("nobody", "", 401),
        ("water", "?since=3", 400),
    ] {
        let path = format!("/v1/alerts/1/live{query}");
        let reply = surface.call("GET", &path, token, b"").await;
        assert_eq!(reply.status, status, "{token} {query}");
    }
    surface.stop().await;
}

#[tokio::test]
async fn the_line_outlives_the_patience_and_ends_when_the_gateway_stops() {
    let surface = Surface::with_alert().await;
    let mut line = Line::of(&surface, "water", "", None).await;
    line.next().await;
    surface.stop.cancel();
    assert!(line.told().await.is_none(), "it ends, and ends whole");
    surface.stop().await;
}

#[tokio::test]
async fn a_sealed_alert_is_told_once_and_whoever_comes_back_is_told_not_to() {
    let surface = Surface::with_alert().await;
    surface.propose(1, ended()).await;
    surface.seal().await;
    let mut line = Line::of(&surface, "water", "", None).await;
    let whole = line.next().await;
    assert_eq!(whole.event, "whole");
    assert_eq!(
        whole.data["villages"].as_object().map(serde_json::Map::len),
        Some(3)
    );
    assert!(line.told().await.is_none(), "nothing comes after it");
    let back = Line::of(&surface, "water", "", Some(whole.id)).await;
    assert!(back.head.starts_with("HTTP/1.0 204"), "{}", back.head);
    surface.stop().await;
}
