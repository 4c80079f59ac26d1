//! Regions, their other names, groups and tags. This module must not ask for a level that a tree leaves out.

use std::collections::{BTreeMap, HashSet};

use crate::model::{GroupCode, RegionCode, RegionLevel, Tags};

use super::super::problem::Key;
use super::super::table::Table;
use super::{At, Known};

impl Known<'_> {
    pub(super) fn regions(&mut self) {
        let mut seen = HashSet::new();
        for (row, region) in self.rows.regions.iter().enumerate() {
            let at = At {
                table: Table::Regions,
                row,
                key: Key::Region(region.code),
            };
            self.once(&mut seen, region.code, at, "code");
            if let Some(parent) = self.missing_parent(region.code) {
                let what = format!("lies in {parent}, which is not in the table");
                let remedy = "add the region it lies in, or correct the code";
                self.found(at, "code", what, remedy);
            }
            self.needs_sound_point(at, region.lat, region.lon);
        }
    }

    pub(super) fn needs_sound_point(&mut self, at: At, lat: Option<f64>, lon: Option<f64>) {
        let sound = match (lat, lon) {
            (None, None) => true,
            (Some(lat), Some(lon)) => lat.abs() <= 90.0 && lon.abs() <= 180.0,
            _ => false,
        };
        if !sound {
            let remedy = "give latitude and longitude in degrees, or neither";
            self.found(at, "lat", "has no sound point", remedy);
        }
    }

    /// A village needs its town, a town its county; a county may stand under its province alone (仙桃, 济源), and a tree
    /// may begin anywhere. The digits of a town without county give its city as parent (东莞, 嘉峪关).
    fn missing_parent(&self, code: RegionCode) -> Option<RegionCode> {
        let parent = code.parent()?;
        if self.may_be(Table::Regions, &self.regions, &parent) {
            return None;
        }
        let begins = std::iter::successors(parent.parent(), |above| above.parent())
            .all(|above| !self.regions.contains(&above));
        match code.level() {
            RegionLevel::Village => Some(parent),
            RegionLevel::County => None,
            _ => (!begins).then_some(parent),
        }
    }

    pub(super) fn aliases(&mut self) {
        let mut seen = HashSet::new();
        for (row, alias) in self.rows.aliases.iter().enumerate() {
            let at = At {
                table: Table::Aliases,
                row,
                key: Key::Region(alias.code),
            };
            let key = (alias.code, alias.old, alias.name.as_str());
            self.once(&mut seen, key, at, "code");
            if !self.may_be(Table::Regions, &self.regions, &alias.code) {
                let what = format!(
                    "is another name of {}, which is not a region here",
                    alias.code
                );
                let remedy = "add the region, or correct the code";
                self.found(at, "code", what, remedy);
            }
            if let Some(old) = alias.old
                && self.regions.contains(&old)
            {
                let what = format!("says that {old} is old, and it is among the regions");
                let remedy = "take it out of the regions, or drop the alias";
                self.found(at, "old", what, remedy);
            }
        }
    }

    pub(super) fn groups(&mut self) {
        let mut seen = HashSet::new();
        for (row, group) in self.rows.groups.iter().enumerate() {
            let key = GroupCode {
                village: group.village,
                group: group.group,
            };
            let at = At {
                table: Table::Groups,
                row,
                key: Key::Group(key),
            };
            self.once(&mut seen, key, at, "group");
            self.needs_village(at, group.village);
        }
    }

    pub(super) fn tags(&mut self) {
        let mut seen = BTreeMap::new();
        for (row, tag) in self.rows.tags.iter().enumerate() {
            let at = At {
                table: Table::Tags,
                row,
                key: Key::Id(u32::from(tag.bit)),
            };
            if !(4..32).contains(&tag.bit) {
                let remedy = "give a bit from 4 to 31; 0 to 3 are built in";
                self.found(at, "bit", "is no bit of a registry's own", remedy);
            }
            let built_in = Tags::BUILT_IN.contains(&tag.name.as_str());
            if built_in || seen.values().any(|name| *name == &tag.name) {
                let remedy = "give every tag a name of its own";
                self.found(at, "name", "is the name of another tag", remedy);
            }
            if seen.insert(tag.bit, &tag.name).is_some() {
                let remedy = "give every tag its own bit";
                self.found(at, "bit", "is the bit of another tag", remedy);
            }
        }
    }
}
