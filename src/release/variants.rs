//! The texts of one release: each is rendered once, kept as a document in the commit of the first block that uses it,
//! and found again when a release is resumed. This module must not choose words: those are the plan's.

use std::collections::BTreeMap;

use super::Release;
use super::work::Work;
use crate::ledger::event::VariantMeta;
use crate::ledger::record::sha256;
use crate::ledger::{Event, Proposal};
use crate::plan::{self, Drafted, Source, Telling};

/// Each text is rendered once.
type Known = BTreeMap<Telling, u16>;

pub struct Variants<'a> {
    release: &'a Release,
    work: &'a Work,
    known: Known,
    /// Kinds and documents of the variants that stand in the journal, in their order. What is spoken over a telephone may
    /// be what a loudspeaker says, and is another variant: each tells what it was rendered for and what it costs there.
    written: Vec<(String, [u8; 32])>,
    last: Option<(Telling, u16)>,
}

impl<'a> Variants<'a> {
    pub fn resume(release: &'a Release, work: &'a Work) -> Self {
        let variants = work.alert.variants().into_iter();
        let written = variants.map(|v| (v.kind, v.document)).collect();
        Self {
            release,
            work,
            known: Known::new(),
            written,
            last: None,
        }
    }

    /// The variant of one delivery, by its language and the infos that hit; a new one joins the proposal.
    pub fn of(
        &mut self,
        drafted: &Drafted<'_>,
        (language, infos): (&str, u64),
        proposal: &mut Proposal,
    ) -> u16 {
        let draft = self.work.draft();
        // Neighbours mostly get the same text.
        if let Some((last, index)) = &self.last
            && last.kind == drafted.0.outlet.kind
            && (last.infos, last.stock) == (infos, drafted.1)
            && last.repeat == draft.repeat(drafted)
            && last.language == language
        {
            return *index;
        }
        let telling = draft.telling(drafted, language, infos);
        let index = match self.known.get(&telling) {
            Some(index) => *index,
            None => self.render(&telling, proposal),
        };
        self.last = Some((telling, index));
        index
    }

    fn render(&mut self, telling: &Telling, proposal: &mut Proposal) -> u16 {
        let hash = hex::encode(self.work.alert.meta.regions_hash);
        let source = Source {
            alert: &self.work.cap,
            earlier: self.work.earlier.headline.as_deref(),
            signature: self
                .release
                .bureaus
                .signature_of(&self.work.alert.meta.caller),
            regions_hash: &hash,
            language: &self.work.plan.language,
            authority: self
                .release
                .bureaus
                .authority_of(&self.work.alert.meta.caller),
        };
        let lifetime = self.work.from().plus(self.work.plan.lifetime.0);
        let (bytes, expires) = plan::render(&source, telling, lifetime);
        let document = sha256(&bytes);
        let same = |(kind, d): &(String, [u8; 32])| kind == telling.kind && *d == document;
        let index = match self.written.iter().position(same) {
            Some(at) => u16::try_from(at).unwrap_or(u16::MAX),
            None => self.add(telling, bytes, document, expires, proposal),
        };
        self.known.insert(telling.clone(), index);
        index
    }

    fn add(
        &mut self,
        telling: &Telling,
        bytes: Vec<u8>,
        document: [u8; 32],
        expires: channel::Timestamp,
        proposal: &mut Proposal,
    ) -> u16 {
        let first = u16::try_from(self.written.len()).unwrap_or(u16::MAX);
        let segments = self.segments(telling.kind, &bytes);
        let meta = VariantMeta {
            kind: telling.kind.to_owned(),
            language: telling.language.clone(),
            document,
            segments,
            expires,
            drill: plan::wall::is_drill(self.work.cap.status),
        };
        proposal.documents.push((document, bytes));
        proposal.events.push((
            self.work.alert.stream,
            Event::Variants {
                first,
                variants: vec![meta],
            },
        ));
        self.written.push((telling.kind.to_owned(), document));
        first
    }

    /// What one message of this text costs, as the channel of its kind says.
    fn segments(&self, kind: &str, bytes: &[u8]) -> u32 {
        let channel = self
            .release
            .channels
            .values()
            .find(|c| c.capability().kind == kind);
        let variant = plan::load(bytes, &bytes::Bytes::new());
        channel
            .zip(variant)
            .map_or(1, |(channel, variant)| channel.cost(&variant))
    }
}
