//! What is not on file (报备) is not sent and is counted so, a reply is asked for where one comes back, and a month that is
//! spent holds what is low: from outside, over restarts.

use serde_json::{Value, json};

use crate::gateway::{EVERYTHING, Setup, WATER, World, count, within};
use crate::warning::{COUNTY, Warning};

/// The gateway again, with its configuration changed.
async fn with(world: &mut World, change: impl FnOnce(&str) -> String) {
    let path = world.gateway.path("tocsin.toml");
    world.gateway.kill().await;
    let text = std::fs::read_to_string(path).expect("it was written");
    let changed = change(&text);
    assert_ne!(changed, text);
    world.gateway.write("tocsin.toml", &changed);
    world.gateway.start().await;
}

/// With this on file at the account of text messages.
fn filed(text: &str, keys: &str) -> String {
    let filing = format!(
        "kind = \"sms\"\n[[channel.filing]]\nsignature = \"平武水利\"\nstate = \"filed\"\n{keys}\n"
    );
    let (before, after) = text.split_once("kind = \"sms\"\n").expect("the account");
    // Tables come behind the keys of the channel.
    let (own, settings) = after
        .split_once("[channel.settings]")
        .expect("its settings");
    let (kind, filing) = filing.split_once('\n').expect("two lines");
    format!("{before}{kind}\n{own}{filing}[channel.settings]{settings}")
}

const CONFIRMS: &str = "templates = [{ id = \"T-1\", text = \"{}红色预警。{}有效至{}。回复1表示收到。\" }, { id = \"T-2\", text = \"{}warning。{}有效至{}。 Reply 1 to confirm.\" }]\nuplink = true";

/// The first home's telephone.
const PHONE: &str = "00010000001";

