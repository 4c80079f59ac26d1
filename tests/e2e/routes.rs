//! Several accounts in one route: a CMPP gateway that hangs or does not serve a number, and an SMSC that takes over. The
//! county's own SMSC stands beside them as an account of nobody's route.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use channel::{Clock, SystemClock};
use parking_lot::Mutex;
use serde_json::Value;
use sms::codec::cmpp::Version;
use sms::peer::{Peer, PeerConfig, Script, Speaks, Submit, Verdict};

use crate::county;
use crate::gateway::{EVERYTHING, Gateway, Setup, World, count, within};
use crate::peers::{ACCOUNT, PASSWORD};
use crate::warning::{COUNTY, Warning};

const TAKES: u8 = 0;
const HANGS: u8 = 1;
/// Of numbers that begin with 0001 it says that it does not serve them.
const PORTED: u8 = 2;

/// A far end of either protocol and the numbers that it was sent.
struct Account {
    peer: Peer,
    mood: Arc<AtomicU8>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Account {
    async fn start(speaks: Speaks) -> Self {
        let (mood, seen) = (
            Arc::new(AtomicU8::new(TAKES)),
            Arc::<Mutex<Vec<_>>>::default(),
        );
        let (own, list) = (mood.clone(), seen.clone());
        let script: Script = Arc::new(move |submit: &Submit<'_>| {
            if submit.part.0 == 1 {
                list.lock().push(submit.dest.to_owned());
            }
            match own.load(Ordering::SeqCst) {
                HANGS => Verdict::silent(),
                PORTED if submit.dest.starts_with("0001") => Verdict::refused(9),
                _ => Verdict::delivered(Duration::from_millis(20)),
            }
        });
        let config = PeerConfig {
            speaks,
            account: Some((ACCOUNT.into(), PASSWORD.into())),
            script: Some(script),
            ..PeerConfig::default()
        };
        Self {
            peer: Peer::start(config).await.expect("a free port"),
            mood,
            seen,
        }
    }

    fn is(&self, mood: u8) {
        self.mood.store(mood, Ordering::SeqCst);
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().clone()
    }

    fn forget(&self) {
        self.seen.lock().clear();
    }
}

/// A gateway of the county's carrier over CMPP, and an SMSC for everybody else's numbers.
struct Accounts {
    cmpp: Account,
    smpp: Account,
}

impl Accounts {
    async fn start() -> Self {
        Self {
            cmpp: Account::start(Speaks::Cmpp(Version::V20)).await,
            smpp: Account::start(Speaks::Smpp).await,
        }
    }

    fn forget(&self) {
        self.cmpp.forget();
        self.smpp.forget();
    }

    fn config(&self, cmpp: &str, smpp: &str) -> String {
        let retry = "retry = { first = \"200ms\", factor = 2, cap = \"1s\", attempts = 4 }";
        let line =
            "answer_timeout_seconds = 2\nreconnect_min_millis = 100\nreconnect_max_millis = 500\n";
        let (first, second) = (self.cmpp.peer.addr().port(), self.smpp.peer.addr().port());
        format!(
            "[[channel]]\nname = \"sms-cmpp\"\nkind = \"sms-cmpp\"\nrate = \"300/s burst 20\"\n{cmpp}\n{retry}\n[channel.settings]\n\
             host = \"127.0.0.1\"\nport = {first}\nversion = \"2.0\"\nsp_id = \"{ACCOUNT}\"\nsecret = \"{PASSWORD}\"\n\
             source = \"10690000\"\n{line}\n\
             [[channel]]\nname = \"sms-smpp\"\nkind = \"sms\"\nrate = \"300/s burst 20\"\n{smpp}\n{retry}\n[channel.settings]\n\
             host = \"127.0.0.1\"\nport = {second}\nsystem_id = \"{ACCOUNT}\"\npassword = \"{PASSWORD}\"\n\
             source = \"10690000\"\n{line}\n\
             [[route]]\nname = \"texts\"\nchannels = [\"sms-cmpp\", \"sms-smpp\"]\nreroute_after_red = \"2s\"\n"
        )
    }
}

fn plan(ways: &str) -> String {
    let send = |audience: &str| {
        format!("[[send]]\naudience = \"{audience}\"\nchannels = {ways}\nreceipt_window = \"3s\"\n")
    };
    let head = "name = \"all\"\nlanguage = \"zh-CN\"\nlifetime = \"4h\"\n\n".to_owned();
    head + &send("officers") + &send("public")
}

