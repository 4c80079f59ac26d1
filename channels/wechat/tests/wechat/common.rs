//! What the tests share: a peer of each house, and a channel that speaks to it. Not every test uses all of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use channel::testing::{Behaviour, RecordingInlet, context};
use channel::{
    Acknowledge, Address, Channel, Context, Key, Message, Outcomes, Secret, Timestamp, Variant,
};
use parking_lot::Mutex;
use wechat::crypt::AesKey;
use wechat::errcode::House;
use wechat::peer::{Caller, Peer, PeerConfig};
use wechat::{AccountConfig, Callback, OfficialAccount, RobotConfig, Robots, WorkApp, WorkConfig};

pub const TOKEN: &str = "token-of-the-calls";
pub const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
pub const APPID: &str = "wx0000000000000001";
pub const CORPID: &str = "ww0000000000000001";
pub const SECRET: &str = "a-secret-of-the-tests";

pub fn callback(encrypted: bool) -> Callback {
    Callback {
        token: Secret::new(TOKEN),
        aes_key: encrypted.then(|| Secret::new(KEY)),
        window_seconds: 300,
    }
}

pub fn caller(owner: &str, encrypted: bool) -> Caller {
    Caller {
        token: TOKEN.to_owned(),
        key: encrypted.then(|| AesKey::new(KEY).unwrap()),
        owner: owner.to_owned(),
    }
}

pub fn account(api: &str) -> AccountConfig {
    let fields = [
        ("thing1", "{title}"),
        ("thing2", "{text1}"),
        ("thing3", "{text2}"),
        ("time4", "{expires}"),
        ("phrase5", "{level}"),
    ];
    let owned = |(name, template): (&str, &str)| (name.to_owned(), template.to_owned());
    AccountConfig {
        api: api.to_owned(),
        appid: APPID.to_owned(),
        secret: Secret::new(SECRET),
        template: "template-of-the-tests".to_owned(),
        fields: fields.map(owned).into(),
        url: Some("https://demo.invalid/a/{alert}".to_owned()),
        connections: 20,
        timeout_seconds: 1,
        callback: Some(callback(true)),
        acknowledge: Acknowledge::default(),
        acknowledge_keys: vec!["received".to_owned()],
        undo: Acknowledge::new(["解绑".to_owned()]),
    }
}

pub fn work(api: &str) -> WorkConfig {
    WorkConfig {
        api: api.to_owned(),
        corpid: CORPID.to_owned(),
        secret: Secret::new(SECRET),
        agent: 1_000_002,
        members: 1_000,
        button: None,
        duplicate_check_seconds: 1_800,
        connections: 4,
        timeout_seconds: 1,
        callback: Some(callback(true)),
        acknowledge: Acknowledge::default(),
        acknowledge_keys: vec!["received".to_owned()],
    }
}

pub fn robots(api: &str) -> RobotConfig {
    RobotConfig {
        api: api.to_owned(),
        robots: BTreeMap::from([("duty".to_owned(), Secret::new(SECRET))]),
        mention_all: false,
        timeout_seconds: 1,
    }
}

pub async fn peer(house: House, behaviour: Behaviour) -> Peer {
    let id = match house {
        House::Account => APPID,
        House::Work => CORPID,
        House::Robot => "duty",
    };
    let config = PeerConfig {
        house,
        behaviour,
        id: id.to_owned(),
        secret: SECRET.to_owned(),
        caller: Some(caller(id, true)),
    };
    Peer::start(config).await.unwrap()
}

/// A channel of a house, and what it brings in.
pub struct Running<C> {
    pub channel: Arc<C>,
    pub inlet: Arc<RecordingInlet>,
    pub peer: Peer,
}

pub async fn on_account(
    behaviour: Behaviour,
    change: impl FnOnce(&mut AccountConfig),
) -> Running<OfficialAccount> {
    let peer = peer(House::Account, behaviour).await;
    let mut config = account(&peer.url());
    change(&mut config);
    let (context, inlet) = context("wechat-test");
    let channel = Arc::new(OfficialAccount::new(config, context).unwrap());
    peer.calls(channel.clone());
    Running {
        channel,
        inlet,
        peer,
    }
}

pub async fn on_work(
    behaviour: Behaviour,
    change: impl FnOnce(&mut WorkConfig),
) -> Running<WorkApp> {
    let peer = peer(House::Work, behaviour).await;
    let mut config = work(&peer.url());
    change(&mut config);
    let (context, inlet) = context("wecom-test");
    let channel = Arc::new(WorkApp::new(config, context).unwrap());
    peer.calls(channel.clone());
    Running {
        channel,
        inlet,
        peer,
    }
}

pub async fn on_robot(behaviour: Behaviour, context: Context) -> (Arc<dyn Channel>, Peer) {
    let peer = peer(House::Robot, behaviour).await;
    let robots = Robots::new(robots(&peer.url()), context).unwrap();
    (Arc::new(robots), peer)
}

pub fn variant(text: &str) -> Arc<Variant> {
    Arc::new(Variant::new("zh-CN", "暴雨红色预警", text))
}

pub fn drill(text: &str) -> Arc<Variant> {
    let mut variant = Variant::new("zh-CN", "暴雨红色预警", text);
    variant.drill = true;
    Arc::new(variant)
}

pub fn to(number: u32, address: &str, variant: &Arc<Variant>) -> Message {
    Message {
        key: Key {
            alert: 12,
            delivery: number,
            generation: 0,
        },
        serial: u64::from(number),
        variant: variant.clone(),
        address: Address::new(address),
        expires: Timestamp(1_783_990_800_000),
        repeat: false,
    }
}

type Outcome = Result<channel::Accepted, channel::Failure>;

/// The outcomes of a batch by index; nothing is settled twice.
#[derive(Default)]
pub struct Book(Mutex<BTreeMap<usize, Outcome>>);

impl Outcomes for Book {
    fn settle(&self, index: usize, outcome: Outcome) {
        let before = self.0.lock().insert(index, outcome);
        assert!(before.is_none(), "{index} is settled twice");
    }
}

impl Book {
    pub async fn of(channel: &dyn Channel, batch: &[Message]) -> Vec<Outcome> {
        let book = Self::default();
        channel.send_all(batch, &book).await;
        let outcomes = book.0.into_inner();
        assert_eq!(outcomes.len(), batch.len(), "all are settled");
        outcomes.into_values().collect()
    }
}
