//! A preview: the alert is judged as if it were handed in, its release is drafted and counted, and nothing is written,
//! sent or kept. This module must not touch the journal's writer.

use bytes::Bytes;
use channel::Level;
use serde::Serialize;
use utoipa::ToSchema;

use super::accept::{Ingest, Rejection};
use super::judge::Judged;
use super::names::{identity, regions_hash};
use crate::ledger::event::Born;
use crate::model::StreamId;
use crate::plan::preview::{Figures, Place, Scene, preview};
use crate::plan::{Draft, Earlier, EventName, Outlets, Source, Targets};
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
        let earlier = self.earlier(&judged).await;
        if judged.alert.msg_type == cap::MsgType::Cancel {
            // It adds nobody: it speaks to those who have the warning.
            judged.targets = Targets::default();
        }
        let registry = self.registry.read().clone();
        let hash = hex::encode(regions_hash(&judged.regions));
        let outlets = self.outlets();
        let plan = judged.choice.plan;
        let scene = Scene {
            draft: Draft {
                alert: &judged.alert,
                plan,
                targets: &judged.targets,
                earlier: &earlier,
                registry: &registry,
                outlets: &outlets,
            },
            source: Source {
                alert: &judged.alert,
                earlier: earlier.headline.as_deref(),
                signature: self.bureaus.signature_of(&caller.id),
                regions_hash: &hash,
                language: &plan.language,
            },
            handled: judged.choice.handled,
            ledger: &self.ledger,
            means: &self.means,
            cost: &|kind, variant| {
                let mut channels = self.channels.values();
                let channel = channels.find(|c| c.capability().kind == kind);
                channel.map_or(1, |channel| channel.cost(variant))
            },
            now: judged.now,
            lifetime: judged.now.plus(plan.lifetime.0),
        };
        let figures = preview(&scene);
        let place = |code: &_| Place {
            code: *code,
            name: registry.full_name(*code),
        };
        Ok(Preview {
            regions: judged.regions.iter().map(place).collect(),
            regions_hash: hash.clone(),
            disposition: judged.disposition,
            born: judged.born,
            known: self.ledger.find(&identity(&judged.alert)),
            plan: plan.name.clone(),
            level: crate::plan::level(&judged.alert),
            handled: judged.choice.handled,
            events: self.events(&judged.alert),
            figures,
            findings: judged.findings,
        })
    }

    fn outlets(&self) -> Outlets {
        let outlet = self.channels.iter();
        outlet
            .map(|(name, channel)| (name.clone(), channel.capability()))
            .collect()
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

    /// Who has what it corrects. Without its document the earlier alert goes by no name, as release would halt on it.
    async fn earlier(&self, judged: &Judged<'_>) -> Earlier {
        if !matches!(
            judged.alert.msg_type,
            cap::MsgType::Update | cap::MsgType::Cancel
        ) {
            return Earlier::default();
        }
        let chain = self.ledger.chain(&judged.hits, None);
        let past = chain.iter().filter_map(|hit| self.ledger.alert(*hit));
        let past: Vec<_> = past.collect();
        let mut earlier = Earlier::of(&past);
        for old in past {
            let bytes = self.store.document(old.meta.document).await;
            let bytes = Bytes::from(bytes.ok().flatten().unwrap_or_default());
            let read = cap::read(&bytes).alert;
            earlier.headline = read
                .and_then(|a| a.infos.into_iter().find_map(|i| i.headline))
                .or(earlier.headline);
        }
        earlier
    }
}