async fn bound(gateway: &Gateway, names: &[&str]) {
    within("the accounts are bound", async || {
        let answer = gateway.get("/v1/channels").await;
        let channels = answer["channels"].as_array().expect("a list").clone();
        let up = |name: &&str| {
            let mut all = channels.iter();
            all.any(|c| c["name"] == *name && c["health"] == "up")
        };
        names.iter().all(up).then_some(())
    })
    .await;
}

/// Submits a red warning; how long the county's own SMSC needed to have a text of it for everybody.
async fn sent(world: &World, name: &str, numbers: usize) -> (u64, Duration) {
    let before = world.smsc.texts().len();
    let clock = SystemClock::default();
    let alert = world.gateway.submit(&Warning::red(name, &[COUNTY])).await;
    within("the account beside has all its texts", async || {
        let fresh = world.smsc.texts();
        (fresh.len() - before >= numbers).then_some(())
    })
    .await;
    (alert, clock.tick())
}

#[tokio::test]
async fn an_account_that_hangs_is_left_for_the_next_and_delays_no_account_beside_it() {
    let accounts = Accounts::start().await;
    let setup = Setup {
        files: county::large(40),
        sms_rate: "100/s burst 20",
        plan: plan("[\"texts\", \"sms\"]"),
        more: accounts.config("", ""),
        ..Setup::default()
    };
    let numbers: BTreeSet<_> = county::mobiles(&setup.files).into_iter().collect();
    let world = World::start(setup).await;
    let gateway = &world.gateway;
    bound(gateway, &["sms", "sms-cmpp", "sms-smpp"]).await;
    let (alert, usual) = sent(&world, "a-1", numbers.len()).await;
    gateway.ended(alert).await;
    assert!(
        accounts.smpp.seen().is_empty(),
        "the first serves everybody"
    );
    accounts.cmpp.forget();

    accounts.cmpp.is(HANGS);
    let clock = SystemClock::default();
    let (alert, beside) = sent(&world, "a-2", numbers.len()).await;
    let view = gateway.ended(alert).await;
    let whole = clock.tick();
    let reached: BTreeSet<_> = accounts.smpp.seen().into_iter().collect();
    assert_eq!(reached, numbers, "everybody has it by the second account");
    let line = gateway.channel(alert, "sms-smpp").await;
    let all = u64::try_from(numbers.len()).expect("few");
    assert_eq!(
        (count(&line["total"]), count(&line["reached"])),
        (all, all),
        "{line}"
    );
    let hung: BTreeSet<_> = accounts.cmpp.seen().into_iter().collect();
    let doubted = count(&line["doubts"]);
    assert!(
        !hung.is_empty() && doubted >= u64::try_from(hung.len()).expect("few"),
        "{doubted} doubts, {} hung",
        hung.len()
    );
    assert_eq!(count(&view["doubts"]), doubted, "{view}");
    assert!(whole < Duration::from_secs(30), "{whole:?}");
    let ratio = beside.as_secs_f64() / usual.as_secs_f64();
    eprintln!(
        "the account beside: {usual:?} as usual, {beside:?} while another hangs, ratio {ratio:.2}; all of it {whole:?}"
    );
    assert!(ratio < 2.0, "{usual:?} and {beside:?}");
    story(gateway, alert).await;
}

/// Household 1 sees by which account each attempt went.
async fn story(gateway: &Gateway, alert: u64) {
    let deliveries = gateway.deliveries(alert, 1).await;
    let own = deliveries.iter().find(|d| d["channel"] == "sms-smpp");
    let events = gateway
        .events(alert, own.expect("it went by the second"))
        .await;
    let names: Vec<_> = events
        .iter()
        .map(|e| e["event"].as_str().expect("a name"))
        .collect();
    assert!(names.contains(&"rerouted"), "{names:?}");
    let by = |name: &str| -> Vec<&Value> {
        let all = events.iter().filter(|e| e["event"] == name);
        all.map(|e| &e["channel"]).collect()
    };
    assert_eq!(by("rerouted"), ["sms-smpp"]);
    assert_eq!(by("accepted"), ["sms-smpp"]);
    assert_eq!(by("handed").last().copied(), Some(&Value::from("sms-smpp")));
}

