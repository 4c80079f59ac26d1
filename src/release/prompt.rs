//! Whoever is responsible for an outlet is called to it: the text becomes a block behind the alert's own, with what it speaks
//! of beside it in one commit, and goes out by its lane as any other. Blocks count on from one another, so this is done
//! here, between releases. This module must not decide who is called or when.

use channel::{Capability, Key};

use super::owed::{Item, Owed, owed};
use super::work::Work;
use super::{Halt, Release};
use crate::ledger::event::{
    Audience, Barred, Block, Class, NO_HOUSEHOLD, Prompted, PromptedRow, Spent, VariantMeta,
};
use crate::ledger::record::sha256;
use crate::ledger::{Event, Proposal};
use crate::model::{EndpointId, Month, RegionCode, StreamId};
use crate::plan::filing::Way;
use crate::plan::{self, Call, Rendered, Source};

/// Behind every step of a release: what is in this block belongs to none.
pub const STEP: u16 = u16::MAX;
/// How long the receipt of such a text is waited for, in milliseconds.
const WINDOW: u32 = 10 * 60 * 1000;
const HOUSE: StreamId = 0;

/// By what somebody is reached.
struct Reach {
    endpoint: EndpointId,
    channel: String,
    outlet: Capability,
}

impl Release {
    pub(super) async fn prompt(&self) -> bool {
        let registry = self.registry.read().clone();
        let now = self.clock.now();
        let mut again = false;
        for owed in owed(now, &self.ledger, &registry, &self.prompters) {
            if let Err(halt) = self.call(&owed).await {
                again |= super::halted(owed.items[0].stream, &halt).await;
            }
        }
        again
    }

    async fn call(&self, owed: &Owed) -> Result<(), Halt> {
        let lead = owed.items[0];
        let Some(alert) = self.ledger.alert(lead.stream) else {
            return Ok(());
        };
        let work = self.read(&alert, 0).await?;
        let mut proposal = Proposal::default();
        let reach = self.reach(&work, owed);
        let text = match &reach {
            Some(reach) => {
                self.write(&work, owed, reach, &mut proposal);
                Some((lead.stream, alert.next_delivery()))
            }
            None => None,
        };
        for (stream, rows) in by_stream(&owed.items) {
            let whom = owed.whom;
            let prompted = Prompted { whom, text, rows };
            proposal.events.push((stream, Event::Prompted(prompted)));
        }
        self.writer.propose(proposal).await?;
        if reach.is_none() {
            tracing::warn!(
                alert = lead.stream,
                recipient = owed.whom,
                channel = owed.channel,
                "nobody is called to an outlet: the registry has no way to whoever is responsible"
            );
        }
        Ok(())
    }

    /// By the first of the configured ways that leads to them; a number that a far end denies only where there is no other.
    fn reach(&self, work: &Work, owed: &Owed) -> Option<Reach> {
        let (registry, prompting) = (&work.registry, &self.prompters[&owed.channel]);
        let mut doubted = None;
        for way in &prompting.by {
            let Some(outlet) = work.outlets.get(way) else {
                continue;
            };
            for endpoint in registry.endpoints_of(owed.whom) {
                let is_of = registry.endpoint(endpoint).map(|e| e.kind) == Some(outlet.speaks_to);
                let Some(channel) = is_of
                    .then(|| work.outlets.choose(way, endpoint, registry).ok())
                    .flatten()
                else {
                    continue;
                };
                let reach = Reach {
                    endpoint,
                    channel: channel.to_owned(),
                    outlet,
                };
                if !self.ledger.suspects.has(endpoint) {
                    return Some(reach);
                }
                doubted = doubted.or(Some(reach));
            }
        }
        doubted
    }

