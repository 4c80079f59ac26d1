//! One image of a killed gateway: its data folder as the kill left it, or with the log cut to the last acknowledged
//! commit, and a far end forked at that moment. It is read, started, followed to its end and judged. This module must not
//! kill anything.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::gateway::{count, within};
use crate::journal::Journal;
use crate::land::Land;
use crate::node::{self, CAP, Node};
use crate::smsc::{Fate, Memory, Smsc, Text, fate};
use crate::warning::COUNTY;

/// What stood when the gateway was killed.
pub struct Moment {
    pub memory: Memory,
    /// Texts whose receipt was answered, and what it said.
    pub answered: Vec<(Text, String)>,
    /// Alerts that were answered with 202: mark and id.
    pub accepted: Vec<(u32, u64)>,
    pub spool: PathBuf,
}

#[derive(Default, Debug)]
pub struct Outcome {
    pub problems: Vec<String>,
    /// Handed and not settled in the image.
    pub in_hand: usize,
    /// Of the texts that the SMSC had: how many no `Handed` names.
    pub unnamed: usize,
    pub doubts: u64,
    /// Texts that came more often than scripted.
    pub twice: usize,
}

/// Copies a data folder without its shared memory, with the log cut where that is asked.
pub fn copy(data: &Path, to: &Path, cut: Option<u64>) {
    std::fs::create_dir_all(to).expect("a folder");
    for name in ["registry.sqlite", "journal.sqlite", "journal.sqlite-wal"] {
        if data.join(name).exists() {
            std::fs::copy(data.join(name), to.join(name)).expect("it is copied");
        }
    }
    if let Some(length) = cut {
        let wal = std::fs::File::options()
            .write(true)
            .open(to.join("journal.sqlite-wal"));
        let wal = wal.expect("the log");
        assert!(
            wal.metadata().expect("its length").len() >= length,
            "a cut makes nothing longer"
        );
        wal.set_len(length).expect("it is cut");
    }
}

/// What a delivery ended as, by text.
type Ends = BTreeMap<Text, String>;

pub async fn prove(land: &Land, moment: &Moment, data: &Path, cut: Option<u64>) -> Outcome {
    let (folder, read) = (folder(), folder());
    copy(data, &read.path().join("data"), cut);
    copy(data, &folder.path().join("data"), cut);
    let journal = Journal::read(&read.path().join("data"), &land.mobiles).await;
    let mut outcome = Outcome {
        in_hand: journal.in_hand.len(),
        ..Outcome::default()
    };
    as_found(moment, &journal, &mut outcome);

    let spool = folder.path().join("spool");
    std::fs::copy(&moment.spool, &spool).expect("it is copied");
    let smsc = Smsc::start(moment.memory.clone(), &spool, 0).await;
    node::configure(folder.path(), smsc.port());
    let node = Node::start(folder.path()).await;
    let (ends, doubts) = followed(land, &node, &smsc).await;
    drop(node);
    outcome.doubts = doubts;
    as_ended(land, moment, &ends, &smsc.memory(), &mut outcome);
    outcome
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Rules 1 and 2, without a restart: what is outside is in the journal.
fn as_found(moment: &Moment, journal: &Journal, outcome: &mut Outcome) {
    for (mark, id) in &moment.accepted {
        if journal.accepted.get(id) != Some(mark) {
            outcome
                .problems
                .push(format!("alert {id} was answered with 202 and is not there"));
        }
    }
    let unnamed = moment
        .memory
        .seen
        .keys()
        .filter(|text| !journal.handed.contains(*text));
    outcome.unnamed = unnamed.count();
    if outcome.unnamed > 0 {
        outcome.problems.push(format!(
            "{} texts were sent and never handed",
            outcome.unnamed
        ));
    }
    if outcome.in_hand > CAP {
        outcome
            .problems
            .push(format!("{} in hand, more than {CAP}", outcome.in_hand));
    }
}

/// Follows every alert to its end, and takes down what each delivery came to.
pub async fn followed(land: &Land, node: &Node, smsc: &Smsc) -> (Ends, u64) {
    let list = node.api.get("/v1/alerts?limit=500").await;
    let alerts = list["alerts"].as_array().expect("a list");
    let mut doubts = 0;
    for alert in alerts {
        doubts += count(&node.api.ended(count(&alert["id"])).await["doubts"]);
    }
    within("every receipt is answered", async || {
        (smsc.outstanding() == 0).then_some(())
    })
    .await;
    let mut ends = Ends::new();
    for alert in alerts {
        let identifier = alert["identity"]["identifier"].as_str().expect("a text");
        let mark = identifier.trim_start_matches("a-").parse().expect("a mark");
        for delivery in deliveries(node, count(&alert["id"])).await {
            let endpoint = delivery["endpoint"].as_u64().expect("an id");
            let answer = delivery["answer"].as_str().expect("a text");
            ends.insert((mark, land.mobiles[&endpoint].clone()), answer.to_owned());
        }
    }
    (ends, doubts)
}

async fn deliveries(node: &Node, alert: u64) -> Vec<Value> {
    let path = format!("/v1/alerts/{alert}/households?under={COUNTY}&limit=5000");
    let answer = node.api.get(&path).await;
    let mut all = Vec::new();
    for household in answer["households"].as_array().expect("a list") {
        let id = u32::try_from(count(&household["id"])).expect("an id");
        all.extend(node.api.deliveries(alert, id).await);
    }
    all
}

/// Nothing is lost, and what came twice is told.
pub fn as_ended(land: &Land, moment: &Moment, ends: &Ends, memory: &Memory, outcome: &mut Outcome) {
    let whole = |mark: u32| ends.keys().filter(|(m, _)| *m == mark).count();
    for (mark, id) in &moment.accepted {
        let deliveries = whole(*mark);
        // The first alert is for the whole county, each other for one village.
        if deliveries == 0 || (*mark == 1 && deliveries != land.mobiles.len()) {
            outcome
                .problems
                .push(format!("alert {id} has {deliveries} deliveries"));
        }
    }
    for ((mark, number), answer) in ends {
        let text = (*mark, number.clone());
        if !memory.seen.contains_key(&text) {
            outcome
                .problems
                .push(format!("alert a-{mark}: …{} was never sent", &number[8..]));
        }
        let wanted = match fate(number) {
            Fate::Delivers | Fate::Busy => "reached",
            Fate::Dead | Fate::Off => "missed",
            Fate::Silent => "unknown",
        };
        if answer != wanted {
            outcome.problems.push(format!(
                "alert a-{mark}: …{} is {answer}, not {wanted}",
                &number[8..]
            ));
        }
    }
    for (text, said) in &moment.answered {
        if said == "DELIVRD" && ends.get(text).is_none_or(|answer| answer != "reached") {
            outcome.problems.push(format!(
                "alert a-{}: the answered receipt of …{} is lost",
                text.0,
                &text.1[8..]
            ));
        }
    }
    outcome.twice = memory
        .seen
        .iter()
        .filter(|((_, number), seen)| seen.twice(number))
        .count();
    let (twice, doubts) = (outcome.twice, outcome.doubts);
    if u64::try_from(twice).expect("few") > doubts || doubts > u64::try_from(CAP).expect("few") {
        outcome.problems.push(format!(
            "{twice} came twice, {doubts} doubts are told, {CAP} is the bound"
        ));
    }
}
