//! A made-up corner of a county for the tests of this room: two towns, three villages, households with and without points
//! of their own, a key unit and a zone. This module must not be clever: whoever reads a test counts in it.

use channel::{Capability, EndpointKind, Evidence, Style};

use super::Outlets;
use crate::model::{AliasRow, RelationKind};
use crate::model::{
    Care, EndpointRow, GroupCode, HearingRow, HouseholdRow, MemberRow, PostPlace, PostRow,
    PresenceAtHome, RecipientRow, RegionCode, RegionRow, RelationRow, Role, Rows, SpeakerRow, Tags,
    UnitRow, ZoneMember, ZoneRow,
};
use crate::registry::Registry;

pub fn code(text: &str) -> RegionCode {
    text.parse().expect("a code")
}

pub const TOWN: &str = "510727101000";
/// At 32.0, 104.0: households 1 to 4.
pub const NEAR: &str = "510727101201";
/// At 32.5, 104.5: households 11 and 12.
pub const FAR: &str = "510727101202";
/// In another town, at 33.0, 105.0: household 21.
pub const AWAY: &str = "510727102201";
pub const OLD: &str = "510727101999";

/// What is filed of the signature 平武水利, in TOML.
pub fn filing(text: &str) -> super::Filing {
    toml::from_str(&format!("signature = \"平武水利\"\n{text}")).expect("a filing")
}

/// A plan in TOML. Each send: to whom, by which channel, and what else holds for it.
pub fn plan(sends: &[(&str, &str, &str)]) -> String {
    let head = "name = \"p\"\nlanguage = \"zh-CN\"\nlifetime = \"12h\"\n";
    let send = |(audience, channel, more): &(&str, &str, &str)| {
        format!(
            "[[send]]\naudience = \"{audience}\"\nchannels = [\"{channel}\"]\nreceipt_window = \"1m\"\n{more}\n"
        )
    };
    head.to_owned() + &sends.iter().map(send).collect::<String>()
}

fn region(rows: &mut Rows, text: &str, point: Option<(f64, f64)>, tags: Tags) {
    rows.regions.push(RegionRow {
        code: code(text),
        name: format!("{text}村"),
        lat: point.map(|p| p.0),
        lon: point.map(|p| p.1),
        revision: 0,
        tags,
    });
}

/// One person to a household, under the same id; the address tells the carrier.
fn home(rows: &mut Rows, village: &str, id: u32, group: u8, point: Option<(f64, f64)>) {
    rows.households.push(HouseholdRow {
        id,
        village: code(village),
        group,
        name: format!("{id}号院"),
        presence: PresenceAtHome::Home,
        tags: Tags::default(),
        lat: point.map(|p| p.0),
        lon: point.map(|p| p.1),
    });
    person(rows, id, Some(id), &format!("139{id:08}"));
}

pub fn person(rows: &mut Rows, id: u32, household: Option<u32>, number: &str) {
    rows.recipients.push(RecipientRow {
        id,
        household,
        name: "某人".into(),
        language: "zh-CN".into(),
    });
    rows.endpoints.push(EndpointRow {
        id,
        recipient: Some(id),
        kind: EndpointKind::Mobile,
        address: number.into(),
    });
}

fn post(rows: &mut Rows, id: u32, place: PostPlace, role: Role) {
    person(rows, id, None, &format!("133{id:08}"));
    rows.posts.push(PostRow {
        recipient: id,
        place,
        role,
    });
}

fn speaker(rows: &mut Rows, id: u32, village: &str, heard: &[u32]) {
    rows.endpoints.push(EndpointRow {
        id,
        recipient: None,
        kind: EndpointKind::Speaker,
        address: format!("SP-{id}"),
    });
    rows.speakers.push(SpeakerRow {
        endpoint: id,
        village: code(village),
        name: format!("{id}号喇叭"),
        care: Care::default(),
    });
    let heard = heard.iter().map(|household| HearingRow {
        speaker: id,
        household: *household,
    });
    rows.hearing.extend(heard);
}

