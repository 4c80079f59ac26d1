//! What an operator writes: `tocsin.toml`, plans, and the tables of event codes and prefixes. This module must not open
//! a file that a configuration names.

use std::path::PathBuf;

use super::sample::context;
use crate::config;
use crate::factories;
use crate::plan::sounds::Table;
use crate::plan::{Carriers, Events, Plan};

/// A sentence quotes a line of the file.
const SENTENCE: usize = 4_000;

pub fn settings(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut config = match config::of_text(&text) {
        Ok(config) => config,
        Err(why) => return said(&why, text.len()),
    };
    // It would be opened.
    config.node.registry_key_file = None;
    for problem in config::problems(&config) {
        said(&problem, text.len());
    }
    // A mail channel keeps its sessions with a task.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let _inside = runtime.enter();
    for mut channel in config.channels {
        if let Some(file) = channel.settings.get_mut("ca_file") {
            *file = toml::Value::String(PathBuf::from("/nowhere").display().to_string());
        }
        let (context, _) = context("settings-fuzz");
        if let Err(why) = factories::make(&channel.kind, channel.settings, context) {
            said(&why, text.len());
        }
    }
}

pub fn plan(bytes: &[u8]) {
    match Plan::parse(bytes) {
        Ok(plan) => {
            let raises = plan.send.is_empty();
            assert_eq!(raises, plan.raise.is_some() && plan.language.is_empty());
        }
        Err(why) => said(&why, bytes.len()),
    }
}

pub fn tables(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let sounds = Table::parse(&text);
    if let Ok(sounds) = &sounds {
        let row = sounds.row(&text, channel::Level::Red);
        assert!(
            row.tone
                .is_none_or(|(_, seconds)| (1..=60).contains(&seconds))
        );
    }
    let (events, carriers) = (Events::parse(&text).err(), Carriers::parse(&text).err());
    for problems in [events, carriers, sounds.err()] {
        for problem in problems.iter().flatten() {
            said(problem, text.len());
            assert!(problem.starts_with("line "), "{problem}");
        }
    }
    if let Ok(carriers) = Carriers::parse(&text) {
        carriers.of("+8600000000001");
        carriers.of(&text);
    }
}

fn said(why: &str, length: usize) {
    assert!(!why.trim().is_empty() && why.len() < SENTENCE + 4 * length);
}