fn items(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn rules(answer: &Value) -> Vec<&str> {
    let rules = items(&answer["findings"]).iter();
    let rules = rules.filter_map(|finding| finding["rule"].as_str());
    rules.filter(|rule| rule.starts_with("Tocsin/")).collect()
}

#[tokio::test]
async fn a_text_goes_as_it_is_filed_asks_for_a_reply_where_one_comes_back_and_is_refused_otherwise()
{
    let plan = Setup::default().plan;
    let setup = Setup {
        plan: plan
            .replace(
                "audience = \"public\"",
                "audience = \"public\"\nconfirm = true",
            )
            .replace(
                "audience = \"officers\"",
                "audience = \"officers\"\nconfirm = true",
            ),
        ..Setup::default()
    };
    let mut world = World::start(setup).await;
    with(&mut world, |text| filed(text, CONFIRMS)).await;
    let first = world.gateway.submit(&Warning::red("a-1", &[COUNTY])).await;
    world.gateway.ended(first).await;
    let texts = world.smsc.to(PHONE);
    assert!(texts[0].ends_with("回复1表示收到。"), "{texts:?}");
    let line = world.gateway.channel(first, "sms").await;
    assert_eq!((count(&line["not_filed"]), count(&line["planned"])), (0, 0));

    // Another wording fits no template: the preview says so, and the alert is taken all the same.
    let mut other = Warning::red("a-2", &[COUNTY]);
    other.headline = "山洪灾害紧急通知".to_owned();
    let path = "/v1/alerts?preview=true";
    let shown = world
        .gateway
        .call("POST", path, WATER, &other.xml())
        .await
        .body;
    assert_eq!(rules(&shown), ["Tocsin/filing/no-template"], "{shown:#}");
    let refused = items(&shown["numbers"][0]["refused"]);
    assert_eq!(refused[0]["reason"], "filing:no-template");
    let answer = world.gateway.post(WATER, &other.xml()).await;
    assert_eq!(
        (answer.status, rules(&answer.body)),
        (202, vec!["Tocsin/filing/no-template"])
    );
    let second = answer.body["id"].as_u64().expect("an id");
    world.gateway.ended(second).await;
    let line = world.gateway.channel(second, "sms").await;
    assert_eq!(
        line["not_filed"], refused[0]["numbers"],
        "as the preview said"
    );
    assert_eq!(world.smsc.to(PHONE).len(), 1, "nothing of the second");
    let deliveries = world.gateway.deliveries(second, 1).await;
    let text = deliveries
        .iter()
        .find(|d| d["channel"] == "sms")
        .expect("a text");
    assert_eq!(
        (&text["state"], &text["code"]),
        (&json!("failed"), &json!("filing:no-template"))
    );
    let events = world.gateway.events(second, text).await;
    let names: Vec<_> = events
        .iter()
        .map(|e| e["event"].as_str().expect("a name"))
        .collect();
    assert_eq!(names, ["barred", "planned"], "and it was never handed");
    let horn = world.gateway.channel(second, "horn").await;
    assert!(count(&horn["done"]) > 0, "what can go out goes out: {horn}");

    // Without an uplink nothing speaks of a reply, after a restart too.
    with(&mut world, |text| {
        text.replace("uplink = true", "uplink = false")
            .replace("。回复1表示收到。\"", "。\"")
    })
    .await;
    assert_eq!(world.gateway.channel(second, "sms").await, line, "replayed");
    let third = world.gateway.submit(&Warning::red("a-3", &[COUNTY])).await;
    world.gateway.ended(third).await;
    let texts = world.smsc.to(PHONE);
    assert_eq!(texts.len(), 2);
    assert!(
        texts.iter().filter(|t| t.contains("回复1")).count() == 1,
        "{texts:?}"
    );
}

async fn spent(world: &World) -> u64 {
    let all = world.gateway.get("/v1/bureaus/budget").await;
    let own = items(&all["bureaus"])
        .iter()
        .find(|b| b["bureau"] == "water");
    count(&own.expect("it has a budget")["spent"])
}

#[tokio::test]
async fn a_spent_month_outlives_a_crash_and_holds_yellow_and_never_red() {
    let mut world = World::start(Setup::default()).await;
    with(&mut world, |text| {
        let scopes = "scopes = [\"submit\", \"read\"]\nregions = [\"510727\"]\n";
        let budget = format!("{scopes}[bureau.budget]\nsegments_per_month = 3\n");
        text.replacen(scopes, &budget, 1)
    })
    .await;
    assert_eq!(spent(&world).await, 0);
    let red = Warning::red("a-1", &[COUNTY]);
    let shown = world
        .gateway
        .call("POST", "/v1/alerts?preview=true", WATER, &red.xml())
        .await
        .body;
    let first = world.gateway.submit(&red).await;
    world.gateway.ended(first).await;
    let mut lines = items(&shown["channels"]).iter();
    let line = lines.find(|line| line["channel"] == "sms").expect("texts");
    assert_eq!(
        spent(&world).await,
        count(&line["cost"]),
        "what the preview said"
    );
    let before = spent(&world).await;
    assert!(before >= 3);
    world.gateway.kill().await;
    world.gateway.start().await;
    assert_eq!(spent(&world).await, before, "it is in the journal");

    let mut yellow = Warning::red("a-2", &[COUNTY]);
    yellow.severity = "Moderate";
    let answer = world.gateway.post(WATER, &yellow.xml()).await;
    assert_eq!(
        (answer.status, &answer.body["born"]),
        (202, &json!("quarantined"))
    );
    assert_eq!(rules(&answer.body), ["Tocsin/budget/held"]);
    let held = answer.body["id"].as_u64().expect("an id");
    let second = world.gateway.submit(&Warning::red("a-3", &[COUNTY])).await;
    world.gateway.ended(second).await;
    assert_eq!(world.smsc.to(PHONE).len(), 2, "red goes, yellow waits");
    let cancel = world.gateway.submit(&Warning::cancel("a-4", &red)).await;
    reached(&world, cancel, "and so does what lifts").await;
    let one = world.gateway.get(&format!("/v1/quarantine/{held}")).await;
    assert_eq!(rules(&one), ["Tocsin/budget/held"]);
    let path = format!("/v1/alerts/{held}/decision");
    let said = world
        .gateway
        .call("POST", &path, EVERYTHING, "{\"decision\":\"release\"}")
        .await;
    assert_eq!(said.status, 200, "{}", said.body);
    reached(&world, held, "what a person releases goes").await;
}

/// Waits until a text of this alert has come.
async fn reached(world: &World, alert: u64, what: &str) {
    within(what, async || {
        let line = world.gateway.channel(alert, "sms").await;
        line["reached"].as_u64().filter(|texts| *texts > 0)
    })
    .await;
}
