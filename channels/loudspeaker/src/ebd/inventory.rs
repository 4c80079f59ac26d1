//! What stands where and how it is: the inventory and the states of platforms, stations, adapters, systems and terminals,
//! and the request for either. Who answers for one, with which number, is read past: it is nobody's business here. Pure.

use channel::{Address, Timestamp};

use super::names::{is_digits, read_time, time};
use super::packet::BadPacket;
use super::xml::Node;

/// The log of what was broadcast, as an `OMDRequest` names it.
pub const LOG: &str = "EBMBrdLog";

/// Of which kind of resource.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Of {
    Platform,
    Station,
    Adapter,
    System,
    Terminal,
}

impl Of {
    const ALL: [Self; 5] = [
        Self::Platform,
        Self::Station,
        Self::Adapter,
        Self::System,
        Self::Terminal,
    ];

    pub const fn element(self) -> &'static str {
        match self {
            Self::Platform => "EBRPS",
            Self::Station => "EBRST",
            Self::Adapter => "EBRAS",
            Self::System => "EBRBS",
            Self::Terminal => "EBRDT",
        }
    }

    pub const fn info(self) -> &'static str {
        match self {
            Self::Platform => "EBRPSInfo",
            Self::Station => "EBRSTInfo",
            Self::Adapter => "EBRASInfo",
            Self::System => "EBRBSInfo",
            Self::Terminal => "EBRDTInfo",
        }
    }

    /// A station has no state of its own; its name stands for completeness.
    pub const fn state(self) -> &'static str {
        match self {
            Self::Platform => "EBRPSState",
            Self::Station => "EBRSTState",
            Self::Adapter => "EBRASState",
            Self::System => "EBRBSState",
            Self::Terminal => "EBRDTState",
        }
    }

    pub fn info_named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|of| of.info() == name)
    }

    pub fn state_named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|of| of.state() == name)
    }

    /// Whether an `OMDRequest` may ask for data of this name; a station has no state.
    pub fn may_be_asked(name: &str) -> bool {
        let state = Self::state_named(name).is_some_and(|of| of != Self::Station);
        state || Self::info_named(name).is_some() || name == LOG
    }
}

/// One resource, as the platform has it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Record {
    pub id: String,
    pub name: String,
    pub longitude: String,
    pub latitude: String,
    /// The platform that it belongs to.
    pub above: Option<String>,
    /// It is there no longer.
    pub deleted: bool,
    /// Who answers for it; written and never read.
    pub desk: Option<Desk>,
}

/// Where a platform stands, and who answers for it: strict peers want each of these of a platform.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Desk {
    pub address: String,
    pub contact: Option<Address>,
    pub phone: Option<Address>,
    pub url: String,
}

