//! What the platform has outlives whoever runs it: each message in a file of its own, as it came. After a restart all of them
//! wait for its people again. This module must not tell anybody.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::super::body::Body;
use super::super::message::Ebm;
use super::super::packet::Packet;
use super::super::profile::Profile;
use super::super::state::Brd;
use super::Kept;

/// Written whole before it has its name: a kill leaves nothing that is torn.
pub fn keep(folder: &Path, packet: &Packet, ebm: &Ebm, profile: Profile) -> io::Result<()> {
    let draft = folder.join(format!("{}.new", ebm.id));
    std::fs::write(&draft, packet.write(profile))?;
    std::fs::rename(draft, folder.join(format!("{}.xml", ebm.id)))
}

pub fn kept(folder: &Path) -> io::Result<BTreeMap<String, Kept>> {
    std::fs::create_dir_all(folder)?;
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|end| end != "xml") {
            continue;
        }
        let packet = Packet::read(&std::fs::read(&path)?).map_err(io::Error::other)?;
        if let Body::Ebm(ebm) = packet.body {
            all.insert(ebm.id.clone(), Kept::new(*ebm));
        }
    }
    let ended: Vec<_> = all.values().filter_map(|k| k.ebm.related.clone()).collect();
    for id in ended {
        if let Some(kept) = all.get_mut(&id) {
            kept.state = Brd::Cancelled;
        }
    }
    Ok(all)
}
