//! Reports as an officer reads them and as a script does. Texts of a message may hold anything, so what a terminal would
//! obey is made visible instead. This module must not decide what a report means.

use std::fmt::Write as _;
use std::io::{self, Write};

use cap::{Disposition, Finding, FindingLevel, Held, Kind, Opened, Stop};
use serde::Serialize;

pub struct Show<W: Write> {
    out: W,
    json: bool,
}

/// One alert, or one file that something is to be said about.
#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    /// Where in the file the alert stands; none where the file itself is spoken of.
    path: Option<&'a str>,
    kind: Option<Kind>,
    identity: Option<Identity<'a>>,
    version: Option<cap::Version>,
    conforming: Option<bool>,
    disposition: Option<Disposition>,
    findings: &'a [Finding],
}

#[derive(Serialize)]
struct Identity<'a> {
    sender: &'a str,
    identifier: &'a str,
    sent: String,
}

impl<W: Write> Show<W> {
    pub fn new(out: W, json: bool) -> Self {
        Self { out, json }
    }

    pub fn message(&mut self, file: &str, held: &Held) -> io::Result<()> {
        let report = &held.report;
        let alert = report.alert.as_ref();
        let identity = alert.map(|alert| Identity {
            sender: &alert.sender,
            identifier: &alert.identifier,
            sent: alert.sent.to_string(),
        });
        if self.json {
            return self.line(&Line {
                file,
                path: Some(&held.path),
                kind: None,
                identity,
                version: alert.map(|alert| alert.version),
                conforming: Some(report.conforming),
                disposition: Some(report.disposition),
                findings: &report.findings,
            });
        }
        let within = if held.path == "/alert" {
            ""
        } else {
            &held.path
        };
        let conforming = if report.conforming {
            "conforming 符合标准"
        } else {
            "not conforming 不符合标准"
        };
        let verdict = disposition(report.disposition);
        self.plain(&format!("{file}{within}: {verdict}, {conforming}"))?;
        if let Some(one) = identity {
            self.plain(&format!(
                "  {} · {} · {}",
                one.sender, one.identifier, one.sent
            ))?;
        }
        self.findings(&report.findings)
    }

    pub fn file(&mut self, file: &str, opened: &Opened, refused: bool) -> io::Result<()> {
        if opened.findings.is_empty() {
            return Ok(());
        }
        if self.json {
            return self.line(&Line {
                file,
                path: None,
                kind: Some(opened.kind),
                identity: None,
                version: None,
                conforming: None,
                disposition: refused.then_some(Disposition::Reject),
                findings: &opened.findings,
            });
        }
        let verdict = if refused {
            disposition(Disposition::Reject).to_owned()
        } else {
            format!("{} alert(s) in it 条预警", opened.messages)
        };
        self.plain(&format!("{file}: {verdict}"))?;
        self.findings(&opened.findings)
    }

    /// The last line, for people alone.
    pub fn end(&mut self, messages: usize, rejected: usize) -> io::Result<()> {
        if !self.json {
            self.plain(&format!(
                "{messages} alert(s), {rejected} rejected 共 {messages} 条预警，{rejected} 条被拒绝"
            ))?;
        }
        self.out.flush()
    }

    fn findings(&mut self, findings: &[Finding]) -> io::Result<()> {
        for one in findings {
            let at = one.position.map(|at| format!("@{at}")).unwrap_or_default();
            let level = level(one.level);
            self.plain(&format!("  {level} {} {}{at}", one.rule, one.path))?;
            self.plain(&format!("    {}", one.zh))?;
            self.plain(&format!("    {}", one.en))?;
        }
        Ok(())
    }

    fn line(&mut self, line: &Line<'_>) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, line)?;
        self.out.write_all(b"\n")
    }

    fn plain(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{}", visible(text))
    }
}

const fn disposition(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Accept => "accept 接受",
        Disposition::AcceptWithWarnings => "accept with warnings 接受（有警告）",
        Disposition::Quarantine => "quarantine 隔离待人工核查",
        Disposition::Reject => "reject 拒绝",
    }
}

const fn level(level: FindingLevel) -> &'static str {
    match level {
        FindingLevel::Error => "error 错误",
        FindingLevel::Warning => "warning 警告",
        FindingLevel::Info => "info 提示",
    }
}

/// Nothing that moves a cursor or turns the direction of writing.
fn visible(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
    };
    text.chars()
        .map(|c| if hidden(c) { '\u{FFFD}' } else { c })
        .collect()
}

#[derive(Serialize)]
struct Listed {
    id: &'static str,
    level: FindingLevel,
    mandatory: bool,
    stop: &'static str,
    zh: &'static str,
    en: &'static str,
}

/// The catalogue.
pub fn rules(json: bool) -> String {
    let mut text = String::new();
    for rule in cap::rules() {
        let stop = match rule.stop {
            Stop::No => "no",
            Stop::Hold => "quarantine",
            Stop::Refuse => "reject",
        };
        if json {
            let listed = Listed {
                id: rule.id,
                level: rule.level,
                mandatory: rule.mandatory,
                stop,
                zh: rule.zh,
                en: rule.en,
            };
            text += &serde_json::to_string(&listed).expect("a rule is plain text");
            text.push('\n');
        } else {
            let _ = writeln!(
                text,
                "{}\n  {}\n  {}\n  {}",
                rule.id,
                level(rule.level),
                rule.zh,
                rule.en
            );
        }
    }
    text
}
