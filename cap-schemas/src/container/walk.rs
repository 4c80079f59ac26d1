//! Through a container's text from start to end: alerts become trees and then reports, everything else is passed over.
//! A message beyond its limits is refused and the next one read; what is not well-formed ends the walk, for nothing
//! behind it can be trusted. This module must not keep what it has passed.

use quick_xml::NsReader;
use quick_xml::events::{BytesStart, Event};

use super::entry::Entry;
use super::{Held, Kind, Opened, embedded};
use crate::check;
use crate::feed::Feed;
use crate::finding::{Findings, Place};
use crate::limits;
use crate::read;
use crate::rules;
use crate::tree::{self, Builder, Namespace, Refusal, refuse};

/// What the root of a text says it is; nothing where there is none to be read.
pub(super) fn root(text: &str) -> Option<Kind> {
    let mut reader = NsReader::from_str(text);
    loop {
        match reader.read_event() {
            Ok(Event::Start(start) | Event::Empty(start)) => {
                return Some(Kind::of_root(start.local_name().into_inner()));
            }
            Ok(Event::Eof) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

pub(super) fn walk(
    text: &str,
    skipped: usize,
    with: (i64, &Feed),
    findings: Findings,
    each: &mut dyn FnMut(Held),
) -> Opened {
    let mut walk = Walk {
        skipped,
        with,
        findings,
        each,
        kind: Kind::Other,
        open: Vec::new(),
        entry: Entry::default(),
        entries: 0,
        messages: 0,
        inside: Inside::Nothing,
    };
    match walk.through(text) {
        Ok(()) => walk.end(),
        Err(refusal) => {
            let place = Place::new(walk.path(), refusal.at + skipped);
            walk.findings.quote(refusal.rule, &place, &refusal.why);
        }
    }
    Opened {
        kind: walk.kind,
        messages: walk.messages,
        findings: walk.findings.done(),
    }
}

/// What is being read.
enum Inside {
    Nothing,
    Alert(Builder),
    /// An alert that was refused, until no more elements than these are open.
    Refused(usize),
}

struct Walk<'w> {
    skipped: usize,
    with: (i64, &'w Feed),
    findings: Findings,
    each: &'w mut dyn FnMut(Held),
    kind: Kind,
    /// The names of the open elements, an entry's with its number.
    open: Vec<String>,
    entry: Entry,
    entries: usize,
    messages: usize,
    inside: Inside,
}

impl Walk<'_> {
    fn through(&mut self, text: &str) -> Result<(), Refusal> {
        let mut reader = tree::reader(text)?;
        let mut rooted = false;
        loop {
            let (event, at) = tree::next(&mut reader)?;
            match event {
                Event::Eof if self.open.is_empty() && rooted => return Ok(()),
                Event::Eof => {
                    let why = "the document ends too early";
                    return Err(refuse(&rules::WELL_FORMED, text.len(), why));
                }
                Event::Start(start) => {
                    if self.open.is_empty() && rooted {
                        return Err(refuse(&rules::WELL_FORMED, at, "a second root element"));
                    }
                    rooted = true;
                    let namespace = tree::namespace(&reader, &start, at)?;
                    self.start(namespace, &start, at)?;
                }
                Event::End(_) => self.close(),
                Event::DocType(_) => return Err(refuse(&rules::NO_DTD, at, "DOCTYPE")),
                other => self.other(&other, at)?,
            }
        }
    }

    fn start(
        &mut self,
        namespace: Namespace,
        start: &BytesStart<'_>,
        at: usize,
    ) -> Result<(), Refusal> {
        let name = start.local_name().into_inner();
        if let Inside::Alert(builder) = &mut self.inside {
            let opened = builder.open(namespace, start, at);
            self.held(opened)?;
        } else if matches!(self.inside, Inside::Nothing) {
            tree::tag(start, at)?;
            if self.open.len() >= limits::DEPTH {
                let most = format!("more than {} levels of elements", limits::DEPTH);
                return Err(refuse(&rules::LIMIT, at, most));
            }
            if self.open.is_empty() {
                self.kind = Kind::of_root(name);
            } else if name == "alert" && namespace != Namespace::Signature {
                // One of a namespace that is nobody's is the reader's to refuse, not to be passed over.
                let mut builder = Builder::new(self.skipped, self.with.1.limits.message);
                let opened = builder.open(namespace, start, at);
                self.inside = Inside::Alert(builder);
                self.open.push(name.to_owned());
                return self.held(opened);
            } else if self.kind.entry() == Some(name) {
                self.entries += 1;
                self.entry = Entry::at(at + self.skipped);
                self.open.push(format!("{name}[{}]", self.entries));
                return Ok(());
            } else {
                self.entry.start(name, namespace, start);
            }
        }
        // What lies below a refused alert is counted, however deep.
        self.open.push(name.to_owned());
        Ok(())
    }

    fn other(&mut self, event: &Event<'_>, at: usize) -> Result<(), Refusal> {
        match &mut self.inside {
            Inside::Alert(builder) => {
                let taken = builder.take(event, at);
                self.held(taken)
            }
            Inside::Refused(_) => Ok(()),
            Inside::Nothing => self.entry.take(event, at, self.with.1.limits.message),
        }
    }

    /// What one message may not cost refuses that message alone.
    fn held(&mut self, taken: Result<(), Refusal>) -> Result<(), Refusal> {
        let refusal = match taken {
            Err(refusal) if refusal.rule.id == rules::LIMIT.id => refusal,
            other => return other,
        };
        let mut findings = Findings::default();
        let place = Place::new("/alert", refusal.at + self.skipped);
        findings.quote(refusal.rule, &place, &refusal.why);
        let outer = self.open.iter().position(|name| name == "alert");
        self.inside = Inside::Refused(outer.unwrap_or_default());
        self.hand_out(
            self.path(),
            check::judged(None, findings, self.with.0, None),
        );
        Ok(())
    }

    fn close(&mut self) {
        let path = self.path();
        let name = self.open.pop().unwrap_or_default();
        match &mut self.inside {
            Inside::Alert(builder) => {
                builder.close();
                let Some(root) = builder.built() else { return };
                self.inside = Inside::Nothing;
                let mut findings = Findings::default();
                let document = read::read_root(root, self.with.1, &mut findings);
                self.hand_out(
                    path,
                    check::judged(document, findings, self.with.0, self.with.1.profile),
                );
            }
            Inside::Refused(outer) if self.open.len() > *outer => {}
            Inside::Refused(_) => self.inside = Inside::Nothing,
            Inside::Nothing => self.passed(&name, path),
        }
    }

    /// An element of the container itself has closed.
    fn passed(&mut self, name: &str, path: String) {
        if let Some(text) = self.entry.close(name) {
            let place = Place::new(path.as_str(), self.entry.at);
            self.findings.add(&rules::ENTRY_ESCAPED, &place);
            self.hand_out(format!("{path}/alert"), embedded(&text, self.with));
        }
        let entry = self.kind.entry().unwrap_or("\0");
        if name.strip_prefix(entry).is_some_and(|n| n.starts_with('['))
            && let Some(rule) = self.entry.verdict()
        {
            self.findings.add(rule, &Place::new(path, self.entry.at));
        }
    }

    fn hand_out(&mut self, path: String, report: check::Report) {
        self.entry.held = true;
        let empty = |one: &crate::Finding| one.rule == rules::ALERT_EMPTY.id;
        if report.findings.iter().any(empty) {
            let at = report.findings[0].position;
            self.findings.add(&rules::FEED_EMPTY, &Place::new(path, at));
            return;
        }
        self.messages += 1;
        (self.each)(Held { path, report });
    }

    /// Where the walk stands.
    fn path(&self) -> String {
        format!("/{}", self.open.join("/"))
    }

    fn end(&mut self) {
        let here = Place::new("/", 0);
        if self.kind == Kind::Other && self.messages == 0 {
            self.findings.add(&rules::ROOT, &here);
        } else if self.kind == Kind::Other {
            self.findings.add(&rules::FEED_KIND, &here);
        } else if self.messages == 0 && self.entries == 0 {
            self.findings.add(&rules::FEED_EMPTY, &here);
        }
    }
}
