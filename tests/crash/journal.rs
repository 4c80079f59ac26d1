//! A journal as `tocsin journal dump --json` shows it: what was accepted, addressed, handed and settled. This module must
//! not open the database itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use tokio::process::Command;

use crate::gateway::both;
use crate::node::binary;
use crate::smsc::Text;

#[derive(Default)]
pub struct Journal {
    /// The mark of each stream's alert.
    pub accepted: BTreeMap<u64, u32>,
    pub addressed: BTreeSet<Text>,
    pub handed: BTreeSet<Text>,
    /// Handed, and not settled since.
    pub in_hand: BTreeSet<Text>,
    deliveries: BTreeMap<(u64, u64), Text>,
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

impl Journal {
    /// Of a copy that nothing else uses.
    pub async fn read(data: &Path, mobiles: &BTreeMap<u64, String>) -> Self {
        let output = Command::new(binary())
            .args(["journal", "dump", "--json", "--data"])
            .arg(data)
            .env_remove("TOCSIN_WAL_MARK")
            .output()
            .await
            .expect("it starts");
        assert!(output.status.success(), "{}", both(&output));
        let mut journal = Self::default();
        for line in String::from_utf8(output.stdout).expect("UTF-8").lines() {
            let line: Value = serde_json::from_str(line).expect("a line is JSON");
            journal.take(number(&line["stream"]), &line["event"], mobiles);
        }
        journal
    }

    fn take(&mut self, stream: u64, event: &Value, mobiles: &BTreeMap<u64, String>) {
        let Some((kind, event)) = event.as_object().and_then(|event| event.iter().next()) else {
            return;
        };
        match kind.as_str() {
            "accepted" => {
                let identifier = event["identity"]["identifier"].as_str().expect("a text");
                let mark = identifier.trim_start_matches("a-").parse().expect("a mark");
                self.accepted.insert(stream, mark);
            }
            "block" => {
                let mark = self.accepted[&stream];
                for (delivery, endpoint) in
                    (number(&event["first"])..).zip(list(&event["endpoints"]))
                {
                    let text = (mark, mobiles[&number(endpoint)].clone());
                    self.addressed.insert(text.clone());
                    self.deliveries.insert((stream, delivery), text);
                }
            }
            "handed" => {
                for range in list(&event["ranges"]) {
                    for delivery in number(&range["lo"])..number(&range["hi"]) {
                        let text = self.deliveries[&(stream, delivery)].clone();
                        self.handed.insert(text.clone());
                        self.in_hand.insert(text);
                    }
                }
            }
            "settled" => {
                for row in list(&event["rows"]) {
                    self.in_hand
                        .remove(&self.deliveries[&(stream, number(&row["delivery"]))]);
                }
            }
            _ => {}
        }
    }
}
