//! The demo's county broadcast platform (应急广播平台), which belongs to others: its people let each warning go by hand
//! (播控审核), and one square of it is broken. What it has outlives a demo that is killed. This module must not reach into
//! the gateway otherwise than by packets.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use channel::Stop;
use loudspeaker::ebd::peer::{Platform, Settings, Story};
use loudspeaker::ebd::readers::Brd;
use tokio_util::sync::DropGuard;

use super::setup::{channel, settings};
use crate::config::ChannelConfig;

const GATEWAY: &str = "45107270000000103010101";
const PLATFORM: &str = "45107270000000101010101";
const SECRET: &str = "the demo's platform keeps no secret";
const LOOK: Duration = Duration::from_millis(250);
/// How often they look at a warning before they let it go: for six seconds.
const LOOKS: u32 = 24;
/// The square whose amplifier is broken: of the first village of 龙安镇.
const BROKEN: &str = "510727100001";

pub struct Square {
    platform: Arc<Platform>,
    /// Its people go home when this is dropped.
    _people: DropGuard,
}

impl Square {
    pub async fn start(data: &Path) -> std::io::Result<Self> {
        let platform = Platform::start(Settings {
            story: Box::new(|_| Story::Held),
            memory: Some(data.join("platform")),
            ..Settings::new(PLATFORM, GATEWAY)
        });
        let platform = Arc::new(platform.await?);
        let home = Stop::new();
        tokio::spawn(let_go(platform.clone(), home.clone()));
        Ok(Self {
            platform,
            _people: home.drop_guard(),
        })
    }

    /// The gateway listens here.
    pub fn open(&self, base: &str) {
        self.platform
            .calls(format!("{base}/v1/channels/platform/{SECRET}"));
    }

    pub fn channel(&self) -> ChannelConfig {
        let text = format!(
            "url = \"{}\"\nebrid = \"{GATEWAY}\"\nplatform = \"{PLATFORM}\"\nsender_name = \"平武县应急管理局(演示)\"\n\
             sender_code = \"51072733200000\"\nsecret = \"{SECRET}\"\nduty_phone = \"000-0000000\"\nask_after = 2",
            self.platform.url()
        );
        let mut channel = channel("platform", "loudspeaker-ebd", 10, settings(&text));
        // What is broken stays so for longer than the demo lasts.
        channel.retry.attempts = 2;
        channel
    }
}

/// Each warning some seconds after it came, or after they came back to it.
async fn let_go(platform: Arc<Platform>, home: Stop) {
    let mut seen = HashMap::new();
    while !home.is_cancelled() {
        let kept = platform.kept().into_values();
        for kept in kept.filter(|kept| kept.state == Brd::Held && !kept.ebm.is_cancel()) {
            let id = kept.ebm.id;
            let looks: &mut u32 = seen.entry(id.clone()).or_default();
            *looks += 1;
            if *looks > LOOKS {
                seen.remove(&id);
                let fails = Story::FailsAt(vec![BROKEN.to_owned()]);
                platform.let_go(&id, &fails).await;
            }
        }
        tokio::select! {
            () = home.cancelled() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}
