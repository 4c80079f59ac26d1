//! What far ends have no place for in an alert's texts, by channel: whoever releases it knows it before. This module must not
//! know what any far end can do: each channel says so of each text.

use std::collections::BTreeMap;

use channel::Loss;
use serde::Serialize;
use utoipa::ToSchema;

/// One thing that does not get through a channel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(as = PreviewLoss)]
pub struct LossLine {
    pub channel: String,
    /// In one short word.
    pub reason: &'static str,
    pub en: &'static str,
    pub zh: &'static str,
    /// Deliveries whose text loses it.
    pub deliveries: u32,
}

/// By channel and by a text's place.
#[derive(Default)]
pub struct Losses(BTreeMap<(String, usize), (Vec<Loss>, u32)>);

/// Texts one behind another, each with how often: most deliveries are of one.
#[derive(Default)]
pub struct Runs(Vec<(usize, u32)>);

impl Runs {
    pub fn add(&mut self, text: usize) {
        match self.0.last_mut() {
            Some((last, count)) if *last == text => *count += 1,
            _ => self.0.push((text, 1)),
        }
    }
}

impl Losses {
    pub fn put(&mut self, channel: &str, text: usize, lost: Vec<Loss>) {
        if !lost.is_empty() {
            let key = (channel.to_owned(), text);
            self.0.entry(key).or_insert((lost, 0));
        }
    }

    pub fn told(&mut self, channel: &str, runs: &Runs) {
        if self.0.is_empty() {
            return;
        }
        for (text, count) in &runs.0 {
            if let Some((_, told)) = self.0.get_mut(&(channel.to_owned(), *text)) {
                *told += count;
            }
        }
    }

    pub fn lines(self) -> Vec<LossLine> {
        let mut sums: BTreeMap<(String, Loss), u32> = BTreeMap::new();
        for ((channel, _), (lost, count)) in self.0 {
            for loss in lost {
                *sums.entry((channel.clone(), loss)).or_default() += count;
            }
        }
        let told = sums.into_iter().filter(|(_, deliveries)| *deliveries > 0);
        told.map(|((channel, loss), deliveries)| LossLine {
            channel,
            reason: loss.code,
            en: loss.en,
            zh: loss.zh,
            deliveries,
        })
        .collect()
    }
}
