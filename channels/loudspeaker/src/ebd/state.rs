//! What became of a message: play states and the log of a period. Pure. This module must not say what a state proves.

use channel::Timestamp;

use super::body::{ebm_in, ebm_named};
use super::message::{Ebm, areas};
use super::names::{is_digits, read_time, time};
use super::packet::BadPacket;
use super::profile::figure;
use super::xml::Node;

/// `BrdStateCode`, the same in every source.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Brd {
    /// 未处理: it lies at the platform, whose people may hold it.
    Held,
    Waiting,
    Playing,
    Played,
    Failed,
    Cancelled,
    /// A number that no source has.
    Unknown(u8),
}

impl Brd {
    pub const fn of(code: u8) -> Self {
        match code {
            0 => Self::Held,
            1 => Self::Waiting,
            2 => Self::Playing,
            3 => Self::Played,
            4 => Self::Failed,
            5 => Self::Cancelled,
            other => Self::Unknown(other),
        }
    }

    pub const fn code(self) -> u8 {
        match self {
            Self::Held => 0,
            Self::Waiting => 1,
            Self::Playing => 2,
            Self::Played => 3,
            Self::Failed => 4,
            Self::Cancelled => 5,
            Self::Unknown(code) => code,
        }
    }

    fn read(node: &Node) -> Option<Self> {
        let code = node.get(&["BrdStateCode"])?;
        code.parse().ok().map(Self::of)
    }

    fn tree(self) -> [Node; 2] {
        let words = match self {
            Self::Held => "未处理",
            Self::Waiting => "等待播发",
            Self::Playing => "播发中",
            Self::Played => "播发成功",
            Self::Failed => "播发失败",
            Self::Cancelled => "播发取消",
            Self::Unknown(_) => "",
        };
        [
            Node::leaf("BrdStateCode", self.code().to_string()),
            Node::leaf("BrdStateDesc", words),
        ]
    }
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct Coverage {
    /// Resources that answered, of all: 0 to 1.
    pub rate: Option<f64>,
    pub areas: Vec<String>,
    /// Platforms, adapters, broadcast devices, terminals.
    pub counts: Option<[u32; 4]>,
}

impl Coverage {
    fn read(node: &Node) -> Self {
        let counts = node.get(&["ResBrdStat"]).map(|text| {
            let mut each = text.split(',').map(|part| part.trim().parse::<u32>().ok());
            [(); 4].map(|()| each.next().flatten())
        });
        let rate = node
            .get(&["CoverageRate"])
            .and_then(|rate| rate.parse().ok());
        Self {
            // As many digits as are written; whoever tells more tells no more.
            rate: rate
                .filter(|rate: &f64| (0.0..=1.0).contains(rate))
                .map(|rate| (rate * 10_000.0).round() / 10_000.0),
            areas: areas(node.get(&["AreaCode"]).unwrap_or_default()),
            counts: counts.and_then(|[a, b, c, d]| Some([a?, b?, c?, d?])),
        }
    }

    /// In the order that a strict peer writes and reads.
    fn tree(&self) -> Node {
        let mut children = Vec::new();
        children.extend(
            self.rate
                .map(|rate| Node::leaf("CoverageRate", figure(rate))),
        );
        children.push(Node::leaf("AreaCode", self.areas.join(",")));
        children.extend(
            self.counts
                .map(|counts| Node::leaf("ResBrdStat", counts.map(|n| n.to_string()).join(","))),
        );
        Node::branch("Coverage", children)
    }
}

/// What one resource did: the record of a play.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// The resource's own EBRID; nothing where the platform names none.
    pub resource: Option<String>,
    pub state: Brd,
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
    /// Where a recording lies.
    pub file: Option<String>,
}

/// What names a resource in an item, the nearest to the ground first.
const RESOURCES: [&str; 3] = ["EBRAS", "EBRST", "EBRPS"];

/// An item's systems; one without any is what its adapter did.
fn items(node: Option<&Node>) -> Vec<Item> {
    let each = node.into_iter().flat_map(|info| info.all("ResBrdItem"));
    each.flat_map(|item| {
        let named = RESOURCES
            .iter()
            .find_map(|name| item.get(&[name, "EBRID"]))
            .filter(|id| is_digits(id));
        item.all("EBRBS").filter_map(move |system| {
            // `(EBRID,1|2|3,name)` in one source, the plain id in another.
            let own = system
                .get(&["BrdSysInfo"])
                .or_else(|| system.get(&["EBRID"]));
            let own = own.and_then(|text| {
                let id = text
                    .trim_start_matches('(')
                    .split([',', ')'])
                    .next()?
                    .trim();
                is_digits(id).then_some(id)
            });
            let at = |name| system.get(&[name]).and_then(read_time);
            Some(Item {
                resource: own.or(named).map(str::to_owned),
                state: Brd::read(system)?,
                start: at("StartTime"),
                end: at("EndTime"),
                file: system.get(&["FileURL"]).map(str::to_owned),
            })
        })
    })
    .collect()
}

