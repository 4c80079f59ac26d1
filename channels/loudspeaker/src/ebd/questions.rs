//! What the platform asks of this gateway (`EBMStateRequest`, `OMDRequest`). Whether there is an answer is said in the receipt;
//! the answer itself is a packet of its own, posted afterwards, as the platform does it with ours. This module must not
//! make up what nobody has said: of a message of which nothing was heard it tells nothing.

use std::collections::VecDeque;

use channel::Timestamp;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::body::Body;
use super::book::Open;
use super::inventory::{Desk, Device, Info, LOG, Of, Omd, Record, StateOf, States};
use super::names::area_of;
use super::refusal::Why;
use super::state::{Brd, BrdLog, Coverage, Logged, StateReport};
use super::{Ebd, Terminal};

/// Questions that may wait for their answer.
const MOST: usize = 16;
/// Records in one packet: a county's terminals are several.
const ROWS: usize = 2_000;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Question {
    /// Of a message, by its EBMID.
    State(String),
    Data(Omd),
}

/// A question that came, and whose it was.
struct Asked {
    id: String,
    by: String,
    what: Question,
}

#[derive(Default)]
pub struct Questions {
    waiting: Mutex<VecDeque<Asked>>,
    bell: Notify,
}

impl Questions {
    /// The same once more waits once.
    fn put(&self, asked: Asked) -> Result<(), Why> {
        let mut waiting = self.waiting.lock();
        let same = |other: &Asked| other.what == asked.what && other.by == asked.by;
        if !waiting.iter().any(same) {
            if waiting.len() >= MOST {
                return Err(Why::Busy);
            }
            waiting.push_back(asked);
        }
        self.bell.notify_one();
        Ok(())
    }
}

impl Ebd {
    pub(super) fn is_asked(&self, id: String, by: String, what: Question) -> Result<(), Why> {
        self.has(&what)?;
        self.questions.put(Asked { id, by, what })
    }

    /// One after another, so that questions leave room for warnings.
    pub(super) async fn answering(&self) {
        loop {
            let next = self.questions.waiting.lock().pop_front();
            let Some(asked) = next else {
                self.questions.bell.notified().await;
                continue;
            };
            for body in self.answers(&asked.what) {
                let kind = body.kind().to_owned();
                let mut packet = self.link.packet(body, None);
                packet.target = Some(asked.by.clone());
                packet.related = Some(asked.id.clone());
                if let Err(error) = self.link.say(packet).await {
                    // Whoever still wants it asks again.
                    tracing::debug!(channel = %self.link.context.name, %error, kind, "the broadcast platform does not take the answer to its question");
                    break;
                }
            }
        }
    }

    /// Whether there is an answer.
    fn has(&self, what: &Question) -> Result<(), Why> {
        let some = |there: bool| if there { Ok(()) } else { Err(Why::NoData) };
        match what {
            Question::State(ebm) => {
                let book = self.book.lock();
                match book.get(ebm) {
                    Some(open) if open.state.is_some() => Ok(()),
                    Some(_) => Err(Why::NoWord),
                    None if book.is_cancel(ebm) => Err(Why::NoWord),
                    None if self.offers.lock().has(ebm, self.link.context.clock.now()) => Ok(()),
                    None => Err(Why::UnknownMessage),
                }
            }
            Question::Data(omd) if !Of::may_be_asked(&omd.wanted) => Err(Why::NotServed),
            Question::Data(omd) if omd.wanted == LOG => {
                let book = self.book.lock();
                some(book.all().any(|open| is_of(open, omd)))
            }
            Question::Data(omd) => match Of::info_named(&omd.wanted) {
                Some(Of::Platform) => Ok(()),
                Some(Of::Terminal) => {
                    let terminals = self.terminals.lock();
                    some(terminals.values().any(|t| is_within(t.told, omd)))
                }
                Some(_) => Err(Why::NoData),
                None => match Of::state_named(&omd.wanted) {
                    Some(Of::Platform) => Ok(()),
                    Some(Of::Terminal) => {
                        let terminals = self.terminals.lock();
                        let known = |t: &Terminal| t.said.is_some() && is_within(t.heard, omd);
                        some(terminals.values().any(known))
                    }
                    _ => Err(Why::NoData),
                },
            },
        }
    }

    fn answers(&self, what: &Question) -> Vec<Body> {
        match what {
            Question::State(ebm) => self.state_of(ebm).map(Body::State).into_iter().collect(),
            Question::Data(omd) if omd.wanted == LOG => self.log(omd),
            Question::Data(omd) => {
                match (Of::info_named(&omd.wanted), Of::state_named(&omd.wanted)) {
                    (Some(Of::Platform), _) => vec![self.own_info()],
                    (_, Some(Of::Platform)) => vec![self.own_state()],
                    (Some(Of::Terminal), _) => self.infos(omd),
                    (_, Some(Of::Terminal)) => self.states(omd),
                    _ => Vec::new(),
                }
            }
        }
    }

