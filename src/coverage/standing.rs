//! Where an alert stands, in the field's words. Pure over the ledger and now. This module must not count anything.

use channel::Timestamp;
use utoipa::openapi::schema::Schema;

use crate::ledger::event::{Born, Class};
use crate::ledger::{Known, Ledger, Phase};
use crate::model::shape;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    Damaged,
    Quarantined,
    Refused,
    Filed,
    Accepted,
    Releasing,
    InForce,
    Expired,
    Superseded,
    Lifted,
    Revoked,
}

impl Standing {
    pub const ALL: [Self; 11] = [
        Self::Damaged,
        Self::Quarantined,
        Self::Refused,
        Self::Filed,
        Self::Accepted,
        Self::Releasing,
        Self::InForce,
        Self::Expired,
        Self::Superseded,
        Self::Lifted,
        Self::Revoked,
    ];

    pub fn of(alert: &Known, ledger: &Ledger, now: Timestamp) -> Self {
        if ledger.damage_of(alert.stream()).is_some() {
            return Self::Damaged;
        }
        match alert.meta().born {
            Born::Filed => return Self::Filed,
            Born::Quarantined if alert.phase() == Phase::Refused => return Self::Refused,
            // A Cancel without infos has no time of its own.
            Born::Quarantined if alert.waits() => {
                let over = !alert.meta().infos.is_empty() && alert.expires() <= now;
                return if over {
                    Self::Expired
                } else {
                    Self::Quarantined
                };
            }
            Born::Live | Born::SupersededBy(_) | Born::Quarantined => {}
        }
        let by = alert.withdrawn_by().and_then(|by| ledger.known(by));
        match alert.phase() {
            Phase::Withdrawn => match by {
                Some(by) if by.class() == Some(Class::Revoked) => Self::Revoked,
                Some(by) if by.meta().msg_type == cap::MsgType::Cancel => Self::Lifted,
                _ => Self::Superseded,
            },
            Phase::Refused => Self::Refused,
            _ if alert.expires() <= now => Self::Expired,
            Phase::Accepted => Self::Accepted,
            Phase::Releasing => Self::Releasing,
            Phase::Planned => Self::InForce,
        }
    }

    /// Whether it may still change without anybody's doing.
    pub const fn runs(self) -> bool {
        matches!(self, Self::Accepted | Self::Releasing | Self::InForce)
    }

    pub const fn key(self) -> &'static str {
        self.words().0
    }

    /// All keys, as the API's document lists them.
    pub fn shape() -> Schema {
        shape::one_of(&Self::ALL.map(Self::key))
    }

    pub const fn zh(self) -> &'static str {
        self.words().1
    }

    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Damaged => ("damaged", "流水损坏"),
            Self::Quarantined => ("quarantined", "暂存待核"),
            Self::Refused => ("refused", "不予发布"),
            Self::Filed => ("filed", "存档不发"),
            Self::Accepted => ("accepted", "已受理"),
            Self::Releasing => ("releasing", "发布中"),
            Self::InForce => ("in-force", "生效中"),
            Self::Expired => ("expired", "到期失效"),
            Self::Superseded => ("superseded", "已被替代"),
            Self::Lifted => ("lifted", "已解除"),
            Self::Revoked => ("revoked", "误发撤销"),
        }
    }
}
