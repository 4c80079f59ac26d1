//! Who may do what, with which key. A bureau proves itself with a bearer token; the configuration holds only the
//! token's SHA-256. A caller's regions are a hard wall. This module must not read requests or know HTTP.

mod budget;
pub mod devices;
mod entry;
mod feeds;
mod keepers;

use channel::Authority;
use channel::http::Request;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

use crate::model::{RegionCode, RegionLevel};

pub use budget::{Account, Budget, Purse};
pub use entry::{Entry, NoEntry};
pub use feeds::{Feeds, Proven};
pub use keepers::{Keepers, Keeping, Opened, Shut};

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Hand in warnings, their updates and their cancellations.
    Submit,
    /// Read alerts, coverage and lists.
    Read,
    /// Import another registry, and read how much it holds.
    Registry,
    /// Say the word on an alert that waits for a person.
    Decide,
    /// Enrol and revoke devices, and order of them what carries no text.
    Devices,
    /// Take down what somebody else has done by hand (代报).
    Report,
    /// Bring recordings for loudspeakers, vouch for another's, and take one back.
    Recordings,
}

/// A bureau as configured.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bureau {
    /// Stands in the journal: letters, digits and hyphens.
    pub id: String,
    /// What people read: 平武县水利局.
    pub name: String,
    /// Goes before every text: 平武水利.
    pub signature: String,
    /// SHA-256 of its token, in hex. `tocsin token` makes both.
    pub token_sha256: String,
    pub scopes: Vec<Scope>,
    pub regions: Vec<RegionCode>,
    /// CAP senders that it may speak for; empty: any.
    #[serde(default)]
    pub senders: Vec<String>,
    /// Findings of level error are a refusal.
    #[serde(default)]
    pub strict: bool,
    /// What it may spend in text messages.
    #[serde(default)]
    pub budget: Option<Budget>,
}

/// A proven caller.
#[derive(Clone, Debug)]
pub struct Caller {
    pub id: String,
    pub signature: String,
    pub scopes: Vec<Scope>,
    pub regions: Vec<RegionCode>,
    pub senders: Vec<String>,
    pub strict: bool,
}

impl Caller {
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Whether the whole of `region` lies inside what this caller is responsible for.
    pub fn covers(&self, region: RegionCode) -> bool {
        self.regions.iter().any(|own| own.covers(region))
    }

    pub fn speaks_for(&self, sender: &str) -> bool {
        self.senders.is_empty() || self.senders.iter().any(|own| own == sender)
    }
}

pub struct Bureaus(Vec<Bureau>);

impl Bureaus {
    pub fn new(bureaus: Vec<Bureau>) -> Self {
        Self(bureaus)
    }

    /// The bureau that this token belongs to. The token has 256 random bits, so a plain hash is enough; hashes are
    /// compared in constant time, all of them.
    pub fn prove(&self, token: &str) -> Option<Caller> {
        let hash = hex::encode(digest(&SHA256, token.as_bytes()));
        let mut proven = None;
        for bureau in &self.0 {
            if same(hash.as_bytes(), bureau.token_sha256.as_bytes()) {
                proven = Some(bureau);
            }
        }
        proven.map(|b| Caller {
            id: b.id.clone(),
            signature: b.signature.clone(),
            scopes: b.scopes.clone(),
            regions: b.regions.clone(),
            senders: b.senders.clone(),
            strict: b.strict,
        })
    }

    /// From the request's `Authorization: Bearer` header.
    pub fn prove_request(&self, request: &Request) -> Option<Caller> {
        self.prove(request.header("authorization")?.strip_prefix("Bearer ")?)
    }

    /// What goes before every text of a bureau; a bureau that is no longer configured leaves its alerts behind.
    pub fn signature_of(&self, id: &str) -> &str {
        self.0
            .iter()
            .find(|b| b.id == id)
            .map_or("预警发布", |b| b.signature.as_str())
    }

    pub fn budget_of(&self, id: &str) -> Option<Budget> {
        self.0.iter().find(|b| b.id == id)?.budget
    }

    /// Every bureau that has a budget.
    pub fn with_budget(&self) -> impl Iterator<Item = (&Bureau, Budget)> {
        self.0.iter().filter_map(|b| Some((b, b.budget?)))
    }

    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|b| b.id.as_str())
    }

    /// Whose word a bureau's is: that of the widest region it is responsible for.
    pub fn authority_of(&self, id: &str) -> Authority {
        let bureau = self.0.iter().find(|b| b.id == id);
        bureau.map_or(Authority::County, |b| authority(&b.regions))
    }

    pub fn name_of(&self, id: &str) -> Option<&str> {
        self.0.iter().find(|b| b.id == id).map(|b| b.name.as_str())
    }
}

pub fn authority(regions: &[RegionCode]) -> Authority {
    let widest = regions.iter().map(|region| region.level()).min();
    match widest {
        Some(RegionLevel::Town) => Authority::Town,
        Some(RegionLevel::Village) => Authority::Village,
        _ => Authority::County,
    }
}

fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |d, (x, y)| d | (x ^ y)) == 0
}

/// A new token and the hash that the configuration keeps of it.
///
/// # Panics
/// When the machine gives no random bytes.
pub fn new_token() -> (String, String) {
    let mut bytes = [0; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("the machine gives random bytes");
    let token = format!("tocsin_{}", hex::encode(bytes));
    let hash = token_hash(&token);
    (token, hash)
}

pub fn token_hash(token: &str) -> String {
    hex::encode(digest(&SHA256, token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bureau(token: &str) -> Bureau {
        Bureau {
            id: "water".into(),
            name: "水利局".into(),
            signature: "平武水利".into(),
            token_sha256: token_hash(token),
            scopes: vec![Scope::Submit],
            regions: vec!["510727".parse().expect("a code")],
            senders: vec!["a@b".into()],
            strict: false,
            budget: None,
        }
    }

    #[test]
    fn only_the_right_token_proves_a_caller() {
        let (token, hash) = new_token();
        assert_eq!(hash.len(), 64);
        let bureaus = Bureaus::new(vec![
            bureau("other"),
            Bureau {
                id: "met".into(),
                ..bureau(&token)
            },
        ]);
        assert_eq!(bureaus.prove(&token).map(|c| c.id), Some("met".into()));
        assert!(bureaus.prove("").is_none());
        assert!(bureaus.prove(&format!("{token}x")).is_none());
        assert!(bureaus.prove(&hash).is_none(), "the hash is no token");
    }

    #[test]
    fn regions_scopes_and_senders_are_walls() {
        let caller = Bureaus::new(vec![bureau("t")]).prove("t").expect("proven");
        assert!(caller.covers("510727217".parse().expect("a code")));
        assert!(
            !caller.covers("5107".parse().expect("a code")),
            "a wider region is outside"
        );
        assert!(!caller.covers("510726".parse().expect("a code")));
        assert!(caller.may(Scope::Submit) && !caller.may(Scope::Read));
        assert!(caller.speaks_for("a@b") && !caller.speaks_for("c@d"));
    }
}
