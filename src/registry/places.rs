//! What stands beside the columns because there is little of it: region tags and old codes, local groups, key units,
//! zones, and who stands near to a household. This module must not decide what a zone or a relation is good for.

use crate::model::{
    GroupCode, HouseholdId, MemberRow, PostPlace, RecipientId, RegionCode, RegionLevel,
    RelationRow, Rows, TagNames, Tags, UnitId, UnitRow, ZoneId, ZoneMember, ZoneRow,
};

use super::Registry;
use super::columns::held;

/// What a code means today.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resolved<'a> {
    /// It is in the table.
    Current,
    /// It was, and these took its place: one, or the parts it was split into.
    Old(&'a [RegionCode]),
    Unknown,
}

/// A zone as this generation has it.
#[derive(Clone, Copy, PartialEq)]
pub struct ZoneRef<'a> {
    pub row: &'a ZoneRow,
    /// Sorted, each once.
    pub members: &'a [ZoneMember],
}

impl std::fmt::Debug for ZoneRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "zone {} version {}", self.row.code, self.row.version)
    }
}

struct Zone {
    row: ZoneRow,
    members: Vec<ZoneMember>,
}

#[derive(Default)]
pub struct Places {
    tag_names: TagNames,
    /// Of the regions that have any, by code.
    region_tags: Vec<(RegionCode, Tags)>,
    revisions: Vec<(RegionCode, u16)>,
    /// Old code and current code, sorted.
    old: Vec<RegionCode>,
    current: Vec<RegionCode>,
    /// Other names, sorted.
    names: Vec<(Box<str>, RegionCode)>,
    groups: Vec<(GroupCode, Box<str>)>,
    /// By village, id.
    units: Vec<UnitRow>,
    /// By id.
    zones: Vec<Zone>,
    /// By household, recipient, kind.
    relations: Vec<RelationRow>,
}

impl Places {
    pub fn of(rows: &Rows) -> Self {
        let mut places = Self {
            tag_names: TagNames::of(&rows.tags),
            units: rows.units.clone(),
            relations: rows.relations.clone(),
            ..Self::default()
        };
        for region in &rows.regions {
            if region.tags != Tags::default() {
                places.region_tags.push((region.code, region.tags));
            }
            if region.revision > 0 {
                places.revisions.push((region.code, region.revision));
            }
        }
        places.region_tags.sort_unstable_by_key(|(code, _)| *code);
        places.revisions.sort_unstable();
        let mut old: Vec<_> = rows
            .aliases
            .iter()
            .filter_map(|alias| Some((alias.old?, alias.code)))
            .collect();
        old.sort_unstable();
        (places.old, places.current) = old.into_iter().unzip();
        let named = rows.aliases.iter().filter(|alias| !alias.name.is_empty());
        places.names = named
            .map(|alias| (alias.name.as_str().into(), alias.code))
            .collect();
        places.names.sort_unstable();
        let code = |village, group| GroupCode { village, group };
        let groups = rows.groups.iter();
        places.groups = groups
            .map(|row| (code(row.village, row.group), row.name.as_str().into()))
            .collect();
        places.groups.sort_unstable();
        places
            .units
            .sort_unstable_by_key(|unit| (unit.village, unit.id));
        places.zones = zones(&rows.zones, &rows.members);
        places.relations.sort_unstable();
        places
    }

    pub fn bytes(&self) -> usize {
        let texts = self.names.iter().map(|(name, _)| name.len()).sum::<usize>()
            + self
                .groups
                .iter()
                .map(|(_, name)| name.len())
                .sum::<usize>()
            + self.units.iter().map(|unit| unit.name.len()).sum::<usize>();
        let zone = |zone: &Zone| {
            let texts = zone.row.code.len() + zone.row.name.len();
            texts + held(&zone.row.outline) + held(&zone.members)
        };
        self.tag_names.bytes()
            + held(&self.region_tags)
            + held(&self.revisions)
            + held(&self.old)
            + held(&self.current)
            + held(&self.names)
            + held(&self.groups)
            + held(&self.units)
            + held(&self.zones)
            + held(&self.relations)
            + texts
            + self.zones.iter().map(zone).sum::<usize>()
    }

    pub fn sizes(&self) -> [usize; 4] {
        [
            self.groups.len(),
            self.units.len(),
            self.zones.len(),
            self.relations.len(),
        ]
    }
}

fn zones(rows: &[ZoneRow], members: &[MemberRow]) -> Vec<Zone> {
    let mut members: Vec<_> = members.iter().map(|row| (row.zone, row.member)).collect();
    members.sort_unstable();
    let mut zones: Vec<_> = rows
        .iter()
        .map(|row| {
            let start = members.partition_point(|(zone, _)| *zone < row.id);
            let own = members[start..]
                .iter()
                .take_while(|(zone, _)| *zone == row.id);
            Zone {
                row: row.clone(),
                members: own.map(|(_, member)| *member).collect(),
            }
        })
        .collect();
    zones.sort_unstable_by_key(|zone| zone.row.id);
    zones
}

