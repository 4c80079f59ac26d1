//! `tocsin cap`: what a message, a feed or a folder of them is worth, without a gateway. Every finding at once, in Chinese
//! and English or as JSON, with an exit code. One file at a time is in memory, and of it one message. This module must
//! not judge: the crate `cap` does.

mod files;
mod show;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cap::{Bounds, Disposition, Feed, Limits, Profile, Seen, Stop};
use channel::{Clock, SystemClock};
use indicatif::ProgressBar;

use super::Failed;
use files::Found;
use show::Show;

#[derive(clap::Subcommand)]
pub enum Cap {
    /// Read CAP files, feeds and folders and list everything that is wrong with them 检查预警消息
    #[command(after_help = EXIT_CODES)]
    Check(Box<Args>),
    /// List every rule that a message is held to 列出全部规则
    Rules(Rules),
}

const EXIT_CODES: &str = "\
Exit codes 退出码:
  0  no message was rejected 没有消息被拒绝
  1  a message or file was rejected 有消息或文件被拒绝
  2  a file cannot be read, or the command line is wrong 文件无法读取，或命令有误

Read: CAP 1.2, 1.1 and 1.0, GB/T 35965.1; alone or within Atom, RSS, EDXL-DE and lists. Nothing is fetched.";

#[derive(clap::Args)]
pub struct Args {
    /// Files, folders with all that is below them, and - for standard input 文件、文件夹，- 为标准输入
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// One JSON object per alert and line 每条预警输出一行 JSON
    #[arg(long)]
    json: bool,
    /// The moment to check for, such as 2026-06-01T16:00:00+08:00; else now 以此时刻为准，默认为现在
    #[arg(long, value_name = "TIME")]
    at: Option<cap::Time>,
    /// The offset that times without one are known to mean, such as +08:00 缺少时区的时间按此时区理解
    #[arg(long, value_name = "OFFSET", value_parser = offset, allow_hyphen_values = true)]
    zone: Option<i16>,
    /// The box that the country lies in, in degrees: to see swapped coordinates 所在国的经纬度范围
    #[arg(long, value_name = "SOUTH,WEST,NORTH,EAST", value_parser = bounds, allow_hyphen_values = true)]
    country: Option<Bounds>,
    /// They come from a public feed: Private messages are rejected 来自公开来源，拒绝 Private 消息
    #[arg(long)]
    public: bool,
    /// Also hold them to a profile: google, ipaws, cap-cp, cap-au, meteoalarm 另按某一规范检查
    #[arg(long)]
    profile: Option<Profile>,
    /// The most that one message may have, such as 5M 单条消息的上限
    #[arg(long, value_name = "BYTES", default_value = "5M", value_parser = bytes)]
    max_message: usize,
    /// The most that one file may have, such as 64M 单个文件的上限
    #[arg(long, value_name = "BYTES", default_value = "64M", value_parser = bytes)]
    max_file: usize,
}

#[derive(clap::Args)]
pub struct Rules {
    /// One JSON object per rule and line 每条规则输出一行 JSON
    #[arg(long)]
    json: bool,
}

impl Cap {
    pub fn run(self) -> Result<(), Failed> {
        match self {
            Self::Check(args) => check(&args),
            Self::Rules(rules) => written(&show::rules(rules.json)),
        }
    }
}

/// What has been counted so far.
#[derive(Default)]
struct Tally {
    messages: usize,
    rejected: usize,
    unreadable: Vec<String>,
}

struct Run<'a> {
    feed: Feed,
    now: i64,
    seen: Seen,
    tally: Tally,
    show: &'a mut Show<BufWriter<io::StdoutLock<'static>>>,
}