fn items_tree(items: &[Item], at: Option<Timestamp>) -> Node {
    let one = |item: &Item| {
        let moment = |at: Option<Timestamp>| at.map(time).unwrap_or_default();
        let resource = item.resource.as_deref().unwrap_or_default();
        let mut system = vec![
            Node::leaf("RptTime", moment(at)),
            Node::leaf("BrdSysInfo", format!("({resource},1,)")),
            Node::leaf("StartTime", moment(item.start)),
            Node::leaf("EndTime", moment(item.end)),
            Node::leaf("FileURL", item.file.as_deref().unwrap_or_default()),
        ];
        system.extend(item.state.tree());
        Node::branch("ResBrdItem", vec![Node::branch("EBRBS", system)])
    };
    Node::branch("ResBrdInfo", items.iter().map(one).collect())
}

/// `EBMStateResponse`.
#[derive(Clone, PartialEq, Debug)]
pub struct StateReport {
    pub at: Option<Timestamp>,
    pub ebm: String,
    pub state: Brd,
    pub coverage: Option<Coverage>,
    pub items: Vec<Item>,
}

impl StateReport {
    pub(super) fn read(node: &Node) -> Result<Self, BadPacket> {
        Ok(Self {
            at: node.get(&["RptTime"]).and_then(read_time),
            ebm: ebm_in(node)?,
            state: Brd::read(node).ok_or(BadPacket::Missing("BrdStateCode"))?,
            coverage: node.child("Coverage").map(Coverage::read),
            items: items(node.child("ResBrdInfo")),
        })
    }

    pub(super) fn tree(&self) -> Node {
        let mut children = vec![
            Node::leaf("RptTime", self.at.map(time).unwrap_or_default()),
            ebm_named(&self.ebm),
        ];
        self.rest(&mut children);
        Node::branch("EBMStateResponse", children)
    }

    fn rest(&self, children: &mut Vec<Node>) {
        children.extend(self.state.tree());
        children.extend(self.coverage.as_ref().map(Coverage::tree));
        if !self.items.is_empty() {
            children.push(items_tree(&self.items, self.at));
        }
    }
}

/// What became of one message of a period, and the message itself where the log has it.
#[derive(Clone, PartialEq, Debug)]
pub struct Logged {
    pub report: StateReport,
    /// Without what it related to, and without the terminals that it named.
    pub message: Option<Box<Ebm>>,
}

/// What of a message stands in a log.
const OF_A_MESSAGE: [&str; 3] = ["EBMID", "MsgBasicInfo", "MsgContent"];

impl Logged {
    fn read(item: &Node) -> Result<Self, BadPacket> {
        let message = item.child("EBM").and_then(|ebm| Ebm::read(ebm).ok());
        let bare = |message| Ebm {
            related: None,
            dispatch: Vec::new(),
            ..message
        };
        Ok(Self {
            // When it was told is the log's to say.
            report: StateReport {
                at: None,
                ..StateReport::read(item)?
            },
            message: message.map(|message| Box::new(bare(message))),
        })
    }

    fn tree(&self) -> Node {
        let mut children = vec![match &self.message {
            Some(message) => {
                let mut ebm = message.tree();
                ebm.children
                    .retain(|child| OF_A_MESSAGE.contains(&child.name.as_str()));
                ebm
            }
            None => ebm_named(&self.report.ebm),
        }];
        self.report.rest(&mut children);
        Node::branch("EBMBrdItem", children)
    }
}

/// `EBMBrdLog`: what was broadcast in a period. Who did it, by name, is passed over.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct BrdLog {
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    pub items: Vec<Logged>,
}

impl BrdLog {
    pub(super) fn read(node: &Node) -> Result<Self, BadPacket> {
        let at = |name| node.get(&["Params", name]).and_then(read_time);
        let items = node.all("EBMBrdItem").map(Logged::read);
        Ok(Self {
            from: at("RptStartTime"),
            to: at("RptEndTime"),
            items: items.collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn tree(&self) -> Node {
        let at = |at: Option<Timestamp>| at.map(time).unwrap_or_default();
        let mut children = vec![Node::branch(
            "Params",
            vec![
                Node::leaf("RptStartTime", at(self.from)),
                Node::leaf("RptEndTime", at(self.to)),
            ],
        )];
        children.extend(self.items.iter().map(Logged::tree));
        Node::branch("EBMBrdLog", children)
    }
}
