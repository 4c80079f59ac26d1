//! What an alert and its regions are known by: its identity, its references, and the hash of its canonical region list.
//! This module must not decide whether two alerts are one.

use crate::ledger::Identity;
use crate::ledger::record::sha256;
use crate::model::RegionCode;

pub fn identity(alert: &cap::Alert) -> Identity {
    Identity {
        sender: alert.sender.clone(),
        identifier: alert.identifier.clone(),
        sent: alert.sent.unix,
    }
}

pub fn reference(reference: &cap::Reference) -> Identity {
    Identity {
        sender: reference.sender.clone(),
        identifier: reference.identifier.clone(),
        sent: reference.sent.map_or(0, |t| t.unix),
    }
}

/// Hash of the canonical region list: its codes in order, one a line.
pub fn regions_hash(regions: &[RegionCode]) -> [u8; 32] {
    let mut lines = String::with_capacity(regions.len() * 13);
    for region in regions {
        lines.push_str(&region.to_string());
        lines.push('\n');
    }
    sha256(lines.as_bytes())
}
