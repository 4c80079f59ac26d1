//! The demo's WeChat: a service account, a corporation's application and a group's robot, as HTTP servers on loopback that call
//! the gateway back over HTTP; and a few people who scan their door's code before the warning comes. This module must not
//! reach into the gateway otherwise.

use channel::testing::Behaviour;
use wechat::crypt::AesKey;
use wechat::errcode::House;
use wechat::peer::{Caller, Peer, PeerConfig, scanned};

use super::county::GROUP;
use super::setup::{channel, settings};
use crate::config::ChannelConfig;

const APPID: &str = "wx00000000000demo";
const CORPID: &str = "ww00000000000demo";
const SECRET: &str = "the-demo-keeps-no-secret";
const TOKEN: &str = "demo-calls-are-signed-with-this";
const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

pub struct Wechat {
    account: Peer,
    work: Peer,
    robot: Peer,
}

async fn peer(house: House, id: &str) -> std::io::Result<Peer> {
    Peer::start(PeerConfig {
        house,
        behaviour: Behaviour::Confirm,
        id: id.to_owned(),
        secret: SECRET.to_owned(),
        caller: Some(Caller {
            token: TOKEN.to_owned(),
            key: AesKey::new(KEY),
            owner: id.to_owned(),
        }),
    })
    .await
}

impl Wechat {
    pub async fn start() -> std::io::Result<Self> {
        Ok(Self {
            account: peer(House::Account, APPID).await?,
            work: peer(House::Work, CORPID).await?,
            robot: peer(House::Robot, GROUP).await?,
        })
    }

    /// The gateway listens here; whoever has a code scans it. The same again changes nothing.
    pub async fn open(&self, base: &str, scans: &[(String, String)]) {
        self.account.calls_at(&format!("{base}/v1/channels/wechat"));
        self.work.calls_at(&format!("{base}/v1/channels/wecom"));
        for (openid, scene) in scans {
            self.account.call(&scanned(openid, scene)).await;
        }
    }

    pub fn channels(&self) -> [ChannelConfig; 3] {
        let callback = format!("[callback]\ntoken = \"{TOKEN}\"\naes_key = \"{KEY}\"\n");
        let account = format!(
            "api = \"{}\"\nappid = \"{APPID}\"\nsecret = \"{SECRET}\"\ntemplate = \"demo\"\n\
             [fields]\nthing1 = \"{{title}}\"\nthing2 = \"{{text1}}\"\nthing3 = \"{{text2}}\"\nphrase4 = \"{{level}}\"\n{callback}",
            self.account.url()
        );
        let work = format!(
            "api = \"{}\"\ncorpid = \"{CORPID}\"\nsecret = \"{SECRET}\"\nagent = 1000002\nbutton = \"收到\"\n{callback}",
            self.work.url()
        );
        let robot = format!(
            "api = \"{}\"\nrobots = {{ {GROUP} = \"{SECRET}\" }}\n",
            self.robot.url()
        );
        [
            channel("wechat", "wechat-account", 50, settings(&account)),
            channel("wecom", "wechat-work", 50, settings(&work)),
            channel("group", "wechat-robot", 50, settings(&robot)),
        ]
    }
}
