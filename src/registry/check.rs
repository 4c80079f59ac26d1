//! Everything that is wrong with a generation's rows, at once. This module must not stop at the first problem, and its
//! findings carry ids and codes only.

use std::collections::HashSet;

use crate::model::{EndpointKind, EndpointRow, PostPlace, RegionCode, RegionLevel, Rows};

use super::problem::{Place, Problem, Table};

const LANGUAGES_AT_MOST: usize = 1_000;

/// The ids that the rows of other tables may refer to.
struct Known<'a> {
    regions: HashSet<RegionCode>,
    households: HashSet<u32>,
    recipients: HashSet<u32>,
    speakers: HashSet<u32>,
    rows: &'a Rows,
    problems: Vec<Problem>,
}

pub fn check(rows: &Rows) -> Vec<Problem> {
    let mut known = Known {
        regions: rows.regions.iter().map(|region| region.code).collect(),
        households: HashSet::new(),
        recipients: HashSet::new(),
        speakers: HashSet::new(),
        rows,
        problems: Vec::new(),
    };
    known.sizes();
    known.regions();
    known.households();
    known.recipients();
    known.endpoints();
    known.speakers();
    known.posts();
    known.hearing();
    known.problems
}

impl Known<'_> {
    fn found(&mut self, table: Table, place: Place, what: impl Into<String>, remedy: &'static str) {
        self.problems.push(Problem::new(table, place, what, remedy));
    }

    fn twice(&mut self, table: Table, place: Place) {
        let remedy = "give every row its own id and drop the copy";
        self.found(table, place, "occurs more than once", remedy);
    }

    fn sizes(&mut self) {
        let rows = self.rows;
        let sizes = [
            (Table::Households, rows.households.len(), {
                rows.households.iter().map(|row| row.name.len()).sum()
            }),
            (Table::Recipients, rows.recipients.len(), {
                rows.recipients.iter().map(|row| row.name.len()).sum()
            }),
            (Table::Endpoints, rows.endpoints.len(), {
                rows.endpoints.iter().map(|row| row.address.len()).sum()
            }),
            (Table::Hearing, rows.hearing.len(), 0_usize),
        ];
        for (table, length, text) in sizes {
            if length.max(text) >= u32::MAX as usize {
                let remedy = "split the registry by region over several gateways";
                self.found(table, Place::Whole, "is larger than 4 GiB", remedy);
            }
        }
        let spoken: HashSet<_> = rows.recipients.iter().map(|row| &row.language).collect();
        if spoken.len() > LANGUAGES_AT_MOST {
            let what = format!("names {} languages", spoken.len());
            let remedy = "put a language tag such as zh-CN into the language column";
            self.found(Table::Recipients, Place::Whole, what, remedy);
        }
    }

    fn regions(&mut self) {
        let mut seen = HashSet::new();
        for region in &self.rows.regions {
            let place = Place::Region(region.code);
            if !seen.insert(region.code) {
                self.twice(Table::Regions, place.clone());
            }
            if let Some(parent) = self.missing_parent(region.code) {
                let what = format!("lies in {parent}, which is not in the table");
                let remedy = "add the region it lies in, or correct the code";
                self.found(Table::Regions, place.clone(), what, remedy);
            }
            let sound = match (region.lat, region.lon) {
                (None, None) => true,
                (Some(lat), Some(lon)) => lat.abs() <= 90.0 && lon.abs() <= 180.0,
                _ => false,
            };
            if !sound {
                let remedy = "give latitude and longitude in degrees, or neither";
                self.found(Table::Regions, place, "has no sound point", remedy);
            }
        }
    }

    /// A village needs its town; anything else its parent, unless the table begins with it.
    fn missing_parent(&self, code: RegionCode) -> Option<RegionCode> {
        let parent = code.parent()?;
        if self.regions.contains(&parent) {
            return None;
        }
        let begins = std::iter::successors(parent.parent(), |above| above.parent())
            .all(|above| !self.regions.contains(&above));
        (!begins || code.level() == RegionLevel::Village).then_some(parent)
    }

    /// Says so where `village` is no village of the table.
    fn needs_village(&mut self, table: Table, id: u32, village: RegionCode) {
        if village.level() != RegionLevel::Village {
            let what = format!("is put into {village}, which is no village");
            let remedy = "give the 12-digit code of a village";
            self.found(table, Place::Id(id), what, remedy);
        } else if !self.regions.contains(&village) {
            let what = format!("is put into {village}, which is not among the regions");
            let remedy = "add the village to the regions, or correct the code";
            self.found(table, Place::Id(id), what, remedy);
        }
    }

    fn households(&mut self) {
        for household in &self.rows.households {
            if !self.households.insert(household.id) {
                self.twice(Table::Households, Place::Id(household.id));
            }
            self.needs_village(Table::Households, household.id, household.village);
        }
    }

    fn recipients(&mut self) {
        for recipient in &self.rows.recipients {
            let place = Place::Id(recipient.id);
            if !self.recipients.insert(recipient.id) {
                self.twice(Table::Recipients, place.clone());
            }
            if let Some(household) = recipient.household
                && !self.households.contains(&household)
            {
                let what = format!("belongs to household {household}, which does not exist");
                let remedy = "add the household, or leave it empty for an officer";
                self.found(Table::Recipients, place.clone(), what, remedy);
            }
            if recipient.language.is_empty() {
                let remedy = "give a language tag such as zh-CN";
                self.found(Table::Recipients, place, "has no language", remedy);
            }
        }
    }

    fn endpoints(&mut self) {
        let mut seen = HashSet::new();
        let mut speakers = HashSet::new();
        for endpoint in &self.rows.endpoints {
            let place = Place::Id(endpoint.id);
            if !seen.insert(endpoint.id) {
                self.twice(Table::Endpoints, place.clone());
            }
            self.owner(endpoint);
            if let Some((what, remedy)) = misshapen(endpoint) {
                self.found(Table::Endpoints, place.clone(), what, remedy);
            }
            if endpoint.kind == EndpointKind::Speaker {
                self.speakers.insert(endpoint.id);
                if !speakers.insert(endpoint.address.as_str()) {
                    let remedy = "give every speaker the id it has on its platform";
                    let what = "has the address of another speaker";
                    self.found(Table::Endpoints, place, what, remedy);
                }
            }
        }
    }

    fn owner(&mut self, endpoint: &EndpointRow) {
        let speaker = endpoint.kind == EndpointKind::Speaker;
        let (what, remedy) = match endpoint.recipient {
            None if speaker => return,
            Some(recipient) if !speaker && self.recipients.contains(&recipient) => return,
            None => (
                "belongs to nobody".to_owned(),
                "give the recipient it reaches",
            ),
            Some(_) if speaker => (
                "is a speaker and belongs to a recipient".to_owned(),
                "leave the recipient empty and put the speaker into the speakers",
            ),
            Some(recipient) => (
                format!("belongs to recipient {recipient}, who does not exist"),
                "add the recipient, or correct the id",
            ),
        };
        self.found(Table::Endpoints, Place::Id(endpoint.id), what, remedy);
    }

    fn speakers(&mut self) {
        let mut placed = HashSet::new();
        for speaker in &self.rows.speakers {
            let place = Place::Id(speaker.endpoint);
            if !placed.insert(speaker.endpoint) {
                self.twice(Table::Speakers, place.clone());
            }
            if !self.speakers.contains(&speaker.endpoint) {
                let remedy = "add its endpoint, of kind speaker";
                let what = "is no endpoint of kind speaker";
                self.found(Table::Speakers, place, what, remedy);
            }
            self.needs_village(Table::Speakers, speaker.endpoint, speaker.village);
        }
        for endpoint in &self.rows.endpoints {
            if endpoint.kind == EndpointKind::Speaker && !placed.contains(&endpoint.id) {
                let remedy = "add it to the speakers, with its village";
                let place = Place::Id(endpoint.id);
                self.found(
                    Table::Endpoints,
                    place,
                    "is a speaker without village",
                    remedy,
                );
            }
        }
    }

    fn posts(&mut self) {
        let mut seen = HashSet::new();
        for post in &self.rows.posts {
            let place = Place::Id(post.recipient);
            if !seen.insert((post.recipient, post.place, &post.role)) {
                let what = "holds the same post twice";
                let remedy = "drop the copy";
                self.found(Table::Posts, place.clone(), what, remedy);
            }
            if !self.recipients.contains(&post.recipient) {
                let remedy = "add the officer to the recipients, or correct the id";
                let what = "is the post of a recipient who does not exist";
                self.found(Table::Posts, place.clone(), what, remedy);
            }
            if let PostPlace::Region(region) = post.place
                && !self.regions.contains(&region)
            {
                let what = format!("is a post at {region}, which is not a region here");
                let remedy = "add the region, or correct the code";
                self.found(Table::Posts, place, what, remedy);
            }
        }
    }

    fn hearing(&mut self) {
        let mut seen = HashSet::with_capacity(self.rows.hearing.len());
        for row in &self.rows.hearing {
            let place = Place::Pair(row.speaker, row.household);
            if !seen.insert((row.speaker, row.household)) {
                self.twice(Table::Hearing, place.clone());
            }
            if !self.speakers.contains(&row.speaker) {
                let remedy = "add the speaker, or correct the id";
                let what = "names a speaker that does not exist";
                self.found(Table::Hearing, place.clone(), what, remedy);
            }
            if !self.households.contains(&row.household) {
                let remedy = "add the household, or correct the id";
                let what = "names a household that does not exist";
                self.found(Table::Hearing, place, what, remedy);
            }
        }
    }
}

