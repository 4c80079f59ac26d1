//! The warning as it goes out: a bar for each channel and one for each town, drawn anew as receipts come in; a plain line
//! every few seconds where nobody watches a terminal. Every figure is a query over the ledger. This module must not
//! decide whether the demo succeeded.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::county;
use super::verdict::columns;
use crate::app::App;
use crate::coverage::{self, ChannelLine, Row};
use crate::ledger::{Alert, Block, Phase};
use crate::model::{RegionCode, State};

const LOOK: Duration = Duration::from_millis(250);
const PLAIN_EVERY: u32 = 20;
/// Of a terminal.
const COLUMNS: usize = 100;

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
        ended = is_final(alert);
        match &mut view {
            // The towns are counted over every household: once a second is enough to watch.
            Some(view) => {
                view.channels(&lines);
                if look % 4 == 0 || ended {
                    view.towns(&coverage::rollup(alert, &app.registry.read(), county::code()).rows);
                }
            }
            None if look % PLAIN_EVERY == 0 => say!("{}", plain((LOOK * look).as_secs(), &lines)),
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

/// Its blocks are all written, and nothing is open in them. Who was called to an outlet is waited for far longer, and was
/// warned of nothing by that.
pub fn is_final(alert: &Alert) -> bool {
    let open = |block: &Arc<Block>| {
        let waits = [State::Planned, State::Handed, State::Awaiting, State::Due];
        block.audience.is_warned() && waits.iter().any(|state| block.tally(*state) > 0)
    };
    matches!(alert.phase(), Phase::Planned | Phase::Withdrawn) && !alert.blocks().iter().any(open)
}

fn open(line: &ChannelLine) -> u32 {
    line.planned + line.handed + line.awaiting + line.due
}

fn submitted(line: &ChannelLine) -> u32 {
    line.total - line.planned - line.handed - line.due
}

/// One line of a terminal, whatever the number of channels: what all of them did, and which have the most left, as many as
/// there is room for.
fn plain(seconds: u64, lines: &[ChannelLine]) -> String {
    let sum = |of: fn(&ChannelLine) -> u32| lines.iter().map(of).sum::<u32>();
    let mut line = format!(
        "{seconds:>4} s 已发 sent {}/{} 送达 reached {} 失败 failed {}",
        sum(submitted),
        sum(|l| l.total),
        sum(|l| l.reached),
        sum(|l| l.failed)
    );
    let mut left: Vec<_> = lines.iter().filter(|l| open(l) > 0).collect();
    left.sort_by_key(|l| std::cmp::Reverse(open(l)));
    if !left.is_empty() {
        line += " 未定 open";
    }
    for (nth, channel) in left.iter().enumerate() {
        let more = format!(" {}", channel.channel);
        // Room for how many more there are.
        if columns(&line) + columns(&more) + 5 > COLUMNS {
            return format!("{line} +{}", left.len() - nth);
        }
        line += &more;
    }
    line
}

/// What stands behind a channel's bar.
fn beside(line: &ChannelLine) -> String {
    format!(
        "送达 reached {} 未定 open {} 失败 failed {}",
        line.reached,
        open(line),
        line.failed
    )
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
                        "{prefix:>9} {bar:12.green/dim} {pos:>7}/{len:<7} {msg}",
                    ));
                    bar.set_prefix(line.channel.clone());
                    bar
                });
            bar.set_length(u64::from(line.total));
            bar.set_position(u64::from(submitted(line)));
            bar.set_message(beside(line));
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a county of two million, in the middle of it.
    fn lines(channels: usize) -> Vec<ChannelLine> {
        let line = |nth| ChannelLine {
            channel: format!("channel-{nth:02}"),
            total: 500_000,
            handed: 100_000,
            awaiting: 100_000,
            due: 10_000,
            reached: 250_000,
            failed: 10_000,
            ..ChannelLine::default()
        };
        (0..channels).map(line).collect()
    }

    #[test]
    fn what_is_told_while_it_goes_out_fits_a_terminal_of_a_hundred_columns() {
        for channels in [0, 1, 2, 3, 13] {
            let line = plain(1_700, &lines(channels));
            assert!(columns(&line) <= 100, "{} columns: {line}", columns(&line));
        }
        // The prefix, the bar and both figures stand before it.
        let bar = 9 + 1 + 12 + 1 + 7 + 1 + 7 + 1;
        let line = beside(&lines(1)[0]);
        assert!(bar + columns(&line) <= 100, "{line}");
    }

    #[test]
    fn the_plain_line_sums_all_channels_and_names_those_with_the_most_left() {
        let mut lines = lines(4);
        lines[2].awaiting += 5;
        lines[0] = ChannelLine {
            total: 7,
            reached: 7,
            ..ChannelLine::default()
        };
        let wanted = "12 s 已发 sent 1170007/1500007 送达 reached 750007 失败 failed 30000 未定 open channel-02 +2";
        assert_eq!(plain(12, &lines).trim(), wanted);
        let done = plain(3, &lines[..1]);
        assert!(done.ends_with("失败 failed 0"), "{done}");
    }
}