    /// The text, its block, and what it costs.
    fn write(&self, work: &Work, owed: &Owed, reach: &Reach, proposal: &mut Proposal) {
        let (lead, alert) = (owed.items[0], &work.alert);
        let link = self.link(owed).unwrap_or_default();
        let rendered = self.render(work, owed, reach, &link);
        let drill = plan::wall::is_drill(work.cap.status);
        let document = sha256(&rendered.document);
        let segments = self.segments(&reach.channel, &rendered.document, &link);
        let variant = u16::try_from(alert.variants().len()).unwrap_or(u16::MAX);
        let number = alert.next_delivery();
        let stream = alert.stream;
        let meta = VariantMeta {
            kind: reach.outlet.kind.to_owned(),
            language: language(work, owed),
            document,
            segments,
            expires: rendered.expires,
            drill,
        };
        let variants = Event::Variants {
            first: variant,
            variants: vec![meta],
        };
        proposal.events.push((stream, variants));
        let barred = rendered.bar.map(|why| Barred {
            why,
            runs: vec![(number, number + 1)],
        });
        let is_free = barred.is_none();
        let barred = barred.map(|barred| (stream, Event::Barred(barred)));
        proposal.events.extend(barred);
        let block = Block {
            step: STEP,
            region: region_of(work, lead),
            channel: reach.channel.clone(),
            audience: Audience::Keepers,
            first: number,
            endpoints: vec![reach.endpoint],
            households: vec![NO_HOUSEHOLD],
            variants: vec![(1, variant)],
            rank: plan::rank(&work.cap, alert.handled(), Class::Original, usize::MAX),
            window: WINDOW,
        };
        proposal.events.push((stream, Event::Block(block)));
        if is_free && plan::is_text(&reach.outlet) {
            let spent = Spent {
                bureau: alert.meta.caller.clone(),
                month: Month::of(self.clock.now()),
                alert: stream,
                step: STEP,
                segments: segments.into(),
            };
            proposal.events.push((HOUSE, Event::Spent(spent)));
        }
        proposal.documents.push((document, rendered.document));
    }

    fn render(&self, work: &Work, owed: &Owed, reach: &Reach, link: &str) -> Rendered {
        let (lead, now) = (owed.items[0], self.clock.now());
        let caller = &work.alert.meta.caller;
        let hash = hex::encode(work.alert.meta.regions_hash);
        let source = Source {
            alert: &work.cap,
            earlier: None,
            signature: self.bureaus.signature_of(caller),
            regions_hash: &hash,
            language: &work.plan.language,
            authority: self.bureaus.authority_of(caller),
            filings: &self.means.filings,
            targets: &work.targets,
            sounds: &self.means.sounds,
            recordings: &[],
        };
        let call = Call {
            style: reach.outlet.style,
            language: &language(work, owed),
            due: lead.due,
            expires: lead.expires,
            again: lead.nth > 0,
            overdue: lead.due <= now,
            others: owed.items.len() - 1,
            link,
            way: self.way(work, reach),
        };
        plan::prompt(&source, &call)
    }

    /// What is filed of the bureau's signature for that number.
    fn way(&self, work: &Work, reach: &Reach) -> Way {
        let filings = &self.means.filings;
        if !plan::is_text(&reach.outlet) || !filings.says(&reach.channel) {
            return Way::Unsaid;
        }
        let number = work.registry.endpoint(reach.endpoint);
        let number = number.map_or("", |endpoint| endpoint.address);
        let carriers = &self.means.carriers;
        let carrier = work.outlets.carrier(reach.endpoint, number, carriers);
        let signature = self.bureaus.signature_of(&work.alert.meta.caller);
        filings.way(&reach.channel, signature, carrier, self.clock.now())
    }

    /// As it will be added when the text is encoded.
    fn link(&self, owed: &Owed) -> Option<String> {
        let lead = owed.items[0];
        let key = Key {
            alert: lead.stream,
            delivery: lead.number,
            generation: 0,
        };
        self.channels.get(&owed.channel)?.link(key, lead.expires)
    }

    fn segments(&self, channel: &str, document: &[u8], link: &str) -> u32 {
        let channel = self.channels.get(channel);
        let variant = plan::load(document, &bytes::Bytes::new());
        channel.zip(variant).map_or(1, |(channel, variant)| {
            channel.cost(&variant.with_text(plan::with_link(&variant.text, link)))
        })
    }
}

fn language(work: &Work, owed: &Owed) -> String {
    let whom = work.registry.recipient(owed.whom);
    let own = whom.map_or("", |whom| whom.language);
    let own = if own.is_empty() {
        &work.plan.language
    } else {
        own
    };
    own.to_owned()
}

fn region_of(work: &Work, item: Item) -> RegionCode {
    let found = work.alert.find(item.number);
    let first = work.alert.meta.regions.first().copied();
    let region = found.map(|(block, _)| block.region).or(first);
    region.expect("an alert that has blocks has regions")
}

fn by_stream(items: &[Item]) -> Vec<(StreamId, Vec<PromptedRow>)> {
    let mut streams: Vec<(StreamId, Vec<PromptedRow>)> = Vec::new();
    for item in items {
        let row = PromptedRow {
            item: item.number,
            nth: item.nth,
        };
        match streams
            .iter_mut()
            .find(|(stream, _)| *stream == item.stream)
        {
            Some((_, rows)) => rows.push(row),
            None => streams.push((item.stream, vec![row])),
        }
    }
    streams
}