fn check(args: &Args) -> Result<(), Failed> {
    let clock = SystemClock::default();
    let mut show = Show::new(BufWriter::new(io::stdout().lock()), args.json);
    let mut run = Run {
        feed: Feed {
            zone: args.zone,
            country: args.country,
            public: args.public,
            profile: args.profile,
            limits: Limits {
                message: args.max_message,
                file: args.max_file,
            },
        },
        now: args.at.map_or_else(|| clock.now().secs(), |at| at.unix),
        seen: Seen::default(),
        tally: Tally::default(),
        show: &mut show,
    };
    let mut progress = Progress::new(&clock);
    for found in files::below(&args.files) {
        if let Err(error) = run.one(found) {
            return ended(&error);
        }
        progress.step(run.tally.messages);
    }
    progress.bar.finish_and_clear();
    let tally = run.tally;
    if let Err(error) = show.end(tally.messages, tally.rejected) {
        return ended(&error);
    }
    let unreadable = tally.unreadable.join("\n");
    if tally.rejected > 0 {
        let also = if unreadable.is_empty() { "" } else { "\n" };
        let text = format!("{} rejected 条被拒绝{also}{unreadable}", tally.rejected);
        return Err(Failed::No(text));
    }
    if tally.unreadable.is_empty() {
        return Ok(());
    }
    Err(Failed::Input(unreadable))
}

impl Run<'_> {
    fn one(&mut self, found: Found) -> io::Result<()> {
        let (name, bytes) = match found.read(self.feed.limits.file) {
            Ok(read) => read,
            Err(why) => {
                self.tally.unreadable.push(why);
                return Ok(());
            }
        };
        let mut wrote = Ok(());
        let (seen, show, tally) = (&mut self.seen, &mut *self.show, &mut self.tally);
        let opened = cap::open(&bytes, self.now, &self.feed, &mut |mut held| {
            seen.note(&mut held.report);
            tally.messages += 1;
            tally.rejected += usize::from(held.report.disposition == Disposition::Reject);
            if wrote.is_ok() {
                wrote = show.message(&name, &held);
            }
        });
        wrote?;
        let refused = opened
            .findings
            .iter()
            .any(|finding| cap::rule(finding.rule).is_some_and(|rule| rule.stop == Stop::Refuse));
        self.tally.rejected += usize::from(refused);
        self.show.file(&name, &opened, refused)
    }
}

/// A bar on a terminal, once it takes over a second and nothing else is shown there.
struct Progress<'c> {
    clock: &'c SystemClock,
    start: Duration,
    bar: ProgressBar,
}

impl<'c> Progress<'c> {
    fn new(clock: &'c SystemClock) -> Self {
        Self {
            clock,
            start: clock.tick(),
            bar: ProgressBar::hidden(),
        }
    }

    fn step(&mut self, messages: usize) {
        use std::io::IsTerminal;
        let slow = self.clock.tick().saturating_sub(self.start) > Duration::from_secs(1);
        if slow && self.bar.is_hidden() && !io::stdout().is_terminal() {
            self.bar = ProgressBar::new_spinner();
        }
        self.bar.set_message(format!("{messages} messages 条消息"));
        self.bar.tick();
    }
}

fn written(text: &str) -> Result<(), Failed> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) => ended(&error),
    }
}

/// Whoever reads the output has seen enough; anything else is a fault.
fn ended(error: &io::Error) -> Result<(), Failed> {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Ok(());
    }
    let text = format!("writing to standard output: {error}");
    Err(Failed::Unreachable(text))
}

/// What a file is called in the output.
fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn bytes(text: &str) -> Result<usize, String> {
    let (digits, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let unit: usize = match unit {
        "" => 1,
        "K" | "k" => 1 << 10,
        "M" | "m" => 1 << 20,
        "G" | "g" => 1 << 30,
        _ => return Err("give a number, and K, M or G behind it".into()),
    };
    let number: usize = digits.parse().map_err(|_| "give a number")?;
    let bytes = number.checked_mul(unit).filter(|bytes| *bytes > 0);
    bytes.ok_or_else(|| "give a number that is neither 0 nor beyond this machine".into())
}

fn offset(text: &str) -> Result<i16, String> {
    let time: cap::Time = format!("2026-01-01T00:00:00{text}")
        .parse()
        .map_err(|_| "give an offset such as +08:00")?;
    Ok(time.offset_minutes)
}

fn bounds(text: &str) -> Result<Bounds, String> {
    let degrees: Vec<f64> = text
        .split(',')
        .map_while(|part| part.trim().parse().ok())
        .collect();
    let &[south, west, north, east] = degrees.as_slice() else {
        return Err("give four numbers: south,west,north,east".into());
    };
    if !(south < north && west < east) {
        return Err("south must be below north, and west below east".into());
    }
    Ok(Bounds {
        south,
        west,
        north,
        east,
    })
}
