//! What was left aside or read in one of several ways when an alert was targeted: said to whoever handed it in, in both
//! languages. Nothing noted stops an alert. This module must not decide what is left aside.

use serde::Serialize;
use utoipa::ToSchema;

use crate::model::StreamId;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Note {
    /// Stable, for programs.
    #[serde(rename = "note")]
    pub kind: &'static str,
    pub path: String,
    pub en: String,
    pub zh: String,
}

impl Note {
    fn new(kind: &'static str, path: &str, en: &str, zh: &str) -> Self {
        Self {
            kind,
            path: path.to_owned(),
            en: en.to_owned(),
            zh: zh.to_owned(),
        }
    }

    pub(super) fn place(path: &str) -> Self {
        Self::new(
            "circle-without-radius",
            path,
            "a circle of radius 0 says where it happens; nobody is targeted by it",
            "半径为0的圆只表示事发地点,不据此确定发布对象",
        )
    }

    pub(super) fn heights(path: &str) -> Self {
        Self::new(
            "heights",
            path,
            "altitude and ceiling are kept and shown; who is warned does not depend on them",
            "高度范围仅存档显示,不据此缩小发布对象",
        )
    }

    pub(super) fn old(path: &str, code: &str) -> Self {
        Self::new(
            "old-code",
            path,
            &format!("geocode {code} is an old code; what took its place is targeted"),
            &format!("区划代码{code}为旧代码,已按现行区划确定发布对象"),
        )
    }

    /// An alert that this one corrects cannot be read back: nobody who has it is counted.
    pub fn unread(alert: StreamId) -> Self {
        Self::new(
            "earlier-unread",
            "/alert/references",
            &format!(
                "alert {alert}, which this one corrects, cannot be read back now: who has it is not counted here; a release waits until it can"
            ),
            &format!(
                "被更正的预警 {alert} 暂时读不出来:此处未计入已收到它的人,发布将等到能读出为止"
            ),
        )
    }

    pub(super) fn foreign(path: &str, name: &str) -> Self {
        let name: String = name.chars().take(40).collect();
        Self::new(
            "foreign-geocode",
            path,
            &format!(
                "geocodes named {name:?} are not of this country's divisions and are left aside"
            ),
            &format!("“{name}”不是本系统的区划代码,未据此确定发布对象"),
        )
    }
}
