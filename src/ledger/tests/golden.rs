//! The golden journals of format 1: bytes that were written once and a state that they mean. Every later version reads
//! them and sees the same. The files are not written again: a changed meaning is a new event, and new events come with a
//! golden journal of their own beside the ones before; a changed layout is a new format.

use std::collections::BTreeSet;
use std::sync::Arc;

use channel::{ManualClock, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::event::{Event, Outcome};
use super::super::record::{FORMAT, unpack};
use super::super::replay::Replayed;
use super::super::{Archive, Writer, replay};
use super::brought::brought;
use super::codec::{EVENTS, place};
use super::history::fixed;
use super::kit::{Memory, START, view};
use super::live::{known, run};
use crate::store::Record;

/// A journal and its state, with the places of the events that it brought.
struct Golden {
    name: &'static str,
    journal: &'static str,
    state: &'static str,
    brought: std::ops::Range<usize>,
}

/// In the order they were written.
const GOLDEN: [Golden; 12] = [
    Golden {
        name: "format-1",
        journal: include_str!("../golden/format-1.json"),
        state: include_str!("../golden/format-1.state.json"),
        brought: 0..18,
    },
    Golden {
        name: "format-1-sealed",
        journal: include_str!("../golden/format-1-sealed.json"),
        state: include_str!("../golden/format-1-sealed.state.json"),
        brought: 18..21,
    },
    Golden {
        name: "format-1-steps",
        journal: include_str!("../golden/format-1-steps.json"),
        state: include_str!("../golden/format-1-steps.state.json"),
        brought: 21..25,
    },
    Golden {
        name: "format-1-decided",
        journal: include_str!("../golden/format-1-decided.json"),
        state: include_str!("../golden/format-1-decided.state.json"),
        brought: 25..26,
    },
    Golden {
        name: "format-1-classes",
        journal: include_str!("../golden/format-1-classes.json"),
        state: include_str!("../golden/format-1-classes.state.json"),
        brought: 26..29,
    },
    Golden {
        name: "format-1-devices",
        journal: include_str!("../golden/format-1-devices.json"),
        state: include_str!("../golden/format-1-devices.state.json"),
        brought: 29..34,
    },
    Golden {
        name: "format-1-looked",
        journal: include_str!("../golden/format-1-looked.json"),
        state: include_str!("../golden/format-1-looked.state.json"),
        brought: 34..35,
    },
    Golden {
        name: "format-1-answered",
        journal: include_str!("../golden/format-1-answered.json"),
        state: include_str!("../golden/format-1-answered.state.json"),
        brought: 35..38,
    },
    Golden {
        name: "format-1-routes",
        journal: include_str!("../golden/format-1-routes.json"),
        state: include_str!("../golden/format-1-routes.state.json"),
        brought: 38..40,
    },
    Golden {
        name: "format-1-believed",
        journal: include_str!("../golden/format-1-believed.json"),
        state: include_str!("../golden/format-1-believed.state.json"),
        brought: 40..41,
    },
    Golden {
        name: "format-1-filing",
        journal: include_str!("../golden/format-1-filing.json"),
        state: include_str!("../golden/format-1-filing.state.json"),
        brought: 41..44,
    },
    Golden {
        name: "format-1-outlets",
        journal: include_str!("../golden/format-1-outlets.json"),
        state: include_str!("../golden/format-1-outlets.state.json"),
        brought: 44..EVENTS,
    },
];

/// One record as the file holds it.
#[derive(Serialize, Deserialize)]
struct Line {
    seq: u64,
    epoch: u32,
    format: u8,
    stream: u64,
    stream_seq: u32,
    time: i64,
    count: u32,
    crc: u32,
    before: String,
    body: String,
}

impl From<&Record> for Line {
    fn from(record: &Record) -> Self {
        Self {
            seq: record.seq,
            epoch: record.epoch,
            format: record.format,
            stream: record.stream,
            stream_seq: record.stream_seq,
            time: record.time.0,
            count: record.count,
            crc: record.crc,
            before: hex::encode(record.before),
            body: hex::encode(&record.body),
        }
    }
}

impl From<Line> for Record {
    fn from(line: Line) -> Self {
        let before = hex::decode(line.before).expect("hex");
        Self {
            seq: line.seq,
            epoch: line.epoch,
            format: line.format,
            stream: line.stream,
            stream_seq: line.stream_seq,
            time: Timestamp(line.time),
            count: line.count,
            crc: line.crc,
            before: before.try_into().expect("32 bytes"),
            body: hex::decode(line.body).expect("hex"),
            torn: None,
        }
    }
}

impl Golden {
    fn records(&self) -> Vec<Record> {
        let lines: Vec<Line> = serde_json::from_str(self.journal).expect("a golden journal");
        lines.into_iter().map(Record::from).collect()
    }
}

/// Every reference that the records hold.
fn references(records: &[Record]) -> Vec<(String, String)> {
    let mut all = BTreeSet::new();
    for event in records.iter().flat_map(|r| unpack(r).expect("whole")) {
        let Event::Settled { channel, rows } = event else {
            continue;
        };
        for row in rows {
            if let Outcome::Accepted { references } = row.outcome {
                all.extend(references.into_iter().map(|r| (channel.clone(), r)));
            }
        }
    }
    all.into_iter().collect()
}

/// The state that the records mean, with what stands beside the fold.
async fn meant(records: Vec<Record>) -> (Value, Replayed) {
    let references = references(&records);
    let replayed = replay(&Memory::of(records)).await.expect("replays");
    let mut serials: Vec<_> = replayed.serials.iter().collect();
    serials.sort();
    let found = known(&replayed.correlator, &references).0;
    let found: Vec<_> = references
        .iter()
        .zip(found)
        .map(|((channel, reference), found)| {
            let delivery = found.map(|f| (f.delivery.stream, f.delivery.number, f.part));
            json!([channel, reference, delivery])
        })
        .collect();
    let state = json!({
        "ledger": view(&replayed.ledger),
        "serials": serials,
        "references": found,
    });
    (state, replayed)
}

#[tokio::test]
async fn every_version_reads_format_1_as_it_was_meant() {
    if std::env::var_os(REWRITE).is_some() {
        rewrite().await;
    }
    for golden in &GOLDEN {
        let records = golden.records();
        let mut places = [false; EVENTS];
        for record in &records {
            assert_eq!(record.format, 1);
            for event in unpack(record).expect("whole") {
                places[place(&event)] = true;
            }
        }
        let missing: Vec<_> = golden.brought.clone().filter(|at| !places[*at]).collect();
        assert_eq!(missing, [0_usize; 0], "{}", golden.name);
        let (state, replayed) = meant(records).await;
        assert!(replayed.damage.is_empty(), "{:?}", replayed.damage);
        let expected: Value = serde_json::from_str(golden.state).expect("a golden state");
        for (key, expected) in expected["ledger"].as_object().expect("a ledger") {
            assert_eq!(&state["ledger"][key], expected, "{}: {key}", golden.name);
        }
        for key in ["serials", "references"] {
            assert_eq!(state[key], expected[key], "{}: {key}", golden.name);
        }
    }
}

#[test]
fn format_1_is_written_as_it_was() {
    for record in GOLDEN.iter().flat_map(Golden::records) {
        let mut body = Vec::new();
        for event in unpack(&record).expect("whole") {
            body = postcard::to_extend(&event, body).expect("packs");
        }
        assert_eq!(
            hex::encode(body),
            hex::encode(record.body),
            "record {}",
            record.seq
        );
    }
}

const REWRITE: &str = "TOCSIN_REWRITE_GOLDEN";

/// Writes the last journal and its state anew and fails the test: only before a release has its events.
/// `TOCSIN_REWRITE_GOLDEN=1 cargo nextest run -p tocsin golden`, and then a review of the difference.
async fn rewrite() {
    assert_eq!(FORMAT, 1, "a new format has a golden journal of its own");
    let store = Arc::new(Memory::default());
    let clock = Arc::new(ManualClock::new(START));
    let begin = replay(&*store).await.expect("empty");
    let archive = Archive::new(begin.ledger.clone(), store.clone());
    let writer = Writer::start(store.clone(), begin.ledger, clock.clone(), begin.history);
    let mut steps = fixed(0).steps;
    steps.extend(brought());
    run(&writer, &clock, &archive, &steps, &[2, 1, 4]).await;
    let records = store.records();
    let lines: Vec<_> = records
        .iter()
        .map(|r| serde_json::to_string(&Line::from(r)).expect("a line"))
        .collect();
    let folder = std::path::Path::new("src/ledger/golden");
    let journal = format!("[\n{}\n]\n", lines.join(",\n"));
    let state = format!("{}\n", meant(records).await.0);
    let name = GOLDEN[GOLDEN.len() - 1].name;
    std::fs::write(folder.join(format!("{name}.json")), journal).expect("writes");
    std::fs::write(folder.join(format!("{name}.state.json")), state).expect("writes");
    panic!(
        "the golden journal was written anew; take {REWRITE} away, review the difference and run again"
    );
}
