//! Robots that write into WeCom groups of officers: one text a group, and nobody ever says more than that it was taken.
//! This module must not show a robot's key, which is all that proves us.

use std::time::Duration;

use async_trait::async_trait;
use channel::{
    Accepted, Capability, Channel, Context, EndpointKind, Evidence, Failure, FailureClass, Health,
    Message, Style,
};
use serde_json::json;

use crate::config::{ConfigError, RobotConfig};
use crate::errcode::House;
use crate::far::Far;
use crate::quota::{Limit, Quota};
use crate::text;

/// What a robot may write.
const ROBOT: &[Limit] = &[(20, Duration::from_mins(1))];

/// The robots of one county's groups, each under its group's name.
pub struct Robots {
    config: RobotConfig,
    context: Context,
    far: Far,
    quota: Quota,
}

impl Robots {
    pub fn new(config: RobotConfig, context: Context) -> Result<Self, ConfigError> {
        config.validate()?;
        let far = Far::new(
            House::Robot,
            &config.api,
            config.timeout_seconds,
            context.clone(),
        );
        let quota = Quota::new(ROBOT);
        quota.resume(&context, str::to_owned);
        Ok(Self {
            config,
            context,
            far,
            quota,
        })
    }

    /// Answers of the far end that are in no table, by code.
    pub fn unknown(&self) -> Vec<i64> {
        self.far.unknown()
    }
}

#[async_trait]
impl Channel for Robots {
    fn capability(&self) -> Capability {
        Capability {
            kind: "wechat",
            speaks_to: EndpointKind::Group,
            style: Style::Short,
            best: Evidence::Accepted,
            batch: 20,
            window: 1,
            repeat_is_harmless: false,
        }
    }

    async fn send(&self, message: &Message) -> Result<Accepted, Failure> {
        let variant = &message.variant;
        if variant.drill && !text::is_marked(&variant.text) {
            let detail = "the text does not mark the drill";
            return Err(Failure::new(
                FailureClass::BadContent,
                "robot:unmarked-drill",
                detail,
            ));
        }
        let name = message.address.expose();
        let Some(key) = self.config.robots.get(name) else {
            let detail = "no robot of this name stands in the channel's settings";
            return Err(Failure::new(
                FailureClass::BadAddress,
                "robot:no-robot",
                detail,
            ));
        };
        self.quota
            .take(name, self.context.clock.tick())
            .map_err(|wait| {
                let detail = "this group's robot has written as often as it may for now";
                Failure::new(FailureClass::Throttled, "robot:quota", detail).retry_after(wait)
            })?;
        let line = text::line(message.key, variant.drill);
        let mut words = json!({ "content": text::whole(&variant.text, &line) });
        if self.config.mention_all {
            words["mentioned_list"] = json!(["@all"]);
        }
        let body = json!({ "msgtype": "text", "text": words });
        let query = [("key", key.expose())];
        let answer = self
            .far
            .post("/cgi-bin/webhook/send", &query, &body)
            .await?;
        match self.far.failure(&answer) {
            Some(failure) => Err(failure),
            None => Ok(Accepted::default()),
        }
    }

    fn health(&self) -> Health {
        Health::Up
    }
}
