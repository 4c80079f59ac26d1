//! The texts of one release: each is rendered once, kept as a document in the commit of the first block that uses it,
//! and found again when a release is resumed. This module must not choose words: those are the plan's.

use std::collections::BTreeMap;

use super::Release;
use super::work::Work;
use crate::ledger::event::{Bar, VariantMeta};
use crate::ledger::record::sha256;
use crate::ledger::recordings::Recording;
use crate::ledger::{Event, Proposal};
use crate::plan::{self, Drafted, PlannedDelivery, Rendered, Source, Stock, Telling};

/// Each text is rendered once: its number, and why it may not be sent.
type Known = BTreeMap<Telling, (u16, Option<Bar>)>;

pub struct Variants<'a> {
    release: &'a Release,
    work: &'a Work,
    known: Known,
    /// Kinds and documents of the variants that stand in the journal, in their order, and what each costs. What is spoken
    /// over a telephone may be what a loudspeaker says, and accounts count one text differently: each tells what it was
    /// rendered for and what it costs there.
    written: Vec<(String, [u8; 32], u32)>,
    last: Option<(Telling, (u16, Option<Bar>))>,
    /// Of one moment: all of a region hear the same.
    recordings: Vec<Recording>,
}

impl<'a> Variants<'a> {
    pub fn resume(release: &'a Release, work: &'a Work) -> Self {
        let variants = work.alert.variants().into_iter();
        let written = variants.map(|v| (v.kind, v.document, v.segments)).collect();
        Self {
            release,
            work,
            known: Known::new(),
            written,
            last: None,
            recordings: release.ledger.recordings.in_use(),
        }
    }

    /// The variant of one delivery, and why it may not be sent; a new one joins the proposal.
    pub fn of(
        &mut self,
        drafted: &Drafted<'_>,
        delivery: &PlannedDelivery<'_>,
        proposal: &mut Proposal,
    ) -> (u16, Option<Bar>) {
        let draft = self.work.draft(self.release);
        // Neighbours mostly get the same text.
        if let Some((last, found)) = &self.last
            && last.channel == drafted.0.channel
            && last.silent.is_empty()
            && drafted.1 != Some(Stock::Silent)
            && (last.infos, last.stock) == (delivery.infos, drafted.1)
            && last.repeat == draft.repeat(drafted)
            && last.language == delivery.language
            && (last.way, last.confirm) == draft.manner(drafted, delivery.endpoint)
            && last.heard == draft.heard(drafted, delivery)
        {
            return *found;
        }
        let telling = draft.telling(drafted, delivery);
        let found = match self.known.get(&telling) {
            Some(found) => *found,
            None => self.render(&telling, proposal),
        };
        self.last = Some((telling, found));
        found
    }

    /// What one message of a variant costs.
    pub fn cost(&self, variant: u16) -> u64 {
        let text = self.written.get(usize::from(variant));
        text.map_or(1, |(.., segments)| u64::from(*segments))
    }

    fn render(&mut self, telling: &Telling, proposal: &mut Proposal) -> (u16, Option<Bar>) {
        let hash = hex::encode(self.work.alert.meta.regions_hash);
        let caller = &self.work.alert.meta.caller;
        let source = Source {
            alert: &self.work.cap,
            earlier: self.work.earlier.headline.as_deref(),
            signature: self.release.bureaus.signature_of(caller),
            regions_hash: &hash,
            language: &self.work.plan.language,
            authority: self.release.bureaus.authority_of(caller),
            filings: &self.release.means.filings,
            targets: &self.work.targets,
            sounds: &self.release.means.sounds,
            recordings: &self.recordings,
        };
        let lifetime = self.work.from().plus(self.work.plan.lifetime.0);
        let rendered = plan::render(&source, telling, lifetime);
        let text = (
            telling.kind.to_owned(),
            sha256(&rendered.document),
            self.segments(&telling.channel, &rendered.document),
        );
        let bar = rendered.bar;
        let index = match self.written.iter().position(|known| *known == text) {
            Some(at) => u16::try_from(at).unwrap_or(u16::MAX),
            None => self.add(telling, rendered, text, proposal),
        };
        self.known.insert(telling.clone(), (index, bar));
        (index, bar)
    }

    fn add(
        &mut self,
        telling: &Telling,
        rendered: Rendered,
        (_, document, segments): (String, [u8; 32], u32),
        proposal: &mut Proposal,
    ) -> u16 {
        let first = u16::try_from(self.written.len()).unwrap_or(u16::MAX);
        let meta = VariantMeta {
            kind: telling.kind.to_owned(),
            language: telling.language.clone(),
            document,
            segments,
            expires: rendered.expires,
            drill: plan::wall::is_drill(self.work.cap.status),
        };
        proposal.documents.push((document, rendered.document));
        proposal.events.push((
            self.work.alert.stream,
            Event::Variants {
                first,
                variants: vec![meta],
            },
        ));
        self.written
            .push((telling.kind.to_owned(), document, segments));
        first
    }

    /// What one message of this text costs on its channel.
    fn segments(&self, channel: &str, document: &[u8]) -> u32 {
        let channel = self.release.channels.get(channel);
        let variant = plan::load(document, &bytes::Bytes::new());
        channel
            .zip(variant)
            .map_or(1, |(channel, variant)| channel.cost(&variant))
    }
}