/// What is wrong with an address's shape, and what to do. The address itself is not said.
fn misshapen(endpoint: &EndpointRow) -> Option<(&'static str, &'static str)> {
    let address = endpoint.address.as_str();
    let sound = match endpoint.kind {
        EndpointKind::Mobile => is_mobile(address),
        EndpointKind::Satellite => digits(address.strip_prefix('+').unwrap_or(address), 7..=15),
        EndpointKind::Landline => is_landline(address),
        EndpointKind::Mailbox => is_mailbox(address),
        EndpointKind::Openid | EndpointKind::Speaker => {
            (1..=128).contains(&address.len())
                && address.bytes().all(|byte| byte.is_ascii_graphic())
        }
    };
    if sound {
        return None;
    }
    Some(match endpoint.kind {
        EndpointKind::Mobile => (
            "has no mobile number",
            "give 11 digits, or + and 8 to 15 digits",
        ),
        EndpointKind::Satellite => ("has no satellite number", "give 7 to 15 digits"),
        EndpointKind::Landline => (
            "has no landline number",
            "give 7 to 12 digits, the area code before a hyphen if you like",
        ),
        EndpointKind::Mailbox => ("has no mail address", "give one of the form name@host"),
        EndpointKind::Openid => (
            "has no openid",
            "give the 1 to 128 plain characters of the service account",
        ),
        EndpointKind::Speaker => (
            "has no speaker id",
            "give the 1 to 128 plain characters its platform knows",
        ),
    })
}

fn digits(text: &str, length: std::ops::RangeInclusive<usize>) -> bool {
    length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_mobile(address: &str) -> bool {
    match address.strip_prefix('+') {
        Some(international) => digits(international, 8..=15),
        None => digits(address, 11..=11),
    }
}

fn is_landline(address: &str) -> bool {
    match address.split_once('-') {
        Some((area, local)) => digits(area, 2..=5) && digits(local, 5..=9),
        None => digits(address, 7..=12),
    }
}

fn is_mailbox(address: &str) -> bool {
    address.len() <= 254
        && !address.chars().any(|c| c.is_whitespace() || c.is_control())
        && address
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'))
}
