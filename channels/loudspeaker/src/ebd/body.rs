//! What a packet says: one body, by its type. This module must not know who may say it.

use channel::Timestamp;

use super::inventory::{Info, Omd, States};
use super::message::Ebm;
use super::names::{is_digits, read_time, time};
use super::packet::BadPacket;
use super::state::{BrdLog, StateReport};
use super::xml::Node;

#[derive(Clone, PartialEq, Debug)]
pub enum Body {
    Ebm(Box<Ebm>),
    StateRequest {
        ebm: String,
    },
    State(StateReport),
    Log(BrdLog),
    Omd(Omd),
    Info(Info),
    States(States),
    Check {
        at: Option<Timestamp>,
    },
    Response(Response),
    /// A type that this gateway has nothing to do with, as it is called.
    Other(String),
}

/// What the far end made of a packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    pub code: u8,
    pub words: String,
}

impl Response {
    /// 收到.
    pub const RECEIVED: u8 = 0;
    /// 收到且校验通过.
    pub const GOOD: u8 = 1;
    pub const UNREADABLE: u8 = 2;
    pub const MISSING: u8 = 3;
    pub const SIGNATURE: u8 = 4;
    pub const OTHER: u8 = 5;
}

impl Body {
    pub fn kind(&self) -> &str {
        match self {
            Self::Ebm(_) => "EBM",
            Self::StateRequest { .. } => "EBMStateRequest",
            Self::State(_) => "EBMStateResponse",
            Self::Log(_) => "EBMBrdLog",
            Self::Omd(_) => "OMDRequest",
            Self::Info(info) => info.of.info(),
            Self::States(states) => states.of.state(),
            Self::Check { .. } => "ConnectionCheck",
            Self::Response(_) => "EBDResponse",
            Self::Other(name) => name,
        }
    }

    pub(super) fn read(kind: &str, body: Option<&Node>) -> Result<Self, BadPacket> {
        let there = || body.ok_or(BadPacket::Missing("the body that EBDType names"));
        if let Some(of) = super::inventory::Of::info_named(kind) {
            return Ok(Self::Info(Info::read(of, there()?)));
        }
        if let Some(of) = super::inventory::Of::state_named(kind) {
            return Ok(Self::States(States::read(of, there()?)));
        }
        Ok(match kind {
            "EBM" => Self::Ebm(Box::new(Ebm::read(there()?)?)),
            "EBMStateRequest" => Self::StateRequest {
                ebm: ebm_in(there()?)?,
            },
            "EBMStateResponse" => Self::State(StateReport::read(there()?)?),
            "EBMBrdLog" => Self::Log(BrdLog::read(there()?)?),
            "OMDRequest" => Self::Omd(Omd::read(there()?)?),
            // A heartbeat says enough by being there.
            "ConnectionCheck" => Self::Check {
                at: body
                    .and_then(|body| body.get(&["RptTime"]))
                    .and_then(read_time),
            },
            "EBDResponse" => {
                let body = there()?;
                let code = body.get(&["ResultCode"]).and_then(|code| code.parse().ok());
                Self::Response(Response {
                    code: code.ok_or(BadPacket::Missing("ResultCode"))?,
                    words: body.get(&["ResultDesc"]).unwrap_or_default().to_owned(),
                })
            }
            other if other.len() <= 64 && other.bytes().all(|b| b.is_ascii_alphanumeric()) => {
                Self::Other(other.to_owned())
            }
            _ => return Err(BadPacket::Missing("EBDType")),
        })
    }

    pub(super) fn tree(&self) -> Node {
        let children = match self {
            Self::Ebm(ebm) => return ebm.tree(),
            Self::State(report) => return report.tree(),
            Self::Log(log) => return log.tree(),
            Self::Omd(omd) => return omd.tree(),
            Self::Info(info) => return info.tree(),
            Self::States(states) => return states.tree(),
            Self::StateRequest { ebm } => vec![ebm_named(ebm)],
            Self::Check { at } => vec![Node::leaf("RptTime", at.map(time).unwrap_or_default())],
            Self::Response(response) => vec![
                Node::leaf("ResultCode", response.code.to_string()),
                Node::leaf("ResultDesc", &response.words),
            ],
            Self::Other(_) => Vec::new(),
        };
        Node::branch(self.kind(), children)
    }
}

/// `EBM{EBMID}`, which many bodies have.
pub(super) fn ebm_in(body: &Node) -> Result<String, BadPacket> {
    let id = body.get(&["EBM", "EBMID"]).filter(|id| is_digits(id));
    id.map(str::to_owned).ok_or(BadPacket::Missing("EBM/EBMID"))
}

pub(super) fn ebm_named(id: &str) -> Node {
    Node::branch("EBM", vec![Node::leaf("EBMID", id)])
}