/// Household 2 lies by itself east of its village, 3 in group 2, 4 in the danger zone. Officers: 501 of the town, 502 of
/// the near village, 503 of its group 2, 504 of the school, 505 of the zone. Person 1 is 4's neighbour. Speakers 801 (heard by 1) and 802.
pub fn rows() -> Rows {
    let mut rows = Rows::default();
    region(&mut rows, "510727000000", None, Tags::default());
    region(&mut rows, TOWN, None, Tags(1 << 4));
    region(&mut rows, "510727102000", None, Tags::default());
    region(&mut rows, NEAR, Some((32.0, 104.0)), Tags::default());
    region(&mut rows, FAR, Some((32.5, 104.5)), Tags::default());
    region(&mut rows, AWAY, Some((33.0, 105.0)), Tags::default());
    rows.tags.push(crate::model::TagRow {
        bit: 4,
        name: "quake-zone".into(),
        title: "震区".into(),
    });
    rows.aliases.push(AliasRow {
        code: code(FAR),
        old: Some(code(OLD)),
        name: String::new(),
    });
    home(&mut rows, NEAR, 1, 1, None);
    home(&mut rows, NEAR, 2, 1, Some((32.0, 104.2)));
    home(&mut rows, NEAR, 3, 2, None);
    home(&mut rows, NEAR, 4, 2, None);
    rows.households[3].tags = Tags::DANGER_ZONE;
    home(&mut rows, FAR, 11, 0, None);
    home(&mut rows, FAR, 12, 0, Some((32.0, 104.01)));
    home(&mut rows, AWAY, 21, 0, None);
    places(&mut rows);
    rows.relations.push(RelationRow {
        household: 4,
        recipient: 1,
        kind: RelationKind::Neighbour,
    });
    speaker(&mut rows, 801, NEAR, &[1]);
    speaker(&mut rows, 802, FAR, &[]);
    rows
}

/// The school, the zone, and whose posts are where.
fn places(rows: &mut Rows) {
    rows.units.push(UnitRow {
        id: 7,
        village: code(NEAR),
        name: "合成小学".into(),
        heads: 80,
        tags: Tags::SCHOOL,
        lat: Some(32.4),
        lon: Some(104.4),
    });
    rows.zones.push(ZoneRow {
        id: 9,
        code: "sh-014".into(),
        version: 1,
        name: "合成危险区".into(),
        tags: Tags::DANGER_ZONE,
        outline: Vec::new(),
    });
    let members = [ZoneMember::Household(4), ZoneMember::Household(21)];
    let member = members.map(|member| MemberRow { zone: 9, member });
    rows.members.extend(member);
    let group = GroupCode {
        village: code(NEAR),
        group: 2,
    };
    post(rows, 501, PostPlace::Region(code(TOWN)), Role::DUTY);
    post(rows, 502, PostPlace::Region(code(NEAR)), Role::POST_A);
    post(rows, 503, PostPlace::Group(group), Role::POST_B);
    post(rows, 504, PostPlace::Unit(7), Role::POST_A);
    post(rows, 505, PostPlace::Zone(9), Role::POST_A);
}

pub fn registry() -> Registry {
    Registry::build(1, &rows()).expect("sound rows")
}

pub fn outlet(
    kind: &'static str,
    speaks_to: EndpointKind,
    style: Style,
    best: Evidence,
) -> Capability {
    Capability {
        kind,
        speaks_to,
        style,
        best,
        batch: 10,
        window: 10,
        repeat_is_harmless: true,
    }
}

pub fn outlets() -> Outlets {
    let sms = outlet(
        "sms",
        EndpointKind::Mobile,
        Style::Short,
        Evidence::Delivered,
    );
    let (speaker, played) = (EndpointKind::Speaker, Evidence::Acknowledged);
    let horn = outlet("loudspeaker", speaker, Style::Spoken, played);
    Outlets::from([
        ("sms".to_owned(), sms),
        ("sms-wide".to_owned(), sms),
        ("horn".to_owned(), horn),
    ])
}

/// An info with one area.
pub struct Said<'a> {
    pub language: &'a str,
    pub severity: &'a str,
    pub response: &'a str,
    pub headline: &'a str,
    pub area: &'a str,
}

impl<'a> Said<'a> {
    pub fn red(area: &'a str) -> Self {
        Self {
            language: "zh-CN",
            severity: "Extreme",
            response: "Evacuate",
            headline: "山洪红色预警",
            area,
        }
    }
}

pub fn alert(said: &[Said<'_>]) -> cap::Alert {
    let info = |said: &Said<'_>| {
        let Said {
            language,
            severity,
            response,
            headline,
            area,
        } = said;
        format!(
            "<info><language>{language}</language><category>Met</category><event>山洪</event>\
             <responseType>{response}</responseType><urgency>Immediate</urgency><severity>{severity}</severity>\
             <certainty>Likely</certainty><eventCode><valueName>GB/T 35561</valueName><value>11A51</value></eventCode>\
             <expires>2026-07-14T12:00:00+08:00</expires><headline>{headline}</headline>\
             <description>d。</description><instruction>{headline}的措施。</instruction>\
             <area><areaDesc>here</areaDesc>{area}</area></info>"
        )
    };
    let infos: String = said.iter().map(info).collect();
    let text = format!(
        "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"><identifier>a</identifier><sender>s</sender>\
         <sent>2026-07-14T09:00:00+08:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope>\
         {infos}</alert>"
    );
    cap::read(text.as_bytes()).alert.expect("it can be read")
}

pub fn geocode(name: &str, value: &str) -> String {
    format!("<geocode><valueName>{name}</valueName><value>{value}</value></geocode>")
}

pub const CODES: &str = "CPEAS Geographic Code";
