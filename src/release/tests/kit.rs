//! A county of forty villages, its journal, and alerts as ingest accepts them. Nothing is sent: what is released is read
//! from the ledger. This module must not assert anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use channel::{
    Accepted as Taken, Capability, Channel, EndpointKind, Evidence, Failure, Health, Key, Level,
    ManualClock, Message, Style, Timestamp, Variant,
};
use parking_lot::RwLock;
use tempfile::TempDir;

use super::super::{Prompters, Release};
use crate::coord::Steady;
use crate::ledger::event::{Accepted, Born, Identity, InfoMeta};
use crate::ledger::record::sha256;
use crate::ledger::{Alert, Archive, Event, Proposal, Writer, replay};
use crate::model::{
    EndpointRow, HouseholdRow, PostPlace, PostRow, PresenceAtHome, RecipientRow, RegionCode,
    RegionRow, Role, Rows, StreamId, Tags,
};
use crate::plan::preview::Means;
use crate::plan::{Carriers, Events, Filings, Hush};
use crate::registry::Registry;
use crate::store::{Sqlite, Store};
use crate::trust::Bureaus;

/// 2026-07-14 09:00 in Beijing.
pub const START: Timestamp = Timestamp(1_783_990_800_000);
pub const VILLAGES: u64 = 40;
pub const COUNTY: &str = "510727000000";

const PLAN: &str = r#"
    name = "all"
    language = "zh-CN"
    lifetime = "4h"
    [[send]]
    audience = "public"
    channels = ["sms"]
    receipt_window = "1m"
"#;

/// Told to officers, by the outlets that they serve by hand.
pub fn officers_plan() -> String {
    PLAN.replace("public", "officers")
        .replace("\"sms\"", "\"tv\"")
        .replace("1m", "30m")
}

/// Who keeps the outlets, and how many there are.
pub const KEEPER: u32 = 900;
pub const OUTLETS: u32 = 2;

/// Of the first village.
pub const OFFICER: u32 = 910;

struct Outlets;

#[async_trait]
impl Channel for Outlets {
    fn capability(&self) -> Capability {
        Capability {
            kind: "manual",
            speaks_to: EndpointKind::Manual,
            best: Evidence::Acknowledged,
            ..Far(1).capability()
        }
    }

    fn link(&self, key: Key, _expires: Timestamp) -> Option<String> {
        Some(format!("https://w.example.invalid/s/{key}"))
    }

    async fn send(&self, _message: &Message) -> Result<Taken, Failure> {
        unreachable!("a release hands nothing")
    }

    fn health(&self) -> Health {
        Health::Up
    }
}

struct Far(u32);

#[async_trait]
impl Channel for Far {
    fn capability(&self) -> Capability {
        Capability {
            kind: "sms",
            speaks_to: EndpointKind::Mobile,
            style: Style::Short,
            best: Evidence::Delivered,
            batch: 10,
            window: 10,
            repeat_is_harmless: false,
        }
    }

    fn cost(&self, _variant: &Variant) -> u32 {
        self.0
    }

    async fn send(&self, _message: &Message) -> Result<Taken, Failure> {
        unreachable!("a release hands nothing")
    }

    fn health(&self) -> Health {
        Health::Up
    }
}

pub fn village(nth: u64) -> RegionCode {
    RegionCode::try_from(510_727_217_201 + nth).expect("a village")
}

