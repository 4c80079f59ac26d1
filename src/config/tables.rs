//! The tables that an operator may put in the place of those that the program brings: event codes, carriers'
//! prefixes, how loudspeakers sound.
//! This module must not interpret a row.

use std::path::Path;

use super::{ChannelConfig, Config, Node};
use crate::plan::preview::Means;
use crate::plan::sounds::Table;
use crate::plan::{Carriers, Events, Filing, Filings, Sounds};

#[derive(Clone)]
pub struct Tables {
    pub events: Events,
    pub carriers: Carriers,
    pub sounds: Table,
}

impl Tables {
    /// With what is configured of the ways out: all that a preview knows of them.
    pub fn means(self, config: &Config) -> Means {
        let channels = &config.channels;
        let languages = config.languages.clone();
        let rate = |c: &ChannelConfig| (c.name.clone(), c.rate);
        let filings = channels.iter().flat_map(|channel| {
            let of = |filing: &Filing| (channel.name.clone(), filing.clone());
            channel.filing.iter().map(of)
        });
        Means {
            rates: channels.iter().map(rate).collect(),
            filings: Filings::new(filings),
            carriers: self.carriers,
            events: self.events,
            hush: config.speakers.clone(),
            sounds: Sounds {
                table: self.sounds,
                languages,
            },
        }
    }

    /// Those that the program brings.
    pub fn shipped() -> Self {
        Self {
            events: Events::shipped(),
            carriers: Carriers::shipped(),
            sounds: Table::shipped(),
        }
    }
}

/// All tables, or everything that is wrong with them; paths are relative to `base`.
pub fn read(base: &Path, node: &Node) -> Result<Tables, Vec<String>> {
    let events = table(base, node.events.as_deref(), "events", Events::parse);
    let carriers = table(base, node.carriers.as_deref(), "carriers", Carriers::parse);
    let sounds = table(base, node.sounds.as_deref(), "sounds", Table::parse);
    match (events, carriers, sounds) {
        (Ok(events), Ok(carriers), Ok(sounds)) => {
            let shipped = Tables::shipped();
            Ok(Tables {
                events: events.unwrap_or(shipped.events),
                carriers: carriers.unwrap_or(shipped.carriers),
                sounds: sounds.unwrap_or(shipped.sounds),
            })
        }
        (events, carriers, sounds) => {
            let mut problems = events.err().unwrap_or_default();
            problems.extend(carriers.err().unwrap_or_default());
            problems.extend(sounds.err().unwrap_or_default());
            Err(problems)
        }
    }
}

fn table<T>(
    base: &Path,
    file: Option<&Path>,
    key: &str,
    parse: fn(&str) -> Result<T, Vec<String>>,
) -> Result<Option<T>, Vec<String>> {
    let Some(file) = file.map(|file| base.join(file)) else {
        return Ok(None);
    };
    let said = |why: String| format!("node.{key}: {}: {why}", file.display());
    let text = std::fs::read_to_string(&file).map_err(|e| vec![said(e.to_string())])?;
    let read = parse(&text);
    read.map(Some)
        .map_err(|problems| problems.into_iter().map(said).collect())
}
