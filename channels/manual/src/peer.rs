//! A person at an outlet, for tests and the demo: opens the outlet's list by its link, and enters on each item that waits
//! what was done. This module must not know more than a person who has the link.

use std::sync::Arc;
use std::time::Duration;

use channel::{Channel, Clock, Request, Stop};
use serde_json::{Value, json};

use crate::entry::Outcome;
use crate::moment;

pub struct Person {
    pub channel: Arc<dyn Channel>,
    /// The path of the list, behind the channel's own prefix.
    pub link: String,
    pub clock: Arc<dyn Clock>,
    /// How often this person looks.
    pub looks: Duration,
}

impl Person {
    /// Looks until `stop`, and enters `played` on whatever waits.
    pub async fn work(self, stop: Stop) {
        loop {
            for link in self.waiting().await {
                self.enter(&link, Outcome::Played).await;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(self.looks) => {}
            }
        }
    }

    async fn waiting(&self) -> Vec<String> {
        let list = self.ask("GET", &self.link, "").await;
        let items = list["items"].as_array().cloned().unwrap_or_default();
        let waits = |item: &Value| matches!(item["standing"].as_str(), Some("open" | "overdue"));
        let path = |item: &Value| {
            let link = item["link"].as_str()?;
            // What stands behind /v1/channels/NAME/.
            Some(link.splitn(5, '/').nth(4)?.to_owned())
        };
        items
            .iter()
            .filter(|item| waits(item))
            .filter_map(path)
            .collect()
    }

    async fn enter(&self, link: &str, outcome: Outcome) {
        let done = moment::field(self.clock.now());
        let entry = json!({ "outcome": outcome, "name": "演示值班员", "done": done });
        self.ask("POST", link, &entry.to_string()).await;
    }

    async fn ask(&self, method: &str, path: &str, body: &str) -> Value {
        let json = "application/json".to_owned();
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: vec![
                ("accept".into(), json.clone()),
                ("content-type".into(), json),
            ],
            body: body.to_owned().into(),
            ..Request::default()
        };
        let reply = self.channel.serve(request).await;
        serde_json::from_slice(&reply.body).unwrap_or_default()
    }
}