impl Desk {
    fn tree(&self) -> [Node; 4] {
        let told = |text: &Option<Address>| text.as_ref().map_or("", Address::expose).to_owned();
        [
            Node::leaf("Address", &self.address),
            Node::leaf("Contact", told(&self.contact)),
            Node::leaf("PhoneNumber", told(&self.phone)),
            Node::leaf("URL", &self.url),
        ]
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Info {
    pub of: Of,
    pub full: bool,
    pub at: Option<Timestamp>,
    pub records: Vec<Record>,
}

impl Info {
    /// A record without an id says nothing, and the others stand.
    pub(super) fn read(of: Of, node: &Node) -> Self {
        let record = |node: &Node| {
            let text = |name| node.get(&[name]).unwrap_or_default().to_owned();
            let above = node.get(&["RelatedEBRPS", "EBRID"]);
            Some(Record {
                id: node.get(&["EBRID"]).filter(|id| is_digits(id))?.to_owned(),
                name: text("EBRName"),
                longitude: text("Longitude"),
                latitude: text("Latitude"),
                above: above.map(str::to_owned),
                deleted: node.get(&["RptType"]) == Some("Delete"),
                desk: None,
            })
        };
        Self {
            of,
            full: node.get(&["Params", "RptType"]) == Some("Full"),
            at: node.get(&["Params", "RptEndTime"]).and_then(read_time),
            records: node.all(of.element()).filter_map(record).collect(),
        }
    }

    pub(super) fn tree(&self) -> Node {
        let at = self.at.map(time).unwrap_or_default();
        let kind = if self.full { "Full" } else { "Incremental" };
        let mut params = Vec::new();
        params.extend(self.at.map(|at| Node::leaf("RptEndTime", time(at))));
        params.push(Node::leaf("RptType", kind));
        let mut children = vec![Node::branch("Params", params)];
        children.extend(self.records.iter().map(|record| {
            let state = if record.deleted { "Delete" } else { "Sync" };
            let mut own = vec![Node::leaf("RptTime", &at), Node::leaf("RptType", state)];
            own.extend(
                record
                    .above
                    .as_ref()
                    .map(|id| Node::branch("RelatedEBRPS", vec![Node::leaf("EBRID", id)])),
            );
            own.extend([
                Node::leaf("EBRID", &record.id),
                Node::leaf("EBRName", &record.name),
                Node::leaf("Longitude", &record.longitude),
                Node::leaf("Latitude", &record.latitude),
            ]);
            own.extend(record.desk.iter().flat_map(Desk::tree));
            Node::branch(self.of.element(), own)
        }));
        Node::branch(self.of.info(), children)
    }
}

/// `StateCode`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Device {
    Running,
    Stopped,
    Fault,
    Recovered,
    Broadcasting,
}

impl Device {
    const fn of(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Running,
            2 => Self::Stopped,
            3 => Self::Fault,
            4 => Self::Recovered,
            5 => Self::Broadcasting,
            _ => return None,
        })
    }

    pub const fn code(self) -> u8 {
        match self {
            Self::Running => 1,
            Self::Stopped => 2,
            Self::Fault => 3,
            Self::Recovered => 4,
            Self::Broadcasting => 5,
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StateOf {
    pub id: String,
    pub state: Device,
    pub at: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct States {
    pub of: Of,
    pub rows: Vec<StateOf>,
}

impl States {
    pub(super) fn read(of: Of, node: &Node) -> Self {
        let row = |node: &Node| {
            Some(StateOf {
                id: node.get(&["EBRID"]).filter(|id| is_digits(id))?.to_owned(),
                state: Device::of(node.get(&["StateCode"])?.parse().ok()?)?,
                at: node.get(&["RptTime"]).and_then(read_time),
            })
        };
        Self {
            of,
            rows: node.all(of.element()).filter_map(row).collect(),
        }
    }

    pub(super) fn tree(&self) -> Node {
        let row = |row: &StateOf| {
            Node::branch(
                self.of.element(),
                vec![
                    Node::leaf("RptTime", row.at.map(time).unwrap_or_default()),
                    Node::leaf("EBRID", &row.id),
                    Node::leaf("StateCode", row.state.code().to_string()),
                    Node::leaf("StateDesc", ""),
                ],
            )
        };
        Node::branch(self.of.state(), self.rows.iter().map(row).collect())
    }
}

/// A request for inventory, states or logs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Omd {
    pub wanted: String,
    pub full: bool,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

impl Omd {
    pub(super) fn read(node: &Node) -> Result<Self, BadPacket> {
        let wanted = node.get(&["OMDType"]);
        let wanted =
            wanted.filter(|w| w.len() <= 64 && w.bytes().all(|b| b.is_ascii_alphanumeric()));
        let at = |name| node.get(&["Params", name]).and_then(read_time);
        Ok(Self {
            wanted: wanted.ok_or(BadPacket::Missing("OMDType"))?.to_owned(),
            full: node.get(&["Params", "RptType"]) == Some("Full"),
            from: at("RptStartTime"),
            to: at("RptEndTime"),
        })
    }

    pub(super) fn tree(&self) -> Node {
        let kind = if self.full { "Full" } else { "Incremental" };
        let mut params = Vec::new();
        params.extend(self.from.map(|at| Node::leaf("RptStartTime", time(at))));
        params.extend(self.to.map(|at| Node::leaf("RptEndTime", time(at))));
        params.push(Node::leaf("RptType", kind));
        Node::branch(
            "OMDRequest",
            vec![
                Node::leaf("OMDType", &self.wanted),
                Node::branch("Params", params),
            ],
        )
    }
}
