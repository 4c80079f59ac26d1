//! Key units, zones and what belongs to them. This module must not compare a zone with what it was before: that is the
//! import's.

use std::collections::HashSet;

use crate::model::{AreaCode, ZoneMember};

use super::super::problem::Key;
use super::super::table::Table;
use super::{At, Known};

impl Known<'_> {
    pub(super) fn units(&mut self) {
        let mut seen = HashSet::new();
        for (row, unit) in self.rows.units.iter().enumerate() {
            let at = At {
                table: Table::Units,
                row,
                key: Key::Id(unit.id),
            };
            self.once(&mut seen, unit.id, at, "id");
            self.needs_village(at, unit.village);
            self.needs_sound_point(at, unit.lat, unit.lon);
        }
    }

    pub(super) fn zones(&mut self) {
        let (mut ids, mut codes) = (HashSet::new(), HashSet::new());
        for (row, zone) in self.rows.zones.iter().enumerate() {
            let at = At {
                table: Table::Zones,
                row,
                key: Key::Id(zone.id),
            };
            self.once(&mut ids, zone.id, at, "id");
            self.once(&mut codes, zone.code.as_str(), at, "code");
        }
    }

    pub(super) fn members(&mut self) {
        let mut seen = HashSet::new();
        for (row, member) in self.rows.members.iter().enumerate() {
            let at = At {
                table: Table::Members,
                row,
                key: Key::Id(member.zone),
            };
            self.once(&mut seen, (member.zone, member.member), at, "zone");
            self.needs(at, "zone", Table::Zones, member.zone);
            match member.member {
                ZoneMember::Region(region) => self.needs_area(at, AreaCode::Region(region)),
                ZoneMember::Group(group) => self.needs_area(at, AreaCode::Group(group)),
                ZoneMember::Household(id) => self.needs(at, "household", Table::Households, id),
                ZoneMember::Unit(id) => self.needs(at, "unit", Table::Units, id),
            }
        }
    }
}