/// How many numbers the preview gives each account of the route.
async fn preview(gateway: &Gateway) -> Vec<(String, u64)> {
    let xml = Warning::red("p-1", &[COUNTY]).xml();
    let path = "/v1/alerts?preview=true";
    let answer = gateway.call("POST", path, EVERYTHING, &xml).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let route = &answer.body["routes"][0];
    assert_eq!(count(&route["unserved"]), 0, "{route}");
    let accounts = route["accounts"].as_array().expect("a list");
    let one = |a: &Value| {
        (
            a["channel"].as_str().expect("a name").to_owned(),
            count(&a["deliveries"]),
        )
    };
    accounts.iter().map(one).collect()
}

#[tokio::test]
async fn a_wrong_guess_of_the_carrier_is_learned_and_a_restart_knows_it() {
    let accounts = Accounts::start().await;
    accounts.cmpp.is(PORTED);
    let setup = Setup {
        plan: plan("[\"texts\"]"),
        node: "carriers = \"carriers.csv\"\n",
        more: accounts.config("carriers = [\"mobile\"]", "carriers = [\"unicom\"]"),
        beside: vec![("carriers.csv", "prefix,carrier\n000,mobile\n")],
        ..Setup::default()
    };
    let numbers = county::mobiles(&setup.files);
    let all: BTreeSet<_> = numbers.iter().cloned().collect();
    let (ported, own): (BTreeSet<_>, BTreeSet<_>) = all
        .into_iter()
        .partition(|number| number.starts_with("0001"));
    let mut world = World::start(setup).await;
    bound(&world.gateway, &["sms-cmpp", "sms-smpp"]).await;
    let sizes = (
        u64::try_from(ported.len()).expect("few"),
        u64::try_from(own.len()).expect("few"),
    );
    let guessed = preview(&world.gateway).await;
    let by = |cmpp, smpp| vec![("sms-cmpp".to_owned(), cmpp), ("sms-smpp".to_owned(), smpp)];
    assert_eq!(guessed, by(sizes.0 + sizes.1, 0), "by their prefix");

    let warning = Warning::red("a-1", &[COUNTY]);
    let alert = world.gateway.submit(&warning).await;
    let view = world.gateway.ended(alert).await;
    let second: BTreeSet<_> = accounts.smpp.seen().into_iter().collect();
    assert_eq!(second, ported, "they go on by the other account");
    assert_eq!(count(&view["doubts"]), 0, "refused is not lost: {view}");
    for (name, wanted) in [("sms-cmpp", sizes.1), ("sms-smpp", sizes.0)] {
        let line = world.gateway.channel(alert, name).await;
        assert_eq!(count(&line["reached"]), wanted, "{line}");
    }

    // Its end is told to each by the account that the warning went by at last, and once.
    accounts.forget();
    let end = Warning::cancel("a-1-end", &warning);
    let alert = world.gateway.submit(&end).await;
    world.gateway.ended(alert).await;
    let told = |account: &Account| {
        let mut numbers = account.seen();
        numbers.sort_unstable();
        numbers
    };
    let listed = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>();
    let ends = (told(&accounts.cmpp), told(&accounts.smpp));
    assert_eq!(ends, (listed(&own), listed(&ported)));

    for name in ["a-2", "a-3"] {
        accounts.forget();
        if name == "a-3" {
            world.gateway.kill().await;
            world.gateway.start().await;
            bound(&world.gateway, &["sms-cmpp", "sms-smpp"]).await;
        }
        assert_eq!(
            preview(&world.gateway).await,
            by(sizes.1, sizes.0),
            "{name}: learned"
        );
        let alert = world.gateway.submit(&Warning::red(name, &[COUNTY])).await;
        world.gateway.ended(alert).await;
        let first: BTreeSet<_> = accounts.cmpp.seen().into_iter().collect();
        let second: BTreeSet<_> = accounts.smpp.seen().into_iter().collect();
        assert_eq!((first, second), (own.clone(), ported.clone()), "{name}");
    }
    let journal = world.gateway.journal().await;
    let text = journal.iter().map(Value::to_string).collect::<String>();
    assert!(text.contains("learned") && text.contains("rerouted"));
    let shown = numbers.iter().find(|number| text.contains(number.as_str()));
    assert_eq!(shown, None, "no number stands in the journal");
}
