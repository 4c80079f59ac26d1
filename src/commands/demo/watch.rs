//! The warning as it goes out: a bar for each channel and one for each town, drawn anew as receipts come in; a plain line
//! every few seconds where nobody watches a terminal. Every figure is a query over the ledger. This module must not
//! decide whether the demo succeeded.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::county;
use crate::app::App;
use crate::coverage::{self, ChannelLine, Row};
use crate::ledger::{Alert, Phase};
use crate::model::RegionCode;

const LOOK: Duration = Duration::from_millis(250);
const PLAIN_EVERY: u32 = 20;

/// True when every delivery has its final answer within `limit`.
pub async fn until_final(app: &App, alert: &Alert, limit: Duration) -> bool {
    let mut view = if std::io::stderr().is_terminal() {
        Some(View::new())
    } else {
        None
    };
    let looks = u32::try_from(limit.as_millis() / LOOK.as_millis()).unwrap_or(u32::MAX);
    let mut ended = false;
    for look in 0..looks {
        let lines = coverage::channels(alert);
        ended = is_final(alert, &lines);
        match &mut view {
            // The towns are counted over every household: once a second is enough to watch.
            Some(view) => {
                view.channels(&lines);
                if look % 4 == 0 || ended {
                    view.towns(&coverage::rollup(alert, &app.registry.read(), county::code()).rows);
                }
            }
            None if look % PLAIN_EVERY == 0 => plain(look, &lines),
            None => {}
        }
        if ended {
            break;
        }
        tokio::time::sleep(LOOK).await;
    }
    if let Some(view) = view {
        view.clear();
    }
    ended
}

/// Its blocks are all written, and nothing is open in them.
pub fn is_final(alert: &Alert, lines: &[ChannelLine]) -> bool {
    let open = |l: &ChannelLine| l.planned + l.handed + l.awaiting + l.due;
    matches!(alert.phase(), Phase::Planned | Phase::Withdrawn)
        && lines.iter().map(open).sum::<u32>() == 0
}

fn submitted(line: &ChannelLine) -> u32 {
    line.total - line.planned - line.handed - line.due
}

fn plain(look: u32, lines: &[ChannelLine]) {
    let seconds = (LOOK * look).as_secs();
    let part = |l: &ChannelLine| {
        format!(
            "{} {}/{} sent 已发 {} reached 送达 {} failed 失败",
            l.channel,
            submitted(l),
            l.total,
            l.reached,
            l.failed
        )
    };
    say!(
        "{seconds:>4} s  {}",
        lines.iter().map(part).collect::<Vec<_>>().join("  |  ")
    );
}

struct View {
    all: MultiProgress,
    channels: BTreeMap<String, ProgressBar>,
    towns: BTreeMap<RegionCode, ProgressBar>,
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}

impl View {
    fn new() -> Self {
        Self {
            all: MultiProgress::new(),
            channels: BTreeMap::new(),
            towns: BTreeMap::new(),
        }
    }

    fn channels(&mut self, lines: &[ChannelLine]) {
        for line in lines {
            let bar = self
                .channels
                .entry(line.channel.clone())
                .or_insert_with(|| {
                    let bar = self.all.add(ProgressBar::new(u64::from(line.total)));
                    bar.set_style(style(
                        "{prefix:>8} {bar:32.green/dim} {pos:>7}/{len:<7} {msg}",
                    ));
                    bar.set_prefix(line.channel.clone());
                    bar
                });
            bar.set_length(u64::from(line.total));
            bar.set_position(u64::from(submitted(line)));
            bar.set_message(format!(
                "送达 reached {}  待回执 awaiting {}  重发 due {}  失败 failed {}",
                line.reached, line.awaiting, line.due, line.failed
            ));
        }
    }

    fn towns(&mut self, rows: &[Row]) {
        for row in rows {
            let bar = self.towns.entry(row.region).or_insert_with(|| {
                let bar = self.all.add(ProgressBar::new(u64::from(row.at_home)));
                bar.set_style(style("{bar:20.green/dim} {pos:>6}/{len:<6} {msg}"));
                bar
            });
            bar.set_length(u64::from(row.at_home));
            bar.set_position(u64::from(row.reached.all()));
            bar.set_message(format!(
                "{}  未触达 missed {}  不明 unknown {}  未定 pending {}",
                row.name,
                row.missed.all(),
                row.unknown,
                row.pending
            ));
        }
    }

    fn clear(self) {
        for bar in self.channels.values().chain(self.towns.values()) {
            bar.abandon();
        }
    }
}
