//! What controllers must not forget when the process that plays them ends: a real box outlives the gateway. One line for
//! each order taken, before the next poll names it, and one for each whose end was reported. A write reaches the page
//! cache and no further, which outlives the process and not the machine. This module must not play anything.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::order::{Order, Window};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Took { device: String, order: Box<Order> },
    Told { device: String, order: String },
}

/// What one controller still knows of an earlier run.
#[derive(Default)]
pub(super) struct Kept {
    pub window: Window,
    /// The orders it took.
    pub taken: Vec<String>,
    /// Taken, and their end not reported.
    pub open: Vec<Order>,
}

/// Nothing is kept where there is no file.
#[derive(Default)]
pub(super) struct Memory(Option<Mutex<File>>);

impl Memory {
    /// With what an earlier run left, by device.
    pub fn open(path: &Path) -> std::io::Result<(Self, HashMap<String, Kept>)> {
        let mut kept: HashMap<String, Kept> = HashMap::new();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(e) => return Err(e),
        };
        // A kill may have torn the last line: what it began to tell has not happened yet.
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        for line in whole.lines() {
            match serde_json::from_str(line).map_err(std::io::Error::other)? {
                Line::Took { device, order } => {
                    let of = kept.entry(device).or_default();
                    of.window.take(order.counter);
                    of.taken.push(order.order.clone());
                    of.open.retain(|other| other.order != order.order);
                    of.open.push(*order);
                }
                Line::Told { device, order } => {
                    let of = kept.entry(device).or_default();
                    of.open.retain(|other| other.order != order);
                }
            }
        }
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        if whole.len() < text.len() {
            file.set_len(u64::try_from(whole.len()).unwrap_or(u64::MAX))?;
        }
        file.flush()?;
        Ok((Self(Some(Mutex::new(file))), kept))
    }

    pub fn took(&self, device: &str, order: &Order) {
        if self.0.is_some() {
            // Who else it was for matters no more.
            let order = Order {
                to: String::new(),
                ..order.clone()
            };
            self.write(&Line::Took {
                device: device.to_owned(),
                order: Box::new(order),
            });
        }
    }

    pub fn told(&self, device: &str, order: &str) {
        if self.0.is_some() {
            self.write(&Line::Told {
                device: device.to_owned(),
                order: order.to_owned(),
            });
        }
    }

    /// # Panics
    /// When the file cannot be written: a controller that forgets would prove nothing.
    fn write(&self, line: &Line) {
        let Some(file) = &self.0 else { return };
        let mut text = serde_json::to_string(line).expect("an order is text and numbers");
        text.push('\n');
        let written = file.lock().write_all(text.as_bytes());
        written.expect("the controllers' memory can be written");
    }
}

#[cfg(test)]
mod tests {
    use channel::{Level, Timestamp};

    use super::*;

    fn order(counter: u64, id: &str) -> Order {
        Order {
            v: crate::order::VERSION,
            gateway: "g".into(),
            counter,
            kind: crate::order::PLAY.into(),
            order: id.into(),
            drill: false,
            class: crate::order::Class::Emergency,
            authority: channel::Authority::County,
            level: Level::Red,
            event: "11A51".into(),
            language: "zh-CN".into(),
            title: "t".into(),
            text: "t".into(),
            repeats: 1,
            pause: 0,
            parts: Vec::new(),
            regions_hash: String::new(),
            target: String::new(),
            value: 0,
            not_before: Timestamp(0),
            expires: Timestamp(9),
            to: String::new(),
            quake: None,
        }
    }

    #[test]
    fn what_was_taken_and_not_reported_is_open_after_a_kill_and_a_torn_line_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("speakers");
        let (memory, kept) = Memory::open(&path).unwrap();
        assert!(kept.is_empty());
        memory.took("SP-1", &order(3, "1"));
        memory.took("SP-1", &order(4, "2"));
        memory.told("SP-1", "1");
        drop(memory);
        let mut torn = OpenOptions::new().append(true).open(&path).unwrap();
        torn.write_all(b"{\"told\":{\"dev").unwrap();
        for _ in 0..2 {
            let (_, kept) = Memory::open(&path).unwrap();
            let of = &kept["SP-1"];
            assert_eq!((of.window.took(), of.taken.len()), (&[3, 4][..], 2));
            assert_eq!(of.open, [order(4, "2")]);
        }
    }
}
