//! What becomes of a message at the platform, and what it tells of that. This module must not decide which story is told.

use std::time::Duration;

use channel::Clock;

use super::super::body::Body;
use super::super::inventory::{Device, Info, Of, Record, StateOf, States};
use super::super::message::Ebm;
use super::super::state::{Brd, BrdLog, Coverage, Item, Logged, StateReport};
use super::{Inner, Kept, Story, memory, terminal};

impl Inner {
    pub(super) fn keep(&self, ebm: &Ebm) -> bool {
        let mut kept = self.kept.lock();
        let fresh = !kept.contains_key(&ebm.id);
        let known = kept.entry(ebm.id.clone());
        known.or_insert_with(|| Kept::new(ebm.clone())).posted += 1;
        if fresh && let Some(folder) = &self.settings.memory {
            let packet = self.packet(Body::Ebm(Box::new(ebm.clone())));
            let written = memory::keep(folder, &packet, ebm, self.settings.profile);
            written.expect("the folder of a platform takes its messages");
        }
        fresh
    }

    pub(super) async fn tell(&self, ebm: &Ebm, story: &Story) {
        let areas = ebm
            .content
            .as_ref()
            .map_or_else(Vec::new, |content| content.areas.clone());
        let named: Vec<_> = ebm
            .dispatch
            .iter()
            .filter_map(|d| d.adapter.clone())
            .collect();
        let places = if named.is_empty() {
            areas.clone()
        } else {
            named
        };
        let all = |rate| {
            Some(Coverage {
                rate: Some(rate),
                areas: areas.clone(),
                counts: None,
            })
        };
        let id = &ebm.id;
        match story {
            Story::Silent => {
                if let Some(kept) = self.kept.lock().get_mut(id) {
                    kept.last =
                        Some(self.says(id, Brd::Played, all(1.0), self.items(&places, &[])));
                }
            }
            Story::Logged => {
                if let Some(kept) = self.kept.lock().get_mut(id) {
                    kept.logged =
                        Some(self.says(id, Brd::Played, all(1.0), self.items(&places, &[])));
                }
            }
            Story::Held => self.report(id, Brd::Held, None, Vec::new()).await,
            Story::TakenOff => self.report(id, Brd::Cancelled, None, Vec::new()).await,
            Story::Plays | Story::PlaysSomewhere | Story::FailsAt(_) => {
                for state in [Brd::Waiting, Brd::Playing] {
                    self.report(id, state, None, Vec::new()).await;
                    tokio::time::sleep(self.settings.pause).await;
                }
                match story {
                    Story::PlaysSomewhere => {
                        self.report(id, Brd::Played, all(0.9), Vec::new()).await;
                    }
                    Story::FailsAt(which) => {
                        self.report(id, Brd::Failed, all(0.5), self.items(&places, which))
                            .await;
                    }
                    _ => {
                        self.report(id, Brd::Played, all(1.0), self.items(&places, &[]))
                            .await;
                    }
                }
            }
        }
    }

    fn items(&self, places: &[String], failing: &[String]) -> Vec<Item> {
        let now = Some(self.clock.now());
        let item = |place: &String| Item {
            resource: Some(terminal(place)),
            state: if failing.contains(place) {
                Brd::Failed
            } else {
                Brd::Played
            },
            start: now,
            end: now,
            file: None,
        };
        places.iter().map(item).collect()
    }

    fn says(
        &self,
        id: &str,
        state: Brd,
        coverage: Option<Coverage>,
        items: Vec<Item>,
    ) -> StateReport {
        StateReport {
            at: Some(self.clock.now()),
            ebm: id.into(),
            state,
            coverage,
            items,
        }
    }

    /// A message that was cancelled is told of no more.
    pub(super) async fn report(
        &self,
        id: &str,
        state: Brd,
        coverage: Option<Coverage>,
        items: Vec<Item>,
    ) {
        let report = self.says(id, state, coverage, items);
        {
            let mut kept = self.kept.lock();
            let Some(kept) = kept.get_mut(id).filter(|kept| kept.state != Brd::Cancelled) else {
                return;
            };
            kept.state = state;
            kept.last = Some(report.clone());
        }
        let packet = self.packet(Body::State(report));
        // A gateway that could not keep it is told again, with the same packet.
        for _ in 0..5 {
            if self.post(packet.clone()).await.0 == 200 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(super) async fn repeat(&self, id: &str) {
        let last = self.kept.lock().get(id).and_then(|kept| kept.last.clone());
        if let Some(report) = last {
            self.post(self.packet(Body::State(report))).await;
        }
    }

    /// What became of each message, and of one that somebody else had broadcast.
    pub(super) async fn log(&self) {
        let another = format!("{}202001010001", self.settings.ebrid);
        let mut items = vec![Logged {
            report: self.says(&another, Brd::Played, None, Vec::new()),
            message: None,
        }];
        items.extend(self.kept.lock().values().filter_map(|kept| {
            Some(Logged {
                report: kept.logged.clone().or(kept.last.clone())?,
                message: Some(Box::new(kept.ebm.clone())),
            })
        }));
        let log = BrdLog {
            from: None,
            to: Some(self.clock.now()),
            items,
        };
        self.post(self.packet(Body::Log(log))).await;
    }

    pub(super) async fn terminals(&self, wanted: &str) {
        let places: Vec<String> = {
            let kept = self.kept.lock();
            let each = kept.values().filter_map(|kept| kept.ebm.content.as_ref());
            each.flat_map(|content| content.areas.clone()).collect()
        };
        let (of, at) = (Of::Terminal, Some(self.clock.now()));
        let ids = places.iter().map(|place| terminal(place));
        let body = if wanted == of.info() {
            let record = |id| Record {
                id,
                name: "terminal".into(),
                longitude: "104.53".into(),
                latitude: "32.41".into(),
                ..Record::default()
            };
            Body::Info(Info {
                of,
                full: true,
                at,
                records: ids.map(record).collect(),
            })
        } else {
            let row = |id| StateOf {
                id,
                state: Device::Running,
                at,
            };
            Body::States(States {
                of,
                rows: ids.map(row).collect(),
            })
        };
        self.post(self.packet(body)).await;
    }
}