    /// What was handed to us lies here unprocessed: nobody plays it.
    fn state_of(&self, ebm: &str) -> Option<StateReport> {
        let now = self.link.context.clock.now();
        let book = self.book.lock();
        if let Some(open) = book.get(ebm) {
            return self.report(open, now);
        }
        let offered = self.offers.lock().has(ebm, now);
        offered.then(|| StateReport {
            at: Some(now),
            ebm: ebm.to_owned(),
            state: Brd::Held,
            coverage: None,
            items: Vec::new(),
        })
    }

    fn report(&self, open: &Open, now: Timestamp) -> Option<StateReport> {
        let places = open.to.iter().map(|(_, address)| address.expose());
        let told = &self.link.config.terminal_areas;
        let area = |id: &str| match told.get(id) {
            Some(area) => area.clone(),
            None => area_of(id).unwrap_or(id).to_owned(),
        };
        let mut areas: Vec<_> = places.map(area).collect();
        areas.sort();
        areas.dedup();
        Some(StateReport {
            at: Some(now),
            ebm: open.id.clone(),
            state: open.state?,
            coverage: Some(Coverage {
                rate: Some(open.share()),
                areas,
                counts: None,
            }),
            items: Vec::new(),
        })
    }

    fn log(&self, omd: &Omd) -> Vec<Body> {
        let now = self.link.context.clock.now();
        let book = self.book.lock();
        let mut items: Vec<_> = book
            .all()
            .filter(|open| is_of(open, omd))
            .filter_map(|open| {
                Some(Logged {
                    report: StateReport {
                        at: None,
                        ..self.report(open, now)?
                    },
                    message: open.ebm.as_deref().cloned().map(Box::new),
                })
            })
            .collect();
        items.sort_by(|a, b| a.report.ebm.cmp(&b.report.ebm));
        // Each has a text and hundreds of codes.
        let log = |items: &[Logged]| {
            Body::Log(BrdLog {
                from: omd.from,
                to: Some(omd.to.unwrap_or(now)),
                items: items.to_vec(),
            })
        };
        items.chunks(ROWS / 20).map(log).collect()
    }

    fn own_info(&self) -> Body {
        let (config, now) = (&self.link.config, self.link.context.clock.now());
        let about = &config.about;
        let record = Record {
            id: config.ebrid.clone(),
            name: config.sender_name.clone(),
            longitude: about.longitude.clone(),
            latitude: about.latitude.clone(),
            above: Some(config.platform.clone()),
            deleted: false,
            desk: Some(Desk {
                address: about.address.clone(),
                contact: about.contact.clone(),
                phone: about.phone.clone(),
                url: config.callback_url.clone().unwrap_or_default(),
            }),
        };
        Body::Info(Info {
            of: Of::Platform,
            full: true,
            at: Some(now),
            records: vec![record],
        })
    }

    /// Who answers is running.
    fn own_state(&self) -> Body {
        let row = StateOf {
            id: self.link.config.ebrid.clone(),
            state: Device::Running,
            at: Some(self.link.context.clock.now()),
        };
        Body::States(States {
            of: Of::Platform,
            rows: vec![row],
        })
    }

    /// The terminals that the platform has told of: as they are known here, and whose they are.
    fn infos(&self, omd: &Omd) -> Vec<Body> {
        let at = Some(self.link.context.clock.now());
        let terminals = self.terminals.lock();
        let known = terminals.iter().filter(|(_, t)| is_within(t.told, omd));
        let records: Vec<_> = known
            .map(|(id, terminal)| {
                let [longitude, latitude] = terminal.place.clone();
                Record {
                    id: id.clone(),
                    name: terminal.name.clone(),
                    longitude,
                    latitude,
                    above: Some(self.link.config.platform.clone()),
                    deleted: false,
                    desk: None,
                }
            })
            .collect();
        // Only the first is the whole: another that said so would take its place.
        let info = |(nth, records): (usize, &[Record])| {
            Body::Info(Info {
                of: Of::Terminal,
                full: nth == 0 && omd.full,
                at,
                records: records.to_vec(),
            })
        };
        records.chunks(ROWS).enumerate().map(info).collect()
    }

    fn states(&self, omd: &Omd) -> Vec<Body> {
        let terminals = self.terminals.lock();
        let known = terminals.iter().filter(|(_, t)| is_within(t.heard, omd));
        let rows: Vec<_> = known
            .filter_map(|(id, terminal)| {
                Some(StateOf {
                    id: id.clone(),
                    state: terminal.said?,
                    at: terminal.heard,
                })
            })
            .collect();
        let states = |rows: &[StateOf]| {
            Body::States(States {
                of: Of::Terminal,
                rows: rows.to_vec(),
            })
        };
        rows.chunks(ROWS).map(states).collect()
    }
}

/// Whether something was told in the period that is asked for; what is asked for in full is all that stands.
fn is_within(at: Option<Timestamp>, omd: &Omd) -> bool {
    let inside =
        |at: Timestamp| omd.from.is_none_or(|from| from <= at) && omd.to.is_none_or(|to| at <= to);
    at.is_some_and(|at| omd.full || inside(at))
}

/// Messages that stood in the period, of which something was heard.
fn is_of(open: &Open, omd: &Omd) -> bool {
    let begun = omd.to.is_none_or(|to| open.sent <= to);
    let lasted = omd.from.is_none_or(|from| open.expires >= from);
    open.state.is_some() && begun && lasted
}
