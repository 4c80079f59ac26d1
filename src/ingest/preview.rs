//! A preview: the alert is judged as if it were handed in, its release is drafted and counted, and nothing is written,
//! sent or kept. This module must not touch the journal's writer.

use std::sync::Arc;

use channel::{Level, Loss, Variant};
use serde::Serialize;
use utoipa::ToSchema;

use super::accept::{Ingest, Rejection};
use super::judge::Judged;
use super::names::{identity, regions_hash};
use crate::ledger::event::{Born, Class};
use crate::ledger::recordings::Recording;
use crate::ledger::{Known, Papers};
use crate::model::{RegionCode, StreamId};
use crate::plan::preview::{Figures, Pace, Place, Scene, preview};
use crate::plan::{self, Draft, Earlier, EventName, Note, Outlets, Past, Source, Targets, homes};
use crate::registry::Registry;
use crate::trust::Caller;

/// What would happen.
#[derive(Clone, Debug)]
pub struct Preview {
    pub disposition: cap::Disposition,
    pub findings: Vec<cap::Finding>,
    /// What would become of it.
    pub born: Born,
    /// An alert of this identity is here already.
    pub known: Option<StreamId>,
    pub plan: String,
    pub level: Level,
    pub handled: Level,
    /// How it stands to what it would end; nothing where it corrects nothing.
    pub class: Option<Class>,
    pub events: Vec<EventView>,
    pub regions: Vec<Place>,
    pub regions_hash: String,
    pub figures: Figures,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct EventView {
    #[serde(flatten)]
    pub name: EventName,
    /// The table does not have this event in this colour.
    pub odd_level: bool,
}

impl Ingest {
    pub async fn preview(&self, caller: &Caller, bytes: &[u8]) -> Result<Preview, Rejection> {
        let mut judged = self.judge(caller, self.read(caller, bytes)?)?;
        let (past, unread, standing) = self.past(&self.chain(&judged)).await;
        let (class, handled) = how(&judged, &past, &standing);
        judged.targets = targets(&mut judged);
        let (earlier, outlets) = (Earlier::of(&past, &self.routes), self.outlets());
        let (registry, recordings) = self.ground();
        let named = hex::encode(regions_hash(&judged.regions));
        let (alert, plan, hush) = (&judged.alert, judged.choice.plan, &self.means.hush);
        let silence = hush.silence(alert.status, &judged.regions);
        let schedule = plan::moments(plan, &past, (handled, class.is_some()), silence, judged.now);
        let scene = Scene {
            draft: Draft {
                alert,
                plan,
                targets: &judged.targets,
                earlier: &earlier,
                registry: &registry,
                outlets: &outlets,
                handled,
                schedule: &schedule,
                filed: self.filed(caller),
                hush,
                languages: &self.means.sounds.languages,
            },
            source: Source {
                alert,
                earlier: earlier.headline.as_deref(),
                signature: self.bureaus.signature_of(&caller.id),
                regions_hash: &named,
                language: &plan.language,
                authority: self.bureaus.authority_of(&caller.id),
                filings: &self.means.filings,
                targets: &judged.targets,
                sounds: &self.means.sounds,
                recordings: &recordings,
            },
            ledger: &self.ledger,
            means: &self.means,
            cost: &|name, variant| self.channels.get(name).map_or(1, |c| c.cost(variant)),
            losses: &|name, text| self.losses(name, text),
            pace: &|name| Pace::of(self.channels.get(name)),
            now: judged.now,
            lifetime: judged.now.plus(plan.lifetime.0),
        };
        Ok(Preview {
            figures: counted(&scene, unread),
            regions: places(&registry, &judged.regions),
            regions_hash: named.clone(),
            disposition: judged.disposition,
            born: judged.born,
            known: self.ledger.find(&identity(&judged.alert)),
            plan: plan.name.clone(),
            level: crate::plan::level(alert),
            handled,
            class,
            events: self.events(alert),
            findings: judged.findings,
        })
    }