fn registry() -> Registry {
    let mut rows = Rows::default();
    let region = |code: RegionCode| RegionRow {
        code,
        name: "合成".into(),
        lat: None,
        lon: None,
        revision: 0,
        tags: Tags::default(),
    };
    let above = [COUNTY, "510727217000"].map(|code| region(code.parse().expect("a code")));
    rows.regions.extend(above);
    for (id, village) in (1..).zip((0..VILLAGES).map(village)) {
        rows.regions.push(region(village));
        rows.households.push(HouseholdRow {
            id,
            village,
            group: 1,
            name: "合成户".into(),
            lat: None,
            lon: None,
            presence: PresenceAtHome::Home,
            tags: Tags::default(),
        });
        rows.recipients.push(RecipientRow {
            id,
            household: Some(id),
            name: "合成".into(),
            language: "zh-CN".into(),
        });
        rows.endpoints.push(EndpointRow {
            id,
            recipient: Some(id),
            kind: EndpointKind::Mobile,
            address: format!("000{id:08}"),
        });
    }
    rows.recipients.push(RecipientRow {
        id: OFFICER,
        household: None,
        name: "合成网格员".into(),
        language: "zh-CN".into(),
    });
    rows.posts.push(PostRow {
        recipient: OFFICER,
        place: PostPlace::Region(village(0)),
        role: Role::POST_A,
    });
    rows.endpoints.push(EndpointRow {
        id: OFFICER,
        recipient: Some(OFFICER),
        kind: EndpointKind::Mobile,
        address: "00000000910".into(),
    });
    rows.recipients.push(RecipientRow {
        id: KEEPER,
        household: None,
        name: "合成播控".into(),
        language: "zh-CN".into(),
    });
    rows.posts.push(PostRow {
        recipient: KEEPER,
        place: PostPlace::Region(COUNTY.parse().expect("a code")),
        role: Role::DUTY,
    });
    let own = [
        (901, EndpointKind::Manual, "tv:a"),
        (902, EndpointKind::Manual, "led:b"),
        (903, EndpointKind::Mobile, "00000000903"),
    ];
    rows.endpoints
        .extend(own.map(|(id, kind, address)| EndpointRow {
            id,
            recipient: Some(KEEPER),
            kind,
            address: address.into(),
        }));
    Registry::build(1, &rows).expect("rows that fit")
}

pub struct House {
    pub release: Release,
    pub plan: String,
    pub clock: Arc<ManualClock>,
    _folder: TempDir,
}

/// What an alert says, as far as a release looks at it.
pub struct Says {
    pub nth: u64,
    pub msg_type: cap::MsgType,
    pub level: Level,
    pub area: String,
    pub hits: Vec<StreamId>,
    pub born: Born,
    pub status: cap::Status,
}

impl Says {
    pub fn alert(nth: u64, level: Level, area: &str) -> Self {
        Self {
            nth,
            msg_type: cap::MsgType::Alert,
            level,
            area: area.to_owned(),
            hits: Vec::new(),
            born: Born::Live,
            status: cap::Status::Actual,
        }
    }

    pub fn update(nth: u64, level: Level, area: &str, of: &[StreamId]) -> Self {
        Self {
            msg_type: cap::MsgType::Update,
            hits: of.to_vec(),
            ..Self::alert(nth, level, area)
        }
    }

    /// Without any info.
    pub fn cancel(nth: u64, of: &[StreamId]) -> Self {
        Self {
            msg_type: cap::MsgType::Cancel,
            hits: of.to_vec(),
            ..Self::alert(nth, Level::Unknown, COUNTY)
        }
    }

    fn severity(&self) -> cap::Severity {
        match self.level {
            Level::Red => cap::Severity::Extreme,
            Level::Orange => cap::Severity::Severe,
            Level::Yellow => cap::Severity::Moderate,
            Level::Blue => cap::Severity::Minor,
            Level::Unknown => cap::Severity::Unknown,
        }
    }

    fn xml(&self) -> String {
        let info = format!(
            "<info><language>zh-CN</language><category>Met</category><event>山洪</event>\
             <urgency>Immediate</urgency><severity>{}</severity><certainty>Likely</certainty>\
             <expires>2026-07-14T18:00:00+08:00</expires><headline>第{}号</headline>\
             <instruction>请转移。</instruction><area><areaDesc>a</areaDesc><geocode>\
             <valueName>CPEAS Geographic Code</valueName><value>{}</value></geocode></area></info>",
            self.severity(),
            self.nth,
            self.area
        );
        let info = if self.msg_type == cap::MsgType::Cancel {
            ""
        } else {
            &info
        };
        format!(
            "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"><identifier>A-{}</identifier>\
             <sender>bureau@example.invalid</sender><sent>2026-07-14T09:00:00+08:00</sent><status>{}</status>\
             <msgType>{}</msgType><scope>Public</scope>{info}</alert>",
            self.nth, self.status, self.msg_type
        )
    }