impl Registry {
    /// What tags are called in this generation.
    pub fn tag_names(&self) -> &TagNames {
        &self.places.tag_names
    }

    pub fn region_tags(&self, code: RegionCode) -> Tags {
        let tags = &self.places.region_tags;
        let at = tags.binary_search_by_key(&code, |(code, _)| *code);
        at.map_or_else(|_| Tags::default(), |at| tags[at].1)
    }

    /// The edition of the code list that a region is from, as a year.
    pub fn revision(&self, code: RegionCode) -> Option<u16> {
        let revisions = &self.places.revisions;
        let at = revisions.binary_search_by_key(&code, |(code, _)| *code);
        at.ok().map(|at| revisions[at].1)
    }

    /// What a code means today. Old codes are exact: a village of a renumbered town has its own alias or none.
    pub fn resolve(&self, code: RegionCode) -> Resolved<'_> {
        if self.contains(code) {
            return Resolved::Current;
        }
        let places = &self.places;
        let start = places.old.partition_point(|old| *old < code);
        let end = places.old.partition_point(|old| *old <= code);
        if start == end {
            Resolved::Unknown
        } else {
            Resolved::Old(&places.current[start..end])
        }
    }

    /// The regions that are called so, by their own or another name, by code.
    pub fn regions_named(&self, name: &str) -> Vec<RegionCode> {
        let own = self.regions.codes.iter().copied();
        let own = own.filter(|code| self.region_name(*code) == Some(name));
        let names = &self.places.names;
        let start = names.partition_point(|(other, _)| **other < *name);
        let others = names[start..]
            .iter()
            .take_while(|(other, _)| **other == *name);
        let mut found: Vec<_> = own.chain(others.map(|(_, code)| *code)).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The households of a local group, by id.
    pub fn households_of_group(&self, code: GroupCode) -> &[HouseholdId] {
        let ids = self.households_under(code.village);
        let Some(first) = ids.first() else {
            return &[];
        };
        // A village's households stand together and in the order of their groups.
        let first = self.household_position(*first).unwrap_or(0);
        let groups = &self.households.groups[first..first + ids.len()];
        let start = groups.partition_point(|group| *group < code.group);
        let end = groups.partition_point(|group| *group <= code.group);
        &ids[start..end]
    }

    /// Whether anything of this village is put into this group.
    pub fn has_group(&self, code: GroupCode) -> bool {
        self.group_name(code).is_some() || !self.households_of_group(code).is_empty()
    }

    pub fn group_name(&self, code: GroupCode) -> Option<&str> {
        let groups = &self.places.groups;
        let at = groups.binary_search_by_key(&code, |(code, _)| *code);
        at.ok().map(|at| &*groups[at].1)
    }

    /// The key units of a region, by village and id.
    pub fn units_under(&self, code: RegionCode) -> &[UnitRow] {
        let units = &self.places.units;
        let range = code.range();
        let start = units.partition_point(|unit| unit.village.number() < range.start);
        let end = units.partition_point(|unit| unit.village.number() < range.end);
        &units[start..end]
    }

    pub fn unit(&self, id: UnitId) -> Option<&UnitRow> {
        self.places.units.iter().find(|unit| unit.id == id)
    }

    /// Who has a post in which village: of the village itself, of one of its groups or of a key unit there.
    pub fn posts_in_villages(&self) -> impl Iterator<Item = (RecipientId, RegionCode)> {
        let village = |place| match place {
            PostPlace::Region(region) => Some(region),
            PostPlace::Group(group) => Some(group.village),
            PostPlace::Unit(id) => Some(self.unit(id)?.village),
            PostPlace::Zone(_) => None,
        };
        let posts = self.posts.iter();
        let posts = posts.filter_map(move |post| Some((post.recipient, village(post.place)?)));
        posts.filter(|(_, region)| region.level() == RegionLevel::Village)
    }

    pub fn zones(&self) -> impl Iterator<Item = ZoneRef<'_>> {
        self.places.zones.iter().map(Zone::lend)
    }

    pub fn zone(&self, id: ZoneId) -> Option<ZoneRef<'_>> {
        let zones = &self.places.zones;
        let at = zones.binary_search_by_key(&id, |zone| zone.row.id);
        at.ok().map(|at| zones[at].lend())
    }

    /// By the code that alerts and plans call it.
    pub fn zone_of_code(&self, code: &str) -> Option<ZoneRef<'_>> {
        self.zones().find(|zone| zone.row.code == code)
    }

    /// The households that belong to a zone, by id, each once: its own and those of its groups and regions.
    pub fn households_of_zone(&self, id: ZoneId) -> Vec<HouseholdId> {
        let mut found = Vec::new();
        for member in self.zone(id).map_or(&[][..], |zone| zone.members) {
            match member {
                ZoneMember::Region(region) => found.extend(self.households_under(*region)),
                ZoneMember::Group(group) => found.extend(self.households_of_group(*group)),
                ZoneMember::Household(household) => found.push(*household),
                ZoneMember::Unit(_) => {}
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The relatives and neighbours of a household, by recipient.
    pub fn relations_of(&self, household: HouseholdId) -> &[RelationRow] {
        let relations = &self.places.relations;
        let start = relations.partition_point(|row| row.household < household);
        let end = relations.partition_point(|row| row.household <= household);
        &relations[start..end]
    }

    /// The named groups of a village, by number.
    pub fn groups_of(&self, village: RegionCode) -> impl Iterator<Item = (u8, &str)> {
        let groups = &self.places.groups;
        let start = groups.partition_point(|(code, _)| code.village < village);
        let own = groups[start..]
            .iter()
            .take_while(move |(code, _)| code.village == village);
        own.map(|(code, name)| (code.group, &**name))
    }
}

impl Zone {
    fn lend(&self) -> ZoneRef<'_> {
        ZoneRef {
            row: &self.row,
            members: &self.members,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{code, whole};
    use super::*;

    fn group(village: &str, group: u8) -> GroupCode {
        GroupCode {
            village: code(village),
            group,
        }
    }

    fn built() -> Registry {
        Registry::build(1, &whole()).expect("sound rows")
    }

    #[test]
    fn an_old_code_resolves_to_what_took_its_place() {
        let registry = built();
        let both = [code("510727219200"), code("510727219201")];
        assert_eq!(registry.resolve(code("510727217201")), Resolved::Old(&both));
        assert_eq!(registry.resolve(both[0]), Resolved::Current);
        assert_eq!(registry.resolve(code("510727217")), Resolved::Unknown);
        assert_eq!(registry.regions_named("牛飞"), [both[1]]);
        assert_eq!(registry.regions_named("牛飞村"), [both[1]]);
        assert!(registry.regions_named("无此村").is_empty());
        assert_eq!(registry.revision(both[1]), Some(2023));
        assert_eq!(registry.revision(both[0]), None);
    }

    #[test]
    fn a_group_holds_its_own_households_and_may_have_a_name() {
        let registry = built();
        let found = |number| registry.households_of_group(group("510727219200", number));
        assert_eq!((found(1), found(2)), ([7, 40].as_slice(), [90].as_slice()));
        assert!(found(3).is_empty());
        assert!(
            registry
                .households_of_group(group("510727219201", 1))
                .is_empty()
        );
        assert_eq!(registry.group_name(group("510727219200", 2)), Some("上社"));
        assert!(registry.has_group(group("510727219200", 1)));
        assert!(!registry.has_group(group("510727219200", 3)));
        let named: Vec<_> = registry.groups_of(code("510727219200")).collect();
        assert_eq!(named, [(2, "上社")]);
    }

    #[test]
    fn a_zone_is_the_households_of_all_its_members_each_once() {
        let registry = built();
        let zone = registry.zone_of_code("sh-014").expect("it is there");
        assert_eq!(
            (zone.row.id, zone.row.version, zone.members.len()),
            (30, 2, 4)
        );
        assert_eq!(registry.households_of_zone(30), [3, 7, 40]);
        assert!(registry.zone_of_code("sh-015").is_none());
        assert!(registry.households_of_zone(31).is_empty());
        assert_eq!(registry.units_under(code("510727219"))[0].heads, 86);
        assert!(registry.units_under(code("510727100")).is_empty());
        assert_eq!(registry.unit(5).map(|unit| unit.tags), Some(Tags::SCHOOL));
    }

    #[test]
    fn tags_points_and_neighbours_are_found() {
        let registry = built();
        let tags = registry.region_tags(code("510727219201"));
        let names: Vec<_> = registry.tag_names().names(tags).collect();
        assert_eq!(names, ["steep-slope"]);
        assert_eq!(registry.region_tags(code("510727")), Tags::default());
        let near = registry.relations_of(90);
        assert_eq!((near.len(), near[0].recipient), (1, 13));
        assert!(registry.relations_of(7).is_empty());
        let point = registry.household(7).expect("it is there").point;
        assert_eq!(point, Some((32.123_456_7, -104.5)));
        let known = registry.spots_under(code("510727219200"));
        let known: Vec<_> = known.iter().map(|spot| spot.point().is_some()).collect();
        assert_eq!(known, [true, false, false]);
    }
}