    fn losses(&self, channel: &str, text: &Variant) -> Vec<Loss> {
        let channel = self.channels.get(channel);
        channel.map_or_else(Vec::new, |channel| channel.losses(text))
    }

    /// Who lives there, and what was recorded for them, at one moment.
    fn ground(&self) -> (Arc<Registry>, Vec<Recording>) {
        let registry = self.registry.read().clone();
        (registry, self.ledger.recordings.in_use())
    }

    pub(super) fn outlets(&self) -> Outlets {
        let can = self.channels.iter();
        let can = can.map(|(name, channel)| (name.clone(), channel.capability()));
        let outlets = Outlets::new(can, self.routes.clone(), self.ledger.ported.clone());
        outlets.knowing(homes(self.channels.clone(), self.ledger.clone()))
    }

    fn events(&self, alert: &cap::Alert) -> Vec<EventView> {
        let level = crate::plan::level(alert);
        let mut seen = Vec::new();
        for code in alert.infos.iter().flat_map(|i| &i.event_codes) {
            if !seen.contains(&code.value) {
                seen.push(code.value.clone());
            }
        }
        let table = &self.means.events;
        let view = |code: String| EventView {
            odd_level: table.lacks(&code, level),
            name: table.name(&code),
        };
        seen.into_iter().map(view).collect()
    }

    /// What it corrects.
    fn chain(&self, judged: &Judged<'_>) -> Vec<StreamId> {
        if !corrects(judged) {
            return Vec::new();
        }
        self.ledger.chain(&judged.hits, None)
    }

    /// What it corrects as a release reads it, open or sealed; what of it cannot be read, on which a release would halt; and
    /// what of it stands.
    async fn past(&self, chain: &[StreamId]) -> (Vec<Past>, Vec<StreamId>, Vec<StreamId>) {
        let (mut past, mut unread) = (Vec::new(), Vec::new());
        for stream in chain {
            let Some(known) = self.ledger.known(*stream) else {
                continue;
            };
            match self.read_back(&known).await {
                Some(read) => past.push(read),
                None => unread.push(*stream),
            }
        }
        (past, unread, self.ledger.standing(chain))
    }

    async fn read_back(&self, known: &Known) -> Option<Past> {
        let old = self.archive.whole(known).await.ok()?;
        let papers = Papers::of(&old, &*self.store).await.ok()?;
        Past::of(old, &papers).ok()
    }
}

fn counted(scene: &Scene<'_>, unread: Vec<StreamId>) -> Figures {
    let mut figures = preview(scene);
    figures.notes.extend(unread.into_iter().map(Note::unread));
    figures
}

fn places(registry: &Registry, regions: &[RegionCode]) -> Vec<Place> {
    let place = |code: &RegionCode| Place {
        code: *code,
        name: registry.full_name(*code),
    };
    regions.iter().map(place).collect()
}

fn corrects(judged: &Judged<'_>) -> bool {
    let kind = judged.alert.msg_type;
    matches!(kind, cap::MsgType::Update | cap::MsgType::Cancel)
}

/// A Cancel adds nobody: it speaks to those who have the warning.
fn targets(judged: &mut Judged<'_>) -> Targets {
    let targets = std::mem::take(&mut judged.targets);
    if judged.alert.msg_type == cap::MsgType::Cancel {
        return Targets::default();
    }
    targets
}

/// How it stands to what it would end, and the level by which it is handled: as a release would find it.
fn how(judged: &Judged<'_>, past: &[Past], standing: &[StreamId]) -> (Option<Class>, Level) {
    let (now, choice) = (judged.now, &judged.choice);
    let said = (&judged.alert, judged.regions.as_slice());
    let lifetime = now.plus(choice.plan.lifetime.0);
    let usual = (choice.plan.language.as_str(), lifetime);
    let compared = || plan::compared(said, usual, (past, standing), now);
    let class = corrects(judged).then(|| compared().0);
    let raised = plan::raised(&judged.alert, choice.handled, past, standing);
    (class, raised.unwrap_or(choice.handled))
}