    fn infos(&self) -> Vec<InfoMeta> {
        if self.msg_type == cap::MsgType::Cancel {
            return Vec::new();
        }
        vec![InfoMeta {
            language: "zh-CN".into(),
            event: "11A51".into(),
            severity: self.severity(),
            urgency: cap::Urgency::Immediate,
            onset: None,
            expires: START.plus(std::time::Duration::from_hours(9)),
        }]
    }
}

impl House {
    pub async fn start() -> Self {
        Self::with(Filings::default()).await
    }

    /// What is filed of whose texts.
    pub async fn with(filings: Filings) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Sqlite::open(&folder.path().join("journal.sqlite")).expect("a journal");
        let store: Arc<dyn Store> = Arc::new(store);
        let clock = Arc::new(ManualClock::new(START));
        let time = Arc::new(Steady::new(clock.clone()));
        let replayed = replay(&*store).await.expect("an empty journal");
        let ledger = replayed.ledger;
        let history = replayed.history;
        let writer = Writer::start(store.clone(), ledger.clone(), clock.clone(), history);
        let far = |name: &str, cost| -> (String, Arc<dyn Channel>) {
            (name.to_owned(), Arc::new(Far(cost)))
        };
        let release = Release {
            archive: Arc::new(Archive::new(ledger.clone(), store.clone())),
            correlator: Arc::default(),
            ledger,
            writer,
            store,
            registry: Arc::new(RwLock::new(Arc::new(registry()))),
            channels: Arc::new(BTreeMap::from([
                far("sms", 1),
                far("sms-wide", 3),
                ("tv".to_owned(), Arc::new(Outlets) as Arc<dyn Channel>),
            ])),
            routes: Arc::default(),
            bureaus: Arc::new(Bureaus::new(Vec::new())),
            means: Arc::new(Means {
                rates: BTreeMap::new(),
                filings,
                carriers: Carriers::shipped(),
                events: Events::shipped(),
                hush: Hush::default(),
                sounds: crate::plan::Sounds::shipped(),
            }),
            prompters: Prompters::new(),
            clock: time.clone(),
            time,
        };
        Self {
            release,
            plan: PLAN.to_owned(),
            clock,
            _folder: folder,
        }
    }

    pub async fn accept(&self, says: &Says) -> StreamId {
        let (xml, plan) = (says.xml().into_bytes(), self.plan.clone().into_bytes());
        let identity = Identity {
            sender: "bureau@example.invalid".into(),
            identifier: format!("A-{}", says.nth),
            sent: START.secs(),
        };
        let meta = Accepted {
            identity: identity.clone(),
            document: sha256(&xml),
            content: sha256(&xml),
            caller: "water".into(),
            status: says.status,
            msg_type: says.msg_type,
            level: says.level,
            references: Vec::new(),
            hits: says.hits.clone(),
            born: says.born,
            infos: says.infos(),
            regions: vec![says.area.parse().expect("a code")],
            regions_hash: [3; 32],
            plan: sha256(&plan),
            plan_name: "all".into(),
            generation: 1,
        };
        let proposal = Proposal {
            claim: Some((identity, meta.content)),
            documents: vec![(meta.document, xml), (meta.plan, plan)],
            events: vec![(Proposal::NEW, Event::Accepted(Box::new(meta)))],
            ..Proposal::default()
        };
        let commit = self.release.writer.propose(proposal).await;
        let opened = commit.expect("it commits").opened;
        opened.expect("a stream")
    }

    pub fn alert(&self, stream: StreamId) -> Arc<Alert> {
        self.release.ledger.alert(stream).expect("an open alert")
    }

    /// All passes until nothing is left.
    pub async fn release(&self) {
        while self.release.pass().await {}
    }

    /// Everything that an alert planned goes out.
    pub async fn hand(&self, stream: StreamId) {
        use crate::ledger::event::{HandedRange, Why};
        let range = HandedRange {
            lo: 0,
            hi: self.alert(stream).next_delivery(),
            attempt: 1,
            why: Why::First,
            serial: 1,
        };
        let handed = Event::Handed {
            channel: "sms".into(),
            ranges: vec![range],
        };
        let proposal = Proposal::of(stream, handed);
        let commit = self.release.writer.propose(proposal).await;
        commit.expect("it commits");
    }
}
